"""HMRC: sign-in of applications, and "Check a UK VAT number" 2.0.

Base URL: ``http://127.0.0.1:8099/hmrc``.

===================================================================  ==========================
``POST /oauth/token``                                                client_credentials, read:vat
``GET /organisations/vat/check-vat-number/lookup/{target}``          is it valid, whose is it
``GET /organisations/vat/check-vat-number/lookup/{target}/{asker}``  with a consultation number
===================================================================  ==========================

Numbers of :data:`COMPANIES` are valid; 9 or 12 digits are a number, anything else is refused.
State: ``{"questions": [[target, requester]], "consultations": {number: target}}``.
"""

import re
import secrets
from datetime import UTC, datetime

from .vendor import Refusal, Response, Vendor

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "COMPANIES", "Hmrc"]

CLIENT_ID, CLIENT_SECRET = "sandbox-application", "SANDBOX-HMRC-SECRET-0001"
ACCEPT = "application/vnd.hmrc.2.0+json"
NUMBER = re.compile(r"\d{9}(\d{3})?")
LOOKUP = "/organisations/vat/check-vat-number/lookup"
COMPANIES = {
    "123456782": ("Thames Books Ltd", "10 Strand", "London", "WC2R 0AP"),
    "553557881": ("Credite Sberger Donal Inc.", "131B Barton Hamlet", "Leeds", "SW97 5CK"),
}


class Hmrc(Vendor):
    """Authorization server and API."""

    prefix = "hmrc"
    routes = (
        ("POST", "/oauth/token", "token"),
        ("GET", f"{LOOKUP}/{{target}}", "lookup"),
        ("GET", f"{LOOKUP}/{{target}}/{{requester}}", "lookup"),
    )

    def reset(self):
        """Forget tokens and questions."""
        self.tokens, self.questions, self.consultations = set(), [], {}

    def state(self):
        """Return what was asked, and under which consultation numbers."""
        return {"questions": self.questions, "consultations": self.consultations}

    def trouble(self, status):
        """Return HMRC's words for a fault."""
        code = {429: "MESSAGE_THROTTLED_OUT", 503: "SERVER_ERROR"}.get(status, "SERVER_ERROR")
        return {"code": code, "message": "made up for a test"}

    def token(self, request):
        """Give a token to the application."""
        form = request.form
        if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
            words = {"error": "invalid_client", "error_description": "invalid client id or secret"}
            return Response(401, words)
        if form.get("grant_type") != "client_credentials":
            return Response(400, {"error": "unsupported_grant_type"})
        if form.get("scope") != "read:vat":
            return Response(400, {"error": "invalid_scope"})
        token = secrets.token_hex(16)
        self.tokens.add(token)
        answer = {"access_token": token, "token_type": "bearer", "expires_in": 14400}
        return Response(200, answer | {"scope": "read:vat"})

    def lookup(self, request, target, requester=""):
        """Say whose number it is."""
        self._check(request, target, requester)
        self.questions.append([target, requester])
        if requester and requester not in COMPANIES:
            raise _refusal(
                403, "INVALID_REQUEST", "requesterVrn does not match a registered company"
            )
        if target not in COMPANIES:
            raise _refusal(404, "NOT_FOUND", "targetVrn does not match a registered company")
        name, line1, line2, postcode = COMPANIES[target]
        address = {"line1": line1, "line2": line2, "postcode": postcode, "countryCode": "GB"}
        answer = {"target": {"name": name, "vatNumber": target, "address": address}}
        if requester:
            consultation = f"{len(self.consultations) + 1:03d}-4JK-9XP"
            self.consultations[consultation] = target
            answer |= {"requester": requester, "consultationNumber": consultation}
        now = datetime.now(UTC).replace(microsecond=0)
        return Response(200, answer | {"processingDate": now.isoformat()})

    def _check(self, request, target, requester):
        scheme, _space, token = request.header("authorization").partition(" ")
        if scheme.lower() != "bearer" or token not in self.tokens:
            raise _refusal(
                401, "INVALID_CREDENTIALS", "Invalid Authentication information provided"
            )
        if request.header("accept") != ACCEPT:
            raise _refusal(406, "ACCEPT_HEADER_INVALID", "The accept header is missing or invalid")
        for name, value in (("targetVrn", target), ("requesterVrn", requester)):
            if value and not NUMBER.fullmatch(value):
                words = f"Invalid {name} - Vrn parameters should be 9 or 12 digits"
                raise _refusal(400, "INVALID_REQUEST", words)


def _refusal(status, code, words):
    return Refusal(Response(status, {"code": code, "message": words}))
