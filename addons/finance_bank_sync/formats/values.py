"""Amounts, dates, accounts and bytes, as all formats have them."""

import io
import re
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from ..canonical.statement import BIC, Account, is_iban
from .errors import FormatError

MAX_BYTES = 1 << 30  # of a file
MAX_LINE = 1 << 20  # characters of a line; the longest lines are OFX files without line ends
MAX_DIGITS = 18  # ISO 20022: totalDigits of an amount

AMOUNT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
CURRENCY = re.compile(r"[A-Z]{3}")

# Decimals of an amount in the smallest unit (ISO 4217); all others have two.
MINOR_UNITS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}


def decimal(text: str, **where) -> Decimal:
    """Return the amount that ``text`` is, with "." before the decimals. Raises FormatError."""
    if not AMOUNT.fullmatch(text) or len(text) > MAX_DIGITS and _too_long(text):
        raise FormatError("amount", "This is no amount", value=text, **where)
    return Decimal(text)


def _too_long(text):
    digits = sum(sign.isdigit() for sign in text.lstrip("+-0"))
    return digits > MAX_DIGITS or len(text) > 2 * MAX_DIGITS


def minor(text: str, currency: str, **where) -> Decimal:
    """Return the amount that ``text`` is in the smallest unit of ``currency`` (cents, say)."""
    if "." in text:
        raise FormatError(
            "amount", "An amount in the smallest unit has no point", value=text, **where
        )
    return decimal(text, **where).scaleb(-MINOR_UNITS.get(currency, 2))


def currency(text: str, **where) -> str:
    """Return ``text``, a currency code of three capital letters. Raises FormatError."""
    if not CURRENCY.fullmatch(text):
        raise FormatError("currency", "This is no currency code", value=text, **where)
    return text


@lru_cache(maxsize=4096)
def iso_day(text: str) -> date | None:
    """Return the day of an ISO 8601 date or time, as the bank wrote it; None when it is none."""
    try:
        return date.fromisoformat(text[:10]) if DAY.fullmatch(text) else None
    except ValueError:
        return None


DAY = re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:.]{5,32})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)


def iso_moment(text: str) -> datetime | None:
    """Return the time that ``text`` is in ISO 8601; None when it is none."""
    try:
        return datetime.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def short_day(text: str) -> date | None:
    """Return the day of YYMMDD or YYYYMMDD, None when it is none; years to 79 are of this century.

    >>> short_day("240229"), short_day("20231231"), short_day("230229")
    (datetime.date(2024, 2, 29), datetime.date(2023, 12, 31), None)
    """
    if not re.fullmatch(r"\d{6}|\d{8}", text, re.ASCII):
        return None
    if len(text) == 6:
        text = ("20" if text < "80" else "19") + text
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def account(text: str, currency: str = "") -> Account:
    """Return the account that ``text`` names: an IBAN, BIC/number, or any other number.

    >>> account("DE75 5121 0800 1245 1261 99").iban, account("BPHKPLPK/3200").bic
    ('DE75512108001245126199', 'BPHKPLPK')
    """
    text = text.strip()
    compact = re.sub(r"\s", "", text).upper()
    if is_iban(compact):
        return Account(iban=compact, currency=currency)
    if is_iban(compact[:-3]) and CURRENCY.fullmatch(compact[-3:]):
        return Account(iban=compact[:-3], currency=currency or compact[-3:])
    bank, slash, number = text.partition("/")
    if slash and BIC.fullmatch(bank):
        return Account(number=number.strip(), bic=bank, currency=currency)
    return Account(number=text, currency=currency)


# === BYTES === #


def opened(source) -> io.BufferedIOBase:
    """Return a binary file at its start from bytes or a seekable binary file.

    Raises FormatError for one that is empty or larger than `MAX_BYTES`.
    """
    file = io.BytesIO(source) if isinstance(source, (bytes, bytearray, memoryview)) else source
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if not size:
        raise FormatError("empty", "The file is empty")
    if size > MAX_BYTES:
        raise FormatError("size", f"The file is larger than {MAX_BYTES >> 20} MB", value=size)
    return file


def encoding_of(file, fallback="cp1252") -> str:
    """Return the encoding of a text file: by its mark, UTF-8 where it is valid, else ``fallback``.

    A file with nothing but ASCII is "utf-8-sig", which reads it. Raises FormatError for a file
    whose bytes are no text.
    """
    file.seek(0)
    head = file.read(4)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _readable(file, "utf-16")
    if is_utf8(file):
        return "utf-8-sig"
    return _readable(file, fallback if _reads(file, fallback) else "latin-1")


def is_utf8(file) -> bool:
    """Tell whether a file is valid UTF-8, with its mark or without."""
    return _reads(file, "utf-8-sig")


def _reads(file, encoding):
    reader = text(file, encoding)
    try:
        while reader.read(1 << 16):
            pass
    except UnicodeError:
        return False
    return True


def _readable(file, encoding):
    if not _reads(file, encoding):
        raise FormatError("encoding", f"The file is not valid {encoding} text")
    return encoding


class _Borrowed(io.BufferedIOBase):
    """A file that stays open when the reader on top of it goes away."""

    def __init__(self, file):
        self._file = file

    def readable(self):
        return True

    def read(self, size=-1):
        return self._file.read(size)

    read1 = read


def text(file, encoding) -> io.TextIOWrapper:
    """Return a reader of the text of a binary file from its start; the file stays open."""
    file.seek(0)
    return io.TextIOWrapper(_Borrowed(file), encoding, newline=None)


def lines(file, encoding):
    """Yield (number, line) of a text file, without line ends and control characters.

    Any of CR LF, LF and CR ends a line. Raises FormatError for a line longer than `MAX_LINE`, and
    for zero bytes, which no text has.
    """
    reader, number = text(file, encoding), 0
    try:
        while line := reader.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise FormatError(
                    "size", f"A line is longer than {MAX_LINE} characters", line=number
                )
            if "\0" in line:
                raise FormatError("encoding", "The file is no text: it has zero bytes", line=number)
            yield number, line.rstrip("\n").strip("\x01\x02\x03\x1a")
    except UnicodeError:
        raise FormatError("encoding", f"The file is not valid {encoding} text") from None
