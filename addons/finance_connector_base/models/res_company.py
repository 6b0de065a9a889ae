from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    finance_exception_user_id = fields.Many2one(
        "res.users",
        string="Owner of Exceptions",
        ondelete="set null",
        domain="[('share', '=', False), ('company_ids', 'in', id)]",
        help="Gets the exceptions that neither a rule nor a connector gives to somebody else.",
    )
