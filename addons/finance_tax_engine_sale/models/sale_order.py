from odoo import Command, api, fields, models

from odoo.addons.finance_tax_engine.canonical.tax import INVOICE


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "finance.tax.mixin"]

    finance_tax_document_ids = fields.One2many(
        "finance.tax.document", "order_id", string="Tax documents", readonly=True
    )

    # === HOOKS OF A DOCUMENT === #

    def _finance_tax_kind(self):
        return INVOICE

    def _finance_tax_all_lines(self):
        return self.order_line

    def _finance_tax_customer(self):
        return self.partner_invoice_id.commercial_partner_id

    def _finance_tax_date(self):
        return fields.Datetime.context_timestamp(self, self.date_order).date()

    def _finance_tax_rate(self):
        return self.currency_rate or 1.0

    def _finance_tax_owner(self):
        return {"order_id": self.id}

    def _finance_tax_is_open(self):
        return self.state in ("draft", "sent", "sale") and not self.locked

    def _finance_tax_write(self, values):
        for line, vals in values.items():
            if "tax_ids" in vals and sorted(line.tax_ids.ids) != sorted(vals["tax_ids"]):
                line.tax_ids = [Command.set(vals["tax_ids"])]
            if line.extra_tax_data != vals["extra_tax_data"]:
                line.extra_tax_data = vals["extra_tax_data"]

    def _finance_tax_outage(self, failed, traces):
        """Refuse or go on with the percentages that the lines have, as the policy says."""
        refused = {
            order: error
            for order, error in failed.items()
            if order._finance_tax_workflow().tax_outage != "fallback"
        }
        super()._finance_tax_outage(refused, traces)

    # === COMPUTE METHODS === #

    @api.depends(
        "company_id",
        "fiscal_position_id",
        "partner_shipping_id",
        "finance_tax_document_ids.state",
    )
    def _compute_finance_tax(self):
        return super()._compute_finance_tax()

    @api.depends(
        "state",
        "locked",
        "currency_id",
        "date_order",
        "partner_invoice_id",
        "partner_shipping_id",
        "finance_tax_document_ids.content_hash",
        "finance_tax_document_ids.applied_hash",
        "order_line.price_subtotal",
        "order_line.product_uom_qty",
        "order_line.tax_ids",
        "order_line.product_id",
        "order_line.extra_tax_data",
    )
    def _compute_finance_tax_stale(self):
        return super()._compute_finance_tax_stale()

    # === WHEN THE CUSTOMER GETS TO SEE IT === #

    def action_confirm(self):
        """Tax up to date first: what the customer agrees to is what will be invoiced."""
        self._finance_tax_refresh()
        return super().action_confirm()

    def action_quotation_send(self):
        """Tax up to date before the quotation is sent."""
        self._finance_tax_refresh()
        return super().action_quotation_send()

    def _finance_tax_refresh(self):
        """Bring the tax of orders up to date that an engine serves and that have lines."""
        served = self.filtered(
            lambda order: (
                order._finance_tax_is_open()
                and order._finance_tax_workflow()
                and order._finance_tax_lines()
            )
        )
        served._finance_tax_estimate(at_post=True)

    # === DELETED === #

    def unlink(self):
        """Estimates go with the order."""
        self.sudo().finance_tax_document_ids.unlink()
        return super().unlink()
