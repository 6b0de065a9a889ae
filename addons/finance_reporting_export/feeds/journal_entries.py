"""Posted journal entries: the headers of the journal items."""

from .common import ENTITY, ID, JOURNAL, PARTNER, STAMPS, period
from .feed import Feed, column

FEED = Feed(
    code="journal_entries",
    title="Journal entries",
    model="account.move",
    sequence=20,
    domain=(("state", "=", "posted"),),
    day="date",
    columns=(
        ID,
        *ENTITY,
        column("journal_id", "string", "name", "Number of the entry (ADS: Journal_ID)."),
        JOURNAL,
        column("effective_date", "date", "date", "Accounting date.", required=True),
        period("date"),
        column("document_type", "string", "move_type", "entry, out_invoice, in_refund and so on."),
        column("document_date", "date", "invoice_date", "Date of the invoice or bill."),
        column("due_date", "date", "invoice_date_due", "When it is due."),
        column("je_header_description", "string", "ref", "Reference (ADS: JE_Header_Description)."),
        column("document_origin", "string", "invoice_origin", "Order or contract it is from."),
        column("payment_reference", "string", "payment_reference", "Reference for its payment."),
        PARTNER,
        column(
            "payment_term_id",
            "integer",
            "invoice_payment_term_id",
            "Id of the payment term.",
            mapping="payment_term",
        ),
        column(
            "currency",
            "string",
            "currency_id.name",
            "Currency of the document, ISO 4217.",
            mapping="currency",
            record="currency_id",
        ),
        column("amount_untaxed", "decimal", "amount_untaxed_signed", "Untaxed, company currency."),
        column("amount_total", "decimal", "amount_total_signed", "Total, company currency."),
        column("amount_residual", "decimal", "amount_residual_signed", "Open, company currency."),
        column(
            "amount_total_currency",
            "decimal",
            "amount_total_in_currency_signed",
            "Total, currency of the document.",
        ),
        column("payment_state", "string", "payment_state", "not_paid, partial, paid and so on."),
        column("reversal_of", "integer", "reversed_entry_id", "Id of the entry that it reverses."),
        column(
            "service_start",
            "date",
            "deferred_start_date|delivery_date",
            "First day of the service, where the document tells.",
        ),
        column("checked", "boolean", "checked", "Somebody has looked at it."),
        *STAMPS,
    ),
)
