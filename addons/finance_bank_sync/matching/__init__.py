"""Matching bank lines to open items: plain Python, explainable, never by chance."""

from .engine import DOUBTS, POINTS, WHY_NOT, match
from .pool import Directory, Pool
from .values import (
    DOCUMENT,
    ENTRY,
    PAYMENT,
    TRANSFER,
    BankLine,
    Closed,
    OpenItem,
    Proposal,
    Reason,
    Terms,
    Verdict,
)

__all__ = [
    "DOCUMENT", "DOUBTS", "ENTRY", "PAYMENT", "POINTS", "TRANSFER", "WHY_NOT", "BankLine", "Closed",
    "Directory", "OpenItem", "Pool", "Proposal", "Reason", "Terms", "Verdict", "match",
]  # fmt: skip
