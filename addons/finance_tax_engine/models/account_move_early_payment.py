from collections import defaultdict
from decimal import Decimal

from odoo import models

from ..canonical.carrier import converted
from .account_tax import is_carrier


class AccountMove(models.Model):
    """A payment within the discount days takes back its part of each authority's tax."""

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
