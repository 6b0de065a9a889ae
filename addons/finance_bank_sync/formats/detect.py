"""Which format is this file?"""

import re

from .errors import FormatError

HEAD = 1 << 16
# Openings of files that people choose by mistake: (bytes, what it is, what to do).
FOREIGN = (
    (b"%PDF", "a PDF", "Ask the bank for camt, MT940, OFX, BAI2 or CSV."),
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel file, or one with a password",
        "Save it as XLSX, without one.",
    ),
    (b"\x1f\x8b", "a packed file", "Unpack it and import what is inside."),
    (b"7z\xbc\xaf", "a packed file", "Unpack it and import what is inside."),
    (b"Rar!", "a packed file", "Unpack it and import what is inside."),
    (b"\x89PNG", "a picture", "Ask the bank for camt, MT940, OFX, BAI2 or CSV."),
)
# (format, pattern): the first that is found decides.
TEXTS = (
    ("ofx", re.compile(r"OFXHEADER|<\?OFX|<OFX>", re.IGNORECASE)),
    ("camt", re.compile(r"<(?:\w+:)?BkToCstmr(?:Stmt|AcctRpt|DbtCdtNtfctn)|camt\.05[234]\b")),
    ("qif", re.compile(r"^!(?:Type:|Account|Option:|Clear:)", re.IGNORECASE | re.MULTILINE)),
    ("mt940", re.compile(r":20:[^\n]{0,200}[\r\n]+(?::21:[^\n]{0,200}[\r\n]+)?:25P?:")),
    ("bai2", re.compile(r"\A01,[^,\n]*,[^,\n]*,\d{6},")),
)


def detect(file, table=False) -> str:
    """Return camt, mt940, ofx, bai2, qif, xlsx or csv for a binary file, from its first bytes.

    mt940 stands for MT942 too. table: what is nothing else is csv, or else only what looks like
    a table. Raises FormatError for all else.
    """
    file.seek(0)
    head = file.read(HEAD)
    file.seek(0)
    for opening, what, advice in FOREIGN:
        if head.startswith(opening):
            raise FormatError("unsupported", f"This is {what}", advice=advice)
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1", "replace")
    text = text.removeprefix("ï»¿").lstrip("\ufeff \r\n\t\x01")
    for name, pattern in TEXTS:
        if pattern.search(text):
            return name
    if text.startswith("<"):
        raise FormatError("unknown", "This XML file is no bank statement", value=text)
    lines = text.splitlines()[:40]
    if table or any(sum(sign in line for line in lines) > len(lines) / 2 for sign in ";,\t|"):
        return "csv"
    raise FormatError("unknown", "The format of the file is not known", value=text)
