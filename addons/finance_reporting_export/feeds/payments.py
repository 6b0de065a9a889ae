"""Payments, and what they settled."""

from .common import ENTITY, ID, JOURNAL, PARTNER, STAMPS, period
from .feed import Feed, column

PAYMENTS = Feed(
    code="payments",
    title="Payments",
    model="account.payment",
    sequence=110,
    domain=(("state", "in", ("in_process", "paid")),),
    day="date",
    columns=(
        ID,
        *ENTITY,
        column("payment_number", "string", "name", "Number of the payment."),
        column("entry_id", "integer", "move_id", "Id of its journal entry."),
        column("payment_date", "date", "date", "Date.", required=True),
        period("date"),
        column("direction", "string", "payment_type", "inbound or outbound."),
        column("partner_type", "string", "partner_type", "customer or supplier."),
        PARTNER,
        JOURNAL,
        column("method", "string", "payment_method_line_id.name", "Payment method."),
        column(
            "amount", "decimal", "amount", "Amount, never negative, in its currency.", required=True
        ),
        column(
            "currency",
            "string",
            "currency_id.name",
            "Currency, ISO 4217.",
            required=True,
            mapping="currency",
            record="currency_id",
        ),
        column(
            "amount_local",
            "decimal",
            "amount_company_currency_signed",
            "Amount in the company's currency, outbound negative.",
        ),
        column("memo", "string", "memo", "Purpose."),
        column("payment_reference", "string", "payment_reference", "Reference at the provider."),
        column(
            "account_number",
            "string",
            "partner_bank_id.sanitized_acc_number",
            "Bank account of the other side.",
            personal="account_number",
        ),
        column("state", "string", "state", "in_process or paid."),
        column("matched", "boolean", "is_matched", "Found on a bank statement."),
        column("reconciled", "boolean", "is_reconciled", "Reconciled with what it pays."),
        *STAMPS,
    ),
)

SETTLEMENTS = Feed(
    code="settlements",
    title="Settlements",
    model="account.partial.reconcile",
    sequence=120,
    day="max_date",
    columns=(
        ID,
        *ENTITY,
        column("debit_item_id", "integer", "debit_move_id", "Id of the debit item.", required=True),
        column(
            "credit_item_id", "integer", "credit_move_id", "Id of the credit item.", required=True
        ),
        column("debit_entry_id", "integer", "debit_move_id.move_id", "Id of the debit's entry."),
        column("credit_entry_id", "integer", "credit_move_id.move_id", "Id of the credit's entry."),
        column("settled_date", "date", "max_date", "The later date of both."),
        period("max_date"),
        column("amount", "decimal", "amount", "Settled, company currency.", required=True),
        column("debit_amount", "decimal", "debit_amount_currency", "In the debit's currency."),
        column("debit_currency", "string", "debit_currency_id.name", "ISO 4217."),
        column("credit_amount", "decimal", "credit_amount_currency", "In the credit's currency."),
        column("credit_currency", "string", "credit_currency_id.name", "ISO 4217."),
        column("full_id", "integer", "full_reconcile_id", "Id of the full reconciliation."),
        column("exchange_entry_id", "integer", "exchange_move_id", "Id of the exchange entry."),
        *STAMPS,
    ),
)
