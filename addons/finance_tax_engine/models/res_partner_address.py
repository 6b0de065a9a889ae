from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.finance_connector_base.actions import dialog
from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.models.finance_connector import ConnectorClosed
from odoo.addons.finance_connector_base.models.finance_vault import VaultClosed
from odoo.addons.finance_connector_base.providers.errors import ProviderError

from ..canonical.knowledge import KnowledgeQuestion
from ..canonical.tax import VALID

# Where engines know addresses.
COUNTRIES = ("US", "CA")


class ResPartner(models.Model):
    """A contact's address, as the tax engine knows it; and its certificates there."""

    _inherit = "res.partner"

    finance_address_digest = fields.Char(
        copy=False, readonly=True, help="Of the address that was accepted or kept last."
    )
    finance_address_settled = fields.Boolean(
        "Address validated", compute="_compute_finance_address_settled"
    )

    @api.depends(
        "finance_address_digest", "street", "street2", "city", "zip", "state_id", "country_id"
    )
    def _compute_finance_address_settled(self):
        for partner in self:
            digest = partner.finance_address_digest
            partner.finance_address_settled = bool(
                digest and digest == codec.digest(partner._finance_address())
            )

    def _finance_address_settled(self):
        """Somebody accepted or kept the address: it is not asked about until it changes."""
        for partner in self:
            partner.finance_address_digest = codec.digest(partner._finance_address())

    def action_finance_tax_address(self):
        """Show how the tax engine writes the address."""
        self.ensure_one()
        self.check_access("write")
        company = self.env.company
        workflow = self.env["finance.connector"]._tax_capable(company, "address")
        if not workflow:
            raise UserError(self.env._("The tax engine of this company validates no addresses."))
        if self.country_id.code not in COUNTRIES:
            raise UserError(
                self.env._(
                    "%(engine)s knows addresses in the United States and Canada only.",
                    engine=workflow.connector_id.sudo().name,
                )
            )
        answer = self.env["finance.operation.tax.address"]._ask_one(
            workflow, company, self._finance_address()
        )
        if answer.status == VALID and answer.suggestion in (None, self._finance_address()):
            self._finance_address_settled()
        return self.env["finance.tax.address"]._open(self, answer)

    def action_finance_tax_certificates(self):
        """Show the certificates that the tax engine keeps."""
        self.ensure_one()
        self.check_access("read")
        company = self.env.company
        workflow = self.env["finance.connector"]._tax_capable(company, "certificates")
        if not workflow:
            raise UserError(self.env._("The tax engine of this company keeps no certificates."))
        customer = self.commercial_partner_id
        found = self.env["finance.operation.tax.certificates"]._ask_one(
            workflow,
            company,
            KnowledgeQuestion(
                seller=self.env["finance.tax.mixin"]._finance_tax_seller(workflow),
                customer=customer._finance_tax_code(),
            ),
        )
        rows = [
            {name: getattr(row, name) for name in
             ("number", "country", "region", "reason", "valid", "start", "end")}
            for row in found.certificates
        ]  # fmt: skip
        shown = self.env["finance.tax.certificates"].create(
            {"partner_id": customer.id, "line_ids": [(0, 0, row) for row in rows]}
        )
        return dialog(self.env._("Certificates at the Engine"), shown._name, shown.id)

    def _finance_tax_code(self):
        """Return the engine's code of a customer."""
        return self.ref or f"ODOO-{self._origin.id or self.id}"


class FinanceWorkflow(models.Model):
    _inherit = "finance.workflow"

    tax_address = fields.Selection(
        [("off", "On request"), ("refuse", "Before tax is computed")],
        string="Addresses are validated",
        default="off",
        required=True,
        help="Before tax is computed: a delivery address in the United States or Canada that the"
        " engine does not know, or spells otherwise, has to be accepted or kept first. Addresses"
        " are never changed by themselves.",
    )


class FinanceTaxMixin(models.AbstractModel):
    _inherit = "finance.tax.mixin"

    def action_finance_tax_address(self):
        """Show how the tax engine writes the delivery address."""
        self.ensure_one()
        return self._finance_tax_ship_to().action_finance_tax_address()

    def _finance_tax_plan(self):
        """Look at the addresses of what is to be asked, where the policy wants it."""
        plan = super()._finance_tax_plan()
        groups = defaultdict(self.browse)
        for document in plan.asked:
            workflow = document._finance_tax_workflow()
            if document._finance_tax_checks_address(workflow):
                groups[workflow, document.company_id] += document
        for (workflow, company), documents in groups.items():
            obstacles = documents._finance_tax_address_obstacles(workflow, company)
            plan.obstacles |= obstacles
            for document in obstacles:
                del plan.asked[document]
        return plan

    def _finance_tax_checks_address(self, workflow):
        partner = self._finance_tax_ship_to()
        return (
            workflow.tax_address == "refuse"
            and workflow._tax_able("address")
            and partner.country_id.code in COUNTRIES
            and not partner.finance_address_settled
        )

    def _finance_tax_address_obstacles(self, workflow, company):
        """Return {document: why its delivery address won't do}, in words."""
        places = {document: document._finance_tax_ship_to() for document in self}
        try:
            answers = self.env["finance.operation.tax.address"]._ask(
                workflow.connector_id,
                company,
                [place._finance_address() for place in places.values()],
                seconds=workflow.tax_seconds,
            )
        except (ConnectorClosed, VaultClosed):
            # met again when the engine is asked for the tax, as one that does not answer
            return {}
        return {
            document: self.env._(
                "%(engine)s does not know the delivery address of %(partner)s as it is written"
                " (%(reason)s). Press Validate Address, then accept the suggestion or keep what"
                " was entered.",
                engine=workflow.connector_id.sudo().name,
                partner=place.display_name,
                reason=" ".join(answer.messages) or self.env._("it has another spelling"),
            )
            for (document, place), answer in zip(places.items(), answers, strict=True)
            if not isinstance(answer, ProviderError) and answer.status != VALID
        }
