"""GET and POST /addresses/resolve."""

from decimal import Decimal

from .. import us_tax
from ..vendor import Response
from .calculation import KIND_NAMES
from .checks import ADDRESS_FIELDS, read_body
from .errors import fail

D = Decimal


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
    answer = {"address": address, "validatedAddresses": [], "resolutionQuality": "NotCoded"}
    if country not in ("US", "CA"):
        return {**answer, "messages": [_address_problem("Country", "Country not supported.")]}
    place = us_tax.find_place(
        country, *(address.get(key) for key in ("region", "city", "postalCode"))
    )
    if not place.jurisdictions:
        return {**answer, "messages": [_address_problem("Address", "Address cannot be geocoded.")]}
    cased = str.upper if text_case == "Upper" else str.title
    valid = {name: cased(value) for name, value in address.items()}
    valid |= {"addressType": "S", "region": place.region, "country": country}
    coordinates = {"latitude": D("29.757783"), "longitude": D("-95.363144")}
    return {
        "address": address,
        "validatedAddresses": [{**valid, **coordinates}],
        "coordinates": coordinates,
        "resolutionQuality": "Intersection",
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


def _address_problem(refers_to, summary):
    return {
        "summary": summary,
        "details": summary,
        "refersTo": refers_to,
        "severity": "Error",
        "source": "Avalara.AvaTax.Services.Address",
    }
