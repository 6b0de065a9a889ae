"""The month-end on one screen: what is open, what blocks, who closed it."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_date
from odoo.tools.misc import format_datetime

from .finance_close_check import Period
from .finance_timeline import print_or_show

CONTROLLER = "finance_connector_base.group_controller"
MONTHS = 24
CHOICE = {"company_id", "with_branches", "month"}


class FinanceClose(models.TransientModel):
    """All close checks of one company (and its branches) and month, asked anew when opened."""

    _name = "finance.close"
    _description = "Month-end"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        domain="[('id', 'in', allowed_company_ids)]",
    )
    with_branches = fields.Boolean(default=True)
    month = fields.Selection("_months", required=True, default=lambda self: self._last_month())
    # The choice that the answers below are for: while somebody chooses, they must not be mistaken.
    shown_company_id = fields.Many2one("res.company", readonly=True)
    shown_branches = fields.Boolean(readonly=True)
    shown_month = fields.Char(readonly=True)
    asked_at = fields.Datetime("As of", readonly=True)
    check_ids = fields.One2many("finance.close.check", "close_id", readonly=True)
    blocking_ids = fields.One2many(
        "finance.close.check", "close_id", domain=[("standing", "=", "blocking")], readonly=True
    )
    open_ids = fields.One2many(
        "finance.close.check", "close_id", domain=[("standing", "=", "open")], readonly=True
    )
    order_ids = fields.One2many(
        "finance.close.check", "close_id", domain=[("standing", "=", "order")], readonly=True
    )
    verdict = fields.Char(compute="_compute_words")
    recorded = fields.Char("Closed as of", compute="_compute_words")
    left_out = fields.Char(compute="_compute_words")

    @api.depends("shown_month")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for close in self:
            close.display_name = self.env._("Month-end %(month)s", month=close._month_in_words())

    def _month_in_words(self):
        first = fields.Date.to_date(f"{self.shown_month or self.month}-01")
        return format_date(self.env, first, date_format="MMMM yyyy")

    @api.model
    def _months(self):
        """This month and those before, as people call them."""
        first, months = fields.Date.context_today(self).replace(day=1), []
        for _number in range(MONTHS):
            words = format_date(self.env, first, date_format="MMMM yyyy")
            months.append((f"{first:%Y-%m}", words))
            first = fields.Date.subtract(first, months=1)
        return months

    @api.model
    def _last_month(self):
        return f"{fields.Date.subtract(fields.Date.context_today(self), months=1):%Y-%m}"

    @api.model
    def _open(self):
        """Return the action that asks all questions and shows the answers."""
        close = self.create({})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Month-end"),
            "res_model": self._name,
            "res_id": close.id,
            "views": [(False, "form")],
        }

    @api.model_create_multi
    def create(self, vals_list):
        """Ask at once."""
        closes = super().create(vals_list)
        for close in closes:
            close._ask()
        return closes

    def write(self, vals):
        """Ask again where another company or month was chosen."""
        result = super().write(vals)
        if CHOICE & vals.keys():
            for close in self:
                close._ask()
        return result

    # === ASKED === #

    def _companies(self):
        """Return the company and, where wanted, those of its branches that the reader works in."""
        self.ensure_one()
        if self.company_id not in self.env.companies:
            raise UserError(
                self.env._(
                    "Choose %(company)s among your companies at the top first.",
                    company=self.company_id.sudo().name,
                )
            )
        return self.env.companies & self._family() if self.with_branches else self.company_id

    def _family(self):
        return self.env["res.company"].sudo().search([("id", "child_of", self.company_id.id)])

    def _period(self):
        zone = self.company_id.sudo().partner_id.tz or self.env.user.tz or "UTC"
        return Period.month(self.month, zone)

    def _ask(self):
        """Ask all questions now."""
        checks = self.env["finance.close.check"]
        answers = checks._answered(self._companies(), self._period())
        this = self.sudo()
        this.check_ids.unlink()
        checks.sudo().create([values | {"close_id": self.id} for values in answers])
        super(FinanceClose, this).write(
            {
                "shown_company_id": self.company_id.id,
                "shown_branches": self.with_branches,
                "shown_month": self.month,
                "asked_at": fields.Datetime.now(),
            }
        )
        self.invalidate_recordset()

    @api.depends("shown_company_id", "shown_month", "shown_branches", "asked_at")
    @api.depends_context("uid", "lang", "tz", "allowed_company_ids")
    def _compute_words(self):
        for close in self:
            close.verdict = close._verdict()
            close.recorded = close._recorded_in_words()
            missing = close._family() - self.env.companies if close.with_branches else []
            close.left_out = ", ".join(branch.name for branch in missing)

    def _verdict(self):
        """Return the state of the month in one sentence."""
        counts = {name: len(self[f"{name}_ids"]) for name in ("blocking", "open", "order")}
        if counts["blocking"]:
            return self.env._(
                "Not ready to close: %(blocking)s blocking, %(open)s open, %(order)s in order.",
                **counts,
            )
        if counts["open"]:
            return self.env._(
                "Nothing blocks closing: %(open)s open, %(order)s in order.", **counts
            )
        return self.env._("Everything is in order: %(order)s questions asked.", **counts)

    # === CLOSED AS OF === #

    def action_record(self):
        """Record that the month is closed as it stands: who, when, and what was open then."""
        self.ensure_one()
        if not self.env.su and not self.env.user.has_group(CONTROLLER):
            self.env["finance.denied.action"]._deny("month.record", "group", self.company_id)
            raise AccessError(self.env._("Only a controller records a month as closed."))
        self._ask()
        self.env["finance.audit.event"]._record(
            "close.recorded",
            self.company_id,
            company=self.company_id,
            data={
                "period": self.month,
                "companies": self._companies().ids,
                "counts": self._counts(),
                "blocking": len(self.blocking_ids),
                "open": len(self.open_ids),
            },
        )
        self.invalidate_recordset(["recorded"])

    def _counts(self):
        return {check.code: check.count for check in self.check_ids}

    def _recorded_in_words(self):
        """Return who recorded the month as closed last, and whether it has changed since."""
        self.env.cr.execute(
            SQL(
                """
                SELECT at, user_id, data FROM finance_audit_event
                 WHERE kind = 'close.recorded' AND res_model = 'res.company' AND res_id = %s
                   AND data->>'period' = %s ORDER BY id DESC LIMIT 1
                """,
                self.shown_company_id.id,
                self.shown_month,
            )
        )
        row = self.env.cr.fetchone()
        if not row:
            return False
        at, user_id, data = row
        names = self.env["finance.audit.event"].sudo()._names_of([("res.users", user_id)])
        words = self.env._(
            "Closed as of %(when)s by %(who)s, with %(blocking)s blocking and %(open)s other questions"
            " open.",
            when=format_datetime(self.env, at, tz=str(self.env.tz), dt_format=False),
            who=names["res.users", user_id],
            blocking=data["blocking"],
            open=data["open"],
        )
        if data["counts"] != self._counts():
            words += " " + self.env._("Since then the numbers have changed.")
        return words

    # === BUTTONS === #

    def action_ask(self):
        """Ask all questions again."""
        self._ask()

    def action_previous_month(self):
        """Show the month before."""
        self._step(1)

    def action_next_month(self):
        """Show the month after."""
        self._step(-1)

    def _step(self, step):
        months = [key for key, _words in self._months()]
        position = months.index(self.month) + step
        self.month = months[min(max(position, 0), MONTHS - 1)]

    def action_print(self):
        """Print it; without wkhtmltopdf it is shown in the browser."""
        self._ask()
        return print_or_show(self.env.ref("finance_connector_base.report_close"), self)
