"""What a person decides about entries that were skipped, or that wait."""

from odoo import api, fields, models
from odoo.exceptions import UserError

# What may still become a line, and why it is not one.
FORCEABLE = ("skipped", "held", "removed")


class FinanceBankEntry(models.Model):
    _inherit = "finance.bank.entry"

    can_force = fields.Boolean(compute="_compute_can")
    can_dismiss = fields.Boolean(compute="_compute_can")
    can_retry = fields.Boolean(compute="_compute_can")

    @api.depends("state", "reason", "status")
    def _compute_can(self):
        for entry in self:
            code = (entry.reason or {}).get("code")
            booked = entry.status == "booked" and not entry.removes
            entry.can_retry = entry.state == "held" and code == "locked"
            entry.can_dismiss = entry.state == "held" and code != "locked"
            entry.can_force = booked and entry.state in FORCEABLE and code != "locked"

    # === BUTTONS === #

    def action_force(self):
        """Enter what was skipped or held as a line of its own: it is not the one told before."""
        entries = self._decided("can_force")
        for entry in entries:
            entry.key = f"forced:{entry.id}"
            entry.reason = {"code": "forced", "was": (entry.reason or {}).get("code")}
        entries.write({"state": "received"})
        entries._note("bank.forced")
        return entries._book_now()

    def action_dismiss(self):
        """Leave out what was held: it is the one told before, or is seen to in another way."""
        entries = self._decided("can_dismiss")
        entries -= entries._joined()
        for entry in entries:
            entry.reason = {"code": "dismissed", "was": entry.reason.get("code")}
        entries.write({"state": "skipped", "key": False})
        entries._note("bank.dismissed")
        return self.sudo()._settled()

    def _joined(self):
        """Join the entries that are a line which no import made; return them."""
        joined = self.browse()
        for entry in self.filtered(lambda row: row.shares == 1):
            line = self.env["account.bank.statement.line"].browse(entry.reason.get("line"))
            if line.exists() and not line.finance_entry_ids:
                entry.write({"state": "created", "line_id": line.id, "reason": {"code": "joined"}})
                joined |= entry
        joined._note("bank.joined")
        return joined

    def action_retry(self):
        """Enter what was held for a lock, where the period is open now."""
        entries = self._decided("can_retry")
        entries.write({"state": "received"})
        return entries._book_now()

    def action_book_open(self):
        """Enter what is dated in a locked period at the first open day, as a person decides."""
        entries = self._decided("can_retry")
        for entry in entries:
            told, day = entry.post_date, entry._first_open_day()
            entry.write(
                {
                    "state": "received",
                    "post_date": day,
                    "reason": {"code": "moved", "day": str(told)},
                }
            )
        entries._note("bank.moved")
        return entries._book_now()

    def _decided(self, allowed):
        """Return the entries that a button is for, with all shares of each, as superuser."""
        self.check_access("read")
        self.env["finance.bank.import"]._check_may_import()
        entries = self.sudo()
        for entry in entries:
            domain = [
                ("bank_statement_id", "=", entry.bank_statement_id.id),
                ("position", "=", entry.position),
            ]
            entries |= self.sudo().search(domain)
        fitting = entries.filtered(allowed)
        if not fitting:
            raise UserError(
                self.env._(
                    "Nothing of this waits for that decision any more. Refresh the list to see"
                    " what became of it."
                )
            )
        return fitting

    def _book_now(self):
        for journal in self.journal_id:
            self.filtered(lambda entry, one=journal: entry.journal_id == one)._book()
        return self._settled()

    def _settled(self):
        """Count again, and close or renew what is told about these imports."""
        self.import_id._count()
        self.import_id._tell_exceptions()
        return True

    def _note(self, kind):
        """Audit a decision on each entry: amounts and days, no names."""
        self.env["finance.audit.event"]._record_many(
            [
                {
                    "kind": kind,
                    "res_model": self._name,
                    "res_id": entry.id,
                    "company_id": entry.company_id.id,
                    "trace_id": entry.import_id.trace_id,
                    "data": {
                        "amount": f"{entry.amount:.{entry.currency_id.decimal_places}f}",
                        "currency": entry.currency_id.name,
                        "booking_date": entry.booking_date,
                        "post_date": entry.post_date,
                        "original": entry.duplicate_of_id.id or None,
                        "reason": (entry.reason or {}).get("was") or None,
                    },
                }
                for entry in self
            ]
        )
