"""What differs from vendor to vendor: cursors, replaced and removed entries, quotas, renewals."""

from datetime import timedelta
from decimal import Decimal

from odoo import fields
from odoo.exceptions import UserError

from odoo.addons.finance_connector_base.tests.common import drain_jobs

from .link import BankLinkCommon


class TestVendors(BankLinkCommon):
    def setUp(self):
        super().setUp()
        self.listen()

    def befall(self, transaction):
        self.vendor("plaid").happened(transaction)
        return transaction

    def test_the_cursor_goes_on_and_only_changes_come(self):
        link = self.link("plaid")
        first = link.cursor
        self.assertTrue(first)
        self.assertEqual(self.total(self.received[0][1].entries), Decimal("2299.00"))
        self.befall(self.bank("plaid").add("operating", "-3.00", "Coffee"))
        [coffee] = self.pull(link)
        self.assertEqual((coffee.amount, coffee.text), (Decimal("-3"), "Coffee"))
        self.assertNotEqual(link.cursor, first)
        self.assertEqual(self.pull(link), [])

    def test_a_booked_one_corrects_the_pending_and_a_removed_one_goes(self):
        link = self.link("plaid")
        bank = self.bank("plaid")
        hotel = self.befall(bank.add("operating", "-30.00", "Hotel", pending=True))
        gone = self.befall(bank.add("operating", "-9.00", "Gone", pending=True))
        pending = {entry.text: entry.unique_id for entry in self.pull(link)}
        self.befall(bank.book(hotel.number, amount="-31.00"))
        self.befall(bank.remove(gone.number))
        booked, removal = self.pull(link)
        self.assertEqual((booked.corrects, booked.amount), (pending["Hotel"], Decimal(-31)))
        self.assertEqual((removal.corrects, removal.removes), (pending["Gone"], True))

    def test_the_cursor_of_a_pull_that_failed_is_not_kept(self):
        link = self.link("plaid")
        cursor = link.cursor
        vendor = self.vendor("plaid")
        vendor.settings["breaks"] = 100
        for number in range(7):
            self.befall(self.bank("plaid").add("operating", f"{number + 1}.00", f"N{number}"))
        self.assertEqual(self.pull(link), [])
        self.assertEqual(link.cursor, cursor)
        vendor.settings["breaks"] = 0
        drain_jobs(self.env, until_due=True)
        entries = [one for _link, last in self.received[1:] for one in last.entries]
        self.assertEqual(sum(one.amount for one in entries), 28)

    def test_an_item_that_is_not_ready_is_asked_again_soon(self):
        self.vendor("plaid").ready = False
        link = self.link("plaid")
        drain_jobs(self.env)
        self.assertEqual((link.state, self.received), ("active", []))
        self.assertLess(link.next_pull_at, fields.Datetime.now() + timedelta(minutes=10))
        self.vendor("plaid").ready = True
        self.assertEqual(len(self.pull(link)), 9)

    def test_a_login_that_ended_keeps_the_cursor_over_the_renewal(self):
        link = self.link("plaid")
        cursor, secret = link.cursor, link.consent_id._secret()
        self.vendor("plaid").expire(None)
        self.pull(link)
        self.assertEqual(link.state, "expired")
        action = link.action_renew()
        brought = self.visit(action["url"])
        self.assertEqual(self.come_back(brought), link)
        self.assertEqual((link.state, link.cursor), ("active", cursor))
        self.assertEqual(link.consent_id._secret(), secret)
        self.assertNotIn(secret, self.recorded())

    def test_a_card_owes(self):
        link = self.link("plaid", "card")
        [(_link, statement)] = self.received
        self.assertEqual(link.kind, "card")
        self.assertEqual(statement.balances[0].amount, Decimal("-82.20"))
        self.assertEqual(link.opening_amount, 0)

    # === PONTO === #

    def test_accounts_are_chosen_at_ponto_and_renewed_there(self):
        link = self.link("ponto")
        self.assertTrue(link.consent_until)
        self.bank("ponto").add("operating", "8.00", "New")
        self.assertIn(Decimal("8"), [one.amount for one in self.pull(link)])
        self.vendor("ponto").expire(None)
        self.pull(link)
        self.assertEqual(link.state, "expired")
        exception = self.env["finance.exception"].search([("code", "=", "bank.consent")])
        self.assertIn("Allow it again at Ponto itself, then press Renew", exception.text)
        with self.assertRaisesRegex(UserError, "at Ponto"):
            link.action_renew()
        self.vendor("ponto").until += timedelta(days=90)
        link.action_renew()
        self.assertEqual(link.state, "active")

    def test_the_vendors_own_id_of_a_booking(self):
        self.link("ponto")
        [(_link, statement)] = self.received
        ids = {one.unique_id for one in statement.entries}
        self.assertEqual(len(ids), 9)
        self.assertNotIn("", ids)

    # === GOCARDLESS === #

    def test_calls_left_are_shown_and_spread(self):
        link = self.link("gocardless_bad")
        self.vendor("gocardless_bad").settings["calls_a_day"] = 4
        self.pull(link)
        # one call was made for the proof
        self.assertEqual(link.calls_left, 2)
        self.assertIn("2 until", link.calls_words)
        left = (link.calls_reset_at - fields.Datetime.now()) / 2
        self.assertGreaterEqual(
            link.next_pull_at + timedelta(minutes=5),
            fields.Datetime.now() + max(left, timedelta(hours=6)),
        )
        self.pull(link)
        self.pull(link)
        self.assertEqual(link.calls_left, 0)
        asked = len(self.calls("gocardless_bad", "/transactions"))
        with self.assertRaisesRegex(UserError, "no more calls"):
            link.action_pull()
        self.assertEqual(len(self.calls("gocardless_bad", "/transactions")), asked)
        self.assertEqual(link.next_pull_at, link.calls_reset_at)

    def test_a_requisition_that_expired_is_replaced_by_another(self):
        link = self.link("gocardless_bad")
        old = link.consent_id._secret()
        self.vendor("gocardless_bad").expire(None)
        self.pull(link)
        self.assertEqual(link.state, "expired")
        shown = self.come_back(self.visit(link.action_renew()["url"]))
        self.assertEqual((shown, link.state), (link, "active"))
        self.assertNotEqual(link.consent_id._secret(), old)
        self.assertEqual(link.consent_id.name, "Sandbox Finance")
        self.assertEqual(self.env["finance.bank.consent"].search_count([]), 1)

    def test_another_vendor_takes_over_the_link(self):
        link = self.link("gocardless_bad")
        wizard = self.consent(self.make_connector("enable_banking"))
        self.assertEqual(wizard.renewed_count, 1)
        self.assertEqual(link.connector_id.provider, "enable_banking")
        self.assertEqual(self.env["finance.bank.link"].search_count([]), 1)
        entries = self.pull(link)
        self.assertTrue(entries)


class TestImported(BankLinkCommon):
    """From the bank to bank lines, with nothing in between replaced."""

    def lines(self):
        """Return the amounts of the journal's bank lines."""
        lines = self.env["account.bank.statement.line"].search(
            [("journal_id", "=", self.journal.id)]
        )
        return sorted(lines.mapped("amount"))

    def test_lines_of_each_vendor_once(self):
        first = [-1500, -238, -107.1, -12.5, -4.2, -4.2, 595, 1190, 2380]
        link = self.link("enable_banking")
        drain_jobs(self.env)
        self.assertEqual(self.lines(), first)
        self.assertEqual(self.journal.bank_account_id.sanitized_acc_number, link.iban)
        self.bank().add("operating", "7.00", "New one")
        link.action_pull()
        drain_jobs(self.env)
        self.assertEqual(self.lines(), sorted([*first, 7]))
        # another vendor takes over, with other ids and all of the last days again
        self.consent(self.make_connector("gocardless_bad"))
        self.assertEqual(link.connector_id.provider, "gocardless_bad")
        self.bank("gocardless_bad").add("operating", "7.00", "New one")
        self.bank("gocardless_bad").add("operating", "8.00", "Newer one")
        link.action_pull()
        drain_jobs(self.env)
        self.assertEqual(self.lines(), sorted([*first, 7, 8]))

    def test_plaid_pending_then_booked_is_one_line(self):
        link = self.link("plaid")
        drain_jobs(self.env)
        before = self.lines()
        vendor, bank = self.vendor("plaid"), self.bank("plaid")
        hotel = bank.add("operating", "-30.00", "Hotel", pending=True)
        vendor.happened(hotel)
        link.action_pull()
        drain_jobs(self.env)
        self.assertEqual(self.lines(), before)
        vendor.happened(bank.book(hotel.number, amount="-31.00"))
        link.action_pull()
        drain_jobs(self.env)
        self.assertEqual(self.lines(), sorted([*before, -31]))
