"""A document as TaxJar has it: ids, addresses, items, shipping."""

import re
from decimal import Decimal

from odoo.addons.finance_connector_base.providers.errors import Rejected

from ..canonical.shares import without_discount_lines
from ..canonical.tax import TaxDocument

ZERO = Decimal(0)
CENT = Decimal("0.01")
DESCRIPTION_LENGTH = 255
# Of the countries that TaxJar calculates for; it reads and answers amounts with two decimals.
CURRENCIES = set("USD CAD AUD EUR GBP BGN CZK DKK HUF PLN RON SEK".split())

# exemption_type: those that take the tax off.
EXEMPTIONS = {
    "wholesale": "Wholesale and resale",
    "government": "Government",
    "other": "Other exemption",
}


# === IDS === #


def escape(code: str) -> str:
    """Return ``code`` in the characters of a transaction id; no two codes give the same.

    >>> escape("INV/2026/00001-3f2a90bc"), escape("A_B c")
    ('INV_-2026_-00001-3f2a90bc', 'A__B_x20_c')
    """
    return re.sub(r"[^A-Za-z0-9-]", lambda found: _escaped(found[0]), code)


def _escaped(character):
    return {"_": "__", "/": "_-"}.get(character) or f"_x{ord(character):x}_"


def unescape(transaction_id: str) -> str:
    """Return the code of a transaction id; ids that were not made by `escape` stay as they are.

    >>> unescape("INV_-2026_-00001-3f2a90bc"), unescape("A__B_x20_c"), unescape("web_17")
    ('INV/2026/00001-3f2a90bc', 'A_B c', 'web_17')
    """
    code = re.sub(r"__|_-|_x([0-9a-f]{1,6})_", _unescaped, transaction_id)
    return code if escape(code) == transaction_id else transaction_id


def _unescaped(found):
    if found[1]:
        number = int(found[1], 16)
        return chr(number) if number < 0x110000 else found[0]
    return {"__": "_", "_-": "/"}[found[0]]


# === ORDERS === #


class Item:
    """One line of an order: ``amount`` is what ``discount`` leaves of the line's own."""

    def __init__(self, line, amount):
        self.line = line
        self.amount = amount
        self.discount = line.amount - amount
        self.quantity, self.unit_price = _unit_price(line)

    def asked(self) -> dict:
        """Return the line as POST /taxes gets it."""
        return filled(
            {
                "id": self.line.number,
                "quantity": self.quantity,
                "product_tax_code": self.line.tax_code,
                "unit_price": self.unit_price,
                "discount": self.discount,
            }
        )

    def recorded(self, sign: int, booked: dict) -> dict:
        """Return the line as a transaction has it; booked: {line number: tax in the books}."""
        return filled(
            {
                "id": self.line.number,
                "quantity": self.quantity,
                "product_identifier": self.line.item_code,
                "description": self.line.description[:DESCRIPTION_LENGTH],
                "product_tax_code": self.line.tax_code,
                "unit_price": sign * self.unit_price,
                "discount": sign * self.discount,
                "sales_tax": sign * booked.get(self.line.number, ZERO),
            }
        )


class Order:
    """The lines of a document: items, and {number: amount} of what is shipping in ``freight``.

    Raises Rejected for what TaxJar can't take.
    """

    def __init__(self, document: TaxDocument, shipping_code: str):
        if document.currency not in CURRENCIES:
            raise Rejected(
                f"TaxJar reads amounts as dollars and cents; {document.currency} is not sent to it",
                code="currency",
            )
        try:
            net = without_discount_lines(document.lines, CENT)
        except ValueError:
            raise Rejected(
                "TaxJar can't calculate a document whose discounts come to more than its lines",
                code="negative",
            ) from None
        amounts = {line.number: line.amount for line in net}
        lines = [line for line in document.lines if line.number in amounts]
        self.freight = {
            line.number: amounts[line.number]
            for line in lines
            if line.tax_code.lower() == shipping_code.lower()
        }
        self.items = [
            Item(line, amounts[line.number]) for line in lines if line.number not in self.freight
        ]
        self.amount = sum((item.amount for item in self.items), ZERO)
        self.shipping = sum(self.freight.values(), ZERO)


def _unit_price(line):
    """Return (quantity, price) whose product is the amount exactly; once the amount if need be."""
    quantity = line.quantity
    if quantity > 0 and quantity == quantity.to_integral_value():
        price = (line.amount / quantity).quantize(CENT)
        if price * quantity == line.amount:
            return int(quantity), price
    return 1, line.amount


def addresses(document: TaxDocument) -> dict:
    """Return the from_ and to_ fields of a document."""
    return _place("from", document.ship_from) | _place("to", document.ship_to)


def _place(prefix, address):
    return {
        f"{prefix}_country": address.country,
        f"{prefix}_zip": address.postal_code,
        f"{prefix}_state": address.region,
        f"{prefix}_city": address.city,
        f"{prefix}_street": street(address),
    }


def street(address) -> str:
    """Return both lines of an address in one."""
    return " ".join(part for part in (address.line1, address.line2) if part)


def exemption(document: TaxDocument) -> str:
    """Return the exemption_type of a document, "" when it is not exempt."""
    if document.entity_use_code in EXEMPTIONS:
        return document.entity_use_code
    return "other" if document.entity_use_code or document.exemption_number else ""


def filled(model: dict) -> dict:
    """Return ``model`` without what is empty."""
    return {name: value for name, value in model.items() if value not in (None, "")}
