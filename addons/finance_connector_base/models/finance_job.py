from odoo import api, fields, models
from odoo.fields import NO_ACCESS
from odoo.tools import SQL, config

from ..fields import WeakMany2one
from ..lanes.lane import Lane
from .finance_audit_detail import partner_of
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
        keys = [(job.connector_id.id or 0, job.key, job.uuid) for job in self]
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
