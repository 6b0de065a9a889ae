"""The chart of accounts, a row per account and company that uses it (ADS: Chart_Of_Accounts)."""

from .common import ACCOUNTS, CODE, COMPANIES
from .feed import Feed, column

SQL = f"""
SELECT company.id AS entity_id, company.name AS entity, account.id AS account_id,
       {CODE} AS gl_account_number, account.name AS gl_account_name,
       account.type AS gl_account_type, split_part(account.type, '_', 1) AS gl_account_class,
       account.currency AS currency, account.reconcile, account.active
  FROM {{accounts}} AS account
  JOIN {{companies}} AS company ON EXISTS (
        SELECT FROM account_account_res_company_rel AS used
         WHERE used.account_account_id = account.id
           AND used.res_company_id::text = ANY (string_to_array(company.parent_path, '/')))
"""

FEED = Feed(
    code="chart_of_accounts",
    title="Chart of accounts",
    model="account.account",
    sequence=80,
    key=("entity_id", "account_id"),
    company="entity_id",
    sql=SQL,
    sources={"accounts": ACCOUNTS, "companies": COMPANIES},
    columns=(
        column("entity_id", "integer", "company_ids", "Id of the company.", required=True),
        column(
            "entity",
            "string",
            "company_ids.name",
            "Name of the company (ADS: Business_Unit_Code).",
            required=True,
            mapping="entity",
            record="entity_id",
        ),
        column("account_id", "integer", "id", "Id of the account.", required=True),
        column(
            "gl_account_number",
            "string",
            "code",
            "Code in the company (ADS: GL_Account_Number).",
            mapping="account",
            record="account_id",
        ),
        column("gl_account_name", "string", "name", "Name (ADS: GL_Account_Name)."),
        column("gl_account_type", "string", "account_type", "Odoo's type (ADS: Account_Type)."),
        column(
            "gl_account_class",
            "string",
            "account_type",
            "asset, liability, equity, income, expense or off.",
        ),
        column("currency", "string", "currency_id.name", "The only currency of its items."),
        column("reconcile", "boolean", "reconcile", "Its items are reconciled."),
        column("active", "boolean", "active", "It is not archived."),
    ),
)
