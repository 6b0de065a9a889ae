"""How and how soon audit events are sealed, and how that stands."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..evidence.rows import WINDOW
from ..evidence.verify import DEFAULT_WINDOW
from ..vault import VaultLocked
from .finance_audit_seal_watch import MAIL

MOST_MINUTES = 24 * 60


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    finance_seal_window = fields.Integer(
        "Longest time without a seal (minutes)",
        default=DEFAULT_WINDOW,
        config_parameter=WINDOW,
    )
    finance_seal_mail = fields.Char("Mail the head daily to", config_parameter=MAIL)
    finance_seal_is_late = fields.Boolean(compute="_compute_finance_seal")
    finance_seal_is_replaced = fields.Boolean(compute="_compute_finance_seal")
    finance_seal_words = fields.Char(compute="_compute_finance_seal")
    finance_seal_head = fields.Char("Head outside the database", compute="_compute_finance_seal")
    finance_seal_fingerprint = fields.Char("Fingerprint", compute="_compute_finance_seal")

    @api.constrains("finance_seal_window")
    def _check_finance_seal_window(self):
        for settings in self:
            if not 1 <= settings.finance_seal_window <= MOST_MINUTES:
                raise ValidationError(
                    self.env._("Events are sealed after 1 minute at the earliest, a day at most.")
                )

    @api.depends_context("uid")
    def _compute_finance_seal(self):
        seals = self.env["finance.audit.seal"]
        state = seals._state()
        try:
            fingerprint = seals._signers()[0].fingerprint
        except VaultLocked:
            fingerprint = ""
        is_replaced = seals._is_replaced()
        for settings in self:
            settings.finance_seal_is_late = state["is_late"]
            settings.finance_seal_is_replaced = is_replaced
            settings.finance_seal_words = self._finance_seal_words(state)
            settings.finance_seal_head = str(seals._head_path())
            settings.finance_seal_fingerprint = fingerprint

    def _finance_seal_words(self, state):
        newest = state["newest"]
        words = self.env._("Nothing is sealed yet.")
        if newest:
            words = self.env._(
                "%(events)s events are sealed; the newest seal is %(number)s of %(time)s.",
                events=newest._events_sealed(self.env.cr),
                number=newest.sequence,
                time=_shown(newest, newest.at),
            )
        if not state["unsealed"]:
            return words
        return words + " " + self.env._(
            "%(count)s events wait for their seal, the oldest since %(time)s.",
            count=state["unsealed"],
            time=_shown(newest, state["oldest"]),
        )  # fmt: skip

    def set_values(self):
        seals, before = self.env["finance.audit.seal"], self.env["finance.audit.seal"]._minutes()
        result = super().set_values()
        if seals._minutes() != before:
            facts = {"policy": "seal_window", "before": before, "after": seals._minutes()}
            self.env["finance.audit.event"]._record("policy.changed", data=facts)
        return result

    # === BUTTONS === #

    def action_finance_accept_restore(self):
        """The database was restored, hence seals are missing: the chain goes on from here."""
        self._check_finance_administrator("evidence.restored")
        self.env["finance.audit.seal"]._go_on_after_restore()
        return {"type": "ir.actions.client", "tag": "reload"}


def _shown(record, moment):
    return fields.Datetime.context_timestamp(record, moment).strftime("%Y-%m-%d %H:%M:%S")
