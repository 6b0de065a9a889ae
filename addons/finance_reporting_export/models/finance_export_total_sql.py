"""Control totals in SQL: what the ledger adds up to, with the digest that `controls/` works out."""

from odoo.tools import SQL

from ..controls.totals import MODULUS

# Of each row the first 60 bits of the SHA-256; trim_scale: 100.00 and 100 are the same money.
DIGEST = SQL(
    """
    lpad(to_hex(mod(sum(
        ('x' || left(encode(sha256(convert_to(concat_ws('|', item.id, trim_scale(item.debit),
            trim_scale(item.credit), trim_scale(item.amount_currency)), 'UTF8')), 'hex'), 15)
        )::bit(60)::bigint), %s)::bigint), 16, '0')
    """,
    MODULUS,
)


def items(lines, domain, where=None):
    """Return SQL for the journal items in ``domain`` that the user of ``lines`` may read.

    where: SQL condition on ``account_move_line``. Sections and notes of invoices are no items.
    """
    query = lines._search([*domain, ("account_id", "!=", False)], active_test=False)
    if where is not None:
        query.add_where(where)
    names = ("id", "company_id", "date", "account_id", "currency_id", "move_id", "partner_id")
    amounts = ("debit", "credit", "balance", "amount_currency")
    return query.select(
        *(SQL.identifier("account_move_line", name) for name in names),
        *(
            SQL("COALESCE(%s, 0) AS %s", SQL.identifier("account_move_line", name), SQL(name))
            for name in amounts
        ),
    )


def ledger(run, feed, found, roles, kind="items"):
    """Return SQL that writes the totals of a feed from items (SQL of `items`).

    What the feed's file doesn't tell (roles) is not told apart here either. kind: of the totals;
    "period" is compared with nothing.
    """
    account = SQL("item.account_id") if roles.account else SQL("NULL::int")
    currency = SQL("item.currency_id") if roles.currency else SQL("NULL::int")
    return SQL(
        """
        INSERT INTO finance_export_total (
            run_id, company_id, feed, kind, state, entity_id, entity_currency_id, period,
            account_id, account, currency_id, currency, rows, debit, credit, amount_currency,
            digest)
        SELECT %(run)s, %(keeper)s, %(feed)s, %(kind)s, %(state)s, company.id, company.currency_id,
               total.period, account.id,
               COALESCE(account.code_store->>split_part(company.parent_path, '/', 1), ''),
               currency.id, COALESCE(currency.name, ''), total.rows, total.debit, total.credit,
               total.amount_currency, total.digest
          FROM (
            SELECT item.company_id, to_char(item.date, 'YYYY-MM') AS period,
                   %(account)s AS account_id, %(currency)s AS currency_id, count(*) AS rows,
                   sum(item.debit) AS debit, sum(item.credit) AS credit,
                   sum(item.amount_currency) AS amount_currency, %(digest)s AS digest
              FROM (%(items)s) AS item
             GROUP BY 1, 2, 3, 4
          ) AS total
          JOIN res_company AS company ON company.id = total.company_id
          LEFT JOIN account_account AS account ON account.id = total.account_id
          LEFT JOIN res_currency AS currency ON currency.id = total.currency_id
        """,
        run=run.id,
        keeper=run.company_id.id,
        feed=feed,
        kind=kind,
        state="open" if kind == "items" else "equal",
        account=account,
        currency=currency,
        digest=DIGEST,
        items=found,
    )


def stored(run, feed):
    """Return SQL for the ledger's totals of a feed: amounts as text, so that none is a float."""
    return SQL(
        """
        SELECT entity_id::text, period, account, currency, rows, debit::text, credit::text,
               amount_currency::text, digest
          FROM finance_export_total WHERE run_id = %s AND feed = %s AND kind = 'items'
        """,
        run.id,
        feed,
    )


# The months that an increment has touched, of what it tells and of what it says is gone.
IDS = """
DROP TABLE IF EXISTS finance_export_ids;
CREATE TEMPORARY TABLE finance_export_ids (id int, gone bool) ON COMMIT DROP
"""
TOLD = SQL("account_move_line.id IN (SELECT id FROM finance_export_ids WHERE NOT gone)")


def touched(line):
    """Return SQL for company and month of what an increment in ``finance_export_ids`` touches.

    line: finance.export.feed. Of a row that was deleted nobody knows the month: then all final
    ones of the feed.
    """
    return SQL(
        """
        SELECT DISTINCT item.company_id, to_char(item.date, 'YYYY-MM')
          FROM account_move_line AS item JOIN finance_export_ids AS told ON told.id = item.id
         UNION
        SELECT company_id, period FROM finance_export_period
         WHERE export_feed_id = %s AND final_at IS NOT NULL
           AND EXISTS (SELECT FROM finance_export_ids AS told WHERE told.gone AND NOT EXISTS (
               SELECT FROM account_move_line AS item WHERE item.id = told.id))
        """,
        line.id,
    )


def of_months(months):
    """Return the condition that an item is of one of (company id, month)."""
    return SQL(
        "(account_move_line.company_id, to_char(account_move_line.date, 'YYYY-MM')) IN %s",
        tuple(months),
    )


UPSERT = """
INSERT INTO finance_export_total AS total (
    run_id, company_id, feed, kind, entity_id, entity_currency_id, period, account, currency,
    rows, debit, credit, amount_currency, digest,
    file_rows, file_debit, file_credit, file_amount_currency, file_digest, state)
SELECT v.run_id::int, v.company_id::int, v.feed, v.kind, company.id, company.currency_id, v.period,
       v.account, v.currency, v.rows::int, v.debit::numeric, v.credit::numeric,
       v.amount_currency::numeric, v.digest, v.file_rows::int, v.file_debit::numeric,
       v.file_credit::numeric, v.file_amount_currency::numeric, v.file_digest, v.state
  FROM (VALUES %s) AS v (
    run_id, company_id, feed, kind, entity_id, period, account, currency, rows, debit, credit,
    amount_currency, digest, file_rows, file_debit, file_credit, file_amount_currency,
    file_digest, state)
  LEFT JOIN res_company AS company ON company.id = NULLIF(v.entity_id, '')::int
ON CONFLICT (run_id, feed, kind, COALESCE(entity_id, 0), period, account, currency) DO UPDATE
   SET file_rows = EXCLUDED.file_rows, file_debit = EXCLUDED.file_debit,
       file_credit = EXCLUDED.file_credit, file_digest = EXCLUDED.file_digest,
       file_amount_currency = EXCLUDED.file_amount_currency, state = EXCLUDED.state
"""
