from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_list

# Corrections that are no supply of their own: the engine has them with the original, or never.
NOT_ASKED_ROLES = ("credit", "tax_only", "bear")


class AccountMove(models.Model):
    """A correction of tax that was charged without the engine, and what it corrects."""

    _inherit = "account.move"

    finance_tax_true_up_id = fields.Many2one(
        "finance.tax.true.up",
        "Corrects the tax of",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    finance_tax_true_up_role = fields.Selection(
        [
            ("credit", "Credit note of the original"),
            ("invoice", "New invoice"),
            ("tax_only", "Tax alone"),
            ("bear", "Borne by the company"),
        ],
        "Correction",
        readonly=True,
        copy=False,
    )

    # === WHAT THE ENGINE IS ASKED === #

    def _finance_tax_kind(self):
        if self.finance_tax_true_up_role in NOT_ASKED_ROLES:
            return None
        return super()._finance_tax_kind()

    def _finance_tax_corrected(self):
        """A new invoice instead of one posted without the engine is taxed as of that one's date."""
        if self.finance_tax_true_up_role == "invoice":
            return self.finance_tax_true_up_id.sudo().move_id
        return super()._finance_tax_corrected()

    def _finance_tax_is_borne(self):
        """Tell whether the company has borne a part of the document's tax."""
        true_ups = self.sudo().finance_tax_document_ids.true_up_ids
        return any(row.state == "settled" and row.way == "bear" for row in true_ups)

    def _finance_tax_not_asked(self, workflow):
        """What the customer was charged is what he gets back, also where the company bore the rest.

        Then, as when the engine knows nothing of the original, a true-up has to follow.
        """
        original, document = self._finance_tax_original_move(), self._finance_tax_original(workflow)
        return bool(document) and (
            super()._finance_tax_not_asked(workflow)
            or document.state == "settled"
            or original._finance_tax_is_borne()
        )

    # === WHAT THE BOOKS SAY === #

    def _finance_tax_items(self):
        """Return [(jurisdiction key, journal item)] of the tax in the journal."""
        kept = self._finance_tax_lines()._finance_tax_by_hand()
        lines = self.line_ids.filtered(
            lambda line: line.display_type == "tax" and line.tax_line_id - kept
        )
        keys = self.env["finance.tax.jurisdiction"]._keys_of(lines.tax_line_id)
        return [
            ((keys.get(line.tax_line_id.id) or [f"tax/{line.tax_line_id.id}"])[0], line)
            for line in lines
        ]

    def _finance_tax_by_key(self):
        """Return {jurisdiction key: account.tax} of the tax in the journal."""
        return {key: line.tax_line_id for key, line in self._finance_tax_items()}

    def _finance_tax_owed(self):
        """Return what the journal owes, as two {jurisdiction key: Decimal}.

        In the document's currency and in the company's; negative on credit notes.
        """
        self.env["account.move.line"].flush_model()
        owed, company = defaultdict(Decimal), defaultdict(Decimal)
        for key, line in self._finance_tax_items():
            owed[key] -= _exact(line.amount_currency, line.currency_id)
            company[key] -= _exact(line.balance, line.company_currency_id)
        return owed, company

    # === PERIODS === #

    def _finance_tax_is_closed(self, day):
        """Tell whether the period of ``day`` takes no more tax of documents like this one."""
        return bool(self._get_violated_lock_dates(day, True))

    def _finance_tax_open_day(self):
        """Return the first day from today on whose period takes tax."""
        today = fields.Date.context_today(self)
        locks = self._get_violated_lock_dates(today, True)
        return fields.Date.add(locks[-1][0], days=1) if locks else today

    # === POSTED AND TAKEN BACK === #

    def _post(self, soft=True):
        """The engine is told of the original when its correction is posted."""
        posted = super()._post(soft)
        posted.finance_tax_true_up_id._corrected()
        return posted

    def write(self, vals):
        """An original stays posted while its correction is; a correction may be taken back."""
        leaving = self.browse()
        if vals.get("state") in ("draft", "cancel"):
            leaving = self.filtered(lambda move: move.state == "posted")
        leaving._finance_tax_refuse_corrected()
        result = super().write(vals)
        leaving.finance_tax_true_up_id._uncorrected()
        if vals.get("state") == "cancel":
            self.sudo().finance_tax_true_up_id._undrafted()
        return result

    def _finance_tax_refuse_corrected(self):
        for move in self:
            true_ups = move.sudo().finance_tax_document_ids.true_up_ids
            corrections = true_ups.correction_ids.filtered(lambda row: row.state != "cancel")
            if corrections - self:
                raise UserError(
                    self.env._(
                        "The tax of %(document)s is corrected by %(corrections)s. Reset these to draft"
                        " and delete them first.",
                        document=move.display_name,
                        corrections=format_list(self.env, corrections.mapped("display_name")),
                    )
                )

    def unlink(self):
        """Deleted drafts leave the true-up to be decided anew."""
        true_ups = self.sudo().finance_tax_true_up_id
        result = super().unlink()
        true_ups._undrafted()
        return result


def _exact(amount, currency):
    """Return a float of a journal item as the `Decimal` that it stands for."""
    return Decimal(repr(amount)).quantize(
        Decimal(1).scaleb(-currency.decimal_places), ROUND_HALF_UP
    )
