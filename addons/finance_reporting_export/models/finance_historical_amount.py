"""What equity was worth in the group's currency when it came about: kept by hand, approved."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

APPROVER = "finance_connector_base.group_approver"
STATES = [("draft", "Draft"), ("approved", "Approved"), ("withdrawn", "Withdrawn")]
# What is decided by buttons, never by hand.
DECIDED = {"state", "approved_by_id", "approved_at", "changed_by_id"}
EQUITY = ("equity", "equity_unaffected")


class FinanceHistoricalAmount(models.Model):
    """One part of an equity account: paid-in capital, a reserve, the result of a year.

    IAS 21 states equity at the rate of the day it came about; Odoo doesn't know that amount, so
    people keep it. Another person than who wrote it approves it; then it stays as it is, or is
    withdrawn and written anew.
    """

    _name = "finance.historical.amount"
    _inherit = ["mail.thread"]
    _description = "Historical Amount"
    _order = "company_id, account_id, day, id"
    _rec_name = "account_id"

    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    account_id = fields.Many2one(
        "account.account",
        required=True,
        ondelete="restrict",
        domain="[('account_type', 'in', ('equity', 'equity_unaffected')),"
        " ('company_ids', 'parent_of', company_id)]",
        check_company=True,
    )
    day = fields.Date("Came about on", required=True)
    currency_id = fields.Many2one(related="company_id.currency_id", string="Company Currency")
    amount = fields.Monetary(
        required=True, help="Debit less credit in the company's currency: capital is negative."
    )
    group_currency_id = fields.Many2one("res.currency", required=True, ondelete="restrict")
    group_amount = fields.Monetary(
        required=True,
        currency_field="group_currency_id",
        help="The same in the currency of the group, at the rate of that day.",
    )
    note = fields.Char("Source", required=True, help="Where the amount is from: a deed, say.")
    state = fields.Selection(STATES, required=True, readonly=True, default="draft", copy=False,
                             tracking=True, index=True)  # fmt: skip
    changed_by_id = fields.Many2one(
        "res.users", "Written by", readonly=True, copy=False, ondelete="set null"
    )
    approved_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, ondelete="set null", tracking=True
    )
    approved_at = fields.Datetime(readonly=True, copy=False)

    @api.constrains("account_id")
    def _check_equity(self):
        for row in self:
            if row.account_id.account_type not in EQUITY:
                raise ValidationError(
                    self.env._(
                        "%(account)s is not an equity account: its amounts are stated at the "
                        "rates of the months. Choose an equity account.",
                        account=row.account_id.display_name,
                    )
                )

    @api.constrains("amount", "group_amount")
    def _check_signs(self):
        for row in self:
            if row.amount * row.group_amount < 0 or not row.amount:
                raise ValidationError(
                    self.env._(
                        "Both amounts of %(account)s must be on the same side, and not zero.",
                        account=row.account_id.display_name,
                    )
                )

    # === GUARDS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Whatever is written begins as a draft of who wrote it."""
        for vals in vals_list:
            self._check_by_hand(vals)
        return super().create([{**vals, "changed_by_id": self.env.uid} for vals in vals_list])

    def write(self, vals):
        """Drafts are changed; what is approved stays."""
        self._check_by_hand(vals)
        if set(vals) - DECIDED - {"message_main_attachment_id"}:
            self._check_draft("write")
            vals = {**vals, "changed_by_id": self.env.uid}
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_drafts_alone(self):
        self._check_draft("unlink")

    def _check_by_hand(self, vals):
        if DECIDED & set(vals) and not self.env.su:
            self.env["finance.denied.action"]._deny("write", "guard", self)
            raise AccessError(
                self.env._("Use the buttons: an amount is approved by another person.")
            )

    def _check_draft(self, action):
        decided = self.filtered(lambda row: row.state != "draft")
        if not decided:
            return
        self.env["finance.denied.action"]._deny(action, "guard", decided)
        raise UserError(
            self.env._(
                "%(account)s was approved: withdraw it, and write another one.",
                account=decided[0].account_id.display_name,
            )
        )

    # === BUTTONS === #

    def action_approve(self):
        """Approve: by an approver who has not written it."""
        self._check_approver("historical.approve")
        self._check_draft("historical.approve")
        own = self.filtered(lambda row: self.env.user in row.changed_by_id | row.create_uid)
        if own:
            self.env["finance.denied.action"]._deny("historical.approve", "own", own)
            raise UserError(
                self.env._(
                    "You wrote %(account)s: another approver must read it and approve it.",
                    account=own[0].account_id.display_name,
                )
            )
        self._decide("approved", "historical.approved")

    def action_withdraw(self):
        """Withdraw: from the next run on it counts no more."""
        self._check_approver("historical.withdraw")
        self.filtered(lambda row: row.state == "approved")._decide(
            "withdrawn", "historical.withdrawn"
        )

    def _check_approver(self, action):
        self.check_access("read")
        if self.env.user.has_group(APPROVER):
            return
        self.env["finance.denied.action"]._deny(action, "group", self)
        raise AccessError(
            self.env._("Only an approver decides on historical amounts. Ask one of them.")
        )

    def _decide(self, state, event):
        values = {"state": state}
        if state == "approved":
            values |= {"approved_by_id": self.env.uid, "approved_at": fields.Datetime.now()}
        self.sudo().write(values)
        for row in self.sudo():
            self.env["finance.audit.event"]._record(
                event,
                row,
                data={
                    "account_id": row.account_id.id,
                    "day": str(row.day),
                    "amount": str(row.amount),
                    "currency": row.currency_id.name,
                    "group_amount": str(row.group_amount),
                    "group_currency": row.group_currency_id.name,
                },
            )
