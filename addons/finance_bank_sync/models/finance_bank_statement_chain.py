"""Which statements follow one another, by their pages and balances."""

from datetime import timedelta

from odoo import models

from ..canonical.duplicates import OTHER_DAYS
from ..canonical.statement import STATEMENT


class FinanceBankStatement(models.Model):
    _inherit = "finance.bank.statement"

    def _goes_on(self, before):
        """Whether this statement proves to go on where ``before`` ends, sharing no entry with it.

        It is another page of the same one, or it opens with what the other closed with. Where both
        tell of one day and one of them moves nothing in sum, the balances prove nothing.
        """
        if self.format != before.format or self.kind != before.kind or self._is_again(before):
            return False
        if self._is_page_of(before):
            return True
        if self.kind != STATEMENT or not before.has_closing or not self.has_opening:
            return False
        if not before.end_date or not self.start_date or before.end_date > self.start_date:
            return False
        if self.currency_id.compare_amounts(before.closing_amount, self.opening_amount):
            return False
        return before.end_date < self.start_date or bool(before._moves() and self._moves())

    def _moves(self):
        return not self.currency_id.is_zero(self.booked_amount)

    def _is_again(self, other):
        """Whether it tells of itself what the other told: the same one, issued again.

        Some banks give every statement the same number; one that opens with another balance is
        another one.
        """
        told = ("number", "sequence", "page", "start_date", "end_date")
        if any(self[name] != other[name] for name in told):
            return False
        if self.has_opening and other.has_opening:
            return not self.currency_id.compare_amounts(self.opening_amount, other.opening_amount)
        return bool(self.number or self.sequence)

    def _is_page_of(self, other):
        if not self.page or not other.page or self.page == other.page:
            return False
        same = (self.number or self.sequence) == (other.number or other.sequence)
        return same and bool(self.number or self.sequence)

    def _disjoint(self, first, last):
        """Return the statements of about ``first`` to ``last`` that prove to share no entry.

        Those that come before ours one after the other, and those behind it.
        """
        near = timedelta(days=OTHER_DAYS)
        candidates = self.search(
            [
                ("journal_id", "=", self.journal_id.id),
                ("format", "=", self[0].format),
                ("end_date", ">=", first - near),
                ("start_date", "<=", last + near),
                ("id", "not in", self.ids),
                "|",
                ("has_opening", "=", True),
                ("page", "!=", False),
            ]  # fmt: skip
        )
        return self[:1]._walk(candidates, back=True) | self[-1:]._walk(candidates, back=False)

    def _walk(self, candidates, back):
        """Return those of ``candidates`` that lead to this one, or go on from it."""
        found, frontier = self.browse(), self
        while frontier:
            following = self.browse()
            for one in candidates - found:
                pairs = ((this, one) if back else (one, this) for this in frontier)
                if any(later._goes_on(earlier) for later, earlier in pairs):
                    following |= one
            found |= following
            frontier = following
        return found
