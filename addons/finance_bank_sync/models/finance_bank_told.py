"""What the bank says is on an account at the end of a day, and how that is known."""

from dataclasses import dataclass
from datetime import date, timedelta

from odoo import api, models
from odoo.tools import SQL

# Balances at the end of their day, and at its beginning (ISO 20022).
AT_END, AT_START = ("CLBD", "PRCD"), ("OPBD",)
# Entries that the bank has booked and nobody took out as told before.
COUNTED = ("received", "created", "held")


@dataclass(frozen=True)
class Told:
    """A balance per bank. amount: in the currency of the account, None when it is not known.

    basis: "stated" (the bank's closing balance of the day), "hand" (the same, written down by a
    person), "next" (from the opening balance of the next statement), "carried" (from the last
    closing balance and what was booked since), "odoo" (from a bank statement in Odoo), "missing".
    day: of the balance it comes from. balance: its id. count, moved: entries between, and their sum.
    """

    amount: float | None = None
    basis: str = "missing"
    day: date | None = None
    balance: int = 0
    count: int = 0
    moved: float = 0.0


class FinanceBankAccountMixin(models.AbstractModel):
    _inherit = "finance.bank.account.mixin"

    @api.model
    def _told(self, journal, day):
        """Return the `Told` of one journal at the end of ``day``."""
        self.env.flush_all()
        ends = self._ends(journal, day)
        exact = [end for end in ends if end[0] == day]
        if exact:
            _end, amount, source, balance, _opening = exact[0]
            basis = "hand" if source == "hand" else "odoo" if not balance else "stated"
            return Told(amount, basis, day, balance)
        if not ends:
            return Told()
        end, amount, _source, balance, opening = min(
            ends, key=lambda found: (abs((found[0] - day).days), found[0] > day)
        )
        moved, count = self._moved(journal, *sorted((end, day)))
        shown = end + timedelta(days=1) if opening else end
        if end > day:
            return Told(amount - moved, "next", shown, balance, count, -moved)
        basis = "carried" if balance else "odoo"
        return Told(amount + moved, basis, shown, balance, count, moved)

    def _ends(self, journal, day):
        """Return [(end of day, amount, source, id, is an opening)] of the nearest balances.

        The newest received counts where several tell of one day; a closing balance before an
        opening one. Bank statements in Odoo count where no balance was received at all.
        """
        rows = self.env.execute_query(
            SQL(
                """
                WITH told AS (
                    SELECT DISTINCT ON (ends)
                           CASE WHEN type = ANY(%(start)s) THEN day - 1 ELSE day END AS ends,
                           amount, source, id, type = ANY(%(start)s) AS opening
                      FROM finance_bank_balance
                     WHERE journal_id = %(journal)s AND day IS NOT NULL
                       AND currency_id = %(currency)s AND type = ANY(%(types)s) AND COALESCE(subtype, '') <> 'INTM'
                     ORDER BY ends, opening, received_at DESC, id DESC
                ), nearest AS (
                    (SELECT * FROM told WHERE ends <= %(day)s ORDER BY ends DESC LIMIT 1)
                     UNION ALL
                    (SELECT * FROM told WHERE ends > %(day)s ORDER BY ends LIMIT 1)
                )
                SELECT ends, amount, source, id, opening FROM nearest
                 UNION ALL
                (SELECT date, balance_end_real, 'odoo', 0, false FROM account_bank_statement
                  WHERE journal_id = %(journal)s AND date <= %(day)s
                    AND NOT EXISTS (SELECT FROM told)
                  ORDER BY date DESC, id DESC LIMIT 1)
                """,
                journal=journal.id,
                currency=self._currency_of(journal).id,
                day=day,
                start=list(AT_START),
                types=[*AT_END, *AT_START],
            )
        )
        return rows

    def _moved(self, journal, after, until):
        """Return (sum, count) of what was booked after one day until another.

        By the bank's own entries; where it sends none, by the bank lines in Odoo.
        """
        [row] = self.env.execute_query(
            SQL(
                """
                SELECT COALESCE(sum(amount), 0), count(*) FROM (
                    SELECT amount FROM finance_bank_entry
                     WHERE journal_id = %(journal)s AND status = 'booked' AND state = ANY(%(counted)s)
                       AND booking_date > %(after)s AND booking_date <= %(until)s
                     UNION ALL
                    SELECT line.amount FROM account_bank_statement_line AS line
                      JOIN account_move AS entry ON entry.id = line.move_id
                     WHERE line.journal_id = %(journal)s AND entry.state = 'posted'
                       AND entry.date > %(after)s AND entry.date <= %(until)s
                       AND NOT EXISTS (
                           SELECT FROM finance_bank_entry WHERE journal_id = %(journal)s)
                ) AS moved
                """,
                journal=journal.id,
                counted=list(COUNTED),
                after=after,
                until=until,
            )
        )
        return row

    @api.model
    def _beginning(self, journal, day):
        """Return (end of the first day with a balance per bank, amount), None before there is one.

        From there on the books are compared with the bank entry by entry; what was before counts
        as a whole.
        """
        [row] = self.env.execute_query(
            SQL(
                """
                SELECT min(CASE WHEN type = ANY(%(start)s) THEN day - 1 ELSE day END),
                       EXISTS (SELECT FROM finance_bank_entry WHERE journal_id = %(journal)s)
                  FROM finance_bank_balance
                 WHERE journal_id = %(journal)s AND day <= %(day)s
                   AND currency_id = %(currency)s AND type = ANY(%(types)s) AND COALESCE(subtype, '') <> 'INTM'
                """,
                journal=journal.id,
                currency=self._currency_of(journal).id,
                day=day,
                start=list(AT_START),
                types=[*AT_END, *AT_START],
            )
        )
        return row
