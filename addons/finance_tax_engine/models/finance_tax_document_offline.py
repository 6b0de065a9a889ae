from odoo import api, models

from ..canonical.tax import RECORDED, RecordedDocument


class FinanceTaxDocument(models.Model):
    """What Odoo itself keeps for an engine without a vendor outside."""

    _inherit = "finance.tax.document"

    @api.model
    def _recorded_here(self, connector, company, start, end):
        """Yield the recorded documents of a company and its branches, dated from start to end.

        As `RecordedDocument`, like ``TaxEngine.recorded`` of a vendor that keeps them.
        """
        documents = self.sudo().search(
            [
                ("connector_id", "=", connector.id),
                ("company_id", "child_of", company.id),
                ("recording", "=", True),
                ("committed_at", "!=", False),
                ("move_id.invoice_date", ">=", start),
                ("move_id.invoice_date", "<=", end),
            ],
            order="id",
        )
        for document in documents:
            request, result = document._request(), document._result()
            if request is None or result is None:
                continue
            yield RecordedDocument(
                code=document._code(),
                kind=request.kind,
                status=RECORDED,
                date=request.date,
                currency=request.currency,
                total_amount=sum(line.amount for line in request.lines),
                total_tax=result.total_tax,
                by_key=result.by_key(),
                engine_id=document.engine_id or "",
            )
