from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.finance_connector_base.actions import listing
from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind

ENTRIES, RETRY, OPEN_DAY = "bank_entries", "bank_retry", "bank_open_day"


class FinanceException(models.Model):
    _inherit = "finance.exception"

    can_bank_entries = fields.Boolean(compute="_compute_can_bank")
    can_bank_retry = fields.Boolean(compute="_compute_can_bank")
    can_bank_open_day = fields.Boolean(compute="_compute_can_bank")

    @api.depends("steps")
    def _compute_can_bank(self):
        for exception in self:
            steps = exception.steps or ()
            exception.can_bank_entries = ENTRIES in steps
            exception.can_bank_retry = RETRY in steps
            exception.can_bank_open_day = OPEN_DAY in steps

    def _words(self, job):
        """What an import or a statement says of itself, in the reader's language."""
        words = super()._words(job)
        told = {"finance.bank.import": "refusal_words", "finance.bank.statement": "finding_words"}
        name = told.get(self.document_model)
        document = name and self.env[self.document_model].sudo().browse(self.document_id).exists()
        if document and document[name]:
            words["told"] = document[name]
        return words

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            "bank.refused": ExceptionKind(
                title=_("A bank file was refused"),
                text=_("“%(document)s” was not imported, and is kept: %(told)s"),
                effect=_("Its entries are missing from the books."),
                kind="business",
                severity="high",
                steps=("open_document", "handle", "ignore"),
            ),
            "bank.stopped": ExceptionKind(
                title=_("A bank import stopped"),
                text=_(
                    "“%(document)s” could not be entered to its end: %(answer)s. Change what is"
                    " named, then try again; it goes on where it stopped."
                ),
                effect=_("Some of its entries are missing from the books; none is there twice."),
                kind="business",
                severity="high",
                question="stopped",
                steps=("retry", "open_document", "open_job"),
                blocks_close=True,
            ),
            "bank.held": ExceptionKind(
                title=_("Bank entries may be in the books already"),
                text=_(
                    "“%(document)s” tells of %(count)s entries of %(first)s to %(last)s that another"
                    " source may have told in other words. Look at each: enter it if it is another"
                    " one, leave it out if it is the same."
                ),
                effect=_("%(count)s entries of %(journal)s are not in the books."),
                kind="business",
                severity="high",
                steps=(ENTRIES, "open_document"),
                blocks_close=True,
            ),
            "bank.changed": ExceptionKind(
                title=_("The bank changed what is in the books"),
                text=_(
                    "“%(document)s” changes or takes back %(count)s entries of %(first)s to"
                    " %(last)s that are in the books. Correct those lines by hand, then leave these"
                    " entries out."
                ),
                effect=_("The books of %(journal)s have what the bank no longer says."),
                kind="business",
                severity="high",
                steps=(ENTRIES, "open_document"),
                blocks_close=True,
            ),
            "bank.locked": ExceptionKind(
                title=_("Bank entries are dated in a locked period"),
                text=_(
                    "“%(document)s” has %(count)s entries that the bank booked on %(first)s to"
                    " %(last)s; the books are locked up to %(lock)s, and open from %(open)s. Unlock"
                    " the period and import them, or enter them on the first open day."
                ),
                effect=_("%(count)s entries of %(journal)s are not in the books."),
                kind="business",
                severity="high",
                steps=(RETRY, OPEN_DAY, ENTRIES, "open_document"),
                blocks_close=True,
            ),
            "bank.balance": ExceptionKind(
                title=_("A bank statement does not add up"),
                text=_(
                    "Statement %(document)s of %(journal)s: %(told)s Fetch it from the bank"
                    " again; if it stays the same, ask the bank."
                ),
                effect=_("The entries are in the books; some may be missing or too many."),
                kind="business",
                steps=("open_document", "handle", "ignore"),
            ),
            "bank.gap": ExceptionKind(
                title=_("A bank statement is missing"),
                text=_(
                    "Statement %(document)s of %(journal)s: %(told)s Import what is missing; this"
                    " closes by itself when the statements follow one another."
                ),
                effect=_("Entries between the two statements may be missing from the books."),
                kind="business",
                severity="high",
                steps=("open_document", "handle", "ignore"),
                blocks_close=True,
            ),
            "bank.overlap": ExceptionKind(
                title=_("Bank statements overlap"),
                text=_(
                    "Statement %(document)s of %(journal)s: %(told)s What was told twice was"
                    " skipped; look at the skipped entries."
                ),
                effect=_("None: each entry is in the books once."),
                kind="business",
                severity="low",
                steps=("open_document", "handle", "ignore"),
            ),
        }

    @api.model
    def _endings(self):
        _ = self.env._
        return super()._endings() | {
            "bank.settled": _("All of these entries are decided."),
            "bank.filled": _("The statements follow one another now."),
            "bank.came": _("The same file was imported later."),
        }

    # === BUTTONS === #

    def action_bank_entries(self):
        """List the entries that wait."""
        self.ensure_one()
        entries = self._bank_held()
        return listing(self.title, "finance.bank.entry", [("id", "in", entries.ids)])

    def action_bank_retry(self):
        """Enter what was held for a lock, where the period is open now."""
        return self._bank_held("can_bank_retry").action_retry()

    def action_bank_open_day(self):
        """Enter what is dated in a locked period on the first open day."""
        return self._bank_held("can_bank_open_day").action_book_open()

    def _bank_held(self, allowed="can_bank_entries"):
        """Return the entries that these exceptions are about, as the user may see them."""
        self.check_access("read")
        if not all(self.mapped(allowed)):
            raise UserError(self.env._("There is nothing left to decide here."))
        reasons = self.env["finance.bank.import"]._waiting_reasons()
        found = self.env["finance.bank.entry"]
        for exception in self:
            held = found.search([("import_id", "=", exception.document_id), ("state", "=", "held")])
            codes = reasons[exception.code]
            found |= held.filtered(lambda entry, codes=codes: entry.reason.get("code") in codes)
        return found
