from dataclasses import replace
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from .. import matching
from ..matching import references
from ..matching.names import account_key, name_key

# One query for all lines: by number, by partner, by amount. What is asked is what is open: posted,
# not reconciled, on an account that reconciles, and neither on a bank's own accounts nor in suspense.
ITEMS = """
WITH named AS (SELECT unnest(%(moves)s::int[]) AS id),
     owed AS (SELECT unnest(%(partners)s::int[]) AS id),
     amounts AS (SELECT unnest(%(amounts)s::numeric[]) AS amount)
SELECT item.id, item.move_id, partner.commercial_partner_id, item.currency_id, item.amount_residual_currency,
       item.amount_residual, item.date, item.date_maturity, item.discount_date,
       CASE WHEN item.amount_residual_currency = item.amount_currency
            THEN NULLIF(item.discount_amount_currency, 0) END,
       item.payment_id, move.name, move.ref, move.payment_reference, payment.memo,
       payment.payment_reference, move.move_type
  FROM account_move_line item
  JOIN account_move move ON move.id = item.move_id
  LEFT JOIN res_partner partner ON partner.id = item.partner_id
  LEFT JOIN account_payment payment ON payment.id = item.payment_id
 WHERE item.account_id = ANY(%(accounts)s) AND item.reconciled IS NOT TRUE
   AND item.parent_state = 'posted' AND item.company_id = ANY(%(companies)s)
   AND item.amount_residual_currency <> 0
   AND (item.payment_id IS NULL OR NOT item.account_id = ANY(%(owing)s))
   AND (item.move_id IN (SELECT id FROM named) OR item.partner_id IN (SELECT id FROM owed)
        OR item.amount_residual_currency IN (SELECT amount FROM amounts)
        OR item.discount_amount_currency IN (SELECT amount FROM amounts))
 ORDER BY item.id
"""
PARTNERS = """
SELECT partner.commercial_partner_id, %(column)s
  FROM res_partner partner %(join)s
 WHERE partner.active AND (partner.company_id IS NULL OR partner.company_id = ANY(%(family)s))
   AND %(column)s = ANY(%(keys)s)
"""
BANKS = SQL("JOIN res_partner_bank bank ON bank.partner_id = partner.id AND bank.active")
# The same folding as `matching.names.name_key`, but for accents, which are asked both ways.
FOLDED = SQL("translate(replace(upper(partner.name), 'ß', 'SS'), %s, '')", " \t.'’-,&/+()\"*:;!?_|")
DOCUMENTS = ("out_invoice", "out_refund", "out_receipt", "in_invoice", "in_refund", "in_receipt")
MOST_AMOUNTS = 5000


class FinanceBankMatcher(models.AbstractModel):
    """What bank lines may be: candidates for many lines in a few queries, weighed in plain Python."""

    _name = "finance.bank.matcher"
    _description = "Bank Matcher"

    @api.model
    def _verdicts(self, lines, rules):
        """Return {bank line: (`BankLine`, `Verdict`)} of open lines of one journal, in their order.

        rules: reconciliation models, of which some tell a partner. What is undoubted for one line
        is no longer open for the lines after it.
        """
        journal = lines.journal_id
        journal.ensure_one()
        known = self._bank_lines(lines)
        mapping = rules.filtered("mapped_partner_id")
        for line in lines if mapping else ():
            if known[line.id].partner is None:
                partner = mapping._finance_mapped_partner(line, known[line.id])
                known[line.id] = replace(known[line.id], partner=partner)
        pool, directory = self._candidates(journal, list(known.values()))
        terms = self.env["finance.bank.policy"]._of(journal)._terms()
        verdicts = {}
        for line in lines:
            verdict = matching.match(known[line.id], pool, directory, terms)
            if verdict.automatic:
                for key, amount in verdict.automatic.pays.items():
                    pool.pay(key, amount)
            verdicts[line] = (known[line.id], verdict)
        return verdicts

    # === LINES === #

    def _bank_lines(self, lines):
        entries = {entry.line_id.id: entry for entry in lines.sudo().finance_entry_ids}
        return {line.id: self._bank_line(line, entries.get(line.id)) for line in lines}

    def _bank_line(self, line, entry):
        currency = line.currency_id
        amounts = {currency.name: _decimal(line.amount, currency)}
        if line.foreign_currency_id:
            foreign = line.foreign_currency_id
            amounts[foreign.name] = _decimal(line.amount_currency, foreign)
        texts = [line.payment_ref, line.ref, *_strings(line.transaction_details)]
        given, ids, account, name = [], [], line.account_number, line.partner_name
        if entry:
            texts += [entry.remittance]
            given = (entry.creditor_references or "").split()
            ids = [entry.end_to_end_id, entry.batch_payment, entry.payment_id, entry.batch_message,
                   entry.message_id, entry.customer_reference]  # fmt: skip
            texts += [entry.end_to_end_id, entry.customer_reference]
            account = entry.partner_account or account
            name = entry.partner_name or name
            if entry.original_currency_id and entry.original_amount:
                original = entry.original_currency_id
                amounts.setdefault(original.name, _decimal(entry.original_amount, original))
        return matching.BankLine(
            key=line.id,
            day=line.date,
            currency=currency.name,
            amounts=amounts,
            texts=tuple(dict.fromkeys(filter(None, texts))),
            references=tuple(given),
            ids=tuple(dict.fromkeys(filter(None, ids))),
            name=name or "",
            account=account or "",
            partner=line.partner_id.commercial_partner_id.id or None,
            journal=line.journal_id.id,
        )

    # === CANDIDATES === #

    def _candidates(self, journal, lines):
        """Return (`Pool`, `Directory`) of what any of ``lines`` may be."""
        company = journal.company_id.sudo()
        companies = self.env["res.company"].sudo().search([("id", "child_of", company.id)]).ids
        directory = self._directory(company, lines)
        self.env["finance.bank.key"].sudo()._refresh(companies)
        keys = {
            key
            for line in lines
            for text in (*line.texts, *line.references)
            for key in references.text_mentions(text)
        }
        moves = self.env["finance.bank.key"].sudo()._find(keys)
        moves = {*moves, *self._moves_of_ids(lines)}
        partners = {partner for line in lines for partner in directory.who(line)[2] if partner}
        amounts = {amount for line in lines for amount in line.amounts.values()}
        pool = matching.Pool(currency=company.currency_id.name)
        open_moves = self._add_items(pool, company, companies, moves, partners, amounts)
        self._add_transfers(pool, journal, lines)
        for document in self._closed(moves - open_moves, companies):
            pool.close(document)
        return pool, directory

    def _directory(self, company, lines):
        directory = matching.Directory()
        accounts = {account_key(line.account) for line in lines} - {""}
        names = {name for line in lines for name in _spellings(line.name)} - {""}
        family = [*company.parent_ids.ids, *company.ids]
        rows = self._partners(SQL("bank.sanitized_acc_number"), BANKS, accounts, family)
        for partner, key in rows:
            directory.accounts[account_key(key)].add(partner)
        for partner, key in self._partners(FOLDED, SQL(), names, family):
            directory.names[name_key(key)].add(partner)
        own = self.env["account.journal"].sudo().search(
            [("company_id", "=", company.id), ("bank_account_id", "!=", False)]
        )  # fmt: skip
        for journal in own:
            directory.own[account_key(journal.bank_account_id.acc_number)] = journal.id
        directory.learned = self.env["finance.bank.lesson"].sudo()._partners_of(company, lines)
        return directory

    def _partners(self, column, join, keys, family):
        if not keys:
            return []
        self.env["res.partner"].flush_model(
            ["name", "active", "company_id", "commercial_partner_id"]
        )
        self.env["res.partner.bank"].flush_model(["sanitized_acc_number", "active"])
        query = SQL(PARTNERS, column=column, join=join, family=family, keys=list(keys))
        return self.env.execute_query(query)

    def _moves_of_ids(self, lines):
        """Return the moves of payments that the bank names by the id that we gave them."""
        ids = {identity for line in lines for identity in line.ids}
        if not ids:
            return set()
        refs = self.env["finance.external.ref"].sudo().search(
            [("external_id", "in", list(ids)),
             ("res_model", "in", ("account.move", "account.payment"))]
        )  # fmt: skip
        moves = {ref.res_id for ref in refs if ref.res_model == "account.move"}
        payments = self.env["account.payment"].sudo().browse(
            [ref.res_id for ref in refs if ref.res_model == "account.payment"]
        )  # fmt: skip
        return moves | set(payments.exists().move_id.ids) | set(payments.invoice_ids.ids)

    def _ids_of(self, moves, payments):
        """Return {("account.move" | "account.payment", id): ids of payment orders}."""
        refs = self.env["finance.external.ref"].sudo().search(
            ["|", "&", ("res_model", "=", "account.move"), ("res_id", "in", list(moves)),
             "&", ("res_model", "=", "account.payment"), ("res_id", "in", list(payments))]
        )  # fmt: skip
        found = {}
        for ref in refs:
            found.setdefault((ref.res_model, ref.res_id), []).append(ref.external_id)
        return found

    def _add_items(self, pool, company, companies, moves, partners, amounts):
        """Put what is open into ``pool``; return the ids of the moves found."""
        accounts = self._accounts(company)
        owing = accounts.filtered(
            lambda account: account.account_type in ("asset_receivable", "liability_payable")
        )
        self.env["account.move.line"].flush_model()
        query = SQL(
            ITEMS,
            moves=list(moves),
            partners=list(partners),
            amounts=list(amounts)[:MOST_AMOUNTS],
            accounts=accounts.ids,
            companies=companies,
            owing=owing.ids,
        )
        rows = self.env.execute_query(query)
        currencies = {
            currency.id: currency
            for currency in self.env["res.currency"].with_context(active_test=False).search([])
        }
        ids = self._ids_of({row[1] for row in rows}, {row[10] for row in rows if row[10]})
        for row in rows:
            pool.add(_open_item(row, currencies, company.currency_id, ids))
        return {row[1] for row in rows}

    def _accounts(self, company):
        """Return the accounts whose items a bank line may settle."""
        journals = self.env["account.journal"].sudo().search(
            [("type", "in", ("bank", "cash", "credit")),
             ("company_id", "child_of", company.root_id.id)]
        )  # fmt: skip
        without = journals.default_account_id | journals.suspense_account_id
        return self.env["account.account"].sudo().search(
            [("company_ids", "child_of", company.root_id.id), ("reconcile", "=", True),
             ("id", "not in", without.ids)]
        )  # fmt: skip

    def _add_transfers(self, pool, journal, lines):
        """The open lines of the company's other accounts with the opposite amount."""
        amounts = {float(-line.amount) for line in lines}
        others = self.env["account.bank.statement.line"].sudo().search(
            [("company_id", "=", journal.company_id.id), ("journal_id", "!=", journal.id),
             ("is_reconciled", "=", False), ("amount", "in", list(amounts))],
            limit=MOST_AMOUNTS,
        )  # fmt: skip
        for line in others:
            _liquidity, suspense, rest = line._seek_for_lines()
            if len(suspense) != 1 or rest:
                continue
            entry = line.finance_entry_ids[:1]
            pool.add(
                matching.OpenItem(
                    key=suspense.id,
                    kind=matching.TRANSFER,
                    amount=-_decimal(line.amount, line.currency_id),
                    currency=line.currency_id.name,
                    day=line.date,
                    account=entry.partner_account or line.account_number or "",
                    journal=line.journal_id.id,
                )
            )

    def _closed(self, moves, companies):
        """Return the documents among ``moves`` that have nothing open."""
        found = self.env["account.move"].sudo().search_fetch(
            [("id", "in", list(moves)), ("move_type", "in", DOCUMENTS), ("state", "=", "posted"),
             ("company_id", "in", companies)],
            ["name", "ref", "commercial_partner_id"],
        )  # fmt: skip
        return [
            matching.Closed(name, move.commercial_partner_id.id)
            for move in found
            for name in filter(None, (move.name, move.ref, move.payment_reference))
        ]


def _open_item(row, currencies, company_currency, ids):
    (
        key, move, partner, currency, amount, balance, day, due, discount_day, discounted, payment,
        *names, move_type,
    ) = row  # fmt: skip
    currency = currencies[currency]
    kind = matching.ENTRY
    if payment:
        kind = matching.PAYMENT
    elif move_type in DOCUMENTS:
        kind = matching.DOCUMENT
    words = [part for name in names if name and name != "/" for part in name.split("\n")]
    return matching.OpenItem(
        key=key,
        kind=kind,
        amount=_decimal(amount, currency),
        currency=currency.name,
        day=day,
        names=tuple(dict.fromkeys(words)),
        ids=(*ids.get(("account.move", move), ()), *ids.get(("account.payment", payment), ())),
        partner=partner,
        balance=_decimal(balance, company_currency),
        due=due or day,
        discounted=_decimal(discounted, currency) if discounted else None,
        discount_day=discount_day,
        document=move,
    )


def _decimal(value, currency):
    """Return an amount of the database as exact decimal with the places of its currency."""
    return Decimal(str(round(value, 6))).quantize(Decimal(1).scaleb(-currency.decimal_places))


def _strings(details):
    """Return the texts in ``transaction_details``, however deep."""
    if isinstance(details, str):
        return [details]
    if isinstance(details, dict):
        details = details.values()
    elif not isinstance(details, list):
        return []
    return [text for value in details for text in _strings(value)]


def _spellings(name):
    """Return how PostgreSQL may have folded ``name``: with its accents and without."""
    plain = "".join(sign for sign in name.upper().replace("ß", "SS") if sign.isalnum())
    return {plain, name_key(name)} if name_key(name) else set()
