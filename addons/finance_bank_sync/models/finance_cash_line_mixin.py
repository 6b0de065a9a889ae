from odoo import fields, models

from odoo.addons.finance_connector_base.fields import WeakMany2one

from .finance_bank_expectation import STANDING_WORDS

KINDS = [
    ("balance", "Balance"),
    ("value", "Booked, valued later"),
    ("transit", "Transfer on the way"),
    ("pending", "Pending at the bank"),
    ("receivable", "Receivables"),
    ("payable", "Payables"),
    ("payment", "Payments on the way"),
    ("unmatched", "Arrived, not matched"),
]
BUCKETS = [
    ("overdue", "Overdue"),
    ("today", "Today"),
    ("tomorrow", "Tomorrow"),
    ("week", "This week"),
    ("next_week", "Next week"),
    ("month", "Within a month"),
    ("later", "Later"),
]
# What the lines of a position are made of, and copied from into a snapshot.
COPIED = (
    "kind", "company_id", "journal_id", "account", "bank", "other", "currency_id", "amount",
    "target_currency_id", "converted", "rate", "rate_day", "is_unrated", "day", "bucket", "number",
    "counted", "is_intercompany", "standing", "newest_day", "received_at", "source", "type",
    "ledger",
)  # fmt: skip


class FinanceCashLineMixin(models.AbstractModel):
    """One amount of a cash position: of one entity, bank, account, currency and value date.

    Companies and journals are named without a foreign key: what was kept stays when they go.
    """

    _name = "finance.cash.line.mixin"
    _inherit = ["finance.weak.mixin"]
    _description = "Line of a Cash Position"

    kind = fields.Selection(KINDS, "What", readonly=True)
    company_id = WeakMany2one("res.company", "Entity", readonly=True, index=True)
    journal_id = WeakMany2one("account.journal", "Account", readonly=True)
    account = fields.Char("Account Name", readonly=True)
    bank = fields.Char(readonly=True)
    other = fields.Char("From or To", readonly=True, help="The other account of a transfer.")
    currency_id = WeakMany2one("res.currency", readonly=True)
    amount = fields.Monetary(readonly=True, aggregator=None)
    target_currency_id = WeakMany2one("res.currency", "Stated in", readonly=True)
    converted = fields.Monetary(
        "Converted", currency_field="target_currency_id", readonly=True, aggregator="sum"
    )
    rate = fields.Float(readonly=True, digits=0, aggregator=None)
    rate_day = fields.Date("Rate of", readonly=True)
    is_unrated = fields.Boolean("No Rate", readonly=True)
    day = fields.Date("Value Date", readonly=True)
    bucket = fields.Selection(BUCKETS, "When", readonly=True)
    number = fields.Integer("Items", readonly=True)
    counted = fields.Boolean(readonly=True, help="Part of the total.")
    is_intercompany = fields.Boolean("Intercompany", readonly=True)
    standing = fields.Selection(STANDING_WORDS, "Statements", readonly=True)
    newest_day = fields.Date("Balance of", readonly=True)
    received_at = fields.Datetime("Received", readonly=True)
    source = fields.Selection(
        [
            ("statement", "Statement"),
            ("link", "Bank link"),
            ("hand", "By hand"),
            ("ledger", "Ledger"),
        ],
        readonly=True,
    )
    type = fields.Char("Kind of Balance", readonly=True)
    ledger = fields.Monetary("In the Ledger", readonly=True, aggregator=None)
