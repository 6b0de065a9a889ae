"""What every file for an authority begins with: the books of a company, and how they are read."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import BinaryIO, NamedTuple

CONTROL = re.compile(r"[\x00-\x20\x7f\x85\u2028\u2029\ufffe\uffff]+")

# (sql, **parameters) → rows. Parameters of `Books.parameters` are always there.
Reader = Callable[..., Iterable[tuple]]


class OtherTotals(Exception):
    """What was written does not add up to what the ledger says: the file must not be used."""


@dataclass(frozen=True)
class Books:
    """The books of one legal entity in one period; all that a file says beside the ledger.

    registry: the number it is registered under, as entered. companies: ids of the company and of
    its branches; root: id of the root company as text, the key of account codes. first, last: the
    period; year_first, year_last: fiscal year that it lies in. earnings: id of the account that
    the result of former years belongs to, None without. accounts, taxes: {record id: (external
    code, external label)} of the approved mappings of this file. made: UTC. contact: who made it.
    separator, encoding: of text files; encoding as Python names it, one of `encodings.ENCODINGS`.
    """

    name: str
    registry: str
    vat: str
    currency: str
    decimals: int
    companies: tuple[int, ...]
    root: str
    first: date
    last: date
    year_first: date
    year_last: date
    earnings: int | None
    made: datetime
    contact: str = ""
    street: str = ""
    street2: str = ""
    zip: str = ""
    city: str = ""
    country: str = ""
    phone: str = ""
    email: str = ""
    software: tuple[str, str, str] = ("Finance Connect", "Finance Connect", "")
    separator: str = "\t"
    encoding: str = "utf-8"
    accounts: dict = field(default_factory=dict)
    taxes: dict = field(default_factory=dict)

    def parameters(self, lang):
        """Return what the SQL of files names; lang: of names that are translated."""
        return {
            "companies": list(self.companies),
            "root": self.root,
            "first": self.first,
            "last": self.last,
            "year_first": self.year_first,
            "earnings": self.earnings,
            "decimals": self.decimals,
            "lang": lang,
        }


class Finding(NamedTuple):
    """What is missing or open, before anything is written.

    code: what is asked; its words are the model's. level: "stop"; "explain", which a person may
    let pass with a reason; or "note". count, amount (company currency): of what is concerned.
    model, ids: the records, at most `MOST_IDS`. params: further values of the words.
    """

    code: str
    level: str = "stop"
    count: int = 1
    model: str = ""
    ids: tuple = ()
    amount: Decimal | None = None
    params: dict | None = None


@dataclass(frozen=True)
class Written:
    """What a file holds: lines and amounts of the period, without opening balances."""

    name: str
    entries: int
    lines: int
    debit: Decimal
    credit: Decimal


class StatutoryFile:
    """One kind of file. A kind sets the attributes and overrides the three methods.

    code: of the kind, and the scope of its approved mappings. label: for people. lang: of names
    that are translated. mapped: which types of mapping it
    looks up; what lacks a code is for its checks.
    """

    code = label = lang = ""
    mapped: tuple = ()

    def name(self, books: Books) -> str:
        """Return the file's name as the authority asks for it."""
        raise NotImplementedError

    def check(self, books: Books, rows: Reader) -> list[Finding]:
        """Return everything that is missing or open."""
        raise NotImplementedError

    def write(self, books: Books, rows: Reader, sink: BinaryIO) -> Written:
        """Write the file to ``sink`` row by row. Raises `OtherTotals`."""
        raise NotImplementedError


def text(value, most=None):
    """Return a value as one line of text: control characters and runs of blanks become one blank."""
    return CONTROL.sub(" ", value or "").strip()[:most].strip()


def digits(value):
    """Return the digits of a text."""
    return "".join(sign for sign in value or "" if sign in "0123456789")
