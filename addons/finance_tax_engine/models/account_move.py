from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

from odoo import Command, api, fields, models

from ..canonical.tax import INVOICE, REFUND
from .account_move_line import DUE_LINES, DueLines
from .finance_tax_mixin import Estimate

KINDS = {"out_invoice": INVOICE, "out_refund": REFUND}


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "finance.tax.mixin"]

    finance_tax_document_ids = fields.One2many(
        "finance.tax.document", "move_id", string="Tax documents", readonly=True
    )

    # === HOOKS OF A DOCUMENT === #

    def _finance_tax_kind(self):
        return KINDS.get(self.move_type)

    def _finance_tax_date(self):
        return self.invoice_date or fields.Date.context_today(self)

    def _finance_tax_owner(self):
        return {"move_id": self.id}

    def _finance_tax_all_lines(self):
        return self.invoice_line_ids

    def _finance_tax_customer(self):
        return self.commercial_partner_id

    def _finance_tax_rate(self):
        return self.invoice_currency_rate or 1.0

    def _finance_tax_payment_term(self):
        return self.invoice_payment_term_id

    def _finance_tax_original_move(self):
        """Return the invoice that a credit note takes back, empty when there is none."""
        return self.reversed_entry_id if self.move_type == "out_refund" else self.browse()

    def _finance_tax_write(self, values):
        """Write {line: values} on the lines of drafts in one synchronisation of journal items."""
        due = DueLines()
        context = {"skip_is_manually_modified": True, DUE_LINES: due if len(self) > 1 else None}
        self = self.with_context(**context)
        lines = self.env["account.move.line"]
        container = {"records": self}
        by_taxes = defaultdict(lines.browse)
        for line, vals in values.items():
            if "tax_ids" in vals and sorted(line.tax_ids.ids) != sorted(vals["tax_ids"]):
                by_taxes[tuple(vals["tax_ids"])] += line
        with self._check_balanced(container):
            with self._sync_dynamic_lines(container):
                for tax_ids, changed in by_taxes.items():
                    changed.tax_ids = [Command.set(tax_ids)]
                for line, vals in values.items():
                    line._finance_tax_carry(vals["extra_tax_data"])
            due.write()

    # === COMPUTE METHODS === #

    @api.depends(
        "state",
        "move_type",
        "company_id",
        "journal_id",
        "fiscal_position_id",
        "partner_shipping_id",
        "reversed_entry_id",
        "finance_tax_document_ids.state",
    )
    def _compute_finance_tax(self):
        return super()._compute_finance_tax()

    @api.depends("finance_tax_document_ids.result", "invoice_line_ids.name")
    def _compute_finance_tax_zero_words(self):
        return super()._compute_finance_tax_zero_words()

    @api.depends(
        "state",
        "finance_tax_applies",
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
        return super()._compute_finance_tax_stale()

    # === CREDIT NOTES === #

    def _finance_tax_original(self, workflow):
        """Return the tax document of the invoice that a credit note takes back, None without."""
        original = self._finance_tax_original_move()
        return original._finance_tax_document_of(workflow) if original else None

    def _finance_tax_mirrors(self, workflow):
        """Tell whether a credit note takes back its invoice whole, with the same tax.

        Then the amounts carried over are right by themselves, also when the customer has become
        exempt or a rate has changed since.
        """
        original, document = self._finance_tax_original_move(), self._finance_tax_original(workflow)
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
        document = self._finance_tax_original(workflow)
        asked = document._request()
        request = replace(
            asked,
            kind=REFUND,
            date=self._finance_tax_date(),
            tax_date=asked.tax_date or asked.date,
        )
        return Estimate(request, document._result(), "original")

    def _finance_tax_is_current(self, workflow):
        if not self._finance_tax_document_of(workflow):
            return self._finance_tax_mirrors(workflow)
        return super()._finance_tax_is_current(workflow)

    def _finance_tax_known(self, workflow):
        if self._finance_tax_mirrors(workflow):
            return self._finance_tax_mirrored(workflow)
        return super()._finance_tax_known(workflow)

    def _finance_tax_not_asked(self, workflow):
        """Tell whether a credit note takes back what was posted with the fallback rate.

        The engine knows nothing of that invoice, so it must not be told to take it back.
        """
        original, document = self._finance_tax_original_move(), self._finance_tax_original(workflow)
        return bool(document and document.state == "fallback" and original.state == "posted")

    def _finance_tax_without_question(self, at_post):
        """Let credit notes keep the fallback rate that their lines have from the invoice."""
        for move in self:
            reason = self.env._(
                "%(original)s was posted with the fallback rate and is not recorded",
                original=move.reversed_entry_id.display_name,
            )
            if not at_post:
                move._finance_tax_refuse(reason)
            document = move._finance_tax_ensure_document(move._finance_tax_workflow())
            original = move._finance_tax_original(move._finance_tax_workflow())
            document._fell_back(original.source, connector=original.fallback_connector_id)
            document._raise_fallback(reason)

    # === POST === #

    def _post(self, soft=True):
        """Tax up to date before, ledger compared after, recorded once the transaction is done."""
        routes = self._finance_tax_before_post(soft)
        posted = super()._post(soft)
        posted._finance_tax_after_post(routes)
        return posted

    def _finance_tax_before_post(self, soft):
        """Return {move: `Route`} of what Odoo does not tax itself, with their tax up to date."""
        routes = {move: move._finance_tax_route() for move in self._finance_tax_to_post(soft)}
        moves = self.filtered(lambda move: move in routes and routes[move].workflow)
        moves._finance_tax_set_date()
        moves._finance_tax_estimate(at_post=True)
        return {move: route for move, route in routes.items() if route.target != "odoo"}

    def _finance_tax_to_post(self, soft):
        """Return those that are posted now; what Odoo refuses is not worth a question."""
        if not self.env.su and not self.env.user.has_group("account.group_account_invoice"):
            return self.browse()
        today = fields.Date.context_today(self)
        return self.filtered(
            lambda move: (
                move.state == "draft"
                and move.partner_id
                and not (soft and move.date > today)
                and move._finance_tax_lines()
            )
        )

    def _finance_tax_set_date(self):
        """Set a missing invoice date now, as Odoo does in `_post`: tax depends on it."""
        undated = self.filtered(lambda move: not move.invoice_date)
        manual = undated.filtered(
            lambda move: (
                move.invoice_currency_rate
                != move._get_expected_currency_rate_at(move.create_date.date())
            )
        )
        today = fields.Date.context_today(self)
        quiet = {"skip_is_manually_modified": True}
        (undated - manual).with_context(**quiet).write({"invoice_date": today})
        with self.env.protecting([self._fields["invoice_currency_rate"]], manual):
            manual.with_context(**quiet).write({"invoice_date": today})

    def _finance_tax_after_post(self, routes):
        """Have recorded what the journal has as the engine says, and keep what is elsewhere."""
        to_record = self.env["finance.tax.document"]
        self.env["account.move.line"].flush_model()
        keys = self.env["finance.tax.jurisdiction"]._keys_of(self.line_ids.tax_line_id)
        for move in self.filtered(lambda move: move in routes):
            workflow = routes[move].workflow
            if routes[move].target == "elsewhere":
                move._finance_tax_keep_elsewhere(routes[move])
                continue
            document = move._finance_tax_document_of(workflow)
            result = document._result()
            if result is None:
                continue
            booked, engine = move._finance_tax_booked(keys), result.by_key()
            if booked == engine and not move._finance_tax_records(workflow):
                document._post_unrecorded()
                continue
            if booked == engine:
                to_record |= document
                continue
            document.state = "mismatch"
            document._raise_mismatch(sum(engine.values()), sum(booked.values()), result)
        if to_record:
            to_record._post()

    def _finance_tax_booked(self, keys=None):
        """Return {jurisdiction key: tax in the journal}, in the document's currency.

        Amounts are positive on invoices and credit notes. A tax that is no jurisdiction's stands
        under its own name; those that a person has put beside the engine's are left out. Cash
        rounding on a tax is no tax. What a final invoice takes off for down payments is not taken
        off here: the engine gets to know the whole sale with the final invoice, and nothing of the
        down payments. keys: {tax id: [keys]} when known.
        """
        taxed = self._finance_tax_lines()
        kept = taxed._finance_tax_by_hand()
        lines = self.line_ids.filtered(
            lambda line: line.display_type == "tax" and line.tax_line_id - kept
        )
        if keys is None:
            keys = self.env["finance.tax.jurisdiction"]._keys_of(lines.tax_line_id)
        booked = defaultdict(Decimal)
        for line in lines:
            booked[line.tax_line_id] += self._finance_decimal(
                self.direction_sign * line.amount_currency
            )
        if self.invoice_line_ids.filtered(lambda line: line.display_type == "product") - taxed:
            for tax, amount in self._finance_tax_of_others(taxed):
                booked[tax] -= self._finance_decimal(amount)
        by_key = defaultdict(Decimal)
        for tax, amount in booked.items():
            by_key[(keys.get(tax.id) or [f"tax/{tax.id}"])[0]] += amount
        return {key: amount for key, amount in by_key.items() if amount}

    def _finance_tax_of_others(self, taxed):
        """Yield (account.tax, amount in the document's currency) of product lines but ``taxed``."""
        base_lines, _tax_lines = self._get_rounded_base_and_tax_lines()
        for base_line in base_lines:
            line = base_line["record"]
            if line.display_type == "product" and line not in taxed:
                for tax_data in base_line["tax_details"]["taxes_data"]:
                    yield tax_data["tax"], tax_data["tax_amount_currency"]

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
