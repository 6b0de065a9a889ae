"""Refusals by Odoo's own access rights are kept too, where they protect our records."""

from odoo import models

OURS = "finance."


class IrModelAccess(models.Model):
    _inherit = "ir.model.access"

    def _make_access_error(self, model, mode):
        if model.startswith(OURS):
            self.env["finance.denied.action"]._deny(mode, "access", self.env[model])
        return super()._make_access_error(model, mode)


class IrRule(models.Model):
    _inherit = "ir.rule"

    def _make_access_error(self, operation, records):
        if records._name.startswith(OURS):
            self.env["finance.denied.action"]._deny(operation, "company", records)
        return super()._make_access_error(operation, records)
