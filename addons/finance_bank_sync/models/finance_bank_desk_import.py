"""Files that a person gives to the screen: refused in words, or watched until they are done."""

from odoo import api, models
from odoo.exceptions import UserError

ENDED = ("done", "refused")


class FinanceBankDesk(models.AbstractModel):
    _inherit = "finance.bank.desk"

    # === CALLED BY THE SCREEN === #

    @api.model
    def imports(self, ids):
        """Return how far imports are: [{id, name, state, words, done, total, …}]."""
        self._check_reader()
        rows = self.env["finance.bank.import"].search([("id", "in", [int(one) for one in ids])])
        return [self._import_values(row) for row in rows]

    @api.model
    def set_up_columns(self, import_id, journal_id=None):
        """Return the window in which a person says what the columns of a refused file are.

        journal_id: of the account that the person is at; the file is for it if it names none.
        """
        self._check_worker()
        row = self.env["finance.bank.import"].browse(int(import_id)).exists()
        row.check_access("read")
        if not row or not row._lacks_columns():
            raise UserError(self.env._("This file needs no columns any more. Open its import."))
        journal = self._journal(journal_id, self._journals()) if journal_id else None
        wizard = self.env["finance.bank.column.preview"]._of_import(row, journal)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Columns of %(file)s", file=row.name),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    # === VALUES === #

    @api.model
    def _receive(self, name, content, journal_id=None):
        """Take in a file of a person; return how far its imports are, as `imports` does."""
        self._check_worker()
        journal = self._journal(journal_id, self._journals()) if journal_id else None
        if not content:
            raise UserError(self.env._("%(name)s is empty. Fetch it again.", name=name))
        imports = self.env["finance.bank.import"]._receive_file(name, content, journal=journal)
        return [self._import_values(row) for row in imports]

    @api.model
    def _import_values(self, row):
        return {
            "id": row.id,
            "name": row.name,
            "state": row.state,
            "words": self._import_words(row) if row.state in ENDED else "",
            "warning": bool(row.skipped_count or row.held_count),
            "total": row.entry_count,
            "done": row.entry_count - row.waiting_count,
            "columns": self._may_work() and row._lacks_columns(),
            "exceptions": self._open_exceptions(row),
        }

    @api.model
    def _import_words(self, row):
        """Return in words what became of an import."""
        if row.state == "refused":
            return row.refusal_words
        _ = self.env._
        told = (
            (row.created_count, _("%(n)s lines made", n=row.created_count)),
            (row.skipped_count, _("%(n)s skipped, they were there already", n=row.skipped_count)),
            (row.held_count, _("%(n)s held, they need a decision", n=row.held_count)),
            (row.pending_count, _("%(n)s pending at the bank", n=row.pending_count)),
            (row.information_count, _("%(n)s for information only", n=row.information_count)),
        )
        words = [text for count, text in told if count]
        return ", ".join(words) + "." if words else _("The file has no entries.")

    @api.model
    def _open_exceptions(self, row):
        """Return the action with what needs a decision of an import, or False."""
        domain = [
            ("state", "=", "open"),
            ("document_model", "=", row._name),
            ("document_id", "=", row.id),
        ]
        if not self.env["finance.exception"].search_count(domain, limit=1):
            return False
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Exceptions of %(file)s", file=row.name),
            "res_model": "finance.exception",
            "views": [(False, "list"), (False, "form")],
            "domain": domain,
        }
