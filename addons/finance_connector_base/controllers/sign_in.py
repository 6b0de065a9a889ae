from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from ..models.finance_sign_in import REDIRECT_PATH
from ..providers.errors import ProviderError


class SignInController(http.Controller):
    """Where vendors send the browser back to after a sign-in (RFC 6749, 4.1.2)."""

    @http.route(REDIRECT_PATH, type="http", auth="user", methods=["GET"], readonly=False)
    def callback(self, state="", code="", error="", error_description="", iss="", **_kwargs):
        """End a sign-in that this user began, with tokens or with words why there are none."""
        # Odoo may run a request twice: state and code serve once.
        if not hasattr(request, "finance_sign_in"):
            request.finance_sign_in = _redeem(state, code, error[:60], error_description[:300], iss)
        connector_id, refusal, words = request.finance_sign_in
        if connector_id is None:
            return _page(words, 400)
        connector = request.env["finance.connector"].browse(connector_id)
        words = connector._after_sign_in(refusal) or words
        if words:
            return _page(words, 400, connector)
        return request.redirect(f"/odoo/finance-connectors/{connector.id}")


def _redeem(state, code, error, description, issuer):
    """Return (connector's id or None, code of the refusal or None, words for the person)."""
    env = request.env
    claimed = env["finance.sign.in"]._claim(state)
    if claimed is None:
        return (
            None,
            "state",
            env._(
                "This sign-in is not yours, was ended before, or took too long. Nothing was changed."
                " Open the connector and press Sign In again."
            ),
        )
    connector, redirect_url, verifier = claimed
    if error or not code:
        return connector.id, error or "no_code", _words(connector, error, description)
    try:
        connector._check_administrator("connector.sign_in")
        connector._signed_in(redirect_url, verifier, code, issuer)
    except (ProviderError, UserError) as failure:
        return connector.id, getattr(failure, "code", "") or "failed", str(failure)
    return connector.id, None, ""


def _words(connector, error, description):
    """Word an error that the vendor sent the browser back with (RFC 6749, 4.1.2.1)."""
    env = request.env
    reasons = {
        "access_denied": env._("The sign-in was cancelled, or access was not granted."),
        "invalid_scope": env._("The client is not granted what it asks for."),
        "unauthorized_client": env._("The client may not sign in this way."),
        "temporarily_unavailable": env._("It can't sign anybody in now; try later."),
        "server_error": env._("It can't sign anybody in now; try later."),
    }
    words = env._(
        "%(vendor)s did not sign you in. %(reason)s Nothing was changed.",
        vendor=connector.vendor,
        reason=reasons.get(error) or env._("It sent no answer that can be used."),
    )
    said = " ".join(filter(None, (description, error and f"({error})")))
    return f"{words} {env._('It says: %(words)s', words=said)}" if said else words


def _page(words, status, connector=None):
    values = {"words": words, "connector": connector}
    response = request.render("finance_connector_base.sign_in_ended", values, status=status)
    response.headers["Cache-Control"] = "no-store"
    # our address has a code and a state in it
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
