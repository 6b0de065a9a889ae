"""What a batch does when something is missing or open."""

from odoo import fields, models

from .finance_export import POLICIES


class FinanceExport(models.Model):
    _inherit = "finance.export"

    gaps_policy = fields.Selection(
        POLICIES, "Gaps in Numbers", required=True, default="mark", tracking=True
    )
    drafts_policy = fields.Selection(
        POLICIES, "Drafts in the Period", required=True, default="mark", tracking=True
    )
    unmapped_policy = fields.Selection(
        POLICIES,
        "Values without Mapping",
        required=True,
        default="block",
        tracking=True,
        help="Of values that have no approved external code.",
    )
    suspense_code = fields.Char(
        tracking=True,
        help="Code for values without an approved one, where they don't stop the batch. Empty: "
        "their mapped column stays empty.",
    )
    rates_policy = fields.Selection(
        POLICIES[:2],
        "Missing Rates",
        required=True,
        default="block",
        tracking=True,
        help="Of what has no rate, the amount in group currency stays empty: it is never taken as "
        "one to one.",
    )
    historical_policy = fields.Selection(
        POLICIES[:2],
        "Equity without Historical Amount",
        required=True,
        default="block",
        tracking=True,
    )
    bank_policy = fields.Selection(
        POLICIES, "Missing Bank Balances", required=True, default="mark", tracking=True
    )
    exceptions_policy = fields.Selection(
        POLICIES, "Open Exceptions", required=True, default="mark", tracking=True
    )
    balance_policy = fields.Selection(
        POLICIES,
        "Entries out of Balance",
        required=True,
        default="block",
        tracking=True,
        help="Debits and credits of a company and month that are not equal, as this export's "
        "reader sees them.",
    )
    intercompany_policy = fields.Selection(
        POLICIES, "Intercompany Differences", required=True, default="mark", tracking=True
    )

    def _policy(self, finding):
        """Return what is done about a kind of finding: "block", "mark" or "ignore"."""
        return self.sudo()[f"{finding}_policy"]
