from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind

# What may be done about a stopped batch: see `finance_export_run_again`.
RUN_AGAIN = "export_run_again"


class FinanceException(models.Model):
    _inherit = "finance.exception"

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            "export.incomplete": ExceptionKind(
                title=_("An export was stopped: it is incomplete"),
                text=_(
                    "%(document)s is not complete: %(first)s. Findings that stop it: %(count)s. Open it,"
                    " settle what it lists, and press Run Again; or let the export mark them"
                    " instead."
                ),
                effect=_("Your books are unchanged. The receiver got nothing of this batch."),
                kind="business",
                severity="high",
                question="stopped",
                steps=(RUN_AGAIN, "open_document", "handle", "ignore"),
            ),
            "export.totals": ExceptionKind(
                title=_("An export was stopped: its file is not the ledger"),
                text=_(
                    "%(count)s totals of %(document)s differ, the first in %(feed)s: %(entity)s,"
                    " %(period)s, account %(account)s. Open it to see ledger and file side by side,"
                    " and press Run Again. If it stays, tell your administrator."
                ),
                effect=_("Your books are unchanged. The receiver got nothing of this batch."),
                severity="critical",
                question="stopped",
                steps=(RUN_AGAIN, "open_document", "handle"),
            ),
            "export.restated": ExceptionKind(
                title=_("A final month has changed"),
                text=_(
                    "%(document)s was final and was delivered again with other content, as version"
                    " %(version)s. Open it to see what has changed and who wrote; a controller"
                    " gives the reason there."
                ),
                effect=_(
                    "The receiver has the new version; the former one is kept. The debits of the"
                    " month changed by %(amount)s."
                ),
                kind="business",
                severity="high",
                steps=("open_document",),
            ),
        }

    @api.model
    def _endings(self):
        _ = self.env._
        return super()._endings() | {
            "export.complete": _("A later run found nothing that stops it."),
            "export.equal": _("In a later run ledger and file were equal."),
            "export.stopped_again": _("A later run was stopped too, and has an exception."),
            "export.explained": _("A controller gave the reason."),
        }


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _kinds(self):
        _ = self.env._
        return super()._kinds() | {
            "export.explained": _("Reason of a restatement given"),
            "export.restated": _("Final month told anew"),
            "historical.approved": _("Historical amount approved"),
            "historical.withdrawn": _("Historical amount withdrawn"),
        }

    @api.model
    def _detail_labels(self):
        return super()._detail_labels() | {"reason": self.env._("Reason")}


class FinanceRetentionRule(models.Model):
    _inherit = "finance.retention.rule"

    @api.model
    def _detailed_kinds(self):
        return [*super()._detailed_kinds(), "export.explained"]


class FinanceDeniedAction(models.Model):
    _inherit = "finance.denied.action"

    @api.model
    def _actions(self):
        _ = self.env._
        return super()._actions() | {
            "historical.approve": _("Approve a historical amount"),
            "historical.withdraw": _("Withdraw a historical amount"),
            "restatement.explain": _("Give the reason of a restatement"),
        }
