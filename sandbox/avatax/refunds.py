"""POST …/refund: what the vendor calls a shortcut to common refunds."""

import uuid
from decimal import ROUND_HALF_UP, Decimal

from .. import us_tax
from .answers import answer
from .checks import check_date, read_body
from .documents import Document
from .errors import doc_status_error, fail
from .models import totals

D = Decimal
ZERO = D(0)

_REFUNDED_IN_DETAIL = (
    "taxableAmount",
    "nonTaxableAmount",
    "exemptAmount",
    "tax",
    "taxCalculated",
    "taxableUnits",
    "nonTaxableUnits",
    "exemptUnits",
    "reportingTaxableUnits",
    "reportingNonTaxableUnits",
    "reportingExemptUnits",
    "reportingTax",
    "reportingTaxCalculated",
)


class Refunds:
    """The refund of a committed document."""

    routes = (("POST", "/api/v2/companies/{company}/transactions/{code}/refund", "refund"),)

    def refund(self, request, company, code):
        """POST …/refund: a committed ReturnInvoice with the original's tax, negated."""
        body = read_body(request)
        self._unknown(
            request,
            body,
            {
                "refundTransactionCode",
                "refundDate",
                "refundType",
                "refundPercentage",
                "refundLines",
                "referenceCode",
            },
        )
        if not body.get("refundDate"):
            raise fail("ValueRequiredError", "refundDate")
        check_date(body["refundDate"], "refundDate")
        if "useTaxDateOverride" in request.query:
            self.warn(request, "useTaxDateOverride is not known to the sandbox")
        original = self._target(request, company, code)
        if original.type != "SalesInvoice":
            raise fail("InvalidDocumentTypeForRefund")
        if original.status != "Committed":
            raise fail(
                "InvalidDocumentStatusForRefund",
                description=f"The document status is {original.status}, we can only process "
                "refund on committed document.",
            )
        new_code = body.get("refundTransactionCode") or str(uuid.uuid4())
        if (company, "ReturnInvoice", new_code) in self.documents:
            raise doc_status_error()
        model = self._refund_model(original.model, body, new_code)
        document = Document(company, "ReturnInvoice", new_code, model, body)
        self.documents[document.key] = document
        self.by_id[model["id"]] = model
        document.counts["created"] += 1
        document.set_status("Committed")
        self._note(document, request, "refund")
        return answer(request, model, "Summary,Addresses")

    def _refund_model(self, original, body, new_code):
        lines, share = _refund_choice(original, body)
        tax_only = body.get("refundType") == "TaxOnly"
        unit = us_tax.quantum(original["currencyCode"])
        new_id = self.next_id()
        refunded = [self._refund_line(line, share, unit, new_id, tax_only) for line in lines]
        return {
            **original,
            "id": new_id,
            "code": new_code,
            "type": "ReturnInvoice",
            "date": body["refundDate"][:10],
            "version": 1,
            "locked": False,
            "referenceCode": body.get("referenceCode") or original["code"],
            "taxOverrideType": "TaxAmount",
            "taxOverrideReason": "Refund",
            "lines": refunded,
            "addresses": [{**one, "transactionId": new_id} for one in original["addresses"]],
            **totals(refunded),
        }

    def _refund_line(self, line, share, unit, document_id, tax_only):
        line_id = self.next_id()

        def part(amount):
            return (-amount * share).quantize(unit, ROUND_HALF_UP)

        details = [
            {
                **detail,
                "id": self.next_id(),
                "transactionLineId": line_id,
                "transactionId": document_id,
                **{name: part(D(detail[name])) for name in _REFUNDED_IN_DETAIL},
            }
            for detail in line["details"]
        ]
        tax = sum((detail["tax"] for detail in details), ZERO)
        return {
            **line,
            "id": line_id,
            "transactionId": document_id,
            "lineAmount": ZERO if tax_only else part(line["lineAmount"]),
            "discountAmount": part(line["discountAmount"]),
            "exemptAmount": ZERO if tax_only else part(line["exemptAmount"]),
            "taxableAmount": part(line["taxableAmount"]),
            "tax": tax,
            "taxCalculated": tax,
            "details": details,
        }


def _refund_choice(original, body):
    """Return (lines to refund, share of their amounts) for a refund request."""
    kind = body.get("refundType") or "Full"
    if kind not in ("Full", "Partial", "TaxOnly", "Percentage"):
        raise fail("InvalidRefundType")
    lines = _refunded_lines(original["lines"], kind, body.get("refundLines"))
    return lines, _refunded_share(kind, body.get("refundPercentage"))


def _refunded_lines(lines, kind, wanted):
    if kind != "Partial":
        if wanted:
            raise fail("RefundTypeAndLineMismatch", kind)
        return lines
    if not wanted:
        raise fail("RefundLinesRequired")
    numbers = {line["lineNumber"]: line for line in lines}
    for number in wanted:
        if number not in numbers:
            raise fail("LineNoOutOfRange", number)
    return [numbers[number] for number in wanted]


def _refunded_share(kind, percentage):
    if percentage is None:
        if kind == "Percentage":
            raise fail("RefundPercentageMissing")
        return D(1)
    if kind == "TaxOnly":
        raise fail("RefundPercentageForTaxOnly")
    if kind == "Full":
        raise fail("RefundTypeAndPercentageMismatch", kind)
    if not 0 < percentage <= 100:
        raise fail("RefundPercentageOutOfRange")
    return D(percentage) / 100
