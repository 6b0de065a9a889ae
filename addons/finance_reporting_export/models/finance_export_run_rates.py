"""The group's currency in a run: rates for the feeds, what is missing, what the manifest tells."""

from dataclasses import replace
from decimal import Decimal

from odoo import fields, models

from ..canonical import batch
from ..currency.rates import Quotations, month, months
from ..currency.translation import (
    CLOSING,
    HISTORICAL,
    KIND_OF,
    Historical,
    Movement,
    translate,
)
from . import finance_export_rate_sql as sql
from . import finance_export_total_sql as totals
from .finance_export_run_findings import few


class FinanceExport(models.Model):
    _inherit = "finance.export"

    group_currency_id = fields.Many2one(
        "res.currency",
        tracking=True,
        ondelete="restrict",
        help="The feed “Trial balance in group currency” is stated in it, after IAS 21, with the "
        "rates of the company that keeps this export. Empty: that feed has no rows.",
    )
    translation_code = fields.Char(
        "Translation Difference",
        required=True,
        default="CTA",
        tracking=True,
        help="Account code of the translation difference in that feed.",
    )


class FinanceExportFeed(models.Model):
    _inherit = "finance.export.feed"

    def _reading(self, env):
        """Also where no run has worked the group's balances out, there is their (empty) table."""
        env.cr.execute(sql.TABLE)
        return super()._reading(env)


class FinanceExportRun(models.Model):
    _inherit = "finance.export.run"

    rate_ids = fields.One2many("finance.export.rate", "run_id", "Rates", readonly=True)

    def _extractions(self, job):
        """The feed in group currency is read from a table of this transaction."""
        self._group_rates()
        return super()._extractions(job)

    def _group_rates(self):
        """Work out, in this transaction, the trial balance in the currency of the group.

        It stands in the temporary table ``finance_group_balance``, the translation difference of a
        company with account 0; amounts are NULL where a rate is missing. Without a currency of
        the group it is empty.
        """
        self.ensure_one()
        self.env.flush_all()
        self.env.cr.execute(sql.TABLE)
        self.env.cr.execute(sql.EMPTY)
        self.env.cr.execute("DELETE FROM finance_export_rate WHERE run_id = %s", self.ids)
        self.env["finance.export.rate"].invalidate_model()
        self.invalidate_recordset(["rate_ids"])
        to = self.export_id.sudo().group_currency_id
        if not to:
            return
        keeper = self.export_id.sudo().company_id
        quotations = Quotations(
            keeper.currency_id.name, self.env.execute_query(sql.quotations(keeper))
        )
        moved = self._movements()
        for company in self.export_id.sudo().company_ids:
            if company.id in moved:
                _Statement(self, company, to, quotations, keeper).write(moved[company.id])

    def _movements(self):
        """Return {company id: [`Movement`]} of all that was posted until the end of the run."""
        domain = self._posted_domain()
        if self.period:
            domain.append(("date", "<=", str(month(self.period)[1])))
        lines = self._reading().env["account.move.line"]
        found = {}
        for company, account, group, period, debit, credit in self.env.execute_query(
            sql.movements(totals.items(lines, domain))
        ):
            movement = Movement(account, KIND_OF[group], period, Decimal(debit), Decimal(credit))
            found.setdefault(company, []).append(movement)
        return found

    def _rates(self):
        """Return the canonical `Rate`s that the run used, with their source."""
        self.env.flush_all()
        return tuple(
            batch.Rate(own, other, kind, day, Decimal(rate), source)
            for own, other, kind, day, rate, source in self.env.execute_query(sql.used(self))
        )

    # === WHAT IS MISSING === #

    def _missing_rates(self, kinds):
        domain = [("run_id", "=", self.id), ("missing", "=", True), ("kind", "in", kinds)]
        if self.period:
            domain.append(("period", "=", self.period))
        self.env.flush_all()
        return self.env["finance.export.rate"].sudo().search(domain), domain

    def _find_group_rates(self):
        missing, domain = self._missing_rates(["closing", "average"])
        return [
            {
                "entity_id": company.id,
                "count": len(rows),
                # a month's balance is not summed over months: what stands at the end counts
                "amount": max(rows.mapped("amount")),
                "currency_id": company.currency_id.id,
                "params": {
                    "currency": rows.currency_id.name,
                    "to": rows.to_currency_id.name,
                    "periods": few(set(rows.mapped("period"))),
                },
                "model": "finance.export.rate",
                "domain": [*domain, ("entity_id", "=", company.id)],
            }
            for company, rows in missing.grouped("entity_id").items()
        ]

    def _find_historical(self, schemas):
        missing, domain = self._missing_rates(["historical"])
        return [
            {
                "entity_id": company.id,
                "count": len(rows.account_id),
                "amount": sum(
                    max(of_account.mapped("amount"))
                    for of_account in rows.grouped("account_id").values()
                ),
                "currency_id": company.currency_id.id,
                "params": {"periods": few(set(rows.mapped("period")))},
                "model": "finance.export.rate",
                "domain": [*domain, ("entity_id", "=", company.id)],
            }
            for company, rows in missing.grouped("entity_id").items()
        ]


class _Statement:
    """One company of a run in the currency of the group."""

    def __init__(self, run, company, to, quotations, keeper):
        self.run, self.company, self.to = run, company, to
        self.quotations, self.keeper = quotations, keeper
        self.found = {}

    def write(self, moved):
        """Translate, and write what was found."""
        if self.company.currency_id == self.to:
            # equity is stated already
            moved = [replace(one, kind=CLOSING) if one.kind == HISTORICAL else one for one in moved]
        periods = months(min(one.period for one in moved), max(one.period for one in moved))
        if self.run.period:
            periods = months(periods[0], max(periods[-1], self.run.period))
        result = translate(
            periods,
            moved,
            self._historical(),
            self._rate,
            _unit(self.to),
            _unit(self.company.currency_id),
        )
        insert = self.run.env.cr.execute_values
        code = self.run.export_id.sudo().translation_code
        insert(
            sql.INSERT_BALANCES,
            [
                (self.company.id, line.account, line.period, line.kind, _text(line.rate))
                + (None if line.account else code, self.to.name)
                + tuple(map(_text, (line.opening, line.debit, line.credit, line.closing)))
                for line in result.lines
            ],
            page_size=1000,
        )
        rows = self._used(result) + self._lacking(result)
        if rows:
            insert(sql.INSERT_USED, rows, page_size=1000)

    def _rate(self, kind, period):
        if (kind, period) not in self.found:
            own, to = self.company.currency_id.name, self.to.name
            first, last = month(period)
            if kind == "average":
                found = self.quotations.average(own, to, first, last)
            else:
                found = self.quotations.closing(own, to, last)
            self.found[kind, period] = found
        found = self.found[kind, period]
        return found.rate if found else None

    def _historical(self):
        rows = self.run.env["finance.historical.amount"].sudo().search(
            [
                ("company_id", "=", self.company.id),
                ("group_currency_id", "=", self.to.id),
                ("state", "=", "approved"),
            ]
        )  # fmt: skip
        return [
            Historical(
                row.account_id.id,
                f"{row.day:%Y-%m}",
                Decimal(str(row.amount)),
                Decimal(str(row.group_amount)),
            )
            for row in rows
        ]

    def _row(self, kind, period, account, day, rate, source, missing, amount):
        return (
            self.run.id, self.run.company_id.id, self.company.id, self.company.currency_id.id,
            self.to.id, kind, period, account or None, day, rate, source, missing, amount,
        )  # fmt: skip

    def _used(self, result):
        if self.company.currency_id == self.to:
            return []
        source = f"Odoo, currency rates of {self.keeper.name}"
        rows = [
            self._row(kind, period, 0, found.day, str(found.rate), source, False, None)
            for (kind, period), found in self.found.items()
            if found
        ]
        rows += [
            self._row(line.kind, line.period, line.account, month(line.period)[1],
                      str(line.rate), "Approved historical amounts", False, None)
            for line in result.lines
            if line.kind == "historical" and line.rate is not None and (line.debit or line.credit)
        ]  # fmt: skip
        return rows

    def _lacking(self, result):
        """One row per kind and month (and account of equity), with what it is worth."""
        sums = {}
        for one in result.missing:
            key = (one.kind, one.period, one.account)
            sums[key] = sums.get(key, Decimal(0)) + abs(one.amount)
        return [
            self._row(kind, period, account, None, None, None, True, str(amount))
            for (kind, period, account), amount in sums.items()
        ]


def _unit(currency):
    """The smallest amount of a currency."""
    return Decimal(str(currency.rounding))


def _text(amount):
    return None if amount is None else str(amount)
