"""Many invoices posted in the background, by a server that is killed meanwhile."""

import time

from tests.system.odoo_process import wait_until
from tests.system.test_tax_concurrency import DRAFTS, asked, recorded

COUNT = 25
# In the background already with so few.
IN_BACKGROUND = """
from odoo.addons.finance_tax_engine.models import finance_tax_batch
finance_tax_batch.CHUNK = 5
env["finance.tax.batch"]._post_moves(env["account.move"].browse(result))
env.cr.commit()
"""


def test_killed_between_answers_and_commit(odoo_factory, work, sandbox):
    """Nothing is posted twice, nothing asked twice, and all is recorded once."""
    server = odoo_factory(work.database).start()
    drafts = DRAFTS.format(url=f"{sandbox.base_url}/avatax", count=COUNT) + IN_BACKGROUND
    invoices = server.shell(drafts)
    wait_until(lambda: len(asked(sandbox)) == COUNT, 60)
    # the last answers are written, and posting has hardly begun
    time.sleep(0.1)
    server.kill()
    posted = "SELECT count(*) FROM account_move WHERE id = ANY(%s) AND state = 'posted'"
    assert work.value(posted, invoices) == 0, "killed too late to prove anything"
    server.start()
    work.rpc = server.rpc()
    work.wait(120, nudge=3)
    assert work.value(posted, invoices) == COUNT
    assert len(asked(sandbox)) == COUNT
    assert len(recorded(sandbox)) == COUNT
    assert "was left behind by a dead lane" in server.read_log()
    assert work.rows("SELECT state FROM finance_tax_batch") == [("done",)]
