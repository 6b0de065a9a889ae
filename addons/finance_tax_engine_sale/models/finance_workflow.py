from odoo import fields, models


class FinanceWorkflow(models.Model):
    _inherit = "finance.workflow"

    tax_estimate_days = fields.Integer(
        "Order's tax holds for (days)",
        default=30,
        help="An invoice that bills its order whole, at most so many days after the order's date,"
        " takes the order's tax over without a question. Later it is computed anew.",
    )

    _sane_estimate_days = models.Constraint(
        "CHECK (tax_estimate_days >= 0)", "The days that an order's tax holds can't be negative."
    )
