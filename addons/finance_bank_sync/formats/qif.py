"""QIF, the Quicken Interchange Format: accounts of type Bank, Cash, CCard, Oth A and Oth L.

QIF says neither which currency it is nor in which order day and month stand, has no ids and no
balances but the opening one, and its categories and splits are somebody's bookkeeping, not the
bank's: they are left out. Lists and investments in the same file are passed over.

Source of the contract: Quicken, "QIF data file format".
"""

from ..canonical.statement import (
    BOOKED,
    OPENING,
    Account,
    Balance,
    Detail,
    Entry,
    Party,
    Statement,
)
from . import style, values
from .errors import FormatError
from .tally import Tally

TYPES = {"bank", "cash", "ccard", "oth a", "oth l"}
OPENING_NAME = "opening balance"


def parse(file, order="", mark="", encoding=None):
    """Yield each `Entry` of a statement and after them its `Statement`, from a binary file.

    order: one of `style.ORDERS`, mark: one of `style.MARKS`; where they are "", the file is read
    beforehand, and refused as ambiguous unless all of it can be read in one way only. encoding: of
    the file; found out when None. Raises FormatError.
    """
    encoding = encoding or values.encoding_of(file)
    orders, marks = readings(file, encoding)
    asked = order
    order = order or style.chosen(orders, "dates")
    mark = mark or style.chosen(marks, "amounts")
    section = None
    for record in _records(file, encoding):
        if section and record.account != section.account:
            yield section.finish()
            section = None
        section = section or _Section(record.account, order, mark, "" if asked else order)
        yield from section.take(record)
    if not section:
        raise FormatError("empty", "The file has no transactions of a bank account")
    yield section.finish()


def readings(file, encoding=None) -> tuple[style.Readings, style.Readings]:
    """Return in which ways the dates and the amounts of a file can be read. Raises FormatError."""
    orders = style.Readings(style.day, style.ORDERS)
    marks = style.Readings(style.amount, style.MARKS)
    for record in _records(file, encoding or values.encoding_of(file)):
        for key, what, code in (("D", orders, "date"), ("T", marks, "amount")):
            try:
                what.see(_blankless(record.get(key)))
            except ValueError:
                raise record.error(
                    code, f"This {code} fits none of the ways of those before", key
                ) from None
    return orders, marks


def _blankless(text):
    return text.replace("' ", "'").replace("/ ", "/").strip()


class _Record:
    """One record of a bank account. fields: {letter: first text}."""

    def __init__(self, line, account, fields):
        self.line = line
        self.account = account
        self.fields = fields

    def get(self, key):
        return self.fields.get(key, "")

    def error(self, code, what, key):
        return FormatError(code, what, line=self.line, element=f"field {key}", value=self.get(key))


def _records(file, encoding):
    """Yield each `_Record` of bank accounts."""
    kind, account, in_account, fields, start, address = "", "", False, {}, 0, []
    for number, line in values.lines(file, encoding):
        line = line.rstrip()
        if line.startswith("!"):
            if fields:
                raise FormatError("truncated", "A record has no end (^)", line=number)
            head = line[1:].strip().lower()
            if head.startswith("type:"):
                kind, in_account = head[5:].strip(), False
            elif head == "account":
                in_account = True
            elif not head.startswith(("option", "clear")):
                raise FormatError("syntax", "This is no section of QIF", line=number, value=line)
        elif line == "^":
            if in_account:
                account = fields.get("N", "")
            elif kind in TYPES and fields:
                fields["A"] = "\n".join(address)
                yield _Record(start, account, fields)
            fields, address = {}, []
        elif line and (kind or in_account):
            start = start if fields else number
            if line[0] == "A":
                address.append(line[1:].strip())
            fields.setdefault(line[0], line[1:].strip())
    if fields:
        raise FormatError("truncated", "The last record has no end (^)", line=start)


class _Section:
    """The transactions of one account."""

    def __init__(self, account, order, mark, found):
        self.account = account
        self.name = account
        self.order, self.mark = order, mark
        self.tally = Tally()
        self.balances = []
        self.days = []
        if found:
            self.tally.find("dates", format=found)

    def take(self, record):
        """Yield the entry of a record; the opening balance is none."""
        for key in "DT":
            if not record.get(key):
                raise record.error("missing", "The transaction has no date or no amount", key)
        day = style.day(_blankless(record.get("D")), self.order)
        amount = style.amount(record.get("T"), self.mark)
        category = record.get("L")
        if not self.tally.count and record.get("P").lower() == OPENING_NAME and category[:1] == "[":
            self.name = self.name or category.strip("[]")
            self.balances.append(Balance(OPENING, amount, "", day))
            return
        self.days = [min([day, *self.days]), max([day, *self.days])]
        other = Party(
            name=record.get("P"), address=tuple(filter(None, record.get("A").split("\n")))
        )
        position, memo, number = self.tally.count + 1, record.get("M"), record.get("N")
        yield self.tally.add(
            Entry(
                position=position,
                status=BOOKED,
                amount=amount,
                currency="",
                booking_date=day,
                customer_reference=number,
                details=(
                    Detail(
                        cheque=number if number.isdecimal() else "",
                        remittance=(memo,) if memo else (),
                        debtor=other if amount > 0 else Party(),
                        creditor=Party() if amount > 0 else other,
                    ),
                ),
                place=f"line {record.line}",
            )
        )

    def finish(self):
        """Return the Statement."""
        return self.tally.close(
            Statement(
                account=Account(name=self.name),
                format="qif",
                start=self.days[0] if self.days else None,
                end=self.days[-1] if self.days else None,
                balances=tuple(self.balances),
            )
        )
