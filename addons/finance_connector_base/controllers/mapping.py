from odoo import http
from odoo.http import content_disposition, request


class MappingController(http.Controller):
    @http.route("/finance/mapping/<int:version_id>", auth="user", readonly=False)
    def version(self, version_id):
        """Download the lines of a version as CSV."""
        version = request.env["finance.mapping.version"].browse(version_id).exists()
        if not version:
            raise request.not_found()
        text = version._export()
        headers = [
            ("Content-Type", "text/csv; charset=utf-8"),
            ("Content-Disposition", content_disposition(f"{version.display_name}.csv")),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        # the mark tells spreadsheets that it is UTF-8
        return request.make_response(text.encode("utf-8-sig"), headers)
