"""The destinations that this addon adds to the connectors."""

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import config

from ..destinations.destination import REGION
from ..destinations.folder import Folder
from ..destinations.https import Https
from ..destinations.postgres import Postgres
from ..destinations.s3 import S3
from ..destinations.sftp import Sftp

DESTINATIONS = {one.code: one for one in (Folder, Sftp, S3, Https, Postgres)}
# Regions that data may go to, for all companies; each company may have a shorter list.
REGIONS = "finance_export_regions"


class FinanceConnector(models.Model):
    _inherit = "finance.connector"

    @api.model
    def _provider_classes(self):
        return super()._provider_classes() | DESTINATIONS

    def _data(self, provider, company):
        values = super()._data(provider, company)
        if provider.code in DESTINATIONS:
            values |= {"regions": regions_of(config.get(REGIONS))}
        return values

    def _is_destination(self):
        """Tell whether batches of exports can be delivered there."""
        return self.provider in DESTINATIONS

    def _region(self):
        """Return the region of a destination, "" where none is entered."""
        self.ensure_one()
        return self.sudo()._plain_settings().get(REGION.name, "")

    def _check_regions(self, companies):
        """Raise UserError where data of a company may not go to the region of this destination."""
        region = self._region()
        for company in companies.sudo():
            allowed = regions_of(company.finance_export_regions)
            if allowed and region not in allowed:
                raise UserError(
                    self.env._(
                        "Data of %(company)s may not go to %(connector)s: its region is %(region)s,"
                        " and the list of the company allows %(allowed)s. Choose another destination,"
                        " or have an administrator change the list.",
                        company=company.name,
                        connector=self.name,
                        region=region or "–",
                        allowed=", ".join(allowed),
                    )
                )


def regions_of(text) -> tuple:
    """Return the regions of a list with commas or blanks in between."""
    return tuple((text or "").lower().replace(",", " ").split())
