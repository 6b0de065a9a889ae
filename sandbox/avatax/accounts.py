"""Credentials, companies, and the questions who we are."""

import base64
import binascii

from ..vendor import Refusal, Response
from .answers import page
from .errors import fail
from .filters import parse_filter

#: (account id or user, license key or password) → user name; two keys, to try a rotation.
CREDENTIALS = {
    ("1100000001", "SANDBOX-LICENSE-KEY-0001"): "sandbox.account",
    ("1100000001", "SANDBOX-LICENSE-KEY-0002"): "sandbox.account",
    ("sandbox.user@example.com", "sandbox-password"): "sandbox.user@example.com",
}
ACCOUNT_ID = 1100000001
USER_ID = 7001

#: Company code → (id, name, base currency). The first one is the account's default company.
COMPANIES = {
    "DEFAULT": (100001, "Sandbox Company", "USD"),
    "BRANCH": (100002, "Sandbox Branch", "USD"),
    "SECOND": (100003, "Second Sandbox Company", "USD"),
    "EUROPE": (100004, "Sandbox Company Europe", "EUR"),
}


class Accounts:
    """Ping and companies."""

    routes = (
        ("GET", "/api/v2/utilities/ping", "ping"),
        ("GET", "/api/v2/companies", "companies"),
    )

    def ping(self, request):
        """GET /utilities/ping: never an error; says whether the credentials are good."""
        answer = {"version": "26.10.0.0", "authenticated": False, "authenticationType": "None"}
        try:
            name, kind = authenticate(request)
        except Refusal:
            return Response(200, answer)
        answer |= {
            "authenticated": True,
            "authenticationType": kind,
            "authenticatedUserName": name,
            "authenticatedUserId": USER_ID,
            "authenticatedAccountId": ACCOUNT_ID,
        }
        return Response(200, answer)

    def companies(self, request):
        """GET /companies: the account's companies."""
        wanted = parse_filter(request.query.get("$filter", ""))
        found = list(filter(wanted, map(_company_model, COMPANIES)))
        return page(request, found)


def authenticate(request):
    """Return (user name, kind of authentication), or refuse with 401."""
    scheme, _space, secret = request.header("authorization").partition(" ")
    if scheme.lower() != "basic":
        raise fail(
            "AuthenticationIncomplete",
            description="You must provide an Authorization header of the type Basic or Bearer to "
            "authenticate correctly.",
        )
    try:
        user, _colon, password = base64.b64decode(secret, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user = password = ""
    name = CREDENTIALS.get((user, password))
    if name is None:
        raise fail(
            "AuthenticationException",
            description="Missing authentication or unable to authenticate the user or the account.",
        )
    return name, "AccountIdLicenseKey" if user.isdigit() else "UsernamePassword"


def find_company(code, where="path"):
    """Return the code of a company; refuse an unknown one as a path or a body does."""
    if code in COMPANIES:
        return code
    if where == "body":
        raise fail(
            "GetTaxError",
            "Company not found. Verify the CompanyCode.",
            sub_code="CompanyNotFoundError",
            refers_to="CompanyCode",
        )
    raise fail("EntityNotFoundError", f"Company with code '{code}'")


def company_of(company_id):
    """Return the code of the company with an id, given as text in a path."""
    for code, (known, _name, _currency) in COMPANIES.items():
        if str(known) == company_id:
            return code
    raise fail("EntityNotFoundError", f"Company with ID '{company_id}'")


def _company_model(code):
    company_id, name, currency = COMPANIES[code]
    return {
        "id": company_id,
        "accountId": ACCOUNT_ID,
        "companyCode": code,
        "name": name,
        "isDefault": code == next(iter(COMPANIES)),
        "isActive": True,
        "hasProfile": True,
        "isReportingEntity": True,
        "defaultCountry": "US",
        "baseCurrencyCode": currency,
        "roundingLevelId": "Line",
        "isTest": True,
    }
