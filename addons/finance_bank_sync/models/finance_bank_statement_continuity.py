"""Does a statement follow the one before it, with what is in the database."""

from datetime import timedelta
from decimal import Decimal

from odoo import api, models

from ..canonical import continuity
from ..canonical.statement import (
    CLOSING,
    OPENING,
    STATEMENT,
    Account,
    Balance,
    Finding,
    Statement,
)

# Codes of findings that are exceptions: somebody has to fetch or explain something.
EXCEPTIONS = {
    "balance": "bank.balance",
    "gap": "bank.gap",
    "opening": "bank.gap",
    "overlap": "bank.overlap",
    "again": "bank.overlap",
}
# Statements of so many days before an import are looked at again: what was missing may be there.
LOOK_BACK = 400


class FinanceBankStatement(models.Model):
    _inherit = "finance.bank.statement"

    @api.model
    def _check_continuity(self, journal, imported):
        """Compare the statements of a journal with their predecessors; raise and close exceptions.

        imported: those that are new. All around them are compared again: a gap may be filled, and
        a statement may have come in between. Each source is a row of its own; the first of a source
        is compared with the last closing balance that any source told.
        """
        mine = imported.filtered(lambda one: one.journal_id == journal and one._is_compared())
        days = [day for one in mine for day in (one.start_date, one.end_date) if day]
        if not days:
            return
        around = self.search(
            [
                ("journal_id", "=", journal.id),
                ("kind", "=", STATEMENT),
                ("end_date", ">=", min(days) - timedelta(days=LOOK_BACK)),
                "|",
                ("has_opening", "=", True),
                "|",
                ("number", "!=", False),
                ("sequence", "!=", False),
            ]  # fmt: skip
        )
        for kind in sorted(set(around.mapped("format"))):
            of_kind = around.filtered(lambda one, kind=kind: one.format == kind)
            of_kind._compare(first_day=min(days))

    def _is_compared(self):
        """Whether it says anything by which it could follow another; most pulls don't."""
        told = self.has_opening or self.number or self.sequence
        return self.kind == STATEMENT and bool(told)

    def _compare(self, first_day):
        """Write what is odd of each statement against the one before it in the bank's order."""
        inorder = self.sorted(
            lambda one: (
                one.end_date,
                one.start_date or one.end_date,
                one._order_number(),
                one.id,
            )
        )
        told, again = [], self.browse()
        for one in inorder:
            if told and any(one._is_again(other) for other in told):
                again |= one
            else:
                told.append(one)
        chained = continuity.chain([one._canonical() for one in told])
        for one, findings in zip(told, chained, strict=True):
            if one.end_date >= first_day:
                if one == told[0]:
                    findings = one._against_balances()
                one._found(findings)
        for one in again:
            one._found(())

    def _order_number(self):
        number = self.number or self.sequence
        page = int(self.page) if (self.page or "").isdecimal() else 0
        return (int(number) if (number or "").isdecimal() else 0, page)

    def _canonical(self):
        """Return what `continuity` compares: numbers, days and booked balances."""
        currency = self.currency_id.name
        balances = ()
        if self.has_opening:
            balances += (self._balance(OPENING, self.opening_amount, self.start_date),)
        if self.has_closing:
            balances += (self._balance(CLOSING, self.closing_amount, self.end_date),)
        return Statement(
            account=Account(),
            kind=self.kind,
            number=self.number or "",
            sequence=self.sequence or "",
            page=self.page or "",
            start=self.start_date or None,
            end=self.end_date or None,
            currency=currency,
            balances=balances,
        )

    def _balance(self, kind, amount, day):
        digits = self.currency_id.decimal_places
        return Balance(kind, Decimal(f"{amount:.{digits}f}"), self.currency_id.name, day or None)

    def _against_balances(self):
        """Compare the first statement of a source with the last closing balance of any other."""
        if not self.has_opening or not self.start_date:
            return ()
        balance = self.env["finance.bank.balance"].search(
            [
                ("journal_id", "=", self.journal_id.id),
                ("type", "=", CLOSING),
                ("currency_id", "=", self.currency_id.id),
                ("day", "<", self.start_date),
                ("bank_statement_id", "!=", self.id),
            ],
            limit=1,
        )
        if not balance or not self.currency_id.compare_amounts(balance.amount, self.opening_amount):
            return ()
        digits = self.currency_id.decimal_places
        values = {
            "closing": f"{balance.amount:.{digits}f}",
            "opening": f"{self.opening_amount:.{digits}f}",
            "currency": self.currency_id.name,
        }
        return (Finding("opening", values),)

    def _found(self, findings):
        """Keep what is odd; raise what somebody must see to, close what is settled."""
        told = [{"code": found.code, "values": found.values} for found in findings]
        if (self.continuity or []) != told:
            self.continuity = told
        mine = (self.findings or []) + told
        if self.is_odd != bool(mine):
            self.is_odd = bool(mine)
        exceptions = self.env["finance.exception"].sudo()
        odd = {EXCEPTIONS[found["code"]] for found in mine if found["code"] in EXCEPTIONS}
        for code in sorted(odd):
            exceptions._raise(
                code,
                document=self,
                record=self,
                company=self.company_id,
                params={"journal": self.journal_id.name},
            )
        for code in set(EXCEPTIONS.values()) - odd:
            exceptions._resolve(code=code, document=self, note="bank.filled")
