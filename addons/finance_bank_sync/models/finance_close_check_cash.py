"""Are all statements there, matched, proved and reviewed?"""

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.finance_connector_base.models.finance_close_check import CloseRow

from ..cash.calendar import days_without
from .finance_bank_expectation import KNOWN


class FinanceBankMissingDay(models.Model):
    """A day of a month for which no balance of an expected account is known; worked out anew when
    the month-end is looked at."""

    _name = "finance.bank.missing.day"
    _description = "Day without Bank Statement"
    _order = "day, journal_id"
    _rec_name = "day"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="cascade")
    journal_id = fields.Many2one(
        "account.journal", "Account", required=True, readonly=True, ondelete="cascade"
    )
    day = fields.Date(required=True, readonly=True)

    _day_unique = models.Constraint("UNIQUE (journal_id, day)", "A day is missing once.")

    @api.model
    def _find(self, companies, first, last):
        """Write down the days from ``first`` to ``last`` that lack for accounts with a calendar."""
        expectations = self.env["finance.bank.expectation"].sudo()
        rows = expectations.search([("company_id", "in", companies.ids)])
        last = min(last, fields.Date.context_today(self))
        now, known = fields.Datetime.now(), self._known(rows.journal_id, first, last)
        since = self._since(rows)
        missing = set()
        for row in rows:
            calendar = row._calendar()
            until = min(last, calendar.last_due(now) or first)
            covered = known.get(row.journal_id.id, set())
            begin = max(first, since[row.id])
            if until >= begin:
                days = days_without(calendar, begin, until, covered)
                missing |= {(row.journal_id, day) for day in days}
        this = self.sudo()
        stored = this.search(
            [("company_id", "in", companies.ids), ("day", ">=", first), ("day", "<=", last)]
        )
        # only what has changed is written: two people may look at the same time
        stored.filtered(lambda row: (row.journal_id, row.day) not in missing).unlink()
        there = {(row.journal_id, row.day) for row in stored.exists()}
        this.create(
            [
                {"company_id": journal.company_id.id, "journal_id": journal.id, "day": day}
                for journal, day in sorted(missing - there, key=lambda key: (key[0].id, key[1]))
            ]
        )

    def _since(self, rows):
        """Return {id: first day on which a statement was expected} of expectations.

        That of the first balance; of an account without any, the day it was expected first.
        """
        self.env.flush_all()
        told = dict(
            self.env["finance.bank.balance"]
            .sudo()
            ._read_group([("journal_id", "in", rows.journal_id.ids)], ["journal_id"], ["day:min"])
        )
        return {row.id: told.get(row.journal_id) or row.create_date.date() for row in rows}

    def _known(self, journals, first, last):
        """Return {journal id: days that are covered by a balance or a statement}."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT journal_id, day FROM finance_bank_balance
                 WHERE journal_id = ANY(%(journals)s) AND type = ANY(%(known)s)
                   AND day BETWEEN %(first)s AND %(last)s
                 UNION
                SELECT journal_id, generate_series(greatest(start_date, %(first)s::date),
                                                   least(end_date, %(last)s::date),
                                                   '1 day')::date
                  FROM finance_bank_statement
                 WHERE journal_id = ANY(%(journals)s) AND kind = 'statement'
                   AND start_date <= %(last)s AND end_date >= %(first)s
                """,
                journals=journals.ids,
                known=list(KNOWN),
                first=first,
                last=last,
            )
        )
        found = {}
        for journal, day in rows:
            found.setdefault(journal, set()).add(day)
        return found


class AccountJournal(models.Model):
    _inherit = "account.journal"

    finance_reconciliation_ids = fields.One2many(
        "finance.bank.reconciliation", "journal_id", "Reconciliation Statements", readonly=True
    )


class FinanceCloseCheck(models.TransientModel):
    """Is the bank right at the end of the month?"""

    _inherit = "finance.close.check"

    @api.model
    def _rows(self, company, period):
        _ = self.env._
        rows = super()._rows(company, period)
        journals = self.env["finance.bank.account.mixin"]._money_journals(company)
        banks = journals.filtered(lambda journal: journal.type != "cash")
        used = banks & self._told_accounts(banks)
        if not banks:
            return rows
        of_company = [("company_id", "in", company.ids)]
        until = str(period.last)
        rows += self._suspense_rows(of_company, banks, until)
        if not used:
            return rows
        self.env["finance.bank.missing.day"]._find(company, period.first, period.last)
        of_month = [*of_company, ("day", ">=", str(period.first)), ("day", "<=", until)]
        return [
            *rows,
            CloseRow(
                "bank.days",
                _("Days without bank statement"),
                _("Import the statements, or write the balance down; mend the bank link."),
                "finance.bank.missing.day",
                of_month,
                "day",
                blocks=True,
            ),
            CloseRow(
                "bank.broken",
                _("Bank balances that don't follow from each other"),
                _("An entry or a statement lacks between the two balances: import it."),
                "finance.bank.balance.proof",
                [*of_month, ("standing", "=", "broken")],
                "day",
                "gap",
                "currency_id",
                blocks=True,
            ),
            CloseRow(
                "bank.ledger",
                _("Accounts whose ledger is not what the bank says"),
                _("The reconciliation statement says why: book what lacks, or explain it there."),
                "finance.bank.balance.proof",
                [*of_month, ("is_month_last", "=", True), ("ledger_gap", "!=", 0)],
                "day",
                "ledger_gap",
                "currency_id",
            ),
            CloseRow(
                "bank.unreviewed",
                _("Accounts without a reviewed reconciliation statement"),
                _("Prepare it under Bank > Cash > Reconciliation Statements; another reviews it."),
                "account.journal",
                [
                    ("id", "in", used.ids),
                    (
                        "finance_reconciliation_ids",
                        "not any",
                        [("day", "=", until), ("state", "=", "reviewed")],
                    ),
                ],
                "create_date",
            ),
        ]

    @api.model
    def _suspense_rows(self, of_company, banks, until):
        _ = self.env._
        posted = [*of_company, ("parent_state", "=", "posted"), ("date", "<=", until)]
        return [
            CloseRow(
                "bank.unmatched",
                _("Bank lines that are not matched"),
                _("Match them in the bank screen, or say what they are."),
                "account.bank.statement.line",
                [
                    *of_company,
                    ("journal_id", "in", banks.ids),
                    ("state", "=", "posted"),
                    ("date", "<=", until),
                    ("is_reconciled", "=", False),
                ],
                "date",
                "amount",
                "currency_id",
            ),
            CloseRow(
                "bank.suspense",
                _("Other entries on the banks' suspense accounts"),
                _(
                    "Book them where they belong: a suspense account is empty at the end of a month."
                ),
                "account.move.line",
                [
                    *posted,
                    ("account_id", "in", banks.suspense_account_id.ids),
                    ("move_id.statement_line_id", "=", False),
                    ("reconciled", "=", False),
                ],
                "date",
                "balance",
            ),
        ]

    @api.model
    def _told_accounts(self, journals):
        """Return the journals whose bank has told a balance, or is expected to."""
        rows = self.env["finance.bank.balance"].sudo()._read_group(
            [("journal_id", "in", journals.ids)], ["journal_id"]
        )  # fmt: skip
        expected = self.env["finance.bank.expectation"].sudo().search(
            [("journal_id", "in", journals.ids)]
        )  # fmt: skip
        told = journals.browse(journal.id for (journal,) in rows)
        return told | expected.journal_id
