from odoo import models
from odoo.exceptions import UserError

from .finance_connector import POLICY_PARAMETER, ConnectorClosed


class FinanceConnector(models.Model):
    """To production and back: by a button, by whom the policy allows, in the confirmed database."""

    _inherit = "finance.connector"

    def action_switch_to_production(self):
        """Move to production: complete, no unfinished jobs, confirmed database, policy obeyed."""
        self.ensure_one()
        self._check_administrator("connector.production")
        if self.environment == "production":
            return None
        self._check_policy()
        self._check_no_unfinished_jobs()
        self._check_production_complete()
        binding = self.env["finance.binding"]
        if not binding._last():
            binding._confirm()
        obstacle = binding._obstacle()
        if obstacle:
            self.env["finance.denied.action"]._deny("connector.production", "binding", self)
            raise ConnectorClosed(obstacle)
        return self._switch("production")

    def action_switch_to_sandbox(self):
        """Leave production: the connector calls the vendor's test system from now on."""
        self.ensure_one()
        self._check_administrator("connector.sandbox")
        if self.environment == "sandbox":
            return None
        self._check_no_unfinished_jobs()
        return self._switch("sandbox")

    def _switch(self, environment):
        before = self.environment
        self._by_action(
            {
                "environment": environment,
                "state": "draft",
                "tested_at": False,
                "attention_reason": False,
            }
        )
        self._ensure_rows()
        self._audit("connector.environment", before=before, after=environment)
        return self._notify(
            "warning",
            self.env._("Environment: %(name)s", name=environment),
            self.env._("Test the connector: until then it does nothing."),
        )

    def _check_policy(self):
        policy = self.env["ir.config_parameter"].sudo().get_param(POLICY_PARAMETER)
        entered = self.sudo().credential_ids.filtered(lambda row: row.environment == "production")
        if policy == "other_person" and self.env.user in entered.entered_by_id:
            self.env["finance.denied.action"]._deny("connector.production", "policy", self)
            raise UserError(
                self.env._(
                    "Somebody other than the person who entered the production credentials must switch "
                    "to production."
                )
            )

    def _check_production_complete(self):
        provider = self._provider_class()
        connector = self.sudo()
        if provider.hosts and not provider.hosts.get("production"):
            raise UserError(
                self.env._("%(provider)s has no production system.", provider=provider.label)
            )
        rows = (*connector.setting_ids, *connector.credential_ids)
        filled = {row.name: row._is_filled() for row in rows if row.environment == "production"}
        connector._check_complete(provider.settings, filled)
