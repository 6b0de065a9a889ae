"""What the vendor defines for all its customers: tax codes and entity use codes."""

from .. import us_tax
from .answers import page
from .filters import in_order, parse_filter

#: More of Avalara's tax codes, without rules of their own here; descriptions are abridged.
TAX_CODES = {
    "D0000000": ("D", "Digital goods"),
    "DC020000": ("D", "Computer software"),
    "FR000000": ("F", "Freight"),
    "FR010000": ("F", "Delivery by company vehicle"),
    "O0000000": ("O", "Other"),
    "PC040000": ("P", "Clothing"),
    "PC040101": ("P", "Clothing: aprons"),
    "PC040105": ("P", "Clothing: bandanas"),
    "PC040111": ("P", "Clothing: coats and jackets"),
    "PC040118": ("P", "Clothing: formal wear"),
    "PC040402": ("P", "Clothing: athletic shoes"),
    "PC080110": ("P", "Computer hardware: laptops"),
    "S0000000": ("S", "Services"),
    "SW050000": ("S", "Web design, maintenance or management services"),
}
#: Codes that may no longer be used.
RETIRED = {"PC089999": ("P", "Computer hardware: floppy disk drives")}

#: More entity use codes than `us_tax.EXEMPT_USE_CODES`, which all exempt.
OTHER_USE_CODES = {"TAXABLE": "Override exemption"}
_CANADIAN = set("CDRP")


class Definitions:
    """Lists that are the same for all companies."""

    routes = (
        ("GET", "/api/v2/definitions/taxcodes", "tax_codes"),
        ("GET", "/api/v2/definitions/entityusecodes", "entity_use_codes"),
    )

    def tax_codes(self, request):
        """GET /definitions/taxcodes."""
        return _listed(request, _tax_code_models())

    def entity_use_codes(self, request):
        """GET /definitions/entityusecodes."""
        codes = us_tax.EXEMPT_USE_CODES | OTHER_USE_CODES
        return _listed(request, [_use_code_model(*one) for one in codes.items()])


def _listed(request, models):
    wanted = parse_filter(request.query.get("$filter", ""))
    found = [one for one in models if wanted(one)]
    return page(request, in_order(found, request.query.get("$orderBy", "")))


def _tax_code_models():
    with_rules = {code: row[:2] for code, row in us_tax.PRODUCTS.items()}
    codes = with_rules | TAX_CODES | RETIRED
    return [
        {
            "id": 8000 + index,
            "companyId": 1,
            "taxCode": code,
            "taxCodeTypeId": kind,
            "description": description,
            "parentTaxCode": "",
            "isPhysical": kind == "P",
            "goodsServiceCode": 0,
            "entityUseCode": "",
            "isActive": code not in RETIRED,
            "isSSTCertified": False,
        }
        for index, (code, (kind, description)) in enumerate(codes.items())
    ]


def _use_code_model(code, name):
    return {
        "code": code,
        "name": name,
        "description": "",
        "validCountries": ["US", "CA"] if code in _CANADIAN else ["US"],
    }
