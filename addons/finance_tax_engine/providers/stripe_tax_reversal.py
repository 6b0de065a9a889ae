"""What a credit note takes back from the lines of a Stripe transaction."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from odoo.addons.finance_connector_base.providers.errors import Rejected

from ..canonical.shares import split
from .stripe_tax_money import minor

ONE = Decimal(1)


@dataclass
class OriginalLine:
    """What a line of the transaction has left, in smallest units. id "" is the shipping cost."""

    id: str
    item: str
    tax_code: str
    amount: int
    tax: int


@dataclass
class Taken:
    """What is taken back from one line, in smallest units, for these lines of the credit note."""

    amount: int = 0
    tax: int = 0
    numbers: tuple = ()


def original_lines(answer, items) -> list[OriginalLine]:
    """Return the lines of a transaction; items are its lines, of all pages."""
    lines = [
        OriginalLine(
            row.text("id"),
            row.text("reference").partition(":")[2],
            row.text("tax_code"),
            row.integer("amount"),
            row.integer("amount_tax"),
        )
        for row in items
    ]
    shipping = answer.object("shipping_cost", default=None)
    if shipping:
        amounts = shipping.integer("amount"), shipping.integer("amount_tax")
        lines.append(OriginalLine("", "", shipping.text("tax_code"), *amounts))
    return lines


def reversal(document, asked, originals) -> dict:
    """Return line_items and shipping_cost of a partial reversal, all amounts negative.

    Lines of a credit note have numbers of their own, so each is placed on the lines of the invoice
    that are most alike: of the same item, else of the same tax code, else any. The tax is the
    booked one. Raises Rejected when more is taken back than there was.
    """
    taken = {line.id: Taken() for line in originals}
    for one in asked:
        _place(one, _booked(one, document), originals, taken)
    lines = [
        {
            "original_line_item": line_id,
            "reference": "+".join(part.numbers),
            "amount": -part.amount,
            "amount_tax": -part.tax,
        }
        for line_id, part in taken.items()
        if line_id and part.numbers
    ]
    shipping = taken.get("", Taken())
    if not shipping.numbers:
        return {"line_items": lines}
    cost = {"amount": -shipping.amount, "amount_tax": -shipping.tax}
    return {"line_items": lines, "shipping_cost": cost}


def _booked(one, document):
    """Return the booked tax of a line in smallest units, None when nothing is booked."""
    if document.booked is None:
        return None
    amounts = [tax.amount for tax in document.booked if tax.line == one.line.number]
    return minor(sum(amounts, Decimal(0)), document.currency)


def _place(one, tax, originals, taken):
    parts, left = [], one.amount
    for line in sorted(originals, key=lambda line: _unlike(one, tax, line)):
        part = min(left, line.amount)
        if part > 0:
            parts.append((line, part))
            left -= part
    if left:
        raise Rejected(
            f"Line {one.line.number} of the credit note takes back more than the invoice has left"
            " at Stripe. Correct the credit note, or record the rest in Stripe by hand",
            code="exceeds_original",
        )
    for (line, part), share in zip(parts, _tax_shares(tax, parts), strict=True):
        place = taken[line.id]
        place.amount += part
        place.tax += share
        place.numbers += (one.line.number,)
        line.amount -= part
        line.tax -= share


def _tax_shares(tax, parts):
    if tax is None:
        return [
            int((Decimal(line.tax) * part / line.amount).quantize(ONE, ROUND_HALF_UP))
            for line, part in parts
        ]
    weights = {position: Decimal(part) for position, (_line, part) in enumerate(parts)}
    return [int(share) for share in split(Decimal(tax), weights, ONE).values()]


def _unlike(one, tax, line):
    """Return how far a line of the invoice is from one of the credit note; the least comes first."""
    return (
        one.shipping != (line.id == ""),
        one.line.item_code != line.item,
        bool(one.line.tax_code) and one.line.tax_code != line.tax_code,
        one.amount != line.amount or tax not in (None, line.tax),
    )
