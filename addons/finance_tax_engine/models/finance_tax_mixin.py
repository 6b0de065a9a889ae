import time
from collections import defaultdict
from dataclasses import dataclass
from uuid import uuid4

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.models.finance_connector import ConnectorClosed
from odoo.addons.finance_connector_base.models.finance_vault import VaultClosed
from odoo.addons.finance_connector_base.providers.errors import (
    ProviderError,
    Rejected,
    Transient,
)

from ..canonical.tax import (
    EXEMPT,
    NO_NEXUS,
    NOT_REGISTERED,
    NOT_TAXABLE,
    REVERSE_CHARGE,
    TaxDocument,
    TaxResult,
)
from .finance_tax_document import STATES, UNDECIDED, applied_hash

# Code of an outage that is ours: the connector is stopped, not complete, or without a vault key.
CLOSED = "closed"


@dataclass(frozen=True)
class Estimate:
    """What an engine said about one draft, before it is written on it."""

    request: TaxDocument
    result: TaxResult
    source: str = "engine"


@dataclass
class Plan:
    """What has to be done about the tax of drafts; those that are up to date are in none of it.

    asked: {document: `TaxDocument`}; known: {document: `Estimate`} without a question; obstacles:
    {document: why it can't be asked, in words}; settled: without the engine.
    """

    asked: dict
    known: dict
    obstacles: dict
    settled: models.BaseModel


class FinanceTaxMixin(models.AbstractModel):
    """A document whose tax an engine decides: it is asked, and its amounts written on the lines.

    A document has company_id, currency_id, partner_id, partner_shipping_id and one
    ``finance.tax.document`` an engine in ``finance_tax_document_ids``; what differs between
    invoices and orders are the hooks.
    """

    _name = "finance.tax.mixin"
    _description = "Document Taxed by an Engine"

    finance_tax_document_id = fields.Many2one(
        "finance.tax.document", "Tax document", compute="_compute_finance_tax"
    )
    finance_tax_applies = fields.Boolean("Taxed by an engine", compute="_compute_finance_tax")
    finance_tax_stale = fields.Boolean("Tax to be computed", compute="_compute_finance_tax_stale")
    finance_tax_state = fields.Selection(
        STATES, "Tax state", compute="_compute_finance_tax", search="_search_finance_tax_state"
    )
    finance_tax_code = fields.Char("Code at the engine", compute="_compute_finance_tax")
    finance_tax_trace_id = fields.Char("Trace", compute="_compute_finance_tax")
    finance_tax_computed_at = fields.Datetime("Last computed", compute="_compute_finance_tax")
    finance_tax_committed_at = fields.Datetime("Recorded on", compute="_compute_finance_tax")
    finance_tax_line_ids = fields.One2many(
        "finance.tax.document.line", string="Tax by jurisdiction", compute="_compute_finance_tax"
    )
    finance_tax_zero_words = fields.Text(
        "No tax because", compute="_compute_finance_tax_zero_words"
    )
    finance_tax_obstacle = fields.Char(
        "Why tax can't be computed", compute="_compute_finance_tax_stale"
    )

    # === HOOKS OF A DOCUMENT === #

    def _finance_tax_kind(self):
        """Return the canonical kind of the document, None when no engine taxes such documents."""
        raise NotImplementedError

    def _finance_tax_all_lines(self):
        """Return all lines of the document."""
        raise NotImplementedError

    def _finance_tax_date(self):
        """Return the document's date."""
        raise NotImplementedError

    def _finance_tax_rate(self):
        """Return the document's currency in one unit of the company's (float)."""
        raise NotImplementedError

    def _finance_tax_write(self, values):
        """Write on the lines of drafts, all at once; {line: {"tax_ids": ids, "extra_tax_data": x}}.

        Without tax_ids the taxes of the line stay.
        """
        raise NotImplementedError

    def _finance_tax_payment_term(self):
        """Return the document's `account.payment.term`, which may be empty."""
        raise NotImplementedError

    def _finance_tax_owner(self):
        """Return {field of finance.tax.document: id} that names this document."""
        raise NotImplementedError

    def _finance_tax_customer(self):
        """Return the partner who is taxed: its number, exemptions and VAT number count."""
        raise NotImplementedError

    def _finance_tax_is_open(self):
        """Tell whether the tax of the document may still change."""
        return self.state == "draft"

    def _finance_tax_original_move(self):
        """Return the invoice that a credit note takes back, empty for anything else."""
        return self.env["account.move"]

    def _finance_tax_corrected(self):
        """Return the invoice that this one corrects: its tax date and exemption count."""
        return self._finance_tax_original_move()

    def _finance_tax_not_asked(self, workflow):
        """Tell whether the engine is not to be asked about the document, for a reason of its own."""
        return False

    def _finance_tax_without_question(self, at_post):
        """Settle the documents that the engine is not asked about."""

    def _finance_tax_outage(self, failed, traces):
        """Do what the policy says about {document: error}, whose engine does not answer."""
        if failed:
            self._finance_tax_raise_outage(failed)

    # === COMPUTE METHODS === #

    def _compute_finance_tax(self):
        for move in self:
            workflow = move._finance_tax_workflow()
            documents = move._origin.sudo().finance_tax_document_ids
            document = (
                move._finance_tax_document_of(workflow)
                or documents.sorted(lambda row: row.state in UNDECIDED)[:1]
            )
            move.finance_tax_applies = bool(workflow)
            move.finance_tax_document_id = document.id
            move.finance_tax_state = document.state
            move.finance_tax_code = document._code() if document.revision else False
            move.finance_tax_trace_id = document.trace_id
            move.finance_tax_computed_at = document.computed_at
            move.finance_tax_committed_at = document.committed_at
            move.finance_tax_line_ids = document.line_ids.sudo(self.env.su)

    def _search_finance_tax_state(self, operator, value):
        return [("finance_tax_document_ids.state", operator, value)]

    def _compute_finance_tax_stale(self):
        for document in self:
            document.finance_tax_stale = document.finance_tax_obstacle = False
            if not document._finance_tax_is_open() or not document.finance_tax_applies:
                continue
            workflow = document._finance_tax_workflow()
            document.finance_tax_obstacle = document._finance_tax_find_obstacle()
            document.finance_tax_stale = not document._finance_tax_is_current(workflow)

    def _compute_finance_tax_zero_words(self):
        for document in self:
            result = document.finance_tax_document_id._result()
            reasons = result.reasons if result else ()
            lines = document._finance_tax_numbered_lines() if reasons else {}
            document.finance_tax_zero_words = "\n".join(
                f"{lines[reason.line].display_name}: {self._finance_tax_zero_say(reason)}"
                for reason in reasons
                if reason.line in lines
            )

    def _finance_tax_zero_say(self, reason):
        """Return a canonical `ZeroReason` in the reader's words, and the engine's."""
        _ = self.env._
        words = {
            NO_NEXUS: _("the company has no duty to charge tax there (no nexus)"),
            NOT_REGISTERED: _("the company is not registered for tax there"),
            EXEMPT: _("the customer or this sale is exempt"),
            NOT_TAXABLE: _("such a product is not taxed there"),
            REVERSE_CHARGE: _("the customer owes the tax (reverse charge)"),
        }.get(reason.code, _("the engine does not say why"))
        return f"{words}: {reason.words}" if reason.words else words

    # === WHO IS TAXED BY WHOM === #

    def _finance_tax_workflow(self):
        """Return the `finance.workflow` of the engine that taxes this document, or an empty one."""
        return self._finance_tax_route().workflow

    def _finance_tax_document_of(self, workflow):
        """Return its `finance.tax.document` at an engine, empty when there is none."""
        return self._origin.sudo().finance_tax_document_ids.filtered(
            lambda document: workflow and document.connector_id == workflow.connector_id
        )

    def _finance_tax_ship_to(self):
        return self.partner_shipping_id or self.partner_id

    def _finance_tax_country(self):
        """Return the country that the document's taxes belong to."""
        return self.tax_country_id or self.company_id.account_fiscal_country_id

    # === IS THE TAX THE ENGINE'S? === #

    def _finance_tax_applied(self):
        """Return what the lines carry: rows of (number, tax ids, extra_tax_data)."""
        return [
            [number, sorted(line.tax_ids.ids), line.extra_tax_data or None]
            for number, line in self._finance_tax_numbered_lines().items()
        ]

    def _finance_tax_applied_hash(self):
        return applied_hash(self._finance_tax_applied())

    def _finance_tax_is_applied(self, document):
        """Tell whether the lines carry exactly what the engine said last, at the present rate."""
        lines = self._finance_tax_lines()
        return (
            all(line._finance_tax_carried() for line in lines)
            and all(self._finance_tax_rate() == line.extra_tax_data.get("rate") for line in lines)
            and document.applied_hash == self._finance_tax_applied_hash()
        )

    def _finance_tax_is_current(self, workflow):
        document = self._finance_tax_document_of(workflow)
        if not document.content_hash or self._finance_tax_find_obstacle():
            return False
        content = self._finance_tax_request(workflow).content()
        return document.content_hash == codec.digest(content) and self._finance_tax_is_applied(
            document
        )

    # === ESTIMATE === #

    def action_finance_compute_tax(self):
        """Ask the engine for the tax of these drafts and write it on them."""
        self.check_access("write")
        drafts = self.filtered(lambda d: d._finance_tax_is_open() and d._finance_tax_workflow())
        if not drafts:
            raise UserError(self.env._("Only drafts that a tax engine serves are computed."))
        drafts._finance_tax_estimate()

    def _finance_tax_estimate(self, at_post=False):
        """Bring the tax of the drafts up to date, with one question for all that need one.

        at_post: the documents are about to be posted, so the policy for an engine that does not
        answer applies. Raises UserError for documents that the engine can't or won't tax.
        """
        plan = self._finance_tax_plan()
        for document, obstacle in plan.obstacles.items():
            document._finance_tax_refuse(obstacle)
        asked, known = plan.asked, plan.known
        traces = {document: document._finance_tax_trace() for document in asked}
        answers = self._finance_tax_ask(asked, traces)
        failed = {doc: a for doc, a in answers.items() if isinstance(a, ProviderError)}
        self._finance_tax_raise_rejected(failed)
        if failed and not at_post:
            self._finance_tax_raise_outage(failed)
        known |= {
            document: Estimate(asked[document], answer)
            for document, answer in answers.items()
            if document not in failed
        }
        self._finance_tax_apply(known, traces)
        self._finance_tax_outage(failed, traces)
        plan.settled._finance_tax_without_question(at_post)

    def _finance_tax_plan(self):
        """Return the `Plan` of these drafts: what has to be done about the tax of each."""
        plan = Plan({}, {}, {}, self.browse())
        for document in self:
            workflow = document._finance_tax_workflow()
            kept = document._finance_tax_document_of(workflow)
            if kept and document._finance_tax_is_current(workflow):
                continue
            if document._finance_tax_not_asked(workflow):
                plan.settled |= document
                continue
            estimate = document._finance_tax_known(workflow)
            if estimate:
                plan.known[document] = estimate
                continue
            obstacle = document._finance_tax_find_obstacle()
            if obstacle:
                plan.obstacles[document] = obstacle
            else:
                plan.asked[document] = document._finance_tax_request(workflow).content()
        return plan

    def _finance_tax_trace(self):
        """Return the trace of what is exchanged about the document: one for its life."""
        return self._finance_tax_document_of(self._finance_tax_workflow()).trace_id or uuid4().hex

    def _finance_tax_known(self, workflow):
        """Return an `Estimate` that needs no question, None when there is none."""
        document = self._finance_tax_document_of(workflow)
        if not document.content_hash or self._finance_tax_find_obstacle():
            return None
        content = self._finance_tax_request(workflow).content()
        if document.content_hash != codec.digest(content):
            return None
        return Estimate(document._request(), document._result(), document.source)

    def _finance_tax_ask(self, asked, traces, patience=0.0):
        """Ask the engines within one deadline; return {move: `TaxResult` or `ProviderError`}.

        patience: seconds that may be waited at least, where nobody sits before the screen.
        """
        groups = defaultdict(self.browse)
        for move in asked:
            groups[move._finance_tax_workflow(), move.company_id] |= move
        started, answers = time.monotonic(), {}
        for (workflow, company), moves in groups.items():
            left = max(workflow.tax_seconds, patience) - (time.monotonic() - started)
            try:
                replies = self.env["finance.operation.tax.quote"]._ask(
                    workflow.connector_id,
                    company,
                    [asked[move] for move in moves],
                    seconds=max(left, 0.0),
                    traces=[traces[move] for move in moves],
                )
            except ConnectorClosed as closed:
                # stopped by an administrator or not complete: the policy decides, as in an outage
                replies = [Transient(str(closed), code=CLOSED)] * len(moves)
            except VaultClosed:
                # where a key is put is not for everybody who posts invoices
                reason = self.env._(
                    "The vault for credentials has no usable key; Settings, Finance Connect says"
                    " what to do"
                )
                replies = [Transient(reason, code=CLOSED)] * len(moves)
            answers.update(zip(moves, replies, strict=True))
        return answers

    def _finance_tax_refuse(self, reason):
        """Raise UserError that names the document; ``reason`` in the reader's words."""
        raise UserError(
            self.env._("%(document)s: %(reason)s", document=self.display_name, reason=reason)
        )

    def _finance_tax_raise_rejected(self, failed):
        rejected = {m: e for m, e in failed.items() if isinstance(e, Rejected)}
        if rejected:
            raise UserError(
                "\n".join(
                    self.env._(
                        "%(engine)s refuses %(document)s: %(reason)s",
                        engine=move._finance_tax_workflow().connector_id.name,
                        document=move.display_name,
                        reason=error.message,
                    )
                    for move, error in rejected.items()
                )
            )

    def _finance_tax_raise_outage(self, failed):
        moves = self.browse([move.id for move in failed])
        move, error = next(iter(failed.items()))
        engine = move._finance_tax_workflow().connector_id.name
        documents = format_list(self.env, moves.mapped("display_name"))
        if error.code == CLOSED:
            raise UserError(
                self.env._(
                    "%(engine)s can't be asked, so the tax of %(documents)s is not known. Nothing"
                    " was changed. An administrator has to mend the connector: %(reason)s",
                    engine=engine,
                    documents=documents,
                    reason=error.message,
                )
            )
        raise UserError(
            self.env._(
                "%(engine)s does not answer, so the tax of %(documents)s is not known"
                " (%(reason)s). Nothing was changed. Try again in a few minutes, or ask an"
                " administrator to allow the fallback rate in Settings, Finance Connect, Tax.",
                engine=engine,
                documents=documents,
                reason=error.message,
            )
        )

    # === BUTTONS === #

    def action_finance_tax_jobs(self):
        """List the jobs of the tax document."""
        return self.finance_tax_document_id.action_open_jobs()

    def action_finance_tax_exchanges(self):
        """List what was exchanged with the engine about the document."""
        return self.finance_tax_document_id.action_open_exchanges()
