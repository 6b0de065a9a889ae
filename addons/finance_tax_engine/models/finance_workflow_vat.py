from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..canonical.vat import read
from ..providers.vat_registry import VatRegistry

# Customers first whose number was never asked about, then those with the oldest answer.
DUE = """
SELECT p.id
  FROM res_partner p
  LEFT JOIN LATERAL (
        SELECT max(c.checked_at) AS at FROM finance_vat_check c
         WHERE c.partner_id = p.id AND c.company_id = ANY(%(companies)s)
       ) asked ON true
 WHERE p.active AND p.vat IS NOT NULL AND p.customer_rank > 0
   AND (p.company_id IS NULL OR p.company_id = ANY(%(companies)s))
   AND p.commercial_partner_id = p.id
   AND (asked.at IS NULL OR asked.at < %(oldest)s)
   AND NOT EXISTS (
        SELECT FROM finance_job j
         WHERE j.res_model = 'res.partner' AND j.res_id = p.id AND j.operation = 'vat.check'
           AND j.company_id = %(company)s AND j.state IN ('pending', 'calling', 'answered'))
 ORDER BY asked.at NULLS FIRST, p.id
"""


class FinanceWorkflow(models.Model):
    """What a company decides about checks of VAT numbers."""

    _inherit = "finance.workflow"

    vat_age_days = fields.Integer(
        "An answer counts for (days)",
        default=30,
        help="Older answers are asked for again, at night or when an invoice is posted.",
    )
    vat_quota = fields.Integer(
        "Checks a day",
        default=500,
        help="How many numbers are checked again by themselves in 24 hours.",
    )
    vat_on_save = fields.Boolean(
        "Check new numbers", default=True, help="In the background, once a contact is saved."
    )
    vat_seconds = fields.Float(
        "Answer within (s) at post",
        default=5.0,
        help="How long a person waits for the registries, for all invoices posted together.",
    )

    _sane_vat = models.Constraint(
        "CHECK (vat_age_days > 0 AND vat_quota >= 0)", "Days and checks must be greater than zero."
    )

    @api.model
    def _flows(self):
        return super()._flows() | {"vat": self.env._("VAT numbers")}

    @api.model
    def _vat_workflows(self, company):
        """Return {prefix: workflow} of the registries that serve a company, nearest first."""
        workflows = self.sudo().search(
            [
                ("flow", "=", "vat"),
                ("company_id", "parent_of", company.ids),
                ("connector_id.active", "=", True),
            ]
        )
        depth = {parent.id: level for level, parent in enumerate(company.sudo().parent_ids)}
        serving = {}
        for workflow in workflows.sorted(lambda w: (depth.get(w.company_id.id, -1), -w.id)):
            provider = workflow.connector_id._known_class()
            if issubclass(provider, VatRegistry):
                serving.update(dict.fromkeys(provider.prefixes, workflow))
        return serving

    @api.model
    def _vat_workflow(self, company, prefix):
        """Return the workflow that checks numbers of a prefix, empty when there is none."""
        return self._vat_workflows(company).get(prefix, self.browse())

    def _vat_requester(self, company):
        """Return the number that asks for ``company``, None when there is none that serves."""
        own = [parent.vat for parent in company.sudo().parent_ids if parent.vat]
        text = self._company_settings().get("requester") or (own[-1] if own else "")
        number = read(text, company.sudo().country_id.code or "")
        accepted = self.connector_id.sudo()._known_class().requesters
        return number if number and number.prefix in accepted else None

    # === IN BULK === #

    @api.model
    def _cron_check_vat(self):
        """Have numbers checked again whose answer is older than the company wants."""
        for workflow in self.search([("flow", "=", "vat"), ("connector_id.state", "=", "ready")]):
            workflow._vat_recheck()

    def _vat_recheck(self):
        """Enqueue checks within what is left of the day's quota; return the jobs."""
        company, now = self.company_id, fields.Datetime.now()
        checks = self.env["finance.vat.check"].sudo()
        used = checks.search_count(
            [
                ("connector_id", "=", self.connector_id.id),
                ("company_id", "=", company.id),
                ("checked_at", ">", now - timedelta(days=1)),
            ]
        )
        left = max(self.vat_quota - used, 0)
        if not left:
            return self.env["finance.job"]
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                DUE,
                company=company.id,
                companies=company.sudo().parent_ids.ids,
                oldest=now - timedelta(days=self.vat_age_days),
            )
        )
        partners = self.env["res.partner"].browse(id_ for (id_,) in rows)
        prefixes = self.connector_id._known_class().prefixes
        due = self.env["res.partner"]
        for partner in partners:
            number = partner._finance_vat_number()
            if number and number.prefix in prefixes:
                due += partner
            if len(due) == left:
                break
        return due._finance_vat_enqueue(company)
