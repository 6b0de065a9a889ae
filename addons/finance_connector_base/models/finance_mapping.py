"""Which external code an Odoo record has: translations that were approved."""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..actions import listing
from .finance_mapping_sql import TYPES

APPROVER = "finance_connector_base.group_approver"

# What may be changed once a version was approved: nothing that changes whom it serves.
LASTING = {"name", "note", "active"}


class FinanceMapping(models.Model):
    """The translation of one type of Odoo records, for a connector, a feed, or everybody.

    What it says stands in its versions, of which one at most is approved.
    """

    _name = "finance.mapping"
    _description = "Mapping"
    _order = "kind, name, id"

    name = fields.Char(required=True)
    kind = fields.Selection(
        [
            ("entity", "Entity"),
            ("account", "Account"),
            ("journal", "Journal"),
            ("tax", "Tax"),
            ("partner", "Partner"),
            ("product", "Product"),
            ("currency", "Currency"),
            ("payment_term", "Payment term"),
            ("dimension", "Dimension (analytic)"),
        ],
        string="Type",
        required=True,
        index=True,
    )
    connector_id = fields.Many2one(
        "finance.connector",
        ondelete="restrict",
        help="Only this connector uses it. Empty: every connector without a mapping of its own.",
    )
    scope = fields.Char(
        "Feed", help="Only this feed uses it. Empty: every feed without a mapping of its own."
    )
    company_id = fields.Many2one(
        "res.company",
        ondelete="restrict",
        help="Only this company and its branches use it. Empty: all companies without their own.",
    )
    active = fields.Boolean(default=True)
    note = fields.Text("Notes")
    version_ids = fields.One2many("finance.mapping.version", "mapping_id")
    current_id = fields.Many2one(
        "finance.mapping.version", "Approved Version", compute="_compute_versions"
    )
    open_id = fields.Many2one(
        "finance.mapping.version", "Next Version", compute="_compute_versions"
    )
    open_state = fields.Selection(
        [("draft", "Draft"), ("submitted", "Waiting for approval")],
        string="Next Version is",
        compute="_compute_versions",
    )
    missing_count = fields.Integer("Unmapped", compute="_compute_missing_count")

    _one_for_all = models.UniqueIndex(
        "(kind, COALESCE(connector_id, 0), COALESCE(scope, ''), COALESCE(company_id, 0))"
        " WHERE active",
        "There is a mapping of this type for the same connector, feed and company already."
        " Change that one, or archive it first.",
    )

    @api.depends("version_ids.state")
    def _compute_versions(self):
        versions = self.env["finance.mapping.version"]
        found = versions.search(
            [("mapping_id", "in", self.ids), ("state", "in", ("approved", "draft", "submitted"))]
        ).grouped(lambda version: (version.mapping_id.id, version.state == "approved"))
        for mapping in self:
            mapping.current_id = found.get((mapping.id, True), versions)
            mapping.open_id = found.get((mapping.id, False), versions)
            mapping.open_state = mapping.open_id.state

    def _compute_missing_count(self):
        found = self.env["finance.mapping.missing"]._read_group(
            [("mapping_id", "in", self.ids)], ["mapping_id"], ["__count"]
        )
        counts = {mapping.id: count for mapping, count in found}
        for mapping in self:
            mapping.missing_count = counts.get(mapping.id, 0)

    @api.constrains("company_id", "connector_id")
    def _check_served(self):
        """A company's mapping for a connector that doesn't serve it would never be used."""
        for mapping in self.sudo().filtered(lambda row: row.company_id and row.connector_id):
            served = mapping.connector_id.company_ids
            family = mapping.company_id.parent_ids | self.env["res.company"].search(
                [("id", "child_of", mapping.company_id.id)]
            )
            if not served & family:
                raise ValidationError(
                    self.env._(
                        "%(connector)s does not work for %(company)s. Choose another company, or "
                        "add it to the connector first.",
                        connector=mapping.connector_id.name,
                        company=mapping.company_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([_tidy(vals) for vals in vals_list])

    def write(self, vals):
        fixed = set(vals) - LASTING
        decided = self.sudo().version_ids.filtered(lambda version: version._is_decided())
        if fixed and decided:
            self.env["finance.denied.action"]._deny("write", "guard", self)
            raise UserError(
                self.env._(
                    "A version of this mapping was submitted or approved for what it serves: type, "
                    "connector, feed and company stay. Archive it and make another one."
                )
            )
        archived = self.filtered(lambda row: "active" in vals and row.active != vals["active"])
        archived._check_archive()
        result = super().write(_tidy(vals))
        archived._note_archived()
        return result

    def _check_archive(self):
        """What an approved version says ends, or begins again: that is an approver's decision."""
        if self.sudo().version_ids.filtered("approved_at"):
            self.env["finance.mapping.version"]._check_worker("mapping.archive", self, APPROVER)

    def _note_archived(self):
        for mapping in self:
            self.env["finance.audit.event"]._record(
                "mapping.restored" if mapping.active else "mapping.archived",
                mapping,
                connector=mapping.sudo().connector_id,
                company=mapping.sudo().company_id,
                data={"version_id": mapping.sudo().current_id.id or None},
            )

    # === FOR WHOM === #

    @property
    def _type(self):
        return TYPES[self.kind]

    def _companies(self):
        """Return the companies whose values are looked up here: those without a closer mapping."""
        this = self.sudo()
        domain = [("id", "child_of", this.company_id.id)] if this.company_id else []
        return this.env["res.company"].search(domain).filtered(this._would_serve)

    def _would_serve(self, company):
        """Whether this mapping serves a company once it is approved."""
        rivals = self.search(
            [
                ("kind", "=", self.kind),
                ("connector_id", "=", self.connector_id.id),
                ("scope", "=", self.scope),
                ("company_id", "in", company.parent_ids.ids),
                ("version_ids.state", "=", "approved"),
            ]
        )
        own = self.company_id.parent_path or ""
        served = self.connector_id.company_ids
        if served and not served & company.parent_ids:
            return False
        return not any(len(rival.company_id.parent_path) > len(own) for rival in rivals - self)

    # === BUTTONS === #

    def action_new_version(self):
        """Open the version that is being worked on; where there is none, begin one."""
        self.ensure_one()
        return self._draft()._open()

    def action_versions(self):
        """List the versions."""
        self.ensure_one()
        return listing(self.name, "finance.mapping.version", [("mapping_id", "=", self.id)])

    def _draft(self):
        """Return the draft of the next version, a copy of the approved one.

        Raises UserError while a version waits for approval.
        """
        self.ensure_one()
        versions = self.env["finance.mapping.version"]
        versions._check_worker("mapping.edit", self)
        self.check_access("read")
        waiting = self.sudo().open_id
        if waiting.state == "submitted":
            raise UserError(
                self.env._(
                    "%(version)s waits for approval. It must be approved or rejected before "
                    "something else is changed.",
                    version=waiting.display_name,
                )
            )
        return versions.browse(waiting.id) if waiting else versions._begin(self)


def _tidy(vals):
    """A feed without a name is none."""
    if "scope" not in vals:
        return vals
    return vals | {"scope": (vals["scope"] or "").strip() or False}
