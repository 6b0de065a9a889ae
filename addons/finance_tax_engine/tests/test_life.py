"""What becomes of a recorded document: recorded again, filed, repaired; and its history."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import ENGINE, TaxEngineCommon


@tagged("post_install", "-at_install")
class TestLife(TaxEngineCommon):
    def recorded_invoice(self, **values):
        """A posted invoice that the engine has recorded."""
        move = self.create_houston_invoice(**values)
        move.action_post()
        self.drain()
        self.assertEqual(move.finance_tax_state, "committed")
        return move

    def file_return(self):
        """Let the engine file all that it has."""
        for kept in self.server.sandbox.vendors["avatax"].documents.values():
            kept.locked = True

    def versions(self, move):
        """The history of a document at the engine, oldest first."""
        rows = move.finance_tax_document_id.version_ids.sorted("number")
        return [(row.action, row.code, row.amount_tax, row.counts) for row in rows]

    # === HISTORY === #

    def test_every_posting_is_kept_with_code_and_tax(self):
        move = self.recorded_invoice()
        first = move.finance_tax_code
        move.button_draft()
        move.invoice_line_ids[0].quantity = 4
        move.action_post()
        self.drain()
        self.assertEqual(
            self.versions(move),
            [
                ("recorded", first, 10.64, True),
                ("voided", first, 0.0, False),
                ("recorded", f"{first}-2", move.amount_tax, True),
            ],
        )

    # === RECORDED AGAIN === #

    def test_record_again_replaces_what_the_engine_has(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.answer_once("tax.commit", self.one_more)
        self.drain()
        exception = self.exceptions(move, "tax.mismatch")
        self.assertTrue(exception.can_tax_adjust)
        exception.action_tax_adjust()
        self.assertEqual((move.finance_tax_state, exception.state), ("posted", "resolved"))
        self.drain()
        self.assertEqual(move.finance_tax_state, "committed")
        [kept] = self.recorded().values()
        self.assertEqual((kept["adjusted"], float(kept["totalTax"])), (1, 10.64))
        self.assertEqual([row[0] for row in self.versions(move)], ["recorded", "adjusted"])
        with self.assertRaisesRegex(UserError, "can't be recorded again"):
            move.finance_tax_document_id.action_record_again()

    def test_recording_again_is_not_sent_after_a_reset(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.answer_once("tax.commit", self.one_more)
        self.drain()
        move.finance_tax_document_id.action_record_again()
        move.button_draft()
        self.drain()
        self.assertEqual(move.finance_tax_state, "voided")
        [kept] = self.recorded("Cancelled").values()
        self.assertEqual(kept["adjusted"], 0)

    def test_a_mismatch_that_stays_is_said_again(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.answer_once("tax.commit", self.one_more)
        self.answer_once("tax.adjust", self.one_more)
        self.drain()
        move.finance_tax_document_id.action_record_again()
        self.drain()
        self.assertEqual(move.finance_tax_state, "mismatch")
        self.assertTrue(self.exceptions(move, "tax.mismatch"))

    # === FILED === #

    def test_what_was_filed_is_credited_and_billed_again(self):
        move = self.recorded_invoice()
        self.file_return()
        code = move.finance_tax_code
        move.button_draft()
        self.drain()
        exception = self.exceptions(move, "tax.locked")
        self.assertTrue(exception.can_tax_rebill)
        self.assertIn("credit note", exception.text)
        action = exception.action_tax_rebill()
        self.assertEqual((move.state, move.finance_tax_state), ("posted", "locked"))
        self.assertEqual(move.finance_tax_code, code)
        self.assertFalse(self.exceptions(move))
        drafts = self.env["account.move"].search(action["domain"])
        self.assertEqual(set(drafts.mapped("state")), {"draft"})
        credit, invoice = drafts.sorted(lambda row: row.move_type == "out_invoice")
        self.assertEqual(credit.reversed_entry_id, move)
        invoice.invoice_line_ids[0].quantity = 4
        drafts.action_post()
        self.assert_exact(credit, ENGINE)
        self.drain()
        taxes = {key: float(row["totalTax"]) for key, row in self.recorded().items()}
        self.assertEqual(
            taxes,
            {
                code: 10.64,
                credit.finance_tax_code: -10.64,
                invoice.finance_tax_code: invoice.amount_tax,
            },
        )

    def test_what_was_filed_is_not_posted_again_changed(self):
        move = self.recorded_invoice()
        self.file_return()
        move.button_draft()
        self.drain()
        move.invoice_line_ids[0].quantity = 4
        with self.assertRaisesRegex(UserError, "filed with a tax return"):
            move.action_post()
        move.invoice_line_ids[0].quantity = 3
        calls = self.calls
        move.action_post()
        self.drain()
        self.assertEqual((move.finance_tax_state, self.calls), ("locked", calls))

    def test_what_is_known_to_be_filed_is_not_reset(self):
        move = self.recorded_invoice()
        move.finance_tax_document_id.sudo().state = "locked"
        for button in ("button_draft", "button_cancel"):
            with self.assertRaisesRegex(UserError, "credit note"):
                getattr(move, button)()
        self.assertFalse(self.env["finance.job"]._unfinished(move))

    def test_a_filed_document_is_not_adjusted(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.answer_once("tax.commit", self.one_more)
        self.drain()
        self.file_return()
        move.finance_tax_document_id.action_record_again()
        self.drain()
        self.assertEqual(move.finance_tax_state, "locked")
        self.assertTrue(self.exceptions(move, "tax.locked"))

    def test_no_void_before_odoos_own_lock_dates(self):
        move = self.recorded_invoice()
        self.company.fiscalyear_lock_date = "2026-06-30"
        with self.assertRaises(UserError):
            move.button_draft()
        self.assertFalse(self.env["finance.job"]._unfinished(move))
        self.assertEqual(move.finance_tax_state, "committed")
        self.drain()
        self.assertEqual(len(self.recorded()), 1)

    # === REPAIRS === #

    def test_a_controller_undoes_a_void_at_the_engine(self):
        move = self.recorded_invoice()
        [kept] = self.server.sandbox.vendors["avatax"].documents.values()
        kept.before_void = kept.status
        kept.set_status("Cancelled")
        move.finance_tax_document_id.action_unvoid()
        self.drain()
        self.assertEqual(list(self.recorded()), [move.finance_tax_code])
        self.assertEqual(move.finance_tax_state, "committed")
        self.assertEqual(self.versions(move)[-1][0], "unvoided")
        events = self.env["finance.audit.event"].search([("kind", "=", "tax.unvoided")])
        self.assertEqual(len(events), 1)

    def test_taken_out_of_the_return_and_recorded_again(self):
        move = self.recorded_invoice()
        document = move.finance_tax_document_id
        document.action_uncommit()
        self.drain()
        self.assertEqual((move.finance_tax_state, document.committed_at), ("mismatch", False))
        self.assertEqual(list(self.recorded("Saved")), [move.finance_tax_code])
        document.action_record_again()
        self.drain()
        self.assertEqual(move.finance_tax_state, "committed")
        self.assertEqual(list(self.recorded()), [move.finance_tax_code])

    def test_only_controllers_repair(self):
        move = self.recorded_invoice()
        clerk = new_test_user(
            self.env,
            "life_clerk",
            groups="account.group_account_invoice,finance_connector_base.group_user",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        document = move.finance_tax_document_id.with_user(clerk).with_company(self.company)
        for button in ("action_unvoid", "action_uncommit"):
            with self.assertRaises(AccessError):
                getattr(document, button)()
        self.assertFalse(self.env["finance.job"]._unfinished(move))
