from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..matching import Terms

STATES = [
    ("proposed", "Waits for approval"),
    ("active", "In force"),
    ("replaced", "Replaced"),
    ("refused", "Refused"),
]
APPROVER = "finance_connector_base.group_approver"
USER = "finance_connector_base.group_user"
# Who decided, and what became of it: set by the buttons alone.
GUARDED = {
    "state", "proposed_by_id", "proposed_at", "decided_by_id", "decided_at", "company_id",
}  # fmt: skip


class FinanceBankPolicy(models.Model):
    """What may happen by itself on one bank account. A change is a new row that somebody else
    approves; the rows before it stay as history."""

    _name = "finance.bank.policy"
    _description = "Bank Policy"
    _order = "journal_id, id desc"
    _rec_name = "journal_id"

    journal_id = fields.Many2one(
        "account.journal",
        required=True,
        index=True,
        ondelete="cascade",
        domain="[('type', 'in', ('bank', 'cash', 'credit'))]",
    )
    company_id = fields.Many2one(related="journal_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(STATES, default="proposed", required=True, readonly=True, index=True)
    booking_date = fields.Selection(
        [("booking", "Booking date"), ("value", "Value date")],
        "Post on",
        default="booking",
        required=True,
        help="Which of the bank's dates a line is posted on.",
    )
    automatic = fields.Boolean(default=True, help="Reconcile undoubted matches without a person.")
    threshold = fields.Integer(
        default=90, help="Score, from 0 to 100, from which a match without doubt is automatic."
    )
    tolerance = fields.Monetary(
        help="Difference up to which a payment counts as whole; it is written off as rounding."
    )
    fee_limit = fields.Monetary(
        "Bank Fee up to", help="Most that banks on the way may have kept of a payment."
    )
    writeoff_line_limit = fields.Monetary(
        "Automatic Write-off per Line", help="More than this on one line needs a person."
    )
    writeoff_month_limit = fields.Monetary(
        "Automatic Write-off per Month",
        help="Once the automatic write-offs of a month come to this, all others need a person.",
    )
    writeoff_account_id = fields.Many2one(
        "account.account", "Rounding Account", check_company=True, ondelete="restrict"
    )
    fee_account_id = fields.Many2one(
        "account.account", "Bank Fee Account", check_company=True, ondelete="restrict"
    )
    transfer_journal_id = fields.Many2one(
        "account.journal",
        "Journal of Transfers from Suspense",
        check_company=True,
        domain="[('type', '=', 'general')]",
        ondelete="restrict",
        help="Where a match is booked whose bank line stands in a locked or secured period.",
    )
    transfer_days = fields.Integer(
        default=5, help="Most days between the two lines of a transfer between own accounts."
    )
    sample_size = fields.Integer(
        default=25, help="Automatic matches a month that a controller looks at."
    )
    note = fields.Char("Why")
    proposed_by_id = fields.Many2one(
        "res.users", readonly=True, default=lambda self: self.env.user, ondelete="restrict"
    )
    proposed_at = fields.Datetime(readonly=True, default=fields.Datetime.now)
    decided_by_id = fields.Many2one("res.users", "Approved by", readonly=True, ondelete="restrict")
    decided_at = fields.Datetime("Approved", readonly=True)

    _one_active = models.UniqueIndex(
        "(journal_id) WHERE state = 'active'", "One policy of a journal is in force."
    )
    _threshold_range = models.Constraint(
        "CHECK (threshold BETWEEN 50 AND 100)", "The threshold is between 50 and 100."
    )
    _positive = models.Constraint(
        "CHECK (tolerance >= 0 AND fee_limit >= 0 AND writeoff_line_limit >= 0"
        " AND writeoff_month_limit >= 0 AND transfer_days >= 0 AND sample_size >= 0)",
        "Limits are not negative.",
    )

    @api.constrains("tolerance", "fee_limit", "writeoff_account_id", "fee_account_id")
    def _check_accounts(self):
        for policy in self:
            if (policy.tolerance and not policy.writeoff_account_id) or (
                policy.fee_limit and not policy.fee_account_id
            ):
                raise ValidationError(
                    self.env._(
                        "%(journal)s: choose the account that a difference is booked on, or set"
                        " its limit to zero.",
                        journal=policy.journal_id.display_name,
                    )
                )

    # === FOUR EYES === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            for vals in vals_list:
                if vals.keys() & (GUARDED - {"company_id"}):
                    self._deny("guard", self.env._("Who proposed a policy is not set by hand."))
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su:
            if vals.keys() & GUARDED:
                self._deny("guard", self.env._("A policy is approved or refused by its buttons."))
            if any(policy.state != "proposed" for policy in self):
                self._deny(
                    "guard",
                    self.env._("A decided policy stays as it is. Propose a new one instead."),
                )
            if any(policy.proposed_by_id != self.env.user for policy in self):
                self._deny("user", self.env._("Who proposed it may change it. Refuse it, or wait."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_own_proposals(self):
        for policy in self:
            if policy.state != "proposed" or policy.proposed_by_id != self.env.user:
                self._deny("guard", self.env._("Policies are kept as history."))

    def _deny(self, rule, words):
        self.env["finance.denied.action"]._deny("bank.policy", rule, self[:1])
        raise AccessError(words)

    def action_approve(self):
        """Put the proposal in force, as another person than who proposed it."""
        self._check_decider()
        self.env["finance.bank.policy"].sudo().search(
            [("journal_id", "in", self.journal_id.ids), ("state", "=", "active")]
        ).write({"state": "replaced"})
        self._decide("active")

    def action_refuse(self):
        """Refuse the proposal; the policy in force stays."""
        self._check_decider()
        self._decide("refused")

    def _check_decider(self):
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_group(APPROVER):
            self._deny("group", self.env._("Approving a bank policy needs the role Approver."))
        if self.proposed_by_id == self.env.user:
            self._deny("own", self.env._("Another approver decides on what you proposed."))
        if self.state != "proposed":
            raise UserError(
                self.env._(
                    "%(journal)s: this policy is decided already. Open the newest one.",
                    journal=self.journal_id.display_name,
                )
            )

    def _decide(self, state):
        self.sudo().write(
            {"state": state, "decided_by_id": self.env.uid, "decided_at": fields.Datetime.now()}
        )
        self.env["finance.audit.event"]._record(
            f"bank.policy_{state}",
            self,
            company=self.company_id,
            data={"journal": self.journal_id.id, "proposed_by": self.proposed_by_id.id},
        )

    def action_propose_change(self):
        """Open a copy to change and to have approved."""
        self.ensure_one()
        copied = self.copy({"note": False})
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": copied.id,
            "view_mode": "form",
        }

    def copy_data(self, default=None):
        return [
            {name: value for name, value in data.items() if name not in GUARDED}
            for data in super().copy_data(default)
        ]

    # === READING === #

    @api.model
    def _of(self, journal):
        """Return the policy in force of ``journal``; without one a new record with the defaults.

        The defaults write nothing off, and match what is exact and undoubted.
        """
        found = self.sudo().search([("journal_id", "=", journal.id), ("state", "=", "active")])
        return found or self.sudo().new({"journal_id": journal.id})

    def _terms(self):
        """Return the `Terms` of matching, in the currency of the journal; without an account nothing
        is written off."""
        return Terms(
            automatic=self.threshold if self.automatic else 101,
            tolerance=self._limit(self.tolerance if self.writeoff_account_id else 0),
            fee=self._limit(self.fee_limit if self.fee_account_id else 0),
            days=self.transfer_days,
        )

    def _limit(self, amount):
        company, currency = self.journal_id.company_id, self.journal_id.currency_id
        if amount and currency and currency != company.currency_id:
            day = fields.Date.context_today(self)
            amount = company.currency_id._convert(amount, currency, company, day)
        return _decimal(amount)

    def _writeoff_left(self, day):
        """Return what may still be written off automatically in the month of ``day``."""
        start = day.replace(day=1)
        rows = (
            self.env["finance.bank.match"]
            .sudo()
            ._read_group(
                [
                    ("journal_id", "=", self.journal_id.id or self.journal_id._origin.id),
                    ("automatic", "=", True),
                    ("undone_at", "=", False),
                    ("date", ">=", start),
                    ("date", "<", fields.Date.add(start, months=1)),
                ],
                aggregates=["writeoff_amount:sum"],
            )
        )
        return max(0, (self.writeoff_month_limit or 0) - (rows[0][0] or 0))


def _decimal(value):
    return Decimal(str(round(value or 0, 6)))
