"""Exceptions and audit with real transactions, which tests inside one transaction can't show."""

import psycopg2
import pytest
from psycopg2 import errors

from tests.system.odoo_process import OdooServer

TOGETHER = """
import logging, threading, time
import psycopg2
from odoo import SUPERUSER_ID, api

complaints = []
handler = logging.Handler(logging.WARNING)
handler.emit = lambda record: complaints.append(record.getMessage())
logging.getLogger("odoo").addHandler(handler)

partner = env["res.partner"].create({"name": "Raised together"})
env.cr.commit()
tries = []

def raise_it(partner_id=partner.id):
    for attempt in range(1, 10):
        with env.registry.cursor() as cr:
            cr.execute("SELECT 1")
            own = api.Environment(cr, SUPERUSER_ID, {})
            try:
                document = own["res.partner"].browse(partner_id)
                own["finance.exception"]._raise("job.held", document=document)
                own.flush_all()
                time.sleep(0.2)
                cr.commit()
                tries.append(attempt)
                return
            except psycopg2.errors.SerializationFailure:
                cr.rollback()

threads = [threading.Thread(target=raise_it) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
result = {"partner": partner.id, "tries": sorted(tries), "complaints": complaints}
"""
RECORD = """
user = env["res.users"].create({"name": "Portal", "login": "portal-to-delete"})
env["finance.audit.event"].with_user(user)._record("test.kept", user.partner_id)
env.cr.commit()
user.unlink()
env.cr.commit()
"""


@pytest.fixture
def shell(cluster, database):
    """Run Python inside Odoo: ``shell(code)`` returns what the code left in ``result``."""
    return OdooServer(cluster, database).shell


@pytest.fixture
def sql(database):
    """Run one statement on the database and return its rows."""

    def run(statement, *values):
        connection = psycopg2.connect(dbname=database)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    return run


def test_concurrent_raises_end_on_one_row_and_quietly(shell, sql):
    result = shell(TOGETHER)
    assert len(result["tries"]) == 4
    assert max(result["tries"]) > 1, "the transactions never met"
    rows = sql(
        "SELECT state, occurrences FROM finance_exception"
        " WHERE document_model = 'res.partner' AND document_id = %s",
        result["partner"],
    )
    assert rows == [("open", 4)]
    assert result["complaints"] == []


def test_audit_outlives_its_user_and_every_attack(shell, sql):
    shell(RECORD)
    [(event,)] = sql("SELECT id FROM finance_audit_event WHERE kind = 'test.kept'")
    for attack in (
        f"UPDATE finance_audit_event SET kind = 'x' WHERE id = {event}",
        f"DELETE FROM finance_audit_event WHERE id = {event}",
        "TRUNCATE finance_audit_event",
    ):
        with pytest.raises(errors.RestrictViolation):
            sql(attack)
