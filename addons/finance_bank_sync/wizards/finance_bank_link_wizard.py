from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.finance_connector_base.actions import dialog
from odoo.addons.finance_connector_base.providers.errors import ProviderError

from ..models.finance_bank_link import MANAGERS
from ..models.finance_connector import FEEDS


class FinanceBankLinkWizard(models.TransientModel):
    """Link accounts: vendor and bank, a visit at the bank, then what each account fills."""

    _name = "finance.bank.link.wizard"
    _description = "Link Bank Accounts"

    step = fields.Selection(
        [("bank", "Bank"), ("accounts", "Accounts")], default="bank", required=True, readonly=True
    )
    connector_id = fields.Many2one(
        "finance.connector",
        domain=lambda self: [("provider", "in", list(FEEDS)), ("state", "=", "ready")],
        default=lambda self: self._ready_feeds(limit=1),
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    country_id = fields.Many2one(
        "res.country", default=lambda self: self.env.company.account_fiscal_country_id
    )
    has_feeds = fields.Boolean(default=lambda self: bool(self._ready_feeds(limit=1)))
    has_consent = fields.Boolean(compute="_compute_feed")
    has_institutions = fields.Boolean(compute="_compute_feed")
    note = fields.Char(compute="_compute_feed")
    redirect_url = fields.Char(
        "Redirect URL", compute="_compute_feed", help="Some vendors want to know it beforehand."
    )
    institution_ids = fields.One2many("finance.bank.institution", "wizard_id")
    institution_id = fields.Many2one(
        "finance.bank.institution", "Bank", domain="[('wizard_id', '=', id)]"
    )
    consent_days = fields.Integer("Consent for (days)", default=90)
    consent_id = fields.Many2one("finance.bank.consent", readonly=True, ondelete="cascade")
    line_ids = fields.One2many("finance.bank.link.wizard.line", "wizard_id", "Accounts")
    renewed_count = fields.Integer(readonly=True)
    has_undecided = fields.Boolean(compute="_compute_has_undecided")

    @api.depends("connector_id")
    def _compute_feed(self):
        for wizard in self:
            feed = FEEDS.get(wizard.connector_id.provider)
            wizard.has_consent = bool(feed and "consent" in feed.capabilities)
            wizard.has_institutions = bool(feed and "institutions" in feed.capabilities)
            wizard.note = feed.note if feed else False
            wizard.redirect_url = self.env["finance.bank.visit"]._redirect_url()

    @api.depends("line_ids.is_undecided")
    def _compute_has_undecided(self):
        for wizard in self:
            wizard.has_undecided = any(wizard.line_ids.mapped("is_undecided"))

    @api.depends("step")
    def _compute_display_name(self):
        """The title of the page, whose records nobody tells apart."""
        for wizard in self:
            wizard.display_name = self.env._("Link Bank Accounts")

    @api.onchange("connector_id", "country_id")
    def _onchange_place(self):
        self.institution_id = False
        self.institution_ids = [Command.clear()]

    @api.model
    def _ready_feeds(self, limit=None):
        """Return the connectors that a bank can be linked by."""
        domain = [("provider", "in", list(FEEDS)), ("state", "=", "ready")]
        return self.env["finance.connector"].search(domain, limit=limit)

    # === BUTTONS OF THE FIRST STEP === #

    def action_connectors(self):
        """List the connectors, to make one that banks can be linked by."""
        return self.env["ir.actions.act_window"]._for_xml_id(
            "finance_connector_base.action_finance_connector"
        )

    def action_banks(self):
        """Ask the vendor which banks of the country it reaches."""
        self.ensure_one()
        self._check_manager()
        if not self.country_id:
            raise UserError(self.env._("Choose the country of the bank."))
        feed = self._feed()
        try:
            found = feed.institutions(self.country_id.code)
        except ProviderError as error:
            words = self.env["finance.bank.visit"]._words_of(error)
            raise UserError(words) from error
        self.institution_id = False
        self.institution_ids = [
            Command.clear(),
            *(
                Command.create(
                    {
                        "name": one.name,
                        "code": one.id,
                        "bic": one.bic,
                        "consent_days": one.consent_days,
                        "history_days": one.history_days,
                    }
                )
                for one in found
            ),
        ]
        if not found:
            raise UserError(
                self.env._(
                    "%(vendor)s reaches no bank in %(country)s. Choose another country, or a"
                    " connector of another vendor.",
                    vendor=self.connector_id.vendor,
                    country=self.country_id.name,
                )
            )
        if len(found) == 1:
            self.institution_id = self.institution_ids

    def action_continue(self):
        """Go to the bank, or list the accounts where access is allowed at the vendor."""
        self.ensure_one()
        self._check_manager()
        if self.has_institutions and not self.institution_id:
            raise UserError(self.env._("Show the banks of the country, and choose one."))
        if not self.has_consent:
            return self._list_accounts()
        most = self.institution_id.consent_days or self.consent_days
        return self.env["finance.bank.visit"]._begin(
            self.connector_id,
            self.company_id,
            self.institution_id.code,
            self.country_id.code,
            days=max(1, min(self.consent_days, most)),
        )

    def _list_accounts(self):
        """Take over the accounts that were allowed at the vendor itself."""
        try:
            given = self._feed().accounts("")
        except ProviderError as error:
            words = self.env["finance.bank.visit"]._words_of(error)
            raise UserError(words) from error
        visits = self.env["finance.bank.visit"]
        none = self.env["finance.bank.consent"].search(
            [
                ("connector_id", "=", self.connector_id.id),
                ("company_id", "=", self.company_id.id),
                ("institution", "=", False),
            ],
            limit=1,
        )
        visit = visits._without_visit(self.connector_id, self.company_id, none)
        return visits._take_over(visit, given)._again()

    @api.model
    def _of_consent(self, visit, consent, given, accounts):
        """Return the wizard that asks about the accounts of a consent without a link."""
        wizard = self.create(
            {
                "step": "accounts",
                "connector_id": visit["connector"].id,
                "company_id": visit["company"].id,
                "consent_id": consent.id,
                "renewed_count": len(given.accounts) - len(accounts),
            }
        )
        wizard.line_ids._make(wizard, accounts)
        return wizard

    # === BUTTONS OF THE SECOND STEP === #

    def action_check(self):
        """Ask the bank what happened since the first day, and prove the opening balances."""
        self.ensure_one()
        self._check_manager()
        for line in self.line_ids.filtered(lambda one: one.choice != "skip"):
            line._prove()

    def action_link(self):
        """Make the links; what the proof fetched is imported, and nothing is asked twice."""
        self.ensure_one()
        self._check_manager()
        chosen = self.line_ids.filtered(lambda one: one.choice != "skip")
        if not chosen:
            raise UserError(
                self.env._("Choose a journal, or a new one, for at least one of the accounts.")
            )
        for line in chosen:
            line._check_complete()
        links = self.env["finance.bank.link"]
        for line in chosen:
            links |= line._link()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "finance_bank_sync.action_finance_bank_link"
        )
        if len(links) == 1:
            return action | {"views": [(False, "form")], "res_id": links.id}
        return action

    def _feed(self):
        if not self.connector_id:
            raise UserError(self.env._("Choose the connector that the bank is reached by."))
        return self.env["finance.bank.visit"]._feed(self.connector_id, self.company_id)

    def _check_manager(self):
        if not any(map(self.env.user.has_group, MANAGERS)):
            self.env["finance.denied.action"]._deny("bank.link", "group", self.connector_id)
            raise AccessError(self.env._("You may not link banks. Ask a colleague with that role."))

    def _again(self):
        return dialog(self.env._("Link Bank Accounts"), self._name, self.id, target="current")


class FinanceBankInstitution(models.TransientModel):
    """A bank that the vendor reaches, to choose from."""

    _name = "finance.bank.institution"
    _description = "Bank to Choose"
    _order = "name, id"
    _rec_names_search = ["name", "bic"]

    wizard_id = fields.Many2one("finance.bank.link.wizard", required=True, ondelete="cascade")
    name = fields.Char(required=True, readonly=True)
    code = fields.Char(required=True, readonly=True)
    bic = fields.Char("BIC", readonly=True)
    consent_days = fields.Integer(readonly=True)
    history_days = fields.Integer(readonly=True)

    @api.depends("name", "bic")
    def _compute_display_name(self):
        for bank in self:
            bank.display_name = f"{bank.name} ({bank.bic})" if bank.bic else bank.name
