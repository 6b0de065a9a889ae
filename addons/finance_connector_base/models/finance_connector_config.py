from odoo import models
from odoo.tools import config

from ..providers.hosts import folder_of, host_of, is_allowed, is_loopback
from ..providers.session import ConnectorConfig
from ..transports import TransportError
from ..transports.folder import allowed, roots
from .finance_connector import NEW_SECRETS, ConnectorClosed


class FinanceConnector(models.Model):
    """What a provider needs to call its vendor, and the last barrier before it does."""

    _inherit = "finance.connector"

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
            data=connector._data(provider, company),
        )

    def _data(self, provider, company) -> dict:
        """Return the plain values that a provider gets beside its options."""
        return self._offline_data(company) if provider.offline else {}

    def _offline_data(self, company) -> dict:
        """Return what a provider without a vendor outside works from, as plain values."""
        return {}

    def _check_may_call(self, company):
        testing = self.env.context.get("finance_secrets") is NEW_SECRETS
        if self.state == "paused" and not testing:
            raise ConnectorClosed(self.env._("%(name)s is stopped.", name=self.name))
        if company and not (company.sudo().parent_ids & self.company_ids):
            raise ConnectorClosed(
                self.env._(
                    "%(name)s doesn't serve %(company)s.", name=self.name, company=company.name
                )
            )
        if self.environment != "production" or self._known_class().offline:
            return
        obstacle = self.env["finance.binding"]._obstacle()
        if obstacle:
            raise ConnectorClosed(obstacle)

    def _base_url(self, provider) -> str:
        if provider.offline:
            return ""
        if "file" in provider.schemes:
            return self._folder()
        if self.environment == "local":
            url = self.local_url or ""
            is_open = is_loopback(url, provider.schemes)
            remedy = self.env._("Enter a local address on this machine.")
        elif provider.hosts:
            url = provider.hosts.get(self.environment, "")
            is_open = bool(url)
            remedy = self.env._("The provider doesn't offer this environment.")
        else:
            url = self.target_url or ""
            is_open = is_allowed(url, config.get("finance_allowed_hosts"), provider.schemes)
            remedy = self.env._(
                "The server address must be %(scheme)s, and its host %(host)s must be allowed in "
                "odoo.conf: finance_allowed_hosts = %(host)s",
                scheme=provider.schemes[0],
                host=host_of(url) or "gateway.example.com",
            )
        if not is_open:
            raise self._no_address(remedy)
        return url.rstrip("/")

    def _folder(self) -> str:
        """Return the address of a folder on this host, below one that odoo.conf opens."""
        url = (self.local_url if self.environment == "local" else self.target_url) or ""
        try:
            allowed(folder_of(url), roots(config.get("finance_allowed_folders")))
        except TransportError as error:
            raise self._no_address(str(error)) from None
        return url.rstrip("/")

    def _no_address(self, remedy):
        return ConnectorClosed(
            self.env._("%(name)s has no address to call. %(remedy)s", name=self.name, remedy=remedy)
        )

    def _plain_settings(self) -> dict:
        rows = self.setting_ids.filtered(lambda row: row.environment == self.environment)
        return {row.name: row.value or "" for row in rows}

    def _secrets(self) -> dict:
        newest = self.env.context.get("finance_secrets") is NEW_SECRETS
        rows = self.credential_ids.filtered(lambda row: row.environment == self.environment)
        return rows._open_sealed(newest=newest)

    def _check_complete(self, wanted, values):
        missing = [
            setting.label for setting in wanted if setting.required and not values.get(setting.name)
        ]
        if missing:
            raise ConnectorClosed(
                self.env._(
                    "%(name)s is not complete. Enter: %(missing)s",
                    name=self.name,
                    missing=", ".join(missing),
                )
            )

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
        workflows = self.env["finance.workflow"].sudo()
        return workflows.search(
            [
                ("connector_id", "=", self.id),
                ("flow", "=", flow),
                ("company_id", "parent_of", company.ids),
            ]
        )._nearest(company)

    def _is_open_for_effects(self) -> bool:
        """Tell whether jobs that change something at the vendor may run now."""
        self.ensure_one()
        connector = self.sudo()
        return (
            connector.active
            and connector.state == "ready"
            and connector.provider in self._provider_classes()
            and (
                connector.environment != "production"
                or connector._known_class().offline
                or not self.env["finance.binding"]._obstacle()
            )
        )
