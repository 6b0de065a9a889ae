import os

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import config

from ..vault import KeyRing, Vault, VaultLocked


class VaultClosed(UserError, VaultLocked):
    """The vault has no usable key; shown to people as it stands."""


class FinanceVault(models.AbstractModel):
    _name = "finance.vault"
    _description = "Vault of sealed secrets and payloads"

    @api.model
    def _vault(self) -> Vault:
        """Return the vault of this database.

        The key ring is read anew each time, so that a key put in place counts at once.
        Raises `VaultClosed` (a UserError and a `VaultLocked`) when there is no usable key.
        """
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        try:
            return Vault(KeyRing.from_sources(os.environ, config), uuid)
        except VaultLocked as error:
            raise VaultClosed(str(error)) from error

    @api.model
    def _is_open(self) -> bool:
        """Return whether there is a usable key."""
        try:
            self._vault()
        except VaultClosed:
            return False
        return True

    @api.model
    def _resealed_models(self) -> list:
        """Return the models whose rows are sealed again with the first key.

        Each has ``_reseal(limit) -> int`` (rows done, 0 = none left) and ``_key_ids() -> dict``
        (key id to number of values sealed with it). Addons extend by ``super() + [...]``.
        """
        return [
            "finance.credential",
            "finance.job",
            "finance.exchange",
            "finance.answer",
            "finance.audit.detail",
            "finance.token",
        ]

    @api.model
    def _reseal_all(self, batch=200, most=20_000) -> int:
        """Seal what `_resealed_models` hold with the first key; return how many values.

        Stops after ``most`` values: the daily scheduled action goes on with the rest.
        """
        done = 0
        for model in self._resealed_models():
            while done < most and (count := self.env[model].sudo()._reseal(batch)):
                done += count
        return done

    @api.model
    def _key_ids(self) -> dict:
        """Return how many values are sealed with which key: key id to number."""
        totals = {}
        for model in self._resealed_models():
            for key_id, count in self.env[model].sudo()._key_ids().items():
                totals[key_id] = totals.get(key_id, 0) + count
        return totals
