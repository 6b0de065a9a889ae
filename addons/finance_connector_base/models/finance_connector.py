from contextlib import suppress

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..actions import notice
from ..providers.base import Provider
from ..providers.errors import AuthFailed, ProviderError
from ..providers.hosts import folder_of, is_address, is_loopback
from ..providers.session import Gate
from .finance_vault import VaultClosed

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
        selection="_selection_provider",
        required=True,
        tracking=True,
        index=True,
        help="The system this connector talks to.",
    )
    environment = fields.Selection(
        [("local", "Local"), ("sandbox", "Sandbox"), ("production", "Production")],
        default="sandbox",
        required=True,
        copy=False,
        tracking=True,
        help="Local: a stand-in on this machine. Sandbox: the vendor's test system. "
        "Production: the real thing, only by the button and only in the confirmed database.",
    )
    company_ids = fields.Many2many(
        "res.company",
        string="Companies",
        required=True,
        default=lambda self: self.env.company,
        help="Branches are served with their parent.",
    )
    state = fields.Selection(
        [
            ("draft", "Not tested"),
            ("ready", "Ready"),
            ("attention", "Needs attention"),
            ("paused", "Stopped"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    attention_reason = fields.Char(readonly=True, copy=False)
    tested_at = fields.Datetime("Last passed test", readonly=True, copy=False)
    local_url = fields.Char("Local address", help="http://localhost:8099/avatax, say")
    target_url = fields.Char(
        "Server address",
        help="Of a self-hosted system; its host must stand in odoo.conf, finance_allowed_hosts; a "
        "folder (file:///srv/exports, say) below one of finance_allowed_folders.",
    )
    is_self_hosted = fields.Boolean(compute="_compute_is_self_hosted")
    responsible_id = fields.Many2one(
        "res.users",
        tracking=True,
        ondelete="set null",
        domain="[('share', '=', False)]",
        help="Gets the exceptions of the connector that no rule gives to somebody else.",
    )

    # === LIMITS, from the provider until somebody changes them === #
    api_version = fields.Char(
        "API version",
        compute="_compute_limits",
        store=True,
        readonly=False,
        tracking=True,
        precompute=True,
        help="Pinned when the connector is made.",
    )
    rate_per_second = fields.Float(
        "Calls per second", compute="_compute_limits", store=True, readonly=False, precompute=True
    )
    rate_burst = fields.Integer(
        "Burst",
        compute="_compute_limits",
        store=True,
        readonly=False,
        precompute=True,
        help="Calls that may be made at once after a quiet time.",
    )
    concurrency = fields.Integer(
        "Calls at a time",
        compute="_compute_limits",
        store=True,
        readonly=False,
        precompute=True,
        help="0: no limit.",
    )
    connect_timeout = fields.Float(
        "Connect within (s)", compute="_compute_limits", store=True, readonly=False, precompute=True
    )
    read_timeout = fields.Float(
        "Answer within (s)", compute="_compute_limits", store=True, readonly=False, precompute=True
    )

    credential_ids = fields.One2many("finance.credential", "connector_id", copy=False)
    setting_ids = fields.One2many(
        "finance.setting",
        "connector_id",
        string="Options",
        copy=False,
        domain=[("workflow_id", "=", False)],
    )
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
            raise ConnectorClosed(
                self.env._(
                    "%(connector)s is for the provider “%(provider)s”, which is not installed.",
                    connector=self.name,
                    provider=self.provider,
                )
            )
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
            provider = connector._known_class()
            connector.is_self_hosted = (
                bool(connector.provider) and not provider.hosts and not provider.offline
            )

    # === CONSTRAINTS === #

    @api.constrains("environment", "local_url", "target_url")
    def _check_addresses(self):
        for connector in self:
            schemes = connector._known_class().schemes
            connector._check_local_url(schemes)
            url = connector.target_url
            if not url or (folder_of(url) if "file" in schemes else is_address(url, schemes)):
                continue
            raise ValidationError(
                self.env._(
                    "The server address must be a URL without user name and password, and begin"
                    " with %(scheme)s://.",
                    scheme=schemes[0],
                )
            )

    def _check_local_url(self, schemes):
        url = self.local_url
        if not url or (folder_of(url) if "file" in schemes else is_loopback(url, schemes)):
            return
        if "https" in schemes:
            raise ValidationError(
                self.env._(
                    "The local address must be http on this machine: localhost, 127.0.0.1 or ::1."
                )
            )
        raise ValidationError(
            self.env._(
                "The local address must be on this machine and begin with %(scheme)s://.",
                scheme=schemes[0],
            )
        )

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
            self.env["finance.denied.action"]._deny("create", "guard", self)
            raise AccessError(
                self.env._(
                    "A connector starts untested and outside production; its buttons change that."
                )
            )
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
            self.env["finance.denied.action"]._deny("write", "guard", self)
            raise AccessError(
                self.env._("The state of a connector is changed by its buttons only.")
            )
        moving = self.filtered(lambda c: vals.get("environment", c.environment) != c.environment)
        if moving and "production" in (vals["environment"], *moving.mapped("environment")):
            self.env["finance.denied.action"]._deny("connector.production", "guard", moving)
            raise AccessError(
                self.env._("Only the buttons of the connector move it to production or out of it.")
            )
        replaced = self.filtered(lambda c: vals.get("provider", c.provider) != c.provider)
        if replaced.credential_ids.filtered("has_value") or replaced.filtered("tested_at"):
            raise UserError(
                self.env._(
                    "The provider of a connector in use can't be changed: make a new connector."
                )
            )
        (moving | replaced)._check_no_unfinished_jobs()

    def _check_no_unfinished_jobs(self):
        jobs = (
            self.env["finance.job"]
            .sudo()
            .search([("connector_id", "in", self.ids), ("state", "in", UNFINISHED)], limit=5)
        )
        if jobs:
            raise UserError(
                self.env._(
                    "There are unfinished jobs, decided for the connector as it is. Finish or cancel "
                    "them first: %(jobs)s",
                    jobs=", ".join(jobs.mapped("display_name")),
                )
            )

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
        rows.create(
            [
                {
                    "connector_id": self.id,
                    "environment": environment,
                    "name": setting.name,
                    "sequence": position,
                    **rows._first_value(setting),
                }
                for environment in self._row_environments()
                for position, setting in enumerate(settings)
                if (environment, setting.name) not in present
            ]
        )

    def _row_environments(self) -> tuple:
        """Return the environments with rows: production's can be filled in before the switch."""
        return ("sandbox", "production") if self.environment == "sandbox" else (self.environment,)

    # === STATES === #

    def _needs_attention(self, reason):
        """Stop calling until somebody mends the connector: the vendor refuses the credentials.

        reason: words for the administrator, without secrets.
        """
        self._raise_exception("connector.auth", message=reason)
        working = self.filtered(lambda connector: connector.state in ("ready", "draft"))
        working._by_action({"state": "attention", "attention_reason": reason})
        self.env["finance.gate"]._stop(self)

    def _raise_exception(self, code, **params):
        for connector in self:
            self.env["finance.exception"]._raise(
                code, record=connector, connector=connector, params=params
            )

    def _resolve_exception(self, code, note=""):
        for connector in self:
            self.env["finance.exception"]._resolve(code=code, connector=connector, note=note)

    def _audit(self, kind, **data):
        for connector in self:
            self.env["finance.audit.event"]._record(kind, connector, connector=connector, data=data)

    @api.model
    def _provider_leaves(self, codes):
        """Retire the connectors of providers whose addon is being uninstalled.

        Stops them, erases their secrets, cancels their jobs that were never sent, and leaves an
        exception. For the uninstall hook of an addon with providers.
        """
        connectors = (
            self.sudo().with_context(active_test=False).search([("provider", "in", list(codes))])
        )
        connectors.credential_ids._erase()
        self.env["finance.job"].sudo().search(
            [
                ("connector_id", "in", connectors.ids),
                ("state", "=", "pending"),
                ("called_at", "=", False),
            ]
        ).action_cancel()
        connectors._retire()

    def _retire(self):
        for connector in self:
            connector._by_action(
                {
                    "state": "paused",
                    "attention_reason": self.env._("The provider is not installed."),
                }
            )
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
        with suppress(VaultClosed):
            self.env["finance.vault"]._reseal_all()

    # === BUTTONS === #

    def action_test(self):
        """Ask the vendor who we are, with the newest secrets; they take over when it answers."""
        self.ensure_one()
        self._check_administrator("connector.test")
        pending = self.sudo().credential_ids.filtered(
            lambda row: row.has_next and row.environment == self.environment
        )
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
            lambda row: row.environment == self.environment
        )._passed()
        vals = {"tested_at": fields.Datetime.now(), "attention_reason": False}
        gate = self.env["finance.gate"]
        gate._of(self).last_success_at = vals["tested_at"]
        if self.state != "paused":
            vals["state"] = "ready"
            gate._resume(self)
        self._by_action(vals)
        self._resolve_exception("connector.auth", "connector.tested")
        self._audit("connector.tested", environment=self.environment)

    def _test_refused(self, error, pending):
        self._audit("connector.test_refused", code=error.code, status=error.status)
        if not pending:
            self._needs_attention(str(error))
            return self._notify("danger", self.env._("The credentials are refused"), str(error))
        return self._notify(
            "danger",
            self.env._("The new value is refused"),
            self.env._(
                "%(error)s. The old value stays in use: %(labels)s",
                error=error,
                labels=", ".join(pending.mapped("label")),
            ),
        )

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
        self._resolve_exception("provider.unknown", "connector.resumed")
        self._audit("connector.resumed")

    def _check_administrator(self, action):
        if not (self.env.su or self.env.user.has_group(ADMINISTRATOR)):
            self.env["finance.denied.action"]._deny(action, "group", self)
            raise AccessError(self.env._("Only connector administrators may do this."))
        self.check_access("write")

    def _notify(self, kind, title, message):
        return notice(kind, message, title=title, sticky=kind == "danger")
