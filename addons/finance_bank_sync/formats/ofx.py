"""OFX 1 (SGML) and OFX 2 (XML), also QFX: bank and credit card statements.

SGML leaves out the end tags of values and, where banks are careless, has empty values without any
end; what holds other elements is known from `AGGREGATES`. Both must reach ``</OFX>``: else the file
was cut off and is refused. OFX names the balance at the end only, so that nothing can be proved.

Source of the contract: OFX 1.6 and 2.3 specification, chapters 2, 3 and 11.
"""

import html
import re
from decimal import Decimal

from ..canonical.statement import (
    BOOKED,
    CLOSING,
    CLOSING_AVAILABLE,
    PENDING,
    Account,
    Balance,
    Detail,
    Entry,
    Party,
    Statement,
    TransactionCode,
    is_iban,
)
from . import values, xml
from .errors import FormatError
from .tally import Tally

AGGREGATES = set(
    "OFX SIGNONMSGSRSV1 SONRS STATUS FI BANKMSGSRSV1 STMTTRNRS STMTRS BANKACCTFROM BANKTRANLIST "
    "STMTTRN BANKTRANLISTP STMTTRNP LEDGERBAL AVAILBAL CREDITCARDMSGSRSV1 CCSTMTTRNRS CCSTMTRS "
    "CCACCTFROM CURRENCY ORIGCURRENCY PAYEE EXTDPAYEE BANKACCTTO CCACCTTO BALLIST BAL SIGNUPMSGSRSV1 "
    "ACCTINFOTRNRS ACCTINFORS ACCTINFO BANKACCTINFO CCACCTINFO IMAGEDATA CLOSINGAVAIL".split()
)
STATEMENTS = {"STMTRS", "CCSTMTRS"}
ENTRIES = {"STMTTRN": BOOKED, "STMTTRNP": PENDING}
FOREIGN = {"INVSTMTRS": "investment", "LOANSTMTRS": "loan"}
BALANCES = {"LEDGERBAL": CLOSING, "AVAILBAL": CLOSING_AVAILABLE}
CHARSETS = {"1252": "cp1252", "ISO-8859-1": "cp1252", "8859-1": "cp1252", "UTF-8": "utf-8"}
NUMBER = re.compile(r"[+-]?\d*(?:[.,]\d*)?", re.ASCII)
DATE = re.compile(r"(\d{8})(?:\d{2,6})?(?:[.:]\d*)?(?:\[.*\])?", re.ASCII)
TAG = re.compile(r"[A-Z0-9][A-Z0-9._]*")
CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
MAX_DEPTH = 50
CHUNK = 1 << 16


def parse(file):
    """Yield each `Entry` of a statement and after them its `Statement`, from a binary file.

    Raises FormatError.
    """
    head = file.read(CHUNK)
    file.seek(0)
    stack, count, state = [], 0, None
    for event, name, text, line in _events(file, head):
        if event == "open":
            if len(stack) >= MAX_DEPTH:
                raise FormatError("size", "Elements are nested too deeply", line=line)
            _known(name, line)
            stack.append((name, {}))
            if name in STATEMENTS:
                state = _State(line)
        elif event == "value":
            if stack:
                stack[-1][1].setdefault(name, text)
            if state and name == "CURDEF" and text:
                state.currency = values.currency(text, line=line, element=name)
        else:
            found = _close(stack, name, line)
            if name == "STATUS" and found.get("SEVERITY") == "ERROR":
                raise FormatError("value", "The bank reports an error instead of a statement", line=line,
                                  value=found.get("MESSAGE") or found.get("CODE"))  # fmt: skip
            if name in ENTRIES:
                if not state:
                    raise FormatError(
                        "syntax",
                        "A transaction stands outside of a statement",
                        line=line,
                        element=name,
                    )
                yield state.entry(name, found, line)
            elif state and name in STATEMENTS:
                yield state.finish(name, found)
                state, count = None, count + 1
            elif stack:
                # what an inner element says belongs to the outer one, under both names
                stack[-1][1].update({f"{name}.{key}": value for key, value in found.items()})
    if stack:
        raise FormatError("truncated", f"The element {stack[-1][0]} has no end")
    if not count:
        raise FormatError("empty", "The file has no bank or credit card statement")


def _known(name, line):
    if name in FOREIGN:
        raise FormatError(
            "unsupported", f"This is a statement of an {FOREIGN[name]} account", line=line
        )


def _close(stack, name, line):
    if not stack or stack[-1][0] != name:
        inside = stack[-1][0] if stack else "nothing"
        raise FormatError("syntax", f"{name} ends inside {inside}", line=line, element=name)
    return stack.pop()[1]


# === ONE STATEMENT === #


class _State:
    """One statement while its elements go by."""

    def __init__(self, line):
        self.line = line
        self.tally = Tally()
        self.currency = ""

    def entry(self, name, found, line):
        """Return the Entry of a transaction."""
        position = self.tally.count + 1
        where = {"line": line, "element": f"{name} {position}"}
        dated = "DTPOSTED" if name == "STMTTRN" else "DTTRAN"
        booked = _day(found.get(dated), where)
        if booked is None or not found.get("TRNAMT"):
            raise FormatError("missing", f"The transaction has no {dated} or no TRNAMT", **where)
        amount = _amount(found["TRNAMT"], **where)
        other = Party(
            name=found.get("NAME") or found.get("PAYEE.NAME", ""),
            account=found.get("BANKACCTTO.ACCTID") or found.get("CCACCTTO.ACCTID", ""),
            bank=found.get("BANKACCTTO.BANKID", ""),
            address=tuple(filter(None, (found.get(f"PAYEE.ADDR{n}") for n in (1, 2, 3)))),
            country=found.get("PAYEE.COUNTRY", ""),
        )
        memo = found.get("MEMO", "")
        code = found.get("TRNTYPE", "")
        return self.tally.add(
            Entry(
                position=position,
                status=ENTRIES[name],
                amount=amount,
                currency=self._currency(found, where),
                booking_date=booked,
                value_date=_day(found.get("DTAVAIL") or found.get("VALUEDATE"), where),
                **_original(found, where),
                unique_id=found.get("FITID", ""),
                reference=found.get("REFNUM", ""),
                servicer_reference=found.get("SRVRTID", ""),
                customer_reference=_cheque(found),
                code=TransactionCode(proprietary=code, issuer="OFX" if code else ""),
                corrects=found.get("CORRECTFITID", ""),
                removes=found.get("CORRECTACTION", "").upper() == "DELETE",
                details=(
                    Detail(
                        cheque=_cheque(found),
                        remittance=(memo,) if memo else (),
                        debtor=other if amount > 0 else Party(),
                        creditor=Party() if amount > 0 else other,
                    ),
                ),
                place=f"line {line}, {name} {position}" if line else f"{name} {position}",
            )
        )

    def _currency(self, found, where):
        """Return the currency of an amount: CURRENCY says that it is not that of the account."""
        stated, own = self.currency, found.get("CURRENCY.CURSYM", "")
        if own and stated and own != stated:
            raise FormatError(
                "currency", f"The account is in {stated}, the amount is not converted to it", value=own,
                **where,
            )  # fmt: skip
        return stated or (values.currency(own, **where) if own else "")

    def finish(self, name, found):
        """Return the Statement."""
        prefix = "CCACCTFROM" if name == "CCSTMTRS" else "BANKACCTFROM"
        number = found.get(f"{prefix}.ACCTID", "")
        where = {"line": self.line, "element": name}
        if not number:
            raise FormatError("account", "The statement names no account", **where)
        currency = self.currency or self.tally.currency
        compact = number.replace(" ", "").upper()
        iban = compact if is_iban(compact) else ""
        return self.tally.close(
            Statement(
                account=Account(
                    iban=iban,
                    number="" if iban else number,
                    scheme=found.get(f"{prefix}.ACCTTYPE", ""),
                    currency=currency,
                    bank=found.get(f"{prefix}.BANKID", ""),
                ),
                format="ofx",
                start=_day(found.get("BANKTRANLIST.DTSTART"), where),
                end=_day(found.get("BANKTRANLIST.DTEND"), where),
                balances=tuple(self._balances(found, currency, where)),
                information=found.get("MKTGINFO", ""),
            )
        )

    @staticmethod
    def _balances(found, currency, where):
        for name, kind in BALANCES.items():
            if text := found.get(f"{name}.BALAMT"):
                day = _day(found.get(f"{name}.DTASOF"), where)
                yield Balance(kind, _amount(text, **where), currency, day)


def _cheque(found):
    number = found.get("CHECKNUM", "")
    return "" if not number.strip("0") else number


def _original(found, where):
    """Return the original amount: ORIGCURRENCY says what it was converted from, and at which rate.

    CURRATE is the value of one unit of the original currency; the amount itself OFX doesn't tell.
    """
    symbol, rate = found.get("ORIGCURRENCY.CURSYM"), found.get("ORIGCURRENCY.CURRATE")
    if not symbol or not rate:
        return {}
    return {
        "original_currency": values.currency(symbol, **where),
        "rate": values.decimal(rate.replace(",", "."), **where),
    }


def _amount(text, **where) -> Decimal:
    if not NUMBER.fullmatch(text):
        raise FormatError("amount", "This is no amount", value=text, **where)
    return values.decimal(text.replace(",", "."), **where)


def _day(text, where):
    """Return the day of a date, None for none and for zeros, which some banks write instead."""
    if not (text or "").strip("0"):
        return None
    found = DATE.fullmatch(text)
    day = values.short_day(found[1]) if found else None
    if day is None:
        raise FormatError("date", "This is no date", value=text, **where)
    return day


# === ELEMENTS === #
# (event, name, text, line): "open" and "close" of what is in `AGGREGATES`, "value" of all others.


def _events(file, head):
    if b"OFXHEADER:" in head.replace(b"\0", b"") or not head.lstrip(
        b"\xef\xbb\xbf \r\n\t"
    ).startswith(b"<?"):
        return _sgml(file, head)
    return _xml(file)


def _xml(file):
    for event, element in xml.events(file):
        name = xml.name(element).upper()
        holds = name in AGGREGATES or name in FOREIGN
        if event == "start":
            if holds:
                yield "open", name, "", xml.line(element)
            continue
        if not holds:
            yield "value", name, (element.text or "").strip(), xml.line(element)
            continue
        yield "close", name, "", xml.line(element)
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _sgml(file, head):
    reader = values.text(file, _charset(file, head))
    pending, line = None, 1
    try:
        for tag, text, here in _tokens(reader):
            line = here
            if pending is not None:
                yield "value", pending, text if tag == "" else "", line
                pending = None
                if tag == "":
                    continue
            name = tag.lstrip("/").upper()
            if not tag or not TAG.fullmatch(name):
                if tag:
                    raise FormatError("syntax", "This is no tag", line=line, value=tag)
                continue
            holds = name in AGGREGATES or name in FOREIGN
            if holds:
                yield "close" if tag.startswith("/") else "open", name, "", line
            elif not tag.startswith("/"):
                pending = name
    except UnicodeError:
        raise FormatError("encoding", "The file is not in the encoding that it names") from None


def _tokens(reader):
    """Yield (tag, "", line) for each tag and ("", text, line) for each text that is not blank."""
    buffer, line, started = "", 1, False
    while chunk := reader.read(CHUNK):
        if "\0" in chunk:
            raise FormatError("encoding", "The file is no text: it has zero bytes", line=line)
        buffer, at = buffer + chunk, 0
        while (start := _tag_start(buffer, at)) >= 0 and (end := buffer.find(">", start)) >= 0:
            text, tag = _unescaped(buffer[at:start]), buffer[start + 1 : end].strip()
            if started and text:
                yield "", text, line
            line += buffer.count("\n", at, end)
            at = end + 1
            started = started or tag.upper() == "OFX"
            if started:
                yield tag, "", line
        buffer = buffer[at:]
        if len(buffer) > values.MAX_LINE:
            raise FormatError(
                "size", f"A value is longer than {values.MAX_LINE} characters", line=line
            )
    if buffer.strip() and started:
        raise FormatError("truncated", "The file ends inside a value", line=line)


def _tag_start(buffer, at):
    """Return where the next tag begins, behind CDATA sections; -1 where the buffer doesn't tell."""
    start = buffer.find("<", at)
    while start >= 0 and buffer.startswith("<![CDATA[", start):
        end = buffer.find("]]>", start)
        start = buffer.find("<", end) if end >= 0 else -1
    return start


def _unescaped(text):
    """Return a value without escapes; what stands in a CDATA section is left as it is."""
    parts = CDATA.split(text)
    parts[::2] = map(html.unescape, parts[::2])
    return "".join(parts).strip()


def _charset(file, head):
    if values.is_utf8(file):
        return "utf-8-sig"
    found = re.search(rb"CHARSET:\s*([\w-]+)", head)
    name = found[1].decode("ascii", "replace").upper() if found else "1252"
    return values.encoding_of(file, CHARSETS.get(name, "cp1252"))
