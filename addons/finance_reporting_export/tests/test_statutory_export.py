"""Checks, states, roles, the sealed file, and what makes it final."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from odoo.addons.finance_connector_base.tests.common import drain_jobs
from odoo.addons.finance_connector_base.tests.rpc import public_methods

from .statutory import StatutoryCase

PUBLIC = {
    "finance.statutory.export": {
        "action_check",
        "action_download",
        "action_final",
        "action_make",
        "action_reset",
    },
    "finance.statutory.finding": {"action_map", "action_open"},
    "finance.statutory.part": set(),
}


@tagged("post_install", "-at_install")
class TestStatutoryExport(StatutoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.book_a_year()

    # === CHECKS === #

    def _draft(self):
        self.post("2025-05-05", ("512000", 1.0, None), ("101000", -1.0, None)).button_draft()

    def _unbalanced(self):
        line = self.sold.line_ids.filtered("debit")[:1]
        self.env.cr.execute(
            "UPDATE account_move_line SET debit = debit + 1, balance = balance + 1 WHERE id = %s",
            line.ids,
        )

    def _gap(self):
        self.env.cr.execute(
            "UPDATE account_move SET sequence_number = sequence_number + 2 WHERE id = %s",
            self.sold.ids,
        )

    def _same_number(self):
        self.env.cr.execute(
            "UPDATE account_move SET name = %s WHERE id = %s", (self.sold.name, self.paid.id)
        )

    def _same_partner(self):
        self.client.ref = self.supplier.ref = "007"

    def _same_code(self):
        self.env.cr.execute(
            "UPDATE account_account SET code_store = %s WHERE id = %s",
            (f'{{"{self.company.id}": "512000"}}', self.accounts["101000"].id),
        )

    def _no_code(self):
        self.env.cr.execute(
            "UPDATE account_account SET code_store = NULL WHERE id = %s",
            self.accounts["607000"].ids,
        )

    def _no_earnings(self):
        self.accounts["120000"].account_type = "equity"

    def _opening(self):
        self.env.cr.execute(
            "UPDATE account_move_line SET balance = balance + 1"
            " WHERE date < '2025-01-01' AND account_id = %s",
            self.accounts["512000"].ids,
        )

    def _no_siren(self):
        self.company.company_registry = "732 829 321"

    def _without_partner(self):
        self.post("2025-05-05", ("411000", 1.0, None), ("101000", -1.0, None))

    def test_planted_faults(self):
        """Each is told, with the records; what is wrong stops the file."""
        for plant, code, level in (
            (self._draft, "drafts", "stop"),
            (self._unbalanced, "unbalanced", "stop"),
            (self._gap, "gaps", "explain"),
            (self._same_number, "same_number", "stop"),
            (self._same_partner, "same_partner", "stop"),
            (self._same_code, "same_code", "stop"),
            (self._no_code, "no_code", "stop"),
            (self._no_earnings, "no_earnings", "stop"),
            (self._opening, "opening_unbalanced", "stop"),
            (self._no_siren, "no_siren", "stop"),
            (self._without_partner, "without_partner", "note"),
        ):
            with self.subTest(code):
                savepoint = self.env.cr.savepoint()
                plant()
                self.env.flush_all()
                self.env.invalidate_all()
                export = self.export("fec")
                export.action_check()
                found = export.finding_ids.filtered(lambda row, code=code: row.code == code)
                self.assertEqual(found.level, level, self.codes(export))
                self.assertEqual(export.state, "ready" if level == "note" else "blocked")
                self.assertNotIn("%(", found.words)
                self.assertNotEqual(found.words, code)
                if found.res_model:
                    self.assertTrue(found.action_open()["domain"][0][2])
                savepoint.close(rollback=True)

    def test_nothing_posted(self):
        export = self.export("fec", first="2023-01-01", last="2023-12-31")
        export.action_check()
        self.assertEqual(self.codes(export), {"nothing"})

    def test_a_gap_needs_a_reason(self):
        self._gap()
        export = self.export("fec")
        export.action_check()
        self.assertEqual(export.state, "blocked")
        with self.assertRaises(UserError):
            export.action_make()
        export.explanation = "Test numbers of the first day"
        export.action_check()
        self.assertEqual(export.state, "ready")

    def test_what_breaks_before_the_job_runs(self):
        export = self.export("fec")
        export.action_check()
        export.action_make()
        self._draft()
        drain_jobs(self.env)
        self.assertEqual((export.state, export.digest), ("blocked", False))
        self.assertFalse(self.parts(export))

    # === FINAL === #

    def parts(self, export):
        return self.env["finance.statutory.part"].search([("export_id", "=", export.id)])

    def test_final_only_under_a_lock_and_unchanged(self):
        export = self.made("fec")
        with self.assertRaisesRegex(UserError, "locked"):
            export.action_final()
        self.assertFalse(self.company.fiscalyear_lock_date)
        late = self.post("2025-09-09", ("512000", 1.0, None), ("101000", -1.0, None))
        self.company.fiscalyear_lock_date = "2025-12-31"
        export.action_final()
        drain_jobs(self.env)
        self.assertEqual((export.state, export.outdated), ("made", True))
        export.action_make()
        drain_jobs(self.env)
        self.assertIn(late.name, self.content(export).decode())
        export.action_final()
        drain_jobs(self.env)
        self.assertEqual((export.state, export.outdated), ("final", False))
        self.assertEqual(str(self.company.fiscalyear_lock_date), "2025-12-31")
        self._check_final(export)

    def test_not_final_while_somebody_has_an_exception_from_the_lock(self):
        export = self.made("fec")
        self.company.fiscalyear_lock_date = "2025-12-31"
        exception = self.env["account.lock_exception"].create(
            {
                "company_id": self.company.id,
                "user_id": self.env.uid,
                "fiscalyear_lock_date": "2025-06-30",
                "reason": "Test",
            }
        )
        with self.assertRaisesRegex(UserError, "for everybody"):
            export.action_final()
        exception.action_revoke()
        export.action_final()
        drain_jobs(self.env)
        self.assertEqual(export.state, "final")

    def test_what_stopped_is_told_and_does_not_keep_the_next_one_waiting(self):
        export = self.made("fec")
        self.company.fiscalyear_lock_date = "2025-12-31"
        export.action_final()
        self.company.fiscalyear_lock_date = False
        drain_jobs(self.env)
        self.assertEqual(export.state, "made")
        domain = [("document_model", "=", export._name), ("document_id", "=", export.id)]
        exception = self.env["finance.exception"].search(domain)
        self.assertEqual((exception.code, exception.state), ("statutory.unproved", "open"))
        self.assertIn("not locked", exception.text)
        # tried again before anything has changed: the same
        exception.with_user(self.controller).action_retry()
        drain_jobs(self.env)
        self.assertEqual((export.state, exception.state), ("made", "open"))
        self.company.fiscalyear_lock_date = "2025-12-31"
        export.action_final()
        drain_jobs(self.env)
        self.assertEqual((export.state, exception.state), ("final", "resolved"))

    def test_a_file_that_is_not_the_ledger_is_told(self):
        """Parts of cents, which only the sum of the ledger shows: nothing is kept, and at once."""
        move = self.post(
            "2025-07-07", ("512000", 1.0, None), ("512000", 1.0, None), ("101000", -2.0, None)
        )
        for column, value, balance in (("debit", 1.004, 1.004), ("credit", 2.008, -2.008)):
            self.env.cr.execute(
                SQL(
                    "UPDATE account_move_line SET %(column)s = %(value)s, balance = %(balance)s"
                    " WHERE move_id = %(move)s AND %(column)s > 0",
                    column=SQL.identifier(column), value=value, balance=balance, move=move.id,
                )
            )  # fmt: skip
        self.env.invalidate_all()
        export = self.export("fec")
        export.action_check()
        export.action_make()
        drain_jobs(self.env)
        exception = self.env["finance.exception"].search(
            [("code", "=", "statutory.unwritten"), ("document_id", "=", export.id)]
        )
        self.assertEqual((export.state, exception.state), ("ready", "open"))
        self.assertIn("not what the ledger says", exception.text)
        self.assertFalse(self.parts(export))

    def test_the_lock_date_is_set_by_an_administrator(self):
        settings = self.env["res.config.settings"].create({"company_id": self.company.id})
        settings.finance_lock_date = "2025-12-31"
        self.assertEqual(str(self.company.fiscalyear_lock_date), "2025-12-31")

    def _check_final(self, export):
        for change in (
            export.action_make,
            export.action_reset,
            export.unlink,
            lambda: export.write({"separator": "|"}),
        ):
            with self.assertRaises(UserError):
                change()
        kinds = self.env["finance.audit.event"].search(
            [("res_model", "=", export._name), ("res_id", "=", export.id)]
        )
        told = {"statutory.made", "statutory.outdated", "statutory.final", "payload.opened"}
        self.assertLessEqual(told, set(kinds.mapped("kind")))

    def test_a_change_must_be_checked_again(self):
        export = self.export("fec")
        export.action_check()
        export.separator = "|"
        self.assertEqual(export.state, "draft")
        with self.assertRaises(UserError):
            export.action_make()

    # === THE FILE === #

    def test_sealed_and_whole(self):
        export = self.made("fec")
        content, parts = self.content(export), self.parts(export)
        self.assertEqual(len(content), export.size)
        self.assertEqual(parts._fields["content_sealed"].groups, NO_ACCESS)
        self.env.cr.execute("SELECT content_sealed FROM finance_statutory_part")
        self.assertNotIn(b"JournalCode", bytes(self.env.cr.fetchone()[0]))
        for user in (self.controller, self.auditor):
            with self.assertRaises(AccessError):
                parts.with_user(user).read(["content_sealed"])
        self.assertIn(parts._name, self.env["finance.vault"]._resealed_models())
        self.env.cr.execute("DELETE FROM finance_statutory_part WHERE id = %s", parts[-1:].ids)
        with self.assertRaisesRegex(UserError, "digest"):
            self.content(export)

    # === ROLES === #

    def test_controllers_make_and_auditors_read(self):
        export = self.made("fec")
        self.assertTrue(export.with_user(self.auditor).action_download())
        for button in ("action_check", "action_make", "action_final", "action_reset"):
            with self.subTest(button), self.assertRaises(AccessError):
                getattr(export.with_user(self.auditor), button)()
            with self.subTest(button), self.assertRaises(AccessError):
                getattr(export.with_user(self.accountant), button)()
        with self.assertRaises(AccessError):
            export.with_user(self.accountant).action_download()
        with self.assertRaises(AccessError):
            export.with_user(self.auditor).write({"separator": "|"})
        for values in ({"state": "final"}, {"digest": "x"}, {"outdated": True}):
            with self.subTest(values), self.assertRaises(UserError):
                export.write(values)
        with self.assertRaises(UserError):
            self.export("fec", state="final")

    def test_another_company_sees_nothing(self):
        export = self.made("fec")
        other = self.new_company("Autre", "552 100 554")
        stranger = new_test_user(
            self.env, "statutory_stranger",
            "finance_connector_base.group_controller,account.group_account_readonly",
            company_id=other.id, company_ids=[Command.set(other.ids)],
        )  # fmt: skip
        theirs = self.env(user=stranger, context={"allowed_company_ids": other.ids})
        for model in PUBLIC:
            self.assertFalse(theirs[model].search([]))
        for button in ("action_download", "action_check", "_open_file"):
            with self.assertRaises(AccessError):
                getattr(theirs[export._name].browse(export.id), button)()

    def test_a_branch_one_may_not_read(self):
        self.env["res.company"].create({"name": "Filiale", "parent_id": self.company.id})
        self.controller.company_ids = self.company
        with self.assertRaises(AccessError):
            self.export("fec").action_check()

    def test_public_methods(self):
        for model, public in PUBLIC.items():
            self.assertEqual(public_methods(self.env[model], self.test_module), public, model)
