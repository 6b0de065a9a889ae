"""Recording and voiding by jobs, in the order in which people did things."""

from dataclasses import replace
from decimal import Decimal

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.finance_connector_base.providers.errors import Rejected

from .common import ENGINE, TaxEngineCommon


@tagged("post_install", "-at_install")
class TestRecording(TaxEngineCommon):
    def jobs(self, move):
        """(operation, state) of the jobs of a document, oldest first."""
        jobs = self.env["finance.job"].search([("document_id", "=", move.id)], order="id")
        return [(job.operation, job.state) for job in jobs]

    def test_recorded_after_the_posting(self):
        move = self.create_houston_invoice()
        move.action_post()
        document = move.finance_tax_document_id
        self.assertFalse(self.recorded())
        self.drain()
        self.assertEqual(document.state, "committed")
        self.assertTrue(document.committed_at)
        self.assertEqual(self.jobs(move), [("tax.commit", "done")])
        code = f"{move.name}-{document.uuid[:8]}"
        self.assertEqual(list(self.recorded()), [code])
        request = self.recorded()[code]["request"]
        self.assertEqual(request["companyCode"], "DEFAULT")
        self.assertEqual(request["lines"][0]["description"], move.invoice_line_ids[0].name)
        self.assertEqual(self.server.sandbox.vendors["avatax"].state()["warnings"], [])
        operations = (
            self.env["finance.exchange"]
            .search([("trace_id", "=", document.trace_id)])
            .mapped("operation")
        )
        self.assertEqual(sorted(operations), ["tax.commit", "tax.quote"], "one trace")
        reference = self.env["finance.external.ref"]._of(move, self.connector)
        self.assertEqual(reference.external_id, str(self.recorded()[code]["id"]))
        self.assertEqual(
            self.env["finance.audit.event"]
            .search([("trace_id", "=", document.trace_id)])
            .filtered(lambda event: event.kind.startswith("tax"))
            .mapped("kind"),
            ["tax.recorded"],
        )

    def test_the_code_is_frozen_whatever_happens_to_the_name(self):
        move = self.create_houston_invoice()
        move.action_post()
        code = move.finance_tax_code
        move.name = "INV/2026/99999"
        self.drain()
        self.assertEqual(list(self.recorded()), [code])
        move.button_draft()
        move.invoice_line_ids[0].quantity = 1
        move.action_post()
        self.drain()
        self.assertEqual(move.finance_tax_code, f"{code}-2")
        self.assertEqual(list(self.recorded()), [f"{code}-2"])

    def test_reset_after_the_recording_voids(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        code = move.finance_tax_code
        move.button_draft()
        self.assertEqual(move.finance_tax_state, "voiding")
        self.drain()
        self.assertEqual(move.finance_tax_state, "voided")
        self.assertFalse(self.recorded())
        self.assertEqual(list(self.recorded("Cancelled")), [code])

    def test_cancel_voids(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        move.button_cancel()
        self.drain()
        self.assertEqual((move.state, move.finance_tax_state), ("cancel", "voided"))
        self.assertFalse(self.recorded())

    def test_recording_and_void_cancel_each_other_before_the_lane_runs(self):
        move = self.create_houston_invoice()
        move.action_post()
        calls = self.calls
        move.button_draft()
        self.assertEqual(self.jobs(move), [("tax.commit", "cancelled")])
        self.assertEqual(move.finance_tax_state, "estimated")
        self.drain()
        self.assertEqual(self.calls, calls)
        self.assertFalse(self.recorded() or self.recorded("Cancelled"))

    def test_post_reset_edit_repost_before_the_lane_runs(self):
        move = self.create_houston_invoice()
        move.action_post()
        move.button_draft()
        move.invoice_line_ids[0].quantity = 4
        move.action_post()
        self.drain()
        self.assertEqual(move.finance_tax_state, "committed")
        self.assertEqual(
            [float(kept["totalTax"]) for kept in self.recorded().values()], [move.amount_tax]
        )
        self.assertEqual(list(self.recorded()), [move.finance_tax_code])

    def test_post_record_reset_edit_repost_leaves_one_recorded_document(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        for quantity in (4, 5):
            move.button_draft()
            move.invoice_line_ids[0].quantity = quantity
            move.action_post()
        self.drain()
        self.assertEqual(list(self.recorded()), [move.finance_tax_code])
        self.assertEqual(float(self.recorded()[move.finance_tax_code]["totalTax"]), move.amount_tax)
        self.assertEqual(len(self.recorded("Cancelled")), 1)
        self.assertEqual(move.finance_tax_document_id.revision, 3)

    def test_a_draft_with_waiting_work_is_not_deleted(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        move.button_draft()
        move.name = False
        with self.assertRaisesRegex(UserError, "Make a recorded document void"):
            move.unlink()
        self.drain()
        move.unlink()
        self.assertFalse(move.exists())

    def test_a_computed_draft_is_deleted_like_any_other(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        document = move.finance_tax_document_id
        move.unlink()
        self.assertFalse(document.exists() or move.exists())

    def test_refused_by_the_engine(self):
        move = self.create_houston_invoice()
        move.action_post()
        document = move.finance_tax_document_id
        operation = self.env["finance.operation.tax.commit"]

        def refuse(provider, request):
            raise Rejected("The company code is not known.", code="InvalidCompanyCode")

        self.patch(type(operation), "_call", staticmethod(refuse))
        self.drain()
        self.assertEqual(document.state, "refused")
        exception = self.exceptions(move, "tax.rejected")
        self.assertEqual(len(exception), 1)
        self.assertIn("The company code is not known.", exception.text)
        self.assertIn("missing from the tax return", exception.effect)

        move.button_draft()
        self.assertFalse(self.exceptions(move))
        self.assertEqual(self.jobs(move)[0], ("tax.commit", "cancelled"))

    def test_recorded_by_hand(self):
        move = self.create_houston_invoice()
        move.action_post()
        job = self.env["finance.job"].search([("document_id", "=", move.id)])
        job._done_outside("entered in the engine", move.invoice_date)
        self.assertEqual((job.state, move.finance_tax_state), ("done", "committed"))
        calls = self.calls
        self.drain()
        self.assertEqual(self.calls, calls)

    def test_a_locked_document_can_not_be_voided(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.drain()
        for kept in self.server.sandbox.vendors["avatax"].documents.values():
            kept.locked = True
        move.button_draft()
        self.drain()
        self.assertEqual(move.finance_tax_state, "locked")
        exception = self.exceptions(move, "tax.locked")
        self.assertEqual(len(exception), 1)
        self.assertIn("credit note", exception.text)

    def test_what_the_engine_records_is_compared_with_the_books(self):
        move = self.create_houston_invoice()
        move.action_post()
        document = move.finance_tax_document_id
        engine = self.env["finance.operation.tax.commit"]
        commit = type(engine)._call

        def other(provider, request):
            result = commit(provider, request)
            first, *rest = result.taxes
            return replace(
                result,
                taxes=(replace(first, amount=first.amount + 1), *rest),
                total_tax=result.total_tax + Decimal(1),
            )

        self.patch(type(engine), "_call", staticmethod(other))
        self.drain()
        self.assertEqual(document.state, "mismatch")
        exception = self.exceptions(move, "tax.mismatch")
        self.assertEqual((exception.amount, exception.blocks_close), (1.0, True))
        self.assertIn("10.64 of tax", exception.text)
        self.assertIn("says 11.64", exception.text)

    def test_a_hand_made_tax_amount_is_never_posted_silently(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        item = move.line_ids.filtered(lambda line: line.tax_line_id.amount == 6.25)
        due = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
        move.with_context(skip_invoice_sync=True, check_move_validity=False).write(
            {
                "line_ids": [
                    Command.update(item.id, {"amount_currency": item.amount_currency - 0.5}),
                    Command.update(due.id, {"amount_currency": due.amount_currency + 0.5}),
                ]
            }
        )
        move.action_post()
        self.assertEqual(move.finance_tax_state, "mismatch")
        self.assertTrue(self.exceptions(move, "tax.mismatch"))
        self.assertFalse(self.jobs(move), "nothing is recorded before somebody decides")
        move.button_draft()
        self.assertFalse(self.exceptions(move))

    def test_each_company_uses_its_own_connector(self):
        other_data = self.setup_other_company()
        other = other_data["company"]
        self.set_address(other.partner_id, "Irvine", self.env.ref("base.state_us_5"), "92618")
        other.account_fiscal_country_id = self.env.ref("base.us")
        other_connector = self.create_connector(other, "SECOND")
        first = self.create_houston_invoice()
        second = self.create_houston_invoice(
            company_id=other.id, journal_id=other_data["default_journal_sale"].id
        )
        self.assertEqual(second.company_id, other)
        (first | second).action_post()
        self.drain()
        self.assertEqual(first.finance_tax_document_id.connector_id, self.connector)
        self.assertEqual(second.finance_tax_document_id.connector_id, other_connector)
        self.assertEqual(
            {kept["companyCode"] for kept in self.recorded().values()}, {"DEFAULT", "SECOND"}
        )
        self.assertFalse(
            first.invoice_line_ids.tax_ids & second.invoice_line_ids.tax_ids,
            "taxes belong to a company",
        )
        self.assertEqual(self.by_kind(second), ENGINE)

    def test_an_incomplete_address_is_named_before_any_call(self):
        self.customer.zip = False
        move = self.create_houston_invoice()
        self.assertIn("ZIP", move.finance_tax_obstacle)
        with self.assertRaisesRegex(UserError, "ZIP"):
            move.action_post()
        self.assertEqual(self.calls, 0)

    def test_accountants_read_and_nobody_writes_by_hand(self):
        move = self.create_houston_invoice()
        user = new_test_user(
            self.env,
            "tax_clerk",
            groups="account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        clerk = move.with_user(user).with_company(self.company)
        clerk.action_post()
        self.assertEqual(clerk.finance_tax_state, "posted")
        self.assertEqual(len(clerk.finance_tax_line_ids.read(["name", "amount"])), 3)
        with self.assertRaises(AccessError):
            clerk.finance_tax_document_id.state = "committed"
        with self.assertRaises(AccessError):
            clerk.finance_tax_document_id.read(["result"])
