"""Which rows of a feed have changed since a snapshot: no commit is too late to be found."""

from odoo.tools import SQL

CYCLE = 1 << 32


def changed(env, watches, since):
    """Return SQL that selects the ids of the feed's records whose rows may have changed.

    watches: of `feed_watches.watches_of`. since: PostgreSQL's snapshot, as text. Every watched table
    is asked which of its row versions were not visible then, whoever wrote them and whenever they
    began.
    """
    env.cr.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
    [now] = env.cr.fetchone()
    return SQL(" UNION ").join(_changed_by(watch, since, now) for watch in watches)


def _changed_by(watch, since, now):
    condition = SQL(
        "NOT pg_visible_in_snapshot(%s, %s::pg_snapshot)",
        _transaction(SQL.identifier("changed", "xmin"), now),
        since,
    )
    rows = SQL("%s AS changed WHERE %s", SQL.identifier(watch.table), condition)
    link = SQL(watch.link)  # pylint: disable=sql-injection
    if watch.own:
        return SQL("SELECT %s FROM %s", link, rows)
    return SQL(
        "SELECT linked.id FROM (SELECT * FROM %s) AS changed CROSS JOIN LATERAL (%s) AS linked(id)",
        rows,
        link,
    )


def _transaction(xmin, now):
    """Return the SQL of a row's whole transaction number: xmin has only its lower half.

    now: a number that all transactions are below. A row that was frozen a cycle ago may look
    like a newer one; it is told once more, never left out.
    """
    if now < CYCLE:
        return SQL("%s::text::xid8", xmin)
    base, low = now - now % CYCLE, now % CYCLE
    return SQL(
        "(%(xmin)s::text::bigint + CASE WHEN %(xmin)s::text::bigint > %(low)s"
        " THEN %(former)s ELSE %(base)s END)::text::xid8",
        xmin=xmin,
        low=low,
        base=base,
        former=base - CYCLE,
    )
