from odoo import api, fields, models

from odoo.addons.finance_connector_base.canonical import codec

from ..canonical.tax import RECORDED, SAVED, TaxResult

ACTIONS = [
    ("recorded", "Recorded"),
    ("adjusted", "Recorded again"),
    ("voided", "Made void"),
    ("unvoided", "Void undone"),
    ("uncommitted", "Taken out of the return"),
    ("by_hand", "Done at the engine by hand"),
]


class FinanceTaxVersion(models.Model):
    """What an engine came to have of a document: when, under which code, with which tax.

    One row for each change at the engine, in the order of its answers; never changed.
    """

    _name = "finance.tax.version"
    _description = "Version of a Tax Document"
    _order = "document_id, id desc"

    document_id = fields.Many2one(
        "finance.tax.document", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="document_id.company_id", store=True, index=True)
    connector_id = fields.Many2one(related="document_id.connector_id", store=True)
    move_id = fields.Many2one(related="document_id.move_id", store=True, index="btree_not_null")
    currency_id = fields.Many2one(related="document_id.currency_id", store=True)
    number = fields.Integer("Version", readonly=True)
    action = fields.Selection(ACTIONS, readonly=True, required=True)
    at = fields.Datetime("When", readonly=True, required=True, default=fields.Datetime.now)
    code = fields.Char("Code at the engine", readonly=True)
    engine_id = fields.Char("Id at the engine", readonly=True)
    counts = fields.Boolean(
        "In the return", readonly=True, help="The engine declares it with the next return."
    )
    amount_tax = fields.Monetary("Tax", readonly=True)
    amount_taxable = fields.Monetary("Taxable", readonly=True)
    result = fields.Text(readonly=True, groups="base.group_system")

    @api.depends("document_id", "number")
    def _compute_display_name(self):
        for version in self:
            version.display_name = f"{version.document_id.display_name} #{version.number}"

    @api.model
    def _keep(self, document, action, result=None, code=None):
        """Add the version that ``result``, a `TaxResult`, tells of; None: nothing is known of it."""
        values = {
            "document_id": document.id,
            "number": len(document.version_ids) + 1,
            "action": action,
            "code": result.code if result else code,
        }
        if result:
            counts = result.status == RECORDED
            values |= {
                "engine_id": result.engine_id,
                "counts": counts,
                "amount_tax": float(result.total_tax) if counts or result.status == SAVED else 0.0,
                "amount_taxable": float(result.total_taxable) if counts else 0.0,
                "result": codec.dump(result),
            }
        return self.sudo().create(values)

    def _result(self):
        """Return the engine's `TaxResult`, None when a person did it by hand."""
        text = self.sudo().result
        return codec.load(TaxResult, text) if text else None


class FinanceTaxDocument(models.Model):
    _inherit = "finance.tax.document"

    version_ids = fields.One2many("finance.tax.version", "document_id", readonly=True)

    def _recorded(self, result):
        self.env["finance.tax.version"]._keep(self, "recorded", result)
        return super()._recorded(result)

    def _voided(self, result):
        self.env["finance.tax.version"]._keep(self, "voided", result)
        return super()._voided(result)

    def _done_by_hand(self, operation, day):
        for document in self:
            self.env["finance.tax.version"]._keep(document, "by_hand", code=document._code())
        return super()._done_by_hand(operation, day)
