from odoo import fields, models


class FinanceExportFile(models.Model):
    """One file of a batch, sealed in the filestore until its retention ends."""

    _name = "finance.export.file"
    _description = "Exported File"
    _order = "run_id desc, id"

    run_id = fields.Many2one(
        "finance.export.run", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="run_id.company_id", store=True, index=True)
    export_feed_id = fields.Many2one("finance.export.feed", readonly=True, ondelete="set null")
    name = fields.Char(required=True, readonly=True)
    feed = fields.Char("Feed's Code", readonly=True)
    schema_version = fields.Integer(readonly=True)
    entity_id = fields.Many2one("res.company", "Company", readonly=True, ondelete="set null")
    period = fields.Char(readonly=True)
    mode = fields.Char(readonly=True)
    rows = fields.Integer(readonly=True)
    deletions = fields.Integer(readonly=True)
    bytes = fields.Integer(readonly=True)
    sha256 = fields.Char("SHA-256", readonly=True)
    kept = fields.Boolean(readonly=True, help="The file is still here.")
