from datetime import timedelta

from odoo import api, fields, models
from odoo.tools.misc import formatLang


class FinanceConnector(models.Model):
    """The Health tab: the last 24 hours and what waits now, of the reader's companies only."""

    _inherit = "finance.connector"

    calls_24h = fields.Integer("Calls in 24 h", compute="_compute_figures")
    refused_24h = fields.Integer("of these refused", compute="_compute_figures")
    success_rate = fields.Float(
        "Worked (%)",
        digits=(5, 1),
        compute="_compute_figures",
        help="Calls that were answered as promised; a refusal is an answer, too.",
    )
    latency_p50 = fields.Float("Half within (s)", digits=(8, 2), compute="_compute_figures")
    latency_p95 = fields.Float("95 % within (s)", digits=(8, 2), compute="_compute_figures")
    calls_words = fields.Char(compute="_compute_figures")
    backlog_words = fields.Char("Unfinished jobs", compute="_compute_figures")
    oldest_job_words = fields.Char("Oldest waiting job", compute="_compute_figures")
    lane_words = fields.Char("Lanes", compute="_compute_lane_words")
    late_words = fields.Char("Late", compute="_compute_late_words")
    health_workflow_ids = fields.One2many(related="workflow_ids", string="Workflows")

    @api.depends_context("uid", "lang", "allowed_company_ids")
    def _compute_figures(self):
        figures = self.env["finance.health"]._read(self.ids, self.env.companies)
        nothing = self.env["finance.health"]._nothing()
        situations = dict(
            self.env["finance.job"]._fields["situation"]._description_selection(self.env)
        )
        for connector in self:
            health = figures.get(connector.id, nothing)
            connector.calls_24h = health.calls
            connector.refused_24h = health.refused
            connector.success_rate = health.success_rate or 0.0
            connector.latency_p50 = health.p50 or 0.0
            connector.latency_p95 = health.p95 or 0.0
            connector.calls_words = self._words_of_calls(health)
            connector.backlog_words = ", ".join(
                f"{words}: {health.count(key)}"
                for key, words in situations.items()
                if health.count(key)
            ) or self.env._("None")
            since = timedelta(seconds=health.oldest or 0)
            connector.oldest_job_words = (
                self._ago(fields.Datetime.now() - since)
                if health.oldest is not None
                else self.env._("None")
            )

    def _words_of_calls(self, health):
        if not health.calls:
            return self.env._("No calls in 24 hours")
        return self.env._(
            "%(rate)s %% of %(calls)s calls worked, 95 %% within %(p95)s s",
            rate=formatLang(self.env, health.success_rate, digits=1),
            calls=health.calls,
            p95=formatLang(self.env, health.p95, digits=2),
        )

    @api.depends_context("lang")
    def _compute_lane_words(self):
        lanes = self.env["finance.health"]._lanes()
        if lanes.awake:
            words = self.env._("%(count)s at work now", count=lanes.awake)
        elif lanes.last_run:
            words = self.env._("Asleep; last run %(when)s", when=self._ago(lanes.last_run))
        else:
            words = self.env._("Have never run: does the server have cron workers?")
        self.lane_words = words

    @api.depends_context("lang")
    def _compute_late_words(self):
        flows = self.env["finance.workflow"]._flows()
        for connector in self:
            late = connector.workflow_ids.filtered(lambda row: row.freshness == "late")
            connector.late_words = "; ".join(
                f"{flows.get(workflow.flow, workflow.flow)}, {workflow.freshness_words}"
                for workflow in late
            )

    def _health(self, gate):
        light, words = super()._health(gate)
        if light == "good" and self.late_words:
            return "warning", self.late_words
        return light, words
