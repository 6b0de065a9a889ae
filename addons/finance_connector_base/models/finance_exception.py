"""Something a person must decide, or at least know: said in the reader's words."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from ..fields import WeakMany2one

ACTIVITY = "finance_connector_base.mail_activity_exception"
DEADLINE_DAYS = {"critical": 0, "high": 1, "medium": 3, "low": 7}
# What people may set by hand; everything else is set by what happens and by the buttons.
EDITABLE = {"owner_id", "deadline", "tag_ids"}
MAIL_FIELDS = ("activity_", "message_", "my_activity_")


STEPS = (
    "retry",
    "query",
    "done_outside",
    "open_document",
    "open_job",
    "open_connector",
    "handle",
    "ignore",
)


class FinanceException(models.Model):
    """One thing that a person must decide, raised by `_raise` and ended by people or `_resolve`.

    Only the code and its parameters are stored: title, text, effect on the books and next steps
    are worded from `_catalog` in the language of whoever reads.
    """

    _name = "finance.exception"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "finance.weak.mixin",
        "finance.personal.mixin",
        "finance.exception.catalog",
    ]
    _description = "Exception"
    _order = "deadline, id desc"
    _rec_names_search = ["code", "title", "document_name"]

    code = fields.Char(required=True, readonly=True, index=True)
    params = fields.Json(readonly=True)
    title = fields.Char(compute="_compute_wording", search="_search_title")
    text = fields.Text(string="What Happened", compute="_compute_wording")
    effect = fields.Text(string="Effect on the Books", compute="_compute_wording")
    steps = fields.Json(compute="_compute_wording")

    kind = fields.Selection(
        [("business", "Business"), ("technical", "Technical")], required=True, readonly=True
    )
    severity = fields.Selection(
        [("low", "Low"), ("medium", "Medium"), ("high", "High"), ("critical", "Critical")],
        required=True,
        readonly=True,
    )
    question = fields.Selection(
        [
            ("decision", "Needs a decision"),
            ("unknown", "Answer unknown"),
            ("stopped", "Stopped"),
            ("waiting", "Waiting for retry"),
        ],
        required=True,
        readonly=True,
        index=True,
        # All four headings with their counters, also those where nothing is open.
        group_expand=True,
    )
    blocks_close = fields.Boolean(string="Blocks Closing", readonly=True)
    state = fields.Selection(
        [
            ("open", "Open"),
            ("handled", "Handled"),
            ("ignored", "Ignored"),
            ("resolved", "Settled by itself"),
        ],
        default="open",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )

    # === WHERE === #
    company_id = fields.Many2one("res.company", readonly=True, index=True, ondelete="cascade")
    connector_id = fields.Many2one("finance.connector", readonly=True, index=True)
    job_id = WeakMany2one("finance.job", readonly=True)
    job_key = fields.Char(readonly=True)
    trace_id = fields.Char(string="Trace", readonly=True, index="btree_not_null")
    document_model = fields.Char(readonly=True)
    document_id = fields.Many2oneReference(
        string="Document Record", model_field="document_model", readonly=True
    )
    document_name = fields.Char(
        string="Document", compute="_compute_document_name", search="_search_document_name"
    )
    document_date = fields.Date(readonly=True)
    period = fields.Char(readonly=True, index=True, help="Month of the accounting date, YYYY-MM.")
    partner_id = fields.Many2one(
        "res.partner", readonly=True, index="btree_not_null", ondelete="set null"
    )
    amount = fields.Monetary(readonly=True, aggregator=None)
    currency_id = fields.Many2one("res.currency", readonly=True)

    # === HOW OFTEN, SINCE WHEN === #
    fingerprint = fields.Char(required=True, readonly=True)
    occurrences = fields.Integer(default=1, readonly=True, aggregator="sum")
    first_seen_at = fields.Datetime(string="Since", readonly=True)
    last_seen_at = fields.Datetime(string="Last Seen", readonly=True)
    age_days = fields.Integer(
        string="Age (Days)", compute="_compute_age_days", search="_search_age_days"
    )

    # === WHO, UNTIL WHEN === #
    owner_id = fields.Many2one(
        "res.users",
        tracking=True,
        index=True,
        ondelete="set null",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    rule_id = fields.Many2one("finance.exception.rule", readonly=True, ondelete="set null")
    deadline = fields.Date(tracking=True, index=True)
    is_overdue = fields.Boolean(compute="_compute_is_overdue", search="_search_is_overdue")
    tag_ids = fields.Many2many("finance.exception.tag", string="Tags")
    closed_at = fields.Datetime(readonly=True)
    closed_by_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    close_reason = fields.Text(readonly=True)
    ending = fields.Text(string="Reason", compute="_compute_ending")
    quiet_until = fields.Date(
        readonly=True, help="An ignored exception that comes back before this day is only counted."
    )

    can_retry = fields.Boolean(compute="_compute_can")
    can_query = fields.Boolean(compute="_compute_can")
    can_done_outside = fields.Boolean(compute="_compute_can")
    can_open_document = fields.Boolean(compute="_compute_can")
    can_open_job = fields.Boolean(compute="_compute_can")
    can_open_connector = fields.Boolean(compute="_compute_can")
    can_handle = fields.Boolean(compute="_compute_can")
    can_ignore = fields.Boolean(compute="_compute_can")

    _open_fingerprint = models.UniqueIndex("(fingerprint) WHERE state = 'open'")
    _any_fingerprint = models.Index("(fingerprint)")
    _open_job = models.Index("(job_id) WHERE state = 'open'")
    _document = models.Index("(document_model, document_id)")

    @api.constrains("owner_id")
    def _check_owner(self):
        for exception in self.filtered("owner_id"):
            if not exception._may_own(exception.owner_id):
                raise ValidationError(
                    self.env._(
                        "%(user)s may not work on exceptions of %(company)s.",
                        user=exception.owner_id.name,
                        company=exception.company_id.name or exception.connector_id.name,
                    )
                )

    # === OWNER, DEADLINE, ACTIVITY === #

    def _assign_by_rule(self):
        """Owner and deadline by the first rule that fits, else by connector and company."""
        rules = self.env["finance.exception.rule"].sudo().search([])
        for exception in self.sudo().with_context(tracking_disable=True):
            rule = next((rule for rule in rules if rule._fits(exception)), rules.browse())
            days = rule.deadline_days if rule else DEADLINE_DAYS[exception.severity]
            exception.write(
                {
                    "rule_id": rule.id,
                    "owner_id": exception._default_owner(rule).id,
                    "deadline": exception._today() + timedelta(days=days),
                }
            )

    def _default_owner(self, rule):
        """The first of rule, connector and company whose person may work on this exception."""
        connector, company = self.connector_id, self.company_id
        candidates = (
            rule.user_id,
            connector.responsible_id,
            company.finance_exception_user_id,
            self.owner_id,
        )
        nobody = self.env["res.users"]
        return next((user for user in candidates if user and self._may_own(user)), nobody)

    def _may_own(self, user):
        """Whether a user may work on this exception: role and company."""
        if not user.active or user.share:
            return False
        theirs = self.sudo(False).with_user(user)
        return theirs.with_context(allowed_company_ids=user.company_ids.ids).has_access("write")

    def _renew_activities(self):
        """Keep one to-do per open exception, at its owner, with its deadline."""
        quiet = self.sudo().with_context(mail_activity_quick_update=True)
        for exception in quiet.filtered(lambda row: row.state == "open"):
            activity = exception._own_activity()
            owner = exception.owner_id
            if not owner:
                activity.unlink()
                continue
            deadline = exception.deadline or exception._today()
            if activity:
                activity.write({"user_id": owner.id, "date_deadline": deadline})
                continue
            exception.activity_schedule(
                ACTIVITY,
                date_deadline=deadline,
                summary=exception.with_context(lang=owner.lang).title,
                user_id=owner.id,
            )

    def _own_activity(self):
        kind = self.env.ref(ACTIVITY, raise_if_not_found=False)
        return self.activity_ids.filtered(lambda activity: activity.activity_type_id == kind)

    # === ENDING === #

    @api.model
    def _resolve(self, code=None, document=None, job=None, connector=None, note=""):
        """Close what has settled itself: open exceptions that fit everything given; return them.

        note: how it ended, a word of `_endings` ("job.done", say); kept as the reason.
        """
        if not (document or job or connector):
            raise ValueError("which exceptions? give document, job or connector")
        wanted = {
            "code": [code] if code else None,
            "document_model": [document._name] if document else None,
            "document_id": document.ids if document else None,
            "job_id": job.ids if job else None,
            "connector_id": connector.ids if connector else None,
        }
        self.flush_model(["state", *wanted])
        # Asked at the end of many a job, and the answer is mostly "none": hence no `search`.
        found = self.env.execute_query(
            SQL(
                "SELECT id FROM finance_exception WHERE state = 'open' AND %s ORDER BY id",
                SQL(" AND ").join(
                    SQL("%s = ANY(%s)", SQL.identifier(name), values)
                    for name, values in wanted.items()
                    if values
                ),
            )
        )
        settled = self.browse(row[0] for row in found)
        settled._close("resolved", note)
        return settled

    def _close(self, state, reason="", quiet_until=False):
        """End exceptions as handled, ignored or resolved; audited.

        reason: a person's words, or of what is resolved a word of `_endings`. Raises `VaultClosed`
        for a person's words without a key.
        """
        if not self:
            return
        this = self.sudo()
        this.write(
            {
                "state": state,
                "closed_at": fields.Datetime.now(),
                "closed_by_id": False if state == "resolved" else self.env.uid,
                "close_reason": reason or False,
                "quiet_until": quiet_until,
            }
        )
        this._own_activity().unlink()
        if state == "resolved":
            this._note("exception.resolved", ending=reason or None)
        else:
            this._note(f"exception.{state}", detail={"reason": reason})

    def _note(self, event, detail=None, **facts):
        facts = {name: value for name, value in facts.items() if value is not None}
        self.env["finance.audit.event"]._record_many(
            [
                {
                    "kind": event,
                    "res_model": exception._name,
                    "res_id": exception.id,
                    "connector_id": exception.connector_id.id,
                    "company_id": exception.company_id.id,
                    "trace_id": exception.trace_id,
                    "data": {
                        "code": exception.code,
                        "occurrences": exception.occurrences,
                        "document_model": exception.document_model or None,
                        "document_id": exception.document_id or None,
                        "owner_id": exception.owner_id.id or None,
                        **facts,
                    },
                    "detail": detail,
                    "partner_id": exception.partner_id.id,
                }
                for exception in self.sudo()
            ]
        )

    # === GUARDS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Exceptions are raised by what happens, never typed in."""
        if not self.env.su:
            self.env["finance.denied.action"]._deny("create", "guard", self)
            raise AccessError(self.env._("Exceptions are raised by Odoo itself."))
        return super().create(vals_list)

    def write(self, vals):
        """People set owner, deadline and tags; the rest follows from what happens."""
        fixed = [name for name in vals if name not in EDITABLE and not name.startswith(MAIL_FIELDS)]
        if fixed and not self.env.su:
            self.env["finance.denied.action"]._deny("write", "guard", self)
            raise UserError(
                self.env._(
                    "Use the buttons: these fields of an exception can't be set by hand: %(names)s",
                    names=", ".join(fixed),
                )
            )
        owners = {exception: exception.owner_id for exception in self}
        result = super().write(vals)
        if "owner_id" in vals or "deadline" in vals:
            self._renew_activities()
        if "owner_id" in vals:
            moved = self.filtered(lambda row: row.owner_id != owners[row] and owners[row])
            moved._note("exception.assigned")
        return result
