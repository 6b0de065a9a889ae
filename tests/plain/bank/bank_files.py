"""Bank files for tests: small ones by hand, and canonical statements written in each format."""

import io
import re
import zipfile
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape

import openpyxl

from odoo.addons.finance_bank_sync.canonical.statement import (
    BOOKED,
    CLOSING,
    OPENING,
    Account,
    Balance,
    Detail,
    Entry,
    Party,
    Statement,
)
from odoo.addons.finance_bank_sync.formats import ColumnMap

IBAN = "DE75512108001245126199"
OTHER_IBAN = "FR1420041010050500013M02606"
COLUMNS = ColumnMap(
    columns={
        "date": "Date",
        "value_date": "Valuta",
        "amount": "Amount",
        "currency": "Currency",
        "name": "Name",
        "party_account": "IBAN",
        "text": "Text",
    },
    order="DMY",
    mark=",",
    delimiter=";",
)


def entry(position, amount, day=date(2026, 3, 2), value=None, text="Invoice 1", **more):
    """Return a canonical entry with one detail."""
    amount = Decimal(amount)
    other = Party(name=more.pop("name", "Other Ltd"), account=more.pop("account", ""))
    detail = Detail(
        end_to_end_id=more.pop("end_to_end_id", ""),
        remittance=(text,) if text else (),
        debtor=other if amount > 0 else Party(),
        creditor=Party() if amount > 0 else other,
    )
    return Entry(
        position=position,
        status=more.pop("status", BOOKED),
        amount=amount,
        currency=more.pop("currency", "EUR"),
        booking_date=day,
        value_date=value or day,
        details=(detail,),
        **more,
    )


def statement(entries, opening="100.00", iban=IBAN, currency="EUR", number="7"):
    """Return a canonical statement that balances."""
    entries = tuple(entries)
    days = sorted(item.booking_date for item in entries) or [date(2026, 3, 1)]
    opening = Decimal(opening)
    closing = opening + sum((e.amount for e in entries if e.status == BOOKED), Decimal(0))
    return Statement(
        account=Account(iban=iban, currency=currency),
        id=f"S{number}",
        number=number,
        currency=currency,
        start=days[0],
        end=days[-1],
        balances=(
            Balance(OPENING, opening, currency, days[0]),
            Balance(CLOSING, closing, currency, days[-1]),
        ),
        entries=entries,
    )


# === CAMT === #

ROOTS = {
    "052": ("BkToCstmrAcctRpt", "Rpt"),
    "053": ("BkToCstmrStmt", "Stmt"),
    "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}


def camt(*bodies, message="053", version="08", head="", root=""):
    """Return a camt file with the statements whose inside is in ``bodies``."""
    container, name = ROOTS[message]
    inside = "".join(f"<{name}>{body}</{name}>" for body in bodies)
    if version == "01":
        container += "V01"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{message}.001.{version}"{root}>'
        f"<{container}><GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-03-02T18:00:00+01:00</CreDtTm></GrpHdr>"
        f"{inside}</{container}></Document>"
    ).encode()


def camt_statement(*entries, balances=(), iban=IBAN, currency="EUR", more=""):
    """Return the inside of a statement. balances: (code, amount) pairs."""
    told = "".join(camt_balance(code, amount, currency) for code, amount in balances)
    return (
        f"<Id>S7</Id><ElctrncSeqNb>7</ElctrncSeqNb><CreDtTm>2026-03-02T18:00:00+01:00</CreDtTm>{more}"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>{told}{''.join(entries)}"
    )


def camt_balance(code, amount, currency="EUR", day="2026-03-02"):
    """Return a Bal element."""
    amount = Decimal(amount)
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{abs(amount)}</Amt><CdtDbtInd>{mark(amount)}</CdtDbtInd>'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def camt_entry(amount, currency="EUR", status="<Sts><Cd>BOOK</Cd></Sts>", inside="", details="",
               day="2026-03-02", value="2026-03-02", after=""):  # fmt: skip
    """Return an Ntry element. inside: before the transaction code, details: NtryDtls and more."""
    amount = Decimal(amount)
    return (
        f'<Ntry><Amt Ccy="{currency}">{abs(amount)}</Amt><CdtDbtInd>{mark(amount)}</CdtDbtInd>{inside}'
        f"{status}<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{value}</Dt></ValDt>{after}"
        f"<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd>{details}</Ntry>"
    )


def mark(amount):
    """Return the credit or debit mark."""
    return "DBIT" if amount < 0 else "CRDT"


def write_camt(found, version="08"):
    """Return a canonical statement as camt.053."""
    status = "<Sts><Cd>BOOK</Cd></Sts>" if version >= "07" else "<Sts>BOOK</Sts>"
    entries = [
        camt_entry(
            item.amount,
            item.currency,
            status=status,
            day=item.booking_date,
            value=item.value_date,
            details=_details(item, version),
        )
        for item in found.entries
    ]
    balances = [(balance.type, balance.amount) for balance in found.balances]
    return camt(
        camt_statement(
            *entries, balances=balances, iban=found.account.iban, currency=found.currency
        ),
        version=version,
    )


def _details(item, version):
    detail = item.details[0]
    other = item.counterparty(detail)
    role = "Dbtr" if item.amount > 0 else "Cdtr"
    name = f"<Nm>{escape(other.name)}</Nm>"
    name = f"<Pty>{name}</Pty>" if version >= "07" else name
    account = (
        f"<{role}Acct><Id><IBAN>{other.account}</IBAN></Id></{role}Acct>" if other.account else ""
    )
    ids = detail.end_to_end_id or "NOTPROVIDED"
    amount = f'<Amt Ccy="{item.currency}">{abs(item.amount)}</Amt><CdtDbtInd>{mark(item.amount)}</CdtDbtInd>'
    amount = amount if version != "02" else ""
    return (
        f"<NtryDtls><TxDtls><Refs><EndToEndId>{escape(ids)}</EndToEndId></Refs>{amount}"
        f"<RltdPties><{role}>{name}</{role}>{account}</RltdPties>"
        f"<RmtInf>{''.join(f'<Ustrd>{escape(line)}</Ustrd>' for line in detail.remittance)}</RmtInf>"
        "</TxDtls></NtryDtls>"
    )


# === THE OTHERS === #


def write_mt940(found):
    """Return a canonical statement as MT940 with SEPA fields."""
    lines = [":20:" + found.id, ":25:" + found.account.iban, f":28C:{found.number}/1"]
    lines.append(f":60F:{_mt_balance(found.balances[0])}")
    for item in found.entries:
        letter = "C" if item.amount > 0 else "D"
        lines.append(
            f":61:{item.value_date:%y%m%d}{item.booking_date:%m%d}{letter}"
            f"{_comma(abs(item.amount))}NTRFNONREF//B{item.position}"
        )
        detail = item.details[0]
        other = item.counterparty(detail)
        text = "166?00TRANSFER"
        fields = [f"EREF+{detail.end_to_end_id}"] if detail.end_to_end_id else []
        fields.append(f"SVWZ+{detail.text}")
        number = 20
        for content in fields:
            for start in range(0, len(content), 27):
                text += f"?{number}{content[start : start + 27]}"
                number = number + 1 if number != 29 else 60
        text += f"?31{other.account}?32{other.name[:27]}?33{other.name[27:]}"
        text = ":86:" + text
        lines += [text[start : start + 65] for start in range(0, len(text), 65)]
    lines += [f":62F:{_mt_balance(found.balances[1])}", "-", ""]
    return "\r\n".join(lines).encode()


def _mt_balance(balance):
    letter = "C" if balance.amount >= 0 else "D"
    return f"{letter}{balance.day:%y%m%d}{balance.currency}{_comma(abs(balance.amount))}"


def _comma(amount):
    return format(amount, "f").replace(".", ",")


def write_ofx(found, xml=False):
    """Return a canonical statement as OFX 1 (SGML), or OFX 2."""

    def value(name, text):
        text = escape(text)
        return f"<{name}>{text}</{name}>\n" if xml else f"<{name}>{text}\n"

    body = value("CURDEF", found.currency) + "<BANKACCTFROM>" + value("BANKID", "1")
    body += value("ACCTID", found.account.iban) + value("ACCTTYPE", "CHECKING") + "</BANKACCTFROM>"
    body += "<BANKTRANLIST>" + value("DTSTART", f"{found.start:%Y%m%d}")
    body += value("DTEND", f"{found.end:%Y%m%d}")
    for item in found.entries:
        detail = item.details[0]
        body += "<STMTTRN>" + value("TRNTYPE", "CREDIT" if item.amount > 0 else "DEBIT")
        body += value("DTPOSTED", f"{item.booking_date:%Y%m%d}120000[+1:CET]")
        body += value("DTAVAIL", f"{item.value_date:%Y%m%d}")
        body += value("TRNAMT", str(item.amount)) + value("FITID", f"F{item.position}")
        body += (
            value("NAME", item.counterparty(detail).name)
            + value("MEMO", detail.text)
            + "</STMTTRN>"
        )
    body += "</BANKTRANLIST><LEDGERBAL>" + value("BALAMT", str(found.balances[1].amount))
    body += value("DTASOF", f"{found.end:%Y%m%d}") + "</LEDGERBAL>"
    head = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:UTF-8\nCHARSET:NONE\n\n"
    if xml:
        head = '<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200" VERSION="211"?>\n'
    outer = ("OFX", "BANKMSGSRSV1", "STMTTRNRS", "STMTRS")
    opens, closes = (f"<{name}>" for name in outer), (f"</{name}>" for name in reversed(outer))
    return (head + "".join(opens) + body + "".join(closes)).encode()


def write_bai2(found):
    """Return a canonical statement of one day as BAI2."""
    cents = [int(balance.amount.scaleb(2)) for balance in found.balances]
    account = [f"03,{found.account.iban},{found.currency},010,{cents[0]},,,015,{cents[1]},,/"]
    for item in found.entries:
        code = "195" if item.amount > 0 else "495"
        amount = int(abs(item.amount).scaleb(2))
        cents.append(amount)
        account.append(f"16,{code},{amount},V,{item.value_date:%y%m%d},,B{item.position},,/")
        account.append(f"88,{item.details[0].text}")
    total = sum(cents)
    account.append(f"49,{total},{len(account) + 1}/")
    lines = [
        "01,BANK,ME,260302,1800,1,80,,2/",
        f"02,ME,BANK,1,{found.end:%y%m%d},1800,,2/",
        *account,
    ]
    lines += [f"98,{total},1,{len(account) + 2}/", f"99,{total},1,{len(account) + 4}/"]
    return "\n".join(lines).encode()


def write_qif(found):
    """Return a canonical statement as QIF, month first."""
    lines = ["!Account", "NMain", "TBank", "^", "!Type:Bank"]
    for item in found.entries:
        detail = item.details[0]
        lines += [f"D{item.booking_date:%m/%d/%Y}", f"T{item.amount:,}", f"M{detail.text}"]
        lines += [f"P{item.counterparty(detail).name}", "^"]
    return "\n".join(lines).encode()


def table(found):
    """Return heads and rows of a canonical statement as `COLUMNS` reads them, amounts as Decimal."""
    rows = [["Date", "Valuta", "Amount", "Currency", "Name", "IBAN", "Text"]]
    for item in found.entries:
        other = item.counterparty(item.details[0])
        rows.append([item.booking_date, item.value_date, item.amount, item.currency, other.name,
                     other.account, item.details[0].text])  # fmt: skip
    return rows


def write_csv(found):
    """Return a canonical statement as CSV for `COLUMNS`."""

    def cell(value):
        if isinstance(value, date):
            return f"{value:%d.%m.%Y}"
        if isinstance(value, Decimal):
            return f"{value:,}".translate(str.maketrans(",.", ".,"))
        return '"' + value.replace('"', '""') + '"'

    return "\n".join(";".join(cell(value) for value in row) for row in table(found)).encode()


def write_xlsx(rows):
    """Return rows of cells as an XLSX file."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return _undated(file)


def _undated(file):
    """Return a workbook without the time of writing: the same rows are always the same bytes."""
    undated = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(undated, "w") as target:
        for name in source.namelist():
            content = re.sub(
                rb"\d{4}-\d\d-\d\dT[\d:]{8}Z", b"2026-01-01T00:00:00Z", source.read(name)
            )
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return undated.getvalue()
