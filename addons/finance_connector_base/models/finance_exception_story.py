from odoo import models

from .finance_timeline_mixin import OF_QUESTION


class FinanceException(models.Model):
    """An exception leads to the story of its document."""

    _name = "finance.exception"
    _inherit = ["finance.exception", "finance.timeline.mixin"]

    def _finance_timeline_of(self):
        model = self.env.get(self.document_model)
        if model is None or not hasattr(model, "_finance_traces"):
            return self
        return model.browse(self.document_id).exists() or self

    def _finance_situations(self):
        return {
            row.id: OF_QUESTION.get(row.question, row.question) if row.state == "open" else "done"
            for row in self
        }

    def _finance_traces(self):
        return [trace for trace in self.sudo().mapped("trace_id") if trace]
