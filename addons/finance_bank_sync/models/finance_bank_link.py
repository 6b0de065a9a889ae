from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.finance_connector_base.actions import dialog, listing

from ..canonical.statement import Account

STATES = [("active", "Active"), ("expired", "Consent ended"), ("paused", "Stopped")]
MANAGERS = ("finance_connector_base.group_administrator", "finance_connector_base.group_controller")
USERS = (*MANAGERS, "finance_connector_base.group_user")
OPEN = ("active", "expired")
# Scheme of account numbers that only the vendor knows.
VENDORS_OWN = "PLAID"


class FinanceBankLink(models.Model):
    """An account at a bank, read by API, and the journal that it fills."""

    _name = "finance.bank.link"
    _inherit = ["finance.job.mixin", "mail.thread", "mail.activity.mixin"]
    _description = "Bank Link"
    _order = "company_id, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, readonly=True)
    uuid = fields.Char(required=True, readonly=True, copy=False, default=lambda self: str(uuid4()))
    trace_id = fields.Char("Trace", readonly=True, copy=False, default=lambda self: uuid4().hex)
    connector_id = fields.Many2one(
        "finance.connector", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    journal_id = fields.Many2one(
        "account.journal", required=True, readonly=True, ondelete="restrict", check_company=True
    )
    consent_id = fields.Many2one(
        "finance.bank.consent", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    consent_until = fields.Datetime("Consent Ends", related="consent_id.until")
    consent_reason = fields.Char("Why It Ended", related="consent_id.reason")
    renew_words = fields.Char("How to Renew", compute="_compute_renew_words")
    remote_id = fields.Char(
        "Vendor's ID", required=True, readonly=True, help="Of the account, whatever the consent."
    )
    request_id = fields.Char(required=True, readonly=True, help="Of the account in this consent.")
    identities = fields.Json(readonly=True, help="Ids that outlive a consent.")
    iban = fields.Char("IBAN", readonly=True, index="btree_not_null")
    number = fields.Char("Account Number", readonly=True)
    scheme = fields.Char("Kind of Number", readonly=True)
    kind = fields.Selection(
        [("bank", "Bank account"), ("card", "Card"), ("loan", "Loan")],
        default="bank",
        required=True,
        readonly=True,
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    state = fields.Selection(
        STATES, default="active", required=True, readonly=True, tracking=True, index=True
    )
    import_from = fields.Date(
        required=True, readonly=True, tracking=True, help="Nothing before this day is imported."
    )
    opening_amount = fields.Monetary(
        "Opening Balance", readonly=True, help="Per bank, at the start of the first day."
    )
    opening_difference = fields.Monetary(
        readonly=True, help="By how much the bank's opening balance was above that of the journal."
    )
    opening_note = fields.Char(readonly=True)

    _uuid_unique = models.Constraint("UNIQUE (uuid)", "An identity is used once.")
    _one_per_journal = models.UniqueIndex(
        "(journal_id) WHERE state IN ('active', 'expired')",
        "The journal is filled by another bank link already. Stop that one first.",
    )

    # === COMPUTE METHODS, CONSTRAINTS === #

    @api.depends("connector_id")
    @api.depends_context("lang")
    def _compute_renew_words(self):
        for link in self:
            connector = link.connector_id.sudo()
            provider = connector._provider_classes().get(connector.provider)
            if provider and "consent" not in provider.capabilities:
                link.renew_words = self.env._(
                    "Allow it again at %(vendor)s itself, then press Renew Consent.",
                    vendor=connector.vendor,
                )
            else:
                link.renew_words = self.env._("Press Renew Consent and allow it again at the bank.")

    @api.constrains("journal_id", "currency_id")
    def _check_currency(self):
        for link in self:
            expected = link.journal_id.currency_id or link.company_id.currency_id
            if link.currency_id != expected:
                raise ValidationError(
                    self.env._(
                        "%(journal)s is in %(expected)s and the account in %(currency)s. Choose a"
                        " journal in %(currency)s, or a new one.",
                        journal=link.journal_id.display_name,
                        expected=expected.name,
                        currency=link.currency_id.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _check_paused(self):
        """Only a stopped link can go."""
        open_links = self.filtered(lambda link: link.state in OPEN)
        if open_links:
            raise UserError(
                self.env._(
                    "%(links)s: stop the bank link before you delete it.",
                    links=", ".join(open_links.mapped("name")),
                )
            )

    # === WHOSE === #

    def _account(self) -> Account:
        """Return the account as formats and providers know it."""
        self.ensure_one()
        return Account(
            iban=self.iban or "",
            number=self.number or "",
            scheme=self.scheme or "",
            currency=self.currency_id.name,
        )

    def _provider(self):
        return self.connector_id._provider_class()

    # === THE CONSENT === #

    def _has_ended(self, words):
        self._consent_ended(words)

    def _consent_ended(self, words):
        """Wait until somebody renews the consent, and say so."""
        for link in self.sudo().filtered(lambda one: one.state == "active"):
            link.state = "expired"
            self.env["finance.exception"]._raise(
                "bank.consent",
                record=link,
                document=link,
                connector=link.connector_id,
                company=link.company_id,
                params={
                    "bank": link.consent_id.name or link.connector_id.name,
                    "journal": link.journal_id.display_name,
                    "text": words[:500].rstrip(". "),
                },
            )

    def _consent_renewed(self, account, consent):
        """Go on with an account of a new consent (`FeedAccount`)."""
        self.ensure_one()
        same = self.request_id == account.remote_id
        self.sudo().write(
            {
                "remote_id": lasting_id(account.remote_id, account.identities),
                "request_id": account.remote_id,
                "identities": list(account.identities),
                "consent_id": consent.id,
                "connector_id": consent.connector_id.id,
                "state": "active",
                "next_pull_at": fields.Datetime.now(),
                "calls_left": -1,
                "calls_reset_at": False,
                "cursor": self.cursor if same else False,
                "pulled_digest": False,
            }
        )
        self.env["finance.exception"]._resolve(
            code="bank.consent", document=self, note="bank.consent_renewed"
        )

    @api.model
    def _find(self, company, connector, account):
        """Return the link of an account that a consent names (`FeedAccount`), empty when none.

        By the vendor's ids that outlive consents, else by IBAN whatever the vendor; a number
        alone says nothing.
        """
        links = self.sudo().search([("company_id", "=", company.id)], order="state, id desc")
        ids = {account.remote_id, *account.identities}
        for link in links.filtered(lambda one: one.connector_id == connector):
            if ids & {link.request_id, *(link.identities or ())}:
                return link
        iban, currency = account.account.iban, account.account.currency
        same = links.filtered(
            lambda one: iban and one.iban == iban and one.currency_id.name == currency
        )
        return same[:1]

    # === BUTTONS === #

    def action_renew(self):
        """Send the user to the bank, to allow the access again."""
        self.ensure_one()
        self._check_role("bank.renew", MANAGERS)
        if not self.consent_id:
            raise UserError(
                self.env._(
                    "%(link)s has no consent of its own: allow the access at %(vendor)s.",
                    link=self.name,
                    vendor=self.connector_id.vendor,
                )
            )
        return self.env["finance.bank.visit"]._renew(self)

    def action_pause(self):
        """Fetch no more; what was imported stays."""
        self._check_role("bank.pause", MANAGERS)
        self.sudo().write({"state": "paused"})
        self._audit("bank.link_paused")
        for link in self:
            self.env["finance.exception"]._resolve(
                code="bank.consent", document=link, note="bank.link_paused"
            )

    def action_resume(self):
        """Fetch again."""
        self._check_role("bank.resume", MANAGERS)
        for link in self.sudo().filtered(lambda one: one.state == "paused"):
            ended = link.consent_id and link.consent_id.state != "active"
            link.write(
                {
                    "state": "expired" if ended else "active",
                    "next_pull_at": fields.Datetime.now(),
                }
            )
        self._audit("bank.link_resumed")

    def action_history(self):
        """Open the question from when to when to fetch again."""
        self.ensure_one()
        self._check_role("bank.history", MANAGERS)
        return dialog(
            self.env._("Fetch a Period"),
            "finance.bank.history",
            context={"default_link_id": self.id},
        )

    def action_open_lines(self):
        """Open the bank lines of the journal."""
        self.ensure_one()
        return self.journal_id.action_finance_bank_desk()

    def action_open_imports(self):
        """List what was fetched."""
        self.ensure_one()
        return listing(self.env._("Imports"), "finance.bank.import", [("link_id", "=", self.id)])

    def _check_role(self, action, groups):
        if not self.env.su and not any(map(self.env.user.has_group, groups)):
            self.env["finance.denied.action"]._deny(action, "group", self)
            raise AccessError(
                self.env._("You may not do this with a bank link. Ask a colleague with that role.")
            )
        self.check_access("read")

    def _audit(self, kind, **data):
        for link in self:
            self.env["finance.audit.event"]._record(
                kind, link, connector=link.connector_id, data=data
            )


def lasting_id(remote_id, identities):
    """Return the vendor's id of an account that outlives consents, else the one of this consent."""
    return next(iter(identities or ()), remote_id)
