"""How connectors fare, in numbers: what forms, metrics and alert rules read."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..lanes.ports import LANE_LOCK

HOURS = 24
NOW = SQL("(clock_timestamp() AT TIME ZONE 'UTC')")
# A job that is due later than this was put off on purpose; a shorter wait is the rate limit's.
SOON = SQL("interval '5 min'")
STATES = ("pending", "calling", "answered", "uncertain", "dead")
WAITING = ("pending", "calling", "answered")
STUCK = ("decision", "unknown", "stopped")
# Nobody expects news of these while nothing waits.
BY_EVENT = ("realtime", "event")

_CALLS = """
    SELECT connector_id, count(*),
           count(*) FILTER (WHERE outcome IN ('ok', 'rejected')),
           count(*) FILTER (WHERE outcome = 'rejected'),
           percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY duration_ms)
      FROM finance_exchange
     WHERE started_at > %(now)s - interval '1 h' * %(hours)s
       AND connector_id = ANY(%(connectors)s) AND %(companies)s
     GROUP BY connector_id
"""
# The cases are those of finance.job.situation.
_JOBS = """
    SELECT connector_id, state,
           CASE WHEN state = 'uncertain' THEN 'unknown'
                WHEN state = 'dead' AND error_class IN ('Rejected', 'ContractBroken') THEN 'decision'
                WHEN state = 'dead' THEN 'stopped'
                WHEN state <> 'pending' THEN 'running'
                WHEN error_class IS NULL OR error_class = '' THEN 'waiting' ELSE 'retry' END,
           count(*),
           EXTRACT(EPOCH FROM %(now)s - MIN(created_at) FILTER (
               WHERE state = ANY(%(waiting)s)
                 AND (due_at <= %(now)s + %(soon)s OR error_class IS NOT NULL)))
      FROM finance_job
     WHERE state NOT IN ('done', 'cancelled')
       AND connector_id = ANY(%(connectors)s) AND %(companies)s
     GROUP BY 1, 2, 3
"""
# A success is a job that was done, or an answer to a question that somebody waited for. Older ones
# than a day are known from the workflow's own column, which outlives jobs and exchanges.
_WORKFLOWS = """
    WITH success AS (
        SELECT workflow_id AS id, max(done_at) AS at
          FROM finance_job
         WHERE state = 'done' AND calls AND done_outside_ref IS NULL AND workflow_id = ANY(%(ids)s)
           AND done_at > %(now)s - interval '1 h' * %(hours)s
         GROUP BY 1
         UNION ALL
        SELECT w.id, max(x.started_at)
          FROM finance_exchange x
          JOIN unnest(%(operations)s::text[], %(flows)s::text[]) o(operation, flow)
            ON o.operation = x.operation
          JOIN res_company c ON c.id = x.company_id
          JOIN finance_workflow w ON w.connector_id = x.connector_id AND w.flow = o.flow
           AND w.company_id::text = ANY(string_to_array(c.parent_path, '/'))
         WHERE x.outcome = 'ok' AND COALESCE(x.job_id, 0) = 0 AND w.id = ANY(%(ids)s)
           AND x.started_at > %(now)s - interval '1 h' * %(hours)s
         GROUP BY 1),
    waiting AS (
        SELECT workflow_id AS id, min(created_at) AS at
          FROM finance_job
         WHERE state NOT IN ('done', 'cancelled') AND state = ANY(%(waiting)s)
           AND workflow_id = ANY(%(ids)s)
         GROUP BY 1)
    SELECT w.id, GREATEST(w.last_success_at, max(success.at)), min(waiting.at)
      FROM finance_workflow w
      LEFT JOIN success ON success.id = w.id
      LEFT JOIN waiting ON waiting.id = w.id
     WHERE w.id = ANY(%(ids)s)
     GROUP BY w.id
"""
_LANES = """
    SELECT (SELECT count(*) FROM pg_locks
             WHERE locktype = 'advisory' AND classid = %(lock)s AND objsubid = 2 AND granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())),
           (SELECT max(lastcall) FROM ir_cron WHERE id = ANY(%(crons)s)),
           (SELECT EXTRACT(EPOCH FROM %(now)s - MIN(j.due_at))
              FROM finance_job j
             WHERE j.state IN ('pending', 'answered', 'uncertain') AND j.worker IS NULL
               AND j.held_reason IS NULL AND j.due_at <= %(now)s
               AND NOT EXISTS (SELECT FROM finance_job older
                                WHERE older.stream = j.stream AND older.id < j.id
                                  AND older.state NOT IN ('done', 'cancelled') OFFSET 0)
               AND NOT EXISTS (SELECT FROM finance_gate g
                                WHERE g.connector_id = j.connector_id
                                  AND (g.stopped OR g.open_until > %(now)s)
                                  AND j.calls AND j.state <> 'answered'))
"""


@dataclass
class Health:
    """One connector: calls of the last 24 hours, and unfinished jobs now.

    worked: calls that were answered as promised, refusals among them: those are the document's
    matter. p50, p95, oldest: seconds, None without calls or waiting jobs. jobs: {(state,
    situation): number}. failures: in a row, now.
    """

    calls: int = 0
    worked: int = 0
    refused: int = 0
    p50: float | None = None
    p95: float | None = None
    jobs: dict = field(default_factory=dict)
    oldest: float | None = None
    breaker: str = "closed"
    failures: int = 0

    @property
    def success_rate(self):
        """Calls that worked, in percent; None without calls."""
        return 100.0 * self.worked / self.calls if self.calls else None

    @property
    def refused_rate(self):
        """Calls that were refused, in percent; None without calls."""
        return 100.0 * self.refused / self.calls if self.calls else None

    def count(self, *situations):
        """Return the number of unfinished jobs in these situations, in all when none is given."""
        return sum(n for (_, key), n in self.jobs.items() if not situations or key in situations)


@dataclass(frozen=True)
class Lanes:
    """awake: lanes at work now, on all hosts. last_run: datetime or None. overdue: seconds since
    the first job that a lane could take was due, None when there is none."""

    awake: int
    last_run: object
    overdue: float | None


class FinanceHealth(models.AbstractModel):
    _name = "finance.health"
    _description = "Health of Connectors"

    @api.model
    def _nothing(self):
        """Return the `Health` of a connector without calls and jobs."""
        return Health()

    @api.model
    def _read(self, connector_ids, companies=None):
        """Return {connector id: `Health`}; 0 stands for the jobs of no connector.

        companies: count only their jobs and exchanges, and those of no company.
        """
        found = defaultdict(Health)
        values = {"connectors": list(connector_ids), "now": NOW, "soon": SOON, "hours": HOURS}
        values |= {"waiting": list(WAITING), "companies": _of(companies)}
        for connector, calls, worked, refused, (p50, p95) in self._rows(_CALLS, values):
            health = found[connector]
            health.calls, health.worked, health.refused = calls, worked, refused
            health.p50, health.p95 = (p50 or 0.0) / 1000, (p95 or 0.0) / 1000
        for connector, state, situation, count, oldest in self._rows(_JOBS, values):
            found[connector].jobs[state, situation] = count
            if oldest is not None:
                found[connector].oldest = max(found[connector].oldest or 0.0, float(oldest))
        gates = self.env["finance.gate"].sudo().search([("connector_id", "in", connector_ids)])
        for gate in gates:
            health = found[gate.connector_id.id]
            health.breaker, health.failures = gate.breaker, gate.failures
        return {id_: found[id_] for id_ in connector_ids}

    @api.model
    def _successes(self, workflows):
        """Return {workflow id: (last success, since when its oldest job waits)}, UTC or None."""
        workflows.flush_recordset()
        flows = {
            name.removeprefix("finance.operation."): model.flow
            for name, model in self.env.registry.items()
            if name.startswith("finance.operation.") and model.flow
        }
        values = {"ids": workflows.ids, "now": NOW, "hours": HOURS, "waiting": list(WAITING)}
        values |= {"operations": list(flows), "flows": list(flows.values())}
        return {id_: times for id_, *times in self._rows(_WORKFLOWS, values)}

    @api.model
    def _hours_late(self, workflow, success, waits_since):
        """Return by how many hours a workflow missed its promise; 0.0 in time, None no promise.

        What runs on events owes news only when work waits for it.
        """
        if not workflow.freshness_hours or workflow.connector_id.state in ("draft", "paused"):
            return None
        now = fields.Datetime.now()
        since = success or workflow.create_date or now
        if workflow.mode in BY_EVENT:
            if not waits_since:
                return 0.0
            since = max(since, waits_since)
        age = (now - since) / timedelta(hours=1)
        return max(0.0, age - workflow.freshness_hours)

    @api.model
    def _keep_successes(self):
        """Write the last successes down, since jobs and exchanges are deleted some day."""
        workflows = self.env["finance.workflow"].sudo().search([])
        for id_, (success, _waits) in self._successes(workflows).items():
            workflow = workflows.browse(id_)
            if success != workflow.last_success_at and success:
                workflow.last_success_at = success

    @api.model
    def _lanes(self):
        """Return `Lanes`: whether the workers of jobs are there."""
        numbers = range(1, self.env["finance.job"]._lane_count() + 1)
        crons = [
            self.env.ref(f"finance_connector_base.cron_lane_{n}", raise_if_not_found=False)
            for n in numbers
        ]
        values = {"lock": LANE_LOCK, "now": NOW, "crons": [cron.id for cron in crons if cron]}
        [(awake, last_run, overdue)] = self._rows(_LANES, values)
        return Lanes(awake, last_run, None if overdue is None else float(overdue))

    def _rows(self, query, values):
        self.env.flush_all()
        return self.env.execute_query(SQL(query, **values))


def _of(companies):
    if companies is None:
        return SQL("TRUE")
    return SQL("(company_id IS NULL OR company_id = ANY(%s))", companies.ids)
