from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    finance_export_regions = fields.Char(
        "Regions for Exported Data",
        help="Where data of this company may go: eu-central-1, de, say, with commas in between. Empty:"
        " wherever odoo.conf allows (finance_export_regions).",
    )
