"""Seven ways in which importers of camt files are known to go wrong, each tried here."""

from odoo.tests import tagged

from . import files
from .common import BankCase
from .files import DAY, Booking

AMOUNT = '<AmtDtls><TxAmt><Amt Ccy="%s">%s</Amt></TxAmt></AmtDtls>'
TEXT = "<RmtInf><Ustrd>%s</Ustrd></RmtInf>"


def entry(amount, *details, status="<Sts>BOOK</Sts>"):
    """An entry with transaction details as they stand."""
    inside = "".join(f"<TxDtls>{detail}</TxDtls>" for detail in details)
    return (
        f'<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>{status}'
        f"<BookgDt><Dt>{DAY}</Dt></BookgDt><BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>"
        f"<NtryDtls>{inside}</NtryDtls></Ntry>"
    )


def statement(*entries):
    """A camt.053.001.02 file, whose statuses may be plain text."""
    body = files.camt_statement([], balances=False) + "".join(entries)
    return files.camt_file(body).replace(b"camt.053.001.08", b"camt.053.001.02")


@tagged("post_install", "-at_install")
class TestKnownDefects(BankCase):
    def test_the_same_file_twice(self):
        content = statement(entry("10.00", TEXT % "A"), entry("99.00", TEXT % "B"))
        self.receive(content)
        self.receive(content)
        self.assert_lines("10.00", "99.00")

    def test_two_accounts_in_one_file(self):
        other = self.new_journal("BNKB", files.SECOND_IBAN)
        first = files.camt_statement([Booking("10.00")])
        second = files.camt_statement([Booking("20.00")], iban=files.SECOND_IBAN)
        self.receive(files.camt_file(first, second))
        self.assert_lines("10.00")
        self.assert_lines("20.00", journal=other)

    def test_pending_is_not_booked(self):
        """In both forms that the versions of the standard have."""
        told = [
            entry("10.00", TEXT % "A"),
            entry("99.00", TEXT % "B", status="<Sts>PDNG</Sts>"),
            entry("98.00", TEXT % "C", status="<Sts><Cd>PDNG</Cd></Sts>"),
            entry("97.00", TEXT % "D", status="<Sts>INFO</Sts>"),
        ]
        found = self.receive(statement(*told))
        self.assertEqual((found.pending_count, found.information_count), (2, 1))
        self.assert_lines("10.00")

    def test_a_file_that_was_cut_off(self):
        content = statement(*(entry(f"{n}0.00", TEXT % n) for n in (1, 2, 3)))
        found = self.receive(content[: content.index(b"20.00") + 40])
        self.assertEqual(found.refusal["code"], "format.truncated")
        self.assertFalse(self.lines())

    def test_details_in_another_currency(self):
        self.receive(statement(entry("10.00", AMOUNT % ("EUR", "11.50") + TEXT % "A")))
        self.assert_lines("10.00")

    def test_a_batch_without_amounts_is_one_line(self):
        self.receive(statement(entry("10.00", TEXT % "A", TEXT % "B")))
        self.assert_lines("10.00")

    def test_texts_stay_with_their_own(self):
        told = entry("10.00", AMOUNT % ("USD", "4.00") + TEXT % "Secret", AMOUNT % ("USD", "6.00"))
        self.receive(statement(told))
        self.assert_lines("4.00", "6.00")
        second = self.lines().filtered(lambda line: line.amount == 6)
        self.assertNotIn("Secret", f"{second.payment_ref} {second.narration} {second.partner_name}")
