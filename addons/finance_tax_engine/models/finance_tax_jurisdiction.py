from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

KINDS = [
    ("country", "Country"),
    ("state", "State"),
    ("county", "County"),
    ("city", "City"),
    ("special", "Special District"),
]
# Rows of widget and PDF come in this order.
SEQUENCE = {kind: 10 * position for position, (kind, _label) in enumerate(KINDS, start=1)}
# Ends the key of a tax that is inside the price: an authority may have both.
INCLUDED = "/included"


class FinanceTaxJurisdiction(models.Model):
    """What an authority and its rate, or a kind of authority, is in Odoo.

    One row per company, country and key. A row of an authority leads to an `account.tax`; the row
    of a kind ("state") leads to the `account.tax.group` that all states share, so that a document
    shows one amount per kind.
    """

    _name = "finance.tax.jurisdiction"
    _description = "Tax of a Jurisdiction"
    _order = "kind, region, name"
    _rec_name = "name"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True, ondelete="cascade"
    )
    country_id = fields.Many2one("res.country", required=True, readonly=True)
    key = fields.Char(required=True, readonly=True)
    kind = fields.Selection(KINDS, required=True, readonly=True)
    name = fields.Char("Authority", readonly=True)
    code = fields.Char(readonly=True)
    region = fields.Char("State", readonly=True)
    rate = fields.Float("Rate (%)", digits=(16, 6), readonly=True)
    tax_id = fields.Many2one(
        "account.tax", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    tax_group_id = fields.Many2one(
        "account.tax.group", readonly=True, index="btree_not_null", ondelete="cascade"
    )

    _key_unique = models.Constraint(
        "UNIQUE (company_id, country_id, key)", "A jurisdiction has one tax in a company."
    )

    @api.model
    def _taxes(self, company, country, wanted, account=None, included=False):
        """Return {key: account.tax} for the `JurisdictionTax` values ``wanted``; create what lacks.

        company: of the document; taxes belong to its root company. country: of the taxes, which is
        the document's fiscal country. account: where new taxes are booked. included: the taxes are
        to be inside the price.
        """
        suffix = INCLUDED if included else ""
        by_key = {tax.key + suffix: tax for tax in wanted}
        if not by_key:
            return {}
        self = self.sudo()
        root = company.root_id
        found = self._find(root, country, by_key)
        missing = {key: by_key[key] for key in sorted(by_key.keys() - found.keys())}
        if missing:
            self._create_missing(root, country, missing, account)
            found = self._find(root, country, by_key)
        return {key.removesuffix(suffix): row.tax_id for key, row in found.items()}

    def _find(self, root, country, keys):
        rows = self.search(
            [
                ("company_id", "=", root.id),
                ("country_id", "=", country.id),
                ("key", "in", list(keys)),
            ]
        )
        return {row.key: row for row in rows}

    def _create_missing(self, root, country, missing, account):
        """Create the taxes, so that two transactions never create the same one.

        The lock makes the second transaction wait for the first. Its snapshot is older than what
        the first has committed, so its own insert then fails with a serialization error, and Odoo
        runs it again from the start: the second time it finds the tax. (A plain insert would fail
        with a unique violation, which Odoo does not run again.)
        """
        if account is None or not account:
            raise UserError(
                self.env._(
                    "No account for sales tax is known in %(company)s. Choose one in Settings,"
                    " Finance Connect, Tax.",
                    company=root.name,
                )
            )
        self.env.cr.execute(
            SQL(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                f"finance_tax_jurisdiction/{root.id}",
            )
        )
        groups = {}
        for kind in sorted({tax.kind for tax in missing.values()}):
            groups[kind] = self._group(root, country, kind)
        for key, tax in missing.items():
            row = self._claim(root, country, key, tax.kind)
            row.write(
                {
                    "name": tax.name,
                    "code": tax.code,
                    "region": tax.region,
                    "rate": float(tax.rate * 100),
                    "tax_id": self._create_tax(
                        root, country, tax, groups[tax.kind], account, key.endswith(INCLUDED)
                    ).id,
                }
            )

    def _claim(self, root, country, key, kind):
        """Insert the row of ``key`` and return it; a serialization error when another has it."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO finance_tax_jurisdiction
                       (company_id, country_id, key, kind, create_uid, create_date)
                VALUES (%s, %s, %s, %s, %s, now() AT TIME ZONE 'UTC')
                ON CONFLICT (company_id, country_id, key) DO NOTHING
                RETURNING id
                """,
                root.id,
                country.id,
                key,
                kind,
                self.env.uid,
            )
        )
        return self.browse(self.env.cr.fetchone()[0])

    def _group(self, root, country, kind):
        row = self._find(root, country, [kind]).get(kind)
        if row:
            return row.tax_group_id
        label = dict(self._fields["kind"]._description_selection(self.env))[kind]
        group = self.env["account.tax.group"].create(
            {
                "name": self.env._("%(kind)s Tax", kind=label),
                "company_id": root.id,
                "country_id": country.id,
                "sequence": SEQUENCE[kind],
            }
        )
        row = self._claim(root, country, kind, kind)
        row.write({"name": label, "tax_group_id": group.id})
        return group

    def _create_tax(self, root, country, tax, group, account, included):
        label = dict(self._fields["kind"]._description_selection(self.env))[tax.kind]
        percent = format((tax.rate * 100).normalize(), "f")
        # the code keeps two authorities of one name apart: tax names are unique
        name = f"{tax.region or tax.country} {tax.name} {label} {percent}% [{tax.code}]"
        repartition = [
            (0, 0, {"repartition_type": "base"}),
            (0, 0, {"repartition_type": "tax", "account_id": account.id}),
        ]
        return (
            self.env["account.tax"]
            .with_company(root)
            .create(
                {
                    "name": self.env._("%(tax)s included", tax=name) if included else name,
                    "invoice_label": f"{tax.name.title()} {label} {percent}%",
                    "type_tax_use": "sale",
                    "amount_type": "percent",
                    # while a line waits to be computed again, the rate is a sensible estimate
                    "amount": float(tax.rate * 100),
                    "price_include_override": "tax_included" if included else "tax_excluded",
                    "include_base_amount": False,
                    "is_base_affected": False,
                    "sequence": SEQUENCE[tax.kind],
                    "company_id": root.id,
                    "country_id": country.id,
                    "tax_group_id": group.id,
                    "invoice_repartition_line_ids": repartition,
                    "refund_repartition_line_ids": repartition,
                }
            )
        )

    @api.model
    def _keys_of(self, taxes):
        """Return {tax id: [keys]}: which jurisdictions the taxes stand for."""
        keys = defaultdict(list)
        for row in self.sudo().search([("tax_id", "in", taxes.ids)]):
            keys[row.tax_id.id].append(row.key.removesuffix(INCLUDED))
        return keys
