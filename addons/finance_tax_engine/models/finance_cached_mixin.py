from odoo import api, models


class FinanceCachedMixin(models.AbstractModel):
    """Rows that are read through ``ormcache``: whoever changes one empties the caches."""

    _name = "finance.cached.mixin"
    _description = "Rows Kept in Caches"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        self.env.registry.clear_cache()
        return records

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result
