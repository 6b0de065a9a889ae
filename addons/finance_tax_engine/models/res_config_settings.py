from odoo import api, fields, models
from odoo.exceptions import AccessError

from .finance_workflow_outage import OUTAGE

ADMINISTRATOR = "finance_connector_base.group_administrator"


class ResConfigSettings(models.TransientModel):
    """Which tax engine serves the company, and what happens while it does not answer.

    Kept as the company's `finance.workflow` of flow "tax".
    """

    _inherit = "res.config.settings"

    finance_tax_connector_id = fields.Many2one(
        "finance.connector",
        string="Tax engine",
        domain=lambda self: [("provider", "in", self.env["finance.connector"]._tax_engines())],
    )
    finance_tax_outage = fields.Selection(
        OUTAGE,
        string="When the engine does not answer",
        default="refuse",
    )
    finance_tax_fallback_connector_id = fields.Many2one(
        "finance.connector",
        string="Fallback engine",
        domain=lambda self: [("provider", "in", self.env["finance.connector"]._tax_engines())],
    )
    finance_tax_outage_limit = fields.Monetary(
        "Refuse above", currency_field="finance_tax_currency_id"
    )
    finance_tax_currency_id = fields.Many2one(related="company_id.currency_id")
    finance_tax_account_id = fields.Many2one(
        "account.account",
        string="Sales tax account",
        domain="[('company_ids', 'parent_of', company_id)]",
    )

    @api.model
    def get_values(self):
        values = super().get_values()
        workflow = self.env["finance.workflow"]._serving(self.env.company, "tax")
        return values | {
            "finance_tax_connector_id": workflow.connector_id.id,
            "finance_tax_outage": workflow.tax_outage or "refuse",
            "finance_tax_fallback_connector_id": workflow.tax_fallback_connector_id.id,
            "finance_tax_outage_limit": workflow.tax_outage_limit,
            "finance_tax_account_id": workflow.tax_account_id.id,
        }

    def set_values(self):
        result = super().set_values()
        if self._finance_tax_changed():
            self._finance_tax_check()
            self._finance_tax_store()
        return result

    def _finance_tax_changed(self):
        before = self.get_values()
        return any(
            before[name] != self._fields[name].convert_to_write(self[name], self)
            for name in (
                "finance_tax_connector_id",
                "finance_tax_outage",
                "finance_tax_fallback_connector_id",
                "finance_tax_outage_limit",
                "finance_tax_account_id",
            )
        )

    def _finance_tax_check(self):
        if self.env.su or self.env.user.has_group(ADMINISTRATOR):
            return
        self.env["finance.denied.action"]._deny("tax.engine", "group", self.browse())
        raise AccessError(self.env._("Only connector administrators choose the tax engine."))

    def _finance_tax_store(self):
        workflows = self.env["finance.workflow"].with_context(active_test=True)
        own = workflows.search([("flow", "=", "tax"), ("company_id", "=", self.company_id.id)])
        routes = (
            self.env["finance.tax.route"]
            .with_context(active_test=True)
            .search([("company_id", "=", self.company_id.id), ("target", "=", "engine")])
        )
        former = workflows._serving(self.company_id, "tax").connector_id
        connector = self.finance_tax_connector_id
        # engines that only rules name go on, and the one that stands in
        kept = connector | (routes.connector_id - former) | self.finance_tax_fallback_connector_id
        own.filtered(lambda workflow: workflow.connector_id not in kept).active = False
        if not connector:
            return
        self._finance_tax_store_workflow(connector)
        if connector != former:
            routes.filtered(lambda route: route.connector_id == former).connector_id = connector

    def _finance_tax_store_workflow(self, connector):
        workflows = self.env["finance.workflow"]
        values = {
            "tax_outage": self.finance_tax_outage,
            "tax_fallback_connector_id": self.finance_tax_fallback_connector_id.id,
            "tax_outage_limit": self.finance_tax_outage_limit,
            "tax_account_id": self.finance_tax_account_id.id,
            "active": True,
        }
        place = {
            "connector_id": connector.id,
            "company_id": self.company_id.id,
            "flow": "tax",
        }
        known = workflows.with_context(active_test=False).search(
            [(name, "=", value) for name, value in place.items()]
        )
        if known:
            known.write(values)
            return
        serving = connector.company_ids
        if not self.company_id.parent_ids & serving:
            connector.company_ids = serving | self.company_id
        workflows.create(place | values)
