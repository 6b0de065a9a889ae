"""ISO 20022 camt.052 (report), camt.053 (statement) and camt.054 (notification), all versions.

Elements are known by their local name, so that every version reads: what was renamed or moved from
one version to another stands in the paths below side by side. The file is read in one pass with
memory for one entry at a time. A document type, an entity, or XML that is not well-formed to its
last byte is refused.

Source of the contract: ISO 20022 message definitions, Bank-to-Customer Cash Management.
"""

from dataclasses import replace
from functools import cache

from ..canonical.statement import (
    BOOKED,
    INFORMATION,
    NOTIFICATION,
    PENDING,
    REPORT,
    STATEMENT,
    Account,
    Balance,
    Batch,
    Charge,
    CreditorReference,
    Detail,
    Document,
    Entry,
    Party,
    Statement,
    TransactionCode,
    is_iban,
)
from . import values, xml
from .errors import FormatError
from .tally import Tally

KINDS = {"Stmt": STATEMENT, "Rpt": REPORT, "Ntfctn": NOTIFICATION}
STATUS = {"BOOK": BOOKED, "PDNG": PENDING, "FUTR": PENDING, "INFO": INFORMATION}
SIGNS = {"CRDT": 1, "DBIT": -1}
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
NO_ID = {"NOTPROVIDED", "NONREF", "NOT PROVIDED"}
COPIES = {"DUPL": "duplicate", "CODU": "copy of a duplicate"}

EMPTY_PARTY = Party()
EMPTY_CODE = TransactionCode()


def parse(file):
    """Yield each `Entry` of a statement and after them its `Statement`, from a binary file.

    Raises FormatError for anything that can't be read right.
    """
    count, tally, done = 0, Tally(), None
    for element, name in _elements(file):
        outer = xml.name(element.getparent())
        if (name == "Ntry") != (outer in KINDS):
            what = "An entry stands outside of a statement, or a statement inside another one"
            raise _refused("syntax", what, xml.line(element), name)
        if name == "Ntry":
            # Not removed at once: the parser still holds the element whose end it reports.
            if done is not None:
                done.getparent().remove(done)
            done = element
            node = _plain(element)
            element.clear()
            yield tally.add(_Entry(node, KINDS[outer], xml.line(element), tally.count + 1).read())
            continue
        yield tally.close(_statement(element, KINDS[name], tally))
        element.clear()
        count, tally, done = count + 1, Tally(), None
    if not count:
        raise FormatError("unknown", "The XML file has no camt statement, report or notification")


def _refused(code, what, line, element, value=""):
    return FormatError(code, what, line=line, element=element, value=value)


def _elements(file):
    """Yield (element, local name) at the end of each entry and each statement."""
    for event, element in xml.events(file, tags=("Document", "Ntry", *KINDS)):
        name = xml.name(element)
        if event == "end" and name != "Document":
            yield element, name


# === PLAIN VALUES FROM ELEMENTS === #
# An element is a text when it has no children, else {local name: [children]}. An amount, the one
# thing with an attribute that matters, is (text, currency).


def _plain(element, skip=()):
    children = {}
    for child in element:
        name = xml.local(child.tag)
        if name in skip:
            continue
        if len(child):
            value = _plain(child)
        else:
            value = (child.text or "").strip()
            if child.attrib and "Ccy" in child.attrib:
                value = (value, child.attrib["Ccy"])
        if name in children:
            children[name].append(value)
        else:
            children[name] = [value]
    return children


def _all(node, *path):
    """Return all nodes at ``path``; what is missing on the way is none."""
    nodes = (node,)
    for name in path:
        nodes = [
            child
            for parent in nodes
            if type(parent) is dict and name in parent
            for child in parent[name]
        ]
        if not nodes:
            return ()
    return nodes


def _node(node, *path):
    """Return the first node at ``path``, {} for none."""
    for name in path:
        found = node.get(name) if type(node) is dict else None
        if found is None:
            return {}
        node = found[0]
    return node


def _text(node, *path):
    """Return the text at ``path``, "" for none."""
    for name in path:
        found = node.get(name) if type(node) is dict else None
        if found is None:
            return ""
        node = found[0]
    if type(node) is str:
        return node
    return node[0] if type(node) is tuple else ""


def _first(node, *paths):
    """Return the first text that is not empty at one of ``paths`` (names with dots between)."""
    for path in paths:
        if text := _text(node, *_names(path)):
            return text
    return ""


@cache
def _names(path):
    return path.split(".")


def _id(text):
    return "" if text.upper() in NO_ID else text


# === STATEMENT === #


def _statement(element, kind, tally):
    """Return the summary of a statement from what is left of its element, without entries."""
    node = _plain(element, skip={"Ntry"})
    line = xml.line(element)
    if mark := COPIES.get(_text(node, "CpyDplctInd")):
        tally.find("copy", mark=mark)
    declared = _text(node, "TxsSummry", "TtlNtries", "NbOfNtries")
    if declared.isdecimal() and declared.lstrip("0") != str(tally.count or ""):
        tally.find("declared", declared=declared, what="number of entries", found=tally.count)
    account = _account(_node(node, "Acct"))
    if not account.identifier:
        raise _refused("account", "The statement names no account", line, "Acct/Id")
    created = _text(node, "CreDtTm")
    return Statement(
        account=account,
        format="camt",
        version=_version(element),
        kind=kind,
        id=_text(node, "Id"),
        number=_text(node, "LglSeqNb"),
        sequence=_text(node, "ElctrncSeqNb"),
        page=_first(node, "StmtPgntn.PgNb", "RptPgntn.PgNb", "NtfctnPgntn.PgNb"),
        start=_day(node, line, "FrToDt.FrDtTm", "FrToDt.FrDt"),
        end=_day(node, line, "FrToDt.ToDtTm", "FrToDt.ToDt"),
        created=values.iso_moment(created),
        balances=tuple(_balance(balance, line) for balance in _all(node, "Bal")),
        information=_first(node, "AddtlStmtInf", "AddtlRptInf", "AddtlNtfctnInf"),
    )


def _version(element):
    """Return the last part of the namespace: camt.053.001.08, say."""
    return element.tag.rpartition("}")[0].rpartition(":")[2]


def _number(node):
    """Return the IBAN of an account, else whatever id it has."""
    return _first(node, "Id.IBAN", "Id.Othr.Id", "Id.PrtryAcct.Id", "Id.BBAN", "Id.UPIC")


def _account(node):
    iban = _text(node, "Id", "IBAN").replace(" ", "").upper()
    other = _node(node, "Id", "Othr") or _node(node, "Id", "PrtryAcct")
    number = _text(other, "Id") or _first(node, "Id.BBAN", "Id.UPIC")
    if not iban and is_iban(number.replace(" ", "").upper()):
        iban, number = number.replace(" ", "").upper(), ""
    scheme = _first(other, "SchmeNm.Cd", "SchmeNm.Prtry")
    bank = _node(node, "Svcr", "FinInstnId")
    return Account(
        iban=iban,
        number=number,
        scheme=scheme or ("BBAN" if _text(node, "Id", "BBAN") else ""),
        currency=_text(node, "Ccy"),
        name=_text(node, "Nm"),
        owner=_first(node, "Ownr.Nm", "Ownr.Pty.Nm"),
        bic=_bic(bank),
        bank=_bank_name(bank),
    )


def _bic(bank):
    return _first(bank, "BICFI", "BIC", "CmbndId.BIC")


def _bank_name(bank):
    return _first(bank, "Nm", "NmAndAdr.Nm", "CmbndId.Nm")


def _balance(node, line):
    amount, currency = _amount(node, ("Amt",), line, "Bal/Amt")
    subtype = _first(node, "Tp.SubTp.Cd", "Tp.SubTp.Prtry")
    lines = _all(node, "CdtLine", "Incl")
    return Balance(
        type=_first(node, "Tp.CdOrPrtry.Cd", "Tp.CdOrPrtry.Prtry", "Tp.Cd", "Tp.Prtry"),
        amount=_sign(node, line, "Bal/CdtDbtInd") * amount,
        currency=currency,
        day=_day(node, line, "Dt.Dt", "Dt.DtTm"),
        subtype=subtype,
        included=any(BOOLEANS.get(text, False) for text in lines) if lines else None,
    )


# === AMOUNTS, SIGNS AND DAYS === #


def _amount(node, path, line, element):
    found = _node(node, *path)
    if type(found) is not tuple:
        raise _refused("missing", "There is no amount with a currency", line, element)
    text, currency = found
    amount = values.decimal(text, line=line, element=element)
    if amount < 0:
        raise _refused(
            "amount", "An amount is negative beside its credit or debit mark", line, element, text
        )
    return amount, values.currency(currency, line=line, element=element)


def _sign(node, line, element):
    text = _text(node, "CdtDbtInd")
    if text not in SIGNS:
        raise _refused("value", "This is neither credit nor debit", line, element, text)
    return SIGNS[text]


def _day(node, line, *paths):
    text = _first(node, *paths)
    if not text:
        return None
    day = values.iso_day(text)
    if day is None:
        raise _refused("date", "This is no date", line, paths[0].replace(".", "/"), text)
    return day


# === ENTRY === #


class _Entry:
    """Reads one entry from its plain node."""

    def __init__(self, node, kind, line, position):
        self.node = node
        self.kind = kind
        self.line = line
        self.position = position
        self.place = f"Ntry {position}"

    def read(self):
        """Return the Entry."""
        node, line = self.node, self.line
        amount, currency = _amount(node, ("Amt",), line, f"{self.place}/Amt")
        self.currency = currency
        self.amount = _sign(node, line, f"{self.place}/CdtDbtInd") * amount
        status = self._status()
        booking = self._required_day(status)
        value = _day(node, line, "ValDt.Dt", "ValDt.DtTm")
        entry = Entry(
            position=self.position,
            status=status,
            amount=self.amount,
            currency=currency,
            booking_date=booking or (value if status == BOOKED else None),
            value_date=value,
            reference=_id(_text(node, "NtryRef")),
            servicer_reference=_id(_text(node, "AcctSvcrRef")),
            code=_code(_node(node, "BkTxCd")),
            reversal=self._reversal(),
            batch=self._batch(),
            charges=self._charges(node),
            information=_text(node, "AddtlNtryInf"),
            details=self._details(),
            place=f"line {line}, {self.place}" if line else self.place,
        )
        original = self._original(node) or self._only_original(entry)
        return replace(entry, **original) if original else entry

    def _status(self):
        text = _first(self.node, "Sts.Cd", "Sts.Prtry", "Sts")
        if not text and self.kind == STATEMENT:
            return BOOKED
        if text not in STATUS:
            raise _refused(
                "status",
                "The status of an entry is none that ISO 20022 knows",
                self.line,
                f"{self.place}/Sts",
                text,
            )
        return STATUS[text]

    def _required_day(self, status):
        day = _day(self.node, self.line, "BookgDt.Dt", "BookgDt.DtTm")
        if day is None and status == BOOKED and not _node(self.node, "ValDt"):
            raise _refused(
                "missing", "A booked entry has no date", self.line, f"{self.place}/BookgDt"
            )
        return day

    def _reversal(self):
        text = _text(self.node, "RvslInd")
        if text and text not in BOOLEANS:
            raise _refused(
                "value", "This is neither true nor false", self.line, f"{self.place}/RvslInd", text
            )
        return BOOLEANS.get(text, False)

    def _batch(self):
        node = _node(self.node, "NtryDtls", "Btch") or _node(self.node, "Btch")
        if not node:
            return None
        amount, currency = self._optional(node, "TtlAmt")
        sign = SIGNS.get(_text(node, "CdtDbtInd"), 1 if self.amount >= 0 else -1)
        count = _text(node, "NbOfTxs")
        return Batch(
            message=_text(node, "MsgId"),
            payment=_text(node, "PmtInfId"),
            count=int(count) if count.isdecimal() and len(count) < 16 else None,
            amount=None if amount is None else sign * amount,
            currency=currency,
        )

    def _optional(self, node, *path):
        """Return (amount, currency) at ``path``, (None, "") for none."""
        if not _node(node, *path):
            return None, ""
        return _amount(node, path, self.line, "/".join((self.place, *path)))

    def _charges(self, node):
        found = []
        for charges in _all(node, "Chrgs"):
            records = _all(charges, "Rcrd") or ([charges] if "Amt" in charges else [])
            for record in records:
                amount, currency = self._optional(record, "Amt")
                if amount is None:
                    continue
                found.append(
                    Charge(
                        amount=SIGNS.get(_text(record, "CdtDbtInd"), -1) * amount,
                        currency=currency,
                        included=BOOLEANS.get(_text(record, "ChrgInclInd")),
                        type=_first(record, "Tp.Cd", "Tp.Prtry.Id", "Tp.Prtry"),
                    )
                )
        return tuple(found)

    # === ANOTHER CURRENCY === #

    def _original(self, node):
        """Return the original amount, currency and rate, {} when all is in the entry's currency."""
        details = _node(node, "AmtDtls")
        for name in ("InstdAmt", "TxAmt", "CntrValAmt"):
            amount, currency = self._optional(details, name, "Amt")
            if amount and currency != self.currency:
                return self._exchanged(node, amount, currency, details)
        amount, currency = (None, "") if node is self.node else self._optional(node, "Amt")
        if amount and currency != self.currency:
            return self._exchanged(node, amount, currency, details)
        return {}

    def _exchanged(self, node, amount, currency, details):
        rates = (
            _text(details, name, "CcyXchg", "XchgRate")
            for name in ("InstdAmt", "TxAmt", "CntrValAmt", "AnncdPstngAmt")
        )
        rate = next(filter(None, rates), "")
        where = {"line": self.line, "element": f"{self.place}/XchgRate"}
        return {
            "original_amount": self._signed(node, amount),
            "original_currency": currency,
            "rate": values.decimal(rate, **where) if rate else None,
        }

    @staticmethod
    def _only_original(entry):
        """Return the original amount of the only detail."""
        if len(entry.details) != 1 or entry.details[0].original_amount is None:
            return {}
        names = ("original_amount", "original_currency", "rate")
        return {name: getattr(entry.details[0], name) for name in names}

    def _signed(self, node, amount):
        """Return ``amount`` with the sign of ``node``, of the entry where it has none."""
        sign = SIGNS.get(_text(node, "CdtDbtInd"), 1 if self.amount >= 0 else -1)
        return sign * amount

    # === DETAILS === #

    def _details(self):
        nodes = [*_all(self.node, "NtryDtls", "TxDtls"), *_all(self.node, "TxDtls")]
        return tuple(self._detail(node) for node in nodes if type(node) is dict)

    def _detail(self, node):
        refs = _node(node, "Refs")
        parties = _node(node, "RltdPties")
        agents = _node(node, "RltdAgts")
        returned = _node(node, "RtrInf")
        return Detail(
            amount=self._detail_amount(node),
            **self._original(node),
            end_to_end_id=_id(_text(refs, "EndToEndId")),
            message_id=_id(_text(refs, "MsgId")),
            payment_id=_id(_text(refs, "PmtInfId")),
            instruction_id=_id(_text(refs, "InstrId")),
            transaction_id=_id(_text(refs, "TxId") or _text(refs, "UETR")),
            servicer_reference=_id(_text(refs, "AcctSvcrRef")),
            mandate=_id(_text(refs, "MndtId")),
            creditor_id=_first(parties, "Cdtr.Id.PrvtId.Othr.Id", "Cdtr.Pty.Id.PrvtId.Othr.Id"),
            cheque=_text(refs, "ChqNb"),
            **self._remittance(_node(node, "RmtInf")),
            debtor=_party(parties, agents, "Dbtr"),
            creditor=_party(parties, agents, "Cdtr"),
            ultimate_debtor=_party(parties, {}, "UltmtDbtr"),
            ultimate_creditor=_party(parties, {}, "UltmtCdtr"),
            code=_code(_node(node, "BkTxCd")),
            purpose=_first(node, "Purp.Cd", "Purp.Prtry"),
            return_code=_first(returned, "Rsn.Cd", "Rsn.Prtry", "RtrRsn.Cd", "RtrRsn.Prtry"),
            return_text=" ".join(
                filter(None, (*_texts(returned, "AddtlInf"), *_texts(returned, "AddtlRtrRsnInf")))
            ),
            charges=self._charges(node),
            additional=_text(node, "AddtlTxInf"),
        )

    def _detail_amount(self, node):
        """Return the signed amount in the currency of the entry, None when there is none."""
        for path in (("Amt",), ("AmtDtls", "TxAmt", "Amt"), ("AmtDtls", "CntrValAmt", "Amt")):
            amount, currency = self._optional(node, *path)
            if amount is not None and currency == self.currency:
                return self._signed(node, amount)
        return None

    def _remittance(self, node):
        if not node:
            return {}
        lines = list(filter(None, _texts(node, "Ustrd")))
        references, documents = [], []
        for structured in _all(node, "Strd"):
            reference = _node(structured, "CdtrRefInf")
            if text := _first(reference, "Ref", "CdtrRef"):
                kind = _node(reference, "Tp") or _node(reference, "CdtrRefTp")
                references.append(
                    CreditorReference(
                        reference=text,
                        type=_first(kind, "CdOrPrtry.Cd", "CdOrPrtry.Prtry", "Cd", "Prtry"),
                        issuer=_text(kind, "Issr"),
                    )
                )
            documents += self._documents(structured)
            lines += filter(None, _texts(structured, "AddtlRmtInf"))
        return {
            "remittance": tuple(lines),
            "references": tuple(references),
            "documents": tuple(documents),
        }

    def _documents(self, structured):
        found = []
        infos = [info for info in _all(structured, "RfrdDocInf") if type(info) is dict]
        for info in infos:
            number = _first(info, "Nb", "RfrdDocNb")
            if not number:
                continue
            paths = ("RltdDt.Dt", "RltdDt.DtTm", "RltdDt")
            # the amounts belong to all documents of the block: to one only where it is alone
            amount, currency = self._document_amount(structured) if len(infos) == 1 else (None, "")
            found.append(
                Document(
                    number=number,
                    type=_first(info, "Tp.CdOrPrtry.Cd", "Tp.CdOrPrtry.Prtry", "Tp.Cd",
                                "RfrdDocTp.Cd", "RfrdDocTp.Prtry"),
                    day=_day(info, self.line, *paths) or _day(structured, self.line, "RfrdDocRltdDt"),
                    amount=amount,
                    currency=currency,
                )
            )  # fmt: skip
        return found

    def _document_amount(self, structured):
        amounts = _node(structured, "RfrdDocAmt")
        credit, currency = self._optional(amounts, "CdtNoteAmt")
        if credit is not None:
            return -credit, currency
        for name in ("RmtdAmt", "DuePyblAmt"):
            amount, currency = self._optional(amounts, name)
            if amount is not None:
                return amount, currency
        return None, ""


def _texts(node, name):
    return [child for child in _all(node, name) if type(child) is str]


def _party(parties, agents, role):
    """Return the party of ``role`` with its account and bank."""
    node = _node(parties, role)
    bank = _node(agents, f"{role}Agt", "FinInstnId")
    account = _node(parties, f"{role}Acct")
    if not node and not bank and not account:
        return EMPTY_PARTY
    person = _node(node, "Pty") or _node(node, "Agt", "FinInstnId") or node
    if type(person) is not dict:
        person = {}
    address = _node(person, "PstlAdr")
    return Party(
        name=_text(person, "Nm"),
        account="".join(_number(account).split()).upper(),
        bic=_bic(bank),
        bank=_bank_name(bank),
        address=_address(address),
        country=_text(address, "Ctry"),
        identification=_first(person, "Id.OrgId.Othr.Id", "Id.PrvtId.Othr.Id", "Id.OrgId.AnyBIC",
                              "Id.OrgId.BICOrBEI"),
    )  # fmt: skip


def _address(node):
    if not node:
        return ()
    street = " ".join(filter(None, (_text(node, "StrtNm"), _text(node, "BldgNb"))))
    town = " ".join(filter(None, (_text(node, "PstCd"), _text(node, "TwnNm"))))
    return tuple(filter(None, (*_texts(node, "AdrLine"), street, town)))


def _code(node):
    if not node:
        return EMPTY_CODE
    return TransactionCode(
        domain=_text(node, "Domn", "Cd"),
        family=_text(node, "Domn", "Fmly", "Cd"),
        subfamily=_text(node, "Domn", "Fmly", "SubFmlyCd"),
        proprietary=_text(node, "Prtry", "Cd"),
        issuer=_text(node, "Prtry", "Issr"),
    )
