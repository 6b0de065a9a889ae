"""Is sealing in time, and is its head where it belongs: outside the database?"""

import contextlib
import os
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import config

from ..evidence.head import (
    go_on_from,
    head_file,
    head_of,
    last_common,
    log_file,
    read_head,
    read_log,
    write_head,
)
from ..evidence.place import evidence_dir
from ..evidence.rows import text_of
from ..evidence.sealing import SEAL_LOCK, newest_seal
from ..vault import VaultLocked
from .finance_exception_catalog import ExceptionKind

MAIL = "finance_connector.seal_mail"
# So many events are sealed at once even when none of them waits for long.
ENOUGH = 1000
# Two turns of the scheduled action must fit between the seal that is due and the end of the window.
TWO_TURNS = timedelta(seconds=140)
CODES = ("seal.key", "seal.late", "seal.head", "seal.replaced")


class HeadProblem(Exception):
    """Why the head outside can't be kept: a code of `CODES` and parameters of its text."""

    def __init__(self, code, **facts):
        super().__init__(code, facts)
        self.code, self.facts = code, facts


class FinanceAuditSeal(models.Model):
    _inherit = "finance.audit.seal"

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
        except HeadProblem as problem:
            problems[problem.code] = problem.facts
        # In this transaction nothing of it is seen.
        with self._connection() as transaction, transaction() as cursor:
            state = self._state(cursor)
        if state["is_late"]:
            oldest = fields.Datetime.to_string(state["oldest"])
            facts = {"count": state["unsealed"], "oldest": oldest, "minutes": self._minutes()}
            problems["seal.late"] = facts
        self._say(problems)

    def _is_due(self):
        state = self._state()
        limit = fields.Datetime.now() - timedelta(minutes=self._minutes()) + TWO_TURNS
        return bool(state["oldest"] and (state["oldest"] <= limit or state["unsealed"] >= ENOUGH))

    @api.model
    def _seal_before_export(self):
        """Seal what there is; a head that can't be kept is the scheduled action's matter."""
        with contextlib.suppress(HeadProblem):
            self._seal()

    # === HEAD === #

    @api.model
    def _head_path(self):
        """Where the head of this database is kept, outside of it."""
        uuid, _name, oid, _neutralised = self.env["finance.binding"].sudo()._current()
        return head_file(evidence_dir(os.environ, config), uuid, oid)

    @api.model
    def _check_head(self):
        """Compare the head outside with the chain, and bring it up to date; return it.

        None when nothing is sealed. Raises `HeadProblem`: of a head that names a seal which is not
        there nothing is written over, since it is the proof.
        """
        path = self._head_path()
        try:
            with self._connection() as transaction, transaction() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s, 1)", [SEAL_LOCK])
                newest, head = newest_seal(cursor), read_head(path)
                if head and self._hashes(cursor, [head.sequence]).get(head.sequence) != head.hash:
                    raise HeadProblem("seal.replaced", seal=head.sequence, file=str(path))
                if newest and (head is None or head.sequence < newest.sequence):
                    head = head_of(newest, self._events_sealed(cursor), newest.fingerprint)
                    write_head(path, head)
        except (OSError, ValueError) as error:
            raise HeadProblem("seal.head", file=str(path), message=str(error)) from error
        return head

    def _hashes(self, cursor, numbers):
        cursor.execute(
            "SELECT sequence, hash FROM finance_audit_seal WHERE sequence = ANY(%s)", [numbers]
        )
        return dict(cursor.fetchall())

    @api.model
    def _is_replaced(self):
        """Whether the head outside names a seal that is not there."""
        try:
            self._check_head()
        except HeadProblem as problem:
            return problem.code == "seal.replaced"
        return False

    @api.model
    def _go_on_after_restore(self):
        """Accept that the database was restored: the head outside is that of today's chain.

        The log beside it keeps the heads from before. For who has found out why they differ.
        """
        if not self._is_replaced():
            return
        path, before = self._head_path(), read_head(self._head_path())
        heads = read_log(log_file(path))
        with self._connection() as transaction, transaction() as cursor:
            common = last_common(heads, self._hashes(cursor, list(heads)))
        try:
            go_on_from(path, common, text_of(fields.Datetime.now()))
            head = self._check_head()
        except (OSError, HeadProblem) as error:
            raise UserError(
                self.env._("%(file)s can't be written: %(message)s.", file=path, message=error)
            ) from error
        data = {
            "head_before": before.sequence,
            "goes_on_from": common,
            "seal": head.sequence if head else None,
        }
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
                    "which; after a restore, accept it in Settings, Finance Connect, Evidence."
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
