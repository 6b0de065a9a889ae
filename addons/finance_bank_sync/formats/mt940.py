"""SWIFT MT940 (customer statement) and MT942 (interim report), several messages in a file.

Headers of SWIFT blocks and of banks' own envelopes around the messages are passed over. A message
ends with ``-``, with the next ``:20:`` or with the file; an MT940 without its closing balance was
cut off and is refused, while an MT942 has nothing that must stand at its end.

Source of the contract: SWIFT Standards MT, Category 9, MT 940 and MT 942.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from ..canonical.statement import (
    BOOKED,
    CLOSING,
    CLOSING_AVAILABLE,
    FORWARD_AVAILABLE,
    OPENING,
    PART,
    PENDING,
    REPORT,
    STATEMENT,
    Balance,
    Entry,
    Statement,
    TransactionCode,
)
from . import narrative, values
from .errors import FormatError
from .tally import Tally

TAG = re.compile(r":(\d{2}[A-Z]?|NS):(.*)", re.DOTALL)  # NS: a Polish bank's own words
LIKE_TAG = re.compile(r":[0-9A-Z]{2,3}:")
START = re.compile(r"(?:\{4:)?\s*(:20:.*)", re.DOTALL)
END = re.compile(r"-(?:\}.*|XXX|\s*)")

# Field 60a, 62a, 64, 65: mark, date, currency, amount.
BALANCE = re.compile(r"(C|D)(\d{6})([A-Z]{3})([\d,.]+)\s*")
BALANCES = {
    "60F": (OPENING, ""),
    "60M": (OPENING, PART),
    "62F": (CLOSING, ""),
    "62M": (CLOSING, PART),
    "64": (CLOSING_AVAILABLE, ""),
    "65": (FORWARD_AVAILABLE, ""),
}
# Field 61: value date, entry date, mark, third letter of the currency, amount, type, references.
LINE = re.compile(
    r"(?P<value>\d{6})(?P<entry>\d{4})?(?P<mark>R[CD]|E[CD]|[CD])(?P<funds>[A-Z])?"
    r"(?P<amount>[\d,.]+)(?:(?P<type>[NFS][A-Z0-9]{3})(?P<references>.*))?"
)
MARKS = {  # sign, reversal, status
    "C": (1, False, BOOKED),
    "D": (-1, False, BOOKED),
    "RC": (-1, True, BOOKED),
    "RD": (1, True, BOOKED),
    "EC": (1, False, PENDING),
    "ED": (-1, False, PENDING),
}
# In the supplement of field 61 or in field 86: what was ordered in another currency, and the rate.
ORIGINAL = re.compile(r"/OCMT/([A-Z]{3})(\d{1,15}(?:,\d{0,3})?)(?!\d)", re.ASCII)
RATE = re.compile(r"/EXCH/(\d{1,9}(?:[,.]\d{0,9})?)(?!\d)", re.ASCII)
TOTAL = re.compile(r"(\d{1,5})([A-Z]{3})(\d[\d,.]*)\s*")
LIMIT = re.compile(r"([A-Z]{3})[CD]?\d[\d,.]*\s*")
INTERIM_TAGS = {"34F", "13D", "13", "90D", "90C"}
KNOWN_TAGS = {"20", "21", "25", "25P", "28", "28C", "61", "86", "NS", *BALANCES, *INTERIM_TAGS}
NO_REFERENCE = {"NONREF", "NOTPROVIDED", "KREF+"}
MAX_FIELD_LINES = 1000


@dataclass
class _Field:
    line: int
    tag: str
    lines: list = field(default_factory=list)

    @property
    def text(self):
        return "".join(self.lines).strip()

    def error(self, code, what, **more):
        return FormatError(
            code, what, line=self.line, element=f":{self.tag}:", value=self.text, **more
        )


def parse(file, encoding=None):
    """Yield each `Entry` of a statement and after them its `Statement`, from a binary file.

    encoding: of the file; found out when None. Raises FormatError.
    """
    message, count, encoding = None, 0, encoding or values.encoding_of(file)
    for item in _fields(values.lines(file, encoding)):
        if message and (item is None or item.tag == "20"):
            yield from message.finish(ended=item is None)
            message = None
        if item is None:
            continue
        if item.tag == "20":
            message = _Message(item, encoding)
            count += 1
        elif message:
            yield from message.take(item)
    if message:
        yield from message.finish(ended=False)
    if not count:
        raise FormatError("unknown", "The file has no MT940 or MT942 message")


def _fields(lines):
    """Yield each field, and None at the end of each message."""
    current = None
    for number, line in lines:
        if current is None:
            # between messages: headers of all kinds until the first field
            found = START.search(line) if ":20:" in line else None
            if found:
                current = _Field(number, "20", [found[1][4:]])
            elif LIKE_TAG.match(line):
                raise FormatError(
                    "syntax", "A field stands outside of a message", line=number, value=line
                )
            continue
        if found := TAG.fullmatch(line):
            yield current
            current = _Field(number, found[1], [found[2]])
        elif END.fullmatch(line):
            yield current
            yield None
            current = None
        elif LIKE_TAG.match(line):
            raise FormatError("value", "This is no tag of MT940 or MT942", line=number, value=line)
        else:
            current.lines.append(line)
            if len(current.lines) > MAX_FIELD_LINES:
                raise current.error("size", f"A field has more than {MAX_FIELD_LINES} lines")
    if current:
        yield current


class _Message:
    """One message while its fields go by."""

    def __init__(self, first, encoding):
        self.line = first.line
        self.id = first.text
        self.tally = Tally()
        self.balances = []
        self.values = {}
        self.currency = ""
        self.interim = False
        self.closed = False
        self.pending = None  # a field 61 that waits for its field 86
        self.totals = []
        self.information = []
        if encoding != "utf-8-sig":
            self.tally.find("encoding", encoding=encoding)

    def take(self, item):
        """Yield the entry that ``item`` completes, if any."""
        if item.tag not in KNOWN_TAGS:
            raise item.error("value", "This tag is not part of MT940 or MT942")
        if item.tag == "86":
            yield from self._narrative(item)
            return
        if item.tag == "NS":
            self.information += item.lines
            return
        yield from self._flush(())
        if item.tag == "61":
            if self.closed:
                raise item.error("syntax", "An entry stands behind the closing balance")
            self.pending = item
        elif item.tag in BALANCES:
            self._balance(item)
        elif item.tag == "34F":
            self._limit(item)
        elif item.tag in ("90D", "90C"):
            self.totals.append(item)
        else:
            self.values[item.tag] = item
        self.interim = self.interim or item.tag in INTERIM_TAGS

    def _narrative(self, item):
        if self.pending:
            yield from self._flush(item.lines)
        else:
            self.information += item.lines

    def _flush(self, lines):
        if self.pending:
            item, self.pending = self.pending, None
            yield self.tally.add(self._entry(item, lines))

    # === BALANCES === #

    def _balance(self, item):
        found = BALANCE.fullmatch(item.text)
        if not found:
            raise item.error("value", "This is no balance")
        kind, subtype = BALANCES[item.tag]
        self._same_currency(item, found[3])
        amount = _amount(item, found[4])
        self.balances.append(
            Balance(
                type=kind,
                amount=amount if found[1] == "C" else -amount,
                currency=found[3],
                day=_day(item, found[2]),
                subtype=subtype,
            )
        )
        self.closed = self.closed or kind == CLOSING

    def _limit(self, item):
        found = LIMIT.fullmatch(item.text)
        if not found:
            raise item.error("value", "This is no floor limit")
        self._same_currency(item, found[1])

    def _same_currency(self, item, currency):
        if self.currency and currency != self.currency:
            raise item.error("currency", f"The statement is in {self.currency} before this")
        self.currency = currency

    # === ENTRIES === #

    def _entry(self, item, lines):
        found = LINE.fullmatch(item.lines[0].rstrip())
        if not found:
            raise item.error("value", "This is no statement line")
        if not self.currency:
            raise item.error("missing", "No opening balance or floor limit tells the currency")
        sign, reversal, status = MARKS[found["mark"]]
        value = _day(item, found["value"])
        amount = sign * _amount(item, found["amount"])
        customer, _, servicer = (found["references"] or "").partition("//")
        told = narrative.read(lines)
        supplement = " ".join(filter(None, (line.strip() for line in item.lines[1:])))
        return Entry(
            position=self.tally.count + 1,
            status=status,
            amount=amount,
            currency=self.currency,
            booking_date=_entry_day(item, found["entry"], value),
            value_date=value,
            **self._original(f"{supplement} {''.join(lines)}", amount),
            servicer_reference=_reference(servicer),
            customer_reference=_reference(customer),
            code=_code(found["type"] or "", told.code),
            reversal=reversal,
            information=supplement or told.text,
            details=(narrative.detail(told, (amount > 0) != reversal),),
            place=f"line {item.line}",
        )

    def _original(self, text, amount):
        """Return the original amount, currency and rate that ``text`` tells, {} for none."""
        found, rate = ORIGINAL.search(text), RATE.search(text)
        if not found or found[1] == self.currency:
            return {}
        original = Decimal(found[2].replace(",", "."))
        return {
            "original_amount": original.copy_sign(amount),
            "original_currency": found[1],
            "rate": Decimal(rate[1].replace(",", ".")) if rate else None,
        }

    # === THE END === #

    def finish(self, ended):
        """Yield what is left and the statement. ended: the message has its end mark."""
        yield from self._flush(())
        identification = self.values.get("25") or self.values.get("25P")
        if not identification or not identification.text:
            raise FormatError(
                "account", "The message names no account", line=self.line, element=":25:"
            )
        if not self.closed and not self.interim:
            raise FormatError(
                "truncated", "The closing balance is missing", line=self.line, element=":62F:"
            )
        if self.closed and not any(balance.type == OPENING for balance in self.balances):
            raise FormatError(
                "missing", "The opening balance is missing", line=self.line, element=":60F:"
            )
        if not self.closed and not ended and not self.totals:
            self.tally.find("unfinished")
        self._declared()
        number, _, page = self._number().partition("/")
        days = [balance.day for balance in self.balances if balance.type in (OPENING, CLOSING)]
        account = values.account(identification.lines[0], self.currency)
        yield self.tally.close(
            Statement(
                account=account,
                format="mt940" if self.closed else "mt942",
                kind=STATEMENT if self.closed else REPORT,
                id=self.id,
                number=number,
                page=page,
                start=days[0] if days else None,
                end=days[-1] if days else None,
                created=self._created(),
                balances=tuple(self.balances),
                information="\n".join(self.information).strip(),
            )
        )

    def _number(self):
        item = self.values.get("28C") or self.values.get("28")
        return item.text if item else ""

    def _created(self):
        """Return the moment of field 13D (YYMMDDhhmm±hhmm) or 13 (YYMMDDhhmm)."""
        item = self.values.get("13D") or self.values.get("13")
        if not item:
            return None
        found = re.fullmatch(r"(\d{6})(\d\d)(\d\d)(?:([+-])(\d\d)(\d\d))?", item.text, re.ASCII)
        day = found and _day(item, found[1])
        if not found or int(found[2]) > 23 or int(found[3]) > 59:
            raise item.error("date", "This is no date and time")
        zone = None
        if found[4]:
            offset = timedelta(hours=int(found[5]), minutes=int(found[6]))
            if offset >= timedelta(days=1):
                raise item.error("date", "This is no date and time")
            zone = timezone(offset if found[4] == "+" else -offset)
        return datetime(day.year, day.month, day.day, int(found[2]), int(found[3]), tzinfo=zone)

    def _declared(self):
        """Compare fields 90D and 90C with the number of entries, all together."""
        counts = []
        for item in self.totals:
            found = TOTAL.fullmatch(item.text)
            if not found:
                raise item.error("value", "This is no number and sum of entries")
            counts.append(int(found[1]))
        if len(counts) == 2 and sum(counts) != self.tally.count:
            self.tally.find(
                "declared", declared=sum(counts), what="number of entries", found=self.tally.count
            )


def _amount(item, text):
    """Return the amount: a comma before the decimals, which some banks write as a point."""
    if text.count(",") + text.count(".") > 1:
        raise item.error("amount", "This is no amount")
    amount = values.decimal(text.replace(",", "."), line=item.line, element=f":{item.tag}:")
    return amount


def _day(item, text):
    day = values.short_day(text)
    if day is None:
        raise item.error("date", "This is no date")
    return day


def _entry_day(item, text, value):
    """Return the booking date MMDD in the year that puts it nearest to the value date."""
    if not text:
        return value
    days = []
    for year in (value.year - 1, value.year, value.year + 1):
        try:
            days.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:
            continue
    if not days:
        raise item.error("date", "The entry date is no date")
    return min(days, key=lambda day: abs(day - value))


def _reference(text):
    text = text.strip()
    return "" if text.upper() in NO_REFERENCE else text


def _code(swift, business):
    """Return the code of an entry: the bank's business code, else SWIFT's type."""
    if business:
        return TransactionCode(
            proprietary=f"{swift}+{business}" if swift else business, issuer="DK"
        )
    return TransactionCode(proprietary=swift, issuer="SWIFT" if swift else "")
