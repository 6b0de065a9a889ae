"""What every tax engine offers."""

from odoo.addons.finance_connector_base.providers.base import Provider

from ..canonical.tax import TaxDocument, TaxReference, TaxResult


class TaxEngine(Provider):
    """A tax engine: calculates sales tax and keeps the documents that are declared.

    Every method may raise the error classes of ``providers.errors``; ``Rejected`` carries the
    engine's own words. Amounts come back with the canonical signs, whatever the vendor's are.
    """

    seller_setting = ""
    """Name of the company setting that holds the engine's code of the selling company."""

    def quote(self, document: TaxDocument) -> TaxResult:
        """Calculate the tax of ``document`` without keeping anything (status QUOTED)."""
        raise NotImplementedError

    def commit(self, document: TaxDocument) -> TaxResult:
        """Record ``document`` under ``document.code`` for the next return (status RECORDED).

        Repeating it with the same code is safe: the engine replaces what it has under that code.
        """
        raise NotImplementedError

    def void(self, reference: TaxReference) -> TaxResult:
        """Make the recorded document void (status VOIDED), or find that there is none (ABSENT).

        Repeating it is safe.
        """
        raise NotImplementedError

    def lookup(self, reference: TaxReference) -> TaxResult | None:
        """Return what the engine keeps under a code, None when it keeps nothing."""
        raise NotImplementedError
