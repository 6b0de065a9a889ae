"""What a run tells of each month, and who has written in one since."""

from odoo.tools import SQL

from ..controls.totals import MODULUS


def content(run, feed, kind):
    """Return SQL for company, month, rows, debit, credit, digest and {account: [rows, sums]}.

    kind: of totals that are whole months: "items" of a full run, "period" of an increment. Amounts
    are text, so that none is a float.
    """
    return SQL(
        """
        SELECT entity_id, period, sum(rows)::int, sum(debit)::text, sum(credit)::text,
               lpad(to_hex(mod(sum(digest), %(modulus)s)::bigint), 16, '0'),
               json_object_agg(account, json_build_array(rows, debit::text, credit::text))
          FROM (
            SELECT entity_id, period, account, sum(rows) AS rows, sum(debit) AS debit,
                   sum(credit) AS credit, sum(('x' || digest)::bit(64)::bigint::numeric) AS digest
              FROM finance_export_total
             WHERE run_id = %(run)s AND feed = %(feed)s AND kind = %(kind)s AND period <> ''
               AND entity_id IS NOT NULL
             GROUP BY 1, 2, 3
          ) AS account
         GROUP BY 1, 2
        """,
        modulus=MODULUS,
        run=run.id,
        feed=feed,
        kind=kind,
    )


def touched(run, feed):
    """Return SQL for company and month of the items that an increment has told."""
    return SQL(
        """
        SELECT DISTINCT entity_id, period FROM finance_export_total
         WHERE run_id = %s AND feed = %s AND kind = 'items' AND entity_id IS NOT NULL
        """,
        run.id,
        feed,
    )


def writers(company, first, last, is_new):
    """Return SQL for ids of users who have written in a company and month.

    is_new: SQL that is true of rows ``changed`` that were written since, or None for all.
    """
    parts = [
        SQL(
            """
            SELECT changed.write_uid FROM %s AS changed
             WHERE changed.company_id = %s AND changed.date BETWEEN %s AND %s AND %s
            """,
            SQL.identifier(table),
            company.id,
            first,
            last,
            is_new or SQL("true"),
        )
        for table in ("account_move_line", "account_move")
    ]
    return SQL(" UNION ").join(parts)
