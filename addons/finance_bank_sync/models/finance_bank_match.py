from odoo import api, fields, models

from .finance_bank_proposal import KINDS


class FinanceBankMatch(models.Model):
    """One reconciliation of one bank line: what was decided, by whom, why, and how it ended.

    It is written when the line is booked and changes once: when it is undone. ``before`` has the
    journal items as they were, so that undoing restores them exactly.
    """

    _name = "finance.bank.match"
    _description = "Bank Match"
    _order = "matched_at desc, id desc"
    _rec_name = "line_id"

    line_id = fields.Many2one(
        "account.bank.statement.line",
        "Bank Line",
        readonly=True,
        index=True,
        ondelete="set null",
    )
    move_id = fields.Many2one(
        "account.move", "Bank Entry", readonly=True, index=True, ondelete="set null"
    )
    transfer_move_id = fields.Many2one(
        "account.move",
        "Entry from Suspense",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="Where the bank line stands in a locked or secured period.",
    )
    journal_id = fields.Many2one(
        "account.journal", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    company_currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date("Date of the Line", required=True, readonly=True, index=True)
    amount = fields.Monetary(readonly=True)
    writeoff_amount = fields.Monetary(
        "Written off",
        readonly=True,
        currency_field="company_currency_id",
        help="Rounding and bank fees, as a positive amount.",
    )
    partner_id = fields.Many2one("res.partner", readonly=True, ondelete="set null")
    matched_at = fields.Datetime(readonly=True, default=fields.Datetime.now, index=True)
    user_id = fields.Many2one("res.users", "Matched by", readonly=True, ondelete="restrict")
    automatic = fields.Boolean(readonly=True)
    kind = fields.Selection(KINDS, readonly=True, required=True)
    score = fields.Integer(readonly=True, aggregator="avg")
    reasons = fields.Json(readonly=True)
    reason_words = fields.Text("Reasons", compute="_compute_reason_words")
    parts = fields.Json(readonly=True)
    item_names = fields.Char("Items", readonly=True)
    item_ids = fields.Json(readonly=True, help="Journal items that it settles, or settles in part.")
    partial_ids = fields.Json(readonly=True)
    before = fields.Json(readonly=True, help="The journal items of the line before.")
    rule_id = fields.Many2one("account.reconcile.model", readonly=True, ondelete="set null")
    lesson_id = fields.Many2one(
        "finance.bank.lesson", readonly=True, index="btree_not_null", ondelete="set null"
    )
    undone_at = fields.Datetime(readonly=True)
    undone_by_id = fields.Many2one("res.users", "Undone by", readonly=True, ondelete="restrict")

    _one_of_a_line = models.UniqueIndex(
        "(line_id) WHERE undone_at IS NULL", "A bank line has one match at a time."
    )

    @api.depends("reasons")
    @api.depends_context("lang")
    def _compute_reason_words(self):
        words = self.env["finance.bank.words"]
        for match in self:
            match.reason_words = "\n".join(words._sentences(match.reasons or []))

    def action_undo(self):
        """Take the match back: the line and what it settled are as before."""
        lines = self.filtered(lambda match: not match.undone_at).line_id
        lines._finance_check_work()
        lines._finance_undo()

    def action_open_entry(self):
        """Open the journal entry of the bank line, or the one from suspense."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": (self.transfer_move_id or self.move_id).id,
            "view_mode": "form",
        }

    def _undone(self):
        """Note that the books no longer have it."""
        self.sudo().write({"undone_at": fields.Datetime.now(), "undone_by_id": self.env.uid})
        self.env["finance.bank.lesson"].sudo()._unlearn(self)
        self.env["finance.audit.event"]._record_many(
            [
                {
                    "kind": "bank.unmatched",
                    "record": match.line_id.move_id or None,
                    "company": match.company_id,
                    "data": {"match": match.id, "items": match.item_ids or []},
                }
                for match in self
            ]
        )
