"""How a difference between the books and the engine is corrected."""

from odoo import api, fields, models

from odoo.addons.finance_connector_base.actions import dialog

from ..models.finance_tax_true_up_policy import WAYS


class FinanceTaxTrueUpSettle(models.TransientModel):
    """A person chooses; drafts are written, and nothing is posted."""

    _name = "finance.tax.true.up.settle"
    _description = "Correct Tax"

    true_up_id = fields.Many2one(
        "finance.tax.true.up", required=True, readonly=True, ondelete="cascade"
    )
    move_id = fields.Many2one(related="true_up_id.move_id")
    company_id = fields.Many2one(related="true_up_id.company_id")
    currency_id = fields.Many2one(related="true_up_id.currency_id")
    booked_total = fields.Monetary(related="true_up_id.booked_total")
    booked_tax = fields.Monetary(related="true_up_id.booked_tax")
    engine_tax = fields.Monetary(related="true_up_id.engine_tax")
    difference = fields.Monetary(related="true_up_id.difference")
    source = fields.Char(related="true_up_id.source")
    line_ids = fields.One2many(related="true_up_id.line_ids")
    way = fields.Selection(WAYS, "Correct by", required=True)
    day = fields.Date(
        "Dated", required=True, compute="_compute_day", store=True, readonly=False, precompute=True
    )
    account_id = fields.Many2one(
        "account.account",
        "Account of what is borne",
        domain="[('company_ids', 'parent_of', company_id)]",
    )
    remark = fields.Text(compute="_compute_remark")

    @api.depends("way", "true_up_id")
    def _compute_day(self):
        for wizard in self:
            wizard.day = wizard.true_up_id._default_day(wizard.way)

    @api.depends("way", "true_up_id")
    def _compute_remark(self):
        _ = self.env._
        for wizard in self:
            true_up, move = wizard.true_up_id, wizard.move_id
            remarks = []
            if wizard.way not in true_up._possible_ways():
                remarks.append(
                    _(
                        "Not possible here: tax that was charged too much belongs to the customer,"
                        " and what is credited already can't be credited whole."
                    )
                )
            if move._finance_tax_is_closed(move.date):
                remarks.append(
                    _(
                        "The period of the original is locked: the correction is dated in an open"
                        " one, names the original, and the engine gets it for an open return."
                    )
                )
            if move.payment_state in ("paid", "in_payment", "partial") and wizard.way != "bear":
                remarks.append(
                    _(
                        "Payments stay with the original. What becomes open by the correction is to"
                        " be reconciled, paid or refunded."
                    )
                )
            wizard.remark = "\n".join(remarks)

    def _open(self, true_up):
        """Show a true-up with what the policy proposes."""
        move = true_up.move_id
        country = move._finance_tax_ship_to().country_id
        policy = self.env["finance.tax.true.up.policy"]._for(move.company_id, country)
        wizard = self.create(
            {
                "true_up_id": true_up.id,
                "way": true_up._proposed(),
                "account_id": policy.account_id.id,
            }
        )
        return dialog(self.env._("Correct the Tax"), self._name, wizard.id)

    def action_draft(self):
        """Write the drafts and show them."""
        self.ensure_one()
        self.move_id.check_access("write")
        moves = self.true_up_id._draft(self.way, self.day, self.account_id)
        return self.true_up_id._open_moves(moves)
