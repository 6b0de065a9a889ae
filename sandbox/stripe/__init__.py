"""Stripe: what its resources share, and Stripe Tax. Billing is to come.

Contract: Stripe's published OpenAPI description of 2023-08-16 and the pages of docs.stripe.com on
authentication, errors, idempotent requests, pagination, expanding, rate limits, currencies, and the
tax API with its reversals. Base URL: ``http://127.0.0.1:8099/stripe``.

Keys: see :data:`sandbox.stripe.core.KEYS` (all made up; test mode). The account sits in Germany and
is registered for VAT in the European Union and the United Kingdom (:mod:`sandbox.vat`) and for sales
tax in the states of :mod:`sandbox.us_tax`.

What was decided where the contract leaves a choice
----------------------------------------------------
* A request with an ``Idempotency-Key`` is answered from memory when it comes again, errors too, but
  not refusals of parameters, of the key, or for too many requests (docs: "idempotent requests").
* Live mode's limit of 100 requests a second holds; beyond it 429.
* A calculation becomes one transaction at most, and none after ``expires_at`` (the docs say the
  latter; the former is the stricter reading). Both are refused with ``param: calculation``.
* A reference that is taken is refused with ``resource_already_exists`` and ``param: reference``.
* Every line needs a reference of its own before it can be recorded (docs).
* A full reversal does not look at earlier partial ones (docs); a second full one is refused (the
  stricter reading). A reversal can be reversed in full only. At most 30 partial reversals (docs).
* A part may not be larger than what earlier parts left of the line (docs: "Reversing more than the
  amount of tax you collected returns an error").
* Negative amounts in a calculation are refused, three-decimal currencies need a last digit 0.
* A nested list holds 10 rows, a page 10 unless ``limit`` says otherwise, at most 100.
"""

from ..vendor import Vendor
from .core import Core
from .tax import TAX_ROUTES, Tax

__all__ = ["Stripe"]


class Stripe(Core, Tax, Vendor):
    """The Stripe stand-in; see the module's text for the rules."""

    prefix = "stripe"
    routes = TAX_ROUTES

    def reset(self):
        """Forget everything but the keys."""
        with self.lock:
            self.reset_core()
            self.reset_tax()

    def state(self):
        """Return what was made, and the remarks on requests."""
        with self.lock:
            return self.core_state() | self.tax_state()
