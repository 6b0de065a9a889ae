from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..providers.errors import ProviderError
from ..providers.session import Gate
from .finance_connector import NEW_SECRETS

REMIND_DAYS = 14
# A sign-in that lasts for a short time only is remembered for this part of it.
REMIND_PART = 4


class FinanceConnector(models.Model):
    """Signing in at a vendor that gives tokens (OAuth 2)."""

    _inherit = "finance.connector"

    vendor = fields.Char(compute="_compute_vendor")
    signs_in = fields.Boolean(compute="_compute_vendor")
    redirect_url = fields.Char(
        "Redirect URL",
        compute="_compute_vendor",
        help="The vendor asks for it where the client is registered, and sends people back to it.",
    )
    signed_in_at = fields.Datetime(compute="_compute_sign_in")
    signed_in_by_id = fields.Many2one("res.users", "Signed in by", compute="_compute_sign_in")
    sign_in_ends_at = fields.Datetime("Sign in again before", compute="_compute_sign_in")

    @api.depends("provider")
    def _compute_vendor(self):
        redirect_url = self.env["finance.sign.in"]._redirect_url()
        for connector in self:
            provider = connector._known_class()
            connector.vendor = provider.label
            connector.signs_in = bool(provider.oauth and provider.oauth.asks_a_person)
            connector.redirect_url = connector.signs_in and redirect_url

    @api.depends("environment")
    def _compute_sign_in(self):
        tokens = self.env["finance.token"]._of(self)
        for connector in self:
            token = tokens.get(connector._origin.id) or self.env["finance.token"]
            connector.signed_in_at = token.signed_in_at
            connector.signed_in_by_id = token.signed_in_by_id.exists()
            connector.sign_in_ends_at = token.ends_at

    # === BUTTONS === #

    def action_sign_in(self):
        """Send the user's browser to the vendor, to sign in there and come back."""
        self.ensure_one()
        self._check_administrator("connector.sign_in")
        url = self.env["finance.sign.in"]._begin(self, self._sign_in_client())
        return {"type": "ir.actions.act_url", "url": url, "target": "self"}

    def action_sign_out(self):
        """Give the tokens back to the vendor, as far as it takes them, and forget them."""
        self.ensure_one()
        self._check_administrator("connector.sign_out")
        try:
            client = self._sign_in_client()
            token = client.session.tokens.stored()
            if token:
                client.revoke(token)
            words = self.env._("%(vendor)s has been told, too.", vendor=self.vendor)
        except (ProviderError, UserError) as error:
            words = self.env._(
                "%(vendor)s could not be told: %(error)s", vendor=self.vendor, error=error
            )
        self.env["finance.token"]._forget(self, self.environment)
        self._by_action({"state": "draft", "tested_at": False})
        self._audit("connector.signed_out", environment=self.environment)
        return self._notify("warning", self.env._("Signed out"), words)

    def _sign_in_client(self):
        """Return the `oauth.Client` of the connector, with the newest secrets.

        Raises UserError when the connector may not call, or its vendor signs nobody in.
        """
        if not self.signs_in:
            raise UserError(
                self.env._("%(name)s needs no sign-in: test it instead.", name=self.name)
            )
        connector = self.with_context(finance_secrets=NEW_SECRETS)
        company = (self.company_ids & self.env.companies)[:1] or self.sudo().company_ids[:1]
        provider = self.env["finance.operation.sign_in"]._open_session(connector, company)
        # a person asks once: neither an open breaker nor a used-up rate keeps the answer away
        provider.session.gate = Gate()
        return provider.client

    # === COMING BACK === #

    def _signed_in(self, redirect_url, verifier, code, issuer):
        """Turn the code that came back into stored tokens. Raises `ProviderError`, UserError."""
        self._sign_in_client().redeem(code, redirect_url, verifier, issuer)

    def _after_sign_in(self, refusal=None):
        """Write down how a sign-in went, and test the connector when it went well.

        refusal: the code of what went wrong. Returns words when the test failed, else "".
        """
        if refusal is not None:
            self._audit("connector.sign_in_refused", code=refusal, environment=self.environment)
            return ""
        self._audit("connector.signed_in", environment=self.environment)
        test = self.action_test()["params"]
        if test["type"] == "success":
            return ""
        return self.env._(
            "You are signed in, but the test of the connector failed: %(words)s",
            words=test["message"],
        )

    # === REMINDER === #

    @api.model
    def _cron_daily(self):
        super()._cron_daily()
        self.sudo().search([])._remind_of_sign_in()

    def _remind_of_sign_in(self):
        tokens = self.env["finance.token"]._of(self)
        for connector in self:
            token = tokens.get(connector.id)
            if not token or not connector._sign_in_ends_soon(token):
                connector._resolve_exception("sign_in.ending", "connector.signed_in")
                continue
            ends = fields.Date.to_date(token.ends_at)
            connector._raise_exception("sign_in.ending", expires=ends.isoformat())

    def _sign_in_ends_soon(self, token) -> bool:
        declared = self._known_class().oauth
        if not declared or not token.ends_at:
            return False
        began = token.signed_in_at if declared.sign_in_days else token.renewed_at
        ahead = min(timedelta(days=REMIND_DAYS), (token.ends_at - began) / REMIND_PART)
        return token.ends_at - ahead < fields.Datetime.now()

    # === FORGETTING === #

    @api.model
    def _provider_leaves(self, codes):
        super()._provider_leaves(codes)
        connectors = self.sudo().with_context(active_test=False)
        self.env["finance.token"]._forget(connectors.search([("provider", "in", list(codes))]))

    @api.ondelete(at_uninstall=False)
    def _unlink_tokens(self):
        self.env["finance.token"]._forget(self)
