"""What is missing or open in the books of a statutory file, in words, with the records."""

from odoo import api, fields, models

from odoo.addons.finance_connector_base.actions import listing

LEVELS = [("stop", "Must be put right"), ("explain", "Needs a reason"), ("note", "To know")]


class FinanceStatutoryFinding(models.Model):
    """One thing that a check found; the words are the reader's language."""

    _name = "finance.statutory.finding"
    _description = "Finding in the Books"
    _order = "export_id desc, sequence, id"
    _rec_name = "code"

    export_id = fields.Many2one(
        "finance.statutory.export", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="export_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    sequence = fields.Integer(readonly=True)
    code = fields.Char(required=True, readonly=True)
    level = fields.Selection(LEVELS, required=True, readonly=True)
    words = fields.Text("What", compute="_compute_words")
    params = fields.Json(readonly=True)
    count = fields.Integer(readonly=True, aggregator=None)
    amount = fields.Monetary(readonly=True, aggregator=None)
    res_model = fields.Char("Record Model", readonly=True)
    res_ids = fields.Json(readonly=True)
    can_open = fields.Boolean(compute="_compute_can_open")

    @api.model
    def _found(self, export, findings):
        """Write what a check of ``export`` found, `statutory.Finding`s; return the rows."""
        order = [level for level, _words in LEVELS]
        company = export.company_id.id
        return self.create(
            [
                {
                    "export_id": export.id,
                    "sequence": order.index(finding.level),
                    "code": finding.code,
                    "level": finding.level,
                    "count": finding.count,
                    "amount": float(finding.amount or 0),
                    "params": finding.params,
                    "res_model": finding.model,
                    "res_ids": list(finding.ids) or [company] * (finding.model == "res.company"),
                }
                for finding in findings
            ]
        )

    @api.depends("code", "params", "count")
    @api.depends_context("lang")
    def _compute_words(self):
        words = self._words()
        for finding in self:
            values = {"count": finding.count, **(finding.params or {})}
            finding.words = words.get(finding.code, finding.code) % values

    @api.model
    def _words(self):
        """Return {code: what it is and what to do}. A kind with checks of its own extends it."""
        _ = self.env._
        return {
            "drafts": _("Entries of the period are drafts. Post them, or give them another date."),
            "unbalanced": _("Entries do not balance. Correct their items."),
            "gaps": _(
                "Numbers are missing before these entries, in all: %(numbers)s. Post what was deleted"
                " again, or write down under Explanation why they are missing."
            ),
            "same_number": _(
                "Entries share a number, or have none. Number the entries of each journal apart."
            ),
            "same_partner": _(
                "Partners share a reference, so their accounts can't be told apart. Give"
                " each its own."
            ),
            "same_code": _("Accounts share a code. Give each its own."),
            "without_partner": _("Entries have a receivable or payable without a partner."),
            "no_earnings": _(
                "The result of former years has no account to be brought forward to. Make an"
                " account of the type “Current Year Earnings”."
            ),
            "opening_unbalanced": _(
                "The opening balances don't add up to zero. Look for entries of former periods that"
                " don't balance."
            ),
            "nothing": _("Nothing is posted in this period. Look at its days and company."),
            "no_code": _("Accounts have no code in this company. Give them one."),
            "part_of_year": _("The period is not a whole fiscal year."),
            "no_siren": _(
                "The company has no SIREN. Enter the SIREN or SIRET as company registry, or the"
                " French VAT number."
            ),
            "not_in_euro": _(
                "The books are kept in %(currency)s. A FEC is in euro, so it can't be made of them."
            ),
            "not_in_plan": _(
                "Numbers of accounts don't begin with three figures, as the French chart has it."
                " Renumber them; or press Map and have other numbers approved."
            ),
            "strange_signs": _(
                "Texts have signs that %(encoding)s does not have: %(signs)s. Change them in the"
                " records, or choose UTF-8."
            ),
            "empty_entries": _("Entries have no amount, so the file has no line of them."),
            "no_organisation": _(
                "The company has no right organisation number. Enter its nine figures as company"
                " registry."
            ),
            "no_phone": _("The company has no telephone number, which the file must name."),
            "unmapped_account": _(
                "Accounts have no approved grouping code. Press Map, enter the codes, with"
                " the grouping category as external label, and have them approved."
            ),
            "no_category": _(
                "Accounts have a grouping code without a category. Press Map, enter the category as"
                " external label beside the code, and have it approved."
            ),
            "unmapped_tax": _(
                "Taxes have no approved standard tax code. Press Map, enter the codes, and have them"
                " approved."
            ),
            "other_tax_code": _(
                "Taxes are mapped to what is no standard tax code. Press Map and correct it."
            ),
        }

    @api.depends("res_model")
    @api.depends_context("uid")
    def _compute_can_open(self):
        for finding in self:
            model = self.env.get(finding.res_model or "")
            finding.can_open = model is not None and model.has_access("read")

    def action_open(self):
        """Open the records that it is about."""
        self.ensure_one()
        self.check_access("read")
        self.env[self.res_model].check_access("read")
        domain = [("id", "in", self.res_ids or [])]
        return listing(self.words, self.res_model, domain, context={"create": False})
