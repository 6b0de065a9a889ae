import io

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..formats import FormatError, columns, summaries
from ..formats.columns import ColumnMap

DELIMITERS = [
    (";", "Semicolon ;"),
    (",", "Comma ,"),
    ("tab", "Tab"),
    ("|", "Bar |"),
    ("none", "None: an XLSX file"),
]
ORDERS = [
    ("YMD", "Year, month, day (2026-03-02)"),
    ("DMY", "Day, month, year (02.03.2026)"),
    ("MDY", "Month, day, year (03/02/2026)"),
]
MARKS = [(".", "Point (1,234.56)"), (",", "Comma (1.234,56)")]
SIGNS = {"tab": "\t", "none": ""}
KEYS = {sign: key for key, sign in SIGNS.items()}
WORDS = ("credit", "debit", "pending")


class FinanceBankColumnMap(models.Model):
    """How the CSV or XLSX files of one bank are read: what each column is, said once by a person."""

    _name = "finance.bank.column.map"
    _inherit = ["finance.keyed.mixin"]
    _description = "Column Map"
    _order = "name, id"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    journal_ids = fields.Many2many(
        "account.journal",
        string="Bank Accounts",
        domain="[('type', 'in', ('bank', 'cash', 'credit')), ('company_id', '=', company_id)]",
        help="Files of these accounts are read with this map.",
    )
    column_ids = fields.One2many("finance.bank.column", "map_id", string="Columns", copy=True)
    delimiter = fields.Selection(DELIMITERS, required=True, default=";")
    quote = fields.Char(default='"', size=1, help="Sign around cells; empty for none.")
    encoding = fields.Char(help="Empty: found out from the file.")
    sheet = fields.Char(help="Of an XLSX file; empty for the first one.")
    head = fields.Integer("Row of Heads", default=1, help="0: the file has no heads.")
    first = fields.Integer("First Row", default=2, help="The first row with an entry.")
    last = fields.Char("Ends at", help="A word that begins the row behind the last entry.")
    order = fields.Selection(ORDERS, "Dates", required=True)
    mark = fields.Selection(MARKS, "Decimals", required=True)
    negate = fields.Boolean("Money Out is Positive")
    currency = fields.Char("Currency Code", size=3, help="Where no column has it.")
    account = fields.Char("Account", help="IBAN or number, where no column has it.")
    credit = fields.Char("Words for Credit", default=lambda self: ", ".join(columns.CREDIT_WORDS))
    debit = fields.Char("Words for Debit", default=lambda self: ", ".join(columns.DEBIT_WORDS))
    pending = fields.Char(
        "Words for Pending", default=lambda self: ", ".join(columns.PENDING_WORDS)
    )

    # === CHECKS === #

    @api.constrains("journal_ids", "company_id")
    def _check_journals(self):
        for one in self:
            if one.journal_ids.company_id - one.company_id:
                raise ValidationError(
                    self.env._(
                        "%(map)s is of %(company)s: choose bank accounts of that company only.",
                        map=one.name,
                        company=one.company_id.display_name,
                    )
                )

    @api.constrains("column_ids", "order", "mark", "head", "first")
    def _check_map(self):
        for one in self:
            try:
                one._map().check()
            except FormatError as error:
                words = f"{one.name}: {error}"
                raise ValidationError(words) from None
            if one.first <= one.head:
                raise ValidationError(
                    self.env._(
                        "%(map)s: the first row with an entry stands below the row of heads.",
                        map=one.name,
                    )
                )

    # === USE === #

    def _map(self) -> ColumnMap:
        """Return the map as the formats read by it."""
        self.ensure_one()
        words = {
            name: tuple(
                filter(None, (word.strip().lower() for word in (self[name] or "").split(",")))
            )
            for name in WORDS
        }
        return ColumnMap(
            columns=self.column_ids._named(),
            order=self.order or "",
            mark=self.mark or "",
            head=self.head,
            first=self.first,
            last=self.last or "",
            delimiter=SIGNS.get(self.delimiter, self.delimiter or ""),
            quote=self.quote or "",
            sheet=self.sheet or "",
            encoding=self.encoding or "",
            currency=(self.currency or "").upper(),
            account=self.account or "",
            negate=self.negate,
            **words,
        )

    @api.model
    def _values(self, column_map: ColumnMap) -> dict:
        """Return a map of the formats as values of this model, without its columns."""
        names = ("quote", "sheet", "encoding", "head", "first", "last", "order", "mark", "negate",
                 "currency", "account")  # fmt: skip
        values = {name: getattr(column_map, name) or False for name in names}
        values |= {name: ", ".join(getattr(column_map, name)) for name in WORDS}
        values["head"], values["first"] = column_map.head, column_map.first
        values["delimiter"] = KEYS.get(column_map.delimiter, column_map.delimiter)
        return values

    @api.model
    def _of_journals(self, journals):
        """Return the maps for files of ``journals``."""
        return self.sudo().search([("journal_ids", "in", journals.ids)])

    @api.model
    def _fitting(self, content: bytes, journals):
        """Return the only map of ``journals`` that reads the whole file; empty for none or several.

        Two maps that both read it may read different things: then a person chooses.
        """
        fitting = self.browse()
        for one in self._of_journals(journals):
            try:
                summaries(io.BytesIO(content), one._map())
            except FormatError:
                continue
            fitting |= one
        return fitting if len(fitting) == 1 else self.browse()
