import re
from datetime import timedelta
from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import NO_ACCESS

from ..canonical.statement import Account, Statement
from ..models.finance_bank_link import OPEN, VENDORS_OWN, lasting_id

CHOICES = [("existing", "Existing journal"), ("new", "New journal"), ("skip", "Not now")]
TYPES = {"bank": "bank", "card": "credit", "loan": "credit"}


class FinanceBankLinkWizardLine(models.TransientModel):
    """One account of a consent: which journal it fills, from when on, and the proof of it."""

    _name = "finance.bank.link.wizard.line"
    _inherit = ["finance.sealed.mixin"]
    _description = "Account to Link"
    _order = "id"
    _sealed_parts = {"pull_sealed": "pull"}

    wizard_id = fields.Many2one("finance.bank.link.wizard", required=True, ondelete="cascade")
    uuid = fields.Char(readonly=True, default=lambda self: str(uuid4()))
    company_id = fields.Many2one(related="wizard_id.company_id")
    name = fields.Char("Account", readonly=True)
    label = fields.Text("Bank Account", compute="_compute_label")
    remote_id = fields.Char(readonly=True)
    identities = fields.Json(readonly=True)
    iban = fields.Char("IBAN", readonly=True)
    number = fields.Char("Account Number", readonly=True)
    scheme = fields.Char(readonly=True)
    kind = fields.Char(readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    choice = fields.Selection(CHOICES, "Fills", required=True, default="new")
    journal_id = fields.Many2one(
        "account.journal",
        domain="[('company_id', '=', company_id), ('type', 'in', ('bank', 'credit'))]",
    )
    import_from = fields.Date(required=True)
    decision = fields.Selection(
        [
            ("accept", "Begin with the difference"),
            ("line", "Book a first bank line"),
        ],
        "If They Differ",
    )
    pull_sealed = fields.Binary(attachment=False, groups=NO_ACCESS)
    pulled_from = fields.Date(readonly=True)
    proved_from = fields.Date(readonly=True)
    proved_journal_id = fields.Many2one("account.journal", readonly=True)
    bank_balance = fields.Monetary("Bank, Now", readonly=True)
    movements = fields.Monetary("Since Then", readonly=True)
    opening = fields.Monetary("Bank, Then", readonly=True)
    ledger = fields.Monetary("Journal, Then", readonly=True)
    difference = fields.Monetary(readonly=True)
    has_opening = fields.Boolean(readonly=True)
    is_undecided = fields.Boolean(compute="_compute_is_undecided")
    words = fields.Text("Proof", readonly=True)

    @api.depends("name", "iban", "number", "currency_id")
    def _compute_label(self):
        for line in self:
            number = line._bank_number() or ""
            if line.iban:
                number = " ".join(re.findall(".{1,4}", number))
            told = " · ".join(filter(None, (number, line.currency_id.name)))
            line.label = f"{line.name}\n{told}"

    @api.depends("choice", "difference", "has_opening", "decision", "words")
    def _compute_is_undecided(self):
        for line in self:
            proved = line.has_opening and not line.difference
            line.is_undecided = line.choice != "skip" and line.words and not (
                proved or line.decision
            )  # fmt: skip

    # === MAKING === #

    @api.model
    def _make(self, wizard, accounts):
        """Make a line for each `FeedAccount`, with the journal that has its number."""
        currencies = {
            one.name: one
            for one in self.env["res.currency"].with_context(active_test=False).search([])
        }
        vals = []
        for one in accounts:
            account = one.account
            currency = currencies.get(account.currency)
            journal = self._journal_of(wizard.company_id, account)
            vals.append(
                {
                    "wizard_id": wizard.id,
                    "name": account.name or account.owner or account.identifier or one.remote_id,
                    "remote_id": one.remote_id,
                    "identities": list(one.identities),
                    "iban": account.iban,
                    "number": account.number,
                    "scheme": account.scheme,
                    "kind": one.kind,
                    "currency_id": currency.id if currency else False,
                    "choice": ("existing" if journal else "new") if currency else "skip",
                    "journal_id": journal.id,
                    "import_from": self._first_day(journal),
                }
            )
        return self.create(vals)

    @api.model
    def _journal_of(self, company, account):
        """Return the journal of the account's number and currency, empty without one."""
        journals = self.env["account.journal"].search(
            [("company_id", "=", company.id), ("type", "in", ("bank", "credit"))]
        )
        for journal in journals if account.identifier else ():
            number = (journal.bank_account_id.sanitized_acc_number or "").upper()
            currency = journal.currency_id or company.currency_id
            if number == account.identifier and currency.name == account.currency:
                return journal
        return journals.browse()

    @api.model
    def _first_day(self, journal):
        """Return the day after the last line of a journal, else the first of this month."""
        last = self.env["account.bank.statement.line"].search(
            [("journal_id", "=", journal.id), ("state", "=", "posted")],
            order="date desc",
            limit=1,
        ) if journal else None  # fmt: skip
        if last:
            return last.date + timedelta(days=1)
        return fields.Date.context_today(self).replace(day=1)

    @api.onchange("journal_id")
    def _onchange_journal(self):
        if self.journal_id:
            self.choice = "existing"
            self.import_from = self._first_day(self.journal_id)

    # === LINKING === #

    def _account(self):
        return Account(
            iban=self.iban or "",
            number=self.number or "",
            scheme=self.scheme or "",
            currency=self.currency_id.name,
        )

    def _check_choice(self):
        if not self.currency_id:
            raise UserError(
                self.env._(
                    "%(account)s: its currency is not known here. Activate it under Currencies, and"
                    " begin again.",
                    account=self.name,
                )
            )
        if not self.currency_id.active:
            raise UserError(
                self.env._(
                    "%(account)s is in %(currency)s, which is not active here. Activate it under"
                    " Invoicing, Configuration, Currencies, and press the button again.",
                    account=self.name,
                    currency=self.currency_id.name,
                )
            )
        if self.import_from > fields.Date.context_today(self):
            raise UserError(self.env._("%(account)s: the first day lies ahead.", account=self.name))
        if self.choice != "existing":
            return
        if not self.journal_id:
            raise UserError(self.env._("%(account)s: choose the journal.", account=self.name))
        expected = self.journal_id.currency_id or self.company_id.currency_id
        if expected != self.currency_id:
            raise UserError(
                self.env._(
                    "%(account)s is in %(currency)s and %(journal)s in %(expected)s. Choose a"
                    " journal in %(currency)s, or a new one.",
                    account=self.name,
                    currency=self.currency_id.name,
                    journal=self.journal_id.display_name,
                    expected=expected.name,
                )
            )
        other = self.env["finance.bank.link"].sudo().search(
            [("journal_id", "=", self.journal_id.id), ("state", "in", OPEN)], limit=1
        )  # fmt: skip
        if other:
            raise UserError(
                self.env._(
                    "%(journal)s is filled by the bank link %(link)s already. Stop that one first,"
                    " then link the account again.",
                    journal=self.journal_id.display_name,
                    link=other.name,
                )
            )
        journals = self.env["account.journal"]
        account = self._account() if self._bank_number() else Account(currency=expected.name)
        told = Statement(account=account, currency=expected.name)
        _found, reason = journals._finance_bank_journals([told], self.journal_id)
        if reason:
            raise UserError(self.env["finance.bank.import"]._in_words(reason))

    def _check_complete(self):
        """Refuse to link what is not proved and not decided."""
        self._check_choice()
        journal = self.journal_id if self.choice == "existing" else self.journal_id.browse()
        if self.proved_from != self.import_from or self.proved_journal_id != journal:
            self._prove()
        if (self.difference or not self.has_opening) and not self.decision:
            raise UserError(
                self.env._(
                    "%(account)s: %(words)s Choose another first day, or say under “If They Differ”"
                    " how to begin.",
                    account=self.name,
                    words=self.words,
                )
            )

    def _link(self):
        """Make the link, and import what the proof fetched."""
        self.ensure_one()
        journal = self.journal_id if self.choice == "existing" else self._new_journal()
        links = self.env["finance.bank.link"].sudo()
        wizard = self.wizard_id
        account = self._account()
        stopped = links.search(
            [("journal_id", "=", journal.id), ("iban", "=", account.iban or False)], limit=1
        )
        vals = {
            "name": f"{wizard.consent_id.name or wizard.connector_id.name}: {self.name}",
            "connector_id": wizard.connector_id.id,
            "company_id": wizard.company_id.id,
            "journal_id": journal.id,
            "consent_id": wizard.consent_id.id,
            "remote_id": lasting_id(self.remote_id, self.identities),
            "request_id": self.remote_id,
            "identities": self.identities,
            "iban": self.iban,
            "number": self.number,
            "scheme": self.scheme,
            "kind": self.kind,
            "currency_id": self.currency_id.id,
            "state": "active",
            "import_from": self.import_from,
            "opening_amount": self.opening,
            "opening_difference": self.difference,
            "opening_note": self.words,
            "pull_minutes": wizard.connector_id._provider_class().minutes,
            "cursor": False,
            "pulled_digest": False,
            "pulled_until": False,
        }
        if stopped:
            stopped.write(vals)
        link = stopped or links.create(vals)
        if not journal.bank_account_id and self._bank_number():
            # so that files of this account find the journal too
            journal.sudo().set_bank_account(self._bank_number())
        if self.decision == "line" and self.difference:
            self._opening_line(journal)
        link._audit("bank.link_made", journal=journal.id, difference=str(self.difference))
        pull = self._kept() if self.pulled_from else None
        if pull:
            link._pulled(pull)
        link.next_pull_at = fields.Datetime.now() + link._interval()
        if not pull:
            link._enqueue_pull()
        return link.sudo(False)

    def _new_journal(self):
        currency = self.currency_id
        return self.env["account.journal"].sudo().create(
            {
                "name": self.name[:64],
                "type": TYPES.get(self.kind, "bank"),
                "company_id": self.company_id.id,
                "currency_id": currency.id if currency != self.company_id.currency_id else False,
                "bank_acc_number": self._bank_number(),
            }
        )  # fmt: skip

    def _bank_number(self):
        """Return the number that a statement file names, False where only the vendor has one."""
        return self.iban or (self.scheme != VENDORS_OWN and self.number) or False

    def _opening_line(self, journal):
        """Book the difference as a bank line of the day before, to be matched with what it is."""
        self.env["account.bank.statement.line"].sudo().create(
            {
                "journal_id": journal.id,
                "date": self.import_from - timedelta(days=1),
                "amount": self.difference,
                "payment_ref": self.env._("Opening balance per bank"),
            }
        )
