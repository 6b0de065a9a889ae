"""Whom a document's tax belongs to, and why: said in words."""

from odoo import api, fields, models
from odoo.tools import format_list

from .finance_tax_route import Route


class FinanceTaxMixin(models.AbstractModel):
    _inherit = "finance.tax.mixin"

    finance_tax_route_words = fields.Char(
        "Whose its tax is", compute="_compute_finance_tax_route_words"
    )

    @api.depends(
        "company_id",
        "fiscal_position_id",
        "journal_id",
        "partner_id",
        "partner_shipping_id",
        "finance_tax_document_ids.state",
    )
    @api.depends_context("lang")
    def _compute_finance_tax_route_words(self):
        for document in self:
            document.finance_tax_route_words = document._finance_tax_explain()

    # === HOOKS OF A DOCUMENT === #

    def _finance_tax_journal(self):
        """Return the journal that the document is in, or will be."""
        return self.journal_id

    def _finance_tax_route_kept(self):
        """Return the `Route` that the document has whatever the rules say now, None for most."""
        return None

    # === THE ROUTE === #

    def _finance_tax_route(self) -> Route:
        """Return who decides about the tax of this document: one engine, Odoo, or elsewhere.

        The rules of its company are cached, so many documents cost no query each.
        """
        self.ensure_one()
        if not self._finance_tax_kind():
            return self._finance_tax_of_odoo("kind")
        route = self._finance_tax_route_kept() or self._finance_tax_route_by_rules()
        off = route.workflow and not route.workflow.tax_calculates
        if off and self._finance_tax_is_open():
            return self._finance_tax_of_odoo("off", name=route.name)
        return route

    def _finance_tax_of_odoo(self, reason, record=None, name=""):
        return Route("odoo", self.env["finance.workflow"], reason, record, name)

    def _finance_tax_route_by_rules(self):
        routes = self.env["finance.tax.route"]
        rules = routes._rules(self.company_id)
        if not rules:
            return self._finance_tax_of_odoo("none")
        rule = next((rule for rule in rules if self._finance_tax_fits(rule)), None)
        if rule is None:
            return self._finance_tax_of_odoo("unmatched")
        record = routes.sudo().browse(rule.route_id or ())
        if rule.target == "elsewhere":
            nobody = self.env["finance.workflow"]
            return Route("elsewhere", nobody, "rule", record, record.recorder_name)
        if rule.target == "odoo":
            return self._finance_tax_of_odoo("rule", record)
        if not rule.workflow_id:
            return self._finance_tax_of_odoo("closed", record)
        workflow = self.env["finance.workflow"].sudo().browse(rule.workflow_id)
        reason = "rule" if record else "company"
        return Route("engine", workflow, reason, record, workflow.connector_id.name)

    def _finance_tax_fits(self, rule):
        return (
            _within(self._finance_tax_ship_to().country_id, rule.countries)
            and _within(self.fiscal_position_id, rule.positions)
            and (not rule.journals or _within(self._finance_tax_journal(), rule.journals))
        )

    # === IN WORDS === #

    def _finance_tax_explain(self):
        """Return who taxes the document and why, for people; "" where there is no engine at all."""
        _, route = self.env._, self._finance_tax_route()
        if route.reason in ("kind", "none"):
            return ""
        names = {
            "company": self.company_id.name,
            "rule": route.record.display_name if route.record else "",
            "name": route.name,
            "facts": self._finance_tax_facts_in_words(),
        }
        reasons = {
            "company": _("it taxes all documents of %(company)s", **names),
            "rule": _("“%(rule)s” is the first rule that fits %(facts)s", **names),
            "unmatched": _("no rule of %(company)s fits %(facts)s", **names),
            "closed": _(
                "the engine of the rule “%(rule)s” does not serve %(company)s any more", **names
            ),
            "off": _("calculation by %(name)s is switched off", **names),
            "original": _("so is %(rule)s, which it corrects", **names),
            "kept": _("it was posted so", **names),
            "told": _("it came from there", **names),
        }
        who = {
            "engine": _("Belongs to %(name)s", **names),
            "odoo": _("Belongs to Odoo's own taxes"),
            "elsewhere": _("Recorded at %(name)s", **names),
        }[route.target]
        words = _("%(who)s: %(why)s.", who=who, why=reasons[route.reason])
        if route.workflow and not route.workflow.tax_records and self._finance_tax_is_open():
            return _("%(words)s Recording there is switched off.", words=words)
        return words

    def _finance_tax_facts_in_words(self):
        """Return what rules look at: "delivery to United States, journal Sales"."""
        _ = self.env._
        country = self._finance_tax_ship_to().country_id
        facts = [_("delivery to %(country)s", country=country.name)] if country else []
        if self.fiscal_position_id:
            facts.append(
                _("fiscal position %(position)s", position=self.fiscal_position_id.sudo().name)
            )
        journal = self._finance_tax_journal()
        if journal:
            facts.append(_("journal %(journal)s", journal=journal.sudo().name))
        return format_list(self.env, facts, "unit") if facts else _("an unknown destination")


def _within(record, ids):
    """Tell whether a record is among ids; no ids: whatever it is."""
    return not ids or record._origin.id in ids
