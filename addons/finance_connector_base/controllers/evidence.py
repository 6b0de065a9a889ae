import tempfile
from pathlib import Path

from werkzeug.wsgi import wrap_file

from odoo import http
from odoo.http import Response, content_disposition, request


class EvidenceController(http.Controller):
    @http.route("/finance/evidence/<int:export_id>", auth="user", readonly=False)
    def evidence(self, export_id):
        """Download what was chosen in the wizard *Export Evidence*: its author only."""
        export = request.env["finance.audit.export"].search([("id", "=", export_id)])
        if not export:
            raise request.not_found()
        # On disk only while it is sent: it holds names and is kept nowhere.
        with tempfile.NamedTemporaryFile(prefix="finance-evidence-") as made:
            export._write(Path(made.name))
            file = open(made.name, "rb")
        return Response(
            wrap_file(request.httprequest.environ, file),
            direct_passthrough=True,
            headers=[
                ("Content-Type", "application/zip"),
                ("Content-Disposition", content_disposition(export._file_name())),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
