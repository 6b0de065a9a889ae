"""Balances in group currency: a table of the run's transaction, and what it is made from."""

from odoo.tools import SQL

TABLE = """
CREATE TEMPORARY TABLE IF NOT EXISTS finance_group_balance (
    company_id int, account_id int, period varchar, kind varchar, rate numeric, code varchar,
    currency varchar, opening numeric, debit numeric, credit numeric, closing numeric,
    PRIMARY KEY (company_id, account_id, period)
) ON COMMIT DROP
"""
EMPTY = "TRUNCATE finance_group_balance"
INSERT_BALANCES = """
INSERT INTO finance_group_balance (
    company_id, account_id, period, kind, rate, code, currency, opening, debit, credit, closing
) VALUES %s
"""
INSERT_USED = """
INSERT INTO finance_export_rate (
    run_id, company_id, entity_id, currency_id, to_currency_id, kind, period, account_id, day,
    rate, source, missing, amount) VALUES %s
"""


def movements(found):
    """Return SQL for what each account moved by: company, account, its group, month, sums."""
    return SQL(
        """
        SELECT total.company_id, total.account_id, split_part(account.account_type, '_', 1), total.period,
               total.debit::text, total.credit::text
          FROM (
            SELECT company_id, account_id, to_char(date, 'YYYY-MM') AS period,
                   sum(debit) AS debit, sum(credit) AS credit
              FROM (%s) AS item GROUP BY 1, 2, 3
          ) AS total
          JOIN account_account AS account ON account.id = total.account_id
        """,
        found,
    )


def quotations(company):
    """Return SQL for currency, day and rate as the company has them.

    Where it has rates of its own for a currency, those that all companies share don't count.
    """
    return SQL(
        """
        SELECT currency.name, rate.name, rate.rate::text
          FROM res_currency_rate AS rate JOIN res_currency AS currency
            ON currency.id = rate.currency_id
         WHERE rate.company_id = %(root)s OR rate.company_id IS NULL AND NOT EXISTS (
               SELECT FROM res_currency_rate AS own
                WHERE own.currency_id = rate.currency_id AND own.company_id = %(root)s)
        """,
        root=company.root_id.id,
    )


def used(run):
    """Return SQL for the rates that a run used, each once; amounts and rates as text."""
    return SQL(
        """
        SELECT DISTINCT own.name, other.name, rate.kind, rate.day, rate.rate::text, rate.source
          FROM finance_export_rate AS rate
          JOIN res_currency AS own ON own.id = rate.currency_id
          JOIN res_currency AS other ON other.id = rate.to_currency_id
         WHERE rate.run_id = %s AND NOT rate.missing ORDER BY 1, 2, 4, 3, 5
        """,
        run.id,
    )
