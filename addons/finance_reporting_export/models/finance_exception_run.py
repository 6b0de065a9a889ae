from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind


class FinanceException(models.Model):
    _inherit = "finance.exception"

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            "export.unwritten": ExceptionKind(
                title=_("An export could not be written"),
                text=_(
                    "%(document)s stopped, and nothing was delivered: %(answer)s. Change what is"
                    " named, then try again or start a new run."
                ),
                effect=_("The books are unchanged. The receiver has what it had before."),
                kind="business",
                severity="high",
                question="stopped",
                steps=("retry", "open_document", "open_job"),
            ),
            "export.undelivered": ExceptionKind(
                title=_("An export was not delivered"),
                text=_(
                    "%(connector)s did not take %(document)s: %(answer)s. Try again: the same files"
                    " go out under the same number. The next run waits for this one; cancel it in"
                    " the run if it shall not be delivered at all."
                ),
                effect=_("The books are unchanged. The receiver does not have what is newer."),
                severity="high",
                question="stopped",
                steps=("retry", "open_document", "open_connector", "open_job"),
            ),
            "export.overtaken": ExceptionKind(
                title=_("The receiver of an export is ahead of this database"),
                text=_(
                    "%(connector)s has batch %(there)s of this export, which this database does not"
                    " know; %(document)s was to be batch %(number)s. The database was restored, or"
                    " another one fills the same place. Nothing was sent. If the receiver shall"
                    " follow this database, press Run Again in the run: it tells everything, as batch"
                    " %(next)s."
                ),
                effect=_("The books are unchanged. The receiver has what it had before."),
                kind="business",
                severity="high",
                steps=("open_document", "open_connector", "handle"),
            ),
            "export.refused": ExceptionKind(
                title=_("The receiver refused an export"),
                text=_(
                    "%(connector)s did not confirm %(document)s: %(answer)s. Find out there what is"
                    " wrong, then deliver it again, or cancel the run and start a new one."
                ),
                effect=_("The receiver's figures are not those of the books."),
                kind="business",
                severity="high",
                steps=("open_document", "open_connector", "handle"),
            ),
            "export.silent": ExceptionKind(
                title=_("The receiver does not confirm an export"),
                text=_(
                    "%(connector)s has not said for %(hours)s hours whether it took %(document)s."
                    " It is asked again each hour; find out there what keeps it."
                ),
                effect=_("Nobody knows whether the receiver's figures are those of the books."),
                steps=("open_document", "open_connector", "handle"),
            ),
            "export.late": ExceptionKind(
                title=_("An export could not begin on time"),
                text=_("%(document)s was due at %(due)s: %(answer)s"),
                effect=_("The receiver's figures are older than they should be."),
                severity="high",
                steps=("open_document", "handle"),
            ),
        }

    @api.model
    def _endings(self):
        _ = self.env._
        return super()._endings() | {
            "export.written": _("A later run was written."),
            "export.delivered": _("It was delivered."),
            "export.cancelled": _("The run was cancelled."),
        }
