"""Values without an approved external code: asked for, or used by last month's journal items."""

from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.tools import SQL

from ..actions import listing
from ..unmapped import Unmapped
from .finance_mapping_sql import TYPES, items, matching

UPSERT_USED = """
INSERT INTO finance_mapping_missing AS known (
    mapping_id, connector_id, scope, company_id, res_model, res_id, month, items, turnover,
    asked, asked_items, asked_amount)
SELECT %(mapping)s, %(connector)s, %(scope)s, %(company)s, %(model)s, used.value, %(month)s,
       count(DISTINCT used.line_id), sum(abs(used.balance)), 0, 0, 0
  FROM (%(items)s) AS used
  LEFT JOIN (%(matching)s) AS hit ON hit.id = used.value AND hit.day = used.day
 WHERE hit.line_id IS NULL
 GROUP BY used.value
ON CONFLICT (mapping_id, company_id, res_id) DO UPDATE
   SET month = EXCLUDED.month, items = EXCLUDED.items, turnover = EXCLUDED.turnover
"""
UPSERT_ASKED = """
INSERT INTO finance_mapping_missing AS known (
    mapping_id, connector_id, scope, company_id, res_model, res_id, day, asked, asked_items,
    asked_amount, items, turnover)
VALUES %s
ON CONFLICT (mapping_id, company_id, res_id) DO UPDATE
   SET day = EXCLUDED.day, asked = known.asked + 1, asked_items = EXCLUDED.asked_items,
       asked_amount = EXCLUDED.asked_amount, connector_id = EXCLUDED.connector_id,
       scope = EXCLUDED.scope
RETURNING id, res_id
"""


class FinanceMappingMissing(models.Model):
    """One value of one company that a mapping has no code for."""

    _name = "finance.mapping.missing"
    _inherit = ["finance.weak.mixin"]
    _description = "Unmapped Value"
    _log_access = False
    _order = "asked desc, turnover desc, id"
    _rec_name = "record_name"
    _rec_names_search = ["mapping_id.name"]

    mapping_id = fields.Many2one(
        "finance.mapping", required=True, readonly=True, index=True, ondelete="cascade"
    )
    kind = fields.Selection(related="mapping_id.kind", string="Type")
    connector_id = fields.Many2one(
        "finance.connector", "Asked for by", readonly=True, ondelete="cascade"
    )
    scope = fields.Char("Feed", readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    res_model = fields.Char("Record Model", readonly=True)
    res_id = fields.Many2oneReference(
        "Record", model_field="res_model", required=True, readonly=True
    )
    record_name = fields.Char("Value", compute="_compute_record_name")
    month = fields.Char(readonly=True, help="The month whose posted items are counted.")
    items = fields.Integer("Items", readonly=True, help="Posted journal items of last month.")
    turnover = fields.Monetary(
        readonly=True, aggregator=None, help="Their debits and credits added up."
    )
    asked = fields.Integer("Asked for", readonly=True, help="How often work needed the code.")
    asked_items = fields.Integer("Items Waiting", readonly=True)
    asked_amount = fields.Monetary("Amount Waiting", readonly=True, aggregator=None)
    day = fields.Date("Business Day", readonly=True)
    job_ids = fields.Many2many("finance.job", string="Waiting Jobs", readonly=True)
    exception_id = fields.Many2one("finance.exception", readonly=True, ondelete="set null")

    _once = models.Constraint(
        "UNIQUE (mapping_id, company_id, res_id)", "An unmapped value is told once."
    )
    _record_index = models.Index("(res_model, res_id)")

    @api.depends("res_model", "res_id")
    @api.depends_context("lang", "uid")
    def _compute_record_name(self):
        for company, rows in self.grouped("company_id").items():
            # of an account its code in the company that it is booked in
            there = rows.with_company(company) if company in self.env.companies else rows
            names = there._names_of((row.res_model, row.res_id) for row in rows)
            for row in rows:
                row.record_name = names.get((row.res_model, row.res_id), "")

    # === WHAT LAST MONTH USED === #

    @api.model
    def _last_month(self, company):
        """Return (first, last) day of the calendar month before today where the company is."""
        zone = company.sudo().partner_id.tz or self.env.user.tz or "UTC"
        today = fields.Date.context_today(self.with_context(tz=zone))
        last = today.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last

    @api.model
    def _refresh(self, mappings):
        """Count again what last month's posted items use and ``mappings`` have no code for."""
        this = self.sudo()
        this.env.flush_all()
        # row by row in one order, so that two who look at once don't block each other
        this.env.cr.execute(
            """
            UPDATE finance_mapping_missing SET items = 0, turnover = 0 WHERE id IN (
                SELECT id FROM finance_mapping_missing
                 WHERE mapping_id = ANY(%s) AND items > 0 ORDER BY id FOR UPDATE)
            """,
            [mappings.ids],
        )
        for mapping in mappings.sudo():
            for company in mapping._companies():
                this._count_used(mapping, company)
        this.env.cr.execute(
            "DELETE FROM finance_mapping_missing"
            " WHERE mapping_id = ANY(%s) AND items = 0 AND asked = 0",
            [mappings.ids],
        )
        this.invalidate_model()

    def _count_used(self, mapping, company):
        first, last = self._last_month(company)
        used = items(mapping.kind, company.ids, first, last)
        wanted = SQL("SELECT DISTINCT value AS id, day FROM (%s) AS used", used)
        root = company.parent_path.split("/")[0]
        self.env.cr.execute(
            SQL(
                UPSERT_USED,
                mapping=mapping.id,
                connector=mapping.connector_id.id or None,
                scope=mapping.scope or None,
                company=company.id,
                model=mapping._type.model,
                month=f"{first:%Y-%m}",
                items=used,
                matching=matching(mapping.kind, mapping.current_id.id, root, wanted),
            )
        )

    # === WHAT WAS ASKED FOR === #

    @api.model
    def _ask_for(self, answer, counts=None, job=None):
        """Open one exception per missing value of an `Answer`; ``job`` waits for them.

        counts: {record id: (count, amount in company currency)} of what waits. Return the rows.
        """
        this, counts = self.sudo(), counts or {}
        if not answer.missing:
            return this
        if not answer.mapping_id:
            this._say_none(answer, job)
            return this
        this.env.flush_all()
        rows = [
            (
                answer.mapping_id,
                answer.connector_id,
                answer.scope or None,
                answer.company_id,
                TYPES[answer.kind].model,
                record_id,
                answer.day,
                1,
                *counts.get(record_id, (1, 0)),
                0,
                0,
            )
            for record_id in sorted(answer.missing)
        ]
        ids = this.env.cr.execute_values(UPSERT_ASKED, rows, fetch=True)
        missing = this.browse(row[0] for row in ids)
        missing.invalidate_recordset()
        if job:
            missing.write({"job_ids": [Command.link(job.id)]})
        for row in missing:
            row._say()
        return missing

    def _say(self):
        record = self.env[self.res_model].browse(self.res_id)
        self.exception_id = self.env["finance.exception"]._raise(
            "mapping.missing",
            document=record,
            connector=self.connector_id,
            company=self.company_id,
            params={
                "mapping": self.mapping_id.id,
                "mapping_name": self.mapping_id.name,
                "items": self.asked_items,
                "day": self.day,
            },
            amount=self.asked_amount,
            currency=self.company_id.currency_id,
        )

    @api.model
    def _say_none(self, answer, job):
        self.env["finance.exception"]._raise(
            "mapping.none",
            job=job,
            connector=self.env["finance.connector"].browse(answer.connector_id or ()),
            company=self.env["res.company"].browse(answer.company_id),
            params={
                "kind": answer.kind,
                "scope": answer.scope,
                "values": len(answer.missing),
            },
        )

    @api.model
    def _stopped(self, job, cause):
        """Whether ``job`` ended because values are unmapped: then that is said of the values."""
        if not isinstance(cause, Unmapped):
            return False
        if not cause.answer.mapping_id:
            self._say_none(cause.answer, job)
            return True
        self._ask_for(cause.answer, cause.items, job)
        return True

    # === WHAT IS MAPPED NOW === #

    @api.model
    def _settle(self, kind):
        """After an approval: what has a code now is no longer missing, and its jobs go on."""
        rows = self.sudo().search([("mapping_id.kind", "=", kind)])
        settled = self.sudo().browse()
        groups = rows.grouped(lambda row: (row.company_id, row.connector_id, row.scope, row.day))
        for (company, connector, scope, day), group in groups.items():
            day = day or self._last_month(company)[1]
            answer = self.env["finance.mapping"]._lookup(
                kind, group.mapped("res_id"), day, company, connector, scope or ""
            )
            settled |= group.filtered(lambda row, found=answer.found: row.res_id in found)
        settled._end()
        waiting = (
            self.env["finance.exception"]
            .sudo()
            .search([("code", "=", "mapping.none"), ("state", "=", "open")])
        )
        _go_on(waiting.filtered(lambda row: (row.params or {}).get("kind") == kind).job_id.exists())

    def _end(self):
        jobs, exceptions = self.job_ids, self.exception_id
        self.unlink()
        exceptions.filtered(lambda row: row.state == "open")._close("resolved", "mapping.approved")
        still = self.search([("job_ids", "in", jobs.ids)]).job_ids
        _go_on(jobs - still)

    @api.model
    def _merged(self, model, gone_ids, kept_id):
        """Records were merged: their rows become one."""
        rows = self.search([("res_model", "=", model), ("res_id", "in", [*gone_ids, kept_id])])
        for same in rows.grouped(lambda row: (row.mapping_id, row.company_id)).values():
            kept = same.filtered(lambda row: row.res_id == kept_id)[:1] or same[:1]
            kept.write({"res_id": kept_id, "job_ids": [Command.set(same.job_ids.ids)]})
            (same - kept).unlink()

    # === BUTTONS === #

    def action_map(self):
        """Ask for the codes of the selected values."""
        return self.env["finance.mapping.add"]._open(self)

    def action_open_record(self):
        """Open the value."""
        self.ensure_one()
        return self._open_weak(self.res_model, self.res_id)


def _go_on(jobs):
    """Let stopped jobs run again."""
    for job in jobs:
        if job.state == "dead" and job._allows("retry"):
            job.action_retry()


class FinanceMapping(models.Model):
    _inherit = "finance.mapping"

    def action_unmapped(self):
        """Count anew and list what has no code: of these mappings, or of all that one may read."""
        self.check_access("read")
        mappings = self or self.search([])
        self.env["finance.mapping.missing"]._refresh(mappings)
        return listing(
            self.env._("Unmapped Values"),
            "finance.mapping.missing",
            [("mapping_id", "in", mappings.ids)],
            view_mode="list",
            context={"search_default_by_mapping": len(mappings) > 1},
        )
