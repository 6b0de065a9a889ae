"""What the screen "Bank Lines" does: accept, book by hand, undo, set the partner."""

from decimal import Decimal, InvalidOperation

from odoo import api, models
from odoo.exceptions import UserError

# What a part of each kind needs beside its amount.
KINDS = {
    "item": ("id",),
    "writeoff": ("account_id",),
    "partner": ("partner_id",),
    "discount": ("id",),
    "transfer": ("id",),
}


class FinanceBankDesk(models.AbstractModel):
    _inherit = "finance.bank.desk"

    # === CALLED BY THE SCREEN === #

    @api.model
    def book(self, line_id, parts):
        """Book a line as a person put it together; what comes to less than the line is refused.

        parts: [{kind: item, id, amount} | {kind: writeoff, account_id, amount, label, tax_ids} |
        {kind: partner, partner_id, amount}], amounts as text, signed as the line's.
        """
        line = self._open_line(line_id)
        clean = [self._part(part) for part in parts or []]
        self._check_sum(line, clean)
        line._finance_accept(parts=clean)
        return self._answer(line, {part["id"] for part in clean if part.get("id")})

    @api.model
    def undo(self, line_id):
        """Take back what was booked for a line; all is as it was before."""
        self._check_worker()
        line = self._line(line_id)
        line.check_access("write")
        items = {one for match in line.finance_match_ids for one in match.item_ids or ()}
        line._finance_undo()
        self._refresh(line)
        return self._answer(line, items)

    @api.model
    def set_partner(self, line_id, partner_id):
        """Say who is on the other side of a line."""
        line = self._open_line(line_id)
        partner = self.env["res.partner"].browse(int(partner_id)).exists()
        if not partner:
            raise UserError(self.env._("This contact was deleted. Choose another one."))
        partner.check_access("read")
        line.partner_id = partner
        self._refresh(line)
        return self._answer(line)

    # === CHECKS === #

    @api.model
    def _open_line(self, line_id):
        """Return a line that is to be worked on; refuse one that is done."""
        self._check_worker()
        line = self._line(line_id)
        line.check_access("write")
        if line.is_reconciled:
            raise UserError(
                self.env._(
                    "%(line)s is done already, perhaps by somebody else in the meantime. Undo it "
                    "first to book it otherwise.",
                    line=line.display_name,
                )
            )
        return line

    @api.model
    def _part(self, part):
        """Return a part with what is known of its kind and an exact amount; refuse all else."""
        kind = part.get("kind")
        if kind not in KINDS or not all(part.get(name) for name in KINDS[kind]):
            raise UserError(self.env._("A part is incomplete. Take it out and add it again."))
        try:
            amount = Decimal(str(part.get("amount", "")).strip())
        except InvalidOperation:
            amount = Decimal("nan")
        if not amount.is_finite() or not amount:
            raise UserError(
                self.env._(
                    "“%(amount)s” is no amount. Correct it.", amount=part.get("amount") or ""
                )
            )
        known = ("kind", "id", "account_id", "partner_id", "label", "tax_ids", "analytic")
        return {name: part[name] for name in known if part.get(name)} | {"amount": str(amount)}

    @api.model
    def _check_sum(self, line, parts):
        """The parts come to the line, to the cent: nothing is made up to fill a gap."""
        currency = self._currency(line)
        booked = sum((Decimal(part["amount"]) for part in parts), Decimal(0))
        wanted = Decimal(self._text(-line.amount_residual, currency))
        if booked != wanted:
            raise UserError(
                self.env._(
                    "The parts come to %(booked)s; the line has %(wanted)s %(currency)s. Change an "
                    "amount, or add what is left as a write-off or on the partner's account.",
                    booked=booked,
                    wanted=wanted,
                    currency=currency.name,
                )
            )

    @api.model
    def _answer(self, line, item_ids=()):
        """Return the line as it is now, others that had the same items in mind, and the counts."""
        touched = self._touched(line, item_ids)
        self._refresh(touched)
        return {"lines": self._rows(line | touched), "counts": self._counts(line.journal_id)}
