"""Parts of a transaction that ``$include`` asks for, and pages of a list."""

from urllib.parse import quote

from ..vendor import Response

MAX_PAGE = 1000
_NESTED = ("lines", "summary", "addresses", "locationTypes", "taxDetailsByTaxType")


def answer(request, model, default_include=""):
    """Return the transaction with what ``$include`` asks for."""
    return Response(200, included(request, model, default_include))


def included(request, model, default_include=""):
    """Return the model with the nested objects that ``$include`` asks for."""
    wanted = {part.strip() for part in request.query.get("$include", default_include).split(",")}
    shown = {key: value for key, value in model.items() if key not in _NESTED}
    with_details = wanted & {"Details", "Summary"}
    if "SummaryOnly" not in wanted:
        if with_details and "LinesOnly" not in wanted:
            shown["lines"] = model["lines"]
        elif wanted & {"Lines", "LinesOnly", "Details", "Summary"}:
            shown["lines"] = [
                {key: value for key, value in line.items() if key != "details"}
                for line in model["lines"]
            ]
    if wanted & {"Summary", "SummaryOnly"}:
        shown["summary"] = model["summary"]
    if "Addresses" in wanted:
        shown["addresses"] = model["addresses"]
    if "TaxDetailsByTaxType" in wanted:
        shown["taxDetailsByTaxType"] = model["taxDetailsByTaxType"]
    return shown


def page(request, models, shown=lambda _request, model: model):
    """Return one page in the vendor's fetch result, with the link to the next."""
    query = request.query
    skip, top = int(query.get("$skip") or 0), min(int(query.get("$top") or MAX_PAGE), MAX_PAGE)
    values = [shown(request, model) for model in models[skip : skip + top]]
    page = {"@recordsetCount": len(models), "value": values}
    if skip + top < len(models):
        rest = {**query, "$skip": str(skip + top), "$top": str(top)}
        pairs = "&".join(f"{name}={quote(value)}" for name, value in rest.items())
        page["@nextLink"] = f"{request.base_url}{request.path}?{pairs}"
    return Response(200, page)
