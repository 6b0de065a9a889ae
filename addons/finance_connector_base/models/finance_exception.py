"""Something a person must decide, or at least know: said in the reader's words."""

import hashlib
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import format_amount

from ..canonical.codec import dump
from ..fields import WeakMany2one
from ..providers.masking import mask_json
from .finance_exception_catalog import ExceptionKind
from .finance_job import ALLOWED

ACTIVITY = "finance_connector_base.mail_activity_exception"
# What comes back later than this is a new story with an age, an owner and a period of its own.
REOPEN_DAYS = 30
DEADLINE_DAYS = {"critical": 0, "high": 1, "medium": 3, "low": 7}
# What people may set by hand; everything else is set by what happens and by the buttons.
EDITABLE = {"owner_id", "deadline", "tag_ids"}
MAIL_FIELDS = ("activity_", "message_", "my_activity_")

# Where a document says these things, first field that it has wins.
DATE_FIELDS = ("invoice_date", "date", "date_order")
PERIOD_FIELDS = ("date", "invoice_date", "date_order")
AMOUNT_FIELDS = ("amount_total", "amount")
PARTNER_FIELDS = ("commercial_partner_id", "partner_id")

# What must be there for a step to make sense.
NEEDS = {
    "query": "job_id",
    "done_outside": "job_id",
    "open_job": "job_id",
    "open_document": "document_id",
    "open_connector": "connector_id",
}
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
FINGERPRINTED = [
    "code",
    "params",
    "company_id",
    "connector_id",
    "document_model",
    "document_id",
    "job_key",
]
# What the newest occurrence says better than the first.
RENEWED = (
    "params",
    "severity",
    "kind",
    "question",
    "blocks_close",
    "job_id",
    "trace_id",
    "partner_id",
    "document_date",
    "period",
    "amount",
    "currency_id",
)


class _Parameters(dict):
    """Parameters of a text: what is missing reads as a dash, never as an error."""

    def __missing__(self, key):
        return "–"


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

    # === KIND, as `finance.exception.catalog` has it === #

    @api.model
    def _kind_of(self, code, catalog=None):
        """Return the ExceptionKind of a code; of an unknown one, a kind that says so."""
        kind = (self._catalog() if catalog is None else catalog).get(code)
        return kind or ExceptionKind(
            title=self.env._("Exception of an addon that is not installed: %(exception_code)s"),
            text=self.env._("Install the addon again to read what happened: %(answer)s."),
            effect=self.env._("Not known without the addon."),
            steps=("open_document", "open_job", "open_connector", "handle"),
        )

    # === COMPUTE AND SEARCH === #

    @api.depends("code", "params", "state", "job_id", "document_id", "connector_id", "amount")
    @api.depends_context("lang", "uid")
    def _compute_wording(self):
        catalog = self._catalog()
        jobs = {job.id: job for job in self.job_id.sudo().exists()}
        for exception in self:
            job = jobs.get(exception.job_id.id, self.env["finance.job"])
            kind = exception._kind_of(exception.code, catalog)
            words = exception._words(job)
            exception.title = kind.title % words
            exception.text = kind.text % words
            exception.effect = kind.effect % words
            exception.steps = [step for step in kind.steps if exception._is_possible(step, job)]

    def _words(self, job):
        """What stands for the %(name)s of a text: the parameters, and what the row knows."""
        amount = self.currency_id and format_amount(self.env, self.amount, self.currency_id)
        known = {
            "exception_code": self.code,
            "document": self.document_name,
            "connector": self.connector_id.sudo().name,
            "partner": self.partner_id.sudo().display_name,
            "amount": amount,
            "operation": job.operation,
            "attempts": job.attempts,
        }
        words = _Parameters({name: value for name, value in known.items() if value})
        words |= {name: value for name, value in (self.params or {}).items() if value}
        message = words.get("message") or words.get("text")
        if message:
            code = words.get("code")
            words |= {"message": message, "answer": f"{message} ({code})" if code else message}
        return words

    def _is_possible(self, step, job):
        """Whether a step of the kind makes sense for this row now."""
        if step in ALLOWED and job:
            return self.state == "open" and job._allows(step)
        needed = NEEDS.get(step)
        if needed and not self[needed]:
            return False
        return self.state == "open" or step.startswith("open_")

    @api.depends("steps")
    def _compute_can(self):
        for exception in self:
            for step in STEPS:
                exception[f"can_{step}"] = step in (exception.steps or ())

    @api.depends("title", "document_name")
    def _compute_display_name(self):
        for exception in self:
            parts = (exception.title, exception.document_name)
            exception.display_name = ": ".join(part for part in parts if part)

    @api.depends("document_model", "document_id")
    @api.depends_context("lang", "uid")
    def _compute_document_name(self):
        names = self._names_of((row.document_model, row.document_id) for row in self)
        for exception in self:
            place = (exception.document_model, exception.document_id)
            exception.document_name = names.get(place, "")

    @api.depends("close_reason", "state")
    @api.depends_context("lang")
    def _compute_ending(self):
        endings = self._endings()
        for exception in self:
            reason = exception.close_reason
            exception.ending = endings.get(reason, reason)

    @api.depends("first_seen_at", "closed_at")
    def _compute_age_days(self):
        now = fields.Datetime.now()
        for exception in self:
            since = exception.first_seen_at or now
            exception.age_days = ((exception.closed_at or now) - since).days

    @api.depends("deadline", "state")
    def _compute_is_overdue(self):
        for exception in self:
            late = exception.deadline and exception.deadline < exception._today()
            exception.is_overdue = bool(late and exception.state == "open")

    @api.model
    def _search_title(self, operator, value):
        """Codes whose title, in the reader's language, has the words that were typed."""
        titles = {code: kind.title.lower() for code, kind in self._catalog().items()}
        if operator == "in":
            wanted = {str(item).lower() for item in value}
            codes = [code for code, title in titles.items() if title in wanted]
        elif operator in ("ilike", "like"):
            codes = [code for code, title in titles.items() if str(value).lower() in title]
        else:
            return NotImplemented
        return Domain("code", "in", codes)

    @api.model
    def _search_document_name(self, operator, value):
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        found = Domain.FALSE
        for (model,) in self.sudo()._read_group([("document_id", "!=", False)], ["document_model"]):
            if model in self.env and self.env[model].has_access("read"):
                query = self.env[model]._search([("display_name", operator, value)])
                found |= Domain("document_model", "=", model) & Domain("document_id", "in", query)
        return found

    @api.model
    def _search_age_days(self, operator, value):
        # Whole days: more than 3 days old begins where 4 days are complete.
        seen = {">=": "<=", ">": "<=", "<": ">", "<=": ">"}.get(operator)
        if not seen:
            return NotImplemented
        days = value + (operator in (">", "<="))
        border = fields.Datetime.now() - timedelta(days=days)
        return Domain("state", "=", "open") & Domain("first_seen_at", seen, border)

    @api.model
    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        overdue = Domain("state", "=", "open") & Domain("deadline", "<", self._today())
        return overdue if True in value else ~overdue

    def _today(self):
        """Today where the company is."""
        zone = self.company_id[:1].sudo().partner_id.tz or self.env.user.tz or "UTC"
        return fields.Date.context_today(self.with_context(tz=zone))

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

    # === RAISING === #

    @api.model
    def _raise(
        self,
        code,
        *,
        record=None,
        document=None,
        job=None,
        connector=None,
        company=None,
        params=None,
        amount=None,
        currency=None,
        severity=None,
    ):
        """Say that a person must look at something; return the exception.

        The same thing said again is counted on the same row; one that was closed is opened again.
        record: what the work was about; document: what people know it by, by default
        ``record._finance_document()``. job: fills everything that is not given. params: plain
        values for the texts (masked before they are stored). amount: by default the document's,
        in ``currency``. A concurrent raise of the same thing ends in a SerializationFailure of
        the later transaction, which Odoo and the lanes repeat.
        """
        this = self.sudo()
        kind = this._kind_of(code)
        values = this._values_of(record, document, job, connector, company)
        values |= {
            "code": code,
            "params": mask_json(_plain(params or {})),
            "kind": kind.kind,
            "severity": severity or kind.severity,
            "question": kind.question,
            "blocks_close": kind.blocks_close,
        }
        if amount is not None:
            values |= {"amount": amount, "currency_id": currency.id if currency else None}
        values["fingerprint"] = _fingerprint(values, kind)
        exception = this._latest(values["fingerprint"])
        if not exception:
            exception = this._insert(values)
        elif exception.state == "open" or exception._is_quiet():
            exception._count(values)
        else:
            exception._reopen(values)
        if job and kind.scope == "document":
            exception._supersede()
        return exception.with_env(self.env)

    def _values_of(self, record, document, job, connector, company):
        """The columns that say where it happened."""
        if job:
            connector = connector or job.connector_id
            company = company or job.company_id
            if record is None and job.res_model in self.env:
                record = job.record
        if document is None and record:
            own = getattr(record, "_finance_document", None)
            document = own() if own else record
        if document and document._name == "finance.connector":
            # It concerns all that the connector serves, not the first of them.
            company = None
        place = (document._name, document.id) if document else (None, None)
        if job and not document and job.document_id:
            place = (job.document_model, job.document_id)
        facts = self._facts_of(document.sudo()) if document else {}
        company_id = company.id if company else facts.get("company_id")
        return facts | {
            "company_id": company_id or self._company_of(connector),
            "connector_id": connector.id if connector else None,
            "job_id": job.id if job else None,
            "job_key": job.key if job else None,
            "trace_id": job.trace_id if job else self._trace_of(record),
            "document_model": place[0],
            "document_id": place[1],
        }

    def _facts_of(self, document):
        """What a document says of itself: partner, dates, amount, currency and company."""

        def first(names):
            found = (document[name] for name in names if name in document._fields)
            return next((value for value in found if value), None)

        is_partner = document._name == "res.partner"
        partner = document.commercial_partner_id if is_partner else first(PARTNER_FIELDS)
        period = first(PERIOD_FIELDS)
        currency = first(("currency_id",)) if "amount_total" in document._fields else None
        return {
            "company_id": getattr(first(("company_id",)), "id", None),
            "partner_id": getattr(partner, "id", None),
            "document_date": first(DATE_FIELDS),
            "period": period.strftime("%Y-%m") if period else None,
            "amount": first(AMOUNT_FIELDS) if currency else None,
            "currency_id": currency.id if currency else None,
        }

    def _company_of(self, connector):
        """The company of what concerns a connector as a whole; None where it serves several."""
        if not connector:
            return self.env.company.id
        companies = connector.sudo().company_ids
        return companies.id if len(companies) == 1 else None

    @api.model
    def _trace_of(self, record):
        return record.trace_id or None if record and "trace_id" in record._fields else None

    def _latest(self, fingerprint):
        """The open exception with this fingerprint, else one that was closed not long ago."""
        border = fields.Datetime.now() - timedelta(days=REOPEN_DAYS)
        recent = Domain("state", "=", "open") | Domain("closed_at", ">", border)
        found = self.search(Domain("fingerprint", "=", fingerprint) & recent)
        latest = found.filtered(lambda row: row.state == "open") or found.sorted("id")[-1:]
        # Whoever counts on the same row at the same time waits or is repeated, and quietly so.
        self.env.cr.execute(
            SQL("SELECT FROM finance_exception WHERE id = ANY(%s) FOR NO KEY UPDATE", latest.ids),
            log_exceptions=False,
        )
        return latest

    def _is_quiet(self):
        quiet = self.state == "ignored" and self.quiet_until
        return bool(quiet and self._today() < self.quiet_until)

    def _insert(self, values):
        """Add a row, or count on the one that another transaction has just added."""
        now = fields.Datetime.now()
        values = values | {
            "state": "open",
            "occurrences": 1,
            "first_seen_at": now,
            "last_seen_at": now,
            "create_uid": self.env.uid,
            "create_date": now,
            "write_uid": self.env.uid,
            "write_date": now,
        }
        values["params"] = dump(values["params"])
        self.flush_model(["fingerprint", "state"])
        # A conflict with another transaction is no error: ours is repeated.
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO finance_exception AS row (%s) VALUES %s
                ON CONFLICT (fingerprint) WHERE state = 'open' DO UPDATE
                SET occurrences = row.occurrences + 1, last_seen_at = EXCLUDED.last_seen_at
                RETURNING id, xmax = 0
                """,
                SQL(", ").join(SQL.identifier(name) for name in values),
                tuple(values.values()),
            ),
            log_exceptions=False,
        )
        exception_id, is_new = self.env.cr.fetchone()
        exception = self.browse(exception_id)
        exception.invalidate_recordset()
        if is_new:
            exception._opened("exception.opened")
        return exception

    def _count(self, values):
        """The same again: newest facts, same owner and deadline."""
        self.write(_newest(values) | {"occurrences": self.occurrences + 1})

    def _reopen(self, values):
        """It came back after it was closed."""
        now = fields.Datetime.now()
        self.write(
            _newest(values)
            | {
                "occurrences": self.occurrences + 1,
                "state": "open",
                "first_seen_at": now,
                "closed_at": False,
                "closed_by_id": False,
                "close_reason": False,
                "quiet_until": False,
                "deadline": False,
            }
        )
        self._opened("exception.reopened")

    def _supersede(self):
        """What was said before of the same job no longer holds; of its connector, it does."""
        shared = [code for code, kind in self._catalog().items() if kind.scope == "connector"]
        same_job = Domain("job_id", "=", self.job_id.id) & Domain("state", "=", "open")
        same_job &= Domain("code", "not in", shared)
        (self.search(same_job) - self)._close("resolved", "superseded")

    def _opened(self, event):
        self._assign_by_rule()
        self._note(event)

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

    # === MERGED RECORDS === #

    @api.model
    def _move_document(self, model, old_ids, new_id):
        """Documents were merged into another: their exceptions follow and merge too."""
        this = self.sudo()
        moved = this.search([("document_model", "=", model), ("document_id", "in", old_ids)])
        catalog = this._catalog()
        for exception in moved.sorted("id"):
            columns = exception.read(FINGERPRINTED, load=None)[0]
            columns["document_id"] = new_id
            kind = exception._kind_of(exception.code, catalog)
            fingerprint = _fingerprint(columns, kind)
            twin = this._latest(fingerprint) - exception
            if twin.state == "open" and exception.state == "open":
                twin.occurrences += exception.occurrences
                exception._close("resolved", "merged")
            exception.write({"document_id": new_id, "fingerprint": fingerprint})


def _newest(values):
    fresh = {name: values[name] for name in RENEWED if values.get(name) not in (None, "")}
    return fresh | {"last_seen_at": fields.Datetime.now()}


def _plain(params):
    """Parameters as they are stored: text and whole numbers."""
    return {
        name: value if isinstance(value, (int, str, type(None))) else str(value)
        for name, value in params.items()
    }


def _fingerprint(values, kind):
    """The SHA-256 of what makes two occurrences the same thing."""
    parts = [values["code"], values["connector_id"], values["company_id"]]
    if kind.scope == "document":
        parts += [values["document_model"], values["document_id"], values["job_key"]]
    parts += [(values["params"] or {}).get(name) for name in kind.identity]
    text = "|".join("" if part in (None, False) else str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()
