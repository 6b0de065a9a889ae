"""Tax that was charged without the engine, and what the engine says of it later."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_compare, format_date

from odoo.addons.finance_connector_base.actions import listing
from odoo.addons.finance_connector_base.canonical import codec

from ..canonical.tax import TaxDocument, TaxResult
from .account_tax import FLAG
from .finance_tax_true_up_policy import WAYS

ZERO = Decimal(0)


class FinanceTaxTrueUp(models.Model):
    """One difference between a posted document and its engine, from its finding to its settling.

    Amounts are positive on invoices and credit notes. What a person chooses is written as drafts
    only; when they are posted, the engine is told what the ledger then says.
    """

    _name = "finance.tax.true.up"
    _description = "Tax True-up"
    _order = "id desc"

    document_id = fields.Many2one(
        "finance.tax.document", required=True, readonly=True, index=True, ondelete="cascade"
    )
    move_id = fields.Many2one(
        "account.move", "Invoice", related="document_id.move_id", store=True, index=True
    )
    company_id = fields.Many2one(related="document_id.company_id", store=True, index=True)
    connector_id = fields.Many2one(related="document_id.connector_id", store=True)
    partner_id = fields.Many2one(related="move_id.commercial_partner_id", string="Customer")
    currency_id = fields.Many2one(related="document_id.currency_id", store=True)
    state = fields.Selection(
        [
            ("open", "To be decided"),
            ("drafted", "Drafts to be posted"),
            ("settled", "Settled"),
            ("withdrawn", "No longer needed"),
        ],
        required=True,
        readonly=True,
        default="open",
        index=True,
    )
    proposal = fields.Selection(WAYS, readonly=True)
    way = fields.Selection(WAYS, "Settled by", readonly=True)
    source = fields.Char("Tax from", readonly=True, help="What the document was posted with.")
    origin = fields.Char(readonly=True)
    fallback_connector_id = fields.Many2one("finance.connector", readonly=True)
    booked_total = fields.Monetary("Sent to the customer", readonly=True)
    booked_tax = fields.Monetary("Tax charged", readonly=True)
    engine_tax = fields.Monetary("Tax by the engine", readonly=True)
    difference = fields.Monetary(readonly=True, help="What the engine says more than was charged.")
    asked_at = fields.Datetime("Asked on", readonly=True)
    settled_at = fields.Datetime("Settled on", readonly=True)
    request = fields.Text(readonly=True, groups="base.group_system")
    result = fields.Text(readonly=True, groups="base.group_system")
    line_ids = fields.One2many("finance.tax.true.up.line", "true_up_id", readonly=True)
    correction_ids = fields.One2many(
        "account.move", "finance_tax_true_up_id", "Corrections", readonly=True
    )

    _one_open = models.UniqueIndex(
        "(document_id) WHERE state IN ('open', 'drafted')",
        "A document has one true-up that is not settled.",
    )

    @api.depends("move_id")
    def _compute_display_name(self):
        for true_up in self:
            name = true_up.move_id.display_name
            true_up.display_name = self.env._("True-up of %(document)s", document=name)

    def _result(self):
        """Return what the engine says, a `TaxResult`."""
        return codec.load(TaxResult, self.sudo().result)

    def _request(self):
        """Return the `TaxDocument` that the engine was asked about."""
        return codec.load(TaxDocument, self.sudo().request)

    # === FOUND === #

    @api.model
    def _found(self, document, request, result):
        """Keep that the engine says ``result`` of a posted document; return the true-up."""
        move = document.move_id
        booked, engine = move._finance_tax_booked(), result.by_key()
        names = {tax.key: tax for tax in result.taxes}
        charged = sum(booked.values(), ZERO)
        difference = result.total_tax - charged
        rows = []
        for key in sorted(booked.keys() | engine.keys()):
            tax = names.get(key)
            rows.append(
                {
                    "key": key,
                    "name": f"{tax.name} ({tax.region or tax.country})"
                    if tax
                    else self._named(key),
                    "booked": float(booked.get(key, ZERO)),
                    "engine": float(engine.get(key, ZERO)),
                    "difference": float(engine.get(key, ZERO) - booked.get(key, ZERO)),
                }
            )
        values = {
            "source": document._source_words(),
            "origin": document.source,
            "fallback_connector_id": document.fallback_connector_id.id,
            "booked_total": move.amount_total,
            "booked_tax": float(charged),
            "engine_tax": float(result.total_tax),
            "difference": float(difference),
            "asked_at": fields.Datetime.now(),
            "request": codec.dump(request),
            "result": codec.dump(result),
            "line_ids": [Command.clear(), *map(Command.create, rows)],
        }
        this = self.sudo()
        true_up = this.search([("document_id", "=", document.id), ("state", "=", "open")])
        if true_up:
            true_up.write(values)
        else:
            true_up = this.create(values | {"document_id": document.id})
        true_up.proposal = true_up._proposed()
        return true_up

    @api.model
    def _named(self, key):
        """Return the name of a tax in the books that the engine does not know."""
        row = self.env["finance.tax.jurisdiction"].sudo().search([("key", "=", key)], limit=1)
        if row:
            return f"{row.name} ({row.region or row.country_id.code})"
        if key.startswith("tax/"):
            return self.env["account.tax"].sudo().browse(int(key.removeprefix("tax/"))).name
        return key

    def _sign(self):
        """Return 1 for an invoice, which makes the company owe tax, and -1 for a credit note."""
        return -1 if self.move_id.move_type == "out_refund" else 1

    def _owed(self):
        """Return what the company owes more than it has booked, in the document's currency."""
        return self._sign() * self.difference

    def _proposed(self):
        """Return the way that the policy of the company and the destination proposes."""
        move = self.move_id
        country = move._finance_tax_ship_to().country_id
        policy = self.env["finance.tax.true.up.policy"]._for(move.company_id, country)
        possible = self._possible_ways()
        owed = self._owed() / (move.invoice_currency_rate or 1.0)
        within = float_compare(owed, policy.threshold, move.company_currency_id.decimal_places) <= 0
        if policy.account_id and policy.threshold and within and "bear" in possible:
            return "bear"
        way = policy.way or "reissue"
        return way if way in possible else next(iter(possible), False)

    def _possible_ways(self):
        """Return the ways that make sense for this document, the best first.

        What customers were charged too much is theirs, so the company can't keep it. Between
        authorities alone, nothing is to be paid by anybody. Where prices include the tax, another
        tax is another revenue, which takes a whole document.
        """
        move, owed = self.move_id, self._owed()
        whole = move.move_type == "out_invoice" and not self._credit_notes()
        ways = ["reissue"] if whole else []
        if any(line._finance_tax_includes_tax() for line in move._finance_tax_lines()):
            return ways
        if move.currency_id.is_zero(owed):
            return ["bear"]
        ways.append("tax_only")
        if owed > 0 or move._finance_tax_original_move()._finance_tax_is_borne():
            ways.append("bear")
        return ways

    def _credit_notes(self):
        """Return what of the invoice was credited already, by others than the true-up."""
        return self.move_id.reversal_move_ids.filtered(
            lambda move: move.state != "cancel" and not move.finance_tax_true_up_id
        )

    # === DATES === #

    def _default_day(self, way):
        """Return the date of a correction: an entry goes to the original's period while it is open."""
        move = self.move_id
        if way == "bear" and not move._finance_tax_is_closed(move.date):
            return move.date
        return move._finance_tax_open_day()

    # === DRAFTS === #

    def _draft(self, way, day, account=None):
        """Write the drafts of ``way``, dated ``day``; return them. Nothing is posted.

        account: where what the company bears is booked. Raises UserError where it can't be done.
        """
        self.ensure_one()
        if self.state != "open":
            raise UserError(
                self.env._(
                    "%(true_up)s is not open: post its drafts, or delete them to decide anew.",
                    true_up=self.display_name,
                )
            )
        if way not in self._possible_ways():
            raise UserError(
                self.env._(
                    "%(document)s can't be corrected this way: what customers were charged too much"
                    " is theirs, what is credited in part already can't be credited whole, and"
                    " prices with tax take a new document.",
                    document=self.move_id.display_name,
                )
            )
        if self.move_id._finance_tax_is_closed(day):
            raise UserError(
                self.env._("%(day)s lies in a locked period.", day=format_date(self.env, day))
            )
        drafts = getattr(self, f"_draft_{way}")(day, account)
        self.sudo().write({"state": "drafted", "way": way})
        return drafts

    def _reference(self):
        """Return what a correction says of the original."""
        move = self.move_id
        return self.env._(
            "Correction of tax: %(document)s of %(day)s",
            document=move.name,
            day=format_date(self.env, move.invoice_date or move.date),
        )

    def _linked(self, role, **values):
        return {
            "finance_tax_true_up_id": self.id,
            "finance_tax_true_up_role": role,
            "ref": self._reference(),
            **values,
        }

    def _draft_reissue(self, day, _account):
        """The invoice taken back as it was sent, and again with the engine's tax."""
        move = self.move_id
        credit = move._reverse_moves(
            [
                self._linked(
                    "credit",
                    invoice_date=day,
                    date=day,
                    invoice_currency_rate=move.invoice_currency_rate,
                )
            ]
        )
        if credit._finance_tax_booked() != move._finance_tax_booked():
            raise UserError(
                self.env._(
                    "A credit note of %(document)s would not have the same tax, because amounts in"
                    " its journal were changed by hand. Make the credit note yourself, or correct"
                    " the tax alone.",
                    document=move.display_name,
                )
            )
        invoice = move.copy(self._linked("invoice", invoice_date=day, date=day))
        return credit + invoice

    def _differences(self):
        """Return {tax: (amount, amount in the company's currency)} that the company owes more.

        In the company's currency what is owed in all is the engine's amount at the rate of the
        original, rounded once per authority.
        """
        move = self.move_id
        taxes = self._taxes()
        rate = Decimal(repr(move.invoice_currency_rate or 1.0))
        unit = Decimal(1).scaleb(-move.company_currency_id.decimal_places)
        owed, ledger = move._finance_tax_owed()
        booked, engine = move._finance_tax_booked(), self._result().by_key()
        found = {}
        for key in sorted(booked.keys() | engine.keys()):
            wanted = self._sign() * engine.get(key, ZERO)
            amount = wanted - self._sign() * booked.get(key, ZERO)
            company = (wanted / rate).quantize(unit, ROUND_HALF_UP) - ledger.get(key, ZERO)
            if owed.get(key, ZERO) != self._sign() * booked.get(key, ZERO):
                # the journal has it without what was paid down
                company = (amount / rate).quantize(unit, ROUND_HALF_UP)
            if amount:
                # a cent of rounding never goes against the amount: Odoo has no such items
                found[taxes[key]] = (amount, company if amount * company > 0 else ZERO)
        return found

    def _taxes(self):
        """Return {key: account.tax} of the authorities in the books and at the engine."""
        move, result = self.move_id, self._result()
        workflow = move._finance_tax_workflow()
        charged = [tax for tax in result.taxes if tax.amount]
        taxes = self.env["finance.tax.jurisdiction"]._taxes(
            move.company_id,
            move._finance_tax_country(),
            charged,
            workflow._tax_account(move.company_id),
        )
        return move._finance_tax_by_key() | taxes

    def _draft_tax_only(self, day, _account):
        """One document of the same customer and currency with nothing but the tax."""
        move, differences = self.move_id, self._differences()
        owed = sum((amount for amount, _company in differences.values()), ZERO)
        sign = 1 if owed > 0 else -1
        facts = {"price_unit": 0.0, "discount": 0.0, "quantity": 1.0}
        foreign = move.currency_id != move.company_currency_id
        manual = {
            str(tax.id): {
                "tax_amount_currency": float(sign * amount),
                "base_amount_currency": 0.0,
                **({"tax_amount": float(sign * company)} if foreign else {}),
            }
            for tax, (amount, company) in differences.items()
        }
        account = move._finance_tax_lines()[:1].account_id
        line = {
            "name": self._reference(),
            "account_id": account.id,
            "tax_ids": [Command.set([int(tax_id) for tax_id in manual])],
            "extra_tax_data": {
                FLAG: 1,
                "manual_tax_amounts": manual,
                **facts,
                "currency_id": move.currency_id.id,
                "rate": move.invoice_currency_rate,
            },
            **facts,
        }
        return self.env["account.move"].create(
            self._linked(
                "tax_only",
                move_type="out_invoice" if sign > 0 else "out_refund",
                reversed_entry_id=move.id
                if sign < 0 and move.move_type == "out_invoice"
                else False,
                company_id=move.company_id.id,
                journal_id=move.journal_id.id,
                partner_id=move.partner_id.id,
                partner_shipping_id=move.partner_shipping_id.id,
                fiscal_position_id=move.fiscal_position_id.id,
                currency_id=move.currency_id.id,
                invoice_currency_rate=move.invoice_currency_rate,
                invoice_date=day,
                date=day,
                invoice_line_ids=[Command.create(line)],
            )
        )

    def _draft_bear(self, day, account):
        """An entry that owes the authorities what the engine says, at the company's cost."""
        move, differences = self.move_id, self._differences()
        company = move.company_id
        cost = sum((amount for _amount, amount in differences.values()), ZERO)
        if cost and not account:
            raise UserError(
                self.env._("Choose the account that the borne difference is booked on.")
            )
        journal = self.env["account.journal"].search(
            [*self.env["account.journal"]._check_company_domain(company), ("type", "=", "general")],
            limit=1,
        )
        if not journal:
            raise UserError(
                self.env._(
                    "%(company)s has no journal for miscellaneous entries.", company=company.name
                )
            )
        lines = [self._tax_item(tax, amount, owed) for tax, (amount, owed) in differences.items()]
        if cost:
            currency_cost = sum((amount for amount, _owed in differences.values()), ZERO)
            lines.append(
                {
                    "name": self._reference(),
                    "account_id": account.id,
                    "amount_currency": float(currency_cost),
                    "balance": float(cost),
                }
            )
        common = {"currency_id": move.currency_id.id, "partner_id": move.commercial_partner_id.id}
        return self.env["account.move"].create(
            self._linked(
                "bear",
                move_type="entry",
                journal_id=journal.id,
                company_id=company.id,
                currency_id=move.currency_id.id,
                date=day,
                line_ids=[Command.create(common | line) for line in lines],
            )
        )

    def _tax_item(self, tax, amount, owed):
        """Return the values of a journal item that owes ``owed`` more to an authority."""
        refund = self.move_id.move_type == "out_refund"
        repartition = (
            tax.refund_repartition_line_ids if refund else tax.invoice_repartition_line_ids
        ).filtered(lambda line: line.repartition_type == "tax")[:1]
        booked = self.move_id.line_ids.filtered(lambda line: line.tax_line_id == tax)[:1]
        return {
            "name": tax.name,
            "display_type": "tax",
            "account_id": (repartition.account_id or booked.account_id).id,
            "tax_repartition_line_id": repartition.id,
            "tax_tag_ids": [Command.set(repartition.tag_ids.ids)],
            "amount_currency": float(-amount),
            "balance": float(-owed),
        }

    # === POSTED === #

    def _posted(self):
        return self.correction_ids.filtered(lambda move: move.state == "posted")

    def _corrected(self):
        """A correction was posted: when all is, the engine is told what the ledger then says."""
        for true_up in self.sudo().filtered(lambda row: row.state == "drafted"):
            posted = true_up._posted()
            if true_up.way != "reissue":
                true_up._check_exact()
                true_up.document_id._true_up_settled(true_up, posted.date)
                true_up._settle()
                continue
            roles = posted.mapped("finance_tax_true_up_role")
            if "credit" in roles:
                true_up.document_id.state = "settled"
            if {"credit", "invoice"} <= set(roles):
                true_up._settle()

    def _settle(self):
        places = self.currency_id.decimal_places
        self.write({"state": "settled", "settled_at": fields.Datetime.now()})
        self.document_id._audit(
            "tax.trued_up",
            way=self.way,
            booked=f"{self.booked_tax:.{places}f}",
            tax=f"{self.engine_tax:.{places}f}",
            currency=self.currency_id.name,
        )
        self.document_id._resolve(
            "tax.fallback", "tax.true_up", "tax.mismatch", note="tax.trued_up"
        )

    def _check_exact(self):
        """Refuse corrections that do not come to what the engine says, by authority."""
        owed = defaultdict(Decimal)
        for key, amount in self.move_id._finance_tax_booked().items():
            owed[key] += self._sign() * amount
        for move in self._posted():
            for key, amount in move._finance_tax_owed()[0].items():
                owed[key] += amount
        owed = {key: amount for key, amount in owed.items() if amount}
        wanted = {key: self._sign() * amount for key, amount in self._result().by_key().items()}
        if owed != wanted:
            raise UserError(
                self.env._(
                    "With its correction, %(document)s does not have the tax that the engine says:"
                    " the draft was changed. Delete it and make the correction anew.",
                    document=self.move_id.display_name,
                )
            )

    def _uncorrected(self):
        """A correction is no longer posted: the engine must not have what the ledger has not."""
        for true_up in self.sudo().filtered(lambda row: row.state in ("drafted", "settled")):
            kept = true_up._posted().mapped("finance_tax_true_up_role")
            if "credit" not in kept:
                true_up.document_id._true_up_undone(true_up)
            true_up.write({"state": "drafted", "settled_at": False})
            true_up._raise()
            true_up._undrafted()

    def _undrafted(self):
        """Drafts were deleted or cancelled: it is to be decided anew."""
        for true_up in self.sudo().exists().filtered(lambda row: row.state == "drafted"):
            if all(move.state == "cancel" for move in true_up.correction_ids):
                true_up.write({"state": "open", "way": False})

    def _withdrawn(self):
        """The document is asked about anew, or was found to need nothing."""
        self.sudo().filtered(lambda row: row.state == "open").state = "withdrawn"

    # === SAID === #

    def _raise(self):
        """Say to the accountant what was charged, what the engine says, and what is proposed."""
        places = self.currency_id.decimal_places
        self.env["finance.exception"].sudo()._raise(
            "tax.true_up",
            record=self.document_id,
            document=self.move_id,
            connector=self.connector_id,
            company=self.company_id,
            params={
                "sent": f"{self.booked_total:.{places}f}",
                "booked": f"{self.booked_tax:.{places}f}",
                "engine": f"{self.engine_tax:.{places}f}",
                "money": self.currency_id.name,
                "way": self.proposal,
                "parts": "; ".join(
                    f"{line.name} {line.booked:.{places}f} → {line.engine:.{places}f}"
                    f" ({line.difference:+.{places}f})"
                    for line in self.line_ids
                    if not self.currency_id.is_zero(line.difference)
                ),
            },
            amount=abs(self.difference),
            currency=self.currency_id,
        )

    # === BUTTONS === #

    def action_settle(self):
        """Open the step that writes the drafts, or the drafts themselves."""
        self.ensure_one()
        if self.state != "open":
            return self._open_moves(self.correction_ids)
        wizard = self.env["finance.tax.true.up.settle"]
        return wizard._open(self)

    def action_open_move(self):
        """Open the document that was posted without the engine."""
        self.ensure_one()
        return self.move_id.get_formview_action()

    def action_open_corrections(self):
        """Open the corrections."""
        self.ensure_one()
        return self._open_moves(self.correction_ids)

    def _open_moves(self, moves):
        if len(moves) == 1:
            return moves.get_formview_action()
        return listing(self.env._("Corrections"), "account.move", [("id", "in", moves.ids)])


class FinanceTaxTrueUpLine(models.Model):
    """The difference of one authority."""

    _name = "finance.tax.true.up.line"
    _description = "Tax True-up by Jurisdiction"
    _order = "true_up_id, id"

    true_up_id = fields.Many2one(
        "finance.tax.true.up", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="true_up_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="true_up_id.currency_id")
    key = fields.Char(readonly=True)
    name = fields.Char("Authority", readonly=True)
    booked = fields.Monetary("Charged", readonly=True)
    engine = fields.Monetary("By the engine", readonly=True)
    difference = fields.Monetary(readonly=True)
