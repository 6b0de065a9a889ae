"""A configuration file is handed in."""

import base64
import binascii

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..actions import dialog

MOST_BYTES = 2_000_000
FROM_FILE = {"file", "text", "problems"}


class FinanceConfigurationImport(models.TransientModel):
    """Takes a file, or a former version, and says what is wrong with it, or proposes it.

    A file with something wrong in it is not kept: it may hold a secret by mistake.
    """

    _name = "finance.configuration.import"
    _description = "Import of a Configuration"

    file = fields.Binary(compute="_compute_file", inverse="_inverse_file")
    filename = fields.Char()
    note = fields.Char("What for")
    is_complete = fields.Boolean(
        "The file is complete",
        help="What is not in the file is archived. Else it is left as it is.",
    )
    restored_id = fields.Many2one("finance.configuration.version", readonly=True)
    part = fields.Selection([("after", "After"), ("before", "Before")], readonly=True)
    text = fields.Text(readonly=True)
    problems = fields.Json(readonly=True)
    problems_html = fields.Html(compute="_compute_problems_html", sanitize=False)

    def _compute_file(self):
        self.file = False

    def _inverse_file(self):
        """Nothing to do: `create` and `write` take the file out before the ORM sees it."""

    @api.depends("problems")
    def _compute_problems_html(self):
        for wizard in self:
            wizard.problems_html = wizard.problems and self.env["ir.qweb"]._render(
                "finance_connector_base.configuration_problems", {"problems": wizard.problems}
            )

    @api.model_create_multi
    def create(self, vals_list):
        files = [vals.get("file") for vals in vals_list]
        wizards = super().create([_typed(vals) for vals in vals_list])
        for wizard, file in zip(wizards, files, strict=True):
            wizard._keep(file)
        return wizards

    def write(self, vals):
        self.check_access("write")
        result = super().write(_typed(vals)) if _typed(vals) else True
        if "file" in vals:
            for wizard in self:
                wizard._keep(vals["file"])
        return result

    def action_review(self):
        """Show what the file would change, or what is wrong with it."""
        self.ensure_one()
        self._check_administrator()
        text = self.restored_id[self.part] if self.restored_id else self.text
        if not text and self.problems:
            return self._open()
        if not text:
            raise UserError(self.env._("Choose a file first."))
        review = self.env["finance.configuration"]._review(text, self.is_complete)
        if review.problems:
            self._say(review.problems)
            return self._open()
        return self._proposed(text, review)

    def _proposed(self, text, review):
        versions = self.env["finance.configuration.version"]
        if review.before == review.after:
            notes = self.env["finance.configuration"]._told_notes(review.notes)
            words = self.env._("The configuration already is what the file says.")
            title = self.env._("Nothing to apply")
            return versions._notify("info", title, " ".join([words, *notes]))
        return versions._propose(
            text,
            review,
            origin="restore" if self.restored_id else "file",
            restored_id=self.restored_id.id,
            filename=self.filename,
            note=self.note,
            is_complete=self.is_complete,
        )._open()

    def _keep(self, file):
        """Keep the text of a file when nothing is wrong with it."""
        if not file:
            return
        self._check_administrator()
        try:
            text = self._decoded(file)
        except ValueError as error:
            self._say([{"line": 1, "where": "", "words": str(error)}])
            return
        review = self.env["finance.configuration"]._review(text, self.is_complete)
        if review.problems:
            self._say(review.problems)
        else:
            self._write({"text": text, "problems": False})

    def _decoded(self, file):
        try:
            content = base64.b64decode(file)
            if len(content) <= MOST_BYTES:
                return content.decode("utf-8-sig").replace("\r\n", "\n")
        except (binascii.Error, TypeError, UnicodeDecodeError):
            raise ValueError(
                self.env._("This is not a text in UTF-8. Choose a file made by Export.")
            ) from None
        raise ValueError(self.env._("This file is too big to be a configuration file."))

    def _say(self, problems):
        self._write({"text": False, "problems": problems})

    def _write(self, vals):
        return super().write(vals)

    def _check_administrator(self):
        self.env["finance.configuration"]._check_administrator("config.propose", self.browse())

    def _open(self):
        return dialog(self.env._("Import Configuration"), self._name, self.id)


def _typed(vals):
    return {name: value for name, value in vals.items() if name not in FROM_FILE}
