"""What an engine said is kept, and written on the document's lines."""

from collections import defaultdict
from decimal import Decimal
from uuid import uuid4

from odoo import models
from odoo.tools import SQL

from odoo.addons.finance_connector_base.canonical import codec

from ..canonical.carrier import manual_tax_amounts
from .account_tax import EARLY_DISCOUNT, FLAG


class FinanceTaxMixin(models.AbstractModel):
    _inherit = "finance.tax.mixin"

    def _finance_tax_apply(self, estimates, traces):
        """Write engine amounts on drafts, all in one synchronisation; {move: `Estimate`}."""
        if not estimates:
            return
        moves = self.browse([move.id for move in estimates])
        values = {}
        for move, taxes in moves._finance_tax_taxes(estimates).items():
            values |= move._finance_tax_values(estimates[move].result, taxes)
        moves._finance_tax_write(values)
        moves._finance_tax_keep(estimates, traces)

    def _finance_tax_keep(self, estimates, traces):
        """Keep what the engine said about each, new tax documents in one insert."""
        documents = self.env["finance.tax.document"].sudo()
        new = {}
        for move, estimate in estimates.items():
            workflow = move._finance_tax_workflow()
            facts = (
                codec.digest(move._finance_tax_request(workflow).content()),
                estimate.request,
                estimate.result,
                estimate.source,
                move._finance_tax_applied_hash(),
            )
            document = move._finance_tax_document_of(workflow)
            if document:
                document._estimated(*facts)
            else:
                new[move] = move._finance_tax_new_document(workflow, traces.get(move))
                new[move] |= documents._estimate_values(*facts)
        if new:
            self.browse([move.id for move in new])._finance_tax_lock()
            documents.create(list(new.values()))

    def _finance_tax_ensure_document(self, workflow, trace_id=None):
        """Return the tax document of the move, a new one with ``trace_id`` when there is none."""
        document = self._finance_tax_document_of(workflow)
        if document:
            return document
        self._finance_tax_lock()
        return document.create(self._finance_tax_new_document(workflow, trace_id))

    def _finance_tax_lock(self):
        """Lock drafts that are to get their tax document.

        Of two sessions that do so for the same draft, the later one meets a conflict on the draft,
        which Odoo retries, and not a duplicate document, which it does not.
        """
        self.env.cr.execute(
            SQL(
                "SELECT FROM %s WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
                SQL.identifier(self._table),
                self.ids,
            ),
            log_exceptions=False,
        )

    def _finance_tax_new_document(self, workflow, trace_id):
        return {
            **self._finance_tax_owner(),
            "connector_id": workflow.connector_id.id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
            "trace_id": trace_id or uuid4().hex,
        }

    def _finance_tax_taxes(self, estimates):
        """Return {move: {inside: {jurisdiction key: account.tax}}} for what is charged on each.

        inside: whether the taxes are inside the prices.
        """
        groups = defaultdict(list)
        for move in self:
            key = move._finance_tax_workflow(), move.company_id, move._finance_tax_country()
            groups[key].append(move)
        taxes = {}
        for (workflow, company, country), moves in groups.items():
            charged = [move._finance_tax_charged(estimates[move].result) for move in moves]
            found = {
                inside: self.env["finance.tax.jurisdiction"]._taxes(
                    company,
                    country,
                    [tax for of_move in charged for tax in of_move[inside]],
                    workflow._tax_account(company),
                    inside,
                )
                for inside in (False, True)
            }
            taxes |= dict.fromkeys(moves, found)
        return taxes

    def _finance_tax_charged(self, result):
        """Return {inside: [`JurisdictionTax`]}: what is charged on top of prices, and inside."""
        charged = {False: [], True: []}
        lines = self._finance_tax_numbered_lines()
        inside = {number for number, line in lines.items() if line._finance_tax_includes_tax()}
        for tax in _charged(result):
            charged[tax.line in inside].append(tax)
        return charged

    def _finance_tax_values(self, result, taxes):
        """Return {line: values}: the taxes of each line, and its exact amounts.

        taxes: as `_finance_tax_taxes` has them.
        """
        foreign = self.currency_id != self.company_id.currency_id
        rate = Decimal(repr(self._finance_tax_rate() if foreign else 1.0))
        discount = self._finance_tax_early_discount()
        charged, amounts = self._finance_tax_charged(result), {}
        for inside, of_prices in charged.items():
            amounts |= manual_tax_amounts(
                of_prices,
                {key: tax.id for key, tax in taxes[inside].items()},
                # of several taxes inside a price, Odoo counts those alone that say both amounts
                rate if foreign or inside else None,
                Decimal(1).scaleb(-self.company_id.currency_id.decimal_places),
            )
        values = {}
        for number, line in self._finance_tax_numbered_lines().items():
            manual = amounts.get(number, {})
            carried = {
                FLAG: 1,
                "manual_tax_amounts": manual,
                **line._finance_tax_facts(),
                "currency_id": line.currency_id.id,
                "rate": self._finance_tax_rate(),
            }
            if line._finance_tax_includes_tax():
                tax = sum(tax.amount for tax in charged[True] if tax.line == number)
                net = (self._finance_tax_told(line, discount) - tax) / (1 - discount / 100)
                carried["manual_total_excluded_currency"] = float(self._finance_decimal(net))
            if discount:
                carried[EARLY_DISCOUNT] = float(discount)
            if "computation_key" in (line.extra_tax_data or {}):
                # a discount on the whole order
                carried["computation_key"] = line.extra_tax_data["computation_key"]
            values[line] = {
                "tax_ids": [*map(int, manual), *line._finance_tax_kept().ids],
                "extra_tax_data": carried,
            }
        return values


def _charged(result):
    """Return the taxes of a `TaxResult` that a document shows."""
    return [tax for tax in result.taxes if tax.amount or tax.taxable and tax.rate]
