"""Rows that have a file: sealed, in Odoo's filestore, and forgotten together with its key."""

import io
import os
import time
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import NO_ACCESS
from odoo.tools import config

from ..vault import SealBroken, SealedReader, SealedWriter

# What no row knows of after so many seconds was left by a transaction that never ended.
ORPHANED = 24 * 3600
PART = "file_key"


class FinanceSealedFileMixin(models.AbstractModel):
    """A row with one file. The row keeps the file's key, sealed in the vault.

    A model sets `uuid` itself (unique) and may add what else it knows of the file.
    """

    _name = "finance.sealed.file.mixin"
    _inherit = "finance.sealed.mixin"
    _description = "Rows With a Sealed File"
    _sealed_parts = {"file_key_sealed": PART}

    uuid = fields.Char(required=True, readonly=True, copy=False, default=lambda self: str(uuid4()))
    file_key_sealed = fields.Binary(attachment=False, groups=NO_ACCESS, copy=False)
    kept = fields.Boolean(readonly=True, copy=False, help="The file is still here.")

    @contextmanager
    def _writing_file(self):
        """Yield an object with ``write(bytes)``; afterwards the row has the file, on the disk.

        A file that the row had before is replaced. Where an exception leaves the block, or the
        transaction is rolled back, there is no file.
        """
        self.ensure_one()
        path = self._file_path()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self.env.cr.postrollback.add(lambda: path.unlink(missing_ok=True))
        try:
            with open(handle, "wb") as raw:
                with SealedWriter(raw, self.uuid) as writer:
                    yield writer
                raw.flush()
                os.fsync(raw.fileno())
            _sync(path.parent)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        vault = self.env["finance.vault"]._vault()
        sealed = vault.seal(writer.key, self._name, self.uuid, PART)
        self.sudo().write({"file_key_sealed": sealed, "kept": True})

    def _open(self):
        """Return a readable, seekable binary stream of the file. Raises UserError where it is gone.

        It needs neither the cursor nor the row any more, so a thread may read it.
        """
        return _stream(*self._file_place())

    def _file_place(self):
        """Return (path, identity, key): what opens the file without a database."""
        self.ensure_one()
        self.flush_recordset(["file_key_sealed"])
        self.env.cr.execute(
            f"SELECT file_key_sealed FROM {self._table} WHERE id = %s",  # pylint: disable=sql-injection
            [self.id],
        )
        sealed = self.env.cr.fetchone()[0]
        if not sealed:
            raise UserError(
                self.env._("“%(name)s” is no longer kept.", name=self.sudo().display_name)
            )
        vault = self.env["finance.vault"]._vault()
        key = vault.open(bytes(sealed), self._name, self.uuid, PART)
        return self._file_path(), self.uuid, key

    def _forget_file(self):
        """Let the files go: their keys now, the bytes when this transaction is committed."""
        for row in self.sudo().filtered("kept"):
            path = row._file_path()
            row.write({"file_key_sealed": False, "kept": False})
            self.env.cr.postcommit.add(lambda path=path: path.unlink(missing_ok=True))

    def _file_path(self):
        return self._files_folder() / self.uuid[:2] / self.uuid

    @api.model
    def _files_folder(self):
        return Path(config.filestore(self.env.cr.dbname)) / "finance" / self._table

    @api.autovacuum
    def _vacuum_orphans(self):
        """Remove what transactions left that never ended: no row has the key of it."""
        if self._abstract:
            return
        border = time.time() - ORPHANED
        found = {
            path.name: path
            for path in self._files_folder().glob("??/*")
            if _is_uuid(path.name) and path.stat().st_mtime < border
        }
        rows = self.sudo().search([("uuid", "in", list(found)), ("kept", "=", True)])
        for name in found.keys() - set(rows.mapped("uuid")):
            found[name].unlink(missing_ok=True)


def _stream(path, identity, key):
    try:
        return io.BufferedReader(SealedReader(open(path, "rb"), key, identity), 1 << 18)
    except FileNotFoundError:
        raise SealBroken("A sealed file is missing from the filestore.") from None


def _sync(folder):
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_uuid(name):
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
