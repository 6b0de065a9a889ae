"""An Odoo with the test operations, as tests of the job engine use it."""

import time
from collections import Counter

import psycopg2

from tests.system.odoo_process import wait_until

ENDED = ("done", "cancelled", "dead", "uncertain")
PREPARE = """
env["ir.module.module"].search([("name", "=", "finance_test_jobs")]).button_immediate_install()
env = env(user=1, su=True)
connector = env["finance.connector"].create({
    "name": "Echo", "provider": "test_echo", "environment": "local",
    "local_url": "http://127.0.0.1:1/echo",
})
env["finance.workflow"].create({
    "connector_id": connector.id, "company_id": connector.company_ids.id, "flow": "test",
    "max_attempts": 40, "backoff_base_seconds": 0.2, "backoff_cap_seconds": 2.0,
})
connector._by_action({"state": "ready"})
env.cr.commit()
"""


class Table:
    """SQL on a database from outside of Odoo, each statement with a snapshot of its own."""

    def __init__(self, database):
        self.database = database
        self._connection = psycopg2.connect(dbname=database)
        self._connection.autocommit = True

    def rows(self, query, *values):
        """The rows of a query as tuples; [] for a statement without rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def column(self, query, *values):
        """The first column of a query."""
        return [row[0] for row in self.rows(query, *values)]

    def value(self, query, *values):
        """The first value of a query."""
        return self.rows(query, *values)[0][0]

    def close(self):
        """Give the connection back."""
        self._connection.close()


class Work(Table):
    """Notes, their jobs, and what became of them, on one database.

    Servers come and go; ``rpc`` is a session on any of them.
    """

    def __init__(self, database):
        super().__init__(database)
        self.rpc = None
        self.connector = self.value("SELECT id FROM finance_connector WHERE provider = 'test_echo'")

    # === SET UP === #

    def call_vendor_at(self, url, **values):
        """Point the connector at a vendor, with further field values, and test it."""
        values = {"local_url": f"{url}/echo", **values}
        self.rpc.call("finance.connector", "write", [self.connector], values)
        self.rpc.call("finance.connector", "action_test", [self.connector])
        state = self.value("SELECT state FROM finance_connector WHERE id = %s", self.connector)
        assert state == "ready", f"the connector is {state}"

    def policy(self, **values):
        """Change the retry policy of the test flow."""
        flow = self.value("SELECT id FROM finance_workflow WHERE flow = 'test'")
        self.rpc.call("finance.workflow", "write", [flow], values)

    # === ENQUEUE === #

    def notes(self, number, text="note", connector=True):
        """Create notes named ``<text> <position>``; returns their ids."""
        connector = self.connector if connector else False
        return self.rpc.call(
            "finance.test.note",
            "create",
            [{"name": f"{text} {n}", "connector_id": connector} for n in range(number)],
        )

    def enqueue(self, notes, operation, **options):
        """Enqueue one job a note; returns the ids of the jobs."""
        return self.rpc.call(
            "finance.test.note", "action_enqueue", notes, f"test.{operation}", **options
        )

    def jobs(self, number, operation, text="note"):
        """Create notes and enqueue one job each; returns the ids of the jobs."""
        return self.enqueue(self.notes(number, text), operation)

    # === ASK === #

    def states(self, jobs=None):
        """How many jobs are in which state."""
        chosen = "" if jobs is None else "WHERE id = ANY(%s)"
        values = () if jobs is None else (list(jobs),)
        return Counter(self.column(f"SELECT state FROM finance_job {chosen}", *values))

    def unfinished(self):
        """Ids of the jobs that still move, or will move by themselves.

        Without questions: those are asked by what the demo data brings, and nobody may be there.
        """
        return self.column(
            "SELECT id FROM finance_job WHERE held_reason IS NULL AND effect <> 'question'"
            " AND (state IN ('pending', 'calling', 'answered')"
            " OR worker IS NOT NULL OR (state = 'uncertain' AND due_at IS NOT NULL))"
        )

    def wait(self, seconds, nudge=None):
        """Wait until no job moves any more.

        nudge: seconds after which, without any progress, new work arrives; it wakes a lane, as new
        work does in a company that is at work.
        """
        before, since, nudged = None, time.monotonic(), []

        def quiet():
            nonlocal before, since
            now = self.rows("SELECT id, state, attempts, worker FROM finance_job ORDER BY id")
            if now != before:
                before, since = now, time.monotonic()
            elif nudge and time.monotonic() - since > nudge:
                nudged.extend(self.enqueue(self.notes(1, "nudge", False), "trivial"))
                since = time.monotonic()
            return not self.unfinished()

        try:
            wait_until(quiet, seconds, "the end of all jobs", pause=0.1)
        except AssertionError as error:
            left = self.rows(
                "SELECT id, operation, state, attempts, worker, error_text, due_at FROM finance_job"
                " WHERE id = ANY(%s) LIMIT 10", self.unfinished(),
            )  # fmt: skip
            gate = self.rows("SELECT * FROM finance_gate WHERE connector_id = %s", self.connector)
            words = f"{error}: {dict(self.states())}\n{left}\n{gate}"
            raise AssertionError(words) from None
        return nudged

    def exceptions(self, *codes):
        """Job ids of the open exceptions with one of the codes."""
        return self.column(
            "SELECT job_id FROM finance_exception WHERE state = 'open' AND code = ANY(%s)",
            list(codes),
        )

    def keys(self, operation):
        """{key at the vendor: (job id, text decided, state, applied to the note)}."""
        rows = self.rows(
            "SELECT j.key, j.id, n.name, j.state, COALESCE(n.applied, 0) FROM finance_job j"
            " JOIN finance_test_note n ON n.id = j.res_id AND j.res_model = 'finance.test.note'"
            " WHERE j.operation = %s", f"test.{operation}",
        )  # fmt: skip
        return {key: rest for key, *rest in rows}


def complaints(log, allowed=()):
    """Lines of a server log that nobody may see: errors, tracebacks, conflicts."""
    signs = (" ERROR ", " CRITICAL ", "Traceback", "could not serialize", "deadlock detected")
    return [
        line
        for line in log.splitlines()
        if any(sign in line for sign in signs) and not any(word in line for word in allowed)
    ]
