"""The entries of the audit file: journal by journal, one entry in memory at a time."""

import json
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from .books import text
from .saft_no_sql import LINES
from .saft_no_xml import NAMESPACE, add, side, tree
from .tax_shares import Item, shares

JOURNAL_TYPES = {"sale": "AR", "purchase": "AP", "bank": "B", "cash": "C", "credit": "CC"}
VOUCHERS = {
    "out_invoice": ("SI", "Sales invoice"),
    "out_refund": ("SC", "Sales credit note"),
    "out_receipt": ("SR", "Sales receipt"),
    "in_invoice": ("PI", "Purchase invoice"),
    "in_refund": ("PC", "Purchase credit note"),
    "in_receipt": ("PR", "Purchase receipt"),
}
RATE = Decimal("0.00000001")
HUNDRED = Decimal(100)


class Row(NamedTuple):
    """One item as `saft_no_sql.LINES` tells it."""

    journal_id: int
    journal: str
    journal_name: str
    journal_type: str
    move_id: int
    number: str
    move_type: str
    day: date
    document_day: date
    entered: date
    author: str
    ref: str
    payment_reference: str
    exigible: bool
    line_id: int
    account: str
    party: str
    party_number: str
    label: str
    due: date
    debit: str
    credit: str
    balance: str
    currency: str
    currency_amount: str
    analysis: str
    taxes: list
    tax: int
    counter: bool


class Entries:
    """What all entries share, and what was counted of them.

    taxes: rows of `saft_no_sql.TAXES`. members: {tax: taxes that it stands for}. plans:
    {analytic account: its plan}.
    """

    def __init__(self, books, taxes, members, plans):
        self.year_first = books.year_first
        self.cent = Decimal(1).scaleb(-books.decimals)
        self.taxes = {tax[0]: tax for tax in taxes}
        self.members = members
        self.plans = plans
        self.count = self.lines = 0
        self.debit = self.credit = Decimal(0)

    def charged(self, row):
        """Return the taxes that a row tells the authority of: not those due on payment only."""
        found = []
        for tax in row.taxes or ():
            for one in self.members.get(tax, (tax,)):
                if row.exigible or not self.taxes[one][-1]:
                    found.append(one)
        return tuple(dict.fromkeys(found))

    def add(self, row):
        """Count one item."""
        self.lines += 1
        self.debit += Decimal(row.debit)
        self.credit += Decimal(row.credit)


def journals(file, entries, rows):
    """Write every entry of the period into the open element; counts them in ``entries``."""
    told = map(Row._make, rows(LINES))
    for _journal, of_journal in groupby(told, key=lambda row: row.journal_id):
        moves = groupby(of_journal, key=lambda row: row.move_id)
        _move, first = next(moves)
        first = list(first)
        with file.element(f"{NAMESPACE}Journal"):
            head = first[0]
            file.write(tree("JournalID", text(head.journal, 18)))
            file.write(tree("Description", text(head.journal_name, 256) or head.journal))
            file.write(tree("Type", JOURNAL_TYPES.get(head.journal_type, "GL")))
            file.write(_transaction(entries, first))
            for _move, lines in moves:
                file.write(_transaction(entries, list(lines)))


def _transaction(entries, rows):
    entries.count += 1
    head = rows[0]
    voucher = VOUCHERS.get(head.move_type, (None, None))
    first = entries.year_first
    period = (head.day.year - first.year) * 12 + head.day.month - first.month + 1
    transaction = tree(
        "Transaction",
        ("TransactionID", text(head.number, 70)),
        ("Period", str(period)),
        ("PeriodYear", str(first.year)),
        ("TransactionDate", str(head.document_day)),
        ("SourceID", text(head.author, 35)),
        ("VoucherType", voucher[0]),
        ("VoucherDescription", voucher[1]),
        ("Description", text(head.ref, 256) or text(head.number, 256)),
        ("SystemEntryDate", str(head.entered)),
        ("GLPostingDate", str(head.day)),
        ("SystemID", str(head.move_id)),
    )
    items = [Item(Decimal(row.balance), entries.charged(row), row.tax, row.counter) for row in rows]
    taxes = shares(items, entries.cent)
    for position, row in enumerate(rows):
        entries.add(row)
        transaction.append(_line(entries, row, taxes.get(position, {})))
    return transaction


def _line(entries, row, taxes):
    debit, credit = Decimal(row.debit), Decimal(row.credit)
    line = tree("Line", ("RecordID", str(row.line_id)), ("AccountID", row.account))
    for analysis in _analyses(entries, row):
        add(line, analysis)
    add(line, ("SourceDocumentID", text(row.ref, 35)))
    if row.party:
        add(line, (f"{row.party}ID", row.party_number))
    add(line, ("Description", text(row.label, 256) or text(row.number, 256)))
    on_debit = credit == 0 and (debit != 0 or Decimal(row.balance) >= 0)
    add(
        line,
        (
            "DebitAmount" if on_debit else "CreditAmount",
            ("Amount", str(debit - credit if on_debit else credit - debit)),
            *_currency(row, on_debit),
        ),
    )
    for tax, amount in taxes.items():
        add(line, _tax(entries, row, tax, amount))
    reference = text(row.payment_reference, 35) if row.party else ""
    add(line, ("ReferenceNumber", reference), ("DueDate", str(row.due) if row.due else None))
    return line


def _currency(row, on_debit):
    """Amount in foreign currency, its sign as that of the amount; the rate is what both say."""
    if not row.currency:
        return
    amount, balance = Decimal(row.currency_amount), Decimal(row.balance)
    yield ("CurrencyCode", row.currency)
    yield ("CurrencyAmount", str(amount if on_debit else -amount))
    if amount:
        yield ("ExchangeRate", str((balance / amount).quantize(RATE)))


def _tax(entries, row, tax, amount):
    percent, country = entries.taxes[tax][2:4]
    balance = Decimal(row.balance)
    name = "Credit" if (amount or balance) < 0 else "Debit"
    return (
        "TaxInformation",
        ("TaxType", "MVA"),
        ("TaxCode", str(tax)),
        ("TaxPercentage", percent),
        ("Country", country or "NO"),
        ("TaxBase", str(abs(balance))),
        (f"{name}TaxAmount", ("Amount", str(abs(amount)))),
    )


def _analyses(entries, row):
    """Shares of the item by analytic account: of each plan, and of several in one plan."""
    percent = {}
    for key, part in json.loads(row.analysis or "{}").items():
        for account in key.split(","):
            if account.isdecimal() and int(account) in entries.plans:
                percent[int(account)] = percent.get(int(account), 0) + Decimal(str(part))
    balance = Decimal(row.balance)
    for account, part in sorted(percent.items()):
        name, amount = side("", "AnalysisAmount", (balance * part / HUNDRED).quantize(entries.cent))
        yield (
            "Analysis",
            ("AnalysisType", f"P{entries.plans[account]}"),
            ("AnalysisID", str(account)),
            (name, ("Amount", amount)),
        )
