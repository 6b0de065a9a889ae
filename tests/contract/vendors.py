"""Every provider of every addon, with what the generic contract tests need to call it.

A new vendor is one line in `VENDORS`: its class, the prefix of its stand-in in ``sandbox/``, and
settings that the stand-in accepts. What is called follows from its kind: `KINDS`; a new kind of
vendor adds a function there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from itertools import count
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import requests

from odoo.addons.finance_bank_sync.canonical.feed import (
    ConsentEnd,
    ConsentRequest,
    PullRequest,
)
from odoo.addons.finance_bank_sync.providers.enable_banking import EnableBanking
from odoo.addons.finance_bank_sync.providers.feed import BankFeed, days_ago
from odoo.addons.finance_bank_sync.providers.gocardless_bad import GoCardlessBad
from odoo.addons.finance_bank_sync.providers.plaid import Plaid
from odoo.addons.finance_bank_sync.providers.ponto import Ponto
from odoo.addons.finance_connector_base.providers.session import (
    ConnectorConfig,
    Recorder,
    Session,
    Tokens,
)
from odoo.addons.finance_reporting_export.canonical.delivery import Delivery, Parcel
from odoo.addons.finance_reporting_export.destinations.destination import Destination
from odoo.addons.finance_reporting_export.destinations.folder import Folder
from odoo.addons.finance_reporting_export.destinations.https import Https
from odoo.addons.finance_reporting_export.destinations.postgres import Postgres
from odoo.addons.finance_reporting_export.destinations.s3 import S3
from odoo.addons.finance_reporting_export.destinations.sftp import Sftp
from odoo.addons.finance_tax_engine.canonical import vat
from odoo.addons.finance_tax_engine.canonical.tax import (
    INVOICE,
    REFUND,
    Address,
    TaxDocument,
    TaxLine,
    TaxReference,
)
from odoo.addons.finance_tax_engine.providers.avatax import AvaTax
from odoo.addons.finance_tax_engine.providers.engine import TaxEngine
from odoo.addons.finance_tax_engine.providers.fixed_rates import FixedRates, Rate, RateTable
from odoo.addons.finance_tax_engine.providers.hmrc import Hmrc
from odoo.addons.finance_tax_engine.providers.stripe_tax import StripeTax
from odoo.addons.finance_tax_engine.providers.taxjar import TaxJar
from odoo.addons.finance_tax_engine.providers.vat_registry import VatRegistry
from odoo.addons.finance_tax_engine.providers.vies import Vies

from sandbox import gocardless_bad, plaid, ponto, warehouse
from sandbox.enable_banking.application import APPLICATION_ID, PRIVATE_KEY

TEXAS = Rate("US", "state", "Texas", Decimal("0.0625"), "48", "TX")
READ_SECONDS = 0.15


@dataclass(frozen=True)
class Vendor:
    """One provider under test.

    prefix: of its stand-in, "" for a provider that is ``offline``. settings, company_settings: what
    the stand-in accepts. data: what an offline provider works from.
    """

    provider: type
    prefix: str = ""
    settings: dict = field(default_factory=dict)
    company_settings: dict = field(default_factory=dict)
    data: dict = field(default_factory=dict)
    elsewhere: bool = False

    @property
    def secrets(self):
        """Return the values of the secret settings."""
        return tuple(
            self.settings[one.name]
            for one in self.provider.settings
            if one.secret and one.name in self.settings
        )

    def open(self, url, *, effect="question", key="job-1", tokens=None, **settings):
        """Return the provider at work on the sandbox at ``url``; it remembers its exchanges."""
        settings = self.settings | settings
        config = ConnectorConfig(
            id=abs(hash(self.provider.code)) % 1000,
            name=self.provider.label,
            provider=self.provider.code,
            environment="local",
            base_url=f"{url}/{self.prefix}" if self.prefix else "",
            api_version=self.provider.api_version,
            settings=settings,
            company_settings=self.company_settings,
            company_id=1,
            timeouts=(1.0, READ_SECONDS),
            secrets=tuple(
                settings[one.name]
                for one in self.provider.settings
                if one.secret and one.name in settings
            ),
            data=self.data,
        )
        session = Session(
            config, recorder=Memory(), effect=effect, key=key, tokens=tokens or Tokens()
        )
        return self.provider(session)


class Memory(Recorder):
    """Remembers the exchanges of a provider."""

    def __init__(self):
        self.exchanges = []

    def received(self, exchange):
        self.exchanges.append(exchange)


VENDORS = (
    Vendor(
        AvaTax,
        "avatax",
        {"account_id": "1100000001", "license_key": "SANDBOX-LICENSE-KEY-0001"},
        {"company_code": "DEFAULT"},
    ),
    Vendor(StripeTax, "stripe", {"secret_key": "sk_test_SandboxStripe0001"}),
    Vendor(TaxJar, "taxjar", {"api_token": "SANDBOX-TAXJAR-TOKEN-0001"}),
    Vendor(FixedRates, data={"table": RateTable([TEXAS], "1")}),
    Vendor(Vies, "vies"),
    Vendor(
        Hmrc,
        "hmrc",
        {"client_id": "sandbox-application", "client_secret": "SANDBOX-HMRC-SECRET-0001"},
    ),
    Vendor(
        EnableBanking,
        "enable_banking",
        {"application_id": APPLICATION_ID, "private_key": PRIVATE_KEY},
    ),
    Vendor(Plaid, "plaid", {"client_id": plaid.CLIENT_ID, "secret": plaid.SECRET, "country": "US"}),
    Vendor(Ponto, "ponto", {"client_id": ponto.CLIENT_ID, "client_secret": ponto.CLIENT_SECRET}),
    Vendor(
        GoCardlessBad,
        "gocardless_bad",
        {"secret_id": gocardless_bad.SECRET_ID, "secret_key": gocardless_bad.SECRET_KEY},
    ),
    Vendor(Https, "warehouse", {"region": "de", "secret": warehouse.TOKEN}),
    # tried in tests/contract/test_destinations.py
    Vendor(Folder, elsewhere=True),
    Vendor(Sftp, elsewhere=True),
    Vendor(S3, elsewhere=True),
    Vendor(Postgres, elsewhere=True),
)


# === WHAT IS CALLED === #


@dataclass(frozen=True)
class Call:
    """One call of a provider.

    prepare(provider): makes what the call needs, before anything goes wrong. act(provider, what).
    effect: as an operation declares it.
    """

    name: str
    act: Callable
    prepare: Callable = lambda provider: None
    effect: str = "question"


PING = Call("ping", lambda provider, _what: provider.ping())

SELLER = Address("2000 Main Street", "", "Irvine", "CA", "92614", "US")
BUYER = Address("1200 Smith St", "", "Houston", "TX", "77002", "US")
LINES = (
    TaxLine("1", Decimal("59.97"), Decimal(3), "DESK", "", "Desk"),
    TaxLine("2", Decimal("59.99"), Decimal(2), "CHAIR", "", "Chair"),
    TaxLine("3", Decimal("7.77"), Decimal(1), "LAMP", "", "Lamp"),
)
_numbers = count(1)


def invoice(provider):
    """Return an invoice to quote."""
    return TaxDocument(
        kind=INVOICE,
        seller=seller(provider),
        customer="C/7",
        currency="USD",
        date=datetime.now(UTC).date(),
        ship_from=SELLER,
        ship_to=BUYER,
        lines=LINES,
    )


def booked(provider):
    """Return an invoice to record: quoted, and under a code of its own."""
    asked = invoice(provider)
    quote = provider.quote(asked)
    return replace(
        asked,
        code=f"INV/2026/{next(_numbers):05}-3f2a90bc",
        quote_id=quote.engine_id or None,
        booked=quote.taxes,
    )


def reference(document, result):
    """Return what names a recorded document."""
    return TaxReference(document.kind, document.seller, document.code, result.engine_id)


def recorded(provider):
    """Return the reference of a recorded invoice."""
    document = booked(provider)
    return reference(document, provider.commit(document))


def credited(provider):
    """Return a credit note to record, of a recorded invoice."""
    document = booked(provider)
    result = provider.commit(document)
    return replace(
        document,
        kind=REFUND,
        code=f"R{document.code}",
        lines=LINES[1:],
        booked=tuple(tax for tax in document.booked if tax.line != "1"),
        quote_id=None,
        original_code=document.code,
        original_id=result.engine_id or None,
    )


def seller(provider):
    """Return the vendor's code of the selling company."""
    return provider.config.company_settings.get(provider.seller_setting, "")


def _shortened(provider):
    document = booked(provider)
    provider.commit(document)
    return replace(
        document,
        lines=LINES[:2],
        booked=tuple(tax for tax in document.booked if tax.line != "3"),
    )


def _voided(provider):
    voided = recorded(provider)
    provider.void(voided)
    return voided


def _refund(provider, original):
    credit = TaxReference(REFUND, original.seller, f"R{original.code}")
    return provider.refund(credit, original, datetime.now(UTC).date())


def _listed(provider, _what):
    today, day = datetime.now(UTC).date(), timedelta(days=1)
    return list(provider.recorded(seller(provider), today - day, today + day))


#: Capability of a tax engine → the call of it.
CAPABLE = {
    "lookup": Call("lookup", lambda engine, what: engine.lookup(what), recorded),
    "adjust": Call(
        "adjust",
        lambda engine, what: engine.adjust(what, "price", "a typing error"),
        _shortened,
        "idempotent",
    ),
    "refund": Call("refund", _refund, recorded, "idempotent"),
    "uncommit": Call(
        "uncommit", lambda engine, what: engine.uncommit(what), recorded, "idempotent"
    ),
    "unvoid": Call("unvoid", lambda engine, what: engine.unvoid(what), _voided, "idempotent"),
    "list": Call("recorded", _listed, recorded),
    "address": Call("resolve_address", lambda engine, _what: engine.resolve_address(BUYER)),
    "nexus": Call("nexus", lambda engine, what: engine.nexus(what), seller),
    "tax_codes": Call("tax_codes", lambda engine, _what: engine.tax_codes("food")),
    "entity_use_codes": Call("entity_use_codes", lambda engine, _what: engine.entity_use_codes()),
    "certificates": Call(
        "certificates", lambda engine, what: engine.certificates(what, "C/7"), seller
    ),
}


def tax_calls(engine):
    """Return the calls of a tax engine: what it always has, and what its capabilities add."""
    return [
        Call("quote", lambda engine, what: engine.quote(what), invoice),
        Call("commit", lambda engine, what: engine.commit(what), booked, "idempotent"),
        Call("credit", lambda engine, what: engine.commit(what), credited, "idempotent"),
        Call("void", lambda engine, what: engine.void(what), recorded, "idempotent"),
        *(call for capability, call in CAPABLE.items() if capability in engine.capabilities),
    ]


def vat_calls(provider):
    """Return the calls of a registry of VAT numbers."""
    number = vat.VatNumber("GB", "123456782") if "GB" in provider.prefixes else None
    question = vat.VatQuestion(number or vat.VatNumber("FR", "23334175221"))
    return [Call("check", lambda p, _what: p.check(question))]


def chosen(feed):
    """Return the bank that a person chose."""
    return feed.institutions("DE")[0].id if "institutions" in feed.capabilities else ""


def begun(feed, institution):
    """Return the start of a consent, for which the person is sent to the bank."""
    request = ConsentRequest(
        institution=institution,
        country="DE",
        redirect_url="http://localhost:8069/finance/bank/consent",
        state="abc",
        user=uuid4().hex,
    )
    return feed.start_consent(request)


def allowed(feed):
    """Return what the browser brought back from a bank that allowed the access."""
    start = begun(feed, chosen(feed))
    page = requests.get(start.url, timeout=5)
    assert page.status_code == 200, page.text
    action, query = start.url.partition("?")[::2]
    back = requests.post(
        action,
        data=dict(parse_qsl(query)) | {"decision": "allow"},
        allow_redirects=False,
        timeout=5,
    )
    answer = dict(parse_qsl(urlsplit(back.headers["Location"]).query))
    assert answer["state"] == "abc"
    return ConsentEnd(start.reference, answer.get("code", ""))


def consented(feed):
    """Return a consent with its accounts."""
    if "consent" in feed.capabilities:
        return feed.finish_consent(allowed(feed))
    return feed.accounts("")


def pulling(feed):
    """Return a request for an account of a new consent."""
    consent = consented(feed)
    account = consent.accounts[0]
    return PullRequest(
        account.remote_id,
        account.account,
        consent=consent.consent,
        start=days_ago(60),
        end=days_ago(0),
        kind=account.kind,
    )


def bank_calls(provider):
    """Return the calls of a bank's API."""
    calls = [
        Call("accounts", lambda p, what: p.accounts(what.consent), consented),
        Call("balances", lambda p, what: p.balances(what), pulling),
        Call("pull", lambda p, what: p.pull(what), pulling),
    ]
    if "institutions" in provider.capabilities:
        calls.append(Call("institutions", lambda p, _what: p.institutions("DE")))
    if "consent" in provider.capabilities:
        calls += [
            Call("start_consent", begun, chosen),
            # a code serves once: each attempt has one of its own
            Call("finish_consent", lambda p, what: p.finish_consent(what), allowed),
        ]
    return calls


def batch(_provider):
    """Return a small batch of exported files."""
    number = next(_numbers)
    files = [
        Parcel(name, len(data), sha256(data).hexdigest(), lambda data=data: BytesIO(data))
        for name, data in (("items.csv", b"id\n1\n"), ("datapackage.json", b'{"resources":[]}'))
    ]
    run = f"00000000-0000-4000-8000-{number:012}"
    return Delivery(run, "group", number, f"group/{number}", (files[0],), files[1])


def delivered(provider):
    """Return a batch that is there."""
    what = batch(provider)
    provider.deliver(what)
    return what


def destination_calls(_provider):
    """Return the calls of a place for exported batches."""
    return [
        Call("deliver", lambda p, what: p.deliver(what), batch, "idempotent"),
        Call("acknowledgement", lambda p, what: p.acknowledgement(what), delivered),
    ]


#: Kind of provider → function of the class that returns its calls.
KINDS = {
    TaxEngine: tax_calls,
    VatRegistry: vat_calls,
    BankFeed: bank_calls,
    Destination: destination_calls,
}


def calls_of(vendor):
    """Return all calls of a vendor."""
    calls = [PING]
    for kind, make in KINDS.items():
        if issubclass(vendor.provider, kind):
            calls += make(vendor.provider)
    return calls
