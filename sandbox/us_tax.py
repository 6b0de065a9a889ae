"""Sales tax of a few US places, with arithmetic that percentages do not reproduce to the cent.

Shared by the vendors that calculate tax. Names and codes of the jurisdictions are real, and so are
most rates; the rounding habits, the cents added on the last line and the taxability of products are
made up, so that only a client that keeps the engine's own amounts agrees with it. Amounts are exact
:class:`~decimal.Decimal` in the document's currency.

The Houston row is the fixture of the check list for tax engines: 6.25 %, 0.975 % and 1.1185 %, each
truncated per line, and 3 cents added to the county on the last taxable line. For three lines 59.97,
59.99 and 7.77 that makes 7.96, 1.26 and 1.42, where percentages would say 7.98, 1.25 and 1.43.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal

__all__ = [
    "EXEMPT_USE_CODES",
    "PRODUCTS",
    "Jurisdiction",
    "LineTax",
    "Place",
    "Share",
    "add_last_line_cents",
    "find_place",
    "quantum",
    "tax_line",
]

D = Decimal
ZERO = D(0)

#: Currencies whose smallest unit is not a hundredth: number of decimals (ISO 4217).
MINOR_UNITS = {"BHD": 3, "CLP": 0, "ISK": 0, "JPY": 0, "KRW": 0, "KWD": 3, "TND": 3, "VND": 0}


def quantum(currency):
    """Return the smallest amount of a currency: 0.01 for most."""
    return D(1).scaleb(-MINOR_UNITS.get(currency, 2))


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """One taxing authority: ``kind`` is STA, CTY, CIT or STJ (special district).

    ``rates`` are (first day, rate) pairs, oldest first; ``last_line_units`` smallest currency units
    are added to its tax on a document's last taxable line.
    """

    kind: str
    code: str
    name: str
    rates: tuple
    last_line_units: int = 0

    def rate(self, day):
        """Return the rate in force on an ISO date."""
        return [rate for since, rate in self.rates if since <= day][-1]


@dataclass(frozen=True, slots=True)
class Place:
    """Where goods arrive: its jurisdictions and how each rounds a line.

    ``why_no_tax`` is set where no tax is due, with the reason in words.
    """

    country: str
    region: str
    city: str
    jurisdictions: tuple
    rounding: str = ROUND_HALF_UP
    postal_prefixes: tuple = ()
    why_no_tax: str = ""


def _at(kind, code, name, rate, units=0):
    return Jurisdiction(kind, code, name, (("", D(rate)),), units)


_TX = _at("STA", "48", "TEXAS", "0.0625")
_CA = _at("STA", "06", "CALIFORNIA", "0.06")
_NY = _at("STA", "36", "NEW YORK", "0.04")
_WA = _at("STA", "53", "WASHINGTON", "0.065")
_SEATTLE = Jurisdiction("CIT", "63000", "SEATTLE", (("", D("0.0375")), ("2026-01-01", D("0.0385"))))

#: First match wins: by postal prefix or city inside a region, else the region's own row (no city).
PLACES = (
    Place(
        "US",
        "TX",
        "HOUSTON",
        (
            _TX,
            _at("CTY", "201", "HARRIS", "0.00975", units=3),
            _at("CIT", "35000", "HOUSTON", "0.011185"),
        ),
        ROUND_DOWN,
        ("770", "771", "772"),
    ),
    Place(
        "US",
        "TX",
        "AUSTIN",
        (
            _TX,
            _at("CIT", "05000", "AUSTIN", "0.01"),
            _at("STJ", "6000685", "AUSTIN MTA", "0.01"),
        ),
        ROUND_DOWN,
        ("787", "733"),
    ),
    Place("US", "TX", "", (_TX,)),
    Place(
        "US",
        "CA",
        "SAN FRANCISCO",
        (
            _CA,
            _at("CTY", "075", "SAN FRANCISCO", "0.0025"),
            _at("STJ", "EMTV0", "SAN FRANCISCO COUNTY DISTRICT TAX SP", "0.01375", units=1),
            _at("STJ", "EMUA0", "SAN FRANCISCO CO LOCAL TAX SL", "0.01"),
        ),
        ROUND_UP,
        ("941",),
    ),
    Place(
        "US",
        "CA",
        "IRVINE",
        (
            _CA,
            _at("CTY", "059", "ORANGE", "0.0025"),
            _at("STJ", "EMBE0", "ORANGE COUNTY DISTRICT TAX SP", "0.005"),
            _at("STJ", "EMAZ0", "ORANGE CO LOCAL TAX SL", "0.01"),
        ),
        postal_prefixes=("926",),
    ),
    Place("US", "CA", "", (_CA, _at("CTY", "000", "CA LOCAL TAX", "0.0125"))),
    Place(
        "US",
        "NY",
        "NEW YORK",
        (
            _NY,
            _at("CIT", "51000", "NEW YORK CITY", "0.045"),
            _at("STJ", "359071", "METROPOLITAN COMMUTER TRANSPORTATION DISTRICT", "0.00375"),
        ),
        postal_prefixes=("100", "101", "102", "104", "112"),
    ),
    Place("US", "NY", "", (_NY,)),
    Place("US", "WA", "SEATTLE", (_WA, _SEATTLE), postal_prefixes=("981",)),
    Place("US", "WA", "", (_WA,)),
    Place(
        "US",
        "OR",
        "",
        (_at("STA", "41", "OREGON", "0"),),
        why_no_tax="Oregon levies no sales tax.",
    ),
)

_NO_NEXUS = "The company has declared no nexus in {0}; no tax was calculated."


def find_place(country, region, city, postal_code):
    """Return the place of an address; one with ``why_no_tax`` where the company has no nexus."""
    country, region, city = (country or "US").upper(), (region or "").upper(), (city or "").upper()
    for place in PLACES:
        if (place.country, place.region) != (country, region):
            continue
        by_code = bool(postal_code) and str(postal_code).startswith(place.postal_prefixes or ("?",))
        if not place.city or by_code or place.city == city:
            return place
    where = ", ".join(part for part in (region, country) if part)
    return Place(country, region, city, (), why_no_tax=_NO_NEXUS.format(where))


#: Avalara's system entity use codes that exempt a sale; other codes change nothing.
EXEMPT_USE_CODES = {
    "A": "Federal government",
    "B": "State government",
    "C": "Tribe / Status Indian / Indian Band",
    "D": "Foreign diplomat",
    "E": "Charitable or benevolent organization",
    "F": "Religious organization",
    "G": "Resale",
    "H": "Commercial agricultural production",
    "I": "Industrial production / manufacturer",
    "J": "Direct pay permit",
    "K": "Direct mail",
    "L": "Other",
    "M": "Educational organization",
    "N": "Local government",
    "P": "Commercial aquaculture",
    "Q": "Commercial fishery",
    "R": "Non-resident",
}

#: Tax code → (type, description, {region or "*": taxable share, or {jurisdiction kind: share}}).
PRODUCTS = {
    "P0000000": ("P", "Tangible personal property", {"*": D(1)}),
    "NT": ("O", "Non-taxable", {"*": ZERO}),
    "ON030000": ("O", "Non-taxable charge", {"*": ZERO}),
    "PS081282": ("P", "Yarn", {"*": D(1)}),
    "PF050001": ("P", "Food for home consumption", {"*": ZERO, "WA": D(1)}),
    "PC040100": ("P", "Clothing", {"*": D(1), "NY": {"STA": ZERO, "STJ": ZERO}}),
    "FR020100": ("F", "Shipping by common carrier", {"*": D(1), "CA": ZERO}),
    "SD020800": ("S", "Data processing", {"*": D(1), "TX": D("0.8"), "CA": ZERO}),
    "SP140000": ("S", "Professional services", {"*": ZERO}),
}


def taxable_share(tax_code, region, kind):
    """Return which part of the amount a jurisdiction taxes; unknown codes are taxed in full."""
    rules = PRODUCTS.get(tax_code, PRODUCTS["P0000000"])[2]
    share = rules.get(region, rules["*"])
    return share.get(kind, D(1)) if isinstance(share, dict) else share


@dataclass(slots=True)
class Share:
    """What one jurisdiction takes of one line; signs follow the line."""

    jurisdiction: Jurisdiction
    rate: Decimal
    taxable: Decimal
    non_taxable: Decimal
    exempt: Decimal
    tax: Decimal


@dataclass(slots=True)
class LineTax:
    """One line's result: ``amount`` is without tax, ``included`` says the price had it inside."""

    amount: Decimal
    shares: list
    included: bool = False

    @property
    def tax(self):
        """Return the tax of all jurisdictions."""
        return sum((share.tax for share in self.shares), ZERO)

    @property
    def taxable(self):
        """Return the amount taxed by the jurisdiction that taxes most."""
        return max((share.taxable for share in self.shares), key=abs, default=ZERO)


def tax_line(amount, tax_code, place, day, unit, exempt=False, included=False):
    """Return the tax of one line as a :class:`LineTax`.

    :param amount: extended amount net of discounts; negative on returns. With ``included`` the tax
        is inside it and is taken out.
    :param day: ISO date of the rates.
    :param unit: smallest amount of the currency, see :func:`quantum`.
    """
    if included and not exempt:
        rates = sum((one.rate(day) for one in place.jurisdictions), ZERO)
        net = (amount / (1 + rates)).quantize(unit, ROUND_HALF_UP)
        taxed = _shares(net, tax_code, place, day, unit, exempt)
        return _filled_up(taxed, amount)
    return _shares(amount, tax_code, place, day, unit, exempt)


def _filled_up(line, price):
    """Make line and tax add up to the price that includes the tax."""
    line.included = True
    gap = price - line.amount - line.tax
    if line.tax:
        line.shares[0].tax += gap
    else:
        line.amount = price
        for share in line.shares:
            share.non_taxable += gap
    return line


def _shares(amount, tax_code, place, day, unit, exempt):
    return LineTax(
        amount,
        [
            _share(amount, tax_code, place, jurisdiction, day, unit, exempt)
            for jurisdiction in place.jurisdictions
        ],
    )


def _share(amount, tax_code, place, jurisdiction, day, unit, exempt):
    part = ZERO if place.why_no_tax else taxable_share(tax_code, place.region, jurisdiction.kind)
    taxable = amount if part == 1 else (amount * part).quantize(unit, ROUND_HALF_UP)
    rate = jurisdiction.rate(day)
    if exempt:
        return Share(jurisdiction, rate, ZERO, amount - taxable, taxable, ZERO)
    tax = (taxable * rate).quantize(unit, place.rounding)
    return Share(jurisdiction, rate, taxable, amount - taxable, ZERO, tax)


def add_last_line_cents(lines, unit):
    """Add each jurisdiction's extra units to the last line that it taxes; signs follow the line.

    Lines whose price includes the tax have no room for them.
    """
    done = set()
    for line in reversed([line for line in lines if not line.included]):
        for share in line.shares:
            units = share.jurisdiction.last_line_units
            if units and share.taxable and share.jurisdiction not in done:
                done.add(share.jurisdiction)
                share.tax += (units * unit).copy_sign(share.taxable)
