from odoo import api, fields, models
from odoo.fields import Domain

# What changes who holds a role; `role` is the choice on the user form.
WATCHED = {"group_ids", "active", "role"}


READERS = ",".join(
    (
        "base.group_erp_manager",
        "finance_connector_base.group_administrator",
        "finance_connector_base.group_auditor",
    )
)


class ResUsers(models.Model):
    """Changes of who holds our roles are audit events; roles that conflict are shown."""

    _inherit = "res.users"

    finance_roles = fields.Char(
        "Roles in Finance Connect", compute="_compute_finance_roles", groups=READERS
    )
    finance_conflicts = fields.Text(
        "Conflicting roles", compute="_compute_finance_roles", groups=READERS
    )
    finance_in_conflict = fields.Boolean(
        "Has conflicting roles",
        compute="_compute_finance_roles",
        search="_search_finance_in_conflict",
        groups=READERS,
    )

    @api.depends("group_ids", "active")
    @api.depends_context("lang")
    def _compute_finance_roles(self):
        roles = self.env["finance.role"]._roles()
        # of what stands on the form, saved or not
        held = {user: roles & user.sudo().all_group_ids._origin for user in self}
        active = {user: set(found.ids) for user, found in held.items() if user.active}
        conflicts = self.env["finance.role"]._conflicts_of(active)
        for user in self:
            found = conflicts.get(user, [])
            user.finance_roles = ", ".join(held[user].mapped("name"))
            user.finance_conflicts = "\n".join(why for _first, _second, why in found)
            user.finance_in_conflict = bool(found)

    @api.model
    def _search_finance_in_conflict(self, operator, value):
        if operator != "in":
            return NotImplemented
        roles = self.env["finance.role"]
        ids = [user for user, found in roles._conflicts_of(roles._held()).items() if found]
        return Domain("id", "in" if True in value else "not in", ids)

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
        with self.env["finance.role"]._watched(leaving=self.sudo()):
            return super().unlink()
