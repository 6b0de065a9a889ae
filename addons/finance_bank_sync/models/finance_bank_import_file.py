"""The file as it was received: sealed, opened by few, and kept as long as it has to be."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.finance_connector_base.models.finance_exchange import MAY_OPEN

# Ten years, the longest that accounting law asks for in most countries.
KEPT_DAYS, KEPT_PARAMETER = 3650, "finance_bank_sync.keep_files_days"
VACUUMED = 500


class FinanceBankImport(models.Model):
    _inherit = "finance.bank.import"

    def _keep(self, content):
        vault = self.env["finance.vault"]._vault()
        for row in self:
            row.content_sealed = vault.seal(content, self._name, row.uuid, "content")

    def _content(self):
        """Return the bytes as they were received, None where they are no longer kept."""
        self.ensure_one()
        self.flush_recordset(["content_sealed"])
        query = "SELECT content_sealed FROM finance_bank_import WHERE id = %s"
        self.env.cr.execute(query, [self.id])
        sealed = self.env.cr.fetchone()[0]
        if not sealed:
            return None
        vault = self.env["finance.vault"]._vault()
        return vault.open(bytes(sealed), self._name, self.uuid, "content")

    def action_download(self):
        """Download the file as it was received."""
        self.ensure_one()
        self._check_may_open()
        url = f"/finance/bank/import/{self.id}"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def _open_file(self):
        """Return the bytes, to who imported them, controllers and auditors; audited.

        Raises AccessError, or UserError where they are no longer kept.
        """
        self.ensure_one()
        self._check_may_open()
        content = self.sudo()._content()
        if content is None:
            raise UserError(
                self.env._(
                    "“%(name)s” is no longer kept: files are removed after some years.",
                    name=self.name,
                )
            )
        data = {"part": "content", "digest": self.digest}
        events = self.env["finance.audit.event"]
        events._record("payload.opened", self, trace_id=self.trace_id, data=data)
        return content

    def _check_may_open(self):
        self.check_access("read")
        user = self.env.user
        if self.env.su or self.user_id == user or any(map(user.has_group, MAY_OPEN)):
            return
        self.env["finance.denied.action"]._deny("payload.open", "group", self)
        raise AccessError(
            self.env._("Only who imported it, a controller or an auditor opens the file.")
        )

    @api.autovacuum
    def _vacuum(self):
        """Forget the contents of files that were received long ago; what they told stays.

        Not where a legal hold is in force in the company: nobody knows whom a file tells of.
        """
        holds = self.env["finance.legal.hold"]._in_force()
        if not all(hold.company_id for hold in holds):
            return
        days = self.env["ir.config_parameter"].sudo().get_param(KEPT_PARAMETER)
        border = fields.Datetime.subtract(fields.Datetime.now(), days=int(days or KEPT_DAYS))
        self.env.cr.execute(
            """
            UPDATE finance_bank_import SET content_sealed = NULL
             WHERE id IN (SELECT id FROM finance_bank_import
                           WHERE received_at < %s AND content_sealed IS NOT NULL
                             AND state IN ('done', 'refused') AND NOT company_id = ANY(%s)
                           LIMIT %s)
            """,
            (border, holds.company_id.ids, VACUUMED),
        )
