"""Plaid: our requests and the sandbox's answers against the published contract, and its own client.

Every request in the sandbox's log and every answer to it is checked, with unknown fields refused,
after each test of this module.
"""

from dataclasses import replace
from decimal import Decimal

import plaid
import pytest
import requests
from plaid.api import plaid_api
from plaid.model.accounts_balance_get_request import AccountsBalanceGetRequest
from plaid.model.country_code import CountryCode
from plaid.model.item_get_request import ItemGetRequest
from plaid.model.item_public_token_exchange_request import ItemPublicTokenExchangeRequest
from plaid.model.item_remove_request import ItemRemoveRequest
from plaid.model.link_token_create_hosted_link import LinkTokenCreateHostedLink
from plaid.model.link_token_create_request import LinkTokenCreateRequest
from plaid.model.link_token_create_request_user import LinkTokenCreateRequestUser
from plaid.model.link_token_get_request import LinkTokenGetRequest
from plaid.model.products import Products
from plaid.model.transactions_sync_request import TransactionsSyncRequest

from odoo.addons.finance_bank_sync.canonical.feed import (
    CONSENT_ENDED,
    NOT_ALLOWED,
    NOT_READY,
    ConsentEnd,
    ConsentRequest,
    booked,
)
from odoo.addons.finance_connector_base.providers.errors import Rejected, Transient

from sandbox.plaid import CLIENT_ID, SECRET
from tests.contract import openapi
from tests.contract.bank import checked, feed, flattened, load, request_of
from tests.contract.vendors import allowed

SPEC = openapi.SPECS / "plaid" / "2020-09-14.yml"


@pytest.fixture(scope="module")
def contract():
    return flattened(load(SPEC))


@pytest.fixture(autouse=True)
def conformity(sandbox, contract):
    """After each test, check all that went over the line."""
    yield
    exchanges = sandbox.requests("plaid", answers=True)
    assert exchanges, "the test sent nothing"
    assert checked(contract, exchanges) == []


@pytest.fixture
def ours(sandbox_url):
    return feed("plaid", sandbox_url)


def bank(sandbox, method, path, **values):
    url = f"{sandbox.base_url}/plaid/_bank/{path}"
    answer = requests.request(method, url, json=values, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def amounts(pull):
    return sorted(entry.amount for entry in pull.statement.entries if not entry.removes)


# === OUR PROVIDER === #


def test_money_that_leaves_is_negative_here(ours):
    pull = ours.pull(request_of(ours))
    by_text = {entry.text: entry for entry in pull.statement.entries}
    assert by_text["Invoice INV/2026/00017"].amount == Decimal("1190")
    assert by_text["Fee for account"].amount == Decimal("-12.5")
    assert booked(pull.statement.balances) == 10000 + pull.statement.booked
    card = ours.pull(request_of(ours, "card"))
    # what is owed on a card is a negative balance
    assert booked(card.statement.balances) == card.statement.booked == Decimal("-82.2")


def test_pages_are_read_to_the_end_and_the_cursor_goes_on(ours, sandbox):
    request = request_of(ours)
    first = ours.pull(request)
    assert len(first.statement.entries) == 9
    assert ours.pull(replace(request, cursor=first.cursor)).statement.entries == ()
    bank(sandbox, "POST", "transactions", account="operating", amount="5.00", text="New")
    bank(sandbox, "POST", "transactions", account="dollar", amount="6.00", text="Elsewhere")
    following = ours.pull(replace(request, cursor=first.cursor))
    assert amounts(following) == [Decimal(5)]


def test_a_pending_one_is_replaced_changed_and_taken_away(ours, sandbox):
    request = request_of(ours)
    values = {"account": "operating", "amount": "-30.00", "text": "Hotel", "pending": True}
    hotel = bank(sandbox, "POST", "transactions", **values)["number"]
    gone = bank(sandbox, "POST", "transactions", **values | {"text": "Never mind"})["number"]
    first = ours.pull(request)
    pending = {one.text: one for one in first.statement.entries if one.status == "pending"}
    assert set(pending) == {"Hotel", "Never mind"}
    bank(sandbox, "POST", f"book/{hotel}", amount="-31.00")
    bank(sandbox, "POST", f"remove/{gone}")
    second = ours.pull(replace(request, cursor=first.cursor))
    new, removal = second.statement.entries
    assert (new.status, new.amount, new.corrects) == (
        "booked", Decimal(-31), pending["Hotel"].unique_id
    )  # fmt: skip
    assert (removal.removes, removal.corrects) == (True, pending["Never mind"].unique_id)
    assert second.statement.booked == Decimal(-31)
    bank(sandbox, "POST", "change/3", text="Now with a reference")
    third = ours.pull(replace(request, cursor=second.cursor))
    [changed] = third.statement.entries
    assert changed.text == "Now with a reference"
    assert changed.corrects == changed.unique_id != ""


def test_a_paging_that_is_broken_begins_anew(ours, sandbox):
    request = request_of(ours)
    whole = amounts(ours.pull(request))
    bank(sandbox, "PUT", "settings", breaks=2)
    assert amounts(ours.pull(request)) == whole
    bank(sandbox, "PUT", "settings", breaks=100)
    with pytest.raises(Transient, match="changed since last page"):
        ours.pull(request)


def test_an_item_that_is_still_being_fetched(ours, sandbox):
    request = request_of(ours)
    bank(sandbox, "POST", "ready", ready=False)
    with pytest.raises(Transient) as early:
        ours.pull(request)
    assert early.value.code == NOT_READY


def test_a_login_that_ended_is_renewed_in_update_mode(ours, sandbox):
    request = request_of(ours)
    bank(sandbox, "POST", "expire")
    for ask in (ours.pull, ours.balances):
        with pytest.raises(Rejected) as ended:
            ask(request)
        assert ended.value.code == CONSENT_ENDED
    with pytest.raises(Rejected):
        ours.accounts(request.consent)
    new = ours.start_consent(ConsentRequest("", "US", "http://localhost/back", "s1"))
    with pytest.raises(Rejected) as refused:
        ours.finish_consent(ConsentEnd(new.reference, "", ""))
    assert refused.value.code == NOT_ALLOWED
    asked = ConsentRequest("", "US", "http://localhost/back", "s2", renews=request.consent)
    start = ours.start_consent(asked)
    page = dict(token=start.url.partition("token=")[2], decision="allow")
    answer = requests.post(start.url.partition("?")[0], data=page, allow_redirects=False, timeout=5)
    assert answer.headers["Location"] == "http://localhost/back?state=s2"
    renewed = ours.finish_consent(ConsentEnd(start.reference, "", request.consent))
    assert renewed.consent == request.consent and renewed.until
    assert ours.pull(request).statement.entries


def test_balances_of_now_and_the_end(ours):
    request = request_of(ours, fresh=True)
    assert ours.balances(request).booked == ours.pull(request).statement.balances[0].amount
    ours.revoke(request.consent)
    with pytest.raises(Rejected):
        ours.pull(request)


def test_nobody_reads_a_token(ours):
    end = allowed(ours)
    consent = ours.finish_consent(end)
    ours.pull(request_of(ours))
    for exchange in ours.session.recorder.exchanges:
        for body in (exchange.request_body, exchange.response_body):
            assert consent.consent.encode() not in body
            assert b"public-sandbox-" not in body


# === PLAID'S OWN CLIENT === #


@pytest.fixture
def client(sandbox_url):
    configuration = plaid.Configuration(
        host=f"{sandbox_url}/plaid",
        api_key={"clientId": CLIENT_ID, "secret": SECRET, "plaidVersion": "2020-09-14"},
    )
    return plaid_api.PlaidApi(plaid.ApiClient(configuration))


def linked(client):
    created = client.link_token_create(
        LinkTokenCreateRequest(
            client_name="Test",
            language="en",
            country_codes=[CountryCode("US")],
            user=LinkTokenCreateRequestUser(client_user_id="u1"),
            products=[Products("transactions")],
            hosted_link=LinkTokenCreateHostedLink(completion_redirect_uri="http://localhost/b"),
        )
    )
    token = created["link_token"]
    url = created["hosted_link_url"].partition("?")[0]
    form = {"token": token, "decision": "allow"}
    requests.post(url, data=form, allow_redirects=False, timeout=5)
    found = client.link_token_get(LinkTokenGetRequest(link_token=token))
    public = found["link_sessions"][0]["results"]["item_add_results"][0]["public_token"]
    exchanged = client.item_public_token_exchange(
        ItemPublicTokenExchangeRequest(public_token=public)
    )
    return exchanged["access_token"]


def test_sdk_links_syncs_and_leaves(client, sandbox):
    access = linked(client)
    item = client.item_get(ItemGetRequest(access_token=access))["item"]
    assert item["institution_name"] == "Sandbox Bank"
    accounts = client.accounts_balance_get(AccountsBalanceGetRequest(access_token=access))
    assert [one["balances"]["current"] for one in accounts["accounts"]][2] == 82.2
    cursor, added = "", []
    while True:
        values = {"cursor": cursor} if cursor else {}
        page = client.transactions_sync(TransactionsSyncRequest(access_token=access, **values))
        added += page["added"]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            break
    assert len(added) == 13
    assert sum(one["amount"] > 0 for one in added) == 9
    client.item_remove(ItemRemoveRequest(access_token=access))
    with pytest.raises(plaid.ApiException, match="INVALID_ACCESS_TOKEN"):
        client.item_get(ItemGetRequest(access_token=access))


def test_sdk_understands_the_errors(client, sandbox):
    access = linked(client)
    bank(sandbox, "POST", "expire")
    with pytest.raises(plaid.ApiException, match="ITEM_LOGIN_REQUIRED"):
        client.transactions_sync(TransactionsSyncRequest(access_token=access))
