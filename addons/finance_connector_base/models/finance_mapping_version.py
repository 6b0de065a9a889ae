"""One version of a mapping: drafted, submitted, approved by another person, superseded."""

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..actions import dialog
from ..canonical.codec import digest
from .finance_mapping import APPROVER

WORKER = "finance_connector_base.group_user"
# What people may write on a draft; everything else the buttons do.
EDITABLE = {"note", "line_ids"}
BEGUN = "Somebody else has just begun the next version of this mapping. Open that one."


class FinanceMappingVersion(models.Model):
    """All lines of a mapping at one time. Only a draft can be changed."""

    _name = "finance.mapping.version"
    _description = "Version of a Mapping"
    _order = "mapping_id, number desc"
    _rec_names_search = ["mapping_id.name", "note"]

    mapping_id = fields.Many2one(
        "finance.mapping", required=True, readonly=True, index=True, ondelete="restrict"
    )
    kind = fields.Selection(related="mapping_id.kind")
    company_id = fields.Many2one(related="mapping_id.company_id")
    connector_id = fields.Many2one(related="mapping_id.connector_id")
    scope = fields.Char(related="mapping_id.scope")
    number = fields.Integer(readonly=True, required=True, aggregator=None)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("submitted", "Waiting for approval"),
            ("approved", "Approved"),
            ("superseded", "Superseded"),
            ("discarded", "Discarded"),
        ],
        readonly=True,
        required=True,
        default="draft",
        index=True,
    )
    note = fields.Char("What for")
    previous_id = fields.Many2one(
        "finance.mapping.version", "Copied From", readonly=True, ondelete="restrict"
    )
    line_ids = fields.One2many("finance.mapping.line", "version_id")
    line_count = fields.Integer("Lines", compute="_compute_line_count")
    # counts changes of lines, so that one that comes while it is being submitted is found out
    revision = fields.Integer(readonly=True, default=0, aggregator=None)
    editor_ids = fields.Many2many("res.users", string="Changed by", readonly=True)
    submitted_by_id = fields.Many2one(
        "res.users", "Submitted by", readonly=True, ondelete="set null"
    )
    submitted_at = fields.Datetime("Submitted on", readonly=True)
    approved_by_id = fields.Many2one("res.users", "Approved by", readonly=True, ondelete="set null")
    approved_at = fields.Datetime("Approved on", readonly=True)
    superseded_at = fields.Datetime("Superseded on", readonly=True)
    rejected_by_id = fields.Many2one("res.users", "Rejected by", readonly=True, ondelete="set null")
    rejection = fields.Char("Why It Was Rejected", readonly=True)
    lines_digest = fields.Char(
        "SHA-256 of the lines", readonly=True, help="Of what was submitted and approved."
    )
    use_ids = fields.One2many("finance.mapping.use", "version_id", string="Used by")
    waits_for_other = fields.Boolean(compute="_compute_waits_for_other")

    _one_per_number = models.Constraint("UNIQUE (mapping_id, number)", BEGUN)
    _one_open = models.UniqueIndex("(mapping_id) WHERE state IN ('draft', 'submitted')", BEGUN)
    _one_approved = models.UniqueIndex(
        "(mapping_id) WHERE state = 'approved'", "One version of a mapping is approved."
    )

    # === COMPUTE METHODS === #

    @api.depends("mapping_id.name", "number")
    def _compute_display_name(self):
        for version in self:
            version.display_name = self.env._(
                "%(mapping)s, version %(number)s",
                mapping=version.mapping_id.name,
                number=version.number,
            )

    @api.depends("line_ids")
    def _compute_line_count(self):
        found = self.env["finance.mapping.line"]._read_group(
            [("version_id", "in", self.ids)], ["version_id"], ["__count"]
        )
        counts = {version.id: count for version, count in found}
        for version in self:
            version.line_count = counts.get(version.id, 0)

    @api.depends("state", "submitted_by_id", "editor_ids")
    @api.depends_context("uid")
    def _compute_waits_for_other(self):
        for version in self:
            version.waits_for_other = version.state == "submitted" and version._is_own()

    def _is_decided(self):
        """Whether somebody decided on it, or is about to."""
        return bool(self.approved_at or self.state == "submitted")

    def _is_own(self):
        this = self.sudo()
        return self.env.user in this.submitted_by_id | this.editor_ids

    # === A NEW VERSION === #

    @api.model
    def _begin(self, mapping):
        """Return a new draft: the approved version's lines, without those whose record is gone."""
        versions = self.sudo()
        former = mapping.sudo().current_id
        numbers = versions.search([("mapping_id", "=", mapping.id)]).mapped("number")
        draft = versions.create(
            {
                "mapping_id": mapping.id,
                "number": max(numbers, default=0) + 1,
                "previous_id": former.id,
            }
        )
        self.env["finance.mapping.line"]._copy_lines(former, draft)
        return draft.sudo(self.env.su)

    def _touch(self):
        """Note who changes lines of drafts. Raises UserError for what is no draft any more."""
        for version in self.sudo():
            if version.state != "draft":
                self.env["finance.denied.action"]._deny("mapping.edit", "guard", version)
                raise UserError(
                    self.env._(
                        "%(version)s can't be changed: only a draft can. Press New Version on the "
                        "mapping.",
                        version=version.display_name,
                    )
                )
            version.with_context(finance_mapping_step=True).write(
                {
                    "revision": version.revision + 1,
                    "editor_ids": [Command.link(self.env.uid)],
                }
            )

    def _digest(self):
        """The SHA-256 of what the lines say, whatever their ids and order."""
        return digest(sorted(line._said() for line in self.sudo().line_ids))

    # === GUARDS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            self.check_access("create")
            self.env["finance.denied.action"]._deny("create", "guard", self)
            raise UserError(self.env._("Press New Version on the mapping."))
        return super().create(vals_list)

    def write(self, vals):
        by_hand = not (self.env.su and self.env.context.get("finance_mapping_step"))
        if by_hand and vals:
            self._check_by_hand(vals)
        return super().write(vals)

    def _check_by_hand(self, vals):
        self.check_access("write")
        fixed = [name for name in vals if name not in EDITABLE]
        if fixed:
            self.env["finance.denied.action"]._deny("write", "guard", self)
            raise UserError(
                self.env._(
                    "Use the buttons: these fields of a version can't be set by hand: %(names)s",
                    names=", ".join(fixed),
                )
            )
        self._touch()

    def unlink(self):
        """Refused: a version that nobody wants is discarded."""
        self.env["finance.denied.action"]._deny("unlink", "guard", self)
        raise AccessError(self.env._("Versions of a mapping are kept. Discard a draft instead."))

    # === BUTTONS === #

    def action_submit(self):
        """Hand a draft to an approver, with what it would have changed last month."""
        self.ensure_one()
        self._check("mapping.submit", "draft", WORKER)
        if not self.sudo().line_ids:
            raise UserError(self.env._("There is no line in it yet: nothing to approve."))
        self._check_sees_all("mapping.submit")
        self._step(
            {
                "state": "submitted",
                "submitted_by_id": self.env.uid,
                "submitted_at": fields.Datetime.now(),
                "lines_digest": self._digest(),
                "rejection": False,
                "rejected_by_id": False,
                **self._tried(),
            }
        )
        self._audit("mapping.submitted")

    def action_withdraw(self):
        """Take a submitted version back to change it."""
        self.ensure_one()
        self._check("mapping.withdraw", "submitted", WORKER)
        self._step({"state": "draft", "submitted_by_id": False, "submitted_at": False})
        self._audit("mapping.withdrawn")

    def action_approve(self):
        """Let a submitted version be used from now on, in place of the former one."""
        self.ensure_one()
        self._check("mapping.approve", "submitted", APPROVER)
        self._check_other("mapping.approve")
        self._check_sees_all("mapping.approve")
        if self._digest() != self.lines_digest:
            raise UserError(
                self.env._(
                    "The lines are not those that were submitted: a record of them was merged. "
                    "Take it back, look at the lines and submit it again."
                )
            )
        tried = self._tried()
        former = self.sudo().mapping_id.current_id
        now = fields.Datetime.now()
        former._step({"state": "superseded", "superseded_at": now})
        former.flush_recordset()
        self._step(
            {"state": "approved", "approved_by_id": self.env.uid, "approved_at": now, **tried}
        )
        self._audit("mapping.approved", superseded=former.id or None, trial=self._trial_told())
        self.env["finance.mapping.missing"]._settle(self.kind)

    def action_reject(self):
        """Ask why it is rejected."""
        self.ensure_one()
        self._check("mapping.reject", "submitted", APPROVER)
        return dialog(
            self.env._("Reject"), "finance.mapping.reject", context={"default_version_id": self.id}
        )

    def _reject(self, reason):
        """Give it back to be changed. reason: a person's words."""
        self._check("mapping.reject", "submitted", APPROVER)
        self._step({"state": "draft", "rejected_by_id": self.env.uid, "rejection": reason})
        self._audit("mapping.rejected", detail={"reason": reason})

    def action_discard(self):
        """End a draft that nobody wants."""
        self.ensure_one()
        self._check("mapping.discard", "draft", WORKER)
        self._step({"state": "discarded"})
        self._audit("mapping.discarded")

    def _step(self, vals):
        self.sudo().with_context(finance_mapping_step=True).write(vals)

    # === WHO MAY === #

    def _check(self, action, state, group):
        self._check_worker(action, self, group)
        self.check_access("read")
        self.invalidate_recordset(["state"])
        if self.state != state:
            names = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "%(version)s is “%(state)s” by now, so this can't be done with it any more.",
                    version=self.display_name,
                    state=names[self.state],
                )
            )

    @api.model
    def _check_worker(self, action, records, group=WORKER):
        """Refuse who has not the role."""
        if self.env.su or self.env.user.has_group(group):
            return
        self.env["finance.denied.action"]._deny(action, "group", records)
        raise AccessError(
            self.env._("Your role doesn't allow this with a mapping. Ask a colleague with it.")
        )

    def _check_other(self, action):
        if not self._is_own():
            return
        self.env["finance.denied.action"]._deny(action, "own", self)
        raise UserError(
            self.env._(
                "You submitted this version or changed its lines: another approver must read it "
                "and approve it."
            )
        )

    def _check_sees_all(self, action):
        """Refuse who may not read every record that the lines are about."""
        model = self.mapping_id.sudo()._type.model
        ids = set(
            self.sudo().line_ids.filtered(lambda line: line.rule == "record").mapped("res_id")
        )
        records = self.env[model].browse(ids).exists()
        hidden = records.sudo(False).with_context(
            allowed_company_ids=self.env.user.company_ids.ids, active_test=False
        )
        hidden -= hidden._filtered_access("read")
        if not hidden or self.env.su:
            return
        self.env["finance.denied.action"]._deny(action, "company", self)
        raise AccessError(
            self.env._(
                "%(count)s lines are about records of other companies that you may not read. "
                "Somebody with access to all of them must do this.",
                count=len(hidden),
            )
        )

    # === TOLD === #

    def _audit(self, kind, detail=None, **data):
        self.env["finance.audit.event"]._record(
            kind,
            self,
            connector=self.sudo().connector_id,
            company=self.sudo().company_id,
            data={
                "mapping_id": self.mapping_id.id,
                "number": self.number,
                "lines": self.line_count,
                "digest": self.lines_digest or self._digest(),
                **data,
            },
            detail=detail,
        )

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
        }
