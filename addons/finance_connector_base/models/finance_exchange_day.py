from odoo import api, fields, models
from odoo.tools import SQL

from ..fields import WeakMany2one
from .finance_exchange import OUTCOMES

# The days that are not summed up yet; the end of a day is left alone for as long as a call may last.
_LIVE = SQL("""
    SELECT started_at::date, connector_id, outcome, count(*), sum(duration_ms) / 1000
      FROM finance_exchange
     WHERE started_at >= COALESCE((SELECT max(day) + 1 FROM finance_exchange_day), '-infinity')
""")


class FinanceExchangeDay(models.Model):
    """How many exchanges a connector had on a day (UTC), kept when the exchanges are deleted."""

    _name = "finance.exchange.day"
    _description = "Exchanges of a Day"
    _log_access = False
    _order = "day desc, id"

    day = fields.Date(readonly=True)
    connector_id = WeakMany2one("finance.connector", readonly=True)
    outcome = fields.Selection(OUTCOMES, readonly=True)
    calls = fields.Integer(readonly=True)
    seconds = fields.Float(readonly=True)

    _once = models.Constraint(
        "UNIQUE (day, connector_id, outcome)", "A day is summed up once for each outcome."
    )

    @api.model
    def _sum_up(self):
        """Sum up the days that are over. Called before exchanges are deleted."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO finance_exchange_day (day, connector_id, outcome, calls, seconds)
                %s AND started_at < date_trunc('day', now() AT TIME ZONE 'UTC' - interval '1 h')
                 GROUP BY 1, 2, 3
                    ON CONFLICT DO NOTHING
                """,
                _LIVE,
            )
        )

    @api.model
    def _totals(self):
        """Return [(connector id, outcome, calls, seconds)] since the beginning; never falls."""
        return self.env.execute_query(
            SQL(
                """
                SELECT connector_id, outcome, sum(calls)::bigint, sum(seconds)
                  FROM (SELECT day, connector_id, outcome, calls, seconds FROM finance_exchange_day
                         UNION ALL (%s GROUP BY 1, 2, 3)) AS days
                 GROUP BY 1, 2 ORDER BY 1, 2
                """,
                _LIVE,
            )
        )
