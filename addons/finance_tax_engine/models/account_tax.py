"""The carrier of exact tax amounts: Odoo's ``extra_tax_data``, read more strictly."""

from odoo import api, models
from odoo.tools import float_compare

# Marks extra_tax_data as written by a tax engine.
FLAG = "finance_tax"
# The percentage by which the price was reduced before the engine was asked, where it was.
EARLY_DISCOUNT = "early_discount"
# Odoo compares at the currency's precision, which hides a price edit below one cent.
PRECISION = 9


def is_carrier(extra_tax_data):
    """Tell whether ``extra_tax_data`` holds amounts of a tax engine."""
    return bool(extra_tax_data and extra_tax_data.get(FLAG))


def still_fits(extra_tax_data, line, taxes):
    """Tell whether the amounts still belong to the line.

    line: mapping with price_unit, quantity, discount and currency_id, as in a base line of Odoo's
    tax computation. taxes: its flattened taxes. An edited line or a removed engine tax makes the
    amounts void; a tax added by a person does not.
    """
    return (
        line["currency_id"].id == extra_tax_data["currency_id"]
        and all(
            float_compare(line[name], extra_tax_data[name], precision_digits=PRECISION) == 0
            for name in ("price_unit", "quantity", "discount")
        )
        and set(extra_tax_data["manual_tax_amounts"]) <= {str(tax.id) for tax in taxes}
    )


class AccountTax(models.Model):
    _inherit = "account.tax"

    @api.model
    def _import_base_line_extra_tax_data(self, base_line, extra_tax_data):
        """For amounts of a tax engine: exact or not at all, and never a price put back.

        Odoo's own reading compares price and quantity at currency precision and then restores the
        stored price, which undoes an edit in the fourth decimal; and it drops every amount when a
        tax is added. Here an edited line falls back to percentages until it is computed again.
        """
        if not is_carrier(extra_tax_data):
            return super()._import_base_line_extra_tax_data(base_line, extra_tax_data)
        result = {}
        if extra_tax_data.get("computation_key"):
            result["computation_key"] = extra_tax_data["computation_key"]
        taxes = base_line["tax_ids"]._flatten_taxes_and_sort_them()[0]
        if not extra_tax_data["manual_tax_amounts"]:
            return result
        if not still_fits(extra_tax_data, base_line, taxes):
            return result
        result["manual_tax_amounts"] = _at_rate(extra_tax_data, base_line["rate"])
        if "manual_total_excluded_currency" in extra_tax_data:
            # the price includes the tax
            name = "manual_total_excluded_currency"
            result[name] = extra_tax_data[name]
        return result


def _at_rate(extra_tax_data, rate):
    """Return the manual amounts with company amounts moved to the document's present rate."""
    stored = extra_tax_data.get("rate")
    change = rate / stored if rate and stored else 1.0
    return {
        tax_id: {
            name: amount if name.endswith("_currency") else amount / change
            for name, amount in amounts.items()
        }
        for tax_id, amounts in extra_tax_data["manual_tax_amounts"].items()
    }
