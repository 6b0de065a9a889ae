from odoo import Command, api, models
from odoo.exceptions import UserError

from .finance_bank_booking_items import KEPT, plain, quiet


class FinanceBankBooking(models.AbstractModel):
    """Taking matches back."""

    _inherit = "finance.bank.booking"

    # === OUT === #

    @api.model
    def _undo(self, matches):
        """Take ``matches`` back: journal items are as before, to the last field."""
        for match in matches | self._mirrors(matches):
            line = match.line_id
            if match.transfer_move_id:
                self._undo_apart(match)
            else:
                self._undo_here(match, line)
            match._undone()

    def _mirrors(self, matches):
        """Return the matches of the other lines of transfers."""
        found = matches.browse()
        for match in matches.filtered(lambda match: match.kind == "transfer"):
            partials = self.env["account.partial.reconcile"].browse(match.partial_ids).exists()
            lines = (partials.debit_move_id | partials.credit_move_id).statement_line_id
            moves = (partials.debit_move_id | partials.credit_move_id).move_id
            found |= match.search(
                [("undone_at", "=", False), ("kind", "=", "transfer"), "|",
                 ("line_id", "in", lines.ids), ("transfer_move_id", "in", moves.ids)]
            )  # fmt: skip
        return found - matches

    def _undo_here(self, match, line):
        if self._is_closed(line):
            raise UserError(
                self.env._(
                    "%(line)s was matched before its period was locked or secured: its entry may"
                    " not change any more. Correct it with an entry of today.",
                    line=line.display_name,
                )
            )
        move = line.move_id.with_context(**quiet(line.company_id))
        before = {item["id"]: item for item in match.before["items"]}
        (move.line_ids - line._seek_for_lines()[0]).remove_move_reconcile()
        known = set(move.line_ids.ids)
        lost = [kept for item, kept in before.items() if item not in known]
        if [kept["account_id"] for kept in lost] not in (
            [],
            line.journal_id.suspense_account_id.ids,
        ):
            raise UserError(
                self.env._(
                    "The journal items of %(line)s were changed since it was matched. Use Revert"
                    " reconciliation on the bank line.",
                    line=line.display_name,
                )
            )
        move.write(
            {
                "line_ids": [
                    *(Command.delete(item) for item in known - before.keys()),
                    *(
                        Command.update(item, {name: kept[name] for name in KEPT})
                        for item, kept in before.items()
                        if item in known and self._differs(item, kept)
                    ),
                    *(Command.create({name: kept[name] for name in KEPT}) for kept in lost),
                ]
            }
        )
        if line.partner_id.id != match.before["partner"]:
            line.with_context(**quiet(line.company_id)).write(
                {"partner_id": match.before["partner"]}
            )

    def _differs(self, item_id, kept):
        item = self.env["account.move.line"].browse(item_id)
        return any(plain(item[name]) != kept[name] for name in KEPT)

    def _undo_apart(self, match):
        """Reverse the entry from suspense; nothing of the locked period is touched."""
        entry = match.transfer_move_id
        entry.line_ids.remove_move_reconcile()
        reversal = entry._reverse_moves(
            [{"date": self._open_day(match.line_id), "ref": self.env._("Undone: %s", entry.name)}]
        )
        reversal._post(soft=False)
        for one, back in zip(
            entry.line_ids.sorted("id"), reversal.line_ids.sorted("id"), strict=True
        ):
            if one.account_id.reconcile and not (one.reconciled or back.reconciled):
                (one | back).reconcile()
