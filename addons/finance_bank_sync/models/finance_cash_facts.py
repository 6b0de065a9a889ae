"""What there is in cash, where, and what is expected: worked out, nothing is written."""

from dataclasses import dataclass, field
from datetime import timedelta

from odoo import api, fields, models

from ..cash import buckets
from ..cash.calendar import COMPLETE, MISSING, Calendar
from ..cash.transit import WINDOW, Movement, announced, one_sided
from . import finance_cash_sql as sql

# What left an account longer ago than this and has not arrived is no transfer on the way any more.
ON_THE_WAY = 30
BOOKED = ("balance", "value", "transit")
EXPECTED = ("receivable", "payable", "payment", "unmatched")


@dataclass
class Scope:
    """What is asked about: companies, the day, and the currency that everything is stated in."""

    companies: object
    day: object
    currency: object
    company: object
    journals: object = None
    rates: dict = field(default_factory=dict)


class FinanceCashFacts(models.AbstractModel):
    """The arithmetic of cash positions and their snapshots."""

    _name = "finance.cash.facts"
    _inherit = ["finance.bank.account.mixin"]
    _description = "Facts of Cash Positions"

    @api.model
    def _lines(self, companies, day, currency, company):
        """Return the lines of a position as values of `finance.cash.line.mixin`.

        companies: the entities in scope. currency: that everything is stated in, with the rates of
        ``company`` in Odoo at ``day``. A fixed number of queries, however much there is.
        """
        self.env.flush_all()
        scope = Scope(companies.sudo(), day, currency.sudo(), company.sudo())
        scope.journals = self._money_journals(scope.companies)
        balances = self._balances(scope)
        later, pending, transit = self._movements(scope, balances)
        lines = [*balances.values(), *later, *pending, *transit, *self._expected(scope)]
        for line in lines:
            line["bucket"] = buckets.bucket(line["day"], day)
        self._convert(scope, lines)
        return lines

    # === WHAT THERE IS === #

    def _line(self, kind, journal, amount, day, **values):
        company = journal.company_id
        return {
            "kind": kind,
            "company_id": company.id,
            "journal_id": journal.id,
            "account": journal.name,
            "bank": journal.bank_id.name or "",
            "currency_id": self._currency_of(journal).id,
            "amount": amount,
            "day": day,
            "number": 1,
            "counted": True,
            "is_intercompany": False,
            **values,
        }

    def _balances(self, scope):
        """Return {journal id: line} of what is booked, valued until today."""
        told = {row["journal_id"]: row for row in self._query(sql.balances, scope)}
        ledger = {row["journal_id"]: row for row in self._query(sql.ledger, scope)}
        calendars = self._calendars(scope.journals)
        lines, now = {}, fields.Datetime.now()
        for journal in scope.journals:
            row, booked = told.get(journal.id), ledger.get(journal.id, {}).get("amount", 0.0)
            is_cash = journal.type == "cash"
            newest = row and row["ends"]
            standing = COMPLETE if is_cash else calendars[journal.id].standing(newest, now)
            if not is_cash and not row and not booked:
                # nothing was ever booked or told: there is no account to miss
                if journal.id not in self._watched(scope.journals):
                    continue
            lines[journal.id] = self._line(
                "balance",
                journal,
                booked if is_cash else row["amount"] + row["moved"] if row else 0.0,
                scope.day,
                standing=standing,
                counted=bool(row) or is_cash,
                newest_day=scope.day if is_cash else newest,
                source="ledger" if is_cash else row["source"] if row else False,
                type=row["type"] if row else False,
                received_at=row["received_at"] if row else False,
                ledger=booked,
            )
        return lines

    def _watched(self, journals):
        return set(self._expectations(journals))

    def _expectations(self, journals):
        rows = self.env["finance.bank.expectation"].sudo()
        found = rows.search([("journal_id", "in", journals.ids)])
        return {row.journal_id.id: row for row in found}

    def _calendars(self, journals):
        """Return {journal id: `Calendar`}; without one of its own that of an ordinary bank."""
        own = self._expectations(journals)
        return {
            journal.id: own[journal.id]._calendar()
            if journal.id in own
            else Calendar(zone=self._zone_of(journal.company_id))
            for journal in journals
        }

    # === WHAT MOVES === #

    def _movements(self, scope, balances):
        """Return lines of (later value dates, pending entries, transfers on the way)."""
        journals = {journal.id: journal for journal in scope.journals}
        later = []
        for row in self._query(sql.later_values, scope):
            line = balances.get(row["journal_id"])
            if line and line["counted"]:
                line["amount"] -= row["amount"]
                journal = journals[row["journal_id"]]
                later.append(
                    self._line(
                        "value", journal, row["amount"], row["value_date"], number=row["number"],
                        standing=line["standing"],
                    )
                )  # fmt: skip
        moved = [
            Movement(
                row["id"], row["journal_id"], row["other_id"], row["booking_date"],
                row["amount"], row["currency_id"], row["end_to_end_id"] or "", row["pending"],
            )
            for row in self._query(sql.own_movements, scope, ON_THE_WAY + WINDOW)
        ]  # fmt: skip
        transit = [
            self._transit_line(scope, journals, movement)
            for movement in one_sided(moved)
            if self._is_on_the_way(scope, movement, balances)
        ]
        told_twice = announced(moved)
        pending = []
        for row in self._query(sql.pending, scope, list(told_twice)):
            journal = journals[row["journal_id"]]
            pending.append(
                self._line(
                    "pending", journal, row["amount"], row["value_date"] or scope.day,
                    number=row["number"], is_intercompany=row["is_intercompany"],
                )
            )  # fmt: skip
        return later, pending, transit

    def _is_on_the_way(self, scope, movement, balances):
        """Tell whether the other side of a movement is missing in the balance of its account."""
        if movement.day < scope.day - timedelta(days=ON_THE_WAY):
            return False
        other = balances.get(movement.other)
        if not other or other["source"] != "hand":
            return True
        # no lines come for it: a balance written down after the day of booking has it
        return not other["newest_day"] or other["newest_day"] <= movement.day

    def _transit_line(self, scope, journals, movement):
        """Return the line of a transfer: of the account whose side has not been seen."""
        other = journals.get(movement.other)
        own = journals[movement.account]
        inside = other is not None
        journal = other or self.env["account.journal"].sudo().browse(movement.other)
        values = {
            "currency_id": movement.currency,
            "counted": inside,
            "is_intercompany": journal.company_id != own.company_id,
            "other": own.name,
        }
        if not inside:
            values["company_id"] = own.company_id.id
        return self._line("transit", journal, -movement.amount, scope.day, **values)

    # === WHAT IS EXPECTED === #

    def _expected(self, scope):
        """Return lines by value date: open items, payments on the way, and what has arrived."""
        journals = {journal.id: journal for journal in scope.journals}
        lines = []
        for row in self._query(sql.open_items, scope, buckets.HORIZON):
            lines.append(
                {
                    "kind": row["kind"],
                    "company_id": row["company_id"],
                    "journal_id": False,
                    "account": "",
                    "bank": "",
                    "currency_id": row["currency_id"],
                    "amount": row["amount"],
                    "day": row["due"],
                    "number": row["number"],
                    "counted": True,
                    "is_intercompany": row["is_intercompany"],
                }
            )
        for kind, source in (("payment", sql.payments), ("unmatched", sql.unmatched)):
            families = self._families(scope.journals) if scope.journals else {}
            for row in self._query(source, scope, families):
                journal = journals[row["journal_id"]]
                lines.append(
                    self._line(
                        kind, journal, row["amount"], max(row["day"], scope.day),
                        number=row["number"], currency_id=row["currency_id"],
                        is_intercompany=row["is_intercompany"],
                    )
                )  # fmt: skip
        return lines

    # === CONVERTED === #

    def _convert(self, scope, lines):
        """Put the amount in the currency of the position into lines; without a rate none."""
        scope.rates = {
            row["currency_id"]: (row["rate"], row["name"]) for row in self._query(sql.rates, scope)
        }
        scope.rates[scope.company.currency_id.id] = (1.0, False)
        target = scope.rates.get(scope.currency.id)
        for line in lines:
            same = line["currency_id"] == scope.currency.id
            own = (1.0, False) if same else scope.rates.get(line["currency_id"])
            rated = bool(same or own and target)
            rate = (1.0 if same else target[0] / own[0]) if rated else 0.0
            line["is_unrated"] = not rated
            line["rate"] = rate
            line["rate_day"] = False if same or not rated else own[1] or target[1]
            line["target_currency_id"] = scope.currency.id
            line["converted"] = scope.currency.round(line["amount"] * rate)

    def _query(self, source, scope, *arguments):
        return self.env.execute_query_dict(source(scope, *arguments))

    # === IN WORDS AND SUMS === #

    @api.model
    def _totals(self, lines, with_intercompany=True):
        """Return {name: sum in the currency of the position} of lines (dicts or records).

        booked: all that is booked, transfers on the way once. today: what of it is valued today.
        pending, expected: announced, and expected within the horizon.
        """
        totals = dict.fromkeys(("booked", "today", "transit", "pending", "expected"), 0.0)
        for line in lines:
            if not line["counted"] or (line["is_intercompany"] and not with_intercompany
                                       and line["kind"] not in BOOKED):  # fmt: skip
                continue
            kind = line["kind"]
            group = "booked" if kind in BOOKED else "expected" if kind in EXPECTED else kind
            totals[group] += line["converted"]
            if kind == "balance":
                totals["today"] += line["converted"]
            if kind == "transit":
                totals["transit"] += line["converted"]
        return totals

    @api.model
    def _problems(self, lines):
        """Return {what: [names]} of why a total is incomplete; nothing when it is complete.

        late, stale, missing: names of accounts. unrated: names of currencies.
        """
        problems, currencies = {}, set()
        for line in lines:
            if line["kind"] == "balance" and line["standing"] != COMPLETE:
                day = line["newest_day"]
                name = (line["account"], str(day) if day and line["standing"] != MISSING else "")
                problems.setdefault(line["standing"], []).append(name)
            if line["is_unrated"] and line["amount"]:
                currency = line["currency_id"]
                currencies.add(currency if isinstance(currency, int) else currency.id)
        if currencies:
            names = self.env["res.currency"].sudo().browse(sorted(currencies)).mapped("name")
            problems["unrated"] = [(name, "") for name in names]
        return problems
