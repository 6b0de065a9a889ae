"""The models that answer a calculation: transaction, lines, details, addresses, totals."""

from decimal import Decimal

from .accounts import COMPANIES, USER_ID
from .checks import ADDRESS_FIELDS
from .documents import now
from .nexus import KIND_NAMES

D = Decimal
ZERO = D(0)

#: taxAuthorityTypeId of states and what is below them.
TAX_AUTHORITY = 45


class AddressBook:
    """The addresses of one answer, each once; the first origin comes first."""

    def __init__(self, vendor, document_id):
        self._vendor = vendor
        self._document_id = document_id
        self._models = {}

    @property
    def models(self):
        """Return the TransactionAddressModels."""
        return list(self._models.values())

    def id_of(self, address):
        """Return the id of an address that was remembered."""
        return self._models[_address_key(address)]["id"]

    def remember(self, address):
        """Keep an address of the request."""
        key = _address_key(address)
        if key in self._models:
            return
        self._models[key] = {
            "id": self._vendor.next_id(),
            "transactionId": self._document_id,
            "boundaryLevel": "Address" if address.get("line1") else "Zip5",
            "line1": address.get("line1") or "",
            "line2": address.get("line2") or "",
            "line3": address.get("line3") or "",
            "city": address.get("city") or "",
            "region": address.get("region") or "",
            "postalCode": address.get("postalCode") or "",
            "country": address.get("country") or "US",
            "taxRegionId": 0,
        }


def _address_key(address):
    return tuple(str(address.get(name) or "") for name in sorted(ADDRESS_FIELDS))


def transaction_model(calculation, taxed_lines):
    """Return the TransactionModel of a `Calculation` and its taxed lines."""
    given = calculation.given
    lines = [_line(calculation, *numbered) for numbered in enumerate(taxed_lines, 1)]
    place = taxed_lines[0].place
    override = given.get("taxOverride") or {}
    day = given["date"][:10]
    addresses = calculation.addresses.models
    customer = given["customerCode"]
    location = given.get("reportingLocationCode") or ""
    return {
        "id": calculation.id,
        "code": calculation.code,
        "companyId": COMPANIES[calculation.company][0],
        "date": day,
        "status": "Temporary",
        "type": calculation.kind,
        "batchCode": given.get("batchCode") or "",
        "currencyCode": calculation.currency,
        "exchangeRateCurrencyCode": given.get("exchangeRateCurrencyCode")
        or COMPANIES[calculation.company][2],
        "entityUseCode": given.get("entityUseCode") or "",
        "customerVendorCode": customer,
        "customerCode": customer,
        "exemptNo": given.get("exemptionNo") or "",
        "reconciled": False,
        "locationCode": location,
        "reportingLocationCode": location,
        "purchaseOrderNo": given.get("purchaseOrderNo") or "",
        "referenceCode": given.get("referenceCode") or "",
        "salespersonCode": given.get("salespersonCode") or "",
        "taxOverrideType": override.get("type") or "None",
        "taxOverrideAmount": D(override.get("taxAmount") or 0),
        "taxOverrideReason": override.get("reason") or "",
        "adjustmentReason": "NotAdjusted",
        "adjustmentDescription": "",
        "locked": False,
        "region": place.region,
        "country": place.country if len(place.country) == 2 else "US",
        "version": 1,
        "softwareVersion": "26.10.0.0",
        "originAddressId": addresses[0]["id"],
        "destinationAddressId": addresses[-1]["id"],
        "exchangeRateEffectiveDate": given.get("exchangeRateEffectiveDate") or day,
        "exchangeRate": D(given.get("exchangeRate") or 1),
        "isSellerImporterOfRecord": bool(given.get("isSellerImporterOfRecord")),
        "description": given.get("description") or "",
        "email": given.get("email") or "",
        "businessIdentificationNo": given.get("businessIdentificationNo") or "",
        "modifiedDate": now(),
        "modifiedUserId": USER_ID,
        "taxDate": f"{calculation.tax_date}T00:00:00Z",
        "lines": lines,
        "addresses": addresses,
        "messages": calculation.messages,
        **totals(lines),
    }


def _line(calculation, index, taxed):
    header, given, result = calculation.given, taxed.given, taxed.result
    line_id = calculation.vendor.next_id()
    ship_to = calculation.addresses.id_of(calculation.ship_to(given))
    override = given.get("taxOverride") or {}
    details = [_detail(calculation, taxed, share, line_id, ship_to) for share in result.shares]
    return {
        "id": line_id,
        "transactionId": calculation.id,
        "lineNumber": str(given.get("number") or index),
        "boundaryOverrideId": 0,
        "entityUseCode": given.get("entityUseCode") or header.get("entityUseCode") or "",
        "description": given.get("description") or "",
        "destinationAddressId": ship_to,
        "originAddressId": calculation.addresses.id_of(calculation.ship_from(given)),
        "discountAmount": taxed.discount,
        "discountTypeId": 0,
        "exemptAmount": result.amount - result.taxable,
        **_exemption(header, given, taxed.exemption),
        "isItemTaxable": bool(result.taxable),
        "isSSTP": False,
        "itemCode": given.get("itemCode") or "",
        "lineAmount": result.amount + taxed.discount,
        "quantity": given.get("quantity") or 1,
        "ref1": given.get("ref1") or "",
        "ref2": given.get("ref2") or "",
        "reportingDate": header["date"][:10],
        "revAccount": given.get("revenueAccount") or "",
        "sourcing": "Destination",
        "tax": result.tax,
        "taxableAmount": result.taxable,
        "taxCalculated": taxed.calculated,
        "taxCode": given.get("taxCode") or "P0000000",
        "taxCodeId": 8087,
        "taxDate": calculation.tax_date,
        "taxEngine": "",
        "taxOverrideType": override.get("type") or "None",
        "businessIdentificationNo": given.get("businessIdentificationNo") or "",
        "taxOverrideAmount": D(override.get("taxAmount") or 0),
        "taxOverrideReason": override.get("reason") or "",
        "taxIncluded": bool(given.get("taxIncluded")),
        "details": details,
        "nonPassthroughDetails": [],
        "vatCode": "",
        "vatNumberTypeId": 0,
    }


def _exemption(header, given, exemption):
    """Return the fields of a line that name its certificate, or the number of the request."""
    if exemption and exemption.certificate_id:
        return {
            "exemptCertId": exemption.certificate_id,
            "certificateId": str(exemption.certificate_id),
            "exemptNo": exemption.number,
        }
    number = header.get("exemptionNo") or given.get("exemptionCode") or ""
    return {"exemptCertId": 0, "exemptNo": number}


def _rule(taxed, share):
    """Return (nonTaxableType, exemptReasonId): why a jurisdiction does not tax all of a line."""
    if not taxed.has_nexus:
        return "NexusRule", 6
    if taxed.exemption and share.exempt:
        return "ExemptEntityRule", taxed.exemption.reason_id
    return "ProductTaxabilityRule" if share.non_taxable else "RateRule", 0


def _detail(calculation, taxed, share, line_id, address_id):
    place, jurisdiction = taxed.place, share.jurisdiction
    rule, exempt_reason = _rule(taxed, share)
    return {
        "id": calculation.vendor.next_id(),
        "transactionLineId": line_id,
        "transactionId": calculation.id,
        "addressId": address_id,
        "country": place.country,
        "region": place.region,
        "stateFIPS": place.jurisdictions[0].code,
        "exemptAmount": share.exempt,
        "exemptReasonId": exempt_reason,
        "inState": True,
        "jurisCode": jurisdiction.code,
        "jurisName": jurisdiction.name,
        "signatureCode": "",
        "stateAssignedNo": "",
        "jurisType": jurisdiction.kind,
        "jurisdictionType": KIND_NAMES[jurisdiction.kind],
        "nonTaxableAmount": share.non_taxable,
        "nonTaxableRuleId": 0,
        "nonTaxableType": rule,
        "rate": share.rate,
        "rateRuleId": 0,
        "rateSourceId": 3,
        "serCode": "",
        "sourcing": "Destination",
        "tax": share.tax,
        "taxableAmount": share.taxable,
        "taxType": "Sales",
        "taxSubTypeId": "S",
        "taxTypeGroupId": "SalesAndUse",
        "taxName": _tax_name(place, jurisdiction),
        "taxAuthorityTypeId": TAX_AUTHORITY,
        "taxRegionId": 2127184,
        "taxCalculated": share.tax,
        "taxOverride": ZERO,
        "rateType": "General",
        "rateTypeCode": "G",
        "taxableUnits": share.taxable,
        "nonTaxableUnits": share.non_taxable,
        "exemptUnits": share.exempt,
        "unitOfBasis": "PerCurrencyUnit",
        "isNonPassThru": False,
        "isFee": False,
        "reportingTaxableUnits": share.taxable,
        "reportingNonTaxableUnits": share.non_taxable,
        "reportingExemptUnits": share.exempt,
        "reportingTax": share.tax,
        "reportingTaxCalculated": share.tax,
        "liabilityType": "Seller",
    }


def totals(lines):
    """Return totals and summary of finished lines."""

    def total(name):
        return sum((line[name] for line in lines), ZERO)

    summary = {}
    for line in lines:
        for detail in line["details"]:
            _add_to_summary(summary, detail)
    taxable, exempt, tax = total("taxableAmount"), total("exemptAmount"), total("tax")
    return {
        "totalAmount": total("lineAmount"),
        "totalExempt": exempt,
        "totalDiscount": total("discountAmount"),
        "totalTax": tax,
        "totalTaxable": taxable,
        "totalTaxCalculated": total("taxCalculated"),
        "summary": list(summary.values()),
        "taxDetailsByTaxType": [
            {
                "taxType": "SalesAndUse",
                "totalTaxable": taxable,
                "totalExempt": exempt,
                "totalNonTaxable": ZERO,
                "totalTax": tax,
            }
        ],
    }


def _add_to_summary(summary, detail):
    key = (detail["region"], detail["jurisType"], detail["jurisCode"], detail["rate"])
    row = summary.get(key)
    if row is None:
        row = summary[key] = {
            "country": detail["country"],
            "region": detail["region"],
            "jurisType": detail["jurisdictionType"],
            "jurisCode": detail["jurisCode"],
            "jurisName": detail["jurisName"],
            "taxAuthorityType": detail["taxAuthorityTypeId"],
            "stateAssignedNo": "",
            "taxType": "Sales",
            "taxSubType": "S",
            "taxName": detail["taxName"],
            "rateType": "General",
            "rateTypeCode": "G",
            "taxable": ZERO,
            "rate": detail["rate"],
            "tax": ZERO,
            "taxCalculated": ZERO,
            "nonTaxable": ZERO,
            "exemption": ZERO,
        }
    row["taxable"] += detail["taxableAmount"]
    row["tax"] += detail["tax"]
    row["taxCalculated"] += detail["taxCalculated"]
    row["nonTaxable"] += detail["nonTaxableAmount"]
    row["exemption"] += detail["exemptAmount"]


def _tax_name(place, jurisdiction):
    kind = KIND_NAMES[jurisdiction.kind].upper()
    return f"{place.region or place.country} {kind} TAX"
