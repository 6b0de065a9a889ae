"""A bank reconciliation statement, worked out: nothing here is written."""

from dataclasses import dataclass, field
from datetime import date

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.finance_connector_base.canonical import codec

from . import finance_bank_reconciliation_sql as sql
from .finance_bank_told import Told

# Sections of a statement in the order of the paper, with their sign on the way from the bank's
# balance to the books.
SECTIONS = ("transit", "outstanding", "suspense", "only_booked", "only_told", "beginning")


@dataclass(frozen=True)
class Item:
    """One open item. section: of `SECTIONS`. amount: in the currency of the account, signed as it
    changes the balance on the way from the bank to the books; None where it has none. balance: in
    the company's currency, signed so too. since: when it was settled later, if it was.

    What it is about: ids of a journal item, a bank line or a bank's entry, 0 without.
    """

    section: str
    day: date
    amount: float | None
    balance: float
    label: str = ""
    document: str = ""
    partner: int = 0
    item: int = 0
    line: int = 0
    entry: int = 0
    move: int = 0
    since: date | None = None
    held: bool = False

    @property
    def key(self):
        """What it is about, and for how much: what the digest is made of, and comparisons.

        Names and texts are left out: they may be erased, and the digest holds all the same.
        """
        money = "" if self.amount is None else f"{self.amount:.6f}"
        # a journal item on suspense goes when the line is matched: the line stays
        item = 0 if self.line else self.item
        place = (item, self.line, self.entry)
        return (self.section, str(self.day), *place, money, f"{self.balance:.6f}")


@dataclass(frozen=True)
class Facts:
    """All figures of one statement. told: the balance per bank. accounts: [(account id, amount,
    balance)] of the ledger today. ledger, ledger_balance: the bank account's. beginning: the day
    from which on entries are compared one by one, None when nothing was ever told.
    """

    told: Told
    items: list[Item] = field(default_factory=list)
    accounts: list = field(default_factory=list)
    ledger: float = 0.0
    ledger_balance: float = 0.0
    beginning: date | None = None

    def total(self, *sections):
        """Return the sum of sections in the currency of the account."""
        return sum(item.amount or 0.0 for item in self.items if item.section in sections)

    def balance(self, *sections):
        """Return the sum of sections in the currency of the company."""
        return sum(item.balance for item in self.items if item.section in sections)

    @property
    def unrated(self):
        """How many items have no amount in the currency of the account."""
        return sum(1 for item in self.items if item.amount is None)

    @property
    def calculated(self):
        """What the books should have, None where the bank's balance is missing."""
        if self.told.amount is None:
            return None
        return self.told.amount + self.total(*SECTIONS)

    @property
    def books(self):
        """What the books have: the bank account, and what waits beside it."""
        return self.ledger + self.total("transit", "outstanding", "suspense")

    @property
    def difference(self):
        """What is not explained, 0 where the bank's balance is missing and nothing can be."""
        return 0.0 if self.told.amount is None else self.books - self.calculated


def digest(statement, told, ledger, ledger_company, keys):
    """Return the SHA-256 of everything that a statement says.

    statement: says the account's currencies and the days. told: (basis, balance per bank). keys: of
    the items. Of figures as worked out and as stored it is the same.
    """
    currency, company_currency = statement.currency_id, statement.company_currency_id
    basis, amount = told

    def money(value, of=currency):
        return f"{of.round(value):.{of.decimal_places}f}"

    return codec.digest(
        {
            "schema": 1,
            "journal": statement.journal_id.id,
            "day": str(statement.day),
            "until": str(statement.until or statement.day),
            "version": statement.version,
            "currency": currency.name,
            "basis": basis,
            "bank": None if basis == "missing" else money(amount),
            "ledger": money(ledger),
            "ledger_company": money(ledger_company, company_currency),
            "items": sorted(list(key) for key in keys),
        }
    )


class FinanceBankAccountMixin(models.AbstractModel):
    _inherit = "finance.bank.account.mixin"

    @api.model
    def _facts(self, journal, day, until):
        """Return the `Facts` of a journal at the end of ``day``.

        until: the day until which reconciliations count; later ones are as if not made. A fixed
        number of queries, however many lines.
        """
        journal = journal.sudo()
        self.env.flush_all()
        family = self._families(journal)[journal.id]
        facts = self._parameters(journal, family, day, until)
        told = self._told(journal, day)
        first, fed = self._beginning(journal, day)
        items = [*self._waiting_items(facts, until)]
        accounts = self.env.execute_query(sql.ledger(facts))
        ledger = {account: (amount, balance) for account, amount, balance in accounts}
        own, own_balance = ledger.get(family.bank, (0.0, 0.0))
        if first:
            facts["fed"] = fed
            items += self._differences(facts, journal, family, day, first)
        zero = journal.company_id.currency_id.is_zero
        items = [item for item in items if item.amount is None or not (
            self._currency_of(journal).is_zero(item.amount) and zero(item.balance))]  # fmt: skip
        return Facts(told, items, accounts, own, own_balance, first)

    def _parameters(self, journal, family, day, until):
        currency = self._currency_of(journal)
        own = journal.company_id.currency_id == currency
        when = {
            "journal": family.journal,
            "day": day,
            "moment": self._end_of(journal.company_id, until),
        }
        with_matches = "finance.bank.match" in self.env
        return when | {
            "bank": family.bank,
            "suspense": family.suspense,
            "amount": self._amount_of_line(journal),
            "in_own": own,
            "own": self._amount_of_line(journal, "counter"),
            "foreign": SQL(
                "round((st.amount * counter.balance / NULLIF((SELECT sum(own.balance)"
                " FROM account_move_line AS own WHERE own.move_id = entry.id"
                " AND own.account_id = %s), 0))::numeric, %s)",
                family.bank,
                currency.decimal_places,
            ),
            "matched": sql.matched(with_matches),
            "undone": sql.undone(with_matches, when),
            "suspense_items": family.condition([family.suspense]),
            "outstanding_items": family.condition(sorted(family.outstanding)),
            "bank_items": family.condition([family.bank]),
            "everything": family.condition([family.bank, *family.waiting]),
        }

    def _waiting_items(self, facts, until):
        """Yield the items that wait beside the bank account: payments on the way, and suspense."""
        zone = self.env["account.journal"].browse(facts["journal"]).company_id

        def day_of(moment):
            return moment and self._day_at(zone, moment)

        for row in self.env.execute_query_dict(sql.outstanding(facts)):
            section = "transit" if row["balance"] > 0 else "outstanding"
            yield self._item(section, row, day_of(row["since"]))
        for row in self.env.execute_query_dict(sql.suspense(facts)):
            yield Item(
                "suspense", row["date"], row["amount"], row["balance"], row["payment_ref"] or "",
                row["name"] or "", row["partner_id"] or 0, 0, row["id"], 0, row["move_id"],
                day_of(row["since"]),
            )  # fmt: skip
        for row in self.env.execute_query_dict(sql.other_suspense(facts)):
            yield self._item("suspense", row, day_of(row["since"]))

    def _differences(self, facts, journal, family, day, first):
        """Yield what is in the books and not at the bank, and the other way round."""
        for row in self.env.execute_query_dict(sql.only_booked(facts, first)):
            yield self._item("only_booked", row, None)
        for row in self.env.execute_query(sql.other_day(facts, first)):
            id_, date_, label, state, line, move, name, _booked, amount = row
            yield Item(
                "only_told", date_, -amount, 0.0, label or "", name or "", 0, 0, line or 0, id_,
                move or 0, held=state == "held",
            )  # fmt: skip
        at_first = self.env.execute_query(sql.ledger(facts | {"day": first}))
        booked, balance = next(
            ((amount, balance) for account, amount, balance in at_first if account == family.bank),
            (0.0, 0.0),
        )
        told = self._told(journal, first).amount or 0.0
        yield Item("beginning", first, booked - told, 0.0)

    @staticmethod
    def _item(section, row, since):
        return Item(
            section, row["date"], row["amount"], row["balance"],
            row["label"] or row["ref"] or "", row["move_name"] or "", row["partner_id"] or 0,
            row["id"], row["statement_line_id"] or 0, 0, row["move_id"], since,
        )  # fmt: skip

    @api.model
    def _day_at(self, company, moment):
        """Return the day of a moment (UTC) where a company is."""
        zoned = self.with_context(tz=self._zone_of(company))
        return fields.Datetime.context_timestamp(zoned, moment).date()
