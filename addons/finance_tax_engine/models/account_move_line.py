from odoo import api, models


class AccountMoveLine(models.Model):
    _name = "account.move.line"
    _inherit = ["account.move.line", "finance.tax.line.mixin"]

    @api.depends("extra_tax_data")
    def _compute_totals(self):
        """Odoo does not know that the totals depend on the carried amounts."""
        return super()._compute_totals()

    def _finance_tax_is_taxed(self):
        # Odoo splits the tax of down payments itself.
        key = (self.extra_tax_data or {}).get("computation_key") or ""
        return self.display_type == "product" and not key.startswith("down_payment")

    def _finance_tax_facts(self):
        return {
            "price_unit": self.price_unit,
            "discount": self.discount,
            "quantity": self.quantity,
        }

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
