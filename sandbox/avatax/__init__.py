"""Avalara AvaTax REST v2, transactions and what goes with them.

Contract: the published OpenAPI description (AvaTax API v2, ``specs/avalara/avatax_openapi.yaml``);
where it is silent, Avalara's own pages named below. Base URL: ``http://127.0.0.1:8099/avatax``.

Accounts: see :data:`CREDENTIALS` (all made up); companies: :data:`COMPANIES`. Tax arithmetic,
places and products: :mod:`sandbox.us_tax`.

What was decided where the contract leaves a choice
----------------------------------------------------
* A document is (company, type, code). Without ``documentType`` a request means ``SalesInvoice``
  (the parameter's description says so); only a GET also finds the one document of another type.
* ``create`` replaces a Saved or Posted document. On a Committed **or Cancelled** one it answers 400
  ``GetTaxError`` 300 with sub-code ``DocStatusError`` (Avalara, "What's a DocStatusError?": "AvaTax
  also treats a Cancelled transaction the same way").
* ``createoradjust`` on a Committed document adjusts: the old revision stays as ``Adjusted``, the
  new one has a new id and version + 1. On a **Cancelled** document it answers the same error 300:
  the code has to be freed by ``unvoid`` first, which gives back the status before the void (that is
  how integrations in the field work). On a locked one: ``CannotModifyLockedTransaction`` 1100.
* ``void`` follows the table of "Voiding documents": ``DocDeleted`` deletes what is not committed
  and voids what is; ``DocVoided`` voids; ``PostFailed`` and ``AdjustmentCancelled`` as there;
  ``Unspecified`` changes nothing. A second ``DocVoided``: ``TransactionAlreadyCancelled`` 198.
* ``commit`` of a document already committed answers error 300 as for create (SOAP: "CommitTax
  expects the DocStatus to be Posted"; unverified for REST, and the stricter reading).
* ``uncommit`` of a document that is not committed: ``DocumentNotCommitted`` 313; ``unvoid`` of one
  that is not cancelled: ``TransactionNotCancelled`` 1300.
* ``refund`` makes a committed ``ReturnInvoice`` whose tax is exactly the original's, negated.
* Without ``$include`` create, createoradjust, adjust and refund answer ``Summary,Addresses`` with
  lines and details; all others answer the header only.
* ``$include=ForceTimeout`` waits :data:`FORCE_TIMEOUT_SECONDS` (or the environment variable
  ``FINANCE_SANDBOX_FORCE_TIMEOUT``), records nothing and answers an error.
* The vendor ignores fields it does not know; so does this, but each one is kept as a warning in the
  state, as is a call without ``X-Avalara-Client`` (required for certification) and an amount whose
  sign does not fit the document type.
* What is exempt: by a certificate on file first, then by the number, then by the entity use code of
  the request (TransactionModel.exemptNo). Without nexus there is nothing to exempt.
* Lists: ``$filter`` as on the page "Filtering in REST"; ``between`` is without its upper end.
* Not here: multi-document, batches, audit, adding and deleting lines, ``useTaxDateOverride``.
"""

import re
from urllib.parse import unquote

from ..vendor import Refusal, Vendor
from .accounts import COMPANIES, CREDENTIALS, Accounts, authenticate
from .addresses import Addresses
from .certificates import Certificates
from .definitions import Definitions
from .errors import fail, trouble
from .nexus import Declarations
from .refunds import Refunds
from .transactions import Transactions

__all__ = ["COMPANIES", "CREDENTIALS", "AvaTax"]

#: Escapes of the contract for company and document codes in a URL.
_ESCAPES = {"2f": "/", "2b": "+", "3f": "?", "25": "%", "23": "#"}
_ESCAPE = re.compile(r"_-ava(2f|2b|3f|25|23)-_")


class AvaTax(
    Accounts, Addresses, Certificates, Declarations, Definitions, Refunds, Transactions, Vendor
):
    """The AvaTax stand-in; see the module's text for the rules."""

    prefix = "avatax"
    routes = (
        *Transactions.routes,
        *Refunds.routes,
        *Accounts.routes,
        *Definitions.routes,
        *Addresses.routes,
        *Declarations.routes,
        *Certificates.routes,
    )

    def reset(self):
        """Forget everything but what is there from the start."""
        with self.lock:
            super().reset()

    def segment(self, raw):
        """Decode a path segment: percent encoding, then the vendor's own escapes."""
        return _ESCAPE.sub(lambda found: _ESCAPES[found.group(1)], unquote(raw))

    def trouble(self, status):
        """Return the vendor's error body for a fault switch."""
        return trouble(status)

    def not_found(self, request):
        """Return the answer to an unknown address."""
        return fail("EntityNotFoundError", request.path).response

    def handle(self, request):
        """Ask for credentials (not for a ping); remark on a missing client header."""
        if not request.header("x-avalara-client"):
            with self.lock:
                self.warn(request, "header X-Avalara-Client is missing")
        try:
            if request.path != "/api/v2/utilities/ping":
                authenticate(request)
            return super().handle(request)
        except Refusal as refusal:
            return refusal.response

    def answer_headers(self, request):
        """Return the request id, which Avalara's own client expects on every answer."""
        return {"x-correlation-id": f"sandbox-{request.number:08d}"}
