"""Seals of the audit trail: signed statements about events, chained, with their head outside."""

import contextlib
import time
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS
from odoo.modules import module
from odoo.sql_db import connection_info_for

from ..actions import listing
from ..evidence.head import read_heads
from ..evidence.index import Index
from ..evidence.rows import WINDOW
from ..evidence.sealing import seal_batch
from ..evidence.signing import fingerprint, signers
from ..evidence.sources import DatabaseSource
from ..evidence.verify import DEFAULT_WINDOW, trust_of, verify
from ..lanes.link import LOCK_TIMEOUT
from ..vault import VaultLocked

VERIFIERS = (
    "finance_connector_base.group_controller",
    "finance_connector_base.group_auditor",
)
MOST_SECONDS = 30
MOST_COUNTED = 10_000
# A second for some ten thousand events, and a request has a minute of processor time.
MOST_VERIFIED = 750_000

GUARD = """
CREATE OR REPLACE FUNCTION finance_audit_seal_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'finance_audit_seal is append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

DROP TRIGGER IF EXISTS finance_audit_seal_keep_rows ON finance_audit_seal;
CREATE TRIGGER finance_audit_seal_keep_rows
    BEFORE UPDATE OR DELETE ON finance_audit_seal
    FOR EACH ROW EXECUTE FUNCTION finance_audit_seal_guard();

DROP TRIGGER IF EXISTS finance_audit_seal_keep_table ON finance_audit_seal;
CREATE TRIGGER finance_audit_seal_keep_table
    BEFORE TRUNCATE ON finance_audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION finance_audit_seal_guard();
"""
FORGET = "DROP FUNCTION IF EXISTS finance_audit_seal_guard() CASCADE"


class FinanceAuditSeal(models.Model):
    """One seal. Made by `_cron_seal` on a connection of its own; nobody can change or delete it."""

    _name = "finance.audit.seal"
    _description = "Seal of the Audit Trail"
    _order = "sequence desc"
    _rec_name = "sequence"
    _log_access = False

    sequence = fields.Integer("Seal", readonly=True, aggregator=None)
    at = fields.Datetime("Sealed on", readonly=True)
    version = fields.Integer(readonly=True, aggregator=None)
    database_uuid = fields.Char("Database", readonly=True)
    previous = fields.Char("Hash of the Seal Before", readonly=True)
    root = fields.Char("Root of the Events", readonly=True)
    count = fields.Integer("Events", readonly=True, aggregator="sum")
    first_event_id = fields.Integer("First Event", readonly=True, aggregator=None)
    last_event_id = fields.Integer("Last Event", readonly=True, aggregator=None)
    window_seconds = fields.Integer("Window (Seconds)", readonly=True, aggregator=None)
    is_complete = fields.Boolean("Nothing Left Unsealed", readonly=True)
    members = fields.Binary(attachment=False, groups=NO_ACCESS)
    members_digest = fields.Char("Digest of the Members", readonly=True)
    hash = fields.Char(readonly=True)
    key_id = fields.Char("Key", readonly=True)
    public_key = fields.Char(readonly=True)
    signature = fields.Char(readonly=True)
    fingerprint = fields.Char(compute="_compute_fingerprint")

    _once = models.UniqueIndex("(sequence)")

    def init(self):
        """Put the guard on the table, at installation and at every update."""
        super().init()
        self.env.cr.execute(GUARD)

    @api.depends("sequence")
    def _compute_display_name(self):
        for seal in self:
            seal.display_name = self.env._("Seal %(number)s", number=seal.sequence)

    @api.depends("public_key")
    def _compute_fingerprint(self):
        for seal in self:
            seal.fingerprint = fingerprint(seal.public_key or "")

    # === SEALING === #

    @api.model
    def _seal(self):
        """Seal all that is committed and unsealed; return the number of events.

        On a connection of its own: what it seals stays sealed whatever becomes of this
        transaction, which doesn't see it. Another sealer at work is left alone. Raises
        `VaultLocked` without a key, and `HeadProblem` at the end when the head can't be kept.
        """
        [signer, *_others] = self._signers()
        uuid, _name, _oid, _neutralised = self.env["finance.binding"].sudo()._current()
        done, deadline = 0, time.monotonic() + MOST_SECONDS
        with self._connection() as transaction:
            while time.monotonic() < deadline:
                with transaction() as cursor:
                    seal = seal_batch(cursor, signer, uuid, self._minutes() * 60)
                if not seal:
                    break
                done += seal.count
                if seal.is_complete:
                    break
        if done:
            self._check_head()
        return done

    @contextlib.contextmanager
    def _connection(self):
        """Yield a function that opens a transaction and yields its cursor.

        READ COMMITTED on a connection of its own; in a test that never commits, a savepoint.
        """
        if module.current_test:
            yield self._savepoint
            return

        @contextlib.contextmanager
        def transaction():
            with connection, connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                yield cursor

        with self._connected(isolation_level="READ COMMITTED") as connection:
            yield transaction

    @contextlib.contextmanager
    def _connected(self, **session):
        connection = psycopg2.connect(**connection_info_for(self.env.cr.dbname)[1])
        connection.set_session(**session)
        with contextlib.closing(connection):
            yield connection

    @contextlib.contextmanager
    def _savepoint(self):
        self.env.flush_all()
        with self.env.cr.savepoint(flush=False):
            yield self.env.cr
        self.env.invalidate_all()

    @api.model
    def _signers(self):
        """The keys of the ring as signing keys, the first one signs. Raises `VaultLocked`."""
        return signers(self.env["finance.vault"]._vault().keyring)

    @api.model
    def _minutes(self):
        """The longest time that an event may stay unsealed, in minutes."""
        text = self.env["ir.config_parameter"].sudo().get_param(WINDOW) or ""
        return max(int(text), 1) if text.isdigit() else DEFAULT_WINDOW

    @api.model
    def _state(self, cursor=None):
        """Return how things stand, as this transaction or ``cursor`` sees it: newest (seal),
        unsealed and oldest (number and time of what has no seal, counted up to 10,000), is_late."""
        cursor = cursor or self.env.cr
        cursor.execute(
            "SELECT count(*), min(at) FROM (SELECT at FROM finance_audit_event"
            " WHERE seal_id IS NULL ORDER BY id LIMIT %s) unsealed",
            [MOST_COUNTED],
        )
        unsealed, oldest = cursor.fetchone()
        limit = fields.Datetime.now() - timedelta(minutes=self._minutes())
        return {
            "newest": self.sudo().search([], limit=1),
            "unsealed": unsealed,
            "oldest": oldest,
            "is_late": bool(oldest and oldest < limit),
        }

    def _events_sealed(self, cursor):
        cursor.execute("SELECT COALESCE(sum(count), 0) FROM finance_audit_seal")
        return int(cursor.fetchone()[0])

    # === VERIFICATION === #

    @api.model
    def _check_may_verify(self, action):
        """Raise AccessError unless the user is a controller or an auditor."""
        if self.env.su or any(self.env.user.has_group(group) for group in VERIFIERS):
            return
        self.env["finance.denied.action"]._deny(action, "group", self)
        raise AccessError(self.env._("Only controllers and auditors may do this."))

    @api.model
    def _verify(self):
        """Verify the whole trail as it is committed; return the `Report`.

        The verification is itself an event. Raises UserError when there is too much for a request.
        """
        self.env.flush_all()
        if self._events_sealed(self.env.cr) > MOST_VERIFIED:
            raise UserError(
                self.env._(
                    "There are too many events for a verification on screen. Ask whoever runs the "
                    "server for: python finance_connector_base/evidence verify --database %(name)s",
                    name=self.env.cr.dbname,
                )
            )
        # Before the transaction in which the database is read: see `read_heads`.
        trust = self._trust()
        with Index() as index, self._snapshot() as connection:
            report = verify(DatabaseSource(connection), index, lambda uuid: trust)
        data = {"outcome": report.outcome, "seals": report.seals, "events": report.events}
        if report.findings:
            finding = report.findings[0]
            named = {name: finding.facts.get(name) for name in ("event", "seal")}
            data |= {"found": report.found, "first": finding.code, **named}
        self.env["finance.audit.event"]._record("evidence.verified", data=data)
        return report

    @contextlib.contextmanager
    def _snapshot(self):
        if module.current_test:
            yield self.env.cr._obj.connection
            return
        with self._connected(isolation_level="REPEATABLE READ", readonly=True) as connection:
            yield connection

    def _trust(self):
        path = self._head_path()
        try:
            vault = self.env["finance.vault"]._vault()
        except VaultLocked:
            vault = None
        try:
            _head, heads = read_heads(path)
        except (OSError, ValueError):
            heads = {}
        return trust_of(vault and vault.keyring, heads=heads, head_path=path, vault=vault)

    # === GUARDS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Seals are made by the scheduled action, never typed in."""
        self.env["finance.denied.action"]._deny("create", "guard", self)
        raise UserError(self.env._("Seals are made by Odoo itself."))

    def write(self, vals):
        """Refused: the database would refuse it too, with less friendly words."""
        self.env["finance.denied.action"]._deny("write", "guard", self)
        raise UserError(self.env._("Seals can't be changed."))

    def unlink(self):
        """Refused: the database would refuse it too, with less friendly words."""
        self.env["finance.denied.action"]._deny("unlink", "guard", self)
        raise UserError(self.env._("Seals can't be deleted."))

    @api.model
    def _remove_guard(self):
        """Take the triggers and their function away, so that the table can be dropped."""
        self.env.cr.execute(FORGET)

    # === BUTTONS === #

    def action_open_events(self):
        """List the events of the seal."""
        self.ensure_one()
        # By id first: there is no index on the seal, which would cost every event.
        domain = [
            ("id", ">=", self.first_event_id),
            ("id", "<=", self.last_event_id),
            ("seal_id", "=", self.sequence),
        ]
        return listing(self.display_name, "finance.audit.event", domain)


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _kinds(self):
        _ = self.env._
        return super()._kinds() | {
            "evidence.exported": _("Evidence exported"),
            "evidence.restored": _("Chain of seals goes on after a restore"),
            "evidence.verified": _("Audit trail verified"),
        }


class FinanceDeniedAction(models.Model):
    _inherit = "finance.denied.action"

    @api.model
    def _actions(self):
        _ = self.env._
        return super()._actions() | {
            "evidence.export": _("Export evidence"),
            "evidence.verify": _("Verify the audit trail"),
        }
