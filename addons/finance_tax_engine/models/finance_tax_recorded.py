from odoo import fields, models

from ..canonical.tax import INVOICE, REFUND

KINDS = [(INVOICE, "Invoice"), (REFUND, "Credit Note")]


class FinanceTaxRecorded(models.Model):
    """What an engine has listed so far, piece by piece, for a comparison under way.

    Nobody sees it before the list is whole; then it is compared and forgotten.
    """

    _name = "finance.tax.recorded"
    _description = "Document Listed by a Tax Engine"
    _log_access = False
    _rec_name = "code"

    reconciliation_id = fields.Many2one(
        "finance.tax.reconciliation", required=True, readonly=True, ondelete="cascade"
    )
    kind = fields.Selection(KINDS, required=True, readonly=True)
    code = fields.Char(required=True, readonly=True)
    status = fields.Char(required=True, readonly=True)
    day = fields.Date(readonly=True)
    currency = fields.Char(readonly=True)
    net = fields.Float(digits=(20, 6), readonly=True)
    tax = fields.Float(digits=(20, 6), readonly=True)
    by_key = fields.Json(readonly=True)
    locked = fields.Boolean(readonly=True)
    engine_id = fields.Char(readonly=True)

    _code_unique = models.Constraint(
        "UNIQUE (reconciliation_id, kind, code)", "A document is listed once."
    )


class FinanceTaxDocument(models.Model):
    _inherit = "finance.tax.document"

    _code_index = models.Index("(connector_id, document_code)")
