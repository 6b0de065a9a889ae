from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import config

from ..actions import dialog, notice
from .finance_connector import ADMINISTRATOR, POLICY_PARAMETER

MIN_CRON_THREADS = 3
MIN_LANES = 2


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    finance_production_policy = fields.Selection(
        [
            ("any", "Any connector administrator"),
            ("other_person", "Somebody other than who entered the credentials"),
        ],
        string="Who may switch to production",
        default="any",
        config_parameter=POLICY_PARAMETER,
    )
    finance_retention_days = fields.Integer(
        "Keep finished jobs and exchanges (days)",
        default=90,
        config_parameter="finance_connector.retention_days",
    )

    finance_exception_user_id = fields.Many2one(
        related="company_id.finance_exception_user_id", readonly=False
    )

    finance_vault_ready = fields.Boolean(compute="_compute_finance_state")
    finance_vault_words = fields.Char(compute="_compute_finance_state")
    finance_connector_count = fields.Integer(compute="_compute_finance_state")
    finance_connector_words = fields.Char(compute="_compute_finance_state")
    finance_lane_words = fields.Char(compute="_compute_finance_state")
    finance_lane_warning = fields.Boolean(compute="_compute_finance_state")
    finance_is_copy = fields.Boolean(compute="_compute_finance_state")
    finance_binding_words = fields.Char(compute="_compute_finance_state")
    finance_restore_words = fields.Char(compute="_compute_finance_state")
    finance_metrics_open = fields.Boolean(compute="_compute_finance_state")
    finance_is_administrator = fields.Boolean(compute="_compute_finance_state")

    @api.depends_context("uid")
    def _compute_finance_state(self):
        vault_ready, vault_words = self._finance_vault_state()
        warning, lanes = self._finance_lane_state()
        connectors = self.env["finance.connector"].sudo().search([])
        binding = self.env["finance.binding"]
        for settings in self:
            settings.finance_vault_ready = vault_ready
            settings.finance_vault_words = vault_words
            settings.finance_lane_warning = warning
            settings.finance_lane_words = lanes
            settings.finance_connector_count = len(connectors)
            settings.finance_connector_words = self.env._(
                "Connectors: %(count)s, of which ready: %(ready)s",
                count=len(connectors),
                ready=len(connectors.filtered(lambda c: c.state == "ready")),
            )
            settings.finance_metrics_open = self.env["finance.metrics.token"]._is_set()
            settings.finance_is_copy = binding._is_copy()
            settings.finance_binding_words = self._finance_binding_words()
            settings.finance_restore_words = self.env["finance.restore"]._open()[:1].story
            settings.finance_is_administrator = self.env.user.has_group(ADMINISTRATOR)

    def _finance_vault_state(self):
        """Return (there is a key, words)."""
        try:
            ring = self.env["finance.vault"]._vault().keyring
        except UserError as error:
            return False, str(error)
        words = self.env._("Sealing with the key %(key)s.", key=ring.primary_id)
        others = {
            key: count
            for key, count in self.env["finance.vault"]._key_ids().items()
            if key != ring.primary_id
        }
        for key, count in others.items():
            words += " " + self.env._(
                "%(count)s values are still sealed with %(key)s.", count=count, key=key
            )
        return True, words

    def _finance_lane_state(self):
        """Return (something is to be warned of, words)."""
        lanes = (
            self.env["ir.cron"]
            .sudo()
            .search_count(
                [
                    ("model_id.model", "=", "finance.job"),
                    ("active", "=", True),
                    ("code", "like", "_run_lane"),
                ]
            )
        )
        threads = config["max_cron_threads"]
        if threads < MIN_CRON_THREADS:
            return True, self.env._(
                "odoo.conf has max_cron_threads = %(threads)s. Jobs share these with Odoo's own "
                "scheduled actions: set 4, at least 3.",
                threads=threads,
            )
        if lanes < MIN_LANES:
            return True, self.env._(
                "%(lanes)s lanes of jobs are active; two or more keep jobs moving when "
                "one is busy or dies.",
                lanes=lanes,
            )
        return False, self.env._(
            "%(lanes)s lanes of jobs, max_cron_threads = %(threads)s.", lanes=lanes, threads=threads
        )

    def _finance_binding_words(self):
        bound = self.env["finance.binding"]._last()
        obstacle = self.env["finance.binding"]._obstacle()
        if obstacle:
            return obstacle
        return self.env._(
            "Confirmed for this database on %(date)s.",
            date=fields.Date.to_string(bound.confirmed_at),
        )

    def set_values(self):
        parameters = self.env["ir.config_parameter"].sudo()
        before = parameters.get_param(POLICY_PARAMETER) or "any"
        result = super().set_values()
        after = self.finance_production_policy or "any"
        if before != after:
            self.env["finance.audit.event"]._record(
                "policy.changed", data={"policy": "production", "before": before, "after": after}
            )
        return result

    # === BUTTONS === #

    def action_finance_confirm_database(self):
        """Record that this is the production database from now on."""
        self._check_finance_administrator("database.confirm")
        self.env["finance.restore"]._confirm_production()
        return {"type": "ir.actions.client", "tag": "reload"}

    def action_finance_open_restore(self):
        """Open the restore that waits for an administrator."""
        restore = self.env["finance.restore"]._open()[:1].sudo(False)
        return restore.get_formview_action() if restore else None

    def action_finance_reseal(self):
        """Seal every secret again with the first key of the ring."""
        self._check_finance_administrator("vault.reseal")
        count = self.env["finance.vault"]._reseal_all()
        ring = self.env["finance.vault"]._vault().keyring
        self.env["finance.audit.event"]._record(
            "vault.resealed", data={"values": count, "key": ring.primary_id}
        )
        return notice(
            "success",
            self.env._(
                "%(count)s values are now sealed with the key %(key)s.",
                count=count,
                key=ring.primary_id,
            ),
            after={"type": "ir.actions.client", "tag": "reload"},
        )

    def action_finance_metrics_token(self):
        """Make the token of /finance/metrics and show it, this once."""
        self._check_finance_administrator("metrics.token")
        return dialog(
            self.env._("Token for /finance/metrics"),
            "finance.metrics.token",
            context={"default_token": self.env["finance.metrics.token"]._renew()},
        )

    def action_finance_metrics_close(self):
        """Forget the token: /finance/metrics answers nobody."""
        self._check_finance_administrator("metrics.close")
        self.env["finance.metrics.token"]._remove()
        return {"type": "ir.actions.client", "tag": "reload"}

    def _check_finance_administrator(self, action):
        if self.env.su or self.env.user.has_group(ADMINISTRATOR):
            return
        self.env["finance.denied.action"]._deny(action, "group", self.browse())
        raise AccessError(self.env._("Only connector administrators may do this."))
