"""A lane: takes jobs, calls vendors in a bounded pool of threads, applies answers one by one.

It runs inside a scheduled action, on the action's cursor. Each job ends in a commit of its own.
What has to be known whatever happens next (begun, answered) is written on the autocommit
connection before the next step is taken, so a lane may be killed anywhere: the next one finds its
jobs by the lock that died with it.
"""

import hashlib
import logging
import random
import resource
import signal
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

import psycopg2
from psycopg2.errors import DeadlockDetected, LockNotAvailable, SerializationFailure

from odoo.exceptions import ConcurrencyError, UserError
from odoo.tools import SQL, config

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    Held,
    ProviderError,
    Rejected,
    Transient,
    Uncertain,
)
from odoo.addons.finance_connector_base.providers.masking import mask_text
from odoo.addons.finance_connector_base.providers.retry import RetryPolicy

from ..models.finance_connector import ConnectorClosed
from ..models.finance_operation import CHANGING
from .kill_points import kill_point
from .link import link_of
from .mark import HighWater
from .memory import SECONDS, Memory
from .queue import (
    CLAIM_CALLS,
    CLAIM_LOCAL,
    CLAIM_QUERIES,
    CLAIM_SOLO,
    CLAIM_SUSPECT,
    FOLLOW_SECONDS,
    Queue,
)

_logger = logging.getLogger(__name__)

THREADS = 8
LOCAL_BATCH = 16
# Local work is done in slices, so that answers do not wait behind it.
SLICE_SECONDS = 0.05
LINGER_SECONDS = 30
# After work one lane stays awake for so long: it hears of the next job at once, where Odoo's cron
# worker first sleeps for up to 0.1 s. Not longer, since while any scheduled action runs Odoo
# refuses to install or uninstall addons.
WARM_SECONDS = 5
POLL_SECONDS = 0.5
RECOVER_SECONDS = 1.0
LOOK_BACK_SECONDS = 5.0
# How often a busy lane looks for work that is rare, and for local work between its calls.
RARE_SECONDS = 0.5
LOCAL_SECONDS = 0.05
CONFLICTS = (SerializationFailure, DeadlockDetected, LockNotAvailable, ConcurrencyError)
CONFLICT_TRIES = 5
# A connector that may not call is asked again after so long.
CLOSED_SECONDS = 60.0
# Where the high-water mark can't be written, nothing with an effect is tried for so long.
UNMARKED_SECONDS = 60.0
HOPELESS_APPLY = 8
REVIVAL = RetryPolicy(base=1.0, cap=10.0)


class _Inline:
    """A pool that runs at once, in the caller's thread; for tests."""

    def submit(self, function, *arguments):
        future = Future()
        try:
            future.set_result(function(*arguments))
        except BaseException as error:
            future.set_exception(error)
        return future

    def shutdown(self, **_options):
        return None


class Lane:
    """One run of a lane. env: the scheduled action's; inline: no threads, no commit (tests).

    water: the `HighWater` to compare with and to write; a test that gives none writes none.
    """

    def __init__(self, env, *, inline=False, threads=THREADS, water=None):
        self.env = env
        self.inline = inline
        self.threads = 1 if inline else threads
        # Read before the first claim: a statement here would freeze a snapshot that is then too
        # old for the rows that the link writes.
        self.vault = env["finance.vault"]._vault()
        self.queue = Queue(link_of(env), 0.0 if inline else FOLLOW_SECONDS)
        self.water = water or (None if inline else HighWater(env))
        self.marked = self.unmarked = False
        self.looked_back_at = -LOOK_BACK_SECONDS
        self.memory = Memory(env, 0.0 if inline else SECONDS)
        self.pool = _Inline() if inline else ThreadPoolExecutor(threads)
        self.flying = {}
        self.local = deque()
        self.skipped = {}
        self.looked = {}
        self.recovered_at = 0.0
        self.warm_until = 0.0
        self.makes_room = False
        self.suspects_at = 0.0
        # Whether there was as much to claim as there was room for, so probably more.
        self.full = False

    # === RUN === #

    def run(self, wake_other):
        """Work until there is nothing to do, or the time that Odoo gives is nearly over.

        wake_other: function that wakes one more lane. Returns whether work is left.
        """
        end = _time_budget()
        self.env.cr.commit()  # pylint: disable=invalid-commit
        self.queue.link.listen()
        try:
            while not _stopping():
                if end():
                    return True
                if self.turn():
                    self.warm_until = time.monotonic() + WARM_SECONDS
                    if self.full and self._is_alone():
                        wake_other()
                    continue
                if not self._linger():
                    return False
            return True
        finally:
            self.close()

    def turn(self):
        """Do one round; return whether anything was done."""
        if self.water and self.looked_back_at + LOOK_BACK_SECONDS <= time.monotonic():
            self.look_back()
        done = self._recover()
        done += self._land(timeout=0)
        done += self._take_off()
        done += self._work_locally()
        if not done and self.flying:
            done += self._land(timeout=POLL_SECONDS)
        return bool(done or self.flying)

    def close(self):
        """Let flying calls end, give back what was not begun."""
        while self.flying:
            self._land(timeout=POLL_SECONDS)
        self.pool.shutdown(wait=True)
        for state in ("pending", "answered"):
            self.queue.release([c for c in self.local if c.state == state], state=state)
        self.queue.close()

    def _linger(self):
        busy, seconds = self.queue.outlook(LINGER_SECONDS, self._seen())
        if seconds is None and not busy and not self._stays_warm():
            return False
        pause = POLL_SECONDS if seconds is None else min(POLL_SECONDS, seconds)
        self.queue.link.wait(max(0.01, pause))
        return True

    def _stays_warm(self):
        """Whether this is the one lane that waits for what comes next."""
        if time.monotonic() > self.warm_until:
            return False
        return self.queue.worker == min(self.queue.lanes())

    def _is_alone(self):
        """Whether no other lane is awake; asked now and then, so it may be False without a look."""
        return self._looks_for("lanes", RARE_SECONDS) and len(self.queue.lanes()) == 1

    def _looks_for(self, what, pause):
        """Return whether to ask for ``what`` now; a busy lane leaves ``pause`` seconds between."""
        now = time.monotonic()
        if (self.flying or self.local) and now - self.looked.get(what, -pause) < pause:
            return False
        self.looked[what] = now
        return True

    # === CALLS === #

    def _take_off(self):
        """Fill the pool: what is claimed here is begun here, all of it, now."""
        free = self.threads - len(self.flying)
        if free <= 0:
            return 0
        if self._makes_room():
            self.full = True
            if self.flying:
                return 0
            if taken := self._take_suspect():
                return taken
        skipped = self._skipped()
        claims = self._marked(self.queue.claim(CLAIM_CALLS, free, skipped, self._seen()))
        if len(claims) < free and self._looks_for("queries", RARE_SECONDS):
            claims += self.queue.claim(CLAIM_QUERIES, free - len(claims), skipped)
        self.full = len(claims) == free
        for claim in claims:
            self._submit(claim)
        return len(claims)

    def _makes_room(self):
        """Whether work that may have killed a lane is under way here, or due."""
        if self._is_suspicious():
            return True
        now = time.monotonic()
        if not self.makes_room and self.suspects_at <= now:
            self.suspects_at = now + (0.0 if self.inline else RARE_SECONDS)
            self.makes_room = self.queue.has_suspect()
        return self.makes_room

    def _is_suspicious(self):
        return any(claim.solo for claim in self.flying.values())

    def _take_suspect(self):
        """Do one suspect's work, with no call beside it; return how many there were."""
        self.makes_room = False
        calls = self.queue.claim(CLAIM_SUSPECT, 1, self._skipped(), self._seen())
        for claim in self._marked(calls):
            self._submit(claim)
        claims = calls or self.queue.claim(CLAIM_SOLO, 1)
        # one that can't be had waits for something else, or another lane has it
        self.suspects_at = 0.0 if claims else time.monotonic() + LOOK_BACK_SECONDS
        if claims and not calls:
            self._apply_stored(claims[0])
        return len(claims)

    def _marked(self, claims):
        """Write the high-water mark before anything is sent; return what may be."""
        if claims:
            kill_point("after_claim")
        effects = [claim for claim in claims if claim.effect in CHANGING]
        if not effects or not self.water:
            return claims
        # Without a number somebody has found out, just now, that the database was restored.
        numbers = [claim.number for claim in effects]
        if all(numbers) and self._wrote(max(numbers)):
            return claims
        self.queue.release(effects, state="pending", wait=UNMARKED_SECONDS, refund=1)
        return [claim for claim in claims if claim.effect not in CHANGING]

    def _submit(self, claim):
        try:
            call = self._prepared(claim)
        except CONFLICTS:
            self.queue.release([claim], state=_before(claim), wait=_short(), refund=1)
            return
        except ConnectorClosed as closed:
            held = Held(str(closed), retry_after=CLOSED_SECONDS, reason="closed")
            self._call_failed(claim, held)
            return
        except Exception as error:
            self._fail(claim, _as_failure(error))
            return
        self.flying[self.pool.submit(call)] = claim

    def _prepared(self, claim):
        """Return a function without env that makes the call."""
        operation = self.env["finance.operation"]._named(claim.operation)
        with self._transaction():
            asking = claim.state == "uncertain"
            if not asking and _exhausted(self.memory.policy(claim.workflow_id), claim):
                raise _Hopeless(
                    f"Given up after {claim.attempts - 1} attempts that ended without an answer"
                )
            if claim.request_sealed:
                place = ("finance.job", claim.uuid, "request")
                text = self.vault.open(bytes(claim.request_sealed), *place).decode()
                request = codec.load(operation.request_type, text)
                if operation.late:
                    started = self._started(claim)
                    request = started.env[operation._name]._late(started.record, request)
            else:
                started = self._started(claim)
                request = started.env[operation._name]._prepare(started.record)
            config, provider_class = self.memory.vendor(claim.connector_id, claim.company_id)
        session = operation._session(config, self.vault, effect=claim.effect, job=claim._asdict())
        provider = provider_class(session)
        if asking:
            provider.session.effect = "question"
        function = type(operation)._query if asking else type(operation)._call
        return lambda: function(provider, request)

    def _started(self, claim):
        """Return the job in the environment of who started it: user, language, one company."""
        starter = self.memory.starter(claim.user_id, claim.company_id)
        job = self.env["finance.job"].browse(claim.id)
        job._know(claim)
        return job.with_env(starter.env(self.env.cr))

    def _land(self, timeout):
        """Take the calls that are over, write their answers down, then apply one by one."""
        if not self.flying:
            return 0
        if timeout:
            wait(list(self.flying), timeout, FIRST_COMPLETED)
        over = [future for future in self.flying if future.done()]
        landed = [(self.flying.pop(future), future) for future in over]
        answered = []
        for claim, future in landed:
            error = future.exception()
            if error is not None:
                self._call_failed(claim, error)
            elif claim.state == "uncertain" and future.result() is None:
                self._not_done(claim)
            else:
                answered.append((claim, future.result()))
        texts = [(claim, result, codec.dump(result)) for claim, result in answered]
        if texts:
            kill_point("before_answered")
            seal = self.vault.seal
            self.queue.answered(
                [(c.id, seal(t.encode(), "finance.job", c.uuid, "answer")) for c, _r, t in texts]
            )
        for claim, result, text in texts:
            self._apply(claim, result, text)
        return len(landed)

    def _call_failed(self, claim, error):
        if isinstance(error, Held):
            self.skipped[claim.connector_id] = time.monotonic() + min(error.retry_after, 5.0)
            wait_for = error.retry_after * (1 + random.random() * 0.2)
            self.queue.release([claim], state=_before(claim), wait=wait_for, refund=1)
            return
        if not isinstance(error, ProviderError):
            _logger.error("job %s: %s failed", claim.id, claim.operation, exc_info=error)
            message = f"{type(error).__name__} in the provider"
            error = (Uncertain if claim.effect == "once" else Transient)(message)
        self._fail(claim, error)

    def _not_done(self, claim):
        """The vendor says that it never got it: the same request may go out."""
        with self._transaction():
            job = self.env["finance.job"].browse(claim.id)
            job._note("job.not_done_at_vendor")
            job._sql("state = 'pending', worker = NULL, due_at = now() AT TIME ZONE 'UTC'")

    def _skipped(self):
        now = time.monotonic()
        self.skipped = {key: until for key, until in self.skipped.items() if until > now}
        return self.skipped

    # === HIGH-WATER MARK === #

    def look_back(self):
        """Find out whether the database was restored, before anything is recovered or claimed."""
        self.looked_back_at = time.monotonic()
        self.unmarked = not self._insist(self.env["finance.restore"]._look_back, self.water)

    def _seen(self):
        """Return the number in the mark file, None when nothing with an effect may be claimed."""
        if self.unmarked or not self.water:
            return None if self.unmarked else 0
        try:
            return self.water.seen()
        except OSError as error:
            self._cannot_mark(error)
            return None

    def _wrote(self, number):
        """Write the mark; return whether it is on the disk."""
        try:
            self.water.write(number)
        except OSError as error:
            self._cannot_mark(error)
            return False
        if not self.marked:
            self.marked = True
            self._insist(self.env["finance.restore"]._mark_works)
        return True

    def _cannot_mark(self, error):
        self.unmarked = True
        self._insist(self.env["finance.restore"]._mark_fails, self.water.path, error)

    # === LOCAL WORK AND APPLY === #

    def _work_locally(self):
        if self._is_suspicious():
            return 0
        if not self.local and self._looks_for("local", LOCAL_SECONDS):
            claims = self.queue.claim(CLAIM_LOCAL, LOCAL_BATCH)
            if claims:
                self.looked.pop("local", None)
            self.full = self.full or len(claims) == LOCAL_BATCH
            self.local.extend(claims)
        if not self.local:
            return 0
        end, done = time.monotonic() + SLICE_SECONDS, 0
        while self.local and time.monotonic() < end:
            claim = self.local.popleft()
            self._apply_stored(claim)
            done += 1
        return done

    def _apply_stored(self, claim):
        try:
            if claim.apply_attempts > HOPELESS_APPLY:
                raise _Hopeless(f"Given up after {claim.apply_attempts - 1} lanes died with it")
            result, text = None, ""
            if claim.answer_sealed:
                operation = self.env["finance.operation"]._named(claim.operation)
                place = ("finance.job", claim.uuid, "answer")
                text = self.vault.open(bytes(claim.answer_sealed), *place).decode()
                result = codec.load(operation.result_type, text)
        except Exception as error:
            self._fail(claim, _as_failure(error))
            return
        self._apply(claim, result, text)

    def _apply(self, claim, result, text):
        """Write the result (``text``: as it was sealed) and the end of the job, in one transaction."""
        try:
            with self._transaction():
                started = self._started(claim)
                operation = started.env[f"finance.operation.{claim.operation}"]
                operation._apply(started, result)
                family = self.memory.starter(claim.user_id, claim.company_id).family
                operation._check_company(started, family)
                self.env.flush_all()
                self._finish(claim, text)
                kill_point("before_done")
        except CONFLICTS:
            state = "answered" if claim.calls else "pending"
            self.queue.release([claim], state=state, wait=_short())
        except Exception as error:
            self._apply_failed(claim, error)

    def _finish(self, claim, text):
        """End the job: its row, its key and, of work with an effect, the event, in one statement."""
        event = SQL("event AS (SELECT)")
        if claim.effect in CHANGING:
            event = self.env["finance.audit.event"]._insertion(_done_event(claim, text))
        # Not "worker =": by the index on worker this reads all that the lane has done lately.
        self.env.cr.execute(
            SQL(
                """
                WITH key AS (
                    UPDATE finance_job_key SET outcome = 'done'
                     WHERE connector_id = %s AND key = %s AND job_uuid = %s),
                     %s
                UPDATE finance_job
                   SET state = 'done', worker = NULL, done_at = now() AT TIME ZONE 'UTC'
                 WHERE id = %s AND worker IS NOT DISTINCT FROM %s
                """,
                claim.connector_id,
                claim.key,
                claim.uuid,
                event,
                claim.id,
                self.queue.worker,
            )
        )
        if not self.env.cr.rowcount:
            raise SerializationFailure(f"job {claim.id} is no longer ours")
        if claim.error_class or claim.attempts > 1 or claim.apply_attempts:
            job = self.env["finance.job"].browse(claim.id)
            self.env["finance.exception"]._resolve(job=job, note="job.done")

    def _apply_failed(self, claim, error):
        _logger.warning("job %s: applying %s failed", claim.id, claim.operation, exc_info=error)
        attempts = claim.apply_attempts + 1
        failure = _as_failure(error)
        if isinstance(error, UserError) or attempts >= HOPELESS_APPLY:
            self._fail(claim, failure, answered=claim.calls)
            return
        with self._transaction():
            self._note_failure(claim, failure, state="answered" if claim.calls else "pending",
                               wait=min(600, 2**attempts), apply_attempts=attempts)  # fmt: skip

    # === FAILURES === #

    def _fail(self, claim, error, answered=False):
        """Decide what a failure means for the job, and tell people where they must act."""
        for _attempt in range(CONFLICT_TRIES):
            try:
                self._decide(claim, error, answered)
                return
            except CONFLICTS:
                time.sleep(_short())
        self.queue.release([claim], state="answered" if answered else _before(claim), wait=1.0)

    def _decide(self, claim, error, answered):
        with self._transaction():
            job = self.env["finance.job"].browse(claim.id)
            if isinstance(error, AuthFailed):
                self._note_failure(claim, error, state=_before(claim), refund=1)
                job.connector_id._needs_attention(error.message)
            elif claim.state == "uncertain" and not answered:
                self._still_uncertain(job, claim, error)
            elif isinstance(error, Uncertain) or self._is_unreadable(claim, error, answered):
                self._became_uncertain(job, claim, error)
            elif isinstance(error, Transient):
                self._later_or_never(job, claim, error)
            else:
                self._bury(job, claim, error, answered)

    def _later_or_never(self, job, claim, error):
        policy = job.workflow_id._retry_policy()
        wait_for = policy.delay(claim.attempts, error.retry_after)
        elapsed = (self.env.cr.now() - claim.called_at).total_seconds() if claim.called_at else 0
        if not policy.exhausted(claim.attempts, elapsed, wait_for):
            self._note_failure(claim, error, state="pending", wait=wait_for)
        else:
            self._bury(job, claim, error)

    @staticmethod
    def _is_unreadable(claim, error, answered):
        """An answer came that nobody understands: what may not be repeated may have been done."""
        return claim.effect == "once" and isinstance(error, ContractBroken) and not answered

    def _still_uncertain(self, job, claim, error):
        """Asking what became of it failed: ask again later, or leave it to a person."""
        policy = job.workflow_id._retry_policy()
        again = isinstance(error, Transient) and claim.attempts < policy.max_attempts
        wait_for = policy.delay(claim.attempts, error.retry_after) if again else None
        self._note_failure(claim, error, state="uncertain", wait=wait_for)
        if isinstance(error, ContractBroken):
            self._raise(job, "contract.drift", error)
        elif not again:
            self._raise(job, "job.uncertain", error)

    def _became_uncertain(self, job, claim, error):
        if isinstance(error, ContractBroken):
            self._raise(job, "contract.drift", error)
        operation = self.env["finance.operation"]._named(claim.operation)
        wait_for = 1.0 if operation._can_query() else None
        self._note_failure(claim, error, state="uncertain", wait=wait_for)
        self._raise(job, "job.uncertain", error)
        job._note("job.uncertain")

    def _bury(self, job, claim, error, answered=False):
        self._note_failure(claim, error, state="dead")
        codes = {Rejected: "job.rejected", ContractBroken: "contract.drift"}
        self._raise(job, codes.get(type(error), "job.dead"), error)
        key = (claim.connector_id, claim.key, claim.uuid)
        self.env["finance.job.key"]._ended([key], "stopped")
        job._note("job.stopped", error=type(error).__name__, code=error.code, answered=answered)

    def _raise(self, job, code, error):
        if self.env["finance.mapping.missing"]._stopped(job, error.__cause__):
            return
        special = None
        if f"finance.operation.{job.operation}" in self.env:
            operation = self.env["finance.operation"]._named(job.operation)
            special = operation._failed(job, error)
        code, values = special or (code, {})
        params = {
            "operation": job.operation,
            "code": error.code,
            "text": str(error.message)[:500],
            "status": error.status,
            "request_id": error.request_id,
            "field": getattr(error, "field", ""),
            "version": getattr(error, "version", ""),
        }
        self.env["finance.exception"]._raise(
            code,
            document=job._document() or None,
            job=job,
            connector=job.connector_id,
            company=job.company_id,
            params=params | values.pop("params", {}),
            **values,
        )

    def _note_failure(self, claim, error, *, state, wait=0.0, refund=0, apply_attempts=None):
        self.env.cr.execute(
            """
            UPDATE finance_job
               SET state = %(state)s, worker = NULL, error_class = %(class)s,
                   error_code = %(code)s, error_text = %(text)s,
                   attempts = attempts - %(refund)s,
                   apply_attempts = COALESCE(%(apply_attempts)s, apply_attempts),
                   due_at = clock_timestamp() AT TIME ZONE 'UTC' + interval '1 s' * %(wait)s
             WHERE id = %(id)s
            """,
            {
                "id": claim.id,
                "state": state,
                "class": type(error).__name__,
                "code": error.code,
                "text": _masked(error.message),
                "refund": refund,
                "apply_attempts": apply_attempts,
                "wait": wait,
            },
        )
        self.env["finance.job"].browse(claim.id).invalidate_recordset()

    # === RECOVERY === #

    def _recover(self):
        """Take up what lanes that died left behind."""
        now = time.monotonic()
        if now - self.recovered_at < RECOVER_SECONDS and not self.inline:
            return 0
        self.recovered_at = now
        claims = self.queue.recover()
        for claim in claims:
            self._take_over(claim)
        if claims:
            self.looked.clear()
            self.suspects_at = 0.0
        return len(claims)

    def _take_over(self, claim):
        _logger.warning("job %s (%s) was left behind by a dead lane", claim.id, claim.operation)
        if claim.state == "calling" and claim.effect == "once":
            self._fail(claim, Uncertain("The server stopped while the request was under way"))
        elif claim.state == "calling":
            self.queue.release([claim], state="pending", wait=_revived(claim.attempts))
        else:
            tries = claim.attempts if claim.state == "uncertain" else claim.apply_attempts
            self.queue.release([claim], state=claim.state, wait=_revived(tries))

    # === TRANSACTIONS === #

    def _insist(self, function, *arguments):
        """Return what ``function`` says, in a transaction; None when others were always faster."""
        for _attempt in range(CONFLICT_TRIES):
            try:
                with self._transaction():
                    return function(*arguments)
            except CONFLICTS:
                time.sleep(_short())
        return None

    @contextmanager
    def _transaction(self):
        """One transaction; in a test, a savepoint of the test's one."""
        if self.inline:
            with self.env.cr.savepoint():
                yield
            return
        try:
            yield
            self.env.flush_all()
            self.env.cr.commit()  # pylint: disable=invalid-commit
        except BaseException:
            self.env.cr.rollback()
            raise


class _Hopeless(ProviderError):
    """Tried often enough."""


def _done_event(claim, text):
    """The audit event of a finished job: what an auditor asks when the job itself is gone."""
    return {
        "kind": "job.done",
        "res_model": claim.document_model,
        "res_id": claim.document_id,
        "connector_id": claim.connector_id,
        "company_id": claim.company_id,
        "trace_id": claim.trace_id,
        "data": {
            "uuid": claim.uuid,
            "operation": claim.operation,
            "key": claim.key,
            "attempts": claim.attempts,
            "called_at": claim.called_at,
        },
        "salted": {"answer_digest": hashlib.sha256(text.encode()).hexdigest()},
    }


def _before(claim):
    return "uncertain" if claim.state == "uncertain" else "pending"


def _revived(tries):
    """Return how long a job rests after a lane died with it: the second time it may be the cause,
    and the others in its lane get done meanwhile."""
    return 0.0 if tries < 2 else REVIVAL.delay(tries - 1)


def _short():
    return 0.05 + random.random() * 0.2


def _exhausted(policy, claim):
    """A worker that dies leaves no failure behind, only an attempt."""
    return claim.attempts > policy.max_attempts


def _as_failure(error):
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, UserError):
        failure = Rejected(str(error), code="odoo")
        failure.__cause__ = error
        return failure
    if isinstance(error, psycopg2.Error):
        return _Hopeless(f"{type(error).__name__} while writing to the database")
    return _Hopeless(f"{type(error).__name__}: {error}"[:500])


def _masked(text):
    return mask_text(str(text))[:2000]


def _time_budget():
    """Return a function that tells whether the limits of Odoo's watchdog come near."""
    real = config["limit_time_real_cron"]
    real = config["limit_time_real"] if real in (-1, None) else real
    seconds = min(60.0, real / 2) if real else 60.0
    end = time.monotonic() + seconds
    soft, _hard = resource.getrlimit(resource.RLIMIT_CPU)
    cpu_end = None if soft == resource.RLIM_INFINITY else soft - min(10, soft / 4)
    return lambda: time.monotonic() > end or (cpu_end and time.process_time() > cpu_end)


def _stopping():
    """Return whether the server was asked to stop."""
    server = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
    return not getattr(server, "alive", True) or getattr(server, "quit_signals_received", 0) > 0
