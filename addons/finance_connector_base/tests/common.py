"""Helpers for the tests of every addon that has jobs."""

from odoo.addons.finance_connector_base.lanes.lane import Lane

MOST_TURNS = 1000


def drain_jobs(env, *, until_due=False, water=None):
    """Run all jobs that are due, in this thread and on savepoints of the test's transaction.

    until_due: also those that wait for a retry; their waiting time is taken away first.
    water: the `HighWater` that the lane compares with and writes; by default none.
    """
    env.flush_all()
    if until_due:
        env.cr.execute(
            "UPDATE finance_job SET due_at = now() AT TIME ZONE 'UTC' - interval '1 s'"
            " WHERE state IN ('pending', 'answered') OR (state = 'uncertain' AND due_at IS NOT NULL)"
        )
        env.cr.execute("UPDATE finance_gate SET open_until = NULL, breaker = 'closed'")
    lane = Lane(env(user=1, su=True), inline=True, water=water)
    try:
        for _turn in range(MOST_TURNS):
            if not lane.turn():
                break
    finally:
        lane.close()
    env.invalidate_all()
