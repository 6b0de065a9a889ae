from odoo import api, fields, models
from odoo.fields import Domain


class FinanceTaxDocument(models.Model):
    """Orders are estimated and never recorded."""

    _inherit = "finance.tax.document"

    order_id = fields.Many2one(
        "sale.order", "Order", readonly=True, index="btree_not_null", ondelete="restrict"
    )

    source = fields.Selection(
        selection_add=[("order", "As on the order")], ondelete={"order": "set null"}
    )

    _order_connector_unique = models.Constraint(
        "UNIQUE (order_id, connector_id)", "An order has one estimate per tax engine."
    )
    _one_owner = models.Constraint(
        "CHECK (num_nonnulls(move_id, order_id) = 1)",
        "A tax document belongs to one document.",
    )

    def _finance_document(self):
        return self.order_id or super()._finance_document()

    @api.depends("order_id.partner_invoice_id")
    def _compute_partner_id(self):
        return super()._compute_partner_id()

    @api.model
    def _search_partner_id(self, operator, value):
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        of_moves = Domain(super()._search_partner_id(operator, value))
        return of_moves | Domain(
            "order_id.partner_invoice_id.commercial_partner_id", operator, value
        )
