"""Columns that many feeds have."""

from dataclasses import replace

from .feed import Source, column

ID = column("id", "integer", "id", "Id of the record in Odoo.", required=True)
ENTITY = (
    column("entity_id", "integer", "company_id", "Id of the company.", required=True),
    column(
        "entity",
        "string",
        "company_id.name",
        "Name of the company (ADS: Business_Unit_Code).",
        required=True,
        mapping="entity",
        record="company_id",
    ),
)
STAMPS = (
    column("entered_by", "integer", "create_uid", "Id of who entered it (ADS: Entered_By)."),
    column(
        "entered_date", "datetime", "create_date", "When it was entered, UTC (ADS: Entered_Date)."
    ),
    column("last_modified_date", "datetime", "write_date", "When it was changed last, UTC."),
)
ACCOUNT_CODE = column(
    "gl_account_number",
    "string",
    "account_id.code",
    "Code of the account in its company (ADS: GL_Account_Number).",
    mapping="account",
    record="account_id",
)
ACCOUNT = (column("account_id", "integer", "account_id", "Id of the account."), ACCOUNT_CODE)
JOURNAL = column(
    "source",
    "string",
    "journal_id.code",
    "Code of the journal (ADS: Source).",
    mapping="journal",
    record="journal_id",
)
LOCAL_CURRENCY = column(
    "amount_local_currency",
    "string",
    "company_currency_id.name",
    "The company's currency, ISO 4217.",
    required=True,
)
CURRENCY = column(
    "amount_currency_code",
    "string",
    "currency_id.name",
    "Currency of the amounts in currency, ISO 4217 (ADS: Amount_Currency).",
    mapping="currency",
    record="currency_id",
)
COUNTERPARTY = column(
    "counterparty_id",
    "integer",
    "=counterparty.id",
    "Id of the company of the group that the partner is.",
    mapping="entity",
    record="=counterparty.id",
)
PARTNER = column(
    "partner_id",
    "integer",
    "partner_id",
    "Id of the customer or vendor; names stand in feeds of their own.",
    mapping="partner",
)

# Columns and sources of computed feeds, whose records of mappings are columns of their own.
COMPUTED_ENTITY = (ENTITY[0], replace(ENTITY[1], record="entity_id"))
COMPANIES = Source(
    "res.company",
    {
        "id": "id",
        "name": "name",
        "parent_path": "={parent_path!}",
        "last_month": "={fiscalyear_last_month!}::int",
        "currency": "currency_id.name",
    },
    company="id",
)
ACCOUNTS = Source(
    "account.account",
    {
        "id": "id",
        "name": "name",
        "type": "account_type",
        "code_store": "={code_store!}",
        "reconcile": "reconcile",
        "active": "active",
        "currency": "currency_id.name",
    },
    company="",
)
POSTED = (("parent_state", "=", "posted"), ("account_id", "!=", False))
# Code of an account in a company, where the SQL has both under these names.
CODE = "account.code_store ->> split_part(company.parent_path, '/', 1)"


def period(path):
    """Return the column of the calendar month of a date."""
    return column(
        "period",
        "string",
        f"=to_char({{{path}}}, 'YYYY-MM')",
        "Calendar month, as 2026-03.",
    )
