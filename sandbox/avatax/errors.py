"""The vendor's errors: developer.avalara.com/avatax/errors."""

from ..vendor import Refusal, Response

#: Code → (number, HTTP status, message, severity): developer.avalara.com/avatax/errors.
ERRORS = {
    "DeleteInformation": (100, 200, "{0} was deleted.", "Success"),
    "EntityNotFoundError": (4, 404, "{0} not found.", "Error"),
    "ValueRequiredError": (5, 400, "Field {0} is required.", "Error"),
    "StringLengthError": (13, 400, "Field {0} is too long.", "Error"),
    "InvalidQueryField": (17, 400, "The field '{0}' cannot be used in a query.", "Error"),
    "MalformedFilterException": (182, 400, "The filter '{0}' is not understood.", "Error"),
    "AuthenticationException": (30, 401, "Authentication failed.", "Error"),
    "AuthenticationIncomplete": (34, 401, "Authentication Incomplete.", "Exception"),
    "ModelRequiredException": (38, 400, "A required model was not provided.", "Exception"),
    "JsonFormatError": (47, 400, "The request is not valid JSON.", "Exception"),
    "InvalidDecimalValue": (48, 400, "Field {0} is not a number.", "Error"),
    "DuplicateNexusError": (144, 400, "This nexus has been declared already.", "Error"),
    "UnknownNexusError": (145, 400, "The nexus is not one that Avalara defines.", "Error"),
    "ParentNexusNotFound": (146, 400, "Declare nexus in the country first.", "Error"),
    "InvalidEnumValue": (164, 400, "The value of {0} is not one of its values.", "Error"),
    "NotEnoughAddressesInfo": (176, 400, "Not enough address information.", "Error"),
    "DuplicateEntry": (193, 400, "The key or name exists already.", "Error"),
    "CannotAdjustDocumentType": (195, 400, "Documents of type {0} cannot be adjusted.", "Error"),
    "TransactionAlreadyCancelled": (
        198,
        400,
        "The transaction has already been cancelled.",
        "Error",
    ),
    "InternalServerError": (209, 500, "An unexpected error occurred.", "Exception"),
    "GetTaxError": (300, 400, "{0}", "Error"),
    "MissingAddress": (304, 400, "An address is missing.", "Error"),
    "MissingLine": (311, 400, "A transaction needs at least one line.", "Error"),
    "DocumentNotCommitted": (313, 400, "The document is not committed.", "Error"),
    "ServerUnreachable": (500, 503, "The server is currently unreachable.", "Error"),
    "InvalidDocumentStatusForRefund": (
        700,
        400,
        "Document is not in a status to process refund",
        "Error",
    ),
    "RefundTypeAndPercentageMismatch": (
        701,
        400,
        "The refund percentage should be null for a refund of type {0}.",
        "Error",
    ),
    "InvalidDocumentTypeForRefund": (702, 400, "Only a SalesInvoice can be refunded.", "Error"),
    "RefundTypeAndLineMismatch": (
        703,
        400,
        "The refund lines should be null for a refund of type {0}.",
        "Error",
    ),
    "RefundLinesRequired": (704, 400, "Refund lines are required for a partial refund.", "Error"),
    "InvalidRefundType": (705, 400, "The refund type is not known.", "Error"),
    "RefundPercentageForTaxOnly": (
        706,
        400,
        "If refund type is TaxOnly, refund percentage should be null",
        "Error",
    ),
    "LineNoOutOfRange": (707, 400, "Line {0} is not in the original document.", "Error"),
    "RefundPercentageOutOfRange": (708, 400, "Refund percentage out of range.", "Error"),
    "RefundPercentageMissing": (709, 400, "Refund percentage is missing.", "Error"),
    "CannotModifyLockedTransaction": (
        1100,
        400,
        "Modifying a locked document is not allowed.",
        "Error",
    ),
    "CertificatesError": (1203, 400, "The certificates service has returned an error.", "Error"),
    "MissingRequiredFields": (
        1204,
        400,
        "A certificate needs a filename, a PDF or pages.",
        "Error",
    ),
    "CertificatesNotSetup": (
        1205,
        400,
        "The company is not set up for exemption certificates.",
        "Error",
    ),
    "MissingFieldToCreateExposureZone": (1209, 400, "The exposure zone is not known.", "Error"),
    "MissingExemptReason": (1210, 400, "An exempt reason is required.", "Error"),
    "InvalidExemptReason": (1211, 400, "Invalid exempt reason: {0}.", "Error"),
    "TransactionNotCancelled": (1300, 400, "The transaction is not cancelled.", "Error"),
    "TransactionAlreadyExists": (
        1303,
        400,
        "A transaction with this code and type already exists.",
        "Error",
    ),
    "DateMismatch": (1305, 400, "Mismatched document date value.", "Error"),
    "TotalAmountMismatch": (1307, 400, "Mismatched total amount value.", "Error"),
    "TotalTaxMismatch": (1308, 400, "Mismatched total tax value.", "Error"),
    "TransactionIsCommitted": (
        1313,
        400,
        "Committed transactions cannot be modified by this API.",
        "Error",
    ),
    "CannotDeleteParentBeforeChildNexus": (
        1500,
        400,
        "Delete the nexus of the regions first.",
        "Error",
    ),
    "RateLimitExceededError": (1723, 429, "Too many requests.", "Error"),
}
TROUBLE = {429: "RateLimitExceededError", 500: "InternalServerError", 503: "ServerUnreachable"}


def detail_of(code, *values):
    """Return an ErrorDetail that informs of something done, as the answers to DELETE have it."""
    number, _status, message, severity = ERRORS[code]
    return _error_body(code, message.format(*values), "", number, severity)["error"]["details"][0]


def fail(code, *values, description="", sub_code="", refers_to=""):
    """Return the Refusal with the vendor's error shape; ``values`` fill the message."""
    number, status, message, severity = ERRORS[code]
    return Refusal(
        Response(
            status,
            _error_body(
                code, message.format(*values), description, number, severity, sub_code, refers_to
            ),
        )
    )


def _error_body(code, message, description, number, severity, sub_code="", refers_to=""):
    server = code in ("InternalServerError", "ServerUnreachable")
    detail = {
        "code": code,
        "number": number,
        "message": message,
        "description": description or message,
        "faultCode": "Server" if server else "Client",
        "helpLink": f"http://developer.avalara.com/avatax/errors/{code}",
        "severity": severity,
    }
    if sub_code:
        detail["faultSubCode"] = sub_code
    if refers_to:
        detail["refersTo"] = refers_to
    error = {"code": code, "message": message, "target": "Unknown", "details": [detail]}
    return {"error": error}


def trouble(status):
    """Return the error body for a fault switch (429, 500, 503)."""
    code = TROUBLE.get(status, "InternalServerError")
    number, _status, message, severity = ERRORS[code]
    return _error_body(code, message, "", number, severity)


def doc_status_error(expected="Saved|Posted"):
    """Return the refusal that AvaTax gives for a document in the wrong status."""
    return fail(
        "GetTaxError",
        "DocStatus is invalid for this operation.",
        description=f"Expected {expected}",
        sub_code="DocStatusError",
        refers_to="DocStatus",
    )


def locked_error(document):
    """Return the refusal of a change to a document that was reported."""
    return fail(
        "CannotModifyLockedTransaction",
        description=f"Document {document.code} is locked. Modification is not allowed.",
    )
