"""What matching knows of a person, and what is left of it when that is erased."""

from odoo import api, models
from odoo.tools import SQL


class FinanceBankLesson(models.Model):
    _name = "finance.bank.lesson"
    _inherit = ["finance.bank.lesson", "finance.personal.mixin"]

    @api.model
    def _personal_words(self):
        return self.env._("Accounts and names learned from bank matches")

    @api.model
    def _personal_of(self, subject):
        return self._select(
            SQL(
                "partner_id = ANY(%s) AND %s AND example IS NOT NULL",
                subject.partners.ids,
                subject.of_companies(),
            )
        )

    def _erase_personal(self, basis):
        """Nothing is matched by it any more; that there was a lesson stays."""
        self.env.cr.execute(
            "UPDATE finance_bank_lesson SET key = 'erased:' || id, example = NULL, active = false"
            " WHERE id = ANY(%s)",
            [self.ids],
        )
        self.invalidate_model(["key", "example", "active"])


class FinanceBankMatch(models.Model):
    _name = "finance.bank.match"
    _inherit = ["finance.bank.match", "finance.personal.mixin"]

    @api.model
    def _personal_words(self):
        return self.env._("Names and accounts in the reasons of bank matches")

    @api.model
    def _personal_of(self, subject):
        return self._select(
            SQL(
                "partner_id = ANY(%s) AND %s AND reasons IS NOT NULL",
                subject.partners.ids,
                subject.of_companies(),
            )
        )

    def _erase_personal(self, basis):
        self._empty("reasons")
