from odoo import api, models


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = ["sale.order.line", "finance.tax.line.mixin"]

    @api.depends("extra_tax_data")
    def _compute_amount(self):
        """Odoo does not know that the amounts depend on the carried ones."""
        return super()._compute_amount()

    def _finance_tax_is_taxed(self):
        # A combo has no price of its own: its items have. What is optional has no quantity yet, and
        # is on no invoice.
        if self.display_type or self.is_downpayment or self.product_type == "combo":
            return False
        return bool(self.product_uom_qty)

    def _finance_tax_facts(self):
        return {
            "price_unit": self.price_unit,
            "discount": self.discount,
            "quantity": self.product_uom_qty,
        }

    def _finance_tax_default_taxes(self):
        taxes = self.product_id.taxes_id._filter_taxes_by_company(self.company_id)
        return self.order_id.fiscal_position_id.map_tax(taxes)
