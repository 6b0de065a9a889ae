from odoo import fields, models


class ProductCategory(models.Model):
    _inherit = "product.category"

    finance_tax_code = fields.Char(
        "Tax code",
        help="What the tax engine calls such goods; for products without a code of their own.",
    )

    def _finance_tax_code(self):
        """Return the code of the category or of its nearest parent that has one."""
        category = self
        while category and not category.finance_tax_code:
            category = category.parent_id
        return category.finance_tax_code or ""


class ProductTemplate(models.Model):
    _inherit = "product.template"

    finance_tax_code = fields.Char(
        "Tax code", help="What the tax engine calls this product; empty: as its category."
    )
