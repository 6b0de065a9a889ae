"""The three ports of a provider, on the process's own connection. Safe in any thread."""

import json
import threading
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import NamedTuple

import psycopg2

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
from odoo.addons.finance_connector_base.providers.session import Gate, Recorder, Token, Tokens
from odoo.addons.finance_connector_base.vault import VaultError

from .kill_points import kill_point

# Class ids of our advisory locks (first of the two keys of pg_try_advisory_lock).
LANE_LOCK = 0x46494E01
SLOT_LOCK = 0x46494E02
TOKEN_LOCK = 0x46494E04

# A vendor that fails this often in a row is left alone, twice as long each time.
FAILURES_TO_OPEN = 5
FIRST_PAUSE = 15
LONGEST_PAUSE = 600
PROBE_SECONDS = 60
# The vendor counts our calls: its rule, and no failure of its.
TOO_MANY = 429
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
# The bucket is emptied: what comes next comes at the connector's rate, without a burst.
_LIMITED = f"""
    UPDATE finance_gate SET breaker = 'closed', failures = 0, open_until = NULL,
           tokens = LEAST(tokens, 0), refilled_at = {_NOW}
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
        if error is not None and error.status == TOO_MANY:
            self._failing.discard(self._connector["connector"])
            self._link.execute(_LIMITED, self._connector)
        elif isinstance(error, (Transient, Uncertain)):
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


# Longer than a token request takes: who waits for another's renewal comes back after that.
TOKEN_WAIT = 45.0
TOKEN_POLL = 0.05
# Pauses between the tries to store a token that the vendor will not give again.
STORE_PAUSES = (0.2, 1.0, 3.0)

_THIS_DATABASE = "(SELECT oid::text FROM pg_database WHERE datname = current_database())"
_TOKEN_OF = "connector_id = %(connector)s AND environment = %(environment)s"

_READ_TOKEN = f"""
    SELECT id, uuid, token_sealed FROM finance_token
     WHERE {_TOKEN_OF} AND database_oid = {_THIS_DATABASE}
"""
# A copy of a database starts without tokens: renewing would take them away from the original.
_MAKE_ROW = f"""
    INSERT INTO finance_token (connector_id, environment, uuid, database_oid)
    VALUES (%(connector)s, %(environment)s, %(uuid)s, {_THIS_DATABASE})
    ON CONFLICT (connector_id, environment) DO UPDATE
       SET uuid = EXCLUDED.uuid, database_oid = EXCLUDED.database_oid, token_sealed = NULL,
           renew_at = NULL, ends_at = NULL, renewed_at = NULL,
           signed_in_at = NULL, signed_in_by_id = NULL
     WHERE finance_token.database_oid <> EXCLUDED.database_oid
"""
_TOKEN_VALUES = f"""
           uuid = %(uuid)s, token_sealed = %(sealed)s, renewed_at = {_NOW},
           renew_at = to_timestamp(%(renew_at)s) AT TIME ZONE 'UTC',
           ends_at = to_timestamp(%(ends_at)s) AT TIME ZONE 'UTC'
"""
# The connection need not wait for the disk; these two statements do.
_DURABLY = "(SELECT set_config('synchronous_commit', 'on', true)) = 'on'"
# Only in place of the token that was renewed: not after erasing, nor over a newer sign-in.
_RENEW_TOKEN = f"""
    UPDATE finance_token SET {_TOKEN_VALUES}
     WHERE {_TOKEN_OF} AND uuid = %(known)s AND {_DURABLY}
"""
_SIGN_IN = f"""
    UPDATE finance_token SET {_TOKEN_VALUES}, signed_in_at = {_NOW}, signed_in_by_id = %(user)s
     WHERE {_TOKEN_OF} AND {_DURABLY}
"""


class SqlTokens(Tokens):
    """Tokens in finance_token, sealed; renewed by one thread of one process on one host at a time.

    open_link: function that gives the `Link` of this process, a new one after a broken connection.
    Whoever renews holds an advisory lock, which dies with its worker; threads of one process share
    its session, so they queue up at a lock of the process first. The rest polls, and finds either
    the new token or the free lock.
    """

    _turns = defaultdict(threading.Lock)

    def __init__(self, open_link, vault, *, connector_id, environment, user_id, new_uuid, deadline):
        self._link = open_link
        self._vault = vault
        self._new_uuid = new_uuid
        self._user_id = user_id
        self._place = {"connector": connector_id, "environment": environment}
        self._deadline = deadline

    def get(self, fetch, *, client="", refused=""):
        def serving():
            row = self._read()
            return row and row.token.serves(client, refused) and row.token

        token = serving()
        if token:
            return token
        with self._turn(serving) as token:
            return token or self._renew(fetch)

    def keep(self, token):
        self._link().execute(_MAKE_ROW, self._place | {"uuid": self._new_uuid()})
        self._store(_SIGN_IN, token, {"user": self._user_id})

    def stored(self):
        """Return the stored `Token`, or None."""
        row = self._read()
        return row.token if row and row.token.access else None

    def _read(self):
        for row_id, uuid, sealed in self._link().execute(_READ_TOKEN, self._place):
            return _Row(row_id, uuid, self._opened(uuid, sealed))
        return None

    def _opened(self, uuid, sealed):
        if sealed is None:
            return Token()
        try:
            text = self._vault.open(bytes(sealed), "finance.token", uuid, "token")
        except VaultError:
            # of a key that is gone, or moved here by hand: as good as none
            return Token()
        return Token(**json.loads(text))

    @contextmanager
    def _turn(self, serving):
        """Wait for the right to renew; yields a token instead when another has renewed it."""
        end = time.monotonic() + TOKEN_WAIT
        end = end if self._deadline is None else min(end, self._deadline)
        busy = Held("a token is being renewed", retry_after=0.5, reason="token")
        turn = self._turns[tuple(self._place.values())]
        if not turn.acquire(timeout=max(0.0, end - time.monotonic())):
            raise busy
        try:
            link, key = self._link(), (TOKEN_LOCK, self._row_id())
            while link.execute("SELECT pg_try_advisory_lock(%s, %s)", key) != [(True,)]:
                if token := serving():
                    yield token
                    return
                if time.monotonic() > end:
                    raise busy
                time.sleep(TOKEN_POLL)
            try:
                yield serving()
            finally:
                # a connection that broke has given it back already
                with suppress(psycopg2.Error):
                    link.execute("SELECT pg_advisory_unlock(%s, %s)", key)
        finally:
            turn.release()

    def _row_id(self):
        row = self._read()
        if row is None:
            self._link().execute(_MAKE_ROW, self._place | {"uuid": self._new_uuid()})
            row = self._read()
        return row.id

    def _renew(self, fetch):
        row, renewed = self._read() or _Row(0, "", Token()), []

        def keep(token):
            kill_point("token_answered")
            renewed.append(token)
            self._store(_RENEW_TOKEN, token, {"known": row.uuid})

        fetch(row.token if row.token.access else None, keep)
        return renewed[-1]

    def _store(self, statement, token, values):
        uuid = self._new_uuid()
        sealed = self._vault.seal(
            json.dumps(asdict(token)).encode(), "finance.token", uuid, "token"
        )
        values = self._place | values | {"uuid": uuid, "sealed": sealed}
        values |= {"renew_at": token.renew_at, "ends_at": token.ends_at}
        for pause in STORE_PAUSES:
            try:
                self._link().execute(statement, values)
                return
            except psycopg2.Error:
                # a database that is away for a moment must not cost somebody's sign-in
                time.sleep(pause)
        try:
            self._link().execute(statement, values)
        except psycopg2.Error as error:
            raise Transient("The vendor gave a token that could not be stored") from error


class _Row(NamedTuple):
    id: int
    uuid: str
    token: Token
