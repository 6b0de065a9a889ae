"""Nexus regions, categories and addresses."""

from .. import us_tax
from ..vendor import Response
from .taxes import CANADA, EUROPE
from .words import fail, read_body

__all__ = ["CATEGORIES", "Knowledge"]

#: Product tax code, name, description.
CATEGORIES = (
    ("20010", "Clothing", "All human wearing apparel suitable for general use"),
    ("40030", "Food & Groceries", "Food for humans consumption, unprepared"),
    ("30070", "Software as a Service", "Pre-written software, delivered electronically"),
    ("19000", "General Services", "Miscellaneous services"),
    ("99999", "Other Exempt", "Item is exempt"),
)
STATES = {
    "CA": "California",
    "NY": "New York",
    "TX": "Texas",
    "WA": "Washington",
}
PROVINCES = {"BC": "British Columbia", "ON": "Ontario", "QC": "Quebec"}
COUNTRIES = {"DE": "Germany", "FR": "France", "GB": "United Kingdom"}
#: Streets as they are asked → as the postal service writes them.
STREETS = {
    "1200 SMITH STREET": ("1200 Smith St", "77002-4313"),
    "1200 SMITH ST": ("1200 Smith St", "77002-4313"),
    "2000 MAIN ST": ("2000 Main St", "92614-7211"),
}
_ADDRESS = {"country", "state", "zip", "city", "street"}


class Knowledge:
    """What TaxJar knows beside taxes."""

    routes = (
        ("GET", "/v2/nexus/regions", "nexus_regions"),
        ("GET", "/v2/categories", "categories"),
        ("POST", "/v2/addresses/validate", "validate_address"),
    )

    def nexus_regions(self, _request):
        """GET the regions in which the account has nexus."""
        rows = [("US", "United States", code, name) for code, name in STATES.items()]
        rows += [("CA", "Canada", code, PROVINCES[code]) for code in CANADA]
        rows += [(code, COUNTRIES[code], None, None) for code in EUROPE]
        names = ("country_code", "country", "region_code", "region")
        return Response(200, {"regions": [dict(zip(names, row, strict=True)) for row in rows]})

    def categories(self, _request):
        """GET all product categories."""
        names = ("product_tax_code", "name", "description")
        rows = [dict(zip(names, row, strict=True)) for row in CATEGORIES]
        return Response(200, {"categories": rows})

    def validate_address(self, request):
        """POST an address; matches, or 404."""
        body = read_body(request)
        for name in body.keys() - _ADDRESS:
            self.remark(request, f"unknown field {name}")
        if body.get("country") not in (None, "US"):
            raise fail(400, "At this time only US addresses can be validated")
        if not body.get("zip") and not (
            body.get("street") and body.get("city") and body.get("state")
        ):
            raise fail(406, "zip is missing")
        street = (body.get("street") or "").upper()
        place = us_tax.find_place("US", body.get("state"), body.get("city"), body.get("zip"))
        if not place.city or (street and street not in STREETS):
            raise fail(404, "Resource can not be found")
        match = {
            "zip": body.get("zip") or place.postal_prefixes[0] + "01",
            "state": place.region,
            "country": "US",
            "city": place.city.title(),
        }
        if street:
            written, zip_code = STREETS[street]
            match |= {"street": written, "zip": zip_code}
        return Response(200, {"addresses": [match]})
