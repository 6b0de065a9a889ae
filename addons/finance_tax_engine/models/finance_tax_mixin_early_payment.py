from decimal import Decimal

from odoo import models


class FinanceTaxMixin(models.AbstractModel):
    """A payment term may reduce the tax in advance (*Always (upon invoice)*, ``mixed``).

    The prices stay, and tax is charged on what is left of them within the discount days, whenever
    the payment comes. So the engine is told what is left, and its answer is the document's tax.
    """

    _inherit = "finance.tax.mixin"

    def _finance_tax_early_discount(self):
        """Return the percentage (`Decimal`) that prices are reduced by for their tax; 0 for none."""
        term = self._finance_tax_payment_term()
        if not term.early_discount or term.early_pay_discount_computation != "mixed":
            return Decimal(0)
        return Decimal(repr(term.discount_percentage))

    def _finance_tax_told(self, line, discount):
        """Return the amount of a line (`Decimal`) that the engine is told.

        discount: in percent. Reduced line by line and rounded as Odoo rounds its discount items, so
        that the bases of journal and engine are the same to the cent.
        """
        amount = line._finance_tax_amount()
        off = line.currency_id.round(amount * float(discount) / 100)
        return self._finance_decimal(amount) - self._finance_decimal(off)

    def _finance_tax_find_obstacle(self):
        if self._finance_tax_early_discount() >= 100:
            return self.env._(
                "The payment term %(term)s takes off the whole price, so that nothing is left to be"
                " taxed. Choose another payment term.",
                term=self._finance_tax_payment_term().display_name,
            )
        return super()._finance_tax_find_obstacle()

    def _finance_tax_spare(self, base_line, lines, amounts):
        """Keep the percentages of Odoo's discount off taxes whose amounts know the discount already.

        base_line: Odoo's, of a discount item with taxes. lines: what it discounts. amounts: {line:
        ids of the taxes, as text, whose amounts it carries}. A tax that only some of the lines carry
        is reduced for the others; one that none carries (put there by a person) stays Odoo's.
        """
        spared, part = {}, float(self._finance_tax_early_discount()) / 100
        for tax in base_line["tax_ids"].flatten_taxes_hierarchy():
            key = str(tax._origin.id)
            rest = lines.filtered(lambda line, key=key: key not in amounts[line])
            if rest == lines:
                continue
            base = -sum(self.currency_id.round(line.price_subtotal * part) for line in rest)
            spared[key] = {
                "tax_amount_currency": self.currency_id.round(base * tax.amount / 100),
                "base_amount_currency": base,
            }
        if spared:
            base_line |= {"manual_tax_amounts": spared, "special_mode": "total_excluded"}
