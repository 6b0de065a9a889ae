"""A difference that the engine keeps to is settled like one that was found later."""

from odoo import api, fields, models

from odoo.addons.finance_connector_base.canonical import codec

from ..canonical.tax import TaxResult


class FinanceTaxTrueUp(models.Model):
    _inherit = "finance.tax.true.up"

    former = fields.Text(
        readonly=True,
        groups="base.group_system",
        help="Of a document that differs from the engine: the engine's answer that it was posted by.",
    )
    recorded = fields.Boolean(readonly=True, help="The engine has recorded its tax already.")

    @api.model
    def _insisted(self, document, result):
        """Keep that the engine has or says ``result`` of a document that it was asked about.

        Nothing is kept where no way to correct it alone is left, as for prices with tax, or where a
        correction is written already.
        """
        by_authority = sum(tax.amount for tax in result.taxes) == result.total_tax
        if not by_authority or "drafted" in document.sudo().true_up_ids.mapped("state"):
            return
        true_up = self._found(document, document._request(), result)
        true_up.write({"former": document.sudo().result, "recorded": bool(document.committed_at)})
        true_up.proposal = true_up._proposed()
        if not true_up.proposal:
            true_up._withdrawn()

    def _possible_ways(self):
        """Return the ways; a new invoice would only get the same difference again."""
        ways = super()._possible_ways()
        return [way for way in ways if way != "reissue"] if self.sudo().former else ways

    def _raise(self):
        if not self.sudo().former:
            return super()._raise()
        booked = codec.load(TaxResult, self.sudo().former)
        return self.document_id._raise_mismatch(self._result().total_tax, booked.total_tax)


class FinanceTaxDocument(models.Model):
    _inherit = "finance.tax.document"

    def _true_up_settled(self, true_up, day):
        """What the engine has recorded needs not be recorded again: the ledger says the same now."""
        if not true_up.recorded:
            return super()._true_up_settled(true_up, day)
        return self._put(true_up._result(), "committed")

    def _true_up_undone(self, true_up):
        """A correction is gone: the document differs from the engine again."""
        if not true_up.former:
            return super()._true_up_undone(true_up)
        if self.recording and not true_up.recorded:
            # the engine was told only when the correction was posted
            self._withdraw()
        return self._put(codec.load(TaxResult, true_up.former), "mismatch")

    def _put(self, result, state):
        """Let a posted document have the engine's ``result``; posted again, it is asked about."""
        kept = {"state": state, "declared_on": self.declared_on}
        self._estimated(False, self._request(), result, self.source, False)
        self.sudo().write(kept)
