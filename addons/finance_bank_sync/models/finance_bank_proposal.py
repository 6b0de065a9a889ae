from odoo import api, fields, models

# Kinds of proposals; NONE is a row that says why there is none.
KINDS = [
    ("none", "Nothing found"),
    ("exact", "Exact"),
    ("sum", "Several items"),
    ("payment", "Payment"),
    ("transfer", "Transfer between own accounts"),
    ("discount", "Early payment discount"),
    ("tolerance", "Within tolerance"),
    ("fee", "Short by a bank fee"),
    ("partial", "Part payment"),
    ("over", "Too much"),
    ("converted", "Other currency"),
    ("rule", "Reconciliation model"),
    ("lesson", "Learned"),
    ("hand", "By hand"),
]


class FinanceBankProposal(models.Model):
    """What a bank line may be, weighed: written anew whenever its line is matched again."""

    _name = "finance.bank.proposal"
    _description = "Bank Match Proposal"
    _order = "line_id, rank, id"
    _rec_name = "line_id"

    line_id = fields.Many2one(
        "account.bank.statement.line",
        "Bank Line",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    journal_id = fields.Many2one(
        "account.journal", readonly=True, index=True, required=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", readonly=True, required=True, index=True)
    currency_id = fields.Many2one(related="line_id.currency_id")
    date = fields.Date(related="line_id.date")
    amount = fields.Monetary(related="line_id.amount")
    payment_ref = fields.Char(related="line_id.payment_ref")
    rank = fields.Integer(readonly=True, aggregator=None, help="1 is the best.")
    score = fields.Integer(readonly=True, aggregator="avg")
    kind = fields.Selection(KINDS, readonly=True, required=True)
    reasons = fields.Json(readonly=True, help="Codes, values and points of the evidence.")
    reason_words = fields.Text("Reasons", compute="_compute_reason_words")
    doubtful = fields.Boolean(readonly=True, help="Something speaks against doing it unseen.")
    parts = fields.Json(readonly=True, help="What it books.")
    item_names = fields.Char("Items", readonly=True)
    partner_id = fields.Many2one("res.partner", readonly=True, ondelete="cascade")
    rule_id = fields.Many2one("account.reconcile.model", readonly=True, ondelete="cascade")
    lesson_id = fields.Many2one("finance.bank.lesson", readonly=True, ondelete="cascade")

    _rank_unique = models.Constraint(
        "UNIQUE (line_id, rank)", "A bank line has one best proposal, one second best, and so on."
    )

    @api.depends("reasons")
    @api.depends_context("lang")
    def _compute_reason_words(self):
        words = self.env["finance.bank.words"]
        for proposal in self:
            proposal.reason_words = "\n".join(words._sentences(proposal.reasons or []))

    def action_accept(self):
        """Book the proposal on its line."""
        for proposal in self:
            proposal.line_id._finance_check_work()
            proposal.line_id._finance_accept(proposal)
