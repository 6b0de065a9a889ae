from uuid import uuid4

from odoo import fields, models
from odoo.fields import NO_ACCESS

SOURCES = [
    ("file", "File"),
    ("folder", "Folder"),
    ("sftp", "SFTP"),
    ("api", "Bank link"),
]
STATES = [
    ("received", "Received"),
    ("running", "Under way"),
    ("done", "Done"),
    ("refused", "Refused"),
]


class FinanceBankImport(models.Model):
    """One file, or one pull from a bank: kept as it came, read whole or refused whole.

    What it says becomes `finance.bank.statement` and `finance.bank.entry` in one transaction;
    bank lines are then made of the entries in chunks, each a job of its own.
    """

    _name = "finance.bank.import"
    _inherit = ["finance.job.mixin", "finance.sealed.mixin"]
    _description = "Bank Import"
    _order = "id desc"
    _sealed_parts = {"content_sealed": "content"}

    name = fields.Char("File", required=True, readonly=True)
    uuid = fields.Char(required=True, readonly=True, copy=False, default=lambda self: str(uuid4()))
    trace_id = fields.Char("Trace", readonly=True, copy=False, default=lambda self: uuid4().hex)
    source = fields.Selection(SOURCES, required=True, readonly=True, default="file")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    connector_id = fields.Many2one("finance.connector", readonly=True, ondelete="set null")
    user_id = fields.Many2one("res.users", "Imported by", readonly=True, ondelete="set null")
    journal_id = fields.Many2one(
        "account.journal", "Chosen Journal", readonly=True, ondelete="set null"
    )
    journal_ids = fields.Many2many("account.journal", string="Journals", readonly=True)
    format = fields.Char(readonly=True, help="camt, mt940, ofx, bai2, qif, csv, xlsx or a provider")
    digest = fields.Char("SHA-256", readonly=True, index=True)
    size = fields.Integer("Bytes", readonly=True, aggregator=None)
    content_sealed = fields.Binary(attachment=False, groups=NO_ACCESS)
    again_id = fields.Many2one(
        "finance.bank.import",
        "Same File as",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="An earlier import of the very same content.",
    )
    state = fields.Selection(STATES, default="received", required=True, readonly=True, index=True)
    refusal = fields.Json(readonly=True, help="Code and values of the reason, worded on reading.")
    rounds = fields.Integer(readonly=True, help="How many jobs it has had.")
    received_at = fields.Datetime(readonly=True, default=fields.Datetime.now)
    finished_at = fields.Datetime(readonly=True)

    statement_ids = fields.One2many("finance.bank.statement", "import_id", readonly=True)
    entry_ids = fields.One2many("finance.bank.entry", "import_id", readonly=True)
    statement_count = fields.Integer("Statements", readonly=True)
    entry_count = fields.Integer("Entries", readonly=True)
    created_count = fields.Integer("Created", readonly=True)
    skipped_count = fields.Integer("Skipped", readonly=True)
    pending_count = fields.Integer("Pending", readonly=True)
    information_count = fields.Integer("Information", readonly=True)
    held_count = fields.Integer("Held", readonly=True)

    _uuid_unique = models.Constraint("UNIQUE (uuid)", "An identity is used once.")
