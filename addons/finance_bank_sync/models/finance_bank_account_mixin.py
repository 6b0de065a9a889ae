"""Which ledger accounts belong to a bank account, and what is known of it: set-based."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

import pytz

from odoo import api, models
from odoo.tools import SQL

MONEY_JOURNALS = ("bank", "credit", "cash")


@dataclass(frozen=True)
class Family:
    """The ledger accounts of one bank account (a journal).

    bank, suspense: ids of accounts, 0 without one. outstanding: ids of accounts that payments of
    the journal wait on. shared: those of all of them that other journals use too; of these only
    entries of the journal belong to it. companies: ids of its company and the branches of it.
    """

    journal: int
    bank: int
    suspense: int
    outstanding: frozenset
    shared: frozenset = field(default_factory=frozenset)
    companies: tuple = ()

    @property
    def waiting(self):
        """The accounts on which something waits: outstanding payments and suspense."""
        return [*sorted(self.outstanding), *filter(None, [self.suspense])]

    def condition(self, accounts, alias="line"):
        """Return the SQL condition that a journal item is on ``accounts`` and of this family."""
        line = SQL.identifier(alias)
        shared = [account for account in accounts if account in self.shared]
        return SQL(
            "%(line)s.account_id = ANY(%(all)s) AND %(line)s.company_id = ANY(%(companies)s)"
            " AND (%(line)s.journal_id = %(journal)s OR NOT %(line)s.account_id = ANY(%(shared)s))",
            line=line,
            all=list(accounts),
            companies=list(self.companies),
            journal=self.journal,
            shared=shared,
        )


class FinanceBankAccountMixin(models.AbstractModel):
    """What reconciliation statements, balance proofs and cash positions ask about journals."""

    _name = "finance.bank.account.mixin"
    _description = "Facts of Bank Accounts"

    @api.model
    def _money_journals(self, companies):
        """Return the journals of bank accounts, cards and cash of ``companies``."""
        domain = [("type", "in", MONEY_JOURNALS), ("company_id", "in", companies.ids)]
        return self.env["account.journal"].sudo().search(domain, order="company_id, sequence, id")

    @api.model
    def _currency_of(self, journal):
        """Return the currency that the account is kept in."""
        return journal.currency_id or journal.company_id.currency_id

    @api.model
    def _families(self, journals):
        """Return {journal id: `Family`} with a few queries, however many journals."""
        users = self._users_of_accounts(journals)
        outstanding = defaultdict(set)
        for journal, account, role in users:
            if role == "outstanding":
                outstanding[journal].add(account)
        journals_of = defaultdict(set)
        for journal, account, _role in users:
            journals_of[account].add(journal)
        shared = frozenset(account for account, own in journals_of.items() if len(own) > 1)
        branches = self._branches(journals.company_id)
        families = {}
        for journal in journals.sudo():
            bank, suspense = journal.default_account_id.id, journal.suspense_account_id.id
            own = outstanding[journal.id] - {bank, suspense}
            mine = {bank, suspense, *own} & shared
            families[journal.id] = Family(
                journal.id,
                bank or 0,
                suspense or 0,
                frozenset(own),
                frozenset(mine),
                branches[journal.company_id.id],
            )
        return families

    def _branches(self, companies):
        """Return {company id: ids of it and its branches}."""
        everyone = self.env["res.company"].sudo().search([("id", "child_of", companies.ids)])
        found = defaultdict(list)
        for company in everyone:
            for parent in map(int, filter(None, (company.parent_path or "").split("/"))):
                found[parent].append(company.id)
        return {company.id: tuple(found[company.id]) for company in companies}

    def _users_of_accounts(self, journals):
        """Return [(journal id, account id, role)] of all journals that share accounts with these.

        Payments without an account of their own wait on the chart's: what payments really used
        counts as well as what the payment methods say.
        """
        self.env.flush_all()
        return self.env.execute_query(
            SQL(
                """
                WITH used AS (
                    SELECT id AS journal_id, default_account_id AS account_id, 'bank' AS role
                      FROM account_journal WHERE type = ANY(%(types)s)
                     UNION
                    SELECT id, suspense_account_id, 'suspense'
                      FROM account_journal WHERE type = ANY(%(types)s)
                     UNION
                    SELECT journal_id, payment_account_id, 'outstanding'
                      FROM account_payment_method_line
                     UNION
                    SELECT journal_id, outstanding_account_id, 'outstanding' FROM account_payment
                )
                SELECT journal_id, account_id, role FROM used
                 WHERE account_id IS NOT NULL AND journal_id IS NOT NULL AND account_id IN (
                    SELECT account_id FROM used WHERE journal_id = ANY(%(journals)s))
                """,
                types=list(MONEY_JOURNALS),
                journals=journals.ids,
            )
        )

    @api.model
    def _zone_of(self, company):
        """Return the name of the time zone of a company."""
        return company.sudo().partner_id.tz or self.env.user.tz or "UTC"

    @api.model
    def _end_of(self, company, day):
        """Return the moment (UTC, without zone) at which ``day`` is over where a company is."""
        local = pytz.timezone(self._zone_of(company)).localize(
            datetime.combine(day + timedelta(days=1), time.min)
        )
        return local.astimezone(pytz.utc).replace(tzinfo=None)

    @api.model
    def _is_account_in_company_currency(self, journal):
        return self._currency_of(journal) == journal.company_id.currency_id

    @api.model
    def _amount_of_line(self, journal, alias="line"):
        """Return SQL for the amount of a journal item in the currency of the account, or NULL."""
        if self._is_account_in_company_currency(journal):
            return SQL.identifier(alias, "balance")
        return SQL(
            "CASE WHEN %s = %s THEN %s END",
            SQL.identifier(alias, "currency_id"),
            self._currency_of(journal).id,
            SQL.identifier(alias, "amount_currency"),
        )
