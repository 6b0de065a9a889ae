"""What the screen shows of one bank line: the bank's words, proposals, and what was booked."""

from odoo import api, fields, models

# What the bank says, in the order of reading: (field of finance.bank.entry, kind of value).
WORDS = (
    ("remittance", "text"),
    ("partner_name", "text"),
    ("partner_account", "text"),
    ("partner_bic", "text"),
    ("booking_date", "day"),
    ("value_date", "day"),
    ("original_amount", "amount"),
    ("rate", "text"),
    ("end_to_end_id", "text"),
    ("creditor_references", "text"),
    ("mandate", "text"),
    ("customer_reference", "text"),
    ("servicer_reference", "text"),
    ("message_id", "text"),
    ("payment_id", "text"),
    ("batch_message", "text"),
    ("batch_payment", "text"),
    ("code", "text"),
    ("purpose", "text"),
    ("return_code", "text"),
)
# The same of a line that no file or link brought.
PLAIN_WORDS = (
    ("payment_ref", "text"),
    ("partner_name", "text"),
    ("account_number", "text"),
    ("transaction_type", "text"),
    ("ref", "text"),
)


class FinanceBankDesk(models.AbstractModel):
    _inherit = "finance.bank.desk"

    @api.model
    def _bank_words(self, line):
        """Return what the bank said, as [{name, label, kind, value}], without what it left out."""
        entry = line.finance_entry_ids[:1]
        source, names = (entry, WORDS) if entry else (line, PLAIN_WORDS)
        labels = source.fields_get([name for name, _kind in names], ["string"])
        words = [
            {
                "name": name,
                "label": labels[name]["string"],
                "kind": kind,
                **self._word(source, name, kind),
            }
            for name, kind in names
            if name in labels and self._is_told(source[name])
        ]
        if line.foreign_currency_id and not entry:
            words.append(
                {
                    "name": "amount_currency",
                    "label": self.env._("Original amount"),
                    "kind": "amount",
                    "value": self._text(line.amount_currency, line.foreign_currency_id),
                    "currency_id": line.foreign_currency_id.id,
                }
            )
        return words

    @api.model
    def _is_told(self, value):
        """Whether the bank said anything: a code of four empty parts is none."""
        return bool(value.strip("/ ") if isinstance(value, str) else value)

    @api.model
    def _word(self, source, name, kind):
        value = source[name]
        if kind == "day":
            return {"value": fields.Date.to_string(value)}
        if kind == "amount":
            currency = source.original_currency_id
            return {"value": self._text(value, currency), "currency_id": currency.id}
        return {"value": value}

    # === PARTS === #

    @api.model
    def _part_values(self, line, part):
        """Return a part of a proposal with the words to show for it."""
        values = {key: part.get(key) or False for key in ("kind", "id", "account_id", "partner_id")}
        values |= {
            "amount": str(part["amount"]),
            "label": part.get("label") or "",
            "tax_ids": part.get("tax_ids") or [],
            "move_id": False,
            "hint": "",
        }
        if part.get("id"):
            item = self.env["account.move.line"].browse(part["id"])
            values |= {
                "name": item.move_id.name or "",
                "move_id": item.move_id.id,
                "hint": self._item_hint(part, item),
                "open": self._text(self._open(line, item), self._currency(line)),
            }
        elif part["kind"] == "writeoff":
            account = self.env["account.account"].browse(part["account_id"])
            values |= {"name": account.display_name, "hint": values["label"]}
        else:
            partner = self.env["res.partner"].browse(part["partner_id"])
            values["name"] = self.env._("On account of %(name)s", name=partner.display_name)
        return values

    @api.model
    def _item_hint(self, part, item):
        told = {
            "discount": self.env._("early payment discount"),
            "transfer": self.env._("transfer between own accounts"),
        }
        words = (told.get(part["kind"]), item.partner_id.display_name, item.move_id.ref)
        return " · ".join(filter(None, words))

    @api.model
    def _item_ref(self, item):
        """Return what the item is known by beside its number."""
        move = item.move_id
        names = (move.ref, move.payment_reference, item.name)
        return next((name for name in names if name and name != move.name), "")

    @api.model
    def _item_values(self, line, item):
        """Return an open item as a person chooses it."""
        currency = self._currency(line)
        foreign = item.currency_id != currency
        return {
            "id": item.id,
            "name": item.move_id.name or "",
            "move_id": item.move_id.id,
            "partner": item.partner_id.display_name or "",
            "ref": self._item_ref(item),
            "date": fields.Date.to_string(item.date),
            "due": fields.Date.to_string(item.date_maturity or item.date),
            "account": item.account_id.display_name,
            "open": self._text(self._open(line, item), currency),
            "foreign": self._text(item.amount_residual_currency, item.currency_id)
            if foreign
            else False,
            "foreign_currency_id": item.currency_id.id,
        }

    @api.model
    def _currency(self, line):
        """Return the currency that parts are stated in: of the transaction."""
        return line.foreign_currency_id or line.currency_id

    @api.model
    def _open(self, line, item):
        """Return what is open of an item, in the line's currency at the bank's rate."""
        if item.currency_id == self._currency(line):
            return item.amount_residual_currency
        amounts = line._prepare_counterpart_amounts_using_st_line_rate(
            item.currency_id, item.amount_residual, item.amount_residual_currency
        )
        return amounts["amount_currency"]

    # === WHAT WAS BOOKED === #

    @api.model
    def _booked(self, line):
        """Return the counterparts of a line and the documents that they are matched with."""
        if not line.is_reconciled:
            return []
        _liquidity, _suspense, items = line._seek_for_lines()
        # of a line in a locked period: the entry that takes its amount out of suspense
        apart = line.finance_match_ids.filtered(lambda one: not one.undone_at).transfer_move_id
        items |= apart.line_ids.filtered(
            lambda item: item.account_id != line.journal_id.suspense_account_id
        )
        return [self._booked_values(item) for item in items]

    @api.model
    def _booked_values(self, item):
        partials = item.matched_debit_ids | item.matched_credit_ids
        matched = (partials.debit_move_id | partials.credit_move_id) - item
        return {
            "id": item.id,
            "account": item.account_id.display_name,
            "partner": item.partner_id.display_name or "",
            "label": item.name or "",
            # as the bank line sees it
            "amount": self._text(-item.amount_currency, item.currency_id),
            "currency_id": item.currency_id.id,
            "with": [{"id": move.id, "name": move.name} for move in matched.move_id if move.name],
        }
