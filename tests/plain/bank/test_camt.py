"""camt: each branch of the standard, and what importers are known to get wrong."""

from datetime import date
from decimal import Decimal

import psutil
import pytest
from bank_files import IBAN, OTHER_IBAN, camt, camt_entry, camt_statement

from odoo.addons.finance_bank_sync import formats
from odoo.addons.finance_bank_sync.canonical.statement import (
    BOOKED,
    INFORMATION,
    NOTIFICATION,
    PENDING,
    REPORT,
    STATEMENT,
    numbered,
)
from odoo.addons.finance_bank_sync.formats import FormatError

TWO = (("OPBD", "100.00"), ("CLBD", "110.00"))


def read(*entries, **more):
    """Return the one statement of a file with ``entries``."""
    keys = ("message", "version", "head", "root")
    file = {key: more.pop(key) for key in keys if key in more}
    (found,) = formats.load(camt(camt_statement(*entries, **more), **file))
    return found


def amounts(found):
    return [str(entry.amount) for entry in found.entries]


def details(*transactions, batch=""):
    inside = "".join(f"<TxDtls>{transaction}</TxDtls>" for transaction in transactions)
    return f"<NtryDtls>{batch}{inside}</NtryDtls>"


def refused(file):
    with pytest.raises(FormatError) as error:
        formats.summaries(file)
    assert str(error.value).count(". ") >= 1, "no next step"
    return error.value


# === WHAT OTHER IMPORTERS GET WRONG === #


def test_two_accounts_in_one_file_stay_two():
    file = camt(
        camt_statement(camt_entry("1.00")),
        camt_statement(camt_entry("2.00", "USD"), iban=OTHER_IBAN, currency="USD"),
    )
    found = formats.load(file)
    assert [(s.account.iban, s.currency, amounts(s)) for s in found] == [
        (IBAN, "EUR", ["1.00"]),
        (OTHER_IBAN, "USD", ["2.00"]),
    ]


@pytest.mark.parametrize(
    "status", ["<Sts>PDNG</Sts>", "<Sts><Cd>PDNG</Cd></Sts>", "<Sts><Cd>FUTR</Cd></Sts>"]
)
def test_pending_is_not_booked(status):
    found = read(camt_entry("10.00"), camt_entry("99.00", status=status), balances=TWO)
    assert [entry.status for entry in found.entries] == [BOOKED, PENDING]
    assert (found.count, found.booked, found.findings) == (2, Decimal("10.00"), ())


def test_a_file_cut_in_the_middle_of_an_entry_is_refused_whole():
    file = camt(camt_statement(camt_entry("10"), camt_entry("20"), camt_entry("30")))
    cut = file[: file.index(b">20<") + 20]
    assert refused(cut).code == "truncated"
    with pytest.raises(FormatError):
        formats.load(cut)


def test_a_detail_in_another_currency_does_not_replace_the_amount():
    transaction = '<Amt Ccy="USD">11.50</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
    (entry,) = read(camt_entry("10.00", details=details(transaction))).entries
    assert (entry.amount, entry.currency) == (Decimal("10.00"), "EUR")
    assert (entry.original_amount, entry.original_currency) == (Decimal("11.50"), "USD")
    assert entry.shares()[0][0] == Decimal("10.00")


def test_a_batch_without_detail_amounts_is_one_line():
    transactions = [
        "<Refs><EndToEndId>A</EndToEndId></Refs>",
        "<Refs><EndToEndId>B</EndToEndId></Refs>",
    ]
    (entry,) = read(camt_entry("10.00", details=details(*transactions))).entries
    assert [amount for amount, _detail in entry.shares()] == [Decimal("10.00")]
    assert [detail.end_to_end_id for detail in entry.details] == ["A", "B"]


def test_texts_of_one_detail_do_not_leak_into_the_next():
    transactions = [
        '<Amt Ccy="EUR">4</Amt><RmtInf><Ustrd>first</Ustrd></RmtInf>',
        '<Amt Ccy="EUR">6</Amt>',
    ]
    (entry,) = read(camt_entry("10", details=details(*transactions))).entries
    assert [(str(amount), detail.text) for amount, detail in entry.shares()] == [
        ("4", "first"),
        ("6", ""),
    ]


def test_the_same_file_twice_has_the_same_fingerprints():
    file = camt(camt_statement(camt_entry("1"), camt_entry("1"), camt_entry("2")))
    first, second = (
        [(print_, twin) for _e, print_, twin in numbered(e for _i, e in formats.entries(file))]
        for _time in range(2)
    )
    assert first == second
    assert len(set(first)) == 3


# === MESSAGES AND VERSIONS === #


@pytest.mark.parametrize(
    ("message", "kind"), [("052", REPORT), ("053", STATEMENT), ("054", NOTIFICATION)]
)
@pytest.mark.parametrize("version", [f"{number:02}" for number in range(1, 15)])
def test_all_messages_and_versions(message, kind, version):
    status = "<Sts>BOOK</Sts>" if version < "08" else "<Sts><Cd>BOOK</Cd></Sts>"
    found = read(camt_entry("-5.10", status=status), message=message, version=version)
    assert (found.kind, found.version) == (kind, f"camt.{message}.001.{version}")
    assert amounts(found) == ["-5.10"]


def test_another_prefix_and_an_envelope():
    file = camt(camt_statement(camt_entry("5"))).decode()
    file = file.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?xml", "<?xml")
    file = file.replace("xmlns=", "xmlns:x=")
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    file = file.replace(head, f'{head}<BizMsgEnvlp xmlns="urn:x"><Hdr/>') + "</BizMsgEnvlp>"
    (found,) = formats.load(file.encode())
    assert amounts(found) == ["5"]


def test_first_version_has_its_own_names():
    transaction = (
        "<Refs><MndtId>MD1</MndtId></Refs>"
        "<RltdPties><Cdtr><Nm>Cred</Nm></Cdtr><CdtrAcct><Id><BBAN>99</BBAN></Id></CdtrAcct></RltdPties>"
        "<RmtInf><Strd><RfrdDocInf><RfrdDocTp><Cd>CINV</Cd></RfrdDocTp><RfrdDocNb>I7</RfrdDocNb>"
        "</RfrdDocInf><CdtrRefInf><CdtrRef>R1</CdtrRef></CdtrRefInf></Strd></RmtInf>"
        "<RtrInf><RtrRsn><Cd>AC04</Cd></RtrRsn><AddtlRtrRsnInf>closed</AddtlRtrRsnInf></RtrInf>"
    )
    inside = f"<Btch><MsgId>B</MsgId><NbOfTxs>1</NbOfTxs></Btch><TxDtls>{transaction}</TxDtls>"
    (entry,) = read(
        camt_entry("-3", status="<Sts>BOOK</Sts>", details=inside), version="01"
    ).entries
    (detail,) = entry.details
    assert (detail.mandate, detail.creditor.name, detail.creditor.account) == ("MD1", "Cred", "99")
    assert (detail.documents[0].number, detail.documents[0].type) == ("I7", "CINV")
    assert (detail.references[0].reference, detail.return_code, detail.return_text) == (
        "R1",
        "AC04",
        "closed",
    )
    assert (entry.batch.message, entry.batch.count) == ("B", 1)


def test_utf_16():
    text = camt(camt_statement(camt_entry("5", details=details("<AddtlTxInf>Größe</AddtlTxInf>"))))
    text = text.decode().replace("UTF-8", "UTF-16")
    (found,) = formats.load(text.encode("utf-16"))
    assert found.entries[0].details[0].additional == "Größe"


# === ALL THAT AN ENTRY CAN SAY === #

FULL = """<NtryDtls><Btch><MsgId>M2</MsgId><PmtInfId>P2</PmtInfId><NbOfTxs>1</NbOfTxs>
<TtlAmt Ccy="EUR">89.50</TtlAmt><CdtDbtInd>CRDT</CdtDbtInd></Btch><TxDtls>
<Refs><MsgId>M3</MsgId><AcctSvcrRef>A3</AcctSvcrRef><PmtInfId>P3</PmtInfId><InstrId>I3</InstrId>
<EndToEndId>E3</EndToEndId><TxId>T3</TxId><MndtId>MD3</MndtId><ChqNb>44</ChqNb></Refs>
<Amt Ccy="EUR">89.50</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<AmtDtls><InstdAmt><Amt Ccy="USD">100.00</Amt></InstdAmt><TxAmt><Amt Ccy="EUR">90.00</Amt><CcyXchg>
<SrcCcy>USD</SrcCcy><XchgRate>0.9</XchgRate></CcyXchg></TxAmt></AmtDtls>
<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
<Chrgs><Rcrd><Amt Ccy="EUR">0.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><ChrgInclInd>true</ChrgInclInd>
<Tp><Cd>COMM</Cd></Tp></Rcrd></Chrgs>
<RltdPties><Dbtr><Pty><Nm>Payer &amp; Co</Nm><PstlAdr><StrtNm>Main St</StrtNm><BldgNb>5</BldgNb>
<PstCd>123</PstCd><TwnNm>Town</TwnNm><Ctry>FR</Ctry></PstlAdr><Id><OrgId><Othr><Id>REG1</Id></Othr>
</OrgId></Id></Pty></Dbtr><DbtrAcct><Id><IBAN>FR1420041010050500013M02606</IBAN></Id></DbtrAcct>
<UltmtDbtr><Pty><Nm>Parent</Nm></Pty></UltmtDbtr><Cdtr><Pty><Nm>Us</Nm><Id><PrvtId><Othr>
<Id>DE98ZZZ09999999999</Id></Othr></PrvtId></Id></Pty></Cdtr><UltmtCdtr><Pty><Nm>Daughter</Nm></Pty>
</UltmtCdtr></RltdPties>
<RltdAgts><DbtrAgt><FinInstnId><BICFI>SOGEFRPPXXX</BICFI><Nm>SG</Nm></FinInstnId></DbtrAgt></RltdAgts>
<Purp><Cd>SUPP</Cd></Purp>
<RmtInf><Ustrd>Invoices</Ustrd><Ustrd>I1 and C1</Ustrd><Strd><RfrdDocInf><Tp><CdOrPrtry><Cd>CINV</Cd>
</CdOrPrtry></Tp><Nb>I1</Nb><RltdDt>2026-02-01</RltdDt></RfrdDocInf><RfrdDocAmt>
<DuePyblAmt Ccy="EUR">95.00</DuePyblAmt><RmtdAmt Ccy="EUR">94.00</RmtdAmt></RfrdDocAmt><CdtrRefInf><Tp>
<CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry><Issr>ISO</Issr></Tp><Ref>RF18539007547034</Ref></CdtrRefInf>
<AddtlRmtInf>thanks</AddtlRmtInf></Strd><Strd><RfrdDocInf><Tp><CdOrPrtry><Cd>CREN</Cd></CdOrPrtry></Tp>
<Nb>C1</Nb></RfrdDocInf><RfrdDocAmt><CdtNoteAmt Ccy="EUR">4.00</CdtNoteAmt></RfrdDocAmt></Strd></RmtInf>
<RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf></RtrInf>
<AddtlTxInf>words</AddtlTxInf></TxDtls></NtryDtls><AddtlNtryInf>COLLECTION</AddtlNtryInf>"""


def test_everything_an_entry_says():
    inside = "<RvslInd>true</RvslInd>"
    after = "<AcctSvcrRef>A1</AcctSvcrRef>"
    (entry,) = read(
        camt_entry("89.50", inside=inside, after=after, details=FULL, value="2026-03-04")
    ).entries
    assert (entry.reversal, entry.servicer_reference, entry.value_date) == (
        True,
        "A1",
        date(2026, 3, 4),
    )
    assert (entry.code.proprietary, entry.information) == ("NTRF", "COLLECTION")
    batch = entry.batch
    assert (batch.message, batch.payment, batch.count, batch.amount) == (
        "M2",
        "P2",
        1,
        Decimal("89.50"),
    )
    assert (entry.original_amount, entry.original_currency, entry.rate) == (
        Decimal("100.00"), "USD", Decimal("0.9"),
    )  # fmt: skip
    (detail,) = entry.details
    assert detail.amount == Decimal("89.50")
    ids = (detail.end_to_end_id, detail.message_id, detail.payment_id, detail.instruction_id,
           detail.transaction_id, detail.servicer_reference, detail.mandate, detail.cheque)  # fmt: skip
    assert ids == ("E3", "M3", "P3", "I3", "T3", "A3", "MD3", "44")
    assert detail.creditor_id == "DE98ZZZ09999999999"
    payer = detail.debtor
    assert (payer.name, payer.account, payer.bic, payer.bank, payer.country, payer.identification) == (
        "Payer & Co", OTHER_IBAN, "SOGEFRPPXXX", "SG", "FR", "REG1",
    )  # fmt: skip
    assert payer.address == ("Main St 5", "123 Town")
    assert (detail.ultimate_debtor.name, detail.ultimate_creditor.name) == ("Parent", "Daughter")
    assert detail.remittance == ("Invoices", "I1 and C1", "thanks")
    (reference,) = detail.references
    assert (reference.reference, reference.type, reference.issuer) == (
        "RF18539007547034",
        "SCOR",
        "ISO",
    )
    invoice, credit_note = detail.documents
    assert (invoice.number, invoice.type, invoice.day, invoice.amount) == (
        "I1", "CINV", date(2026, 2, 1), Decimal("94.00"),
    )  # fmt: skip
    assert (credit_note.number, credit_note.amount) == ("C1", Decimal("-4.00"))
    (charge,) = detail.charges
    assert (charge.amount, charge.included, charge.type) == (Decimal("-0.50"), True, "COMM")
    assert (detail.code.domain, detail.code.family, detail.code.subfamily) == (
        "PMNT",
        "RCDT",
        "ESCT",
    )
    assert (detail.purpose, detail.return_code, detail.return_text) == ("SUPP", "AC04", "closed")


def test_signs_of_a_mixed_batch():
    transactions = [
        '<Amt Ccy="EUR">12</Amt><CdtDbtInd>CRDT</CdtDbtInd>',
        '<Amt Ccy="EUR">2</Amt><CdtDbtInd>DBIT</CdtDbtInd>',
    ]
    (entry,) = read(camt_entry("10", details=details(*transactions))).entries
    assert [str(amount) for amount, _detail in entry.shares()] == ["12", "-2"]


def test_amounts_of_a_batch_in_the_details_of_the_second_version():
    transactions = [
        f'<AmtDtls><TxAmt><Amt Ccy="EUR">{amount}</Amt></TxAmt></AmtDtls>' for amount in ("4", "6")
    ]
    entry = read(
        camt_entry("-10", status="<Sts>BOOK</Sts>", details=details(*transactions)), version="02"
    )
    assert [str(amount) for amount, _detail in entry.entries[0].shares()] == ["-4", "-6"]


def test_details_that_do_not_come_to_the_entry_are_a_finding():
    transactions = ['<Amt Ccy="EUR">4</Amt>', '<Amt Ccy="EUR">5</Amt>']
    found = read(camt_entry("10", details=details(*transactions)))
    assert [finding.code for finding in found.findings] == ["details"]
    assert len(found.entries[0].shares()) == 1


def test_information_and_a_statement_without_a_status():
    found = read(camt_entry("1", status="<Sts><Cd>INFO</Cd></Sts>"), camt_entry("2", status=""))
    assert [entry.status for entry in found.entries] == [INFORMATION, BOOKED]


def test_numbers_pages_period_and_credit_lines():
    more = "<LglSeqNb>12</LglSeqNb><StmtPgntn><PgNb>2</PgNb><LastPgInd>true</LastPgInd></StmtPgntn>"
    more += "<FrToDt><FrDtTm>2026-03-01T00:00:00+01:00</FrDtTm><ToDtTm>2026-03-02T23:59:00Z</ToDtTm></FrToDt>"
    body = camt_statement(camt_entry("1"), balances=TWO, more=more)
    body = body.replace("<Amt", "<CdtLine><Incl>true</Incl></CdtLine><Amt", 1)
    (found,) = formats.load(camt(body))
    assert (found.number, found.sequence, found.page) == ("12", "7", "2")
    assert (found.start, found.end) == (date(2026, 3, 1), date(2026, 3, 2))
    assert (found.balances[0].included, found.balances[1].included) == (True, None)


# === FINDINGS === #


@pytest.mark.parametrize(
    ("balances", "codes"),
    [
        (TWO, []),
        ((("PRCD", "100.00"), ("CLBD", "110.00")), []),
        ((("OPBD", "100.00"), ("CLBD", "111.00")), ["balance"]),
        (
            (("OPBD", "-100.00"), ("CLBD", "-90.00"), ("CLAV", "1"), ("FWAV", "2"), ("ITBD", "3")),
            [],
        ),
    ],
)
def test_opening_and_movements_make_closing(balances, codes):
    found = read(camt_entry("10.00"), balances=balances)
    assert [finding.code for finding in found.findings] == codes
    assert [(b.type, b.amount) for b in found.balances] == [(t, Decimal(a)) for t, a in balances]


def test_gap_between_statements_of_one_file():
    bodies = [camt_statement(camt_entry("1")) for _number in range(2)]
    bodies[1] = bodies[1].replace("<ElctrncSeqNb>7<", "<ElctrncSeqNb>9<")
    assert [[f.code for f in s.findings] for s in formats.summaries(camt(*bodies))] == [[], ["gap"]]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("<CpyDplctInd>DUPL</CpyDplctInd>", "copy"),
        ("<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries></TxsSummry>", "declared"),
    ],
)
def test_copies_and_counts(more, code):
    found = read(camt_entry("1"), more=more)
    assert [finding.code for finding in found.findings] == [code]
    assert "%" not in found.findings[0].words


# === REFUSED === #

BOMB = '<!DOCTYPE Document [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<Cd>BOOK</Cd>", "<Cd>DONE</Cd>", "status"),
        ("<Cd>BOOK</Cd>", "<Prtry>BOOKED</Prtry>", "status"),
        (">10.00<", ">10,00<", "amount"),
        (">10.00<", ">1e3<", "amount"),
        (">10.00<", ">٣<", "amount"),
        (">10.00<", ">NaN<", "amount"),
        (">10.00<", ">-10.00<", "amount"),
        (">10.00<", f">1{'0' * 18}.00<", "amount"),
        (">10.00<", "><", "amount"),
        ('<Amt Ccy="EUR">10.00', "<Amt>10.00", "missing"),
        ('<Amt Ccy="EUR">10.00', '<Amt Ccy="eur">10.00', "currency"),
        ('<Amt Ccy="EUR">10.00', '<Amt Ccy="USD">10.00', "currency"),
        ("CRDT", "CREDIT", "value"),
        ("<Dt>2026-03-02</Dt></BookgDt>", "<Dt>2026-02-30</Dt></BookgDt>", "date"),
        ("<Dt>2026-03-02</Dt></BookgDt>", "<Dt>02.03.2026</Dt></BookgDt>", "date"),
        (f"<IBAN>{IBAN}</IBAN>", "", "account"),
        ("<Ntry>", "<Other><Ntry>", "syntax"),
        ("<Ntry>", "<Stmt><Ntry>", "syntax"),
    ],
)
def test_refused_with_the_place(old, new, code):
    text = camt(camt_statement(camt_entry("10.00"))).decode()
    file = text.replace(old, new)
    if new.endswith("><Ntry>"):
        file = file.replace("</Ntry>", f"</Ntry></{new[1 : new.index('>')]}>")
    error = refused(file.encode())
    assert error.code == code
    assert error.line or error.element


def test_a_date_is_needed_only_for_what_is_booked():
    dates = "<BookgDt><Dt>2026-03-02</Dt></BookgDt><ValDt><Dt>2026-03-02</Dt></ValDt>"
    booked = camt(camt_statement(camt_entry("1"))).decode().replace(dates, "").encode()
    assert refused(booked).code == "missing"
    (found,) = formats.load(booked.replace(b"BOOK", b"PDNG"))
    assert found.entries[0].booking_date is None


@pytest.mark.parametrize("text", ["&b;", "Text"])
def test_entities_and_document_types_are_refused(text):
    entry = camt_entry("1", details=f"<AddtlNtryInf>{text}</AddtlNtryInf>")
    assert refused(camt(camt_statement(entry), head=BOMB)).code == "forbidden"


def test_a_file_outside_is_not_fetched(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("top secret")
    head = f'<!DOCTYPE Document [<!ENTITY a SYSTEM "{secret.as_uri()}">]>'
    entry = camt_entry("1", details="<AddtlNtryInf>&a;</AddtlNtryInf>")
    error = refused(camt(camt_statement(entry), head=head))
    assert "top secret" not in str(error)


def test_depth_and_long_texts_are_refused():
    deep = camt_entry("1", details="<a>" * 400 + "</a>" * 400)
    assert refused(camt(camt_statement(deep))).code == "size"
    long = camt_entry("1", details=f"<AddtlNtryInf>{'x' * 11_000_000}</AddtlNtryInf>")
    assert refused(camt(camt_statement(long))).code in ("size", "syntax")


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", "empty"),
        (
            b'<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"/>',
            "unknown",
        ),
        (camt(), "unknown"),
        (camt(camt_statement()) + b"<more/>", "syntax"),
    ],
)
def test_what_is_no_statement(file, code):
    assert refused(file).code == code


# === LONG FILES === #


def test_where_lines_can_not_be_counted_the_entry_is_named():
    file = camt(camt_statement("\n" * 70_000, camt_entry("1")))
    file = file.replace(b">1</Amt>", b">1x</Amt>")
    error = refused(file)
    assert (error.code, error.line, error.element) == ("amount", None, "Ntry 1/Amt")


def test_memory_does_not_grow_with_the_entries(tmp_path):
    path = tmp_path / "statement.xml"
    path.write_bytes(camt(camt_statement(*[camt_entry("1")] * 10_000)))
    process = psutil.Process()
    with path.open("rb") as file:
        sizes = [
            process.memory_info().rss
            for _index, entry in formats.entries(file)
            if entry.position % 1000 == 0
        ]
    # a tree of all of them takes more than 20 MB
    assert max(sizes) - sizes[0] < 8 << 20
