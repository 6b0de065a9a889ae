"""Linking accounts, and what happens to a link."""

from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import mute_logger
from odoo.tools.misc import file_open

from odoo.addons.finance_bank_sync.hooks import uninstall_hook
from odoo.addons.finance_bank_sync.models.finance_bank_link_pull import FinanceBankLink
from odoo.addons.finance_connector_base.tests.common import drain_jobs

from .link import BankLinkCommon

LANE = "odoo.addons.finance_connector_base.lanes.lane"


class TestLinking(BankLinkCommon):
    def setUp(self):
        super().setUp()
        self.listen()
        self.connector = self.make_connector()

    def test_a_new_journal_and_an_opening_balance_that_is_proved(self):
        wizard = self.consent(self.connector)
        self.assertEqual(
            wizard.line_ids.mapped("name"), ["Operating account", "Dollar account", "Company card"]
        )
        wizard.line_ids.choice = "skip"
        dollar = self.line(wizard, "Dollar")
        dollar.write({"choice": "new", "import_from": self.today - timedelta(days=5)})
        wizard.action_check()
        # 2500 and the 1250 of fifteen days ago; the payment of three days ago came after
        self.assertEqual(
            (dollar.bank_balance, dollar.movements, dollar.opening, dollar.difference),
            (3650.10, -99.90, 3750, 3750),
        )
        with self.assertRaisesRegex(UserError, "If They Differ"):
            wizard.action_link()
        dollar.decision = "line"
        action = wizard.action_link()
        link = self.env["finance.bank.link"].browse(action["res_id"])
        self.assertEqual(link.journal_id.currency_id, self.usd)
        self.assertEqual(link.journal_id.bank_account_id.sanitized_acc_number, link.iban)
        self.assertEqual((link.state, link.opening_amount), ("active", 3750))
        opening = self.env["account.bank.statement.line"].search(
            [("journal_id", "=", link.journal_id.id)]
        )
        self.assertEqual((opening.amount, opening.date), (3750, self.today - timedelta(days=6)))
        [(of, statement)] = self.received
        self.assertEqual((of, len(statement.entries)), (link, 1))
        self.assertEqual(statement.entries[0].amount, Decimal("-99.90"))

    def test_an_existing_journal_begins_after_its_last_line_and_agrees(self):
        self.journal.bank_acc_number = self.bank().accounts["operating"].iban
        day = self.today - timedelta(days=10)
        self.env["account.bank.statement.line"].create(
            {"journal_id": self.journal.id, "date": day, "amount": 11534.50, "payment_ref": "All"}
        )
        wizard = self.consent(self.connector)
        line = self.line(wizard, "Operating")
        self.assertEqual((line.choice, line.journal_id), ("existing", self.journal))
        self.assertEqual(line.import_from, day + timedelta(days=1))
        (wizard.line_ids - line).choice = "skip"
        wizard.action_check()
        self.assertEqual((line.difference, line.ledger), (0, 11534.50))
        wizard.action_link()
        link = self.env["finance.bank.link"].search([("journal_id", "=", self.journal.id)])
        self.assertEqual(link.opening_difference, 0)
        # the proof asked the bank, and what it told is imported without another question
        self.assertEqual(len(self.calls(path="/balances")), 1)
        self.assertEqual(len(self.received), 1)

    def test_what_was_fetched_for_an_earlier_day_serves_for_a_later_one(self):
        wizard = self.consent(self.connector)
        wizard.line_ids.choice = "skip"
        line = self.line(wizard, "Operating")
        line.write({"choice": "new", "import_from": self.today - timedelta(days=30)})
        wizard.action_check()
        first = line.opening
        line.import_from = self.today - timedelta(days=3)
        wizard.action_check()
        self.assertNotEqual(line.opening, first)
        self.assertEqual(len(self.calls(path="/balances")), 1)
        line.import_from = self.today - timedelta(days=50)
        wizard.action_check()
        self.assertEqual((line.opening, len(self.calls(path="/balances"))), (10000, 2))

    def test_a_journal_in_another_currency_is_refused(self):
        wizard = self.consent(self.connector)
        wizard.line_ids.choice = "skip"
        line = self.line(wizard, "Dollar")
        line.write({"choice": "existing", "journal_id": self.journal.id})
        with self.assertRaisesRegex(UserError, "Choose a journal in USD"):
            wizard.action_link()

    def test_a_second_link_of_a_journal_is_refused(self):
        link = self.link(connector=self.connector)
        wizard = self.consent(self.connector)
        # the account that is linked is renewed and not asked for again
        self.assertEqual(wizard.renewed_count, 1)
        self.assertFalse(self.line(wizard, "Operating"))
        line = self.line(wizard, "card")
        (wizard.line_ids - line).choice = "skip"
        line.write({"choice": "existing", "journal_id": self.journal.id, "decision": "accept"})
        with self.assertRaisesRegex(UserError, "is filled by the bank link"):
            wizard.action_link()
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
            link.sudo().copy({"remote_id": "another"})

    def test_linking_again_updates_the_link(self):
        link = self.link(connector=self.connector)
        old, lasting, first = link.request_id, link.remote_id, link.import_from
        wizard = self.consent(self.connector)
        self.assertEqual(wizard.renewed_count, 1)
        self.assertNotEqual(link.request_id, old)
        self.assertEqual(link.remote_id, lasting)
        self.assertEqual((link.import_from, link.state), (first, "active"))
        self.assertEqual(self.env["finance.bank.link"].search_count([]), 1)

    def test_who_says_no_changes_nothing(self):
        action = self.open_wizard(self.connector).action_continue()
        brought = self.visit(action["url"], "refuse")
        self.assertEqual(brought["error"], "access_denied")
        self.assertFalse(self.env["finance.bank.consent"].search([]))

    def test_a_state_serves_once_for_its_user_and_for_a_short_time(self):
        visits = self.env["finance.bank.visit"]
        action = self.open_wizard(self.connector).action_continue()
        brought = self.visit(action["url"])
        other = new_test_user(
            self.env, "other", "finance_connector_base.group_administrator",
            company_ids=[(6, 0, self.company.ids)], company_id=self.company.id,
        )  # fmt: skip
        self.assertIsNone(visits.with_user(other)._claim(brought["state"]))
        self.assertIsNone(visits._claim("made-up"))
        visit = visits.search([])
        visit.sudo().begun_at = fields.Datetime.now() - timedelta(minutes=31)
        self.env.flush_all()
        self.assertIsNone(visits._claim(brought["state"]))
        visit.sudo().begun_at = fields.Datetime.now()
        self.env.flush_all()
        self.assertTrue(visits._claim(brought["state"]))
        self.assertIsNone(visits._claim(brought["state"]))

    def test_only_controllers_and_administrators_link(self):
        user = new_test_user(
            self.env, "clerk", "finance_connector_base.group_user",
            company_ids=[(6, 0, self.company.ids)], company_id=self.company.id,
        )  # fmt: skip
        link = self.link(connector=self.connector)
        with self.assertRaises(AccessError):
            self.env["finance.bank.link.wizard"].with_user(user).create(
                {"connector_id": self.connector.id}
            )
        for button in ("action_renew", "action_pause", "action_resume", "action_history"):
            with self.assertRaises(AccessError):
                getattr(link.with_user(user), button)()
        with self.assertRaises(AccessError):
            link.with_user(user).write({"state": "paused"})
        link.with_user(user).action_pull()

    def test_another_company_sees_nothing(self):
        link = self.link(connector=self.connector)
        other = self.env["res.company"].create({"name": "Other"})
        user = new_test_user(
            self.env, "foreign", "finance_connector_base.group_administrator",
            company_ids=[(6, 0, other.ids)], company_id=other.id,
        )  # fmt: skip
        self.assertFalse(self.env["finance.bank.link"].with_user(user).search([]))
        with self.assertRaises(AccessError):
            link.with_user(user).action_pull()
        with self.assertRaises(AccessError):
            link.consent_id.with_user(user).read(["name"])

    def test_the_secret_of_a_consent_is_shown_nowhere(self):
        link = self.link(connector=self.connector)
        secret = link.consent_id._secret()
        self.assertTrue(secret)
        self.assertNotIn(secret, self.recorded())
        with self.assertRaises(AccessError):
            link.consent_id.read(["secret_sealed"])
        self.env.cr.execute("SELECT secret_sealed FROM finance_bank_consent")
        self.assertNotIn(secret.encode(), bytes(self.env.cr.fetchone()[0]))

    # === PULLS === #

    def test_one_range_call_and_nothing_twice(self):
        link = self.link(connector=self.connector)
        self.server.sandbox.log.clear()
        self.bank().add("operating", "77.00", "New one", name="Alster Werke AG")
        entries = self.pull(link)
        self.assertIn(Decimal("77.00"), [one.amount for one in entries])
        asked = [row for row in self.server.sandbox.log.as_list("enable_banking")
                 if "/transactions" in row["path"]]  # fmt: skip
        self.assertEqual(len({row["query"]["date_from"] for row in asked}), 1)
        self.assertEqual(link.pulled_until, self.today)
        # nothing new: nothing is handed on
        self.assertEqual(self.pull(link), [])
        self.assertEqual(len(self.received), 2)

    def test_before_the_first_day_nothing_is_imported(self):
        link = self.link(connector=self.connector, days=5)
        days = {one.booking_date for _link, statement in self.received for one in statement.entries}
        self.assertTrue(days)
        self.assertGreaterEqual(min(days), link.import_from)

    def test_the_quota_is_respected_and_shown(self):
        link = self.link(connector=self.connector)
        self.vendor("enable_banking").settings["calls_a_day"] = 0
        self.pull(link)
        self.assertEqual(link.calls_left, 0)
        self.assertIn("0 until", link.calls_words)
        self.assertEqual(link.next_pull_at, link.calls_reset_at)
        before = self.server.sandbox.log.counts()
        with self.assertRaisesRegex(UserError, "answers no more calls until"):
            link.action_pull()
        link.sudo().next_pull_at = fields.Datetime.now() - timedelta(minutes=1)
        link._cron_pull()
        drain_jobs(self.env)
        self.assertEqual(self.server.sandbox.log.counts(), before)
        self.vendor("enable_banking").settings["calls_a_day"] = 10
        with freeze_time(link.calls_reset_at + timedelta(minutes=1)):
            self.assertFalse(link._is_out_of_calls())

    def test_due_pulls_are_written_once(self):
        link = self.link(connector=self.connector)
        link.sudo().next_pull_at = fields.Datetime.now() - timedelta(minutes=1)
        link._cron_pull()
        jobs = self.env["finance.job"]._unfinished(link)
        self.assertEqual(jobs.mapped("operation"), ["bank.pull"])
        # four calls a day at most, however often is wished
        self.assertGreaterEqual(
            link.next_pull_at, fields.Datetime.now() + timedelta(hours=5, minutes=59)
        )
        link.sudo().next_pull_at = fields.Datetime.now() - timedelta(minutes=1)
        link._cron_pull()
        self.assertEqual(self.env["finance.job"]._unfinished(link), jobs)

    def test_a_consent_that_ended_is_renewed(self):
        link = self.link(connector=self.connector)
        self.vendor("enable_banking").expire(None)
        self.pull(link)
        self.assertEqual((link.state, link.consent_id.state), ("expired", "ended"))
        exception = self.env["finance.exception"].search([("code", "=", "bank.consent")])
        self.assertTrue(exception.can_bank_renew)
        self.assertIn(self.journal.name, exception.text)
        self.assertIn("Press Renew Consent and allow it again at the bank.", exception.text)
        with self.assertRaisesRegex(UserError, "not active"):
            link.action_pull()
        action = exception.action_bank_renew()
        self.bank().add("operating", "12.00", "While nobody looked")
        shown = self.come_back(self.visit(action["url"]))
        self.assertEqual(shown, link)
        self.assertEqual((link.state, link.consent_id.state), ("active", "active"))
        self.assertEqual(exception.state, "resolved")
        drain_jobs(self.env)
        amounts = [one.amount for _link, last in self.received[-1:] for one in last.entries]
        self.assertIn(Decimal("12.00"), amounts)

    def test_reminder_before_the_end_and_exception_after(self):
        link = self.link(connector=self.connector)
        consent = link.consent_id
        consent.sudo().until = fields.Datetime.now() + timedelta(days=10)
        consent._cron_watch()
        consent._cron_watch()
        self.assertEqual(len(link.activity_ids), 1)
        self.assertEqual(link.activity_ids.date_deadline, consent.until.date())
        consent.sudo().until = fields.Datetime.now() - timedelta(hours=1)
        consent._cron_watch()
        self.assertEqual((link.state, consent.state), ("expired", "ended"))
        self.come_back(self.visit(link.action_renew()["url"]))
        self.assertFalse(link.activity_ids)
        self.assertEqual(link.state, "active")

    def test_a_period_is_fetched_again(self):
        link = self.link(connector=self.connector, days=5)
        before = len(self.received)
        first, last = self.today - timedelta(days=45), self.today - timedelta(days=30)
        wizard = self.env["finance.bank.history"].create(
            {"link_id": link.id, "first": first, "last": last}
        )
        wizard.action_fetch()
        with self.assertRaisesRegex(UserError, "is being fetched"):
            wizard.action_fetch()
        drain_jobs(self.env)
        [(_link, statement)] = self.received[before:]
        amounts = [one.amount for one in statement.entries if one.status == "booked"]
        self.assertEqual(sorted(amounts), [Decimal("-238.00"), Decimal("1190.00")])
        self.assertFalse(link.history_from)

    def test_a_crash_before_the_end_imports_once(self):
        link = self.link(connector=self.connector)
        self.bank().add("operating", "5.00", "Crash")
        before, pulled = len(self.received), link.last_pull_at
        number = link.pull_number
        link.action_pull()
        job = self.env["finance.job"]._unfinished(link)
        note, failing = FinanceBankLink._note_until, [True]

        def gone(this, until):
            # after the import was handed on, before the cursor is written
            if failing:
                failing.pop()
                raise RuntimeError("gone between answer and end")
            return note(this, until)

        with patch.object(FinanceBankLink, "_note_until", gone), mute_logger(LANE):
            drain_jobs(self.env)
        # the answer is kept, and nothing of it is written
        self.assertEqual((job.state, link.last_pull_at), ("answered", pulled))
        asked = len(self.calls(path="/transactions"))
        drain_jobs(self.env, until_due=True)
        self.assertEqual(job.state, "done")
        # the first one was rolled back with everything else
        self.assertEqual(len(self.received), before + 2)
        self.assertEqual(len(self.calls(path="/transactions")), asked)
        self.assertEqual(link.pull_number, number + 1)

    def test_paging_that_breaks_begins_anew(self):
        link = self.link(connector=self.connector)
        self.vendor("enable_banking").settings["breaks"] = 1
        self.bank().add("operating", "6.00", "More")
        entries = self.pull(link)
        numbers = [one.unique_id for one in entries if one.unique_id]
        self.assertEqual(len(numbers), len(set(numbers)))
        self.assertIn(Decimal("6.00"), [one.amount for one in entries])

    def test_a_neutralised_copy_asks_no_bank(self):
        link = self.link(connector=self.connector)
        self.env.flush_all()
        with file_open("finance_bank_sync/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.assertEqual((link.state, link.consent_id._secret()), ("paused", ""))
        link._cron_pull()
        self.assertFalse(self.env["finance.job"]._unfinished(link))

    def test_the_addon_that_leaves_stops_its_connectors(self):
        link = self.link(connector=self.connector)
        uninstall_hook(self.env)
        self.assertEqual(link.connector_id.state, "paused")
        self.assertFalse(any(link.connector_id.credential_ids.mapped("has_value")))

    def test_stopped_means_stopped(self):
        link = self.link(connector=self.connector)
        with self.assertRaisesRegex(UserError, "stop the bank link"):
            link.unlink()
        link.action_pause()
        link.sudo().next_pull_at = fields.Datetime.now() - timedelta(minutes=1)
        link._cron_pull()
        self.assertFalse(self.env["finance.job"]._unfinished(link))
        link.action_resume()
        self.assertEqual(link.state, "active")
