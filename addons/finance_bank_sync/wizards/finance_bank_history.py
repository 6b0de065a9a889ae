from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.finance_connector_base.actions import CLOSE, notice

from ..models.finance_bank_link import MANAGERS


class FinanceBankHistory(models.TransientModel):
    """From when to when a person wants a bank link to fetch again."""

    _name = "finance.bank.history"
    _description = "Fetch a Period"

    link_id = fields.Many2one("finance.bank.link", required=True, ondelete="cascade")
    first = fields.Date("From", required=True)
    last = fields.Date("To", required=True, default=fields.Date.context_today)

    @api.constrains("first", "last")
    def _check_days(self):
        for wizard in self:
            if wizard.first > wizard.last:
                raise ValidationError(self.env._("The period ends before it begins."))

    def action_fetch(self):
        """Write the job; what is there already is skipped when it comes."""
        self.ensure_one()
        link = self.link_id
        link._check_role("bank.history", MANAGERS)
        days = link._provider().history_days
        if self.first < fields.Date.context_today(self) - timedelta(days=days):
            raise UserError(
                self.env._(
                    "%(vendor)s tells at most %(days)s days. Choose a later first day.",
                    vendor=link.connector_id.vendor,
                    days=days,
                )
            )
        if link.state != "active":
            raise UserError(
                self.env._(
                    "%(link)s is not active. Renew the consent, or start it again.", link=link.name
                )
            )
        if link.history_from:
            raise UserError(
                self.env._(
                    "A period from %(first)s is being fetched for %(link)s. Wait until it is there.",
                    first=link.history_from,
                    link=link.name,
                )
            )
        number = link.pull_number + 1
        link.sudo().write(
            {"history_from": self.first, "history_until": self.last, "pull_number": number}
        )
        link.sudo()._enqueue("bank.history", revision=number)
        link._audit("bank.history", first=str(self.first), last=str(self.last))
        return notice("info", self.env._("The bank is asked for the period."), after=CLOSE)
