"""What an engine said, as the amounts that lines of a document carry.

Odoo keeps exact tax amounts of a line in ``extra_tax_data["manual_tax_amounts"]``: per tax the
amount and the base in the document's currency and, for a document in foreign currency, the amount
in the company's (account/models/account_tax.py).
"""

from collections import defaultdict
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from .tax import JurisdictionTax


def manual_tax_amounts(
    taxes: list[JurisdictionTax],
    tax_ids: dict[str, int],
    rate: Decimal | None = None,
    unit: Decimal = Decimal("0.01"),
) -> dict[str, dict[str, dict[str, float]]]:
    """Return {line number: {tax id as text: amounts}}.

    tax_ids: id of the tax of each `JurisdictionTax.key`. rate: the document's currency in one unit
    of the company's, None when they are the same. unit: smallest amount of the company's currency.
    """
    cells = defaultdict(dict)
    for tax in taxes:
        cell = cells[tax.line].setdefault(
            str(tax_ids[tax.key]), {"tax": Decimal(0), "base": Decimal(0)}
        )
        cell["tax"] += tax.amount
        cell["base"] = max(cell["base"], tax.taxable, key=abs)
    company = _company_amounts(cells, rate, unit) if rate else {}
    return {
        number: {
            tax_id: {
                "tax_amount_currency": float(cell["tax"]),
                "base_amount_currency": float(cell["base"]),
                **company.get((number, tax_id), {}),
            }
            for tax_id, cell in by_tax.items()
        }
        for number, by_tax in cells.items()
    }


def _company_amounts(cells, rate, unit):
    """Return {(line number, tax id): {"tax_amount": x}} in the company's currency.

    Each journal item is to be its amount divided by the rate, rounded once: the cents that
    rounding line by line would lose or add go to the lines with the largest remainder.
    """
    by_tax = defaultdict(dict)
    for number, row in cells.items():
        for tax_id, cell in row.items():
            by_tax[tax_id][number] = cell["tax"]
    return {
        (number, tax_id): {"tax_amount": float(share)}
        for tax_id, parts in by_tax.items()
        for number, share in converted(parts, rate, unit).items()
    }


def converted(parts: dict, rate: Decimal, unit: Decimal) -> dict:
    """Divide amounts by ``rate`` so that the rounded shares sum to the rounded total.

    parts: {name: Decimal}. unit: smallest amount of the target currency. The cents left over go to
    the shares with the largest remainder.
    """
    exact = {name: amount / rate for name, amount in parts.items()}
    shares = {name: value.quantize(unit, ROUND_FLOOR) for name, value in exact.items()}
    total = sum(exact.values(), Decimal(0)).quantize(unit, ROUND_HALF_UP)
    left = int((total - sum(shares.values(), Decimal(0))) / unit)
    for name in sorted(exact, key=lambda name: shares[name] - exact[name])[:left]:
        shares[name] += unit
    return shares
