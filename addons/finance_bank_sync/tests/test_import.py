"""A file becomes bank lines, or is refused whole."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.finance_connector_base.tests.common import drain_jobs

from . import files
from .common import BankCase
from .files import Booking


@tagged("post_install", "-at_install")
class TestImport(BankCase):
    def test_lines_have_what_the_bank_says(self):
        found = self.receive(files.camt([Booking("10.00"), Booking("-4.50", text="Fee")]))
        self.assertEqual((found.state, found.created_count), ("done", 2))
        self.assert_lines("10.00", "-4.50")
        line = self.lines().filtered(lambda one: one.amount == 10)
        self.assertEqual(line.payment_ref, "Invoice INV/2026/00017")
        self.assertEqual(line.partner_name, "Miller GmbH")
        self.assertEqual(line.account_number, files.PAYER)
        self.assertEqual(line.state, "posted")
        entry = line.finance_entry_id
        self.assertEqual((entry.end_to_end_id, entry.import_id), ("E2E-17", found))
        self.assertEqual(
            found._content(), files.camt([Booking("10.00"), Booking("-4.50", text="Fee")])
        )
        self.assertEqual(found.user_id, self.bookkeeper)

    def test_two_accounts_in_one_file(self):
        euro = self.env.ref("base.EUR")
        second = self.new_journal("BNKB", files.SECOND_IBAN, euro)
        content = files.camt_file(
            files.camt_statement([Booking("10.00")]),
            files.camt_statement([Booking("20.00")], iban=files.SECOND_IBAN, currency="EUR"),
        )
        self.assertEqual(self.receive(content).state, "done")
        self.assert_lines("10.00")
        self.assert_lines("20.00", journal=second)
        self.assertEqual(self.lines(second).currency_id, euro)

    def test_refused_whole(self):
        """Each reason in words, nothing imported, and the file is kept."""
        unknown = files.camt_statement([Booking("1.00")], iban="GB82WEST12345698765432")
        cases = {
            "account.unknown": files.camt_file(files.camt_statement([Booking("10.00")]), unknown),
            "account.currency": files.camt([Booking("10.00")], currency="EUR"),
            "format.truncated": files.camt([Booking("10.00")])[:-400],
            "format.unknown": b"\x00\x01\x02\x03 no statement",
            "format.ambiguous": files.csv([Booking("10.00")]),
            "format.empty": b"",
        }
        for code, content in cases.items():
            with self.subTest(code):
                found = self.receive(content, "bad")
                self.assertEqual(found.state, "refused")
                self.assertEqual(found.refusal["code"], code, found.refusal)
                self.assertGreater(len(found.refusal_words), 40)
                self.assertEqual(found._content(), content)
        self.assertFalse(self.amounts())
        self.assertFalse(
            self.env["finance.bank.entry"].search([("journal_id", "=", self.journal.id)])
        )

    def test_account_of_a_company_out_of_reach(self):
        other = self.other_company()
        self.new_journal("BNKO", files.SECOND_IBAN, company=other)
        content = files.camt([Booking("1.00")], iban=files.SECOND_IBAN)
        self.assertEqual(self.receive(content).refusal["code"], "account.company")
        self.bookkeeper.company_ids |= other
        found = self.receive(content)
        self.assertEqual((found.state, found.company_id), ("done", other))

    def test_a_file_of_two_companies_is_one_import_in_each(self):
        other = self.other_company()
        journal = self.new_journal("BNKO", files.SECOND_IBAN, company=other)
        self.bookkeeper.company_ids |= other
        content = files.camt_file(
            files.camt_statement([Booking("10.00")]),
            files.camt_statement([Booking("20.00")], iban=files.SECOND_IBAN),
        )
        found = self.receive(content)
        self.assertEqual(found.company_id, self.company | other)
        self.assert_lines("10.00")
        self.assert_lines("20.00", journal=journal)

    def test_a_journal_that_secures_when_posting(self):
        """Odoo secures no bank line that is not reconciled: said at once, not by the first line."""
        self.journal.restrict_mode_hash_table = True
        found = self.receive(files.camt([Booking("10.00")]))
        self.assertEqual((found.state, found.refusal["code"]), ("refused", "account.hashed"))

    def test_the_journal_that_a_person_chooses(self):
        content = files.csv([Booking("10.00")])
        options = {"column_map": files.COLUMNS}
        self.assertEqual(self.receive(content, **options).refusal["code"], "account.missing")
        self.assertEqual(self.receive(content, journal=self.journal, **options).state, "done")
        self.assert_lines("10.00")
        other = self.new_journal("BNKB", files.SECOND_IBAN)
        found = self.receive(files.camt([Booking("5.00")]), journal=other)
        self.assertEqual(found.refusal["code"], "account.other")

    def test_refused_from_a_folder_is_an_exception(self):
        self.receive(files.camt([Booking("1.00")], iban="GB82WEST12345698765432"), source="folder")
        [told] = self.open_exceptions("bank.refused")
        self.assertIn("GB82WEST12345698765432, which no journal has", told.text)

    def test_the_file_as_it_came(self):
        """Who imported it opens it, audited; a colleague does not; and it is not kept for ever."""
        content = files.camt([Booking("10.00")])
        found = self.receive(content)
        self.assertEqual(found.with_user(self.bookkeeper)._open_file(), content)
        events = self.env["finance.audit.event"].sudo()
        self.assertEqual(events.search([("kind", "=", "payload.opened")]).res_id, found.id)
        colleague = self.bookkeeper.copy({"login": "bank_colleague"})
        with self.assertRaises(AccessError):
            found.with_user(colleague)._open_file()
        found.received_at = "2010-01-01"
        self.env.flush_all()
        found._vacuum()
        with self.assertRaises(UserError):
            found.with_user(self.bookkeeper)._open_file()

    def test_what_stops_is_told_and_goes_on(self):
        """The journal lacks an account: an exception says so, and the work goes on from there."""
        account = self.journal.suspense_account_id
        self.journal.suspense_account_id = False
        self.company.account_journal_suspense_account_id = False
        found = self.receive(files.camt([Booking("10.00")]))
        self.assertEqual((found.state, found.waiting_count), ("running", 1))
        [told] = self.open_exceptions("bank.stopped")
        self.assertIn("suspense", told.text)
        self.journal.suspense_account_id = account
        told.job_id.sudo().action_retry()
        drain_jobs(self.env, until_due=True)
        self.assertEqual((found.state, told.state), ("done", "resolved"))
        self.assert_lines("10.00")

    def test_who_may_not(self):
        reader = new_test_user(self.env, "bank_reader", "account.group_account_readonly")
        with self.assertRaises(AccessError):
            self.env["finance.bank.import"].with_user(reader)._receive("x", b"x")

    def test_foreign_amount_of_the_bank(self):
        """The entry's amount is booked; what was ordered stands beside it, at the bank's rate."""
        content = files.camt([Booking("10.00")]).replace(
            b"<NtryDtls>",
            b'<AmtDtls><InstdAmt><Amt Ccy="EUR">8.70</Amt></InstdAmt></AmtDtls><NtryDtls>',
        )
        self.assertEqual(self.receive(content).state, "done")
        [line] = self.lines()
        self.assertEqual(line.amount, 10)
        self.assertEqual(line.foreign_currency_id, self.env.ref("base.EUR"))
        self.assertEqual(line.amount_currency, 8.7)

    def test_what_is_read_grows_with_the_file_and_no_more(self):
        """Nothing reads all entries of a file once for each of them, also when it comes again."""
        count = 600
        bookings = [
            Booking(f"{number}.00", text=f"Invoice {number}", end_to_end=f"E{number}")
            for number in range(1, count + 1)
        ]
        for state in ("received", "skipped"):
            found = self.receive(files.camt(bookings), drain=False)
            found._stage()
            before = self.entries_read()
            found._decide()
            self.assertEqual(self.states(found), {state: count})
            self.assertLess(self.entries_read() - before, 60 * count)

    def entries_read(self):
        """How many rows of entries PostgreSQL has read in this transaction, by index or without."""
        self.env.cr.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
            " WHERE relname = 'finance_bank_entry'"
        )
        return self.env.cr.fetchone()[0]

    def states(self, found):
        """How many entries of an import are in which state."""
        entries = self.env["finance.bank.entry"].sudo()
        return dict(entries._read_group([("import_id", "=", found.id)], ["state"], ["__count"]))
