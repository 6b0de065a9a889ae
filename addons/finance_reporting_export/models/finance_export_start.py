"""How runs of an export begin: by hand, or by its schedule."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .finance_export_run import UNDER_WAY

MAY_RUN = (
    "finance_connector_base.group_controller",
    "finance_connector_base.group_administrator",
)


class FinanceExport(models.Model):
    _inherit = "finance.export"

    # === CHECKS === #

    @api.constrains("user_id", "company_ids")
    def _check_companies(self):
        for export in self:
            missing = export.company_ids - export.user_id.company_ids
            if missing:
                raise ValidationError(
                    self.env._(
                        "%(user)s does not work for %(company)s. Choose another person for"
                        " %(export)s, or take the company out.",
                        user=export.user_id.name,
                        company=missing[0].name,
                        export=export.name,
                    )
                )

    @api.constrains("code")
    def _check_code(self):
        for export in self:
            if not export.code.replace("-", "").replace("_", "").isalnum() or not (
                export.code.isascii() and export.code == export.code.lower()
            ):
                raise ValidationError(
                    self.env._(
                        "“%(code)s” can't be the name of a folder everywhere: use small letters,"
                        " digits, - and _.",
                        code=export.code,
                    )
                )

    # === STARTING === #

    def action_run(self):
        """Start a run: what is due, or everything where the context says so.

        Context: ``finance_everything`` (bool), ``finance_period`` ("2026-03"), ``finance_why``.
        """
        self.ensure_one()
        self._check_may_run()
        context = self.env.context
        run = self._start(
            why=context.get("finance_why") or self.env._("By hand"),
            period=context.get("finance_period") or "",
            everything=bool(context.get("finance_everything")),
        )
        return run.get_formview_action()

    def action_run_everything(self):
        """Start a run that tells everything, also of feeds of which changes are told."""
        return self.with_context(finance_everything=True).action_run()

    def _check_may_run(self):
        self.check_access("read")
        if self.env.su or any(map(self.env.user.has_group, MAY_RUN)):
            return
        self.env["finance.denied.action"]._deny("export.run", "group", self)
        raise AccessError(self.env._("Only a controller or an administrator runs an export."))

    def _start(self, *, why, period="", everything=False, scheduled=False):
        """Begin a run and return it; its job writes the files. Raises UserError where it can't."""
        self.ensure_one()
        export = self.sudo()
        export._check_can_start(scheduled)
        run = (
            self.env["finance.export.run"]
            .sudo()
            .create(
                {
                    "export_id": export.id,
                    "company_ids": [(6, 0, export.company_ids.ids)],
                    "connector_id": export.connector_id.id,
                    "user_id": self.env.uid,
                    "why": why,
                    "period": period or export._period_due(),
                    "everything": everything,
                    "scheduled": scheduled,
                    "format": export.format,
                }
            )
        )
        export._give_up_unwritten(run)
        self.env["finance.export.tombstone"].sudo()._record_deletions()
        run._enqueue("export.build", priority=30)
        self.env["finance.audit.event"]._record(
            "export.started",
            run,
            company=export.company_id,
            trace_id=run.trace_id,
            data={"export": export.code, "why": why, "period": run.period or None},
        )
        return run.with_env(self.env)

    def _check_can_start(self, scheduled=False):
        if not self.feed_ids:
            raise UserError(
                self.env._("%(export)s has no feeds. Choose what it tells.", export=self.name)
            )
        if self.connector_id:
            self.connector_id._check_regions(self.company_ids)
        if scheduled and self.run_ids[:1].state == "overtaken":
            raise UserError(
                self.env._(
                    "The receiver has later batches of %(export)s than this database knows. Start"
                    " the next run by hand, if the receiver shall follow this database.",
                    export=self.name,
                )
            )
        self.run_ids.flush_recordset(["state"])
        under_way = self.run_ids.filtered(lambda run: run.state in UNDER_WAY)
        if under_way:
            raise UserError(
                self.env._(
                    "%(run)s is under way: %(state)s. Wait for its end, or cancel it.",
                    run=under_way[0].name,
                    state=dict(under_way._fields["state"]._description_selection(self.env))[
                        under_way[0].state
                    ],
                )
            )

    def _period_due(self):
        """Return the month that feeds by period are told of: the last one; "" without such."""
        if "period" not in self.feed_ids.mapped("mode"):
            return ""
        today = fields.Date.context_today(self.with_context(tz=self.company_id.partner_id.tz))
        return f"{fields.Date.subtract(today.replace(day=1), days=1):%Y-%m}"

    def _give_up_unwritten(self, run):
        """A new run replaces those whose files could not be written."""
        jobs = self.env["finance.job"]._unfinished(self.run_ids - run)
        for job in jobs.filtered(lambda job: job._allows("cancel")):
            job._move("cancelled", "job.cancelled")
