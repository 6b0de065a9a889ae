"""One autocommit connection a process and database, beside the business cursors.

What must be true whatever happens to the business transaction (a job was begun, an answer came, an
exchange took place, a token was taken) is written here, each statement a transaction of its own.
Threads share it. Its session holds the locks that tell other workers that this one is alive.
"""

import os
import select
import threading

import psycopg2
from psycopg2.extras import execute_values

from odoo.modules import module
from odoo.sql_db import connection_info_for

WAKE_CHANNEL = "finance_lane"
# Rows written here are waited for by nobody, and wait for nobody for long.
LOCK_TIMEOUT = "5s"


class Link:
    """The connection. Statements return their rows as tuples, or the row count without a result.

    durable=False: a crash of PostgreSQL itself (not of a worker) may lose the last moments; used
    for evidence and counters, which the next durable commit carries to disk.
    """

    def __init__(self, dbname, durable=True):
        _, info = connection_info_for(dbname)
        self._connection = psycopg2.connect(**info)
        self._connection.autocommit = True
        # LISTEN gives notices to the connection, not to a thread.
        self.lock = threading.Lock()
        self.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        # Claims read few rows, which the planner can't know: compiling them takes far longer.
        self.execute("SET jit = off")
        if not durable:
            self.execute("SET synchronous_commit = off")

    @property
    def closed(self):
        """Whether the connection is gone and a new one is needed."""
        return bool(self._connection.closed)

    def execute(self, query, params=None):
        """Run one statement; return its rows, or the number of rows it touched."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, params)
            return cursor.fetchall() if cursor.description else cursor.rowcount

    def execute_values(self, query, rows, template=None):
        """Run one statement with many rows of VALUES; return its rows, or the row count."""
        with self._connection.cursor() as cursor:
            result = execute_values(
                cursor, query, rows, template, max(len(rows), 1), cursor.description is not None
            )
            return result if result is not None else cursor.rowcount

    def listen(self):
        """Hear of enqueued jobs."""
        self.execute(f"LISTEN {WAKE_CHANNEL}")

    def wait(self, seconds):
        """Sleep until a job is enqueued or ``seconds`` are over; return whether one was."""
        if not self._connection.notifies:
            select.select([self._connection], [], [], seconds)
            self._connection.poll()
        heard = bool(self._connection.notifies)
        self._connection.notifies.clear()
        return heard

    def close(self):
        """Close the connection; what its session locked is free."""
        self._connection.close()


class TestLink:
    """The same on the one cursor of a test that never commits."""

    __test__ = False

    def __init__(self, cr):
        self._cr = cr

    def execute(self, query, params=None):
        """As `Link.execute`."""
        with self._cr.savepoint(flush=False):
            self._cr.execute(query, params)
            return self._cr.fetchall() if self._cr.description else self._cr.rowcount

    def execute_values(self, query, rows, template=None):
        """As `Link.execute_values`."""
        with self._cr.savepoint(flush=False):
            execute_values(self._cr._obj, query, rows, template, max(len(rows), 1))
            return self._cr.rowcount


_links = {}
_links_lock = threading.Lock()


def link_of(env, durable=True):
    """Return this process's `Link` to the database of ``env`` (a `TestLink` inside a test)."""
    if module.current_test:
        return TestLink(env.cr)
    key = (os.getpid(), env.cr.dbname, durable)
    with _links_lock:
        if key not in _links or _links[key].closed:
            _links[key] = Link(env.cr.dbname, durable)
        return _links[key]
