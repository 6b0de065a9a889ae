"""The engine is asked when a draft is saved, where its workflow wants that."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.finance_connector_base.canonical import codec

# In the context while the engine's own amounts are written.
SAVING = "finance_tax_saving"


class FinanceTaxMixin(models.AbstractModel):
    _inherit = "finance.tax.mixin"

    finance_tax_save_note = fields.Text(
        "Not computed when saved", compute="_compute_finance_tax_save_note"
    )

    @api.depends("finance_tax_stale", "finance_tax_document_ids.save_note")
    def _compute_finance_tax_save_note(self):
        for document in self:
            kept = document.finance_tax_document_id.sudo()
            document.finance_tax_save_note = document.finance_tax_stale and kept.save_note

    def _finance_tax_saved(self):
        """Bring saved drafts up to date, with one question for all whose content has changed.

        Never fails: what the engine says or does not say stands as a note on the document.
        """
        if self.env.context.get(SAVING):
            return
        changed = self.filtered(lambda document: document._finance_tax_to_ask_on_save())
        if not changed:
            return
        changed = changed.with_context(**{SAVING: True})
        try:
            with self.env.cr.savepoint():
                changed._finance_tax_estimate()
        except UserError as error:
            for document in changed:
                document._finance_tax_note(str(error))

    def _finance_tax_to_ask_on_save(self):
        """Tell whether to ask: the workflow wants it, and this content was not asked in vain."""
        if not self._finance_tax_is_open():
            return False
        workflow = self._finance_tax_workflow()
        if not workflow.tax_on_save or not self._finance_tax_lines():
            return False
        if self._finance_tax_find_obstacle() or self._finance_tax_not_asked(workflow):
            return False
        tried = self._finance_tax_document_of(workflow).tried_hash
        return not self._finance_tax_is_current(workflow) and (
            not tried or tried != self._finance_tax_content_hash(workflow)
        )

    def _finance_tax_content_hash(self, workflow):
        return codec.digest(self._finance_tax_request(workflow).content())

    def _finance_tax_note(self, words):
        """Keep why the engine's tax is not on the document, until its content changes."""
        workflow = self._finance_tax_workflow()
        self._finance_tax_ensure_document(workflow).sudo().write(
            {"tried_hash": self._finance_tax_content_hash(workflow), "save_note": words}
        )
