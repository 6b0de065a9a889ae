from odoo import http
from odoo.http import content_disposition, request


class FileController(http.Controller):
    @http.route("/finance/bank/import/<int:import_id>", auth="user", readonly=False)
    def file(self, import_id):
        """Download a bank file exactly as it was received."""
        found = request.env["finance.bank.import"].browse(import_id).exists()
        if not found:
            raise request.not_found()
        headers = [
            ("Content-Type", "application/octet-stream"),
            ("Content-Disposition", content_disposition(found.name)),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        return request.make_response(found._open_file(), headers)
