"""A final month that was told anew: what it was, what it is, and why."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.finance_connector_base.actions import listing

CONTROLLER = "finance_connector_base.group_controller"
STATES = [("pending", "Reason missing"), ("explained", "Explained")]


class FinanceExportRestatement(models.Model):
    """One new version of a month that was final. A controller says why; then it is done."""

    _name = "finance.export.restatement"
    _description = "Restatement"
    _order = "state desc, id desc"
    _rec_name = "period_id"

    period_id = fields.Many2one(
        "finance.export.period",
        "Published Period",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    export_id = fields.Many2one(related="period_id.export_id", store=True, index=True)
    company_id = fields.Many2one(related="period_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    period = fields.Char("Month", related="period_id.period", store=True)
    day = fields.Date("Since", readonly=True)
    run_id = fields.Many2one("finance.export.run", readonly=True, ondelete="set null")
    lock_date = fields.Date("Locked until", readonly=True, help="When the former one was final.")
    former_version = fields.Integer(readonly=True)
    version = fields.Integer(readonly=True)
    former_rows = fields.Integer(readonly=True)
    former_debit = fields.Monetary(readonly=True, aggregator=None)
    former_credit = fields.Monetary(readonly=True, aggregator=None)
    rows = fields.Integer(readonly=True)
    debit = fields.Monetary(readonly=True, aggregator=None)
    credit = fields.Monetary(readonly=True, aggregator=None)
    rows_difference = fields.Integer(compute="_compute_differences")
    debit_difference = fields.Monetary(compute="_compute_differences")
    credit_difference = fields.Monetary(compute="_compute_differences")
    line_ids = fields.One2many("finance.export.restatement.line", "restatement_id", readonly=True)
    writer_ids = fields.Many2many(
        "res.users",
        "finance_export_restatement_writer_rel",
        string="Written by",
        readonly=True,
        context={"active_test": False},
        help="Who wrote journal items of this month since the former version was read.",
    )
    state = fields.Selection(STATES, required=True, readonly=True, default="pending", index=True)
    reason = fields.Text()
    explained_by_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    explained_at = fields.Datetime(readonly=True)

    @api.depends("rows", "debit", "credit", "former_rows", "former_debit", "former_credit")
    def _compute_differences(self):
        for row in self:
            currency = row.currency_id
            row.rows_difference = row.rows - row.former_rows
            row.debit_difference = currency.round(row.debit - row.former_debit)
            row.credit_difference = currency.round(row.credit - row.former_credit)

    @api.model_create_multi
    def create(self, vals_list):
        """Restatements are found, never entered."""
        if not self.env.su:
            self._refuse("create")
        return super().create(vals_list)

    def write(self, vals):
        """Of a restatement people write the reason, until it is given."""
        if not self.env.su and (set(vals) != {"reason"} or "explained" in self.mapped("state")):
            self._refuse("write")
        return super().write(vals)

    def _refuse(self, action):
        self.env["finance.denied.action"]._deny(action, "guard", self)
        raise AccessError(
            self.env._("A restatement is what was found; only its reason is written, once.")
        )

    # === BUTTONS === #

    def action_explain(self):
        """Take the reason as given: by a controller."""
        self.check_access("write")
        if not self.env.user.has_group(CONTROLLER):
            self.env["finance.denied.action"]._deny("restatement.explain", "group", self)
            raise AccessError(
                self.env._("Only a controller gives the reason of a restatement. Ask one of them.")
            )
        for row in self.filtered(lambda row: row.state == "pending"):
            if not (row.reason or "").strip():
                raise UserError(
                    self.env._(
                        "Write first why %(period)s has changed after it was final.",
                        period=row.period_id.display_name,
                    )
                )
            row.sudo().write(
                {
                    "state": "explained",
                    "explained_by_id": self.env.uid,
                    "explained_at": fields.Datetime.now(),
                }
            )
            row._settled()

    def _settled(self):
        self.env["finance.exception"]._resolve(
            "export.restated", document=self, note="export.explained"
        )
        self.env["finance.audit.event"]._record(
            "export.explained",
            self,
            company=self.company_id,
            data=self._facts(),
            detail={"reason": self.reason},
        )

    def _facts(self):
        return {
            "period": self.period,
            "version": self.version,
            "former_debit": str(self.former_debit),
            "debit": str(self.debit),
            "former_credit": str(self.former_credit),
            "credit": str(self.credit),
            "run_id": self.run_id.id or None,
        }

    def action_open_items(self):
        """Open the journal items of the month that were written since the former version."""
        self.ensure_one()
        domain = [
            ("company_id", "=", self.company_id.id),
            *self.env["finance.export.run"]._month_domain(self.period),
        ]
        former = self.period_id.version_ids.filtered(
            lambda version: version.version == self.former_version
        )
        if former.read_at:
            moment = fields.Datetime.to_string(former.read_at)
            domain += ["|", ("write_date", ">=", moment), ("move_id.write_date", ">=", moment)]
        return listing(
            self.env._("Journal Items"), "account.move.line", domain, context={"create": False}
        )


class FinanceExportRestatementLine(models.Model):
    """What has become of one account of a restated month."""

    _name = "finance.export.restatement.line"
    _description = "Account of a Restatement"
    _order = "account, id"
    _rec_name = "account"
    _log_access = False

    restatement_id = fields.Many2one(
        "finance.export.restatement", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="restatement_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    account = fields.Char("Account Code", readonly=True)
    former_balance = fields.Monetary(readonly=True, aggregator=None)
    balance = fields.Monetary(readonly=True, aggregator=None)
    difference = fields.Monetary(readonly=True, aggregator=None)
    rows_difference = fields.Integer(readonly=True, aggregator=None)
