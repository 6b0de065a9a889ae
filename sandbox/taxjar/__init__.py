"""TaxJar v2.

Contract: TaxJar's API reference (github.com/taxjar/taxjar-api-docs, version 2020-08-07), page by
page. Base URL: ``http://127.0.0.1:8099/taxjar``; paths begin with ``/v2``.

Tokens: see :data:`TOKENS` (all made up). Arithmetic, places and products: :mod:`sandbox.us_tax` and
:mod:`sandbox.vat`; Canada's taxes are a table of its own.

What was decided where the contract leaves a choice
----------------------------------------------------
* Nexus: the states of :mod:`sandbox.us_tax`, some provinces of Canada, some countries of Europe.
* Taxes of lines are rounded by line; the taxes of the order are their sums.
* All special districts of a place are one (so the contract: one field for all).
* ``transaction_id`` takes letters, digits, "-" and "_" only; others are 406.
* Amounts of transactions are answered as texts, with the sign that their kind has (docs: "Values
  will be signed automatically regardless of what you send in").
* A created id that exists is 422; the order that a refund names need not exist (docs are silent).
* What TaxJar ignores (fields it does not know) is kept as a remark in the state, as is a call
  without ``x-api-version``.
* The limit is 10,000 requests a minute.
* Not here: rates, summary rates, customers, VAT validation.
"""

import re

from ..limits import Bucket
from ..vendor import Refusal, Response, Vendor
from .knowledge import Knowledge
from .taxes import Taxes
from .transactions import Transactions
from .words import TOKENS, error, fail

__all__ = ["TOKENS", "TaxJar"]

RATE, BURST = 10_000 / 60, 10_000


class TaxJar(Knowledge, Taxes, Transactions, Vendor):
    """The TaxJar stand-in; see the module's text for the rules."""

    prefix = "taxjar"
    routes = Taxes.routes + Transactions.routes + Knowledge.routes

    def reset(self):
        """Forget all transactions and remarks."""
        with self.lock:
            self.bucket = Bucket(RATE, BURST)
            self.transactions = {}
            self.remarks = []
            self.estimates = 0

    def state(self):
        """Return transactions, number of estimates, and remarks."""
        with self.lock:
            return {
                "transactions": list(self.transactions.values()),
                "estimates": self.estimates,
                "warnings": list(self.remarks),
            }

    def remark(self, request, sentence):
        """Keep a remark on a request that the vendor answers, but should not have been sent."""
        self.remarks.append({"request": request.number, "path": request.path, "warning": sentence})

    def trouble(self, status):
        """Return the vendor's error body for a fault switch."""
        return error(status)

    def not_found(self, request):
        """Return the answer to an unknown address."""
        return Response(404, error(404))

    def handle(self, request):
        """Check limit, token and version, then answer."""
        try:
            with self.lock:
                self._admit(request)
            return super().handle(request)
        except Refusal as refusal:
            return refusal.response

    def _admit(self, request):
        if not self.bucket.take():
            raise fail(429)
        found = re.fullmatch(
            r"(?:Bearer |Token token=)\"?([^\"]+)\"?", request.header("authorization")
        )
        if not found or found[1] not in TOKENS:
            raise fail(401, f"Not authorized for route '{request.path}'")
        if not request.header("x-api-version"):
            self.remark(request, "header x-api-version is missing")
        if request.method in ("POST", "PUT") and "json" not in request.header("content-type"):
            raise fail(406, "Data should always be JSON-encoded")
