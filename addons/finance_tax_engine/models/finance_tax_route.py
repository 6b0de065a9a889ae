"""Which documents an engine taxes, which Odoo itself, and which are taxed at another platform."""

from typing import NamedTuple

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.fields import Domain

# What the cached rules are made of; writing anything else leaves them alone.


class Rule(NamedTuple):
    """One rule as plain values. Empty sets: whatever it is.

    target: "engine", "odoo" or "elsewhere". route_id: None where a company has no rules and its
    engine taxes everything. workflow_id: None where the rule's engine does not serve the company.
    """

    target: str
    route_id: int | None
    workflow_id: int | None
    countries: frozenset = frozenset()
    positions: frozenset = frozenset()
    journals: frozenset = frozenset()


class Route(NamedTuple):
    """Who decides about the tax of one document.

    target: "engine", "odoo" or "elsewhere". workflow: the `finance.workflow` of the engine, empty
    for the others. reason: why, a key of the words that explain it. record: the rule, or the
    document that this one corrects. name: what the engine or the other platform is called.
    """

    target: str
    workflow: models.Model
    reason: str
    record: models.Model | None = None
    name: str = ""


class FinanceTaxRoute(models.Model):
    """One rule of a company: such documents belong to this engine, to Odoo, or elsewhere.

    The first rule that fits decides. What no rule fits is taxed by Odoo; where a company has no
    rules at all, its engine taxes everything. Branches have the rules of their parent unless they
    have rules or an engine of their own.
    """

    _name = "finance.tax.route"
    _inherit = ["finance.keyed.mixin", "finance.cached.mixin"]
    _description = "Tax Routing Rule"
    _order = "company_id, sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        index=True,
        ondelete="cascade",
        help="Also for its branches, unless they have rules or an engine of their own.",
    )
    country_ids = fields.Many2many("res.country", string="Delivered to", help="Empty: to wherever.")
    fiscal_position_ids = fields.Many2many(
        "account.fiscal.position",
        string="Fiscal positions",
        check_company=True,
        help="Empty: with any, and without.",
    )
    journal_ids = fields.Many2many(
        "account.journal",
        string="Journals",
        check_company=True,
        domain="[('type', '=', 'sale')]",
        help="Empty: in any. An order counts as in the journal that its invoice will be in.",
    )
    target = fields.Selection(
        [
            ("engine", "A tax engine"),
            ("odoo", "Odoo's own taxes"),
            ("elsewhere", "Another platform"),
        ],
        string="Taxed by",
        required=True,
        default="engine",
        help="Another platform: it has charged the tax and declares it. The document keeps the"
        " taxes that it came with, and no engine is told of it.",
    )
    connector_id = fields.Many2one(
        "finance.connector",
        "Engine",
        index=True,
        ondelete="cascade",
        domain=lambda self: [("provider", "in", self.env["finance.connector"]._tax_engines())],
    )
    recorder_name = fields.Char("Platform", help="What it is called, for people: Stripe Billing.")

    _engine_named = models.Constraint(
        "CHECK ((target = 'engine') = (connector_id IS NOT NULL))",
        "Choose an engine where an engine taxes, and none elsewhere.",
    )
    _platform_named = models.Constraint(
        "CHECK (target <> 'elsewhere' OR COALESCE(recorder_name, '') <> '')",
        "Name the platform that records the tax.",
    )

    @api.onchange("target")
    def _onchange_target(self):
        if self.target != "engine":
            self.connector_id = False

    @api.constrains("connector_id", "company_id", "active")
    def _check_served(self):
        for route in self.filtered(lambda row: row.active and row.connector_id):
            if not self._workflows(route.company_id).filtered(
                lambda workflow, row=route: workflow.connector_id == row.connector_id
            ):
                raise ValidationError(
                    self.env._(
                        "%(engine)s has no workflow Tax for %(company)s yet: add one first, under"
                        " Configuration, Workflows.",
                        engine=route.connector_id.name,
                        company=route.company_id.name,
                    )
                )

    # === THE RULES OF A COMPANY === #

    @api.model
    def _rules(self, company) -> tuple:
        """Return the `Rule`s for documents of a company, in their order; () without any engine."""
        return self._cached_rules(company.id) if company else ()

    @tools.ormcache("company_id")
    def _cached_rules(self, company_id):
        company = self.env["res.company"].sudo().browse(company_id)
        workflows = self._workflows(company)
        # Settings are written with active_test switched off
        routes = (
            self.sudo()
            .with_context(active_test=True)
            .search([("company_id", "parent_of", company.ids)])
        )
        for level in reversed(company.parent_ids):
            own = routes.filtered(lambda route, at=level: route.company_id == at)
            if own:
                return tuple(route._rule(workflows, company) for route in own)
            serving = workflows.filtered(lambda workflow, at=level: workflow.company_id == at)
            if serving:
                return (Rule("engine", None, serving._tax_first().id),)
        return ()

    @api.model
    def _workflows(self, company):
        """Return the active tax workflows of a company and its parents, of active connectors."""
        return (
            self.env["finance.workflow"]
            .sudo()
            .with_context(active_test=True)
            .search(
                [
                    ("flow", "=", "tax"),
                    ("company_id", "parent_of", company.ids),
                    ("connector_id.active", "=", True),
                ]
            )
        )

    def _rule(self, workflows, company):
        of_engine = workflows.filtered(
            lambda workflow: self.connector_id and workflow.connector_id == self.connector_id
        )
        return Rule(
            self.target,
            self.id,
            of_engine._nearest(company).id or None,
            frozenset(self.country_ids.ids),
            frozenset(self.fiscal_position_ids.ids),
            frozenset(self.journal_ids.ids),
        )

    @api.model
    def _workflow_of(self, company, connector):
        """Return the tax workflow of one connector for a company, an archived one at need."""
        workflow_id = self._cached_workflow_of(company.id, connector.id)
        return self.env["finance.workflow"].sudo().browse(workflow_id or ())

    @tools.ormcache("company_id", "connector_id")
    def _cached_workflow_of(self, company_id, connector_id):
        company = self.env["res.company"].sudo().browse(company_id)
        found = (
            self.env["finance.workflow"]
            .sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("flow", "=", "tax"),
                    ("company_id", "parent_of", company_id),
                    ("connector_id", "=", connector_id),
                ]
            )
        )
        return (found.filtered("active") or found)._nearest(company).id

    @api.model
    def _domain_of_engines(self, company, workflows=None):
        """Return the domain of the invoices of one company that its rules give to an engine.

        workflows: to those alone.
        """
        ids = None if workflows is None else workflows.ids
        served = earlier = Domain.FALSE
        for rule in self._rules(company):
            fits = _domain_of(rule)
            wanted = rule.workflow_id and (ids is None or rule.workflow_id in ids)
            if rule.target == "engine" and wanted:
                served |= fits & ~earlier
            earlier |= fits
        return Domain("company_id", "=", company.id) & served


def _domain_of(rule):
    """Return the domain of the invoices that a rule fits, were it the only one."""
    domain = Domain.TRUE
    if rule.countries:
        domain &= Domain("partner_shipping_id.country_id", "in", sorted(rule.countries)) | (
            Domain("partner_shipping_id", "=", False)
            & Domain("partner_id.country_id", "in", sorted(rule.countries))
        )
    if rule.positions:
        domain &= Domain("fiscal_position_id", "in", sorted(rule.positions))
    if rule.journals:
        domain &= Domain("journal_id", "in", sorted(rule.journals))
    return domain


class FinanceWorkflow(models.Model):
    """Whose engine serves is cached with the rules."""

    _name = "finance.workflow"
    _inherit = ["finance.workflow", "finance.cached.mixin"]
    _cached_fields = {
        "active",
        "company_id",
        "connector_id",
        "flow",
        "tax_fallback_connector_id",
        "tax_outage",
    }

    @api.model
    def _serving(self, company, flow):
        serving = super()._serving(company, flow)
        if flow != "tax":
            return serving
        workflows = self.env["finance.tax.route"]._workflows(company)
        return workflows.filtered(lambda row: row.company_id == serving.company_id)._tax_first()

    def _tax_first(self):
        """Return the eldest of workflows of one company that is no mere fallback of another."""
        fallbacks = self.filtered(lambda row: row.tax_outage == "engine").tax_fallback_connector_id
        first = self.filtered(lambda row: row.connector_id not in fallbacks) or self
        return first.sorted("id")[:1]


class FinanceConnector(models.Model):
    """Whether it is active is cached with the rules; with it go its rules."""

    _name = "finance.connector"
    _inherit = ["finance.connector", "finance.cached.mixin"]
    _cached_fields = {"active"}
