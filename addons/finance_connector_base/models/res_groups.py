from odoo import api, models

# What changes who holds a role.
WATCHED = {"user_ids", "all_user_ids", "implied_ids", "implied_by_ids", "privilege_id"}


class ResGroups(models.Model):
    """Changes of who holds our roles are audit events."""

    _inherit = "res.groups"

    @api.model_create_multi
    def create(self, vals_list):
        with self.env["finance.role"]._watched():
            return super().create(vals_list)

    def write(self, vals):
        if not vals.keys() & WATCHED:
            return super().write(vals)
        with self.env["finance.role"]._watched():
            return super().write(vals)

    def unlink(self):
        with self.env["finance.role"]._watched():
            return super().unlink()
