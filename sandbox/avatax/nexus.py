"""Where a company has to charge tax: its declarations of nexus, and what follows from them.

Without one AvaTax calculates no tax: the line has a single detail at rate 0 with the whole amount
not taxable by ``NexusRule`` (developer.avalara.com, blog "Using $include with CreateTransaction").
"""

from decimal import Decimal

from .. import us_tax
from ..vendor import Response
from .accounts import COMPANIES, USER_ID, company_of
from .answers import page
from .checks import read_list
from .documents import now
from .errors import detail_of, fail
from .filters import parse_filter

KIND_NAMES = {"STA": "State", "CTY": "County", "CIT": "City", "STJ": "Special", "CNT": "Country"}
FOREVER = "9999-12-31"

#: State → (FIPS code, name).
STATES = {
    line[:2]: (line[3:5], line[6:])
    for line in """\
AL 01 ALABAMA
AK 02 ALASKA
AZ 04 ARIZONA
AR 05 ARKANSAS
CA 06 CALIFORNIA
CO 08 COLORADO
CT 09 CONNECTICUT
DE 10 DELAWARE
DC 11 DISTRICT OF COLUMBIA
FL 12 FLORIDA
GA 13 GEORGIA
HI 15 HAWAII
ID 16 IDAHO
IL 17 ILLINOIS
IN 18 INDIANA
IA 19 IOWA
KS 20 KANSAS
KY 21 KENTUCKY
LA 22 LOUISIANA
ME 23 MAINE
MD 24 MARYLAND
MA 25 MASSACHUSETTS
MI 26 MICHIGAN
MN 27 MINNESOTA
MS 28 MISSISSIPPI
MO 29 MISSOURI
MT 30 MONTANA
NE 31 NEBRASKA
NV 32 NEVADA
NH 33 NEW HAMPSHIRE
NJ 34 NEW JERSEY
NM 35 NEW MEXICO
NY 36 NEW YORK
NC 37 NORTH CAROLINA
ND 38 NORTH DAKOTA
OH 39 OHIO
OK 40 OKLAHOMA
OR 41 OREGON
PA 42 PENNSYLVANIA
RI 44 RHODE ISLAND
SC 45 SOUTH CAROLINA
SD 46 SOUTH DAKOTA
TN 47 TENNESSEE
TX 48 TEXAS
UT 49 UTAH
VT 50 VERMONT
VA 51 VIRGINIA
WA 53 WASHINGTON
WV 54 WEST VIRGINIA
WI 55 WISCONSIN
WY 56 WYOMING""".splitlines()
}
COUNTRIES = {"US": "UNITED STATES OF AMERICA"}

#: What every company has declared from the start: region → (first day, last day).
DECLARED = {
    "": ("2015-01-01", FOREVER),
    "CA": ("2015-01-01", FOREVER),
    "NV": ("2015-01-01", "2020-12-31"),
    "NY": ("2018-06-01", FOREVER),
    "OR": ("2015-01-01", FOREVER),
    "TX": ("2015-01-01", FOREVER),
    "WA": ("2015-01-01", FOREVER),
}


class Declarations:
    """The declarations of nexus of all companies."""

    routes = (
        ("GET", "/api/v2/companies/{company_id}/nexus", "list_nexus"),
        ("POST", "/api/v2/companies/{company_id}/nexus", "create_nexus"),
        ("GET", "/api/v2/companies/{company_id}/nexus/{id}", "get_nexus"),
        ("DELETE", "/api/v2/companies/{company_id}/nexus/{id}", "delete_nexus"),
    )

    def reset(self):
        """Declare again what every company has from the start."""
        super().reset()
        self.declarations = {}
        for company_id, _name, _currency in COMPANIES.values():
            for region, (start, end) in DECLARED.items():
                self._declare(company_id, "US", region, start, end)

    def nexus_of(self, company, day):
        """Return {(country, region)} where a company has nexus on an ISO date."""
        company_id = COMPANIES[company][0]
        return {
            (model["country"], _region(model))
            for model in self.declarations.values()
            if model["companyId"] == company_id
            and model["effectiveDate"] <= day <= model["endDate"]
        }

    def list_nexus(self, request, company_id):
        """GET all declarations of a company."""
        company_of(company_id)
        wanted = parse_filter(request.query.get("$filter", ""))
        models = [
            one
            for one in self.declarations.values()
            if one["companyId"] == int(company_id) and wanted(one)
        ]
        return page(request, models)

    def get_nexus(self, _request, company_id, id):
        """GET one declaration."""
        return Response(200, self._declaration(company_id, id))

    def create_nexus(self, request, company_id):
        """POST a list of declarations; a state needs that of its country."""
        company_of(company_id)
        created = [self._create_declaration(int(company_id), given) for given in read_list(request)]
        return Response(200, created)

    def delete_nexus(self, request, company_id, id):
        """DELETE one declaration; a country's goes last, or with ``cascadeDelete`` takes all."""
        model = self._declaration(company_id, id)
        below = [one for one in self.declarations.values() if _is_below(one, model)]
        if below and request.query.get("cascadeDelete") != "true":
            raise fail("CannotDeleteParentBeforeChildNexus")
        for one in (*below, model):
            del self.declarations[one["id"]]
        return Response(200, [detail_of("DeleteInformation", f"Nexus {id}")])

    def _declaration(self, company_id, id):
        company_of(company_id)
        model = self.declarations.get(int(id)) if id.isdigit() else None
        if model is None or model["companyId"] != int(company_id):
            raise fail("EntityNotFoundError", f"Nexus with ID '{id}'")
        return model

    def _create_declaration(self, company_id, given):
        for name in ("country", "region", "jurisCode", "jurisName"):
            if name not in given:
                raise fail("ValueRequiredError", name)
        country = given["country"]
        region = "" if given.get("jurisTypeId") == "CNT" else given["region"]
        if country not in COUNTRIES or region and region not in STATES:
            raise fail("UnknownNexusError")
        mine = {
            (one["country"], _region(one))
            for one in self.declarations.values()
            if one["companyId"] == company_id
        }
        if (country, region) in mine:
            raise fail("DuplicateNexusError")
        if region and (country, "") not in mine:
            raise fail("ParentNexusNotFound")
        start, end = given.get("effectiveDate"), given.get("endDate")
        return self._declare(company_id, country, region, start or "2015-01-01", end or FOREVER)

    def _declare(self, company_id, country, region, start, end):
        code, name = STATES[region] if region else (country, COUNTRIES[country])
        kind = "STA" if region else "CNT"
        nexus_id = len(self.declarations) + 1
        while nexus_id in self.declarations:
            nexus_id += 1
        model = self.declarations[nexus_id] = {
            "id": nexus_id,
            "companyId": company_id,
            "country": country,
            "region": region or country,
            "jurisTypeId": kind,
            "jurisdictionTypeId": KIND_NAMES[kind],
            "jurisCode": code,
            "jurisName": name,
            "effectiveDate": start[:10],
            "endDate": end[:10],
            "shortName": name[:15],
            "signatureCode": "",
            "stateAssignedNo": "",
            "nexusTypeId": "SalesOrSellersUseTax",
            "sourcing": "Destination",
            "hasLocalNexus": bool(region),
            "localNexusTypeId": "StateAdministered",
            "hasPermanentEstablishment": False,
            "taxId": "",
            "createdDate": now(),
            "createdUserId": USER_ID,
            "taxTypeGroup": "SalesAndUse",
            "nexusTaxTypeGroup": "SalesAndUse",
            "isSellerImporterOfRecord": False,
            "taxName": "",
        }
        return model


def _is_below(model, country):
    same = all(model[name] == country[name] for name in ("companyId", "country"))
    return same and model is not country and country["jurisTypeId"] == "CNT"


def _region(model):
    return "" if model["jurisTypeId"] == "CNT" else model["region"]


def place_of(ship_to, declared):
    """Return (place, whether the company has nexus there); ``declared`` as of `nexus_of`.

    A place without nexus has one jurisdiction, the state or country, at rate 0.
    """
    place = us_tax.find_place(
        *(ship_to.get(name) for name in ("country", "region", "city", "postalCode"))
    )
    has_nexus = (place.country, place.region) in declared
    if has_nexus and place.jurisdictions:
        return place, True
    jurisdiction = _authority(place)
    words = (
        f"The sandbox has no rates of {jurisdiction.name}."
        if has_nexus
        else f"The company has declared no nexus in {jurisdiction.name}; no tax was calculated."
    )
    names = (place.country, place.region, place.city)
    return us_tax.Place(*names, (jurisdiction,), why_no_tax=words), has_nexus


def _authority(place):
    """Return the state, or the country of a place without one, as a jurisdiction at rate 0."""
    if place.country == "US" and place.region in STATES:
        kind, (code, name) = "STA", STATES[place.region]
    else:
        kind, code, name = "CNT", place.country, COUNTRIES.get(place.country, place.country)
    return us_tax.Jurisdiction(kind, code, name, (("", Decimal(0)),))
