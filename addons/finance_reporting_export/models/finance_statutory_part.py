"""The file itself: packed, sealed, and in the database, so that it is there whole or not at all."""

import gzip
import hashlib
import tempfile
from contextlib import contextmanager
from io import BytesIO
from uuid import uuid4

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import NO_ACCESS

# So much of the file is packed and sealed at a time.
PART_BYTES = 1 << 20
INSERT = """
INSERT INTO finance_statutory_part (export_id, company_id, number, uuid, content_sealed)
VALUES (%s, %s, %s, %s, %s)
"""


class FinanceStatutoryPart(models.Model):
    """One part of a file. Written and read by the statement: never a whole file in memory."""

    _name = "finance.statutory.part"
    _inherit = ["finance.sealed.mixin"]
    _description = "Part of a Statutory File"
    _log_access = False
    _order = "export_id, number"
    _rec_name = "number"
    _sealed_parts = {"content_sealed": "content"}

    export_id = fields.Many2one(
        "finance.statutory.export", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    number = fields.Integer(required=True, readonly=True)
    uuid = fields.Char(required=True, readonly=True)
    content_sealed = fields.Binary(attachment=False, groups=NO_ACCESS)

    _once = models.Constraint("UNIQUE (export_id, number)", "A part is there once.")


class Sealing:
    """A sink that writes sealed parts of one export, and counts and digests what goes in."""

    def __init__(self, export):
        self._export = export
        self._vault = export.env["finance.vault"]._vault()
        self._waiting = BytesIO()
        self._sha256 = hashlib.sha256()
        self._number = self.size = 0

    @property
    def digest(self):
        return self._sha256.hexdigest()

    def write(self, data):
        """Take ``data``; a part is sealed whenever there is enough."""
        self._sha256.update(data)
        self.size += len(data)
        self._waiting.write(data)
        if self._waiting.tell() >= PART_BYTES:
            self._seal()
        return len(data)

    def flush(self):
        """Parts are sealed when they are full, and at the end."""

    def close(self):
        """Seal the rest."""
        if self._waiting.tell() or not self._number:
            self._seal()

    def _seal(self):
        export, uuid = self._export, str(uuid4())
        # without a time: the same content gives the same bytes
        packed = gzip.compress(self._waiting.getvalue(), 6, mtime=0)
        sealed = self._vault.seal(packed, "finance.statutory.part", uuid, "content")
        row = (export.id, export.company_id.id, self._number, uuid, sealed)
        export.env.cr.execute(INSERT, row)
        self._waiting = BytesIO()
        self._number += 1


class FinanceStatutoryExport(models.Model):
    _inherit = "finance.statutory.export"

    @contextmanager
    def _parts(self):
        """Give the sink that the file is written to."""
        sink = Sealing(self)
        yield sink
        sink.close()

    def _drop_file(self):
        """Forget the file, and what is said of it."""
        self.env.cr.execute("DELETE FROM finance_statutory_part WHERE export_id IN %s", [self._ids])
        self.env["finance.statutory.part"].invalidate_model()
        self.write(
            {
                **dict.fromkeys(("file_name", "digest", "made_at"), False),
                **dict.fromkeys(("size", "entry_count", "line_count", "debit", "credit"), 0),
                "outdated": False,
            }
        )

    def _copy_to(self, sink):
        """Write the file to ``sink`` in the clear. Raises UserError where it is not as it was."""
        self.ensure_one()
        vault, digest = self.env["finance.vault"]._vault(), hashlib.sha256()
        number = 0
        while True:
            self.env.cr.execute(
                "SELECT uuid, content_sealed FROM finance_statutory_part"
                " WHERE export_id = %s AND number = %s",
                (self.id, number),
            )
            found = self.env.cr.fetchone()
            if not found:
                break
            uuid, sealed = found
            packed = vault.open(bytes(sealed), "finance.statutory.part", uuid, "content")
            data = gzip.decompress(packed)
            digest.update(data)
            sink.write(data)
            number += 1
        if digest.hexdigest() != self.digest:
            raise UserError(
                self.env._(
                    "“%(name)s” is not as it was written: its digest is another one. Restore it"
                    " from a backup, or write it again.",
                    name=self.file_name,
                )
            )

    # === DOWNLOAD === #

    def action_download(self):
        """Download the file."""
        self._check_may_open()
        url = f"/finance/statutory/{self.id}"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def _open_file(self):
        """Return the file, open at its beginning, to controllers and auditors; audited."""
        self._check_may_open()
        file = tempfile.TemporaryFile(prefix="finance-statutory-")
        try:
            self.sudo()._copy_to(file)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        self.sudo()._tell("payload.opened", {"part": "content", "digest": self.digest})
        return file

    def _check_may_open(self):
        self.ensure_one()
        self.check_access("read")
        if not self.sudo().digest:
            raise UserError(
                self.env._("“%(name)s” is not written. Press Write first.", name=self.name)
            )
