"""What a recorded document is, and which status follows which."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

ORDER_TYPES = {
    "SalesOrder",
    "PurchaseOrder",
    "ReturnOrder",
    "InventoryTransferOrder",
    "ReverseChargeOrder",
    "CustomsOrder",
}
INVOICE_TYPES = {
    "SalesInvoice",
    "PurchaseInvoice",
    "ReturnInvoice",
    "InventoryTransferInvoice",
    "ReverseChargeInvoice",
    "CustomsInvoice",
}
REPLACEABLE = {"Saved", "Posted"}
ADJUSTMENT_REASONS = {
    "NotAdjusted",
    "SourcingIssue",
    "ReconciledWithGeneralLedger",
    "ExemptCertApplied",
    "PriceAdjusted",
    "ProductReturned",
    "ProductExchanged",
    "BadDebt",
    "Other",
    "Offline",
}

#: (void code, status) → new status; None = deleted, missing = DocStatusError ("Voiding documents").
VOID_TABLE = {
    ("DocDeleted", "Saved"): None,
    ("DocDeleted", "Posted"): None,
    ("DocDeleted", "Committed"): "Cancelled",
    ("DocDeleted", "Cancelled"): None,
    ("DocVoided", "Saved"): "Cancelled",
    ("DocVoided", "Posted"): "Cancelled",
    ("DocVoided", "Committed"): "Cancelled",
    ("PostFailed", "Posted"): "Saved",
}
VOID_CODES = {"Unspecified", "PostFailed", "DocDeleted", "DocVoided", "AdjustmentCancelled"}


@dataclass
class Document:
    """The current revision of one recorded document, with what happened to it."""

    company: str
    type: str
    code: str
    model: dict
    request: dict
    locked: bool = False
    before_void: str = ""
    revisions: list = field(default_factory=list)
    history: list = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)

    @property
    def status(self):
        """Return the vendor's status of the current revision."""
        return self.model["status"]

    @property
    def key(self):
        """Return (company code, type, code)."""
        return (self.company, self.type, self.code)

    def set_status(self, status):
        """Change the status, and count a commitment."""
        self.model["status"] = status
        self.model["modifiedDate"] = now()
        if status == "Committed":
            self.counts["committed"] += 1

    def as_state(self):
        """Return the document for assertions, as JSON values."""
        model = self.model
        return {
            "companyCode": self.company,
            "type": self.type,
            "code": self.code,
            "id": model["id"],
            "status": self.status,
            "version": model["version"],
            "locked": self.locked,
            "date": model["date"],
            "currencyCode": model["currencyCode"],
            "totalAmount": model["totalAmount"],
            "totalTax": model["totalTax"],
            "committed": self.counts["committed"],
            "created": self.counts["created"],
            "adjusted": self.counts["adjusted"],
            "voided": self.counts["voided"],
            "revisions": [_header(model) for model, _request in self.revisions],
            "history": self.history,
            "request": self.request,
        }


def _header(model):
    return {key: model[key] for key in ("id", "version", "status", "totalAmount", "totalTax")}


def now():
    """Return the present moment as the vendor writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
