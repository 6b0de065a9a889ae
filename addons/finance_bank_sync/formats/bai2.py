"""BAI2 cash management balance reporting (BAI2, ASC X9.121): accounts of several groups in a file.

A logical record is a line and the 88 lines after it. Amounts are in the smallest unit of the
currency. Control totals are the format's own proof that nothing is missing: an amount that differs
refuses the file, a number of records that differs is a finding, since banks count them differently.

Source of the contract: BAI, Cash Management Balance Reporting Specifications, version 2.
"""

from dataclasses import dataclass
from decimal import Decimal

from ..canonical.statement import (
    BOOKED,
    CLOSING,
    CLOSING_AVAILABLE,
    INFORMATION,
    INTERIM,
    INTERIM_AVAILABLE,
    OPENING,
    OPENING_AVAILABLE,
    REPORT,
    STATEMENT,
    Balance,
    Detail,
    Entry,
    Statement,
    TransactionCode,
)
from . import values
from .errors import FormatError
from .tally import Tally

BALANCES = {
    "010": OPENING,
    "015": CLOSING,
    "030": INTERIM,
    "040": OPENING_AVAILABLE,
    "045": CLOSING_AVAILABLE,
    "060": INTERIM_AVAILABLE,
}
TOTALS = {"100": 1, "400": -1}  # of all credits, of all debits
NOT_MONEY = "890"
WIDTH = 78  # a text line as long as this was broken by the width, else at a blank
SAME_DAY = {"3", "4"}  # as-of date modifier: in the course of the day
GROUP_REFUSED = {
    "2": "The bank asks to delete what it sent before",
    "4": "The bank marks the group as a test",
}
DEFAULT_CURRENCY = "USD"


@dataclass
class _Record:
    line: int
    code: str
    fields: list
    physical: int  # number of lines

    def field(self, index):
        return self.fields[index].strip() if index < len(self.fields) else ""

    def error(self, code, what, value=""):
        return FormatError(code, what, line=self.line, element=f"record {self.code}", value=value)

    def amount(self, text, currency):
        return values.minor(text, currency, line=self.line, element=f"record {self.code}")


def parse(file, encoding=None):
    """Yield each `Entry` of a statement and after them its `Statement`, from a binary file.

    encoding: of the file; found out when None. Raises FormatError.
    """
    reader = _File()
    for record in _records(values.lines(file, encoding or values.encoding_of(file))):
        yield from reader.take(record)
    reader.end()


def _records(lines):
    """Yield each logical record."""
    number, text, count, last = None, "", 0, ""
    for index, raw in lines:
        line = raw.rstrip()
        if not line:
            continue
        code = line[:2]
        if code == "88" and line[2:3] == ",":
            if number is None:
                raise FormatError("syntax", "A continuation without a record", line=index)
            if len(text) > values.MAX_LINE:
                raise FormatError("size", "A record is too long", line=index)
            text += _joint(last) + line[3:].removesuffix("/")
            count, last = count + 1, raw
            continue
        if number is not None:
            yield _Record(number, text[:2], text.split(",")[1:], count)
        if code not in ("01", "02", "03", "16", "49", "98", "99") or line[2:3] not in (",", "/"):
            raise FormatError("syntax", "This is no record of BAI2", line=index, value=line)
        number, text, count, last = index, line.removesuffix("/"), 1, raw
    if number is not None:
        yield _Record(number, text[:2], text.split(",")[1:], count)


def _joint(last):
    """Return what stands between a line and its continuation."""
    if last.rstrip().endswith("/"):
        return ","
    return "" if len(last) >= WIDTH else " "


class _File:
    """The file while its records go by: file, group and account, one inside the other."""

    def __init__(self):
        self.level = ""  # code of the innermost open record: 01, 02 or 03
        self.done = False
        self.records = {"01": 0, "02": 0, "03": 0}
        self.sums = {"01": Decimal(0), "02": Decimal(0), "03": Decimal(0)}
        self.group = None
        self.account = None

    def take(self, record):
        """Yield what ``record`` completes."""
        if self.done:
            raise record.error("syntax", "A record stands behind the end of the file")
        opens = {"01": "", "02": "01", "03": "02"}
        closes = {"49": "03", "98": "02", "99": "01"}
        expected = opens.get(record.code, closes.get(record.code, "03"))
        if self.level != expected:
            raise record.error("syntax", "This record can't stand here")
        if record.code in opens:
            self.level = record.code
            self.records[record.code], self.sums[record.code] = 0, Decimal(0)
        for level in ("01", "02", "03")[: int(self.level)]:
            self.records[level] += record.physical
        if record.code in closes:
            yield from self._close(record, closes[record.code])
        elif record.code == "02":
            self.group = _Group(record)
        elif record.code == "03":
            self.account = _Account(record, self.group)
            self.sums["03"] = self.account.total
        elif record.code == "16":
            yield self._entry(record)

    def _entry(self, record):
        self.sums["03"] += _raw(record, 1)
        return self.account.entry(record)

    def _close(self, record, level):
        declared = record.field(0)
        if declared and _raw(record, 0) != self.sums[level]:
            found = self.sums[level]
            raise record.error(
                "control", f"The control total is not {found}: data is missing", declared
            )
        outer = {"03": "02", "02": "01", "01": ""}[level]
        count = record.field(1 if level == "03" else 2)
        if level == "03":
            if count.isdecimal() and int(count) != self.records["03"]:
                self.account.tally.find("records", declared=count, found=self.records["03"])
            yield self.account.finish()
            self.account = None
        if outer:
            self.sums[outer] += self.sums[level]
        self.level = outer
        self.done = level == "01"

    def end(self):
        """Raise FormatError unless the file trailer was there."""
        if not self.done:
            raise FormatError("truncated", "The file trailer (record 99) is missing")


def _raw(record, index):
    """Return the amount in a control sum: as it stands, in whatever unit."""
    text = record.field(index)
    where = {"line": record.line, "element": f"record {record.code}"}
    return values.decimal(text, **where) if text else Decimal(0)


class _Group:
    """The head of a group."""

    def __init__(self, record):
        status = record.field(2)
        if status in GROUP_REFUSED:
            raise record.error("unsupported", GROUP_REFUSED[status], status)
        self.correction = status == "3"
        self.bank = record.field(1)
        self.day = values.short_day(record.field(3))
        if self.day is None:
            raise record.error("date", "The group has no as-of date", record.field(3))
        self.currency = record.field(5)
        self.kind = REPORT if record.field(6) in SAME_DAY else STATEMENT


class _Account:
    """One account of a group while its entries go by."""

    def __init__(self, record, group):
        self.group = group
        self.tally = Tally()
        self.number = record.field(0)
        if not self.number:
            raise record.error("account", "The account has no number")
        where = {"line": record.line, "element": "record 03"}
        code = record.field(1) or group.currency or DEFAULT_CURRENCY
        self.currency = values.currency(code, **where)
        self.balances, self.totals, self.total = [], {}, Decimal(0)
        self.credits = {1: Decimal(0), -1: Decimal(0)}
        if group.correction:
            self.tally.find("copy", mark="correction")
        self._summaries(record)

    def _summaries(self, record):
        index = 2
        while index < len(record.fields):
            code, text = record.field(index), record.field(index + 1)
            if not code:
                # one comma too many before the end of a line
                index += 1
                continue
            index = _behind_funds(record, index + 3)
            if not (code.isdecimal() and len(code) == 3):
                raise record.error("value", "This is no type code", code)
            if not text:
                continue
            self.total += values.decimal(text, line=record.line, element="record 03")
            amount = record.amount(text, self.currency)
            if code in TOTALS:
                self.totals[code] = amount
            elif int(code) < 100:
                kind = BALANCES.get(code, code)
                self.balances.append(Balance(kind, amount, self.currency, self.group.day))

    def entry(self, record):
        """Return the Entry of a record 16."""
        position, code = self.tally.count + 1, record.field(0)
        text = record.field(1)
        sign = _sign(record, code)
        if sign and not text:
            raise record.error("missing", "The transaction has no amount")
        amount = sign * record.amount(text, self.currency) if sign else Decimal(0)
        if sign:
            self.credits[sign] += amount
        index = _behind_funds(record, 2)
        # an empty text before the end of a line leaves a comma
        words = ",".join(record.fields[index + 2 :]).lstrip(",").strip()
        return self.tally.add(
            Entry(
                position=position,
                status=BOOKED if sign else INFORMATION,
                amount=amount,
                currency=self.currency,
                booking_date=self.group.day,
                value_date=_value_date(record) or self.group.day,
                servicer_reference=record.field(index),
                customer_reference=record.field(index + 1),
                code=TransactionCode(proprietary=code, issuer="BAI2"),
                details=(Detail(remittance=(words,) if words else ()),),
                place=f"line {record.line}",
            )
        )

    def finish(self):
        """Return the Statement."""
        for code, sign in TOTALS.items():
            declared = self.totals.get(code)
            if declared and self.tally.count and abs(declared) != abs(self.credits[sign]):
                what = "sum of credits" if sign > 0 else "sum of debits"
                self.tally.find(
                    "declared", declared=declared, what=what, found=abs(self.credits[sign])
                )
        return self.tally.close(
            Statement(
                account=values.account(self.number, self.currency),
                format="bai2",
                version="2",
                kind=self.group.kind,
                start=self.group.day,
                end=self.group.day,
                balances=tuple(self.balances),
            )
        )


def _sign(record, code):
    """Return 1 for a credit, -1 for a debit, 0 for what is not money."""
    if code == NOT_MONEY:
        return 0
    number = int(code) if code.isdecimal() and len(code) == 3 else 0
    if 100 <= number < 400 or 920 <= number < 960:
        return 1
    if 400 <= number < 700 or 960 <= number < 1000:
        return -1
    raise record.error(
        "value", "Nobody can say whether this type code is a credit or a debit", code
    )


def _behind_funds(record, index):
    """Return the index behind the funds type at ``index`` and behind what belongs to it."""
    kind, start = record.field(index).upper(), index + 1
    if kind == "S":
        return start + 3
    if kind == "V":
        return start + 2
    if kind == "D":
        count = record.field(start)
        if not (count.isdecimal() and int(count) <= 100):
            raise record.error("value", "This is no number of availability amounts", count)
        return start + 1 + 2 * int(count)
    if kind not in ("", "Z", "0", "1", "2"):
        raise record.error("value", "This is no funds type", kind)
    return start


def _value_date(record):
    """Return the value date of a transaction with funds type V."""
    if record.field(2).upper() != "V":
        return None
    day = values.short_day(record.field(3))
    if day is None:
        raise record.error("date", "This is no value date", record.field(3))
    return day
