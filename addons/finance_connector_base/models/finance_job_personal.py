"""What jobs keep of persons, and how it is erased."""

from odoo import api, models
from odoo.tools import SQL

from .finance_job import FINISHED


class FinanceJob(models.Model):
    _inherit = "finance.job"

    @api.model
    def _personal_words(self):
        return self.env._("Requests, answers, references and proofs of finished jobs")

    @api.model
    def _personal_of(self, subject):
        return self._select(
            SQL(
                """
                state IN %s AND %s AND %s AND (
                    request_sealed IS NOT NULL OR answer_sealed IS NOT NULL
                    OR error_text IS NOT NULL OR done_outside_ref IS NOT NULL
                    OR EXISTS (SELECT FROM ir_attachment WHERE res_model = 'finance.job'
                                  AND res_id = finance_job.id))
                """,
                FINISHED,
                subject.of_companies(),
                subject.about(("document_model", "document_id"), ("res_model", "res_id")),
            )
        )

    def _erase_personal(self, basis):
        proofs = [("res_model", "=", self._name), ("res_id", "in", self.ids)]
        self.env["ir.attachment"].sudo().search(proofs).unlink()
        self._empty(
            "request_sealed", "request_digest", "answer_sealed", "error_text", "done_outside_ref"
        )

    @api.model
    def _personal_traces(self, subject):
        about = subject.about(("document_model", "document_id"), ("res_model", "res_id"))
        query = SQL("SELECT DISTINCT trace_id FROM finance_job WHERE %s", about)
        return [trace for (trace,) in self.env.execute_query(query)]
