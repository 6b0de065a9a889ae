"""Bank balances as statements tell them, and the cash position as the ledger does."""

from .common import (
    ACCOUNT_CODE,
    CODE,
    COMPANIES,
    COMPUTED_ENTITY,
    CURRENCY,
    ENTITY,
    ID,
    JOURNAL,
    STAMPS,
    period,
)
from .feed import Feed, Measures, Source, column

BALANCES = Feed(
    code="bank_balances",
    title="Bank balances",
    model="account.bank.statement",
    sequence=130,
    domain=(("date", "!=", False),),
    day="date",
    columns=(
        ID,
        *ENTITY,
        JOURNAL,
        column("statement", "string", "name", "Name of the statement."),
        column("statement_date", "date", "date", "Day of the closing balance."),
        period("date"),
        column("balance_beginning", "decimal", "balance_start", "Opening balance."),
        column("balance_ending", "decimal", "balance_end_real", "Closing balance, as told."),
        column("balance_computed", "decimal", "balance_end", "Opening balance plus its lines."),
        column("currency", "string", "currency_id.name", "Of the journal, ISO 4217."),
        column("complete", "boolean", "is_complete", "Its lines add up to its balances."),
        column(
            "account_number",
            "string",
            "journal_id.bank_account_id.sanitized_acc_number",
            "The bank account.",
            personal="account_number",
        ),
        *STAMPS,
    ),
)

# Older than this, the balance that the bank told last is no news.
STALE_DAYS = 7

POSITION_SQL = f"""
WITH held AS (
    SELECT company_id, account_id, currency_id, currency, sum(balance) AS balance,
           sum(amount_currency) AS balance_currency, max(day) AS last_item
      FROM {{items}} AS item
      WHERE day <= CURRENT_DATE
      GROUP BY 1, 2, 3, 4
), statement AS (
    SELECT DISTINCT ON (journal_id) journal_id, day, balance FROM {{statements}} AS told
     ORDER BY journal_id, day DESC, id DESC
), line AS (
    SELECT journal_id, count(*) AS lines, sum(amount) AS amount FROM {{lines}} AS open
     GROUP BY journal_id
), payment AS (
    SELECT journal_id, sum(amount) FILTER (WHERE amount > 0) AS receipts,
           -sum(amount) FILTER (WHERE amount < 0) AS payments
      FROM {{payments}} AS waiting GROUP BY journal_id
), journal AS (
    SELECT DISTINCT ON (account_id) * FROM {{journals}} AS kept ORDER BY account_id, id
)
SELECT held.company_id AS entity_id, company.name AS entity, journal.id AS journal_id,
       journal.code AS source, held.account_id, {CODE} AS gl_account_number,
       held.currency_id, held.currency AS amount_currency_code,
       company.currency AS amount_local_currency, held.balance AS amount,
       held.balance_currency AS amount_currency, held.last_item AS last_item_date,
       statement.day AS statement_date, statement.balance AS statement_balance,
       COALESCE(statement.day < CURRENT_DATE - {STALE_DAYS}, journal.id IS NOT NULL) AS stale,
       COALESCE(line.lines, 0) AS unreconciled_lines,
       COALESCE(line.amount, 0) AS unreconciled_amount,
       COALESCE(payment.receipts, 0) AS outstanding_receipts,
       COALESCE(payment.payments, 0) AS outstanding_payments
  FROM held
  JOIN {{companies}} AS company ON company.id = held.company_id
  JOIN {{accounts}} AS account ON account.id = held.account_id
  LEFT JOIN journal ON journal.account_id = held.account_id AND journal.company_id = company.id
  LEFT JOIN statement ON statement.journal_id = journal.id
  LEFT JOIN line ON line.journal_id = journal.id
  LEFT JOIN payment ON payment.journal_id = journal.id
"""

POSITION = Feed(
    code="cash_position",
    title="Cash position",
    model="account.move.line",
    sequence=140,
    key=("entity_id", "account_id", "amount_currency_code"),
    company="entity_id",
    measures=Measures(period="", amount="amount", amount_currency="amount_currency"),
    sql=POSITION_SQL,
    sources={
        "items": Source(
            "account.move.line",
            {
                "company_id": "company_id",
                "account_id": "account_id",
                "currency_id": "currency_id",
                "currency": "currency_id.name",
                "day": "date",
                "balance": "balance",
                "amount_currency": "amount_currency",
            },
            (
                ("parent_state", "=", "posted"),
                ("account_id.account_type", "in", ("asset_cash", "liability_credit_card")),
            ),
        ),
        "accounts": Source(
            "account.account", {"id": "id", "code_store": "={code_store!}"}, company=""
        ),
        "companies": COMPANIES,
        "journals": Source(
            "account.journal",
            {
                "id": "id",
                "code": "code",
                "company_id": "company_id",
                "account_id": "default_account_id",
            },
            (("type", "in", ("bank", "cash", "credit")),),
        ),
        "statements": Source(
            "account.bank.statement",
            {
                "id": "id",
                "journal_id": "journal_id",
                "day": "date",
                "balance": "balance_end_real",
            },
            (("date", "!=", False),),
        ),
        "lines": Source(
            "account.bank.statement.line",
            {"journal_id": "journal_id", "amount": "amount"},
            (("is_reconciled", "=", False),),
        ),
        "payments": Source(
            "account.payment",
            {"journal_id": "journal_id", "amount": "amount_company_currency_signed"},
            (("state", "=", "in_process"), ("is_matched", "=", False)),
        ),
    },
    columns=(
        *COMPUTED_ENTITY,
        column(
            "source",
            "string",
            "journal_id.code",
            "Code of the journal of the account.",
            mapping="journal",
            record="journal_id",
        ),
        column("account_id", "integer", "account_id", "Id of the account.", required=True),
        ACCOUNT_CODE,
        CURRENCY,
        column("amount_local_currency", "string", "company_currency_id.name", "ISO 4217."),
        column("amount", "decimal", "balance", "Balance today, company currency.", required=True),
        column("amount_currency", "decimal", "amount_currency", "Balance today, in the currency."),
        column("last_item_date", "date", "date", "Day of the last item."),
        column("statement_date", "date", "statement_id.date", "Day of the bank's last balance."),
        column(
            "statement_balance",
            "decimal",
            "statement_id.balance_end_real",
            "The bank's last balance, in the journal's currency.",
        ),
        column(
            "stale",
            "boolean",
            "statement_id.date",
            f"The bank has told no balance for more than {STALE_DAYS} days.",
        ),
        column("unreconciled_lines", "integer", "statement_line_id", "Bank lines still open."),
        column("unreconciled_amount", "decimal", "statement_line_id.amount", "Their amount."),
        column(
            "outstanding_receipts",
            "decimal",
            "payment_id.amount_company_currency_signed",
            "Received, not on a statement yet; company currency.",
        ),
        column(
            "outstanding_payments",
            "decimal",
            "payment_id.amount_company_currency_signed",
            "Paid, not on a statement yet; company currency.",
        ),
    ),
)
