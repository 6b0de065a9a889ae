"""How jobs change hands between lanes: plain SQL on the autocommit connection.

Autocommit means READ COMMITTED with a fresh snapshot a statement, so a claim neither meets a
serialization failure nor sees a row that another lane took a moment ago.
"""

import time
from collections import namedtuple

from .ports import LANE_LOCK

NOW = "(clock_timestamp() AT TIME ZONE 'UTC')"

COLUMNS = (
    "priority", "id", "uuid", "operation", "effect", "calls", "state", "attempts", "apply_attempts",
    "connector_id", "company_id", "workflow_id", "key", "trace_id", "request_sealed",
    "answer_sealed", "called_at", "error_class", "user_id", "res_model", "res_id",
    "document_model", "document_id", "solo",
)  # fmt: skip
# number: the high-water mark that a claim of work with an effect has reached.
Claim = namedtuple("Claim", (*COLUMNS, "number"), defaults=(None,))

FOLLOW_SECONDS = 0.5
# Before every job.
START = (-(2**31), 0)

# Nothing is sent by a database that is older than its file says (`lanes/mark.py`), nor until an
# administrator has said what a restored one or a copy is to do.
_MAY_SEND = "(SELECT NOT held AND number >= %(seen)s FROM finance_mark)"
_ASKS_OR_MAY_SEND = f"(j.effect = 'question' OR {_MAY_SEND})"

# `= ANY(ARRAY(…))` and never `IN (…)`: the planner may run an IN subquery once a row, and then
# LIMIT limits nothing. OFFSET 0 keeps the planner from turning the look at older jobs into a join,
# which under stale statistics reads the whole stream index once a candidate.
_CLAIM = """
    UPDATE finance_job SET worker = %(worker)s, {changes}
     WHERE id = ANY(ARRAY(
        SELECT j.id FROM finance_job j
         WHERE {ready}
           AND j.worker IS NULL
           AND j.due_at <= {now}
           AND j.held_reason IS NULL
           AND j.connector_id <> ALL(%(skipped)s)
           AND (j.priority, j.id) > (%(priority)s, %(id)s)
           AND NOT EXISTS (
               SELECT FROM finance_job older
                WHERE older.stream = j.stream AND older.id < j.id
                  AND older.state NOT IN ('done', 'cancelled')
               OFFSET 0)
           AND NOT EXISTS (
               SELECT FROM finance_gate g
                WHERE g.connector_id = j.connector_id
                  AND (g.stopped OR g.open_until > {now})
                  AND j.calls AND j.state <> 'answered')
         ORDER BY j.priority, j.id
         LIMIT %(limit)s
           FOR UPDATE OF j SKIP LOCKED))
 RETURNING {columns}
"""
# What is begun is written before it is begun: the attempt of a call, and of a job that runs alone
# because it was in a lane that died.
_CALLS = _CLAIM.format(
    ready=f"j.state = 'pending' AND j.calls AND {{which}} AND {_ASKS_OR_MAY_SEND}",
    changes=f"state = 'calling', attempts = attempts + 1, called_at = COALESCE(called_at, {NOW})",
    now=NOW,
    columns=", ".join(COLUMNS),
)
# What is claimed and how much ever was are one truth, whatever moment a restore goes back to. The
# conditions on the claim stand in sub-selects without a reference to the row, because those are
# evaluated once, also where the row has to be waited for.
_MARKED_CALLS = f"""
    WITH claimed AS ({_CALLS}),
    marked AS (
        UPDATE finance_mark
           SET at = {NOW}, number = number + (
                   SELECT count(*) FROM claimed WHERE effect IN ('idempotent', 'once'))
         WHERE NOT held AND EXISTS (
                   SELECT FROM claimed WHERE effect IN ('idempotent', 'once'))
     RETURNING number)
    SELECT {", ".join(COLUMNS)}, (SELECT number FROM marked) FROM claimed
"""
CLAIM_CALLS = _MARKED_CALLS.format(which="NOT j.solo")
CLAIM_SUSPECT = _MARKED_CALLS.format(which="j.solo")
CLAIM_QUERIES = _CLAIM.format(
    ready="j.state = 'uncertain' AND j.calls",
    changes="attempts = attempts + 1",
    now=NOW,
    columns=", ".join(COLUMNS),
)
CLAIM_LOCAL = _CLAIM.format(
    ready="(j.state = 'answered' OR (j.state = 'pending' AND NOT j.calls)) AND NOT j.solo",
    changes="error_code = error_code",
    now=NOW,
    columns=", ".join(COLUMNS),
)
CLAIM_SOLO = _CLAIM.format(
    ready="(j.state = 'answered' OR (j.state = 'pending' AND NOT j.calls)) AND j.solo",
    changes="apply_attempts = apply_attempts + 1",
    now=NOW,
    columns=", ".join(COLUMNS),
)

_DEAD_LANES = """
    SELECT DISTINCT worker FROM finance_job WHERE worker IS NOT NULL
    EXCEPT
    SELECT objid::bigint::int FROM pg_locks
     WHERE locktype = 'advisory' AND classid = %(lock)s AND objsubid = 2 AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
# What is not a call, or lost its lane for the second time, may be what killed it: from then on it is
# done with no call beside it, so that it takes nobody else's attempts.
_RECOVER = f"""
    UPDATE finance_job
       SET worker = %(worker)s, solo = solo OR state <> 'calling' OR attempts > 1
     WHERE worker = ANY(%(dead)s) AND state IN ('pending', 'calling', 'answered', 'uncertain')
 RETURNING {", ".join(COLUMNS)}
"""
_SUSPECT = f"""
    SELECT EXISTS (SELECT FROM finance_job
                    WHERE worker IS NULL AND solo AND state IN ('pending', 'answered')
                      AND held_reason IS NULL AND due_at <= {NOW})
"""
# Whatever it was held for: nothing is sent any more.
_ANSWERED = """
    UPDATE finance_job j SET state = 'answered', answer_sealed = v.answer, held_reason = NULL
      FROM (VALUES %s) AS v(id, answer)
     WHERE j.id = v.id
"""
_RELEASE = f"""
    UPDATE finance_job
       SET worker = NULL, state = %(state)s, due_at = {NOW} + interval '1 s' * %(wait)s,
           attempts = attempts - %(refund)s,
           called_at = CASE WHEN %(refund)s = 1 AND attempts = 1 THEN NULL ELSE called_at END
     WHERE id = ANY(%(ids)s)
"""
# A job behind an open breaker is due when that lets calls through again.
_WORK = f"""
    SELECT EXISTS (SELECT FROM finance_job WHERE worker IS NOT NULL),
           MIN(EXTRACT(EPOCH FROM GREATEST(j.due_at, g.open_until) - {NOW}))
      FROM finance_job j
      LEFT JOIN finance_gate g
        ON g.connector_id = j.connector_id AND j.calls AND j.state <> 'answered'
     WHERE j.state IN ('pending', 'answered', 'uncertain') AND j.worker IS NULL
       AND j.held_reason IS NULL
       AND (j.state <> 'pending' OR NOT j.calls OR {_ASKS_OR_MAY_SEND})
       AND j.due_at < {NOW} + interval '1 s' * %(horizon)s
       AND g.stopped IS NOT TRUE
       AND (g.open_until IS NULL OR g.open_until < {NOW} + interval '1 s' * %(horizon)s)
       AND NOT EXISTS (SELECT FROM finance_job older
                        WHERE older.stream = j.stream AND older.id < j.id
                          AND older.state NOT IN ('done', 'cancelled')
                       OFFSET 0)
"""


class Queue:
    """One lane's hands on the job table. ``link`` is a `Link` or, in tests, a `TestLink`.

    follow: seconds in which a claim goes on behind the last one instead of from the start.
    """

    def __init__(self, link, follow=FOLLOW_SECONDS):
        self.link = link
        self._follow = follow
        self._last = {}
        self.worker = link.execute("SELECT nextval('finance_lane_worker_seq')")[0][0]
        link.execute("SELECT pg_advisory_lock(%s, %s)", (LANE_LOCK, self.worker))

    def close(self):
        """Give the lane's lock back: whatever it still holds is free for others."""
        self.link.execute("SELECT pg_advisory_unlock(%s, %s)", (LANE_LOCK, self.worker))

    def claim(self, statement, limit, skipped=(), seen=0):
        """Take up to ``limit`` jobs by one of the CLAIM statements; return `Claim` rows in order.

        seen: the high-water mark in the file, read before; None: take nothing that has an effect.

        The index still names the jobs that were taken since the oldest open transaction of the
        database began. Going on behind the last claim saves reading past them, and jobs that
        have become due before it wait for a moment at most.
        """
        now = time.monotonic()
        since, last = self._last.get(statement, (0.0, START))
        if now - since >= self._follow:
            since, last = now, START
        claims = self._claim(statement, limit, skipped, seen, last)
        if len(claims) < limit and last != START:
            since = now
            claims += self._claim(statement, limit - len(claims), skipped, seen, START)
        found_all = len(claims) < limit
        last = START if found_all else (claims[-1].priority, claims[-1].id)
        self._last[statement] = (since, last)
        return claims

    def _claim(self, statement, limit, skipped, seen, last):
        values = {"worker": self.worker, "limit": limit, "skipped": list(skipped), "seen": seen}
        values |= {"priority": last[0], "id": last[1]}
        return sorted(Claim(*row) for row in self.link.execute(statement, values))

    def recover(self):
        """Take over the jobs of lanes that died; return `Claim` rows."""
        dead = [row[0] for row in self.link.execute(_DEAD_LANES, {"lock": LANE_LOCK})]
        if not dead:
            return []
        rows = self.link.execute(_RECOVER, {"worker": self.worker, "dead": dead})
        return [Claim(*row) for row in rows]

    def has_suspect(self):
        """Return whether work is due that is done with no call beside it."""
        return self.link.execute(_SUSPECT)[0][0]

    def answered(self, answers):
        """Note that answers came: pairs of job id and sealed answer."""
        if answers:
            self.link.execute_values(_ANSWERED, answers, "(%s, %s::bytea)")

    def release(self, claims, *, state, wait=0.0, refund=0):
        """Give jobs back untouched; ``refund=1`` takes back an attempt that was not made."""
        if claims:
            ids = [claim.id for claim in claims]
            self.link.execute(
                _RELEASE, {"ids": ids, "state": state, "wait": wait, "refund": refund}
            )

    def outlook(self, horizon, seen=0):
        """Return (is any job in a lane's hands, seconds until the next is due or None).

        seen: as for `claim`.
        """
        busy, wait = self.link.execute(_WORK, {"horizon": horizon, "seen": seen})[0]
        return busy, None if wait is None else max(0.0, float(wait))

    def lanes(self):
        """Return the numbers of the lanes that are awake on this database, on all hosts."""
        rows = self.link.execute(
            """
            SELECT objid::bigint::int FROM pg_locks
             WHERE locktype = 'advisory' AND classid = %s AND objsubid = 2 AND granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """,
            (LANE_LOCK,),
        )
        return [row[0] for row in rows]
