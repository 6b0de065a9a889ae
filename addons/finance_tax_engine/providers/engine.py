"""What every tax engine offers."""

from collections.abc import Iterator
from datetime import date

from odoo.addons.finance_connector_base.providers.base import Provider

from ..canonical.tax import (
    Address,
    AddressAnswer,
    Certificate,
    EntityUseCode,
    Nexus,
    RecordedDocument,
    TaxCode,
    TaxDocument,
    TaxReference,
    TaxResult,
)

# What an engine may lack: capability and the methods that it stands for.
CAPABILITIES = {
    "lookup": ("lookup",),
    "adjust": ("adjust",),
    "refund": ("refund",),
    "uncommit": ("uncommit",),
    "unvoid": ("unvoid",),
    "list": ("recorded",),
    "address": ("resolve_address",),
    "nexus": ("nexus",),
    "tax_codes": ("tax_codes",),
    "entity_use_codes": ("entity_use_codes",),
    "certificates": ("certificates",),
}


class TaxEngine(Provider):
    """A tax engine: calculates sales tax and keeps the documents that are declared.

    Every method may raise the error classes of ``providers.errors``; ``Rejected`` carries the
    engine's own words, and ``canonical.tax.LOCKED`` as its code where the document was filed and
    takes no change. Amounts come back with the canonical signs, whatever the vendor's are.

    `quote`, `commit`, `void` and ``ping`` are always there. What else a vendor offers is named in
    ``capabilities``; the rest raises NotImplementedError.
    """

    seller_setting = ""
    """Name of the company setting that holds the engine's code of the selling company."""

    capabilities: frozenset[str] = frozenset()
    """Keys of `CAPABILITIES`."""

    takes_prices_with_tax = False
    """Whether a `TaxLine` may be ``tax_included``."""

    # === DOCUMENTS === #

    def quote(self, document: TaxDocument) -> TaxResult:
        """Calculate the tax of ``document`` without keeping anything (status QUOTED)."""
        raise NotImplementedError

    def commit(self, document: TaxDocument) -> TaxResult:
        """Record ``document`` under ``document.code`` for the next return (status RECORDED).

        Repeating it with the same code is safe: the engine replaces what it has under that code, or
        finds that it has it. A document of kind REFUND with an ``original_code`` takes back that
        one, in whole or in part. An engine that records a quote uses ``document.quote_id`` while it
        is valid; where the tax would differ from what was quoted it raises ``Rejected`` with code
        ``canonical.tax.AMOUNTS_CHANGED`` and both totals in words.
        """
        raise NotImplementedError

    def void(self, reference: TaxReference) -> TaxResult:
        """Make the recorded document void (status VOIDED), or find that there is none (ABSENT).

        Repeating it is safe.
        """
        raise NotImplementedError

    def lookup(self, reference: TaxReference) -> TaxResult | None:
        """Return what the engine keeps under a code, None when it keeps nothing."""
        raise NotImplementedError

    def adjust(self, document: TaxDocument, reason: str, words: str = "") -> TaxResult:
        """Replace what is recorded under ``document.code`` by ``document`` (status RECORDED).

        reason: one of ``canonical.tax.ADJUSTMENT_REASONS``. words: why, for people. Raises Rejected
        when nothing is recorded under the code. Repeating it is safe.
        """
        raise NotImplementedError

    def refund(self, reference: TaxReference, original: TaxReference, day: date) -> TaxResult:
        """Record under ``reference.code`` a credit note that takes back all of ``original``.

        The engine makes it itself, so the tax is the original's to the cent. day: document date of
        the credit note. Status RECORDED. Repeating it is safe.
        """
        raise NotImplementedError

    def uncommit(self, reference: TaxReference) -> TaxResult:
        """Keep the recorded document, but no longer for the return (status SAVED).

        Repeating it is safe.
        """
        raise NotImplementedError

    def unvoid(self, reference: TaxReference) -> TaxResult:
        """Undo `void`: the document has the status from before (RECORDED or SAVED).

        Repeating it is safe.
        """
        raise NotImplementedError

    def recorded(self, seller: str, start: date, end: date) -> Iterator[RecordedDocument]:
        """Yield all sales and credit notes kept with a document date from start to end.

        Both days are included, pages are followed, void documents come too, replaced versions don't.
        """
        raise NotImplementedError

    # === WHAT THE ENGINE KNOWS === #

    def resolve_address(self, address: Address) -> AddressAnswer:
        """Ask whether the engine knows an address, and how it should be written."""
        raise NotImplementedError

    def nexus(self, seller: str) -> tuple[Nexus, ...]:
        """Return where the seller is declared to have to charge tax, past and future too."""
        raise NotImplementedError

    def tax_codes(self, text: str) -> tuple[TaxCode, ...]:
        """Return the tax codes with ``text`` in code or description, at most 100."""
        raise NotImplementedError

    def entity_use_codes(self) -> tuple[EntityUseCode, ...]:
        """Return the reasons for which a customer may be exempt."""
        raise NotImplementedError

    def certificates(self, seller: str, customer: str) -> tuple[Certificate, ...]:
        """Return the exemption certificates that the engine keeps of a customer."""
        raise NotImplementedError
