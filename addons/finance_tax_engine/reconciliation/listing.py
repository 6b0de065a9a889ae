"""What an engine has recorded, asked in pieces that fit into memory."""

from dataclasses import dataclass
from datetime import date

from odoo.addons.finance_connector_base.providers.errors import Rejected

from ..canonical.tax import TaxReference
from .compare import UNANSWERED, There

MOST = 2000
"""Documents in one answer, unless there are more on a single day."""


@dataclass(frozen=True)
class Question:
    """All documents of the days from first to last; or, of an engine without a list, these ones."""

    seller: str
    first: date
    last: date
    references: tuple[TaxReference, ...] = ()


@dataclass(frozen=True)
class Listed:
    """The answer. complete: False where there are too many; then ask for fewer days."""

    documents: tuple[There, ...] = ()
    complete: bool = True


def ask(engine, question: Question) -> Listed:
    """Return what ``engine`` (a `TaxEngine`) has; raises the error classes of providers."""
    if "list" not in engine.capabilities:
        found = (_looked_up(engine, reference) for reference in question.references)
        return Listed(tuple(there for there in found if there))
    documents = []
    for found in engine.recorded(question.seller, question.first, question.last):
        if len(documents) == MOST and question.first < question.last:
            return Listed(complete=False)
        documents.append(There.listed(found))
    return Listed(tuple(documents))


def _looked_up(engine, reference):
    try:
        found = engine.lookup(reference)
    except Rejected:
        # one that can't be asked about must not keep the others from being compared
        return There(reference.code, reference.kind, UNANSWERED)
    return There.looked_up(reference.kind, found) if found else None
