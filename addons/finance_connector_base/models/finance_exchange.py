from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS
from odoo.tools import SQL, format_date

from ..fields import WeakMany2one

MAY_OPEN = ("finance_connector_base.group_controller", "finance_connector_base.group_auditor")
VACUUM_ROWS = 5000
PAYLOADS = ("request_masked", "response_masked", "request_sealed", "response_sealed")
OUTCOMES = [
    ("ok", "Answered"),
    ("transient", "Failed, may work later"),
    ("rejected", "Refused"),
    ("auth", "Credentials refused"),
    ("uncertain", "Answer unknown"),
    ("contract", "Answer not as promised"),
]


class FinanceExchange(models.Model):
    """One exchange with the outside: what, when, how long, how it ended.

    Written by the recorder port on its own connection, so that it survives a rollback of the
    business transaction. What is shown is masked; the exact bytes are sealed.
    """

    _name = "finance.exchange"
    _inherit = ["finance.weak.mixin", "finance.sealed.mixin", "finance.personal.mixin"]
    _description = "Exchange"
    _log_access = False
    _sealed_parts = {"request_sealed": "request", "response_sealed": "response"}
    _order = "id desc"

    uuid = fields.Char("UUID", readonly=True)
    connector_id = WeakMany2one("finance.connector", readonly=True, index=True)
    company_id = WeakMany2one("res.company", readonly=True, index=True)
    job_id = WeakMany2one("finance.job", readonly=True, index="btree_not_null")
    trace_id = fields.Char("Trace", readonly=True, index=True)
    operation = fields.Char(readonly=True)
    operation_name = fields.Char("Work", compute="_compute_operation_name")
    method = fields.Char(readonly=True)
    url = fields.Char("URL", readonly=True)
    status = fields.Integer("HTTP status", readonly=True, aggregator=None)
    outcome = fields.Selection(OUTCOMES, readonly=True)
    error_code = fields.Char(readonly=True)
    error_text = fields.Char("What happened", readonly=True)
    request_id = fields.Char("Vendor's request id", readonly=True)
    started_at = fields.Datetime(readonly=True, index=True)
    duration_ms = fields.Float("Duration (ms)", readonly=True, aggregator="avg")
    request_masked = fields.Text("Sent (masked)", readonly=True)
    response_masked = fields.Text("Received (masked)", readonly=True)
    request_sealed = fields.Binary(attachment=False, groups=NO_ACCESS)
    response_sealed = fields.Binary(attachment=False, groups=NO_ACCESS)
    stripped_at = fields.Datetime("Payloads removed on", readonly=True)

    _unstripped_index = models.Index("(started_at) WHERE stripped_at IS NULL")

    @api.depends("operation")
    @api.depends_context("lang")
    def _compute_operation_name(self):
        for exchange in self:
            exchange.operation_name = self.env["finance.operation"]._words(exchange.operation)

    @api.depends("operation")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for exchange in self:
            exchange.display_name = exchange.operation_name or self.env._("Exchange")

    def action_download_request(self):
        """Download the exact bytes that were sent."""
        return self._download("request")

    def action_download_response(self):
        """Download the exact bytes that were received."""
        return self._download("response")

    def _download(self, part):
        self.ensure_one()
        self._check_may_open()
        url = f"/finance/exchange/{self.id}/{part}"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def _open_sealed(self, part):
        """Return the exact bytes of ``part`` ("request" or "response").

        Controllers and auditors only; each opening is an audit event, and so is a refusal. Raises
        AccessError, or UserError when there is nothing to open.
        """
        self.ensure_one()
        self._check_may_open()
        self.env.cr.execute(
            SQL(
                "SELECT %s FROM finance_exchange WHERE id = %s",
                SQL.identifier(f"{part}_sealed"),
                self.id,
            )
        )
        sealed = self.env.cr.fetchone()[0]
        if not sealed and self.stripped_at:
            raise UserError(
                self.env._(
                    "The payloads of exchange %(id)s were removed on %(day)s: they are kept for a"
                    " limited time only.",
                    id=self.id,
                    day=format_date(self.env, self.stripped_at),
                )
            )
        if not sealed:
            raise UserError(self.env._("Exchange %(id)s has no %(part)s.", id=self.id, part=part))
        self.env["finance.audit.event"]._record_many(
            [
                {
                    "kind": "payload.opened",
                    "res_model": self._name,
                    "res_id": self.id,
                    "connector_id": self.connector_id.id,
                    "company_id": self.company_id.id,
                    "trace_id": self.trace_id,
                    "data": {"part": part},
                }
            ]
        )
        vault = self.env["finance.vault"]._vault()
        return vault.open(bytes(sealed), self._name, self.uuid, part)

    def _check_may_open(self):
        self.check_access("read")
        if self.env.su or any(self.env.user.has_group(group) for group in MAY_OPEN):
            return
        self.env["finance.denied.action"]._deny("payload.open", "group", self)
        raise AccessError(
            self.env._("Only a controller or an auditor opens what was sent or received.")
        )

    @api.autovacuum
    def _vacuum(self):
        """Delete what is older than the retention of finished jobs, in small batches.

        Of what changed something at a vendor only the payloads go: when it was delivered and what
        came of it is asked for years later.
        """
        self.env["finance.exchange.day"]._sum_up()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, job_id IS NULL OR operation = ANY(%s) FROM finance_exchange
                 WHERE started_at < now() AT TIME ZONE 'UTC' - interval '1 day' * %s
                   AND stripped_at IS NULL AND NOT %s
                 ORDER BY started_at LIMIT %s
                """,
                self.env["finance.operation"]._asking(),
                self.env["finance.job"]._retention_days(),
                self._held(),
                VACUUM_ROWS,
            )
        )
        asked = [row_id for row_id, asked in rows if asked]
        self.env.cr.execute("DELETE FROM finance_exchange WHERE id = ANY(%s)", [asked])
        self.browse({row_id for row_id, _asked in rows} - set(asked))._strip()
        return len(rows), int(len(rows) == VACUUM_ROWS)

    def _strip(self):
        """Remove what was sent and received; the rest of the rows stays."""
        self._empty(*PAYLOADS, stripped_at=fields.Datetime.now())

    # === ERASING === #

    @api.model
    def _personal_words(self):
        return self.env._("What was sent and received, masked and original")

    @api.model
    def _personal_of(self, subject):
        there = [SQL("%s IS NOT NULL", SQL.identifier(name)) for name in (*PAYLOADS, "error_text")]
        return self._select(
            SQL(
                "trace_id = ANY(%s) AND %s AND (%s)",
                subject.traces,
                subject.of_companies(),
                SQL(" OR ").join(there),
            )
        )

    def _erase_personal(self, basis):
        self._strip()
        # What a vendor says of a failure may quote what it was sent.
        self._empty("error_text", url=SQL("split_part(url, '?', 1)"))
