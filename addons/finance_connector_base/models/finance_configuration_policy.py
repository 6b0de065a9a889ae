from odoo import api, fields, models

from .finance_configuration_version import POLICY_PARAMETER


class ResConfigSettings(models.TransientModel):
    """Who may apply a configuration, and which version is in use."""

    _inherit = "res.config.settings"

    finance_configuration_policy = fields.Selection(
        [
            ("any", "Any connector administrator"),
            ("other_person", "Somebody other than who proposed it"),
        ],
        string="Who may apply a configuration file",
        default="any",
        config_parameter=POLICY_PARAMETER,
    )
    finance_configuration_words = fields.Char(compute="_compute_finance_configuration_words")

    @api.depends_context("uid")
    def _compute_finance_configuration_words(self):
        version = self.env["finance.configuration.version"]._last()
        words = self.env._("No version is kept yet.")
        if version:
            words = self.env._(
                "%(version)s of %(date)s.",
                version=version.display_name,
                date=fields.Date.to_string(version.applied_at),
            )
        if version.differs:
            words += " " + self.env._("Changed by hand since.")
        self.finance_configuration_words = words

    def set_values(self):
        parameters = self.env["ir.config_parameter"].sudo()
        before = parameters.get_param(POLICY_PARAMETER) or "any"
        result = super().set_values()
        after = self.finance_configuration_policy or "any"
        if before != after:
            self.env["finance.audit.event"]._record(
                "policy.changed",
                data={"policy": "configuration", "before": before, "after": after},
            )
        return result
