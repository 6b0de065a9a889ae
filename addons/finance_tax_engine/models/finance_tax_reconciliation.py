"""Does the engine's list of recorded documents agree with the posted ledger?"""

from datetime import date, timedelta
from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date
from odoo.tools.misc import format_datetime

from odoo.addons.finance_connector_base.actions import listing, notice
from odoo.addons.finance_connector_base.models.finance_timeline import print_or_show

from ..reconciliation.compare import DIFFERENCE, ORDER, PENDING

USER = "finance_connector_base.group_user"
# Months that are compared each night: this one and those before it, unless they are tax-locked.
MONTHS = 3
MOST_PRINTED = 500
STUCK = ("dead", "uncertain")


class FinanceTaxReconciliation(models.Model):
    """The comparison of one month of a company at one tax engine.

    A run asks the engine piece by piece, one job after the other; what has come so far is kept
    apart, and the result of the last run stands until the list is whole. Months are counted by
    document date, as engines declare; documents whose accounting date lies in another month are
    named. Nothing here changes the ledger.
    """

    _name = "finance.tax.reconciliation"
    _inherit = ["finance.job.mixin"]
    _description = "Tax Reconciliation"
    _order = "first desc, company_id, connector_id"

    connector_id = fields.Many2one(
        "finance.connector", "Engine", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True, ondelete="cascade"
    )
    month = fields.Char(required=True, readonly=True, help="YYYY-MM, by document date.")
    first = fields.Date("From", required=True, readonly=True)
    last = fields.Date("To", required=True, readonly=True)
    uuid = fields.Char(required=True, readonly=True, default=lambda self: str(uuid4()))
    trace_id = fields.Char("Trace", readonly=True, default=lambda self: uuid4().hex)

    # === THE RUN UNDER WAY === #
    run = fields.Integer(readonly=True, help="How often it was begun.")
    step = fields.Integer(readonly=True)
    started_at = fields.Datetime(readonly=True)
    started_by_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    listed_until = fields.Date(readonly=True)
    listed_days = fields.Integer(readonly=True, help="Days that are asked about at once.")
    listed_id = fields.Integer(readonly=True)
    progress = fields.Integer("Progress (%)", compute="_compute_running")
    is_running = fields.Boolean(compute="_compute_running")
    is_stuck = fields.Boolean(compute="_compute_running")
    failure = fields.Char("Last failure", compute="_compute_running")

    # === THE LAST RESULT === #
    standing = fields.Selection(
        [
            ("new", "Never compared"),
            (DIFFERENCE, "Differences"),
            (PENDING, "Not complete yet"),
            (ORDER, "In order"),
        ],
        "Result",
        default="new",
        required=True,
        readonly=True,
    )
    compared_at = fields.Datetime("Compared", readonly=True)
    compared_by_id = fields.Many2one("res.users", "Compared by", readonly=True, ondelete="set null")
    digest = fields.Char(readonly=True, help="SHA-256 of all that was found, line by line.")
    line_ids = fields.One2many(
        "finance.tax.reconciliation.line", "reconciliation_id", readonly=True
    )
    open_ids = fields.One2many(
        "finance.tax.reconciliation.line",
        "reconciliation_id",
        "To Decide",
        domain=[("standing", "=", DIFFERENCE), ("explained", "=", False)],
        readonly=True,
    )
    total_ids = fields.One2many(
        "finance.tax.reconciliation.total", "reconciliation_id", readonly=True
    )
    by_lookup = fields.Boolean("One by One", compute="_compute_by_lookup")
    is_locked = fields.Boolean("Tax-locked", compute="_compute_is_locked")
    matched_count = fields.Integer("Matched", compute="_compute_counts")
    only_here_count = fields.Integer("Only Here", compute="_compute_counts")
    only_there_count = fields.Integer("Only There", compute="_compute_counts")
    amount_count = fields.Integer("Amount Differs", compute="_compute_counts")
    other_count = fields.Integer("Status or Date Differs", compute="_compute_counts")
    cutoff_count = fields.Integer("Other Month", compute="_compute_counts")
    open_count = fields.Integer("Open Differences", compute="_compute_counts")
    sentence = fields.Char(compute="_compute_words")
    statement = fields.Text(compute="_compute_words")

    _month_unique = models.Constraint(
        "UNIQUE (connector_id, company_id, month)", "A month is compared in one place."
    )

    # === COMPUTE METHODS === #

    @api.depends("month", "connector_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for period in self:
            period.display_name = f"{period._month_words()}, {period.connector_id.sudo().name}"

    def _month_words(self):
        return format_date(self.env, self.first, date_format="MMMM yyyy") if self.first else ""

    @api.depends("run", "step")
    def _compute_running(self):
        jobs = self.env["finance.job"]._unfinished(self)
        for period in self:
            own = jobs.filtered(lambda j, p=period: (j.res_model, j.res_id) == (p._name, p.id))
            period.is_stuck = any(job.state in STUCK for job in own)
            period.is_running = bool(own) and not period.is_stuck
            period.failure = own[:1].error_text
            done = (period.listed_until - period.first).days + 1 if period.listed_until else 0
            whole = (period.last - period.first).days + 1 if period.first else 1
            period.progress = 100 * done // whole if period.is_running else 0

    @api.depends("connector_id.provider")
    def _compute_by_lookup(self):
        for period in self:
            offers = getattr(period.connector_id.sudo()._known_class(), "capabilities", ())
            period.by_lookup = "list" not in offers

    def _compute_is_locked(self):
        for period in self:
            locked = period.company_id.sudo().tax_lock_date
            period.is_locked = bool(locked and period.last and locked >= period.last)

    @api.depends("compared_at", "line_ids.explained")
    def _compute_counts(self):
        counts = self._grouped()
        for period in self:
            rows = counts.get(period.id, [])

            def number(*buckets, rows=rows):
                return sum(count for bucket, *_words, count in rows if bucket in buckets)

            period.matched_count = number("matched")
            period.only_here_count = number("only_here")
            period.only_there_count = number("only_there")
            period.amount_count = number("amount")
            period.other_count = number("status", "date", "unknown")
            period.open_count = sum(
                count
                for _bucket, _reason, standing, explained, count in rows
                if standing == DIFFERENCE and not explained
            )
        lines = self.env["finance.tax.reconciliation.line"].sudo()
        cutoff = dict(
            lines._read_group(
                [("reconciliation_id", "in", self.ids), ("cutoff", "=", True)],
                ["reconciliation_id"],
                ["__count"],
            )
        )
        for period in self:
            period.cutoff_count = cutoff.get(period.sudo(), 0)

    def _grouped(self):
        """Return {id: [(bucket, reason, standing, explained, count)]} of the lines."""
        rows = (
            self.env["finance.tax.reconciliation.line"]
            .sudo()
            ._read_group(
                [("reconciliation_id", "in", self.ids), ("bucket", "!=", False)],
                ["reconciliation_id", "bucket", "reason", "standing", "explained"],
                ["__count"],
            )
        )
        found = {}
        for period, *row in rows:
            found.setdefault(period.id, []).append(row)
        return found

    # === WHICH MONTHS THERE ARE === #

    @api.model
    def _workflows(self, companies=None):
        """Return the tax workflows whose engine can say what it has recorded."""
        domain = [("flow", "=", "tax"), ("connector_id.active", "=", True)]
        if companies is not None:
            domain.append(("company_id", "in", companies.ids))
        workflows = self.env["finance.workflow"].sudo().search(domain)
        return workflows.filtered(
            lambda w: (
                {"list", "lookup"} & getattr(w.connector_id._known_class(), "capabilities", set())
            )
        )

    @api.model
    def _ensure(self, workflows, months):
        """Return the periods of ``months`` ("2026-03") of workflows; create what lacks."""
        this = self.sudo()
        known = this.search(
            [("connector_id", "in", workflows.connector_id.ids), ("month", "in", months)]
        )
        present = {(row.connector_id, row.company_id, row.month): row for row in known}
        missing, found = [], this.browse()
        for workflow in workflows:
            for month in months:
                period = present.get((workflow.connector_id, workflow.company_id, month))
                if period:
                    found += period
                    continue
                first = date.fromisoformat(f"{month}-01")
                following = (first + timedelta(days=31)).replace(day=1)
                missing.append(
                    {
                        "connector_id": workflow.connector_id.id,
                        "company_id": workflow.company_id.id,
                        "month": month,
                        "first": first,
                        "last": following - timedelta(days=1),
                    }
                )
        return found + this.create(missing)

    @api.model
    def _recent_months(self):
        first, months = fields.Date.context_today(self).replace(day=1), []
        for _number in range(MONTHS):
            months.append(f"{first:%Y-%m}")
            first = fields.Date.subtract(first, months=1)
        return months

    @api.model
    def _open(self):
        """Return the action that shows the months of the companies that one works in."""
        self._ensure(self._workflows(self.env.companies), self._recent_months())
        return self.env["ir.actions.act_window"]._for_xml_id(
            "finance_tax_engine.action_finance_tax_reconciliation_list"
        )

    @api.model
    def _cron_reconcile(self):
        """Compare the open months again: the last ones, and those that still differ."""
        workflows = self._workflows().filtered(lambda w: w.connector_id.state == "ready")
        periods = self._ensure(workflows, self._recent_months())
        periods |= self.search(
            [
                ("connector_id", "in", workflows.connector_id.ids),
                ("standing", "in", (DIFFERENCE, PENDING)),
            ]
        )
        periods.filtered(lambda p: not p.is_locked and not p._obstacle())._start()

    # === WHAT IS KEPT OF A RUN === #

    def _note(self, kind):
        """Record in the audit trail what was found, or printed: numbers, sums and the digest."""
        totals = self.total_ids.filtered(lambda total: not total.key)
        counts = {}
        for bucket, *_words, count in self._grouped().get(self.id, []):
            counts[bucket] = counts.get(bucket, 0) + count
        self.env["finance.audit.event"].sudo()._record(
            kind,
            self,
            connector=self.connector_id,
            company=self.company_id,
            trace_id=self.trace_id,
            data={
                "month": self.month,
                "run": self.run,
                "counts": counts,
                "here": {total.currency: str(total.here) for total in totals},
                "there": {total.currency: str(total.there) for total in totals},
                "digest": self.digest,
            },
        )

    def _names_of_keys(self, keys):
        """Return {key: words} of jurisdictions."""
        rows = (
            self.env["finance.tax.jurisdiction"]
            .sudo()
            .search([("company_id", "in", self.company_id.root_id.ids), ("key", "in", list(keys))])
        )
        names = dict.fromkeys(keys)
        names.update({key: key for key in keys})
        names.update({row.key: row.tax_id.sudo().name or row.name for row in rows})
        names.update({"": self.env._("All tax"), "?": self.env._("Not told by jurisdiction")})
        return names

    def _failed(self, error):
        """Word the end of a run that could not be finished; see `finance.operation._failed`."""
        return "tax.reconciliation_failed", {
            "params": {"message": error.message, "month": self.month}
        }

    # === BUTTONS === #

    def _check_may(self, action):
        if not self.env.su and not self.env.user.has_group(USER):
            self.env["finance.denied.action"]._deny(action, "group", self)
            raise AccessError(self.env._("Only accountants compare the books with a tax engine."))
        self.check_access("read")

    def action_compare(self):
        """Compare now, in the background."""
        self._check_may("tax.compare")
        for period in self:
            obstacle = period._obstacle()
            if obstacle:
                raise UserError(obstacle)
        self._start()
        words = self.env._("The engine is being asked; the result comes by itself.")
        return notice("info", words)

    def action_earlier(self):
        """Open the month before, also when nobody has looked at it yet."""
        self.ensure_one()
        self._check_may("tax.compare")
        workflow = self._workflows().filtered(
            lambda w: (w.connector_id, w.company_id) == (self.connector_id, self.company_id)
        )
        if not workflow:
            raise UserError(self.env._("This engine does not serve the company any more."))
        month = f"{self.first - timedelta(days=1):%Y-%m}"
        return self._ensure(workflow, [month]).with_env(self.env).get_formview_action()

    def action_open_lines(self):
        """List the lines of the bucket named in the context, all by default."""
        self.ensure_one()
        bucket = self.env.context.get("bucket")
        domains = {
            "open": [("standing", "=", DIFFERENCE), ("explained", "=", False)],
            "other": [("bucket", "in", ("status", "date", "unknown"))],
            "cutoff": [("cutoff", "=", True)],
        }
        domain = domains.get(bucket, [("bucket", "=", bucket)] if bucket else [])
        return listing(
            self.display_name,
            "finance.tax.reconciliation.line",
            [("reconciliation_id", "=", self.id), *domain],
            view_mode="list,pivot,graph,form",
        )

    def action_open_exchanges(self):
        """List what was exchanged with the engine to compare."""
        self.ensure_one()
        return listing(
            self.env._("Exchanges"), "finance.exchange", [("trace_id", "=", self.trace_id)]
        )

    def action_print(self):
        """Print the statement; that somebody did is recorded."""
        self.check_access("read")
        for period in self:
            if not period.compared_at:
                raise UserError(self.env._("Compare first; there is nothing to state yet."))
            period._note("tax.stated")
        return print_or_show(self.env.ref("finance_tax_engine.report_tax_reconciliation"), self)

    def _printed(self):
        """Return what the printed statement shows."""
        self.ensure_one()
        return {
            "told": self.env["finance.tax.reconciliation.line"].search(
                [("reconciliation_id", "=", self.id), ("standing", "!=", ORDER)], limit=MOST_PRINTED
            ),
            "totals": self.total_ids.sorted(lambda total: (total.currency, total.key or "")),
            "by": self.compared_by_id.sudo().name,
            "at": format_datetime(self.env, self.compared_at, dt_format=False),
            "printed_at": format_datetime(self.env, fields.Datetime.now(), dt_format=False),
            "zone": str(self.env.tz),
        }
