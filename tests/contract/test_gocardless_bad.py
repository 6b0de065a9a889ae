"""GoCardless Bank Account Data: our requests and the sandbox's answers against the published contract.

The contract says nothing of transactions and balances beyond "an object"; those are checked field by
field against the Berlin Group's names that the vendor's pages use.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
import requests

from odoo.addons.finance_bank_sync.canonical.feed import (
    CONSENT_ENDED,
    NOT_ALLOWED,
    QUOTA,
    ConsentEnd,
)
from odoo.addons.finance_bank_sync.providers.feed import days_ago, moment
from odoo.addons.finance_connector_base.providers.errors import Rejected, Transient

from tests.contract import openapi
from tests.contract.bank import checked, feed, load, request_of
from tests.contract.vendors import allowed, begun, chosen

SPEC = openapi.SPECS / "gocardless_bad" / "nordigen.com.json"
RANGE = {"start": days_ago(60), "end": days_ago(0)}


@pytest.fixture(scope="module")
def contract():
    found = load(SPEC)
    # the description's own example has texts where its schema has lists of lists
    for name in ("EndUserAgreement", "EndUserAgreementRequest"):
        schema = found.description["components"]["schemas"][name]
        schema["properties"]["access_scope"]["items"] = {"type": "string"}
    # nor does it name any success of a deletion
    for path in ("/api/v2/requisitions/{id}/", "/api/v2/agreements/enduser/{id}/"):
        found.description["paths"][path]["delete"]["responses"]["200"] = {}
    return found


@pytest.fixture(autouse=True)
def conformity(sandbox, contract):
    """After each test, check all that went over the line."""
    yield
    exchanges = sandbox.requests("gocardless_bad", answers=True)
    assert exchanges, "the test sent nothing"
    assert checked(contract, exchanges, slash=True) == []


@pytest.fixture
def ours(sandbox_url):
    return feed("gocardless_bad", sandbox_url)


def bank(sandbox, method, path, **values):
    url = f"{sandbox.base_url}/gocardless_bad/_bank/{path}"
    answer = requests.request(method, url, json=values, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_booked_and_pending_and_what_changes_on_booking(ours, sandbox):
    request = request_of(ours, **RANGE)
    values = {"account": "operating", "amount": "-30.00", "text": "Hotel", "pending": True}
    number = bank(sandbox, "POST", "transactions", **values)["number"]
    first = ours.pull(request).statement
    [pending] = [one for one in first.entries if one.status == "pending"]
    assert (pending.amount, pending.unique_id, pending.booking_date) == (Decimal(-30), "", None)
    bank(sandbox, "POST", f"book/{number}")
    second = ours.pull(request).statement
    [hotel] = [one for one in second.entries if one.text == "Hotel"]
    assert hotel.status == "booked"
    assert hotel.reference != pending.reference
    assert hotel.servicer_reference != pending.servicer_reference
    assert second.booked == first.booked - 30


def test_no_id_is_promised_and_twins_stay_two(ours):
    statement = ours.pull(request_of(ours, **RANGE)).statement
    assert {one.unique_id for one in statement.entries} == {""}
    parking = [one for one in statement.entries if one.text == "Parking"]
    assert len(parking) == 2 and parking[0].fingerprint() == parking[1].fingerprint()


def test_the_amount_ordered_is_the_banks_own(ours):
    statement = ours.pull(request_of(ours, **RANGE)).statement
    [tools] = [one for one in statement.entries if one.text == "Tools from Zurich"]
    assert (tools.amount, tools.currency) == (Decimal("-107.10"), "EUR")
    assert (tools.original_amount, tools.original_currency) == (Decimal("-100.00"), "CHF")
    assert tools.rate == Decimal("1.0710")


def test_the_quota_is_read_and_its_end_is_told(ours, sandbox):
    request = request_of(ours, **RANGE)
    bank(sandbox, "PUT", "settings", calls_a_day=2)
    assert ours.pull(request).quota.left == 1
    again = feed("gocardless_bad", sandbox.base_url)
    again.session.tokens._token = ours.session.tokens._token
    assert again.pull(request).quota.left == 0
    with pytest.raises(Transient) as over:
        again.pull(request)
    assert over.value.code == QUOTA
    assert again.quota.left == 0 and again.quota.resets_at <= moment(86_400)
    assert moment(over.value.retry_after) - again.quota.resets_at < timedelta(seconds=2)


def test_a_consent_that_ended(ours, sandbox):
    request = request_of(ours, **RANGE)
    assert ours.accounts(request.consent).until > moment(89 * 86_400)
    bank(sandbox, "POST", "expire")
    for ask in (ours.pull, ours.balances, lambda asked: ours.accounts(asked.consent)):
        with pytest.raises(Rejected) as ended:
            ask(request)
        assert ended.value.code == CONSENT_ENDED


def test_a_person_who_says_no(ours):
    start = allowed(ours)
    given = ours.finish_consent(start)
    assert given.accounts and given.institution == "Sandbox Finance"
    with pytest.raises(Rejected, match="status CR") as refused:
        ours.finish_consent(ConsentEnd(begun(ours, chosen(ours)).reference))
    assert refused.value.code == NOT_ALLOWED


def test_tokens_are_renewed_and_nobody_reads_them(ours, sandbox):
    request = request_of(ours, **RANGE)
    bank(sandbox, "POST", "expire_tokens")
    assert ours.pull(request).statement.entries
    assert sandbox.state("gocardless_bad")["tokens"] == {"new": 1, "refresh": 1}
    token = ours.session.tokens._token
    for exchange in ours.session.recorder.exchanges:
        for body in (exchange.request_body, exchange.response_body):
            assert token.access.encode() not in body
            assert token.refresh.encode() not in body


def test_deleting_a_requisition(ours):
    request = request_of(ours, **RANGE)
    ours.revoke(request.consent)
    with pytest.raises(Rejected):
        ours.pull(request)
