from datetime import UTC

from odoo import api, fields, models

from ..canonical.statement import FINDINGS

KINDS = [
    ("statement", "Statement"),
    ("report", "Intraday report"),
    ("notification", "Notification"),
]

# Findings about what came before: asked again whenever something is imported.
CONTINUITY = ("gap", "again", "opening", "overlap")


class FinanceBankStatement(models.Model):
    """One statement as the bank told it: of one account and one period.

    Odoo's own `account.bank.statement` is not made of it. What it calls complete and valid holds
    only where each line belongs to exactly one statement and all of an account's statements come in
    order; here two sources tell the same bookings, files overlap, and some entries wait for a
    decision. It would also add up all lines of the statement again with each chunk. What a bank
    told, and whether it adds up and follows, is kept here and in `finance.bank.balance`.
    """

    _name = "finance.bank.statement"
    _description = "Received Bank Statement"
    _order = "end_date desc, id desc"

    name = fields.Char(required=True, readonly=True)
    import_id = fields.Many2one(
        "finance.bank.import", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    journal_id = fields.Many2one(
        "account.journal", required=True, readonly=True, index=True, ondelete="restrict"
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    index = fields.Integer(readonly=True, help="Which statement of the file it is, from 0.")
    format = fields.Char(readonly=True)
    kind = fields.Selection(KINDS, required=True, readonly=True)
    bank_ref = fields.Char("Bank's Id", readonly=True)
    number = fields.Char(readonly=True)
    sequence = fields.Char("Electronic Number", readonly=True)
    page = fields.Char(readonly=True)
    start_date = fields.Date("From", readonly=True)
    end_date = fields.Date("To", readonly=True, index=True)
    opening_amount = fields.Monetary("Opening Balance", readonly=True, aggregator=None)
    has_opening = fields.Boolean(readonly=True)
    closing_amount = fields.Monetary("Closing Balance", readonly=True, aggregator=None)
    has_closing = fields.Boolean(readonly=True)
    entry_count = fields.Integer("Entries", readonly=True)
    booked_amount = fields.Monetary("Booked", readonly=True)
    created_at = fields.Datetime("Made by the Bank", readonly=True)
    findings = fields.Json(readonly=True, help="[{code, values}] of the file, worded on reading.")
    continuity = fields.Json(readonly=True, help="The same, compared with other statements.")
    finding_words = fields.Text("What Is Odd", compute="_compute_finding_words")
    is_odd = fields.Boolean("Odd", readonly=True, index=True)
    entry_ids = fields.One2many("finance.bank.entry", "bank_statement_id", readonly=True)
    balance_ids = fields.One2many("finance.bank.balance", "bank_statement_id", readonly=True)

    _journal_index = models.Index("(journal_id, end_date)")

    @api.depends("findings", "continuity")
    @api.depends_context("lang")
    def _compute_finding_words(self):
        known = self._findings_known()
        for statement in self:
            told = (statement.findings or []) + (statement.continuity or [])
            statement.finding_words = "\n".join(
                known.get(found["code"], found["code"]) % found["values"] for found in told
            )

    @api.model
    def _findings_known(self):
        """Return {code of a finding: words} in the reader's language: see `FINDINGS`."""
        _ = self.env._
        return FINDINGS | {
            "balance": _(
                "Opening balance %(opening)s and booked entries of %(entries)s make %(expected)s;"
                " the closing balance is %(closing)s %(currency)s."
            ),
            "gap": _(
                "Statement %(number)s follows %(previous)s: at least one between them is missing."
            ),
            "again": _("Statement %(number)s comes after %(previous)s: the numbers overlap."),
            "opening": _(
                "The opening balance is %(opening)s; the statement before closed with %(closing)s"
                " %(currency)s."
            ),
            "overlap": _("The statement begins on %(start)s; the one before ends on %(end)s."),
            "copy": _("The bank marks this statement as a %(mark)s: it was sent before."),
        }

    # === WHAT A BANK TOLD === #

    @api.model
    def _told(self, row, told):
        """Write the statements of an import, and their balances.

        told: [(index in the file, canonical `Statement`, journal)].
        """
        statements = self.create([self._values(row, *one) for one in told])
        balances = self.env["finance.bank.balance"]
        for statement, (_index, found, _journal) in zip(statements, told, strict=True):
            balances._told(statement, found)
        return statements

    def _values(self, row, index, found, journal):
        opening, closing = found.opening, found.closing
        label = "/".join(filter(None, (found.number or found.sequence, found.page)))
        last = found.end or (closing and closing.day)
        return {
            "name": label or found.id or str(last or row.name),
            "import_id": row.id,
            "company_id": journal.company_id.id,
            "journal_id": journal.id,
            "currency_id": journal._finance_bank_currency().id,
            "index": index,
            "format": found.format,
            "kind": found.kind,
            "bank_ref": found.id,
            "number": found.number or False,
            "sequence": found.sequence or False,
            "page": found.page or False,
            "start_date": found.start or (opening and opening.day),
            "end_date": last,
            "created_at": _naive(found.created),
            "has_opening": bool(opening),
            "opening_amount": float(opening.amount) if opening else 0.0,
            "has_closing": bool(closing),
            "closing_amount": float(closing.amount) if closing else 0.0,
            "entry_count": found.count,
            "booked_amount": float(found.booked),
            "findings": [
                {"code": finding.code, "values": finding.values}
                for finding in found.findings
                if finding.code not in CONTINUITY
            ],
        }


def _naive(moment):
    """A moment as it is stored: UTC without a zone; one without a zone is taken as it is."""
    if moment and moment.tzinfo:
        return moment.astimezone(UTC).replace(tzinfo=None)
    return moment
