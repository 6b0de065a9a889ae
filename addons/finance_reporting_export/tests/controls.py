"""Two companies with few accounts, amounts of three kinds of currencies, and an export of them."""

import base64
import os
from datetime import date
from unittest.mock import patch

from odoo import Command, fields
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.finance_connector_base.tests.common import drain_jobs

KEY = "test-1:" + base64.b64encode(b"1" * 32).decode()
ACCOUNTS = {
    "bank": ("1010", "asset_current"),
    "owed": ("1200", "asset_current"),
    "capital": ("3000", "equity"),
    "sales": ("4000", "income"),
    "cost": ("6000", "expense"),
}


@tagged("post_install", "-at_install")
class ControlsCase(TransactionCase):
    """A in US dollars keeps the group's rates, B in euros. No chart: that would take seconds."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch.dict(os.environ, {"FINANCE_VAULT_KEYS": KEY}))
        currencies = ("USD", "EUR", "JPY", "KWD", "GBP")
        cls.currency = {code: cls.env.ref(f"base.{code}") for code in currencies}
        for currency in cls.currency.values():
            currency.active = True
        cls.a = cls.env["res.company"].create(
            {"name": "Group Inc", "currency_id": cls.currency["USD"].id}
        )
        cls.b = cls.env["res.company"].create(
            {"name": "Filiale SA", "currency_id": cls.currency["EUR"].id}
        )
        companies = cls.a | cls.b
        cls.env.user.company_ids |= companies
        cls.env.user.group_ids |= cls.env.ref("account.group_account_manager")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": companies.ids})
        for code in ("JPY", "KWD"):
            cls.rate(code, "2020-01-01", 1.5)
        cls.accounts, cls.journals = {}, {}
        for company in companies:
            cls._books(company)
        cls.reader = new_test_user(
            cls.env,
            "export_reader",
            "account.group_account_manager,finance_connector_base.group_controller",
            company_id=cls.a.id,
            company_ids=[Command.set(companies.ids)],
        )
        cls.export = cls.env["finance.export"].create(
            {
                "user_id": cls.reader.id,
                "name": "Group",
                "code": "group-test",
                "company_id": cls.a.id,
                "company_ids": [Command.set(companies.ids)],
                "format": "csv",
                "historical_policy": "mark",
                "feed_ids": [
                    Command.create({"feed_id": cls.feed("journal_items").id, "mode": "full"})
                ],
            }
        )

    @classmethod
    def feed(cls, code):
        return cls.env["finance.feed"].search([("code", "=", code)])

    @classmethod
    def _books(cls, company):
        accounts = cls.env["account.account"].with_company(company)
        for name, (code, kind) in ACCOUNTS.items():
            cls.accounts[company, name] = accounts.create(
                {
                    "name": name,
                    "code": code,
                    "account_type": kind,
                    "company_ids": [Command.set(company.ids)],
                }
            )
        cls.journals[company] = cls.env["account.journal"].create(
            {"name": "Entries", "code": "GEN", "type": "general", "company_id": company.id}
        )

    @classmethod
    def rate(cls, code, day, rate, company=None):
        """One dollar is this much on a day, in the group's table of rates."""
        return cls.env["res.currency.rate"].create(
            {
                "currency_id": cls.currency[code].id,
                "name": day,
                "rate": rate,
                "company_id": (company or cls.a).id,
            }
        )

    @classmethod
    def entry(cls, company, day, *lines, post=True, partner=None):
        """Post an entry of (account, balance[, currency, amount in it]); money has no partner."""
        values = []
        for name, balance, *foreign in lines:
            code, amount = foreign or (company.currency_id.name, balance)
            values.append(
                Command.create(
                    {
                        "account_id": cls.accounts[company, name].id,
                        "name": name,
                        "balance": balance,
                        "currency_id": cls.currency[code].id,
                        "amount_currency": amount,
                        "partner_id": partner.id if partner and name != "bank" else False,
                    }
                )
            )
        move = cls.env["account.move"].with_company(company).create(
            {
                "move_type": "entry",
                "journal_id": cls.journals[company].id,
                "date": day,
                "line_ids": values,
            }
        )  # fmt: skip
        if post:
            move.action_post()
        return move

    def run_export(self, period="", export=None):
        """Run an export to its end and return the run."""
        run = (export or self.export)._start(why="test", period=period)
        drain_jobs(self.env)
        return run.sudo()

    def open_exceptions(self, code):
        domain = [("code", "=", code), ("state", "=", "open")]
        return self.env["finance.exception"].sudo().search(domain)

    def lock(self, company, day, field="fiscalyear_lock_date"):
        """Lock the books up to a day, whatever is still open in them."""
        with patch.object(type(company), "_validate_locks", lambda self, values: None):
            company.sudo().write({field: fields.Date.to_string(day) if day else False})

    def of(self, records, **values):
        """The records with these values."""
        return records.filtered(
            lambda record: all(record[name] == value for name, value in values.items())
        )


JANUARY, FEBRUARY = date(2026, 1, 31), date(2026, 2, 28)
