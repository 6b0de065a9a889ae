"""A run: one batch of an export, from one transaction to the receiver's confirmation."""

from uuid import uuid4

from odoo import fields, models

from odoo.addons.finance_connector_base.fields import BigInteger

# A run in one of these is the only one of its export: what it says comes before what follows.
UNDER_WAY = ("waiting", "building", "built", "delivering", "confirming")
STATES = [
    ("waiting", "Waiting"),
    ("building", "Being written"),
    ("built", "Written"),
    ("blocked", "Stopped: incomplete"),
    ("failed", "Stopped: totals differ"),
    ("overtaken", "Stopped: the receiver is ahead"),
    ("delivering", "Being delivered"),
    ("confirming", "Awaiting confirmation"),
    ("delivered", "Delivered"),
    ("cancelled", "Cancelled"),
]


class FinanceExportRun(models.Model):
    _name = "finance.export.run"
    _inherit = ["finance.job.mixin"]
    _description = "Export Run"
    _order = "id desc"
    _rec_names_search = ["export_id.code", "export_id.name"]

    name = fields.Char(compute="_compute_name")
    uuid = fields.Char(required=True, readonly=True, copy=False, default=lambda self: str(uuid4()))
    trace_id = fields.Char("Trace", readonly=True, copy=False, default=lambda self: uuid4().hex)
    export_id = fields.Many2one(
        "finance.export", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="export_id.company_id", store=True, index=True)
    company_ids = fields.Many2many("res.company", string="Companies", readonly=True)
    connector_id = fields.Many2one("finance.connector", readonly=True, ondelete="restrict")
    number = fields.Integer(
        readonly=True, help="Of the batch, without gaps; given when it is written."
    )
    state = fields.Selection(STATES, required=True, readonly=True, default="waiting", index=True)
    user_id = fields.Many2one("res.users", "Started by", readonly=True, ondelete="set null")
    why = fields.Char("Reason", readonly=True)
    scheduled = fields.Boolean(readonly=True)
    everything = fields.Boolean(
        "Everything", readonly=True, help="Increments were not wanted: all rows were asked for."
    )
    period = fields.Char(readonly=True, help="As 2026-03, where one month was asked for.")
    snapshot = fields.Char(readonly=True, help="PostgreSQL's, of the transaction that was read in.")
    format = fields.Char(readonly=True)
    rows = fields.Integer(readonly=True)
    bytes = BigInteger(readonly=True)
    file_ids = fields.One2many("finance.export.file", "run_id", "Files", readonly=True)
    step_ids = fields.One2many("finance.export.run.feed", "run_id", "Feeds", readonly=True)
    questions = fields.Integer(readonly=True, help="How often the receiver was asked.")
    words = fields.Char("Answer", readonly=True, help="What the receiver said, in its own words.")
    begun_at = fields.Datetime("Begun", readonly=True)
    built_at = fields.Datetime("Written", readonly=True)
    delivered_at = fields.Datetime("Delivered", readonly=True)
    digest = fields.Char("SHA-256 of the Manifest", readonly=True)

    _uuid_unique = models.Constraint("UNIQUE (uuid)", "An identity is used once.")
    _number_unique = models.UniqueIndex(
        "(export_id, number) WHERE number > 0", "A number is given to one batch of an export."
    )
    _one_under_way = models.UniqueIndex(
        "(export_id) WHERE state IN ('waiting', 'building', 'built', 'delivering', 'confirming')",
        "A run of this export is under way already: wait for its end, or cancel it.",
    )

    def _compute_name(self):
        for run in self:
            begun = run.begun_at or run.create_date or fields.Datetime.now()
            begun = fields.Datetime.context_timestamp(run, begun)
            run.name = f"{run.export_id.code} {run.number or begun.strftime('(%Y-%m-%d %H:%M)')}"
