import os
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models.finance_vault import VaultClosed
from ..vault import SealBroken, VaultLocked
from .vendor import KEY, KEY_2, SECRET, ConnectorCase


@tagged("post_install", "-at_install")
class TestVault(ConnectorCase):
    """The vault in the database."""

    def without_key(self):
        empty = {"FINANCE_VAULT_KEYS": "", "FINANCE_VAULT_KEY_FILE": ""}
        return patch.dict(os.environ, empty)

    def test_no_key_fails_closed_and_says_where_to_put_one(self):
        self.enter()
        with self.without_key(), self.assertRaisesRegex(VaultClosed, "finance_vault_key_file"):
            self.connector._config(self.company)
        with self.without_key(), self.assertRaises(VaultLocked):
            self.env["finance.vault"]._vault()
        with self.without_key(), self.assertRaises(UserError):
            self.enter("sk-something-else")

    def test_nothing_is_stored_without_a_key(self):
        with self.without_key(), self.assertRaises(UserError):
            self.enter()
        self.credential().invalidate_recordset()
        self.assertFalse(self.credential()._read_columns()[self.credential().id]["value"])

    def test_swapped_rows_do_not_open(self):
        self.enter()
        self.enter("sk-production-secret", "production")
        sandbox, production = self.credential(), self.credential("production")
        self.env.cr.execute(
            """UPDATE finance_credential AS one SET sealed = other.sealed
                 FROM finance_credential AS other
                WHERE (one.id, other.id) IN ((%(a)s, %(b)s), (%(b)s, %(a)s))""",
            {"a": sandbox.id, "b": production.id},
        )
        with self.assertRaises(SealBroken):
            sandbox._open_sealed()
        with self.assertRaises(SealBroken):
            production._open_sealed()

    def test_secret_moved_to_another_connector_does_not_open(self):
        self.enter()
        other = self.connector.copy()
        twin = self.credential(connector=other)
        self.env.cr.execute("DELETE FROM finance_credential WHERE id = %s", [twin.id])
        self.env.cr.execute(
            "UPDATE finance_credential SET connector_id = %s WHERE id = %s",
            [other.id, self.credential().id],
        )
        self.env.invalidate_all()
        with self.assertRaises(SealBroken):
            other._config(self.company)

    def test_database_with_another_uuid_does_not_open(self):
        self.enter()
        self.env["ir.config_parameter"].sudo().set_param("database.uuid", "another-uuid")
        with self.assertRaises(SealBroken):
            self.connector._config(self.company)

    def test_new_key_seals_everything_again(self):
        self.forget_demo()
        self.make_ready()
        self.enter("sk-next-secret-0001")
        vault = self.env["finance.vault"]
        self.assertEqual(vault._key_ids(), {"test-1": 2})
        with patch.dict(os.environ, {"FINANCE_VAULT_KEYS": f"{KEY_2}\n{KEY}"}):
            self.assertEqual(vault._reseal_all(batch=1), 2)
            self.assertEqual(vault._reseal_all(), 0)
            self.assertEqual(vault._key_ids(), {"test-2": 2})
        with patch.dict(os.environ, {"FINANCE_VAULT_KEYS": KEY_2}):
            self.assertEqual(self.credential()._open_sealed(), {"api_key": SECRET})
            self.assertEqual(
                self.credential()._open_sealed(newest=True), {"api_key": "sk-next-secret-0001"}
            )
