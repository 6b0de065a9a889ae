"""The questions of completeness, each one statement about all companies of a run."""

from odoo.tools import SQL

from odoo.addons.finance_connector_base.models.finance_mapping_sql import items, matching

from .finance_export_finding import MOST_IDS


def gaps(moves):
    """Return SQL for company, missing numbers and the entries that follow a gap.

    moves: SQL for id, company_id, journal_id, prefix, number and date of numbered entries;
    wanted: whether it is in the period. The first number of a sequence may be any.
    """
    return SQL(
        """
        SELECT company_id, sum(missing)::int, (array_agg(id ORDER BY id))[:%s] FROM (
            SELECT id, company_id, wanted, number - 1 - lag(number) OVER (
                       PARTITION BY company_id, journal_id, prefix ORDER BY number) AS missing
              FROM (%s) AS move
        ) AS move
         WHERE missing > 0 AND wanted GROUP BY company_id
        """,
        MOST_IDS,
        moves,
    )


def unbalanced(found):
    """Return SQL for company, month, debit less credit where that is not nothing."""
    return SQL(
        """
        SELECT company_id, to_char(date, 'YYYY-MM') AS period, sum(debit - credit)::text
          FROM (%s) AS item GROUP BY 1, 2 HAVING sum(debit - credit) <> 0 ORDER BY 1, 2
        """,
        found,
    )


def unmapped(kind, company, version_id, first, last):
    """Return SQL for id, items and turnover of the values of a kind without an approved code."""
    used = items(kind, company.ids, first, last)
    wanted = SQL("SELECT DISTINCT value AS id, day FROM (%s) AS used", used)
    root = company.parent_path.split("/")[0]
    return SQL(
        """
        SELECT used.value, count(DISTINCT used.line_id)::int, sum(abs(used.balance))::text
          FROM (%s) AS used
          LEFT JOIN (%s) AS hit ON hit.id = used.value AND hit.day = used.day
         WHERE hit.line_id IS NULL GROUP BY used.value ORDER BY used.value
        """,
        used,
        matching(kind, version_id, root, wanted),
    )


def unrated(found):
    """Return SQL for company, currency, items and turnover in a currency that has no rate at all
    on that day or before: Odoo has taken it as one to one."""
    return SQL(
        """
        SELECT item.company_id, item.currency_id, count(*)::int, sum(abs(item.balance))::text,
               array_agg(DISTINCT to_char(item.date, 'YYYY-MM'))
          FROM (%s) AS item
          JOIN res_company AS company ON company.id = item.company_id
         WHERE item.currency_id <> company.currency_id AND item.amount_currency <> 0
           AND NOT EXISTS (
               SELECT FROM res_currency_rate AS rate
                WHERE rate.currency_id = item.currency_id AND rate.name <= item.date
                  AND COALESCE(rate.company_id, 0) IN (
                      0, split_part(company.parent_path, '/', 1)::int))
         GROUP BY 1, 2 ORDER BY 1, 2
        """,
        found,
    )
