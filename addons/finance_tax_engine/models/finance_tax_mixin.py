import math
import time
from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from uuid import uuid4

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_list

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.models.finance_connector import ConnectorClosed
from odoo.addons.finance_connector_base.models.finance_vault import VaultClosed
from odoo.addons.finance_connector_base.providers.errors import (
    ProviderError,
    Rejected,
    Transient,
)

from ..canonical.carrier import manual_tax_amounts
from ..canonical.tax import (
    EXEMPT,
    NO_NEXUS,
    NOT_REGISTERED,
    NOT_TAXABLE,
    REVERSE_CHARGE,
    TaxDocument,
    TaxLine,
    TaxResult,
)
from .account_tax import EARLY_DISCOUNT, FLAG
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

    # === WHAT THE ENGINE IS ASKED === #

    def _finance_tax_lines(self):
        """Return the lines that the engine taxes, in the order of their creation.

        Moving a line up or down changes no tax, so it must not change the numbers of the lines.
        """
        lines = self._finance_tax_all_lines().filtered(lambda line: line._finance_tax_is_taxed())
        # what is read of one is read for the lines of all documents at once
        lines = lines.with_prefetch(self._finance_tax_all_lines()._prefetch_ids)
        return lines.sorted(lambda line: line._origin.id or math.inf)

    def _finance_tax_numbered_lines(self):
        """Return {line number at the engine: line}."""
        return {
            str(position): line for position, line in enumerate(self._finance_tax_lines(), start=1)
        }

    def _finance_tax_request(self, workflow):
        """Return the document as a canonical `TaxDocument`, in its own currency, without a code."""
        self.ensure_one()
        customer = self._finance_tax_customer()
        corrected = self._finance_tax_corrected()
        number, use_code = self._finance_tax_exemption(workflow)
        discount = self._finance_tax_early_discount()
        return TaxDocument(
            kind=self._finance_tax_kind(),
            seller=self._finance_tax_seller(workflow),
            customer=customer._finance_tax_code(),
            currency=self.currency_id.name,
            date=self._finance_tax_date(),
            tax_date=corrected._finance_tax_supply_date() if corrected else None,
            ship_from=self.company_id.partner_id.sudo()._finance_address(),
            ship_to=self._finance_tax_ship_to()._finance_address(),
            exemption_number=number,
            entity_use_code=use_code,
            vat_number=customer.vat or "",
            basis=workflow.connector_id._tax_basis(self.company_id),
            lines=tuple(
                self._finance_tax_line(number, line, discount)
                for number, line in self._finance_tax_numbered_lines().items()
            ),
        )

    def _finance_tax_exemption(self, workflow):
        """Return (certificate number, entity use code) of the customer there and then; one at most.

        A credit or debit note has those of the invoice that it corrects, whatever changed since.
        """
        corrected = self._finance_tax_corrected()
        document = corrected._finance_tax_document_of(workflow) if corrected else None
        asked = document._request() if document else None
        if asked:
            return asked.exemption_number, asked.entity_use_code
        return (
            self.env["finance.tax.exemption"]
            ._covering(
                self._finance_tax_customer(),
                self.company_id,
                self._finance_tax_ship_to(),
                corrected.invoice_date or self._finance_tax_date(),
            )
            ._sent()
        )

    def _finance_tax_line(self, number, line, discount):
        product = line.product_id
        return TaxLine(
            number=number,
            amount=self._finance_tax_told(line, discount),
            quantity=Decimal(repr(abs(line._finance_tax_facts()["quantity"]))),
            item_code=product.default_code or "",
            tax_code=product.finance_tax_code or product.categ_id._finance_tax_code(),
            description=line.name or "",
            gtin=product._finance_gtin(),
            tax_included=line._finance_tax_includes_tax() or None,
        )

    def _finance_decimal(self, amount):
        """Return an amount (float or Decimal) as the exact one of the document's currency."""
        unit = Decimal(1).scaleb(-self.currency_id.decimal_places)
        # a sum with 0 has no minus sign where it comes to nothing
        exact = amount if isinstance(amount, Decimal) else Decimal(repr(amount))
        return exact.quantize(unit, ROUND_HALF_UP) + 0

    @staticmethod
    def _finance_tax_seller(workflow):
        setting = workflow.connector_id._known_class().seller_setting
        return workflow._company_settings().get(setting, "") if setting else ""

    def _finance_tax_find_obstacle(self):
        """Return why the engine can't be asked about this document, in words; "" when it can."""
        address = self._finance_tax_ship_to()
        if not address:
            return ""
        place = address._finance_address()
        us_like = place.country in ("US", "CA")
        if not place.country or us_like and not (place.postal_code and place.region):
            return self.env._(
                "The delivery address of %(partner)s is not complete: the tax engine needs the"
                " country, in the United States and Canada also state and ZIP code. Complete the"
                " address, then try again.",
                partner=address.display_name,
            )
        return self._finance_tax_obstacle_of_prices()

    def _finance_tax_obstacle_of_prices(self):
        """Return why prices that include tax can't be sent, in words; "" when they can."""
        included = self._finance_tax_lines().filtered(lambda line: line._finance_tax_includes_tax())
        if not included:
            return ""
        engine = self._finance_tax_workflow().connector_id
        names = format_list(self.env, included.tax_ids.mapped("name"))
        if not engine._known_class().takes_prices_with_tax:
            return self.env._(
                "%(engine)s needs prices without tax, but %(taxes)s is included in the price."
                " Take it off the lines.",
                engine=engine.sudo().name,
                taxes=names,
            )
        if any(line._finance_tax_mixes_prices() for line in included):
            return self.env._(
                "One of %(taxes)s is included in the price, and another one on the same line comes"
                " beside it, so what the price includes is not known. Leave one of them on the"
                " line.",
                taxes=names,
            )
        return ""

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

    # === APPLY === #

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

    # === BUTTONS === #

    def action_finance_tax_jobs(self):
        """List the jobs of the tax document."""
        return self.finance_tax_document_id.action_open_jobs()

    def action_finance_tax_exchanges(self):
        """List what was exchanged with the engine about the document."""
        return self.finance_tax_document_id.action_open_exchanges()


def _charged(result):
    """Return the taxes of a `TaxResult` that a document shows."""
    return [tax for tax in result.taxes if tax.amount or tax.taxable and tax.rate]
