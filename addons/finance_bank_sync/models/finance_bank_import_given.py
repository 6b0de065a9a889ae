"""Files that people or places give: by the account that the file names, by the columns that are known."""

import io

from odoo import api, models

from ..formats import FormatError
from ..formats.detect import detect

TABLES = ("csv", "xlsx")
BANK = ("bank", "cash", "credit")


class _Nameless(Exception):
    """The file names no account."""


class FinanceBankImport(models.Model):
    _inherit = "finance.bank.import"

    @api.model
    def _receive_file(self, name, content, source="file", journal=None, column_map=None):
        """Take in a file; return its imports, refused ones with their reason.

        journal: where the file goes if it names no account; one that names another account goes
        there. column_map: a `finance.bank.column.map` that a person chose; else the saved one that
        reads the file, where exactly one does.
        """
        saved = column_map or self._saved_map(content, journal)
        if saved and not journal and len(saved.journal_ids) == 1:
            journal = saved.journal_ids
        options = {"column_map": saved._map() if saved else None}
        if not journal:
            return self._receive(name, content, source, **options)
        try:
            with self.env.cr.savepoint():
                imports = self._receive(name, content, source, **options)
                if any((one.refusal or {}).get("code") == "account.missing" for one in imports):
                    raise _Nameless
                return imports
        except _Nameless:
            return self._receive(name, content, source, journal=journal, **options)

    @api.model
    def _saved_map(self, content, journal):
        maps = self.env["finance.bank.column.map"]
        if not _is_table(content):
            return maps
        journals = journal or self.env["account.journal"].search(
            [("type", "in", BANK), ("company_id", "in", self.env.companies.ids)]
        )
        return maps._fitting(content, journals)

    def _lacks_columns(self):
        """Whether the file was refused and a person may mend it by saying what its columns are."""
        self.ensure_one()
        if self.state != "refused" or not self.refusal["code"].startswith("format."):
            return False
        content = self.sudo()._content()
        return bool(content) and _is_table(content)


def _is_table(content):
    try:
        return detect(io.BytesIO(content)) in TABLES
    except FormatError:
        return False
