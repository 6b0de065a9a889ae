"""Two companies that check VAT numbers at stand-ins of VIES and HMRC on real HTTP."""

from odoo import Command
from odoo.tests import tagged

from .stand_in import StandInCommon

from sandbox.hmrc import CLIENT_ID, CLIENT_SECRET  # noqa: E402  isort: skip

GREEK, FRENCH, BELGIAN, DUTCH = "EL123456783", "FR23334175221", "BE0477472701", "NL123456782B90"


@tagged("post_install", "-at_install")
class VatCommon(StandInCommon):
    """A company with a Belgian number, a fiscal position that blocks, and a customer in France."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.vat = BELGIAN
        cls.vies = cls.create_connector("vies", cls.company)
        cls.workflow = cls.vies.workflow_ids
        cls.position = cls.env["account.fiscal.position"].create(
            {"name": "Intra-Community", "company_id": cls.company.id, "finance_vat_policy": "block"}
        )
        cls.customer = cls.create_customer("Loire Distribution SAS", FRENCH, "fr")

    @classmethod
    def create_connector(cls, provider, companies):
        """Return a ready connector to a stand-in, with a workflow of each company."""
        connector = cls.env["finance.connector"].create(
            {
                "name": provider.upper(),
                "provider": provider,
                "environment": "local",
                "local_url": f"{cls.server.url}/{provider}",
                "company_ids": [Command.set(companies.ids)],
                "rate_per_second": 10_000,
                "rate_burst": 10_000,
            }
        )
        cls.env["finance.workflow"].create(
            [
                {"connector_id": connector.id, "company_id": company.id, "flow": "vat"}
                for company in companies
            ]
        )
        if provider == "hmrc":
            connector.setting_ids.filtered(lambda row: row.name == "client_id").value = CLIENT_ID
            connector.credential_ids.value = CLIENT_SECRET
        connector.action_test()
        return connector

    @classmethod
    def create_customer(cls, name, vat, country, **values):
        """Return a company with a VAT number, which nobody has checked yet."""
        return cls.env["res.partner"].create(
            {
                "name": name,
                "is_company": True,
                "country_id": cls.env.ref(f"base.{country}").id,
                "vat": vat,
                "customer_rank": 1,
                **values,
            }
        )

    def invoice(self, partner=None, company=None, **values):
        """Return a draft of 1 × 100.00 to a customer under the fiscal position."""
        return self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": (partner or self.customer).id,
                "company_id": (company or self.company).id,
                "fiscal_position_id": self.position.id,
                "invoice_date": "2026-03-02",
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": self.product_a.id,
                            "quantity": 1,
                            "price_unit": 100.0,
                            "tax_ids": [],
                        }
                    )
                ],
                **values,
            }
        )

    def questions(self, vendor="vies"):
        """What the registry was asked in this test."""
        return self.sandbox.vendors[vendor].state()["questions"]

    def silence(self, **states):
        """Let member states fail: ``silence(FR="MS_UNAVAILABLE")``; none: all answer again."""
        self.sandbox.vendors["vies"].states = states
        self.env.cr.execute("UPDATE finance_gate SET open_until = NULL, breaker = 'closed'")

    def checks(self, vat=FRENCH):
        """The evidence of a number, newest first."""
        return self.env["finance.vat.check"].search([("vat", "=", vat)])

    def exceptions(self, document, code=None):
        """The open exceptions of a document."""
        domain = [
            ("document_model", "=", document._name),
            ("document_id", "=", document.id),
            ("state", "=", "open"),
        ]
        return self.env["finance.exception"].search(
            domain + ([("code", "=", code)] if code else [])
        )

    def age(self, rows, days):
        """Make evidence older than it is."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE finance_vat_check SET checked_at = checked_at - interval '1 day' * %s"
            " WHERE id = ANY(%s)",
            (days, rows.ids),
        )
        self.env.invalidate_all()
