"""A CSV of lines is handed in."""

import base64
import binascii

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..actions import dialog


class FinanceMappingImport(models.TransientModel):
    """Takes a CSV into the draft of a mapping, whole, or says what is wrong with it."""

    _name = "finance.mapping.import"
    _description = "Import of a Mapping"

    mapping_id = fields.Many2one("finance.mapping", required=True, ondelete="cascade")
    file = fields.Binary(attachment=False)
    filename = fields.Char()
    problems = fields.Json(readonly=True)
    problems_html = fields.Html(compute="_compute_problems_html", sanitize=False)

    @api.depends("problems")
    def _compute_problems_html(self):
        for wizard in self:
            wizard.problems_html = wizard.problems and self.env["ir.qweb"]._render(
                "finance_connector_base.configuration_problems", {"problems": wizard.problems}
            )

    def action_import(self):
        """Replace the lines of the draft by the file's."""
        self.ensure_one()
        try:
            content = base64.b64decode(self.file or b"")
        except (binascii.Error, TypeError):
            content = b""
        if not content:
            raise UserError(self.env._("Choose a file first."))
        draft = self.mapping_id._draft()
        problems = draft._import(draft._check_csv(content))
        if problems:
            self.write({"problems": problems, "file": False})
            return self._open()
        return draft._open()

    def _open(self):
        return dialog(self.env._("Import Lines"), self._name, self.id)


class FinanceMapping(models.Model):
    _inherit = "finance.mapping"

    def action_import(self):
        """Ask for a CSV."""
        self.ensure_one()
        self.env["finance.mapping.version"]._check_worker("mapping.import", self)
        self.check_access("read")
        return self.env["finance.mapping.import"].create({"mapping_id": self.id})._open()
