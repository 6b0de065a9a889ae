"""A file for an authority: of which company and period, how far it is."""

from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..statutory import ENCODINGS, KINDS

CONTROLLER = "finance_connector_base.group_controller"
STATES = [
    ("draft", "New"),
    ("blocked", "Something is missing"),
    ("ready", "Checked"),
    ("making", "Being written"),
    ("made", "Written"),
    ("proving", "Being compared"),
    ("final", "Final"),
]
# Until it is written, what it is about may be changed; then it has to be checked again.
OPEN = ("draft", "blocked", "ready")
ASKED = {"company_id", "kind", "date_from", "date_to", "separator", "encoding"}
EDITED = ASKED | {"explanation", "message_follower_ids", "activity_ids"}


class FinanceStatutoryExport(models.Model):
    """Checked, written by a job, and final once the books are locked and still say the same."""

    _name = "finance.statutory.export"
    _inherit = ["finance.job.mixin", "mail.thread", "mail.activity.mixin"]
    _description = "Statutory File"
    _order = "date_to desc, id desc"
    _rec_names_search = ["file_name", "company_id.name"]

    name = fields.Char(compute="_compute_name")
    uuid = fields.Char(required=True, readonly=True, copy=False, default=lambda self: str(uuid4()))
    trace_id = fields.Char("Trace", readonly=True, copy=False, default=lambda self: uuid4().hex)
    connector_id = fields.Many2one("finance.connector", readonly=True, ondelete="set null")
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(
        selection="_selection_kind", required=True, default=lambda self: self._default_kind()
    )
    date_from = fields.Date("From", required=True, default=lambda self: self._last_year()[0])
    date_to = fields.Date("To", required=True, default=lambda self: self._last_year()[1])
    separator = fields.Selection(
        [("\t", "Tab"), ("|", "| (pipe)")], required=True, default="\t", help="Between columns."
    )
    encoding = fields.Selection(
        list(ENCODINGS.items()),
        required=True,
        default="utf-8",
        help="ISO 8859-15 for software that can't read UTF-8; it has the letters of Western Europe.",
    )
    state = fields.Selection(
        STATES, required=True, readonly=True, default="draft", index=True, tracking=True, copy=False
    )
    finding_ids = fields.One2many(
        "finance.statutory.finding", "export_id", "Findings", readonly=True
    )
    must_explain = fields.Boolean(compute="_compute_must_explain")
    explanation = fields.Text(
        tracking=True,
        copy=False,
        help="Why findings that need a reason are right: numbers that were never given, say.",
    )
    rounds = fields.Integer(readonly=True, copy=False, help="How many jobs it has had.")
    file_name = fields.Char("File", readonly=True, copy=False)
    entry_count = fields.Integer("Entries", readonly=True, copy=False, aggregator=None)
    line_count = fields.Integer("Items", readonly=True, copy=False, aggregator=None)
    debit = fields.Monetary(readonly=True, copy=False, aggregator=None)
    credit = fields.Monetary(readonly=True, copy=False, aggregator=None)
    size = fields.Integer("Bytes", readonly=True, copy=False, aggregator=None)
    digest = fields.Char("SHA-256", readonly=True, copy=False)
    user_id = fields.Many2one(
        "res.users", "Written by", readonly=True, copy=False, ondelete="set null"
    )
    made_at = fields.Datetime("Written", readonly=True, copy=False)
    final_at = fields.Datetime("Final since", readonly=True, copy=False)
    lock_date = fields.Date("Books Locked up to", readonly=True, copy=False)
    outdated = fields.Boolean(
        readonly=True, copy=False, help="The books have changed since the file was written."
    )

    _uuid_unique = models.Constraint("UNIQUE (uuid)", "An identity is used once.")
    _days = models.Constraint(
        "CHECK (date_from <= date_to)", "The period ends before it begins: change its days."
    )

    @api.model
    def _selection_kind(self):
        return [(code, kind.label) for code, kind in KINDS.items()]

    @api.model
    def _default_kind(self, company=None):
        country = (company or self.env.company).sudo().account_fiscal_country_id.code
        return {"FR": "fec", "NO": "saft_no"}.get(country)

    @api.model
    def _last_year(self, company=None):
        """Return first and last day of the fiscal year before this one."""
        company = (company or self.env.company).sudo()
        first = company.compute_fiscalyear_dates(fields.Date.context_today(self))["date_from"]
        year = company.compute_fiscalyear_dates(fields.Date.subtract(first, days=1))
        return year["date_from"], year["date_to"]

    @api.depends("kind", "company_id", "date_from", "date_to")
    def _compute_name(self):
        for export in self:
            label = KINDS[export.kind].label if export.kind in KINDS else export.kind
            days = f"{export.date_from} – {export.date_to}"
            export.name = ", ".join(filter(None, (label, export.company_id.name, days)))

    @api.onchange("company_id")
    def _onchange_company_id(self):
        """Propose what the company's country asks for, of its last fiscal year."""
        if self.company_id:
            self.kind = self._default_kind(self.company_id) or self.kind
            self.date_from, self.date_to = self._last_year(self.company_id)

    @api.onchange("company_id", "kind")
    def _onchange_kind(self):
        """Propose separator and encoding of the last such file: its reader is mostly the same."""
        domain = [("company_id", "=", self.company_id.id), ("kind", "=", self.kind)]
        last = self.search(domain, order="id desc", limit=1)
        if last:
            self.separator, self.encoding = last.separator, last.encoding

    @api.depends("finding_ids.level")
    def _compute_must_explain(self):
        for export in self:
            export.must_explain = "explain" in export.finding_ids.mapped("level")

    @api.constrains("date_from", "date_to", "company_id")
    def _check_one_year(self):
        for export in self:
            year = export.company_id.sudo().compute_fiscalyear_dates(export.date_from)
            if export.date_to > year["date_to"]:
                raise ValidationError(
                    self.env._(
                        "%(first)s to %(last)s is in more than one fiscal year of %(company)s. Make"
                        " one file for each: this one ends on %(end)s at the latest.",
                        first=export.date_from,
                        last=export.date_to,
                        company=export.company_id.name,
                        end=year["date_to"],
                    )
                )

    # === WHO MAY === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._refuse_set(set(vals) & (set(self._fields) - EDITED - self._incidental()))
        return super().create(vals_list)

    def write(self, vals):
        self._refuse_set(set(vals) & (set(self._fields) - EDITED - self._incidental()))
        if not self.env.su and ASKED & vals.keys():
            self.check_access("write")
            written = self.filtered(lambda export: export.state not in OPEN)
            written._refuse_change()
            super().write(vals)
            self.sudo().write({"state": "draft", "finding_ids": [(5, 0, 0)]})
            return True
        return super().write(vals)

    @api.model
    def _incidental(self):
        """Fields of threads and activities, which have rules of their own."""
        return {name for name in self._fields if name.startswith(("message_", "activity_"))}

    def _refuse_set(self, names):
        if self.env.su or not names:
            return
        self.env["finance.denied.action"]._deny("write", "guard", self)
        raise UserError(
            self.env._(
                "%(fields)s of a statutory file are what the program found and did: nobody sets"
                " them. Use the buttons.",
                fields=", ".join(sorted(names)),
            )
        )

    def _refuse_change(self):
        if self:
            raise UserError(
                self.env._(
                    "“%(name)s” is written: its company, kind and period stay. Make another one.",
                    name=self[0].name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_final(self):
        for export in self:
            if export.state in ("making", "proving", "final"):
                raise UserError(
                    self.env._(
                        "“%(name)s” is final, or a job works on it. What was given to an authority"
                        " is kept.",
                        name=export.name,
                    )
                )

    def _check_controller(self, action):
        """Refuse who is no controller, or may not read all of the books that the file is of."""
        self.ensure_one()
        self.check_access("read")
        if self.env.su:
            return
        if not self.env.user.has_group(CONTROLLER):
            self.env["finance.denied.action"]._deny(action, "group", self)
            raise AccessError(self.env._("Statutory files are made by controllers. Ask one."))
        self.env["account.move.line"].check_access("read")
        hidden = self._entities() - self.env.user.company_ids
        if hidden:
            self.env["finance.denied.action"]._deny(action, "company", self)
            raise AccessError(
                self.env._(
                    "The books of %(company)s belong into this file, and you have no access to"
                    " them. Somebody with access to all of them must make it.",
                    company=", ".join(hidden.sudo().mapped("name")),
                )
            )

    def _entities(self):
        """Return the company and those branches that are no legal entity of their own."""
        company = self.company_id.sudo()
        branches = company.search([("id", "child_of", company.id)]) - company
        return company | branches.filtered(
            lambda branch: (
                branch.company_registry in (False, "", company.company_registry)
                and branch.vat in (False, "", company.vat)
            )
        )
