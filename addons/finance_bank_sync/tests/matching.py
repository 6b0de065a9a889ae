"""What tests of matching share: invoices, bank lines, journal items as they are."""

from odoo import Command, fields
from odoo.tests import new_test_user

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.finance_connector_base.tests.ready_companies import ReadyCompanies

GROUP = "finance_connector_base.group_"
IBAN = "FR1420041010050500013M02606"
# Columns of journal items that undoing gives back.
ITEM = ("id", "account_id", "partner_id", "name", "currency_id", "amount_currency", "balance",
        "amount_residual", "amount_residual_currency", "reconciled", "tax_line_id")  # fmt: skip


class MatchingCase(ReadyCompanies, AccountTestInvoicingCommon):
    """A company with a bank account, two customers, and an accountant."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data["company"]
        cls.journal = cls.company_data["default_journal_bank"]
        cls.Proposal = cls.env["finance.bank.proposal"]
        cls.Match = cls.env["finance.bank.match"]
        cls.customer, cls.other = cls.env["res.partner"].create(
            [{"name": "Alder Trading Ltd", "is_company": True},
             {"name": "Birch Supplies SA", "is_company": True}]
        )  # fmt: skip
        cls.env["res.partner.bank"].create({"acc_number": IBAN, "partner_id": cls.customer.id})
        cls.accountant = cls._user("user", "account.group_account_user")
        cls.approver = cls._user("approver", "account.group_account_user")
        cls.revenue = cls.company_data["default_account_revenue"]
        cls.expense = cls.company_data["default_account_expense"]
        cls.dollar = cls.setup_other_currency(
            "EUR", rates=[("2016-01-01", 2.0), ("2026-02-01", 2.5)]
        )

    @classmethod
    def _user(cls, role, *groups):
        return new_test_user(
            cls.env,
            f"matching_{role}",
            ",".join((f"{GROUP}{role}", *groups)),
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    @classmethod
    def invoice(cls, amount, partner=None, *, kind="out_invoice", day="2026-01-05", **values):
        """A posted invoice of one line without tax."""
        taxes = values.pop("tax_ids", False)
        move = cls.env["account.move"].create(
            {
                "move_type": kind,
                "partner_id": (partner or cls.customer).id,
                "invoice_date": day,
                "date": day,
                "journal_id": values.pop("journal_id", False)
                or (cls.company_data["default_journal_sale"]
                    if kind.startswith("out") else cls.company_data["default_journal_purchase"]).id,
                "invoice_line_ids": [
                    Command.create({"name": "Work", "price_unit": amount,
                                    "tax_ids": taxes and [Command.set(taxes)]})
                ],
                **values,
            }
        )  # fmt: skip
        move.action_post()
        return move

    @classmethod
    def line(cls, amount, text="", *, day="2026-01-20", journal=None, **values):
        """A bank line."""
        return cls.env["account.bank.statement.line"].create(
            {
                "journal_id": (journal or cls.journal).id,
                "date": day,
                "payment_ref": text or "/",
                "amount": amount,
                **values,
            }
        )

    @classmethod
    def policy(cls, **values):
        """The policy in force of the journal."""
        return cls.env["finance.bank.policy"].sudo().create(
            {
                "journal_id": cls.journal.id,
                "state": "active",
                "writeoff_account_id": cls.expense.id,
                "fee_account_id": cls.expense.id,
                "writeoff_line_limit": 50,
                "writeoff_month_limit": 100,
                **values,
            }
        )  # fmt: skip

    def items(self, *records):
        """Journal items of moves or bank lines as they are now."""
        self.env.flush_all()
        self.env.invalidate_all()
        moves = self.env["account.move"]
        for record in records:
            moves |= record if record._name == "account.move" else record.move_id
        return {
            item.id: tuple(_plain(item[name]) for name in ITEM)
            for item in moves.line_ids.sorted("id")
        }

    def matched(self, lines):
        """Match ``lines``; return the matches."""
        matches, _proposals = lines._finance_match()
        return matches

    def best(self, line):
        """Return the best proposal of a line."""
        return line._finance_propose()[:1]

    def codes(self, proposal):
        return [reason["code"] for reason in proposal.reasons]

    def receivable(self, move):
        return move.line_ids.filtered(
            lambda item: item.account_type in ("asset_receivable", "liability_payable")
        )

    @classmethod
    def today(cls):
        return fields.Date.today()


def _plain(value):
    return value.ids if hasattr(value, "ids") else value
