"""The statement as people know it from paper, on the screen and in print."""

from odoo import api, models
from odoo.tools.misc import format_date, format_datetime

from ..cash import buckets
from .finance_bank_reconciliation_line import AGES

AGED = ("transit", "outstanding", "suspense")


class FinanceBankReconciliation(models.Model):
    _inherit = "finance.bank.reconciliation"

    @api.depends("digest", "state", "reason")
    @api.depends_context("lang")
    def _compute_table(self):
        for statement in self:
            statement.table = statement.currency_id and self.env["ir.qweb"]._render(
                "finance_bank_sync.bank_reconciliation_table", {"doc": statement}
            )

    def _rows(self):
        """Return [(label, amount, how many items, style)] from the bank's balance to the books."""
        _ = self.env._
        counts = dict(
            self.env["finance.bank.reconciliation.line"]
            .sudo()
            ._read_group([("reconciliation_id", "=", self.id)], ["section"], ["__count"])
        )
        missing = self.basis == "missing"
        rows = [
            (_("Balance per bank"), None if missing else self.bank_balance, None, "total"),
            (_("Receipts in transit"), self.transit, counts.get("transit", 0), ""),
            (_("Outstanding payments"), self.outstanding, counts.get("outstanding", 0), ""),
            (_("Bank lines that are not matched"), self.suspense, counts.get("suspense", 0), ""),
        ]
        for label, name in (
            (_("Booked here, not at the bank"), "only_booked"),
            (_("At the bank, not booked here"), "only_told"),
            (_("Difference when the bank's balances begin"), "beginning"),
        ):
            if counts.get(name):
                rows.append((label, self[name], counts[name], ""))
        rows += [
            (_("Balance worked out"), None if missing else self.calculated, None, "total"),
            (_("Balance per books"), self.books, None, "total"),
            (_("Not explained"), None if missing else self.difference, None, "gap"),
        ]
        return rows

    def _books_rows(self):
        """Return [(account, amount, amount in company currency)] of what the books consist of."""
        accounts = self.env["account.account"].sudo().with_company(self.company_id)
        rows = self.ledger_accounts or []
        known = accounts.browse(row[0] for row in rows).exists()
        names = {account.id: account.display_name for account in known}
        return [
            (names.get(account, self.env._("Deleted account")), amount, balance)
            for account, amount, balance in rows
        ]

    def _age_rows(self):
        """Return [(section, [sum by age…], sum)] of what waits, those with something only."""
        lines = self.env["finance.bank.reconciliation.line"].sudo()
        labels = dict(lines._fields["section"]._description_selection(self.env))
        found = {}
        for section, age, amount in lines._read_group(
            [("reconciliation_id", "=", self.id), ("section", "in", AGED)],
            ["section", "age"],
            ["amount:sum"],
        ):
            found.setdefault(section, {})[age] = amount
        order = [key for _most, key in buckets.AGES]
        return [
            (labels[section], [found[section].get(age, 0.0) for age in order],
             sum(found[section].values()))
            for section in AGED if section in found
        ]  # fmt: skip

    def _age_words(self):
        lines = self.env["finance.bank.reconciliation.line"]
        labels = dict(lines._fields["age"]._description_selection(self.env))
        return [labels[key] for key, _words in AGES]

    def _money(self, amount, currency=None):
        """Return an amount as the reader writes it, a dash where there is none."""
        return "–" if amount is None else (currency or self.currency_id).format(amount)

    def _day(self, day):
        return format_date(self.env, day) if day else ""

    def _moment(self, at):
        """Return a moment as the reader writes it, with the time zone: print outlives its reader."""
        zone = str(self.env.tz)
        return f"{format_datetime(self.env, at, tz=zone, dt_format=False)} ({zone})" if at else "–"

    def _people(self):
        """Return [(what, who, when)] for the foot of the statement."""
        _ = self.env._
        return [
            (
                _("Prepared by"),
                self.prepared_by_id.sudo().name or "",
                self._moment(self.prepared_at),
            ),
            (
                _("Reviewed by"),
                self.reviewed_by_id.sudo().name or "",
                self._moment(self.reviewed_at),
            ),
        ]
