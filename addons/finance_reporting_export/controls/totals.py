"""Adding up rows, and comparing sums: exact, whatever order the rows are in.

The digest of a row is the first 60 bits of the SHA-256 of ``id|debit|credit|amount_currency``, the
amounts without trailing zeros; the digest of many rows is the sum of theirs, modulo 2^63, as 16
hexadecimal digits. PostgreSQL works it out as `models/finance_export_total_sql.py` says, a
receiver with a few lines of any language.
"""

import hashlib
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import NamedTuple

# An amount that doesn't fit is an error, never rounded.
EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
MODULUS = 2**63
ZERO = Decimal(0)


class Key(NamedTuple):
    """What totals are kept by. period: "2026-03"; "" for what a feed doesn't tell."""

    company: str = ""
    period: str = ""
    account: str = ""
    currency: str = ""


@dataclass
class Sum:
    """What the rows of one `Key` add up to. digest: a number below `MODULUS`."""

    rows: int = 0
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    amount_currency: Decimal = ZERO
    digest: int = 0

    def add(self, other):
        """Take the rows of another sum in."""
        self.rows += other.rows
        self.debit = EXACT.add(self.debit, other.debit)
        self.credit = EXACT.add(self.credit, other.credit)
        self.amount_currency = EXACT.add(self.amount_currency, other.amount_currency)
        self.digest = (self.digest + other.digest) % MODULUS


@dataclass(frozen=True)
class Difference:
    """One key whose sums are not the same. field: name of the first that differs."""

    key: Key
    field: str
    ledger: object
    file: object


def plain(amount):
    """Return an amount's text without what doesn't count: "100", "-0.5", "0" for nothing.

    >>> plain("100.00"), plain("-0.500"), plain("0.00"), plain(""), plain("-0.00")
    ('100', '-0.5', '0', '0', '0')
    """
    if "." in amount:
        amount = amount.rstrip("0").rstrip(".")
    return "0" if amount in ("", "-", "-0") else amount


def digest_of(key, debit, credit, amount_currency):
    """Return the digest of one row: its id and its amounts, all as `plain` text."""
    text = f"{key}|{debit}|{credit}|{amount_currency}".encode()
    return int(hashlib.sha256(text).hexdigest()[:15], 16)


def digits(digest):
    """Return a digest as it is written."""
    return f"{digest:016x}"


def add_up(rows, totals=None, part=("", "")):
    """Return ({`Key`: `Sum`}, rows that say that something is gone) of rows.

    rows: as `reading.rows` gives them. part: (company, period) of a file that holds one of each,
    for columns that it doesn't have. totals: sums that these are added to.
    """
    totals = {} if totals is None else totals
    deletions = 0
    add, of_company, of_period = EXACT.add, *part
    for key, company, period, account, currency, debit, credit, amount, operation in rows:
        if operation == "D":
            deletions += 1
            continue
        place = (company or of_company, period[:7] or of_period, account, currency)
        found = totals.get(place)
        if found is None:
            found = totals[Key(*place)] = Sum()
        debit, credit, amount = plain(debit), plain(credit), plain(amount)
        found.rows += 1
        if debit != "0":
            found.debit = add(found.debit, Decimal(debit))
        if credit != "0":
            found.credit = add(found.credit, Decimal(credit))
        if amount != "0":
            found.amount_currency = add(found.amount_currency, Decimal(amount))
        found.digest = (found.digest + digest_of(key, debit, credit, amount)) % MODULUS
    return totals, deletions


def differences(ledger, file, fields=("rows", "debit", "credit", "amount_currency", "digest")):
    """Return every `Difference` between two {`Key`: `Sum`}, in order of their keys.

    A key that one side lacks has a sum of nothing there.
    """
    found, nothing = [], Sum()
    for key in sorted({*ledger, *file}):
        ours, theirs = ledger.get(key, nothing), file.get(key, nothing)
        for name in fields:
            if getattr(ours, name) != getattr(theirs, name):
                differing = Difference(Key(*key), name, getattr(ours, name), getattr(theirs, name))
                found.append(differing)
                break
    return found


def compared(roles, of_sums=False):
    """Return the names of what can be compared in a file with these roles.

    of_sums: its rows are sums themselves, so neither their number nor their digest is the ledger's.
    """
    names = [] if of_sums else ["rows"]
    names += ["debit", "credit"] if roles.amounts else []
    names += ["amount_currency"] if roles.amount_currency and not of_sums else []
    names += ["digest"] if roles.digest and not of_sums else []
    return tuple(names)
