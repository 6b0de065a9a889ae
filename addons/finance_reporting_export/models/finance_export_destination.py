"""Where an export may go: a destination, in a region that its companies allow."""

from odoo import api, models
from odoo.exceptions import ValidationError


class FinanceExport(models.Model):
    _inherit = "finance.export"

    @api.constrains("connector_id", "company_ids")
    def _check_destination(self):
        for export in self.filtered("connector_id"):
            connector = export.connector_id.sudo()
            if not connector._is_destination():
                raise ValidationError(
                    self.env._(
                        "%(connector)s takes no files. Choose a connector to a folder, an SFTP"
                        " server, S3, an HTTPS server or a PostgreSQL warehouse.",
                        connector=connector.name,
                    )
                )
            connector._check_regions(export.company_ids)
