"""Statement files that a bank or a program puts into a folder, or on an SFTP server."""

import fnmatch
import hashlib
import logging
from datetime import timedelta
from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import NO_ACCESS
from odoo.tools import config

from odoo.addons.finance_connector_base.providers.hosts import is_allowed

from ..transports import DONE, FAILED, FOLDERS, PickupError
from ..transports.folder import Folder, allowed, roots
from ..transports.sftp import Sftp, host_key, private_key

_logger = logging.getLogger(__name__)
# A file is read when two looks so far apart (seconds) have found it the same.
STILL = 50
MOST_AT_ONCE = 100
MASK = "••••"
FAILING = "bank.pickup"


class FinanceBankPickup(models.Model):
    """A place where statement files wait."""

    _name = "finance.bank.pickup"
    _inherit = "finance.sealed.mixin"
    _description = "Pick-up of Bank Files"
    _order = "name, id"
    _sealed_parts = {"key_sealed": "key"}

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    uuid = fields.Char(required=True, readonly=True, copy=False, default=lambda self: str(uuid4()))
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    kind = fields.Selection(
        [("folder", "Folder on this server"), ("sftp", "SFTP server")],
        required=True,
        default="folder",
    )
    path = fields.Char(
        "Folder",
        required=True,
        help="On this server: below a folder that odoo.conf opens (finance_bank_folders).",
    )
    host = fields.Char(help="As it stands in odoo.conf: finance_allowed_hosts.")
    port = fields.Integer(default=22)
    login = fields.Char("User Name")
    host_key = fields.Char(
        "Server's Key", help="A line as in known_hosts: ssh-ed25519 AAAA… The bank tells it."
    )
    key = fields.Text(
        "Private Key",
        compute="_compute_key",
        inverse="_inverse_key",
        help="OpenSSH or PEM, without a passphrase. Sealed in the vault; it is never shown again.",
    )
    key_sealed = fields.Binary(attachment=False, groups=NO_ACCESS, copy=False)
    has_key = fields.Boolean(readonly=True, copy=False)
    pattern = fields.Char("Names", default="*", required=True, help="*.xml, say.")
    after = fields.Selection(
        [("move", "Move to the folders done and failed"), ("remember", "Leave, and remember")],
        "Afterwards",
        required=True,
        default="move",
    )
    journal_id = fields.Many2one(
        "account.journal",
        "Bank Account",
        domain="[('type', 'in', ('bank', 'cash', 'credit')), ('company_id', '=', company_id)]",
        help="Empty: the file names its account.",
    )
    user_id = fields.Many2one(
        "res.users",
        "Imports as",
        default=lambda self: self.env.user,
        ondelete="set null",
        help="With the rights of this person.",
    )
    file_ids = fields.One2many("finance.bank.pickup.file", "pickup_id", "Files", readonly=True)
    looked_at = fields.Datetime("Last Look", readonly=True, copy=False)
    problem = fields.Json("Code of the Problem", readonly=True, copy=False)
    problem_words = fields.Char("Problem", compute="_compute_problem_words")

    _uuid_unique = models.Constraint("UNIQUE (uuid)", "An identity is used once.")
    _place_unique = models.UniqueIndex(
        "(kind, COALESCE(host, ''), COALESCE(port, 0), COALESCE(login, ''), path) WHERE active",
        "These files are picked up already: a place has one pick-up.",
    )

    # === COMPUTE METHODS === #

    @api.depends("has_key")
    def _compute_key(self):
        for pickup in self:
            pickup.key = MASK if pickup.has_key else False

    def _inverse_key(self):
        for pickup in self:
            text = (pickup.key or "").strip()
            if text and text != MASK:
                pickup._keep_key(text)

    def _keep_key(self, text):
        try:
            private_key(text)
        except PickupError as error:
            raise ValidationError(self._in_words(error.code, error.values)) from None
        vault = self.env["finance.vault"]._vault()
        sealed = vault.seal(text.encode(), self._name, self.uuid, "key")
        self.sudo().write({"key_sealed": sealed, "has_key": True})
        self.env["finance.audit.event"]._record("bank.pickup_key", self)

    @api.depends("problem")
    @api.depends_context("lang")
    def _compute_problem_words(self):
        for pickup in self:
            told = pickup.problem
            pickup.problem_words = told and pickup._in_words(told["code"], told["values"])

    # === CHECKS === #

    @api.constrains("kind", "path", "host", "port", "login", "host_key")
    def _check_place(self):
        for pickup in self:
            try:
                pickup._check_folder() if pickup.kind == "folder" else pickup._check_server()
            except PickupError as error:
                raise ValidationError(pickup._in_words(error.code, error.values)) from None

    def _check_folder(self):
        allowed(self.path, roots(config.get(FOLDERS)), FOLDERS)

    def _check_server(self):
        if not (self.host and self.login and self.host_key):
            raise ValidationError(
                self.env._(
                    "%(name)s: enter the host, the user name and the server's key.", name=self.name
                )
            )
        if not is_allowed(f"https://{self.host}/", config.get("finance_allowed_hosts")):
            raise PickupError("host", host=self.host)
        try:
            host_key(self.host_key)
        except ValueError:
            raise ValidationError(
                self.env._(
                    "%(name)s: the server's key is a line as in known_hosts, “ssh-ed25519 AAAA…”.",
                    name=self.name,
                )
            ) from None

    @api.constrains("journal_id", "company_id", "user_id")
    def _check_company(self):
        for pickup in self:
            journal = pickup.journal_id
            if journal and journal.company_id != pickup.company_id:
                raise ValidationError(
                    self.env._(
                        "%(name)s: the bank account is of another company.", name=pickup.name
                    )
                )
            if pickup.user_id and pickup.company_id not in pickup.user_id.company_ids:
                raise ValidationError(
                    self.env._(
                        "%(user)s does not work for %(company)s. Choose another person.",
                        user=pickup.user_id.name,
                        company=pickup.company_id.name,
                    )
                )

    # === LOOKING === #

    def action_look(self):
        """Look now; tell what was found, in words."""
        self.ensure_one()
        self.check_access("write")
        taken = self._look()
        if self.problem_words:
            raise UserError(self.problem_words)
        waiting = len(self.file_ids.filtered(lambda file: file.state == "seen"))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(taken)s files read; %(waiting)s wait until the next look finds them unchanged.",
                    taken=taken,
                    waiting=waiting,
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.model
    def _cron_look(self):
        """Look at all places; one that fails doesn't keep the others waiting."""
        pickups = self.search([])
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(pickups))
        for pickup in pickups:
            try:
                pickup._look(commit=lambda: cron._commit_progress())
            except Exception:
                self.env.cr.rollback()
                _logger.exception("Pick-up %s failed", pickup.id)
            if not cron._commit_progress(1):
                break

    def _look(self, commit=None):
        """Take in what waits; return how many files. What is wrong with the place is kept on it.

        commit: called after each file, so that one is moved only when its import is safe.
        """
        self.ensure_one()
        self = self.sudo()
        taken, problem = 0, False
        try:
            with self._place() as place:
                for file, found in self._waiting(place):
                    taken += self._take(place, file, found, commit)
                    if taken >= MOST_AT_ONCE:
                        break
        except PickupError as error:
            problem = {"code": error.code, "values": error.values}
        except AccessError:
            problem = {"code": "rights", "values": {"user": self.user_id.name}}
        self.write({"looked_at": fields.Datetime.now(), "problem": problem})
        self._tell(problem)
        return taken

    def _place(self):
        """Return where the files wait, as a context manager. Raises PickupError."""
        if not self.user_id.active:
            raise PickupError("person")
        if self.kind == "folder":
            return Folder(self.path, roots(config.get(FOLDERS)))
        if not is_allowed(f"https://{self.host}/", config.get("finance_allowed_hosts")):
            raise PickupError("host", host=self.host)
        return Sftp(self.host, self.port, self.login, self._key(), self.host_key, self.path)

    def _key(self):
        self.flush_recordset(["key_sealed"])
        self.env.cr.execute("SELECT key_sealed FROM finance_bank_pickup WHERE id = %s", [self.id])
        sealed = self.env.cr.fetchone()[0]
        if not sealed:
            raise PickupError("key")
        vault = self.env["finance.vault"]._vault()
        return vault.open(bytes(sealed), self._name, self.uuid, "key").decode()

    # === ONE FILE === #

    def _waiting(self, place):
        """Return (row, `Found`) of the files that are of interest; new rows for new ones."""
        names = self.pattern or "*"
        found = [one for one in place.files() if fnmatch.fnmatchcase(one.name, names)]
        files = self.env["finance.bank.pickup.file"]
        known = {
            (file.name, file.size, file.changed): file
            for file in files.search_fetch(
                [("pickup_id", "=", self.id), ("name", "in", [one.name for one in found])],
                ["name", "size", "changed", "state", "seen_at"],
            )
        }
        new = [one for one in found if (one.name, one.size, one.changed) not in known]
        rows = files.create(
            [
                {"pickup_id": self.id, "name": one.name, "size": one.size, "changed": one.changed}
                for one in new
            ]
        )
        known |= {(row.name, row.size, row.changed): row for row in rows}
        return [(known[one.name, one.size, one.changed], one) for one in found]

    def _take(self, place, file, found, commit):
        """Take in one file if nobody is writing it any more; return 1, else 0."""
        if file.state == "seen":
            if file.seen_at > fields.Datetime.now() - timedelta(seconds=STILL):
                return 0
            try:
                content = place.read(found)
            except PickupError as error:
                if error.code == "changed":
                    return 0  # the next look finds it as another one
                raise
            self._import(file, content, place.source)
            if commit:
                commit()
        elif self.after == "remember":
            return 0
        if self.after == "move":
            place.move(found.name, FAILED if file.state == "refused" else DONE)
        return 1

    def _import(self, file, content, source):
        digest = hashlib.sha256(content).hexdigest()
        before = [
            ("pickup_id", "=", self.id),
            ("digest", "=", digest),
            ("state", "in", ("taken", "again")),
        ]
        if file.search_count(before, limit=1):
            file.write({"digest": digest, "state": "again"})
            return
        imports = self._receive(file.name, content, source)
        refused = any(one.state == "refused" for one in imports)
        file.write(
            {
                "digest": digest,
                "state": "refused" if refused else "taken",
                "import_ids": [(6, 0, imports.ids)],
            }
        )

    def _receive(self, name, content, source):
        """Give the file to the import, with the rights of the person that the place has."""
        env = self.env(
            user=self.user_id.id,
            su=False,
            context=dict(self.env.context, allowed_company_ids=self.company_id.ids),
        )
        return env["finance.bank.import"]._receive_file(
            name, content, source, self.journal_id.with_env(env)
        )

    # === WORDS === #

    def _tell(self, problem):
        exceptions = self.env["finance.exception"]
        if problem:
            params = {"place": self.name, "problem": problem["code"], "values": problem["values"]}
            exceptions._raise(FAILING, document=self, company=self.company_id, params=params)
        else:
            exceptions._resolve(FAILING, document=self, note="bank.pickup_works")

    @api.model
    def _in_words(self, code, values):
        """Return what a `PickupError` says in the reader's language."""
        return self._problems().get(code, code) % values

    @api.model
    def _problems(self):
        _ = self.env._
        return {
            "closed": _(
                "No folder is open for picking up files. An administrator names one in odoo.conf:"
                " finance_bank_folders."
            ),
            "outside": _(
                "%(path)s is not below a folder that odoo.conf opens (finance_bank_folders)."
            ),
            "link": _("%(path)s is, or lies behind, a symbolic link. Name the folder itself."),
            "missing": _("%(path)s is not there, or is no folder."),
            "denied": _("%(path)s can't be read or written by Odoo's account. Change its rights."),
            "name": _("%(name)s is no plain name of a file. Have it named otherwise."),
            "size": _("%(name)s has more than %(most)s MB. Ask the bank for shorter periods."),
            "changed": _("%(name)s was written to while it was read."),
            "paramiko": _(
                "SFTP needs the Python package paramiko: pip install paramiko, and start Odoo again."
            ),
            "host": _("%(host)s is not on the list of hosts in odoo.conf (finance_allowed_hosts)."),
            "host_key": _(
                "%(host)s shows another key than the one that is kept here. Nothing was read. Ask"
                " the bank whether it has changed its key, and enter the new one only then."
            ),
            "key": _(
                "The private key can't be read: OpenSSH or PEM, without a passphrase, Ed25519, ECDSA"
                " or RSA."
            ),
            "login": _("%(host)s does not let %(user)s in with this key."),
            "connection": _("%(host)s can't be reached: %(error)s"),
            "person": _("Nobody imports these files. Choose whose rights the imports have."),
            "rights": _(
                "%(user)s may not import statements. Choose a person who has Accounting's “Show Full"
                " Accounting Features”."
            ),
        }
