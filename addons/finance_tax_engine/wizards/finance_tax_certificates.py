"""What an engine keeps of a customer's certificates."""

from odoo import fields, models


class FinanceTaxCertificates(models.TransientModel):
    """Shows the certificates that an engine keeps of a customer; nothing is changed."""

    _name = "finance.tax.certificates"
    _description = "Certificates at the Engine"

    partner_id = fields.Many2one("res.partner", required=True, readonly=True, ondelete="cascade")
    line_ids = fields.One2many("finance.tax.certificate", "list_id", readonly=True)


class FinanceTaxCertificate(models.TransientModel):
    """One of them."""

    _name = "finance.tax.certificate"
    _description = "Certificate at the Engine"

    list_id = fields.Many2one("finance.tax.certificates", required=True, ondelete="cascade")
    number = fields.Char(readonly=True)
    country = fields.Char(readonly=True)
    region = fields.Char("State", readonly=True)
    reason = fields.Char(readonly=True)
    valid = fields.Boolean("Counts today", readonly=True)
    start = fields.Date("From", readonly=True)
    end = fields.Date("To", readonly=True)
