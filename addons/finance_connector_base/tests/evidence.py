"""What tests of exceptions, audit and references share: two companies, an invoice, a job."""

from uuid import uuid4

from odoo import Command, fields
from odoo.tests import new_test_user

from .vendor import ConnectorCase

GROUP = "finance_connector_base.group_"


class EvidenceCase(ConnectorCase):
    """One connector for companies A and B, with an accountant in each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company_a = cls.company
        cls.company_b = cls.env["res.company"].create({"name": "Company B"})
        cls.connector.sudo().company_ids = cls.company_a | cls.company_b
        cls.accountant, cls.colleague = (
            new_test_user(
                cls.env,
                login,
                f"{GROUP}user,account.group_account_invoice",
                company_id=cls.company_a.id,
            )
            for login in ("f_accountant", "f_colleague")
        )
        cls.accountant_b = new_test_user(
            cls.env,
            "f_accountant_b",
            f"{GROUP}user,account.group_account_invoice",
            company_id=cls.company_b.id,
            company_ids=[Command.set(cls.company_b.ids)],
        )
        cls.partner = cls.env["res.partner"].create({"name": "Customer", "is_company": True})
        cls.invoice = cls._invoice()
        cls.Exception = cls.env["finance.exception"]

    @classmethod
    def _invoice(cls, partner=None):
        return cls.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": (partner or cls.partner).id,
                "invoice_date": "2026-03-31",
                "invoice_line_ids": [
                    Command.create({"name": "Work", "price_unit": 100.0, "tax_ids": False})
                ],
            }
        )

    def make_job(self, record=None, state="dead", company=None, **values):
        """A job as the lanes leave it."""
        record = record or self.invoice
        values = {
            "uuid": str(uuid4()),
            "operation": "test.commit",
            "effect": "idempotent",
            "calls": True,
            "connector_id": self.connector.id,
            "company_id": (company or self.company_a).id,
            "user_id": self.env.uid,
            "res_model": record._name,
            "res_id": record.id,
            "document_model": record._name,
            "document_id": record.id,
            "key": f"{uuid4()}:test.commit:0",
            "stream": str(uuid4()),
            "state": state,
            "priority": 10,
            "attempts": 3,
            "trace_id": uuid4().hex,
            "due_at": fields.Datetime.now(),
            "created_at": fields.Datetime.now(),
            **values,
        }
        return self.env["finance.job"].sudo().create(values)

    def raised(self, code="job.rejected", **values):
        """An exception about the invoice."""
        values.setdefault("document", self.invoice)
        values.setdefault("connector", self.connector)
        return self.Exception._raise(code, **values)
