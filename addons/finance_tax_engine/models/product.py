from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.barcode import check_barcode_encoding

# Digits of a GTIN: Odoo's name of the encoding.
GTIN_KINDS = {8: "ean8", 12: "upca", 13: "ean13", 14: "gtin14"}


class FinanceTaxCodeMixin(models.AbstractModel):
    """A product or category with a code of the engine's list."""

    _name = "finance.tax.code.mixin"
    _description = "Record With a Tax Code"

    finance_tax_code = fields.Char("Tax code")
    finance_tax_code_id = fields.Many2one(
        "finance.tax.code",
        "Known tax code",
        compute="_compute_finance_tax_code_id",
        inverse="_inverse_finance_tax_code_id",
        domain="[('kind', '=', 'tax_code')]",
        help="Codes found before. Press Search to look for others in the engine's list.",
    )

    @api.depends("finance_tax_code")
    def _compute_finance_tax_code_id(self):
        codes = [code for code in self.mapped("finance_tax_code") if code]
        rows = self.env["finance.tax.code"].sudo()
        found = rows.search([("kind", "=", "tax_code"), ("code", "in", codes)]) if codes else rows
        by_code = {row.code: row.id for row in found}
        for record in self:
            record.finance_tax_code_id = by_code.get(record.finance_tax_code, False)

    def _inverse_finance_tax_code_id(self):
        for record in self.filtered("finance_tax_code_id"):
            record.finance_tax_code = record.finance_tax_code_id.code

    def action_finance_tax_codes(self):
        """Search the engine's list for a code."""
        self.ensure_one()
        self.check_access("write")
        connectors = self.env["finance.connector"]
        if not connectors._tax_capable(self.env.company, "tax_codes"):
            raise UserError(
                self.env._("The tax engine of this company has no list of codes to search.")
            )
        wizard = self.env["finance.tax.code.find"].create(
            {"res_model": self._name, "res_id": self.id, "text": self.name}
        )
        return wizard._shown()


class ProductCategory(models.Model):
    _name = "product.category"
    _inherit = ["product.category", "finance.tax.code.mixin"]

    finance_tax_code = fields.Char(
        help="What the tax engine calls such goods; for products without a code of their own."
    )

    def _finance_tax_code(self):
        """Return the code of the category or of its nearest parent that has one."""
        category = self
        while category and not category.finance_tax_code:
            category = category.parent_id
        return category.finance_tax_code or ""


class ProductTemplate(models.Model):
    _name = "product.template"
    _inherit = ["product.template", "finance.tax.code.mixin"]

    finance_tax_code = fields.Char(
        help="What the tax engine calls this product; empty: as its category."
    )


class ProductProduct(models.Model):
    _inherit = "product.product"

    def _finance_gtin(self):
        """Return the barcode where it is a GTIN (UPC, EAN) with a right check digit, else None."""
        code = self.barcode or ""
        kind = GTIN_KINDS.get(len(code))
        return code if kind and check_barcode_encoding(code, kind) else None
