from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from odoo.addons.finance_connector_base.actions import notice

from ..canonical.vat import INVALID, UNKNOWN, VALID, VatQuestion, read

SEES = (
    "account.group_account_invoice,account.group_account_readonly,"
    "finance_connector_base.group_user,finance_connector_base.group_auditor"
)


class ResPartner(models.Model):
    """A contact's VAT number, and what the registries know of it."""

    _inherit = "res.partner"

    finance_vat_status = fields.Selection(
        [
            (VALID, "Valid"),
            (INVALID, "Invalid"),
            (UNKNOWN, "Not answered"),
            ("outdated", "To be checked again"),
            ("unchecked", "Not checked"),
        ],
        string="VAT number is",
        compute="_compute_finance_vat",
        groups=SEES,
    )
    finance_vat_words = fields.Char("VAT check", compute="_compute_finance_vat", groups=SEES)

    @api.depends("vat", "country_id", "parent_id.vat")
    @api.depends_context("company", "lang")
    def _compute_finance_vat(self):
        company = self.env.company
        serving = self.env["finance.workflow"]._vat_workflows(company)
        states = self.env["finance.vat.check"].sudo()._states(self, company) if serving else {}
        for partner in self:
            state = states.get(partner)
            if not state or partner._finance_vat_number().prefix not in serving:
                partner.finance_vat_status = partner.finance_vat_words = False
                continue
            partner.finance_vat_status = state.status
            partner.finance_vat_words = partner._finance_vat_say(state)

    def _finance_vat_say(self, state):
        """Return "Valid since …", "Not answered …" for people."""
        check = state.check
        day = format_date(self.env, check.checked_at) if check else ""
        if state.status == VALID:
            since = format_date(self.env, check._valid_since())
            if check.request_id:
                return self.env._(
                    "Valid since %(since)s, last checked on %(day)s, consultation number"
                    " %(number)s",
                    since=since, day=day, number=check.request_id,
                )  # fmt: skip
            return self.env._(
                "Valid since %(since)s, last checked on %(day)s, without a consultation number",
                since=since, day=day,
            )  # fmt: skip
        if state.status == INVALID:
            return self.env._("Invalid, as of %(day)s", day=day)
        if state.status == UNKNOWN:
            return self.env._(
                "Unknown: not answered on %(day)s (%(reason)s)",
                day=day, reason=check.reason or check.code or "–",
            )  # fmt: skip
        if state.status == "outdated":
            return self.env._("Last checked on %(day)s, too long ago", day=day)
        return self.env._("Not checked yet")

    # === ASKING === #

    def _finance_vat_number(self):
        """Return the canonical `VatNumber` of a partner, None where no registry knows such."""
        self.ensure_one()
        return read(self.vat or "", self.country_id.code or "")

    def _finance_vat_question(self, workflow, company):
        """Return what a registry is asked; names and addresses of companies only."""
        number = self._finance_vat_number()
        question = VatQuestion(number, workflow._vat_requester(company))
        if not self.is_company:
            return question
        return VatQuestion(
            number,
            question.requester,
            name=self.name or "",
            street=self.street or "",
            postal_code=self.zip or "",
            city=self.city or "",
        )

    def action_finance_vat_check(self):
        """Ask the registry now, and keep what it says as evidence."""
        self.ensure_one()
        self.check_access("read")
        groups = ("account.group_account_invoice", "finance_connector_base.group_user")
        if not self.env.su and not any(self.env.user.has_group(group) for group in groups):
            raise UserError(self.env._("Only accountants check VAT numbers."))
        rows = self.env["finance.vat.check"]._ask(self, self.env.company)
        if not rows:
            raise UserError(
                self.env._(
                    "No connector of %(company)s checks the VAT number of %(partner)s. An"
                    " administrator sets up VIES or HMRC among the connectors.",
                    company=self.env.company.name,
                    partner=self.display_name,
                )
            )
        self.invalidate_recordset(["finance_vat_status", "finance_vat_words"])
        kinds = {VALID: "success", INVALID: "danger"}
        return notice(kinds.get(self.finance_vat_status, "warning"), self.finance_vat_words)

    def action_finance_vat_checks(self):
        """List the evidence of the number."""
        self.ensure_one()
        number = self._finance_vat_number()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "finance_tax_engine.action_finance_vat_check"
        )
        return action | {"domain": [("vat", "=", str(number or ""))], "context": {}}

    def _finance_vat_enqueue(self, company):
        """Have the numbers of these partners checked by jobs; those that already wait stay."""
        by_workflow = defaultdict(self.browse)
        workflows = self.env["finance.workflow"]._vat_workflows(company)
        for partner in self:
            number = partner._finance_vat_number()
            if number and number.prefix in workflows:
                by_workflow[workflows[number.prefix]] += partner
        jobs = self.env["finance.job"].sudo()
        for workflow, partners in by_workflow.items():
            waiting = jobs._unfinished(partners).filtered(
                lambda job: job.operation == "vat.check" and job.company_id == company
            )
            left = partners - self.browse(waiting.mapped("res_id"))
            jobs |= jobs._enqueue(
                left, "vat.check", connector=workflow.connector_id, company=company
            )
        return jobs

    # === NEW NUMBERS === #

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        partners.filtered("vat")._finance_vat_changed()
        return partners

    def write(self, vals):
        before = {partner: partner.vat for partner in self} if "vat" in vals else {}
        result = super().write(vals)
        changed = self.browse(p.id for p, vat in before.items() if p.vat and p.vat != vat)
        changed._finance_vat_changed()
        return result

    def _finance_vat_changed(self):
        """Have new numbers checked in the background; nobody waits for a registry while saving."""
        if not self:
            return
        company = self.env.company
        workflows = self.env["finance.workflow"]._vat_workflows(company)
        for partner in self.filtered(lambda p: p.commercial_partner_id == p):
            number = partner._finance_vat_number()
            workflow = number and workflows.get(number.prefix)
            if workflow and workflow.vat_on_save and workflow.connector_id.state == "ready":
                partner._finance_vat_enqueue(company)
