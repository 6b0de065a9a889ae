"""Whose rights an export reads with: one's own, or those that an administrator has lent."""

from odoo import api, models
from odoo.exceptions import AccessError

ADMINISTRATOR = "finance_connector_base.group_administrator"


class FinanceExport(models.Model):
    _inherit = "finance.export"

    @api.constrains("user_id")
    def _check_reader(self):
        """Nobody reads with the rights of somebody else by making an export."""
        user = self.env.user
        if self.env.su or user.has_group(ADMINISTRATOR):
            return
        for export in self.filtered(lambda export: export.user_id != user):
            raise AccessError(
                self.env._(
                    "%(export)s would read with the rights of %(reader)s. Choose yourself, or ask "
                    "an administrator of Finance Connect to choose somebody else.",
                    export=export.name,
                    reader=export.sudo().user_id.name,
                )
            )
