from odoo import Command, fields, models
from odoo.exceptions import UserError

from .finance_bank_booking_items import KEPT, PLAIN, TAXES, plain, quiet


class FinanceBankBooking(models.AbstractModel):
    """Where the values go: into the entry of the bank line, or an entry of their own."""

    _inherit = "finance.bank.booking"

    # === PLACES === #

    def _place(self, line, values, partner):
        """Book ``values`` instead of suspense; return (items in that order, entry from suspense)."""
        if self._is_closed(line, values):
            return self._place_apart(line, values)
        move, suspense = line.move_id.with_context(**quiet(line.company_id)), self._suspense(line)
        self._name_partner(line, partner, self.env["account.move.line"])
        known = set(move.line_ids.ids)
        # Odoo lets nobody write taxes on a posted item: those are new ones.
        untaxed = [place for place, value in enumerate(values) if not value.keys() & TAXES]
        kept = untaxed[0] if untaxed else None
        others = [value for place, value in enumerate(values) if place != kept]
        first = Command.delete(suspense.id)
        if untaxed:
            first = Command.update(suspense.id, values[kept])
        move.write({"line_ids": [first, *(Command.create(value) for value in others)]})
        made = list(move.line_ids.filtered(lambda item: item.id not in known).sorted("id"))
        if untaxed:
            made.insert(kept, suspense)
        return made, self.env["account.move"]

    def _name_partner(self, lines, partner, items):
        """Put the partner on ``items``, the lines, and their items on the account of the bank."""
        new = lines.filtered(lambda line: line.partner_id != partner)
        if partner and new:
            context = PLAIN | quiet(new.company_id)
            new.with_context(**context).write({"partner_id": partner.id})
            items = items.union(*(line._seek_for_lines()[0] for line in new))
        items = items.filtered(lambda item: item.partner_id != partner)
        if items:
            context = PLAIN | quiet(items.company_id)
            items.with_context(**context).write({"partner_id": partner.id})

    def _is_closed(self, line, values=()):
        """Tell whether the entry of the line may not change: locked, or secured by hash."""
        move = line.move_id
        if move.inalterable_hash:
            return True
        taxed = any(value.get("tax_ids") or value.get("tax_tag_ids") for value in values)
        return bool(
            move.company_id._get_lock_date_violations(
                move.date, sale=False, purchase=False, tax=taxed
            )
        )

    def _place_apart(self, line, values):
        suspense = self._suspense(line)
        if not suspense.account_id.reconcile:
            raise UserError(
                self.env._(
                    "The entry of %(line)s is locked or secured, so an entry of today has to take"
                    " the amount out of suspense. Allow reconciliation on account %(account)s,"
                    " then match it again.",
                    line=line.display_name,
                    account=suspense.account_id.display_name,
                )
            )
        journal = self._transfer_journal(line)
        out = {name: plain(suspense[name]) for name in KEPT}
        out |= {"amount_currency": -suspense.amount_currency, "balance": -suspense.balance}
        move = self.env["account.move"].with_context(skip_invoice_sync=True).create(
            {
                "move_type": "entry",
                "journal_id": journal.id,
                "company_id": line.company_id.id,
                "date": self._open_day(line),
                "ref": self.env._(
                    "%(entry)s: %(text)s", entry=line.move_id.name, text=line.payment_ref or ""
                ),
                "line_ids": [Command.create(out), *(Command.create(value) for value in values)],
            }
        )  # fmt: skip
        move._post(soft=False)
        first, *made = move.line_ids.sorted("id")
        (suspense | first).reconcile()
        return made, move

    def _open_day(self, line):
        today = fields.Date.context_today(line)
        locks = line.company_id._get_lock_date_violations(today, sale=False, purchase=False)
        if locks:
            return fields.Date.add(max(day for day, _field in locks), days=1)
        return today

    def _transfer_journal(self, line):
        policy = self.env["finance.bank.policy"]._of(line.journal_id)
        journal = policy.transfer_journal_id or self.env["account.journal"].search(
            [("type", "=", "general"), ("company_id", "parent_of", line.company_id.id),
             ("id", "!=", line.company_id.currency_exchange_journal_id.id)],
            limit=1,
        )  # fmt: skip
        if not journal:
            raise UserError(
                self.env._(
                    "%(company)s has no general journal for entries from suspense. Create one, or"
                    " choose it in the bank policy of %(journal)s.",
                    company=line.company_id.name,
                    journal=line.journal_id.name,
                )
            )
        return journal
