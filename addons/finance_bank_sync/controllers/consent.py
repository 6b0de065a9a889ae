from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.http import request

from odoo.addons.finance_connector_base.providers.errors import ProviderError

from ..canonical.feed import CONSENT_ENDED, NOT_ALLOWED
from ..models.finance_bank_link import MANAGERS
from ..models.finance_bank_visit import REDIRECT_PATH

WIZARD_PATH = "/odoo/finance-bank-linking"
LINK_PATH = "/odoo/finance-bank-links"


class ConsentController(http.Controller):
    """Where banks send the browser back to after a consent."""

    @http.route(REDIRECT_PATH, type="http", auth="user", methods=["GET"], readonly=False)
    def back(self, state="", code="", error="", error_description="", ref="", **_kwargs):
        """End a consent that this user began in this browser: on to the accounts, or words why not.

        The address to go on to is always one of ours; nothing of the request is part of it.
        """
        # Odoo may run a request twice: state and code serve once.
        if not hasattr(request, "finance_bank_visit"):
            request.finance_bank_visit = _claimed(state)
        visit = request.finance_bank_visit
        if visit is None:
            return _page(
                request.env._(
                    "This visit at the bank is not yours, was ended before, or took too long."
                    " Nothing was changed: begin again."
                )
            )
        if error:
            words = _words(visit, error[:60], error_description[:300])
            return _page(words, visit["link"], status=200)
        try:
            record = _finish(visit, code)
        except ProviderError as failure:
            if failure.code in (NOT_ALLOWED, CONSENT_ENDED):
                return _page(_words(visit, "", failure.message), visit["link"], status=200)
            words = request.env["finance.bank.visit"]._words_of(failure)
            return _page(words, visit["link"])
        except UserError as failure:
            return _page(str(failure), visit["link"])
        path = LINK_PATH if record._name == "finance.bank.link" else WIZARD_PATH
        return request.redirect(f"{path}/{record.id}", local=True)


def _claimed(state):
    env = request.env
    visit = env["finance.bank.visit"]._claim(state)
    if visit and not any(map(env.user.has_group, MANAGERS)):
        env["finance.denied.action"]._deny("bank.consent", "group", visit["connector"])
        raise AccessError(env._("You may not link banks. Ask a colleague with that role."))
    return visit


def _finish(visit, code):
    """Return what to show next; the bank is told once, whatever Odoo does with the request."""
    env = request.env
    if not hasattr(request, "finance_bank_given"):
        request.finance_bank_given = env["finance.bank.visit"]._given(visit, code)
    company = visit["company"]
    visits = env["finance.bank.visit"].with_company(company)
    return visits._take_over(visit, request.finance_bank_given)


def _words(visit, error, description):
    env = request.env
    words = env._(
        "%(vendor)s: the access to the accounts was not allowed. Nothing was changed. Begin again,"
        " or choose another bank.",
        vendor=visit["connector"].vendor,
    )
    said = " ".join(filter(None, (description, error and f"({error})")))
    return f"{words} {env._('It says: %(words)s', words=said)}"


def _page(words, link=None, status=400):
    """Return the page that says why not; ``link``: what was to be renewed."""
    again = f"{LINK_PATH}/{link.id}" if link else WIZARD_PATH
    values = {"words": words, "again": again}
    response = request.render("finance_bank_sync.consent_ended", values, status=status)
    response.headers["Cache-Control"] = "no-store"
    # our address has a code and a state in it
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
