"""The three ports of a provider, on the process's own connection. Safe in any thread."""

import threading

from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    Held,
    Transient,
    Uncertain,
)
from odoo.addons.finance_connector_base.providers.masking import (
    mask_body,
    mask_text,
    without_secrets,
)
from odoo.addons.finance_connector_base.providers.session import Gate, Recorder

from .kill_points import kill_point

# Class ids of our advisory locks (first of the two keys of pg_try_advisory_lock).
LANE_LOCK = 0x46494E01
SLOT_LOCK = 0x46494E02

# A vendor that fails this often in a row is left alone, twice as long each time.
FAILURES_TO_OPEN = 5
FIRST_PAUSE = 15
LONGEST_PAUSE = 600
PROBE_SECONDS = 60
SUCCESS_EVERY = 5.0
# Nothing is claimed behind a closed gate; what was claimed just before need not wait longer.
CLOSED_GATE = 1.0

_NOW = "(clock_timestamp() AT TIME ZONE 'UTC')"

_ENTER = f"""
    UPDATE finance_gate
       SET tokens = LEAST(burst, tokens + rate * EXTRACT(EPOCH FROM {_NOW} - refilled_at)) - 1,
           refilled_at = {_NOW},
           breaker = CASE breaker WHEN 'open' THEN 'half_open' ELSE breaker END,
           open_until = CASE breaker WHEN 'closed' THEN open_until
                        ELSE {_NOW} + interval '{PROBE_SECONDS} s' END
     WHERE connector_id = %(connector)s
       AND NOT stopped
       AND (breaker = 'closed' OR open_until <= {_NOW})
       AND LEAST(burst, tokens + rate * EXTRACT(EPOCH FROM {_NOW} - refilled_at)) >= 1
 RETURNING concurrency, breaker, failures,
           last_success_at IS NULL
           OR last_success_at < {_NOW} - interval '{SUCCESS_EVERY} s'
"""
_WHY = f"""
    SELECT stopped, breaker <> 'closed' AND open_until > {_NOW},
           EXTRACT(EPOCH FROM open_until - {_NOW}),
           (1 - LEAST(burst, tokens + rate * EXTRACT(EPOCH FROM {_NOW} - refilled_at)))
               / NULLIF(rate, 0)
      FROM finance_gate WHERE connector_id = %(connector)s
"""
_SUCCEEDED = f"""
    UPDATE finance_gate SET breaker = 'closed', failures = 0, open_until = NULL,
           last_success_at = {_NOW}
     WHERE connector_id = %(connector)s
"""
# Calls that were under way when the breaker opened fail too: they don't lengthen the pause.
_FAILED = f"""
    UPDATE finance_gate
       SET failures = failures + (breaker <> 'open')::int,
           last_failure_at = {_NOW}, last_failure = %(words)s,
           breaker = CASE WHEN breaker <> 'closed' OR failures + 1 >= {FAILURES_TO_OPEN}
                          THEN 'open' ELSE 'closed' END,
           open_until = CASE WHEN breaker = 'open' THEN open_until
                        WHEN breaker = 'half_open' OR failures + 1 >= {FAILURES_TO_OPEN}
                        THEN {_NOW} + interval '1 s' * LEAST({LONGEST_PAUSE}, {FIRST_PAUSE}
                             * power(2, LEAST(10, GREATEST(0, failures + 1 - {FAILURES_TO_OPEN}))))
                        END
     WHERE connector_id = %(connector)s
"""


class SqlGate(Gate):
    """Token bucket and circuit breaker in one row of finance_gate, shared by all workers.

    A place among the calls at the same time is an advisory lock, which a dead worker gives back.
    """

    # Connectors that failed in this process since they last succeeded: the next success tells,
    # also when it began before the failure, so that only failures in a row open the breaker.
    _failing = set()
    _slots = set()
    _slots_lock = threading.Lock()

    def __init__(self, link, connector_id):
        self._link = link
        self._connector = {"connector": connector_id}

    def enter(self):
        rows = self._link.execute(_ENTER, self._connector)
        if not rows:
            raise self._held()
        concurrency, breaker, failures, due = rows[0]
        slot = self._take_slot(concurrency) if concurrency else None
        if concurrency and slot is None:
            raise Held("as many calls as allowed are under way", retry_after=0.1, reason="busy")
        return slot, breaker != "closed" or failures > 0 or due

    def leave(self, ticket, error=None):
        slot, tell = ticket
        if slot is not None:
            self._free_slot(slot)
        if isinstance(error, (Transient, Uncertain)):
            words = {"words": mask_text(str(error))[:500]}
            self._failing.add(self._connector["connector"])
            self._link.execute(_FAILED, self._connector | words)
        elif error is None and (tell or self._connector["connector"] in self._failing):
            self._failing.discard(self._connector["connector"])
            self._link.execute(_SUCCEEDED, self._connector)
        elif error is not None and not isinstance(error, AuthFailed):
            # The vendor is there and answers; what it says is another matter.
            self._link.execute(_SUCCEEDED, self._connector)

    def _held(self):
        rows = self._link.execute(_WHY, self._connector)
        if not rows:
            return Held("the connector is gone", retry_after=60.0, reason="stopped")
        stopped, is_open, seconds, bucket = rows[0]
        if stopped:
            return Held("the connector is stopped", retry_after=CLOSED_GATE, reason="stopped")
        if is_open:
            words = "the vendor keeps failing and is left alone for a while"
            return Held(
                words, retry_after=min(CLOSED_GATE, max(0.1, float(seconds))), reason="open"
            )
        wait = 60.0 if bucket is None else max(0.01, float(bucket))
        return Held("the rate limit is used up", retry_after=wait, reason="rate")

    def _take_slot(self, concurrency):
        connector = self._connector["connector"]
        for number in range(concurrency):
            slot = (connector << 10) + number
            with self._slots_lock:
                if slot in self._slots:
                    continue
                if self._link.execute("SELECT pg_try_advisory_lock(%s, %s)", (SLOT_LOCK, slot)) == [
                    (True,)
                ]:
                    self._slots.add(slot)
                    return slot
        return None

    def _free_slot(self, slot):
        with self._slots_lock:
            self._link.execute("SELECT pg_advisory_unlock(%s, %s)", (SLOT_LOCK, slot))
            self._slots.discard(slot)


_EXCHANGE_COLUMNS = (
    "uuid", "connector_id", "company_id", "job_id", "trace_id", "operation", "method", "url",
    "status", "outcome", "error_code", "error_text", "request_id", "duration_ms",
    "request_masked", "response_masked", "request_sealed", "response_sealed", "started_at",
)  # fmt: skip
_RECORD = f"""
    INSERT INTO finance_exchange ({", ".join(_EXCHANGE_COLUMNS)})
    VALUES ({", ".join(f"%({name})s" for name in _EXCHANGE_COLUMNS[:-1])},
            {_NOW} - interval '1 ms' * %(duration_ms)s)
"""


class SqlRecorder(Recorder):
    """Writes one finance_exchange row an exchange: masked for the eyes, sealed in full."""

    def __init__(self, link, vault, *, connector_id, company_id, job_id, trace_id, new_uuid):
        self._link = link
        self._vault = vault
        self._new_uuid = new_uuid
        self._owner = {
            "connector_id": connector_id,
            "company_id": company_id,
            "job_id": job_id or None,
            "trace_id": trace_id,
        }

    def sending(self):
        kill_point("before_send")

    def received(self, exchange):
        kill_point("after_send")
        uuid = self._new_uuid()
        self._link.execute(
            _RECORD,
            {
                **self._owner,
                "uuid": uuid,
                "operation": exchange.operation,
                "method": exchange.method,
                "url": mask_text(exchange.url),
                "status": exchange.status,
                "outcome": exchange.outcome,
                "error_code": exchange.error_code,
                "error_text": mask_text(exchange.error_text),
                "request_id": exchange.request_id,
                "duration_ms": exchange.duration_ms,
                "request_masked": without_secrets(
                    mask_body(exchange.request_body), exchange.secrets
                ),
                "response_masked": without_secrets(
                    mask_body(exchange.response_body), exchange.secrets
                ),
                "request_sealed": self._seal(exchange.request_body, uuid, "request"),
                "response_sealed": self._seal(exchange.response_body, uuid, "response"),
            },
        )

    def _seal(self, body, uuid, part):
        return self._vault.seal(body, "finance.exchange", uuid, part) if body else None
