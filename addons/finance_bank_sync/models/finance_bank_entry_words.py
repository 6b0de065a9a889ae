"""Why an entry is no line, in words."""

from odoo import api, fields, models


class FinanceBankEntry(models.Model):
    _inherit = "finance.bank.entry"

    reason_words = fields.Char("Why", compute="_compute_reason_words")

    @api.depends("reason", "state", "duplicate_of_id", "post_date")
    @api.depends_context("lang")
    def _compute_reason_words(self):
        known = self._reasons()
        for entry in self:
            reason = entry.reason or {}
            words = known.get((entry.state, reason.get("code"))) or known.get(reason.get("code"))
            entry.reason_words = words % entry._reason_values(reason) if words else False

    def _reason_values(self, reason):
        original = self.sudo().duplicate_of_id
        return {
            "import": original.import_id.name or "–",
            "day": reason.get("day") or str(original.booking_date or "–"),
            "lock": reason.get("lock", "–"),
            "booking": str(self.booking_date or "–"),
            "post": str(self.post_date or "–"),
        }

    @api.model
    def _reasons(self):
        """Return {code, or (state, code): words}; addons extend it by ``super() | {…}``."""
        _ = self.env._
        return {
            "id": _("Told before, with the same id, in “%(import)s”."),
            "content": _("Told before, word for word, in “%(import)s”."),
            "reference": _("Told before, with the same reference, in “%(import)s”."),
            "alike": _("Told before in other words in “%(import)s”."),
            "count": _(
                "Told before in “%(import)s”, which has as many of this amount on that day."
            ),
            ("held", "alike"): _(
                "It may be the entry of %(day)s in “%(import)s”, told in other words. Enter it if it"
                " is another one; leave it out if it is the same."
            ),
            ("held", "report"): _(
                "An earlier report of the day has one like it, but this report does not repeat all"
                " of that day. Enter it if it is another one; leave it out if it is the same."
            ),
            "line": _(
                "It may be a bank line that is in the books without the bank's word for it. Enter"
                " it if it is another one; leave it out if it is the same, to join the two."
            ),
            "joined": _("It was in the books already; the two are one line."),
            "changed": _(
                "The bank changed an entry of %(day)s that is in the books. Correct the line by"
                " hand, then leave this out; or enter it, and delete the old one."
            ),
            "withdrawn": _(
                "The bank takes back an entry of %(day)s that is in the books. Delete the line or"
                " reverse it, then leave this out."
            ),
            "gone": _("It takes back an entry that was never in the books."),
            "locked": _(
                "Booked by the bank on %(booking)s; the books are locked up to %(lock)s. Unlock the"
                " period and import it, or enter it on the first open day."
            ),
            "moved": _("Dated %(day)s in a locked period; a person entered it on %(post)s."),
            "forced": _("It looked as if told before; a person entered it as a line of its own."),
            "dismissed": _("A person left it out."),
            "deleted": _("Somebody deleted the line. It is not imported again by itself."),
            "again": _("Announced again later."),
            "booked": _("Booked on %(day)s in “%(import)s”."),
            "vanished": _("The bank no longer announces it."),
        }
