import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..providers.base import Setting

PLACE_FIELDS = {"connector_id", "workflow_id", "name", "environment"}


class FinanceSetting(models.Model):
    _name = "finance.setting"
    _description = "Connector Option"
    _order = "connector_id, workflow_id, environment desc, sequence, id"

    connector_id = fields.Many2one(
        "finance.connector", required=True, ondelete="cascade", index=True
    )
    workflow_id = fields.Many2one(
        "finance.workflow",
        ondelete="cascade",
        index="btree_not_null",
        help="Set: an option of one company and flow; else of the whole connector.",
    )
    environment = fields.Selection(
        lambda self: self.env["finance.connector"]._fields["environment"].selection,
        required=True,
        readonly=True,
    )
    sequence = fields.Integer(readonly=True)
    name = fields.Char("Technical name", required=True, readonly=True)
    label = fields.Char(compute="_compute_declared")
    help = fields.Char(compute="_compute_declared")
    is_required = fields.Boolean(compute="_compute_declared")
    value = fields.Char()

    _one_per_connector = models.UniqueIndex(
        "(connector_id, environment, name) WHERE workflow_id IS NULL",
        "A connector has each option once per environment.",
    )
    _one_per_workflow = models.UniqueIndex(
        "(workflow_id, environment, name) WHERE workflow_id IS NOT NULL",
        "A workflow has each option once per environment.",
    )

    @api.depends("name", "connector_id.provider", "workflow_id")
    def _compute_declared(self):
        for row in self:
            setting = row._declared()
            row.label = setting.label
            row.help = setting.help
            row.is_required = setting.required

    def _compute_display_name(self):
        for row in self:
            row.display_name = row.label

    def _declared(self) -> Setting:
        """Return what the provider says of this option; a bare one when it says nothing."""
        provider = self.connector_id._known_class()
        settings = provider.company_settings if self.workflow_id else provider.settings
        return next(
            (setting for setting in settings if setting.name == self.name),
            Setting(self.name or "", self.name or "", required=False),
        )

    @api.constrains("value", "name")
    def _check_value(self):
        for row in self:
            check = row._declared().check
            if check and row.value and not re.fullmatch(check, row.value):
                raise ValidationError(
                    self.env._(
                        "This is not a valid value for %(label)s: %(value)s",
                        label=row.label,
                        value=row.value,
                    )
                )
            if row.workflow_id and row.workflow_id.connector_id != row.connector_id:
                raise ValidationError(
                    self.env._("The option's workflow belongs to another connector.")
                )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._placed(vals) for vals in vals_list])

    def write(self, vals):
        if vals.keys() & PLACE_FIELDS:
            raise UserError(self.env._("An option stays where it is; only its value changes."))
        before = {row: row.value for row in self}
        result = super().write(vals)
        changed = self.filtered(lambda row: row.value != before[row])
        for row in changed:
            self.env["finance.audit.event"]._record(
                "connector.option",
                row,
                connector=row.connector_id,
                data={"option": row.name, "environment": row.environment},
            )
        return result

    @api.model
    def _placed(self, vals):
        """Return ``vals`` with connector and environment taken from where the option belongs."""
        vals = dict(vals)
        if vals.get("workflow_id"):
            workflow = self.env["finance.workflow"].browse(vals["workflow_id"])
            vals.setdefault("connector_id", workflow.connector_id.id)
        connector = self.env["finance.connector"].browse(vals.get("connector_id"))
        vals.setdefault("environment", connector.environment)
        return vals

    # === ROWS OF THE CONNECTOR === #

    def _is_disposable(self):
        return not self.value

    def _is_filled(self):
        return bool(self.value)

    @api.model
    def _first_value(self, setting):
        return {"value": setting.default or False}
