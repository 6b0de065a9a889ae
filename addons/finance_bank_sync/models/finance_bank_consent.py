from datetime import timedelta
from uuid import uuid4

from odoo import api, fields, models
from odoo.fields import NO_ACCESS

REMIND_DAYS = 14
ACTIVITY = "finance_bank_sync.mail_activity_consent"


class FinanceBankConsent(models.Model):
    """Somebody at the bank allowed us to read accounts, for a time. Its secret is kept sealed."""

    _name = "finance.bank.consent"
    _inherit = ["finance.sealed.mixin", "mail.thread", "mail.activity.mixin"]
    _description = "Consent of a Bank"
    _order = "id desc"
    _sealed_parts = {"secret_sealed": "secret"}

    name = fields.Char("Bank", required=True, readonly=True)
    uuid = fields.Char(required=True, readonly=True, copy=False, default=lambda self: str(uuid4()))
    connector_id = fields.Many2one(
        "finance.connector", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    institution = fields.Char(readonly=True, help="The vendor's id of the bank.")
    country_code = fields.Char("Country", readonly=True)
    secret_sealed = fields.Binary(attachment=False, groups=NO_ACCESS, copy=False)
    user_id = fields.Many2one("res.users", "Given by", readonly=True, ondelete="set null")
    given_at = fields.Datetime(readonly=True, default=fields.Datetime.now)
    until = fields.Datetime("Ends", readonly=True, help="Empty: the vendor names no end.")
    state = fields.Selection(
        [("active", "Active"), ("ended", "Ended"), ("withdrawn", "Withdrawn")],
        default="active",
        required=True,
        readonly=True,
        tracking=True,
    )
    reason = fields.Char(readonly=True)
    link_ids = fields.One2many("finance.bank.link", "consent_id", readonly=True)

    _uuid_unique = models.Constraint("UNIQUE (uuid)", "An identity is used once.")

    def _keep(self, consent):
        """Store what a `canonical.feed.Consent` says: its secret, its end."""
        vault = self.env["finance.vault"]._vault()
        for row in self.sudo():
            row.write(
                {
                    "name": consent.institution or row.name,
                    "secret_sealed": vault.seal(
                        consent.consent.encode(), self._name, row.uuid, "secret"
                    ),
                    "until": consent.until,
                    "state": "active",
                    "reason": False,
                    "given_at": fields.Datetime.now(),
                    "user_id": self.env.uid,
                }
            )

    def _secret(self) -> str:
        """Return what is shown to the vendor with each request, in the clear: never store it."""
        self.ensure_one()
        self.flush_recordset(["uuid", "secret_sealed"])
        self.env.cr.execute(
            "SELECT uuid, secret_sealed FROM finance_bank_consent WHERE id = %s", [self.id]
        )
        uuid, sealed = self.env.cr.fetchone()
        if not sealed:
            return ""
        vault = self.env["finance.vault"]._vault()
        return vault.open(bytes(sealed), self._name, uuid, "secret").decode()

    def _audit(self, kind, **data):
        for row in self:
            self.env["finance.audit.event"]._record(
                kind, row, connector=row.connector_id, data=data
            )

    # === ITS END === #

    def _has_ended(self, words):
        """Note that the bank answers no more; its links wait until somebody renews."""
        for row in self.sudo().filtered(lambda one: one.state == "active"):
            row.write({"state": "ended", "reason": words[:500]})
            row._audit("bank.consent_ended")
        self.sudo().link_ids._consent_ended(words)

    def _is_renewed(self):
        """Close what reminded of the end."""
        self.sudo().link_ids.activity_unlink([ACTIVITY])

    @api.model
    def _cron_watch(self):
        """Remind of consents that end soon, and note those that have ended."""
        now = fields.Datetime.now()
        active = self.sudo().search([("state", "=", "active"), ("until", "!=", False)])
        for row in active.filtered("link_ids"):
            if row.until <= now:
                row._has_ended(self.env._("It ended on %(day)s.", day=row.until.date()))
            elif row.until - timedelta(days=REMIND_DAYS) <= now:
                row._remind()

    def _remind(self):
        self.ensure_one()
        links = self.link_ids.filtered(lambda link: link.state == "active")
        if not links or links.activity_search([ACTIVITY]):
            return
        owner = self.connector_id.responsible_id or self.user_id or self.env.user
        links[0].activity_schedule(
            ACTIVITY,
            date_deadline=self.until.date(),
            summary=self.env._("Renew the consent of %(bank)s", bank=self.name),
            user_id=owner.id,
        )
