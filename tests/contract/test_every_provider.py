"""What holds for every provider of every addon, whatever its vendor; see `tests.contract.vendors`.

Declarations are complete; capabilities are what methods do; under every fault of the vendor only our
error classes come out; no secret stands in a text that people see; money is Decimal; what is done
twice is done once; an answer in which any one value is wrong is refused, or changes no amount.
"""

import dataclasses
import importlib
import json
import os
import pkgutil
import random
import re
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from odoo.addons.finance_connector_base.providers import http
from odoo.addons.finance_connector_base.providers.base import Provider, dump_json
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    ProviderError,
    Transient,
)
from odoo.addons.finance_connector_base.providers.masking import mask_body
from odoo.addons.finance_tax_engine.canonical.tax import ABSENT, VOIDED, TaxResult
from odoo.addons.finance_tax_engine.providers.engine import CAPABILITIES, TaxEngine

from sandbox.server import SandboxServer
from tests.contract.vendors import READ_SECONDS, VENDORS, calls_of

ADDONS = Path(__file__).resolve().parents[2] / "addons"
ENVIRONMENTS = {"sandbox", "production"}
# What a vendor may override; everything else of `Provider` is the template.
HOOKS = {"ping", "url", "headers", "authorize", "classify", "answered", "__init__"}
BASE = "odoo.addons.finance_connector_base."

vendors = pytest.mark.parametrize("vendor", VENDORS, ids=lambda one: one.provider.code)
CALLS = [(vendor, call) for vendor in VENDORS if not vendor.elsewhere for call in calls_of(vendor)]
calls = pytest.mark.parametrize(
    ("vendor", "call"), CALLS, ids=[f"{vendor.provider.code}-{call.name}" for vendor, call in CALLS]
)
online = pytest.mark.parametrize(
    ("vendor", "call"),
    [(vendor, call) for vendor, call in CALLS if vendor.prefix],
    ids=[f"{vendor.provider.code}-{call.name}" for vendor, call in CALLS if vendor.prefix],
)


@pytest.fixture(scope="module")
def server():
    server = SandboxServer().start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def url(server):
    server.sandbox.reset()
    return server.url


# === WHAT IS DECLARED === #


def test_every_provider_is_registered():
    """Name the classes that nobody tests: each takes one line in tests/contract/vendors.py."""
    for folder in (*ADDONS.glob("finance_*/providers"), *ADDONS.glob("finance_*/destinations")):
        package = f"odoo.addons.{folder.parent.name}.{folder.name}"
        for module in pkgutil.iter_modules([str(folder)]):
            importlib.import_module(f"{package}.{module.name}")
    found = {
        cls
        for cls in _subclasses(Provider)
        if cls.code
        and re.match(r"odoo\.addons\.finance_\w+\.(providers|destinations)\.", cls.__module__)
    }
    registered = {vendor.provider for vendor in VENDORS}
    assert {cls.__name__ for cls in found - registered} == set()
    assert len({cls.code for cls in found}) == len(found), "two providers have one code"


def _subclasses(cls):
    for one in cls.__subclasses__():
        yield one
        yield from _subclasses(one)


@vendors
def test_declarations_are_complete(vendor):
    provider = vendor.provider
    assert re.fullmatch(r"[a-z][a-z0-9_]{1,30}", provider.code)
    assert provider.label.strip() == provider.label != ""
    assert (provider.__doc__ or "").strip()
    assert provider.offline or provider.api_version, "the version of the contract is pinned"
    connect, read = provider.timeouts
    assert 0 < connect <= 10 and 0 < read <= 60
    per_second, burst = provider.rate
    assert per_second > 0 and burst >= 1 and provider.concurrency >= 0
    assert provider.hosts.keys() <= ENVIRONMENTS
    assert not (provider.offline and provider.hosts)


@vendors
def test_hosts_are_https_without_a_slash_at_the_end(vendor):
    for address in vendor.provider.hosts.values():
        parts = urlsplit(address)
        assert parts.scheme == "https" and parts.hostname and not parts.port
        assert "@" not in parts.netloc and not parts.query and not address.endswith("/")


@vendors
def test_settings_are_declared_well(vendor):
    provider = vendor.provider
    settings = (*provider.settings, *provider.company_settings)
    names = [setting.name for setting in settings]
    assert len(set(names)) == len(names)
    for setting in settings:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", setting.name)
        assert setting.label.strip() == setting.label != ""
        check = re.compile(setting.check or ".*", re.DOTALL)
        assert not setting.default or check.fullmatch(setting.default)
        assert not (setting.secret and setting.default)
        value = (vendor.settings | vendor.company_settings).get(setting.name)
        assert value is None or check.fullmatch(value), setting.name
    assert [one.name for one in provider.company_settings if one.secret] == []
    seller = getattr(provider, "seller_setting", "")
    assert not seller or seller in [one.name for one in provider.company_settings]


@vendors
def test_only_hooks_are_overridden(vendor):
    template = {name for name in vars(Provider) if callable(getattr(Provider, name))} - HOOKS
    for cls in vendor.provider.__mro__:
        if cls.__module__.startswith(BASE) or cls is object:
            continue
        assert vars(cls).keys() & template == set(), f"{cls.__name__} replaces the template"


@vendors
def test_capabilities_are_what_methods_do(vendor, url):
    provider = vendor.provider
    if not issubclass(provider, TaxEngine):
        return
    assert provider.capabilities <= CAPABILITIES.keys()
    for capability, methods in CAPABILITIES.items():
        for name in methods:
            own = getattr(provider, name) is not getattr(TaxEngine, name)
            assert own == (capability in provider.capabilities), f"{capability}: {name}"
            if not own:
                arguments = getattr(TaxEngine, name).__code__.co_argcount - 1
                with pytest.raises(NotImplementedError):
                    getattr(vendor.open(url), name)(*[None] * arguments)


# === WHAT IS CALLED === #


_jobs = count(1)


def run(vendor, call, url):
    """Prepare a call in peace; return (function that opens the provider for it, what it is about).

    The function stands for one job: every attempt of it has the same idempotency key.
    """
    number = next(_jobs)
    what = call.prepare(vendor.open(url, effect="idempotent", key=f"before-{number}"))
    return partial(vendor.open, url, effect=call.effect, key=f"job-{number}"), what


@calls
def test_every_call_works_and_speaks_decimal(vendor, call, url):
    job, what = run(vendor, call, url)
    provider = job()
    result = call.act(provider, what)
    assert result is not None
    assert list(floats(result)) == []
    assert_sound(result, what)
    assert_no_secret(vendor, provider)


@calls
def test_what_is_repeated_is_done_once(vendor, call, url, server):
    """The same job again, as after a lost answer: the same result, and nothing more done."""
    if call.effect != "idempotent":
        return
    job, what = run(vendor, call, url)
    first = call.act(job(), what)
    before = done(server, vendor)
    again = call.act(job(), what)
    assert done(server, vendor) == before
    if isinstance(first, TaxResult):
        assert (again.code, again.total_tax) == (first.code, first.total_tax) or again.status in (
            VOIDED,
            ABSENT,
        )


@vendors
def test_wrong_credentials_are_said_and_not_shown(vendor, url):
    if vendor.elsewhere:
        return
    for setting in vendor.provider.settings:
        if not setting.secret or setting.name not in vendor.settings:
            continue
        wrong = vendor.settings[setting.name][:-4] + "9999"
        provider = vendor.open(url, **{setting.name: wrong})
        with pytest.raises(AuthFailed) as refused:
            provider.ping()
        assert wrong not in str(refused.value)
        assert_no_secret(vendor, provider, wrong)


FAULTS = {
    "429": ({"kind": "429", "retry_after": 7}, Transient),
    "500": ({"kind": "500"}, Transient),
    "503": ({"kind": "503"}, Transient),
    "drop": ({"kind": "drop"}, Transient),
    "act_then_500": ({"kind": "act_then_500"}, Transient),
    "malformed": ({"kind": "malformed"}, ContractBroken),
}
# Time-outs cost time: before the vendor acts where people wait, after it where something is done.
LATE = 2000 * READ_SECONDS
SILENT = {"silent": ({"kind": "delay", "delay_ms": LATE}, Transient)}
LOST = {"lost": ({"kind": "act_then_timeout", "delay_ms": LATE}, Transient)}


@online
def test_faults_have_the_class_that_says_what_to_do(vendor, call, url, server):
    timeouts = LOST if call.effect == "idempotent" else SILENT if call.name in LIVE else {}
    for name, (rule, error_class) in (FAULTS | timeouts).items():
        job, what = run(vendor, call, url)
        provider = job()
        server.sandbox.faults.replace([{"vendor": vendor.prefix, **rule}])
        try:
            call.act(provider, what)
        except ProviderError as error:
            expected = (error_class, Transient) if refused(provider) else (error_class,)
            assert type(error) in expected, f"{name}: {error!r}"
            assert error.message.strip() and "Traceback" not in error.message
            if name == "429":
                assert error.retry_after == 7
        else:
            # an answer to a HEAD has no body that could be cut
            silent = all(one.method == "HEAD" for one in provider.session.recorder.exchanges)
            assert silent or refused(provider), f"{name}: a fault was taken for an answer"
        finally:
            server.sandbox.faults.replace([])
        assert_no_secret(vendor, provider)
        if call.effect == "idempotent":
            mended(vendor, call, what, job, server)


LIVE = ("quote", "check")


def refused(provider):
    """Tell whether a broken answer was one that refuses, or that of a sign-in.

    What the words of a refusal are is then of no matter, and a sign-in may always be repeated.
    """
    last = provider.session.recorder.exchanges[-1]
    return (last.status or 0) >= 400 or provider.oauth is not None


def mended(vendor, call, what, job, server):
    """The job runs again once the vendor is well: done, and once only."""
    result = call.act(job(), what)
    assert_sound(result, what)
    before = done(server, vendor)
    call.act(job(), what)
    assert done(server, vendor) == before


# === ANSWERS IN WHICH ONE VALUE IS WRONG === #


@online
def test_an_answer_with_a_wrong_value_is_refused_or_changes_nothing(vendor, call, url, monkeypatch):
    job, what = run(vendor, call, url)
    answers, real = [], http.send

    def listen(request, **options):
        answers.append(real(request, **options))
        return answers[-1]

    monkeypatch.setattr(http, "send", listen)
    right = call.act(job(), what)
    for position, answer in enumerate(answers):
        for name, payload in changed(answer.body):
            replay = iter(
                [*answers[:position], with_body(answer, payload), *answers[position + 1 :]]
            )
            monkeypatch.setattr(http, "send", lambda _request, *, r=replay, **_options: take(r))
            try:
                result = call.act(job(), what)
            except ProviderError:
                continue
            assert list(floats(result)) == [], name
            assert_sound(result, what, name)
            # whether the tax is right only a question or the books can tell
            if call.name in ("quote", "commit", "credit", "adjust"):
                assert result.total_tax == right.total_tax, f"{name}: another tax was accepted"


def take(replay):
    """Return the next recorded answer; a request more than there were finds nobody."""
    for answer in replay:
        return answer
    raise http.Unanswered("no connection", sent=False)


def with_body(answer, payload):
    return dataclasses.replace(answer, body=dump_json(payload))


def changed(body):
    """Yield (name, payload) of an answer with one value missing, null, of another type, or wrong.

    Of list items that are alike only the first and the last are changed. Of a long answer some of
    the changes are tried, always the same ones; with SOAK all.
    """
    try:
        payload = json.loads(body, parse_float=Decimal)
    except ValueError:
        return
    changes = [
        (path, label, value)
        for path in paths(payload)
        for label, value in (*wrong(at(payload, path)), ("missing", MISSING))
    ]
    if not os.environ.get("SOAK") and len(changes) > CHANGES:
        changes = random.Random(CHANGES).sample(changes, CHANGES)
    for path, label, value in changes:
        yield f"{'.'.join(map(str, path))} {label}", put(payload, path, value)
    yield "a list", []
    yield "a text", "text"


MISSING = object()
CHANGES = 100


def paths(value, path=()):
    if isinstance(value, dict):
        for name in value:
            yield from ((*path, name), *paths(value[name], (*path, name)))
    elif isinstance(value, list):
        for index in sorted({0, len(value) - 1} & set(range(len(value)))):
            yield from ((*path, index), *paths(value[index], (*path, index)))


def wrong(value):
    yield "null", None
    if isinstance(value, bool):
        yield "no longer a yes/no", 7
    elif isinstance(value, int | Decimal):
        yield "one more", value + 1
        yield "negative", -value - 1
        yield "a word", "many"
        yield "an object", {}
    elif isinstance(value, str):
        yield "another word", "XXX"
        yield "a number", 5
    elif isinstance(value, list):
        yield "an object", {}
        if value:
            yield "twice the first", [value[0], *value]
    else:
        yield "a list", []


def at(payload, path):
    for part in path:
        payload = payload[part]
    return payload


def put(payload, path, value):
    """Return a copy of ``payload`` with another value at ``path``, or without it."""
    copy = json.loads(dump_json(payload), parse_float=Decimal)
    holder = at(copy, path[:-1])
    if value is MISSING:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return copy


# === JUDGES === #


def floats(value):
    """Yield every float in a result."""
    if isinstance(value, float):
        yield value
    elif dataclasses.is_dataclass(value):
        for one in dataclasses.fields(value):
            yield from floats(getattr(value, one.name))
    elif isinstance(value, dict):
        yield from floats(list(value.items()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from floats(item)


def assert_sound(result, what, name=""):
    """Check that the parts of a tax result fit together, and answer what was asked."""
    if not isinstance(result, TaxResult) or result.status in (VOIDED, ABSENT):
        return
    assert isinstance(result.total_tax, Decimal), name
    if result.taxes:
        assert sum(tax.amount for tax in result.taxes) == result.total_tax, name
    lines = getattr(what, "lines", None)
    if lines is None:
        return
    assert result.currency == what.currency, name
    numbers = {line.number for line in lines}
    answered = {tax.line for tax in result.taxes} | {why.line for why in result.reasons}
    assert answered <= numbers, name
    if result.status == "quoted":
        assert answered == numbers, f"{name}: a line has neither tax nor a reason"


def assert_no_secret(vendor, provider, *more):
    """Check what people are shown of the exchanges."""
    for exchange in provider.session.recorder.exchanges:
        shown = [
            exchange.url,
            exchange.error_text,
            exchange.error_code,
            mask_body(exchange.request_body),
            mask_body(exchange.response_body),
        ]
        for secret in (*vendor.secrets, *more):
            assert not any(secret in text for text in shown), "a secret is shown"
    assert not any(secret in repr(provider.config) for secret in vendor.secrets)


def done(server, vendor):
    """Return what the stand-in keeps: how many documents in which state."""
    state = server.sandbox.vendors[vendor.prefix].state() if vendor.prefix else {}
    rows = []
    for name in ("documents", "transactions"):
        for row in state.get(name, ()):
            rows.append((str(row.get("code") or row.get("reference") or row.get("transaction_id")),
                         str(row.get("status", ""))))  # fmt: skip
    rows += [(row["path"], row["sha256"]) for row in state.get("files", ())]
    return sorted(rows)
