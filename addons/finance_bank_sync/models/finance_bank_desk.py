"""What the screen "Bank Lines" shows. What it does is in ``finance_bank_desk_work``.

Amounts go out as text, exact; the screen formats them. Every method checks who asks for which
journal; what the reader's own rights in Accounting don't give, the screen doesn't either.
"""

import re

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

KINDS = ("bank", "cash", "credit")
PAGE = 80
MOST = 500  # lines of one page
COLUMNS = (
    "date",
    "internal_index",
    "payment_ref",
    "partner_id",
    "partner_name",
    "account_number",
    "amount",
    "currency_id",
    "amount_currency",
    "foreign_currency_id",
    "amount_residual",
    "is_reconciled",
    "journal_id",
    "move_id",
    "sequence",
)
ROLES = ("finance_connector_base.group_user", "finance_connector_base.group_auditor")
AMOUNT = re.compile(r"[-+]?\d{1,15}(?:[.,]\d{1,3})?")


class FinanceBankDesk(models.AbstractModel):
    """The accountant's desk for the lines of one bank account."""

    _name = "finance.bank.desk"
    _description = "Bank Lines of a Journal"

    # === CALLED BY THE SCREEN === #

    @api.model
    def list_lines(
        self, journal_id=None, filter_by="todo", search="", after="", limit=PAGE, line_ids=None
    ):
        """Return the journal, its counts and a page of lines.

        filter_by: todo, proposed, doubtful, none, done or all. search: words or an amount. after:
        the ``index`` of the last line that is known; the page begins behind it. line_ids: of a
        document, to see these alone.
        """
        journals = self._journals()
        journal = self._journal(journal_id, journals)
        if not journal:
            return {"journal": False, "journals": []}
        lines = self._lines(journal, filter_by, search)
        if line_ids:
            lines &= Domain("id", "in", [int(one) for one in line_ids])
        found = self._refreshed(self._page(lines, after, min(int(limit), MOST)))
        return {
            "journal": self._journal_values(journal),
            "journals": [{"id": one.id, "name": one.display_name} for one in journals],
            "counts": self._counts(journal),
            "total": self.env["account.bank.statement.line"].search_count(lines),
            "lines": self._rows(found),
        }

    @api.model
    def detail(self, line_id):
        """Return all that is known of a line: the bank's words, proposals, what was booked."""
        line = self._refreshed(self._line(line_id))
        return {
            "row": self._rows(line)[0],
            "bank": self._bank_words(line),
            "proposals": self._proposals(line),
            "why_not": self._why_not(line),
            "booked": self._booked(line),
            "matches": self._matches(line),
        }

    @api.model
    def search_items(self, line_id, text="", limit=20):
        """Return open items that a person may choose for a line."""
        line = self._line(line_id)
        items = line._finance_search_items(text or "", limit=min(int(limit), 100))
        return [self._item_values(line, item) for item in items]

    @api.model
    def _action(self, lines=None, journal=None):
        """Return the action that opens the screen: on the first of ``lines``, or on ``journal``."""
        action = self.env["ir.actions.actions"]._for_xml_id(
            "finance_bank_sync.action_finance_bank_desk"
        )
        journal = lines[:1].journal_id if lines else journal
        action["params"] = {"journal_id": journal.id if journal else False}
        if lines:
            action["params"]["line_ids"] = lines.filtered(
                lambda line: line.journal_id == journal
            ).ids
        return action

    # === WHO MAY === #

    @api.model
    def _may_read(self):
        """Whether the user has a role that sees bank lines, and Accounting's right to read them."""
        return any(self.env.user.has_group(group) for group in ROLES) and self.env[
            "account.bank.statement.line"
        ].has_access("read")

    @api.model
    def _check_reader(self):
        if not any(self.env.user.has_group(group) for group in ROLES):
            raise AccessError(
                self.env._(
                    "Bank lines are for accountants and auditors. An administrator gives the role."
                )
            )
        self.env["account.bank.statement.line"].check_access("read")

    @api.model
    def _may_work(self):
        """Whether the user may match lines, by the role and by Accounting's own rights."""
        return self.env.user.has_group("finance_connector_base.group_user") and all(
            self.env[model].has_access("write")
            for model in ("account.bank.statement.line", "account.move", "account.move.line")
        )

    @api.model
    def _check_worker(self):
        self._check_reader()
        if not self._may_work():
            raise AccessError(
                self.env._(
                    "You may read bank lines and not change them. An administrator gives the role "
                    "Accountant, in Finance Connect and in Accounting."
                )
            )

    @api.model
    def _journals(self):
        self._check_reader()
        return self.env["account.journal"].search(
            [("type", "in", KINDS), ("company_id", "in", self.env.companies.ids)]
        )

    @api.model
    def _journal(self, journal_id, journals):
        if not journal_id:
            return journals[:1]
        journal = journals.filtered(lambda one: one.id == int(journal_id))
        if not journal:
            raise UserError(
                self.env._(
                    "This bank account is not of a company that you work in now. Choose the company "
                    "at the top right, or another account."
                )
            )
        return journal

    @api.model
    def _line(self, line_id):
        """Return a line that the user may see, of a journal of a company that is chosen."""
        self._check_reader()
        line = self.env["account.bank.statement.line"].browse(int(line_id)).exists()
        if not line:
            raise UserError(self.env._("This bank line was deleted. Load the list again."))
        line.check_access("read")
        return line

    # === THE LIST === #

    @api.model
    def _lines(self, journal, filter_by, search):
        """Return the domain of the lines that the filter and the words leave."""
        domain = Domain("journal_id", "=", journal.id)
        domain &= Domain("state", "=", "posted") & self._filter(filter_by)
        for word in (search or "").split():
            domain &= self._about(word)
        return domain

    @api.model
    def _filter(self, name):
        """Return the domain of a filter."""
        todo = Domain("is_reconciled", "=", False)
        if name in ("proposed", "doubtful", "none"):
            return todo & self._proposed(name)
        return {"todo": todo, "done": Domain("is_reconciled", "=", True)}.get(name, Domain.TRUE)

    @api.model
    def _about(self, word):
        """Return the domain of lines with a word in their texts, or with an amount."""
        texts = Domain.OR(
            Domain(name, "ilike", word)
            for name in ("payment_ref", "partner_name", "partner_id.name", "account_number")
        )
        texts |= Domain("finance_entry_ids", "any", self._about_entry(word))
        if not AMOUNT.fullmatch(word):
            return texts
        amount = abs(float(word.replace(",", ".")))
        return texts | Domain("amount", "in", [amount, -amount])

    @api.model
    def _about_entry(self, word):
        names = ("end_to_end_id", "remittance", "creditor_references", "customer_reference")
        return Domain.OR(Domain(name, "ilike", word) for name in names)

    @api.model
    def _page(self, domain, after, limit):
        """Return the lines behind the one with the index ``after``, the newest first."""
        if after:
            domain &= Domain("internal_index", "<", str(after))
        return self.env["account.bank.statement.line"].search_fetch(
            domain, COLUMNS, limit=limit, order="internal_index desc"
        )

    @api.model
    def _counts(self, journal):
        """Return {filter: number of lines}; the number of queries doesn't grow with the lines."""
        lines = self.env["account.bank.statement.line"]
        base = Domain("journal_id", "=", journal.id) & Domain("state", "=", "posted")
        counts = {
            "done" if done else "todo": count
            for done, count in lines._read_group(base, ["is_reconciled"], ["__count"])
        }
        counts = {"todo": 0, "done": 0} | counts
        counts["all"] = counts["todo"] + counts["done"]
        for standing in ("proposed", "doubtful"):
            counts[standing] = lines.search_count(base & self._filter(standing))
        counts["none"] = counts["todo"] - counts["proposed"] - counts["doubtful"]
        return counts

    # === VALUES === #

    @api.model
    def _journal_values(self, journal):
        currency = journal.currency_id or journal.company_id.currency_id
        return {
            "id": journal.id,
            "name": journal.name,
            "company": journal.company_id.display_name,
            "company_id": journal.company_id.id,
            "currency_id": currency.id,
            "suspense": journal.suspense_account_id.display_name or "",
            "may_work": self._may_work(),
            "may_import": self._may_work(),
        }

    @api.model
    def _rows(self, lines):
        """Return the lines as the list shows them; queries don't grow with their number."""
        best = self._best(lines.filtered(lambda line: not line.is_reconciled))
        return [self._row(line, best.get(line.id)) for line in lines]

    @api.model
    def _row(self, line, best):
        currency = line.foreign_currency_id or line.currency_id
        total = line.amount_currency if line.foreign_currency_id else line.amount
        return {
            "id": line.id,
            "index": line.internal_index,
            "date": fields.Date.to_string(line.date),
            "label": line.payment_ref or "",
            "partner_id": line.partner_id.id,
            "partner": line.partner_id.display_name or line.partner_name or "",
            "account": line.account_number or "",
            "amount": self._text(line.amount, line.currency_id),
            "currency_id": line.currency_id.id,
            # what parts are stated in: the currency of the transaction
            "total": self._text(total, currency),
            "total_currency_id": currency.id,
            "digits": currency.decimal_places,
            "left": self._text(-line.amount_residual, currency),
            "done": line.is_reconciled,
            "standing": self._standing(line, best),
            "best": best or False,
        }

    @api.model
    def _standing(self, line, best):
        if line.is_reconciled:
            return "done"
        if not best:
            return "none"
        return "proposed" if best["clear"] else "doubtful"

    @api.model
    def _text(self, amount, currency):
        """Return an amount as exact text with the currency's decimals."""
        return f"{currency.round(amount or 0.0) + 0.0:.{currency.decimal_places}f}"
