from odoo import api, models
from odoo.tools import SQL

# Labels of these may still be sent, and are part of what was approved.
IN_USE = ("draft", "submitted", "approved")


class FinanceMappingLine(models.Model):
    """Names of contacts in lines are erased, labels in versions that nobody uses; codes stay."""

    _name = "finance.mapping.line"
    _inherit = ["finance.mapping.line", "finance.personal.mixin"]

    @api.model
    def _personal_words(self):
        return self.env._("Names of contacts in mappings")

    @api.model
    def _personal_of(self, subject):
        return self._select(
            SQL(
                """
                res_model = 'res.partner' AND res_id = ANY(%s) AND %s
                AND (record_words IS NOT NULL OR label IS NOT NULL AND version_id IN (
                    SELECT id FROM finance_mapping_version WHERE state <> ALL(%s)))
                """,
                subject.partners.ids,
                subject.of_companies(),
                list(IN_USE),
            )
        )

    def _erase_personal(self, basis):
        self._empty("record_words")
        self.filtered(lambda line: line.version_id.state not in IN_USE)._empty("label")
