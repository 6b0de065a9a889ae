"""The files of a batch."""

from odoo import api, fields, models
from odoo.exceptions import AccessError

from odoo.addons.finance_connector_base.fields import BigInteger

from .finance_export_run import UNDER_WAY

MAY_DOWNLOAD = (
    "finance_connector_base.group_controller",
    "finance_connector_base.group_administrator",
    "finance_connector_base.group_auditor",
)
VACUUMED = 500


class FinanceExportFile(models.Model):
    """One file of a batch, sealed in the filestore until its retention ends."""

    _name = "finance.export.file"
    _inherit = ["finance.sealed.file.mixin"]
    _description = "Exported File"
    _order = "run_id desc, id"

    run_id = fields.Many2one(
        "finance.export.run", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="run_id.company_id", store=True, index=True)
    export_feed_id = fields.Many2one("finance.export.feed", readonly=True, ondelete="set null")
    name = fields.Char(required=True, readonly=True)
    feed = fields.Char("Feed's Code", readonly=True)
    schema_version = fields.Integer(readonly=True)
    entity_id = fields.Many2one("res.company", "Company", readonly=True, ondelete="set null")
    period = fields.Char(readonly=True)
    mode = fields.Char(readonly=True)
    rows = fields.Integer(readonly=True)
    deletions = fields.Integer(readonly=True)
    bytes = BigInteger(readonly=True)
    sha256 = fields.Char("SHA-256", readonly=True)
    is_manifest = fields.Boolean(readonly=True)

    _uuid_unique = models.Constraint("UNIQUE (uuid)", "An identity is used once.")

    # === OPENING === #

    def action_download(self):
        """Download the file as it is, or was, delivered."""
        self.ensure_one()
        self._check_may_open()
        url = f"/finance/export/file/{self.id}"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def _download(self):
        """Return a binary stream of the file, to controllers, administrators and auditors; audited.

        Raises AccessError, or UserError where it is no longer kept.
        """
        self.ensure_one()
        self._check_may_open()
        stream = self.sudo()._open()
        self.env["finance.audit.event"]._record(
            "payload.opened",
            self.run_id,
            trace_id=self.run_id.trace_id,
            data={"part": self.name, "digest": self.sha256},
        )
        return stream

    def _check_may_open(self):
        self.check_access("read")
        if self.env.su or any(map(self.env.user.has_group, MAY_DOWNLOAD)):
            return
        self.env["finance.denied.action"]._deny("payload.open", "group", self)
        raise AccessError(
            self.env._("Only a controller, an administrator or an auditor opens exported files.")
        )

    # === RETENTION === #

    @api.autovacuum
    def _vacuum(self):
        """Forget files that were kept long enough; what they were stays written down.

        Not while their run is under way, and not where a legal hold is in force.
        """
        holds = self.env["finance.legal.hold"]._in_force()
        if not all(hold.company_id for hold in holds):
            return
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT file.id FROM finance_export_file AS file
              JOIN finance_export_run AS run ON run.id = file.run_id
              JOIN finance_export AS export ON export.id = run.export_id
             WHERE file.kept AND export.keep_days > 0 AND NOT run.state = ANY(%s)
               AND NOT run.company_id = ANY(%s)
               AND COALESCE(run.delivered_at, run.built_at, run.create_date)
                   < now() AT TIME ZONE 'UTC' - interval '1 day' * export.keep_days
             LIMIT %s
            """,
            (list(UNDER_WAY), holds.company_id.ids, VACUUMED),
        )
        self.browse(row[0] for row in self.env.cr.fetchall())._forget_file()
