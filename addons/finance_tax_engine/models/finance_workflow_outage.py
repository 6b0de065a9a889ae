from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import float_compare

OUTAGE = [
    ("refuse", "Refuse to post"),
    ("fallback", "Post with the last known rates"),
    ("engine", "Post with the tax of another engine"),
]


class FinanceWorkflow(models.Model):
    """What happens to documents while the tax engine does not answer."""

    _inherit = "finance.workflow"

    tax_outage = fields.Selection(
        OUTAGE,
        string="When the engine does not answer",
        default="refuse",
        help="The last known rates are those of the destination; where none is known, the line's own"
        " taxes. Documents posted this way are not recorded at the engine until it has been asked.",
    )
    tax_fallback_connector_id = fields.Many2one(
        "finance.connector",
        string="Fallback engine",
        domain=lambda self: [("provider", "in", self.env["finance.connector"]._tax_engines())],
        ondelete="restrict",
        help="Asked instead; a connector of Fixed rates needs nobody outside. It records nothing.",
    )
    tax_outage_limit = fields.Monetary(
        "Refuse above",
        currency_field="tax_currency_id",
        help="Documents of more, without tax, are never posted without the engine. 0: no limit.",
    )
    tax_currency_id = fields.Many2one(related="company_id.currency_id")

    @api.constrains("tax_outage", "tax_fallback_connector_id", "connector_id", "company_id")
    def _check_fallback_engine(self):
        for workflow in self.filtered(lambda row: row.tax_outage == "engine"):
            engine = workflow.tax_fallback_connector_id
            if engine and engine != workflow.connector_id and workflow._is_served_by(engine):
                continue
            raise ValidationError(
                self.env._(
                    "%(workflow)s: choose another tax engine that serves %(company)s for the time"
                    " when %(connector)s does not answer, or another policy.",
                    workflow=workflow.display_name,
                    company=workflow.company_id.name,
                    connector=workflow.connector_id.name,
                )
            )

    def _is_served_by(self, connector):
        companies = self.company_id.sudo().parent_ids & connector.sudo().company_ids
        return bool(companies) and connector.provider in connector._tax_engines()

    def _tax_never_without_engine(self, document):
        """Tell whether a document is too large to be posted while the engine does not answer."""
        company = document.company_id.currency_id
        limit = self.tax_outage_limit
        amount = abs(document.amount_untaxed_signed)
        return bool(limit) and float_compare(amount, limit, company.decimal_places) > 0
