from odoo import api, fields, models

from .finance_tax_document import RECORDERS, UNDECIDED
from .finance_tax_route import Route


class AccountMove(models.Model):
    """What is posted belongs to whom it was posted with; what corrects it, too."""

    _inherit = "account.move"

    finance_tax_recorder = fields.Selection(
        RECORDERS, "Tax recorded by", compute="_compute_finance_tax_recorder"
    )
    finance_tax_recorder_name = fields.Char("Recorded by", compute="_compute_finance_tax_recorder")

    @api.depends(
        "state",
        "company_id",
        "fiscal_position_id",
        "journal_id",
        "partner_shipping_id",
        "finance_tax_document_ids.state",
    )
    def _compute_finance_tax_recorder(self):
        for move in self:
            move.finance_tax_recorder, move.finance_tax_recorder_name = (
                move._finance_tax_find_recorder() if move._finance_tax_kind() else (False, False)
            )

    # === HOOKS OF A DOCUMENT === #

    def _finance_tax_supply_date(self):
        corrected = self._finance_tax_corrected()
        return corrected._finance_tax_supply_date() if corrected else self.invoice_date

    def _finance_tax_route_kept(self):
        """Posted documents stay with their engine; what corrects one of them goes the same way.

        Taken back at another engine, it would be declared at one and deducted at the other.
        """
        own, corrected = self._finance_tax_deciding(), self._finance_tax_corrected()
        if own:
            return own._route("kept" if own.connector_id or own.route_id else "told")
        if self._origin.state == "posted":
            return self._finance_tax_of_odoo("kept")
        if corrected.state != "posted":
            return None
        of_original = corrected._finance_tax_deciding()
        if not of_original:
            return self._finance_tax_of_odoo("original", corrected)
        route = of_original._route("original", corrected)
        # by the rules where the engine is given up
        return route if route.target == "elsewhere" or route.workflow.active else None

    def _finance_tax_deciding(self):
        """Return the tax document that this one is posted with, or that says it is elsewhere."""
        move = self._origin.sudo()
        posted = move.state == "posted"
        return move.finance_tax_document_ids.filtered(
            lambda document: (
                document.recorder == "elsewhere"
                or posted
                and (document.recording or document.state not in UNDECIDED)
            )
        )[:1]

    # === WHO RECORDS IT === #

    def _finance_tax_find_recorder(self):
        """Return (recorder, its name): who declares the tax of this document, one and no other."""
        own, route = self._finance_tax_deciding(), self._finance_tax_route()
        if own:
            return own.recorder, own._recorder_words()
        if route.target == "elsewhere":
            return "elsewhere", route.name
        if route.workflow and self._finance_tax_records(route.workflow):
            return "engine", route.workflow.connector_id.name
        return "odoo", "Odoo"

    def _finance_tax_records(self, workflow):
        """Tell whether the engine is to record the document: not what takes back unknown ones."""
        original = self._finance_tax_original_move()._finance_tax_deciding()
        return workflow.tax_records and original.recorder in (False, "engine")

    def _finance_tax_recorded_at(self, name):
        """Keep that another platform, called ``name``, declares the tax of these documents.

        For addons that take invoices over from there. Raises UserError for a document that was
        posted with a tax engine.
        """
        for move in self:
            deciding = move._finance_tax_deciding()
            if deciding.recorder == "elsewhere":
                deciding.sudo().write({"recorder_name": name, "route_id": False})
                continue
            if deciding:
                move._finance_tax_refuse(
                    self.env._(
                        "it was posted with the tax of %(engine)s. Reset it to draft first, so that"
                        " nothing of it stays there",
                        engine=deciding.connector_id.name,
                    )
                )
            move._finance_tax_keep_elsewhere(Route("elsewhere", None, "told", None, name))

    def _finance_tax_keep_elsewhere(self, route):
        """Keep that the document is recorded where its route says, once."""
        if self._finance_tax_deciding():
            return
        self.env["finance.tax.document"].sudo().create(
            {
                **self._finance_tax_owner(),
                "company_id": self.company_id.id,
                "currency_id": self.currency_id.id,
                "amount_tax": self.amount_tax,
                "state": "unrecorded",
                "recorder": "elsewhere",
                "recorder_name": route.name,
                "route_id": route.record.id if route.reason == "rule" else False,
            }
        )
