"""From entries to bank lines."""

from collections import defaultdict
from datetime import timedelta

from odoo import models

from odoo.addons.finance_connector_base.canonical import codec


class FinanceBankEntry(models.Model):
    _inherit = "finance.bank.entry"

    def _book(self):
        """Make bank lines of these entries; return them.

        One batch. What is dated in a locked period is held instead: Odoo would move the line to
        another day without a word.
        """
        free = self - self._hold_locked()
        lines = self.env["account.bank.statement.line"].sudo()
        lines = lines.create([entry._line_values() for entry in free])
        rows = [(entry.id, line.id) for entry, line in zip(free, lines, strict=True)]
        if rows:
            self.flush_model()
            self.env.cr.execute_values(
                """
                UPDATE finance_bank_entry e SET state = 'created', line_id = v.line_id
                  FROM (VALUES %s) AS v (id, line_id) WHERE e.id = v.id
                """,
                rows,
                page_size=len(rows),
            )
        self.invalidate_model(["state", "line_id"])
        lines.invalidate_recordset(["finance_entry_ids", "finance_entry_id"])
        self.env["finance.bank.import"]._booked(lines)
        return lines

    def _line_values(self):
        values = {
            "journal_id": self.journal_id.id,
            "date": self.post_date or self.booking_date,
            "amount": self.amount,
            "payment_ref": self.remittance or self.end_to_end_id or self.partner_name or "–",
            "partner_name": self.partner_name,
            "account_number": self.partner_account,
            "transaction_type": (self.code or "").strip("/") or False,
        }
        foreign = self.original_currency_id
        # Odoo posts nothing in a currency that is switched off; the bank's words stay in the entry
        if foreign.active and foreign != self.currency_id and self.original_amount:
            values["foreign_currency_id"] = foreign.id
            values["amount_currency"] = self.original_amount
        return values

    # === LOCKED PERIODS === #

    def _hold_locked(self):
        """Hold the entries whose accounting date is locked for who imports; return them."""
        self.flush_model()
        locks, held = {}, defaultdict(list)
        for entry in self:
            place = (entry.journal_id, entry.post_date)
            if place not in locks:
                locks[place] = entry._locks()
            if locks[place]:
                held[place].append(entry.id)
        for place, ids in held.items():
            lock, kinds = locks[place]
            reason = codec.dump({"code": "locked", "lock": lock, "kinds": kinds})
            self.env.cr.execute(
                "UPDATE finance_bank_entry SET state = 'held', reason = %s WHERE id = ANY(%s)",
                (reason, ids),
            )
        found = self.browse(id_ for ids in held.values() for id_ in ids)
        found.invalidate_recordset(["state", "reason"])
        return found

    def _locks(self, day=None):
        """Return (last locked day, names of the locks) for a day, None when it is open.

        Bank lines have no taxes, and are neither sales nor purchases: of those locks none counts.
        Exceptions that somebody was given are his, as everywhere in Odoo.
        """
        company = self.company_id.sudo()
        day = day or self.post_date or self.booking_date
        locks = company._get_violated_lock_dates(day, False, self.journal_id)
        if not locks:
            return None
        return locks[-1][0], [name for _day, name in locks]

    def _first_open_day(self):
        """Return the first day behind all locks that hold this entry."""
        day = self.post_date or self.booking_date
        while lock := self._locks(day):
            day = lock[0] + timedelta(days=1)
        return day
