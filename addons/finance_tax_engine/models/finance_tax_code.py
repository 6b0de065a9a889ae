from odoo import api, fields, models

from odoo.addons.finance_connector_base.actions import notice

from .finance_tax_jurisdiction import KINDS


class FinanceTaxCode(models.Model):
    """A code of an engine's list, to choose from: of products, or of reasons for an exemption."""

    _name = "finance.tax.code"
    _description = "Code of a Tax Engine"
    _order = "code"
    _rec_names_search = ["code", "description"]

    connector_id = fields.Many2one(
        "finance.connector", "Engine", required=True, index=True, ondelete="cascade"
    )
    kind = fields.Selection(
        [("tax_code", "Products"), ("entity_use", "Exemptions")], required=True, readonly=True
    )
    code = fields.Char(required=True, readonly=True)
    description = fields.Char(readonly=True)
    countries = fields.Char(readonly=True, help="Empty: everywhere.")
    active = fields.Boolean(default=True)

    _once = models.Constraint("UNIQUE (connector_id, kind, code)", "A code is listed once.")

    @api.depends("code", "description")
    def _compute_display_name(self):
        for row in self:
            row.display_name = f"{row.code}: {row.description}" if row.description else row.code

    @api.model
    def _learn(self, connector, kind, codes):
        """Bring rows up to date with canonical codes; return those rows."""
        place = [("connector_id", "=", connector.id), ("kind", "=", kind)]
        known = {row.code: row for row in self.with_context(active_test=False).search(place)}
        found = self.browse()
        for code in codes:
            values = {
                "description": getattr(code, "name", "") or code.description,
                "countries": ", ".join(getattr(code, "countries", ())),
                "active": True,
            }
            row = known.get(code.code)
            if row:
                row.write(values)
            else:
                row = self.create(
                    values | {"connector_id": connector.id, "kind": kind, "code": code.code}
                )
            found |= row
        return found


class FinanceTaxNexus(models.Model):
    """Where a company has declared at its engine that it charges tax."""

    _name = "finance.tax.nexus"
    _description = "Nexus"
    _order = "country, region, kind"

    connector_id = fields.Many2one(
        "finance.connector", "Engine", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, index=True, ondelete="cascade")
    country = fields.Char(readonly=True)
    region = fields.Char("State", readonly=True)
    kind = fields.Selection(KINDS, readonly=True)
    name = fields.Char(readonly=True)
    start = fields.Date("From", readonly=True)
    end = fields.Date("To", readonly=True)

    @api.model
    def _learn(self, connector, company, declared):
        """Replace what is known of a company's nexus."""
        self.search([("connector_id", "=", connector.id), ("company_id", "=", company.id)]).unlink()
        self.create(
            [
                {
                    "connector_id": connector.id,
                    "company_id": company.id,
                    "country": nexus.country,
                    "region": nexus.region,
                    "kind": nexus.kind,
                    "name": nexus.name,
                    "start": nexus.start,
                    "end": nexus.end,
                }
                for nexus in declared
            ]
        )


class FinanceConnector(models.Model):
    _inherit = "finance.connector"

    tax_nexus_ids = fields.One2many("finance.tax.nexus", "connector_id", string="Nexus")
    is_tax_engine = fields.Boolean(compute="_compute_is_tax_engine")

    @api.depends("provider")
    def _compute_is_tax_engine(self):
        engines = self._tax_engines()
        for connector in self:
            connector.is_tax_engine = connector.provider in engines

    @api.model
    def _tax_capable(self, company, capability):
        """Return the tax workflow of a company whose engine can do something, none without one."""
        workflows = self.env["finance.tax.route"]._workflows(company)
        return workflows.filtered(lambda row: row._tax_able(capability))._nearest(company)

    def action_tax_knowledge(self):
        """Have use codes and nexus read again, in the background."""
        self.check_access("write")
        self._tax_refresh()
        return notice("info", self.env._("Use codes and nexus are being read."), after=False)

    def _tax_refresh(self):
        for connector in self:
            for workflow in connector.sudo().workflow_ids.filtered(lambda w: w.flow == "tax"):
                connector.env["finance.job"].sudo()._enqueue(
                    connector,
                    "tax.knowledge",
                    connector=connector,
                    company=workflow.company_id,
                )

    @api.model
    def _cron_tax_refresh(self):
        """Read use codes and nexus of all engines again."""
        engines = self.search([("provider", "in", self._tax_engines()), ("state", "=", "ready")])
        able = engines.filtered(
            lambda c: {"entity_use_codes", "nexus"} & c._known_class().capabilities
        )
        able._tax_refresh()
