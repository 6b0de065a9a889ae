"""What of an import waits for people, as exceptions that close themselves."""

from collections import defaultdict

from odoo import api, models

# Exception code → codes of the reasons for which its entries are held.
WAITING = {
    "bank.held": ("alike", "report", "count"),
    "bank.changed": ("changed", "withdrawn"),
    "bank.locked": ("locked",),
}


class FinanceBankImport(models.Model):
    _inherit = "finance.bank.import"

    @api.model
    def _waiting_reasons(self):
        """Return {code of an exception: codes of the reasons it stands for}."""
        return WAITING

    @api.model
    def _booked(self, lines):
        """Called with the bank lines of each chunk, right after they were created."""

    def _was_refused(self):
        """Note a refusal; of what nobody watches, tell the accountant."""
        events = self.env["finance.audit.event"]
        for row in self:
            data = {"digest": row.digest, "source": row.source, "code": row.refusal["code"]}
            events._record("bank.refused", row, trace_id=row.trace_id, data=data)
            if row.source != "file":
                self.env["finance.exception"]._raise(
                    "bank.refused",
                    document=row,
                    record=row,
                    connector=row.connector_id,
                    company=row.company_id,
                )

    def _tell_exceptions(self):
        """Raise what waits for people; close what waits no longer."""
        exceptions = self.env["finance.exception"].sudo()
        for row in self:
            held = self.env["finance.bank.entry"].sudo()._held_of(row)
            by_reason = defaultdict(held.browse)
            for entry in held:
                by_reason[(entry.reason or {}).get("code")] |= entry
            for code, reasons in WAITING.items():
                waiting = held.browse().concat(*(by_reason[reason] for reason in reasons))
                if waiting:
                    exceptions._raise(
                        code,
                        document=row,
                        record=row,
                        connector=row.connector_id,
                        company=row.company_id,
                        params=waiting._exception_params(),
                    )
                else:
                    exceptions._resolve(code=code, document=row, note="bank.settled")


class FinanceBankEntry(models.Model):
    _inherit = "finance.bank.entry"

    @api.model
    def _held_of(self, row):
        """Return the entries of an import that wait for a person."""
        return self.search([("import_id", "=", row.id), ("state", "=", "held")])

    def _exception_params(self):
        """Return what the texts of exceptions name: how many, from when to when, and why."""
        # what takes an entry back has no day of its own
        told = [entry.booking_date or entry.duplicate_of_id.booking_date for entry in self]
        days = sorted(day for day in told if day)
        locks = [entry.reason.get("lock") for entry in self if entry.reason.get("lock")]
        params = {
            "count": str(len(self)),
            "first": str(days[0]) if days else "",
            "last": str(days[-1]) if days else "",
            "journal": ", ".join(self.journal_id.mapped("name")),
        }
        if locks:
            latest = max(self, key=lambda entry: entry.post_date)
            params |= {"lock": max(locks), "open": str(latest._first_open_day())}
        return params
