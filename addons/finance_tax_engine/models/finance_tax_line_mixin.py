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

    def _finance_tax_carried(self):
        """Tell whether the line carries amounts of a tax engine that still fit it."""
        self.ensure_one()
        facts = self._finance_tax_facts() | {"currency_id": self.currency_id}
        return is_carrier(self.extra_tax_data) and still_fits(
            self.extra_tax_data, facts, self.tax_ids.flatten_taxes_hierarchy()
        )
