"""How a file writes dates and amounts, where the format leaves that to the bank.

Nothing is guessed in silence: `Readings` collects in which ways all of a file's texts can be read;
where several ways are left that say different things, a person chooses.
"""

import re
from datetime import date
from decimal import Decimal, InvalidOperation

from .errors import FormatError
from .values import MAX_DIGITS

ORDERS = ("YMD", "DMY", "MDY")  # of day, month and year
MARKS = (".", ",")  # before the decimals

DAY = re.compile(
    r"(\d{1,4}|[A-Za-z]{3,9})[-./' ]{1,2}(\d{1,2}|[A-Za-z]{3,9})[-./', ]{1,2}(\d{1,4})"
    r"(?:[T ,]+\d{1,2}[:.]\d\d(?:[:.]\d\d(?:\.\d+)?)?(?: ?[AaPp][Mm])?(?:Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
COMPACT = re.compile(r"(\d{8})(?:T?\d{4,6})?", re.ASCII)
COMPACT_PARTS = {"YMD": (0, 4, 6, 8), "DMY": (0, 2, 4, 8), "MDY": (0, 2, 4, 8)}
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()

AMOUNT = re.compile(
    r"(?P<open>\()?(?P<sign>[+-])?(?P<number>\d[\d.,' ]*|[.,]\d+)(?P<after>-)?(?P<close>\))?",
    re.ASCII,
)
GROUPS = {
    # the thousands stand in full groups, all with the same sign between
    ".": re.compile(r"(?:\d+|\d{1,3}(?:([,' ])\d{3})(?:\1\d{3})*)(?:\.\d*)?|\.\d+", re.ASCII),
    ",": re.compile(r"(?:\d+|\d{1,3}(?:([.' ])\d{3})(?:\1\d{3})*)(?:,\d*)?|,\d+", re.ASCII),
}
BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "−": "-"})
SYMBOLS = re.compile(r"^(?:[A-Z]{3}|[€$£¥])\s?|\s?(?:[A-Z]{3}|[€$£¥])$")


def day(text: str, order: str) -> date:
    """Return the date that ``text`` is in one of `ORDERS`. Raises ValueError.

    A time behind it is passed over; months may be English words; years of two digits to 79 are of
    this century.

    >>> day("02/10'2020", "MDY"), day("5 Jan 2024 10:15", "DMY"), day("20240105", "YMD")
    (datetime.date(2020, 2, 10), datetime.date(2024, 1, 5), datetime.date(2024, 1, 5))
    """
    text = text.strip()
    if found := COMPACT.fullmatch(text):
        a, b, c, d = COMPACT_PARTS[order]
        parts = [found[1][a:b], found[1][b:c], found[1][c:d]]
    elif found := DAY.fullmatch(text):
        parts = list(found.groups())
    else:
        raise ValueError(text)
    named = dict(zip(order, parts, strict=True))
    if len(named["Y"]) not in (2, 4):
        raise ValueError(text)
    return date(_year(named["Y"]), _month(named["M"]), int(named["D"]))


def _year(text):
    return int(text) if len(text) == 4 else int(("20" if text < "80" else "19") + text)


def _month(text):
    return int(text) if text.isdigit() else MONTHS.index(text[:3].lower()) + 1


def amount(text: str, mark: str) -> Decimal:
    """Return the amount that ``text`` is with ``mark``, one of `MARKS`. Raises ValueError.

    Negative are a minus before or behind and brackets; thousands may be apart, currency symbols
    and codes are passed over.

    >>> amount("1.234,56-", ","), amount("(1,234.5)", "."), amount("EUR 12", ".")
    (Decimal('-1234.56'), Decimal('-1234.5'), Decimal('12'))
    """
    bare = SYMBOLS.sub("", text.translate(BLANKS).strip()).strip()
    sign, rest = (bare[:1], bare[1:].strip()) if bare[:1] in ("+", "-") else ("", bare)
    rest = sign + SYMBOLS.sub("", rest).strip()
    found = AMOUNT.fullmatch(rest) if len(rest) <= 3 * MAX_DIGITS else None
    if not found or bool(found["open"]) != bool(found["close"]):
        raise ValueError(text)
    number = found["number"].strip()
    if not GROUPS[mark].fullmatch(number) or sum(map(str.isdigit, number.lstrip("0"))) > MAX_DIGITS:
        raise ValueError(text)
    marks = [found["open"], found["sign"] == "-", found["after"]]
    if sum(map(bool, marks)) > 1:
        raise ValueError(text)
    plain = "".join(
        "." if sign == mark else sign for sign in number if sign.isdigit() or sign == mark
    )
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise ValueError(text) from None
    return -value if any(marks) else value


class Readings:
    """The ways in which all texts of one kind can be read.

    reader: function of (text, way) that raises ValueError. ways: all that may be.
    """

    def __init__(self, reader, ways):
        self._reader = reader
        self._said = dict.fromkeys(ways, 0)

    def see(self, text: str):
        """Keep the ways in which ``text`` can be read too. Raises ValueError where none is left."""
        said = {}
        for way, before in self._said.items():
            try:
                said[way] = hash((before, self._reader(text, way)))
            except ValueError:
                continue
        if not said:
            raise ValueError(text)
        self._said = said

    def ways(self) -> tuple[str, ...]:
        """Return one way for each different meaning, the first one for several of the same."""
        first = {}
        for way, said in self._said.items():
            first.setdefault(said, way)
        return tuple(first.values())


def chosen(readings: Readings, what: str) -> str:
    """Return the only way. Raises FormatError where a person has to choose."""
    ways = readings.ways()
    if len(ways) > 1:
        raise FormatError("ambiguous", f"The {what} of the file can be read as {' or '.join(ways)}")
    return ways[0]
