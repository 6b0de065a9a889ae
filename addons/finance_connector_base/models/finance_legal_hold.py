"""What must not be erased, whoever asks: a law suit, an audit of the tax office."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..fields import WeakMany2one
from .finance_personal_mixin import Subject

# An object in the context: nothing that comes over RPC can be identical to it.
BY_ACTION = object()
# The one thing that is written after a hold was set: why it may go.
EDITABLE = {"lift_reason"}


class FinanceLegalHold(models.Model):
    """Keeps details, payloads and reasons of a partner, a company or both until it is lifted.

    Neither retention nor the wizard *Erase Personal Data* touches what it covers. It is set and
    lifted by controllers, and both are audit events.
    """

    _name = "finance.legal.hold"
    _inherit = ["finance.weak.mixin", "finance.personal.mixin"]
    _description = "Legal Hold"
    _order = "lifted_at DESC NULLS FIRST, date_from DESC, id DESC"

    partner_id = WeakMany2one(
        "res.partner", "Contact", help="With all its contacts. Empty: everybody."
    )
    company_id = fields.Many2one("res.company", ondelete="cascade", help="Empty: in all companies.")
    reason = fields.Text(required=True, help="Why it must be kept: file number, matter.")
    date_from = fields.Date("From", required=True, default=fields.Date.context_today)
    set_by_id = fields.Many2one(related="create_uid", string="Set by")
    lift_reason = fields.Text("Lifted because")
    lifted_at = fields.Datetime("Lifted on", readonly=True, copy=False)
    lifted_by_id = WeakMany2one("res.users", "Lifted by", readonly=True, copy=False)
    is_active = fields.Boolean("In Force", compute="_compute_is_active", search="_search_is_active")

    _covers_something = models.Constraint(
        "CHECK (partner_id IS NOT NULL OR company_id IS NOT NULL)",
        "A legal hold is for a contact, a company, or both.",
    )

    @api.depends("date_from", "lifted_at")
    def _compute_is_active(self):
        today = fields.Date.context_today(self)
        for hold in self:
            started = hold.date_from and hold.date_from <= today
            hold.is_active = bool(started and not hold.lifted_at)

    @api.model
    def _search_is_active(self, operator, value):
        if operator != "in":
            return NotImplemented
        active = Domain("lifted_at", "=", False)
        active &= Domain("date_from", "<=", fields.Date.context_today(self))
        return active if True in value else ~active

    @api.depends("partner_id", "company_id", "date_from")
    def _compute_display_name(self):
        for hold in self:
            partner = hold.partner_id.exists()
            covered = [record.display_name for record in (partner, hold.company_id) if record]
            hold.display_name = f"{', '.join(covered)} ({hold.date_from})"

    # === SET AND LIFTED === #

    @api.model_create_multi
    def create(self, vals_list):
        holds = super().create(vals_list)
        if any(hold.lifted_at for hold in holds):
            self.env["finance.denied.action"]._deny("create", "guard", self)
            raise AccessError(self.env._("A legal hold begins in force."))
        for hold in holds:
            hold._note("hold.set", {"reason": hold.reason}, date_from=hold.date_from)
        return holds

    def write(self, vals):
        """Only the reason for lifting is written, and only before it is lifted."""
        by_action = self.env.context.get("finance_write") is BY_ACTION
        if not by_action and (vals.keys() - EDITABLE or any(self.mapped("lifted_at"))):
            self.env["finance.denied.action"]._deny("write", "guard", self)
            raise AccessError(
                self.env._("A legal hold is not changed: lift it, and set another one.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A legal hold is not deleted: lift it."))

    def action_lift(self):
        """End the hold: what it covered may be erased again."""
        self.check_access("write")
        for hold in self:
            if hold.lifted_at:
                raise UserError(self.env._("%(hold)s is lifted already.", hold=hold.display_name))
            if not (hold.lift_reason or "").strip():
                raise UserError(
                    self.env._("Say first why %(hold)s may be lifted.", hold=hold.display_name)
                )
            hold.with_context(finance_write=BY_ACTION).write(
                {"lifted_at": fields.Datetime.now(), "lifted_by_id": self.env.uid}
            )
            hold._note("hold.lifted", {"reason": hold.lift_reason})

    def _note(self, kind, detail, **data):
        self.env["finance.audit.event"]._record(
            kind,
            self,
            company=self.company_id,
            data={"partner_id": self.partner_id.id or None, **data},
            detail=detail,
            partner=self.partner_id.exists(),
        )

    # === WHAT IS HELD === #

    @api.model
    def _in_force(self):
        return self.sudo().search([("is_active", "=", True)])

    @api.model
    def _covering(self, subject):
        """Return the holds in force that keep something of a `Subject`."""
        holds = self._in_force().filtered(
            lambda hold: not hold.company_id or hold.company_id in subject.companies
        )
        wide = holds.filtered(lambda hold: not hold.partner_id)
        return wide + holds._naming(subject.partners)

    def _naming(self, partners):
        """Return those of the holds whose contact, or one of its contacts, is in ``partners``."""
        return self.filtered("partner_id").filtered(
            lambda hold: hold._subject().partners & partners
        )

    def _subject(self):
        companies = self.company_id or self.env["res.company"].sudo().search([])
        return Subject(self.partner_id.exists(), companies)

    @api.model
    def _condition(self, model):
        """The condition that a row of a model with `finance.personal.mixin` is held."""
        holds = self._in_force()
        wide = holds.filtered(lambda hold: not hold.partner_id).company_id
        rows = [model._personal_of(hold._subject()).ids for hold in holds if hold.partner_id]
        return SQL(
            "(company_id = ANY(%s) OR id = ANY(%s))", wide.ids, [id_ for ids in rows for id_ in ids]
        )

    # === ITS OWN WORDS === #

    @api.model
    def _personal_words(self):
        return self.env._("Reasons of lifted legal holds")

    @api.model
    def _personal_of(self, subject):
        return self._select(
            SQL(
                "lifted_at IS NOT NULL AND reason <> '' AND partner_id = ANY(%s) AND %s",
                subject.partners.ids,
                subject.of_companies(),
            )
        )

    def _erase_personal(self, basis):
        self._empty("lift_reason", reason="")
