"""Connectors to destinations: which addresses and which regions are allowed."""

from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import TransactionCase, tagged
from odoo.tools import config

from odoo.addons.finance_connector_base.models.finance_connector import ConnectorClosed

from .destinations import FOLDERS, REGIONS, destination, folder


@tagged("post_install", "-at_install")
class TestDestinations(TransactionCase):
    def setUp(self):
        super().setUp()
        self.company = self.env.company
        self.path, self.connector = folder(self)

    def test_a_folder_that_can_be_written_to_passes_its_test(self):
        self.assertEqual(self.connector.state, "ready")
        exchanges = self.env["finance.exchange"].search([("connector_id", "=", self.connector.id)])
        self.assertEqual(exchanges.mapped("outcome"), ["ok"])

    def test_only_below_what_odoo_conf_opens(self):
        with patch.dict(config.options, {FOLDERS: "/srv/elsewhere"}):
            with self.assertRaisesRegex(ConnectorClosed, FOLDERS):
                self.connector._config(self.company)
        with patch.dict(config.options, {FOLDERS: ""}):
            with self.assertRaisesRegex(ConnectorClosed, FOLDERS):
                self.connector._config(self.company)
        (self.path / "way").symlink_to("/etc")
        self.connector.local_url = f"file://{self.path}/way"
        with self.assertRaisesRegex(ConnectorClosed, "symbolic link"):
            self.connector._config(self.company)
        for url in (f"file://host{self.path}", f"{self.path}", "https://localhost/", "file:srv"):
            with self.assertRaises(ValidationError, msg=url):
                self.connector.local_url = url

    def test_production_s_folder_is_checked_as_well(self):
        connector = self.env["finance.connector"].create(
            {
                "name": "Share",
                "provider": "export_folder",
                "target_url": "file:///srv/warehouse",
            }
        )
        connector.setting_ids.value = "de"
        self.assertTrue(connector.is_self_hosted)
        with self.assertRaisesRegex(ConnectorClosed, FOLDERS):
            connector._config(self.company)
        with patch.dict(config.options, {FOLDERS: "/srv"}):
            self.assertEqual(connector._config(self.company).base_url, "file:///srv/warehouse")

    def test_addresses_have_the_scheme_of_their_destination(self):
        for provider, right, wrong in (
            ("export_sftp", "sftp://sftp.example.com:22/in", "https://sftp.example.com/in"),
            ("export_postgres", "postgresql://dw.example.com/bi", "sftp://dw.example.com/bi"),
            ("export_s3", "https://s3.example.com", "http://s3.example.com"),
            ("export_https", "https://in.example.com/odoo", "file:///srv"),
        ):
            connector = self.env["finance.connector"].create({"name": "X", "provider": provider})
            with self.assertRaises(ValidationError, msg=wrong):
                connector.target_url = wrong
            with self.assertRaises(ValidationError, msg=wrong):
                connector.target_url = right.replace("://", "://me:secret@")
            connector.target_url = right
            with self.assertRaisesRegex(ConnectorClosed, "finance_allowed_hosts"):
                connector._config(self.company)

    def test_a_local_server_is_on_this_machine(self):
        settings = {"user": "loader", "password": "made-up-secret"}
        connector = destination(
            self.env, "export_postgres", "postgresql://localhost/bi", **settings
        )
        self.assertEqual(connector._config(self.company).base_url, "postgresql://localhost/bi")
        with self.assertRaises(ValidationError):
            connector.local_url = "postgresql://dw.example.com/bi"
        with self.assertRaises(ValidationError):
            connector.local_url = "http://localhost/bi"

    # === REGIONS === #

    def export(self, **values):
        return self.env["finance.export"].create(
            {"name": "Group", "code": "group-x", "connector_id": self.connector.id, **values}
        )

    def test_an_export_goes_to_destinations_alone(self):
        vendor = self.env["finance.connector"].search(
            [("provider", "not like", "export_")], limit=1
        )
        if not vendor:
            self.skipTest("optional: no other addon has a connector here")
        with self.assertRaisesRegex(ValidationError, "takes no files"):
            self.export(connector_id=vendor.id)

    def test_a_company_says_where_its_data_may_go(self):
        self.company.finance_export_regions = "eu-west-1, FR"
        with self.assertRaisesRegex(UserError, "its region is de.*eu-west-1, fr"):
            self.export(code="group-w")
        self.company.finance_export_regions = "eu-west-1 de"
        self.export()

    def test_each_company_of_an_export_has_to_allow_it(self):
        other = self.env["res.company"].create(
            {"name": "Birch", "finance_export_regions": "eu-west-1"}
        )
        self.export()
        with self.assertRaisesRegex(UserError, "Birch"):
            self.export(code="group-y", company_ids=[(6, 0, (self.company | other).ids)])

    def test_odoo_conf_says_where_all_data_may_go(self):
        with patch.dict(config.options, {REGIONS: "eu-west-1, fr"}):
            data = self.connector._config(self.company).data
        self.assertEqual(data, {"regions": ("eu-west-1", "fr")})
