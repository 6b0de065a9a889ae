from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import config

from ..providers.base import Provider
from ..providers.errors import AuthFailed, ProviderError
from ..providers.hosts import host_of, is_allowed, is_http, is_loopback
from ..providers.session import ConnectorConfig, Gate

ADMINISTRATOR = "finance_connector_base.group_administrator"
POLICY_PARAMETER = "finance_connector.production_policy"

# Objects in the context: nothing that comes over RPC can be identical to them.
BY_ACTION = object()
NEW_SECRETS = object()

# What only the buttons change; everything else is the administrator's to write.
STATE_FIELDS = {"state", "attention_reason", "tested_at"}
# What was tested is no longer what is there.
TESTED_FIELDS = {"environment", "provider", "local_url", "target_url", "api_version"}
LIMIT_FIELDS = {"provider", "rate_per_second", "rate_burst", "concurrency"}
UNFINISHED = ("pending", "calling", "answered", "uncertain", "dead")


class ConnectorClosed(UserError):
    """The connector may not call anybody now; the message says why and what helps."""


class FinanceConnector(models.Model):
    _name = "finance.connector"
    _description = "Connector"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "sequence, name, id"

    name = fields.Char(required=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    provider = fields.Selection(
        selection="_selection_provider", required=True, tracking=True, index=True,
        help="The system this connector talks to.",
    )
    environment = fields.Selection(
        [("local", "Local"), ("sandbox", "Sandbox"), ("production", "Production")],
        default="sandbox", required=True, copy=False, tracking=True,
        help="Local: a stand-in on this machine. Sandbox: the vendor's test system. "
             "Production: the real thing, only by the button and only in the confirmed database.",
    )
    company_ids = fields.Many2many(
        "res.company", string="Companies", required=True,
        default=lambda self: self.env.company, help="Branches are served with their parent.",
    )
    state = fields.Selection(
        [("draft", "Not tested"), ("ready", "Ready"), ("attention", "Needs attention"),
         ("paused", "Stopped")],
        default="draft", required=True, readonly=True, copy=False, tracking=True,
    )
    attention_reason = fields.Char(readonly=True, copy=False)
    tested_at = fields.Datetime("Last passed test", readonly=True, copy=False)
    local_url = fields.Char("Local address", help="http://localhost:8099/avatax, say")
    target_url = fields.Char(
        "Server address", help="Of a self-hosted system; its host must stand in odoo.conf, "
                               "finance_allowed_hosts.",
    )
    is_self_hosted = fields.Boolean(compute="_compute_is_self_hosted")
    responsible_id = fields.Many2one(
        "res.users", tracking=True, ondelete="set null", domain="[('share', '=', False)]",
        help="Gets the exceptions of the connector that no rule gives to somebody else.",
    )

    # === LIMITS, from the provider until somebody changes them === #
    api_version = fields.Char(
        "API version", compute="_compute_limits", store=True, readonly=False, tracking=True,
        precompute=True, help="Pinned when the connector is made.",
    )
    rate_per_second = fields.Float(
        "Calls per second", compute="_compute_limits", store=True, readonly=False, precompute=True)
    rate_burst = fields.Integer(
        "Burst", compute="_compute_limits", store=True, readonly=False, precompute=True,
        help="Calls that may be made at once after a quiet time.")
    concurrency = fields.Integer(
        "Calls at a time", compute="_compute_limits", store=True, readonly=False, precompute=True,
        help="0: no limit.")
    connect_timeout = fields.Float(
        "Connect within (s)", compute="_compute_limits", store=True, readonly=False,
        precompute=True)
    read_timeout = fields.Float(
        "Answer within (s)", compute="_compute_limits", store=True, readonly=False,
        precompute=True)

    credential_ids = fields.One2many("finance.credential", "connector_id", copy=False)
    setting_ids = fields.One2many(
        "finance.setting", "connector_id", string="Options", copy=False,
        domain=[("workflow_id", "=", False)])
    workflow_ids = fields.One2many("finance.workflow", "connector_id", copy=False)

    _positive_limits = models.Constraint(
        "CHECK (rate_per_second > 0 AND rate_burst >= 1 AND concurrency >= 0 "
        "AND connect_timeout > 0 AND read_timeout > 0)",
        "Rates and time-outs must be greater than zero.",
    )

    # === PROVIDERS === #

    @api.model
    def _provider_classes(self) -> dict:
        """Return the vendors by code. Addons extend it: ``super()._provider_classes() | {…}``."""
        return {}

    @api.model
    def _selection_provider(self):
        return [(code, cls.label) for code, cls in self._provider_classes().items()]

    def _provider_class(self) -> type[Provider]:
        """Return the class of the vendor.

        Raises `ConnectorClosed` when the addon that brought it is gone.
        """
        self.ensure_one()
        provider = self._provider_classes().get(self.provider)
        if provider is None:
            raise ConnectorClosed(self.env._(
                "%(connector)s is for the provider “%(provider)s”, which is not installed.",
                connector=self.name, provider=self.provider,
            ))
        return provider

    def _known_class(self) -> type[Provider]:
        """Return the class of the vendor; one that offers nothing when it is not known."""
        return self._provider_classes().get(self.provider, Provider)

    # === COMPUTE METHODS === #

    @api.depends("provider")
    def _compute_limits(self):
        for connector in self:
            provider = connector._known_class()
            connector.api_version = provider.api_version
            connector.rate_per_second, connector.rate_burst = provider.rate
            connector.concurrency = provider.concurrency
            connector.connect_timeout, connector.read_timeout = provider.timeouts

    @api.depends("provider")
    def _compute_is_self_hosted(self):
        for connector in self:
            connector.is_self_hosted = bool(connector.provider) and not connector._known_class().hosts

    # === CONSTRAINTS === #

    @api.constrains("environment", "local_url", "target_url")
    def _check_addresses(self):
        for connector in self:
            if connector.local_url and not is_loopback(connector.local_url):
                raise ValidationError(self.env._(
                    "The local address must be http on this machine: localhost, 127.0.0.1 or ::1."
                ))
            if connector.target_url and not is_http(connector.target_url):
                raise ValidationError(self.env._(
                    "The server address must be a URL without user name and password."
                ))

    @api.constrains("company_ids")
    def _check_companies(self):
        for connector in self:
            if not connector.company_ids:
                raise ValidationError(self.env._("A connector serves at least one company."))

    # === CREATE, WRITE, UNLINK === #

    @api.model_create_multi
    def create(self, vals_list):
        connectors = super().create(vals_list)
        # after the fact: defaults can come from the context
        if any(c.environment == "production" or c.state != "draft" for c in connectors):
            raise AccessError(self.env._(
                "A connector starts untested and outside production; its buttons change that."
            ))
        connectors._ensure_rows()
        self.env["finance.gate"]._sync(connectors)
        return connectors

    def write(self, vals):
        by_action = self.env.context.get("finance_write") is BY_ACTION
        if not by_action:
            self._check_plain_write(vals)
        result = super().write(vals)
        if by_action:
            return result
        if vals.keys() & TESTED_FIELDS:
            tested = self.filtered(lambda connector: connector.state in ("ready", "attention"))
            tested._by_action({"state": "draft", "tested_at": False, "attention_reason": False})
        if vals.keys() & {"environment", "provider"}:
            self._ensure_rows()
        if vals.keys() & LIMIT_FIELDS:
            self.flush_recordset()
            self.env["finance.gate"]._sync(self)
        return result

    def copy_data(self, default=None):
        return [
            dict(vals, name=self.env._("%(name)s (copy)", name=connector.name))
            for connector, vals in zip(self, super().copy_data(default=default), strict=True)
        ]

    @api.ondelete(at_uninstall=False)
    def _unlink_without_unfinished_jobs(self):
        self._check_no_unfinished_jobs()

    def _by_action(self, vals):
        """Write what only our own code may write."""
        return self.sudo().with_context(finance_write=BY_ACTION).write(vals)

    def _check_plain_write(self, vals):
        if vals.keys() & STATE_FIELDS:
            raise AccessError(self.env._("The state of a connector is changed by its buttons only."))
        moving = self.filtered(lambda c: vals.get("environment", c.environment) != c.environment)
        if moving and "production" in (vals["environment"], *moving.mapped("environment")):
            raise AccessError(self.env._(
                "Only the buttons of the connector move it to production or out of it."
            ))
        replaced = self.filtered(lambda c: vals.get("provider", c.provider) != c.provider)
        if replaced.credential_ids.filtered("has_value") or replaced.filtered("tested_at"):
            raise UserError(self.env._(
                "The provider of a connector in use can't be changed: make a new connector."
            ))
        (moving | replaced)._check_no_unfinished_jobs()

    def _check_no_unfinished_jobs(self):
        jobs = self.env["finance.job"].sudo().search(
            [("connector_id", "in", self.ids), ("state", "in", UNFINISHED)], limit=5)
        if jobs:
            raise UserError(self.env._(
                "There are unfinished jobs, decided for the connector as it is. Finish or cancel "
                "them first: %(jobs)s",
                jobs=", ".join(jobs.mapped("display_name")),
            ))

    # === ROWS OF CREDENTIALS AND OPTIONS === #

    def _ensure_rows(self):
        """Give each connector the rows that its provider asks for, in every environment it needs.

        A row that the provider doesn't know (any more) goes when it is empty.
        """
        self.sudo().workflow_ids._ensure_rows()
        for connector in self.sudo():
            settings = connector._known_class().settings
            connector._ensure_rows_of(connector.credential_ids, [s for s in settings if s.secret])
            connector._ensure_rows_of(connector.setting_ids, [s for s in settings if not s.secret])

    def _ensure_rows_of(self, rows, settings):
        names = {setting.name for setting in settings}
        rows.filtered(lambda row: row.name not in names and row._is_disposable()).unlink()
        present = {(row.environment, row.name) for row in rows.exists()}
        rows.create([
            {"connector_id": self.id, "environment": environment, "name": setting.name,
             "sequence": position, **rows._first_value(setting)}
            for environment in self._row_environments()
            for position, setting in enumerate(settings)
            if (environment, setting.name) not in present
        ])

    def _row_environments(self) -> tuple:
        """Return the environments with rows: production's can be filled in before the switch."""
        return ("sandbox", "production") if self.environment == "sandbox" else (self.environment,)

    # === THE WAY OUT === #

    def _config(self, company=None) -> ConnectorConfig:
        """Return all a provider needs to call its vendor, secrets in the clear: never store it.

        company: for whom; its options come from the workflows of it or of its nearest parent.
        This is the last barrier: raises `ConnectorClosed` when the connector is stopped, its
        provider or host isn't allowed, an option or credential is missing, or production would be
        called from a copy; `VaultClosed` without a key.
        """
        self.ensure_one()
        connector = self.sudo()
        provider = connector._provider_class()
        connector._check_may_call(company)
        base_url = connector._base_url(provider)
        secrets = connector._secrets()
        settings = connector._plain_settings() | secrets
        connector._check_complete(provider.settings, settings)
        company_settings = connector._company_settings(company)
        return ConnectorConfig(
            id=connector.id,
            name=connector.name,
            provider=connector.provider,
            environment=connector.environment,
            base_url=base_url,
            api_version=connector.api_version or "",
            settings=settings,
            company_settings=company_settings,
            company_id=company.id if company else 0,
            timeouts=(connector.connect_timeout, connector.read_timeout),
            secrets=tuple(value for value in secrets.values() if value),
        )

    def _check_may_call(self, company):
        testing = self.env.context.get("finance_secrets") is NEW_SECRETS
        if self.state == "paused" and not testing:
            raise ConnectorClosed(self.env._("%(name)s is stopped.", name=self.name))
        if company and not (company.sudo().parent_ids & self.company_ids):
            raise ConnectorClosed(self.env._(
                "%(name)s doesn't serve %(company)s.", name=self.name, company=company.name))
        if self.environment != "production":
            return
        obstacle = self.env["finance.binding"]._obstacle()
        if obstacle:
            raise ConnectorClosed(obstacle)

    def _base_url(self, provider) -> str:
        if self.environment == "local":
            url = self.local_url or ""
            allowed, remedy = is_loopback(url), self.env._("Enter a local address on this machine.")
        elif provider.hosts:
            url = provider.hosts.get(self.environment, "")
            allowed = bool(url)
            remedy = self.env._("The provider doesn't offer this environment.")
        else:
            url = self.target_url or ""
            allowed = is_allowed(url, config.get("finance_allowed_hosts"))
            remedy = self.env._(
                "The server address must be https, and its host %(host)s must be allowed in "
                "odoo.conf: finance_allowed_hosts = %(host)s",
                host=host_of(url) or "gateway.example.com",
            )
        if not allowed:
            raise ConnectorClosed(self.env._(
                "%(name)s has no address to call. %(remedy)s", name=self.name, remedy=remedy))
        return url.rstrip("/")

    def _plain_settings(self) -> dict:
        rows = self.setting_ids.filtered(lambda row: row.environment == self.environment)
        return {row.name: row.value or "" for row in rows}

    def _secrets(self) -> dict:
        newest = self.env.context.get("finance_secrets") is NEW_SECRETS
        rows = self.credential_ids.filtered(lambda row: row.environment == self.environment)
        return rows._open_sealed(newest=newest)

    def _check_complete(self, wanted, values):
        missing = [setting.label for setting in wanted
                   if setting.required and not values.get(setting.name)]
        if missing:
            raise ConnectorClosed(self.env._(
                "%(name)s is not complete. Enter: %(missing)s",
                name=self.name, missing=", ".join(missing)))

    def _company_settings(self, company) -> dict:
        if not company:
            return {}
        values = {}
        for flow in set(self.workflow_ids.mapped("flow")):
            values |= self._workflow(company, flow)._company_settings()
        return values

    def _workflow(self, company, flow):
        """Return the `finance.workflow` of a flow for a company, else of its nearest parent.

        Empty recordset when there is none.
        """
        found = self.env["finance.workflow"].sudo().search([
            ("connector_id", "=", self.id),
            ("flow", "=", flow),
            ("company_id", "parent_of", company.ids),
        ])
        nearest = {parent.id: depth for depth, parent in enumerate(company.sudo().parent_ids)}
        return found.sorted(lambda workflow: nearest[workflow.company_id.id])[-1:]

    def _is_open_for_effects(self) -> bool:
        """Tell whether jobs that change something at the vendor may run now."""
        self.ensure_one()
        connector = self.sudo()
        return (
            connector.active
            and connector.state == "ready"
            and connector.provider in self._provider_classes()
            and (connector.environment != "production"
                 or not self.env["finance.binding"]._obstacle())
        )

    # === STATES === #

    def _needs_attention(self, reason):
        """Stop calling until somebody mends the connector: the vendor refuses the credentials.

        reason: words for the administrator, without secrets.
        """
        self._raise_exception("connector.auth", message=reason)
        working = self.filtered(lambda connector: connector.state in ("ready", "draft"))
        working._by_action({"state": "attention", "attention_reason": reason})

    def _raise_exception(self, code, **params):
        for connector in self:
            self.env["finance.exception"].sudo()._raise(
                code, record=connector, connector=connector,
                company=connector.sudo().company_ids[:1], params=params)

    def _resolve_exception(self, code):
        for connector in self:
            self.env["finance.exception"].sudo()._resolve(code=code, connector=connector)

    def _audit(self, kind, **data):
        for connector in self:
            self.env["finance.audit.event"]._record(
                kind, connector, connector=connector, data=data)

    @api.model
    def _provider_leaves(self, codes):
        """Retire the connectors of providers whose addon is being uninstalled.

        Stops them, erases their secrets, cancels their jobs that were never sent, and leaves an
        exception. For the uninstall hook of an addon with providers.
        """
        connectors = self.sudo().with_context(active_test=False).search(
            [("provider", "in", list(codes))])
        connectors.credential_ids._erase()
        self.env["finance.job"].sudo().search(
            [("connector_id", "in", connectors.ids), ("state", "=", "pending")]
        ).action_cancel()
        connectors._retire()

    def _retire(self):
        for connector in self:
            connector._by_action({
                "state": "paused",
                "attention_reason": self.env._("The provider is not installed."),
            })
            connector._raise_exception("provider.unknown", provider=connector.provider)
            connector._audit("connector.provider_unknown", provider=connector.provider)

    @api.model
    def _cron_daily(self):
        """Look after what time changes: providers that are gone, credentials that expire."""
        connectors = self.sudo().search([])
        known = connectors.filtered(lambda c: c.provider in self._provider_classes())
        (connectors - known).filtered(lambda c: c.state != "paused")._retire()
        known._resolve_exception("provider.unknown")
        connectors.credential_ids._remind()

    # === BUTTONS === #

    def action_test(self):
        """Ask the vendor who we are, with the newest secrets; they take over when it answers."""
        self.ensure_one()
        self._check_administrator("connector.test")
        pending = self.sudo().credential_ids.filtered(
            lambda row: row.has_next and row.environment == self.environment)
        try:
            words = self._ping()
        except AuthFailed as error:
            return self._test_refused(error, pending)
        except (ProviderError, UserError) as error:
            self._audit("connector.test_failed", error=type(error).__name__)
            return self._notify("danger", self.env._("The test failed"), str(error))
        self._test_passed()
        return self._notify("success", self.env._("The test passed"), words)

    def _ping(self) -> str:
        connector = self.with_context(finance_secrets=NEW_SECRETS)
        company = (self.company_ids & self.env.companies)[:1] or self.sudo().company_ids[:1]
        provider = self.env["finance.operation"]._open_session(connector, company)
        # a person asks once: neither an open breaker nor a used-up rate keeps the answer away
        provider.session.gate = Gate()
        return provider.ping()

    def _test_passed(self):
        self.sudo().credential_ids.filtered(
            lambda row: row.environment == self.environment)._passed()
        vals = {"tested_at": fields.Datetime.now(), "attention_reason": False}
        gate = self.env["finance.gate"]
        gate._of(self).last_success_at = vals["tested_at"]
        if self.state != "paused":
            vals["state"] = "ready"
            gate._resume(self)
        self._by_action(vals)
        self._resolve_exception("connector.auth")
        self._audit("connector.tested", environment=self.environment)

    def _test_refused(self, error, pending):
        self._audit("connector.test_refused", code=error.code, status=error.status)
        if not pending:
            self._needs_attention(str(error))
            return self._notify("danger", self.env._("The credentials are refused"), str(error))
        return self._notify(
            "danger", self.env._("The new value is refused"),
            self.env._("%(error)s. The old value stays in use: %(labels)s", error=error,
                       labels=", ".join(pending.mapped("label"))))

    def action_pause(self):
        """Stop the connector: nothing is called until it is resumed; jobs wait."""
        self._check_administrator("connector.pause")
        self._by_action({"state": "paused"})
        self.env["finance.gate"]._stop(self)
        self._audit("connector.paused")

    def action_resume(self):
        """Let the connector call again, as far as its last test allows."""
        self._check_administrator("connector.resume")
        for connector in self:
            connector._provider_class()
            state = "ready" if connector.tested_at else "draft"
            connector._by_action({"state": state, "attention_reason": False})
        self.env["finance.gate"]._resume(self)
        self._resolve_exception("provider.unknown")
        self._audit("connector.resumed")

    def action_switch_to_production(self):
        """Move to production: complete, no unfinished jobs, confirmed database, policy obeyed."""
        self.ensure_one()
        self._check_administrator("connector.production")
        if self.environment == "production":
            return None
        self._check_policy()
        self._check_no_unfinished_jobs()
        self._check_production_complete()
        binding = self.env["finance.binding"]
        if not binding._last():
            binding._confirm()
        obstacle = binding._obstacle()
        if obstacle:
            self._denied("connector.production", "binding")
            raise ConnectorClosed(obstacle)
        return self._switch("production")

    def action_switch_to_sandbox(self):
        """Leave production: the connector calls the vendor's test system from now on."""
        self.ensure_one()
        self._check_administrator("connector.sandbox")
        if self.environment == "sandbox":
            return None
        self._check_no_unfinished_jobs()
        return self._switch("sandbox")

    def _switch(self, environment):
        before = self.environment
        self._by_action({
            "environment": environment,
            "state": "draft",
            "tested_at": False,
            "attention_reason": False,
        })
        self._ensure_rows()
        self._audit("connector.environment", before=before, after=environment)
        return self._notify(
            "warning", self.env._("Environment: %(name)s", name=environment),
            self.env._("Test the connector: until then it does nothing."))

    def _check_administrator(self, action):
        if not (self.env.su or self.env.user.has_group(ADMINISTRATOR)):
            self._denied(action, "group")
            raise AccessError(self.env._("Only connector administrators may do this."))
        self.check_access("write")

    def _check_policy(self):
        policy = self.env["ir.config_parameter"].sudo().get_param(POLICY_PARAMETER)
        entered = self.sudo().credential_ids.filtered(lambda row: row.environment == "production")
        if policy == "other_person" and self.env.user in entered.entered_by_id:
            self._denied("connector.production", "policy")
            raise UserError(self.env._(
                "Somebody other than the person who entered the production credentials must switch "
                "to production."
            ))

    def _check_production_complete(self):
        provider = self._provider_class()
        connector = self.sudo()
        if provider.hosts and not provider.hosts.get("production"):
            raise UserError(self.env._("%(provider)s has no production system.",
                                       provider=provider.label))
        rows = (*connector.setting_ids, *connector.credential_ids)
        filled = {row.name: row._is_filled() for row in rows if row.environment == "production"}
        connector._check_complete(provider.settings, filled)

    def _denied(self, action, reason):
        self._audit("action.denied", action=action, reason=reason)

    def _notify(self, kind, title, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": kind,
                "title": title,
                "message": message,
                "sticky": kind == "danger",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
