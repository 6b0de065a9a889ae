from odoo import fields, models

KINDS = [("closing", "Closing"), ("average", "Average"), ("historical", "Historical")]


class FinanceExportRate(models.Model):
    """A rate that a run used to state a company in the group's currency, or one that it lacked."""

    _name = "finance.export.rate"
    _description = "Rate of a Run"
    _order = "run_id desc, entity_id, period desc, kind, account_id, id"
    _rec_name = "kind"
    _log_access = False

    run_id = fields.Many2one(
        "finance.export.run", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", "Kept by", readonly=True, ondelete="cascade")
    entity_id = fields.Many2one("res.company", "Company", readonly=True, ondelete="set null")
    currency_id = fields.Many2one("res.currency", readonly=True, ondelete="set null")
    to_currency_id = fields.Many2one("res.currency", "To", readonly=True, ondelete="set null")
    kind = fields.Selection(KINDS, required=True, readonly=True)
    period = fields.Char(readonly=True)
    account_id = fields.Many2one(
        "account.account", readonly=True, ondelete="set null", help="Of historical amounts."
    )
    day = fields.Date("As of", readonly=True)
    rate = fields.Float(
        readonly=True, digits=0, aggregator=None, help="One unit is this much of the other."
    )
    source = fields.Char(readonly=True)
    missing = fields.Boolean(readonly=True)
    amount = fields.Monetary(
        "Amount Concerned", readonly=True, help="What is not stated for want of the rate."
    )
