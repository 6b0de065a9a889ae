"""The cells of an XLSX file, read as they are stored: amounts never pass through binary floats.

Source of the contract: ECMA-376, SpreadsheetML.
"""

import re
import struct
import zipfile
import zlib
from datetime import date, timedelta
from decimal import Context, Decimal, InvalidOperation

from . import xml
from .errors import FormatError

MAX_UNPACKED = 256 << 20  # bytes of all parts together
MAX_STRINGS = 64 << 20  # bytes of the shared strings, which are kept in memory
MAX_PARTS = 2000
MAX_RATIO = 1000  # unpacked to packed; deflate can't pass 1,032
MAX_COLUMNS = 1000
DIGITS = Context(prec=15)  # as many as Excel shows; what is behind comes from binary arithmetic
DATE_FORMATS = {*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)}
NOT_CODE = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.')
# What the library raises on damaged archives.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError, ValueError,
)  # fmt: skip
EPOCHS = {False: date(1899, 12, 30), True: date(1904, 1, 1)}


def rows(file, sheet=""):
    """Yield (row number, cells) of a sheet, the first one for "".

    A cell is a str ("" when empty), an exact Decimal for a number or a date for a number shown as
    a date. Raises FormatError.
    """
    try:
        with zipfile.ZipFile(file) as package:
            _check(package)
            yield from _Book(package).rows(sheet)
    except DAMAGED as error:
        raise FormatError("syntax", "The file is a damaged XLSX file", value=error) from None
    except (KeyError, RuntimeError) as error:
        raise FormatError(
            "unsupported",
            "The file is no XLSX file, or has a password",
            value=error,
            advice="Unpack a packed file, take the password off, and import it again.",
        ) from None


def sheets(file) -> tuple[str, ...]:
    """Return the names of the sheets. Raises FormatError."""
    try:
        with zipfile.ZipFile(file) as package:
            _check(package)
            return tuple(_Book(package).sheets)
    except (*DAMAGED, KeyError, RuntimeError) as error:
        raise FormatError("syntax", "The file is a damaged XLSX file", value=error) from None


def _check(package):
    infos = package.infolist()
    unpacked = sum(info.file_size for info in infos)
    packed = sum(info.compress_size for info in infos) or 1
    if len(infos) > MAX_PARTS or unpacked > MAX_UNPACKED or unpacked / packed > MAX_RATIO:
        raise FormatError(
            "size", "The file unpacks to more than a statement can be", value=unpacked
        )


class _Book:
    def __init__(self, package):
        self.package = package
        self.sheets, self.epoch = {}, EPOCHS[False]
        targets = {
            element.get("Id"): element.get("Target", "")
            for element in self._elements("xl/_rels/workbook.xml.rels", "Relationship")
        }
        for element in self._elements("xl/workbook.xml", "sheet", "workbookPr"):
            if xml.name(element) == "workbookPr":
                self.epoch = EPOCHS[element.get("date1904") in ("1", "true")]
                continue
            link = next((v for k, v in element.attrib.items() if k.endswith("}id")), "")
            target = targets.get(link, "")
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            self.sheets[element.get("name", "")] = path
        if not self.sheets:
            raise FormatError("empty", "The file has no sheet")
        self.names = set(package.namelist())
        self.strings = self._strings()
        self.date_styles = self._date_styles()

    def _elements(self, path, *tags):
        with self.package.open(path) as part:
            for _event, element in xml.events(part, ("end",), tags):
                yield element
                element.clear()

    def _strings(self):
        path = "xl/sharedStrings.xml"
        if path not in self.names:
            return []
        if self.package.getinfo(path).file_size > MAX_STRINGS:
            raise FormatError("size", "The file has too much text")
        return [_text(element) for element in self._elements(path, "si")]

    def _date_styles(self):
        """Return the numbers of the cell styles that show a number as a date."""
        path, codes, styles = "xl/styles.xml", {}, []
        if path not in self.names:
            return set()
        with self.package.open(path) as part:
            for _event, element in xml.events(part, ("end",), ("numFmt", "xf")):
                if xml.name(element) == "numFmt":
                    codes[element.get("numFmtId")] = element.get("formatCode", "")
                elif xml.name(element.getparent()) == "cellXfs":
                    styles.append(element.get("numFmtId", "0"))
        return {str(index) for index, number in enumerate(styles) if _is_date(number, codes)}

    def rows(self, sheet):
        if sheet and sheet not in self.sheets:
            raise FormatError("missing", "The file has no sheet of this name", value=sheet)
        path = self.sheets[sheet or next(iter(self.sheets))]
        for count, element in enumerate(self._elements(path, "row"), start=1):
            number = element.get("r", "")
            line = int(number) if number.isdecimal() and len(number) < 9 else count
            yield line, self._cells(element, line)
            previous = element.getprevious()
            if previous is not None:
                element.getparent().remove(previous)

    def _cells(self, row, line):
        cells = []
        for cell in row:
            if xml.name(cell) != "c":
                continue
            index = _column(cell.get("r", ""), len(cells))
            if index >= MAX_COLUMNS:
                raise FormatError(
                    "size", f"The sheet has more than {MAX_COLUMNS} columns", line=line
                )
            cells += [""] * (index + 1 - len(cells))
            cells[index] = self._cell(cell, line)
        return cells

    def _cell(self, cell, line):
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return _text(cell)
        text = next((child.text or "" for child in cell if xml.name(child) == "v"), "")
        where = {"line": line, "element": cell.get("r", ""), "value": text}
        if kind == "s":
            if not text.isdecimal() or int(text) >= len(self.strings):
                raise FormatError("syntax", "The cell names a text that is not there", **where)
            return self.strings[int(text)]
        if kind == "e":
            raise FormatError("value", "The cell shows an error", **where)
        if kind != "n" or not text:
            return text
        try:
            number = DIGITS.create_decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number.adjusted()) > 30 and number:
            raise FormatError(
                "amount", "The cell has no number that is an amount or a date", **where
            )
        if cell.get("s", "0") in self.date_styles and 0 < number < 2_958_466:
            return self.epoch + timedelta(days=int(number))
        # not in scientific notation, as str would have it
        return Decimal(format(number, "f"))


def _column(reference, position):
    """Return the index of a cell: A1 is 0, and without a reference the next one."""
    letters = reference.rstrip("0123456789")
    if not letters:
        return position
    if not re.fullmatch(r"[A-Z]{1,3}", letters):
        raise FormatError("syntax", "This is no cell", element=reference)
    index = 0
    for letter in letters:
        index = 26 * index + ord(letter) - 64
    return index - 1


def _text(element):
    """Return the text of a string with or without formatting, without phonetic hints."""
    texts = (
        child.text or "" for child in element.iter("{*}t") if xml.name(child.getparent()) != "rPh"
    )
    return "".join(texts)


def _is_date(number, codes):
    if number in codes:
        return bool(re.search("[yd]", NOT_CODE.sub("", codes[number]), re.IGNORECASE))
    return number.isdecimal() and int(number) in DATE_FORMATS
