from collections import defaultdict
from decimal import Decimal

from odoo import models

from ..canonical.carrier import converted
from .account_tax import EARLY_DISCOUNT, is_carrier


class AccountMove(models.Model):
    """Early payment discounts: the payment takes back tax, or the invoice has less in advance.

    Where the term says *On early payment* (``included``), a payment within the discount days takes
    back its part of each authority's tax. Where it says *Always (upon invoice)* (``mixed``), Odoo
    puts two items of nothing in all on the journal, one with the taxes and one without: they reduce
    the base of the tax, not the price.
    """

    _inherit = "account.move"

    def _get_invoice_counterpart_amls_for_early_payment_discount_per_payment_term_line(self):
        """Let the amounts of the engine shrink with the prices.

        Odoo reduces the prices of the lines and computes what tax is left; amounts that a line
        carries would stay whole, and all of the discount would be taken from the revenue.
        """
        term = self.invoice_payment_term_id
        if term.early_pay_discount_computation == "included" and term.discount_percentage < 100:
            left = 1 - Decimal(repr(term.discount_percentage)) / 100
            self = self.with_context(finance_tax_reduced=self._finance_tax_reduced(left))
        return (
            super()._get_invoice_counterpart_amls_for_early_payment_discount_per_payment_term_line()
        )

    def _prepare_product_base_line_for_taxes_computation(self, product_line):
        base_line = super()._prepare_product_base_line_for_taxes_computation(product_line)
        base_line.update(self.env.context.get("finance_tax_reduced", {}).get(product_line.id, {}))
        return base_line

    def _finance_tax_reduced(self, left):
        """Return {line id: values of its base line} with ``left`` (a part of one) of the amounts.

        What is left of each tax is rounded once for the document.
        """
        base_lines = {
            line.id: self._prepare_product_base_line_for_taxes_computation(line)
            for line in self._finance_tax_lines()
            if is_carrier(line.extra_tax_data)
        }
        reduced, cells = defaultdict(dict), defaultdict(dict)
        for line_id, base_line in base_lines.items():
            net = base_line["manual_total_excluded_currency"]
            if net is not None:
                reduced[line_id]["manual_total_excluded_currency"] = self.currency_id.round(
                    net * float(left)
                )
            for tax_id, amounts in (base_line["manual_tax_amounts"] or {}).items():
                reduced[line_id].setdefault("manual_tax_amounts", {})[tax_id] = {}
                for name, amount in amounts.items():
                    cells[tax_id, name][line_id] = Decimal(repr(amount))
        for (tax_id, name), amounts in cells.items():
            currency = self.currency_id if name.endswith("_currency") else self.company_currency_id
            unit = Decimal(1).scaleb(-currency.decimal_places)
            for line_id, share in converted(amounts, 1 / left, unit).items():
                reduced[line_id]["manual_tax_amounts"][tax_id][name] = float(share)
        return reduced

    # === TAX REDUCED IN ADVANCE === #

    def _prepare_epd_base_line_for_taxes_computation(self, epd_line):
        base_line = super()._prepare_epd_base_line_for_taxes_computation(epd_line)
        return self._finance_tax_spare_discounted(base_line)

    def _prepare_epd_base_lines_for_taxes_computation_from_base_lines(self, base_lines):
        discounts = super()._prepare_epd_base_lines_for_taxes_computation_from_base_lines(
            base_lines
        )
        return [self._finance_tax_spare_discounted(base_line) for base_line in discounts]

    def _finance_tax_spare_discounted(self, base_line):
        """Return the base line of a discount item, which Odoo makes by account, analytics and taxes."""
        if not base_line["tax_ids"]:
            return base_line
        taxes = base_line["tax_ids"]._origin
        lines = self.invoice_line_ids.filtered(
            lambda line: (
                line.display_type == "product"
                and line.account_id == base_line["account_id"]
                and (line.analytic_distribution or {}) == (base_line["analytic_distribution"] or {})
                and line.tax_ids._origin.filtered(lambda tax: tax.amount_type != "fixed") == taxes
            )
        )
        amounts = {line: line._finance_tax_known_amounts() for line in lines}
        if any(amounts.values()):
            keys = self.env["finance.tax.jurisdiction"]._keys_of(taxes.flatten_taxes_hierarchy())
            engine = {str(tax_id) for tax_id in keys}
            self._finance_tax_spare(
                base_line, lines, {line: known & engine for line, known in amounts.items()}
            )
        return base_line

    def _finance_tax_early_discount(self):
        """A credit note is taxed on what is left of the price where its invoice was."""
        carried = (
            line.extra_tax_data
            for line in self._finance_tax_original_move()._finance_tax_lines()
            if is_carrier(line.extra_tax_data)
        )
        original = next(carried, None)
        if original:
            return Decimal(repr(original.get(EARLY_DISCOUNT, 0.0)))
        return super()._finance_tax_early_discount()
