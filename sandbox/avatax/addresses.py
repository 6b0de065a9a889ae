"""GET and POST /addresses/resolve: whether an address exists, and how it is written.

The United States and Canada only (service "AutoAddress"). The streets in :data:`STREETS` are found
also when they are abbreviated otherwise, incomplete or in another ZIP code, and are answered with
ZIP+4. Other streets of a place that `us_tax` knows are taken as they are; what contradicts itself
or lies elsewhere is answered by a message of severity Error.
"""

import re
from decimal import Decimal

from .. import us_tax
from ..vendor import Response
from .checks import ADDRESS_FIELDS, read_body
from .errors import fail
from .nexus import KIND_NAMES

D = Decimal

#: (street, city, region, ZIP+4): real streets of the vendor's examples and of demo data; what is
#: behind the hyphen is mostly made up.
STREETS = (
    ("1200 MCKINNEY ST", "HOUSTON", "TX", "77010-2011"),
    ("1200 SMITH ST", "HOUSTON", "TX", "77002-4313"),
    ("5749 S LOOP E", "HOUSTON", "TX", "77033-1009"),
    ("1000 MAIN ST", "IRVINE", "CA", "92614-7202"),
    ("2000 MAIN ST", "IRVINE", "CA", "92614-7211"),
    ("77 SANTA BARBARA RD", "PLEASANT HILL", "CA", "94523-4215"),
    ("7500 W LINNE RD", "TRACY", "CA", "95304-9289"),
    ("1611 PEONY DR", "TRACY", "CA", "95377-8415"),
    ("4557 DE SILVA ST", "FREMONT", "CA", "94538-3214"),
    ("1337 N SAN JOAQUIN ST", "STOCKTON", "CA", "95202-1521"),
    ("1839 ARBOR WAY", "TURLOCK", "CA", "95380-2903"),
    ("8000 MARINA BLVD STE 300", "BRISBANE", "CA", "94005-1884"),
    ("3575 BUENA VISTA AVE", "EUGENE", "OR", "97401-2206"),
    ("215 VINE ST", "SCRANTON", "PA", "18503-1914"),
)
ABBREVIATIONS = {
    "AVENUE": "AVE",
    "BOULEVARD": "BLVD",
    "DRIVE": "DR",
    "EAST": "E",
    "LANE": "LN",
    "NORTH": "N",
    "ROAD": "RD",
    "SOUTH": "S",
    "STREET": "ST",
    "SUITE": "STE",
    "WEST": "W",
}
#: First digit of the ZIP codes of some states.
FIRST_DIGIT = {"CA": "9", "FL": "3", "NY": "1", "OR": "9", "PA": "1", "TX": "7", "WA": "9"}

HIGH_RISE, STREET = "HighRiseOrBusinessComplex", "StreetOrResidentialAddress"
COORDINATES = {"latitude": D("29.757783"), "longitude": D("-95.363144")}


class Addresses:
    """Whether an address exists, and how it is written."""

    routes = (
        ("GET", "/api/v2/addresses/resolve", "resolve_address"),
        ("POST", "/api/v2/addresses/resolve", "resolve_address"),
    )

    def resolve_address(self, request):
        """GET or POST /addresses/resolve: US and Canada only; others are answered by a message."""
        given = request.query if request.method == "GET" else read_body(request)
        address = {name: given[name] for name in ADDRESS_FIELDS if given.get(name)}
        line1, city, region = (address.get(name) for name in ("line1", "city", "region"))
        if not (address.get("postalCode") or (line1 and city and region)):
            raise fail("NotEnoughAddressesInfo")
        return Response(200, _resolution(address, given.get("textCase") or "Upper"))


def _resolution(address, text_case):
    country = (address.get("country") or "US").upper()
    if country not in ("US", "CA"):
        return _unresolved(address, "Country", "Country not supported.")
    street = _street_of(address)
    valid = street or {name: str(value).upper() for name, value in address.items()}
    place = us_tax.find_place(
        country, *(valid.get(key) for key in ("region", "city", "postalCode"))
    )
    if not street and (not place.jurisdictions or _contradicts(valid)):
        return _unresolved(address, "Address", "The address is not deliverable.")
    cased = str.upper if text_case == "Upper" else str.title
    parts = {name: cased(value) for name, value in valid.items()}
    parts |= {"region": valid.get("region") or place.region, "country": country}
    return {
        "address": address,
        "validatedAddresses": [
            {"addressType": HIGH_RISE if "STE" in valid.get("line1", "") else STREET}
            | {"line2": "", "line3": "", **parts, **COORDINATES}
        ],
        "coordinates": COORDINATES,
        "resolutionQuality": "Rooftop" if street else "Intersection",
        "taxAuthorities": [
            {
                "avalaraId": jurisdiction.code,
                "jurisdictionName": jurisdiction.name,
                "jurisdictionType": KIND_NAMES[jurisdiction.kind],
                "signatureCode": "",
            }
            for jurisdiction in place.jurisdictions
        ],
    }


def _street_of(address):
    """Return the known street that an address means, None when there is none."""
    written = _street(" ".join(address.get(name, "") for name in ("line1", "line2")))
    city, zip5 = address.get("city", "").upper(), address.get("postalCode", "")[:5]
    for line1, known_city, region, postal_code in STREETS:
        here = city == known_city or zip5 == postal_code[:5]
        named = written and f"{line1} ".startswith(f"{written} ")
        if here and named and address.get("region", region).upper() == region:
            return {"line1": line1, "city": known_city, "region": region, "postalCode": postal_code}
    return None


def _street(text):
    words = re.sub(r"[^\w ]", " ", text.upper()).split()
    return " ".join(ABBREVIATIONS.get(word, word) for word in words)


def _contradicts(address):
    first = FIRST_DIGIT.get(address.get("region"))
    return bool(first and address.get("postalCode")) and address["postalCode"][0] != first


def _unresolved(address, refers_to, summary):
    return {
        "address": address,
        "validatedAddresses": [],
        "resolutionQuality": "NotCoded",
        "messages": [
            {
                "summary": summary,
                "details": summary,
                "refersTo": refers_to,
                "severity": "Error",
                "source": "Avalara.AvaTax.Services.Address",
            }
        ],
    }
