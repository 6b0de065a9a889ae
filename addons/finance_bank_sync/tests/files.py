"""The same bookings as every source tells them, for tests."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from xml.sax.saxutils import escape

from odoo.addons.finance_bank_sync.canonical.statement import (
    BOOKED,
    CLOSING,
    INFORMATION,
    OPENING,
    PENDING,
    REPORT,
    Account,
    Balance,
    Detail,
    Entry,
    Party,
    Statement,
)
from odoo.addons.finance_bank_sync.formats import ColumnMap

IBAN, SECOND_IBAN = "DE75512108001245126199", "FR1420041010050500013M02606"
PAYER = "GB29NWBK60161331926819"
DAY = date(2026, 3, 2)
COLUMNS = ColumnMap(
    columns={
        "date": "Date",
        "amount": "Amount",
        "currency": "Currency",
        "name": "Name",
        "party_account": "IBAN",
        "text": "Text",
    },
    order="YMD",
    mark=".",
    delimiter=";",
)


@dataclass(frozen=True)
class Booking:
    """What truly happened in the account; each source tells its part of it."""

    amount: str
    text: str = "Invoice INV/2026/00017"
    name: str = "Miller GmbH"
    account: str = PAYER
    end_to_end: str = "E2E-17"
    servicer: str = ""
    day: date = DAY
    value_day: date | None = None
    status: str = BOOKED
    unique_id: str = ""

    @property
    def value(self):
        return self.value_day or self.day


def total(bookings):
    """What the booked ones come to."""
    return sum((Decimal(one.amount) for one in bookings if one.status == BOOKED), Decimal(0))


def _days(bookings, start, end):
    days = [one.day for one in bookings] or [DAY]
    return start or min(days), end or max(days)


# === CAMT === #

ROOTS = {"052": ("BkToCstmrAcctRpt", "Rpt"), "053": ("BkToCstmrStmt", "Stmt")}


def camt(bookings, *, message="053", **options):
    """One statement in a camt file."""
    return camt_file(camt_statement(bookings, **options), message=message)


def camt_file(*bodies, message="053"):
    """A camt file of statements."""
    container, name = ROOTS[message]
    inside = "".join(f"<{name}>{body}</{name}>" for body in bodies)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{message}.001.08">'
        f"<{container}><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-03-02T18:00:00</CreDtTm></GrpHdr>"
        f"{inside}</{container}></Document>"
    ).encode()


def camt_statement(
    bookings, *, opening="100.00", closing=None, number="7", iban=IBAN, currency="USD",
    start=None, end=None, balances=True,
):  # fmt: skip
    """The inside of a statement that adds up, where no closing balance is given."""
    first, last = _days(bookings, start, end)
    closing = closing or Decimal(opening) + total(bookings)
    told = ""
    if balances:
        told = _camt_balance("OPBD", opening, currency, first)
        told += _camt_balance("CLBD", closing, currency, last)
    return (
        f"<Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>"
        "<CreDtTm>2026-03-02T18:00:00</CreDtTm>"
        f"<FrToDt><FrDtTm>{first}T00:00:00</FrDtTm><ToDtTm>{last}T23:59:59</ToDtTm></FrToDt>"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>{told}"
        + "".join(_camt_entry(one, currency) for one in bookings)
    )


def _camt_balance(code, amount, currency, day):
    amount = Decimal(amount)
    side = "CRDT" if amount >= 0 else "DBIT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{abs(amount)}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _camt_entry(one, currency):
    amount = Decimal(one.amount)
    side, party = ("CRDT", "Dbtr") if amount >= 0 else ("DBIT", "Cdtr")
    status = {BOOKED: "BOOK", PENDING: "PDNG"}.get(one.status, "INFO")
    reference = f"<AcctSvcrRef>{one.servicer}</AcctSvcrRef>" if one.servicer else ""
    account = f"<{party}Acct><Id><IBAN>{one.account}</IBAN></Id></{party}Acct>"
    return (
        f'<Ntry><Amt Ccy="{currency}">{abs(amount)}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        f"<Sts><Cd>{status}</Cd></Sts><BookgDt><Dt>{one.day}</Dt></BookgDt>"
        f"<ValDt><Dt>{one.value}</Dt></ValDt>{reference}"
        "<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd><NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>{one.end_to_end or 'NOTPROVIDED'}</EndToEndId></Refs>"
        f"<RltdPties><{party}><Pty><Nm>{escape(one.name)}</Nm></Pty></{party}>"
        f"{account if one.account else ''}</RltdPties>"
        f"<RmtInf><Ustrd>{escape(one.text)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )


# === MT940 === #


def mt940(bookings, *, opening="100.00", number="7", iban=IBAN, currency="USD", **_options):
    """One statement in structured SEPA dialect."""
    first, last = _days(bookings, None, None)
    lines = [
        ":20:STARTUMS",
        f":25:{iban}",
        f":28C:{number}/1",
        f":60F:{_swift(opening, currency, first)}",
    ]
    for one in bookings:
        amount = Decimal(one.amount)
        mark = "C" if amount >= 0 else "D"
        lines += [
            f":61:{one.value:%y%m%d}{one.day:%m%d}{mark}{_comma(abs(amount))}NTRFNONREF",
            f":86:166?00GUTSCHRIFT?20EREF+{one.end_to_end}?21SVWZ+{one.text[:20]}"
            f"?22{one.text[20:]}?31{one.account}?32{one.name}",
        ]
    lines += [f":62F:{_swift(Decimal(opening) + total(bookings), currency, last)}", "-"]
    return "\r\n".join(lines).encode()


def _swift(amount, currency, day):
    amount = Decimal(amount)
    return f"{'C' if amount >= 0 else 'D'}{day:%y%m%d}{currency}{_comma(abs(amount))}"


def _comma(amount):
    return f"{Decimal(amount):.2f}".replace(".", ",")


# === OTHERS === #


def csv(bookings, *, currency="USD", **_options):
    """A file for `COLUMNS`: no ids, no balances."""
    rows = ["Date;Amount;Currency;Name;IBAN;Text"]
    rows += [
        f"{one.day};{one.amount};{currency};{one.name};{one.account};{one.text}" for one in bookings
    ]
    return "\n".join(rows).encode()


def ofx(bookings, *, iban=IBAN, currency="USD", start=None, end=None, **_options):
    """OFX 1 with a promised id for each entry."""
    first, last = _days(bookings, start, end)
    entries = "".join(
        f"<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>{one.day:%Y%m%d}<TRNAMT>{one.amount}"
        f"<FITID>{one.unique_id or f'F{number}{one.amount}'}<NAME>{one.name[:32]}"
        f"<MEMO>{one.text}</STMTTRN>"
        for number, one in enumerate(bookings)
    )
    return (
        "OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nSECURITY:NONE\r\nENCODING:USASCII\r\n"
        "CHARSET:1252\r\nCOMPRESSION:NONE\r\nOLDFILEUID:NONE\r\nNEWFILEUID:NONE\r\n\r\n"
        "<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS>"
        "<DTSERVER>20260302<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1><BANKMSGSRSV1><STMTTRNRS>"
        "<TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS>"
        f"<CURDEF>{currency}<BANKACCTFROM><BANKID>1<ACCTID>{iban}<ACCTTYPE>CHECKING"
        f"</BANKACCTFROM><BANKTRANLIST><DTSTART>{first:%Y%m%d}<DTEND>{last:%Y%m%d}{entries}"
        "</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    ).encode()


def api(bookings, *, name="acmebank", prefix="t", currency="USD", iban=IBAN, start=None, end=None,
        created=datetime(2026, 3, 20, 9), balances=()):  # fmt: skip
    """What a provider gives: no end-to-end id, ids of its own."""
    entries = []
    for number, one in enumerate(bookings, start=1):
        amount = Decimal(one.amount)
        other = Party(name=one.name, account=one.account)
        detail = Detail(
            remittance=(one.text,),
            debtor=other if amount > 0 else Party(),
            creditor=other if amount < 0 else Party(),
        )
        entries.append(
            Entry(
                position=number,
                status=one.status,
                amount=amount,
                currency=currency,
                booking_date=one.day if one.status == BOOKED else None,
                value_date=one.value,
                unique_id=one.unique_id or f"{prefix}-{number}",
                details=(detail,),
            )
        )
    return Statement(
        account=Account(iban=iban, currency=currency),
        format=name,
        currency=currency,
        start=start,
        end=end,
        created=created,
        entries=tuple(entries),
        balances=tuple(balances),
    )


__all__ = [
    "BOOKED", "CLOSING", "COLUMNS", "DAY", "IBAN", "INFORMATION", "OPENING", "PAYER", "PENDING", "REPORT",
    "SECOND_IBAN", "Balance", "Booking", "api", "camt", "camt_file", "camt_statement", "csv",
    "mt940", "ofx", "total",
]  # fmt: skip
