from odoo import api, fields, models
from odoo.exceptions import UserError

from ..canonical.vat import INVALID, UNKNOWN, VALID

MISSING = "missing"


class AccountMove(models.Model):
    """An invoice that relies on its customer's VAT number."""

    _inherit = "account.move"

    finance_vat_supply_ids = fields.One2many(
        "finance.vat.supply", "move_id", string="Supply to a VAT number", readonly=True
    )
    finance_vat_warning = fields.Char("VAT number", compute="_compute_finance_vat_warning")

    @api.depends("state", "move_type", "commercial_partner_id.vat", "fiscal_position_id")
    def _compute_finance_vat_warning(self):
        for move in self:
            move.finance_vat_warning = False
            if move.state != "draft" or not move._finance_vat_relies():
                continue
            status, check = move._finance_vat_known()
            if status in (MISSING, INVALID):
                move.finance_vat_warning = move._finance_vat_words(status, check)

    # === WHO RELIES ON WHAT === #

    def _finance_vat_relies(self):
        """Tell whether the fiscal position wants the customer's number to be valid."""
        policy = self.fiscal_position_id.finance_vat_policy or "none"
        return self.move_type == "out_invoice" and policy != "none"

    def _finance_vat_known(self):
        """Return (status, row) of what is known of the customer's number without asking."""
        partner = self.commercial_partner_id
        states = self.env["finance.vat.check"].sudo()._states(partner, self.company_id)
        state = states.get(partner)
        return (state.status, state.check) if state else (MISSING, None)

    def _finance_vat_words(self, status, check=None):
        """Return what is the matter with the number, and what to do, in the reader's words."""
        names = {
            "document": self.display_name,
            "partner": self.commercial_partner_id.display_name,
            "position": self.fiscal_position_id.name,
        }
        if status == MISSING:
            return self.env._(
                "%(document)s: %(partner)s has no VAT number that a registry knows, and"
                " “%(position)s” wants one. Enter it on the contact, or choose another fiscal"
                " position.",
                **names,
            )
        names["vat"] = check.vat if check else self.commercial_partner_id.vat
        if status == INVALID:
            return self.env._(
                "%(document)s: the VAT number %(vat)s of %(partner)s is invalid. Ask the customer"
                " for the right one, or choose a fiscal position with tax.",
                **names,
            )
        reason = check and (check.reason or check.code)
        return self.env._(
            "%(document)s: whether the VAT number %(vat)s of %(partner)s is valid is not known"
            " (%(reason)s). Try again later, or have “%(position)s” allow posting meanwhile.",
            reason=reason or self.env._("no connector checks it"),
            **names,
        )

    # === POST === #

    def _post(self, soft=True):
        """Numbers are asked for before, what follows from the answers is kept after."""
        verdicts = self._finance_vat_before_post(soft)
        posted = super()._post(soft)
        posted._finance_vat_after_post(verdicts)
        return posted

    def _finance_vat_before_post(self, soft):
        """Return {move: (status, row)}; raise UserError where the fiscal position blocks."""
        today = fields.Date.context_today(self)
        moves = self.filtered(
            lambda move: (
                move.state == "draft"
                and move.commercial_partner_id
                and move._finance_vat_relies()
                and not (soft and move.date > today)
            )
        )
        verdicts = {}
        for company in moves.company_id:
            of_company = moves.filtered(lambda move, company=company: move.company_id == company)
            verdicts |= of_company._finance_vat_verdicts(company)
        refused = [
            move._finance_vat_words(*verdict)
            for move, verdict in verdicts.items()
            if move._finance_vat_blocks(verdict[0])
        ]
        if refused:
            raise UserError("\n".join(refused))
        return verdicts

    def _finance_vat_verdicts(self, company):
        partners = self.commercial_partner_id
        checks = self.env["finance.vat.check"].sudo()
        states = checks._states(partners, company)
        stale = partners.filtered(lambda p: p in states and not states[p].is_fresh)
        asked = checks._ask(stale, company)
        verdicts = {}
        for move in self:
            partner = move.commercial_partner_id
            row = asked.get(partner) or (partner in states and states[partner].check)
            if partner not in states:
                verdicts[move] = (MISSING, None)
            elif partner in asked or states[partner].is_fresh:
                verdicts[move] = (row.status, row)
            else:  # nobody checks such numbers
                verdicts[move] = (UNKNOWN, None)
        return verdicts

    def _finance_vat_blocks(self, status):
        if status == UNKNOWN:
            return self.fiscal_position_id.finance_vat_unknown == "refuse"
        return status != VALID and self.fiscal_position_id.finance_vat_policy == "block"

    def _finance_vat_after_post(self, verdicts):
        listed = self.filtered(
            lambda move: (
                move.move_type in ("out_invoice", "out_refund")
                and (move.fiscal_position_id.finance_vat_policy or "none") != "none"
            )
        )
        rows = {move: verdicts[move][1] for move in listed if move in verdicts}
        self.env["finance.vat.supply"]._posted(listed, rows)
        for move in listed.filtered(lambda move: move in verdicts):
            status, check = verdicts[move]
            if status == VALID:
                continue
            code = "vat.unknown" if status == UNKNOWN else "vat.invalid"
            move._finance_vat_raise(code, check)
            if status == UNKNOWN:
                move.commercial_partner_id._finance_vat_enqueue(move.company_id)

    def _finance_vat_raise(self, code, check=None, **params):
        number = self.commercial_partner_id._finance_vat_number()
        message = check and (check.reason or check.code)
        self.env["finance.exception"].sudo()._raise(
            code,
            document=self,
            connector=check.connector_id if check else None,
            params={"number": str(number or "–"), "message": message or "–", **params},
        )

    def button_draft(self):
        """What was asked about a posted number is settled when the document is taken back."""
        result = super().button_draft()
        exceptions = self.env["finance.exception"].sudo()
        for move in self.filtered("finance_vat_supply_ids"):
            for code in ("vat.unknown", "vat.invalid", "vat.transport"):
                exceptions._resolve(code, document=move, note="vat.taken_back")
        return result
