"""Statutory files to the browser."""

from werkzeug.wsgi import wrap_file

from odoo import http
from odoo.http import Response, content_disposition, request


class StatutoryController(http.Controller):
    @http.route("/finance/statutory/<int:export_id>", auth="user", readonly=False)
    def file(self, export_id):
        """Download a file as it was written."""
        export = request.env["finance.statutory.export"].browse(export_id).exists()
        if not export:
            raise request.not_found()
        file = export._open_file()
        return Response(
            wrap_file(request.httprequest.environ, file),
            direct_passthrough=True,
            headers=[
                ("Content-Type", "application/octet-stream"),
                ("Content-Length", str(export.size)),
                ("Content-Disposition", content_disposition(export.file_name)),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
