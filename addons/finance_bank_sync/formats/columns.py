"""CSV and XLSX files by a saved map of their columns.

`propose` looks at a file and says how it could be read and what a person has to choose; `preview`
shows what a map makes of the first rows; `parse` reads by the map and guesses nothing.
"""

import csv
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import islice

from ..canonical.statement import (
    BOOKED,
    CLOSING,
    OPENING,
    PENDING,
    Account,
    Balance,
    Detail,
    Entry,
    Party,
    Statement,
    TransactionCode,
)
from . import style, values, xlsx
from .errors import FormatError
from .tally import Tally

# What a column may be, and words that its head has, in small letters.
FIELDS = {
    "date": "date;booking date;booked;transaction date;buchungstag;buchungsdatum;datum;fecha;data;"
    "date comptable;date operation;date opération;boekdatum;dato;päivämäärä;dátum",
    "value_date": "value date;valuta;valutadatum;wertstellung;date valeur;date de valeur;fecha valor;"
    "data valuta;rentedatum",
    "amount": "amount;betrag;umsatz;montant;importe;importo;bedrag;kwota;belopp;beløb;summa;valor",
    "debit": "debit;débit;soll;belastung;paid out;money out;withdrawal;withdrawals;cargo;dare;ausgang",
    "credit": "credit;crédit;haben;gutschrift;paid in;money in;deposit;deposits;abono;avere;eingang",
    "indicator": "debit/credit;credit/debit;dr/cr;cr/dr;s/h;soll/haben;af bij;sens;type of entry",
    "currency": "currency;ccy;währung;waehrung;devise;divisa;valuta code;munt;waluta;valuutta",
    "balance": "balance;running balance;saldo;kontostand;solde;saldo contabile",
    "account": "account;account number;own account;auftragskonto;iban;compte;rekening;cuenta;konto",
    "name": "name;counterparty;payee;beguenstigter/zahlungspflichtiger;empfänger;auftraggeber;"
    "naam tegenpartij;beneficiary;tiers;nombre;odbiorca",
    "party_account": "counterparty account;counterparty iban;kontonummer/iban;tegenrekening;payee iban;"
    "beneficiary account;iban tegenrekening;konto odbiorcy",
    "party_bic": "bic;swift;bic (swift-code);counterparty bic",
    "text": "description;details;memo;reference text;narrative;verwendungszweck;libellé;libelle;"
    "concepto;causale;omschrijving;opis;text;buchungstext;remittance information;message",
    "reference": "reference;ref;referenz;référence;referencia;customer reference;kundenreferenz",
    "end_to_end_id": "end to end id;endtoendid;end-to-end reference;kundenreferenz (end-to-end)",
    "mandate": "mandate;mandatsreferenz;mandate id;rum",
    "unique_id": "transaction id;id;transaction number;umsatz-id;transaktions-id",
    "code": "type;transaction type;transaction code;code;mutatiesoort",
    "original_amount": "original amount;foreign amount;ursprungsbetrag",
    "original_currency": "original currency;foreign currency;ursprungswährung",
    "rate": "exchange rate;rate;kurs;taux",
    "status": "status;state;statut;estado",
}
HEADS = {head: name for name, heads in FIELDS.items() for head in heads.split(";")}
DELIMITERS = (";", ",", "\t", "|")
SAMPLE = 1000  # rows that a proposal looks at
HEAD_ROWS = 40  # rows among which the head is looked for
MAX_FIELD = 1 << 16
CREDIT_WORDS = ("c", "cr", "crdt", "credit", "h", "haben", "bij", "in", "+")
DEBIT_WORDS = ("d", "dr", "dbit", "debit", "s", "soll", "af", "out", "-")
PENDING_WORDS = ("pending", "vorgemerkt", "authorised", "authorized", "en attente", "pendiente")


@dataclass(frozen=True)
class ColumnMap:
    """How one bank's file is read; kept as it is and used again for every file of that bank.

    columns: {name in `FIELDS`: head of the column, or "#3" for the third one}; text may name
    several, as text, text2, text3… head: row number of the heads, 0 for none; first: row number of
    the first entry. last: a word that begins the row behind the last entry, "" for none. order: of
    dates, one of `style.ORDERS`; mark: before decimals, one of `style.MARKS`. negate: money out is
    positive. delimiter "" stands for an XLSX file, then sheet names its sheet ("" for the first).
    encoding "" is found out. currency, account: where no column has them. credit, debit, pending:
    words of the indicator and of the status, in small letters.
    """

    columns: dict[str, str]
    order: str
    mark: str
    head: int = 1
    first: int = 2
    last: str = ""
    delimiter: str = ""
    quote: str = '"'
    sheet: str = ""
    encoding: str = ""
    currency: str = ""
    account: str = ""
    negate: bool = False
    credit: tuple[str, ...] = CREDIT_WORDS
    debit: tuple[str, ...] = DEBIT_WORDS
    pending: tuple[str, ...] = PENDING_WORDS

    def check(self):
        """Raise FormatError for a map that can't read anything."""
        names = set(self.columns)
        unknown = [name for name in names if name.rstrip("0123456789") not in FIELDS]
        if unknown:
            raise FormatError("value", "The column map has an unknown field", value=unknown[0])
        if "date" not in names or not names & {"amount", "debit", "credit"}:
            raise FormatError("missing", "The column map needs a date and an amount",
                              advice="Choose the columns of date and amount.")  # fmt: skip
        if self.order not in style.ORDERS or self.mark not in style.MARKS:
            raise FormatError("ambiguous", "The column map names no order of dates or decimal mark")


# === READING === #


def parse(file, column_map: ColumnMap):
    """Yield each `Entry` of a statement and after them its `Statement`, from a binary file.

    Raises FormatError. Where a column tells the account, a new one begins a new statement.
    """
    column_map.check()
    table = _Table(column_map, None, set())
    for number, cells in rows(file, column_map):
        if column_map.head and number == column_map.head:
            table = _Table(column_map, cells, table.closed)
        if number < column_map.first or not any(cells):
            continue
        if column_map.last and str(cells[0]).startswith(column_map.last):
            break
        yield from table.take(number, cells)
    if not table.total:
        raise FormatError("empty", "The file has no rows")
    yield table.finish()


def rows(file, column_map: ColumnMap):
    """Yield (row number, cells) of a file; the row number of CSV is that of the row's last line."""
    if not column_map.delimiter:
        yield from xlsx.rows(file, column_map.sheet)
        return
    encoding = column_map.encoding or values.encoding_of(file)
    reader = csv.reader(
        (f"{line}\n" for _number, line in values.lines(file, encoding)),
        delimiter=column_map.delimiter,
        quotechar=column_map.quote or None,
        quoting=csv.QUOTE_MINIMAL if column_map.quote else csv.QUOTE_NONE,
        strict=True,
    )
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if any(len(cell) > MAX_FIELD for cell in cells):
                raise FormatError("size", "A cell is too long", line=reader.line_num)
            yield reader.line_num, cells
    except csv.Error as error:
        code = "truncated" if "end of data" in str(error) else "syntax"
        raise FormatError(code, "The row is no CSV", line=reader.line_num, value=error) from None


class _Table:
    """The rows of a file while they go by."""

    def __init__(self, column_map, heads, closed):
        self.map = column_map
        self.closed = closed
        self.total = 0
        self.indexes = {
            name: self._index(name, head, heads) for name, head in column_map.columns.items()
        }
        texts = (name for name in self.indexes if name.rstrip("0123456789") == "text")
        self.texts = sorted(texts, key=lambda name: (len(name), name))
        self._open("")

    def _index(self, name, head, heads):
        if head.startswith("#") and head[1:].isdecimal() and 0 < int(head[1:]) <= xlsx.MAX_COLUMNS:
            return int(head[1:]) - 1
        if heads is None:
            return None
        found = [index for index, cell in enumerate(heads) if str(cell) == head]
        if len(found) != 1:
            what = (
                "The file has no column of this name" if not found else "Two columns have this name"
            )
            raise FormatError("missing", what, line=self.map.head, element=name, value=head,
                              advice="Change the column map, or choose the file of the right bank.")  # fmt: skip
        return found[0]

    def _open(self, account):
        self.account = account
        self.tally = Tally()
        self.days = []
        self.running = _Running()

    def take(self, number, cells):
        """Yield the entry of a row, before it the statement that a new account ends."""
        row = _Row(self, number, cells)
        account = row.text("account") or self.map.account
        if self.tally.count and account != self.account:
            yield self.finish()
            self.closed.add(self.account)
            self._open(account)
        if account in self.closed:
            raise row.error("account", "account", "The rows of an account are not together")
        self.account = account
        entry = row.entry(self.tally.count + 1)
        day = entry.booking_date
        self.days = [min([day, *self.days]), max([day, *self.days])]
        if "balance" in self.indexes:
            self.running.see(row.amount("balance"), entry.amount, entry.place)
        self.total += 1
        yield self.tally.add(entry)

    def finish(self):
        """Return the Statement."""
        own = values.account(self.account, self.tally.currency) if self.account else Account()
        currency = self.tally.currency or own.currency
        if self.running.broken:
            self.tally.find("running", place=self.running.broken)
        return self.tally.close(
            Statement(
                account=replace(own, currency=currency),
                format="csv" if self.map.delimiter else "xlsx",
                start=self.days[0],
                end=self.days[1],
                balances=self.running.balances(currency, self.days),
            )
        )


class _Running:
    """The column of balances: does each follow from the row before, or from the row behind?"""

    def __init__(self):
        self.first = self.last = None  # (balance, amount)
        self.upward = self.downward = ""  # place where the order breaks

    def see(self, balance, amount, place):
        if balance is None:
            return
        if self.last:
            before, moved = self.last
            if before + amount != balance:
                self.downward = self.downward or place
            if before - moved != balance:
                self.upward = self.upward or place
        self.first = self.first or (balance, amount)
        self.last = (balance, amount)

    @property
    def broken(self):
        """The place where neither order holds any more, "" where one holds."""
        return self.downward if self.upward and self.downward else ""

    def balances(self, currency, days):
        """Return the balances before the oldest and behind the newest row; () where they break."""
        if not self.last or self.broken:
            return ()
        oldest, newest = (self.first, self.last) if not self.downward else (self.last, self.first)
        return (
            Balance(OPENING, oldest[0] - oldest[1], currency, days[0]),
            Balance(CLOSING, newest[0], currency, days[1]),
        )


class _Row:
    """One row of a file."""

    def __init__(self, table, number, cells):
        self.table = table
        self.map = table.map
        self.number = number
        self.cells = cells

    def cell(self, name):
        index = self.table.indexes.get(name)
        return self.cells[index] if index is not None and index < len(self.cells) else ""

    def text(self, name):
        return str(self.cell(name)).strip()

    def error(self, code, name, what):
        where = self.map.columns.get(name, name)
        return FormatError(code, what, line=self.number, element=where, value=self.text(name))

    def amount(self, name):
        """Return the amount in a column, None where it is empty."""
        cell = self.cell(name)
        if isinstance(cell, Decimal):
            return values.decimal(str(cell), line=self.number, element=self.map.columns[name])
        if cell == "":
            return None
        try:
            return style.amount(str(cell), self.map.mark)
        except ValueError:
            raise self.error("amount", name, "This is no amount") from None

    def day(self, name):
        """Return the date in a column, None where it is empty."""
        cell = self.cell(name)
        if isinstance(cell, date) or cell == "":
            return cell or None
        try:
            return style.day(str(cell), self.map.order)
        except ValueError:
            raise self.error("date", name, "This is no date") from None

    def entry(self, position):
        """Return the Entry."""
        day = self.day("date")
        if day is None:
            raise self.error("missing", "date", "The row has no date")
        amount = self._signed()
        currency = self.text("currency") or self.map.currency
        if currency:
            values.currency(
                currency, line=self.number, element=self.map.columns.get("currency", "")
            )
        code = self.text("code")
        return Entry(
            position=position,
            status=PENDING if self.text("status").lower() in self.map.pending else BOOKED,
            amount=amount,
            currency=currency,
            booking_date=day,
            value_date=self.day("value_date"),
            original_amount=self.amount("original_amount"),
            original_currency=self.text("original_currency"),
            rate=self.amount("rate"),
            unique_id=self.text("unique_id"),
            reference=self.text("reference"),
            code=TransactionCode(proprietary=code),
            details=(self._detail(amount),),
            place=f"row {self.number}",
        )

    def _signed(self):
        amount = self.amount("amount")
        if amount is None:
            amount = self._of_two()
        elif "indicator" in self.map.columns:
            amount = self._indicated(amount)
        return -amount if self.map.negate else amount

    def _of_two(self):
        debit, credit = self.amount("debit"), self.amount("credit")
        if debit and credit:
            raise self.error("amount", "credit", "The row has a debit and a credit")
        if debit is None and credit is None:
            raise self.error("missing", "amount", "The row has no amount")
        return -abs(debit) if debit else credit or Decimal(0)

    def _indicated(self, amount):
        word = self.text("indicator").lower()
        if word in self.map.credit:
            return abs(amount)
        if word in self.map.debit:
            return -abs(amount)
        raise self.error("value", "indicator", "This is neither credit nor debit")

    def _detail(self, amount):
        other = Party(
            name=self.text("name"),
            account=values.account(self.text("party_account")).identifier,
            bic=self.text("party_bic"),
        )
        return Detail(
            end_to_end_id=self.text("end_to_end_id"),
            mandate=self.text("mandate"),
            remittance=tuple(filter(None, (self.text(name) for name in self.table.texts))),
            debtor=other if amount > 0 else Party(),
            creditor=Party() if amount > 0 else other,
        )


# === PREVIEW AND PROPOSAL === #


@dataclass(frozen=True)
class PreviewRow:
    """A row as it stands and what the map makes of it: an entry or, in words, why none."""

    number: int
    cells: tuple[str, ...]
    entry: Entry | None = None
    problem: str = ""


def preview(file, column_map: ColumnMap, limit=20) -> tuple[PreviewRow, ...]:
    """Return the first ``limit`` rows as the map reads them; problems are told row by row.

    Raises FormatError where not even the rows can be told apart.
    """
    found = list(islice(rows(file, column_map), limit))
    heads = next((cells for number, cells in found if number == column_map.head), None)
    try:
        column_map.check()
        table, problem = _Table(column_map, heads, set()), ""
    except FormatError as error:
        table, problem = None, str(error)
    return tuple(_previewed(table, number, cells, problem) for number, cells in found)


def _previewed(table, number, cells, problem):
    row = PreviewRow(number, tuple(str(cell) for cell in cells), problem=problem)
    if not table or number < table.map.first or not any(row.cells):
        return row
    try:
        return replace(row, entry=_Row(table, number, cells).entry(number - table.map.first + 1))
    except FormatError as error:
        return replace(row, problem=str(error))


@dataclass(frozen=True)
class Proposal:
    """How a file could be read.

    map: the best guess; order and mark are "" where a person has to choose. questions: {"order",
    "mark", "columns" or "delimiter": the ways there are}.
    """

    map: ColumnMap
    questions: dict[str, tuple[str, ...]] = field(default_factory=dict)


def propose(file) -> Proposal:
    """Return how a CSV or XLSX file could be read, from its first rows. Raises FormatError."""
    packed = file.read(4) == b"PK\x03\x04"
    file.seek(0)
    delimiters = ("",) if packed else _delimiters(file)
    guess = ColumnMap({}, "", "", delimiter=delimiters[0])
    sample = list(islice(rows(file, guess), SAMPLE))
    if not sample:
        raise FormatError("empty", "The file has no rows")
    head = _head(sample)
    cells = [str(cell) for number, row in sample if number == head for cell in row]
    indexes = _known(cells)
    columns = {
        name: cells[index] if cells.count(cells[index]) == 1 else f"#{index + 1}"
        for name, index in indexes.items()
    }
    body = [row for number, row in sample if number > head]
    first = next((number for number, row in sample if number > head and any(row)), head + 1)
    guess = replace(guess, columns=columns, head=head, first=first)
    questions = {"delimiter": delimiters} if len(delimiters) > 1 else {}
    if "date" not in columns or not set(columns) & {"amount", "debit", "credit"}:
        questions["columns"] = tuple(cells or map(str, sample[0][1]))
    chosen = {}
    for name, fields, reader, every in (
        ("order", ("date", "value_date"), style.day, style.ORDERS),
        ("mark", ("amount", "debit", "credit", "balance"), style.amount, style.MARKS),
    ):
        ways = _ways(indexes, body, fields, reader, every)
        if len(ways) == 1:
            chosen[name] = ways[0]
        else:
            questions[name] = ways or every
    return Proposal(replace(guess, **chosen), questions)


def _delimiters(file):
    """Return the delimiter that gives most rows of equal length; all of them for a tie."""
    scores = {}
    for delimiter in DELIMITERS:
        guess = ColumnMap({}, "", "", delimiter=delimiter)
        try:
            lengths = Counter(len(cells) for _n, cells in islice(rows(file, guess), HEAD_ROWS))
        except FormatError:
            continue
        scores[delimiter] = max((count * (n - 1) for n, count in lengths.items()), default=0)
    best = max(scores.values(), default=0)
    if not best:
        raise FormatError("unknown", "The file is no table")
    return tuple(delimiter for delimiter, score in scores.items() if score == best)


def _head(sample):
    """Return the number of the row with most known heads, 0 where none has two of them."""
    known = {
        number: sum(str(cell).strip().lower() in HEADS for cell in cells)
        for number, cells in sample[:HEAD_ROWS]
    }
    best = max(known, key=known.get)
    return best if known[best] > 1 else 0


def _known(cells):
    """Return {name in `FIELDS`: index} of the heads that are known."""
    found = {}
    for index, cell in enumerate(cells):
        name = HEADS.get(cell.strip().lower())
        if name == "text" and "text" in found:
            name = f"text{sum(key.startswith('text') for key in found) + 1}"
        if name:
            found.setdefault(name, index)
    return found


def _ways(columns, body, names, reader, ways):
    """Return the ways in which all texts of the columns ``names`` can be read."""
    readings = style.Readings(reader, ways)
    indexes = [columns[name] for name in names if name in columns]
    if not indexes:
        return ()
    texts = (row[index] for row in body for index in indexes if index < len(row))
    try:
        for text in texts:
            if isinstance(text, str) and text:
                readings.see(text)
    except ValueError:
        return ()
    return readings.ways()
