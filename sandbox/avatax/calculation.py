"""The calculation of one document."""

from decimal import ROUND_HALF_UP, Decimal

from .. import us_tax
from .accounts import COMPANIES, USER_ID
from .checks import ADDRESS_FIELDS, check_date
from .documents import now
from .errors import fail

D = Decimal
ZERO = D(0)

KIND_NAMES = {"STA": "State", "CTY": "County", "CIT": "City", "STJ": "Special", "CNT": "Country"}
_AUTHORITY = {"STA": 45, "CTY": 45, "CIT": 45, "STJ": 45, "CNT": 45}


class Calculation:
    """Turns one CreateTransactionModel into the TransactionModel that answers it."""

    def __init__(self, vendor, model, company, kind, code, document_id):
        self.vendor = vendor
        self.given = model
        self.company = company
        self.kind = kind
        self.code = code
        self.id = document_id
        self.currency = model.get("currencyCode") or COMPANIES[company][2]
        self.unit = us_tax.quantum(self.currency)
        override = model.get("taxOverride") or {}
        self.override = _known_override(override)
        self.tax_date = self._tax_date(override)
        self.addresses = {}
        self.messages = []

    def _tax_date(self, override):
        if override.get("type") == "TaxDate" and override.get("taxDate"):
            check_date(override["taxDate"], "taxDate")
            return override["taxDate"][:10]
        return self.given["date"][:10]

    def model(self):
        """Return the TransactionModel, in status Temporary."""
        given_lines = self.given["lines"]
        discounts = _discounts(self.given, self.unit)
        prepared = [
            self._prepare(line, discount)
            for line, discount in zip(given_lines, discounts, strict=True)
        ]
        results = [result for _place, _exempt, result in prepared]
        us_tax.add_last_line_cents(results, self.unit)
        computed = [result.tax for result in results]
        self._override_tax(results)
        lines = [
            self._line(index, line, place, exempt, result, discount, calculated)
            for index, (line, (place, exempt, result), discount, calculated) in enumerate(
                zip(given_lines, prepared, discounts, computed, strict=True), 1
            )
        ]
        return self._header(lines, prepared[0][0])

    def _prepare(self, line, discount):
        """Return (place, exempt reason, tax) of one line."""
        addresses = line.get("addresses") or self.given.get("addresses")
        ship_to = _ship_to(addresses)
        place = us_tax.find_place(
            ship_to.get("country"),
            ship_to.get("region"),
            ship_to.get("city"),
            ship_to.get("postalCode"),
        )
        self._remember(_ship_from(addresses) or ship_to)
        self._remember(ship_to)
        if place.why_no_tax:
            self._message("No tax", place.why_no_tax)
        exempt = self._exempt(line)
        result = us_tax.tax_line(
            D(line["amount"]) - discount,
            line.get("taxCode") or "P0000000",
            place,
            self.tax_date,
            self.unit,
            bool(exempt),
            bool(line.get("taxIncluded")),
        )
        return place, exempt, result

    def _exempt(self, line):
        """Return why a line is exempt, or an empty text."""
        given = self.given
        for source in (line, given):
            if _known_override(source.get("taxOverride") or {}) == "Exemption":
                return "override"
            use_code = source.get("entityUseCode") or source.get("customerUsageType") or ""
            if use_code == "TAXABLE":
                return ""
            if use_code in us_tax.EXEMPT_USE_CODES:
                return use_code
        return line.get("exemptionCode") or given.get("exemptionNo") or ""

    def _override_tax(self, results):
        """Apply TaxAmount overrides of lines, else of the document, in proportion to the tax."""
        for line, result in zip(self.given["lines"], results, strict=True):
            override = line.get("taxOverride") or {}
            if _known_override(override) == "TaxAmount":
                _spread(D(override.get("taxAmount") or 0), result.shares, self.unit)
        if self.override == "TaxAmount":
            shares = [share for result in results for share in result.shares]
            _spread(D(self.given["taxOverride"].get("taxAmount") or 0), shares, self.unit)

    def _line(self, index, given, place, exempt, result, discount, calculated):
        line_id = self.vendor.next_id()
        ship_to = self._address_id(given, "ShipTo")
        taxable = result.taxable
        override = given.get("taxOverride") or {}
        quantity = given.get("quantity") or 1
        details = [self._detail(share, place, exempt, line_id, ship_to) for share in result.shares]
        line = {
            "id": line_id,
            "transactionId": self.id,
            "lineNumber": str(given.get("number") or index),
            "boundaryOverrideId": 0,
            "entityUseCode": given.get("entityUseCode") or self.given.get("entityUseCode") or "",
            "description": given.get("description") or "",
            "destinationAddressId": ship_to,
            "originAddressId": self._address_id(given, "ShipFrom"),
            "discountAmount": discount,
            "discountTypeId": 0,
            "exemptAmount": result.amount - taxable,
            "exemptCertId": 0,
            "exemptNo": self.given.get("exemptionNo") or given.get("exemptionCode") or "",
            "isItemTaxable": bool(taxable),
            "isSSTP": False,
            "itemCode": given.get("itemCode") or "",
            "lineAmount": result.amount + discount,
            "quantity": quantity,
            "ref1": given.get("ref1") or "",
            "ref2": given.get("ref2") or "",
            "reportingDate": self.given["date"][:10],
            "revAccount": given.get("revenueAccount") or "",
            "sourcing": "Destination",
            "tax": result.tax,
            "taxableAmount": taxable,
            "taxCalculated": calculated,
            "taxCode": given.get("taxCode") or "P0000000",
            "taxCodeId": 8087,
            "taxDate": self.tax_date,
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
        return line

    def _detail(self, share, place, exempt, line_id, address_id):
        jurisdiction = share.jurisdiction
        return {
            "id": self.vendor.next_id(),
            "transactionLineId": line_id,
            "transactionId": self.id,
            "addressId": address_id,
            "country": place.country,
            "region": place.region,
            "stateFIPS": place.jurisdictions[0].code,
            "exemptAmount": share.exempt,
            "exemptReasonId": 4 if exempt else 0,
            "inState": True,
            "jurisCode": jurisdiction.code,
            "jurisName": jurisdiction.name,
            "signatureCode": "",
            "stateAssignedNo": "",
            "jurisType": jurisdiction.kind,
            "jurisdictionType": KIND_NAMES[jurisdiction.kind],
            "nonTaxableAmount": share.non_taxable,
            "nonTaxableRuleId": 0,
            "nonTaxableType": "RateRule",
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
            "taxAuthorityTypeId": _AUTHORITY[jurisdiction.kind],
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

    def _header(self, lines, place):
        given = self.given
        override = given.get("taxOverride") or {}
        day = given["date"][:10]
        addresses = list(self.addresses.values())
        customer = given["customerCode"]
        location = given.get("reportingLocationCode") or ""
        return {
            "id": self.id,
            "code": self.code,
            "companyId": COMPANIES[self.company][0],
            "date": day,
            "status": "Temporary",
            "type": self.kind,
            "batchCode": given.get("batchCode") or "",
            "currencyCode": self.currency,
            "exchangeRateCurrencyCode": given.get("exchangeRateCurrencyCode")
            or COMPANIES[self.company][2],
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
            "taxDate": f"{self.tax_date}T00:00:00Z",
            "lines": lines,
            "addresses": addresses,
            "messages": self.messages,
            **totals(lines),
        }

    def _message(self, summary, details):
        message = {
            "summary": summary,
            "details": details,
            "refersTo": "Addresses",
            "severity": "Success",
            "source": "Avalara.AvaTax.Services.Tax",
        }
        if message not in self.messages:
            self.messages.append(message)

    def _remember(self, address):
        """Keep an address of the answer once; the first origin comes first."""
        key = _address_key(address)
        if key not in self.addresses:
            self.addresses[key] = {
                "id": self.vendor.next_id(),
                "transactionId": self.id,
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

    def _address_id(self, line, kind):
        addresses = line.get("addresses") or self.given.get("addresses")
        ship_to = _ship_to(addresses)
        address = ship_to if kind == "ShipTo" else _ship_from(addresses) or ship_to
        return self.addresses[_address_key(address)]["id"]


def _address_key(address):
    return tuple(str(address.get(name) or "") for name in sorted(ADDRESS_FIELDS))


def _ship_to(addresses):
    """Return the destination of a document or line; refuse an incomplete one."""
    addresses = addresses or {}
    found = addresses.get("shipTo") or addresses.get("singleLocation")
    if not found:
        raise fail("MissingAddress")
    country = (found.get("country") or "US").upper()
    complete = found.get("postalCode") or (found.get("city") and found.get("region"))
    located = "latitude" in found and "longitude" in found
    if country == "US" and not complete and not located and not found.get("locationCode"):
        raise fail(
            "GetTaxError",
            "Address (origin or destination) is incomplete or invalid.",
            sub_code="TaxAddressError",
            refers_to="Addresses",
        )
    return found


def _ship_from(addresses):
    return (addresses or {}).get("shipFrom") or (addresses or {}).get("singleLocation")


def _discounts(model, unit):
    """Return each line's part of the document discount, in proportion to the amounts."""
    lines, discount = model["lines"], D(model.get("discount") or 0)
    parts = [ZERO] * len(lines)
    if not discount:
        return parts
    chosen = [index for index, line in enumerate(lines) if line.get("discounted")]
    total = sum((D(lines[index]["amount"]) for index in chosen), ZERO)
    left = discount
    for index in chosen:
        last = index == chosen[-1]
        part = left if last else discount * D(lines[index]["amount"]) / (total or 1)
        parts[index] = part.quantize(unit, ROUND_HALF_UP)
        left -= parts[index]
    return parts


def _known_override(override):
    """Return the type of an override; refuse those that this stand-in does not know."""
    kind = override.get("type") or "None"
    if kind not in ("None", "TaxDate", "TaxAmount", "Exemption"):
        raise fail("GetTaxError", "Tax override cannot be applied.", sub_code="TaxOverrideError")
    return kind


def _spread(amount, shares, unit):
    """Give ``amount`` of tax to the shares in proportion to their tax; the rest to the first."""
    total = sum((share.tax for share in shares), ZERO)
    if not shares:
        return
    for share in shares:
        share.tax = (amount * share.tax / total).quantize(unit) if total else ZERO
    shares[0].tax += amount - sum((share.tax for share in shares), ZERO)


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
    if kind == "STATE":
        return f"{place.region} STATE TAX"
    return f"{place.region} {kind} TAX"
