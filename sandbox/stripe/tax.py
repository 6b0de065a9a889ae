"""Stripe Tax: settings, calculations, transactions and reversals, tax codes."""

import time
from decimal import Decimal

from ..vendor import Response
from .calculation import CURRENCIES, calculate, minor_steps
from .core import fail, listing, new_id, now, page_of, wanted
from .products import TAX_CODES

__all__ = ["TAX_ROUTES", "Tax"]

TAX_ROUTES = (
    ("POST", "/v1/tax/calculations", "create_calculation"),
    ("GET", "/v1/tax/calculations/{id}/line_items", "calculation_items"),
    ("POST", "/v1/tax/transactions/create_from_calculation", "create_transaction"),
    ("POST", "/v1/tax/transactions/create_reversal", "create_reversal"),
    ("GET", "/v1/tax/transactions/{id}", "get_transaction"),
    ("GET", "/v1/tax/transactions/{id}/line_items", "transaction_items"),
    ("GET", "/v1/tax/settings", "tax_settings"),
    ("GET", "/v1/tax_codes", "tax_codes"),
    ("GET", "/v1/tax_codes/{id}", "tax_code"),
)
EXPIRES_AFTER = 90 * 24 * 3600
NEAR = 48 * 3600
MOST_PARTS = 30
BEHAVIOR = ("exclusive", "inclusive")
_ADDRESS = {
    "line1": str,
    "line2": str,
    "city": str,
    "state": str,
    "postal_code": str,
    "country!": str,
}
CALCULATION = {
    "currency!": str,
    "customer": str,
    "customer_details": {
        "address": _ADDRESS,
        "address_source": ("billing", "shipping"),
        "ip_address": str,
        "tax_ids": [{"type!": str, "value!": str}],
        "taxability_override": ("customer_exempt", "none", "reverse_charge"),
    },
    "expand": [str],
    "line_items!": [
        {
            "amount!": int,
            "product": str,
            "quantity": int,
            "reference": str,
            "tax_behavior": BEHAVIOR,
            "tax_code": str,
        }
    ],
    "shipping_cost": {
        "amount": int,
        "shipping_rate": str,
        "tax_behavior": BEHAVIOR,
        "tax_code": str,
    },
    "tax_date": int,
}
TRANSACTION = {"calculation!": str, "reference!": str, "metadata": dict, "expand": [str]}
REVERSAL = {
    "mode!": ("full", "partial"),
    "original_transaction!": str,
    "reference!": str,
    "flat_amount": int,
    "line_items": [
        {
            "amount!": int,
            "amount_tax!": int,
            "original_line_item!": str,
            "reference!": str,
            "quantity": int,
            "metadata": dict,
        }
    ],
    "shipping_cost": {"amount!": int, "amount_tax!": int},
    "metadata": dict,
    "expand": [str],
}


class Tax:
    """The tax resources."""

    def reset_tax(self):
        """Forget calculations and transactions."""
        self.calculations = {}
        self.transactions = {}

    def tax_state(self):
        """Return all transactions and the number of calculations."""
        return {
            "calculations": len(self.calculations),
            "transactions": list(self.transactions.values()),
        }

    def tax_settings(self, request):
        """GET /v1/tax/settings."""
        wanted(request, {"expand": [str]})
        address = {"city": "Berlin", "country": "DE", "line1": "Teststr. 1", "line2": None}
        address |= {"postal_code": "10115", "state": None}
        return Response(
            200,
            {
                "object": "tax.settings",
                "defaults": {"tax_behavior": "exclusive", "tax_code": "txcd_99999999"},
                "head_office": {"address": address},
                "livemode": False,
                "status": "active",
                "status_details": {"active": {}},
            },
        )

    def tax_codes(self, request):
        """GET /v1/tax_codes."""
        page, _expand = page_of(list(TAX_CODES.values()), "/v1/tax_codes", request)
        return Response(200, page)

    def tax_code(self, _request, id):
        """GET one tax code."""
        if id not in TAX_CODES:
            raise fail(404, f"No such tax code: '{id}'", "resource_missing", "id")
        return Response(200, TAX_CODES[id])

    # === CALCULATIONS === #

    def create_calculation(self, request):
        """POST /v1/tax/calculations."""
        asked = wanted(request, CALCULATION)
        _check_calculation(asked)
        made = calculate(asked)
        made |= {
            "id": new_id("taxcalc"),
            "object": "tax.calculation",
            "livemode": False,
            "customer": asked.get("customer"),
            "tax_date": asked.get("tax_date", now()),
            "expires_at": now() + EXPIRES_AFTER,
        }
        made["used"] = False
        self.calculations[made["id"]] = made
        return Response(200, _shown_calculation(made, asked.get("expand", [])))

    def calculation_items(self, request, id):
        """GET the lines of a calculation."""
        made = self.calculations.get(id)
        if made is None or made["expires_at"] < now():
            raise fail(404, f"No such tax calculation: '{id}'", "resource_missing", "calculation")
        url = f"/v1/tax/calculations/{id}/line_items"
        page, expand = page_of(made["items"], url, request)
        page["data"] = [_shown_item(row, "data.tax_breakdown" in expand) for row in page["data"]]
        return Response(200, page)

    # === TRANSACTIONS === #

    def create_transaction(self, request):
        """POST /v1/tax/transactions/create_from_calculation."""
        asked = wanted(request, TRANSACTION)
        made = self.calculations.get(asked["calculation"])
        name = asked["calculation"]
        if made is None:
            raise fail(400, f"No such tax calculation: '{name}'", "resource_missing", "calculation")
        if made["expires_at"] < now():
            raise fail(400, f"The tax calculation '{name}' has expired.", "", "calculation")
        if made["used"]:
            words = f"The tax calculation '{name}' was used for a transaction already."
            raise fail(400, words, "", "calculation")
        self._check_reference(asked["reference"])
        references = [item["reference"] for item in made["items"]]
        if None in references or len(set(references)) < len(references):
            raise fail(400, "Every line item needs a unique reference.", "", "calculation")
        made["used"] = True
        lines = [
            _transaction_line(item, item["amount"], item["amount_tax"]) for item in made["items"]
        ]
        shipping = made["shipping_cost"]
        if shipping:
            shipping = {name: shipping[name] for name in shipping if name != "tax_breakdown"}
        return self._keep(asked, made, lines, shipping, made["tax_date"], None)

    def create_reversal(self, request):
        """POST /v1/tax/transactions/create_reversal."""
        asked = wanted(request, REVERSAL)
        name = asked["original_transaction"]
        original = self.transactions.get(name)
        if original is None:
            words = f"No such tax transaction: '{name}'"
            raise fail(400, words, "resource_missing", "original_transaction")
        self._check_reference(asked["reference"])
        earlier = [
            one
            for one in self.transactions.values()
            if one["reversal"] and one["reversal"]["original_transaction"] == name
        ]
        if any(one["mode"] == "full" for one in earlier):
            words = f"The tax transaction '{name}' has been fully reversed already."
            raise fail(400, words, "", "original_transaction")
        if asked["mode"] == "full":
            for part in ("flat_amount", "line_items", "shipping_cost"):
                if part in asked:
                    raise fail(400, f"{part} belongs to partial reversals.", "", part)
            lines = [
                _transaction_line(row, -row["amount"], -row["amount_tax"], row["id"])
                for row in original["items"]
            ]
            shipping = _negated(original["shipping_cost"])
        else:
            lines, shipping = _partial(asked, original, earlier)
        return self._keep(asked, original, lines, shipping, original["tax_date"], name)

    def _check_reference(self, reference):
        if any(one["reference"] == reference for one in self.transactions.values()):
            words = f"A tax transaction with the reference '{reference}' exists already."
            raise fail(400, words, "resource_already_exists", "reference")

    def _keep(self, asked, source, lines, shipping, tax_date, original):
        made = {
            "id": new_id("tax"),
            "object": "tax.transaction",
            "created": now(),
            "currency": source["currency"],
            "customer": source["customer"],
            "customer_details": source["customer_details"],
            "items": lines,
            "livemode": False,
            "metadata": asked.get("metadata", {}),
            "mode": asked.get("mode", ""),
            "reference": asked["reference"],
            "reversal": {"original_transaction": original} if original else None,
            "shipping_cost": shipping,
            "tax_date": tax_date,
            "type": "reversal" if original else "transaction",
        }
        self.transactions[made["id"]] = made
        return Response(200, _shown_transaction(made, asked.get("expand", [])))

    def get_transaction(self, request, id):
        """GET one transaction."""
        asked = wanted(request, {"expand": [str]})
        return Response(200, _shown_transaction(self._find(id), asked.get("expand", [])))

    def transaction_items(self, request, id):
        """GET the lines of a transaction."""
        url = f"/v1/tax/transactions/{id}/line_items"
        page, _expand = page_of(self._find(id)["items"], url, request)
        return Response(200, page)

    def _find(self, name):
        made = self.transactions.get(name)
        if made is None:
            words = f"No such tax transaction: '{name}'"
            raise fail(404, words, "resource_missing", "transaction")
        return made


def _check_calculation(asked):
    currency = asked["currency"]
    if currency.upper() not in CURRENCIES or not currency.islower():
        raise fail(400, f"Invalid currency: {currency}", "", "currency")
    if not asked["line_items"]:
        raise fail(400, "Missing required param: line_items.", "parameter_missing", "line_items")
    date = asked.get("tax_date")
    if date is not None and abs(date - time.time()) > NEAR:
        words = "The tax date can be up to 48 hours in the past or in the future."
        raise fail(400, words, "", "tax_date")
    if asked.get("customer"):
        words = f"No such customer: '{asked['customer']}'"
        raise fail(400, words, "resource_missing", "customer")
    _check_address(asked.get("customer_details", {}).get("address") or {})
    parts = [(f"line_items[{i}]", line) for i, line in enumerate(asked["line_items"])]
    if asked.get("shipping_cost"):
        parts.append(("shipping_cost", asked["shipping_cost"]))
    for path, part in parts:
        _check_part(path, part, currency.upper())


def _check_address(address):
    country = address.get("country", "")
    enough = {
        "US": bool(address.get("postal_code")),
        "CA": bool(address.get("postal_code") or address.get("state")),
    }
    if len(country) != 2 or not enough.get(country, True):
        words = "We could not determine the customer's tax location from the address."
        raise fail(400, words, "customer_tax_location_invalid", "customer_details[address]")


def _check_part(path, part, currency):
    amount = part.get("amount", 0)
    if amount < 0:
        words = "This value must be greater than or equal to 0."
        raise fail(400, words, "parameter_invalid_integer", f"{path}[amount]")
    if amount % minor_steps(currency):
        words = f"Invalid amount for {currency}: it must be a multiple of {minor_steps(currency)}."
        raise fail(400, words, "parameter_invalid_integer", f"{path}[amount]")
    code = part.get("tax_code")
    if code and code not in TAX_CODES:
        raise fail(400, f"No such tax code: '{code}'", "resource_missing", f"{path}[tax_code]")
    if part.get("quantity", 1) < 1:
        words = "This value must be greater than or equal to 1."
        raise fail(400, words, "parameter_invalid_integer", f"{path}[quantity]")


# === WHAT IS SHOWN === #


def _shown_calculation(made, expand):
    shown = {name: made[name] for name in made if name not in ("items", "used", "shipping_cost")}
    deep = "line_items.data.tax_breakdown" in expand
    if deep or "line_items" in expand:
        rows = [_shown_item(row, deep) for row in made["items"]]
        shown["line_items"] = listing(rows, f"/v1/tax/calculations/{made['id']}/line_items")
    shipping = made["shipping_cost"]
    if shipping and "shipping_cost.tax_breakdown" not in expand:
        shipping = {name: shipping[name] for name in shipping if name != "tax_breakdown"}
    return shown | {"shipping_cost": shipping}


def _shown_item(row, deep):
    return row if deep else {name: row[name] for name in row if name != "tax_breakdown"}


def _shown_transaction(made, expand):
    shown = {name: made[name] for name in made if name not in ("items", "mode")}
    if "line_items" in expand:
        url = f"/v1/tax/transactions/{made['id']}/line_items"
        shown["line_items"] = listing(made["items"], url)
    return shown


def _transaction_line(row, amount, tax, original="", **changes):
    return {
        "id": new_id("tax_li"),
        "object": "tax.transaction_line_item",
        "amount": amount,
        "amount_tax": tax,
        "livemode": False,
        "metadata": {},
        "product": row["product"],
        "quantity": row["quantity"],
        "reference": row["reference"],
        "reversal": {"original_line_item": original} if original else None,
        "tax_behavior": row["tax_behavior"],
        "tax_code": row["tax_code"],
        "type": "reversal" if original else "transaction",
    } | changes


def _negated(shipping):
    if not shipping:
        return None
    return shipping | {"amount": -shipping["amount"], "amount_tax": -shipping["amount_tax"]}


# === PARTIAL REVERSALS === #


def _partial(asked, original, earlier):
    """Return (lines, shipping cost) of a partial reversal."""
    if original["type"] == "reversal":
        words = "A reversal can be reversed in full only."
        raise fail(400, words, "", "original_transaction")
    if len(earlier) >= MOST_PARTS:
        raise fail(400, "At most 30 partial reversals can be made of a transaction.", "", "mode")
    left = _left(original, earlier)
    if "flat_amount" in asked:
        if "line_items" in asked or "shipping_cost" in asked:
            raise fail(400, "flat_amount can't be combined with amounts.", "", "flat_amount")
        return _flat(asked["flat_amount"], original, left)
    if not asked.get("line_items") and not asked.get("shipping_cost"):
        raise fail(400, "Missing required param: line_items.", "parameter_missing", "line_items")
    lines = [_part_of_line(part, original, left) for part in asked.get("line_items", [])]
    shipping = None
    if "shipping_cost" in asked:
        part = asked["shipping_cost"]
        if not original["shipping_cost"]:
            raise fail(400, "The transaction has no shipping cost.", "", "shipping_cost")
        _take(left, "", part, "shipping_cost")
        shipping = original["shipping_cost"] | part
    return lines, shipping


def _left(original, earlier):
    """Return {line id: [amount, tax]} of what is not reversed yet; "" is the shipping cost."""
    left = {row["id"]: [row["amount"], row["amount_tax"]] for row in original["items"]}
    if original["shipping_cost"]:
        shipping = original["shipping_cost"]
        left[""] = [shipping["amount"], shipping["amount_tax"]]
    for one in earlier:
        parts = [(row["reversal"]["original_line_item"], row) for row in one["items"]]
        if one["shipping_cost"]:
            parts.append(("", one["shipping_cost"]))
        for name, part in parts:
            left[name][0] += part["amount"]
            left[name][1] += part["amount_tax"]
    return left


def _take(left, name, part, path):
    for index, field in enumerate(("amount", "amount_tax")):
        if part[field] > 0:
            words = "This value must be less than or equal to 0."
            raise fail(400, words, "parameter_invalid_integer", f"{path}[{field}]")
        if -part[field] > left[name][index]:
            words = f"More is reversed than is left of {name or 'the shipping cost'}."
            raise fail(400, words, "", f"{path}[{field}]")
        left[name][index] += part[field]


def _part_of_line(part, original, left):
    name = part["original_line_item"]
    row = next((row for row in original["items"] if row["id"] == name), None)
    if row is None:
        words = f"No such line item: '{name}'"
        raise fail(400, words, "resource_missing", "line_items[original_line_item]")
    _take(left, name, part, "line_items")
    return _transaction_line(
        row,
        part["amount"],
        part["amount_tax"],
        name,
        reference=part["reference"],
        metadata=part.get("metadata", {}),
    )


def _flat(flat, original, left):
    """Share a flat amount out over what is left, by line and between amount and tax."""
    whole = sum(amount + tax for amount, tax in left.values())
    if flat > 0 or -flat > whole:
        words = "The flat amount must be negative and at most what is left."
        raise fail(400, words, "", "flat_amount")
    rest, lines, shipping = -flat, [], None
    names = list(left)
    for position, name in enumerate(names):
        amount, tax = left[name]
        last = position == len(names) - 1
        total = rest if last else _part(-flat, amount + tax, whole)
        total = min(total, amount + tax)
        rest -= total
        taken = _part(total, tax, amount + tax)
        if name:
            row = next(row for row in original["items"] if row["id"] == name)
            lines.append(_transaction_line(row, taken - total, -taken, name))
        else:
            shipping = original["shipping_cost"] | {"amount": taken - total, "amount_tax": -taken}
    return lines, shipping


def _part(total, share, whole):
    return int((Decimal(total) * share / whole).to_integral_value()) if whole else 0
