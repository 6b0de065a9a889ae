"""Stripe's amounts: integers of the smallest unit (docs.stripe.com/currencies)."""

from decimal import Decimal

from odoo.addons.finance_connector_base.providers.errors import Rejected

_NONE = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()
_THREE = "BHD JOD KWD OMR TND".split()
# A hundredth, unless here. ISK and HUF have hundredths although nobody pays with them.
DECIMALS = dict.fromkeys(_NONE, 0) | dict.fromkeys(_THREE, 3)
# Amounts must be a multiple of this, in smallest units.
STEPS = dict.fromkeys(_THREE, 10) | {"ISK": 100}
# Documented with two different units: nobody can tell what an amount would mean.
UNCLEAR = {"UGX"}


def unit(currency: str) -> Decimal:
    """Return the smallest amount that Stripe takes in a currency.

    >>> [str(unit(currency)) for currency in ("USD", "JPY", "KWD", "ISK")]
    ['0.01', '1', '0.010', '1.00']
    """
    return Decimal(STEPS.get(currency, 1)).scaleb(-DECIMALS.get(currency, 2))


def minor(amount: Decimal, currency: str) -> int:
    """Return an amount in smallest units. Raises Rejected where Stripe can't carry it.

    >>> minor(Decimal("12.34"), "USD"), minor(Decimal("1234"), "JPY"), minor(Decimal("5"), "ISK")
    (1234, 1234, 500)
    """
    if currency in UNCLEAR:
        raise Rejected(
            f"Stripe's unit of {currency} is not clear, so documents in it are not calculated",
            code="currency",
        )
    value = amount.scaleb(DECIMALS.get(currency, 2))
    if value != value.to_integral_value() or value % STEPS.get(currency, 1):
        raise Rejected(
            f"Stripe takes no amount as fine as {amount} {currency}: its smallest step is"
            f" {unit(currency)}",
            code="precision",
        )
    return int(value)


def major(value: int, currency: str) -> Decimal:
    """Return smallest units as an amount.

    >>> major(1234, "USD"), major(1234, "JPY"), major(5120, "KWD")
    (Decimal('12.34'), Decimal('1234'), Decimal('5.120'))
    """
    # adding zero takes the sign off a negative zero
    return Decimal(value).scaleb(-DECIMALS.get(currency, 2)) + Decimal(0)
