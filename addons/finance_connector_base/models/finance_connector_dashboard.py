import json
from datetime import timedelta

from babel.dates import format_timedelta

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL, babel_locale_parse

from ..actions import listing

DAYS_SHOWN = 14
WAITING = ("pending", "calling", "answered")


class FinanceConnector(models.Model):
    """Health and the numbers of the dashboard: read from gate, jobs, exceptions and exchanges."""

    _inherit = "finance.connector"

    health = fields.Selection(
        [
            ("good", "Working"),
            ("warning", "Needs a look"),
            ("bad", "Not working"),
            ("off", "Stopped"),
        ],
        compute="_compute_health",
    )
    health_words = fields.Char("Status", compute="_compute_health")
    last_success_words = fields.Char("Last success", compute="_compute_health")
    last_failure_words = fields.Char("Last failure", compute="_compute_health")
    breaker = fields.Selection(
        lambda self: self.env["finance.gate"]._fields["breaker"].selection,
        compute="_compute_health",
    )
    breaker_open_until = fields.Datetime("Left alone until", compute="_compute_health")

    exception_count = fields.Integer("Open exceptions", compute="_compute_counts")
    waiting_count = fields.Integer("Waiting jobs", compute="_compute_counts")
    unknown_count = fields.Integer("Answers unknown", compute="_compute_counts")
    exchange_count = fields.Integer("Exchanges", compute="_compute_dashboard_graph")
    dashboard_graph = fields.Text(compute="_compute_dashboard_graph")

    # === HEALTH === #

    def _compute_health(self):
        gates = {gate.connector_id.id: gate for gate in self.env["finance.gate"]._of(self)}
        nothing = self.env["finance.gate"]
        for connector in self:
            gate = gates.get(connector.id, nothing)
            connector.health, connector.health_words = connector._health(gate)
            connector.breaker = gate.breaker or "closed"
            connector.breaker_open_until = gate.open_until
            connector.last_success_words = self._ago(gate.last_success_at) or self.env._("Never")
            failed = self._ago(gate.last_failure_at)
            connector.last_failure_words = (
                f"{failed}: {gate.last_failure}" if failed else self.env._("Never")
            )

    def _health(self, gate):
        """Return (light, words) of a connector with this row of finance.gate, which may be empty."""
        if self.provider and self.provider not in self._provider_classes():
            return "bad", self.env._("The provider is not installed")
        if self.state == "attention":
            return "bad", self.env._(
                "Needs attention: %(reason)s", reason=self.attention_reason or ""
            )
        if self.state == "paused" or gate.stopped:
            return "off", self.env._("Stopped: nothing is sent, jobs wait")
        if not self.env["finance.vault"]._is_open():
            return "bad", self.env._("The vault has no key: see Settings, Finance Connect")
        if gate.breaker == "open":
            return "bad", self.env._(
                "Keeps failing; tried again %(when)s", when=self._ago(gate.open_until)
            )
        if self.state == "draft":
            return "warning", self.env._("Not tested yet")
        if gate.breaker == "half_open":
            return "warning", self.env._("Trying again after failures")
        if gate.last_failure_at and gate.last_failure_at > (
            gate.last_success_at or self.create_date
        ):
            return "warning", self.env._("The last call failed")
        return "good", self.env._("Working")

    def _ago(self, moment, threshold=0.85):
        """Return "3 minutes ago" or "in 3 minutes" in the reader's language, "" for no moment.

        threshold: with 2, a day and two hours are "26 hours", not "1 day".
        """
        if not moment:
            return ""
        distance = moment - fields.Datetime.now()
        if timedelta(0) <= distance < timedelta(seconds=1):
            distance = -timedelta(seconds=1)
        locale = babel_locale_parse(self.env.lang or "en_US")
        return format_timedelta(distance, add_direction=True, threshold=threshold, locale=locale)

    # === COUNTERS === #

    def _compute_counts(self):
        exceptions = self._count("finance.exception", [("state", "=", "open")])
        waiting = self._count("finance.job", [("state", "in", WAITING)])
        unknown = self._count("finance.job", [("state", "=", "uncertain")])
        for connector in self:
            connector.exception_count = exceptions.get(connector.id, 0)
            connector.waiting_count = waiting.get(connector.id, 0)
            connector.unknown_count = unknown.get(connector.id, 0)

    def _count(self, model, domain):
        """Return {connector id: number} of the records that the reader may see."""
        records = self.env[model]
        if not records.has_access("read"):
            return {}
        domain = Domain(domain) & Domain("connector_id", "in", self.ids)
        groups = records._read_group(domain, ["connector_id"], ["__count"])
        return {connector.id: count for connector, count in groups}

    # === GRAPH === #

    def _compute_dashboard_graph(self):
        today = fields.Date.context_today(self)
        days = [today - timedelta(days=back) for back in range(DAYS_SHOWN - 1, -1, -1)]
        counts = self._exchanges_per_day(days[0])
        for connector in self:
            values = [
                {"x": fields.Date.to_string(day), "y": counts.get((connector.id, day), 0)}
                for day in days
            ]
            connector.exchange_count = sum(value["y"] for value in values)
            connector.dashboard_graph = json.dumps(
                [
                    {
                        "key": self.env._("Exchanges"),
                        "values": values,
                        "is_sample_data": False,
                    }
                ]
            )

    def _exchanges_per_day(self, first_day):
        """Return {(connector id, day): number} in the reader's time zone, own companies only."""
        if not self.ids or not self.env["finance.exchange"].has_access("read"):
            return {}
        zone = self.env.tz.zone
        rows = self.env.execute_query(
            SQL(
                """
            SELECT connector_id,
                   (started_at AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s)::date AS day, count(*)
              FROM finance_exchange
             WHERE connector_id IN %(ids)s AND company_id IN %(companies)s
               AND started_at >= %(first)s::date - 1
             GROUP BY 1, 2
            """,
                zone=zone,
                ids=tuple(self.ids),
                companies=tuple(self.env.companies.ids) or (0,),
                first=first_day,
            )
        )
        return {(connector, day): count for connector, day, count in rows}

    # === WHERE THE COUNTERS LEAD === #

    def action_open_exceptions(self):
        """Open the connector's open exceptions."""
        return self._list("finance.exception", self.env._("Exceptions"), [("state", "=", "open")])

    def action_open_waiting(self):
        """Open the connector's waiting jobs."""
        return self._list("finance.job", self.env._("Waiting Jobs"), [("state", "in", WAITING)])

    def action_open_unknown(self):
        """Open the connector's jobs whose answer is unknown."""
        return self._list(
            "finance.job", self.env._("Answer Unknown"), [("state", "=", "uncertain")]
        )

    def action_open_exchanges(self):
        """Open the connector's exchanges."""
        return self._list("finance.exchange", self.env._("Exchanges"), [])

    def action_open_form(self):
        """Open the connector."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
        }

    def _list(self, model, name, domain):
        self.ensure_one()
        return listing(f"{name}: {self.name}", model, [("connector_id", "=", self.id), *domain])
