from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind


class FinanceException(models.Model):
    """A job of a statutory file that came to an end before its work."""

    _inherit = "finance.exception"

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            "statutory.unwritten": ExceptionKind(
                title=_("A statutory file could not be written"),
                text=_(
                    "%(document)s stopped, and no file was kept: %(answer)s. Settle what is named,"
                    " then check it and write it again."
                ),
                effect=_("Your books are unchanged. The authority has not got this file."),
                kind="business",
                severity="high",
                question="stopped",
                steps=("retry", "open_document", "open_job"),
            ),
            "statutory.unproved": ExceptionKind(
                title=_("A statutory file did not become final"),
                text=_(
                    "%(document)s could not be compared with the books: %(answer)s. The file is"
                    " there as it was written. Settle what is named, then make it final again."
                ),
                effect=_("Your books are unchanged. The file is not final."),
                kind="business",
                severity="high",
                question="stopped",
                steps=("retry", "open_document", "open_job"),
            ),
        }
