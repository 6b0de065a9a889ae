"""TaxJar v2: the vendor; what is asked and answered stands in ``taxjar_order`` and ``_answer``.

Contract: TaxJar's API reference (developers.taxjar.com, version 2020-08-07): /taxes, /transactions,
/nexus/regions, /categories, /addresses/validate, errors, rate limits, sandbox.

TaxJar calculates with the rates of today only, knows no currency but reads amounts as dollars, and
has no commit step: what is created is declared. It is told the tax that was collected and never
calculates that of a recorded document itself.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from odoo.addons.finance_connector_base.providers.base import Setting
from odoo.addons.finance_connector_base.providers.contract import Answer
from odoo.addons.finance_connector_base.providers.errors import AuthFailed, Rejected, Transient

from ..canonical import tax as canonical
from ..canonical.tax import (
    Address,
    AddressAnswer,
    EntityUseCode,
    Nexus,
    RecordedDocument,
    TaxCode,
    TaxDocument,
    TaxReference,
    TaxResult,
)
from .engine import TaxEngine
from .taxjar_answer import TaxReader, broken, taxable
from .taxjar_order import (
    EXEMPTIONS,
    Order,
    addresses,
    escape,
    exemption,
    filled,
    street,
    unescape,
)

ZERO = Decimal(0)
API_VERSION = "2020-08-07"
MOST_CODES = 100
# Rates hardly ever change within so many days.
RECENT_DAYS = 2

# kind of document: collection, name of one of it in answers, sign of amounts
KINDS = {canonical.INVOICE: ("orders", "order", 1), canonical.REFUND: ("refunds", "refund", -1)}
# What a refund of all has from its order.
KEPT = (
    *(
        f"{way}_{part}"
        for way in ("from", "to")
        for part in "country zip state city street".split()
    ),
    "exemption_type",
)
KEPT_OF_LINES = ("id", "quantity", "product_identifier", "description", "product_tax_code")
AMOUNTS = ("amount", "shipping", "sales_tax")
AMOUNTS_OF_LINES = ("unit_price", "discount", "sales_tax")

DUPLICATE, NOT_FOUND = 422, 404


class TaxJar(TaxEngine):
    """TaxJar v2.

    - **Ids**: TaxJar keeps letters, digits, "-" and "_"; `escape` writes everything else so that two
      codes never become one and a list can be read back.
    - **Voiding** deletes the transaction at TaxJar.
    - **Jurisdictions** have names, no codes; all special districts of a place are one. Of a recorded
      document TaxJar keeps the tax in total and per line only.
    - **Credit notes** need the invoice that they take back.
    - **Discount lines** become discounts of the other lines. Lines with the tax code for shipping
      (option) are the shipping of the order.
    - **TaxJar's own sandbox** calculates, but answers transactions with a fixed example: nothing can
      be compared there.
    """

    code, label = "taxjar", "TaxJar"
    hosts = {"sandbox": "https://api.sandbox.taxjar.com", "production": "https://api.taxjar.com"}
    api_version = API_VERSION
    settings = (
        Setting("api_token", "API token", secret=True, help="TaxJar > Account > API access"),
        Setting(
            "shipping_code",
            "Tax code of shipping",
            required=False,
            default="shipping",
            help="Lines of products with this tax code are sent as the shipping of the order.",
        ),
    )
    capabilities = frozenset(
        {
            "lookup",
            "adjust",
            "refund",
            "list",
            "address",
            "nexus",
            "tax_codes",
            "entity_use_codes",
        }
    )
    timeouts = (3.0, 15.0)
    # 10,000 a minute on the smaller plan.
    rate = (100.0, 200)
    concurrency = 8

    # === DOCUMENTS === #

    def ping(self) -> str:
        """Return words about the account: where it has nexus."""
        names = sorted(f"{one.country} {one.region}".strip() for one in self.nexus(""))
        return f"TaxJar, nexus in: {', '.join(names) or 'none yet'}"

    def quote(self, document: TaxDocument) -> TaxResult:
        """Calculate with today's rates (POST /taxes)."""
        order = self._order(document)
        model = {
            **addresses(document),
            "amount": order.amount,
            "shipping": order.shipping,
            "customer_id": document.customer,
            "exemption_type": exemption(document),
            "line_items": [item.asked() for item in order.items],
        }
        payload = self.send("POST", "/v2/taxes", json=filled(model))
        result = TaxReader(document, order, self._answer(payload, "taxes").object("tax")).result()
        day = document.tax_date or document.date
        if abs((datetime.now(UTC).date() - day).days) <= RECENT_DAYS:
            return result
        return replace(result, messages=(f"TaxJar used the rates of today, not those of {day}.",))

    def commit(self, document: TaxDocument) -> TaxResult:
        """Create the order or refund with the tax that was booked.

        One that is there already is looked at: the same amounts and date are no error.
        """
        document, model = self._transaction(document)
        collection, name, _sign = KINDS[document.kind]
        try:
            payload = self.send("POST", f"/v2/transactions/{collection}", json=model)
        except Rejected as refusal:
            found = self._duplicate(refusal, document.kind, model)
            return self._recorded(found, document)
        return self._recorded(self._answer(payload, collection).object(name), document)

    def adjust(self, document: TaxDocument, reason: str, words: str = "") -> TaxResult:
        """Replace the order or refund (PUT); TaxJar takes no reason."""
        document, model = self._transaction(document)
        collection, name, _sign = KINDS[document.kind]
        path = f"/v2/transactions/{collection}/{escape(document.code)}"
        payload = self.send("PUT", path, json=model)
        return self._recorded(self._answer(payload, collection).object(name), document)

    def void(self, reference: TaxReference) -> TaxResult:
        """Delete the order or refund; one that is gone is no error."""
        collection, _name, _sign = KINDS[reference.kind]
        status = canonical.VOIDED
        try:
            self.send("DELETE", f"/v2/transactions/{collection}/{escape(reference.code)}")
        except Rejected as refusal:
            if refusal.status != NOT_FOUND:
                raise
            status = canonical.ABSENT
        return TaxResult(reference.code, status, "", ZERO, ZERO, ZERO)

    def lookup(self, reference: TaxReference) -> TaxResult | None:
        """Read the order or refund; ``taxes`` are empty, since TaxJar keeps the total only."""
        found = self._find(reference.kind, escape(reference.code))
        return found and self._result(found, reference.kind)

    def refund(self, reference: TaxReference, original: TaxReference, day: date) -> TaxResult:
        """Create a refund of all amounts of the original order."""
        order = self._find(canonical.INVOICE, escape(original.code))
        if order is None:
            raise Rejected(f"TaxJar has no order {original.code} to refund", code="no_original")
        model = {
            "transaction_id": escape(reference.code),
            "transaction_reference_id": escape(original.code),
            "transaction_date": day.isoformat(),
            **_taken_back(order, KEPT, AMOUNTS),
            "line_items": [
                _taken_back(line, KEPT_OF_LINES, AMOUNTS_OF_LINES)
                for line in order.list("line_items", default=[])
            ],
        }
        try:
            payload = self.send("POST", "/v2/transactions/refunds", json=model)
        except Rejected as refusal:
            found = self._duplicate(refusal, canonical.REFUND, model)
            return self._result(found, canonical.REFUND)
        found = self._answer(payload, "refunds").object("refund")
        return self._result(found, canonical.REFUND)

    def recorded(self, seller: str, start: date, end: date) -> Iterator[RecordedDocument]:
        """Yield orders and refunds made through the API; a call for each, the list has ids only."""
        span = {
            "from_transaction_date": start.strftime("%Y/%m/%d"),
            "to_transaction_date": end.strftime("%Y/%m/%d"),
        }
        for kind, (collection, _name, _sign) in KINDS.items():
            payload = self.send("GET", f"/v2/transactions/{collection}", params=span)
            for transaction_id in _ids(self._answer(payload, collection), collection):
                found = self._find(kind, transaction_id)
                if found is not None and start <= found.date("transaction_date") <= end:
                    yield self._listed(found, kind)

    # === WHAT THE ENGINE KNOWS === #

    def resolve_address(self, address: Address) -> AddressAnswer:
        """Ask for matches of an address in the United States."""
        if address.country != "US":
            return AddressAnswer(canonical.UNKNOWN, messages=("TaxJar knows US addresses only.",))
        model = {
            "country": address.country,
            "state": address.region,
            "zip": address.postal_code,
            "city": address.city,
            "street": street(address),
        }
        try:
            payload = self.send("POST", "/v2/addresses/validate", json=filled(model))
        except Rejected as refusal:
            if refusal.status != NOT_FOUND:
                raise
            return AddressAnswer(canonical.UNKNOWN, messages=(refusal.message,))
        rows = self._answer(payload, "addresses").list("addresses")
        return _matched(address, [_address(row) for row in rows])

    def nexus(self, seller: str) -> tuple[Nexus, ...]:
        """Return the regions of the account; TaxJar says nothing of dates."""
        answer = self._answer(self.send("GET", "/v2/nexus/regions"), "nexus")
        return tuple(_nexus(row) for row in answer.list("regions"))

    def tax_codes(self, text: str) -> tuple[TaxCode, ...]:
        """Search the categories (GET /categories gives all of them)."""
        rows = self._answer(self.send("GET", "/v2/categories"), "categories").list("categories")
        wanted, found = text.lower(), []
        for row in rows:
            code, name = row.text("product_tax_code"), row.text("name")
            words = f"{name}: {row.text('description', default='')}".removesuffix(": ")
            if wanted in f"{code} {words}".lower():
                found.append(TaxCode(code, words))
        return tuple(found[:MOST_CODES])

    def entity_use_codes(self) -> tuple[EntityUseCode, ...]:
        """Return the values of exemption_type that exempt an order."""
        return tuple(EntityUseCode(code, name) for code, name in EXEMPTIONS.items())

    # === HOOKS === #

    def headers(self):
        """Return the version of the API that this was written for."""
        return {"x-api-version": API_VERSION}

    def authorize(self, request):
        """Bearer with the token."""
        request.headers["Authorization"] = f"Bearer {self.config.settings['api_token']}"

    def classify(self, response):
        """Turn ``{"error", "detail", "status"}`` into an error class."""
        words = _error_of(response.body)
        if words is None:
            return None
        details = {"code": str(response.status), "status": response.status}
        if response.status in (401, 403):
            return AuthFailed(f"TaxJar: {words}", **details)
        if response.status in (408, 429) or response.status >= 500:
            # What is created twice is refused as a duplicate, so nothing is uncertain.
            return Transient(f"TaxJar: {words}", **details)
        return Rejected(f"TaxJar: {words}", **details)

    # === TRANSACTIONS === #

    def _order(self, document):
        return Order(document, self.config.settings.get("shipping_code") or "shipping")

    def _transaction(self, document):
        """Return the document with its booked tax, and the body that creates or replaces it."""
        order, sign = self._order(document), KINDS[document.kind][2]
        if document.booked is None:
            # nobody says what was collected: what TaxJar says now
            document = replace(document, booked=self.quote(document).taxes)
        booked = {}
        for tax in document.booked:
            booked[tax.line] = booked.get(tax.line, ZERO) + tax.amount
        model = {
            "transaction_id": escape(document.code),
            "transaction_reference_id": _original(document),
            "transaction_date": document.date.isoformat(),
            **addresses(document),
            "amount": sign * (order.amount + order.shipping),
            "shipping": sign * order.shipping,
            "sales_tax": sign * sum(booked.values(), ZERO),
            "customer_id": document.customer,
            "exemption_type": exemption(document),
            "line_items": [item.recorded(sign, booked) for item in order.items],
        }
        return document, filled(model)

    def _duplicate(self, refusal, kind, model):
        """Return what TaxJar has under the id, when that is what ``refusal`` was about."""
        if refusal.status != DUPLICATE:
            raise refusal
        found = self._find(kind, model["transaction_id"])
        if found is None:
            raise refusal
        here = [model[name] for name in AMOUNTS]
        there = [found.decimal(name) for name in AMOUNTS]
        same_day = found.date("transaction_date").isoformat() == model["transaction_date"]
        if here == there and same_day:
            return found
        code = unescape(model["transaction_id"])
        raise Rejected(
            f"TaxJar has {code} already, of {found.date('transaction_date')} with {there[0]} and"
            f" {there[2]} of tax; here it is of {model['transaction_date']} with {here[0]} and"
            f" {here[2]}. Compare the two in TaxJar",
            code="duplicate",
            status=refusal.status,
        ) from refusal

    def _find(self, kind, transaction_id):
        collection, name, _sign = KINDS[kind]
        try:
            payload = self.send("GET", f"/v2/transactions/{collection}/{transaction_id}")
        except Rejected as refusal:
            if refusal.status == NOT_FOUND:
                return None
            raise
        return self._answer(payload, collection).object(name)

    def _recorded(self, found, document):
        """Return what was recorded, with the taxes that were booked."""
        total = sum((tax.amount for tax in document.booked), ZERO)
        result = self._result(found, document.kind)
        if self.config.environment == "sandbox":
            # a fixed example, whatever was sent
            result = replace(
                result, code=document.code, engine_id=escape(document.code), total_tax=total
            )
        if result.code != document.code:
            raise broken(f"recorded {result.code} instead of {document.code}", "transaction_id")
        if result.total_tax != total:
            raise broken(f"recorded {result.total_tax} of tax, booked is {total}", "sales_tax")
        return replace(
            result,
            currency=document.currency,
            taxes=document.booked,
            **taxable(document, document.booked),
        )

    @staticmethod
    def _result(found, kind):
        listed = TaxJar._listed(found, kind)
        return TaxResult(
            code=listed.code,
            status=listed.status,
            currency=listed.currency,
            total_tax=listed.total_tax,
            total_taxable=listed.total_amount if listed.total_tax else ZERO,
            total_exempt=ZERO if listed.total_tax else listed.total_amount,
            engine_id=listed.engine_id,
        )

    @staticmethod
    def _listed(found, kind):
        sign = KINDS[kind][2]
        return RecordedDocument(
            code=unescape(found.text("transaction_id")),
            kind=kind,
            status=canonical.RECORDED,
            date=found.date("transaction_date"),
            currency="USD",
            # adding zero takes the sign off a negative zero
            total_amount=sign * found.decimal("amount") + ZERO,
            total_tax=sign * found.decimal("sales_tax") + ZERO,
            engine_id=found.text("transaction_id"),
        )

    def _answer(self, payload, where):
        return Answer(payload, where=where, version=API_VERSION)


def _original(document):
    if document.kind == canonical.INVOICE:
        return ""
    if not document.original_code:
        raise Rejected(
            "TaxJar records a credit note only as the refund of an order, and this one names no"
            " invoice. Make it with Credit Note on the invoice, or record it in TaxJar by hand and"
            " mark this as done outside",
            code="no_original",
        )
    return escape(document.original_code)


def _taken_back(answer, kept, amounts):
    """Return fields of an order, or of a line of it, as the refund of all of it has them."""
    model = filled({name: answer.payload.get(name) for name in kept})
    return model | {name: -answer.decimal(name, default=ZERO) for name in amounts}


def _nexus(row):
    region = row.text("region_code", default="")
    country = row.text("country_code")
    return Nexus(
        country=country,
        region=region,
        kind="state" if region else "country",
        code=region or country,
        name=row.text("region", default="") or row.text("country"),
    )


def _address(match):
    return Address(
        line1=match.text("street", default=""),
        city=match.text("city", default=""),
        region=match.text("state", default=""),
        postal_code=match.text("zip", default=""),
        country=match.text("country", default="US"),
    )


def _matched(address, found):
    if not found:
        return AddressAnswer(canonical.UNKNOWN)
    if _plain(found[0]) == _plain(address):
        return AddressAnswer(canonical.VALID)
    others = "; ".join(f"{one.line1}, {one.city} {one.postal_code}" for one in found[1:])
    remarks = (f"Other matches: {others}",) if others else ()
    return AddressAnswer(canonical.CORRECTED, found[0], remarks)


def _plain(address):
    parts = (street(address), address.city, address.region, address.postal_code)
    return " ".join(" ".join(parts).split()).upper()


def _ids(answer, name):
    """Return the ids of a list; TaxJar gives texts or numbers."""
    values = answer.payload.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str | int) for value in values):
        raise broken(f"gives no list of {name}", name)
    return [str(value) for value in values]


def _error_of(body):
    """Return the words of a TaxJar error body, None when it is not one."""
    try:
        error = json.loads(body)
        words = [error["error"], error.get("detail")]
        return ": ".join(str(part) for part in words if part)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
