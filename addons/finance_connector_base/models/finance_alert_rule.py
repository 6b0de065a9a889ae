"""When somebody is to be woken: thresholds on what `finance.health` measures."""

from dataclasses import dataclass
from datetime import timedelta
from operator import attrgetter, gt, lt

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..actions import listing
from .finance_exception_catalog import ExceptionKind
from .finance_health import STUCK

CODE = "health.alert"
COMPARE = {"above": gt, "below": lt}
# An alert ends when nothing was wrong in the last two checks, so that it does not flap.
CALM = timedelta(minutes=9)
# What a person ignored without a date is left alone for so long.
SEEN = timedelta(hours=24)


@dataclass(frozen=True)
class Subject:
    """What a rule looked at, and what it found: no connector means the whole database."""

    value: float
    connector: object = None
    workflow: object = None

    @property
    def key(self):
        """What tells two alerts of one rule apart."""
        return tuple(record.id if record else 0 for record in (self.connector, self.workflow))


# Measures of one connector: name → its value from a `Health`, None when there is nothing to say.
OF_CONNECTOR = {
    "oldest_job": lambda health: (health.oldest or 0.0) / 60,
    "backlog": lambda health: health.count(),
    "stuck": lambda health: health.count(*STUCK),
    "calls": attrgetter("calls"),
    "success_rate": attrgetter("success_rate"),
    "refused_rate": attrgetter("refused_rate"),
    "latency_p50": attrgetter("p50"),
    "latency_p95": attrgetter("p95"),
    "failures": attrgetter("failures"),
}


class FinanceAlertRule(models.Model):
    """A threshold that an administrator set. Looked after every 5 minutes by `_cron_check`."""

    _name = "finance.alert.rule"
    _description = "Alert Rule"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    measure = fields.Selection(
        [
            ("oldest_job", "Oldest waiting job (minutes)"),
            ("backlog", "Unfinished jobs"),
            ("stuck", "Jobs that wait for a person"),
            ("calls", "Calls in 24 hours"),
            ("success_rate", "Calls that worked, 24 hours (%)"),
            ("refused_rate", "Calls that were refused, 24 hours (%)"),
            ("latency_p50", "Half of the calls within, 24 hours (seconds)"),
            ("latency_p95", "95 % of the calls within, 24 hours (seconds)"),
            ("failures", "Failures in a row; 5 open the breaker"),
            ("workflow_late", "Workflow later than promised (hours)"),
            ("lanes_asleep", "Lanes asleep while a job is due (minutes)"),
        ],
        required=True,
    )
    comparison = fields.Selection(
        [("above", "above"), ("below", "below")], default="above", required=True
    )
    value = fields.Float("Threshold", required=True)
    least_calls = fields.Integer(
        "With at least (calls)", help="Below so many calls in 24 hours the rule says nothing."
    )
    connector_id = fields.Many2one(
        "finance.connector", ondelete="cascade", index=True, help="Empty: each connector."
    )
    company_id = fields.Many2one(
        "res.company",
        ondelete="cascade",
        index=True,
        help="Counts only the work of this company and its branches.",
    )
    severity = fields.Selection(
        selection=lambda self: self.env["finance.exception"]._fields["severity"].selection,
        default="high",
        required=True,
    )
    user_ids = fields.Many2many(
        "res.users",
        string="Mail to",
        domain="[('share', '=', False)]",
        help="Get one mail when the alert opens.",
    )
    alert_count = fields.Integer("Open alerts", compute="_compute_alert_count")

    def _compute_alert_count(self):
        for rule in self:
            rule.alert_count = len(rule._alerts([("state", "=", "open")]))

    @api.constrains("measure", "connector_id", "company_id")
    def _check_scope(self):
        for rule in self.filtered(lambda row: row.measure == "lanes_asleep"):
            if rule.connector_id or rule.company_id:
                raise ValidationError(
                    self.env._("Lanes work for all connectors and companies: leave both empty.")
                )

    # === CHECK === #

    @api.model
    def _cron_check(self):
        """Open what is out of bounds, end what is back; also of rules that are gone."""
        self.env["finance.health"]._keep_successes()
        rules = self.sudo().search([])
        for rule in rules:
            rule._check()
        gone = [("code", "=", CODE), ("state", "=", "open"), ("document_id", "not in", rules.ids)]
        self.env["finance.exception"].sudo().search(gone)._close("resolved", "health.calm")

    def _check(self):
        now = fields.Datetime.now()
        opened = self._alerts([("state", "=", "open")])
        seen = self._alerts([("state", "=", "ignored"), ("closed_at", ">", now - SEEN)])
        compare = COMPARE[self.comparison]
        for subject in self._subjects():
            if not compare(subject.value, self.value):
                continue
            alert = opened.pop(subject.key, None)
            if alert or subject.key not in seen:
                self._open(subject, is_new=not alert)
        for alert in opened.values():
            if alert.last_seen_at <= now - CALM:
                alert._close("resolved", "health.calm")

    def _alerts(self, domain):
        """Return {key of the subject: exception} of this rule."""
        mine = [("code", "=", CODE), ("document_model", "=", self._name)]
        found = self.env["finance.exception"].sudo().search(
            [*mine, ("document_id", "in", self.ids), *domain]
        )  # fmt: skip
        return {
            (row.connector_id.id or 0, (row.params or {}).get("workflow", 0)): row for row in found
        }

    def _subjects(self):
        """Return what the rule looks at, each with its value; nothing where there is none."""
        health = self.env["finance.health"]
        if self.measure == "lanes_asleep":
            lanes = health._lanes()
            return [Subject(0.0 if lanes.awake else (lanes.overdue or 0.0) / 60)]
        companies = None
        if self.company_id:
            companies = self.company_id.search([("id", "child_of", self.company_id.id)])
        connectors = self.connector_id or self.connector_id.search([])
        figures = health._read(connectors.ids, companies)
        connectors = connectors.filtered(lambda row: figures[row.id].calls >= self.least_calls)
        if self.measure == "workflow_late":
            return self._late(connectors.workflow_ids, companies)
        read = OF_CONNECTOR[self.measure]
        return [
            Subject(value, connector)
            for connector in connectors
            if (value := read(figures[connector.id])) is not None
        ]

    def _late(self, workflows, companies):
        health = self.env["finance.health"]
        if companies:
            workflows = workflows.filtered(lambda row: row.company_id in companies)
        return [
            Subject(hours, workflows.browse(id_).connector_id, workflows.browse(id_))
            for id_, times in health._successes(workflows).items()
            if (hours := health._hours_late(workflows.browse(id_), *times)) is not None
        ]

    def _open(self, subject, is_new):
        workflow = subject.workflow
        alert = self.env["finance.exception"]._raise(
            CODE,
            record=self,
            connector=subject.connector,
            company=workflow.company_id if workflow else self.company_id,
            severity=self.severity,
            params={
                "rule": self.id,
                "workflow": workflow.id if workflow else 0,
                "value": f"{subject.value:.4g}",
            },
        )
        if is_new and alert.state == "open":
            self._mail(alert)

    def _mail(self, alert):
        """Write to the rule's people, each in the own language."""
        url = f"{alert.get_base_url()}/odoo/finance-exceptions/{alert.id}"
        body = Markup("<p>%s</p><p>%s</p><p><a href='%s'>%s</a></p>")
        for user in self.user_ids.filtered("email"):
            words = alert.with_context(lang=user.lang)
            mail = {
                "subject": words.title,
                "body_html": body % (words.text, words.effect, url, words.display_name),
                "email_to": user.email_formatted,
                "auto_delete": True,
            }
            self.env["mail.mail"].sudo().create(mail)
            self.env.ref("mail.ir_cron_mail_scheduler_action")._trigger()

    def action_open_alerts(self):
        """List the alerts of the rule."""
        self.ensure_one()
        return listing(
            self.env._("Alerts"),
            "finance.exception",
            [("code", "=", CODE), ("document_id", "=", self.id)],
        )


class FinanceException(models.Model):
    _inherit = "finance.exception"

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            CODE: ExceptionKind(
                title=_("Alert: %(document)s"),
                text=_(
                    "%(subject)s. %(measure)s: %(value)s, the alert is for %(comparison)s "
                    "%(limit)s. %(advice)s It ends by itself when the measure is back."
                ),
                effect=_("None by itself. Work that waits is not lost."),
                severity="high",
                question="stopped",
                steps=("open_connector", "open_document", "ignore"),
                identity=("workflow",),
            )
        }

    def _words(self, job):
        words = super()._words(job)
        if self.code == CODE:
            words |= self._words_of_alert()
        return words

    def _words_of_alert(self):
        """The rule and what it looked at, in the reader's language."""
        params = self.params or {}
        rule = self.env["finance.alert.rule"].sudo().browse(params.get("rule")).exists()
        workflow = self.env["finance.workflow"].sudo().browse(params.get("workflow") or 0).exists()
        if not rule:
            return {}
        labels = {
            name: dict(rule._fields[name]._description_selection(self.env))[rule[name]]
            for name in ("measure", "comparison")
        }
        advice = self.env._("Open the connector: its Health tab shows what waits and what failed.")
        if rule.measure == "lanes_asleep":
            advice = self.env._(
                "Look whether the server runs cron workers (max_cron_threads) and the scheduled "
                "actions “Finance Connect: lane” are active."
            )
        subject = workflow.display_name or self.connector_id.sudo().name
        return labels | {
            "subject": subject or self.env._("All connectors"),
            "limit": f"{rule.value:g}",
            "advice": advice,
        }
