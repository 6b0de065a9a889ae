from odoo import api, fields, models
from odoo.tools import SQL

from ..fields import WeakMany2one


class FinanceGate(models.Model):
    """Rate limit, circuit breaker and last outcome of a connector.

    One row a connector, read and written by the plain SQL of ``lanes/ports.py`` on the own
    connection of every worker; Odoo only shows it.
    """

    _name = "finance.gate"
    _description = "Rate Limit and Circuit Breaker"
    _log_access = False
    _rec_name = "connector_id"

    connector_id = WeakMany2one("finance.connector", required=True)
    rate = fields.Float(help="Calls a second that flow into the bucket")
    burst = fields.Float(help="Calls that the bucket holds")
    tokens = fields.Float()
    refilled_at = fields.Datetime()
    concurrency = fields.Integer(help="Calls at the same time over all workers; 0 = no limit")
    breaker = fields.Selection(
        [("closed", "Calls flow"), ("open", "Left alone"), ("half_open", "Probing")],
        default="closed",
        required=True,
    )
    failures = fields.Integer(help="Failures in a row")
    open_until = fields.Datetime()
    stopped = fields.Boolean(help="Stopped by an administrator, or because of its credentials")
    last_success_at = fields.Datetime()
    last_failure_at = fields.Datetime()
    last_failure = fields.Char()

    _connector_unique = models.Constraint(
        "UNIQUE (connector_id)", "A connector has one rate limit."
    )

    @api.model
    def _sync(self, connectors):
        """Give each of ``connectors`` its row, with the limits that now stand on the connector."""
        for connector in connectors:
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO finance_gate (connector_id, rate, burst, tokens, refilled_at,
                                              concurrency, breaker, failures, stopped)
                    VALUES (%(id)s, %(rate)s, %(burst)s, %(burst)s, now() AT TIME ZONE 'UTC',
                            %(concurrency)s, 'closed', 0, false)
                    ON CONFLICT (connector_id) DO UPDATE
                       SET rate = EXCLUDED.rate, burst = EXCLUDED.burst,
                           concurrency = EXCLUDED.concurrency
                    """,
                    id=connector.id,
                    rate=connector.rate_per_second,
                    burst=max(1, connector.rate_burst),
                    concurrency=connector.concurrency,
                )
            )
        self.invalidate_model()

    @api.model
    def _of(self, connectors):
        """Return the rows of ``connectors``."""
        return self.sudo().search([("connector_id", "in", connectors.ids)])

    @api.model
    def _stop(self, connectors):
        """Let nothing more out; waiting jobs keep their attempts."""
        self._of(connectors).stopped = True

    @api.model
    def _resume(self, connectors):
        """Let calls out again, and forget the failures."""
        self._of(connectors).write(
            {"stopped": False, "breaker": "closed", "failures": 0, "open_until": False}
        )
