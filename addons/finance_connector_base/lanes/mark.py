"""The high-water mark of this database, as lanes read and write it.

The number is a row, and not a sequence: recovery, also to a point in time, leaves a sequence up to
32 values ahead of what was drawn from it, which would hide that so many jobs are missing.
"""

import os
import socket
from collections import namedtuple
from datetime import UTC, datetime

import psycopg2

from odoo.tools import config

from odoo.addons.finance_connector_base.evidence.mark import (
    SUFFIX,
    Identity,
    Mark,
    judge,
    raise_mark,
    read_mark,
)
from odoo.addons.finance_connector_base.evidence.place import evidence_dir, file_of

from .link import link_of

# One row. number: jobs with an effect that were taken to be sent, ever. since: the number at which
# this database began its own file. identity: the physical database that this row knows itself to
# be in, '' before a lane has looked. held: nothing with an effect may be taken.
TABLE = """
    CREATE TABLE IF NOT EXISTS finance_mark (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        number bigint NOT NULL DEFAULT 0,
        since bigint NOT NULL DEFAULT 0,
        at timestamp,
        identity varchar NOT NULL DEFAULT '',
        held boolean NOT NULL DEFAULT false
    ) WITH (fillfactor = 10)
"""
ROW = "INSERT INTO finance_mark DEFAULT VALUES ON CONFLICT DO NOTHING"

_DATABASE = """
    SELECT m.number, m.since, m.identity, m.at,
           m.number > 0 OR EXISTS (
               SELECT FROM finance_job
                WHERE state NOT IN ('done', 'cancelled') AND effect IN ('idempotent', 'once')),
           (SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'),
           d.oid::text, 'finance_mark'::regclass::oid::text
      FROM finance_mark m, pg_database d
     WHERE d.datname = current_database()
"""
# Some hosted servers refuse these.
_CLUSTER = """
    SELECT system_identifier::text, left(pg_walfile_name(pg_current_wal_lsn()), 8)
      FROM pg_control_system()
"""
_ADOPT = "UPDATE finance_mark SET identity = %s, since = number WHERE NOT held"
_COUNT = """
    UPDATE finance_mark SET number = number + %s, at = clock_timestamp() AT TIME ZONE 'UTC'
 RETURNING number
"""

_Row = namedtuple("_Row", "number since identity at used uuid database table")
# verdict: see `evidence.mark.judge`. at: when the database last took a job, naive UTC.
Look = namedtuple("Look", "verdict number at mark identity")


class HighWater:
    """The mark of the database of ``env``. folder: where its file is, by default as configured."""

    def __init__(self, env, folder=None):
        self._link = link_of(env)
        self._folder = folder or evidence_dir(os.environ, config)
        self.path = None

    def look(self):
        """Compare the database with its file; return a `Look`. Raises OSError."""
        row = self._row()
        self.path = file_of(self._folder, row.uuid, row.database, SUFFIX)
        mark = read_mark(self.path)
        if mark and mark.number > row.number:
            # Another lane may have taken a job after the row was read.
            row = self._row()
        now, then = self._identity(row), Identity.parse(row.identity)
        verdict = judge(row.number, row.since, then, now, mark, row.used)
        return Look(verdict, row.number, row.at, mark, now)

    def identity(self):
        """Return the `Identity` of this database."""
        return self._identity(self._row())

    def _row(self):
        return _Row(*self._link.execute(_DATABASE)[0])

    def _identity(self, row):
        try:
            [(system, timeline)] = self._link.execute(_CLUSTER)
        except psycopg2.Error:
            system = timeline = ""
        return Identity(system, row.database, row.table, timeline)

    def adopt(self, identity):
        """Write down that this is the database's identity from now on."""
        self._link.execute(_ADOPT, [str(identity)])

    def seen(self):
        """Return the number in the file, 0 without one. Raises OSError."""
        mark = read_mark(self.path)
        return mark.number if mark else 0

    def write(self, number):
        """Write the number to the file before what it counts is sent. Raises OSError."""
        writer = f"{socket.gethostname()}:{os.getpid()}"
        raise_mark(self.path, Mark(number, datetime.now(UTC), writer))

    def count(self, jobs=1):
        """Count what a person did outside of Odoo as if it had been sent. Raises OSError."""
        self.look()
        self.write(self._link.execute(_COUNT, [jobs])[0][0])
