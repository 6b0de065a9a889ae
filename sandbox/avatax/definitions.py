"""What the vendor defines for all its customers."""

from .. import us_tax
from .answers import page
from .filters import parse_filter, passes


class Definitions:
    """Tax codes."""

    routes = (("GET", "/api/v2/definitions/taxcodes", "tax_codes"),)

    def tax_codes(self, request):
        """GET /definitions/taxcodes: the products of :mod:`sandbox.us_tax`."""
        conditions = parse_filter(request.query.get("$filter", ""))
        models = map(_tax_code_model, enumerate(us_tax.PRODUCTS.items()))
        found = [one for one in models if passes(one, conditions)]
        return page(request, found)


def _tax_code_model(numbered):
    index, (code, (kind, description, _shares)) = numbered
    return {
        "id": 8000 + index,
        "companyId": 1,
        "taxCode": code,
        "taxCodeTypeId": kind,
        "description": description,
        "parentTaxCode": "",
        "isPhysical": kind == "P",
        "goodsServiceCode": 0,
        "entityUseCode": "",
        "isActive": True,
        "isSSTCertified": False,
    }
