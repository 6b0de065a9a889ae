from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..canonical.vat import INVALID, VALID


class FinanceVatSupply(models.Model):
    """A posted document that relies on a VAT number: what was known, what proves the transport.

    One row a document; a row of the recapitulative statement. Amounts are in the company's
    currency and without tax, negative on credit notes.
    """

    _name = "finance.vat.supply"
    _inherit = ["finance.personal.mixin"]
    _description = "Supply to a VAT Number"
    _order = "date desc, id desc"
    _rec_name = "move_id"

    move_id = fields.Many2one(
        "account.move", "Document", required=True, readonly=True, ondelete="cascade"
    )
    move_state = fields.Selection(related="move_id.state", store=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one("res.partner", "Customer", readonly=True, ondelete="set null")
    vat = fields.Char("VAT number", readonly=True, index=True)
    country = fields.Char(readonly=True)
    date = fields.Date(readonly=True)
    amount_goods = fields.Monetary("Goods", readonly=True)
    amount_services = fields.Monetary("Services", readonly=True)
    amount_unknown = fields.Monetary("Not known", readonly=True, help="Lines without a product.")
    triangular = fields.Boolean(readonly=True)
    check_id = fields.Many2one(
        "finance.vat.check", "Evidence", readonly=True, help="The check that it relies on."
    )
    check_status = fields.Selection(related="check_id.status", string="Number was")
    request_id = fields.Char(related="check_id.request_id")
    proof_due = fields.Date("Proof due", readonly=True)
    proof_ids = fields.Many2many("ir.attachment", string="Proof of transport", copy=False)
    has_proof = fields.Boolean("Proved", compute="_compute_has_proof", store=True)

    _one_a_document = models.Constraint("UNIQUE (move_id)", "A document has one such row.")

    @api.depends("proof_ids")
    def _compute_has_proof(self):
        for supply in self:
            supply.has_proof = bool(supply.proof_ids)

    # === POSTED === #

    @api.model
    def _posted(self, moves, checks):
        """Bring the rows of posted documents up to date; checks: {move: `finance.vat.check`}."""
        known = {row.move_id: row for row in self.sudo().search([("move_id", "in", moves.ids)])}
        for move in moves:
            values = self._values_of(move, checks.get(move))
            if move in known:
                known[move].write(values)
            else:
                self.sudo().create(values | {"move_id": move.id})

    def _values_of(self, move, check):
        position, partner = move.fiscal_position_id, move.commercial_partner_id
        number = partner._finance_vat_number()
        amounts = dict.fromkeys(("goods", "services", "unknown"), 0.0)
        for line in move.invoice_line_ids.filtered(lambda line: line.display_type == "product"):
            kind = "services" if line.product_id.type == "service" else "goods"
            amounts[kind if line.product_id else "unknown"] -= line.balance
        date = move.invoice_date or move.date
        needs_proof = position.finance_transport_proof and amounts["goods"] > 0
        return {
            "company_id": move.company_id.id,
            "partner_id": partner.id,
            "vat": str(number or partner.vat or ""),
            "country": number.prefix if number else "",
            "date": date,
            "triangular": position.finance_vat_triangular,
            "check_id": check.id if check else False,
            "proof_due": needs_proof and date + timedelta(days=position.finance_transport_days),
        } | {f"amount_{kind}": amount for kind, amount in amounts.items()}

    # === ANSWERED LATER === #

    @api.model
    def _answered(self, check):
        """A registry answered: settle what waited for it, or ask for a decision.

        Only in the company that asked: a job changes nothing of another company.
        """
        relying = self.sudo().search(
            [
                ("vat", "=", check.vat),
                ("company_id", "=", check.company_id.id),
                ("move_state", "=", "posted"),
                ("move_id.move_type", "=", "out_invoice"),
            ]
        )
        waiting = relying.filtered(lambda row: row.check_status not in (VALID, INVALID))
        waiting.check_id = check
        self._settle("vat.unknown", check.partner_id, check)
        self._settle("vat.unknown", waiting.move_id, check)
        if check.status == VALID:
            wrong = relying.filtered(lambda row: row.check_status == INVALID)
            self._settle("vat.invalid", wrong.move_id, check)
        else:
            for move in waiting.move_id:
                move._finance_vat_raise("vat.invalid", check)

    def _settle(self, code, documents, check):
        self.env["finance.exception"].sudo().search(
            [
                ("code", "=", code),
                ("document_model", "=", documents._name),
                ("document_id", "in", documents.ids),
                ("company_id", "=", check.company_id.id),
                ("state", "=", "open"),
            ]
        )._close("resolved", "vat.answered")

    # === PROOF OF TRANSPORT === #

    def write(self, vals):
        if not self.env.su and vals.keys() - {"proof_ids"}:
            self.env["finance.denied.action"]._deny("write", "guard", self)
            raise AccessError(self.env._("People attach proofs here; the rest is as posted."))
        result = super().write(vals)
        if "proof_ids" in vals:
            for supply in self.filtered("has_proof"):
                supply.proof_ids.sudo().write({"res_model": supply._name, "res_id": supply.id})
                self.env["finance.exception"].sudo()._resolve(
                    "vat.transport", document=supply.move_id, note="vat.proved"
                )
        return result

    @api.model
    def _cron_remind(self):
        """Ask for proofs of transport that are due."""
        due = self.search(
            [
                ("proof_due", "<", fields.Date.today()),
                ("has_proof", "=", False),
                ("move_state", "=", "posted"),
            ]
        )
        for supply in due:
            supply.move_id._finance_vat_raise("vat.transport", due=str(supply.proof_due))

    # === ERASING === #

    @api.model
    def _personal_words(self):
        return self.env._("VAT numbers in lists for the recapitulative statement")

    @api.model
    def _personal_of(self, subject):
        return self.search(
            [
                ("partner_id", "in", subject.partners.ids),
                ("company_id", "in", subject.companies.ids),
                ("vat", "not in", (False, "")),
            ]
        )

    def _erase_personal(self, basis):
        self._empty("vat")
