import hashlib
import secrets
from datetime import timedelta
from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import NO_ACCESS
from odoo.http import request

from odoo.addons.finance_connector_base.actions import RELOAD
from odoo.addons.finance_connector_base.fields import WeakMany2one
from odoo.addons.finance_connector_base.lanes.link import link_of
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    Held,
    ProviderError,
    Transient,
)
from odoo.addons.finance_connector_base.providers.oauth import new_secret
from odoo.addons.finance_connector_base.providers.session import Gate

from ..canonical.feed import CONSENT_ENDED, ConsentEnd, ConsentRequest

MINUTES = 30
REDIRECT_PATH = "/finance/bank/consent"
# What ties a visit to the browser session that began it; outlives the rotation of its id.
SESSION_KEY = "finance_bank_visits"
CONSENT_DAYS, HISTORY_DAYS = 90, 730

# Of two answers with one state only one gets the row; it is gone whatever happens next.
CLAIM = """
    DELETE FROM finance_bank_visit
     WHERE state_digest = %s AND user_id = %s AND session_digest = %s
       AND begun_at > now() AT TIME ZONE 'UTC' - %s
 RETURNING uuid, connector_id, environment, company_id, institution, country_code, consent_id,
           link_id, reference_sealed
"""


class FinanceBankVisit(models.Model):
    """Somebody was sent to a bank to allow us to read accounts, and has not come back yet.

    Found by the state that the browser brings back, of which only a digest stands here; for the
    user and the browser session that began, once, and for a short time.
    """

    _name = "finance.bank.visit"
    _inherit = ["finance.weak.mixin"]
    _description = "Visit at a Bank Under Way"
    _log_access = False
    _rec_name = "connector_id"

    uuid = fields.Char("UUID", readonly=True)
    state_digest = fields.Char(readonly=True, index=True)
    session_digest = fields.Char(readonly=True)
    connector_id = WeakMany2one("finance.connector", required=True, readonly=True)
    environment = fields.Char(readonly=True)
    company_id = WeakMany2one("res.company", readonly=True)
    user_id = WeakMany2one("res.users", readonly=True)
    institution = fields.Char(readonly=True)
    country_code = fields.Char(readonly=True)
    consent_id = WeakMany2one("finance.bank.consent", readonly=True, help="What is renewed.")
    link_id = WeakMany2one("finance.bank.link", readonly=True, help="Where it was begun.")
    reference_sealed = fields.Binary(attachment=False, groups=NO_ACCESS)
    begun_at = fields.Datetime(readonly=True)

    @api.model
    def _redirect_url(self):
        """Return the address to which banks send the browser back."""
        return f"{self.get_base_url()}{REDIRECT_PATH}"

    @api.model
    def _feed(self, connector, company):
        """Return the provider, ready for a person who waits."""
        operation = self.env["finance.operation.bank.consent"]
        provider = operation._open_session(connector, company)
        # a person asks once: neither an open breaker nor a used-up rate keeps the answer away
        provider.session.gate = Gate()
        return provider

    @api.model
    def _words_of(self, error):
        """Return what a person is told of a `ProviderError`, with what to do next."""
        # this code is our own word
        why = (error.message if error.code == CONSENT_ENDED else str(error)).rstrip(". ")
        if isinstance(error, Transient | Held | ContractBroken):
            return self.env._(
                "%(why)s. Nothing was changed: try again in some minutes. If it stays so, open the"
                " connector and press Test Connection.",
                why=why,
            )
        if isinstance(error, AuthFailed):
            return self.env._(
                "%(why)s. Nothing was changed: open the connector, correct its credentials, and press"
                " Test Connection.",
                why=why,
            )
        return self.env._("%(why)s. Nothing was changed: begin again.", why=why)

    @api.model
    def _begin(self, connector, company, institution="", country="", *, consent=None, link=None,
               days=CONSENT_DAYS):  # fmt: skip
        """Note that the user goes to a bank; return the action that sends his browser there.

        consent: `finance.bank.consent` to renew. Raises UserError.
        """
        provider = self._feed(connector, company)
        if "consent" not in provider.capabilities:
            raise UserError(
                self.env._(
                    "Access is allowed at %(vendor)s itself, not from here.",
                    vendor=connector.vendor,
                )
            )
        uuid, state = str(uuid4()), new_secret()
        asked = ConsentRequest(
            institution=institution or "",
            country=country or "",
            redirect_url=self._redirect_url(),
            state=state,
            user=uuid,
            consent_days=days,
            history_days=min(HISTORY_DAYS, provider.history_days),
            renews=consent._secret() if consent else "",
        )
        try:
            begun = provider.start_consent(asked)
        except ProviderError as error:
            raise UserError(self._words_of(error)) from error
        vault = self.env["finance.vault"]._vault()
        self.sudo().create(
            {
                "uuid": uuid,
                "state_digest": _digest(state),
                "session_digest": _digest(self._session_secret()),
                "connector_id": connector.id,
                "environment": connector.environment,
                "company_id": company.id,
                "user_id": self.env.uid,
                "institution": institution,
                "country_code": country,
                "consent_id": consent.id if consent else False,
                "link_id": link.id if link else False,
                "reference_sealed": vault.seal(
                    begun.reference.encode(), self._name, uuid, "reference"
                ),
                "begun_at": fields.Datetime.now(),
            }
        )
        return {"type": "ir.actions.act_url", "url": begun.url, "target": "self"}

    @api.model
    def _renew(self, link):
        """Send the user to the bank of a link; the consent that comes back takes its place."""
        consent = link.consent_id.sudo()
        if "consent" not in link._provider().capabilities:
            return self._renew_at_vendor(link, consent)
        return self._begin(
            link.connector_id,
            link.company_id,
            consent.institution,
            consent.country_code,
            consent=consent,
            link=link,
        )

    @api.model
    def _renew_at_vendor(self, link, consent):
        """Look whether the access was allowed again at the vendor itself, and go on."""
        feed = self._feed(link.connector_id, link.company_id)
        try:
            given = feed.accounts(consent._secret())
        except ProviderError as error:
            raise UserError(self._words_of(error)) from error
        if given.until and given.until <= fields.Datetime.now():
            raise UserError(
                self.env._(
                    "%(bank)s: allow the access again at %(vendor)s itself, then press the button"
                    " once more.",
                    bank=link.name,
                    vendor=link.connector_id.vendor,
                )
            )
        visit = self._without_visit(link.connector_id, link.company_id, consent, link)
        self._take_over(visit, given)
        return RELOAD

    @api.model
    def _without_visit(self, connector, company, consent, link=None):
        """Return the values of a visit, as of `_claim`, for a vendor that sends nobody to a bank."""
        return {
            "connector": connector,
            "company": company,
            "institution": False,
            "country_code": False,
            "consent": consent,
            "link": link or self.env["finance.bank.link"],
            "reference": "",
        }

    @api.model
    def _session_secret(self):
        """Return a text that only this browser session has, "" outside of a browser."""
        if not request:
            return ""
        if not request.session.get(SESSION_KEY):
            request.session[SESSION_KEY] = secrets.token_urlsafe(24)
        return request.session[SESSION_KEY]

    @api.model
    def _claim(self, state):
        """Take the visit that ``state`` belongs to, once and for all.

        Return a dict of its values with ``reference`` in the clear, or None: no such state of this
        user and browser, used before, begun too long ago, or the connector was moved since.
        """
        rows = link_of(self.env, durable=False).execute(
            CLAIM,
            (
                _digest(state),
                self.env.uid,
                _digest(self._session_secret()),
                timedelta(minutes=MINUTES),
            ),
        )
        for uuid, connector_id, environment, company_id, *rest, sealed in rows:
            connector = self.env["finance.connector"].browse(connector_id).exists()
            if connector.environment != environment:
                break
            vault = self.env["finance.vault"]._vault()
            institution, country_code, consent_id, link_id = rest
            return {
                "connector": connector,
                "company": self.env["res.company"].browse(company_id),
                "institution": institution,
                "country_code": country_code,
                "consent": self.env["finance.bank.consent"].browse(consent_id or ()).exists(),
                "link": self.env["finance.bank.link"].browse(link_id or ()).exists(),
                "reference": vault.open(bytes(sealed), self._name, uuid, "reference").decode(),
            }
        foreign = self.sudo().search([("state_digest", "=", _digest(state))])
        if foreign:
            self.env["finance.denied.action"]._deny("bank.consent", "user", foreign.connector_id)
        return None

    @api.model
    def _given(self, visit, code):
        """Turn what came back into a `canonical.feed.Consent`.

        visit: of `_claim`. Raises `ProviderError`, UserError.
        """
        provider = self._feed(visit["connector"], visit["company"])
        old = visit["consent"].sudo()
        return provider.finish_consent(
            ConsentEnd(visit["reference"], code, old._secret() if old else "")
        )

    @api.model
    def _take_over(self, visit, given):
        """Store a consent and renew the links of its accounts.

        Return the link where the visit was begun, else a wizard that asks about the accounts.
        """
        consents = self.env["finance.bank.consent"].sudo()
        consent = visit["consent"].sudo() or consents.create(
            {
                "name": given.institution or visit["connector"].name,
                "connector_id": visit["connector"].id,
                "company_id": visit["company"].id,
                "institution": visit["institution"],
                "country_code": visit["country_code"],
            }
        )
        consent._keep(given)
        consent._audit("bank.consent_given", accounts=len(given.accounts))
        links = self.env["finance.bank.link"].sudo()
        others = []
        for account in given.accounts:
            link = links._find(visit["company"], visit["connector"], account)
            if link and link.state != "paused":
                link._consent_renewed(account, consent)
            else:
                others.append(account)
        consent._is_renewed()
        lost = consent.link_ids.filtered(
            lambda link: link.request_id not in {one.remote_id for one in given.accounts}
        )
        lost._consent_ended(self.env._("The new consent does not include this account."))
        if visit["link"] and visit["link"].state == "active":
            visit["link"]._enqueue_pull()
            return visit["link"]
        return self.env["finance.bank.link.wizard"]._of_consent(visit, consent, given, others)

    @api.autovacuum
    def _vacuum(self):
        """Forget who never came back."""
        self.env.cr.execute(
            "DELETE FROM finance_bank_visit"
            " WHERE begun_at < now() AT TIME ZONE 'UTC' - interval '1 day'"
        )


def _digest(text):
    return hashlib.sha256((text or "").encode()).hexdigest()
