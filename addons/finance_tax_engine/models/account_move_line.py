from collections import defaultdict

from odoo import api, models

# In the context: the `DueLines` of invoices that are brought up to date together.
DUE_LINES = "finance_tax_due_lines"
# What Odoo writes on a due line when the total of its invoice changes.
DUE_FIELDS = {
    "amount_currency",
    "balance",
    "date_maturity",
    "discount_amount_currency",
    "discount_balance",
    "discount_date",
}


class AccountMoveLine(models.Model):
    _name = "account.move.line"
    _inherit = ["account.move.line", "finance.tax.line.mixin"]

    def write(self, vals):
        """Due lines of many drafts are written together; see `DueLines`."""
        due = self.env.context.get(DUE_LINES)
        if due and due.take(self, vals):
            return True
        return super().write(vals)

    @api.depends("extra_tax_data")
    def _compute_totals(self):
        """Odoo does not know that the totals depend on the carried amounts."""
        return super()._compute_totals()

    def _finance_tax_is_taxed(self):
        # Odoo splits the tax of down payments itself.
        key = (self.extra_tax_data or {}).get("computation_key") or ""
        return self.display_type == "product" and not key.startswith("down_payment")

    def _finance_tax_facts(self):
        return {
            "price_unit": self.price_unit,
            "discount": self.discount,
            "quantity": self.quantity,
        }

    def _finance_tax_default_taxes(self):
        return self._get_computed_taxes()

    def _finance_tax_known_amounts(self):
        """Return the ids, as text, of the taxes whose amounts the line carries.

        From an engine, or from Odoo where it splits what an engine said over down payments.
        """
        if self._finance_tax_is_taxed() and not self._finance_tax_carried():
            return set()
        return set((self.extra_tax_data or {}).get("manual_tax_amounts") or ())

    def _finance_tax_carry(self, extra_tax_data):
        """Put amounts on the line of a draft, None to take them off.

        Not by `write` of account.move.line: what it checks and follows (locks, hashes, balance)
        does not concern this field, and would be most of the time that posting many takes.
        """
        if self.extra_tax_data != extra_tax_data:
            models.BaseModel.write(self, {"extra_tax_data": extra_tax_data})

    def _finance_tax_tracked(self):
        """Return what Odoo watches on the line to recompute tax items."""
        return (self.tax_ids.ids, self.price_unit, self.quantity, self.discount)

    def _finance_write_changed(self, vals):
        """Write ``vals`` where one of them differs: a write of equal values costs a recompute."""
        if any(self._finance_differs(name, value) for name, value in vals.items()):
            self.write(vals)

    def _finance_differs(self, name, value):
        return self._fields[name].convert_to_write(self[name], self) != value


class DueLines:
    """What Odoo writes on the due lines of many drafts, one by one, kept to be written together.

    Each write of its own looks for payments and whatever else depends on the line, which was a
    sixth of the time that posting many took. Nothing is kept of lines on which `write` has more
    to do: posted or reconciled ones, and those whose changes are told in the chatter.
    """

    def __init__(self):
        self._values = {}

    def take(self, line, vals):
        """Keep ``vals`` for ``line``; return whether that will do."""
        if self._values is None or len(line) != 1 or line.display_type != "payment_term":
            return False
        plain = (
            line.parent_state == "draft"
            and not line.matching_number
            and not line.move_id.posted_before
            and not any(
                name not in DUE_FIELDS and line._finance_differs(name, value)
                for name, value in vals.items()
            )
        )
        if plain:
            due = {name: value for name, value in vals.items() if name in DUE_FIELDS}
            self._values[line] = self._values.get(line, {}) | due
        return plain

    def write(self):
        """Write what was kept; nothing is taken any more."""
        values, self._values = self._values, None
        by_names = defaultdict(list)
        for line, vals in values.items():
            by_names[frozenset(vals)].append(line)
        for names, found in by_names.items():
            lines = found[0].browse([line.id for line in found])
            with lines.env.protecting([lines._fields[name] for name in names], lines):
                for line in found:
                    for name in names:
                        line._fields[name].write(line, values[line][name])
                lines.modified(names)
                models.BaseModel.write(lines, {})
            lines._validate_fields(names)
