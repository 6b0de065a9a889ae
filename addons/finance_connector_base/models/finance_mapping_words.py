"""What mappings say in exceptions, in the audit trail and of refused actions."""

from odoo import api, fields, models

from .finance_exception_catalog import ExceptionKind

MAP = "map"


class FinanceExceptionCatalog(models.AbstractModel):
    _inherit = "finance.exception.catalog"

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            "mapping.missing": ExceptionKind(
                title=_("No external code in %(mapping_name)s"),
                text=_(
                    "%(document)s has no approved code in “%(mapping_name)s” on %(day)s. "
                    "%(items)s items wait for it. Press Map and Retry, enter the code and submit "
                    "it; when another person has approved it, the waiting work goes on by itself."
                ),
                effect=_("Your books are unchanged. What needs the code is not sent: %(amount)s."),
                kind="business",
                steps=(MAP, "open_document", "ignore"),
                blocks_close=True,
                identity=("mapping",),
            ),
            "mapping.none": ExceptionKind(
                title=_("There is no mapping: %(kind_words)s"),
                text=_(
                    "%(values)s values need an external code, and there is no mapping of the type "
                    "“%(kind_words)s” for %(connector)s %(scope)s. A controller makes one under "
                    "Configuration, Mappings; once a version is approved, try again."
                ),
                effect=_("Your books are unchanged. What needs the codes is not sent."),
                kind="business",
                severity="high",
                question="stopped",
                steps=("retry", "open_document", "open_job", "handle", "ignore"),
                blocks_close=True,
                identity=("kind", "scope"),
            ),
        }

    @api.model
    def _endings(self):
        return super()._endings() | {
            "mapping.approved": self.env._("It was mapped, and the mapping approved."),
        }


class FinanceException(models.Model):
    _inherit = "finance.exception"

    can_map = fields.Boolean(compute="_compute_can_map")

    @api.depends("steps")
    def _compute_can_map(self):
        for exception in self:
            exception.can_map = MAP in (exception.steps or ())

    def _words(self, job):
        words = super()._words(job)
        if self.code == "mapping.none":
            kinds = self.env["finance.mapping"]._fields["kind"]._description_selection(self.env)
            words["kind_words"] = dict(kinds).get(words["kind"], words["kind"])
        return words

    def action_map(self):
        """Ask for the codes of the values that the selected exceptions are about."""
        allowed = self._allowing(MAP)
        missing = self.env["finance.mapping.missing"].search([("exception_id", "in", allowed.ids)])
        return missing.action_map()


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _kinds(self):
        _ = self.env._
        return super()._kinds() | {
            "mapping.approved": _("Mapping approved"),
            "mapping.archived": _("Mapping archived"),
            "mapping.discarded": _("Draft of a mapping discarded"),
            "mapping.exported": _("Mapping exported"),
            "mapping.imported": _("Mapping imported into a draft"),
            "mapping.merged": _("Mapping lines moved to the merged record"),
            "mapping.rejected": _("Mapping rejected"),
            "mapping.restored": _("Mapping in use again"),
            "mapping.submitted": _("Mapping submitted for approval"),
            "mapping.withdrawn": _("Mapping taken back"),
        }


class FinanceDeniedAction(models.Model):
    _inherit = "finance.denied.action"

    @api.model
    def _actions(self):
        _ = self.env._
        return super()._actions() | {
            "exception.map": _("Map the value of an exception"),
            "mapping.approve": _("Approve a mapping"),
            "mapping.archive": _("Archive an approved mapping, or use it again"),
            "mapping.discard": _("Discard the draft of a mapping"),
            "mapping.edit": _("Change a mapping"),
            "mapping.export": _("Export a mapping"),
            "mapping.import": _("Import a mapping"),
            "mapping.reject": _("Reject a mapping"),
            "mapping.submit": _("Submit a mapping"),
            "mapping.try": _("Try a mapping"),
            "mapping.withdraw": _("Take a mapping back"),
        }
