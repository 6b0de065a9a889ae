from odoo import api, fields, models
from odoo.exceptions import ValidationError

WAYS = [
    ("reissue", "Credit note and new invoice"),
    ("tax_only", "Invoice or credit note for the tax alone"),
    ("bear", "The company bears the difference"),
]


class FinanceTaxTrueUpPolicy(models.Model):
    """How a company corrects tax that it has charged without its engine, by country.

    It proposes; a person chooses.
    """

    _name = "finance.tax.true.up.policy"
    _description = "True-up Policy"
    _order = "company_id, country_id, id"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        index=True,
        ondelete="cascade",
        help="Also for its branches, unless they have a policy of their own.",
    )
    country_id = fields.Many2one(
        "res.country", "Destination", help="Empty: all countries without a policy of their own."
    )
    way = fields.Selection(WAYS, "Proposal", required=True, default="reissue")
    threshold = fields.Monetary(
        "Borne up to",
        currency_field="currency_id",
        help="Tax that was charged too low by no more than this is proposed to be borne by the"
        " company, whatever the proposal is otherwise. 0: none.",
    )
    account_id = fields.Many2one(
        "account.account",
        "Account of what is borne",
        check_company=True,
        domain="[('account_type', 'in', ('expense', 'expense_direct_cost', 'expense_other'))]",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")

    _one_per_country = models.UniqueIndex(
        "(company_id, COALESCE(country_id, 0))",
        "A company has one policy per country.",
    )
    _sane_threshold = models.Constraint(
        "CHECK (threshold >= 0)", "What is borne at most is not negative."
    )

    @api.depends("company_id", "country_id", "way")
    def _compute_display_name(self):
        ways = dict(self._fields["way"]._description_selection(self.env))
        for policy in self:
            country = policy.country_id.name or self.env._("All countries")
            policy.display_name = f"{policy.company_id.name}, {country}: {ways.get(policy.way, '')}"

    @api.constrains("way", "threshold", "account_id")
    def _check_account(self):
        for policy in self:
            if (policy.way == "bear" or policy.threshold) and not policy.account_id:
                raise ValidationError(
                    self.env._(
                        "%(policy)s: choose the account that what is borne is booked on.",
                        policy=policy.display_name,
                    )
                )

    @api.model
    def _for(self, company, country):
        """Return the policy of a company for a destination, empty when there is none.

        The company's own before its parents', the country's before that of all countries.
        """
        found = self.sudo().search(
            [
                ("company_id", "parent_of", company.ids),
                ("country_id", "in", (False, country.id)),
            ]
        )
        depth = {parent.id: level for level, parent in enumerate(company.sudo().parent_ids)}
        return found.sorted(lambda row: (-depth.get(row.company_id.id, -1), not row.country_id))[:1]
