"""The way of a document through Stripe Tax, TaxJar and Fixed rates, from connector to recording."""

from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import UserError

from .common import TaxEngineCommon

# What percentages make of the fixture, rounded half up on each line.
FIXED = {"state": 7.99, "county": 1.24, "city": 1.43}


class EngineCase(TaxEngineCommon):
    """A company whose tax comes from another engine than AvaTax."""

    provider = prefix = secret = ""
    secret_name = ""

    @classmethod
    def create_connector(cls, company, _company_code):
        """Return a ready connector of the class's provider, with a tax workflow of ``company``."""
        connector = cls.env["finance.connector"].create(
            {
                "name": cls.provider,
                "provider": cls.provider,
                "environment": "local" if cls.prefix else "sandbox",
                "local_url": cls.prefix and f"{cls.server.url}/{cls.prefix}",
                "company_ids": [Command.set(company.ids)],
                "rate_per_second": 10_000,
                "rate_burst": 10_000,
            }
        )
        cls.env["finance.workflow"].create(
            {"connector_id": connector.id, "company_id": company.id, "flow": "tax"}
        )
        if cls.secret:
            rows = connector.credential_ids.filtered(lambda row: row.name == cls.secret_name)
            rows.value = cls.secret
        cls.tested = connector.action_test()
        return connector

    @property
    def calls(self):
        return self.server.sandbox.log.counts().get(self.prefix, 0)

    def vendor(self):
        return self.server.sandbox.vendors[self.prefix].state()

    def posted(self, **values):
        invoice = self.create_houston_invoice(invoice_date=fields.Date.today(), **values)
        invoice.action_post()
        return invoice

    def credited(self, invoice, **values):
        refund = invoice._reverse_moves([{"invoice_date": fields.Date.today(), **values}])
        return refund


class TestStripe(EngineCase):
    provider, prefix = "stripe_tax", "stripe"
    secret_name, secret = "secret_key", "sk_test_SandboxStripe0001"

    def test_a_connector_is_tested_quotes_and_records(self):
        self.assertEqual(self.tested["params"]["message"], "Stripe Tax, test mode")
        self.assertEqual(self.connector.state, "ready")
        invoice = self.posted()
        self.assert_exact(invoice)
        self.drain()
        document = invoice.finance_tax_document_id
        self.assertEqual((document.state, self.calls), ("committed", 2))
        [transaction] = self.vendor()["transactions"]
        self.assertEqual(transaction["reference"], document._code())
        self.assertEqual(document.engine_id, transaction["id"])

    def test_credit_notes_reverse_lines_of_the_invoice(self):
        invoice = self.posted()
        refund = self.credited(invoice)
        refund.invoice_line_ids[0].unlink()
        refund.invoice_line_ids[0].quantity = 1
        refund.action_post()
        self.drain(until_due=True)
        invoice_made, reversal = self.vendor()["transactions"]
        self.assertEqual(reversal["reversal"]["original_transaction"], invoice_made["id"])
        amounts = [(row["reference"], row["amount"]) for row in reversal["items"]]
        self.assertEqual(amounts, [("1", -3000), ("2", -777)])
        self.assertEqual(
            -sum(row["amount_tax"] for row in reversal["items"]), round(refund.amount_tax * 100)
        )
        self.assertEqual(refund.finance_tax_document_id.state, "committed")

    def test_a_credit_note_waits_for_its_invoice_to_be_recorded(self):
        self.break_engine(match="POST /v1/tax/transactions/create_from_calculation")
        invoice = self.posted()
        refund = self.credited(invoice)
        refund.action_post()
        self.drain()
        self.assertEqual(self.vendor()["transactions"], [])
        self.mend_engine()
        self.drain(until_due=True)
        self.drain(until_due=True)
        self.assertEqual(len(self.vendor()["transactions"]), 2)
        self.assertEqual(
            (invoice + refund).mapped("finance_tax_document_id.state"), ["committed", "committed"]
        )

    def test_reset_and_repost_reverse_and_record_anew(self):
        invoice = self.posted()
        self.drain()
        invoice.button_draft()
        invoice.action_post()
        self.drain()
        first, void, second = self.vendor()["transactions"]
        document = invoice.finance_tax_document_id
        self.assertEqual(void["reversal"]["original_transaction"], first["id"])
        self.assertEqual(void["reference"], f"{first['reference']}-void")
        self.assertEqual(second["reference"], document._code())
        self.assertEqual((document.state, document.engine_id), ("committed", second["id"]))

    def test_a_void_decided_before_the_recording_ran_finds_the_id(self):
        self.break_engine(kind="act_then_500", match="POST /v1/tax/transactions", times=1)
        invoice = self.posted()
        self.drain()
        invoice.button_draft()
        self.mend_engine()
        self.drain(until_due=True)
        first, void = self.vendor()["transactions"]
        self.assertEqual(void["reversal"]["original_transaction"], first["id"])
        self.assertEqual(invoice.finance_tax_document_id.state, "voided")

    def test_european_vat_and_reverse_charge(self):
        france = self.env.ref("base.fr")
        self.customer.write(
            {"city": "Paris", "zip": "75001", "state_id": False, "country_id": france.id}
        )
        invoice = self.posted()
        self.assertEqual(invoice.amount_tax, 25.54)
        self.customer.vat = "FR23334175221"
        business = self.posted()
        self.assertEqual(business.amount_tax, 0)
        self.drain()
        self.assertEqual(business.finance_tax_document_id.state, "committed")


class TestTaxJar(EngineCase):
    provider, prefix = "taxjar", "taxjar"
    secret_name, secret = "api_token", "SANDBOX-TAXJAR-TOKEN-0001"

    def test_a_connector_is_tested_quotes_and_records(self):
        self.assertIn("US TX", self.tested["params"]["message"])
        invoice = self.posted()
        self.assert_exact(invoice)
        self.drain()
        document = invoice.finance_tax_document_id
        self.assertEqual((document.state, self.calls), ("committed", 2))
        [order] = self.vendor()["transactions"]
        self.assertEqual((order["amount"], order["sales_tax"]), ("127.73", "10.64"))
        self.assertEqual(order["transaction_date"][:10], str(fields.Date.today()))
        self.assertEqual(document.engine_id, order["transaction_id"])

    def test_credit_notes_are_refunds_and_a_reset_deletes(self):
        invoice = self.posted()
        refund = self.credited(invoice)
        refund.action_post()
        self.drain()
        order, taken_back = self.vendor()["transactions"]
        self.assertEqual(taken_back["transaction_reference_id"], order["transaction_id"])
        self.assertEqual((taken_back["amount"], taken_back["sales_tax"]), ("-127.73", "-10.64"))
        refund.button_draft()
        self.drain()
        self.assertEqual(self.vendor()["transactions"], [order])
        self.assertEqual(refund.finance_tax_document_id.state, "voided")


class TestFixedRates(EngineCase):
    provider = "fixed_rates"

    @classmethod
    def create_connector(cls, company, company_code):
        us = cls.env.ref("base.us").id
        texas = {"company_id": company.id, "country_id": us, "state_id": cls.texas.id}
        cls.rates = cls.env["finance.tax.rate"].create(
            [
                {**texas, "kind": "state", "name": "Texas", "code": "48", "rate": 6.25},
                {**texas, "kind": "county", "name": "Harris", "zip_from": "770", "rate": 0.975},
                {**texas, "kind": "city", "name": "Houston", "city": "HOUSTON", "rate": 1.1185},
            ]
        )
        return super().create_connector(company, company_code)

    def test_a_connector_needs_no_address_and_records_at_once(self):
        self.assertEqual(self.tested["params"]["message"], "3 rates in US")
        self.assertFalse(self.connector.is_self_hosted)
        invoice = self.posted()
        self.assert_exact(invoice, FIXED)
        self.drain()
        self.assertEqual(invoice.finance_tax_document_id.state, "committed")
        self.assertFalse(
            self.env["finance.exchange"]
            .search([("trace_id", "!=", False)])
            .filtered(lambda exchange: exchange.connector_id == self.connector)
        )
        refund = self.credited(invoice)
        refund.action_post()
        self.drain()
        self.assert_exact(refund, FIXED)
        invoice.button_draft()
        self.drain()
        self.assertEqual(invoice.finance_tax_document_id.state, "voided")

    def test_another_rate_makes_drafts_stale(self):
        draft = self.create_houston_invoice()
        draft.action_finance_compute_tax()
        self.assertFalse(draft.finance_tax_stale)
        self.rates[0].rate = 7.0
        self.env.invalidate_all()
        self.assertTrue(draft.finance_tax_stale)
        draft.action_post()
        self.assertEqual(self.by_kind(draft)["state"], 8.94)

    def test_rates_follow_the_date_of_the_document_and_of_the_original(self):
        self.rates[0].valid_to = "2026-03-31"
        self.rates[0].copy({"rate": 7.0, "valid_from": "2026-04-01", "valid_to": False})
        march = self.create_houston_invoice(invoice_date="2026-03-31")
        april = self.create_houston_invoice(invoice_date="2026-04-01")
        (march + april).action_post()
        self.assertEqual([self.by_kind(move)["state"] for move in (march, april)], [7.99, 8.94])
        refund = self.credited(march)
        refund.invoice_line_ids[1:].unlink()
        refund.invoice_line_ids.quantity = 1
        refund.action_post()
        self.assertEqual(self.by_kind(refund)["state"], 1.25)

    def test_a_place_without_a_rate_is_refused_in_words(self):
        self.customer.write({"city": "Salem", "state_id": self.env.ref("base.state_us_32").id})
        with self.assertRaises(UserError) as refused:
            self.create_houston_invoice().action_post()
        self.assertIn("no row for goods delivered to Salem", str(refused.exception))

    def test_recorded_documents_are_listed_from_odoo(self):
        invoice = self.posted()
        self.drain()
        day = timedelta(days=1)
        today = fields.Date.today()
        documents = self.env["finance.tax.document"]
        [found] = documents._recorded_here(self.connector, self.company, today, today)
        self.assertEqual(
            (found.code, found.status, found.date),
            (
                invoice.finance_tax_document_id._code(),
                "recorded",
                today,
            ),
        )
        self.assertEqual(sum(found.by_key.values()), found.total_tax)
        self.assertFalse(
            list(documents._recorded_here(self.connector, self.company, today + day, today + day))
        )
