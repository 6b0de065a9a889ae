"""What people are told of a reconciliation: one exception for each difference."""

from odoo import api, fields, models

from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind

from ..reconciliation.compare import DIFFERENCE
from .finance_exception import REPOST

AGAIN, VOID_THERE = "tax_record_again", "tax_void_there"
# Reason: code of the exception.
CODES = {
    "orphan": "tax.only_there",
    "draft": "tax.still_there",
    "earlier": "tax.still_there",
    "unexpected": "tax.still_there",
    "unasked": "tax.unasked",
    "voided": "tax.not_declared",
    "saved": "tax.not_declared",
    "day": "tax.date_differs",
    "period": "tax.date_differs",
    "currency": "tax.amount_differs",
    "tax": "tax.amount_differs",
    "jurisdiction": "tax.amount_differs",
    "net": "tax.amount_differs",
    "unanswered": "tax.not_found",
}
MISSING = "tax.not_recorded"
# Each difference has an exception of its own up to so many; the rest share one.
MOST_TOLD = 200


class FinanceException(models.Model):
    _inherit = "finance.exception"

    can_tax_record_again = fields.Boolean(compute="_compute_can_tax_reconcile")
    can_tax_void_there = fields.Boolean(compute="_compute_can_tax_reconcile")
    can_tax_reconciliation = fields.Boolean(compute="_compute_can_tax_reconcile")

    @api.depends("steps", "params")
    def _compute_can_tax_reconcile(self):
        for exception in self:
            steps = exception.steps or ()
            exception.can_tax_record_again = AGAIN in steps
            exception.can_tax_void_there = VOID_THERE in steps
            exception.can_tax_reconciliation = bool((exception.params or {}).get("reconciliation"))

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            MISSING: ExceptionKind(
                title=_("%(connector)s has not recorded it"),
                text=_(
                    "%(document)s is posted, but %(connector)s does not list it for %(month)s:"
                    " %(why)s. Have it recorded again, or say why it is right."
                ),
                effect=_("The tax return lacks %(here)s of tax that the ledger has."),
                kind="business",
                severity="high",
                steps=(AGAIN, "open_document", "handle", "ignore"),
                blocks_close=True,
                identity=("reconciliation", "number"),
            ),
            "tax.not_declared": ExceptionKind(
                title=_("%(connector)s will not declare it"),
                text=_(
                    "%(document)s is posted here; at %(connector)s it stands as: %(why)s. Have it"
                    " recorded again; it gets a new code there."
                ),
                effect=_("The tax return lacks %(here)s of tax that the ledger has."),
                kind="business",
                severity="high",
                steps=(AGAIN, "open_document", "handle", "ignore"),
                blocks_close=True,
                identity=("reconciliation", "number"),
            ),
            "tax.unasked": ExceptionKind(
                title=_("%(connector)s was never asked about it"),
                text=_(
                    "%(document)s is posted with tax that nobody asked %(connector)s for. Reset it"
                    " to draft and post it again, or say why it is right."
                ),
                effect=_("The tax return lacks %(here)s of tax that the ledger has."),
                kind="business",
                severity="high",
                steps=(REPOST, "open_document", "handle", "ignore"),
                blocks_close=True,
                identity=("reconciliation", "number"),
            ),
            "tax.only_there": ExceptionKind(
                title=_("%(connector)s has a document that the books don't have"),
                text=_(
                    "%(connector)s has recorded %(number)s of %(day_there)s with %(there)s of tax;"
                    " this database knows no such document. It may have been restored from a"
                    " backup, or another system records there too. Have it made void, or say why"
                    " it is right."
                ),
                effect=_("The tax return has %(there)s of tax that the ledger has not."),
                kind="business",
                severity="high",
                steps=(VOID_THERE, "open_document", "handle", "ignore"),
                blocks_close=True,
                identity=("reconciliation", "number"),
            ),
            "tax.still_there": ExceptionKind(
                title=_("%(connector)s declares what is not posted"),
                text=_("%(document)s, code %(number)s: %(why)s. Have it made void there."),
                effect=_("The tax return has %(there)s of tax that the ledger has not."),
                kind="business",
                severity="high",
                steps=(VOID_THERE, "open_document", "handle", "ignore"),
                blocks_close=True,
                identity=("reconciliation", "number"),
            ),
            "tax.amount_differs": ExceptionKind(
                title=_("Books and %(connector)s differ"),
                text=_(
                    "%(document)s: tax is %(here)s in the journal and %(there)s at %(connector)s"
                    " (%(why)s). Where the books are right, have it recorded again; where"
                    " %(connector)s is right, post it again with the engine's tax. What was filed"
                    " is corrected by a credit note and a new invoice."
                ),
                effect=_("The tax return and the ledger differ by %(amount)s."),
                kind="business",
                severity="high",
                steps=(AGAIN, REPOST, "open_document", "handle", "ignore"),
                blocks_close=True,
                identity=("reconciliation", "number"),
            ),
            "tax.date_differs": ExceptionKind(
                title=_("%(connector)s has another date"),
                text=_(
                    "%(document)s is dated %(day_here)s here and %(day_there)s at %(connector)s"
                    " (%(why)s). Have it recorded again, or correct the date here."
                ),
                effect=_("The tax may be declared in another month than %(month)s."),
                kind="business",
                steps=(AGAIN, "open_document", "handle", "ignore"),
                blocks_close=True,
                identity=("reconciliation", "number"),
            ),
            "tax.not_found": ExceptionKind(
                title=_("%(connector)s can't be asked about it"),
                text=_(
                    "%(connector)s finds %(document)s only by an id of its own, which is not known"
                    " here. Look it up there by %(number)s, and say what you found."
                ),
                effect=_("Whether the tax return has %(document)s is not known."),
                kind="business",
                steps=("open_document", "handle", "ignore"),
                blocks_close=True,
                identity=("reconciliation", "number"),
            ),
            "tax.many_differ": ExceptionKind(
                title=_("Books and %(connector)s differ widely"),
                text=_(
                    "%(count)s documents of %(month)s differ. The first ones have an exception each;"
                    " open the reconciliation for all of them. So many often have one cause: another"
                    " company code, a restored database, a second system that records there."
                ),
                effect=_("The tax return and the ledger differ."),
                kind="business",
                severity="critical",
                steps=("open_document", "handle"),
                blocks_close=True,
                identity=("reconciliation",),
            ),
            "tax.reconciliation_failed": ExceptionKind(
                title=_("Books and %(connector)s could not be compared"),
                text=_(
                    "%(connector)s did not list all it has recorded in %(month)s: %(answer)s. The"
                    " last result stays; it is tried again at night, or compare once more."
                ),
                effect=_("Your books are unchanged. Whether %(month)s agrees is not known."),
                steps=("retry", "open_document", "open_connector", "handle"),
            ),
        }

    @api.model
    def _endings(self):
        return super()._endings() | {
            "tax.agrees": self.env._("Books and engine were compared again, and it was gone."),
        }

    def _words(self, job):
        words = super()._words(job)
        reason = (self.params or {}).get("reason")
        if reason:
            lines = self.env["finance.tax.reconciliation.line"]
            labels = dict(lines._fields["reason"]._description_selection(self.env))
            words["why"] = labels.get(reason, reason)
        return words

    def _is_possible(self, step, job):
        """Whether a step makes sense: books of a filed month are not posted again."""
        possible = super()._is_possible(step, job)
        line = self._tax_line_of_each()
        if step == AGAIN:
            return possible and line.can_record_again
        if step == VOID_THERE:
            return possible and line.can_void
        if step == REPOST and line:
            return possible and not line.locked and not line.reconciliation_id.is_locked
        return possible

    def _close(self, state, reason="", quiet_until=False):
        """What a person has handled is explained, as long as it stays as it is."""
        result = super()._close(state, reason, quiet_until)
        if state == "handled":
            lines = self.env["finance.tax.reconciliation.line"].sudo()
            for line in lines.search([("exception_id", "in", self.ids)]):
                line.write({"explained": True, "explained_fact": line.fact})
        return result

    def _tax_line_of_each(self):
        """Return the lines of reconciliations that these tell of, as far as they are there."""
        ids = [(row.params or {}).get("line") for row in self]
        return self.env["finance.tax.reconciliation.line"].sudo().browse(filter(None, ids)).exists()

    # === NEXT STEPS === #

    def action_tax_record_again(self):
        """Have the engine record documents anew, as they are posted."""
        self._tax_lines_allowing(AGAIN).action_record_again()

    def action_tax_void_there(self):
        """Have the engine make void what the books don't have."""
        self._tax_lines_allowing(VOID_THERE).action_void()

    def _tax_lines_allowing(self, step):
        lines = self._allowing(step)._tax_line_of_each().sudo(self.env.su)
        lines.check_access("read")
        return lines

    def action_tax_reconciliation(self):
        """Open the reconciliation that found it."""
        self.ensure_one()
        return self._open_weak(
            "finance.tax.reconciliation", (self.params or {}).get("reconciliation")
        )


class FinanceTaxReconciliation(models.Model):
    _inherit = "finance.tax.reconciliation"

    def _tell(self):
        """Raise an exception for each difference, and close those that are gone.

        What a person must decide anyway by an exception of its own (a refused recording, the
        fallback rate) is not told twice.
        """
        exceptions = self.env["finance.exception"].sudo()
        codes = [*{*CODES.values(), MISSING}]
        lines = self.env["finance.tax.reconciliation.line"].search(
            [
                ("reconciliation_id", "=", self.id),
                ("standing", "=", DIFFERENCE),
                ("explained", "=", False),
            ],
            limit=MOST_TOLD + 1,
        )
        told = lines[:MOST_TOLD]
        known = self._told_already(told.move_id, codes)
        for line in told:
            exception = known.get(line.move_id.id)
            line.exception_id = exception or line._raise_difference()
        still = told.exception_id.ids
        if len(lines) > MOST_TOLD:
            still += exceptions._raise(
                "tax.many_differ",
                record=self,
                connector=self.connector_id,
                company=self.company_id,
                params={"month": self.month, "reconciliation": self.id, "count": self.open_count},
            ).ids
        gone = exceptions.search(
            [
                ("state", "=", "open"),
                ("code", "in", [*codes, "tax.many_differ"]),
                ("connector_id", "=", self.connector_id.id),
                ("id", "not in", still),
            ]
        ).filtered(lambda row: (row.params or {}).get("reconciliation") == self.id)
        gone._close("resolved", "tax.agrees")
        # of branches too, which a job of the company may otherwise not touch
        self.env.flush_all()

    def _told_already(self, moves, codes):
        """Return {move id: an open exception of other codes about it at this engine}."""
        found = self.env["finance.exception"].sudo().search(
            [
                ("state", "=", "open"),
                ("code", "not in", codes),
                ("connector_id", "=", self.connector_id.id),
                ("document_model", "=", "account.move"),
                ("document_id", "in", moves.ids),
            ]
        )  # fmt: skip
        return {exception.document_id: exception for exception in found}


class FinanceTaxReconciliationLine(models.Model):
    _inherit = "finance.tax.reconciliation.line"

    def _raise_difference(self):
        """Return the exception that tells of this difference."""
        money = {
            "here": f"{self.here_tax:.2f} {self.here_currency or ''}".strip(),
            "there": f"{self.there_tax:.2f} {self.there_currency or ''}".strip(),
        }
        return (
            self.env["finance.exception"]
            .sudo()
            ._raise(
                CODES.get(self.reason, MISSING),
                record=self,
                connector=self.connector_id,
                company=self.company_id,
                params={
                    "number": self.code or self.key,
                    "reason": self.reason,
                    "day_here": str(self.here_day or ""),
                    "day_there": str(self.there_day or self.told or ""),
                    "month": self.reconciliation_id.month,
                    "reconciliation": self.reconciliation_id.id,
                    "line": self.id,
                    **money,
                },
                amount=abs(self.gap or self.here_tax),
                currency=self.currency_id,
            )
        )
