"""An invoice to Houston, a company with AvaTax, and the AvaTax stand-in on real HTTP."""

from dataclasses import replace
from decimal import Decimal

from odoo import Command
from odoo.tests import tagged

from .stand_in import StandInCommon

LICENSE_KEY = "SANDBOX-LICENSE-KEY-0001"
# What percentages would say of the fixture: 7.98, 1.25 and 1.43.
ENGINE = {"state": 7.96, "county": 1.26, "city": 1.42}
GROUPS = {"State Tax": "state", "County Tax": "county", "City Tax": "city"}


@tagged("post_install", "-at_install")
class TaxEngineCommon(StandInCommon):
    """Three lines to Houston: 3 × 19.99, 2 × 33.33 less 10 %, 1 × 7.77."""

    rounding_method = "round_per_line"

    @classmethod
    @StandInCommon.setup_country("us")
    def setUpClass(cls):
        super().setUpClass()
        cls.company.tax_calculation_rounding_method = cls.rounding_method
        cls.texas = cls.env.ref("base.state_us_44")
        cls.set_address(cls.company.partner_id, "Irvine", cls.env.ref("base.state_us_5"), "92618")
        cls.customer = cls.env["res.partner"].create({"name": "Bayou Office Supply"})
        cls.set_address(cls.customer, "Houston", cls.texas, "77002")
        cls.connector = cls.create_connector(cls.company, "DEFAULT")
        cls.workflow = cls.connector.workflow_ids
        cls.products = cls.env["product.product"].create(
            [
                {"name": name, "default_code": name, "list_price": price}
                for name, price in (("SHELF", 19.99), ("LAMP", 33.33), ("CABLE", 7.77))
            ]
        )

    @classmethod
    def set_address(cls, partner, city, state, postal_code, street="1 Main St"):
        """Put a United States address on a partner."""
        partner.write(
            {
                "street": street,
                "city": city,
                "state_id": state.id,
                "zip": postal_code,
                "country_id": cls.env.ref("base.us").id,
            }
        )

    @classmethod
    def create_connector(cls, company, company_code):
        """Return a ready connector to the stand-in, with a tax workflow of ``company``."""
        connector = cls.env["finance.connector"].create(
            {
                "name": f"AvaTax {company_code}",
                "provider": "avatax",
                "environment": "local",
                "local_url": f"{cls.server.url}/avatax",
                "company_ids": [Command.set(company.ids)],
                # tests are quicker than any sensible limit
                "rate_per_second": 10_000,
                "rate_burst": 10_000,
            }
        )
        workflow = cls.env["finance.workflow"].create(
            {"connector_id": connector.id, "company_id": company.id, "flow": "tax"}
        )
        connector.setting_ids.filtered(lambda row: row.name == "account_id").value = "1100000001"
        connector.credential_ids.filtered(lambda row: row.name == "license_key").value = LICENSE_KEY
        workflow.setting_ids.filtered(lambda row: row.name == "company_code").value = company_code
        connector.action_test()
        return connector

    @classmethod
    def create_houston_invoice(cls, move_type="out_invoice", **values):
        """Return the fixture as a draft."""
        lines = zip(cls.products, ((3, 0), (2, 10), (1, 0)), strict=True)
        return cls.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": cls.customer.id,
                "invoice_date": "2026-03-02",
                "company_id": cls.company.id,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "quantity": quantity,
                            "discount": discount,
                            "price_unit": product.list_price,
                        }
                    )
                    for product, (quantity, discount) in lines
                ],
                **values,
            }
        )

    @classmethod
    def discount_term(cls, computation, percent=2):
        """Return a payment term with a discount within 7 days; due in 30."""
        return cls.env["account.payment.term"].create(
            {
                "name": f"{percent}/7 {computation}",
                "early_discount": True,
                "discount_percentage": percent,
                "discount_days": 7,
                "early_pay_discount_computation": computation,
                "line_ids": [
                    Command.create({"value": "percent", "value_amount": 100, "nb_days": 30})
                ],
            }
        )

    @classmethod
    def exempt(cls, **values):
        """Return a confirmed exemption of the customer, everywhere and always by default."""
        row = cls.env["finance.tax.exemption"].create({"partner_id": cls.customer.id} | values)
        row.action_confirm()
        return row

    # === WHAT THE ENGINE SAW === #

    @property
    def calls(self):
        """How many requests the engine has got in this test."""
        return self.server.sandbox.log.counts().get("avatax", 0)

    def recorded(self, status="Committed"):
        """What the engine keeps with ``status``: {code: document as state}."""
        documents = self.server.sandbox.vendors["avatax"].state()["documents"]
        return {row["code"]: row for row in documents if row["status"] == status}

    def break_engine(self, kind="500", **rule):
        """Let the engine fail from now on; see sandbox.faults."""
        self.server.sandbox.faults.replace([{"kind": kind, **rule}])

    def mend_engine(self):
        """Let the engine work again, and the connector call it at once."""
        self.server.sandbox.faults.replace([])
        self.env.cr.execute("UPDATE finance_gate SET open_until = NULL, breaker = 'closed'")

    def answer_once(self, operation, change):
        """Let the next answer to an operation be another than the engine's."""
        model = type(self.env[f"finance.operation.{operation}"])
        call, left = model._call, [change]

        def other(provider, request):
            result = call(provider, request)
            return left.pop()(result) if left else result

        self.patch(model, "_call", staticmethod(other))

    @staticmethod
    def one_more(result):
        """The answer of an engine that has come to another tax."""
        first, *rest = result.taxes
        return replace(
            result,
            taxes=(replace(first, amount=first.amount + 1), *rest),
            total_tax=result.total_tax + Decimal(1),
        )

    def exceptions(self, move, code=None):
        """Return the open exceptions of a document."""
        domain = [
            ("document_model", "=", "account.move"),
            ("document_id", "=", move.id),
            ("state", "=", "open"),
        ]
        return self.env["finance.exception"].search(
            domain + ([("code", "=", code)] if code else [])
        )

    # === THE CHECK LIST === #

    def by_kind(self, move):
        """Tax in the journal by kind of authority, positive, in the document's currency."""
        totals = {}
        for line in move.line_ids.filtered(lambda line: line.display_type == "tax"):
            kind = GROUPS.get(line.tax_line_id.tax_group_id.name, line.tax_line_id.name)
            amount = move.direction_sign * line.amount_currency
            totals[kind] = round(totals.get(kind, 0.0) + amount, 2)
        return totals

    def in_widget(self, move):
        """Tax in the totals widget by kind of authority."""
        move.invalidate_recordset(["tax_totals"])
        return {
            GROUPS.get(group["group_name"], group["group_name"]): round(
                group["tax_amount_currency"], 2
            )
            for subtotal in move.tax_totals["subtotals"]
            for group in subtotal["tax_groups"]
        }

    def assert_exact(self, move, expected=None, untaxed=127.73):
        """Check (a) journal, (b) widget, (c) totals, (d) lines, (e) balance, (f) due line."""
        expected = ENGINE if expected is None else expected
        tax = round(sum(expected.values()), 2)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.by_kind(move), expected, "(a) journal items = engine")
        self.assertEqual(self.in_widget(move), expected, "(b) widget = engine")
        self.assertAlmostEqual(move.amount_tax, tax, 2, "(c) amount_tax")
        self.assertAlmostEqual(move.amount_untaxed, untaxed, 2, "(c) amount_untaxed")
        self.assertAlmostEqual(move.amount_total, untaxed + tax, 2, "(c) amount_total")
        lines = sum(move.invoice_line_ids.mapped("price_total"))
        self.assertAlmostEqual(lines, move.amount_total, 2, "(d) lines = total")
        self.assertAlmostEqual(sum(move.line_ids.mapped("balance")), 0.0, 2, "(e) balanced")
        due = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
        due_total = abs(sum(due.mapped("amount_currency")))
        self.assertAlmostEqual(due_total, move.amount_total, 2, "(f) due line = total")
