from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError

# Journal items of a bank line are changed here alone, knowing what follows.
QUIET = {
    "skip_account_move_synchronization": True,
    "skip_readonly_check": True,
    "force_delete": True,
    "tracking_disable": True,
}
# What is kept of a journal item before it is changed, and put back when a match is undone.
KEPT = ("account_id", "partner_id", "name", "currency_id", "amount_currency", "balance")


# Fields of an item that are set when it is made, or never.
TAXES = {"tax_ids", "tax_tag_ids", "tax_repartition_line_id"}


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
        plain = [decision for decision in decisions if self._is_plain(decision)]
        others = [decision for decision in decisions if decision not in plain]
        matches = self.env["finance.bank.match"]
        for some, book in ((plain, self._book_plain), (others, self._book)):
            if some:
                matches |= self._tried(some, book)
        return matches

    def _tried(self, decisions, book):
        try:
            with self.env.cr.savepoint():
                return book(decisions)
        except (UserError, AccessError):
            if len(decisions) == 1:
                return self.env["finance.bank.match"]
        matches = self.env["finance.bank.match"]
        for decision in decisions:
            matches |= self._tried([decision], self._book)
        return matches

    def _is_plain(self, decision):
        """Tell whether it is one item of the very amount and currency, in an open period."""
        line, parts = decision["line"], decision["parts"]
        return (
            len(parts) == 1
            and parts[0]["kind"] == "item"
            and decision["kind"] in ("exact", "payment")
            and not line.foreign_currency_id
            and line.currency_id == line.company_id.currency_id
            and parts[0]["amount"] == parts[0]["item_amount"]
            and not self._is_closed(line)
        )

    def _book_plain(self, decisions):
        """Write what many lines have in common with one statement, and reconcile with one plan."""
        items = self.env["account.move.line"].browse(
            [decision["parts"][0]["id"] for decision in decisions]
        )
        groups, rows, plan = {}, [], []
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
            key = (item.account_id, partner)
            groups.setdefault(key, []).append((line, suspense))
        for (account, partner), members in groups.items():
            suspense = self.env["account.move.line"].union(*(item for _line, item in members))
            suspense.with_context(**QUIET).write(
                {"account_id": account.id, "partner_id": partner.id}
            )
        return self._finish(rows, plan)

    def _finish(self, rows, plan):
        """Reconcile ``plan`` and write a match a row."""
        pairs = list(dict.fromkeys(pair for pair, _row in plan))  # a transfer is in it twice
        if pairs:
            self.env["account.move.line"]._reconcile_plan(pairs)
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
                {"id": item.id, **{name: _plain(item[name]) for name in KEPT}}
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

    # === COUNTERPARTS === #

    def _counterparts(self, line, parts):
        """Return (values of the journal items instead of suspense, the item each one settles)."""
        suspense = self._suspense(line)
        total = -suspense.amount_currency
        currency, company_currency = suspense.currency_id, line.company_id.currency_id
        given = currency.round(sum(float(part["amount"]) for part in parts))
        if currency.compare_amounts(given, total):
            raise UserError(
                self.env._(
                    "%(line)s: what is chosen comes to %(given)s, the line to %(total)s. Split or"
                    " write off the difference, or leave it open on a partner.",
                    line=line.display_name,
                    given=currency.format(given),
                    total=currency.format(total),
                )
            )
        rows = []
        for part in parts:
            amount = float(part["amount"])
            balance = company_currency.round(-suspense.balance * amount / total)
            rows += getattr(self, f"_as_{part['kind']}")(line, part, amount, balance)
        self._balance(rows, suspense)
        return [values for values, _item in rows], [item for _values, item in rows]

    def _balance(self, rows, suspense):
        """Put what rounding left on the largest item that has no amount of its own."""
        company_currency = suspense.company_currency_id
        left = suspense.balance - sum(values["balance"] for values, _item in rows)
        if company_currency.is_zero(left):
            return
        free = [values for values, _item in rows if values["currency_id"] != company_currency.id]
        values = max(free or [row[0] for row in rows], key=lambda row: abs(row["balance"]))
        values["balance"] = company_currency.round(values["balance"] + left)
        if values["currency_id"] == company_currency.id:
            values["amount_currency"] = values["balance"]

    def _values(self, line, account, partner, currency, amount, balance, label=""):
        """Amounts as they come to the line; the journal item has the opposite."""
        return {
            "name": label or line.payment_ref or "/",
            "account_id": account.id,
            "partner_id": partner.id,
            "currency_id": currency.id,
            "amount_currency": currency.round(-amount),
            "balance": line.company_id.currency_id.round(-balance),
        }

    def _as_item(self, line, part, amount, balance):
        item = self.env["account.move.line"].browse(part["id"]).exists()
        self._check_item(line, item)
        currency, company_currency = self._suspense(line).currency_id, line.company_id.currency_id
        if item.currency_id == currency:
            money = amount
        elif part.get("item_amount"):
            money = float(part["item_amount"])
        else:
            money = self._in_currency_of(item, line, balance)
        if item.currency_id == company_currency:
            balance = money
        values = self._values(
            line, item.account_id, item.partner_id, item.currency_id, money, balance
        )
        return [(values, item)]

    def _in_currency_of(self, item, line, balance):
        """Return what ``balance`` settles of an item in a currency that the bank doesn't tell.

        What comes near to all of it is meant to settle it: the rest is exchange difference.
        """
        company_currency = line.company_id.currency_id
        if item.currency_id == company_currency:
            return balance
        if abs(balance - item.amount_residual) <= abs(item.amount_residual) * 0.05:
            return item.amount_residual_currency
        return company_currency._convert(balance, item.currency_id, line.company_id, line.date)

    def _check_item(self, line, item):
        allowed = self.env["res.company"].sudo().search([("id", "child_of", line.company_id.id)])
        if not item or item.parent_state != "posted" or item.company_id not in allowed:
            raise UserError(
                self.env._(
                    "%(line)s: an item that was chosen is not open in this company any more. Match"
                    " the line again.",
                    line=line.display_name,
                )
            )
        if item.reconciled or not item.account_id.reconcile:
            raise UserError(
                self.env._(
                    "%(line)s: %(item)s is settled already. Match the line again.",
                    line=line.display_name,
                    item=item.move_id.name,
                )
            )

    def _as_partner(self, line, part, amount, balance):
        partner = self.env["res.partner"].browse(part["partner_id"]).with_company(line.company_id)
        account = self.env["account.account"].browse(part.get("account_id") or 0)
        if not account:
            supplier = part.get("supplier", amount < 0)
            account = (
                partner.property_account_payable_id
                if supplier
                else partner.property_account_receivable_id
            )
        currency = self._suspense(line).currency_id
        return [(self._values(line, account, partner.commercial_partner_id, currency, amount, balance),
                 None)]  # fmt: skip

    def _as_writeoff(self, line, part, amount, balance):
        account = self.env["account.account"].browse(part["account_id"]).exists()
        if not account:
            raise UserError(self.env._("%(line)s: choose an account.", line=line.display_name))
        currency = self._suspense(line).currency_id
        partner = self.env["res.partner"].browse(part.get("partner_id") or line.partner_id.id)
        values = self._values(line, account, partner, currency, amount, balance, part.get("label"))
        if part.get("analytic"):
            values["analytic_distribution"] = part["analytic"]
        taxes = self.env["account.tax"].browse(part.get("tax_ids") or [])
        if not taxes:
            return [(values, None)]
        return [(row, None) for row in self._with_taxes(line, values, taxes)]

    def _with_taxes(self, line, values, taxes):
        """Return the items of a write-off whose amount includes ``taxes``."""
        company, tax_model = line.company_id, self.env["account.tax"]
        currency = self.env["res.currency"].browse(values["currency_id"])
        rate = abs(values["amount_currency"] / values["balance"]) if values["balance"] else 1.0
        base_line = tax_model._prepare_base_line_for_taxes_computation(
            None,
            id=0,
            account_id=self.env["account.account"].browse(values["account_id"]),
            partner_id=self.env["res.partner"].browse(values["partner_id"] or []),
            currency_id=currency,
            tax_ids=taxes,
            price_unit=values["amount_currency"],
            quantity=1.0,
            rate=rate,
            special_mode="total_included",
            is_refund=_is_refund(taxes, values["balance"]),
            analytic_distribution=values.get("analytic_distribution"),
        )
        tax_model._add_tax_details_in_base_line(base_line, company)
        tax_model._round_base_lines_tax_details([base_line], company)
        tax_model._add_accounting_data_in_base_lines_tax_details(
            [base_line], company, include_caba_tags=True
        )
        result = tax_model._prepare_tax_lines([base_line], company)
        _base, update = result["base_lines_to_update"][0]
        base = values | {
            "tax_ids": [Command.set(taxes.ids)],
            "tax_tag_ids": update["tax_tag_ids"],
            "amount_currency": update["amount_currency"],
            "balance": update["balance"],
        }
        rows = [base, *(values_of | {"name": values_of["name"] or values["name"]}
                        for values_of in result["tax_lines_to_add"])]  # fmt: skip
        for row in rows[1:]:
            for name in ("tax_ids", "tax_tag_ids"):
                row.setdefault(name, [])
        return rows

    def _as_discount(self, line, part, amount, balance):
        """The early payment discount of an invoice, with its taxes as its term says."""
        item = self.env["account.move.line"].browse(part["id"]).exists()
        self._check_item(line, item)
        groups = self.env["account.move"]._get_invoice_counterpart_amls_for_early_payment_discount(
            [
                {
                    "aml": item,
                    "amount_currency": -item.amount_residual_currency,
                    "balance": -item.amount_residual,
                }
            ],
            -balance,
        )
        rows = [values for group in groups.values() for values in group]
        for values in rows:
            values.setdefault("partner_id", item.partner_id.id)
            values.setdefault("currency_id", item.currency_id.id)
        if any(not values.get("account_id") for values in rows):
            raise UserError(
                self.env._(
                    "%(company)s has no account for early payment discounts. Set it in the"
                    " accounting settings.",
                    company=line.company_id.name,
                )
            )
        return [(values, None) for values in rows]

    # === PLACES === #

    def _place(self, line, values, partner):
        """Book ``values`` instead of suspense; return (items in that order, entry from suspense)."""
        if self._is_closed(line, values):
            return self._place_apart(line, values)
        move, suspense = line.move_id.with_context(**QUIET), self._suspense(line)
        if partner and line.partner_id != partner:
            line.with_context(**QUIET).write({"partner_id": partner.id})
            line._seek_for_lines()[0].with_context(**QUIET).write({"partner_id": partner.id})
        known = set(move.line_ids.ids)
        # Odoo lets nobody write taxes on a posted item: those are new ones.
        plain = [place for place, value in enumerate(values) if not value.keys() & TAXES]
        kept = plain[0] if plain else None
        others = [value for place, value in enumerate(values) if place != kept]
        first = Command.delete(suspense.id)
        if plain:
            first = Command.update(suspense.id, values[kept])
        move.write({"line_ids": [first, *(Command.create(value) for value in others)]})
        made = list(move.line_ids.filtered(lambda item: item.id not in known).sorted("id"))
        if plain:
            made.insert(kept, suspense)
        return made, self.env["account.move"]

    def _is_closed(self, line, values=()):
        """Tell whether the entry of the line may not change: locked, or secured by hash."""
        move = line.move_id
        if move.inalterable_hash:
            return True
        taxed = any(value.get("tax_ids") or value.get("tax_tag_ids") for value in values)
        return bool(
            move.company_id._get_lock_date_violations(
                move.date, sale=False, purchase=False, tax=taxed
            )
        )

    def _place_apart(self, line, values):
        suspense = self._suspense(line)
        if not suspense.account_id.reconcile:
            raise UserError(
                self.env._(
                    "The entry of %(line)s is locked or secured, so an entry of today has to take"
                    " the amount out of suspense. Allow reconciliation on account %(account)s,"
                    " then match it again.",
                    line=line.display_name,
                    account=suspense.account_id.display_name,
                )
            )
        journal = self._transfer_journal(line)
        out = {name: _plain(suspense[name]) for name in KEPT}
        out |= {"amount_currency": -suspense.amount_currency, "balance": -suspense.balance}
        move = self.env["account.move"].with_context(skip_invoice_sync=True).create(
            {
                "move_type": "entry",
                "journal_id": journal.id,
                "company_id": line.company_id.id,
                "date": self._open_day(line),
                "ref": self.env._(
                    "%(entry)s: %(text)s", entry=line.move_id.name, text=line.payment_ref or ""
                ),
                "line_ids": [Command.create(out), *(Command.create(value) for value in values)],
            }
        )  # fmt: skip
        move._post(soft=False)
        first, *made = move.line_ids.sorted("id")
        (suspense | first).reconcile()
        return made, move

    def _open_day(self, line):
        today = fields.Date.context_today(line)
        locks = line.company_id._get_lock_date_violations(today, sale=False, purchase=False)
        if locks:
            return fields.Date.add(max(day for day, _field in locks), days=1)
        return today

    def _transfer_journal(self, line):
        policy = self.env["finance.bank.policy"]._of(line.journal_id)
        journal = policy.transfer_journal_id or self.env["account.journal"].search(
            [("type", "=", "general"), ("company_id", "parent_of", line.company_id.id),
             ("id", "!=", line.company_id.currency_exchange_journal_id.id)],
            limit=1,
        )  # fmt: skip
        if not journal:
            raise UserError(
                self.env._(
                    "%(company)s has no general journal for entries from suspense. Create one, or"
                    " choose it in the bank policy of %(journal)s.",
                    company=line.company_id.name,
                    journal=line.journal_id.name,
                )
            )
        return journal

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

    # === OUT === #

    @api.model
    def _undo(self, matches):
        """Take ``matches`` back: journal items are as before, to the last field."""
        for match in matches | self._mirrors(matches):
            line = match.line_id
            if match.transfer_move_id:
                self._undo_apart(match)
            else:
                self._undo_here(match, line)
            match._undone()

    def _mirrors(self, matches):
        """Return the matches of the other lines of transfers."""
        found = matches.browse()
        for match in matches.filtered(lambda match: match.kind == "transfer"):
            partials = self.env["account.partial.reconcile"].browse(match.partial_ids).exists()
            lines = (partials.debit_move_id | partials.credit_move_id).statement_line_id
            moves = (partials.debit_move_id | partials.credit_move_id).move_id
            found |= match.search(
                [("undone_at", "=", False), ("kind", "=", "transfer"), "|",
                 ("line_id", "in", lines.ids), ("transfer_move_id", "in", moves.ids)]
            )  # fmt: skip
        return found - matches

    def _undo_here(self, match, line):
        if self._is_closed(line):
            raise UserError(
                self.env._(
                    "%(line)s was matched before its period was locked or secured: its entry may"
                    " not change any more. Correct it with an entry of today.",
                    line=line.display_name,
                )
            )
        move = line.move_id.with_context(**QUIET)
        before = {item["id"]: item for item in match.before["items"]}
        (move.line_ids - line._seek_for_lines()[0]).remove_move_reconcile()
        known = set(move.line_ids.ids)
        lost = [kept for item, kept in before.items() if item not in known]
        if [kept["account_id"] for kept in lost] not in (
            [],
            line.journal_id.suspense_account_id.ids,
        ):
            raise UserError(
                self.env._(
                    "The journal items of %(line)s were changed since it was matched. Use Revert"
                    " reconciliation on the bank line.",
                    line=line.display_name,
                )
            )
        move.write(
            {
                "line_ids": [
                    *(Command.delete(item) for item in known - before.keys()),
                    *(
                        Command.update(item, {name: kept[name] for name in KEPT})
                        for item, kept in before.items()
                        if item in known and self._differs(item, kept)
                    ),
                    *(Command.create({name: kept[name] for name in KEPT}) for kept in lost),
                ]
            }
        )
        if line.partner_id.id != match.before["partner"]:
            line.with_context(**QUIET).write({"partner_id": match.before["partner"]})

    def _differs(self, item_id, kept):
        item = self.env["account.move.line"].browse(item_id)
        return any(_plain(item[name]) != kept[name] for name in KEPT)

    def _undo_apart(self, match):
        """Reverse the entry from suspense; nothing of the locked period is touched."""
        entry = match.transfer_move_id
        entry.line_ids.remove_move_reconcile()
        reversal = entry._reverse_moves(
            [{"date": self._open_day(match.line_id), "ref": self.env._("Undone: %s", entry.name)}]
        )
        reversal._post(soft=False)
        for one, back in zip(
            entry.line_ids.sorted("id"), reversal.line_ids.sorted("id"), strict=True
        ):
            if one.account_id.reconcile and not (one.reconciled or back.reconciled):
                (one | back).reconcile()


def _is_refund(taxes, balance):
    """Tell which half of a tax applies: a sale that lowers income, or a purchase that lowers cost."""
    if taxes[0].type_tax_use == "sale":
        return balance > 0
    return taxes[0].type_tax_use == "purchase" and balance < 0


def _moves(row):
    return row["move_id"], row.get("transfer_move_id")


def _plain(value):
    return value.id if isinstance(value, models.BaseModel) else value
