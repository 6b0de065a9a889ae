"""MT940 and MT942: fields, dialects of field 86, several messages, and what is refused."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from bank_files import IBAN

from odoo.addons.finance_bank_sync import formats
from odoo.addons.finance_bank_sync.canonical.statement import BOOKED, PART, PENDING, REPORT
from odoo.addons.finance_bank_sync.formats import FormatError, narrative


def message(*lines, opening="C260301EUR100,00", closing="C260302EUR110,00", account=IBAN, number="7/1",
            extra=()):  # fmt: skip
    head = [":20:REF1", f":25:{account}", f":28C:{number}", f":60F:{opening}"]
    return "\r\n".join([*head, *lines, f":62F:{closing}", *extra, "-", ""])


def read(*lines, **more):
    (found,) = formats.load(message(*lines, **more).encode())
    return found


def refused(file):
    with pytest.raises(FormatError) as error:
        formats.summaries(file.encode() if isinstance(file, str) else file)
    return error.value


# === FIELD 61 === #


@pytest.mark.parametrize(
    ("line", "amount", "reversal", "status"),
    [
        ("260302C10,NTRFNONREF", "10", False, BOOKED),
        ("2603020302CR10,00NTRFNONREF", "10.00", False, BOOKED),
        ("260302D0,5S103NONREF", "-0.5", False, BOOKED),
        ("260302RC3,10FMSCNONREF", "-3.10", True, BOOKED),
        ("260302RDR3,10NMSCNONREF", "3.10", True, BOOKED),
        ("260302EC4,N192NONREF", "4", False, PENDING),
        ("260302ED4,N192NONREF", "-4", False, PENDING),
        ("260302CN0,01NTRFNONREF", "0.01", False, BOOKED),
        ("260302C10.50NTRFNONREF", "10.50", False, BOOKED),
        ("260302D,50NTRFNONREF", "-0.50", False, BOOKED),
        ("260302D000000000000010,50NTRFNONREF", "-10.50", False, BOOKED),
    ],
)
def test_marks(line, amount, reversal, status):
    (entry,) = read(f":61:{line}").entries
    assert (str(entry.amount), entry.reversal, entry.status) == (amount, reversal, status)


def test_references_and_supplement():
    (entry,) = read(":61:260302C10,NTRFCUST 1//BANK-2", "/OCMT/USD11,50/").entries
    assert (entry.customer_reference, entry.servicer_reference) == ("CUST 1", "BANK-2")
    assert (entry.information, entry.code.proprietary, entry.code.issuer) == (
        "/OCMT/USD11,50/",
        "NTRF",
        "SWIFT",
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([":61:260302D10,NTRFNONREF", "/OCMT/USD11,50/"], ("-11.50", "USD", None)),
        (
            [":61:260302C10,NTRFNONREF", ":86:/OCMT/USD11,5//EXCH/1,15/REMI/x"],
            ("11.5", "USD", "1.15"),
        ),
        ([":61:260302C10,NTRFNONREF", "/OCMT/EUR10,/"], ("None", "", None)),
        ([":61:260302C10,NTRFNONREF", f"/OCMT/USD{'1' * 30}/"], ("None", "", None)),
    ],
)
def test_amount_in_another_currency(lines, expected):
    (entry,) = read(*lines).entries
    rate = entry.rate and str(entry.rate)
    assert (str(entry.original_amount), entry.original_currency, rate) == expected
    assert abs(entry.amount) == 10


@pytest.mark.parametrize(
    ("line", "booked", "value"),
    [
        ("260302", date(2026, 3, 2), date(2026, 3, 2)),
        ("2603020305", date(2026, 3, 5), date(2026, 3, 2)),
        ("2512310102", date(2026, 1, 2), date(2025, 12, 31)),
        ("2601021230", date(2025, 12, 30), date(2026, 1, 2)),
        ("2402290229", date(2024, 2, 29), date(2024, 2, 29)),
        ("991231", date(1999, 12, 31), date(1999, 12, 31)),
    ],
)
def test_entry_date_is_in_the_year_nearest_to_the_value_date(line, booked, value):
    (entry,) = read(f":61:{line}C1,NTRFNONREF").entries
    assert (entry.booking_date, entry.value_date) == (booked, value)


# === FIELD 86 === #


def detail_of(*lines, amount="C10,"):
    (entry,) = read(f":61:260302{amount}NTRFNONREF", f":86:{lines[0]}", *lines[1:]).entries
    return entry, entry.details[0]


@pytest.mark.parametrize("sign", "?~<>^|#")
@pytest.mark.parametrize("code", ["166", ""])
def test_numbered_with_sepa_fields(sign, code):
    text = (
        f"{code}?00TRANSFER?109999?20EREF+INV-2026-0001 AND?21 MORE?22MREF+M1?23CRED+DE98ZZZ09999999999"
        f"?24SVWZ+Invoice 4711 of 3 Fe?25bruary?30SOGEFRPPXXX?31FR1420041010050500013M02606"
        f"?32Other Company with a lon?33g name?34000?60 2026?61ABWA+Parent"
    ).replace("?", sign)
    lines = [text[start : start + 60] for start in range(0, len(text), 60)]
    entry, detail = detail_of(*lines)
    assert detail.end_to_end_id == "INV-2026-0001 AND MORE"
    assert (detail.mandate, detail.creditor_id) == ("M1", "DE98ZZZ09999999999")
    assert detail.text == "Invoice 4711 of 3 February 2026"
    payer = detail.debtor
    assert (payer.name, payer.account, payer.bic) == (
        "Other Company with a long name", "FR1420041010050500013M02606", "SOGEFRPPXXX",
    )  # fmt: skip
    assert (detail.ultimate_debtor.name, entry.information) == ("Parent", "TRANSFER")
    assert entry.code.proprietary == ("NTRF+166" if code else "NTRF")


def test_numbered_without_sepa_fields_and_with_an_iban_of_its_own_field():
    text = "020?00Transfer?20PAYMENT FOR GO?21ODS 12?3010600076?310000777?32SOMEBODY?38PL29114010810000267002001002"
    _entry, detail = detail_of(text, amount="D10,")
    assert (detail.text, detail.creditor.account) == (
        "PAYMENT FOR GOODS 12",
        "PL29114010810000267002001002",
    )


@pytest.mark.parametrize(
    ("lines", "text", "end_to_end_id", "account", "name"),
    [
        (["/TRTP/SEPA CREDIT/IBAN/NL91ABNA0417164300/BIC/ABNANL2A/NAME/J. Payer/REMI/Invoice 12/EREF/E-1"],
         "Invoice 12", "E-1", "NL91ABNA0417164300", "J. Payer"),
        (["/EREF/E-1//CNTP/NL91ABNA0417164300/INGBNL2A/J. Payer/CITY//REMI/USTD//Invoice 1", "2/"],
         "Invoice 12", "E-1", "NL91ABNA0417164300", "J. Payer"),
        (["/ORDP//NAME/J. Payer/REMI/Invoice 12/EREF/NOTPROVIDED"], "Invoice 12", "", "", "J. Payer"),
        (["/BENM/J. Payer/REMI//IREF/x"], "", "", "", "J. Payer"),
    ],
)  # fmt: skip
def test_slashed(lines, text, end_to_end_id, account, name):
    _entry, detail = detail_of(*lines)
    found = (detail.text, detail.end_to_end_id, detail.debtor.account, detail.debtor.name)
    assert found == (text, end_to_end_id, account, name)


def test_structured_reference_of_the_slashed():
    _entry, detail = detail_of("/REMI/STRD/CUR/9999123456789012/EREF/E")
    assert (detail.references[0].reference, detail.text) == ("9999123456789012", "")


def test_free_text_stays_line_by_line():
    _entry, detail = detail_of("GIRO 428428 INVOICE 12", "INCL. 1,44 VAT", " ")
    assert detail.remittance == ("GIRO 428428 INVOICE 12", "INCL. 1,44 VAT")


@pytest.mark.parametrize(
    "text", ["", "?", "166?", "/", "//", "/EREF", "???", "166?00?20", "/EREF//REMI/"]
)
def test_odd_texts_are_read_too(text):
    narrative.detail(narrative.read([text]), incoming=True)


def test_an_entry_without_field_86():
    found = read(":61:260302C4,NTRFNONREF", ":61:260302C6,NTRFNONREF", ":86:second")
    assert [entry.text for entry in found.entries] == ["", "second"]
    assert found.findings == ()


# === MESSAGES === #


def test_several_messages_and_headers_of_all_kinds():
    swift = (
        "{1:F01BANKDEFFAXXX0000000000}{2:O9400000000000BANKDEFFXXXX00000000000000000000N}{4:\r\n"
    )
    first = swift + message(":61:260302C10,NTRFNONREF").replace("\r\n-\r\n", "\r\n-}\r\n")
    second = "BANKNL2A\r\n940\r\nBANKNL2A\r\n" + message(
        ":61:260302D5,NTRFNONREF",
        account="NL91ABNA0417164300EUR",
        closing="C260302EUR95,00",
    )
    found = formats.load((first + "\x01\r\n" + second).encode())
    assert [(s.account.iban, s.account.currency, s.booked) for s in found] == [
        (IBAN, "EUR", Decimal(10)),
        ("NL91ABNA0417164300", "EUR", Decimal(-5)),
    ]
    assert all(not statement.findings for statement in found)


def test_one_line_head_of_a_swift_block():
    file = "{1:F01X}{4::20:REF1" + message(":61:260302C10,NTRFNONREF")[8:]
    (found,) = formats.load(file.encode())
    assert (found.id, found.count) == ("REF1", 1)


def test_pages_follow_each_other():
    first = message(":61:260302C10,NTRFNONREF", number="7/1").replace(":62F:", ":62M:")
    second = message(":61:260302C5,NTRFNONREF", number="7/2", opening="C260302EUR110,",
                     closing="C260302EUR115,").replace(":60F:", ":60M:")  # fmt: skip
    found = formats.summaries((first + second).encode())
    assert [(s.number, s.page, s.opening.subtype, s.closing.subtype) for s in found] == [
        ("7", "1", "", PART),
        ("7", "2", PART, ""),
    ]
    assert [s.findings for s in found] == [(), ()]


def test_balances_and_information_of_the_statement():
    found = read(
        ":61:260302C10,NTRFNONREF",
        extra=[":64:C260302EUR105,", ":65:D260303EUR1,5", ":86:see you", "next month"],
    )
    assert [(b.type, str(b.amount)) for b in found.balances] == [
        ("OPBD", "100.00"), ("CLBD", "110.00"), ("CLAV", "105"), ("FWAV", "-1.5"),
    ]  # fmt: skip
    assert found.information == "see you\nnext month"


def test_a_balance_that_does_not_add_up():
    found = read(":61:260302C9,NTRFNONREF")
    assert [finding.code for finding in found.findings] == ["balance"]


INTERIM = """:20:R1
:25:10020030/1234567
:28C:1/1
:34F:EURD0,
:34F:EURC10,
:13D:2603021815+0100
:61:2603020302C10,NTRFNONREF
:61:2603020302ED3,NTRFNONREF
:90D:1EUR3,00
:90C:1EUR10,00
-
"""


def test_interim_report():
    (found,) = formats.load(INTERIM.encode())
    assert (found.kind, found.format, found.currency) == (REPORT, "mt942", "EUR")
    assert found.created.astimezone(UTC) == datetime(2026, 3, 2, 17, 15, tzinfo=UTC)
    assert found.created.utcoffset() == timedelta(hours=1)
    assert (found.booked, found.findings) == (Decimal(10), ())


@pytest.mark.parametrize(
    ("file", "codes"),
    [
        (INTERIM.replace(":90C:1", ":90C:4"), ["declared"]),
        (INTERIM[: INTERIM.index(":90D")], ["unfinished"]),
    ],
)
def test_findings_of_an_interim_report(file, codes):
    (found,) = formats.summaries(file.encode())
    assert [finding.code for finding in found.findings] == codes


@pytest.mark.parametrize(("encoding", "code"), [("utf-8", []), ("cp1252", ["encoding"])])
def test_encodings(encoding, code):
    (found,) = formats.load(
        message(":61:260302C10,NTRFNONREF", ":86:Müller Größe").encode(encoding)
    )
    assert found.entries[0].text == "Müller Größe"
    assert [finding.code for finding in found.findings] == code


def test_a_field_of_polish_banks_is_kept():
    found = read(":NS:22OWNER", ":61:260302C10,NTRFNONREF", ":86:x", ":NS:09TRANSFER")
    assert (found.entries[0].text, found.information) == ("x", "22OWNER\n09TRANSFER")


def test_line_ends_of_all_systems():
    file = message(":61:260302C10,NTRFNONREF", ":86:x")
    for ends in ("\n", "\r"):
        assert formats.load(file.replace("\r\n", ends).encode())[0].entries[0].text == "x"


# === REFUSED === #


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (":62F:C260302EUR110,00\r\n-\r\n", "", "truncated"),
        (":61:260302C10,", ":61:260302X10,", "value"),
        (":61:260302C10,", ":61:260332C10,", "date"),
        (":61:2603020302", ":61:2603021302", "date"),
        (":61:260302C10,", ":61:260302C1.0,0", "amount"),
        (":61:260302C10,", f":61:260302C{'1' * 19},", "amount"),
        (":60F:C260301EUR", ":60F:X260301EUR", "value"),
        (":62F:C260302EUR", ":62F:C260302USD", "currency"),
        (":25:", ":25P:\r\n:21:", "account"),
        (":60F:C260301EUR100,00\r\n", "", "missing"),
        (":61:", ":6I:", "value"),
        (":61:", ":99:", "value"),
        (":20:", ":2O:", "syntax"),
        (":86:x", ":86:x\r\n:62F:C260302EUR110,00", "syntax"),
    ],
)
def test_refused_with_the_line(old, new, code):
    lines = [":61:260302C10,NTRFNONREF", ":86:x", ":61:2603020302C1,NTRFNONREF"]
    text = message(*lines)
    assert old in text
    file = message(":61:260302C1,NTRFNONREF") + text.replace(old, new)
    if code == "missing":
        # without a balance nothing tells the currency
        assert refused(file.replace(":61:260302C1,NTRFNONREF\r\n", "")).code == code
        return
    error = refused(file)
    assert error.code == code
    assert error.line
    assert f"line {error.line}" in str(error)


def test_a_field_and_a_line_that_never_end():
    lines = ["more"] * 2000
    assert refused(message(":61:260302C10,NTRFNONREF", ":86:x", *lines)).code == "size"
    assert refused(message(":61:260302C10,NTRFNONREF", f":86:{'x' * (1 << 21)}")).code == "size"
