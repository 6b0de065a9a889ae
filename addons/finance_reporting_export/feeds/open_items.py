"""What customers and vendors owe and are owed: posted items that are not reconciled."""

from .common import ACCOUNT, COUNTERPARTY, CURRENCY, ENTITY, ID, JOURNAL, LOCAL_CURRENCY, STAMPS
from .feed import Feed, column
from .journal_items import GROUP_COMPANY

COLUMNS = (
    ID,
    *ENTITY,
    column("journal_id", "string", "move_id.name", "Number of the entry (ADS: Journal_ID)."),
    column("entry_id", "integer", "move_id", "Id of the entry.", required=True),
    column("document_type", "string", "move_id.move_type", "out_invoice, in_refund and so on."),
    JOURNAL,
    *ACCOUNT,
    column("effective_date", "date", "date", "Accounting date.", required=True),
    column("document_date", "date", "invoice_date", "Date of the document."),
    column("due_date", "date", "date_maturity", "When it is due."),
    column("partner_id", "integer", "partner_id", "Id of the customer or vendor."),
    column(
        "partner_code",
        "string",
        "partner_id.ref",
        "Reference of the customer or vendor.",
        mapping="partner",
        record="partner_id",
    ),
    column(
        "partner_name",
        "string",
        "partner_id.name",
        "Name of the customer or vendor.",
        personal="name",
    ),
    COUNTERPARTY,
    column("je_line_description", "string", "name", "Label of the item."),
    column("amount", "decimal", "balance", "Debit less credit, company currency.", required=True),
    column("residual", "decimal", "amount_residual", "What is open, company currency."),
    LOCAL_CURRENCY,
    column("amount_currency", "decimal", "amount_currency", "Debit less credit, item's currency."),
    column("residual_currency", "decimal", "amount_residual_currency", "Open, item's currency."),
    CURRENCY,
    column("matching_number", "string", "matching_number", "What part of it is reconciled with."),
    *STAMPS,
)


def _feed(code, title, account_type, sequence):
    return Feed(
        code=code,
        title=title,
        model="account.move.line",
        sequence=sequence,
        domain=(
            ("parent_state", "=", "posted"),
            ("account_id.account_type", "=", account_type),
            ("reconciled", "=", False),
        ),
        joins=(GROUP_COMPANY,),
        columns=COLUMNS,
    )


RECEIVABLE = _feed("open_receivables", "Open items receivable", "asset_receivable", 40)
PAYABLE = _feed("open_payables", "Open items payable", "liability_payable", 50)
