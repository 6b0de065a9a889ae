from odoo import models

from .account_tax import is_carrier, still_fits


class FinanceTaxLineMixin(models.AbstractModel):
    """A line of a document that an engine taxes: it carries the engine's amounts."""

    _name = "finance.tax.line.mixin"
    _description = "Line Taxed by an Engine"

    def _finance_tax_is_taxed(self):
        """Tell whether the line is one that a tax engine taxes."""
        raise NotImplementedError

    def _finance_tax_facts(self):
        """Return what the carried amounts hang on: price_unit, discount and quantity (floats)."""
        raise NotImplementedError

    def _finance_tax_includes_tax(self):
        """Tell whether the tax is inside the price, also where the engine has found none in it."""
        if self.tax_ids:
            return any(self.tax_ids.flatten_taxes_hierarchy().mapped("price_include"))
        carried = self.extra_tax_data
        return is_carrier(carried) and "manual_total_excluded_currency" in carried

    def _finance_tax_mixes_prices(self):
        """Tell whether it can't be known how much tax the engine is to take out of the price."""
        inside = set(self.tax_ids.flatten_taxes_hierarchy().mapped("price_include"))
        return len(inside) > 1 or bool(self._finance_tax_kept())

    def _finance_tax_amount(self):
        """Return the extended amount of the line, with the tax where the price includes it."""
        if not self._finance_tax_includes_tax():
            return self.price_subtotal
        # price_total may be a cent off, where Odoo rounds globally
        price = self._finance_tax_facts()
        return self.currency_id.round(
            price["price_unit"] * (1 - price["discount"] / 100) * price["quantity"]
        )

    def _finance_tax_default_taxes(self):
        """Return the taxes that Odoo puts on the line by itself."""
        raise NotImplementedError

    def _finance_tax_kept(self):
        """Return the taxes that a person has put beside those of the engine: they stay.

        A line without any of the engine's taxes has those of its product, which the engine's
        replace; what is on top of these, where the engine has found nothing to tax, is a person's.
        On percentages of the authorities, too, the others are.
        """
        carried = self.extra_tax_data
        if is_carrier(carried):
            engine = set(carried["manual_tax_amounts"])
            if not engine:
                return self.tax_ids - self._finance_tax_default_taxes()
        elif len(self.tax_ids) > 1:
            keys = self.env["finance.tax.jurisdiction"]._keys_of(self.tax_ids._origin)
            engine = set(map(str, keys))
        else:
            engine = set()
        others = self.tax_ids.filtered(lambda tax: str(tax._origin.id) not in engine)
        return others if len(others) < len(self.tax_ids) else others.browse()

    def _finance_tax_by_hand(self):
        """Return the taxes, of groups their parts, that persons have put on any of these lines."""
        kept = self.env["account.tax"]
        for line in self:
            kept |= line._finance_tax_kept().flatten_taxes_hierarchy()
        return kept

    def _finance_tax_carried(self):
        """Tell whether the line carries amounts of a tax engine that still fit it."""
        self.ensure_one()
        facts = self._finance_tax_facts() | {"currency_id": self.currency_id}
        return is_carrier(self.extra_tax_data) and still_fits(
            self.extra_tax_data, facts, self.tax_ids.flatten_taxes_hierarchy()
        )
