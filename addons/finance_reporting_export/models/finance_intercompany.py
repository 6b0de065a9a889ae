"""What companies of the group owe each other, each as its own books say."""

from datetime import date

from odoo import fields, models
from odoo.tools import SQL

from odoo.addons.finance_connector_base.actions import listing

KINDS = [("balance", "Balance sheet"), ("result", "Income and expenses")]
RESULT = ("income", "expense")


class FinanceIntercompany(models.Model):
    """Balances of a pair of companies in one currency, side by side.

    company: the one with the lower id; own: what its books say of the other, debit less credit in
    the items' currency; others: what the other's books say of it. Mirrored, they add up to
    nothing; what is left is the difference. Until the day ``finance_until`` of the context, else
    all that was posted.
    """

    _name = "finance.intercompany"
    _description = "Intercompany Balance"
    _auto = False
    _depends = {
        "account.account": ["account_type"],
        "account.move.line": [
            "account_id",
            "amount_currency",
            "company_id",
            "currency_id",
            "date",
            "parent_state",
            "partner_id",
        ],
        "res.company": ["partner_id"],
        "res.partner": ["commercial_partner_id"],
    }
    _order = "company_id, other_id, kind, currency_id"
    _rec_name = "company_id"

    company_id = fields.Many2one("res.company", readonly=True)
    other_id = fields.Many2one("res.company", "Other Company", readonly=True)
    kind = fields.Selection(KINDS, readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    own = fields.Monetary("In Its Books", readonly=True, aggregator=None)
    others = fields.Monetary("In the Other's Books", readonly=True, aggregator=None)
    difference = fields.Monetary(readonly=True, aggregator=None)
    items = fields.Integer("Journal Items", readonly=True)

    @property
    def _table_query(self):
        until = date.fromisoformat(self.env.context.get("finance_until") or "9999-12-31")
        return SQL(
            """
            SELECT row_number() OVER (ORDER BY company_id, other_id, kind, currency_id) AS id, pair.*,
                   own + others AS difference
              FROM (
                SELECT least(line.company_id, partner_company.id) AS company_id,
                       greatest(line.company_id, partner_company.id) AS other_id,
                       CASE WHEN split_part(account.account_type, '_', 1) = ANY(%(result)s) THEN 'result'
                            ELSE 'balance' END AS kind,
                       line.currency_id,
                       COALESCE(sum(line.amount_currency) FILTER (
                           WHERE line.company_id < partner_company.id), 0) AS own,
                       COALESCE(sum(line.amount_currency) FILTER (
                           WHERE line.company_id > partner_company.id), 0) AS others,
                       count(*) AS items
                  FROM account_move_line AS line
                  JOIN res_partner AS partner ON partner.id = line.partner_id
                  JOIN (SELECT partner_id, min(id) AS id FROM res_company GROUP BY partner_id)
                    AS partner_company ON partner_company.partner_id = partner.commercial_partner_id
                  JOIN account_account AS account ON account.id = line.account_id
                 WHERE line.parent_state = 'posted' AND line.date <= %(until)s
                   AND line.company_id <> partner_company.id
                 GROUP BY 1, 2, 3, 4
              ) AS pair
            """,
            result=list(RESULT),
            until=until,
        )

    def action_open_items(self):
        """Open the journal items of both companies."""
        self.ensure_one()
        pair = self.company_id | self.other_id
        groups = ("in" if self.kind == "result" else "not in", list(RESULT))
        domain = [
            ("parent_state", "=", "posted"),
            ("company_id", "in", pair.ids),
            ("partner_id.commercial_partner_id", "in", pair.sudo().partner_id.ids),
            ("currency_id", "=", self.currency_id.id),
            ("account_id.internal_group", *groups),
        ]
        until = self.env.context.get("finance_until")
        if until:
            domain.append(("date", "<=", until))
        return listing(
            self.env._("Journal Items"), "account.move.line", domain, context={"create": False}
        )
