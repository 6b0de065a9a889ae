from odoo import api, models
from odoo.tools import SQL


class FinanceBankEntry(models.Model):
    """What an entry knows of a person, and what is left of it when that is erased.

    Amounts, days, ids of the bank and what became of it stay. So does the fingerprint, a digest of
    all that the entry says at once: without it the same file would be entered twice.
    """

    _name = "finance.bank.entry"
    _inherit = ["finance.bank.entry", "finance.personal.mixin"]

    @api.model
    def _personal_words(self):
        return self.env._("Names, accounts and texts of counterparties on bank entries")

    @api.model
    def _personal_of(self, subject):
        banks = self.env["res.partner.bank"].sudo().with_context(active_test=False)
        numbers = banks.search([("partner_id", "in", subject.partners.ids)])
        found = SQL(
            """
            line_id IN (SELECT l.id FROM account_bank_statement_line l
                         WHERE l.partner_id = ANY(%s))
            OR partner_account = ANY(%s)
            """,
            subject.partners.ids,
            numbers.mapped("sanitized_acc_number"),
        )
        told = SQL("(detail IS NOT NULL OR remittance IS NOT NULL OR partner_name IS NOT NULL)")
        return self._select(SQL("(%s) AND %s AND %s", found, subject.of_companies(), told))

    def _erase_personal(self, basis):
        self._empty(
            "partner_name", "partner_account", "partner_bic", "remittance", "detail",
            "end_to_end_id", "mandate", "creditor_references", "customer_reference",
        )  # fmt: skip
