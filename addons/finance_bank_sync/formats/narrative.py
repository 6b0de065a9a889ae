"""Field 86 of MT940 and MT942: what banks write into six lines of 65 characters.

Three dialects, told apart by how the text begins:

- *numbered*: ``166?00GUTSCHRIFT?20EREF+…?30BIC?31IBAN?32NAME`` (Germany, Austria, Poland, Hungary,
  Czechia…; the sign before the two digits may be any of ``?~<>^|#``, with or without the three-digit
  code before it); SEPA fields ``EREF+``, ``SVWZ+``… inside 20–29 and 60–63. DK Anlage 3, SWIFT MT940.
- *slashed*: ``/EREF/…/REMI/…`` with or without empty parts between (Netherlands, Belgium, France,
  Nordics); inside ``CNTP``, ``BENM`` and ``ORDP`` the parts are account, BIC, name and city.
- *free*: everything else, kept line by line.

Lines of the first two are joined as they are, since they break in the middle of words.
"""

import re
from dataclasses import dataclass, field

from ..canonical.statement import BIC, CreditorReference, Detail, Party, is_iban

NUMBERED = re.compile(r"\s?(?P<code>\d{3})?(?P<sign>[?~<>^|#])(?=\d\d)")
SLASHED = re.compile(r"^(?:\d{3})?/(?P<word>[A-Z]{2,5})/")

# Fields inside the remittance text of the numbered dialect, "EREF+…" or "EREF: …".
SEPA_WORDS = "EREF KREF MREF CRED DEBT COAM OAMT SVWZ ABWA ABWE IBAN BIC PURP RTRN RREF".split()
SEPA = re.compile(rf"(?:^|[\n ])(?:({'|'.join(SEPA_WORDS)})(?:\+|: )|(MTLG):)")

SLASH_WORDS = (
    "ABWA ABWE ADDR ADRR BEN BENM BIC BO CD CHGS CNTP CODT CPRP CRED CREF CSID DEBT DT EREF EREFS EXCH "
    "FX IBAN ID INFO IREF ISDT MARF MREF NAME NM NO NRTX OCMT OO ORDP PREF PURP PY RCMT REMI RFB "
    "RREF RTRN SVCL SVWZ TA TRCD TRTP TXID ULTB ULTC ULTD UDTR UCRD OAMT COAM KREF REF"
).split()
SLASH = re.compile(rf"/({'|'.join(SLASH_WORDS)})/")
NOTHING = {"", "NOTPROVIDED", "NONREF"}


@dataclass
class Narrative:
    """What a field 86 says. code: business transaction code (GVC), text: posting text.

    fields: {word of `SLASH_WORDS` or `SEPA_WORDS`: text}; lines: free text.
    """

    code: str = ""
    text: str = ""
    fields: dict = field(default_factory=dict)
    lines: tuple = ()
    name: str = ""
    account: str = ""
    bic: str = ""


def read(lines) -> Narrative:
    """Return the Narrative of the lines of a field 86."""
    joined = "".join(lines)
    if found := NUMBERED.match(joined):
        return _numbered(joined[found.end() - 1 :], found["sign"], found["code"] or "")
    if SLASHED.match(joined):
        return _slashed(joined)
    return Narrative(lines=tuple(filter(None, (line.strip() for line in lines))))


def detail(narrative: Narrative, incoming: bool) -> Detail:
    """Return the Detail of a narrative. incoming: the other side is who pays."""
    fields = narrative.fields
    other = Party(name=narrative.name, account=narrative.account, bic=narrative.bic)
    ultimate_debtor = fields.get("ULTD") or fields.get("ABWA") or fields.get("UDTR", "")
    ultimate_creditor = fields.get("ULTC") or fields.get("ABWE") or fields.get("UCRD", "")
    return Detail(
        end_to_end_id=_id(fields.get("EREF") or fields.get("EREFS", "")),
        instruction_id=_id(fields.get("KREF") or fields.get("CREF") or fields.get("IREF", "")),
        payment_id=_id(fields.get("PREF", "")),
        transaction_id=_id(fields.get("TXID", "")),
        mandate=_id(fields.get("MREF") or fields.get("MARF", "")),
        creditor_id=fields.get("CRED") or fields.get("CSID", ""),
        references=_references(fields),
        remittance=narrative.lines,
        debtor=other if incoming else Party(),
        creditor=Party() if incoming else other,
        ultimate_debtor=Party(name=ultimate_debtor) if ultimate_debtor else Party(),
        ultimate_creditor=Party(name=ultimate_creditor) if ultimate_creditor else Party(),
        purpose=fields.get("PURP", ""),
        return_code=_return_code(fields.get("RTRN", "")),
        additional=narrative.text,
    )


def _id(text):
    return "" if text.upper() in NOTHING else text


def _return_code(text):
    return text.strip("/").split("/")[0]


def _references(fields):
    text = fields.get("STRD", "")
    return (CreditorReference(text, type="SCOR" if text.startswith("RF") else ""),) if text else ()


# === NUMBERED === #


def _numbered(joined, sign, code):
    parts = re.split(rf"{re.escape(sign)}(\d\d)", joined)
    found = {}
    for number, text in zip(parts[1::2], parts[2::2], strict=True):
        found.setdefault(number, []).append(text)
    remittance = [text for number in _text_numbers() for text in found.get(number, ())]
    fields, free = _sepa("\n".join(remittance))
    account = _first(found, "38") if is_iban(_compact(_first(found, "38"))) else _first(found, "31")
    return Narrative(
        code=code,
        text=_first(found, "00").strip(),
        fields=fields,
        lines=tuple(filter(None, (free,))),
        name=("".join((*found.get("32", ()), *found.get("33", ())))).strip(),
        account=_compact(account) or _compact(fields.get("IBAN", "")),
        bic=_compact(_first(found, "30")) or _compact(fields.get("BIC", "")),
    )


def _text_numbers():
    return [f"{number:02}" for number in (*range(20, 30), *range(60, 64))]


def _first(found, number):
    return found.get(number, [""])[0]


def _compact(text):
    return re.sub(r"\s", "", text).upper()


def _sepa(text):
    """Return ({word: text}, free text); lines of ``text`` are subfields, which break words."""
    start, *pieces = SEPA.split(text)
    fields = {}
    for word, message, piece in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
        fields.setdefault(word or message, piece.replace("\n", "").strip())
    free = (start.replace("\n", "").strip(), fields.get("SVWZ"), fields.get("MTLG"))
    return fields, " ".join(filter(None, free))


# === SLASHED === #


def _slashed(joined):
    pieces = SLASH.split(joined)
    narrative = Narrative(code=pieces[0].strip("/ "))
    fields = narrative.fields
    for word, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        text = piece.strip().strip("/").strip()
        if word in ("CNTP", "BENM", "ORDP", "BEN") and text:
            _other_side(narrative, text)
        fields.setdefault(word, text)
    narrative.name = narrative.name or fields.get("NAME") or fields.get("NM", "")
    narrative.account = narrative.account or _compact(fields.get("IBAN", ""))
    narrative.bic = narrative.bic or _compact(fields.get("BIC", ""))
    narrative.text = fields.get("TRTP", "")
    narrative.lines = _remittance(fields)
    return narrative


def _remittance(fields):
    text = fields.get("REMI") or fields.get("SVWZ") or fields.get("INFO", "")
    kind, _, rest = text.partition("/")
    if kind == "STRD":
        # STRD/CUR/reference or STRD/ISO/reference
        fields["STRD"] = rest.rpartition("/")[2].strip()
        return ()
    if kind == "USTD":
        text = rest.strip("/")
    return (text,) if text else ()


def _other_side(narrative, text):
    """Take the parts of a counterparty: account, BIC, name and more, in that order."""
    for part in (part.strip() for part in text.split("/")):
        compact = _compact(part)
        if not part:
            continue
        if not narrative.account and (is_iban(compact) or compact.isdecimal()):
            narrative.account = compact
        elif not narrative.bic and not narrative.name and BIC.fullmatch(part):
            narrative.bic = part
        elif not narrative.name:
            narrative.name = part
