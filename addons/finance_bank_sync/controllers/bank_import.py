"""Statement files from the browser."""

from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.http import request

MOST_BYTES = 256 << 20


class BankImport(http.Controller):
    """Files come as they are, not as text in JSON: a day of a large account has 100 MB."""

    @http.route("/finance/bank/import", type="http", auth="user", methods=["POST"])
    def receive(self, ufile, journal_id=None, **_kwargs):
        """Take one file; answer {"imports": how far they are} or {"error": why not, in words}."""
        content = ufile.stream.read(MOST_BYTES + 1)
        desk = request.env["finance.bank.desk"]
        if len(content) > MOST_BYTES:
            words = request.env._(
                "The file has more than 256 MB. Ask the bank for a shorter period."
            )
            return request.make_json_response({"error": words})
        journal = int(journal_id) if journal_id and journal_id.isdecimal() else None
        try:
            with request.env.cr.savepoint():
                imports = desk._receive(ufile.filename, content, journal)
            return request.make_json_response({"imports": imports})
        except (AccessError, UserError) as error:
            return request.make_json_response({"error": str(error)})
