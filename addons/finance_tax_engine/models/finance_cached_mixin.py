from odoo import api, models


class FinanceCachedMixin(models.AbstractModel):
    """Rows that are read through ``ormcache``: whoever changes one empties the caches.

    ``_cached_fields``: names of what is kept in caches; None for any field.
    """

    _name = "finance.cached.mixin"
    _description = "Rows Kept in Caches"
    _cached_fields = None

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        self.env.registry.clear_cache()
        return records

    def write(self, vals):
        result = super().write(vals)
        if self._cached_fields is None or self._cached_fields & vals.keys():
            self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result
