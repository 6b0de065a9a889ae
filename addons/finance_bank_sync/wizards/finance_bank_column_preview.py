"""A person says what the columns of a file are, and sees at once what comes of it."""

import base64
import io
from dataclasses import replace
from itertools import islice

from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..formats import FormatError, columns, summaries
from ..formats.columns import ColumnMap
from ..models.finance_bank_column_map import DELIMITERS, MARKS, ORDERS, SIGNS
from ..models.finance_bank_import import _reason

SHOWN = 12  # rows of the preview
SAMPLES = 3
SAMPLE_LENGTH = 60


class FinanceBankColumnPreview(models.TransientModel):
    """A file, what its columns are taken for, and its first rows as they would be read."""

    _name = "finance.bank.column.preview"
    _description = "Columns of a Bank File"

    import_id = fields.Many2one(
        "finance.bank.import",
        readonly=True,
        ondelete="cascade",
        help="The refused import that waits for these columns.",
    )
    map_id = fields.Many2one("finance.bank.column.map", readonly=True, ondelete="cascade")
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    name = fields.Char("Name of the Map", help="The bank's name, say.")
    journal_id = fields.Many2one(
        "account.journal",
        "Bank Account",
        domain="[('type', 'in', ('bank', 'cash', 'credit')), ('company_id', '=', company_id)]",
    )
    file = fields.Binary(attachment=False)
    file_name = fields.Char()
    column_ids = fields.One2many("finance.bank.column.preview.line", "preview_id", "Columns")
    delimiter = fields.Selection(DELIMITERS)
    head = fields.Integer("Row of Heads")
    first = fields.Integer("First Row")
    last = fields.Char("Ends at", help="A word that begins the row behind the last entry.")
    order = fields.Selection(ORDERS, "Dates")
    mark = fields.Selection(MARKS, "Decimals")
    negate = fields.Boolean("Money Out is Positive")
    currency = fields.Char("Currency Code", size=3, help="Where no column has it.")
    questions = fields.Char(compute="_compute_preview")
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    is_complete = fields.Boolean(compute="_compute_preview")

    # === FROM A FILE === #

    @api.model
    def _of_import(self, row, journal=None):
        """Return a preview of the file of a refused import, for a journal."""
        journal = journal or row.journal_id or row.journal_ids[:1]
        wizard = self.create(
            {
                "import_id": row.id,
                "company_id": (journal or row).company_id.id,
                "journal_id": journal.id,
                "file_name": row.name,
                "file": base64.b64encode(row._open_file()),
            }
        )
        wizard._propose()
        return wizard

    @api.onchange("file")
    def _onchange_file(self):
        if self.file:
            self._propose()

    def _content(self) -> bytes:
        """Return the bytes of the file."""
        # forms read with bin_size: then a field has how large it is
        return base64.b64decode(self.with_context(bin_size=False).file or b"")

    def _propose(self):
        """Fill in what the file itself says; what it leaves open stays empty for the person."""
        self.ensure_one()
        try:
            proposal = columns.propose(io.BytesIO(self._content()))
            rows = list(
                islice(columns.rows(io.BytesIO(self._content()), proposal.map), columns.SAMPLE)
            )
        except FormatError as error:
            raise UserError(self._in_words(error)) from None
        found = proposal.map
        delimiter = {sign: key for key, sign in SIGNS.items()}.get(found.delimiter, found.delimiter)
        self.update(
            {
                "name": self.name or self.journal_id.bank_id.name or self.journal_id.name,
                "delimiter": delimiter,
                "head": found.head,
                "first": found.first,
                "order": found.order or False,
                "mark": found.mark or False,
                "column_ids": [Command.clear(), *self._columns(found, rows)],
            }
        )

    def _columns(self, found, rows):
        """Return commands for a line for each column of the file, with its guessed meaning."""
        heads = next((cells for number, cells in rows if number == found.head), ())
        body = [cells for number, cells in rows if number >= found.first]
        width = max((len(cells) for _number, cells in rows), default=0)
        meanings = {head: name.rstrip("0123456789") for name, head in found.columns.items()}
        commands = []
        for index in range(width):
            head = str(heads[index]).strip() if index < len(heads) else ""
            place = f"#{index + 1}"
            values = [
                str(cells[index]) for cells in body if index < len(cells) and cells[index] != ""
            ]
            commands.append(
                Command.create(
                    {
                        "position": index + 1,
                        "head": head or place,
                        "samples": " · ".join(v[:SAMPLE_LENGTH] for v in values[:SAMPLES]),
                        "meaning": meanings.get(head) or meanings.get(place) or False,
                    }
                )
            )
        return commands

    def _in_words(self, error):
        """Return what is wrong with the file, in the reader's language."""
        words = self.env["finance.bank.import"]._in_words(_reason(error))
        return f"{self.file_name}: {words}" if self.file_name else words

    # === WHAT COMES OF IT === #

    def _map(self) -> ColumnMap:
        """Return the map as the person has put it together so far."""
        heads = self.column_ids.mapped("head")
        named = {}
        for column in self.column_ids.sorted("position"):
            name = column.meaning
            if not name:
                continue
            if name == "text" and "text" in named:
                name = f"text{1 + sum(key.startswith('text') for key in named)}"
            # a head that is there twice is told by its place
            unique = column.head and heads.count(column.head) == 1 and self.head
            named.setdefault(name, column.head if unique else f"#{column.position}")
        return ColumnMap(
            columns=named,
            order=self.order or "",
            mark=self.mark or "",
            head=self.head,
            first=self.first,
            last=self.last or "",
            delimiter=SIGNS.get(self.delimiter, self.delimiter or ""),
            currency=(self.currency or "").upper(),
            negate=self.negate,
        )

    @api.depends(
        "file", "delimiter", "head", "first", "last", "order", "mark", "negate", "currency",
        "column_ids.meaning",
    )  # fmt: skip
    def _compute_preview(self):
        for wizard in self:
            wizard.questions = wizard.preview = False
            wizard.is_complete = False
            if not wizard.file or not wizard.column_ids:
                continue
            column_map = wizard._map()
            wizard.questions = wizard._open_questions(column_map)
            try:
                rows = columns.preview(
                    io.BytesIO(wizard._content()), column_map, column_map.first + SHOWN - 1
                )
            except FormatError as error:
                wizard.preview = Markup("<p class='text-danger'>%s</p>") % wizard._in_words(error)
                continue
            wizard.preview = wizard._as_table([row for row in rows if row.number >= wizard.first])
            wizard.is_complete = not wizard.questions and any(row.entry for row in rows)

    def _open_questions(self, column_map):
        """Return in words what only a person can say."""
        _ = self.env._
        names = set(column_map.columns)
        twice = {
            column.meaning
            for column in self.column_ids
            if column.meaning not in (False, "text")
            and self.column_ids.mapped("meaning").count(column.meaning) > 1
        }
        asked = (
            ("date" not in names, _("Say which column is the booking date.")),
            (not names & {"amount", "debit", "credit"}, _("Say which column is the amount.")),
            (not self.order, _("The dates can be read in several ways: choose their order.")),
            (not self.mark, _("The amounts can be read in several ways: choose the decimal sign.")),
            (bool(twice), _("Only texts may stand in several columns.")),
        )
        return " ".join(words for is_open, words in asked if is_open) or False

    def _as_table(self, rows):
        """Return the rows as they would be read, as HTML."""
        _ = self.env._
        heads = (_("Row"), _("Date"), _("Value date"), _("Amount"), _("Counterparty"), _("Text"))
        cell = Markup("<td>%s</td>")
        number = Markup("<td class='text-end text-nowrap'>%s</td>")
        lines = []
        for row in rows:
            if row.entry:
                entry, detail = row.entry, row.entry.details[0]
                party = entry.counterparty(detail)
                read = (
                    cell % (entry.booking_date or "")
                    + cell % (entry.value_date or "")
                    + number % f"{entry.amount:,.2f} {entry.currency}".strip()
                    + cell % " ".join(filter(None, (party.name, party.account)))
                    + cell % detail.text
                )
            else:
                wrong = Markup("<td colspan='5' class='text-danger'>%s</td>")
                read = wrong % (row.problem or _("empty"))
            lines.append(Markup("<tr><td class='text-muted'>%s</td>%s</tr>") % (row.number, read))
        head = Markup("").join(Markup("<th>%s</th>") % word for word in heads)
        table = Markup(
            "<table class='table table-sm'><thead><tr>%s</tr></thead><tbody>%s</tbody></table>"
        )
        return table % (head, Markup("").join(lines))

    # === BUTTONS === #

    def action_read_again(self):
        """Take the rows apart anew, by another sign between the columns or another row of heads."""
        self.ensure_one()
        column_map = replace(self._map(), columns={})
        try:
            rows = list(
                islice(columns.rows(io.BytesIO(self._content()), column_map), columns.SAMPLE)
            )
        except FormatError as error:
            raise UserError(self._in_words(error)) from None
        heads = next((cells for number, cells in rows if number == self.head), ())
        known = columns._known([str(cell) for cell in heads])
        named = {name: str(heads[index]) for name, index in known.items()}
        commands = self._columns(replace(column_map, columns=named), rows)
        self.column_ids = [Command.clear(), *commands]
        return self._again()

    def action_save(self):
        """Keep the map; the import that waited for it is read with it."""
        self.ensure_one()
        self._check_file()
        saved = self._save()
        infos = {"map_id": saved.id}
        if self.import_id:
            imports = self.env["finance.bank.import"]._receive_file(
                self.import_id.name, self._content(), journal=self.journal_id, column_map=saved
            )
            desk = self.env["finance.bank.desk"]
            infos["imports"] = [desk._import_values(row) for row in imports]
        return {"type": "ir.actions.act_window_close", "infos": infos}

    def _check_file(self):
        """The whole file can be read, not only the rows that are shown."""
        if self.questions:
            raise UserError(self.questions)
        try:
            summaries(io.BytesIO(self._content()), self._map())
        except FormatError as error:
            raise UserError(self._in_words(error)) from None

    def _save(self):
        maps = self.env["finance.bank.column.map"]
        column_map = self._map()
        told = [
            Command.create({"sequence": number, "head": head, "meaning": name.rstrip("0123456789")})
            for number, (name, head) in enumerate(column_map.columns.items(), 1)
        ]
        values = maps._values(column_map) | {
            "name": self.name or self.journal_id.name or self.file_name or self.env._("Bank file"),
            "company_id": self.company_id.id,
            "column_ids": [Command.clear(), *told],
        }
        if self.journal_id:
            values["journal_ids"] = [Command.link(self.journal_id.id)]
        if not self.map_id:
            self.map_id = maps.create(values)
        else:
            self.map_id.write(values)
        return self.map_id

    def _again(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }
