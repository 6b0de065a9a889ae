"""The close on one list: per company, feed and month what is published, final, late or blocked."""

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.finance_connector_base.actions import listing

STANDINGS = [
    ("blocked", "Blocked"),
    ("late", "Late"),
    ("restated", "Reason of restatement missing"),
    ("open", "Not published yet"),
    ("published", "Published"),
    ("final", "Final"),
]
MONTHS = 24


class FinanceExport(models.Model):
    _inherit = "finance.export"

    close_days = fields.Integer(
        "Due after Month-end (days)",
        default=5,
        required=True,
        help="A month that is not published so many days after its end is late.",
    )

    _close_days_check = models.Constraint(
        "CHECK (close_days >= 0)", "The days after the month-end can't be negative."
    )


class FinanceExportClose(models.Model):
    """One month of one company in one dated feed of an export, for two years back.

    Asked for from the month before the export was made on. Blocked: it is not published, and the
    last run of the export stands.
    """

    _name = "finance.export.close"
    _description = "Close of an Export"
    _auto = False
    _depends = {
        "finance.export": ["active", "close_days", "company_ids", "create_date"],
        "finance.export.feed": ["dated", "export_id"],
        "finance.export.period": [
            "company_id",
            "export_feed_id",
            "lock_date",
            "period",
            "published_at",
            "run_id",
            "state",
            "version",
        ],
        "finance.export.restatement": ["period_id", "state"],
        "finance.export.run": ["export_id", "period", "state"],
    }
    _order = "period desc, company_id, export_id, export_feed_id"
    _rec_name = "period"

    company_id = fields.Many2one("res.company", readonly=True)
    export_id = fields.Many2one("finance.export", readonly=True)
    export_feed_id = fields.Many2one("finance.export.feed", "Feed", readonly=True)
    period = fields.Char("Month", readonly=True)
    day = fields.Date("Month-end", readonly=True)
    due = fields.Date(readonly=True)
    standing = fields.Selection(STANDINGS, readonly=True)
    period_id = fields.Many2one("finance.export.period", "Published Period", readonly=True)
    version = fields.Integer(readonly=True, aggregator=None)
    published_at = fields.Datetime("Published", readonly=True)
    lock_date = fields.Date("Locked until", readonly=True)
    run_id = fields.Many2one("finance.export.run", "Last Run", readonly=True)
    pending = fields.Integer("Reasons Missing", readonly=True)
    why = fields.Char(compute="_compute_why")

    @property
    def _table_query(self):
        today = fields.Date.context_today(self)
        return SQL(
            """
            SELECT line.id::bigint * 100000000 + company.id::bigint * 10000
                   + (extract(year FROM month.first)::int - 2000) * 12
                   + extract(month FROM month.first)::int AS id,
                   company.id AS company_id, export.id AS export_id, line.id AS export_feed_id,
                   to_char(month.first, 'YYYY-MM') AS period,
                   (month.first + interval '1 month - 1 day')::date AS day,
                   (month.first + interval '1 month - 1 day')::date + export.close_days AS due,
                   told.id AS period_id, told.version, told.published_at, told.lock_date,
                   COALESCE(told.run_id, last.id) AS run_id, COALESCE(restated.count, 0) AS pending,
                   CASE WHEN restated.count > 0 THEN 'restated'
                        WHEN told.state IN ('published', 'final') THEN told.state
                        WHEN last.state IN ('blocked', 'failed', 'overtaken') THEN 'blocked'
                        WHEN (month.first + interval '1 month - 1 day')::date + export.close_days
                             < %(today)s THEN 'late'
                        ELSE 'open' END AS standing
              FROM finance_export AS export
              JOIN finance_export_feed AS line ON line.export_id = export.id AND line.dated
              JOIN finance_export_res_company_rel AS serves ON serves.finance_export_id = export.id
              JOIN res_company AS company ON company.id = serves.res_company_id
             CROSS JOIN LATERAL generate_series(
                   greatest(date_trunc('month', export.create_date) - interval '1 month',
                            date_trunc('month', %(today)s::timestamp) - make_interval(months => %(months)s)),
                   date_trunc('month', %(today)s::timestamp) - interval '1 month',
                   interval '1 month') AS month(first)
              LEFT JOIN finance_export_period AS told
                ON told.export_feed_id = line.id AND told.company_id = company.id
               AND told.period = to_char(month.first, 'YYYY-MM')
              LEFT JOIN LATERAL (
                   SELECT run.id, run.state FROM finance_export_run AS run
                    WHERE run.export_id = export.id AND run.state <> 'cancelled'
                      AND COALESCE(run.period, '') IN ('', to_char(month.first, 'YYYY-MM'))
                    ORDER BY run.id DESC LIMIT 1) AS last ON true
              LEFT JOIN LATERAL (
                   SELECT count(*)::int AS count FROM finance_export_restatement AS restatement
                    WHERE restatement.period_id = told.id
                      AND restatement.state = 'pending') AS restated ON true
             WHERE export.active
            """,
            today=today,
            months=MONTHS,
        )

    @api.depends("standing", "run_id")
    @api.depends_context("lang")
    def _compute_why(self):
        _ = self.env._
        for row in self:
            row.why = {
                "blocked": row._why_blocked,
                "late": lambda row=row: _("It was due on %(day)s.", day=row.due),
                "restated": lambda: _("It changed after it was final: a controller gives the reason."),
            }.get(row.standing, lambda: "")()  # fmt: skip

    def _why_blocked(self):
        run = self.run_id.sudo()
        if run.state == "failed":
            return self.env._("The totals of the file are not those of the ledger.")
        if run.state == "overtaken":
            return self.env._("The receiver has later batches than this database knows.")
        blocking = run.finding_ids.filtered("blocks")
        return "; ".join(blocking.mapped("title")) or self.env._("Its last run was stopped.")

    def action_open(self):
        """Open what stands behind a row: the restatements, the run, or the published month."""
        self.ensure_one()
        if self.standing == "restated":
            domain = [("period_id", "=", self.period_id.id), ("state", "=", "pending")]
            return listing(self.env._("Restatements"), "finance.export.restatement", domain)
        record = self.run_id or self.export_id
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
        }

    @api.model
    def _is_asked(self, companies):
        """Whether an export of one of the companies has a dated feed."""
        lines = self.env["finance.export.feed"].sudo()
        domain = [
            ("dated", "=", True),
            ("export_id.active", "=", True),
            ("export_id.company_ids", "in", companies.ids),
        ]
        return bool(lines.search_count(domain, limit=1))
