"""Whose rights an export reads with: one's own, or those that an administrator has lent."""

from odoo import api, models
from odoo.exceptions import AccessError

ADMINISTRATOR = "finance_connector_base.group_administrator"
# What decides what is read with those rights, and where it goes.
GUARDED = {"user_id", "company_ids", "connector_id", "feed_ids"}


class FinanceExport(models.Model):
    _inherit = "finance.export"

    @api.model_create_multi
    def create(self, vals_list):
        exports = super().create(vals_list)
        exports._check_reader()
        return exports

    def write(self, vals):
        result = super().write(vals)
        if GUARDED & vals.keys():
            self._check_reader()
        return result

    # Not a constraint: those are checked as superuser, who may do everything.
    def _check_reader(self):
        """Nobody reads with the rights of somebody else by making, or changing, an export."""
        user = self.env.user
        if self.env.su or user.has_group(ADMINISTRATOR):
            return
        for export in self.filtered(lambda export: export.user_id != user):
            self.env["finance.denied.action"]._deny("export.lent", "group", export)
            raise AccessError(
                self.env._(
                    "%(export)s reads with the rights of %(reader)s. Choose yourself, or ask an "
                    "administrator of Finance Connect: nobody else lets it read as another person, "
                    "or changes what it reads then and where that goes.",
                    export=export.name,
                    reader=export.sudo().user_id.name,
                )
            )
