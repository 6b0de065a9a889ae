"""What an engine is asked beside the tax of documents, in one piece each."""

from dataclasses import dataclass

from .tax import Certificate, EntityUseCode, Nexus, TaxCode


@dataclass(frozen=True)
class KnowledgeQuestion:
    """seller: the engine's code of the company. text: what to look for. customer: as on documents."""

    seller: str = ""
    text: str = ""
    customer: str = ""


@dataclass(frozen=True)
class Knowledge:
    """What came back; what was not asked for, or the engine lacks, is empty."""

    tax_codes: tuple[TaxCode, ...] = ()
    use_codes: tuple[EntityUseCode, ...] = ()
    nexus: tuple[Nexus, ...] = ()
    certificates: tuple[Certificate, ...] = ()
