"""What tests of reconciliation statements and cash share: accounts, bank lines, balances."""

import base64
import os
import tempfile
from datetime import date, datetime, timedelta
from unittest.mock import patch

from odoo import Command
from odoo.tests import TransactionCase, new_test_user

KEY = "test-1:" + base64.b64encode(b"1" * 32).decode()
GROUP = "finance_connector_base.group_"
DAY = date(2026, 3, 31)


class CashCase(TransactionCase):
    """A bank account of a company of its own, with a month of March 2026."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        places = {"FINANCE_VAULT_KEYS": KEY, "FINANCE_EVIDENCE_DIR": folder}
        cls.startClassPatcher(patch.dict(os.environ, places))
        cls.currency = cls.env.ref("base.EUR")
        cls.dollar = cls.env.ref("base.USD")
        (cls.currency | cls.dollar).active = True
        cls.company = cls.new_company("Cash A")
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=cls.company.ids))
        cls.outstanding = cls.new_account("Outstanding", "asset_current", reconcile=True)
        cls.suspense = cls.new_account("Suspense", "asset_current")
        cls.income = cls.new_account("Income", "income")
        cls.receivable = cls.new_account("Receivable", "asset_receivable", reconcile=True)
        cls.payable = cls.new_account("Payable", "liability_payable", reconcile=True)
        cls.customer = cls.env["res.partner"].create(
            {
                "name": "Customer",
                "property_account_receivable_id": cls.receivable.id,
                "property_account_payable_id": cls.payable.id,
            }
        )
        cls.general = cls.env["account.journal"].create(
            {"name": "General", "code": "GEN", "type": "general", "company_id": cls.company.id}
        )
        cls.bank = cls.new_bank("Main", "BNKA")
        cls.preparer, cls.reviewer, cls.controller = (
            new_test_user(
                cls.env,
                f"cash_{role}",
                f"{GROUP}{role},account.group_account_user",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for role in ("user", "approver", "controller")
        )

    @classmethod
    def new_company(cls, name, **values):
        return cls.env["res.company"].create(
            {"name": name, "currency_id": cls.currency.id, **values}
        )

    @classmethod
    def new_account(cls, name, kind, company=None, **values):
        company = company or cls.company
        number = cls.env["account.account"].search_count([]) + 100000
        return (
            cls.env["account.account"]
            .with_company(company)
            .create(
                {
                    "name": name,
                    "code": f"X{number}",
                    "account_type": kind,
                    "company_ids": [Command.set(company.ids)],
                    **values,
                }
            )
        )

    @classmethod
    def new_bank(cls, name, code, company=None, currency=None, number=None, suspense=None):
        company = company or cls.company
        values = {"currency_id": currency.id} if currency else {}
        journal = cls.env["account.journal"].create(
            {
                "name": name,
                "code": code,
                "type": "bank",
                "company_id": company.id,
                "default_account_id": cls.new_account(name, "asset_cash", company).id,
                "suspense_account_id": (suspense or cls.suspense).id,
                **values,
            }
        )
        if company == cls.company:
            for line in journal.inbound_payment_method_line_ids | (
                journal.outbound_payment_method_line_ids
            ):
                line.payment_account_id = cls.outstanding
        if number:
            journal.bank_account_id = cls.env["res.partner.bank"].create(
                {"acc_number": number, "partner_id": company.partner_id.id}
            )
        return journal

    # === WHAT HAPPENS === #

    def bank_line(self, amount, day=DAY, journal=None, text="Line", **values):
        return self.env["account.bank.statement.line"].create(
            {
                "journal_id": (journal or self.bank).id,
                "date": day,
                "amount": amount,
                "payment_ref": text,
                **values,
            }
        )

    def payment(self, amount, day=DAY, journal=None, **values):
        """A posted payment: positive comes in."""
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound" if amount > 0 else "outbound",
                "partner_type": "customer" if amount > 0 else "supplier",
                "partner_id": self.customer.id,
                "amount": abs(amount),
                "date": day,
                "journal_id": (journal or self.bank).id,
                **values,
            }
        )
        payment.action_post()
        return payment

    def match(self, line, item, at=None):
        """Match a bank line with an open journal item, as if at a moment."""
        move = line.move_id.with_context(
            skip_account_move_synchronization=True, skip_readonly_check=True, force_delete=True
        )
        _liquidity, suspense, _other = line._seek_for_lines()
        move.write(
            {
                "line_ids": [
                    Command.delete(suspense.id),
                    Command.create(
                        {
                            "name": "Match",
                            "account_id": item.account_id.id,
                            "partner_id": item.partner_id.id,
                            "currency_id": suspense.currency_id.id,
                            "amount_currency": suspense.amount_currency,
                            "balance": suspense.balance,
                        }
                    ),
                ]
            }
        )
        counter = move.line_ids.filtered(lambda row: row.account_id == item.account_id)
        (counter + item).reconcile()
        if at:
            self.made_at(counter, at)
        return counter

    def made_at(self, counter, at):
        """Move the moment of a match."""
        self.env.flush_all()
        at = datetime.combine(at, datetime.min.time()) + timedelta(hours=12)
        partials = (counter.matched_debit_ids | counter.matched_credit_ids).ids
        self.env.cr.execute(
            "UPDATE account_partial_reconcile SET create_date = %s WHERE id = ANY(%s)",
            [at, partials],
        )
        self.env.cr.execute(
            "UPDATE account_move_line SET create_date = %s WHERE id = ANY(%s)", [at, counter.ids]
        )
        self.env.invalidate_all()

    def told(self, amount, day=DAY, type="CLBD", journal=None, **values):
        """A balance that the bank told."""
        journal = journal or self.bank
        return self.env["finance.bank.balance"].create(
            {
                "journal_id": journal.id,
                "company_id": journal.company_id.id,
                "type": type,
                "day": day,
                "amount": amount,
                "currency_id": (journal.currency_id or journal.company_id.currency_id).id,
                "source": "statement",
                **values,
            }
        )

    def entry(self, amount, day=DAY, journal=None, status="booked", line=None, **values):
        """A line that the bank told."""
        journal = journal or self.bank
        currency = journal.currency_id or journal.company_id.currency_id
        place = {"company_id": journal.company_id.id}
        imported = self.env["finance.bank.import"].create({"name": "x", "source": "file", **place})
        place |= {
            "import_id": imported.id,
            "journal_id": journal.id,
            "currency_id": currency.id,
        }
        statement = self.env["finance.bank.statement"].create(
            {"name": "x", "kind": "statement", **place}
        )
        state = {"booked": "created" if line else "held"}.get(status, status)
        return self.env["finance.bank.entry"].create(
            {
                "bank_statement_id": statement.id,
                "status": status,
                "state": state,
                "booking_date": day,
                "value_date": day,
                "amount": amount,
                "line_id": line.id if line else False,
                **place,
                **values,
            }
        )

    def entry_in_books(self, amount, day=DAY, journal=None, **values):
        """A line that the bank told, with its bank line."""
        line = self.bank_line(amount, day, journal)
        return self.entry(amount, day, journal, line=line, **values)

    def posted(self, lines, day=DAY, journal=None):
        """A posted entry of [(account, balance)]."""
        move = self.env["account.move"].create(
            {
                "journal_id": (journal or self.general).id,
                "date": day,
                "line_ids": [
                    Command.create({"account_id": account.id, "balance": balance, "name": "x"})
                    for account, balance in lines
                ],
            }
        )
        move.action_post()
        return move

    def statement(self, day=DAY, journal=None, user=None, **values):
        """A reconciliation statement, begun by the preparer."""
        statements = self.env["finance.bank.reconciliation"].with_user(user or self.preparer)
        return statements.create({"journal_id": (journal or self.bank).id, "day": day, **values})
