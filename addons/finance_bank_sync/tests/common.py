"""A company with a bank account, and files of that account."""

import base64
import os
from types import SimpleNamespace
from unittest.mock import patch

from odoo import fields
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.finance_connector_base.tests.common import drain_jobs

from . import files

KEY = "test-1:" + base64.b64encode(b"1" * 32).decode()


@tagged("post_install", "-at_install")
class BankCase(TransactionCase):
    """The journal of one account in the company's currency, and who works on it.

    In the company that is there: making a chart of accounts for each class takes seconds.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch.dict(os.environ, {"FINANCE_VAULT_KEYS": KEY}))
        cls.company = cls.env.ref("base.main_company")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.currency = cls.company.currency_id
        cls.env.ref("base.EUR").active = True
        cls.journal = cls.new_journal("BNKA", files.IBAN)
        cls.bookkeeper = new_test_user(
            cls.env,
            "bank_bookkeeper",
            "account.group_account_basic,finance_connector_base.group_user",
            company_id=cls.company.id,
        )
        cls.Import = cls.env["finance.bank.import"].with_user(cls.bookkeeper)

    @classmethod
    def new_journal(cls, code, iban=None, currency=None, company=None):
        """A bank journal of an account."""
        company = company or cls.company
        values = {
            "name": f"Bank {code}",
            "code": code,
            "type": "bank",
            "company_id": company.id,
            "currency_id": currency.id if currency else False,
        }
        journal = cls.env["account.journal"].with_company(company).create(values)
        if iban:
            journal.bank_account_id = (
                cls.env["res.partner.bank"]
                .search([("acc_number", "=", iban), ("partner_id", "=", company.partner_id.id)])
                or cls.env["res.partner.bank"].create(
                    {"acc_number": iban, "partner_id": company.partner_id.id}
                )
            )  # fmt: skip
        return journal

    def other_company(self):
        """A company of its own books, with the chart of accounts of ours, that nobody works for."""
        return self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})

    def receive(self, content, name="statement", drain=True, **options):
        """Import a file to its end."""
        imports = self.Import._receive(name, content, **options)
        if drain:
            drain_jobs(self.env)
        return imports.sudo()

    def pull(self, *statements, remote="acc-1", journal=None, drain=True):
        """Import what an API told."""
        imports = self.Import._receive_statements(self.link(remote, journal), statements)
        if drain:
            drain_jobs(self.env)
        return imports.sudo()

    def link(self, remote="acc-1", journal=None):
        """What stands for a link of an account."""
        journal = journal or self.journal
        return SimpleNamespace(
            id=False,
            name="Acme Bank",
            journal_id=journal,
            company_id=journal.company_id,
            connector_id=self.env["finance.connector"],
            remote_id=remote,
        )

    def lines(self, journal=None):
        """The bank lines of a journal, oldest first."""
        domain = [("journal_id", "=", (journal or self.journal).id)]
        return self.env["account.bank.statement.line"].search(domain, order="date, id")

    def amounts(self, journal=None):
        """What is in the books."""
        return self.lines(journal).mapped("amount")

    def assert_lines(self, *amounts, journal=None):
        """The books have these amounts, and each line its entry of the bank."""
        lines = self.lines(journal)
        self.assertEqual(sorted(lines.mapped("amount")), sorted(map(float, amounts)))
        entries = lines.mapped("finance_entry_id")
        self.assertEqual(len(entries), len(lines))

    def open_exceptions(self, code):
        """Open exceptions of a code."""
        domain = [("code", "=", code), ("state", "=", "open")]
        return self.env["finance.exception"].sudo().search(domain)

    def lock(self, day, field="fiscalyear_lock_date", company=None):
        """Lock the books up to a day, whatever is still open in them."""
        company = company or self.company
        with patch.object(type(company), "_validate_locks", lambda self, values: None):
            company.write({field: fields.Date.to_string(day) if day else False})
