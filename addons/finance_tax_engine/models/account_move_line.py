from odoo import api, models

from .account_tax import is_carrier, still_fits


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    @api.depends("extra_tax_data")
    def _compute_totals(self):
        """Odoo does not know that the totals depend on the carried amounts."""
        return super()._compute_totals()

    def _finance_tax_is_taxed(self):
        """Tell whether the line is one that a tax engine taxes."""
        down_payment = (self.extra_tax_data or {}).get("computation_key")
        return self.display_type == "product" and not down_payment

    def _finance_tax_carried(self):
        """Tell whether the line carries amounts of a tax engine that still fit it."""
        self.ensure_one()
        return is_carrier(self.extra_tax_data) and still_fits(
            self.extra_tax_data, self, self.tax_ids.flatten_taxes_hierarchy()
        )

    def _finance_tax_carry(self, extra_tax_data):
        """Put amounts on the line of a draft, None to take them off.

        Not by `write` of account.move.line: what it checks and follows (locks, hashes, balance)
        does not concern this field, and would be most of the time that posting many takes.
        """
        if self.extra_tax_data != extra_tax_data:
            models.BaseModel.write(self, {"extra_tax_data": extra_tax_data})

    def _finance_tax_tracked(self):
        """Return what Odoo watches on the line to recompute tax items."""
        return (self.tax_ids.ids, self.price_unit, self.quantity, self.discount)

    def _finance_write_changed(self, vals):
        """Write ``vals`` where one of them differs: a write of equal values costs a recompute."""
        if any(
            self._fields[name].convert_to_write(self[name], self) != vals[name] for name in vals
        ):
            self.write(vals)
