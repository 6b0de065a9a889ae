"""Configuration files with real transactions: two administrators apply at the same time."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import psycopg2

from tests.system.odoo_process import wait_until

# A second administrator, and a proposal of each: one changes a connector, one an alert rule.
PREPARE = """
import json
role = env.ref("finance_connector_base.group_administrator")
companies = env["res.company"].search([])
people = env.ref("base.user_admin") | env["res.users"].create({
    "name": "Second", "login": "second", "password": "second",
    "group_ids": [(6, 0, [env.ref("base.group_user").id, role.id])],
})
people.company_ids = companies
versions = env["finance.configuration.version"]
document = json.loads(env["finance.configuration"]._export())
proposals = []
for person, section, change in (
    (people[0], "connectors", {"rate_burst": 77}),
    (people[1], "alert_rules", {"value": 77}),
):
    entry = {"key": document["sections"][section][0]["key"], **change}
    text = json.dumps({**document, "sections": {section: [entry]}})
    review = env["finance.configuration"]._review(text)
    proposals.append(versions.with_user(person)._propose(text, review).id)
result = proposals
env.cr.commit()
"""
ROWS = (
    "SELECT 1 FROM finance_connector WHERE config_key IS NOT NULL FOR UPDATE",
    "SELECT 1 FROM finance_alert_rule FOR UPDATE",
)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"


@contextlib.contextmanager
def both_begun(database):
    """Within, changes of either wait; at the end both have begun, and go on at the same time."""
    holder, watcher = psycopg2.connect(dbname=database), psycopg2.connect(dbname=database)
    watcher.autocommit = True
    with contextlib.closing(holder), contextlib.closing(watcher), watcher.cursor() as cursor:
        for rows in ROWS:
            holder.cursor().execute(rows)

        def waiting():
            cursor.execute(WAITING, [database])
            return cursor.fetchone()[0] == 2

        yield
        wait_until(waiting, what="two that wait")
        holder.rollback()


def press_apply(rpc, proposal):
    """Apply what is on screen now; return what is said."""
    [shown] = rpc.call("finance.configuration.version", "read", [proposal], ["review_digest"])
    context = {"reviewed": shown["review_digest"]}
    answer = rpc.call("finance.configuration.version", "action_apply", [proposal], context=context)
    return answer["params"]["type"]


def test_of_two_at_once_the_second_reads_again(odoo_factory, database, databases):
    """They change different records, so no row of theirs collides; yet only one is applied, the
    other sees what was changed and decides anew."""
    odoo = odoo_factory(database, cron_threads=0).start()
    proposals = odoo.shell(PREPARE)
    people = [odoo.rpc("admin"), odoo.rpc("second")]
    with ThreadPoolExecutor(2) as pool:
        with both_begun(database):
            calls = [
                pool.submit(press_apply, rpc, proposal)
                for rpc, proposal in zip(people, proposals, strict=True)
            ]
        said = [call.result() for call in calls]
    assert sorted(said) == ["success", "warning"]
    fields = ["state", "number", "before", "after"]
    read = people[0].call("finance.configuration.version", "read", proposals, fields)
    rows = dict(zip(proposals, read, strict=True))
    late = proposals[said.index("warning")]
    early = proposals[said.index("success")]
    assert (rows[early]["state"], rows[early]["number"]) == ("applied", 1)
    assert (rows[late]["state"], rows[late]["number"]) == ("proposed", 0)
    assert rows[late]["before"] == rows[early]["after"]
    assert press_apply(people[proposals.index(late)], late) == "success"
    numbers = "SELECT number FROM finance_configuration_version ORDER BY number"
    assert databases.sql(database, numbers).split() == ["1", "2"]
    changed = "SELECT count(*) FROM finance_connector WHERE rate_burst = 77"
    assert databases.sql(database, changed).split() == ["1"]
