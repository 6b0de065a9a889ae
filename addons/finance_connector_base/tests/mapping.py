"""What tests of mappings share: people, a company with few accounts, and drafts."""

from datetime import timedelta

from odoo import Command, fields
from odoo.tests import new_test_user

GROUP = "finance_connector_base.group_"
DAY = fields.Date.to_date("2026-06-15")


class MappingMixin:
    """For a class with `cls.env`; `set_up_mapping` makes the people and a company of its own."""

    @classmethod
    def set_up_mapping(cls):
        cls.home = cls.env["res.company"].create({"name": "Home"})
        cls.worker, cls.approver = (
            new_test_user(
                cls.env,
                login,
                f"{GROUP}{role},account.group_account_manager",
                company_id=cls.home.id,
                company_ids=[Command.set(cls.home.ids)],
            )
            for login, role in (("m_worker", "controller"), ("m_approver", "approver"))
        )
        cls.Mapping = cls.env["finance.mapping"]
        cls.Missing = cls.env["finance.mapping.missing"]
        cls.accounts = {
            code: cls.env["account.account"]
            .with_company(cls.home)
            .create(
                {
                    "name": name,
                    "code": code,
                    "account_type": kind,
                    "company_ids": [Command.set(cls.home.ids)],
                }
            )
            for code, name, kind in (
                ("400100", "Sales of goods", "income"),
                ("400900", "Sales abroad", "income"),
                ("500000", "Rent", "expense"),
                ("999000", "Clearing", "asset_current"),
            )
        }
        cls.day_of_last_month = fields.Date.today().replace(day=1) - timedelta(days=3)

    def mapping(self, kind="account", **values):
        """A mapping of the home company."""
        values = {"name": "Group", "kind": kind, "company_id": self.home.id, **values}
        return self.Mapping.create(values)

    def draft(self, mapping, *lines, user=None):
        """The draft of ``mapping``, with ``lines`` added: dicts, "record" being a recordset."""
        draft = mapping.with_user(user or self.worker)._draft()
        draft.line_ids = [Command.create(self.line(line)) for line in lines]
        return draft

    def line(self, line):
        """The values of a line."""
        line = {"rule": "record", **line}
        record = line.pop("record", None)
        if record:
            line["res_id"] = record.id
        return line

    def approved(self, mapping, *lines):
        """A new version of ``mapping`` with ``lines`` added, approved."""
        draft = self.draft(mapping, *lines)
        draft.action_submit()
        draft.with_user(self.approver).action_approve()
        return draft

    def lookup(self, records, day=DAY, kind="account", **of):
        """The answer for the home company."""
        of.setdefault("company", self.home)
        return self.Mapping._lookup(kind, records, day, **of)

    def post(self, debit, credit, amount, day=None, **values):
        """A posted entry of last month between two accounts, by their codes."""
        journal = self.env["account.journal"].search(
            [("company_id", "=", self.home.id), ("type", "=", "general")], limit=1
        ) or self.env["account.journal"].create(
            {"name": "Misc", "code": "MSC", "type": "general", "company_id": self.home.id}
        )
        move = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": journal.id,
                "date": day or self.day_of_last_month,
                "line_ids": [
                    Command.create(
                        {"name": "x", "account_id": self.accounts[code].id, side: amount, **values}
                    )
                    for code, side in ((debit, "debit"), (credit, "credit"))
                ],
            }
        )
        move.action_post()
        return move
