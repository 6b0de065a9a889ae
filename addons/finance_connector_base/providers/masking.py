"""What may be shown of an exchange: personal and secret values are masked, structure stays.

Masking serves the eyes of people and full-text search. The original is kept sealed in the vault.
"""

import json
import re
from urllib.parse import parse_qsl

SHOWN_TAIL = 4
MASK = "••••"

# Field names, lower case without separators; a name ending in one of these is masked too.
SECRET_FIELDS = (
    "password", "passwd", "secret", "token", "apikey", "licensekey", "authorization", "privatekey",
    "accesskey", "signature", "signaturevalue", "assertion", "pin", "cvc", "cvv",
)  # fmt: skip
PERSONAL_FIELDS = (
    "iban", "accountnumber", "bban", "sortcode", "routingnumber", "vat", "vatnumber", "taxid",
    "taxnumber", "businessidentificationno", "exemptionno", "ssn", "email", "phone", "mobile",
    "firstname", "lastname", "fullname", "tradername", "line1", "line2", "line3", "street",
    "street2", "addressline1", "addressline2", "customername", "debtorname", "creditorname",
    "tostreet", "fromstreet",
    # as XML has them: VIES, ISO 20022
    "requestervatnumber", "traderstreet", "traderaddress", "nm", "adrline", "strtnm", "taxnb",
)  # fmt: skip
# Lists of personal values whose own fields have names that say nothing.
PERSONAL_LISTS = ("taxids",)

# name=value&name=value, as a browser sends it; names may have parts in brackets.
_FORM = re.compile(r"[^\s=&]+=[^\s=&]*(?:&[^\s=&]+=[^\s=&]*)*")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\d.])(?:\d[ -]?){12,18}\d(?!\d|\.\d)")
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_BEARER = re.compile(r"\b(Bearer|Basic|Token)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
# The text or CDATA after an opening tag, and an attribute: also of XML that is broken or cut short.
_ELEMENT = re.compile(
    r"(<(?:[\w.-]+:)?([\w.-]+)(?:\s[^<>]*)?>)(\s*)(<!\[CDATA\[.*?(?:\]\]>|\Z)|[^<]+)", re.DOTALL
)
_ATTRIBUTE = re.compile(r"""((?:[\w.-]+:)?([\w.-]+)\s*=\s*)(["'])(.*?)\3""", re.DOTALL)
_KEY = re.compile(r"\b(?:sk|pk|rk|whsec)_(?:test|live)?_?[A-Za-z0-9]{8,}\b")


def mask(value: str) -> str:
    """Return ``value`` with all but its last four characters hidden; short values wholly.

    >>> mask("DE89370400440532013000")
    '••••3000'
    """
    text = str(value)
    return MASK + (text[-SHOWN_TAIL:] if len(text) > 2 * SHOWN_TAIL else "")


def mask_text(text: str) -> str:
    """Return free text in which IBANs, card numbers, mail addresses and keys are masked."""
    text = _BEARER.sub(lambda match: f"{match[1]} {MASK}", text)
    text = _KEY.sub(MASK, text)
    text = _MAIL.sub(MASK, text)
    text = _IBAN.sub(lambda match: mask(match[0].replace(" ", "")), text)
    return _CARD.sub(lambda match: mask(match[0]) if _luhn(match[0]) else match[0], text)


def mask_json(value):
    """Return plain JSON values in which secret and personal fields and texts are masked."""
    if isinstance(value, dict):
        return {key: _field(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask_json(item) for item in value]
    return mask_text(value) if isinstance(value, str) else value


def mask_xml(text: str) -> str:
    """Return XML in which the text of secret and personal elements and attributes is masked.

    >>> mask_xml('<p:Party id="7"><p:IBAN>DE89370400440532013000</p:IBAN></p:Party>')
    '<p:Party id="7"><p:IBAN>••••3000</p:IBAN></p:Party>'
    """
    text = _ELEMENT.sub(lambda found: found[1] + found[3] + _leaf(found[2], found[4]), text)
    text = _ATTRIBUTE.sub(lambda f: f"{f[1]}{f[3]}{_leaf(f[2], f[4])}{f[3]}", text)
    return mask_text(text)


def mask_body(body: bytes, limit: int = 20_000) -> str:
    """Return a masked, readable text of a request or answer body, cut at ``limit`` characters."""
    if not body:
        return ""
    text = body.decode("utf-8", "replace")
    try:
        shown = json.dumps(mask_json(json.loads(text)), ensure_ascii=False, indent=1)
    except ValueError:
        shown = _mask_other(text)
    shown = shown.replace("\x00", "")
    return shown if len(shown) <= limit else f"{shown[:limit]}\n… ({len(shown) - limit} more)"


def _mask_other(text):
    if text.lstrip().startswith("<"):
        return mask_xml(text)
    return _mask_form(text) if _FORM.fullmatch(text) else mask_text(text)


def _mask_form(text):
    """Return the fields of a form, one a line; ``a[b][0]=c`` is a field b of a."""
    return "\n".join(
        f"{name} = {_form_value(name, value)}"
        for name, value in parse_qsl(text, keep_blank_values=True)
    )


def _form_value(name, value):
    *lists, field = [
        part for part in re.split(r"[\[\]]+", name) if not part.isdigit() and part
    ] or [name]
    personal = any(_plain(part) in PERSONAL_LISTS for part in lists)
    return mask(value) if personal and value else _field(field, value)


def without_secrets(text: str, secrets) -> str:
    """Return ``text`` with every one of ``secrets`` hidden, wherever it stands."""
    for secret in secrets:
        if len(secret) >= SHOWN_TAIL and secret in text:
            text = text.replace(secret, MASK)
    return text


def _field(name, value):
    if isinstance(value, list) and _plain(name) in PERSONAL_LISTS:
        return [_all_masked(item) for item in value]
    if isinstance(value, (dict, list)) or value in (None, "", True, False):
        return mask_json(value)
    masked = _leaf(name, value)
    return mask_json(value) if masked is value else masked


def _leaf(name, value):
    """Return what may be shown of the value of a field; the value itself where all of it may."""
    plain = _plain(name)
    if plain.endswith(SECRET_FIELDS):
        return MASK
    return mask(value) if plain in PERSONAL_FIELDS else value


def _all_masked(value):
    if not isinstance(value, dict):
        return mask(value)
    return {key: mask(item) if isinstance(item, str) else item for key, item in value.items()}


def _plain(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _luhn(text):
    digits = [int(c) for c in text if c.isdigit()][::-1]
    doubled = (d * 2 - 9 if d > 4 else d * 2 for d in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
