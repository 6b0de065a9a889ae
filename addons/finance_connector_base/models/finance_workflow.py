from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..providers.retry import RetryPolicy

HOUR = 3600
POLICY = RetryPolicy()


class FinanceWorkflow(models.Model):
    _name = "finance.workflow"
    _description = "Workflow of a Connector"
    _order = "connector_id, company_id, flow, id"
    _check_company_auto = True

    connector_id = fields.Many2one(
        "finance.connector", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        index=True,
        ondelete="cascade",
        help="Also for its branches, unless they have a workflow of their own.",
    )
    flow = fields.Selection(selection="_selection_flow", required=True)
    active = fields.Boolean(default=True)
    direction = fields.Selection(
        [("out", "From Odoo"), ("in", "To Odoo"), ("both", "Both ways")],
        default="out",
        required=True,
    )
    mode = fields.Selection(
        [
            ("realtime", "At once, the person waits"),
            ("event", "Right after the event"),
            ("batch", "In small batches"),
            ("scheduled", "At fixed times"),
        ],
        default="event",
        required=True,
    )
    system_of_record = fields.Selection(
        [("odoo", "Odoo"), ("vendor", "The other system")],
        "System of Record",
        default="odoo",
        required=True,
        help="Which side is right when the two differ.",
    )
    freshness_hours = fields.Float(
        "Fresh within (h)",
        default=24.0,
        help="How old the last success may be; 0: no promise. What runs on events keeps it as long "
        "as no work waits longer.",
    )
    last_success_at = fields.Datetime(
        "Last success noted", readonly=True, copy=False, help="Brought up to date every 5 minutes."
    )
    freshness = fields.Selection(
        [("fresh", "Fresh"), ("late", "Late"), ("never", "Never yet"), ("none", "No promise")],
        compute="_compute_freshness",
    )
    freshness_words = fields.Char("Last success", compute="_compute_freshness")
    max_attempts = fields.Integer("Attempts", default=POLICY.max_attempts)
    retry_window_hours = fields.Float("Retry for (h)", default=POLICY.window / HOUR)
    backoff_base_seconds = fields.Float("First wait up to (s)", default=POLICY.base)
    backoff_cap_seconds = fields.Float("Longest wait (s)", default=POLICY.cap)
    setting_ids = fields.One2many("finance.setting", "workflow_id", string="Options")

    _one_per_flow = models.Constraint(
        "UNIQUE (connector_id, company_id, flow)",
        "A connector has one workflow per company and flow.",
    )
    _sane_policy = models.Constraint(
        "CHECK (max_attempts >= 1 AND retry_window_hours > 0 AND backoff_base_seconds > 0 "
        "AND backoff_cap_seconds >= backoff_base_seconds AND freshness_hours >= 0)",
        "Attempts and waits must be greater than zero, and the longest wait not below the first.",
    )

    # === FLOWS === #

    @api.model
    def _flows(self) -> dict:
        """Return the flows by code with their names. Addons extend it: ``super()._flows() | {…}``."""
        return {}

    @api.model
    def _selection_flow(self):
        return list(self._flows().items())

    # === COMPUTE METHODS, CONSTRAINTS === #

    @api.depends("connector_id", "company_id", "flow")
    def _compute_display_name(self):
        for workflow in self:
            flow = self._flows().get(workflow.flow, workflow.flow)
            workflow.display_name = (
                f"{workflow.connector_id.name}: {flow}, {workflow.company_id.name}"
            )

    @api.depends_context("lang")
    def _compute_freshness(self):
        health = self.env["finance.health"]
        successes = health._successes(self)
        for workflow in self:
            success, waits_since = successes.get(workflow.id, (None, None))
            late = health._hours_late(workflow, success, waits_since)
            if late is None:
                workflow.freshness = "none"
            elif late:
                workflow.freshness = "late"
            else:
                workflow.freshness = "fresh" if success else "never"
            workflow.freshness_words = workflow._words_of_success(success)

    def _words_of_success(self, success):
        """Return "Late: last success 26 hours ago, promised every 24 h", or what else is true."""
        names = {
            "when": self.env["finance.connector"]._ago(success, threshold=2),
            "hours": f"{self.freshness_hours:g}",
        }
        if self.freshness == "late":
            if success:
                return self.env._(
                    "Late: last success %(when)s, promised every %(hours)s h", **names
                )
            return self.env._("Late: no success yet, promised every %(hours)s h", **names)
        if not success:
            return self.env._("No success yet")
        if self.freshness == "fresh":
            return self.env._("Last success %(when)s, promised every %(hours)s h", **names)
        return self.env._("Last success %(when)s", **names)

    @api.constrains("company_id", "connector_id")
    def _check_served(self):
        for workflow in self.sudo():
            if not workflow.company_id.parent_ids & workflow.connector_id.company_ids:
                raise ValidationError(
                    self.env._(
                        "%(connector)s doesn't serve %(company)s: add the company there first.",
                        connector=workflow.connector_id.name,
                        company=workflow.company_id.name,
                    )
                )

    # === ROWS OF OPTIONS === #

    @api.model_create_multi
    def create(self, vals_list):
        workflows = super().create(vals_list)
        workflows._ensure_rows()
        return workflows

    def _ensure_rows(self):
        """Give each workflow the options that its provider asks for per company."""
        for workflow in self.sudo():
            settings = workflow.connector_id._known_class().company_settings
            workflow._ensure_rows_of(settings)

    def _ensure_rows_of(self, settings):
        present = {(row.environment, row.name) for row in self.setting_ids}
        self.env["finance.setting"].sudo().create(
            [
                {
                    "connector_id": self.connector_id.id,
                    "workflow_id": self.id,
                    "environment": environment,
                    "name": setting.name,
                    "sequence": position,
                    "value": setting.default or False,
                }
                for environment in self.connector_id._row_environments()
                for position, setting in enumerate(settings)
                if (environment, setting.name) not in present
            ]
        )

    # === WHICH ONE SERVES === #

    @api.model
    def _serving(self, company, flow):
        """Return the workflow that serves ``company`` for ``flow``, whatever the connector.

        Its own, else of its nearest parent; empty when there is none.
        """
        # Settings are written with active_test switched off
        workflows = self.sudo().with_context(active_test=True)
        return workflows.search(
            [
                ("flow", "=", flow),
                ("company_id", "parent_of", company.ids),
                ("connector_id.active", "=", True),
            ]
        )._nearest(company)

    def _nearest(self, company):
        """Return the one of these of ``company``, else of its nearest parent; of two the elder."""
        depth = {parent.id: level for level, parent in enumerate(company.sudo().parent_ids)}
        return self.sorted(lambda row: (-depth.get(row.company_id.id, -1), row.id))[:1]

    # === WHAT JOBS ASK === #

    def _retry_policy(self) -> RetryPolicy:
        """Return when a job of this workflow is tried again; the usual policy for an empty set."""
        if not self:
            return POLICY
        return RetryPolicy(
            max_attempts=self.max_attempts,
            window=self.retry_window_hours * HOUR,
            base=self.backoff_base_seconds,
            cap=self.backoff_cap_seconds,
        )

    def _company_settings(self) -> dict:
        """Return the options of the connector's environment by name, texts."""
        rows = self.sudo().setting_ids.filtered(
            lambda row: row.environment == row.connector_id.environment
        )
        return {row.name: row.value or "" for row in rows}
