"""Documents posted without the engine are asked about when it is back."""

from collections import defaultdict
from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.models.finance_connector import ConnectorClosed
from odoo.addons.finance_connector_base.models.finance_vault import VaultClosed
from odoo.addons.finance_connector_base.providers.errors import (
    ContractBroken,
    ProviderError,
    Rejected,
    Transient,
)

from .finance_tax_mixin import CLOSED

# Documents asked about together by the scheduled action, between two commits.
BATCH = 20


class FinanceTaxDocument(models.Model):
    _inherit = "finance.tax.document"

    true_up_ids = fields.One2many("finance.tax.true.up", "document_id", readonly=True)

    # === ASKED === #

    def action_verify(self):
        """Ask the engine about documents posted without it.

        Where it says the same tax, they are recorded; where it says another, a true-up is to be
        decided. The books are not changed.
        """
        self.check_access("read")
        self.move_id.check_access("write")
        if self - self._undecided() or self.move_id.filtered(lambda move: move.state != "posted"):
            raise UserError(
                self.env._(
                    "Only a document that was posted without the engine, and that nobody corrects"
                    " yet, can be asked about."
                )
            )
        waiting = self._awaiting_original()
        if waiting:
            raise UserError(
                self.env._(
                    "%(document)s takes back %(original)s, which was posted without the engine,"
                    " too. Settle that one first.",
                    document=waiting[0].move_id.display_name,
                    original=waiting[0].move_id.reversed_entry_id.display_name,
                )
            )
        for document, error in self._true_up().items():
            raise UserError(
                self.env._(
                    "%(engine)s still has no tax for %(document)s: %(reason)s. Nothing was changed;"
                    " try again later, or open the connector to see what is the matter.",
                    engine=document.connector_id.sudo().name,
                    document=document.move_id.display_name,
                    reason=error.message,
                )
            )

    @api.model
    def _cron_true_up(self):
        """Ask the engines that are back about what was posted without them; invoices first."""
        silent = self.env["finance.connector"]
        tried = self.browse()
        while batch := self._to_true_up(silent, tried):
            tried |= batch
            failed = batch._true_up()
            # an engine that refuses one document may well answer about the next
            for document, error in failed.items():
                if isinstance(error, (Rejected, ContractBroken)):
                    document._raise_fallback(error.message)
                else:
                    silent |= document.connector_id
            if not self.env["ir.cron"]._commit_progress(len(batch)):
                break

    def _to_true_up(self, silent, tried):
        """Return the next documents to ask about: of one connector, not tried and not decided on."""
        domain = [
            ("state", "=", "fallback"),
            ("move_id.state", "=", "posted"),
            ("connector_id", "not in", silent.ids),
            ("connector_id.active", "=", True),
            ("id", "not in", tried.ids),
            ("true_up_ids", "not any", [("state", "in", ("open", "drafted"))]),
        ]
        first = self.sudo().search(domain, order="id", limit=1)
        found = self.sudo().search(
            [*domain, ("connector_id", "=", first.connector_id.id)], order="id", limit=BATCH
        )
        waiting = found._awaiting_original()
        # when nothing else is left, they are tried for nothing and then left alone
        return (found - waiting) or found

    def _awaiting_original(self):
        """Return the credit notes whose invoice is not settled itself."""

        def unsettled(document):
            original = document.move_id._finance_tax_original_move().sudo()
            return original.finance_tax_document_ids.filtered(
                lambda other: (
                    other.connector_id == document.connector_id and other.state == "fallback"
                )
            )

        return self.filtered(lambda document: unsettled(document) and not document._offset())

    def _true_up(self):
        """Ask about documents and settle each; return {document: `ProviderError`} without answer."""
        self = self._undecided()
        for document in self:
            document._settle_offset()
        left = self.filtered(lambda document: document.state == "fallback")
        left -= left._awaiting_original()
        asked, answers = left._ask_again()
        failed = {}
        for document, answer in answers.items():
            if isinstance(answer, ProviderError):
                failed[document] = answer
            elif document.move_id._finance_tax_booked() == answer.by_key():
                document._confirmed(asked[document], answer)
            else:
                document._differs(asked[document], answer)
        return failed

    def _undecided(self):
        """Return those without the engine's tax for which no correction is written yet."""
        return self.filtered(
            lambda document: (
                document.state == "fallback"
                and "drafted" not in document.true_up_ids.mapped("state")
            )
        )

    def _ask_again(self):
        """Return {document: question} and {document: `TaxResult` or `ProviderError`}."""
        asked, answers, groups = {}, {}, defaultdict(self.browse)
        for document in self:
            workflow = document._route("kept").workflow
            if not workflow:
                continue
            asked[document] = document.move_id._finance_tax_request(workflow).content()
            groups[workflow, document.company_id] |= document
        for (workflow, company), documents in groups.items():
            try:
                replies = self.env["finance.operation.tax.quote"]._ask(
                    workflow.connector_id,
                    company,
                    [asked[document] for document in documents],
                    seconds=workflow.tax_seconds,
                    traces=documents.mapped("trace_id"),
                )
            except (ConnectorClosed, VaultClosed) as closed:
                replies = [Transient(str(closed), code=CLOSED)] * len(documents)
            answers.update(zip(documents, replies, strict=True))
        return asked, answers

    # === SETTLED === #

    def _offset(self):
        """Return the credit note that takes back an invoice whole, or the invoice, both unrecorded.

        Then the engine needs to know of neither.
        """
        move = self.move_id
        credit = move.reversal_move_ids.filtered(
            lambda row: row.state == "posted" and row.move_type == "out_refund"
        )
        pair = move.reversed_entry_id if move.move_type == "out_refund" else credit
        other = pair.sudo().finance_tax_document_ids.filtered(
            lambda row: row.connector_id == self.connector_id and row.state == "fallback"
        )
        whole = (
            len(pair) == len(other) == 1
            and pair.state == "posted"
            and len((pair + move).reversal_move_ids.filtered(lambda row: row.state != "cancel"))
            == 1
            and pair.currency_id == move.currency_id
            and not move.currency_id.compare_amounts(pair.amount_untaxed, move.amount_untaxed)
            and pair._finance_tax_booked() == move._finance_tax_booked()
        )
        return other if whole else self.browse()

    def _settle_offset(self):
        other = self._offset() if self.state == "fallback" else None
        if not other:
            return
        for document in self + other:
            document.sudo().state = "settled"
            document.true_up_ids._withdrawn()
            document._resolve("tax.fallback", "tax.true_up", note="tax.offset")

    def _confirmed(self, request, result):
        """The engine says what is booked: record it."""
        self._record_late(request, result, self.move_id._finance_tax_open_day())
        self.true_up_ids._withdrawn()
        self._resolve("tax.fallback", "tax.true_up", note="tax.confirmed")

    def _differs(self, request, result):
        true_up = self.env["finance.tax.true.up"]._found(self, request, result)
        true_up._raise()
        self._resolve("tax.fallback", note="tax.differs")

    def _true_up_settled(self, true_up, day):
        """The ledger has the engine's tax now, with a correction dated ``day``: record it."""
        self._record_late(true_up._request(), true_up._result(), day)

    def _record_late(self, request, result, day):
        """Record a posted document; as of ``day`` where its own period takes no more tax."""
        move = self.move_id
        closed = move._finance_tax_is_closed(move.date)
        if closed:
            request = replace(request, date=day, tax_date=request.tax_date or request.date)
        self._estimated(
            codec.digest(request),
            request,
            result,
            "engine",
            move._finance_tax_applied_hash(),
        )
        self.sudo().declared_on = day if closed else False
        if move._finance_tax_records(self._route("kept").workflow):
            self._post()
        else:
            self._post_unrecorded()

    def _true_up_undone(self, true_up):
        """A correction is gone: the engine must not keep the document, and it is open again."""
        if self.recording:
            super()._withdraw()
        self._fell_back(true_up.origin, connector=true_up.fallback_connector_id)

    # === TAKEN BACK === #

    def _withdraw(self):
        """A document that is reset to draft is asked about anew."""
        result = super()._withdraw()
        self.exists().sudo().true_up_ids._withdrawn()
        for document in self.exists():
            document._resolve("tax.true_up", note="tax.withdrawn")
        return result
