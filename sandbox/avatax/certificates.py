"""Customers and their exemption certificates; what is on file exempts their transactions.

A customer has a certificate only when it is linked to him; it counts in the region of its exposure
zone from the day it was signed until it expires, as long as it is marked valid (descriptions of
CertificateModel and ListCertificatesForCustomer). The sandbox knows full exemptions only.

The companies in :data:`NOT_SET_UP` have no certificate storage: ``CertificatesNotSetup``.
"""

from datetime import date

from ..vendor import Response
from .accounts import ACCOUNT_ID, COMPANIES, company_of
from .answers import page
from .checks import check_date, read_body, read_list
from .documents import now
from .errors import detail_of, fail
from .filters import parse_filter
from .nexus import STATES

NOT_SET_UP = {"SECOND"}
#: ListCertificateExemptReasons: id → name.
REASONS = {
    9: "FEDERAL GOV",
    10: "STATE GOV/LOCAL GOV",
    12: "DIRECT PAY",
    13: "NON-PROFIT",
    18: "MANUFACTURING",
    70: "RESALE",
    71: "EXPOSURE",
}
#: A customer of the default company, with one certificate that counts and one that has expired.
CERTIFIED = {
    "customerCode": "CERTIFIED",
    "name": "Certified Reseller",
    "line1": "1200 McKinney St",
    "city": "Houston",
    "region": "TX",
    "postalCode": "77010",
    "country": "US",
}
SEEDS = (
    ("Texas", "TX-RESALE-2048", "2024-01-01", "2099-12-31"),
    ("California", "CA-RESALE-1024", "2015-01-01", "2019-12-31"),
)
_ADDRESS = ("line1", "city", "region", "postalCode", "country")
_COMPANY = "/api/v2/companies/{company_id}"


class Certificates:
    """The certificate storage of all companies."""

    routes = (
        ("GET", _COMPANY + "/customers", "list_customers"),
        ("POST", _COMPANY + "/customers", "create_customers"),
        ("GET", _COMPANY + "/customers/{customer}", "get_customer"),
        ("GET", _COMPANY + "/customers/{customer}/certificates", "certificates_of_customer"),
        (
            "GET",
            _COMPANY + "/customers/{customer}/certificates/{country}/{region}",
            "exemption_status",
        ),
        ("GET", _COMPANY + "/certificates/setup", "certificate_setup"),
        ("GET", _COMPANY + "/certificates", "list_certificates"),
        ("POST", _COMPANY + "/certificates", "create_certificates"),
        ("GET", _COMPANY + "/certificates/{id}", "get_certificate"),
        ("DELETE", _COMPANY + "/certificates/{id}", "delete_certificate"),
        ("POST", _COMPANY + "/certificates/{id}/customers/link", "link_customers"),
        ("GET", "/api/v2/definitions/certificateexemptreasons", "exempt_reasons"),
        ("GET", "/api/v2/definitions/certificateexposurezones", "exposure_zones"),
    )

    def reset(self):
        """Keep only the customer that is there from the start."""
        super().reset()
        self.customers = {}
        self.certificates = {}
        self.linked = set()
        company_id = next(iter(COMPANIES.values()))[0]
        self._create_customer(company_id, CERTIFIED)
        for zone, number, signed, expires in SEEDS:
            self._create_certificate(
                company_id,
                {
                    "signedDate": signed,
                    "expirationDate": expires,
                    "filename": f"{number}.pdf",
                    "exemptionNumber": number,
                    "valid": True,
                    "exemptionReason": {"name": "RESALE"},
                    "exposureZone": {"name": zone},
                    "customers": [CERTIFIED],
                },
            )

    def certificate_for(self, company, customer, place, day):
        """Return the certificate that exempts a customer in a place on an ISO date, or None."""
        if company in NOT_SET_UP:
            return None
        return self._valid(COMPANIES[company][0], customer, place.country, place.region, day)

    def _valid(self, company_id, customer, country, region, day):
        for certificate in self._of_customer(company_id, customer):
            zone = certificate["exposureZone"]
            in_time = certificate["signedDate"] <= day <= certificate["expirationDate"]
            here = (zone["country"], zone["region"]) == (country, region)
            if certificate["valid"] and in_time and here:
                return certificate
        return None

    def _of_customer(self, company_id, customer):
        return [
            one
            for one in self.certificates.values()
            if one["companyId"] == company_id and (one["id"], customer) in self.linked
        ]

    # === CUSTOMERS === #

    def list_customers(self, request, company_id):
        """GET the customers of a company."""
        company_id = _set_up(company_id)
        wanted = parse_filter(request.query.get("$filter", ""))
        models = [one for (owner, _c), one in self.customers.items() if owner == company_id]
        return page(request, list(filter(wanted, models)))

    def create_customers(self, request, company_id):
        """POST a list of customers."""
        company_id = _set_up(company_id)
        return Response(200, [self._create_customer(company_id, one) for one in read_list(request)])

    def get_customer(self, _request, company_id, customer):
        """GET one customer."""
        return Response(200, self._customer(_set_up(company_id), customer))

    def _create_customer(self, company_id, given):
        for name in ("customerCode", "name", *_ADDRESS):
            if not given.get(name):
                raise fail("ValueRequiredError", name)
        key = (company_id, given["customerCode"])
        if key in self.customers:
            raise fail("DuplicateEntry")
        model = {
            **given,
            "id": len(self.customers) + 1,
            "companyId": company_id,
            "createdDate": now(),
            "modifiedDate": now(),
        }
        self.customers[key] = model
        return model

    def _customer(self, company_id, customer):
        try:
            return self.customers[company_id, customer]
        except KeyError:
            raise fail("EntityNotFoundError", f"Customer with code '{customer}'") from None

    def certificates_of_customer(self, request, company_id, customer):
        """GET the certificates linked to a customer, whether they count or not."""
        company_id = _set_up(company_id)
        self._customer(company_id, customer)
        wanted = parse_filter(request.query.get("$filter", ""))
        found = [one for one in self._of_customer(company_id, customer) if wanted(one)]
        return page(request, found)

    def exemption_status(self, _request, company_id, customer, country, region):
        """GET whether a customer has a certificate that counts today in a region."""
        company_id = _set_up(company_id)
        self._customer(company_id, customer)
        today = date.today().isoformat()
        found = self._valid(company_id, customer, country, region, today)
        if found is None:
            return Response(200, {"status": "NotExempt"})
        return Response(200, {"status": "Exempt", "certificate": found})

    # === CERTIFICATES === #

    def certificate_setup(self, _request, company_id):
        """GET whether a company has certificate storage."""
        company = company_of(company_id)
        status = "NotProvisioned" if company in NOT_SET_UP else "Provisioned"
        model = {"status": status, "accountId": ACCOUNT_ID, "companyId": int(company_id)}
        return Response(200, model)

    def list_certificates(self, request, company_id):
        """GET all certificates of a company."""
        company_id = _set_up(company_id)
        wanted = parse_filter(request.query.get("$filter", ""))
        models = [
            one
            for one in self.certificates.values()
            if one["companyId"] == company_id and wanted(one)
        ]
        return page(request, models)

    def create_certificates(self, request, company_id):
        """POST a list of certificates, each with the customers it is for."""
        company_id = _set_up(company_id)
        created = [self._create_certificate(company_id, one) for one in read_list(request)]
        return Response(200, created)

    def get_certificate(self, _request, company_id, id):
        """GET one certificate."""
        return Response(200, self._certificate(_set_up(company_id), id))

    def delete_certificate(self, _request, company_id, id):
        """DELETE a certificate; it exempts nobody any more."""
        certificate = self._certificate(_set_up(company_id), id)
        del self.certificates[certificate["id"]]
        return Response(200, [detail_of("DeleteInformation", f"Certificate {id}")])

    def link_customers(self, request, company_id, id):
        """POST ``{"customers": [customer codes]}``: these may use the certificate."""
        company_id = _set_up(company_id)
        certificate = self._certificate(company_id, id)
        customers = read_body(request).get("customers") or []
        models = [self._customer(company_id, code) for code in customers]
        self.linked |= {(certificate["id"], code) for code in customers}
        return page(request, models)

    def _certificate(self, company_id, id):
        model = self.certificates.get(int(id)) if id.isdigit() else None
        if model is None or model["companyId"] != company_id:
            raise fail("EntityNotFoundError", f"Certificate with ID '{id}'")
        return model

    def _create_certificate(self, company_id, given):
        for name in ("signedDate", "expirationDate"):
            if not given.get(name):
                raise fail("ValueRequiredError", name)
            check_date(given[name], name)
        if not (given.get("filename") or given.get("pdf") or given.get("pages")):
            raise fail("MissingRequiredFields")
        if given.get("exemptPercentage", 100) != 100:
            raise fail("CertificatesError", description="The sandbox knows full exemptions only.")
        customers = [one.get("customerCode") for one in given.get("customers") or []]
        for code in customers:
            self._customer(company_id, code)
        model = {
            "id": max(self.certificates, default=500) + 1,
            "companyId": company_id,
            "signedDate": given["signedDate"][:10],
            "expirationDate": given["expirationDate"][:10],
            "filename": given.get("filename", ""),
            "documentExists": False,
            "valid": given.get("valid", True),
            "verified": True,
            "exemptPercentage": 100,
            "isSingleCertificate": False,
            "exemptionNumber": given.get("exemptionNumber", ""),
            "exemptionReason": _reason(given),
            "status": "COMPLETE",
            "createdDate": now(),
            "exposureZone": _zone(given),
        }
        self.certificates[model["id"]] = model
        self.linked |= {(model["id"], code) for code in customers}
        return model

    # === DEFINITIONS === #

    def exempt_reasons(self, request):
        """GET the reasons for which a certificate exempts."""
        return page(request, [{"id": id, "name": name} for id, name in REASONS.items()])

    def exposure_zones(self, request):
        """GET the places where a certificate may count."""
        return page(request, [_zone_model(region) for region in STATES])


def _set_up(company_id):
    """Return the id of a company as a number; refuse one without certificate storage."""
    if company_of(company_id) in NOT_SET_UP:
        raise fail("CertificatesNotSetup")
    return int(company_id)


def _reason(given):
    name = (given.get("exemptionReason") or {}).get("name")
    if not name:
        raise fail("MissingExemptReason")
    for reason_id, known in REASONS.items():
        if known == name:
            return {"id": reason_id, "name": known}
    raise fail("InvalidExemptReason", name)


def _zone(given):
    name = (given.get("exposureZone") or {}).get("name") or ""
    for region, (_fips, known) in STATES.items():
        if known == name.upper():
            return _zone_model(region)
    raise fail("MissingFieldToCreateExposureZone")


def _zone_model(region):
    fips, name = STATES[region]
    return {
        "id": int(fips),
        "companyId": next(iter(COMPANIES.values()))[0],
        "name": name.title(),
        "tag": f"EZ_US_{region}",
        "description": f"{name.title()} sales tax",
        "created": "2018-01-01T00:00:00Z",
        "modified": "2018-01-01T00:00:00Z",
        "region": region,
        "country": "US",
    }
