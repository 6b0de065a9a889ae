from odoo import fields, models


class AccountFiscalPosition(models.Model):
    """What invoices without tax need before they rely on a VAT number."""

    _inherit = "account.fiscal.position"

    finance_vat_policy = fields.Selection(
        [
            ("none", "Not checked"),
            ("warn", "Post, and ask for a decision"),
            ("block", "Do not post"),
        ],
        string="VAT number not valid",
        default="none",
        required=True,
        help="What happens when an invoice is posted to a customer whose VAT number is missing or"
        " invalid at its registry. Other than “Not checked”, the supplies are listed for the"
        " recapitulative statement.",
    )
    finance_vat_unknown = fields.Selection(
        [("post", "Post, and check again later"), ("refuse", "Do not post")],
        string="Registry does not answer",
        default="post",
        required=True,
    )
    finance_transport_proof = fields.Boolean(
        "Goods need a proof of transport",
        help="A valid number supports an exemption, but does not prove it: goods must have left"
        " for another member state. A proof that is not attached in time is asked for.",
    )
    finance_transport_days = fields.Integer("Proof within (days)", default=30)
    finance_vat_triangular = fields.Boolean(
        "Triangular trade", help="Listed as such in the recapitulative statement."
    )
