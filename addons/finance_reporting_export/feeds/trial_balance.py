"""Trial balance by month: opening, movement and closing of each account (ADS: Trial_Balance)."""

from .common import ACCOUNT_CODE, ACCOUNTS, CODE, COMPANIES, COMPUTED_ENTITY, CURRENCY, POSTED
from .feed import Feed, Measures, Source, column

# Income and expense begin at nothing with each fiscal year; what stands on the balance sheet is
# carried on. A month without movement has a row as long as something stands there.
SQL = f"""
WITH moved AS (
    SELECT company_id, account_id, currency_id, currency, date_trunc('month', day)::date AS month,
           count(*) AS items, sum(debit) AS debit, sum(credit) AS credit,
           sum(amount_currency) AS amount_currency
      FROM {{items}} AS item GROUP BY 1, 2, 3, 4, 5
), span AS (
    SELECT company_id, max(month) AS last FROM moved GROUP BY company_id
), grid AS (
    SELECT held.*, step::date AS month FROM (
        SELECT company_id, account_id, currency_id, currency, min(month) AS first
          FROM moved GROUP BY 1, 2, 3, 4) AS held
      JOIN span USING (company_id)
     CROSS JOIN generate_series(held.first, span.last, interval '1 month') AS step
), filled AS (
    SELECT grid.company_id, grid.account_id, grid.currency_id, grid.currency, grid.month,
           COALESCE(moved.items, 0) AS items, COALESCE(moved.debit, 0) AS debit,
           COALESCE(moved.credit, 0) AS credit,
           COALESCE(moved.amount_currency, 0) AS amount_currency,
           company.name AS entity, company.currency AS local_currency, account.name AS account_name,
           account.type AS account_type, {CODE} AS code,
           extract(year FROM grid.month)::int
             + CASE WHEN extract(month FROM grid.month) > company.last_month THEN 1 ELSE 0 END AS year
      FROM grid
      LEFT JOIN moved USING (company_id, account_id, currency_id, month)
      JOIN {{companies}} AS company ON company.id = grid.company_id
      LEFT JOIN {{accounts}} AS account ON account.id = grid.account_id
), carried AS (
    SELECT filled.*, sum(debit - credit) OVER so_far AS closing,
           sum(amount_currency) OVER so_far AS closing_currency
      FROM filled
    WINDOW so_far AS (
        PARTITION BY company_id, account_id, currency_id,
                     CASE WHEN account_type ~ '^(income|expense)' THEN year END
            ORDER BY month)
)
SELECT company_id AS entity_id, entity, year AS fiscal_year, to_char(month, 'YYYY-MM') AS period,
       (month + interval '1 month' - interval '1 day')::date AS period_end,
       account_id, code AS gl_account_number, account_name AS gl_account_name,
       account_type AS gl_account_type, currency_id, currency AS amount_currency_code,
       local_currency AS amount_local_currency,
       closing - debit + credit AS amount_beginning, debit, credit, closing AS amount_ending,
       closing_currency - amount_currency AS amount_beginning_currency, amount_currency,
       closing_currency AS amount_ending_currency, items
  FROM carried
 WHERE items > 0 OR closing <> 0 OR closing_currency <> 0
"""

FEED = Feed(
    code="trial_balance",
    title="Trial balance",
    model="account.move.line",
    sequence=30,
    key=("entity_id", "period", "account_id", "amount_currency_code"),
    company="entity_id",
    day="period_end",
    measures=Measures(debit="debit", credit="credit", amount_currency="amount_currency"),
    sql=SQL,
    sources={
        "items": Source(
            "account.move.line",
            {
                "company_id": "company_id",
                "account_id": "account_id",
                "currency_id": "currency_id",
                "currency": "currency_id.name",
                "day": "date",
                "debit": "debit",
                "credit": "credit",
                "amount_currency": "amount_currency",
            },
            POSTED,
        ),
        "accounts": ACCOUNTS,
        "companies": COMPANIES,
    },
    columns=(
        *COMPUTED_ENTITY,
        column("fiscal_year", "integer", "date", "Year that the fiscal year ends in."),
        column("period", "string", "date", "Calendar month, as 2026-03.", required=True),
        column("period_end", "date", "date", "Last day of the month.", required=True),
        column("account_id", "integer", "account_id", "Id of the account.", required=True),
        ACCOUNT_CODE,
        column("gl_account_name", "string", "account_id.name", "Name of the account."),
        column("gl_account_type", "string", "account_id.account_type", "Odoo's type of account."),
        CURRENCY,
        column(
            "amount_local_currency",
            "string",
            "company_currency_id.name",
            "The company's currency, ISO 4217 (ADS: Amount_Currency).",
        ),
        column(
            "amount_beginning",
            "decimal",
            "balance",
            "Opening balance, company currency (ADS: Amount_Beginning).",
            required=True,
        ),
        column("debit", "decimal", "debit", "Debits of the month.", required=True),
        column("credit", "decimal", "credit", "Credits of the month.", required=True),
        column(
            "amount_ending",
            "decimal",
            "balance",
            "Closing balance, company currency (ADS: Amount_Ending).",
            required=True,
        ),
        column(
            "amount_beginning_currency",
            "decimal",
            "amount_currency",
            "Opening balance in the currency.",
        ),
        column("amount_currency", "decimal", "amount_currency", "Movement in the currency."),
        column(
            "amount_ending_currency",
            "decimal",
            "amount_currency",
            "Closing balance in the currency.",
        ),
        column("items", "integer", "id", "How many items the month has."),
    ),
)
