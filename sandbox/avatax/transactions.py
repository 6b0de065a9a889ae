"""Estimates and recorded documents: create, adjust, commit, void and what else changes them."""

import os
import time
import uuid
from datetime import date, timedelta
from decimal import Decimal

from .accounts import find_company
from .answers import answer, included, page
from .calculation import Calculation
from .checks import MAX_LENGTH, Checks, adjustment, read_body
from .documents import ORDER_TYPES, REPLACEABLE, VOID_CODES, VOID_TABLE, Document, now
from .errors import doc_status_error, fail, locked_error
from .filters import in_order, parse_filter

D = Decimal

FORCE_TIMEOUT_SECONDS = 30.0
_PATH = "/api/v2/companies/{company}/transactions/{code}"


class Transactions(Checks):
    """The vendor's documents."""

    routes = (
        ("POST", "/api/v2/transactions/createoradjust", "create_or_adjust"),
        ("POST", "/api/v2/transactions/create", "create"),
        ("POST", _PATH + "/commit", "commit"),
        ("POST", _PATH + "/void", "void"),
        ("GET", _PATH, "get"),
        ("GET", _PATH + "/types/{type}", "get"),
        ("GET", "/api/v2/companies/{company}/transactions", "list_documents"),
        ("GET", "/api/v2/transactions/{id}", "get_by_id"),
        ("POST", _PATH + "/adjust", "adjust"),
        ("POST", _PATH + "/uncommit", "uncommit"),
        ("POST", _PATH + "/unvoid", "unvoid"),
        ("POST", _PATH + "/lock", "lock_document"),
        ("POST", _PATH + "/verify", "verify"),
        ("POST", _PATH + "/changecode", "change_code"),
        ("POST", _PATH + "/settle", "settle"),
    )

    # === STATE === #

    def reset(self):
        """Forget all documents and warnings."""
        super().reset()
        self.documents = {}
        self.deleted = []
        self.by_id = {}
        self.warnings = []
        self.estimates = 0
        # never an id of before a restart: a database that is kept remembers those
        self.last_id = time.time_ns() // 1000

    def state(self):
        """Return documents, deleted documents, number of estimates, and warnings."""
        with self.lock:
            return {
                "documents": [document.as_state() for document in self.documents.values()],
                "deleted": [document.as_state() for document in self.deleted],
                "estimates": self.estimates,
                "warnings": list(self.warnings),
            }

    def warn(self, request, sentence):
        """Keep a remark on a request that the vendor answers, but should not have been sent."""
        self.warnings.append({"request": request.number, "path": request.path, "warning": sentence})

    def next_id(self):
        """Return a new id, unique until the next reset."""
        self.last_id += 1
        return self.last_id

    # === CREATE === #

    def create(self, request):
        """POST /transactions/create: estimate, or record unless the code is taken for good."""
        return self._create(request, read_body(request), adjust=None)

    def create_or_adjust(self, request):
        """POST /transactions/createoradjust: as create, but a committed document is adjusted."""
        body = read_body(request)
        self._unknown(
            request, body, {"adjustmentReason", "adjustmentDescription", "createTransactionModel"}
        )
        model = body.get("createTransactionModel")
        if not isinstance(model, dict):
            raise fail("ValueRequiredError", "createTransactionModel")
        return self._create(request, model, adjust=adjustment(body, "Other"))

    def _create(self, request, model, adjust):
        if "ForceTimeout" in request.query.get("$include", ""):
            return _force_timeout()
        company = self._check(request, model)
        kind = model.get("type") or "SalesOrder"
        code = model.get("code") or str(uuid.uuid4())
        if kind in ORDER_TYPES:
            self.estimates += 1
            estimate = self._calculate(model, company, kind, code, 0)
            return answer(request, estimate, "Summary,Addresses")
        document = self.documents.get((company, kind, code))
        if document is None or document.status in REPLACEABLE:
            document = self._record(document, model, company, kind, code)
            action = "create"
        elif adjust is None or document.status != "Committed":
            raise doc_status_error()
        else:
            self._adjust(document, model, adjust)
            action = "adjust"
        self._note(document, request, action)
        return answer(request, document.model, "Summary,Addresses")

    def _record(self, document, model, company, kind, code):
        """Record a new document, or put a new content under an uncommitted one (same id)."""
        document_id = document.model["id"] if document else self.next_id()
        computed = self._calculate(model, company, kind, code, document_id)
        if document is None:
            document = self.documents[company, kind, code] = Document(
                company, kind, code, computed, model
            )
        else:
            computed["version"] = document.model["version"]
        document.model, document.request = computed, model
        self.by_id[document_id] = computed
        document.counts["created"] += 1
        document.set_status("Committed" if model.get("commit") else "Saved")
        return document

    def _adjust(self, document, model, adjustment):
        """Put a new revision over a committed document; the old one stays as Adjusted."""
        if document.locked:
            raise locked_error(document)
        old = document.model
        new = self._calculate(model, document.company, document.type, document.code, self.next_id())
        new |= {"version": old["version"] + 1, **adjustment}
        old["status"] = "Adjusted"
        document.revisions.append((old, document.request))
        document.model, document.request = new, model
        self.by_id[new["id"]] = new
        document.counts["adjusted"] += 1
        document.set_status("Committed" if model.get("commit") else "Saved")

    def _note(self, document, request, action):
        document.history.append(
            {
                "at": now(),
                "request": request.number,
                "action": action,
                "status": document.status,
                "version": document.model["version"],
                "totalTax": document.model["totalTax"],
            }
        )

    def _calculate(self, model, company, kind, code, document_id):
        """Return the complete TransactionModel of a request, in status Temporary."""
        return Calculation(self, model, company, kind, code, document_id).model()

    # === READ === #

    def get(self, request, company, code, type=""):
        """GET one document by code, and by type where given."""
        wanted = type or request.query.get("documentType", "")
        document = self._find(company, code, wanted)
        if document is None and not wanted:
            document = next(
                (
                    one
                    for one in self.documents.values()
                    if (one.company, one.code) == (company, code)
                ),
                None,
            )
        if document is None:
            raise fail("EntityNotFoundError", f"Transaction with code '{code}'")
        return answer(request, document.model)

    def get_by_id(self, request, id):
        """GET exactly this revision, also after it was adjusted."""
        model = self.by_id.get(int(id)) if id.isdigit() else None
        if model is None:
            raise fail("EntityNotFoundError", f"Transaction with ID '{id}'")
        return answer(request, model)

    def list_documents(self, request, company):
        """GET the current revisions of a company; without a date filter the last 30 days."""
        find_company(company)
        query = request.query
        wanted = parse_filter(query.get("$filter", ""))
        lately = (date.today() - timedelta(days=30)).isoformat()
        since = "" if "date" in wanted.fields else lately
        found = [
            document.model
            for document in self.documents.values()
            if document.company == company
            and document.model["date"] >= since
            and wanted(document.model)
        ]
        return page(request, in_order(found, query.get("$orderBy", "")), included)

    def _find(self, company, code, kind):
        find_company(company)
        return self.documents.get((company, kind or "SalesInvoice", code))

    def _target(self, request, company, code):
        """Return the document that a POST under its URL speaks of."""
        document = self._find(company, code, request.query.get("documentType", ""))
        if document is None:
            raise fail("EntityNotFoundError", f"Transaction with code '{code}'")
        return document

    def _open_target(self, request, company, code):
        document = self._target(request, company, code)
        if document.locked:
            raise locked_error(document)
        return document

    # === CHANGES === #

    def commit(self, request, company, code):
        """POST …/commit ``{"commit": true}``."""
        body = read_body(request)
        self._unknown(request, body, {"commit"})
        document = self._open_target(request, company, code)
        self._commit(document, body)
        self._note(document, request, "commit")
        return answer(request, document.model)

    @staticmethod
    def _commit(document, body):
        if "commit" not in body:
            raise fail("ValueRequiredError", "commit")
        if document.status not in REPLACEABLE:
            raise doc_status_error()
        if body["commit"]:
            document.set_status("Committed")

    def uncommit(self, request, company, code):
        """POST …/uncommit: back to Saved."""
        document = self._open_target(request, company, code)
        if document.status != "Committed":
            raise fail("DocumentNotCommitted")
        document.set_status("Saved")
        self._note(document, request, "uncommit")
        return answer(request, document.model)

    def void(self, request, company, code):
        """POST …/void ``{"code": "DocVoided"}`` by the vendor's table of codes and statuses."""
        body = read_body(request)
        self._unknown(request, body, {"code"})
        reason = body.get("code")
        if not reason:
            raise fail("ValueRequiredError", "code")
        if reason not in VOID_CODES:
            raise fail("InvalidEnumValue", "code")
        document = self._open_target(request, company, code)
        self._void(document, reason)
        self._note(document, request, f"void {reason}")
        return answer(request, document.model)

    def _void(self, document, reason):
        if reason == "Unspecified":
            return
        if reason == "AdjustmentCancelled":
            return self._cancel_adjustment(document)
        if reason == "DocVoided" and document.status == "Cancelled":
            raise fail(
                "TransactionAlreadyCancelled",
                description=f"The transaction '{document.code}' is already in a 'Cancelled' "
                "status. There is nothing to be done.",
            )
        try:
            status = VOID_TABLE[reason, document.status]
        except KeyError:
            raise doc_status_error("Posted") from None
        document.before_void = document.before_void or document.status
        document.counts["voided"] += 1
        document.set_status(status or "Cancelled")
        if status is None:
            self.deleted.append(self.documents.pop(document.key))

    @staticmethod
    def _cancel_adjustment(document):
        if document.status != "Committed" or not document.revisions:
            raise doc_status_error("Committed and adjusted")
        document.model, document.request = document.revisions.pop()
        document.set_status("Committed")

    def unvoid(self, request, company, code):
        """POST …/unvoid: back to the status before the void."""
        document = self._open_target(request, company, code)
        if document.status != "Cancelled":
            raise fail("TransactionNotCancelled")
        document.set_status(document.before_void)
        document.before_void = ""
        self._note(document, request, "unvoid")
        return answer(request, document.model)

    def lock_document(self, request, company, code):
        """POST …/lock ``{"isLocked": true}``: as if it had been reported on a tax return."""
        body = read_body(request)
        if "isLocked" not in body:
            raise fail("ValueRequiredError", "isLocked")
        document = self._target(request, company, code)
        if document.status != "Committed":
            raise fail("DocumentNotCommitted")
        document.locked = document.model["locked"] = bool(body["isLocked"])
        self._note(document, request, "lock" if document.locked else "unlock")
        return answer(request, document.model)

    def adjust(self, request, company, code):
        """POST …/adjust ``{"adjustmentReason", "newTransaction"}`` on a committed document."""
        body = read_body(request)
        self._unknown(
            request, body, {"adjustmentReason", "adjustmentDescription", "newTransaction"}
        )
        for name in ("adjustmentReason", "newTransaction"):
            if not body.get(name):
                raise fail("ValueRequiredError", name)
        if body["adjustmentReason"] == "Other" and not body.get("adjustmentDescription"):
            raise fail("ValueRequiredError", "adjustmentDescription")
        model = body["newTransaction"]
        self._check(request, model)
        document = self._open_target(request, company, code)
        if document.status != "Committed":
            raise doc_status_error("Committed")
        if (model.get("type") or "SalesOrder") != document.type:
            raise fail("CannotAdjustDocumentType", document.type)
        self._adjust(document, model, adjustment(body))
        self._note(document, request, "adjust")
        return answer(request, document.model, "Summary,Addresses")

    def change_code(self, request, company, code):
        """POST …/changecode ``{"newCode"}`` while the document is not committed."""
        document = self._open_target(request, company, code)
        self._change_code(document, read_body(request))
        self._note(document, request, "changecode")
        return answer(request, document.model)

    def _change_code(self, document, body):
        new = body.get("newCode")
        if not new:
            raise fail("ValueRequiredError", "newCode")
        if len(new) > MAX_LENGTH["code"]:
            raise fail("StringLengthError", "newCode")
        if document.status not in REPLACEABLE:
            raise fail("TransactionIsCommitted")
        if (document.company, document.type, new) in self.documents:
            raise fail("TransactionAlreadyExists")
        del self.documents[document.key]
        document.code = document.model["code"] = new
        self.documents[document.key] = document

    def verify(self, request, company, code):
        """POST …/verify: compare date, total amount and total tax with what is recorded."""
        document = self._target(request, company, code)
        self._verify(document, read_body(request))
        return answer(request, document.model)

    @staticmethod
    def _verify(document, body):
        day = body.get("verifyTransactionDate")
        if day and day[:10] != document.model["date"]:
            raise fail("DateMismatch")
        for name, recorded, error in (
            ("verifyTotalAmount", "totalAmount", "TotalAmountMismatch"),
            ("verifyTotalTax", "totalTax", "TotalTaxMismatch"),
        ):
            if name in body and D(body[name]) != document.model[recorded]:
                raise fail(
                    error,
                    description=f"The {recorded} value in your Verify call [{body[name]}] does "
                    f"not match the transaction's {recorded} value [{document.model[recorded]}].",
                )

    def settle(self, request, company, code):
        """POST …/settle: verify, changecode and commit in one call, in this order."""
        body = read_body(request)
        document = self._open_target(request, company, code)
        if body.get("verify"):
            self._verify(document, body["verify"])
        if body.get("changeCode"):
            self._change_code(document, body["changeCode"])
        if body.get("commit"):
            self._commit(document, body["commit"])
        self._note(document, request, "settle")
        return answer(request, document.model)


def _force_timeout():
    seconds = float(os.environ.get("FINANCE_SANDBOX_FORCE_TIMEOUT", FORCE_TIMEOUT_SECONDS))
    response = fail("InternalServerError", description="ForceTimeout was asked for.").response
    response.delay = seconds
    return response
