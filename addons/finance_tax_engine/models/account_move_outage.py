from odoo import models

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.providers.errors import AuthFailed, ContractBroken

from .account_tax import is_carrier


class AccountMove(models.Model):
    """An invoice that is posted while its engine does not answer."""

    _inherit = "account.move"

    def _finance_tax_outage(self, failed, traces):
        """Do what the policy says about documents to post whose engine does not answer."""
        refused = {
            move: error
            for move, error in failed.items()
            if move._finance_tax_workflow().tax_outage != "fallback"
        }
        if refused:
            self._finance_tax_raise_outage(refused)
        for move, error in failed.items():
            move._finance_tax_fall_back(error, traces[move])

    def _finance_tax_fall_back(self, error, trace_id):
        """Put percentages on the lines: of the jurisdictions last known there, else their own."""
        workflow = self._finance_tax_workflow()
        taxes = self._finance_tax_last_taxes(workflow)
        values = {}
        for line in self._finance_tax_lines():
            values[line] = {
                "extra_tax_data": None if is_carrier(line.extra_tax_data) else line.extra_tax_data
            }
            inside = line._finance_tax_includes_tax()
            fitting = taxes.filtered(lambda tax, inside=inside: tax.price_include == inside)
            if fitting:
                values[line]["tax_ids"] = (fitting | line._finance_tax_kept()).ids
        self._finance_tax_write(values)
        document = self._finance_tax_ensure_document(workflow, trace_id)
        document._fell_back()
        document._raise_fallback(error.message)
        self._finance_tax_report(error, workflow.connector_id.sudo())

    def _finance_tax_report(self, error, connector):
        """Say what an administrator must mend, beside what the accountant has to decide."""
        if isinstance(error, AuthFailed):
            connector._needs_attention(error.message)
        if isinstance(error, ContractBroken):
            self.env["finance.exception"].sudo()._raise(
                "contract.drift",
                document=self,
                connector=connector,
                params={
                    "field": error.field,
                    "version": error.version,
                    "message": error.message,
                },
            )

    def _finance_tax_last_taxes(self, workflow):
        """Return the taxes that the engine last put on an invoice to the same address."""
        destination = codec.digest(self._finance_tax_ship_to()._finance_address())
        last = (
            self.env["finance.tax.document"]
            .sudo()
            .search(
                [
                    ("connector_id", "=", workflow.connector_id.id),
                    ("company_id", "=", self.company_id.id),
                    ("destination", "=", destination),
                    ("result", "!=", False),
                ],
                order="id desc",
                limit=1,
            )
        )
        lines = last.move_id._finance_tax_lines().filtered(
            lambda line: is_carrier(line.extra_tax_data)
        )
        return lines.tax_ids
