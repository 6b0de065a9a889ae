import hashlib
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import NO_ACCESS

from odoo.addons.finance_connector_base.actions import listing
from odoo.addons.finance_connector_base.canonical import codec

from .. import formats
from ..canonical.statement import BOOKED, Statement

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
    bank lines are then made of the entries in chunks, each in a job of its own, so a
    worker that is killed loses one chunk and the next one makes it anew. A file with accounts of
    several companies is one import in each of them.
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
    namespace = fields.Char(readonly=True, help="Within which ids of entries are unique.")
    column_map = fields.Text(readonly=True, help="As it was when the file was received.")
    digest = fields.Char("SHA-256", readonly=True, index=True)
    size = fields.Integer("Bytes", readonly=True, aggregator=None)
    content_sealed = fields.Binary(attachment=False, groups=NO_ACCESS)
    again_id = fields.Many2one(
        "finance.bank.import",
        "Same Content as",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="An earlier import of the very same content.",
    )
    state = fields.Selection(STATES, default="received", required=True, readonly=True, index=True)
    refusal = fields.Json(readonly=True, help="Code and values of the reason, worded on reading.")
    refusal_words = fields.Text("Why It Was Refused", compute="_compute_refusal_words")
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
    waiting_count = fields.Integer("Waiting", readonly=True)
    progress = fields.Float("Progress (%)", compute="_compute_progress")

    _uuid_unique = models.Constraint("UNIQUE (uuid)", "An identity is used once.")

    @api.depends("entry_count", "waiting_count", "state")
    def _compute_progress(self):
        for row in self:
            over = row.entry_count - row.waiting_count
            share = 100.0 * over / row.entry_count if row.entry_count else 0.0
            row.progress = 100.0 if row.state == "done" else share

    # === RECEIVE === #

    @api.model
    def _receive(self, name, content, source="file", *, journal=None, link=None, column_map=None):
        """Take in a file; return its imports, one for each company whose accounts it tells of.

        name: of the file. content: bytes. source: one of `SOURCES`. journal: chosen by a person;
        needed where the file names no account. column_map: a `formats.ColumnMap`, for CSV and
        XLSX. The whole file is read before anything else: what can't be read, or belongs to no
        account of the user's companies, comes back refused with its reason, and is kept. Raises
        AccessError for who may not enter bank lines.
        """
        self._check_may_import()
        values = self._values(name, content, source, journal, link, column_map)
        try:
            found = formats.summaries(content, column_map=column_map)
        except formats.FormatError as error:
            return self._refused(values, content, _reason(error))
        return self._take_in(values, content, found, journal)

    @api.model
    def _receive_statements(self, link, statements):
        """Take in what an API told: canonical statements with their entries; return the import.

        link: of one account, with journal_id, company_id, connector_id, name and remote_id, within
        which the ids of entries are unique. Nothing told makes no import.
        """
        told = [found for found in statements if found.entries or found.balances]
        if not told:
            return self.browse()
        told = [_summed(statement) for statement in told]
        content = "\n".join(codec.dump(statement) for statement in told).encode()
        values = self._values(link.name, content, "api", link.journal_id, link, None)
        values["namespace"] = f"{told[0].format}:{link.remote_id}"
        return self._take_in(values, content, told, link.journal_id)

    @api.model
    def _check_may_import(self):
        """Refuse who may not enter bank lines by hand either."""
        if self.env["account.bank.statement.line"].has_access("create"):
            return
        self.env["finance.denied.action"]._deny("bank.import", "group", self)
        raise AccessError(
            self.env._(
                "Importing statements enters bank lines, which you may not. Ask for Accounting's"
                " “Show Full Accounting Features”, or ask somebody who has it."
            )
        )

    def _values(self, name, content, source, journal, link, column_map):
        journal = journal or self.env["account.journal"]
        values = {
            "name": name,
            "source": source,
            "user_id": self.env.uid,
            "company_id": (journal.sudo().company_id or self.env.company).id,
            "journal_id": journal.id,
            "connector_id": link.connector_id.id if link else False,
            "column_map": codec.dump(column_map) if column_map else False,
            "digest": hashlib.sha256(content).hexdigest(),
            "size": len(content),
        }
        if link and link.id:
            values["link_id"] = link.id
        return values

    def _refused(self, values, content, reason):
        refused = self.sudo().create(values | {"state": "refused", "refusal": reason})
        refused._keep(content)
        refused._was_refused()
        return refused

    def _take_in(self, values, content, found, journal):
        """Find the accounts; refuse the whole, or write what was told and start the jobs."""
        journals, reason = self.env["account.journal"]._finance_bank_journals(found, journal)
        if reason:
            return self._refused(values, content, reason)
        imports = self.sudo().browse()
        by_company = defaultdict(list)
        for number, one in enumerate(journals):
            by_company[one.company_id].append(number)
        for company, numbers in by_company.items():
            imports |= self._of_company(values, content, company, found, journals, numbers)
        imports._start()
        return imports.with_env(self.env)

    def _of_company(self, values, content, company, found, journals, numbers):
        digest, kind = values["digest"], found[0].format
        values = values | {
            "company_id": company.id,
            "format": kind,
            "namespace": values.get("namespace") or f"file:{kind}",
            "again_id": self._told_before(digest, company).id,
            "journal_ids": [(6, 0, list({journals[number].id for number in numbers}))],
            "statement_count": len(numbers),
            "entry_count": sum(found[number].count for number in numbers),
            "waiting_count": sum(found[number].count for number in numbers),
        }
        row = self.sudo().create(values)
        row._keep(content)
        statements = self.env["finance.bank.statement"].sudo()
        statements._told(row, [(number, found[number], journals[number]) for number in numbers])
        return row

    def _told_before(self, digest, company):
        domain = [
            ("digest", "=", digest),
            ("company_id", "=", company.id),
            ("state", "in", ("running", "done")),
        ]
        return self.sudo().search(domain, order="id", limit=1)

    def _start(self):
        for row in self:
            row.write({"state": "running", "rounds": 1})
        self._enqueue("bank.import", revision=lambda row: row.rounds, priority=20)

    def _told_entries(self):
        """Yield (index of the statement, `Entry`) as the bank tells them, one by one."""
        content = self._content()
        if self.source != "api":
            column_map = None
            if self.column_map:
                column_map = codec.load(formats.ColumnMap, self.column_map)
            yield from formats.entries(content, column_map=column_map)
            return
        for index, line in enumerate(content.decode().splitlines()):
            for entry in codec.load(Statement, line).entries:
                yield index, entry

    # === BUTTONS === #

    def action_open_held(self):
        """List the entries that wait for a decision."""
        return self._open_entries(self.env._("Held"), "held")

    def action_open_skipped(self):
        """List the entries that were told before, with their originals."""
        return self._open_entries(self.env._("Skipped"), "skipped")

    def action_open_lines(self):
        """List the bank lines that were made."""
        self.check_access("read")
        domain = [("finance_entry_ids.import_id", "in", self.ids)]
        name = self.env._("Bank Lines")
        return listing(name, "account.bank.statement.line", domain, context={"create": False})

    def _open_entries(self, name, state):
        self.check_access("read")
        domain = [("import_id", "in", self.ids), ("state", "=", state)]
        return listing(name, "finance.bank.entry", domain)

    # === WORDS === #

    @api.depends("refusal", "name")
    @api.depends_context("lang")
    def _compute_refusal_words(self):
        for row in self:
            row.refusal_words = row._in_words(row.refusal) if row.refusal else False


def _reason(error):
    """What a `FormatError` says, to be worded later for whoever reads."""
    return {
        "code": f"format.{error.code}",
        "what": error.what,
        "line": error.line,
        "element": error.element,
        "value": error.value,
        "advice": error.advice,
    }


def _summed(statement):
    """Return a statement with the count and the sum of its entries, as a file's has them."""
    booked = (entry.amount for entry in statement.entries if entry.status == BOOKED)
    return replace(statement, count=len(statement.entries), booked=sum(booked, Decimal(0)))
