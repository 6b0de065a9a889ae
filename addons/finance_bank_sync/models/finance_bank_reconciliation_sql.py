"""The questions of a bank reconciliation statement, one statement of SQL each.

All of them look at the books as they were known at the end of a day: what was matched later is open.
"""

from odoo.tools import SQL

# Counterparts of bank lines that were matched after the moment, by bank line: what was in suspense
# then. The moment of a match is the match's own row; where another addon or Odoo itself matched, it
# is that of the first partial reconciliation, else of the journal item.
_LATER = """
    SELECT st.id AS line_id, counter.id AS item_id, counter.balance,
           COALESCE(%(own)s, %(foreign)s) AS amount, moment.at
      FROM account_bank_statement_line AS st
      JOIN account_move AS entry ON entry.id = st.move_id
      JOIN account_move_line AS counter
        ON counter.move_id = entry.id AND counter.account_id NOT IN (%(bank)s, %(suspense)s)
 LEFT JOIN LATERAL (
           SELECT min(p.create_date) AS at FROM account_partial_reconcile AS p
            WHERE p.debit_move_id = counter.id OR p.credit_move_id = counter.id
           ) AS partial ON true
 LEFT JOIN LATERAL (%(matched)s) AS matched ON true
CROSS JOIN LATERAL (
           SELECT COALESCE(matched.at, partial.at, counter.create_date) AS at
           ) AS moment
     WHERE st.journal_id = %(journal)s AND entry.state = 'posted' AND entry.date <= %(day)s
       AND moment.at >= %(moment)s
"""
_MATCHED = """
    SELECT max(m.matched_at) AS at FROM finance_bank_match AS m
     WHERE m.line_id = st.id AND m.undone_at IS NULL
"""


def later(facts):
    """Return SQL for (line_id, item_id, balance, amount, at) of what was matched too late."""
    return SQL(_LATER, **facts)


def suspense(facts):
    """Return SQL for the bank lines that were not matched at the end of the day.

    Of what was matched later, and of what is still on the suspense account and not taken out of it
    since: (statement line, date, label, partner, amount, balance, when it was matched).
    """
    return SQL(
        """
        WITH later AS (%(later)s), open AS (%(open)s),
        found AS (
            SELECT line_id, amount, balance, at FROM later
             UNION ALL
            SELECT open.statement_line_id, open.amount, open.balance, open.since FROM open
             WHERE open.statement_line_id IS NOT NULL
        )
        SELECT st.id, entry.date, st.payment_ref, st.partner_id, entry.name, entry.id AS move_id,
               sum(found.amount) AS amount, sum(found.balance) AS balance, max(found.at) AS since
          FROM found JOIN account_bank_statement_line AS st ON st.id = found.line_id
          JOIN account_move AS entry ON entry.id = st.move_id
         WHERE NOT EXISTS (SELECT FROM (%(undone)s) AS undone WHERE undone.line_id = st.id)
         GROUP BY st.id, entry.id HAVING sum(found.balance) <> 0
         ORDER BY entry.date, st.id
        """,
        later=later(facts),
        open=_open(facts, facts["suspense_items"]),
        undone=facts["undone"],
    )


def other_suspense(facts):
    """Return SQL for entries on the suspense account that are of no bank line."""
    return SQL(
        """
        SELECT open.* FROM (%s) AS open WHERE open.statement_line_id IS NULL
         ORDER BY open.date, open.id
        """,
        _open(facts, facts["suspense_items"]),
    )


def outstanding(facts):
    """Return SQL for the payments that had not reached the bank at the end of the day.

    What a bank line was matched with later is left out: the line itself is in suspense then.
    """
    return SQL(
        """
        WITH later AS (%s)
        SELECT open.* FROM (%s) AS open
         WHERE NOT EXISTS (SELECT FROM later WHERE later.item_id = open.id)
         ORDER BY open.date, open.id
        """,
        later(facts),
        _open(facts, facts["outstanding_items"]),
    )


def _open(facts, condition):
    """Return SQL for the journal items of a condition with what was open of them.

    A reconciliation counts when it was made before the moment, with something of that day or
    earlier. ``since``: when the first later one was made.
    """
    return SQL(
        """
        SELECT item.id, item.date, item.name AS label, item.ref, item.move_name, item.move_id,
               item.partner_id, item.account_id, item.statement_line_id, item.since,
               item.amount - item.paid_amount - item.undone AS amount,
               item.balance - item.paid
                 - COALESCE(item.undone * item.balance / NULLIF(item.amount, 0), 0) AS balance
          FROM (
            SELECT line.id, line.date, line.name, line.ref, line.move_name, line.move_id,
                   line.partner_id, line.account_id, entry.statement_line_id, line.balance,
                   %(amount)s AS amount,
                   COALESCE(sum(part.balance) FILTER (WHERE part.counts), 0) AS paid,
                   COALESCE(sum(part.amount) FILTER (WHERE part.counts), 0) AS paid_amount,
                   min(part.at) FILTER (WHERE NOT part.counts) AS since,
                   COALESCE((SELECT sum(undone.amount) FROM (%(undone)s) AS undone
                              WHERE undone.item_id = line.id), 0) AS undone
              FROM account_move_line AS line
              JOIN account_move AS entry ON entry.id = line.move_id
         LEFT JOIN LATERAL (
                   SELECT p.amount AS balance, p.create_date AS at,
                          CASE WHEN %(in_own)s THEN p.amount ELSE p.debit_amount_currency
                          END AS amount,
                          p.create_date < %(moment)s AND other.date <= %(day)s AS counts
                     FROM account_partial_reconcile AS p
                     JOIN account_move_line AS other ON other.id = p.credit_move_id
                    WHERE p.debit_move_id = line.id
                    UNION ALL
                   SELECT -p.amount, p.create_date,
                          CASE WHEN %(in_own)s THEN -p.amount ELSE -p.credit_amount_currency END,
                          p.create_date < %(moment)s AND other.date <= %(day)s
                     FROM account_partial_reconcile AS p
                     JOIN account_move_line AS other ON other.id = p.debit_move_id
                    WHERE p.credit_move_id = line.id
                   ) AS part ON true
             WHERE %(condition)s AND line.parent_state = 'posted' AND line.date <= %(day)s
             GROUP BY line.id, entry.statement_line_id
          ) AS item
         WHERE item.balance <> item.paid OR item.amount - item.paid_amount <> item.undone
        """,
        **facts | {"condition": condition},
    )


def ledger(facts):
    """Return SQL for (account id, amount, balance, items without an amount) of all accounts."""
    return SQL(
        """
        SELECT line.account_id, COALESCE(sum(%(amount)s), 0), COALESCE(sum(line.balance), 0)
          FROM account_move_line AS line
         WHERE (%(everything)s) AND line.parent_state = 'posted' AND line.date <= %(day)s
         GROUP BY line.account_id
        """,
        **facts,
    )


def only_booked(facts, since):
    """Return SQL for what is on the bank account in the books and was not told by the bank.

    since: the day of the first balance; before it the books are compared as a whole. Where the
    bank's own lines come by file or link, a line that somebody typed in was not told either.
    """
    return SQL(
        """
        SELECT line.id, line.date, line.name AS label, line.ref, line.move_name, line.move_id,
               line.partner_id, entry.statement_line_id, %(amount)s AS amount, line.balance
          FROM account_move_line AS line JOIN account_move AS entry ON entry.id = line.move_id
         WHERE (%(bank_items)s) AND line.parent_state = 'posted'
           AND line.date > %(since)s AND line.date <= %(day)s
           AND (entry.statement_line_id IS NULL OR %(fed)s AND NOT EXISTS (
                SELECT FROM finance_bank_entry AS told
                 WHERE told.line_id = entry.statement_line_id AND told.state <> 'removed'))
         ORDER BY line.date, line.id
        """,
        **facts | {"since": since},
    )


def other_day(facts, since):
    """Return SQL for the bank's entries that are in the books on the other side of the day.

    Told until the day and booked later, held or not booked: positive as the bank has them. Booked
    before the bank did: the other way round.
    """
    return SQL(
        """
        SELECT told.id, told.booking_date AS date, told.remittance AS label, told.state,
               line.id AS statement_line_id, entry.id AS move_id, entry.name AS move_name,
               entry.date AS booked,
               CASE WHEN told.booking_date <= %(day)s THEN told.amount ELSE -told.amount END
          FROM finance_bank_entry AS told
     LEFT JOIN account_bank_statement_line AS line ON line.id = told.line_id
     LEFT JOIN account_move AS entry ON entry.id = line.move_id
         WHERE told.journal_id = %(journal)s AND told.status = 'booked'
           AND told.state IN ('received', 'created', 'held')
           AND told.booking_date > %(since)s
           AND (told.booking_date <= %(day)s)
               IS DISTINCT FROM (entry.state = 'posted' AND entry.date <= %(day)s)
           AND (told.booking_date <= %(day)s OR entry.date <= %(day)s AND entry.state = 'posted')
         ORDER BY told.booking_date, told.id
        """,
        **facts | {"since": since},
    )


def undone(with_matches, facts):
    """Return SQL for (line_id, item_id, amount) of what was matched at the moment and is not now.

    amount: of the item, in the currency of the bank line.
    """
    if not with_matches:
        return SQL("SELECT 0 AS line_id, 0 AS item_id, 0 AS amount WHERE false")
    return SQL(
        """
        SELECT m.line_id, (part.value->>'id')::int AS item_id,
               (part.value->>'amount')::numeric AS amount
          FROM finance_bank_match AS m
     LEFT JOIN LATERAL jsonb_array_elements(m.parts) AS part
            ON part.value->>'kind' = 'item'
         WHERE m.journal_id = %(journal)s AND m.date <= %(day)s
           AND m.matched_at < %(moment)s AND m.undone_at >= %(moment)s
        """,
        **facts,
    )


def matched(with_matches):
    """Return SQL for the moment of the match of a bank line, by the rows of matches if any."""
    return SQL(_MATCHED) if with_matches else SQL("SELECT NULL::timestamp AS at")
