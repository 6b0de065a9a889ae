from dataclasses import replace

from odoo import Command, api, fields, models

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_tax_engine.canonical.tax import INVOICE

# What a write must touch to change the tax of an order.
TAXED = {
    "company_id",
    "currency_id",
    "date_order",
    "fiscal_position_id",
    "journal_id",
    "order_line",
    "partner_id",
    "partner_invoice_id",
    "partner_shipping_id",
    "payment_term_id",
    "pricelist_id",
}


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

    def _finance_tax_journal(self):
        if self.journal_id:
            return self.journal_id
        journals = self.env["account.journal"].sudo()
        of_company = journals._check_company_domain(self.company_id)
        return journals.search([*of_company, ("type", "=", "sale")], limit=1)

    def _finance_tax_rate(self):
        return self.currency_rate or 1.0

    def _finance_tax_payment_term(self):
        return self.payment_term_id

    def _finance_tax_owner(self):
        return {"order_id": self.id}

    def _finance_tax_is_open(self):
        return self.state in ("draft", "sent", "sale") and not self.locked

    def _finance_tax_request(self, workflow):
        """As asked, while only the day is another and the order's tax still holds.

        Confirming an order sets its date; that alone is no reason to ask again.
        """
        request = super()._finance_tax_request(workflow)
        document = self._finance_tax_document_of(workflow)
        asked = document._request() if document.content_hash else None
        if asked and 0 < (request.date - asked.date).days <= workflow.tax_estimate_days:
            as_asked = replace(request, date=asked.date)
            if document.content_hash == codec.digest(as_asked.content()):
                return as_asked
        return request

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
            if order._finance_tax_workflow().tax_outage == "refuse"
        }
        super()._finance_tax_outage(refused, traces)

    # === COMPUTE METHODS === #

    @api.depends(
        "company_id",
        "journal_id",
        "fiscal_position_id",
        "partner_shipping_id",
        "finance_tax_document_ids.state",
    )
    def _compute_finance_tax(self):
        return super()._compute_finance_tax()

    @api.depends(
        "state",
        "locked",
        "finance_tax_applies",
        "currency_id",
        "date_order",
        "partner_invoice_id",
        "partner_shipping_id",
        "payment_term_id",
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

    def _add_base_lines_for_early_payment_discount(self):
        discounts = super()._add_base_lines_for_early_payment_discount()
        # Odoo makes two for each line: with its taxes, and without
        for line, base_line in zip(self._get_priced_lines(), discounts[::2], strict=False):
            carried = (
                line.extra_tax_data["manual_tax_amounts"] if line._finance_tax_carried() else ()
            )
            self._finance_tax_spare(base_line, line, {line: carried})
        return discounts

    # === WHEN THE CUSTOMER GETS TO SEE IT === #

    def action_confirm(self):
        """Tax up to date first: what the customer agrees to is what will be invoiced."""
        self._finance_tax_refresh("tax_on_confirm")
        return super().action_confirm()

    def action_quotation_send(self):
        """Tax up to date before the quotation is sent."""
        self._finance_tax_refresh("tax_on_send")
        return super().action_quotation_send()

    def _get_default_payment_link_values(self):
        """What the link asks for has the engine's tax."""
        self._finance_tax_refresh("tax_on_portal")
        return super()._get_default_payment_link_values()

    def _finance_tax_refresh(self, trigger):
        """Bring orders up to date that an engine serves, where its workflow has the trigger on."""
        served = self.filtered(
            lambda order: (
                order._finance_tax_is_open()
                and order._finance_tax_workflow()[trigger]
                and order._finance_tax_lines()
            )
        )
        served._finance_tax_estimate(at_post=True)

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        orders._finance_tax_saved()
        return orders

    def write(self, vals):
        result = super().write(vals)
        if TAXED & vals.keys():
            self._finance_tax_saved()
        return result

    # === DELETED === #

    def unlink(self):
        """Estimates go with the order."""
        self.sudo().finance_tax_document_ids.unlink()
        return super().unlink()
