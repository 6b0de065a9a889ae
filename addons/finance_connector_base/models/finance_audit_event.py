"""What happened, who did it and with which record: rows that are only ever added."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..actions import listing
from ..canonical.codec import dump
from ..fields import WeakMany2one
from ..lanes.link import link_of

# `*=` compares the stored bytes, so that not even 1.0 and 1.00 in the JSON pass as the same.
GUARD = """
CREATE OR REPLACE FUNCTION finance_audit_event_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sealed finance_audit_event%ROWTYPE;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.seal_id IS NULL AND NEW.seal_id IS NOT NULL THEN
        sealed := OLD;
        sealed.seal_id := NEW.seal_id;
        IF NEW *= sealed THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'finance_audit_event is append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER finance_audit_event_keep_rows
    BEFORE UPDATE OR DELETE ON finance_audit_event
    FOR EACH ROW EXECUTE FUNCTION finance_audit_event_guard();

CREATE TRIGGER finance_audit_event_keep_table
    BEFORE TRUNCATE ON finance_audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION finance_audit_event_guard();
"""
# CREATE TRIGGER needs PostgreSQL 14; before that the old one goes first.
UNGUARD = """
DROP TRIGGER IF EXISTS finance_audit_event_keep_rows ON finance_audit_event;
DROP TRIGGER IF EXISTS finance_audit_event_keep_table ON finance_audit_event;
"""
FORGET = "DROP FUNCTION IF EXISTS finance_audit_event_guard() CASCADE"

INSERT = """
INSERT INTO finance_audit_event (
    at, user_id, company_id, connector_id, kind, res_model, res_id, trace_id, data, schema_version
) VALUES %s RETURNING id
"""
DETAIL_COLUMNS = "uuid, company_id, partner_id, kind, content_sealed, event_id, at"
INSERT_DETAILS = f"INSERT INTO finance_audit_detail ({DETAIL_COLUMNS}) VALUES %s"
DETAIL_ROW = "(%s, %s, %s, %s, %s, %s, clock_timestamp() AT TIME ZONE 'UTC')"
INSERT_DETAIL_OF_EVENT = f"""
INSERT INTO finance_audit_detail ({DETAIL_COLUMNS})
SELECT %s, %s, %s, %s, %s, event.id, clock_timestamp() AT TIME ZONE 'UTC' FROM event
"""
SCHEMA_VERSION = 1
ROW = "(clock_timestamp() AT TIME ZONE 'UTC', %s, %s, %s, %s, %s, %s, %s, %s, %s)"


class FinanceAuditEvent(models.Model):
    """One business event. A database trigger refuses to change or delete it.

    Holds ids, amounts and digests only: no names, addresses or free text, since a row can't be
    taken back; those go into its `finance.audit.detail`, which can be erased. A new kind of fact
    goes into `data` with a higher `schema_version`, never into a new column with a default, which
    Odoo would write into every old row.
    """

    _name = "finance.audit.event"
    _inherit = ["finance.weak.mixin"]
    _description = "Audit Event"
    _order = "id desc"
    _rec_name = "kind_words"
    _rec_names_search = ["kind"]
    # create_uid is ON DELETE SET NULL: deleting a user would have to change rows.
    _log_access = False

    at = fields.Datetime(string="When", readonly=True, index=True)
    user_id = WeakMany2one("res.users", string="Who", readonly=True)
    company_id = WeakMany2one("res.company", readonly=True)
    connector_id = WeakMany2one("finance.connector", readonly=True)
    kind = fields.Char(string="Code", readonly=True)
    kind_words = fields.Char(string="What", compute="_compute_kind_words")
    res_model = fields.Char(string="Record Model", readonly=True)
    res_id = fields.Many2oneReference(string="Record", model_field="res_model", readonly=True)
    record_name = fields.Char(string="Record Name", compute="_compute_record_name")
    trace_id = fields.Char(string="Trace", readonly=True)
    data = fields.Json(readonly=True)
    data_text = fields.Text(string="Facts", compute="_compute_data_text")
    detail_text = fields.Text(string="Names and Words", compute="_compute_detail_text")
    schema_version = fields.Integer(readonly=True)
    seal_id = fields.Integer(string="Seal", readonly=True)

    _record_index = models.Index("(res_model, res_id)")
    _trace_index = models.Index("(trace_id) WHERE trace_id IS NOT NULL")
    _unsealed_index = models.Index("(id) WHERE seal_id IS NULL")

    def init(self):
        """Put the guard on the table, at installation and at every update."""
        super().init()
        self.env.cr.execute(UNGUARD)
        self.env.cr.execute(GUARD)

    @api.model
    def _kinds(self):
        """Return {kind: words} in the reader's language. Addons extend it by ``super() | {…}``."""
        _ = self.env._
        return {
            "action.denied": _("Not allowed, and refused"),
            "connector.environment": _("Environment switched"),
            "connector.option": _("Option changed"),
            "connector.paused": _("Connector stopped"),
            "connector.provider_unknown": _("Provider is gone"),
            "connector.resumed": _("Connector resumed"),
            "connector.sign_in_refused": _("Sign-in did not work"),
            "connector.signed_in": _("Signed in at the vendor"),
            "connector.signed_out": _("Signed out at the vendor"),
            "connector.test_failed": _("Test failed"),
            "connector.test_refused": _("Test: credentials refused"),
            "connector.tested": _("Test passed"),
            "credential.discarded": _("New secret discarded"),
            "credential.entered": _("Secret entered"),
            "credential.erased": _("Secret erased"),
            "credential.revealed": _("Secret read"),
            "credential.rotated": _("Secret replaced"),
            "database.confirmed": _("Confirmed as production database"),
            "exception.assigned": _("Exception assigned"),
            "exception.handled": _("Exception handled"),
            "exception.ignored": _("Exception ignored"),
            "exception.opened": _("Exception opened"),
            "exception.reopened": _("Exception came back"),
            "exception.resolved": _("Exception settled by itself"),
            "exception.retried": _("Exception: tried again"),
            "external_ref.set": _("Linked to a record of the vendor"),
            "hold.lifted": _("Legal hold lifted"),
            "hold.set": _("Legal hold set"),
            "job.asked": _("Vendor asked about a held job"),
            "job.cancelled": _("Job cancelled"),
            "job.done": _("Job done"),
            "job.done_outside": _("Job done outside"),
            "job.enqueued": _("Job queued"),
            "job.not_done_at_vendor": _("Vendor says it was not done"),
            "job.released": _("Held job released"),
            "job.replayed": _("Job tried again"),
            "job.sent_again": _("Job sent again by hand"),
            "job.stopped": _("Job stopped"),
            "job.uncertain": _("Job sent, answer unknown"),
            "partner.erased": _("Personal data erased"),
            "partner.merged": _("Contacts merged"),
            "payload.denied": _("Original payload: refused"),
            "payload.opened": _("Original payload opened"),
            "policy.changed": _("Policy changed"),
            "restore.acknowledged": _("Restored database or copy acknowledged"),
            "restore.detected": _("Database found restored or copied"),
            "retention.applied": _("Details past their retention erased"),
            "retention.changed": _("Retention of details set"),
            "retention.removed": _("Retention of details removed"),
            "role.conflict": _("Roles that should not go together"),
            "role.granted": _("Role given"),
            "role.revoked": _("Role taken away"),
            "vault.resealed": _("Secrets sealed with another key"),
        }

    @api.depends("kind")
    @api.depends_context("lang")
    def _compute_kind_words(self):
        words = self._kinds()
        for event in self:
            event.kind_words = words.get(event.kind, event.kind)

    @api.depends("data")
    def _compute_data_text(self):
        for event in self:
            event.data_text = "\n".join(
                f"{key}: {value}" for key, value in (event.data or {}).items()
            )

    @api.depends_context("uid", "lang")
    def _compute_detail_text(self):
        details = self._details_in_words()
        for event in self:
            told = details.get(event.id, [])
            event.detail_text = "\n".join(f"{label}: {text}" for label, text in told)

    @api.depends("res_model", "res_id")
    def _compute_record_name(self):
        names = self._names_of((event.res_model, event.res_id) for event in self)
        for event in self:
            event.record_name = names.get((event.res_model, event.res_id), "")

    # === RECORDING === #

    @api.model
    def _record(
        self, kind, record=None, *, connector=None, company=None, trace_id=None, data=None,
        detail=None, partner=None,
    ):  # fmt: skip
        """Add one event to the current transaction and return it.

        kind: a dotted word, "job.done" say. record: what it happened to. company: by default the
        record's. data: dict of ids, amounts (Decimal) and digests. detail: dict of names and free
        text (str), kept erasable; partner: whom they are about. Raises `VaultClosed` where there
        is a detail and no key.
        """
        if company is None and record and "company_id" in record._fields:
            company = record.sudo().company_id
        return self._record_many(
            [
                {
                    "kind": kind,
                    "res_model": record._name if record else None,
                    "res_id": record.id if record else None,
                    "connector_id": connector.id if connector else None,
                    "company_id": company.id if company else None,
                    "trace_id": trace_id,
                    "data": data,
                    "detail": detail,
                    "partner_id": partner.id if partner else None,
                }
            ]
        )

    @api.model
    def _record_apart(self, event):
        """Add one event on the own connection: it stays when this transaction is rolled back.

        For what was refused. event: dict of columns as for `_record_many`.
        """
        [prepared] = self.env["finance.audit.detail"]._prepared([event])
        row, insert = self._row(event, prepared), INSERT % ROW
        if prepared:
            # one statement, which is one transaction on the own connection
            row += prepared.row
            insert = f"WITH event AS ({insert}) {INSERT_DETAIL_OF_EVENT}"
        link_of(self.env).execute(insert, row)

    @api.model
    def _record_many(self, events):
        """Add many events with one statement, and return them.

        Each is a dict of columns: kind, res_model, res_id, connector_id, company_id, trace_id and
        data (a dict); what is missing stays empty. A dict ``detail`` of names and free text (str)
        goes into an erasable row, about ``partner_id``; the event keeps its digest. ``salted`` is a
        dict of digests of personal content, kept salted with the salt of that row. Raises
        `VaultClosed` where there is a detail and no key: nothing is kept in the clear, and what an
        auditor will ask for is not left out; so the step itself doesn't happen.
        """
        if not events:
            return self.browse()
        details = self.env["finance.audit.detail"]._prepared(events)
        rows = [self._row(*pair) for pair in zip(events, details, strict=True)]
        execute = self.env.cr.execute_values
        ids = [row[0] for row in execute(INSERT, rows, template=ROW, fetch=True)]
        kept = [(*detail.row, id_) for detail, id_ in zip(details, ids, strict=True) if detail]
        if kept:
            execute(INSERT_DETAILS, kept, template=DETAIL_ROW)
        return self.browse(ids)

    def _insertion(self, event):
        """Return what follows WITH (SQL) in a statement that adds an event besides other things.

        event: as for `_record_many`; raises the same.
        """
        [prepared] = self.env["finance.audit.detail"]._prepared([event])
        added = SQL("event AS (%s)", SQL(INSERT % ROW, *self._row(event, prepared)))
        if not prepared:
            return added
        return SQL("%s, detail AS (%s)", added, SQL(INSERT_DETAIL_OF_EVENT, *prepared.row))

    def _row(self, event, detail):
        data = event.get("data") or {}
        if detail:
            data = data | detail.facts
        return (
            self.env.uid or None,
            event.get("company_id") or None,
            event.get("connector_id") or None,
            event["kind"],
            event.get("res_model") or None,
            event.get("res_id") or None,
            event.get("trace_id") or None,
            dump(data) if data else None,
            SCHEMA_VERSION,
        )

    # === GUARDS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Events are recorded by what happens, never typed in."""
        self.env["finance.denied.action"]._deny("create", "guard", self)
        raise UserError(self.env._("Audit events are recorded by Odoo itself."))

    def write(self, vals):
        """Refused: the database would refuse it too, with less friendly words."""
        self.env["finance.denied.action"]._deny("write", "guard", self)
        raise UserError(self.env._("Audit events can't be changed."))

    def unlink(self):
        """Refused: the database would refuse it too, with less friendly words."""
        self.env["finance.denied.action"]._deny("unlink", "guard", self)
        raise UserError(self.env._("Audit events can't be deleted."))

    @api.model
    def _remove_guard(self):
        """Take the triggers and their function away, so that the table can be dropped."""
        self.env.cr.execute(FORGET)

    # === BUTTONS === #

    def action_open_record(self):
        """Open what it happened to."""
        self.ensure_one()
        return self._open_weak(self.res_model, self.res_id)

    def action_open_trace(self):
        """List what else belongs to the same trace."""
        self.ensure_one()
        return listing(self.env._("Trace"), self._name, [("trace_id", "=", self.trace_id)])
