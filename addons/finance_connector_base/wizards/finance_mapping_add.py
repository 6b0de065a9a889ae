"""Codes for values that have none: into the draft of the mapping, and to an approver."""

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..actions import CLOSE, dialog


class FinanceMappingAdd(models.TransientModel):
    """Asks for the external code of each value."""

    _name = "finance.mapping.add"
    _description = "Map Values"

    line_ids = fields.One2many("finance.mapping.add.line", "wizard_id", string="Values")
    note = fields.Char("What for")
    submit = fields.Boolean(
        "Submit for approval",
        default=True,
        help="Another person approves it, and the waiting work goes on by itself.",
    )

    @api.model
    def _open(self, missing):
        """Return the action that asks for the codes of `finance.mapping.missing` rows."""
        if not missing:
            raise UserError(self.env._("These values are mapped by now, or nobody asks for them."))
        missing.check_access("read")
        wizard = self.create(
            {"line_ids": [Command.create({"missing_id": row.id}) for row in missing]}
        )
        return dialog(self.env._("Map and Retry"), self._name, wizard.id)

    def action_confirm(self):
        """Add the lines to the drafts of their mappings, and submit these when wanted."""
        self.ensure_one()
        filled = self.line_ids.filtered("code")
        if not filled:
            raise UserError(self.env._("Enter at least one external code."))
        drafts = self.env["finance.mapping.version"]
        for mapping, lines in filled.grouped(lambda line: line.missing_id.mapping_id).items():
            draft = mapping._draft()
            if self.note:
                draft.note = self.note
            lines._add_to(draft)
            drafts |= draft
        if self.submit:
            for draft in drafts:
                draft.action_submit()
        return drafts._open() if len(drafts) == 1 else CLOSE


class FinanceMappingAddLine(models.TransientModel):
    """One value and its code."""

    _name = "finance.mapping.add.line"
    _description = "Value to Map"

    wizard_id = fields.Many2one("finance.mapping.add", required=True, ondelete="cascade")
    missing_id = fields.Many2one("finance.mapping.missing", readonly=True, ondelete="cascade")
    mapping_id = fields.Many2one(related="missing_id.mapping_id")
    record_name = fields.Char("Value", compute="_compute_record_name")
    items = fields.Integer(related="missing_id.items")
    turnover = fields.Monetary(related="missing_id.turnover")
    currency_id = fields.Many2one(related="missing_id.currency_id")
    code = fields.Char("External Code")
    label = fields.Char("External Label")
    valid_from = fields.Date()

    @api.depends("missing_id")
    @api.depends_context("lang", "uid")
    def _compute_record_name(self):
        for line in self:
            line.record_name = line.missing_id.record_name

    def _add_to(self, draft):
        self.env["finance.mapping.line"].create(
            [
                {
                    "version_id": draft.id,
                    "rule": "record",
                    "res_id": line.missing_id.res_id,
                    "code": line.code,
                    "label": line.label,
                    "valid_from": line.valid_from,
                }
                for line in self
            ]
        )
