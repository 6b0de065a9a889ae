import math
import time
from collections import defaultdict
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from uuid import uuid4

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.models.finance_connector import ConnectorClosed
from odoo.addons.finance_connector_base.models.finance_vault import VaultClosed
from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    ProviderError,
    Rejected,
    Transient,
)

from ..canonical.tax import INVOICE, REFUND, TaxDocument, TaxLine
from .account_tax import FLAG, is_carrier
from .finance_tax_document import STATES, applied_hash

# Code of an outage that is ours: the connector is stopped, not complete, or without a vault key.
CLOSED = "closed"
KINDS = {"out_invoice": INVOICE, "out_refund": REFUND}


class Estimate:
    """What an engine said about one draft, before it is written on it."""

    def __init__(self, request, result, source="engine"):
        self.request, self.result, self.source = request, result, source


class AccountMove(models.Model):
    _inherit = "account.move"

    finance_tax_document_ids = fields.One2many(
        "finance.tax.document", "move_id", string="Tax documents", readonly=True
    )
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
    finance_tax_obstacle = fields.Char(
        "Why tax can't be computed", compute="_compute_finance_tax_stale"
    )

    # === COMPUTE METHODS === #

    @api.depends("move_type", "company_id", "partner_shipping_id", "finance_tax_document_ids.state")
    def _compute_finance_tax(self):
        workflows = {}
        for move in self:
            if move.company_id not in workflows:
                workflows[move.company_id] = move._finance_tax_workflow_of_company()
            workflow = workflows[move.company_id]
            documents = move._origin.sudo().finance_tax_document_ids
            current = documents.filtered(lambda d, w=workflow: d.connector_id == w.connector_id)
            document = (current or documents)[:1]
            move.finance_tax_applies = move._finance_tax_applies_to(workflow)
            move.finance_tax_document_id = document.id
            move.finance_tax_state = document.state
            move.finance_tax_code = document._code() if document.revision else False
            move.finance_tax_trace_id = document.trace_id
            move.finance_tax_computed_at = document.computed_at
            move.finance_tax_committed_at = document.committed_at
            move.finance_tax_line_ids = document.line_ids.sudo(self.env.su)

    def _search_finance_tax_state(self, operator, value):
        return [("finance_tax_document_ids.state", operator, value)]

    @api.depends(
        "state",
        "move_type",
        "currency_id",
        "invoice_date",
        "partner_id",
        "partner_shipping_id",
        "invoice_payment_term_id",
        "reversed_entry_id",
        "finance_tax_document_ids.content_hash",
        "finance_tax_document_ids.applied_hash",
        "invoice_line_ids.price_subtotal",
        "invoice_line_ids.quantity",
        "invoice_line_ids.tax_ids",
        "invoice_line_ids.product_id",
        "invoice_line_ids.extra_tax_data",
    )
    def _compute_finance_tax_stale(self):
        for move in self:
            move.finance_tax_stale = move.finance_tax_obstacle = False
            if move.state != "draft" or not move.finance_tax_applies:
                continue
            workflow = move._finance_tax_workflow()
            move.finance_tax_obstacle = move._finance_tax_find_obstacle()
            move.finance_tax_stale = not move._finance_tax_is_current(workflow)

    # === WHO IS TAXED BY WHOM === #

    def _finance_tax_workflow_of_company(self):
        workflows = self.env["finance.workflow"]
        return workflows._serving(self.company_id, "tax") if self.company_id else workflows

    def _finance_tax_workflow(self):
        """Return the `finance.workflow` of the engine that taxes this document, or an empty one."""
        self.ensure_one()
        workflow = self._finance_tax_workflow_of_company()
        return workflow if self._finance_tax_applies_to(workflow) else workflow.browse()

    def _finance_tax_applies_to(self, workflow):
        if not workflow or self.move_type not in KINDS:
            return False
        countries = workflow.tax_country_ids
        return not countries or self._finance_tax_ship_to().country_id in countries

    def _finance_tax_document_of(self, workflow):
        """Return the `finance.tax.document` of the move at an engine, empty when there is none."""
        return self._origin.sudo().finance_tax_document_ids.filtered(
            lambda document: document.connector_id == workflow.connector_id
        )

    def _finance_tax_ship_to(self):
        return self.partner_shipping_id or self.partner_id

    # === WHAT THE ENGINE IS ASKED === #

    def _finance_tax_lines(self):
        """Return the lines that the engine taxes, in the order of their creation.

        Down payment lines have a computation key; Odoo splits their tax itself. Moving a line up
        or down changes no tax, so it must not change the numbers of the lines.
        """
        lines = self.invoice_line_ids.filtered(lambda line: line._finance_tax_is_taxed())
        return lines.sorted(lambda line: line._origin.id or math.inf)

    def _finance_tax_numbered_lines(self):
        """Return {line number at the engine: invoice line}."""
        return {
            str(position): line for position, line in enumerate(self._finance_tax_lines(), start=1)
        }

    def _finance_tax_request(self, workflow):
        """Return the move as a canonical `TaxDocument`, in its own currency, without a code."""
        self.ensure_one()
        customer = self.commercial_partner_id
        original = self._finance_tax_original_move()
        return TaxDocument(
            kind=KINDS[self.move_type],
            seller=self._finance_tax_seller(workflow),
            customer=customer.ref or f"ODOO-{customer._origin.id or customer.id}",
            currency=self.currency_id.name,
            date=self.invoice_date or fields.Date.context_today(self),
            tax_date=original.invoice_date or None,
            ship_from=self.company_id.partner_id.sudo()._finance_address(),
            ship_to=self._finance_tax_ship_to()._finance_address(),
            exemption_number=customer.finance_tax_exemption_number or "",
            entity_use_code=customer.finance_tax_entity_use_code or "",
            vat_number=customer.vat or "",
            lines=tuple(
                self._finance_tax_line(number, line)
                for number, line in self._finance_tax_numbered_lines().items()
            ),
        )

    def _finance_tax_line(self, number, line):
        product = line.product_id
        return TaxLine(
            number=number,
            amount=self._finance_decimal(line.price_subtotal),
            quantity=Decimal(repr(abs(line.quantity))),
            item_code=product.default_code or "",
            tax_code=product.finance_tax_code or product.categ_id._finance_tax_code(),
            description=line.name or "",
        )

    def _finance_decimal(self, amount):
        """Return an amount of the document's currency as the exact `Decimal` it stands for."""
        unit = Decimal(1).scaleb(-self.currency_id.decimal_places)
        return Decimal(repr(amount)).quantize(unit, ROUND_HALF_UP)

    @staticmethod
    def _finance_tax_seller(workflow):
        setting = workflow.connector_id._known_class().seller_setting
        return workflow._company_settings().get(setting, "") if setting else ""

    def _finance_tax_original_move(self):
        """Return the invoice that a credit note takes back, empty when there is none."""
        return self.reversed_entry_id if self.move_type == "out_refund" else self.browse()

    def _finance_tax_original(self):
        """Return the tax document of the invoice that a credit note takes back."""
        original = self._finance_tax_original_move()
        workflow = self._finance_tax_workflow_of_company()
        return original._finance_tax_document_of(workflow) if original else None

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
        included = self._finance_tax_lines().tax_ids.filtered("price_include")
        if included:
            return self.env._(
                "The tax engine needs prices without tax, but %(taxes)s is included in the price."
                " Take it off the lines.",
                taxes=format_list(self.env, included.mapped("name")),
            )
        term = self.invoice_payment_term_id
        if term.early_discount and term.early_pay_discount_computation == "mixed":
            return self.env._(
                "The payment term %(term)s reduces the tax when the discount is taken, by"
                " percentages that a tax engine does not use. Choose another payment term.",
                term=term.display_name,
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

    def _finance_tax_rate(self):
        return self.invoice_currency_rate or 1.0

    def _finance_tax_is_current(self, workflow):
        document = self._finance_tax_document_of(workflow)
        if not document:
            return self._finance_tax_mirrors(workflow)
        if not document.content_hash or self._finance_tax_find_obstacle():
            return False
        content = self._finance_tax_request(workflow).content()
        return document.content_hash == codec.digest(content) and self._finance_tax_is_applied(
            document
        )

    def _finance_tax_mirrors(self, workflow):
        """Tell whether a credit note takes back its invoice whole, with the same tax.

        Then the amounts carried over are right by themselves, also when the customer has become
        exempt or a rate has changed since.
        """
        original = self._finance_tax_original_move()
        document = original._finance_tax_document_of(workflow) if original else None
        return bool(
            document
            and document.applied_hash
            and original.state == "posted"
            and original.currency_id == self.currency_id
            and original.commercial_partner_id == self.commercial_partner_id
            and all(line._finance_tax_carried() for line in self._finance_tax_lines())
            and document.applied_hash == self._finance_tax_applied_hash()
        )

    def _finance_tax_mirrored(self, workflow):
        """Return the `Estimate` of a credit note that mirrors its invoice."""
        document = self._finance_tax_original()
        asked = document._request()
        request = replace(
            asked,
            kind=REFUND,
            date=self.invoice_date or fields.Date.context_today(self),
            tax_date=asked.tax_date or asked.date,
        )
        return Estimate(request, document._result(), "original")

    # === ESTIMATE === #

    def action_finance_compute_tax(self):
        """Ask the engine for the tax of these drafts and write it on them."""
        self.check_access("write")
        moves = self.filtered(lambda move: move.state == "draft" and move._finance_tax_workflow())
        if not moves:
            raise UserError(
                self.env._("Only draft invoices that a tax engine serves are computed.")
            )
        moves._finance_tax_estimate()

    def _finance_tax_estimate(self, at_post=False):
        """Bring the tax of the drafts up to date, with one question for all that need one.

        at_post: the documents are about to be posted, so the policy for an engine that does not
        answer applies. Raises UserError for documents that the engine can't or won't tax.
        """
        asked, known, unrecorded = {}, {}, self.browse()
        for move in self:
            workflow = move._finance_tax_workflow()
            if move._finance_tax_is_current(workflow) and move._finance_tax_document_of(workflow):
                continue
            if move._finance_tax_original_unrecorded(workflow):
                unrecorded |= move
                continue
            estimate = move._finance_tax_known(workflow)
            if estimate:
                known[move] = estimate
                continue
            obstacle = move._finance_tax_find_obstacle()
            if obstacle:
                move._finance_tax_refuse(obstacle)
            asked[move] = move._finance_tax_request(workflow).content()
        traces = {
            move: move._finance_tax_document_of(move._finance_tax_workflow()).trace_id
            or uuid4().hex
            for move in asked
        }
        answers = self._finance_tax_ask(asked, traces)
        failed = {move: a for move, a in answers.items() if isinstance(a, ProviderError)}
        self._finance_tax_raise_rejected(failed)
        if failed and not at_post:
            self._finance_tax_raise_outage(failed)
        for move, answer in answers.items():
            if move not in failed:
                known[move] = Estimate(asked[move], answer)
        self._finance_tax_apply(known, traces)
        self._finance_tax_outage(failed, traces)
        unrecorded._finance_tax_as_original(at_post)

    def _finance_tax_known(self, workflow):
        """Return an `Estimate` that needs no question, None when there is none."""
        document = self._finance_tax_document_of(workflow)
        if self._finance_tax_mirrors(workflow):
            return self._finance_tax_mirrored(workflow)
        if not document.content_hash or self._finance_tax_find_obstacle():
            return None
        content = self._finance_tax_request(workflow).content()
        if document.content_hash != codec.digest(content):
            return None
        return Estimate(document._request(), document._result(), document.source)

    def _finance_tax_ask(self, asked, traces):
        """Ask the engines within one deadline; return {move: `TaxResult` or `ProviderError`}."""
        groups = defaultdict(self.browse)
        for move in asked:
            groups[move._finance_tax_workflow(), move.company_id] |= move
        started, answers = time.monotonic(), {}
        for (workflow, company), moves in groups.items():
            left = workflow.tax_seconds - (time.monotonic() - started)
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

    def action_finance_tax_jobs(self):
        """List the jobs of the tax document."""
        return self.finance_tax_document_id.action_open_jobs()

    def action_finance_tax_exchanges(self):
        """List what was exchanged with the engine about the document."""
        return self.finance_tax_document_id.action_open_exchanges()

    # === APPLY === #

    def _finance_tax_apply(self, estimates, traces):
        """Write engine amounts on drafts, all in one synchronisation; {move: `Estimate`}."""
        if not estimates:
            return
        moves = self.browse([move.id for move in estimates])
        values = {}
        for move, estimate in estimates.items():
            values.update(move._finance_tax_values(estimate.result))
        moves._finance_tax_write(values)
        for move, estimate in estimates.items():
            workflow = move._finance_tax_workflow()
            content = move._finance_tax_request(workflow).content()
            move._finance_tax_ensure_document(workflow, traces.get(move))._estimated(
                codec.digest(content),
                estimate.request,
                estimate.result,
                estimate.source,
                move._finance_tax_applied_hash(),
            )

    def _finance_tax_ensure_document(self, workflow, trace_id=None):
        """Return the tax document of the move, a new one with ``trace_id`` when there is none.

        Of two sessions that post the same draft, the later one meets a conflict on the move, which
        Odoo retries, and not a duplicate document, which it does not.
        """
        document = self._finance_tax_document_of(workflow)
        if document:
            return document
        self.env.cr.execute(
            "SELECT FROM account_move WHERE id = %s FOR UPDATE", [self.id], log_exceptions=False
        )
        return document.create(
            {
                "move_id": self.id,
                "connector_id": workflow.connector_id.id,
                "company_id": self.company_id.id,
                "currency_id": self.currency_id.id,
                "trace_id": trace_id or uuid4().hex,
            }
        )

    def _finance_tax_write(self, values):
        """Write {line: values} on the lines of drafts in one synchronisation of journal items."""
        self = self.with_context(skip_is_manually_modified=True)
        container = {"records": self}
        with self._check_balanced(container), self._sync_dynamic_lines(container):
            for line, vals in values.items():
                changed = {
                    name: value
                    for name, value in vals.items()
                    if self._finance_differs(line, name, value)
                }
                if changed:
                    line.with_context(skip_is_manually_modified=True).write(changed)

    @staticmethod
    def _finance_differs(line, name, value):
        if name == "tax_ids":
            return sorted(line.tax_ids.ids) != sorted(value[0][2])
        return line[name] != value

    def _finance_tax_values(self, result):
        """Return {line: values}: the taxes of each line, and its exact amounts."""
        workflow = self._finance_tax_workflow()
        charged = [tax for tax in result.taxes if tax.amount or tax.taxable and tax.rate]
        taxes = self.env["finance.tax.jurisdiction"]._taxes(
            self.company_id,
            self.tax_country_id or self.company_id.account_fiscal_country_id,
            charged,
            workflow._tax_account(self.company_id),
        )
        amounts = self._finance_tax_amounts(charged, taxes)
        values = {}
        for number, line in self._finance_tax_numbered_lines().items():
            manual = amounts.get(number, {})
            values[line] = {
                "tax_ids": [Command.set([int(tax_id) for tax_id in manual])],
                "extra_tax_data": {
                    FLAG: 1,
                    "manual_tax_amounts": manual,
                    "currency_id": line.currency_id.id,
                    "price_unit": line.price_unit,
                    "discount": line.discount,
                    "quantity": line.quantity,
                    "rate": self._finance_tax_rate(),
                },
            }
        return values

    def _finance_tax_amounts(self, charged, taxes):
        """Return {line number: {tax id as text: amounts}} as ``manual_tax_amounts`` wants them."""
        amounts = defaultdict(dict)
        for tax in charged:
            cell = amounts[tax.line].setdefault(
                str(taxes[tax.key].id), {"tax": Decimal(0), "base": Decimal(0)}
            )
            cell["tax"] += tax.amount
            cell["base"] = max(cell["base"], tax.taxable, key=abs)
        company = self._finance_tax_company_amounts(amounts)
        return {
            number: {
                tax_id: {
                    "tax_amount_currency": float(cell["tax"]),
                    "base_amount_currency": float(cell["base"]),
                    **company.get((number, tax_id), {}),
                }
                for tax_id, cell in cells.items()
            }
            for number, cells in amounts.items()
        }

    def _finance_tax_company_amounts(self, amounts):
        """Return {(line number, tax id): {"tax_amount": x}} for a document in foreign currency.

        Each journal item is to be its amount divided by the rate, rounded once: the cents that
        rounding line by line would lose or add go to the lines with the largest remainder.
        """
        if self.currency_id == self.company_id.currency_id:
            return {}
        rate = Decimal(repr(self._finance_tax_rate()))
        unit = Decimal(1).scaleb(-self.company_id.currency_id.decimal_places)
        by_tax = defaultdict(dict)
        for number, cells in amounts.items():
            for tax_id, cell in cells.items():
                by_tax[tax_id][number] = cell["tax"]
        return {
            (number, tax_id): {"tax_amount": float(share)}
            for tax_id, parts in by_tax.items()
            for number, share in _converted(parts, rate, unit).items()
        }

    # === OUTAGE === #

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
            if taxes:
                values[line]["tax_ids"] = [Command.set(taxes.ids)]
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

    def _finance_tax_original_unrecorded(self, workflow):
        """Tell whether a credit note takes back what was posted with the fallback rate.

        The engine knows nothing of that invoice, so it must not be told to take it back.
        """
        original = self._finance_tax_original_move()
        document = original._finance_tax_document_of(workflow) if original else None
        return bool(document and document.state == "fallback" and original.state == "posted")

    def _finance_tax_as_original(self, at_post):
        """Let credit notes keep the fallback rate that their lines have from the invoice."""
        for move in self:
            reason = self.env._(
                "%(original)s was posted with the fallback rate and is not recorded",
                original=move.reversed_entry_id.display_name,
            )
            if not at_post:
                move._finance_tax_refuse(reason)
            document = move._finance_tax_ensure_document(move._finance_tax_workflow())
            document._fell_back()
            document._raise_fallback(reason)

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

    # === POST === #

    def _post(self, soft=True):
        """Tax up to date before, ledger compared after, recorded once the transaction is done."""
        engine_moves = self._finance_tax_before_post(soft)
        posted = super()._post(soft)
        (posted & engine_moves)._finance_tax_after_post()
        return posted

    def _finance_tax_before_post(self, soft):
        """Return the moves that an engine serves, with their tax up to date."""
        moves = self.browse()
        if not self.env.su and not self.env.user.has_group("account.group_account_invoice"):
            return moves
        today = fields.Date.context_today(self)
        for move in self:
            # what Odoo is going to refuse is not worth a question
            if move.state != "draft" or not move.partner_id or not move._finance_tax_lines():
                continue
            if not move._finance_tax_workflow():
                continue
            if soft and move.date > today:
                continue
            move._finance_tax_date(today)
            moves |= move
        moves._finance_tax_estimate(at_post=True)
        return moves

    def _finance_tax_date(self, today):
        """Set a missing invoice date now, as Odoo does in `_post`: tax depends on it."""
        if self.invoice_date:
            return
        expected = self._get_expected_currency_rate_at(self.create_date.date())
        manual = self.invoice_currency_rate != expected
        keep = self.env.protecting([self._fields["invoice_currency_rate"]], self)
        with keep if manual else nullcontext():
            self.with_context(skip_is_manually_modified=True).invoice_date = today

    def _finance_tax_after_post(self):
        to_record = self.env["finance.tax.document"]
        for move in self:
            document = move._finance_tax_document_of(move._finance_tax_workflow())
            result = document._result()
            if result is None:
                continue
            booked, engine = move._finance_tax_booked(), result.by_key()
            if booked == engine:
                to_record |= document
                continue
            document.state = "mismatch"
            document._raise_mismatch(sum(engine.values()), sum(booked.values()))
        if to_record:
            to_record._post()

    def _finance_tax_booked(self):
        """Return {jurisdiction key: tax in the journal}, in the document's currency.

        Amounts are positive on invoices and credit notes. A tax that is no jurisdiction's stands
        under its own name. Cash rounding on a tax is no tax.
        """
        self.env["account.move.line"].flush_model()
        lines = self.line_ids.filtered(lambda line: line.tax_line_id and line.display_type == "tax")
        keys = self.env["finance.tax.jurisdiction"]._keys_of(lines.tax_line_id)
        booked = defaultdict(Decimal)
        for line in lines:
            key = (keys.get(line.tax_line_id.id) or [f"tax/{line.tax_line_id.id}"])[0]
            booked[key] += self._finance_decimal(self.direction_sign * line.amount_currency)
        return {key: amount for key, amount in booked.items() if amount}

    # === TAKEN BACK === #

    def write(self, vals):
        """A posted document that becomes draft or cancelled is made void at the engine."""
        leaving = self.browse()
        if vals.get("state") in ("draft", "cancel"):
            leaving = self.filtered(lambda move: move.state == "posted")
        result = super().write(vals)
        documents = leaving.sudo().finance_tax_document_ids
        if documents:
            documents._withdraw()
        return result

    def unlink(self):
        """Tax documents go with the draft, unless work or the engine still needs them."""
        self.sudo().finance_tax_document_ids.unlink()
        return super().unlink()

    # === JOURNAL ITEMS FOLLOW THE CARRIER === #

    @contextmanager
    def _sync_tax_lines(self, container):
        """Recompute tax items also where only the carried amounts of a line have changed.

        Odoo watches price, quantity, discount and taxes of a line; amounts that an engine corrects
        while all of these stay would otherwise never reach the journal.
        """
        before = {
            line: (line.extra_tax_data, line._finance_tax_tracked())
            for line in container["records"].filtered(_may_carry).line_ids
            if line.display_type == "product"
        }
        with super()._sync_tax_lines(container):
            yield
        for move in container["records"]:
            if _may_carry(move) and move._finance_tax_only_carrier_changed(before):
                move._finance_tax_sync()

    def _finance_tax_only_carrier_changed(self, before):
        changed = False
        for line in self.line_ids:
            if line.display_type != "product":
                continue
            # an added or edited line has made Odoo recompute the move already
            if line not in before or before[line][1] != line._finance_tax_tracked():
                return False
            changed = changed or before[line][0] != line.extra_tax_data
        return changed

    def _finance_tax_sync(self):
        """Bring the tax items in line with the carried amounts, as `_sync_tax_lines` does."""
        AccountTax = self.env["account.tax"]
        base_lines, tax_lines = self._get_rounded_base_and_tax_lines(round_from_tax_lines=False)
        AccountTax._add_accounting_data_in_base_lines_tax_details(
            base_lines, self.company_id, include_caba_tags=self.always_tax_exigible
        )
        results = AccountTax._prepare_tax_lines(base_lines, self.company_id, tax_lines=tax_lines)
        for base_line, vals in results["base_lines_to_update"]:
            base_line["record"]._finance_write_changed(vals)
        for tax_line, _grouping_key, vals in results["tax_lines_to_update"]:
            tax_line["record"]._finance_write_changed(vals)
        obsolete = [tax_line["record"].id for tax_line in results["tax_lines_to_delete"]]
        if obsolete:
            self.line_ids.browse(obsolete).with_context(dynamic_unlink=True).unlink()
        added = [
            {**vals, "display_type": "tax", "move_id": self.id}
            for vals in results["tax_lines_to_add"]
        ]
        if added:
            self.env["account.move.line"].create(added)


def _may_carry(move):
    return move.state == "draft" and move.move_type in KINDS


def _converted(parts, rate, unit):
    """Divide amounts by ``rate`` so that the rounded shares sum to the rounded total.

    parts: {name: Decimal}. unit: smallest amount of the target currency. The cents left over go to
    the shares with the largest remainder.
    """
    exact = {name: amount / rate for name, amount in parts.items()}
    shares = {name: (value // unit) * unit for name, value in exact.items()}
    total = sum(exact.values(), Decimal(0)).quantize(unit, ROUND_HALF_UP)
    by_remainder = sorted(exact, key=lambda name: -abs(exact[name] - shares[name]))
    left = int((total - sum(shares.values(), Decimal(0))) / unit)
    step = unit if left >= 0 else -unit
    for name in by_remainder[: abs(left)]:
        shares[name] += step
    return shares
