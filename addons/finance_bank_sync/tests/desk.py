"""A bank account with open invoices, and the people who work on it."""

from odoo import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.finance_connector_base.tests.ready_companies import ReadyCompanies

BASE = "finance_connector_base."


@tagged("post_install", "-at_install")
class DeskCommon(ReadyCompanies, AccountTestInvoicingCommon):
    """The screen as the accountant sees it: ``self.desk``."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data["company"]
        cls.journal = cls.company_data["default_journal_bank"]
        cls.accountant = cls.new_user("desk_accountant", "account.group_account_user", "user")
        cls.auditor = cls.new_user("desk_auditor", "account.group_account_readonly", "auditor")
        cls.stranger = cls.new_user("desk_stranger", "account.group_account_user")
        cls.desk = cls.env["finance.bank.desk"].with_user(cls.accountant)
        cls.expense = cls.company_data["default_account_expense"]

    @classmethod
    def get_default_groups(cls):
        roles = ("user", "administrator")
        found = [cls.env.ref(f"{BASE}group_{role}") for role in roles]
        return super().get_default_groups().union(*found)

    @classmethod
    def new_user(cls, login, group, role=None, companies=None):
        """A user of the company with a group of Accounting and a role of ours."""
        groups = f"base.group_user,{group}" + (f",{BASE}group_{role}" if role else "")
        companies = companies or cls.company
        return new_test_user(
            cls.env, login, groups, company_id=companies[0].id, company_ids=companies.ids
        )

    @classmethod
    def invoice(cls, amount, partner=None, move_type="out_invoice", **values):
        """A posted invoice without tax."""
        move = cls.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": (partner or cls.partner_a).id,
                "invoice_date": "2026-02-16",
                "invoice_line_ids": [
                    Command.create({"name": "x", "price_unit": amount, "tax_ids": False})
                ],
                **values,
            }
        )
        move.action_post()
        return move

    @classmethod
    def due(cls, move):
        """The journal item of an invoice that is to be paid."""
        return move.line_ids.filtered(lambda line: line.display_type == "payment_term")

    @classmethod
    def line(cls, amount, text="x", journal=None, **values):
        """A bank line."""
        return cls.env["account.bank.statement.line"].create(
            {
                "journal_id": (journal or cls.journal).id,
                "date": "2026-03-02",
                "payment_ref": text,
                "amount": amount,
                **values,
            }
        )

    def rows(self, **options):
        """The lines that the screen lists."""
        return self.desk.list_lines(self.journal.id, **options)["lines"]
