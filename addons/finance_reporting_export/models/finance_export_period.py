"""How far a month of a company has been told to the receiver, and whether that is final."""

from odoo import api, fields, models
from odoo.exceptions import AccessError

STATES = [("open", "Not published"), ("published", "Published"), ("final", "Final")]


class FinanceExportPeriod(models.Model):
    """A month of a company in a feed of an export, as it was delivered last.

    It becomes final with the first delivery under a lock date of the company. What is delivered of
    it later is a restatement: another version, the former one is kept. The lock date is never
    moved from here.
    """

    _name = "finance.export.period"
    _description = "Published Period"
    _order = "period desc, company_id, export_feed_id, id"
    _rec_name = "period"

    export_feed_id = fields.Many2one(
        "finance.export.feed", "Feed", required=True, readonly=True, index=True, ondelete="cascade"
    )
    export_id = fields.Many2one(related="export_feed_id.export_id", store=True, index=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    period = fields.Char(required=True, readonly=True, help="As 2026-03.")
    state = fields.Selection(STATES, required=True, readonly=True, default="open")
    version = fields.Integer(readonly=True, default=1)
    run_id = fields.Many2one("finance.export.run", "Last Run", readonly=True, ondelete="set null")
    lock_date = fields.Date("Locked until", readonly=True)
    published_at = fields.Datetime("Published", readonly=True)
    final_at = fields.Datetime("Final since", readonly=True)
    version_ids = fields.One2many(
        "finance.export.period.version", "period_id", "Versions", readonly=True
    )
    restatement_ids = fields.One2many("finance.export.restatement", "period_id", readonly=True)

    _once = models.Constraint(
        "UNIQUE (export_feed_id, company_id, period)", "A month of a company is published once."
    )

    @api.depends("period", "company_id", "export_feed_id")
    def _compute_display_name(self):
        for row in self:
            parts = (row.company_id.sudo().name, row.period, row.export_feed_id.display_name)
            row.display_name = " ".join(part for part in parts if part)

    @api.model_create_multi
    def create(self, vals_list):
        """Periods are published by deliveries."""
        self._check_own("create")
        return super().create(vals_list)

    def write(self, vals):
        """Periods are published by deliveries."""
        self._check_own("write")
        return super().write(vals)

    def _check_own(self, action):
        if self.env.su:
            return
        self.env["finance.denied.action"]._deny(action, "guard", self)
        raise AccessError(self.env._("Periods are published by deliveries, never by hand."))

    # === LOCK DATES === #

    @api.model
    def _lock_dates(self, companies):
        """Return {company: the last day that is locked for everybody, None without one}.

        The hard lock date, and the global one unless somebody has an exception from it now; of a
        branch also those of its parents.
        """
        return {company: self._lock_date(company.sudo()) for company in companies}

    def _lock_date(self, company):
        exceptions = self.env["account.lock_exception"].sudo()
        days = []
        for one in company.parent_ids:
            days.append(one.hard_lock_date)
            excepted = exceptions.search_count(
                [
                    ("company_id", "=", one.id),
                    ("lock_date_field", "=", "fiscalyear_lock_date"),
                    ("state", "=", "active"),
                ],
                limit=1,
            )
            days.append(False if excepted else one.fiscalyear_lock_date)
        return max((day for day in days if day), default=None)


class FinanceExportPeriodVersion(models.Model):
    """What a month added up to in one version of it."""

    _name = "finance.export.period.version"
    _description = "Version of a Published Period"
    _order = "period_id, version desc"
    _rec_name = "version"
    _log_access = False

    period_id = fields.Many2one(
        "finance.export.period", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="period_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    version = fields.Integer(required=True, readonly=True)
    run_id = fields.Many2one("finance.export.run", readonly=True, ondelete="set null")
    published_at = fields.Datetime("Published", readonly=True)
    read_at = fields.Datetime("As of", readonly=True, help="When the ledger was read.")
    rows = fields.Integer(readonly=True)
    debit = fields.Monetary(readonly=True, aggregator=None)
    credit = fields.Monetary(readonly=True, aggregator=None)
    digest = fields.Char(readonly=True)
    accounts = fields.Json(readonly=True, help="{code: [rows, debit, credit]}")

    _once = models.Constraint("UNIQUE (period_id, version)", "A version is kept once.")
