"""OFX: both syntaxes, careless banks, and what is refused."""

from datetime import date
from decimal import Decimal

import pytest
from bank_files import entry, statement, write_ofx

from odoo.addons.finance_bank_sync import formats
from odoo.addons.finance_bank_sync.canonical.statement import BOOKED, PENDING
from odoo.addons.finance_bank_sync.formats import FormatError

HEAD = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:USASCII\nCHARSET:1252\n\n"


def file(
    *transactions, currency="USD", more="", head=HEAD, account="<ACCTID>123", outer="", kind=""
):
    """Return an OFX 1 file; kind: CC for a credit card."""
    bank = f"{'CC' if kind else 'BANK'}ACCTFROM"
    return (
        f"{head}<OFX>{outer}<{'CREDITCARD' if kind else 'BANK'}MSGSRSV1><{kind}STMTTRNRS><TRNUID>1"
        f"<STATUS><CODE>0<SEVERITY>INFO</STATUS><{kind}STMTRS><CURDEF>{currency}<{bank}>{account}</{bank}>"
        f"<BANKTRANLIST><DTSTART>20260301<DTEND>20260331{''.join(transactions)}</BANKTRANLIST>{more}"
        f"</{kind}STMTRS></{kind}STMTTRNRS></{'CREDITCARD' if kind else 'BANK'}MSGSRSV1></OFX>\n"
    ).encode("cp1252")


def transaction(**values):
    told = {"TRNTYPE": "POS", "DTPOSTED": "20260302", "TRNAMT": "-1.00", "FITID": "F1"} | values
    return f"<STMTTRN>{''.join(f'<{name}>{value}' for name, value in told.items())}</STMTTRN>"


def read(*transactions, **more):
    (found,) = formats.load(file(*transactions, **more))
    return found


def refused(content):
    with pytest.raises(FormatError) as error:
        formats.summaries(content)
    return error.value


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("-6.60", "-6.60"), ("+5", "5"), ("7,25", "7.25"), (".5", "0.5"), ("0.00", "0.00")],
)
def test_amounts_are_signed(amount, expected):
    (found,) = read(transaction(TRNAMT=amount)).entries
    assert found.amount == Decimal(expected)


@pytest.mark.parametrize(
    "day",
    [
        "20260302",
        "20260302120000",
        "20260302235959.000[-5:EST]",
        "20260302093914:014",
        "20260302[0:GMT]",
    ],
)
def test_dates(day):
    (found,) = read(transaction(DTPOSTED=day, DTAVAIL="20260304")).entries
    assert (found.booking_date, found.value_date) == (date(2026, 3, 2), date(2026, 3, 4))


def test_all_that_a_transaction_says():
    more = "<LEDGERBAL><BALAMT>-5.00<DTASOF>20260331</LEDGERBAL><AVAILBAL><BALAMT>95<DTASOF>20260331</AVAILBAL>"
    found = read(
        transaction(
            FITID="F&amp;1",
            CHECKNUM="77",
            REFNUM="R1",
            SRVRTID="S1",
            MEMO="Caf\u00e9 &lt;x&gt;",
            PAYEE="<NAME>Shop<ADDR1>Main St<CITY>X<COUNTRY>US</PAYEE>",
            ORIGCURRENCY="<CURRATE>1.10<CURSYM>EUR</ORIGCURRENCY>",
        ),
        more=more,
    )
    (item,) = found.entries
    assert (item.unique_id, item.reference, item.servicer_reference, item.customer_reference) == (
        "F&1", "R1", "S1", "77",
    )  # fmt: skip
    assert (item.original_currency, item.rate, item.currency) == ("EUR", Decimal("1.10"), "USD")
    detail = item.details[0]
    assert (detail.text, detail.creditor.name, detail.creditor.country) == (
        "Café <x>",
        "Shop",
        "US",
    )
    assert [(b.type, str(b.amount)) for b in found.balances] == [("CLBD", "-5.00"), ("CLAV", "95")]
    assert (found.account.number, found.start, found.end) == (
        "123",
        date(2026, 3, 1),
        date(2026, 3, 31),
    )


def test_empty_values_without_ends_do_not_swallow_what_follows():
    (item,) = read(
        "<STMTTRN><TRNTYPE><DTPOSTED>20260302<TRNAMT>5<FITID><NAME><MEMO>x</STMTTRN>"
    ).entries
    assert (item.unique_id, item.text, item.code.proprietary) == ("", "x", "")


def test_character_data():
    (item,) = read(transaction(MEMO="<![CDATA[a < b & c]]>")).entries
    assert item.text == "a < b & c"


def test_pending_corrections_and_a_cheque_without_number():
    pending = (
        "<BANKTRANLISTP><STMTTRNP><DTTRAN>20260303<TRNAMT>-9<NAME>Shop</STMTTRNP></BANKTRANLISTP>"
    )
    found = read(
        transaction(CHECKNUM="0"),
        transaction(CORRECTFITID="F0", CORRECTACTION="DELETE"),
        more=pending,
    )
    assert [item.status for item in found.entries] == [BOOKED, BOOKED, PENDING]
    assert (found.entries[0].customer_reference, found.booked) == ("", Decimal("-2.00"))
    assert (found.entries[1].corrects, found.entries[1].removes) == ("F0", True)
    assert [finding.code for finding in found.findings] == ["correction"]


def test_credit_cards_and_several_accounts():
    content = (
        file(transaction(), kind="CC", account="<ACCTID>4111").decode().removesuffix("</OFX>\n")
    )
    bank = file(transaction(TRNAMT="3")).decode()
    content += bank[bank.index("<BANKMSGSRSV1>") :]
    found = formats.load(content.encode())
    assert [(s.account.number, [e.amount for e in s.entries]) for s in found] == [
        ("4111", [Decimal("-1.00")]),
        ("123", [Decimal(3)]),
    ]


def test_without_a_currency_the_entries_have_none():
    assert read(transaction(), currency="").currency == ""
    own = transaction(CURRENCY="<CURRATE>1<CURSYM>AUD</CURRENCY>")
    assert read(own, currency="").currency == "AUD"


def test_sgml_and_xml_say_the_same():
    found = statement([entry(1, "12.50", text="a & b"), entry(2, "-3.00")])
    sgml, xml = (formats.load(write_ofx(found, xml)) for xml in (False, True))
    strip = [[(e.amount, e.booking_date, e.text, e.unique_id) for e in s.entries] for s in sgml]
    assert strip == [
        [(e.amount, e.booking_date, e.text, e.unique_id) for e in s.entries] for s in xml
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (file(transaction())[:-30], "truncated"),
        (file(transaction())[:-3], "truncated"),
        (file(transaction(TRNAMT="1,234.56")), "amount"),
        (file(transaction(TRNAMT="")), "missing"),
        (file(transaction(TRNAMT="1e5")), "amount"),
        (file(transaction(DTPOSTED="")), "missing"),
        (file(transaction(DTPOSTED="00000000")), "missing"),
        (file(outer=transaction()), "syntax"),
        (file(transaction(DTPOSTED="2026-03-02")), "date"),
        (file(transaction(DTPOSTED="20260230")), "date"),
        (file(transaction(), currency="dollars"), "currency"),
        (file(transaction(CURRENCY="<CURRATE>1.1<CURSYM>EUR</CURRENCY>")), "currency"),
        (file(transaction(), account="<ACCTID>"), "account"),
        (file(transaction()).replace(b"</STMTTRN>", b""), "syntax"),
        (file(transaction()).replace(b"INFO</STATUS>", b"ERROR<MESSAGE>down</STATUS>"), "value"),
        (file(outer="<INVSTMTRS>"), "unsupported"),
        (file().replace(b"STMTRS", b"XXXTRS"), "empty"),
        (file(outer="<STATUS>" * 60), "size"),
        (file(transaction(MEMO="x" * (1 << 21))), "size"),
        (write_ofx(statement([entry(1, "1")]), xml=True)[:-9], "truncated"),
        (write_ofx(statement([entry(1, "1")]), xml=True).replace(
            b"<OFX>", b'<!DOCTYPE OFX [<!ENTITY a "b">]><OFX>'), "forbidden"),
    ],
)  # fmt: skip
def test_refused(content, code):
    assert refused(content).code == code
