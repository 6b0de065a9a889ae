from odoo import http
from odoo.http import Response, content_disposition, request

CHUNK = 1 << 18


class FileController(http.Controller):
    @http.route("/finance/export/file/<int:file_id>", auth="user", readonly=False)
    def file(self, file_id):
        """Download an exported file exactly as it was written, piece by piece."""
        found = request.env["finance.export.file"].browse(file_id).exists()
        if not found:
            raise request.not_found()
        stream = found._download()
        headers = [
            ("Content-Type", "application/octet-stream"),
            ("Content-Disposition", content_disposition(found.name)),
            ("Content-Length", str(found.bytes)),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        pieces = iter(lambda: stream.read(CHUNK), b"")
        response = Response(pieces, headers=headers, direct_passthrough=True)
        response.call_on_close(stream.close)
        return response
