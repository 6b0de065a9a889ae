"""What the contract tests of bank APIs share."""

import re

import pytest

from odoo.addons.finance_bank_sync.canonical.feed import PullRequest

from tests.contract import openapi
from tests.contract.vendors import VENDORS, consented

__all__ = ["checked", "feed", "flattened", "load", "pull_of", "request_of", "vendor"]


def vendor(code):
    """Return the registered vendor."""
    return next(one for one in VENDORS if one.provider.code == code)


def feed(code, url, **options):
    """Return our provider at work on the sandbox."""
    return vendor(code).open(url, **options)


def load(path):
    """Return the published contract, or skip: its folder is kept outside the repository."""
    if not path.exists():
        pytest.skip(f"optional: no contract at {path}; FINANCE_SPECS names its folder")
    return openapi.load(path)


def flattened(contract):
    """Merge what ``allOf`` puts together, so that a field that no part names is found."""
    schemas = contract.description["components"]["schemas"]
    for name, schema in schemas.items():
        if "allOf" in schema:
            schemas[name] = _merged(schema, schemas)
    return contract


def _merged(schema, schemas):
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    found = {key: value for key, value in schema.items() if key != "allOf"}
    found["properties"] = dict(schema.get("properties", {}))
    found["required"] = list(schema.get("required", []))
    for part in schema.get("allOf", ()):
        part = _merged(part, schemas)
        found["properties"] |= part["properties"]
        found["required"] += part["required"]
        found.setdefault("type", part.get("type"))
    return found


def checked(contract, exchanges, slash=False):
    """Return what is wrong with requests and answers of a sandbox's log.

    slash: the contract's paths end with one, which the log leaves out.
    """
    problems = []
    for one in exchanges:
        method, path, status = one["method"], one["path"] + ("/" if slash else ""), one["status"]
        if re.match(r"/(_bank|hosted|consent)", path):
            continue
        found = contract.check_request(method, path, one["query_string"], one["body"])
        if one["fault"] is None and status:
            found += contract.check_answer(method, path, status, one["answer"])
        problems += [f"{method} {path} {status}: {problem}" for problem in found]
    return problems


def request_of(provider, name="Operating", **changes):
    """Return the request for an account of a new consent, by a part of its name."""
    consent = consented(provider)
    account = next(one for one in consent.accounts if name in one.account.name)
    values = {"consent": consent.consent, "kind": account.kind} | changes
    return PullRequest(account.remote_id, account.account, **values)


def pull_of(provider, name="Operating", **changes):
    """Return (request, pull) of an account of a new consent."""
    request = request_of(provider, name, **changes)
    return request, provider.pull(request)
