"""Trial balance by month in the currency of the group, after IAS 21, with its difference."""

from .common import ACCOUNT_CODE, ACCOUNTS, CODE, COMPANIES, COMPUTED_ENTITY
from .feed import Feed, column

# The run has worked the balances out before: models/finance_export_run_rates.py.
SQL = f"""
SELECT company.id AS entity_id, company.name AS entity, balance.period,
       (to_date(balance.period, 'YYYY-MM') + interval '1 month' - interval '1 day')::date
         AS period_end,
       balance.account_id, CASE WHEN balance.account_id = 0 THEN balance.code ELSE {CODE} END
         AS gl_account_number, account.name AS gl_account_name, balance.kind AS rate_kind,
       balance.rate, company.currency AS amount_local_currency, balance.currency
         AS amount_group_currency, balance.opening AS amount_beginning, balance.debit,
       balance.credit, balance.closing AS amount_ending
  FROM finance_group_balance AS balance
  JOIN {{companies}} AS company ON company.id = balance.company_id
  LEFT JOIN {{accounts}} AS account ON account.id = balance.account_id
"""

FEED = Feed(
    code="group_balances",
    title="Trial balance in group currency",
    model="account.move.line",
    sequence=35,
    key=("entity_id", "period", "account_id"),
    company="entity_id",
    day="period_end",
    sql=SQL,
    sources={"accounts": ACCOUNTS, "companies": COMPANIES},
    columns=(
        *COMPUTED_ENTITY,
        column("period", "string", "date", "Calendar month, as 2026-03.", required=True),
        column("period_end", "date", "date", "Last day of the month.", required=True),
        column(
            "account_id",
            "integer",
            "account_id",
            "Id of the account; 0 for the translation difference of the company.",
            required=True,
        ),
        ACCOUNT_CODE,
        column("gl_account_name", "string", "account_id.name", "Name of the account."),
        column(
            "rate_kind",
            "string",
            "account_id.internal_group",
            "closing: assets and liabilities; average: income and expenses; historical: equity; "
            "difference: the translation difference.",
            required=True,
        ),
        column(
            "rate",
            "decimal",
            "balance",
            "What one unit of the company's currency was, for what moved in the month.",
            scale=12,
        ),
        column(
            "amount_local_currency",
            "string",
            "company_currency_id.name",
            "The company's currency, ISO 4217.",
        ),
        column(
            "amount_group_currency",
            "string",
            "company_currency_id.name",
            "The group's currency that all amounts are in, ISO 4217.",
            required=True,
        ),
        column(
            "amount_beginning",
            "decimal",
            "balance",
            "Balance at the end of the month before; empty where a rate is missing.",
        ),
        column("debit", "decimal", "debit", "Debits of the month at its rate."),
        column("credit", "decimal", "credit", "Credits of the month at its rate."),
        column(
            "amount_ending",
            "decimal",
            "balance",
            "Balance at the end of the month. Those of a company add up to nothing.",
        ),
    ),
)
