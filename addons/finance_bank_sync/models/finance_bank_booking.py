from odoo import api, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.finance_connector_base.lanes.kill_points import kill_point

from .finance_bank_booking_items import KEPT, PLAIN, plain, quiet


class FinanceBankBooking(models.AbstractModel):
    """Turn the decision on a bank line into journal items, and take it back.

    The suspense item of the line becomes its first counterpart, the others are added; so undoing
    gives the very same items back. Where the entry of the line may not change (lock date, hash), an
    entry in the open period carries the amount from suspense to where it belongs.
    """

    _name = "finance.bank.booking"
    _description = "Booking of Bank Matches"

    # === IN === #

    @api.model
    def _book(self, decisions):
        """Book ``decisions``: dicts with line, parts and columns of `finance.bank.match`.

        Return the matches in that order. All reconciliations are one plan.
        """
        rows, plan = [], []
        for decision in decisions:
            row, pairs = self._book_one(decision)
            rows += row
            plan += pairs
        return self._finish(rows, plan)

    @api.model
    def _book_all(self, decisions):
        """Book automatic ``decisions``: plain ones in bulk, the others together; what can't be
        booked keeps none of the others from it, and is left to a person."""
        lines = self.env["account.bank.statement.line"].union(*(d["line"] for d in decisions))
        open_days = self._open_days(lines)
        plain, others = [], []
        for decision in decisions:
            (plain if self._is_plain(decision, open_days) else others).append(decision)
        matches = self.env["finance.bank.match"]
        for some, book in ((plain, self._book_plain), (others, self._book)):
            if some:
                matches |= self._tried(some, book)
        return matches

    def _tried(self, decisions, book):
        try:
            with self.env.cr.savepoint():
                matches = book(decisions)
                self.env["account.move"]._finance_tell_changes()
                return matches
        except (UserError, AccessError):
            if len(decisions) == 1:
                return self.env["finance.bank.match"]
        matches = self.env["finance.bank.match"]
        for decision in decisions:
            matches |= self._tried([decision], self._book)
        return matches

    def _open_days(self, lines):
        """Return the (company, date) of ``lines`` that no lock date covers."""
        days = {(line.company_id, line.date) for line in lines}
        return {
            (company, day)
            for company, day in days
            if not company._get_lock_date_violations(day, sale=False, purchase=False, tax=False)
        }

    def _is_plain(self, decision, open_days):
        """Tell whether it is one item of the very amount and currency, in an open period."""
        line, parts = decision["line"], decision["parts"]
        return (
            len(parts) == 1
            and parts[0]["kind"] == "item"
            and decision["kind"] in ("exact", "payment")
            and not line.foreign_currency_id
            and line.currency_id == line.company_id.currency_id
            and decision.get("currency") == line.currency_id.name
            and (line.company_id, line.date) in open_days
            and not line.move_id.inalterable_hash
        )

    def _book_plain(self, decisions):
        """Write what many lines have in common with one statement, and reconcile with one plan."""
        items = self.env["account.move.line"].browse(
            [decision["parts"][0]["id"] for decision in decisions]
        )
        accounts, partners, rows, plan = {}, {}, [], []
        nothing = self.env["account.move.line"], self.env["account.bank.statement.line"]
        for decision, item in zip(decisions, items, strict=True):
            line = decision["line"]
            self._check_open(line)
            self._check_item(line, item)
            row = self._row(decision | {"automatic": True}, line)
            partner = item.partner_id or line.partner_id
            row |= {
                "partner_id": partner.id,
                "item_ids": item.ids,
                "item_names": item.move_id.name or "",
            }
            rows.append(row)
            suspense = self._suspense(line)
            plan.append((item | suspense, row))
            accounts.setdefault(item.account_id, []).append(suspense)
            partners.setdefault(partner, []).append((suspense, line))
        # What settles an invoice on the account of its partner has no analytic distribution to find.
        touched = items.browse(kept["id"] for row in rows for kept in row["before"]["items"])
        with self.env.protecting([nothing[0]._fields["analytic_distribution"]], touched):
            for account, members in accounts.items():
                changed = nothing[0].union(*members)
                context = PLAIN | quiet(changed.company_id)
                changed.with_context(**context).write({"account_id": account.id})
            for partner, members in partners.items():
                suspense = nothing[0].union(*(item for item, _line in members))
                lines = nothing[1].union(*(line for _item, line in members))
                self._name_partner(lines, partner, suspense)
        kill_point("bank_half_booked")
        return self._finish(rows, plan, self._reconcile_plain)

    def _reconcile_plain(self, pairs):
        """What `_reconcile_plan` does, but for computing before and after whether terms, taxes and
        totals of these entries still fit: no amount changes. Not where cash basis books beside."""
        plan, items = self.env["account.move.line"]._optimize_reconciliation_plan(pairs)
        if any(items.company_id.mapped("tax_exigibility")):
            self._reconcile(pairs)
            return
        moves = items.move_id
        with (
            moves._disable_recursion({}, "check_move_validity", default=True, target=False),
            moves._disable_recursion({}, "skip_invoice_sync"),
        ):
            items._reconcile_plan_with_sync(plan, items)

    def _reconcile(self, pairs):
        self.env["account.move.line"]._reconcile_plan(pairs)

    def _finish(self, rows, plan, reconcile=None):
        """Reconcile ``plan`` and write a match a row."""
        pairs = list(dict.fromkeys(pair for pair, _row in plan))  # a transfer is in it twice
        if pairs:
            (reconcile or self._reconcile)(pairs)
        for row in rows:
            made = [items for items, of in plan if of is row]
            items = self.env["account.move.line"].union(*made)
            items = items.filtered(lambda item, row=row: item.move_id.id in _moves(row))
            row["partial_ids"] = (items.matched_debit_ids | items.matched_credit_ids).ids
        matches = self.env["finance.bank.match"].sudo().create(rows)
        self.env["finance.audit.event"]._record_many(
            [
                {
                    "kind": "bank.matched",
                    "res_model": "account.move",
                    "res_id": match.move_id.id,
                    "company_id": match.company_id.id,
                    "data": {
                        "match": match.id,
                        "automatic": match.automatic,
                        "score": match.score,
                        "items": match.item_ids or [],
                        "written_off": str(match.writeoff_amount or 0),
                    },
                }
                for match in matches
            ]
        )
        return matches

    def _book_one(self, decision):
        line, parts = decision["line"], decision["parts"]
        self._check_open(line)
        transfers = [part for part in parts if part["kind"] == "transfer"]
        if transfers:
            return self._book_transfer(decision, transfers)
        row = self._row(decision, line)
        values, items = self._counterparts(line, parts)
        partner = self._partner_of(decision, parts, items)
        made, moved = self._place(line, values, partner)
        row["transfer_move_id"] = moved.id
        row["partner_id"] = partner.id
        row["item_ids"] = [item.id for item in items if item]
        row["item_names"] = ", ".join(
            dict.fromkeys(item.move_id.name or "" for item in items if item)
        )
        plan = [(item | new, row) for item, new in zip(items, made, strict=True) if item]
        return [row], plan

    def _row(self, decision, line):
        parts = decision["parts"]
        written = [
            p for p in parts if p["kind"] == "writeoff" and p.get("why") in ("fee", "tolerance")
        ]
        company_currency = line.company_id.currency_id
        suspense = self._suspense(line)
        rate = abs(suspense.balance / suspense.amount_currency) if suspense.amount_currency else 1
        total = sum(abs(float(part["amount"])) for part in written)
        return {
            "line_id": line.id,
            "move_id": line.move_id.id,
            "journal_id": line.journal_id.id,
            "company_id": line.company_id.id,
            "currency_id": line.currency_id.id,
            "date": line.date,
            "amount": line.amount,
            "user_id": self.env.uid,
            "automatic": decision.get("automatic", False),
            "kind": decision.get("kind") or "hand",
            "score": decision.get("score", 0),
            "reasons": decision.get("reasons") or [{"code": "hand", "values": {}, "points": 0}],
            "rule_id": decision.get("rule_id"),
            "lesson_id": decision.get("lesson_id"),
            "parts": parts,
            "writeoff_amount": company_currency.round(total * rate),
            "before": self._snapshot(line),
        }

    def _check_open(self, line):
        if line.is_reconciled or len(self._suspense(line)) != 1:
            raise UserError(
                self.env._(
                    "%(line)s is reconciled already, or booked in part by hand. Undo it first.",
                    line=line.display_name,
                )
            )

    def _suspense(self, line):
        return line._seek_for_lines()[1]

    def _snapshot(self, line):
        return {
            "partner": line.partner_id.id,
            "items": [
                {"id": item.id, **{name: plain(item[name]) for name in KEPT}}
                for item in line.move_id.line_ids
            ],
        }

    def _partner_of(self, decision, parts, items):
        """Return the one partner of what is paid, else that of the line."""
        partners = self.env["res.partner"].browse(
            [part["partner_id"] for part in parts if part.get("partner_id")]
        )
        for item in items:
            if item:
                partners |= item.partner_id
        return partners if len(partners) == 1 else decision["line"].partner_id

    # === TRANSFERS BETWEEN OWN ACCOUNTS === #

    def _book_transfer(self, decision, transfers):
        """Book both lines on the company's transfer account and reconcile them there."""
        line = decision["line"]
        other_item = self.env["account.move.line"].browse(transfers[0]["id"]).exists()
        other = other_item.statement_line_id
        if len(decision["parts"]) > 1 or not other or other.company_id != line.company_id:
            raise UserError(
                self.env._(
                    "%(line)s: a transfer is the whole of two lines of one company.",
                    line=line.display_name,
                )
            )
        self._check_open(other)
        account = line.company_id.transfer_account_id
        if not account:
            raise UserError(
                self.env._(
                    "%(company)s has no account for transfers between banks. Set it in the"
                    " accounting settings.",
                    company=line.company_id.name,
                )
            )
        rows, made, nobody = [], self.env["account.move.line"], self.env["res.partner"]
        for one in (line, other):
            rows.append(self._row(decision | {"line": one}, one))
            suspense = self._suspense(one)
            values = self._values(
                one, account, nobody, suspense.currency_id, -suspense.amount_currency,
                -suspense.balance,
            )  # fmt: skip
            placed, moved = self._place(one, [values], nobody)
            rows[-1]["transfer_move_id"] = moved.id
            made |= placed[0]
        names = [other.move_id.name, line.move_id.name]
        for row, name in zip(rows, names, strict=True):
            row |= {"kind": "transfer", "item_names": name}
        return rows, [(made, row) for row in rows]


def _moves(row):
    return row["move_id"], row.get("transfer_move_id")
