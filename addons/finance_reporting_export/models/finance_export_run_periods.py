"""What a delivery makes of the months: published, final under a lock date, or restated."""

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from odoo import api, fields, models

from ..controls.roles import ITEMS, SUMS
from ..currency.rates import month, months
from . import finance_export_period_sql as sql


class Content(NamedTuple):
    """What a month adds up to. accounts: {code: [rows, debit, credit]}, amounts as text."""

    rows: int = 0
    debit: str = "0"
    credit: str = "0"
    digest: str = "0" * 16
    accounts: dict = {}

    @property
    def identity(self):
        """What two contents have the same of when nothing has changed."""
        accounts = {code: self.account(code) for code in self.accounts}
        nothing = (0, Decimal(0), Decimal(0))
        return self.digest, {code: sums for code, sums in accounts.items() if sums != nothing}

    def account(self, code):
        """Return rows, debit and credit of an account."""
        rows, debit, credit = self.accounts.get(code, (0, "0", "0"))
        return int(rows), Decimal(debit), Decimal(credit)


class FinanceExportFeed(models.Model):
    _inherit = "finance.export.feed"

    dated = fields.Boolean(compute="_compute_dated", store=True, help="Its rows belong to months.")

    @api.depends("feed_id")
    def _compute_dated(self):
        for line in self:
            line.dated = bool(line.feed_id and line.feed_id.sudo()._definition().day) or (
                line.feed_id.code in SUMS
            )


class FinanceExportRun(models.Model):
    _inherit = "finance.export.run"

    def _publish_periods(self):
        """Note, in the transaction that records the delivery, which months were told.

        A month that has ended is published; under a lock date of its company it is final. One that
        was final and is told with something else is restated: another version, and a reason is
        asked for.
        """
        self.ensure_one()
        self.env.flush_all()
        companies = self.export_id.sudo().company_ids
        locks = self.env["finance.export.period"].sudo()._lock_dates(companies)
        for line in self.export_id.sudo().feed_ids.filtered("dated"):
            if self.file_ids.filtered(lambda file, line=line: file.feed == line.feed_id.code):
                _Publication(self.sudo(), line, locks).publish()

    def _lock_dates(self):
        """Return {company's name: last day that is locked for everybody, or None}."""
        companies = self.export_id.sudo().company_ids
        locks = self.env["finance.export.period"].sudo()._lock_dates(companies)
        return {company.name: day for company, day in locks.items()}

    def _final_periods(self):
        """Return the months, as "2026-03", that this batch tells and that are locked for all."""
        days = self._lock_dates().values()
        if not days or None in days:
            return ()
        told = set(self.total_ids.filtered("period").mapped("period"))
        return tuple(sorted(period for period in told if month(period)[1] <= min(days)))

    def _last_ended(self):
        """Return the last month that had ended when the ledger was read."""
        read = self.begun_at or fields.Datetime.now()
        return f"{read.date().replace(day=1) - timedelta(days=1):%Y-%m}"


class _Publication:
    """The months of one feed in one delivery."""

    def __init__(self, run, line, locks):
        self.run, self.line, self.locks = run, line, locks
        self.env = run.env
        self.feed = line.feed_id.code
        self.mode = run._mode_of(line)
        self.money = self.feed in ITEMS + SUMS
        self.periods = self.env["finance.export.period"].sudo()

    def publish(self):
        """Write down every month that was told."""
        told = self._told()
        known = {
            (row.company_id.id, row.period): row
            for row in self.periods.search([("export_feed_id", "=", self.line.id)])
        }
        touched = set()
        if self.money and self.mode == "incremental":
            touched = set(self.env.execute_query(sql.touched(self.run, self.feed)))
        for company, lock in self.locks.items():
            for period in self._months(company, told, known):
                key = (company.id, period)
                found = told.get(key)
                if found is None and self.mode != "incremental":
                    found = Content()
                row = known.get(key) or self._begin(company, period)
                self._tell(row, found, lock, key in touched)

    def _told(self):
        if not self.money:
            return {}
        kind = "period" if self.mode == "incremental" else "items"
        return {
            (company, period): Content(*rest)
            for company, period, *rest in self.env.execute_query(
                sql.content(self.run, self.feed, kind)
            )
        }

    def _months(self, company, told, known):
        """The months of a company from the first that is known of until the last that has ended."""
        last = self.run._last_ended()
        if self.mode == "period" and self.run.period:
            return [self.run.period] if self.run.period <= last else []
        found = {period for owner, period in (*told, *known) if owner == company.id}
        found |= {
            file.period
            for file in self.run.file_ids
            if file.feed == self.feed and file.period and file.entity_id == company
        }
        found.add(last)
        first = min(found)
        return months(first, last) if first <= last else []

    def _begin(self, company, period):
        return self.periods.create(
            {
                "export_feed_id": self.line.id,
                "company_id": company.id,
                "period": period,
                "version": 0,
            }
        )

    def _tell(self, row, found, lock, was_touched):
        """One month: found is its `Content`, None where nothing was told of it anew."""
        former = row.version_ids[:1]
        changed = found is not None and (
            not former or was_touched or _content_of(former).identity != found.identity
        )
        values = {}
        if changed:
            values |= self._version(row, former, found)
        elif not row.version:
            values |= {"version": 1, "run_id": self.run.id}
        is_final = bool(lock and month(row.period)[1] <= lock)
        state = "final" if is_final else "published"
        if row.state != state or is_final and row.lock_date != lock and changed:
            values |= {"state": state}
            if is_final:
                values |= {
                    "lock_date": lock,
                    "final_at": row.final_at or fields.Datetime.now(),
                }
        if values:
            row.write({"published_at": fields.Datetime.now(), **values})

    def _version(self, row, former, found):
        """Write what the month adds up to now: over what was not final yet, else as a new one."""
        facts = {
            "run_id": self.run.id,
            "published_at": fields.Datetime.now(),
            "read_at": self.run.begun_at,
            "rows": found.rows,
            "debit": float(found.debit),
            "credit": float(found.credit),
            "digest": found.digest,
            "accounts": found.accounts,
        }
        versions = self.env["finance.export.period.version"].sudo()
        if not row.final_at and former:
            former.write(facts)
            return {"run_id": self.run.id}
        number = row.version + 1
        if row.final_at and former:
            self._restate(row, former, found, number)
        versions.create({"period_id": row.id, "version": number, **facts})
        return {"version": number, "run_id": self.run.id}

    def _restate(self, row, former, found, number):
        """Keep what it was, what it is and who wrote; ask for the reason."""
        before = _content_of(former)
        since = former.run_id.snapshot
        is_new = self.line._is_new(since) if since else None
        writers = self.env.execute_query(sql.writers(row.company_id, *month(row.period), is_new))
        restatement = (
            self.env["finance.export.restatement"]
            .sudo()
            .create(
                {
                    "period_id": row.id,
                    "day": fields.Date.context_today(row),
                    "run_id": self.run.id,
                    "lock_date": row.lock_date,
                    "former_version": former.version,
                    "version": number,
                    "former_rows": before.rows,
                    "former_debit": float(before.debit),
                    "former_credit": float(before.credit),
                    "rows": found.rows,
                    "debit": float(found.debit),
                    "credit": float(found.credit),
                    "writer_ids": [(6, 0, [id_ for (id_,) in writers if id_])],
                    "line_ids": [(0, 0, values) for values in _account_rows(before, found)],
                }
            )
        )
        self.env["finance.audit.event"]._record(
            "export.restated", restatement, company=row.company_id, data=restatement._facts()
        )
        difference = Decimal(found.debit) - Decimal(before.debit)
        self.env["finance.exception"]._raise(
            "export.restated",
            record=restatement,
            document=restatement,
            company=row.company_id,
            params={"period": row.period, "version": number},
            amount=float(difference),
            currency=row.currency_id,
        )


def _content_of(version):
    return Content(
        version.rows, str(version.debit), str(version.credit), version.digest or "",
        version.accounts or {},
    )  # fmt: skip


def _account_rows(before, after):
    """What has changed, account by account."""
    rows = []
    for code in sorted({*before.accounts, *after.accounts}):
        former_rows, former_debit, former_credit = before.account(code)
        number, debit, credit = after.account(code)
        former, balance = former_debit - former_credit, debit - credit
        if former == balance and former_rows == number:
            continue
        rows.append(
            {
                "account": code or "–",
                "former_balance": float(former),
                "balance": float(balance),
                "difference": float(balance - former),
                "rows_difference": number - former_rows,
            }
        )
    return rows
