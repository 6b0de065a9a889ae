"""What the configuration was, is, and is proposed to become."""

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..actions import notice
from ..configuration.text import digest, dump

POLICY_PARAMETER = "finance_connector.configuration_policy"
SEQUENCE = "finance.configuration.version"
CHANGES = "finance_connector_base.configuration_changes"
# Which text of a version is meant, and the field that has it.
PARTS = {"file": "content", "before": "before", "after": "after"}


class FinanceConfigurationVersion(models.Model):
    """A reviewed file: proposed by somebody, then applied as the next version, or discarded.

    Nobody writes it; the buttons do.
    """

    _name = "finance.configuration.version"
    _description = "Version of the Configuration"
    _order = "id desc"
    _rec_names_search = ["note"]

    number = fields.Integer(readonly=True, aggregator=None, help="Given when it is applied.")
    state = fields.Selection(
        [("proposed", "Proposed"), ("applied", "Applied"), ("discarded", "Discarded")],
        readonly=True,
        required=True,
        default="proposed",
        index=True,
    )
    origin = fields.Selection(
        [
            ("file", "File"),
            ("restore", "Former version"),
            ("screens", "Changes on the screens, kept"),
        ],
        string="From",
        readonly=True,
        required=True,
        default="file",
    )
    filename = fields.Char("File Name", readonly=True)
    restored_id = fields.Many2one(
        "finance.configuration.version", "Former Version", readonly=True, ondelete="restrict"
    )
    previous_id = fields.Many2one(
        "finance.configuration.version", "Followed Version", readonly=True, ondelete="restrict"
    )
    note = fields.Char("What for", readonly=True)
    is_complete = fields.Boolean("The file is complete", readonly=True)
    uploaded_by_id = fields.Many2one("res.users", "Proposed by", readonly=True, ondelete="set null")
    uploaded_at = fields.Datetime("Proposed on", readonly=True)
    applied_by_id = fields.Many2one("res.users", "Applied by", readonly=True, ondelete="set null")
    applied_at = fields.Datetime("Applied on", readonly=True)
    company_ids = fields.Many2many("res.company", string="Companies", readonly=True)

    content = fields.Text("File", readonly=True)
    before = fields.Text("Configuration Before", readonly=True)
    after = fields.Text("Configuration Afterwards", readonly=True)
    notes = fields.Json(readonly=True)
    file_digest = fields.Char("SHA-256 of the file", compute="_compute_digests")
    before_digest = fields.Char("SHA-256 before", compute="_compute_digests")
    after_digest = fields.Char("SHA-256 afterwards", compute="_compute_digests")
    review_digest = fields.Char(compute="_compute_digests")

    is_last = fields.Boolean(compute="_compute_differs", help="No version was applied after it.")
    differs = fields.Boolean("Changed by hand since", compute="_compute_differs")
    use = fields.Selection(
        [("current", "In use"), ("changed", "In use, changed by hand since"), ("former", "Former")],
        compute="_compute_differs",
    )
    waits_for_other = fields.Boolean(compute="_compute_waits_for_other")
    changes_html = fields.Html("Changes", compute="_compute_html", sanitize=False)
    since_html = fields.Html("Changed Since", compute="_compute_html", sanitize=False)

    _one_per_number = models.UniqueIndex(
        "(number) WHERE number > 0", "Each version has its number."
    )

    # === COMPUTE METHODS === #

    @api.depends("number", "state", "uploaded_at")
    def _compute_display_name(self):
        for version in self:
            if version.state == "applied":
                version.display_name = self.env._("Version %(number)s", number=version.number)
            else:
                version.display_name = self.env._("Proposed change")

    @api.depends("content", "before", "after", "notes")
    def _compute_digests(self):
        for version in self:
            version.file_digest = digest(version.content or "")
            version.before_digest = digest(version.before or "")
            version.after_digest = digest(version.after or "")
            version.review_digest = digest(
                dump([version.before or "", version.after or "", version.notes or []])
            )

    @api.depends("state", "number")
    def _compute_differs(self):
        last = self._last()
        changed = bool(last & self) and last.after != self.env["finance.configuration"]._export()
        for version in self:
            version.is_last = version == last
            version.differs = version.is_last and changed
            version.use = False
            if version.state == "applied":
                version.use = "former" if version != last else "changed" if changed else "current"

    @api.depends("state", "uploaded_by_id")
    @api.depends_context("uid")
    def _compute_waits_for_other(self):
        for version in self:
            version.waits_for_other = version.state == "proposed" and version._is_own()

    @api.depends("before", "after", "notes", "state", "number")
    @api.depends_context("lang")
    def _compute_html(self):
        configuration = self.env["finance.configuration"]
        for version in self:
            texts = version.before or "", version.after or ""
            notes = configuration._told_notes(version.notes or [])
            steps = version.state == "proposed" and configuration._steps(*texts)
            version.changes_html = version._html(*texts, notes, steps)
            version.since_html = Markup()
            if version.differs:
                version.since_html = version._html(version.after, configuration._export())

    def _html(self, before, after, notes=(), steps=()):
        groups = self.env["finance.configuration"]._changes(before, after)
        # without a version before it, everything would be new
        first = self.origin == "screens" and not before
        return self.env["ir.qweb"]._render(
            CHANGES,
            {"groups": [] if first else groups, "notes": notes, "first": first, "steps": steps},
        )

    # === VERSIONS === #

    @api.model
    def _last(self):
        """Return the version that was applied last, empty when there is none."""
        return self.sudo().search([("state", "=", "applied")], order="number desc", limit=1)

    @api.model
    def _propose(self, text, review, **vals):
        """Keep a reviewed file for somebody to apply, and return it."""
        proposal = self.sudo().create(
            {
                "content": text,
                "uploaded_by_id": self.env.uid,
                "uploaded_at": fields.Datetime.now(),
                "company_ids": [(6, 0, self.env["res.company"].sudo().search([]).ids)],
                **self._reviewed(review),
                **vals,
            }
        )
        proposal._audit("config.proposed")
        return proposal.sudo(False)

    def _reviewed(self, review):
        return {"before": review.before, "after": review.after, "notes": review.notes}

    def _number(self):
        """Return the next number.

        Its row is locked and changed, so that of two who apply at once the second is run again by
        Odoo, sees what the first has done and reviews anew.
        """
        sequence = self.env.ref("finance_connector_base.sequence_configuration_version").sudo()
        return int(sequence.next_by_id())

    def _is_own(self):
        """Whether the policy asks for another person than the one who is here."""
        policy = self.env["ir.config_parameter"].sudo().get_param(POLICY_PARAMETER)
        return policy == "other_person" and self.uploaded_by_id == self.env.user

    # === BUTTONS === #

    def action_apply(self):
        """Make the configuration what the file says: whole or not at all.

        The context's ``reviewed`` is the digest of what was on screen; when the configuration has
        changed since, nothing is applied and the new difference is shown.
        """
        self.ensure_one()
        self._check("config.apply")
        if self._is_own():
            self.env["finance.denied.action"]._deny("config.apply", "policy", self)
            raise UserError(
                self.env._("Somebody other than the person who proposed it must apply it.")
            )
        configuration = self.env["finance.configuration"]
        review = configuration._review(self.content, self.is_complete)
        if review.problems:
            raise UserError(
                self.env._(
                    "It can't be applied any more; nothing was changed. %(problems)s",
                    problems="\n".join(_line(problem) for problem in review.problems),
                )
            )
        if self.env.context.get("reviewed") != review.digest:
            self.sudo().write(self._reviewed(review))
            return self._notify(
                "warning",
                self.env._("Nothing was applied yet"),
                self.env._(
                    "The configuration was changed since this was reviewed. Read what would change "
                    "now, then press Apply again."
                ),
            )
        return self._apply(review)

    def _apply(self, review):
        previous, number = self._last(), self._number()
        configuration = self.env["finance.configuration"]
        configuration._load(self.content, self.is_complete)
        if configuration._export() != review.after:
            raise UserError(
                self.env._(
                    "Odoo made something else of it than was reviewed; nothing was changed. Upload "
                    "the file again and look what it does now."
                )
            )
        self._become_applied(number, previous)
        words = [
            self.env._("It is applied as a whole."),
            *configuration._steps(self.before, self.after),
        ]
        return self._notify("success", self.display_name, " ".join(words))

    def _become_applied(self, number, previous):
        self.sudo().write(
            {
                "state": "applied",
                "number": number,
                "previous_id": previous.id,
                "applied_by_id": self.env.uid,
                "applied_at": fields.Datetime.now(),
            }
        )
        self._audit("config.applied")

    def action_discard(self):
        """End a proposal without applying it."""
        for proposal in self:
            proposal._check("config.discard")
        self.sudo().write({"state": "discarded"})
        self._audit("config.discarded")

    def action_restore(self):
        """Propose what this version made of the configuration."""
        return self._propose_again("after")

    def action_restore_before(self):
        """Propose what the configuration was before this version."""
        return self._propose_again("before")

    def _propose_again(self, part):
        self.ensure_one()
        self._check("config.restore", state="applied")
        words = {
            "after": self.env._("Back to version %(number)s", number=self.number),
            "before": self.env._("Back to what was before version %(number)s", number=self.number),
        }
        wizard = self.env["finance.configuration.import"].create(
            {"is_complete": True, "note": words[part], "restored_id": self.id, "part": part}
        )
        return wizard.action_review()

    def action_keep(self):
        """Keep the present configuration as a version, without changing anything."""
        self.env["finance.configuration"]._check_administrator("config.keep", self.browse())
        last = self._last()
        now = self.env["finance.configuration"]._export()
        if last.after == now:
            raise UserError(
                self.env._("Nothing has changed since version %(number)s.", number=last.number)
            )
        number = self._number()
        version = self.sudo().create(
            {
                "origin": "screens",
                "content": now,
                "before": last.after,
                "after": now,
                "uploaded_by_id": self.env.uid,
                "uploaded_at": fields.Datetime.now(),
                "company_ids": [(6, 0, self.env["res.company"].sudo().search([]).ids)],
            }
        )
        version = version.sudo(False)
        version._become_applied(number, last)
        return version._open()

    def action_import(self):
        """Ask for a file."""
        self.env["finance.configuration"]._check_administrator("config.propose", self.browse())
        return self.env["finance.configuration.import"]._open()

    def action_export(self):
        """Download the present configuration."""
        return {"type": "ir.actions.act_url", "url": "/finance/configuration", "target": "download"}

    def action_download(self):
        """Download the file as it was proposed."""
        return self._download("file")

    def action_download_after(self):
        """Download the configuration as this version left it."""
        return self._download("after")

    def _download(self, part):
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/finance/configuration/{self.id}/{part}",
            "target": "download",
        }

    # === HELPERS === #

    def _check(self, action, state="proposed"):
        self.env["finance.configuration"]._check_administrator(action, self)
        self.check_access("read")
        if self.state != state:
            raise UserError(
                self.env._("%(name)s: this can't be done with it any more.", name=self.display_name)
            )

    def _text(self, part):
        """Return (file name, text) of a part for download; audited, as every export is."""
        self.ensure_one()
        self.env["finance.configuration"]._check_administrator("config.export", self, auditor=True)
        self.check_access("read")
        text = self[PARTS[part]] or ""
        self._audit("config.exported", part=part)
        return f"finance-connect-{self.number or 'proposal'}-{part}.json", text

    @api.model
    def _present(self):
        """Return (file name, text) of the present configuration for download; audited."""
        self.env["finance.configuration"]._check_administrator(
            "config.export", self.browse(), auditor=True
        )
        text = self.env["finance.configuration"]._export()
        self.env["finance.audit.event"]._record(
            "config.exported", data={"part": "present", "digest": digest(text)}
        )
        return f"finance-connect-{fields.Date.context_today(self)}.json", text

    def _audit(self, kind, **data):
        self.env["finance.audit.event"]._record_many(
            [
                {
                    "kind": kind,
                    "res_model": version._name,
                    "res_id": version.id,
                    "data": {
                        "version": version.number or None,
                        "origin": version.origin,
                        "file": version.file_digest,
                        "before": version.before_digest,
                        "after": version.after_digest,
                        "proposed_by": version.uploaded_by_id.id,
                        "complete": version.is_complete,
                        **data,
                    },
                }
                for version in self
            ]
        )

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
        }

    def _notify(self, kind, title, message):
        return notice(kind, message, title=title, sticky=kind != "success")


def _line(problem):
    return f"{problem['where']}: {problem['words']}"


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _kinds(self):
        _ = self.env._
        return super()._kinds() | {
            "config.applied": _("Configuration applied"),
            "config.discarded": _("Proposed configuration discarded"),
            "config.exported": _("Configuration exported"),
            "config.proposed": _("Configuration proposed"),
        }


class FinanceDeniedAction(models.Model):
    _inherit = "finance.denied.action"

    @api.model
    def _actions(self):
        _ = self.env._
        return super()._actions() | {
            "config.apply": _("Apply a configuration"),
            "config.discard": _("Discard a configuration"),
            "config.export": _("Export the configuration"),
            "config.keep": _("Keep the configuration as a version"),
            "config.propose": _("Propose a configuration"),
            "config.restore": _("Restore a configuration"),
        }
