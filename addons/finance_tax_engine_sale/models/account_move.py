from dataclasses import replace

from odoo import models

from odoo.addons.finance_tax_engine.canonical.tax import TaxDocument, TaxResult
from odoo.addons.finance_tax_engine.models.finance_tax_mixin import Estimate


class AccountMove(models.Model):
    """An invoice that bills its order whole carries the order's tax on, without a question."""

    _inherit = "account.move"

    def _finance_tax_known(self, workflow):
        return super()._finance_tax_known(workflow) or self._finance_tax_of_order(workflow)

    def _finance_tax_is_current(self, workflow):
        if super()._finance_tax_is_current(workflow):
            return True
        lines = self._finance_tax_lines()
        return bool(
            not self._finance_tax_document_of(workflow)
            and all(line._finance_tax_carried() for line in lines)
            and self._finance_tax_of_order(workflow)
        )

    def _finance_tax_of_order(self, workflow):
        """Return the `Estimate` of the one order that this invoice bills whole, else None.

        The order's answer holds for the invoice when both ask the same but for the date, which
        may be later by as many days as the workflow allows.
        """
        if self.move_type != "out_invoice" or self._finance_tax_find_obstacle():
            return None
        order = self.invoice_line_ids.sale_line_ids.order_id
        if len(order) != 1:
            return None
        document = order._finance_tax_document_of(workflow)
        numbers = self._finance_tax_order_numbers(order)
        if not numbers or not document.content_hash:
            return None
        asked, asking = document._request(), self._finance_tax_request(workflow).content()
        days = (asking.date - asked.date).days
        if not 0 <= days <= workflow.tax_estimate_days:
            return None
        of_order = _renumbered_request(asked.content(), numbers)
        if replace(asking, date=asked.date) != of_order:
            return None
        return Estimate(asking, _renumbered_result(document._result(), numbers), "order")

    def _finance_tax_order_numbers(self, order):
        """Return {line number on the order: line number here}; empty when they don't pair up."""
        here = {
            line.sale_line_ids: number
            for number, line in self._finance_tax_numbered_lines().items()
            if len(line.sale_line_ids) == 1
        }
        there = order._finance_tax_numbered_lines()
        numbers = {number: here.get(line) for number, line in there.items()}
        complete = len(numbers) == len(self._finance_tax_lines()) and all(numbers.values())
        return numbers if complete else {}


def _renumbered_request(request: TaxDocument, numbers) -> TaxDocument:
    lines = [replace(line, number=numbers[line.number]) for line in request.lines]
    return replace(request, lines=tuple(sorted(lines, key=lambda line: int(line.number))))


def _renumbered_result(result: TaxResult, numbers) -> TaxResult:
    return replace(
        result,
        taxes=tuple(replace(tax, line=numbers[tax.line]) for tax in result.taxes),
        reasons=tuple(replace(reason, line=numbers[reason.line]) for reason in result.reasons),
    )
