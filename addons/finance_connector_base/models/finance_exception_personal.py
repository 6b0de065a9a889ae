from odoo import api, models
from odoo.tools import SQL


class FinanceException(models.Model):
    """What closed exceptions say of a person is erased; that there was one stays."""

    _inherit = "finance.exception"

    @api.model
    def _personal_words(self):
        return self.env._("Words, reasons and notes of closed exceptions")

    @api.model
    def _personal_of(self, subject):
        return self._select(
            SQL(
                """
                state <> 'open' AND %s AND (partner_id = ANY(%s) OR %s)
                AND (params <> '{}' OR close_reason IS NOT NULL OR EXISTS (
                    SELECT FROM mail_message WHERE model = 'finance.exception'
                       AND res_id = finance_exception.id))
                """,
                subject.of_companies(),
                subject.partners.ids,
                subject.about(("document_model", "document_id")),
            )
        )

    def _erase_personal(self, basis):
        self.message_ids.unlink()
        self.env["ir.attachment"].sudo().search(
            [("res_model", "=", self._name), ("res_id", "in", self.ids)]
        ).unlink()
        self._empty("close_reason", params="{}")

    @api.model
    def _personal_traces(self, subject):
        condition = SQL(
            "trace_id IS NOT NULL AND (partner_id = ANY(%s) OR %s)",
            subject.partners.ids,
            subject.about(("document_model", "document_id")),
        )
        return self._select(condition).mapped("trace_id")
