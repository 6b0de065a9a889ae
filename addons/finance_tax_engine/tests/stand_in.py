"""A company whose vendors are stand-ins on real HTTP."""

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.finance_connector_base.tests.common import drain_jobs
from odoo.addons.finance_connector_base.tests.ready_companies import ReadyCompanies
from odoo.addons.finance_connector_base.tests.stand_in import StandIn


class StandInCommon(StandIn, ReadyCompanies, AccountTestInvoicingCommon):
    """A company, and a user who may do everything."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data["company"]

    @classmethod
    def get_default_groups(cls):
        return (
            super().get_default_groups()
            | cls.env.ref("finance_connector_base.group_administrator")
            | cls.env.ref("finance_connector_base.group_controller")
        )

    def drain(self, **options):
        """Run all jobs that are due."""
        drain_jobs(self.env, **options)
