"""Search in the engine's list of tax codes."""

from odoo import fields, models

from odoo.addons.finance_connector_base.actions import dialog

from ..canonical.knowledge import KnowledgeQuestion


class FinanceTaxCodeFind(models.TransientModel):
    """Asks the engine for codes, and puts the chosen one on a product or category."""

    _name = "finance.tax.code.find"
    _description = "Search Tax Codes"

    res_model = fields.Char(required=True, readonly=True)
    res_id = fields.Integer(required=True, readonly=True)
    text = fields.Char("Search for", required=True)
    code_ids = fields.Many2many("finance.tax.code", string="Found", readonly=True)
    searched = fields.Boolean(readonly=True)
    code_id = fields.Many2one("finance.tax.code", "Use", domain="[('id', 'in', code_ids)]")

    def action_find(self):
        """Ask the engine."""
        self.ensure_one()
        company = self.env.company
        workflow = self.env["finance.connector"]._tax_capable(company, "tax_codes")
        found = self.env["finance.operation.tax.codes"]._ask_one(
            workflow, company, KnowledgeQuestion(text=self.text.strip())
        )
        codes = self.env["finance.tax.code"].sudo()
        self.code_ids = codes._learn(workflow.connector_id, "tax_code", found.tax_codes)
        self.code_id = self.code_ids[:1] if len(self.code_ids) == 1 else False
        self.searched = True
        return self._shown()

    def action_use(self):
        """Put the code on the record."""
        self.ensure_one()
        record = self.env[self.res_model].browse(self.res_id)
        record.check_access("write")
        record.finance_tax_code = self.code_id.code
        return {"type": "ir.actions.act_window_close"}

    def _shown(self):
        return dialog(self.env._("Search Tax Codes"), self._name, self.id)
