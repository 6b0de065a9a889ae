"""/transactions/orders and /transactions/refunds."""

import re
from datetime import datetime
from decimal import Decimal

from ..vendor import Response
from .taxes import EXEMPTIONS
from .words import fail, money, read_body

__all__ = ["Transactions"]

ZERO = Decimal(0)
USER_ID = 10649
ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
DESCRIPTION_LENGTH = 255
PLACE = [
    f"{way}_{part}" for way in ("from", "to") for part in "country zip state city street".split()
]
REQUIRED = ("transaction_id", "transaction_date", "to_country", "to_zip", "to_state")
AMOUNTS = ("amount", "shipping", "sales_tax")
#: Collection → name of one of it, sign of its amounts.
KINDS = {"orders": ("order", 1), "refunds": ("refund", -1)}
_FIELDS = {
    *PLACE,
    *AMOUNTS,
    "transaction_id",
    "transaction_reference_id",
    "transaction_date",
    "provider",
    "customer_id",
    "exemption_type",
    "line_items",
}
_LINE_FIELDS = set(
    "id quantity product_identifier description product_tax_code unit_price discount sales_tax".split()
)


class Transactions:
    """Orders and refunds, which are declared as soon as they are there."""

    routes = tuple(
        (method, f"/v2/transactions/{{collection}}{tail}", name)
        for method, tail, name in (
            ("GET", "", "list_transactions"),
            ("POST", "", "create_transaction"),
            ("GET", "/{id}", "show_transaction"),
            ("PUT", "/{id}", "update_transaction"),
            ("DELETE", "/{id}", "delete_transaction"),
        )
    )

    def list_transactions(self, request, collection):
        """GET the ids of a day or of a range of days, both included."""
        _kind(collection)
        query = request.query
        first = _day(query.get("transaction_date") or query.get("from_transaction_date"))
        last = _day(query.get("transaction_date") or query.get("to_transaction_date"))
        found = [
            one["transaction_id"]
            for (kind, _id), one in self.transactions.items()
            if kind == collection
            and (not first or first <= one["transaction_date"][:10])
            and (not last or one["transaction_date"][:10] <= last)
        ]
        return Response(200, {collection: sorted(found)})

    def create_transaction(self, request, collection):
        """POST a new one."""
        name, _sign = _kind(collection)
        body = read_body(request)
        self._remark_unknown(request, body)
        for field in (*REQUIRED, *(("transaction_reference_id",) if name == "refund" else ())):
            if body.get(field) in (None, ""):
                raise fail(406, f"{field} is missing")
        transaction_id = str(body["transaction_id"])
        if not ID.fullmatch(transaction_id):
            raise fail(406, "transaction_id is invalid")
        if (collection, transaction_id) in self.transactions:
            raise fail(422, "Provider tranx already imported for your user account")
        made = self._made(collection, body, {})
        self.transactions[collection, transaction_id] = made
        return Response(201, {name: made})

    def show_transaction(self, _request, collection, id):
        """GET one."""
        name, _sign = _kind(collection)
        return Response(200, {name: self._find(collection, id)})

    def update_transaction(self, request, collection, id):
        """PUT: what is given replaces what is there."""
        name, _sign = _kind(collection)
        body = read_body(request)
        self._remark_unknown(request, body)
        before = self._find(collection, id)
        if str(body.get("transaction_id")) != id:
            raise fail(406, "transaction_id is missing")
        if name == "refund" and not body.get("transaction_reference_id"):
            raise fail(406, "transaction_reference_id is missing")
        made = self.transactions[collection, id] = self._made(collection, body, before)
        return Response(200, {name: made})

    def delete_transaction(self, _request, collection, id):
        """DELETE one; the answer has its id and nothing else."""
        name, _sign = _kind(collection)
        gone = self._find(collection, id)
        del self.transactions[collection, id]
        kept = {"transaction_id": id, "user_id": USER_ID, "provider": gone["provider"]}
        return Response(200, {name: dict.fromkeys(gone) | {"line_items": []} | kept})

    def _find(self, collection, name):
        found = self.transactions.get((collection, name))
        if found is None:
            raise fail(404, "Resource can not be found")
        return found

    def _remark_unknown(self, request, body):
        for name in body.keys() - _FIELDS:
            self.remark(request, f"unknown field {name}")
        for line in body.get("line_items") or ():
            for name in line.keys() - _LINE_FIELDS:
                self.remark(request, f"unknown field line_items.{name}")

    def _made(self, collection, body, before):
        """Return the transaction of a body, over what was there before."""
        name, sign = _kind(collection)
        whole = {**before, **body}
        if whole.get("exemption_type") not in (None, *EXEMPTIONS):
            raise fail(400, "exemption_type is not valid")
        amounts = {field: sign * abs(money(whole, field)) for field in AMOUNTS}
        lines = [
            _line(index, line, sign) for index, line in enumerate(whole.get("line_items") or [])
        ]
        _check_sum(lines, amounts)
        return {
            "transaction_id": str(whole["transaction_id"]),
            "user_id": USER_ID,
            "transaction_date": _day(whole["transaction_date"]) + "T00:00:00.000Z",
            **({} if name == "order" else _reference(whole)),
            "provider": whole.get("provider", "api"),
            "exemption_type": whole.get("exemption_type"),
            **{field: whole.get(field) for field in PLACE},
            **{field: _text(value) for field, value in amounts.items()},
            "line_items": lines,
        }


def _kind(collection):
    if collection not in KINDS:
        raise fail(404, "Resource can not be found")
    return KINDS[collection]


def _reference(body):
    return {"transaction_reference_id": str(body["transaction_reference_id"])}


def _day(text):
    """Return a date as YYYY-MM-DD; TaxJar takes 2015/05/14 and ISO 8601."""
    if not text:
        return ""
    try:
        return datetime.fromisoformat(str(text).replace("/", "-")).date().isoformat()
    except ValueError:
        raise fail(400, "transaction_date is not a date") from None


def _line(index, line, sign):
    description = line.get("description")
    if description and len(description) > DESCRIPTION_LENGTH:
        raise fail(400, "line_items.description exceeds limit of 255 characters")
    if line.get("sales_tax") in (None, ""):
        raise fail(406, "line_items.sales_tax is missing")
    return {
        "id": line.get("id", index),
        "quantity": line.get("quantity", 1),
        "product_identifier": line.get("product_identifier"),
        "product_tax_code": line.get("product_tax_code"),
        "description": description,
        "unit_price": _text(sign * abs(money(line, "unit_price", ZERO))),
        "discount": _text(sign * abs(money(line, "discount", ZERO))),
        "sales_tax": _text(sign * abs(money(line, "sales_tax", ZERO))),
    }


def _check_sum(lines, amounts):
    if not lines:
        return
    total = sum(
        (
            Decimal(line["unit_price"]) * line["quantity"] - Decimal(line["discount"])
            for line in lines
        ),
        amounts["shipping"],
    )
    if total != amounts["amount"]:
        raise fail(400, "amount doesn't equal sum of line_items + shipping")


def _text(value):
    text = format(value.normalize() + ZERO, "f")
    return text if "." in text else f"{text}.0"
