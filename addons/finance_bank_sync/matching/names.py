"""Names and accounts of the other side, made comparable: equal or not, never similar."""

import re

from .references import fold

LEGAL = {
    "AB", "AG", "AS", "ASA", "BV", "BVBA", "CO", "CORP", "DOO", "EG", "EK", "EV", "GBR", "GMBH", "INC",
    "KFT", "KG", "LLC", "LLP", "LTD", "MBH", "NV", "OHG", "OY", "OYJ", "PLC", "PTY", "SA", "SARL", "SAS",
    "SE", "SL", "SP", "SPA", "SRL", "SRO", "UG", "ZOO",
}  # fmt: skip


def name_key(name: str) -> str:
    """Return the words of ``name``, folded and without blanks between, "" for nothing but a form.

    The legal form stays: "Alpha GmbH" and "Alpha AG" are two companies.

    >>> name_key("Müller & Söhne  G.m.b.H."), name_key("GmbH")
    ('MULLERSOHNEGMBH', '')
    """
    words = re.sub(r"[^A-Z0-9 ]", "", re.sub(r"[.'’]", "", fold(name)).replace("-", " ")).split()
    if all(word in LEGAL for word in words):
        return ""
    return "".join(words)


def account_key(account: str) -> str:
    """Return an account number in capitals without blanks and marks.

    >>> account_key("de02 1203 0000")
    'DE0212030000'
    """
    return re.sub(r"[^A-Z0-9]", "", account.upper())
