"""Taxes, and what was charged: base and amount of each tax of each entry."""

from .common import COMPANIES, COMPUTED_ENTITY, ENTITY, ID, POSTED, STAMPS
from .feed import Feed, Source, column

TAXES = Feed(
    code="taxes",
    title="Taxes",
    model="account.tax",
    sequence=90,
    columns=(
        ID,
        *ENTITY,
        column("tax_name", "string", "name", "Name.", mapping="tax", record="id"),
        column("tax_label", "string", "invoice_label", "As printed on invoices."),
        column("tax_use", "string", "type_tax_use", "sale, purchase or none."),
        column("tax_scope", "string", "tax_scope", "service or consu; empty for both."),
        column("computation", "string", "amount_type", "percent, fixed, group and so on."),
        column("rate", "decimal", "amount", "Percent, or amount where it is fixed.", scale=6),
        column("country", "string", "country_id.code", "Country, ISO 3166-1."),
        column("tax_group_id", "integer", "tax_group_id", "Id of the tax group."),
        column("exigibility", "string", "tax_exigibility", "on_invoice or on_payment."),
        column("active", "boolean", "active", "It is not archived."),
        *STAMPS,
    ),
)

DETAILS_SQL = """
WITH item AS MATERIALIZED (SELECT * FROM {items} AS found), charged AS (
    SELECT entry_id, tax_id, 0 AS base, balance AS tax, 0 AS base_currency,
           amount_currency AS tax_currency
      FROM item WHERE tax_id IS NOT NULL
    UNION ALL
    SELECT item.entry_id, used.account_tax_id, item.balance, 0, item.amount_currency, 0
      FROM item JOIN account_move_line_account_tax_rel AS used
        ON used.account_move_line_id = item.id
), summed AS (
    SELECT entry_id, tax_id, sum(base) AS base, sum(tax) AS tax,
           sum(base_currency) AS base_currency, sum(tax_currency) AS tax_currency
      FROM charged GROUP BY entry_id, tax_id
)
SELECT entry.company_id AS entity_id, company.name AS entity, entry.id AS entry_id,
       entry.name AS journal_id, entry.move_type AS document_type, entry.day AS effective_date,
       to_char(entry.day, 'YYYY-MM') AS period, entry.partner_id, summed.tax_id,
       tax.name AS tax_name, tax.use AS tax_use, summed.base AS base_amount,
       summed.tax AS tax_amount, company.currency AS amount_local_currency,
       summed.base_currency, summed.tax_currency, entry.currency AS amount_currency_code
  FROM summed
  JOIN {entries} AS entry ON entry.id = summed.entry_id
  JOIN {companies} AS company ON company.id = entry.company_id
  LEFT JOIN {taxes} AS tax ON tax.id = summed.tax_id
"""

DETAILS = Feed(
    code="tax_details",
    title="Tax details",
    model="account.move.line",
    sequence=100,
    key=("entry_id", "tax_id"),
    company="entity_id",
    day="effective_date",
    sql=DETAILS_SQL,
    sources={
        "items": Source(
            "account.move.line",
            {
                "id": "id",
                "entry_id": "move_id",
                "tax_id": "tax_line_id",
                "balance": "balance",
                "amount_currency": "amount_currency",
            },
            POSTED,
        ),
        "entries": Source(
            "account.move",
            {
                "id": "id",
                "company_id": "company_id",
                "name": "name",
                "move_type": "move_type",
                "day": "date",
                "partner_id": "commercial_partner_id",
                "currency": "currency_id.name",
            },
        ),
        "taxes": Source(
            "account.tax", {"id": "id", "name": "name", "use": "type_tax_use"}, company=""
        ),
        "companies": COMPANIES,
    },
    columns=(
        *COMPUTED_ENTITY,
        column("entry_id", "integer", "move_id", "Id of the journal entry.", required=True),
        column("journal_id", "string", "move_id.name", "Number of the entry (ADS: Journal_ID)."),
        column("document_type", "string", "move_id.move_type", "out_invoice and so on."),
        column("effective_date", "date", "date", "Accounting date.", required=True),
        column("period", "string", "date", "Calendar month, as 2026-03.", required=True),
        column(
            "partner_id",
            "integer",
            "move_id.commercial_partner_id",
            "Id of the customer or vendor.",
            mapping="partner",
            record="partner_id",
        ),
        column("tax_id", "integer", "tax_line_id", "Id of the tax.", required=True),
        column(
            "tax_name",
            "string",
            "tax_line_id.name",
            "Name of the tax.",
            mapping="tax",
            record="tax_id",
        ),
        column("tax_use", "string", "tax_line_id.type_tax_use", "sale, purchase or none."),
        column("base_amount", "decimal", "balance", "What it was charged on, debit positive."),
        column("tax_amount", "decimal", "balance", "The tax, debit positive."),
        column("amount_local_currency", "string", "company_currency_id.name", "ISO 4217."),
        column("base_currency", "decimal", "amount_currency", "Base, in the entry's currency."),
        column("tax_currency", "decimal", "amount_currency", "Tax, in the entry's currency."),
        column("amount_currency_code", "string", "currency_id.name", "The entry's, ISO 4217."),
    ),
)
