from odoo import http
from odoo.http import content_disposition, request

from ..models.finance_configuration_version import PARTS


class ConfigurationController(http.Controller):
    @http.route("/finance/configuration", auth="user", readonly=False)
    def present(self):
        """Download the present configuration: administrators and auditors of all companies."""
        return _download(*request.env["finance.configuration.version"]._present())

    @http.route("/finance/configuration.json", auth="bearer", readonly=False)
    def for_scripts(self):
        """The same for a script: ``Authorization: Bearer <API key of such a user>``."""
        return self.present()

    @http.route(
        "/finance/configuration/<int:version_id>/<string:part>", auth="user", readonly=False
    )
    def version(self, version_id, part):
        """Download a text of a version: the file, or the configuration before or afterwards."""
        version = request.env["finance.configuration.version"].browse(version_id).exists()
        if not version or part not in PARTS:
            raise request.not_found()
        return _download(*version._text(part))


def _download(name, text):
    headers = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Content-Disposition", content_disposition(name)),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    return request.make_response(text.encode(), headers)
