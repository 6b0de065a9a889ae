"""Seals of the audit trail: signed statements about events, chained, with their head outside."""

import contextlib
import logging
import os
import time
from datetime import timedelta

import psycopg2
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS, Domain
from odoo.modules import module
from odoo.sql_db import connection_info_for
from odoo.tools import config

from ..evidence.head import go_on_from, head_file, head_of, read_head, write_head
from ..evidence.index import Index
from ..evidence.place import evidence_dir
from ..evidence.rows import text_of
from ..evidence.sealing import newest_seal, seal_batch
from ..evidence.signing import fingerprint, signers
from ..evidence.sources import DatabaseSource
from ..evidence.verify import DEFAULT_WINDOW, WINDOW, trust_of, verify
from ..vault import VaultLocked
from .finance_exception import ExceptionKind

_logger = logging.getLogger(__name__)

MAIL = "finance_connector.seal_mail"
VERIFIERS = (
    "finance_connector_base.group_controller",
    "finance_connector_base.group_auditor",
)
# So many events are sealed at once even when none of them waits for long.
ENOUGH = 1000
# Two turns of the scheduled action must fit between the seal that is due and the end of the window.
TWO_TURNS = timedelta(seconds=140)
MOST_SECONDS = 30
MOST_COUNTED = 10_000
# A verification takes a second for some tens of thousands of events, and a request two minutes.
MOST_VERIFIED = 1_500_000

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
    def _cron_seal(self):
        """Seal what is due, keep the head outside, and say what is in the way of either."""
        problems = {}
        try:
            if self._is_due():
                self._seal()
            self._check_head()
        except VaultLocked as error:
            problems["seal.key"] = {"message": str(error)}
        except _HeadProblem as problem:
            problems[problem.code] = problem.facts
        state = self._state()
        if state["is_late"]:
            oldest = fields.Datetime.to_string(state["oldest"])
            facts = {"count": state["unsealed"], "oldest": oldest, "minutes": self._minutes()}
            problems["seal.late"] = facts
        self._say(problems)

    @api.model
    def _seal(self):
        """Seal all that is committed and unsealed; return the number of events.

        On a connection of its own: what it seals stays sealed whatever becomes of this
        transaction, which doesn't see it. Another sealer at work is left alone. Raises
        `VaultLocked` without a key and `_HeadProblem` when the head can't be kept; what was
        sealed by then stays.
        """
        [signer, *_others] = self._signers()
        uuid, _name, _oid, _neutralised = self.env["finance.binding"].sudo()._current()
        done, deadline = 0, time.monotonic() + MOST_SECONDS
        problem = None
        with self._connection() as transaction:
            while time.monotonic() < deadline:
                with transaction() as cursor:
                    seal = seal_batch(cursor, signer, uuid, self._minutes() * 60)
                if not seal:
                    break
                done += seal.count
                problem = problem or self._keep_head(transaction, seal)
                if seal.is_complete:
                    break
        if problem:
            raise problem
        return done

    @api.model
    def _seal_before_export(self):
        """Seal what there is; a head that can't be kept is the scheduled action's matter."""
        with contextlib.suppress(_HeadProblem):
            self._seal()

    @contextlib.contextmanager
    def _connection(self):
        """Yield a function that opens a transaction and yields its cursor.

        READ COMMITTED on a connection of its own; in a test that never commits, a savepoint.
        """
        if module.current_test:
            yield self._savepoint
            return
        connection = psycopg2.connect(**connection_info_for(self.env.cr.dbname)[1])

        @contextlib.contextmanager
        def transaction():
            with connection, connection.cursor() as cursor:
                yield cursor

        with contextlib.closing(connection):
            yield transaction

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

    def _is_due(self):
        state = self._state()
        limit = fields.Datetime.now() - timedelta(minutes=self._minutes()) + TWO_TURNS
        return bool(state["oldest"] and (state["oldest"] <= limit or state["unsealed"] >= ENOUGH))

    @api.model
    def _state(self):
        """Return how things stand: newest (seal), events (in all seals), unsealed and oldest
        (number and time of what has no seal, counted up to 10,000), is_late."""
        self.env.cr.execute(
            "SELECT count(*), min(at) FROM (SELECT at FROM finance_audit_event"
            " WHERE seal_id IS NULL ORDER BY id LIMIT %s) unsealed",
            [MOST_COUNTED],
        )
        unsealed, oldest = self.env.cr.fetchone()
        limit = fields.Datetime.now() - timedelta(minutes=self._minutes())
        return {
            "newest": self.sudo().search([], limit=1),
            "events": self._events_sealed(self.env.cr),
            "unsealed": unsealed,
            "oldest": oldest,
            "is_late": bool(oldest and oldest < limit),
        }

    @api.model
    def _unsealed(self, company, period):
        """Return (number, time of the oldest) of a company's events of a period without a seal.

        company: res.company, events of no company count too. period: (first day, last day), in
        UTC.
        """
        start, end = (fields.Datetime.to_datetime(day) for day in period)
        domain = Domain("seal_id", "=", False) & Domain("company_id", "in", [False, company.id])
        domain &= Domain("at", ">=", start) & Domain("at", "<", end + timedelta(days=1))
        [(count, oldest)] = (
            self.env["finance.audit.event"].sudo()._read_group(domain, [], ["__count", "at:min"])
        )
        return count, oldest

    def _events_sealed(self, cursor):
        cursor.execute("SELECT COALESCE(sum(count), 0) FROM finance_audit_seal")
        return int(cursor.fetchone()[0])

    # === HEAD === #

    @api.model
    def _head_path(self):
        """Where the head of this database is kept, outside of it."""
        uuid, _name, oid, _neutralised = self.env["finance.binding"].sudo()._current()
        return head_file(evidence_dir(os.environ, config), uuid, oid)

    def _keep_head(self, transaction, seal):
        """Write the head; return what is in the way as a `_HeadProblem`, None when it is kept."""
        path = self._head_path()
        try:
            with transaction() as cursor:
                self._compare(cursor, read_head(path))
                events = self._events_sealed(cursor)
            write_head(path, head_of(seal, events, seal.fingerprint))
        except _HeadProblem as problem:
            return problem
        except (OSError, ValueError) as error:
            return _HeadProblem("seal.head", file=str(path), message=str(error))
        return None

    def _check_head(self):
        """Compare the head outside with the chain; write it where there is none.

        Raises `_HeadProblem`.
        """
        with self._connection() as transaction:
            with transaction() as cursor:
                seal = newest_seal(cursor)
            path = self._head_path()
            try:
                head = read_head(path)
                with transaction() as cursor:
                    self._compare(cursor, head)
            except (OSError, ValueError) as error:
                raise _HeadProblem("seal.head", file=str(path), message=str(error)) from error
            is_behind = seal and (head is None or head.sequence < seal.sequence)
            problem = self._keep_head(transaction, seal) if is_behind else None
        if problem:
            raise problem

    def _compare(self, cursor, head):
        """The chain has the seal that the head names; else the head must not be written over."""
        if not head:
            return
        cursor.execute("SELECT hash FROM finance_audit_seal WHERE sequence = %s", [head.sequence])
        found = cursor.fetchone()
        if not found or found[0] != head.hash:
            raise _HeadProblem("seal.replaced", seal=head.sequence, file=str(self._head_path()))

    @api.model
    def _go_on_after_restore(self):
        """Accept that the database was restored: the head outside is that of today's chain.

        The log beside it keeps all heads from before. For who has found out why they differ.
        """
        newest = self.sudo().search([], limit=1)
        at = text_of(fields.Datetime.now())
        path, head = self._head_path(), None
        before = read_head(path)
        if newest:
            with self._connection() as transaction, transaction() as cursor:
                seal = newest_seal(cursor)
                head = head_of(seal, self._events_sealed(cursor), seal.fingerprint)
        go_on_from(path, head, at)
        data = {"seal": head.sequence if head else 0, "head_before": before and before.sequence}
        self.env["finance.audit.event"]._record("evidence.restored", data=data)

    @api.model
    def _cron_mail_head(self):
        """Mail the head once a day to whom the settings name: it vouches for the chain elsewhere."""
        address = self.env["ir.config_parameter"].sudo().get_param(MAIL)
        newest = self.sudo().search([], limit=1)
        if not address or not newest:
            return
        facts = {
            self.env._("Database"): newest.database_uuid,
            self.env._("Seal"): newest.sequence,
            self.env._("Hash"): newest.hash,
            self.env._("Sealed on"): f"{newest.at} UTC",
            self.env._("Fingerprint of the key"): newest.fingerprint,
        }
        rows = Markup().join(
            Markup("<tr><td>%s</td><td><code>%s</code></td></tr>") % fact for fact in facts.items()
        )
        words = self.env._(
            "Keep this mail. Whoever verifies the audit trail later can see by it that nothing up "
            "to this seal was replaced or cut off."
        )
        self.env["mail.mail"].sudo().create(
            {
                "subject": self.env._(
                    "Head of the audit trail: seal %(number)s", number=newest.sequence
                ),
                "body_html": Markup("<p>%s</p><table>%s</table>") % (words, rows),
                "email_to": address,
                "auto_delete": True,
            }
        )

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
        """Verify the whole trail as this transaction sees it; return the `Report`.

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
        with Index() as index:
            source = DatabaseSource(self.env.cr._obj.connection)
            report = verify(source, index, lambda uuid: self._trust())
        data = {"outcome": report.outcome, "seals": report.seals, "events": report.events}
        if report.findings:
            finding = report.findings[0]
            named = {name: finding.facts.get(name) for name in ("event", "seal")}
            data |= {"found": report.found, "first": finding.code, **named}
        self.env["finance.audit.event"]._record("evidence.verified", data=data)
        return report

    def _trust(self):
        path = self._head_path()
        try:
            vault = self.env["finance.vault"]._vault()
        except VaultLocked:
            vault = None
        try:
            head = read_head(path)
        except (OSError, ValueError):
            head = None
        return trust_of(vault and vault.keyring, head=head, head_path=path, vault=vault)

    # === EXCEPTIONS === #

    def _say(self, problems):
        """Open an exception for each problem, {code: parameters}, and end those that are mended."""
        exceptions = self.env["finance.exception"].sudo()
        opened = exceptions.search([("code", "in", list(CODES)), ("state", "=", "open")])
        opened.filtered(lambda row: row.code not in problems)._close("resolved", "seal.mended")
        there = set(opened.mapped("code"))
        for code, facts in problems.items():
            # Said once: a count that goes up every minute tells nothing.
            if code not in there:
                exceptions._raise(code, params=facts)

    # === GUARDS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Seals are made by the scheduled action, never typed in."""
        raise UserError(self.env._("Seals are made by Odoo itself."))

    def write(self, vals):
        """Refused: the database would refuse it too, with less friendly words."""
        raise UserError(self.env._("Seals can't be changed."))

    def unlink(self):
        """Refused: the database would refuse it too, with less friendly words."""
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
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": "finance.audit.event",
            "view_mode": "list,form",
            "domain": domain,
        }


class _HeadProblem(Exception):
    """Why the head outside can't be kept: a code of `CODES` and parameters of its text."""

    def __init__(self, code, **facts):
        super().__init__(code, facts)
        self.code, self.facts = code, facts


CODES = ("seal.key", "seal.late", "seal.head", "seal.replaced")


class FinanceException(models.Model):
    _inherit = "finance.exception"

    @api.model
    def _catalog(self):
        _ = self.env._
        books = _("Your books are unchanged. Evidence of what happens is weaker until then.")
        return super()._catalog() | {
            "seal.key": ExceptionKind(
                title=_("Audit events are not sealed: no key"),
                text=_("Audit events can't be sealed without the vault's key. %(message)s"),
                effect=books,
                severity="critical",
                question="stopped",
                steps=("handle", "ignore"),
            ),
            "seal.late": ExceptionKind(
                title=_("Audit events are not sealed in time"),
                text=_(
                    "%(count)s audit events are not sealed, the oldest since %(oldest)s UTC; "
                    "%(minutes)s minutes are allowed. Look whether the scheduled action “Finance "
                    "Connect: seal audit events” is active and what the server's log says of it."
                ),
                effect=books,
                severity="high",
                question="stopped",
                steps=("handle", "ignore"),
            ),
            "seal.head": ExceptionKind(
                title=_("The head of the audit trail is not kept outside the database"),
                text=_(
                    "%(file)s can't be written or read: %(message)s. Give Odoo's account the "
                    "right to it, or name another folder in odoo.conf (finance_evidence_dir)."
                ),
                effect=books,
                severity="high",
                question="stopped",
                steps=("handle", "ignore"),
            ),
            "seal.replaced": ExceptionKind(
                title=_("Seals of the audit trail are missing or replaced"),
                text=_(
                    "The head outside the database (%(file)s) names seal %(seal)s, and the "
                    "database has another one or none. Either the database was restored, or "
                    "somebody deleted or replaced seals. The head file is left as it is. Find out "
                    "which; after a restore, accept it there."
                ),
                effect=_(
                    "Your books are unchanged. What the missing seals proved can't be proved from "
                    "this database."
                ),
                severity="critical",
                kind="business",
                steps=("handle",),
            ),
        }

    @api.model
    def _endings(self):
        return super()._endings() | {"seal.mended": self.env._("Sealing works again.")}


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
