"""How audit events are told to people: in words, with the facts that mean something to them."""

from dataclasses import dataclass

from odoo import api, models
from odoo.tools.misc import format_amount, format_date, format_datetime

from ..vault import SealBroken, VaultLocked


@dataclass(frozen=True)
class Fact:
    """A value of an event's ``data`` that people understand, and how it is written.

    form: "text", "date" (ISO 8601 in the data) or "money" (a decimal number in the currency that
    ``data["currency"]`` names).
    """

    key: str
    label: str
    form: str = "text"


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    # Who tried what he may not, and who looked where, is for those who read the audit itself.
    _for_evidence = ("action.", "payload.", "credential.")

    @api.model
    def _kinds(self):
        return super()._kinds() | {"close.recorded": self.env._("Month recorded as closed")}

    @api.model
    def _facts(self):
        """Return {kind: list of `Fact`}. Addons extend it by ``super() | {…}``."""
        _ = self.env._
        return {
            "job.enqueued": [Fact("amount", _("Amount"), "money")],
            "job.stopped": [Fact("code", _("Code of the vendor"))],
            "job.done_outside": [Fact("date", _("Done on"), "date")],
        }

    @api.model
    def _detail_labels(self):
        """Return {name of a value in `finance.audit.detail`: label}. Addons extend it."""
        _ = self.env._
        return {
            "document": _("Document"),
            "partner": _("Partner"),
            "reason": _("Reason"),
            "reference": _("Reference"),
        }

    @api.model
    def _tones(self):
        """Return {kind: "success", "warning", "danger" or "muted"}. Addons extend it."""
        return {
            "exception.handled": "success",
            "exception.ignored": "muted",
            "exception.opened": "danger",
            "exception.reopened": "danger",
            "exception.resolved": "success",
            "job.cancelled": "muted",
            "job.done": "success",
            "job.done_outside": "success",
            "job.not_done_at_vendor": "warning",
            "job.stopped": "danger",
            "job.uncertain": "danger",
        }

    @api.model
    def _facts_in_words(self, data, facts):
        """Return [(label, text)] of what ``data`` has of ``facts``, a list of `Fact`."""
        return [
            (fact.label, self._fact_in_words(data, fact)) for fact in facts if data.get(fact.key)
        ]

    @api.model
    def _fact_in_words(self, data, fact):
        value = data[fact.key]
        if fact.form == "date":
            return format_date(self.env, value)
        if fact.form == "money":
            return self._money(value, data.get("currency"))
        return str(value)

    @api.model
    def _money(self, amount, currency_name):
        """Return an amount (decimal text) with its currency (ISO code) as people read it."""
        known = self.env["res.currency"].get_all_currencies()
        found = [id_ for id_, values in known.items() if values["name"] == currency_name]
        if not found:
            return " ".join(filter(None, (str(amount), currency_name)))
        return format_amount(self.env, float(amount), self.env["res.currency"].browse(found[0]))

    def _details_in_words(self):
        """Return {event id: [(label, text)]} of the details that the reader may read.

        What was erased says who did it and when; what can't be opened says why.
        """
        details = self.env["finance.audit.detail"]
        if not details.has_access("read"):
            return {}
        found = details.search([("event_id", "in", self.ids)])
        contents = found._sealed_contents()
        names = details.sudo()._names_of(("res.users", row.erased_by_id.id) for row in found)
        labels = self._detail_labels()
        return {
            row.event_id.id: self._detail_in_words(row, contents[row.id], labels, names)
            for row in found
        }

    @api.model
    def _detail_in_words(self, row, sealed, labels, names):
        if not sealed:
            erased = self.env._(
                "erased on %(date)s by %(user)s",
                date=format_datetime(self.env, row.erased_at, tz=str(self.env.tz), dt_format=False)
                if row.erased_at
                else "–",
                user=names.get(("res.users", row.erased_by_id.id), self.env._("retention")),
            )
            return [(self.env._("Names and words"), erased)]
        try:
            values = row._opened_values(sealed)
        except VaultLocked:
            unreadable = self.env._("can't be shown: the vault has no usable key")
            return [(self.env._("Names and words"), unreadable)]
        except SealBroken:
            broken = self.env._("were changed by somebody: verify the audit trail")
            return [(self.env._("Names and words"), broken)]
        return [(labels.get(name, name), text) for name, text in values.items()]

    def action_finance_timeline(self):
        """Open the whole trace that the event belongs to."""
        self.ensure_one()
        self.check_access("read")
        return self.env["finance.timeline"]._open(trace_id=self.trace_id)
