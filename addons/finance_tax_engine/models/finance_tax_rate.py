import hashlib
from decimal import Decimal

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..canonical import tax as canonical
from ..providers.fixed_rates import Rate, RateTable
from .finance_tax_jurisdiction import KINDS

ZERO_REASONS = [
    (canonical.NOT_TAXABLE, "Not taxable there"),
    (canonical.NO_NEXUS, "No nexus"),
    (canonical.NOT_REGISTERED, "Not registered"),
    (canonical.EXEMPT, "Exempt"),
    (canonical.REVERSE_CHARGE, "Reverse charge"),
]
DIGITS = (16, 6)


class FinanceTaxRate(models.Model):
    """A rate of the table that the engine *Fixed rates* calculates from.

    What each column means for a document says `providers.fixed_rates.Rate`.
    """

    _name = "finance.tax.rate"
    _inherit = ["finance.cached.mixin"]
    _description = "Tax Rate"
    _order = "country_id, state_id, kind, name, tax_code, valid_from desc, id"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        domain="[('parent_id', '=', False)]",
        index=True,
        ondelete="cascade",
    )
    country_id = fields.Many2one("res.country", required=True)
    state_id = fields.Many2one(
        "res.country.state",
        string="State",
        domain="[('country_id', '=?', country_id)]",
        help="Empty: all of the country.",
    )
    city = fields.Char(help="Empty: all cities.")
    zip_from = fields.Char(
        "ZIP from", help="First postal code, or the beginning of it: 770 for all from 77000 on."
    )
    zip_to = fields.Char(
        "ZIP to", help="Last postal code, or the beginning of it: 772 for all up to 77299."
    )
    tax_code = fields.Char("Product tax code", help="Empty: all products.")
    kind = fields.Selection(KINDS, "Kind of authority", required=True, default="state")
    name = fields.Char("Authority", required=True)
    code = fields.Char("Code of the authority")
    rate = fields.Float("Rate (%)", digits=DIGITS, aggregator=None)
    valid_from = fields.Date("From", help="Empty: always before.")
    valid_to = fields.Date("To", help="Empty: until further notice.")
    zero_reason = fields.Selection(
        ZERO_REASONS, "Why nothing is due", help="Shown on lines where the rate is 0."
    )
    reverse_charge = fields.Boolean(
        help="Customers in another country than yours who have a VAT number owe the tax themselves."
    )
    active = fields.Boolean(default=True)

    _rate_range = models.Constraint("CHECK (rate BETWEEN 0 AND 100)", "A rate is 0 to 100 percent.")
    _valid_range = models.Constraint(
        "CHECK (valid_to IS NULL OR valid_from IS NULL OR valid_from <= valid_to)",
        "A rate ends on or after the day that it begins on.",
    )
    _zero_reason = models.Constraint(
        "CHECK (rate <> 0 OR zero_reason IS NOT NULL)",
        "Say why nothing is due where the rate is 0.",
    )

    # === COMPUTE METHODS === #

    @api.depends("name", "rate", "state_id.code", "country_id.code")
    def _compute_display_name(self):
        for rate in self:
            place = rate.state_id.code or rate.country_id.code or ""
            percent = format(Decimal(repr(rate.rate)).normalize(), "f")
            rate.display_name = f"{place} {rate.name or ''} {percent}%"

    # === CONSTRAINTS === #

    @api.constrains("company_id")
    def _check_company(self):
        branches = self.filtered("company_id.parent_id")
        if branches:
            raise ValidationError(
                self.env._(
                    "Rates belong to a company, and its branches use them: choose %(company)s instead"
                    " of %(branch)s.",
                    company=branches[0].company_id.root_id.name,
                    branch=branches[0].company_id.name,
                )
            )

    @api.constrains("country_id", "state_id")
    def _check_state(self):
        for rate in self:
            if rate.state_id and rate.state_id.country_id != rate.country_id:
                raise ValidationError(
                    self.env._(
                        "%(state)s is not a state of %(country)s.",
                        state=rate.state_id.name,
                        country=rate.country_id.name,
                    )
                )

    @api.constrains(
        "company_id", "country_id", "state_id", "city", "zip_from", "zip_to", "tax_code", "kind",
        "name", "code", "valid_from", "valid_to", "active",
    )  # fmt: skip
    def _check_overlap(self):
        """Of one authority, the same place and product have one rate a day."""
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                SELECT one.id, other.id
                  FROM finance_tax_rate one
                  JOIN finance_tax_rate other
                    ON other.id <> one.id AND other.active AND one.active
                   AND other.company_id = one.company_id
                   AND other.country_id = one.country_id
                   AND other.state_id IS NOT DISTINCT FROM one.state_id
                   AND other.kind = one.kind
                   AND COALESCE(NULLIF(other.code, ''), other.name)
                     = COALESCE(NULLIF(one.code, ''), one.name)
                   AND lower(COALESCE(other.city, '')) = lower(COALESCE(one.city, ''))
                   AND COALESCE(other.zip_from, '') = COALESCE(one.zip_from, '')
                   AND COALESCE(other.zip_to, '') = COALESCE(one.zip_to, '')
                   AND lower(COALESCE(other.tax_code, '')) = lower(COALESCE(one.tax_code, ''))
                   AND daterange(other.valid_from, other.valid_to, '[]')
                    && daterange(one.valid_from, one.valid_to, '[]')
                 WHERE one.id = ANY(%s)
                 LIMIT 1
                """,
                self.ids,
            )
        )
        found = self.env.cr.fetchone()
        if found:
            one, other = self.browse(found[0]), self.browse(found[1])
            raise ValidationError(
                self.env._(
                    "%(one)s and %(other)s hold at the same place, for the same products, on the"
                    " same days. Let one end before the other begins.",
                    one=one.display_name,
                    other=other.display_name,
                )
            )

    # === IMPORT === #

    @api.model
    def get_import_templates(self):
        """Return the file that the import dialog offers to fill in."""
        return [
            {
                "label": self.env._("Import Template for Tax Rates"),
                "template": "/finance_tax_engine/static/csv/tax_rates.csv",
            }
        ]

    # === THE TABLE === #

    @api.model
    def _rate_table(self, company) -> RateTable:
        """Return all rates of a company (its root's) as plain values."""
        return self._cached_table(company.root_id.id)

    @tools.ormcache("company_id")
    def _cached_table(self, company_id):
        rows = self.sudo().search([("company_id", "=", company_id)])
        rates = [row._plain() for row in rows]
        text = "\n".join(sorted(map(repr, rates)))
        return RateTable(rates, hashlib.sha256(text.encode()).hexdigest()[:16])

    def _plain(self) -> Rate:
        percent = Decimal(repr(round(self.rate, DIGITS[1])))
        return Rate(
            country=self.country_id.code,
            kind=self.kind,
            name=self.name,
            rate=percent / 100,
            code=self.code or "",
            region=self.state_id.code or "",
            city=self.city or "",
            zip_from=self.zip_from or "",
            zip_to=self.zip_to or "",
            tax_code=self.tax_code or "",
            start=self.valid_from or None,
            end=self.valid_to or None,
            zero_reason=self.zero_reason or canonical.NOT_TAXABLE,
            reverse_charge=self.reverse_charge,
        )
