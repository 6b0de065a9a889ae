from odoo import fields, models

STATUSES = [("booked", "Booked"), ("pending", "Pending"), ("information", "Information")]
STATES = [
    ("received", "Received"),
    ("created", "In the books"),
    ("skipped", "Skipped"),
    ("pending", "Pending"),
    ("information", "Information"),
    ("held", "Held"),
    ("removed", "Removed"),
]


class FinanceBankEntry(models.Model):
    """One line as the bank told it, and what became of it.

    A batch whose details come to its amount is one row for each of them (``share``); all have the
    amount that the bank books in ``entry_amount``. ``key`` is what makes a line unique in its
    journal; what is skipped as told before has none.
    """

    _name = "finance.bank.entry"
    _description = "Bank Entry"
    _order = "booking_date desc, id desc"
    _rec_name = "remittance"

    # === WHERE IT IS FROM === #
    import_id = fields.Many2one(
        "finance.bank.import", required=True, readonly=True, index=True, ondelete="cascade"
    )
    bank_statement_id = fields.Many2one(
        "finance.bank.statement", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    journal_id = fields.Many2one(
        "account.journal", required=True, readonly=True, ondelete="restrict"
    )
    source = fields.Char(readonly=True, help="Format and kind of statement, or the provider.")
    namespace = fields.Char(readonly=True, help="Within which the bank's ids are unique.")
    whole = fields.Boolean(readonly=True, help="The statement tells every booking of the day.")
    corrects = fields.Char(readonly=True, help="Unique id of an earlier entry.")
    removes = fields.Boolean(readonly=True)
    position = fields.Integer(readonly=True, aggregator=None)
    share = fields.Integer(readonly=True, aggregator=None, help="1 for the first of a batch.")
    shares = fields.Integer(readonly=True, aggregator=None)
    place = fields.Char(readonly=True)

    # === WHAT BECAME OF IT === #
    status = fields.Selection(STATUSES, "Bank's Status", required=True, readonly=True)
    state = fields.Selection(STATES, required=True, readonly=True, index=True, default="received")
    key = fields.Char(readonly=True)
    fingerprint = fields.Char(readonly=True)
    occurrence = fields.Integer(readonly=True, aggregator=None)
    unique_id = fields.Char("Bank's Unique Id", readonly=True)
    duplicate_of_id = fields.Many2one(
        "finance.bank.entry", readonly=True, index="btree_not_null", ondelete="set null"
    )
    reason = fields.Json(readonly=True, help="Why it is skipped, held or removed: code and values.")
    line_id = fields.Many2one(
        "account.bank.statement.line",
        "Bank Line",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )

    # === WHAT THE BANK SAYS === #
    booking_date = fields.Date(readonly=True)
    value_date = fields.Date(readonly=True)
    post_date = fields.Date(
        "Accounting Date", readonly=True, help="Of the line: booking or value date, by policy."
    )
    amount = fields.Monetary(readonly=True)
    entry_amount = fields.Monetary("Booked as", readonly=True, aggregator=None)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    original_amount = fields.Monetary(
        readonly=True, currency_field="original_currency_id", aggregator=None
    )
    original_currency_id = fields.Many2one("res.currency", readonly=True)
    rate = fields.Char(readonly=True, help="As the bank gives it.")
    end_to_end_id = fields.Char("End-to-End Id", readonly=True)
    message_id = fields.Char(readonly=True)
    payment_id = fields.Char("Payment Information Id", readonly=True)
    mandate = fields.Char(readonly=True)
    creditor_references = fields.Char("Structured References", readonly=True)
    servicer_reference = fields.Char("Bank's Reference", readonly=True)
    customer_reference = fields.Char(readonly=True)
    remittance = fields.Char("Text", readonly=True)
    partner_name = fields.Char("Counterparty", readonly=True)
    partner_account = fields.Char("Counterparty's Account", readonly=True)
    partner_bic = fields.Char("Counterparty's BIC", readonly=True)
    code = fields.Char("Transaction Code", readonly=True, help="Domain/family/subfamily/own code")
    purpose = fields.Char(readonly=True)
    reversal = fields.Boolean(readonly=True)
    return_code = fields.Char("Return Reason", readonly=True)
    is_batch = fields.Boolean("Batch", readonly=True)
    batch_message = fields.Char("Message Id of the Batch", readonly=True)
    batch_payment = fields.Char("Payment Id of the Batch", readonly=True)
    detail = fields.Json(readonly=True, help="Everything else that the bank says.")

    _key_unique = models.Constraint(
        "UNIQUE (journal_id, key)", "The bank's line is in this journal already."
    )
    # The rows of one file are decided in the transaction that writes them, when PostgreSQL knows
    # nothing of them yet: without these two it reads all of them once for each of them.
    _place_index = models.Index("(bank_statement_id, position)")
    _pending_index = models.Index("(journal_id, entry_amount) WHERE state = 'pending'")
    _group_index = models.Index("(journal_id, booking_date, entry_amount)")
    _unique_id_index = models.Index(
        "(journal_id, namespace, unique_id) WHERE unique_id IS NOT NULL"
    )
    _fingerprint_index = models.Index("(journal_id, fingerprint)")
