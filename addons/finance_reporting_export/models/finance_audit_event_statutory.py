from odoo import api, models

from odoo.addons.finance_connector_base.models.finance_audit_event_story import Fact


class FinanceAuditEvent(models.Model):
    _inherit = "finance.audit.event"

    @api.model
    def _kinds(self):
        _ = self.env._
        return super()._kinds() | {
            "statutory.blocked": _("Statutory file not written: something is missing"),
            "statutory.made": _("Statutory file written"),
            "statutory.outdated": _("Statutory file differs from the books"),
            "statutory.final": _("Statutory file final"),
        }

    @api.model
    def _facts(self):
        _ = self.env._
        return super()._facts() | {
            "statutory.made": [Fact("lines", _("Items")), Fact("digest", _("SHA-256"))],
            "statutory.final": [
                Fact("lock_date", _("Books locked up to")),
                Fact("digest", _("SHA-256")),
            ],
        }


class FinanceVault(models.AbstractModel):
    _inherit = "finance.vault"

    @api.model
    def _resealed_models(self):
        return [*super()._resealed_models(), "finance.statutory.part"]
