from odoo import fields, models


class FinanceWorkflow(models.Model):
    _inherit = "finance.workflow"

    tax_estimate_days = fields.Integer(
        "Order's tax holds for (days)",
        default=30,
        help="An invoice that bills its order whole, at most so many days after the order's date,"
        " takes the order's tax over without a question. Later it is computed anew.",
    )

    tax_on_send = fields.Boolean("When a quotation is sent", default=True)
    tax_on_confirm = fields.Boolean("When an order is confirmed", default=True)
    tax_on_portal = fields.Boolean(
        "When the customer opens or pays an order",
        default=True,
        help="In the portal, and when a payment link is made. While the engine does not answer, the"
        " customer sees the order as it is.",
    )

    _sane_estimate_days = models.Constraint(
        "CHECK (tax_estimate_days >= 0)", "The days that an order's tax holds can't be negative."
    )
