from odoo import http
from odoo.http import content_disposition, request


class PayloadController(http.Controller):
    @http.route("/finance/exchange/<int:exchange_id>/<string:part>", auth="user", readonly=False)
    def exchange(self, exchange_id, part):
        """Download the exact bytes that were sent or received: controllers and auditors only."""
        exchange = request.env["finance.exchange"].browse(exchange_id).exists()
        if not exchange or part not in exchange._sealed_parts.values():
            raise request.not_found()
        body = exchange._open_sealed(part)
        name = f"{exchange.operation}-{exchange.id}-{part}.txt"
        headers = [
            ("Content-Type", "application/octet-stream"),
            ("Content-Disposition", content_disposition(name)),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        return request.make_response(body, headers)
