from odoo import Command, models
from odoo.exceptions import UserError


class FinanceBankBooking(models.AbstractModel):
    """From the parts of a decision to values of journal items."""

    _inherit = "finance.bank.booking"

    # === COUNTERPARTS === #

    def _counterparts(self, line, parts):
        """Return (values of the journal items instead of suspense, the item each one settles)."""
        suspense = self._suspense(line)
        total = -suspense.amount_currency
        currency, company_currency = suspense.currency_id, line.company_id.currency_id
        given = currency.round(sum(float(part["amount"]) for part in parts))
        if currency.compare_amounts(given, total):
            raise UserError(
                self.env._(
                    "%(line)s: what is chosen comes to %(given)s, the line to %(total)s. Split or"
                    " write off the difference, or leave it open on a partner.",
                    line=line.display_name,
                    given=currency.format(given),
                    total=currency.format(total),
                )
            )
        rows = []
        for part in parts:
            amount = float(part["amount"])
            balance = company_currency.round(-suspense.balance * amount / total)
            rows += getattr(self, f"_as_{part['kind']}")(line, part, amount, balance)
        self._balance(rows, suspense)
        return [values for values, _item in rows], [item for _values, item in rows]

    def _balance(self, rows, suspense):
        """Put what rounding left on the largest item that has no amount of its own."""
        company_currency = suspense.company_currency_id
        left = suspense.balance - sum(values["balance"] for values, _item in rows)
        if company_currency.is_zero(left):
            return
        free = [values for values, _item in rows if values["currency_id"] != company_currency.id]
        values = max(free or [row[0] for row in rows], key=lambda row: abs(row["balance"]))
        values["balance"] = company_currency.round(values["balance"] + left)
        if values["currency_id"] == company_currency.id:
            values["amount_currency"] = values["balance"]

    def _values(self, line, account, partner, currency, amount, balance, label=""):
        """Amounts as they come to the line; the journal item has the opposite."""
        return {
            "name": label or line.payment_ref or "/",
            "account_id": account.id,
            "partner_id": partner.id,
            "currency_id": currency.id,
            "amount_currency": currency.round(-amount),
            "balance": line.company_id.currency_id.round(-balance),
        }

    def _as_item(self, line, part, amount, balance):
        item = self.env["account.move.line"].browse(part["id"]).exists()
        self._check_item(line, item)
        currency, company_currency = self._suspense(line).currency_id, line.company_id.currency_id
        if item.currency_id == currency:
            money = amount
        elif part.get("item_amount"):
            money = float(part["item_amount"])
        else:
            money = self._in_currency_of(item, line, balance)
        if item.currency_id == company_currency:
            balance = money
        values = self._values(
            line, item.account_id, item.partner_id, item.currency_id, money, balance
        )
        return [(values, item)]

    def _in_currency_of(self, item, line, balance):
        """Return what ``balance`` settles of an item in a currency that the bank doesn't tell.

        What comes near to all of it is meant to settle it: the rest is exchange difference.
        """
        company_currency = line.company_id.currency_id
        if item.currency_id == company_currency:
            return balance
        if abs(balance - item.amount_residual) <= abs(item.amount_residual) * 0.05:
            return item.amount_residual_currency
        return company_currency._convert(balance, item.currency_id, line.company_id, line.date)

    def _check_item(self, line, item):
        family = item.company_id.sudo().parent_ids  # with itself: what its branches owe counts
        if not item or item.parent_state != "posted" or line.company_id not in family:
            raise UserError(
                self.env._(
                    "%(line)s: an item that was chosen is not open in this company any more. Match"
                    " the line again.",
                    line=line.display_name,
                )
            )
        if item.reconciled or not item.account_id.reconcile:
            raise UserError(
                self.env._(
                    "%(line)s: %(item)s is settled already. Match the line again.",
                    line=line.display_name,
                    item=item.move_id.name,
                )
            )

    def _as_partner(self, line, part, amount, balance):
        partner = self.env["res.partner"].browse(part["partner_id"]).with_company(line.company_id)
        account = self.env["account.account"].browse(part.get("account_id") or 0)
        if not account:
            supplier = part.get("supplier", amount < 0)
            account = (
                partner.property_account_payable_id
                if supplier
                else partner.property_account_receivable_id
            )
        currency = self._suspense(line).currency_id
        return [(self._values(line, account, partner.commercial_partner_id, currency, amount, balance),
                 None)]  # fmt: skip

    def _as_writeoff(self, line, part, amount, balance):
        account = self.env["account.account"].browse(part["account_id"]).exists()
        if not account:
            raise UserError(self.env._("%(line)s: choose an account.", line=line.display_name))
        currency = self._suspense(line).currency_id
        partner = self.env["res.partner"].browse(part.get("partner_id") or line.partner_id.id)
        values = self._values(line, account, partner, currency, amount, balance, part.get("label"))
        if part.get("analytic"):
            values["analytic_distribution"] = part["analytic"]
        taxes = self.env["account.tax"].browse(part.get("tax_ids") or [])
        if not taxes:
            return [(values, None)]
        return [(row, None) for row in self._with_taxes(line, values, taxes)]

    def _with_taxes(self, line, values, taxes):
        """Return the items of a write-off whose amount includes ``taxes``."""
        company, tax_model = line.company_id, self.env["account.tax"]
        currency = self.env["res.currency"].browse(values["currency_id"])
        rate = abs(values["amount_currency"] / values["balance"]) if values["balance"] else 1.0
        base_line = tax_model._prepare_base_line_for_taxes_computation(
            None,
            id=0,
            account_id=self.env["account.account"].browse(values["account_id"]),
            partner_id=self.env["res.partner"].browse(values["partner_id"] or []),
            currency_id=currency,
            tax_ids=taxes,
            price_unit=values["amount_currency"],
            quantity=1.0,
            rate=rate,
            special_mode="total_included",
            is_refund=_is_refund(taxes, values["balance"]),
            analytic_distribution=values.get("analytic_distribution"),
        )
        tax_model._add_tax_details_in_base_line(base_line, company)
        tax_model._round_base_lines_tax_details([base_line], company)
        tax_model._add_accounting_data_in_base_lines_tax_details(
            [base_line], company, include_caba_tags=True
        )
        result = tax_model._prepare_tax_lines([base_line], company)
        _base, update = result["base_lines_to_update"][0]
        base = values | {
            "tax_ids": [Command.set(taxes.ids)],
            "tax_tag_ids": update["tax_tag_ids"],
            "amount_currency": update["amount_currency"],
            "balance": update["balance"],
        }
        rows = [base, *(values_of | {"name": values_of["name"] or values["name"]}
                        for values_of in result["tax_lines_to_add"])]  # fmt: skip
        for row in rows[1:]:
            for name in ("tax_ids", "tax_tag_ids"):
                row.setdefault(name, [])
        return rows

    def _as_discount(self, line, part, amount, balance):
        """The early payment discount of an invoice, with its taxes as its term says."""
        item = self.env["account.move.line"].browse(part["id"]).exists()
        self._check_item(line, item)
        groups = self.env["account.move"]._get_invoice_counterpart_amls_for_early_payment_discount(
            [
                {
                    "aml": item,
                    "amount_currency": -item.amount_residual_currency,
                    "balance": -item.amount_residual,
                }
            ],
            -balance,
        )
        rows = [values for group in groups.values() for values in group]
        for values in rows:
            values.setdefault("partner_id", item.partner_id.id)
            values.setdefault("currency_id", item.currency_id.id)
        if any(not values.get("account_id") for values in rows):
            raise UserError(
                self.env._(
                    "%(company)s has no account for early payment discounts. Set it in the"
                    " accounting settings.",
                    company=line.company_id.name,
                )
            )
        return [(values, None) for values in rows]


def _is_refund(taxes, balance):
    """Tell which half of a tax applies: a sale that lowers income, or a purchase that lowers cost."""
    if taxes[0].type_tax_use == "sale":
        return balance > 0
    return taxes[0].type_tax_use == "purchase" and balance < 0
