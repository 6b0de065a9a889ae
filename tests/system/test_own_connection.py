"""What is written beside the business transaction: it stays, and it waits for nobody.

Each snippet runs in a process of its own, with real commits; an alarm ends one that hangs.
"""

HEAD = """
import signal
signal.alarm(60)
from odoo.addons.finance_test_jobs.models.operations import Note
connector = env["finance.connector"].search([("provider", "=", "test_echo")])
connector.local_url = {url!r}
env.cr.commit()
company = connector.company_ids
operation = env["finance.operation.test.echo"]
def exchanges():
    env.cr.rollback()
    env.cr.execute("SELECT count(*) FROM finance_exchange")
    return env.cr.fetchone()[0]
"""

ROLLED_BACK = """
note = env["finance.test.note"].create({"name": "never there", "connector_id": connector.id})
answers = operation._ask(connector, company, [Note("one"), Note("two")])
written = exchanges()
again = operation._ask(connector, company, [Note("one"), Note("two")])
result = [[a.text for a in answers], [a.text for a in again], bool(note.exists()), written]
"""


def test_survives_a_rollback(odoo_factory, work, sandbox):
    """The exchanges stay when the transaction is rolled back, and the answers serve again."""
    texts, again, there, written = run(odoo_factory, work, sandbox, ROLLED_BACK)
    assert texts == again == ["one", "two"]
    assert (there, written) == (False, 2)
    assert sandbox.count("echo") == 2, "the second run of the transaction asked again"


LOCKED = """
env.cr.execute("SELECT id FROM finance_connector WHERE id = %s FOR UPDATE", [connector.id])
env.cr.execute("UPDATE finance_connector SET name = 'Echo, renamed' WHERE id = %s", [connector.id])
company.write({"name": "Renamed"})
env.flush_all()
answers = operation._ask(connector, company, [Note(str(n)) for n in range(6)])
result = [[a.text for a in answers], exchanges()]
"""


def test_no_deadlock_with_ourselves(odoo_factory, work, sandbox):
    """Our own transaction holds connector and company; the exchange doesn't wait for it."""
    texts, written = run(odoo_factory, work, sandbox, LOCKED)
    assert texts == [str(n) for n in range(6)]
    assert written == 6


UNCOMMITTED = """
new = env["finance.connector"].create(
    {"name": "New", "provider": "test_echo", "environment": "local", "local_url": {url!r}})
new.action_test()
state, new_id = new.state, new.id
count = exchanges()
env.cr.execute("SELECT connector_id FROM finance_exchange")
result = [state, count, env.cr.fetchone()[0] == new_id, bool(new.exists())]
"""


def test_a_connector_that_is_not_committed(odoo_factory, work, sandbox):
    """A connector is created and tested in one transaction, which is then rolled back."""
    code = UNCOMMITTED.replace("{url!r}", repr(f"{sandbox.base_url}/echo"))
    state, count, same, there = run(odoo_factory, work, sandbox, code)
    assert (state, count, same, there) == ("ready", 1, True, False)


DENIED = """
from odoo.exceptions import AccessError
user = env["res.users"].search([("login", "=", "accountant")])
try:
    connector.with_user(user).sudo(False).action_pause()
except AccessError:
    env.cr.rollback()
env.cr.execute("SELECT user_id, data->>'action' FROM finance_audit_event WHERE kind = 'action.denied'")
result = [env.cr.fetchall(), user.id]
"""


def test_what_was_refused_is_kept(odoo_factory, work, sandbox):
    """Somebody tries a button that is not theirs: the evidence outlives the error."""
    events, user = run(odoo_factory, work, sandbox, DENIED)
    assert events == [[user, "connector.pause"]]


def run(odoo_factory, work, sandbox, code):
    """Run ``code`` in a process of its own and return its ``result``."""
    head = HEAD.replace("{url!r}", repr(f"{sandbox.base_url}/echo"))
    return odoo_factory(work.database).shell(head + code)
