"""An export: which feeds of which companies go where, when and under which rules."""

from uuid import uuid4

from odoo import fields, models

FORMATS = [
    ("csv", "CSV"),
    ("csv.gz", "CSV, gzip"),
    ("csv.zst", "CSV, zstd"),
    ("jsonl", "JSON Lines"),
    ("jsonl.gz", "JSON Lines, gzip"),
    ("parquet", "Parquet"),
]
# What a batch does when something is missing or open.
POLICIES = [("block", "Stop the batch"), ("mark", "Mark the batch"), ("ignore", "Don't ask")]


class FinanceExport(models.Model):
    """Feeds that are delivered together: read in one transaction, so of one moment."""

    _name = "finance.export"
    _inherit = ["finance.job.mixin", "mail.thread", "mail.activity.mixin"]
    _description = "Export"
    _order = "name, id"

    name = fields.Char(required=True, tracking=True)
    code = fields.Char(required=True, help="Folder at the destination: small letters, digits, - _.")
    uuid = fields.Char(required=True, readonly=True, copy=False, default=lambda self: str(uuid4()))
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        "Kept by",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        help="Whose jobs, exceptions and mappings of the group these are.",
    )
    company_ids = fields.Many2many(
        "res.company",
        string="Companies",
        required=True,
        default=lambda self: self.env.company,
        tracking=True,
    )
    user_id = fields.Many2one(
        "res.users",
        "Reads as",
        required=True,
        default=lambda self: self.env.user,
        tracking=True,
        help="Rows that this person may not read are not exported.",
    )
    connector_id = fields.Many2one(
        "finance.connector",
        "Destination",
        tracking=True,
        ondelete="restrict",
        help="Empty: the files are kept here for download.",
    )
    feed_ids = fields.One2many("finance.export.feed", "export_id", "Feeds", copy=True)
    format = fields.Selection(FORMATS, required=True, default="csv.gz", tracking=True)
    acknowledged = fields.Boolean(
        "Await Acknowledgement",
        help="A batch is delivered only when the receiver has confirmed its rows.",
    )
    keep_days = fields.Integer("Keep Files (days)", default=90)
    keep_totals_days = fields.Integer(
        "Keep Totals (days)",
        default=730,
        help="Control totals of runs that are older are removed, but for those that differ and those"
        " of the last delivered run. The receiver has them in the manifest. 0: all are kept.",
    )
    number_there = fields.Integer(
        "Batch at the Receiver",
        readonly=True,
        copy=False,
        help="The last one that the receiver has and this database does not know; the next batch"
        " comes after it.",
    )
    run_ids = fields.One2many("finance.export.run", "export_id", "Runs", readonly=True)

    _code_unique = models.Constraint("UNIQUE (code)", "There is an export with this code already.")
    _uuid_unique = models.Constraint("UNIQUE (uuid)", "An identity is used once.")
