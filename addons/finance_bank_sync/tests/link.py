"""What the tests of bank links share: the stand-ins over real HTTP, and a connector to each."""

import json
from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import requests

from odoo import Command, fields
from odoo.tests import tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.finance_bank_sync.models.finance_bank_import import FinanceBankImport
from odoo.addons.finance_connector_base.tests.common import drain_jobs
from odoo.addons.finance_connector_base.tests.ready_companies import ReadyCompanies
from odoo.addons.finance_connector_base.tests.stand_in import StandIn

from sandbox import gocardless_bad, plaid, ponto
from sandbox.enable_banking import application

SETTINGS = {
    "enable_banking": {
        "application_id": application.APPLICATION_ID,
        "private_key": application.PRIVATE_KEY,
    },
    "plaid": {"client_id": plaid.CLIENT_ID, "secret": plaid.SECRET},
    "ponto": {"client_id": ponto.CLIENT_ID, "client_secret": ponto.CLIENT_SECRET},
    "gocardless_bad": {
        "secret_id": gocardless_bad.SECRET_ID,
        "secret_key": gocardless_bad.SECRET_KEY,
    },
}


@tagged("post_install", "-at_install")
class BankLinkCommon(StandIn, ReadyCompanies, AccountTestInvoicingCommon):
    """A company in euros, and a bank with an account in euros, one in dollars and a card."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data["company"]
        cls.usd, cls.eur = cls.env.ref("base.USD"), cls.env.ref("base.EUR")
        (cls.usd | cls.eur).active = True
        cls.company.currency_id = cls.eur
        cls.journal = cls.env["account.journal"].create(
            {"name": "House bank", "type": "bank", "code": "HB1", "company_id": cls.company.id}
        )

    @classmethod
    def get_default_groups(cls):
        return super().get_default_groups() | cls.env.ref(
            "finance_connector_base.group_administrator"
        )

    @property
    def today(self):
        return fields.Date.context_today(self.env["finance.bank.link"])

    # === MAKING === #

    def make_connector(self, provider="enable_banking", company=None):
        """Return a ready connector to a stand-in."""
        connector = self.env["finance.connector"].create(
            {
                "name": f"Bank by {provider}",
                "provider": provider,
                "environment": "local",
                "local_url": f"{self.server.url}/{provider}",
                "company_ids": [Command.set((company or self.company).ids)],
                "rate_per_second": 10_000,
                "rate_burst": 10_000,
            }
        )
        for row in (*connector.setting_ids, *connector.credential_ids):
            if row.name in SETTINGS[provider]:
                row.value = SETTINGS[provider][row.name]
        test = connector.action_test()
        self.assertEqual(test["params"]["type"], "success", test["params"]["message"])
        return connector

    def vendor(self, provider):
        """Return a stand-in."""
        return self.server.sandbox.vendors[provider]

    def bank(self, provider="enable_banking"):
        """Return the bank behind a stand-in."""
        return self.vendor(provider).bank

    def visit(self, url, decision="allow"):
        """Do what a person does at the bank; return what the browser brings back."""
        action, query = url.partition("?")[::2]
        form = dict(parse_qsl(query)) | {"decision": decision}
        back = requests.post(action, data=form, allow_redirects=False, timeout=(5, 5))
        return dict(parse_qsl(urlsplit(back.headers["Location"]).query))

    def open_wizard(self, connector, company=None, user=None):
        """Return the linking wizard, with the bank chosen."""
        company = company or self.company
        wizards = self.env["finance.bank.link.wizard"].with_user(user or self.env.user)
        wizard = wizards.create(
            {
                "connector_id": connector.id,
                "company_id": company.id,
                "country_id": self.env.ref("base.de").id,
            }
        )
        if wizard.has_institutions:
            wizard.action_banks()
            wizard.institution_id = wizard.institution_ids[0]
        return wizard

    def come_back(self, brought):
        """Do what the controller does when the browser is back; return what is shown."""
        visits = self.env["finance.bank.visit"]
        visit = visits._claim(brought.get("state", ""))
        self.assertTrue(visit, "nobody knows this visit")
        return visits._take_over(visit, visits._given(visit, brought.get("code", "")))

    def consent(self, connector, company=None):
        """Return the wizard with the accounts of a new consent."""
        action = self.open_wizard(connector, company).action_continue()
        if action["type"] != "ir.actions.act_url":
            return self.env[action["res_model"]].browse(action["res_id"])
        return self.come_back(self.visit(action["url"]))

    def line(self, wizard, name):
        """Return the wizard's line of an account."""
        return wizard.line_ids.filtered(lambda one: name in one.name)

    def link(self, provider="enable_banking", account="Operating", days=60, **values):
        """Return a link of an account, with what its proof fetched in ``self.received``."""
        connector = values.pop("connector", None) or self.make_connector(provider)
        wizard = self.consent(connector)
        wizard.line_ids.choice = "skip"
        line = self.line(wizard, account)
        line.write(
            {
                "choice": "existing",
                "journal_id": self.journal.id,
                "import_from": self.today - timedelta(days=days),
                "decision": "accept",
                **values,
            }
        )
        wizard.action_link()
        return self.env["finance.bank.link"].search([("journal_id", "=", line.journal_id.id)])

    def listen(self):
        """Keep what pulls hand to imports in ``self.received``, instead of importing it."""
        self.received = []

        def receive(imports, link, statements):
            self.received += [(link, statement) for statement in statements]
            return imports.browse()

        patcher = patch.object(FinanceBankImport, "_receive_statements", receive, create=True)
        self.startPatcher(patcher)

    def pull(self, link):
        """Fetch now; return the entries that came."""
        before = len(self.received)
        link.action_pull()
        drain_jobs(self.env)
        return [entry for _link, one in self.received[before:] for entry in one.entries]

    def calls(self, provider="enable_banking", path=""):
        """Return the paths of the requests so far."""
        rows = self.server.sandbox.log.as_list(provider)
        return [row["path"] for row in rows if path in row["path"]]

    @staticmethod
    def total(entries):
        """Return the sum of the booked ones."""
        return sum((one.amount for one in entries if one.status == "booked"), Decimal(0))

    def recorded(self):
        """Return all that people can read of exchanges."""
        rows = self.env["finance.exchange"].sudo().search([])
        return json.dumps([[str(row[name]) for name in row._fields if "sealed" not in name]
                           for row in rows])  # fmt: skip
