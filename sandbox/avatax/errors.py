"""The vendor's errors: developer.avalara.com/avatax/errors."""

from ..vendor import Refusal, Response

#: Code → (number, HTTP status, message, severity): developer.avalara.com/avatax/errors.
ERRORS = {
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
    "InvalidEnumValue": (164, 400, "The value of {0} is not one of its values.", "Error"),
    "NotEnoughAddressesInfo": (176, 400, "Not enough address information.", "Error"),
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
    "RefundLinesRequired": (704, 400, "Refund lines are required for a partial refund.", "Error"),
    "LineNoOutOfRange": (707, 400, "Line {0} is not in the original document.", "Error"),
    "RefundPercentageOutOfRange": (708, 400, "Refund percentage out of range.", "Error"),
    "RefundPercentageMissing": (709, 400, "Refund percentage is missing.", "Error"),
    "CannotModifyLockedTransaction": (
        1100,
        400,
        "Modifying a locked document is not allowed.",
        "Error",
    ),
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
    "RateLimitExceededError": (1723, 429, "Too many requests.", "Error"),
}
TROUBLE = {429: "RateLimitExceededError", 500: "InternalServerError", 503: "ServerUnreachable"}


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
