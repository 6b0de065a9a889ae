"""The engine does not answer."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.finance_connector_base.providers.errors import Rejected

from .common import ENGINE, TaxEngineCommon


@tagged("post_install", "-at_install")
class TestOutage(TaxEngineCommon):
    def test_refusing_names_engine_document_and_what_to_do(self):
        move = self.create_houston_invoice()
        self.break_engine()
        with self.assertRaises(UserError) as refused:
            move.action_post()
        words = str(refused.exception)
        for part in (self.connector.name, move.display_name, "Try again", "fallback rate"):
            self.assertIn(part, words)
        self.assertEqual(move.state, "draft")

    def test_the_button_never_falls_back(self):
        self.workflow.tax_outage = "fallback"
        move = self.create_houston_invoice()
        self.break_engine()
        with self.assertRaisesRegex(UserError, "does not answer"):
            move.action_finance_compute_tax()

    def test_a_computed_draft_is_posted_without_the_engine(self):
        move = self.create_houston_invoice()
        move.action_finance_compute_tax()
        self.break_engine()
        move.action_post()
        self.assert_exact(move)

    def test_fallback_with_the_taxes_of_the_lines(self):
        self.workflow.tax_outage = "fallback"
        move = self.create_houston_invoice()
        taxes = move.invoice_line_ids.tax_ids
        self.break_engine()
        move.action_post()
        self.assertEqual((move.state, move.finance_tax_state), ("posted", "fallback"))
        self.assertEqual(move.invoice_line_ids.tax_ids, taxes)
        self.assertFalse(move.finance_tax_line_ids)
        exception = self.exceptions(move, "tax.fallback")
        self.assertEqual(len(exception), 1)
        self.assertEqual(
            exception.effect,
            f"Invoice is posted with the fallback rate; nothing is recorded at "
            f"{self.connector.name}.",
        )
        self.assertTrue(exception.blocks_close and exception.can_tax_verify)
        self.mend_engine()
        self.drain()
        self.assertFalse(self.recorded())

    def test_fallback_with_the_rates_last_known_there(self):
        self.workflow.tax_outage = "fallback"
        self.create_houston_invoice().action_post()
        move = self.create_houston_invoice(invoice_date="2026-03-05")
        self.break_engine()
        move.action_post()
        self.assertEqual(set(self.by_kind(move)), set(ENGINE))
        self.assertNotEqual(self.by_kind(move), ENGINE)
        self.assertEqual(move.finance_tax_state, "fallback")

    def test_asking_later_records_where_the_tax_is_right(self):
        self.workflow.tax_outage = "fallback"
        self.exempt(entity_use_code="N")
        move = self.create_houston_invoice()
        move.invoice_line_ids.tax_ids = False
        self.break_engine()
        move.action_post()
        self.mend_engine()
        exception = self.exceptions(move, "tax.fallback")
        exception.action_tax_verify()
        self.assertEqual(exception.state, "resolved")
        self.drain()
        self.assertEqual(move.finance_tax_state, "committed")
        self.assertEqual(len(self.recorded()), 1)

    def test_asking_later_says_the_difference(self):
        self.workflow.tax_outage = "fallback"
        move = self.create_houston_invoice()
        self.break_engine()
        move.action_post()
        self.mend_engine()
        self.exceptions(move, "tax.fallback").action_tax_verify()
        exception = self.exceptions(move)
        self.assertEqual(exception.code, "tax.true_up")
        self.assertIn("10.64", exception.text)
        exception.action_tax_repost()
        self.assertEqual(exception.state, "resolved")
        self.assert_exact(move)
        self.drain()
        self.assertEqual(move.finance_tax_state, "committed")

    def test_a_credit_note_of_an_unrecorded_invoice_is_not_recorded(self):
        self.workflow.tax_outage = "fallback"
        move = self.create_houston_invoice()
        self.break_engine()
        move.action_post()
        self.mend_engine()
        refund = move._reverse_moves([{"invoice_date": "2026-04-01"}], cancel=True)
        self.assertEqual(refund.finance_tax_state, "fallback")
        self.assertAlmostEqual(refund.amount_tax, move.amount_tax)
        self.drain()
        self.assertFalse(self.recorded())

    def test_a_stopped_connector_is_an_outage(self):
        self.workflow.tax_outage = "fallback"
        self.connector.action_pause()
        move = self.create_houston_invoice()
        move.action_post()
        self.assertEqual(move.finance_tax_state, "fallback")
        self.assertEqual(self.calls, 0)

    def test_refused_credentials_reach_the_administrator_too(self):
        self.workflow.tax_outage = "fallback"
        row = self.connector.setting_ids.filtered(lambda row: row.name == "account_id")
        row.value = "1100000009"
        move = self.create_houston_invoice()
        move.action_post()
        self.assertEqual(move.finance_tax_state, "fallback")
        self.assertEqual(self.connector.state, "attention")

    def test_an_unusable_answer_is_a_drift_of_the_contract(self):
        self.workflow.tax_outage = "fallback"
        move = self.create_houston_invoice()
        self.break_engine("malformed")
        move.action_post()
        drift = self.env["finance.exception"].search(
            [("code", "=", "contract.drift"), ("connector_id", "=", self.connector.id)]
        )
        self.assertEqual(len(drift), 1)

    def test_an_address_that_the_engine_refuses_is_no_outage(self):
        self.workflow.tax_outage = "fallback"

        def refuse(provider, request):
            raise Rejected("No such ZIP code.", code="InvalidZip")

        operation = self.env["finance.operation.tax.quote"]
        self.patch(type(operation), "_call", staticmethod(refuse))
        move = self.create_houston_invoice()
        with self.assertRaisesRegex(UserError, "No such ZIP code"):
            move.action_post()

    def test_recording_waits_for_the_engine(self):
        move = self.create_houston_invoice()
        move.action_post()
        self.break_engine("act_then_500", times=1)
        self.drain()
        self.assertEqual(move.finance_tax_state, "posted")
        self.mend_engine()
        self.drain(until_due=True)
        self.assertEqual(move.finance_tax_state, "committed")
        self.assertEqual(len(self.recorded()), 1)

    def test_an_answer_outside_the_contract_is_never_booked(self):
        move = self.create_houston_invoice()
        self.break_engine("malformed")
        with self.assertRaises(UserError):
            move.action_post()
        self.assertEqual(move.state, "draft")
