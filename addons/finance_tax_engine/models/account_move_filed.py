from odoo import fields, models
from odoo.exceptions import UserError


class AccountMove(models.Model):
    """An invoice that was filed with a tax return takes no change: it is credited and billed anew."""

    _inherit = "account.move"

    def _finance_tax_filed(self):
        """Return those whose tax document the engine keeps for good."""
        return self.filtered(
            lambda move: "locked" in move.sudo().finance_tax_document_ids.mapped("state")
        )

    def _finance_tax_estimate(self, at_post=False):
        """What was filed is posted again as it was filed, or not at all."""
        filed = self._finance_tax_filed()
        for move in filed:
            if not move._finance_tax_is_current(move._finance_tax_workflow()):
                move._finance_tax_refuse(
                    self.env._(
                        "it was filed with a tax return and can't be changed any more. Undo what was"
                        " changed since, post it again, and correct it by a credit note and a new"
                        " invoice"
                    )
                )
        return super(AccountMove, self - filed)._finance_tax_estimate(at_post)

    def write(self, vals):
        """A document that was filed is not taken back: nothing would make the return right."""
        if vals.get("state") in ("draft", "cancel"):
            posted = self.filtered(lambda move: move.state == "posted")
            for move in posted._finance_tax_filed():
                raise UserError(
                    self.env._(
                        "%(document)s was filed with a tax return at %(engine)s, which takes no"
                        " change of it. Correct it by a credit note, which goes to the next return,"
                        " and a new invoice.",
                        document=move.display_name,
                        engine=move.finance_tax_document_id.connector_id.sudo().name,
                    )
                )
        return super().write(vals)

    def _finance_tax_rebill(self):
        """Return drafts of a credit note of a filed invoice, and of a new invoice."""
        self.ensure_one()
        today = fields.Date.context_today(self)
        dates = {"invoice_date": today, "date": today}
        reference = self.env._("Correction of %(document)s", document=self.name)
        credit = self._reverse_moves([{**dates, "ref": reference}])
        again = self.with_context(include_business_fields=True)
        return credit + again.copy({**dates, "ref": reference})
