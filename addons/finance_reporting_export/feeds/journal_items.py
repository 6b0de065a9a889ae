"""Posted journal items: the GL_Detail of the AICPA Audit Data Standards, one row per item."""

from .common import (
    ACCOUNT_CODE,
    COUNTERPARTY,
    CURRENCY,
    ENTITY,
    ID,
    JOURNAL,
    LOCAL_CURRENCY,
    PARTNER,
    STAMPS,
)
from .feed import Feed, Join, Measures, Watch, column

# The group company that a partner is; the first where two companies share a partner. Entries carry
# the commercial partner of a document, so nothing else of the partner is looked at.
GROUP_COMPANY = Join(
    "counterparty",
    "(SELECT partner_id, min(id) AS id FROM res_company GROUP BY partner_id)",
    "counterparty.partner_id = {partner_id}",
    Watch(
        "res_company",
        "SELECT item.id FROM account_move_line AS item WHERE item.partner_id = changed.partner_id",
    ),
)

FEED = Feed(
    code="journal_items",
    title="Journal items",
    model="account.move.line",
    sequence=10,
    domain=(("parent_state", "=", "posted"), ("account_id", "!=", False)),
    day="date",
    joins=(GROUP_COMPANY,),
    key=("id",),
    measures=Measures(debit="debit", credit="credit", amount_currency="amount_currency"),
    columns=(
        ID,
        *ENTITY,
        column(
            "journal_id",
            "string",
            "move_id.name",
            "Number of the journal entry (ADS: Journal_ID).",
        ),
        column("entry_id", "integer", "move_id", "Id of the journal entry.", required=True),
        column("effective_date", "date", "date", "Accounting date.", required=True),
        column(
            "period",
            "string",
            "=to_char({date}, 'YYYY-MM')",
            "Calendar month of the accounting date, as 2026-03.",
            required=True,
        ),
        column("document_date", "date", "invoice_date", "Date of the invoice or bill."),
        JOURNAL,
        ACCOUNT_CODE,
        column("account_id", "integer", "account_id", "Id of the account.", required=True),
        column("je_header_description", "string", "move_id.ref", "Reference of the entry."),
        column("je_line_description", "string", "name", "Label of the item; may have line breaks."),
        column(
            "debit",
            "decimal",
            "debit",
            "Debit, in the company's currency; never negative.",
            required=True,
        ),
        column(
            "credit",
            "decimal",
            "credit",
            "Credit, in the company's currency; never negative.",
            required=True,
        ),
        column(
            "amount",
            "decimal",
            "balance",
            "Debit less credit, in the company's currency (ADS: Amount).",
            required=True,
        ),
        LOCAL_CURRENCY,
        column(
            "amount_currency",
            "decimal",
            "amount_currency",
            "Debit less credit, in the item's currency.",
        ),
        CURRENCY,
        column("residual", "decimal", "amount_residual", "What is not reconciled yet."),
        PARTNER,
        COUNTERPARTY,
        column("due_date", "date", "date_maturity", "When it is due."),
        column("matching_number", "string", "matching_number", "What it is reconciled with."),
        column(
            "tax_id",
            "integer",
            "tax_line_id",
            "Id of the tax whose amount it is.",
            mapping="tax",
            record="tax_line_id",
        ),
        column("product_id", "integer", "product_id", "Id of the product.", mapping="product"),
        column("quantity", "decimal", "quantity", "Quantity.", scale=6),
        column(
            "analytic_distribution",
            "json",
            "analytic_distribution",
            "Shares of analytic accounts, {ids: percent}.",
        ),
        column(
            "service_start",
            "date",
            "deferred_start_date|start_date|move_id.delivery_date",
            "First day of the service, where the document tells.",
        ),
        column(
            "service_end",
            "date",
            "deferred_end_date|end_date|move_id.delivery_date",
            "Last day of the service, where the document tells.",
        ),
        *STAMPS,
    ),
)
