"""The proof of an account that is to be linked: the bank's balance at the start of the first day is
the journal's."""

from decimal import Decimal

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import SQL, format_date

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.providers.errors import ProviderError

from ..canonical.feed import Pull, PullRequest, booked
from ..models.finance_bank_link_pull import wanted
from ..models.operations_link import ask


class FinanceBankLinkWizardLine(models.TransientModel):
    """Asks the bank once, and keeps what it told for the link."""

    _inherit = "finance.bank.link.wizard.line"

    def _prove(self):
        """Compare the bank's balance at the start of the first day with the journal's."""
        self.ensure_one()
        self._check_choice()
        pull = self._pull()
        statement = pull.statement
        if not statement:
            self._proved(words=pull.words or self.env._("The bank does not tell yet. Check again."))
            return
        statement = wanted(statement, self.import_from)
        now = booked(statement.balances)
        if now is None:
            self._proved(words=self.env._("The bank gives no booked balance to prove it with."))
            return
        opening, ledger = now - statement.booked, self._ledger()
        difference = opening - ledger
        words = self.env._("Proved: the balances agree.")
        if difference:
            words = self._words_of_difference(opening, ledger)
        self._proved(
            has_opening=True,
            bank_balance=now,
            movements=statement.booked,
            opening=opening,
            ledger=ledger,
            difference=difference,
            words=words,
        )

    def _words_of_difference(self, opening, ledger):
        told = {
            "day": format_date(self.env, self.import_from),
            "bank": self.currency_id.format(float(opening)),
            "books": self.currency_id.format(float(ledger)),
        }
        if self.choice == "new":
            return self.env._(
                "At the start of %(day)s the bank had %(bank)s. A new journal begins with nothing.",
                **told,
            )
        return self.env._(
            "At the start of %(day)s the bank had %(bank)s, and the journal %(books)s.", **told
        )

    def _proved(self, **values):
        zero = dict.fromkeys(("bank_balance", "movements", "opening", "ledger", "difference"), 0)
        self.write(
            {
                **zero,
                "has_opening": False,
                "proved_from": self.import_from,
                "proved_journal_id": self.choice == "existing" and self.journal_id.id,
                **{name: _plain(value) for name, value in values.items()},
            }
        )

    def _pull(self):
        """Return what the bank tells since the first day; what it told before serves again."""
        if self.pulled_from and self.pulled_from <= self.import_from:
            return self._kept()
        feed = self.wizard_id._feed()
        consent = self.wizard_id.consent_id.sudo()
        waiting = request.httprequest if request else None
        try:
            pull = ask(
                feed,
                PullRequest(
                    remote_id=self.remote_id,
                    account=self._account(),
                    consent=consent._secret() if consent else "",
                    start=self.import_from,
                    end=fields.Date.context_today(self),
                    kind=self.kind or "bank",
                    longest=True,
                    fresh=True,
                    address=waiting.remote_addr if waiting else "",
                    agent=waiting.user_agent.string[:200] if waiting else "",
                ),
            )
        except ProviderError as error:
            why = self.env["finance.bank.visit"]._words_of(error)
            words = self.env._("%(account)s: %(why)s", account=self.name, why=why)
            raise UserError(words) from error
        if pull.statement:
            vault = self.env["finance.vault"]._vault()
            sealed = vault.seal(codec.dump(pull).encode(), self._name, self.uuid, "pull")
            self.sudo().write({"pull_sealed": sealed, "pulled_from": self.import_from})
        return pull

    def _kept(self):
        """Return the `Pull` of the proof."""
        self.flush_recordset(["uuid", "pull_sealed"])
        self.env.cr.execute(
            SQL("SELECT pull_sealed FROM finance_bank_link_wizard_line WHERE id = %s", self.id)
        )
        sealed = self.env.cr.fetchone()[0]
        vault = self.env["finance.vault"]._vault()
        text = vault.open(bytes(sealed), self._name, self.uuid, "pull").decode()
        return codec.load(Pull, text)

    def _ledger(self):
        """Return the balance of the journal's account before the first day, in its currency."""
        if self.choice != "existing":
            return Decimal(0)
        account = self.journal_id.default_account_id
        own = self.journal_id.currency_id and self.journal_id.currency_id != (
            self.company_id.currency_id
        )
        [(total,)] = self.env["account.move.line"].sudo()._read_group(
            [
                ("account_id", "=", account.id),
                ("company_id", "=", self.company_id.id),
                ("parent_state", "=", "posted"),
                ("date", "<", self.import_from),
            ],
            aggregates=["amount_currency:sum" if own else "balance:sum"],
        )  # fmt: skip
        places = self.currency_id.decimal_places
        return Decimal(f"{total or 0.0:.{places}f}")


def _plain(value):
    return float(value) if isinstance(value, Decimal) else value
