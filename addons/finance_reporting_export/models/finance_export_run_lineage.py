"""Lineage of a batch that was stopped: it has a FAIL event, kept here for download."""

from odoo import models

from ..manifest import openlineage


class FinanceExportRun(models.Model):
    _inherit = "finance.export.run"

    def _stop(self, state):
        super()._stop(state)
        words = dict(self._fields["state"].selection)[state]
        content = openlineage.write(self._batch(self._schemas()), self._clock(), words)
        self._write_small(openlineage.NAME, content)
