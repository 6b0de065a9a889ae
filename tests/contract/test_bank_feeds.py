"""Enable Banking and Ponto, which publish no machine-readable contract: what their pages promise."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import requests

from odoo.addons.finance_bank_sync.canonical.feed import CONSENT_ENDED, QUOTA
from odoo.addons.finance_bank_sync.providers import enable_banking
from odoo.addons.finance_bank_sync.providers.feed import days_ago, moment
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    Rejected,
    Transient,
)

from tests.contract.bank import feed, request_of
from tests.contract.vendors import VENDORS, BankFeed, Call, bank_calls

RANGE = {"start": days_ago(60), "end": days_ago(0)}
FEEDS = [one.provider.code for one in VENDORS if issubclass(one.provider, BankFeed)]
feeds = pytest.mark.parametrize("code", FEEDS)


def bank(sandbox, code, method, path, **values):
    url = f"{sandbox.base_url}/{code}/_bank/{path}"
    answer = requests.request(method, url, json=values, timeout=5)
    assert answer.status_code == 200, answer.text
    return answer.json()


def texts(pull, status="booked"):
    return sorted(one.text for one in pull.statement.entries if one.status == status)


# === ALL OF THEM === #


@feeds
def test_the_same_bank_is_told_alike(code, sandbox_url):
    ours = feed(code, sandbox_url)
    pull = ours.pull(request_of(ours, **RANGE))
    found = sorted(
        one.amount.normalize() for one in pull.statement.entries if one.status == "booked"
    )
    told = ("-1500", "-238", "-107.1", "-12.5", "-4.2", "-4.2", "595", "1190", "2380")
    assert found == [Decimal(one) for one in told]
    assert pull.statement.kind == "report"
    assert [one.type for one in pull.statement.balances] == ["ITBD", "ITAV"]
    assert pull.statement.balances[0].amount == 10000 + pull.statement.booked
    promised = [one.unique_id for one in pull.statement.entries if one.unique_id]
    assert len(promised) == len(set(promised))
    if ours.promises_ids:
        assert len(promised) == len(pull.statement.entries)


@feeds
def test_each_account_has_its_own(code, sandbox_url):
    ours = feed(code, sandbox_url)
    dollar = ours.pull(request_of(ours, "Dollar", **RANGE)).statement
    assert {one.currency for one in dollar.entries} == {dollar.currency} == {"USD"}
    assert dollar.booked == Decimal("1150.10")


@feeds
def test_an_amount_in_another_currency_is_not_taken_for_the_accounts(code, sandbox_url):
    ours = feed(code, sandbox_url)
    request = request_of(ours, **RANGE)
    other = replace(request, account=replace(request.account, currency="CHF"))
    with pytest.raises(ContractBroken, match="currency"):
        ours.pull(other)


@feeds
def test_all_calls_are_questions(code):
    provider = next(one.provider for one in VENDORS if one.provider.code == code)
    assert {call.effect for call in bank_calls(provider)} == {Call("", None).effect}


# === ENABLE BANKING === #


@pytest.fixture
def enable(sandbox_url):
    return feed("enable_banking", sandbox_url)


def test_enable_banking_ids_where_the_bank_gives_them(enable):
    first, second = (enable.pull(request_of(enable, **RANGE)).statement for _time in range(2))
    ids = [{one.unique_id for one in statement.entries} for statement in (first, second)]
    # those of another session are the same; the fee has none
    assert ids[0] == ids[1] and "" in ids[0] and len(ids[0]) == 9


def test_enable_banking_pending_then_booked(enable, sandbox):
    request = request_of(enable, **RANGE)
    values = {"account": "operating", "amount": "-30.00", "text": "Hotel", "pending": True}
    number = bank(sandbox, "enable_banking", "POST", "transactions", **values)["number"]
    first = enable.pull(request)
    assert texts(first, "pending") == ["Hotel"]
    assert [one.unique_id for one in first.statement.entries if one.status == "pending"] == [""]
    bank(sandbox, "enable_banking", "POST", f"book/{number}", amount="-31.00")
    second = enable.pull(request)
    assert "Hotel" in texts(second) and not texts(second, "pending")


def test_enable_banking_further_back_than_the_bank_tells(enable, sandbox):
    request = request_of(enable, **RANGE)
    bank(sandbox, "enable_banking", "PUT", "settings", history_days=30)
    with pytest.raises(Rejected, match="Wrong transactions period"):
        enable.pull(request)
    assert len(enable.pull(replace(request, longest=True)).statement.entries) == 7


def test_enable_banking_quota_counts_only_what_nobody_waits_for(enable, sandbox):
    request = request_of(enable, **RANGE)
    bank(sandbox, "enable_banking", "PUT", "settings", calls_a_day=1)
    enable.pull(request)
    with pytest.raises(Transient) as over:
        enable.pull(request)
    assert over.value.code == QUOTA and over.value.retry_after > 0
    assert enable.quota.left == 0 and enable.quota.resets_at <= moment(86_400)
    waiting = replace(request, address="192.0.2.7", agent="Firefox")
    assert enable.pull(waiting).statement.entries
    # the next pull is nobody's again
    with pytest.raises(Transient):
        enable.pull(request)


def test_enable_banking_end_of_a_session(enable, sandbox):
    request = request_of(enable, **RANGE)
    assert enable.accounts(request.consent).until > moment(89 * 86_400)
    enable.revoke(request.consent)
    for ask in (enable.pull, enable.balances, lambda one: enable.accounts(one.consent)):
        with pytest.raises(Rejected) as ended:
            ask(request)
        assert ended.value.code == CONSENT_ENDED


def test_enable_banking_paging_that_breaks(enable, sandbox):
    request = request_of(enable, **RANGE)
    bank(sandbox, "enable_banking", "PUT", "settings", breaks=2)
    assert len(enable.pull(request).statement.entries) == 9
    bank(sandbox, "enable_banking", "PUT", "settings", breaks=9)
    with pytest.raises(Rejected, match="continuation key"):
        enable.pull(request)


@pytest.mark.parametrize("name", ["status", "credit_debit_indicator"])
def test_enable_banking_words_that_nobody_knows(enable, name, monkeypatch):
    request = request_of(enable, **RANGE)
    table = {"status": "STATUSES", "credit_debit_indicator": "SIGNS"}[name]
    monkeypatch.setattr(enable_banking, table, {"NEW": 1})
    with pytest.raises(ContractBroken, match=f"{name} has the unknown value"):
        enable.pull(request)


def test_enable_banking_another_application(sandbox_url):
    ours = feed(
        "enable_banking", sandbox_url, application_id="00000000-0000-4000-8000-000000000009"
    )
    with pytest.raises(AuthFailed):
        ours.ping()


# === PONTO === #


@pytest.fixture
def ponto(sandbox_url):
    return feed("ponto", sandbox_url)


def test_ponto_stops_reading_at_the_first_day(ponto, sandbox):
    request = request_of(ponto, start=days_ago(7), end=days_ago(0))
    sandbox.forget_requests()
    pull = ponto.pull(request)
    assert {one.booking_date >= days_ago(7) for one in pull.statement.entries} == {True}
    pages = [one for one in sandbox.requests("ponto") if one["path"].endswith("/transactions")]
    assert len(pages) == 1
    dates = [one.booking_date for one in pull.statement.entries]
    assert dates == sorted(dates)


def test_ponto_a_person_who_waits_has_the_bank_asked(ponto, sandbox):
    request = request_of(ponto, **RANGE)
    bank(sandbox, "ponto", "PUT", "settings", lag=True)
    bank(sandbox, "ponto", "POST", "transactions", account="operating", amount="9.00", text="Late")
    assert "Late" not in texts(ponto.pull(request))
    asking = replace(request, fresh=True, address="192.0.2.7")
    assert "Late" in texts(ponto.pull(asking))
    # too soon after the last time: what is there is read
    assert "Late" in texts(ponto.pull(asking))
    assert len(sandbox.state("ponto")["synchronizations"]) == 2


def test_ponto_structured_references(ponto):
    pull = ponto.pull(request_of(ponto, **RANGE))
    [one] = [entry for entry in pull.statement.entries if entry.text.startswith("RF18")]
    assert one.details[0].references[0].reference == "RF18 5390 0754 7034"
    assert (one.code.domain, one.code.family, one.code.subfamily) == ("PMNT", "RCDT", "ESCT")


def test_ponto_end_of_an_authorization(ponto, sandbox):
    request = request_of(ponto, **RANGE)
    assert ponto.pull(request).consent_until - moment(90 * 86_400) < timedelta(minutes=1)
    bank(sandbox, "ponto", "POST", "expire")
    with pytest.raises(Rejected) as ended:
        ponto.pull(request)
    assert ended.value.code == CONSENT_ENDED
