"""Accounts and taxes that a statutory file has no code for: mapped from the finding."""

from odoo import api, fields, models

# Finding: type of mapping.
KINDS = {
    "unmapped_account": "account",
    "no_category": "account",
    "not_in_plan": "account",
    "unmapped_tax": "tax",
    "other_tax_code": "tax",
}


class FinanceStatutoryFinding(models.Model):
    _inherit = "finance.statutory.finding"

    can_map = fields.Boolean(compute="_compute_can_map")

    @api.depends("code")
    def _compute_can_map(self):
        for finding in self:
            finding.can_map = finding.code in KINDS

    def action_map(self):
        """Ask for the codes that are missing; where none is, open the mapping to correct it."""
        self.ensure_one()
        self.export_id._check_controller("statutory.map")
        mapping = self._mapping()
        missing = self._missing(mapping)
        if missing:
            return missing.action_map()
        return mapping.action_new_version()

    def _mapping(self):
        """Return the mapping for this kind of file that is the company's; made where none is."""
        export, kind = self.export_id, KINDS[self.code]
        mappings = self.env["finance.mapping"]
        companies = [False, *export.company_id.sudo().parent_ids.ids]
        found = mappings.search(
            [
                ("kind", "=", kind),
                ("scope", "=", export.kind),
                ("connector_id", "=", False),
                ("company_id", "in", companies),
            ]
        )
        if found:
            return max(found, key=lambda one: companies.index(one.company_id.id))
        label = dict(export._fields["kind"]._description_selection(self.env))[export.kind]
        company = export.company_id
        return mappings.create(
            {
                "name": f"{label}: {company.name}",
                "kind": kind,
                "scope": export.kind,
                "company_id": company.id,
            }
        )

    def _missing(self, mapping):
        """Return the unmapped values of the finding, as rows that can be asked for."""
        export = self.export_id
        answer = mapping._lookup(
            mapping.kind, self.res_ids, export.date_to, export.company_id, scope=export.kind
        )
        mine = answer.mapping_id == mapping.id
        wanted = set(answer.missing) if mine else set(self.res_ids)
        rows = self.env["finance.mapping.missing"].sudo()
        same = {"mapping_id": mapping.id, "company_id": export.company_id.id}
        domain = [(name, "=", value) for name, value in same.items()]
        known = rows.search([*domain, ("res_id", "in", list(wanted))])
        facts = same | {"res_model": self.res_model, "scope": export.kind, "day": export.date_to}
        fresh = sorted(wanted - set(known.mapped("res_id")))
        known |= rows.create([facts | {"res_id": one, "asked": 1} for one in fresh])
        return known.with_env(self.env)
