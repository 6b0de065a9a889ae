from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.finance_connector_base.fields import WeakMany2one

from ..cash import buckets

AGES = [
    ("week", "0–7 days"),
    ("month", "8–30 days"),
    ("quarter", "31–90 days"),
    ("older", "Over 90 days"),
]
SECTION_WORDS = [
    ("transit", "Receipt in transit"),
    ("outstanding", "Outstanding payment"),
    ("suspense", "Unmatched bank line"),
    ("only_booked", "Booked, not at the bank"),
    ("only_told", "At the bank, not booked"),
    ("beginning", "Difference at the beginning"),
]


class FinanceBankReconciliationLine(models.Model):
    """One open item of a bank reconciliation statement, kept as it was.

    What it is about is named without a foreign key: a journal item on the suspense account goes
    when its bank line is matched, and the statement stays as it is.
    """

    _name = "finance.bank.reconciliation.line"
    _inherit = ["finance.weak.mixin", "finance.personal.mixin"]
    _description = "Item of a Bank Reconciliation Statement"
    _order = "section, day, id"
    _rec_name = "label"

    reconciliation_id = fields.Many2one(
        "finance.bank.reconciliation", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    section = fields.Selection(SECTION_WORDS, "What", required=True, readonly=True)
    day = fields.Date("Date", required=True, readonly=True)
    age = fields.Selection(AGES, readonly=True)
    days = fields.Integer("Days Open", readonly=True, aggregator=None)
    label = fields.Char("Text", readonly=True)
    document = fields.Char(readonly=True)
    partner_id = fields.Many2one("res.partner", readonly=True, ondelete="set null")
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(readonly=True)
    has_amount = fields.Boolean(readonly=True, default=True)
    company_currency_id = fields.Many2one("res.currency", readonly=True)
    balance = fields.Monetary(
        "In Company Currency", currency_field="company_currency_id", readonly=True
    )
    settled_on = fields.Date(
        "Settled Later", readonly=True, help="The day after which it was matched, if it was then."
    )
    is_held = fields.Boolean("Held", readonly=True)
    item_id = WeakMany2one("account.move.line", readonly=True)
    line_id = WeakMany2one("account.bank.statement.line", readonly=True)
    entry_id = WeakMany2one("finance.bank.entry", readonly=True)
    move_id = WeakMany2one("account.move", readonly=True)

    # === KEPT === #

    def write(self, vals):
        """Items are worked out, never changed by hand."""
        self._refuse("write")

    @api.ondelete(at_uninstall=False)
    def _unlink_only_of_drafts(self):
        if self.reconciliation_id.filtered(lambda statement: statement.state != "draft"):
            self._refuse("unlink")

    def _refuse(self, action):
        self.env["finance.denied.action"]._deny(action, "guard", self)
        raise UserError(self.env._("Items of a reconciliation statement stay as they are."))

    @api.model
    def _values(self, statement, item):
        """Return the values of a row from an `Item` of a statement."""
        days = (statement.day - item.day).days
        return {
            "reconciliation_id": statement.id,
            "company_id": statement.company_id.id,
            "section": item.section,
            "day": item.day,
            "age": buckets.age(item.day, statement.day),
            "days": max(days, 0),
            "label": item.label,
            "document": item.document,
            "partner_id": item.partner or False,
            "currency_id": statement.currency_id.id,
            "amount": item.amount or 0.0,
            "has_amount": item.amount is not None,
            "company_currency_id": statement.company_currency_id.id,
            "balance": item.balance,
            "settled_on": item.since,
            "is_held": item.held,
            "item_id": item.item,
            "line_id": item.line,
            "entry_id": item.entry,
            "move_id": item.move,
        }

    def _key(self):
        """Return what `Item.key` was made of."""
        line = self
        money = f"{line.amount:.6f}" if line.has_amount else ""
        weak = {name: line[name].id or 0 for name in ("item_id", "line_id", "entry_id")}
        item = 0 if weak["line_id"] else weak["item_id"]
        place = (item, weak["line_id"], weak["entry_id"])
        return (line.section, str(line.day), *place, money, f"{line.balance:.6f}")

    # === PERSONAL === #

    @api.model
    def _personal_words(self):
        return self.env._("Texts of items in bank reconciliation statements")

    @api.model
    def _personal_of(self, subject):
        found = SQL(
            """
            partner_id = ANY(%s) OR line_id IN (
                SELECT id FROM account_bank_statement_line WHERE partner_id = ANY(%s))
            """,
            subject.partners.ids,
            subject.partners.ids,
        )
        return self._select(SQL("(%s) AND %s AND label <> ''", found, subject.of_companies()))

    def _erase_personal(self, basis):
        # neither is part of the digest, which holds as before
        self._empty("partner_id", label="")

    def action_open(self):
        """Open what it is about."""
        self.ensure_one()
        if self.move_id:
            return self._open_weak("account.move", self.move_id.id)
        return self._open_weak("finance.bank.entry", self.entry_id.id)
