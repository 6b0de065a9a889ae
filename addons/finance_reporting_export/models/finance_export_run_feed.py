"""How a run tells one feed: all of it or what has changed, since when, and why so."""

from odoo import api, fields, models

from .finance_export_feed import MODES


class FinanceExportRunFeed(models.Model):
    _name = "finance.export.run.feed"
    _description = "Feed of a Run"
    _order = "run_id desc, id"
    _rec_name = "feed"

    run_id = fields.Many2one(
        "finance.export.run", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="run_id.company_id", store=True, index=True)
    export_feed_id = fields.Many2one(
        "finance.export.feed", readonly=True, index=True, ondelete="set null"
    )
    feed = fields.Char("Feed's Code", required=True, readonly=True)
    mode = fields.Selection(MODES, required=True, readonly=True)
    reason = fields.Char("Code of the Reason", readonly=True)
    reason_words = fields.Char("Why Everything", compute="_compute_reason_words")
    since = fields.Char(readonly=True, help="PostgreSQL's snapshot that an increment begins at.")
    rows = fields.Integer(readonly=True)
    deletions = fields.Integer(readonly=True)
    # What becomes the watermark of the export's feed when the run is delivered.
    schema = fields.Text(readonly=True, help="Columns of the files, as canonical JSON.")
    definition = fields.Char(readonly=True)
    database = fields.Char(readonly=True)
    recorders = fields.Char(readonly=True)

    @api.depends("reason")
    @api.depends_context("lang")
    def _compute_reason_words(self):
        words = self._reasons()
        for step in self:
            step.reason_words = words.get(step.reason, step.reason)

    @api.model
    def _reasons(self):
        """Return {code: why everything is told where only changes were wanted}."""
        _ = self.env._
        return {
            "asked": _("Everything was asked for."),
            "first": _("The receiver has nothing of this feed yet."),
            "elsewhere": _("The database was restored, copied or moved to another server."),
            "overtaken": _("The receiver had later batches than this database knows."),
            "counter": _("The database's counter of transactions went back, or far ahead."),
            "definition": _(
                "The columns, the companies, the mappings or the rights of this feed are not those"
                " of the last delivery."
            ),
            "recorders": _("Deletions were not recorded since the last delivery."),
            "emptied": _("A table was emptied at once since the last delivery."),
            "computed": _("This feed is computed as a whole: it has no rows that change."),
        }
