"""AvaTax in tables: types, statuses, codes, lengths. The contract is named in ``avatax.py``."""

from ..canonical import tax as canonical

API_VERSION = "v2"
CLIENT = "Finance Connect; 19.0.1.0.0; Python; 19.0.1.0.0; Odoo"

# CreateTransactionModel.type: what is kept ends with "Invoice", what is not with "Order".
QUOTE_TYPES = {canonical.INVOICE: "SalesOrder", canonical.REFUND: "ReturnOrder"}
RECORD_TYPES = {canonical.INVOICE: "SalesInvoice", canonical.REFUND: "ReturnInvoice"}
RECORDED_KINDS = {kind: name for name, kind in RECORD_TYPES.items()}
# Returns come back negative; canonical amounts of a credit note are positive.
SIGNS = {"SalesOrder": 1, "SalesInvoice": 1, "ReturnOrder": -1, "ReturnInvoice": -1}

# TransactionModel.status.
STATUSES = {
    "Temporary": canonical.QUOTED,
    "Saved": canonical.SAVED,
    "Posted": canonical.SAVED,
    "Queued": canonical.SAVED,
    "PendingApproval": canonical.SAVED,
    "Committed": canonical.RECORDED,
    "Cancelled": canonical.VOIDED,
}
# A revision that a newer one has replaced: history, not a document.
REPLACED = "Adjusted"

# AdjustTransactionModel.adjustmentReason.
ADJUSTMENT_REASONS = {
    "sourcing": "SourcingIssue",
    "ledger": "ReconciledWithGeneralLedger",
    "exempt": "ExemptCertApplied",
    "price": "PriceAdjusted",
    "returned": "ProductReturned",
    "exchanged": "ProductExchanged",
    "bad_debt": "BadDebt",
    "offline": "Offline",
    "other": "Other",
}

# jurisdictionType, and the older jurisType.
KINDS = {
    "Country": "country",
    "State": "state",
    "County": "county",
    "City": "city",
    "Special": "special",
    "CNT": "country",
    "STA": "state",
    "CTY": "county",
    "CIT": "city",
    "STJ": "special",
}

# TransactionLineDetailModel.nonTaxableType.
NEXUS_RULE = "NexusRule"
EXEMPT_RULE = "ExemptEntityRule"

# The only countries whose addresses AvaTax knows ("AutoAddress").
ADDRESS_COUNTRIES = ("US", "CA")

# Lengths of CreateTransactionModel, LineItemModel and AddressLocationInfo; what is longer is cut.
# A code is never cut: two documents would become one.
LENGTHS = {
    "customerCode": 50,
    "itemCode": 50,
    "taxCode": 25,
    "exemptionNo": 25,
    "entityUseCode": 25,
    "businessIdentificationNo": 25,
    "description": 2048,
    "referenceCode": 1024,
    "line1": 100,
    "line2": 100,
    "city": 50,
    "postalCode": 11,
}

# How a code is written inside a URL (descriptions of the /transactions/{transactionCode} calls).
ESCAPES = {
    "/": "_-ava2f-_",
    "+": "_-ava2b-_",
    "?": "_-ava3f-_",
    "%": "_-ava25-_",
    "#": "_-ava23-_",
    " ": "%20",
}

# ErrorDetail.code.
NOT_FOUND = "EntityNotFoundError"
AUTH_CODES = {
    "AccountExpiredException",
    "AuthenticationException",
    "AuthenticationIncomplete",
    "AuthorizationException",
    "BasicAuthIncorrect",
    "BearerTokenInvalid",
    "InactiveAccount",
    "InactiveUserError",
    "InvalidLicenseKey",
}
# One call that the account or its user may not make; all others still work.
NOT_OFFERED_CODES = {"PermissionRequired", "SubscriptionRequired"}
LOCKED_CODES = {"CannotModifyLockedTransaction", "MultiDocumentPartiallyLocked"}
# Overload and faults behind the API, which it does not always tell by the HTTP status.
TRANSIENT_CODES = {
    "ConcurrentRequestLimitExceeded",
    "IdentityServerError",
    "InternalServerError",
    "RateLimitExceededError",
    "RemoteServerError",
    "RequestLimitExceeded",
    "ServerUnreachable",
    "ServiceNotReady",
    "TimeoutRequested",
    "UnhandledException",
}
# Answers to an address, not faults of the question.
ADDRESS_CODES = {
    "AddressLocationNotFound",
    "InvalidAddress",
    "InvalidCountryRegion",
    "InvalidPostalCode",
    "NotEnoughAddressesInfo",
}

# Rows of a list in one answer; the vendor gives 1,000 at most.
PAGE = 500
TAX_CODES_FOUND = 100
