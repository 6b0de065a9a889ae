import re

from odoo import SUPERUSER_ID, api, models

ACCOUNTS = ("bank", "cash", "credit")
# A number shorter than this is the end of too many IBANs.
SHORTEST = 6


class AccountJournal(models.Model):
    _inherit = "account.journal"

    @api.model
    def _finance_bank_journals(self, statements, chosen=None):
        """Return ([journal of each of ``statements``], None), or ([], reason) of a refusal.

        An account is known by its IBAN or number and its currency, each statement by its own:
        two accounts in one file go to two journals. chosen: by a person; it must be the account
        that the file names, where it names one.
        """
        known = self._finance_accounts()
        found = []
        for number, statement in enumerate(statements, start=1):
            if chosen:
                journal, code = chosen._finance_check_chosen(statement)
            else:
                journal, code = known._finance_of_account(statement)
            if not code and journal._finance_bank_currency().name != _currency(statement, journal):
                code = "account.currency"
            if not code and journal.restrict_mode_hash_table:
                code = "account.hashed"
            if code:
                return [], self._finance_refusal(code, number, statement, journal)
            found.append(journal)
        return found, None

    @api.model
    def _finance_accounts(self):
        """Return the journals with an account number, of all companies, as superuser."""
        domain = [("type", "in", ACCOUNTS), ("bank_account_id", "!=", False)]
        return self.sudo().search(domain)

    def _finance_bank_currency(self):
        """Return the currency that the account is kept in."""
        return self.currency_id or self.company_id.sudo().currency_id

    def _finance_bank_dates(self):
        """Return by which date the lines of this account post: "booking" or "value"."""
        return self.env["finance.bank.policy"]._of(self).booking_date or "booking"

    def _finance_of_account(self, statement):
        """Return (journal, "") of the account of a statement, or (what comes near, code)."""
        identifier = statement.account.identifier
        none = self.browse()
        if not identifier:
            return none, "account.missing"
        same = self.filtered(lambda one: one._finance_number() == _plain(identifier))
        same = same or self.filtered(lambda one: one._finance_is_account(identifier))
        if not same:
            return none, "account.unknown"
        own = same.filtered(lambda one: one._finance_is_reachable())
        if not own:
            return none, "account.company"
        fitting = own.filtered(
            lambda one: one._finance_bank_currency().name == _currency(statement, one)
        )
        if not fitting:
            return own[0], "account.currency"
        if len(fitting) > 1:
            return none, "account.ambiguous"
        return fitting, ""

    def _finance_check_chosen(self, statement):
        if not self.sudo()._finance_is_reachable():
            return self, "account.company"
        if self.sudo().type not in ACCOUNTS:
            return self, "account.type"
        identifier = statement.account.identifier
        if identifier and self.sudo()._finance_number():
            if not self.sudo()._finance_is_account(identifier):
                return self, "account.other"
        return self.sudo(), ""

    def _finance_is_reachable(self):
        """Whether the user works for the company; the system itself works for all."""
        return self.env.uid == SUPERUSER_ID or self.company_id in self.env.user.company_ids

    def _finance_number(self):
        return _plain(self.bank_account_id.acc_number or "")

    def _finance_is_account(self, identifier):
        """Whether an IBAN or number names this account; a number may be the end of an IBAN."""
        short, long = sorted((self._finance_number(), _plain(identifier)), key=len)
        core = short.lstrip("0")
        return short == long or (len(core) >= SHORTEST and long.endswith(core))

    @api.model
    def _finance_refusal(self, code, number, statement, journal):
        return {
            "code": code,
            "statement": number,
            "account": statement.account.identifier,
            "currency": _currency(statement, journal),
            "journal": journal.sudo().display_name or "",
            "journal_account": journal.sudo().bank_account_id.acc_number or "",
            "journal_currency": journal._finance_bank_currency().name if journal else "",
        }


def _plain(text):
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _currency(statement, journal):
    """The currency that a statement names; that of the journal where it names none."""
    named = statement.currency or statement.account.currency
    return named or (journal._finance_bank_currency().name if journal else "")
