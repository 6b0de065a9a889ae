from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.models.finance_connector import ConnectorClosed
from odoo.addons.finance_connector_base.models.finance_vault import VaultClosed
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    ProviderError,
)

from .account_tax import is_carrier
from .finance_tax_mixin import Estimate


class AccountMove(models.Model):
    """An invoice that is posted while its engine does not answer."""

    _inherit = "account.move"

    finance_tax_source = fields.Char("Tax from", compute="_compute_finance_tax_source")

    @api.depends("finance_tax_document_ids.source")
    def _compute_finance_tax_source(self):
        for move in self:
            move.finance_tax_source = move.finance_tax_document_id.sudo()._source_words()

    # === POLICY === #

    def _finance_tax_outage(self, failed, traces):
        """Do what the policy says about documents to post whose engine does not answer."""
        workflows = {move: move._finance_tax_workflow() for move in failed}
        refused = {m: e for m, e in failed.items() if workflows[m].tax_outage == "refuse"}
        if refused:
            self._finance_tax_raise_outage(refused)
        for move, error in failed.items():
            if workflows[move]._tax_never_without_engine(move):
                move._finance_tax_raise_limit(error)
        answers = {
            move: move._finance_tax_ask_fallback(error, traces[move])
            for move, error in failed.items()
            if workflows[move].tax_outage == "engine"
        }
        for move, error in failed.items():
            if move in answers:
                move._finance_tax_fall_back_to_engine(answers[move], traces[move])
            else:
                move._finance_tax_fall_back(traces[move])
            move._finance_tax_document_of(workflows[move])._raise_fallback(error.message)
            move._finance_tax_report(error, workflows[move].connector_id.sudo())

    def _finance_tax_raise_limit(self, error):
        workflow = self._finance_tax_workflow()
        raise UserError(
            self.env._(
                "%(engine)s does not answer (%(reason)s), and %(document)s is too large to be posted"
                " without it: the limit is %(limit)s before tax. Nothing was changed. Try again in a"
                " few minutes.",
                engine=workflow.connector_id.name,
                reason=error.message,
                document=self.display_name,
                limit=format_amount(self.env, workflow.tax_outage_limit, workflow.tax_currency_id),
            )
        )

    # === ANOTHER ENGINE === #

    def _finance_tax_ask_fallback(self, error, trace_id):
        """Return the `TaxResult` of the fallback engine; UserError when it has none either."""
        workflow = self._finance_tax_workflow()
        engine = workflow.tax_fallback_connector_id
        try:
            [answer] = self.env["finance.operation.tax.quote"]._ask(
                engine,
                self.company_id,
                [self._finance_tax_fallback_request(workflow, engine)],
                seconds=workflow.tax_seconds,
                traces=[trace_id],
            )
            reason = answer.message if isinstance(answer, ProviderError) else None
        except ConnectorClosed as closed:
            reason = str(closed)
        except VaultClosed:
            reason = self.env._("the vault for credentials has no usable key")
        if reason is None:
            return answer
        raise UserError(
            self.env._(
                "%(engine)s does not answer about %(document)s (%(why)s), and the fallback engine"
                " %(fallback)s has no tax for it either: %(reason)s. Nothing was changed.",
                engine=workflow.connector_id.name,
                document=self.display_name,
                why=error.message,
                fallback=engine.name,
                reason=reason,
            )
        )

    def _finance_tax_fallback_request(self, workflow, engine):
        setting = engine._known_class().seller_setting
        seller = engine._workflow(self.company_id, "tax")._company_settings().get(setting, "")
        return replace(
            self._finance_tax_request(workflow).content(),
            seller=seller,
            basis=engine._tax_basis(self.company_id),
        )

    def _finance_tax_fall_back_to_engine(self, result, trace_id):
        """Put the amounts of the fallback engine on the lines; it keeps nothing."""
        workflow = self._finance_tax_workflow()
        taxes = self._finance_tax_taxes({self: Estimate(None, result)})[self]
        self._finance_tax_write(self._finance_tax_values(result, taxes))
        document = self._finance_tax_ensure_document(workflow, trace_id)
        document._fell_back("fallback_engine", result, workflow.tax_fallback_connector_id)

    # === LAST KNOWN RATES === #

    def _finance_tax_fall_back(self, trace_id):
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
        document._fell_back("last_rates" if taxes else "fallback")

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
        return lines.tax_ids - lines._finance_tax_by_hand()

    # === SAID TO THE ADMINISTRATOR === #

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
