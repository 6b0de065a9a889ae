from odoo import api, fields, models


class FinanceWorkflow(models.Model):
    """What a company decides about its tax engine."""

    _inherit = "finance.workflow"

    tax_account_id = fields.Many2one(
        "account.account",
        string="Sales tax account",
        check_company=True,
        help="Where new taxes of jurisdictions are booked. Empty: the account of the company's"
        " default sales tax.",
    )
    tax_calculates = fields.Boolean(
        "Calculation",
        default=True,
        help="Off: the engine is not asked. Its documents are taxed by Odoo's own taxes.",
    )
    tax_records = fields.Boolean(
        "Recording",
        default=True,
        help="Off: documents get the engine's tax, and are not recorded there when posted. What was"
        " recorded before is still made void when it is taken back.",
    )
    tax_on_save = fields.Boolean(
        "When a draft is saved",
        help="Only when something that tax depends on has changed. While the engine does not answer,"
        " the draft is saved as it is, and says so.",
    )
    tax_seconds = fields.Float(
        "Answer within (s)",
        default=5.0,
        help="How long a person waits for the engine, for all documents posted together.",
    )

    @api.model
    def _flows(self):
        return super()._flows() | {"tax": self.env._("Tax")}

    def _tax_able(self, capability):
        """Tell whether the engine has a capability; see `TaxEngine.capabilities`."""
        return capability in getattr(self.connector_id._known_class(), "capabilities", ())

    def _tax_account(self, company):
        """Return the account that new taxes of jurisdictions are booked on, empty when unknown."""
        if self.tax_account_id:
            return self.tax_account_id
        default_tax = company.sudo().account_sale_tax_id
        lines = default_tax.flatten_taxes_hierarchy().invoice_repartition_line_ids
        return lines.filtered(lambda line: line.repartition_type == "tax").account_id[:1]
