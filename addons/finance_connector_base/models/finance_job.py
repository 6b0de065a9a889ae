from functools import lru_cache, partial
from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS
from odoo.tools import SQL, config

from ..actions import dialog, listing
from ..canonical import codec
from ..fields import WeakMany2one
from ..lanes.lane import Lane
from ..lanes.link import WAKE_CHANNEL
from .finance_audit_detail import about, partner_of
from .finance_operation import CHANGING, EFFECTS

STATES = [
    ("pending", "Waiting"),
    ("calling", "Calling"),
    ("answered", "Answered"),
    ("done", "Done"),
    ("uncertain", "Answer unknown"),
    ("dead", "Stopped"),
    ("cancelled", "Cancelled"),
]
FINISHED = ("done", "cancelled")
VACUUM_ROWS = 2000
# The events that tell of a job's beginning and of its end.
TOLD = ("job.enqueued", "job.done", "job.done_outside", "job.cancelled")
MOST_LANES = 4

# Which button may be pressed in which state: the one table for views, buttons and exceptions.
ALLOWED = {
    "retry": ("pending", "answered", "dead"),
    "cancel": ("pending", "dead"),
    "query": ("uncertain",),
    "send_again": ("uncertain",),
    "done_outside": ("pending", "uncertain", "dead"),
}
# The same for a job that is held, because it may have been sent in a life that the database has
# forgotten (`finance.restore`).
HELD = dict.fromkeys(("release", "query", "done_outside"), ("pending", "uncertain", "dead"))
# name, columns, condition; partial, so that finished jobs cost a claim nothing
CLAIM_INDEXES = (
    ("call", "priority, id", "worker IS NULL AND state = 'pending' AND calls"),
    (
        "local",
        "priority, id",
        "worker IS NULL AND (state = 'answered' OR (state = 'pending' AND NOT calls))",
    ),
    ("solo", "priority, id", "worker IS NULL AND solo"),
    ("stream", "stream, id", "state NOT IN ('done', 'cancelled')"),
    ("worker", "worker", "worker IS NOT NULL"),
    ("uncertain", "due_at", "state = 'uncertain' AND due_at IS NOT NULL"),
)
OTHER_INDEXES = (
    ("finished", "done_at", "state IN ('done', 'cancelled')"),
    ("key", "key", "true"),
    ("trace", "trace_id", "true"),
    ("record", "res_model, res_id", "true"),
    ("document", "document_model, document_id", "true"),
)
_INSERTED = (
    "uuid", "operation", "effect", "calls", "connector_id", "workflow_id", "company_id",
    "user_id", "res_model", "res_id", "document_model", "document_id", "stream", "key",
    "request_digest", "request_sealed", "state", "priority", "due_at", "created_at", "trace_id",
    "attempts", "apply_attempts", "solo", "period",
)  # fmt: skip


# What the event of a new job says of it.
_TOLD = ("uuid", "operation", "key", "amount", "currency")

# Columns of a claim that never change while a lane has the job.
KNOWN_FROM_CLAIM = (
    "uuid", "operation", "effect", "calls", "connector_id", "company_id", "workflow_id", "user_id",
    "key", "trace_id", "res_model", "res_id", "document_model", "document_id",
)  # fmt: skip


class FinanceJob(models.Model):
    """One unit of work: written with the business change, run after its commit.

    ``pending → calling → answered → done``; *uncertain*, *dead* and *cancelled* wait for people.
    Lanes move it by plain SQL (``lanes/queue.py``); people move it by the buttons here.
    """

    _name = "finance.job"
    _inherit = ["finance.weak.mixin", "finance.sealed.mixin", "finance.personal.mixin"]
    _description = "Job"
    _log_access = False
    _sealed_parts = {"request_sealed": "request", "answer_sealed": "answer"}
    _order = "id desc"

    uuid = fields.Char(readonly=True)
    operation = fields.Char(readonly=True, required=True)
    operation_name = fields.Char("Work", compute="_compute_operation_name")
    effect = fields.Selection(EFFECTS, readonly=True, required=True)
    calls = fields.Boolean(readonly=True, help="Whether running it calls a vendor")
    connector_id = WeakMany2one("finance.connector", readonly=True)
    workflow_id = WeakMany2one("finance.workflow", readonly=True)
    company_id = WeakMany2one("res.company", readonly=True)
    user_id = WeakMany2one("res.users", "Started by", readonly=True)
    res_model = fields.Char("Record model", readonly=True)
    res_id = fields.Many2oneReference("Record", model_field="res_model", readonly=True)
    document_model = fields.Char(readonly=True)
    document_id = fields.Many2oneReference("Document", model_field="document_model", readonly=True)
    document_name = fields.Char("Document name", compute="_compute_document_name")
    stream = fields.Char(readonly=True, help="Jobs of one stream run one after the other")
    key = fields.Char(readonly=True, help="Idempotency key")
    request_digest = fields.Char(readonly=True)
    request_sealed = fields.Binary(attachment=False, groups=NO_ACCESS)
    answer_sealed = fields.Binary(attachment=False, groups=NO_ACCESS)
    state = fields.Selection(STATES, readonly=True, required=True)
    priority = fields.Integer(readonly=True, aggregator=None, help="Lower runs earlier")
    due_at = fields.Datetime("Due", readonly=True)
    attempts = fields.Integer(readonly=True, aggregator=None, help="Calls begun")
    apply_attempts = fields.Integer(readonly=True, aggregator=None)
    worker = fields.Integer(readonly=True, help="The lane that has it")
    solo = fields.Boolean(readonly=True, help="Was in a lane that died: runs alone")
    trace_id = fields.Char("Trace", readonly=True)
    error_class = fields.Char(readonly=True)
    error_code = fields.Char(readonly=True)
    error_text = fields.Char("Last failure", readonly=True)
    held_reason = fields.Char(readonly=True)
    created_at = fields.Datetime(readonly=True)
    period = fields.Char(
        readonly=True, help="Month of the document's accounting date when it was queued, YYYY-MM."
    )
    called_at = fields.Datetime("First called", readonly=True)
    done_at = fields.Datetime(readonly=True)
    progress_done = fields.Integer(compute="_compute_progress")
    progress_total = fields.Integer(compute="_compute_progress")
    done_outside_ref = fields.Char("Done outside: reference", readonly=True)
    done_outside_date = fields.Date("Done outside on", readonly=True)
    attachment_ids = fields.One2many(
        "ir.attachment", "res_id", domain=[("res_model", "=", "finance.job")], readonly=True
    )
    situation = fields.Selection(
        [
            ("held", "Held after a restore"),
            ("decision", "Needs a decision"),
            ("unknown", "Answer unknown"),
            ("stopped", "Stopped"),
            ("retry", "Waiting for retry"),
            ("waiting", "Waiting"),
            ("running", "Running"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
        ],
        compute="_compute_situation",
    )

    def init(self):
        """Indexes for the claim; partial, so that finished jobs cost nothing."""
        self.env.cr.execute(
            "CREATE SEQUENCE IF NOT EXISTS finance_lane_worker_seq MAXVALUE 2147483647 CYCLE"
        )
        for name, columns, where in CLAIM_INDEXES + OTHER_INDEXES:
            self.env.cr.execute(
                SQL(
                    "CREATE INDEX IF NOT EXISTS %s ON finance_job (%s) WHERE %s",
                    SQL.identifier(f"finance_job_{name}_index"),
                    SQL(columns),
                    SQL(where),
                )
            )

    # === COMPUTE METHODS === #

    @api.depends("operation", "document_model", "document_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for job in self:
            work, document = job.operation_name, job.document_name
            job.display_name = f"{work}: {document}" if document else work

    @api.depends("document_model", "document_id")
    def _compute_document_name(self):
        for job in self:
            document = job.sudo()._document()
            job.document_name = document.display_name if document else False

    @api.depends("operation")
    @api.depends_context("lang")
    def _compute_operation_name(self):
        for job in self:
            job.operation_name = self.env["finance.operation"]._words(job.operation)

    @api.depends("state", "error_class", "attempts", "held_reason")
    def _compute_situation(self):
        table = {
            "uncertain": "unknown",
            "calling": "running",
            "answered": "running",
            "done": "done",
            "cancelled": "cancelled",
        }
        for job in self:
            if job.held_reason and job.state not in FINISHED:
                job.situation = "held"
            elif job.state == "dead":
                rejected = job.error_class in ("Rejected", "ContractBroken")
                job.situation = "decision" if rejected else "stopped"
            elif job.state == "pending":
                job.situation = "retry" if job.error_class else "waiting"
            else:
                job.situation = table.get(job.state)

    def _compute_progress(self):
        steps = {row.job_id.id: row for row in self.env["finance.job.progress"]._of(self)}
        for job in self:
            job.progress_done = steps[job.id].done if job.id in steps else 0
            job.progress_total = steps[job.id].total if job.id in steps else 0

    # === ENQUEUE === #

    @api.model
    def _enqueue(
        self, records, operation, *, revision=0, connector=None, company=None, priority=10,
        due_at=None, trace_id=None,
    ):  # fmt: skip
        """Write one job a record of ``records`` and return them, in the records' order.

        For work that changes something at a vendor, the request is prepared now and stored sealed:
        what goes out is what was decided. ``revision`` (int, or a function of the record) makes
        the key of a second decision on the same record another one. An existing job of the same
        key and content is returned instead of a new one; other content raises UserError.
        """
        if not records:
            return self.browse()
        model = self.env["finance.operation"]._named(operation)
        workflow = lru_cache(partial(self._workflow_id, model))
        rows = [
            self._row(model, record, revision, connector, company, trace_id, workflow)
            for record in records
        ]
        for row in rows:
            row.update(priority=priority, due_at=due_at or row["created_at"])
        owners = self.env["finance.job.key"].sudo()._claim(rows)
        new = [row for row in rows if owners[row["connector_id"], row["key"]] == row["uuid"]]
        if model.cancels and new:
            new = self._cancel_pairs(model, new)
        ids = self._insert(new)
        uuids = [owners[row["connector_id"], row["key"]] for row in rows]
        older = set(uuids) - ids.keys()
        if older:
            keys = [row["key"] for row in rows]
            jobs = self.sudo().search([("key", "in", keys), ("uuid", "in", list(older))])
            ids |= {job.uuid: job.id for job in jobs}
        return self.browse([ids[uuid] for uuid in uuids if uuid in ids])

    def _workflow_id(self, model, connector, company):
        if not connector or not model.flow:
            return None
        return connector._workflow(company, model.flow).id or None

    def _row(self, model, record, revision, connector, company, trace_id, workflow):
        connector = connector or record.connector_id
        company = company or record.company_id
        effect = model.effect
        document = record._finance_document() if hasattr(record, "_finance_document") else record
        identity = record._finance_uuid() if hasattr(record, "_finance_uuid") else str(uuid4())
        number = revision(record) if callable(revision) else revision
        uuid = str(uuid4())
        request = model._prepare(record) if effect in CHANGING else None
        text = codec.dump(request) if request is not None else ""
        operation = model._name.removeprefix("finance.operation.")
        return {
            "uuid": uuid,
            "operation": operation,
            "effect": effect,
            "calls": effect != "local",
            "connector_id": connector.id if connector else 0,
            "workflow_id": workflow(connector, company),
            "company_id": company.id,
            "user_id": self.env.uid,
            "res_model": record._name,
            "res_id": record.id,
            "document_model": document._name,
            "document_id": document.id,
            "stream": f"{connector.id if connector else 0}:{identity}",
            "key": f"{identity}:{operation}:{number}",
            "request_digest": codec.digest(request) if request is not None else "",
            "request_sealed": self._seal(text, uuid, "request") if text else None,
            "state": "pending",
            "created_at": fields.Datetime.now(),
            "trace_id": trace_id or ("trace_id" in record and record.trace_id) or uuid4().hex,
            **(about(document.sudo()) if effect in CHANGING else {}),
            "attempts": 0,
            "apply_attempts": 0,
            "solo": False,
            **self._facts_of(document),
        }

    def _facts_of(self, document):
        """Return month, amount (decimal text) and currency (code) of a document as it is now."""
        facts = self.env["finance.exception"]._facts_of(document.sudo())
        currency = self.env["res.currency"].browse(facts["currency_id"])
        amount = facts["amount"] or 0
        return {
            "period": facts["period"] or f"{fields.Date.context_today(self):%Y-%m}",
            "amount": f"{amount:.{currency.decimal_places}f}" if currency else None,
            "currency": currency.name,
        }

    def _insert(self, rows):
        """Insert the jobs, note and wake; return {uuid: id}."""
        if not rows:
            return {}
        self.env.flush_all()
        inserted = self.env.cr.execute_values(
            f"INSERT INTO finance_job ({', '.join(_INSERTED)}) VALUES %s RETURNING uuid, id",
            [tuple(row[name] for name in _INSERTED) for row in rows],
            page_size=1000,
            fetch=True,
        )
        self.env["finance.audit.event"]._record_many(
            [
                {
                    "kind": "job.enqueued",
                    "res_model": row["document_model"],
                    "res_id": row["document_id"],
                    "connector_id": row["connector_id"] or None,
                    "company_id": row["company_id"],
                    "trace_id": row["trace_id"],
                    "data": {name: row[name] for name in _TOLD if row[name]},
                    "detail": row["detail"],
                    "salted": {"request_digest": row["request_digest"]},
                    "partner_id": row["partner_id"],
                }
                for row in rows
                if row["effect"] in CHANGING
            ]
        )
        self._wake()
        return dict(inserted)

    def _cancel_pairs(self, model, rows):
        """Cancel never-called jobs that ``rows`` would undo; return the rows still needed.

        A row is still needed when the vendor knows, or may know, of the record.
        """
        streams = [row["stream"] for row in rows]
        self.env.cr.execute(
            """
            UPDATE finance_job SET state = 'cancelled', done_at = now() AT TIME ZONE 'UTC'
             WHERE stream = ANY(%s) AND operation = ANY(%s) AND worker IS NULL
               AND state = 'pending' AND called_at IS NULL AND held_reason IS NULL
         RETURNING id
            """,
            [streams, list(model.cancels)],
        )
        cancelled = self.browse([row[0] for row in self.env.cr.fetchall()])
        self.invalidate_model()
        for job in cancelled:
            job._ended("cancelled")
        self.env.cr.execute(
            """
            SELECT DISTINCT stream FROM finance_job j
             WHERE stream = ANY(%(streams)s) AND operation = ANY(%(cancels)s)
               AND (called_at IS NOT NULL OR held_reason IS NOT NULL)
               AND NOT EXISTS (
                   SELECT FROM finance_job later
                    WHERE later.stream = j.stream AND later.id > j.id
                      AND later.operation = %(own)s AND later.state = 'done')
            """,
            {
                "streams": streams,
                "cancels": list(model.cancels),
                "own": model._name.removeprefix("finance.operation."),
            },
        )
        maybe_known = {row[0] for row in self.env.cr.fetchall()}
        needed = []
        for row in rows:
            record = self.env[row["res_model"]].browse(row["res_id"])
            if row["stream"] in maybe_known or model._vendor_knows(record):
                needed.append(row)
        skipped = [
            (row["connector_id"], row["key"], row["uuid"]) for row in rows if row not in needed
        ]
        self.env["finance.job.key"]._ended(skipped, "not needed")
        return needed

    def _wake(self):
        """Wake a lane when this transaction commits; once a transaction, however many jobs."""
        seen = self.env.cr.precommit.data
        if seen.get("finance_lane_woken"):
            return
        seen["finance_lane_woken"] = True
        self.env.cr.precommit.add(lambda: seen.pop("finance_lane_woken", None))
        self.env.cr.execute(SQL("SELECT pg_notify(%s, '')", WAKE_CHANNEL))
        lane = self.env.ref("finance_connector_base.cron_lane_1", raise_if_not_found=False)
        if lane:
            lane.sudo()._trigger()

    # === LANES === #

    @api.model
    def _run_lane(self, number):
        """Run lane ``number`` (1 to 4): the code of its scheduled action."""
        if number > self._lane_count():
            return
        cron = self.env.ref(f"finance_connector_base.cron_lane_{number}")
        following = self.env.ref(
            f"finance_connector_base.cron_lane_{number % self._lane_count() + 1}"
        )

        def wake(lane):
            lane._trigger()
            self.env.cr.commit()  # pylint: disable=invalid-commit

        if Lane(self.env).run(lambda: following != cron and wake(following)):
            wake(cron)

    @api.model
    def _lane_count(self):
        """Return how many lanes may run: one cron worker stays free for everything else."""
        wanted = self.env["ir.config_parameter"].sudo().get_param("finance_connector.lanes", "4")
        threads = config["max_cron_threads"]
        return max(1, min(int(wanted), MOST_LANES, threads - 1))

    # === WHAT A LANE ASKS === #

    def _document(self):
        """Return the document that people know the job by, empty when it is gone."""
        if not self.document_model or self.document_model not in self.env:
            return None
        return self.env[self.document_model].browse(self.document_id).exists()

    @property
    def record(self):
        """The record that the operation works on."""
        return self.env[self.res_model].browse(self.res_id)

    def _seal(self, text, uuid, part):
        return self.env["finance.vault"]._vault().seal(text.encode(), "finance.job", uuid, part)

    def _open(self, part):
        """Return the sealed text of ``part`` ("request" or "answer"), "" when there is none."""
        self.env.cr.execute(f"SELECT {part}_sealed FROM finance_job WHERE id = %s", [self.id])
        sealed = self.env.cr.fetchone()[0]
        if not sealed:
            return ""
        vault = self.env["finance.vault"]._vault()
        return vault.open(bytes(sealed), "finance.job", self.uuid, part).decode()

    def _know(self, claim):
        """Put what a claim returned into the cache: nobody else writes a job in a lane's hands."""
        for name in KNOWN_FROM_CLAIM:
            self._fields[name]._insert_cache(self, [getattr(claim, name)])

    def _progress(self, done, total):
        """Show how far long work has come; visible at once, whatever becomes of the work."""
        self.env["finance.job.progress"]._show(self, done, total)

    @api.model
    def _unfinished(self, records):
        """Return the unfinished jobs that work on ``records``, or are known by them."""
        ids = records.ids
        return self.sudo().search(
            [
                ("state", "not in", FINISHED),
                "|",
                "&", ("res_model", "=", records._name), ("res_id", "in", ids),
                "&", ("document_model", "=", records._name), ("document_id", "in", ids),
            ]
        )  # fmt: skip

    def _ended(self, outcome, **data):
        """Note that the job is over: the key's outcome, and the audit event of an effect."""
        self._end_key(outcome)
        if self.effect in CHANGING:
            self._note(f"job.{outcome}", **data)

    def _end_key(self, outcome):
        keys = [(job.connector_id.id, job.key, job.uuid) for job in self]
        self.env["finance.job.key"]._ended(keys, outcome)

    def _note(self, kind, detail=None, **data):
        """Record what happened; ``detail``: free text (str) of it, which can be erased."""
        document = self._document() if detail else None
        self.env["finance.audit.event"]._record_many(
            [
                {
                    "kind": kind,
                    "res_model": self.document_model,
                    "res_id": self.document_id,
                    "connector_id": self.connector_id.id,
                    "company_id": self.company_id.id,
                    "trace_id": self.trace_id,
                    "data": {
                        "uuid": self.uuid, "operation": self.operation, "key": self.key, **data
                    },
                    "detail": detail,
                    "partner_id": partner_of(document.sudo()).id if document else None,
                }
            ]
        )  # fmt: skip

    # === WHAT PEOPLE PRESS === #

    def action_retry(self):
        """Run again with the same key and the same stored request."""
        self._press("retry", "group_user")
        for job in self:
            state = "answered" if job._open("answer") else "pending"
            job._move(state, "job.replayed")
        self._wake()

    def action_cancel(self):
        """End without doing it."""
        self._press("cancel", "group_controller")
        for job in self:
            if job.called_at and job.effect in CHANGING and job.error_class != "Rejected":
                raise UserError(
                    self.env._(
                        "%(job)s was already sent at least once, so it may have been done. Ask the"
                        " vendor, or record it as done outside.",
                        job=job.display_name,
                    )
                )
            job._move("cancelled", "job.cancelled")

    def action_query(self):
        """Ask the vendor what became of it."""
        self._press("query", "group_user")
        self._check_can_query()
        self._sql("due_at = now() AT TIME ZONE 'UTC', worker = NULL")
        self._wake()

    def _check_can_query(self):
        for job in self:
            if not self.env["finance.operation"]._named(job.operation)._can_query():
                raise UserError(
                    self.env._(
                        "This vendor can't be asked about %(job)s. Look it up at the vendor, then"
                        " record it as done outside or send it again.",
                        job=job.display_name,
                    )
                )

    def action_send_again(self):
        """A person vouches that the vendor has not done it: send the same request again."""
        self._press("send_again", "group_approver")
        for job in self:
            job._move("pending", "job.sent_again")
        self._wake()

    def action_done_outside(self):
        """Open the wizard that records what a person did by hand."""
        self._press("done_outside", "group_controller")
        return dialog(
            self.env._("Done outside"),
            "finance.job.done.outside",
            context={"default_job_ids": self.ids},
        )

    def _done_outside(self, reference, day):
        """End as done by hand at the vendor; the key stays used. ``day`` is a date."""
        self._press("done_outside", "group_controller")
        for job in self:
            job._sql(SQL("done_outside_ref = %s, done_outside_date = %s", reference, day))
            job._move("done", "job.done_outside", {"reference": reference}, date=str(day))

    def action_open_document(self):
        """Open the document that people know the job by."""
        self.ensure_one()
        document = self._document()
        if not document:
            raise UserError(self.env._("The document of this job is deleted."))
        return document.get_formview_action()

    def action_open_exchanges(self):
        """List what was exchanged for the job."""
        self.ensure_one()
        return listing(
            self.env._("Exchanges"), "finance.exchange", [("trace_id", "=", self.trace_id)]
        )

    def _allows(self, button):
        """Return whether a button makes sense for this job now, whoever presses it."""
        states = (HELD if self.held_reason else ALLOWED).get(button, ())
        return not self.worker and self.state in states

    def _press(self, button, *groups):
        """Check who presses and in which state. Raises AccessError or UserError."""
        roles = (f"finance_connector_base.{group}" for group in groups)
        if not self.env.su and not any(map(self.env.user.has_group, roles)):
            self.env["finance.denied.action"]._deny(f"job.{button}", "group", self)
            raise AccessError(
                self.env._("You may not do this with a job. Ask a colleague with that role.")
            )
        self.check_access("read")
        for job in self:
            if not job._allows(button):
                raise UserError(
                    self.env._(
                        "%(job)s can't be changed this way while it is “%(state)s”.",
                        job=job.display_name,
                        state=dict(job._fields["situation"]._description_selection(self.env))[
                            job.situation
                        ],
                    )
                )

    def _move(self, state, kind, detail=None, **data):
        before = self.state
        self._sql(
            SQL(
                """state = %s, attempts = 0, apply_attempts = 0, solo = false, worker = NULL,
                due_at = now() AT TIME ZONE 'UTC', held_reason = NULL,
                done_at = CASE WHEN %s THEN now() AT TIME ZONE 'UTC' END""",
                state,
                state in FINISHED,
            )
        )
        if state in FINISHED:
            self._end_key("done outside" if kind == "job.done_outside" else state)
            self.env["finance.exception"]._resolve(job=self, note=kind)
        self._note(kind, detail, before=before, **data)

    def _sql(self, assignments):
        assignments = assignments if isinstance(assignments, SQL) else SQL(assignments)
        self.env.cr.execute(
            SQL("UPDATE finance_job SET %s WHERE id = ANY(%s)", assignments, self.ids)
        )
        self.invalidate_recordset()

    # === ERASING === #

    @api.model
    def _personal_words(self):
        return self.env._("Requests, answers, references and proofs of finished jobs")

    @api.model
    def _personal_of(self, subject):
        return self._select(
            SQL(
                """
                state IN %s AND %s AND %s AND (
                    request_sealed IS NOT NULL OR answer_sealed IS NOT NULL
                    OR error_text IS NOT NULL OR done_outside_ref IS NOT NULL
                    OR EXISTS (SELECT FROM ir_attachment WHERE res_model = 'finance.job'
                                  AND res_id = finance_job.id))
                """,
                FINISHED,
                subject.of_companies(),
                subject.about(("document_model", "document_id"), ("res_model", "res_id")),
            )
        )

    def _erase_personal(self, basis):
        proofs = [("res_model", "=", self._name), ("res_id", "in", self.ids)]
        self.env["ir.attachment"].sudo().search(proofs).unlink()
        self._empty(
            "request_sealed", "request_digest", "answer_sealed", "error_text", "done_outside_ref"
        )

    @api.model
    def _personal_traces(self, subject):
        about = subject.about(("document_model", "document_id"), ("res_model", "res_id"))
        query = SQL("SELECT DISTINCT trace_id FROM finance_job WHERE %s", about)
        return [trace for (trace,) in self.env.execute_query(query)]

    # === VACUUM === #

    @api.model
    def _retention_days(self):
        value = (
            self.env["ir.config_parameter"]
            .sudo()
            .get_param("finance_connector.retention_days", "90")
        )
        return max(1, int(value))

    @api.autovacuum
    def _vacuum(self):
        """Delete finished jobs past their retention, in small batches; their keys stay.

        What changed something at a vendor goes only when the audit tells how it began and how it
        ended, and no proof is attached to it.
        """
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM finance_job WHERE id = ANY(ARRAY(
                    SELECT id FROM finance_job AS job
                     WHERE state IN %(finished)s AND NOT %(held)s
                       AND done_at < now() AT TIME ZONE 'UTC' - interval '1 day' * %(days)s
                       AND (NOT effect IN %(changing)s OR NOT EXISTS (
                           SELECT FROM ir_attachment
                            WHERE res_model = 'finance.job' AND res_id = job.id)
                           AND 2 = (
                           SELECT count(DISTINCT event.kind = 'job.enqueued')
                             FROM finance_audit_event AS event
                            WHERE event.trace_id = job.trace_id AND event.data->>'uuid' = job.uuid
                              AND event.kind IN %(told)s))
                     ORDER BY done_at LIMIT %(rows)s))
                """,
                finished=FINISHED,
                held=self._held(),
                days=self._retention_days(),
                changing=CHANGING,
                told=TOLD,
                rows=VACUUM_ROWS,
            )
        )
        deleted = self.env.cr.rowcount
        return deleted, int(deleted == VACUUM_ROWS)
