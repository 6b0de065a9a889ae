from odoo import models


class FinanceBankImport(models.Model):
    _inherit = "finance.bank.import"

    def _in_words(self, refusal):
        """Return why it was refused, and what to do next, in the reader's language."""
        code = refusal["code"]
        if code.startswith("format."):
            return self._format_in_words(code.removeprefix("format."), refusal)
        words = self._account_refusals().get(code)
        return words % refusal if words else code

    def _format_in_words(self, code, refusal):
        _ = self.env._
        what, advice = self._format_refusals().get(code, (refusal["what"], refusal["advice"]))
        place = [_("line %(line)s", line=refusal["line"])] if refusal["line"] else []
        place += [refusal["element"]] if refusal["element"] else []
        place += [f"“{refusal['value']}”"] if refusal["value"] else []
        said = f"{refusal['what']} ({', '.join(place)})" if place else refusal["what"]
        advice = (
            advice if self.env.lang and not self.env.lang.startswith("en") else refusal["advice"]
        )
        return f"{what} {said}. {advice}"

    def _account_refusals(self):
        """Return {code: words} of files that were read, but belong to no account here."""
        _ = self.env._
        return {
            "account.missing": _(
                "Statement %(statement)s names no account, so nobody knows where it belongs."
                " Choose the journal, and import the file again. Nothing was imported."
            ),
            "account.unknown": _(
                "Statement %(statement)s is of account %(account)s, which no journal has. Enter the"
                " number in the journal of this account (Invoicing, Configuration, Journals), or"
                " choose the journal; then import the file again. Nothing was imported."
            ),
            "account.company": _(
                "Statement %(statement)s is of account %(account)s, of a company that you don't"
                " work for. Leave the file to somebody who does. Nothing was imported."
            ),
            "account.ambiguous": _(
                "Several journals have account %(account)s of statement %(statement)s in"
                " %(currency)s. Choose the journal, and import the file again. Nothing was imported."
            ),
            "account.other": _(
                "Statement %(statement)s is of account %(account)s; the journal %(journal)s is for"
                " %(journal_account)s. Choose another journal, or leave the choice to the file."
                " Nothing was imported."
            ),
            "account.currency": _(
                "Statement %(statement)s of account %(account)s is in %(currency)s; the journal"
                " %(journal)s is in %(journal_currency)s. Make a journal for the account in"
                " %(currency)s, and import the file again. Nothing was imported."
            ),
            "account.hashed": _(
                "The journal %(journal)s secures entries with a hash when they are posted, which"
                " Odoo refuses for bank lines that are not reconciled yet. Switch that off in the"
                " journal, and secure its entries at the end of the period (Invoicing, Accounting,"
                " Secure Entries); then import the file again. Nothing was imported."
            ),
            "account.type": _(
                "The journal %(journal)s is not one of a bank, of cash or of a card. Choose another"
                " one. Nothing was imported."
            ),
        }

    def _format_refusals(self):
        """Return {code of a `FormatError`: (what it means, what to do)}."""
        _ = self.env._
        again = _("Fetch the file from the bank again; if it stays the same, show the bank this.")
        return {
            "empty": (_("The file has nothing in it."), _("Choose a file with statements.")),
            "size": (
                _("The file is too large to be read."),
                _("Ask the bank for a shorter period, or import several files."),
            ),
            "unknown": (
                _("This is no format of bank statements that is known here."),
                _("Choose a camt, MT940, MT942, OFX, BAI2, QIF, CSV or XLSX file."),
            ),
            "encoding": (_("The signs of the file can't be read."), again),
            "syntax": (_("The file is damaged."), again),
            "truncated": (
                _("The file was cut off on its way."),
                _("Fetch it from the bank again."),
            ),
            "forbidden": (
                _("The file has something that no statement has, and may do harm."),
                again,
            ),
            "missing": (_("Something that a statement must have is missing."), again),
            "value": (_("A value can't be right."), again),
            "amount": (_("An amount can't be read."), again),
            "date": (_("A date can't be read."), again),
            "currency": (_("The currencies don't fit together."), again),
            "status": (_("The bank gives an entry a status that is not known."), again),
            "account": (_("The account can't be told."), again),
            "control": (_("A control total of the file is not what its entries come to."), again),
            "unsupported": (
                _("The file is of a kind that can't be read."),
                _("Ask the bank for another format of the same statement."),
            ),
            "ambiguous": (
                _("The file can be read in two ways, and nobody guesses."),
                _("Choose the format of dates and amounts, and import the file again."),
            ),
        }
