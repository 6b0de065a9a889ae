"""What people read of a bank link: in the wizard, on the link, on the card of its account."""

from odoo.exceptions import UserError
from odoo.tests import new_test_user

from odoo.addons.finance_connector_base.tests.common import drain_jobs

from .link import BankLinkCommon


class TestLinkScreens(BankLinkCommon):
    def setUp(self):
        super().setUp()
        self.listen()
        self.connector = self.make_connector()

    def card(self, user=None):
        """What the card of the journal knows of its link."""
        journal = self.journal.with_user(user or self.env.user)
        return journal._get_journal_dashboard_data_batched()[journal.id]["finance_bank_link"]

    def test_the_card_of_the_account(self):
        self.assertFalse(self.card())
        link = self.link(connector=self.connector)
        card = self.card()
        self.assertEqual((card["state"], card["label"]), ("active", "Bank link: Active"))
        self.assertRegex(card["words"], "^fetched .* · consent until ")
        self.assertEqual(self.journal.action_finance_bank_link()["res_id"], link.id)
        link.consent_id._has_ended("The session is closed")
        card = self.card()
        self.assertEqual(card["label"], "Bank link: Consent ended")
        self.assertNotIn("until", card["words"])
        self.assertEqual(link.consent_reason, "The session is closed")
        nobody = new_test_user(
            self.env, "card_nobody", "account.group_account_invoice",
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)],
        )  # fmt: skip
        self.assertFalse(self.card(nobody))

    def test_a_stopped_link_gives_way_to_its_successor(self):
        first = self.link(connector=self.connector)
        first.action_pause()
        self.assertEqual(self.card()["state"], "paused")
        second = first.sudo().copy({"state": "active", "remote_id": "other"})
        self.assertEqual(self.card()["state"], "active")
        self.assertEqual(self.journal.action_finance_bank_link()["res_id"], second.id)

    def test_what_the_last_try_met(self):
        link = self.link(connector=self.connector)
        self.server.sandbox.faults.replace([{"kind": "500", "vendor": "enable_banking"}])
        link.action_pull()
        drain_jobs(self.env)
        link.invalidate_recordset()
        self.assertIn("500", link.failure_words)
        self.server.sandbox.faults.replace([])
        link._try_again()
        self.env["finance.job"]._unfinished(link).action_retry()
        drain_jobs(self.env)
        link.invalidate_recordset()
        self.assertFalse(link.failure_words)

    def test_a_vendor_that_is_out_of_order_says_what_to_do(self):
        wizard = self.open_wizard(self.connector)
        self.server.sandbox.faults.replace([{"kind": "500", "vendor": "enable_banking"}])
        for button in ("action_banks", "action_continue"):
            with self.assertRaisesRegex(UserError, "Nothing was changed: try again"):
                getattr(wizard, button)()

    def test_a_currency_that_is_not_active(self):
        wizard = self.consent(self.connector)
        wizard.line_ids.choice = "skip"
        self.line(wizard, "Dollar").choice = "new"
        # Odoo's own check asks for accounts in it, which other tests' companies have
        self.env.cr.execute("UPDATE res_currency SET active = false WHERE id = %s", [self.usd.id])
        self.usd.invalidate_recordset(["active"])
        with self.assertRaisesRegex(UserError, "USD, which is not active here"):
            wizard.action_check()

    def test_each_account_is_proved_in_words(self):
        wizard = self.consent(self.connector)
        wizard.line_ids.choice = "skip"
        line = self.line(wizard, "Operating")
        self.assertIn("DE75 5121", line.label)
        self.assertFalse(wizard.has_undecided)
        line.choice = "new"
        wizard.action_check()
        self.assertIn("A new journal begins with nothing", line.words)
        self.assertTrue(wizard.has_undecided)
        line.decision = "accept"
        self.assertFalse(wizard.has_undecided)
        line.write({"choice": "existing", "journal_id": self.journal.id, "decision": False})
        wizard.action_check()
        self.assertIn("and the journal", line.words)
        with self.assertRaisesRegex(UserError, "If They Differ"):
            wizard.action_link()

    def test_who_has_no_connector_is_told(self):
        self.connector.action_pause()
        wizard = self.env["finance.bank.link.wizard"].create({})
        self.assertFalse(wizard.has_feeds)
        self.assertEqual(wizard.action_connectors()["res_model"], "finance.connector")
        with self.assertRaisesRegex(UserError, "Choose the connector"):
            wizard._feed()
