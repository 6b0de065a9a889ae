"""The bank reconciliation statement of one account as at one day: prepared, reviewed, frozen."""

from collections import Counter
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from odoo.addons.finance_connector_base.fields import WeakMany2one

from .finance_bank_reconciliation_facts import SECTIONS, digest

REVIEWERS = (
    "finance_connector_base.group_approver",
    "finance_connector_base.group_controller",
)
BASES = [
    ("stated", "Closing balance of the bank"),
    ("hand", "Written down by a person"),
    ("next", "From the next opening balance"),
    ("carried", "From the last closing balance"),
    ("odoo", "From a bank statement in Odoo"),
    ("missing", "Missing"),
]
# What people enter; everything else is worked out, or follows from the buttons.
ENTERED = {"journal_id", "day", "until", "reason"}
MAIL = ("message_", "activity_", "my_activity_")


class FinanceBankReconciliation(models.Model):
    """Balance per bank and ledger of one account at the end of one day, and what lies between.

    The books are taken as they were known when the day was over: what was matched later is open,
    what was undone later is not. Once it is prepared nothing in it changes any more: what happens
    afterwards is shown beside it, and stated anew only as another version.
    """

    _name = "finance.bank.reconciliation"
    _inherit = ["mail.thread", "finance.weak.mixin", "finance.bank.account.mixin"]
    _description = "Bank Reconciliation Statement"
    _order = "day desc, journal_id, version desc"

    journal_id = fields.Many2one(
        "account.journal",
        "Account",
        required=True,
        ondelete="restrict",
        domain="[('type', 'in', ('bank', 'credit')), ('company_id', 'in', allowed_company_ids)]",
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    day = fields.Date("As at", required=True, default=lambda self: self._last_month_end())
    until = fields.Date(
        "Matches until",
        help="What was matched later counts as open. Empty: the day of the statement itself.",
    )
    version = fields.Integer(default=1, readonly=True, aggregator=None)
    previous_id = fields.Many2one(
        "finance.bank.reconciliation", "Restates", readonly=True, ondelete="restrict"
    )
    next_ids = fields.One2many(
        "finance.bank.reconciliation", "previous_id", "Restated by", readonly=True
    )
    state = fields.Selection(
        [("draft", "Draft"), ("prepared", "Prepared"), ("reviewed", "Reviewed")],
        default="draft",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    is_restated = fields.Boolean(
        compute="_compute_is_restated", search="_search_is_restated", help="A newer version stands."
    )

    # === FIGURES, in the currency of the account === #
    currency_id = fields.Many2one("res.currency", readonly=True)
    company_currency_id = fields.Many2one("res.currency", readonly=True)
    is_foreign = fields.Boolean(compute="_compute_is_foreign")
    bank_balance = fields.Monetary("Balance per Bank", readonly=True, aggregator=None)
    basis = fields.Selection(BASES, "Balance per Bank from", readonly=True)
    basis_day = fields.Date(readonly=True)
    basis_count = fields.Integer(readonly=True)
    basis_words = fields.Char("How it is known", compute="_compute_basis_words")
    balance_id = WeakMany2one("finance.bank.balance", readonly=True)
    transit = fields.Monetary("Receipts in Transit", readonly=True, aggregator=None)
    outstanding = fields.Monetary("Outstanding Payments", readonly=True, aggregator=None)
    suspense = fields.Monetary("Unmatched Bank Lines", readonly=True, aggregator=None)
    only_booked = fields.Monetary("Booked, Not at the Bank", readonly=True, aggregator=None)
    only_told = fields.Monetary("At the Bank, Not Booked", readonly=True, aggregator=None)
    beginning = fields.Monetary("Difference at the Beginning", readonly=True, aggregator=None)
    calculated = fields.Monetary("Balance Worked Out", readonly=True, aggregator=None)
    books = fields.Monetary("Balance per Books", readonly=True, aggregator=None)
    ledger = fields.Monetary("Ledger of the Bank Account", readonly=True, aggregator=None)
    ledger_company = fields.Monetary(
        "Ledger in Company Currency",
        currency_field="company_currency_id",
        readonly=True,
        aggregator=None,
    )
    difference = fields.Monetary("Not Explained", readonly=True, aggregator=None)
    unrated = fields.Integer("Items in Another Currency", readonly=True, aggregator=None)
    ledger_accounts = fields.Json(readonly=True, help="[[account, amount, balance]] of the ledger.")
    needs_reason = fields.Boolean(compute="_compute_needs_reason")
    reason = fields.Text(
        "Explanation", tracking=True, help="Of what the figures themselves don't explain."
    )

    line_ids = fields.One2many("finance.bank.reconciliation.line", "reconciliation_id")
    waiting_ids = fields.One2many(
        "finance.bank.reconciliation.line",
        "reconciliation_id",
        domain=[("section", "in", ("transit", "outstanding"))],
    )
    suspense_ids = fields.One2many(
        "finance.bank.reconciliation.line",
        "reconciliation_id",
        domain=[("section", "=", "suspense")],
    )
    other_ids = fields.One2many(
        "finance.bank.reconciliation.line",
        "reconciliation_id",
        domain=[("section", "in", ("only_booked", "only_told", "beginning"))],
    )

    # === WHO === #
    calculated_at = fields.Datetime("Worked out", readonly=True)
    prepared_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    prepared_at = fields.Datetime(readonly=True)
    reviewed_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    reviewed_at = fields.Datetime(readonly=True)
    digest = fields.Char(readonly=True, help="SHA-256 of all figures and items, as in the audit.")
    table = fields.Html("Statement", compute="_compute_table", sanitize=False)
    changes = fields.Text("Changed Since", compute="_compute_changes")
    can_review = fields.Boolean(compute="_compute_can_review")

    _version_unique = models.Constraint(
        "UNIQUE (journal_id, day, version)",
        "There is a statement of this account for this day already: open it, or restate it.",
    )
    _previous_unique = models.UniqueIndex("(previous_id) WHERE previous_id IS NOT NULL")

    # === COMPUTE METHODS === #

    @api.model
    def _last_month_end(self):
        return fields.Date.context_today(self).replace(day=1) - timedelta(days=1)

    @api.depends("journal_id", "day", "version")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for statement in self:
            name = self.env._(
                "%(account)s as at %(day)s",
                account=statement.journal_id.sudo().name or "",
                day=format_date(self.env, statement.day) if statement.day else "",
            )
            if statement.version > 1:
                name = self.env._(
                    "%(name)s (version %(number)s)", name=name, number=statement.version
                )
            statement.display_name = name

    @api.depends("next_ids.state")
    def _compute_is_restated(self):
        for statement in self:
            statement.is_restated = any(one.state == "reviewed" for one in statement.next_ids)

    @api.model
    def _search_is_restated(self, operator, value):
        if operator != "in":
            return NotImplemented
        restated = Domain("next_ids", "any", [("state", "=", "reviewed")])
        return restated if True in value else ~restated

    @api.depends("currency_id", "company_currency_id")
    def _compute_is_foreign(self):
        for statement in self:
            statement.is_foreign = statement.currency_id != statement.company_currency_id

    @api.depends("basis", "basis_day", "basis_count")
    @api.depends_context("lang")
    def _compute_basis_words(self):
        for statement in self:
            statement.basis_words = statement._basis_words()

    def _basis_words(self):
        _ = self.env._
        names = {
            "day": format_date(self.env, self.basis_day) if self.basis_day else "",
            "count": self.basis_count,
        }
        words = {
            "stated": _("The bank's closing balance of that day."),
            "hand": _("Written down by a person for that day."),
            "next": _(
                "Opening balance of %(day)s less %(count)s entries booked before it.", **names
            ),
            "carried": _(
                "Closing balance of %(day)s and %(count)s entries booked since; the bank told none"
                " for the day itself.",
                **names,
            ),
            "odoo": _("Bank statement in Odoo of %(day)s and %(count)s lines since.", **names),
            "missing": _("No balance of the bank is known. Import a statement or write one down."),
        }
        return words.get(self.basis, "")

    @api.depends("difference", "beginning", "basis", "unrated", "currency_id")
    def _compute_needs_reason(self):
        for statement in self:
            zero = statement.currency_id.is_zero if statement.currency_id else lambda amount: True
            gap = not zero(statement.difference) or not zero(statement.beginning)
            statement.needs_reason = gap or bool(statement.unrated)

    @api.depends("state", "prepared_by_id")
    @api.depends_context("uid")
    def _compute_can_review(self):
        for statement in self:
            statement.can_review = (
                statement.state == "prepared"
                and statement.prepared_by_id != self.env.user
                and self._is_reviewer()
            )

    def _is_reviewer(self):
        return any(self.env.user.has_group(group) for group in REVIEWERS)

    @api.constrains("day", "until")
    def _check_days(self):
        for statement in self:
            if statement.until and statement.until < statement.day:
                raise ValidationError(
                    self.env._(
                        "Matches count at least until the day of the statement: enter a later day"
                        " in “Matches until”, or leave it empty."
                    )
                )

    # === WRITTEN BY BUTTONS ONLY === #

    @api.model_create_multi
    def create(self, vals_list):
        """Work it out at once. Raises where there is one of the account and day already."""
        for vals in vals_list:
            self._guard(vals.keys() - ENTERED)
        statements = super().create([self._completed(vals) for vals in vals_list])
        statements._calculate()
        return statements

    def _completed(self, vals):
        return vals | {"company_id": self._checked(vals.get("journal_id")).company_id.id}

    def _checked(self, journal_id):
        """Return the journal, as superuser. Raises unless it is a bank's, of an own company."""
        journal = self.env["account.journal"].sudo().browse(journal_id).exists()
        if journal.company_id not in self.env.companies and not self.env.su:
            self.env["finance.denied.action"]._deny("bank.prepare", "company", self)
            raise AccessError(
                self.env._("The account belongs to a company that you don't work in now.")
            )
        if journal.type not in ("bank", "credit"):
            raise UserError(
                self.env._("Choose the journal of a bank account or a card for the statement.")
            )
        return journal

    def write(self, vals):
        """What is worked out is never set by hand; what is prepared stays as it is."""
        entered = {name for name in vals if not name.startswith(MAIL)}
        self._guard(entered - ENTERED)
        if entered and self.filtered(lambda statement: statement.state != "draft"):
            self.env["finance.denied.action"]._deny("write", "guard", self)
            raise UserError(
                self.env._(
                    "%(statement)s is prepared and stays as it is. Send it back to draft, or"
                    " restate it once it is reviewed.",
                    statement=self[:1].display_name,
                )
            )
        if "journal_id" in vals:
            vals = vals | {"company_id": self._checked(vals["journal_id"]).company_id.id}
        result = super().write(vals)
        if vals.keys() & {"journal_id", "day", "until"}:
            self._calculate()
        return result

    def _guard(self, names):
        """Refuse what people never set by hand."""
        names = {name for name in names if not name.startswith(MAIL)}
        if names and not self.env.su:
            self.env["finance.denied.action"]._deny("write", "guard", self)
            raise UserError(
                self.env._(
                    "%(names)s can't be set by hand: use the buttons of the statement.",
                    names=", ".join(sorted(names)),
                )
            )

    def _put(self, **values):
        """Write what the buttons and the arithmetic decide."""
        return super(FinanceBankReconciliation, self.sudo()).write(values)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_drafts(self):
        if self.filtered(lambda statement: statement.state != "draft"):
            self.env["finance.denied.action"]._deny("unlink", "guard", self)
            raise UserError(
                self.env._("A statement that was prepared is kept. Restate it if it is wrong.")
            )

    # === WORKED OUT === #

    def _calculate(self):
        """Work out figures and items of drafts, in place of what was there."""
        lines = self.env["finance.bank.reconciliation.line"].sudo()
        for statement in self:
            facts = statement._stated()
            statement.sudo().line_ids.unlink()
            statement._put(**statement._figures(facts))
            statement._put(digest=statement._digest_of(facts))
            lines.create([lines._values(statement, item) for item in facts.items])
        self.invalidate_recordset()

    def _stated(self):
        """Return the `Facts` of this statement as they are now."""
        return self._facts(self.journal_id, self.day, self.until or self.day)

    def _figures(self, facts):
        journal = self.journal_id.sudo()
        currency = self._currency_of(journal)
        return {
            "currency_id": currency.id,
            "company_currency_id": journal.company_id.currency_id.id,
            "bank_balance": facts.told.amount or 0.0,
            "basis": facts.told.basis,
            "basis_day": facts.told.day,
            "basis_count": facts.told.count,
            "balance_id": facts.told.balance or False,
            **{section: facts.total(section) for section in SECTIONS},
            "calculated": facts.calculated or 0.0,
            "books": facts.books,
            "ledger": facts.ledger,
            "ledger_company": facts.ledger_balance,
            "difference": currency.round(facts.difference),
            "unrated": facts.unrated,
            "ledger_accounts": [list(row) for row in facts.accounts],
            "calculated_at": fields.Datetime.now(),
        }

    def _digest_of(self, facts):
        told = (facts.told.basis, facts.told.amount or 0.0)
        keys = [item.key for item in facts.items]
        return digest(self, told, facts.ledger, facts.ledger_balance, keys)

    def _digest_of_stored(self):
        told = (self.basis, self.bank_balance)
        keys = [line._key() for line in self.sudo().line_ids]
        return digest(self, told, self.ledger, self.ledger_company, keys)

    def _is_authentic(self):
        """Tell whether what is stored is what the audit trail has the digest of."""
        self.env.cr.execute(
            SQL(
                """
                SELECT data->>'digest' FROM finance_audit_event
                 WHERE res_model = %s AND res_id = %s AND kind IN ('bank.prepared', 'bank.reviewed')
                 ORDER BY id DESC LIMIT 1
                """,
                self._name,
                self.id,
            )
        )
        row = self.env.cr.fetchone()
        return bool(row) and row[0] == self.digest == self._digest_of_stored()

    # === CHANGED SINCE === #

    @api.depends("state", "digest")
    @api.depends_context("lang")
    def _compute_changes(self):
        for statement in self:
            kept = statement.state != "draft" and statement._origin.id
            statement.changes = statement._changes() if kept else False

    def _changes(self):
        """Return in words what is different now from what is stated, False when nothing is."""
        facts = self._stated()
        if self._digest_of(facts) == self.digest:
            return False
        _ = self.env._
        then = Counter(line._key() for line in self.sudo().line_ids)
        now = Counter(item.key for item in facts.items)
        words = [
            _(
                "Changed since it was prepared: %(new)s items are new, %(gone)s are gone.",
                new=sum((now - then).values()),
                gone=sum((then - now).values()),
            )
        ]
        for label, before, after in (
            (_("Balance per bank"), self.bank_balance, facts.told.amount or 0.0),
            (_("Ledger of the bank account"), self.ledger, facts.ledger),
            (_("Balance per books"), self.books, facts.books),
        ):
            if self.currency_id.compare_amounts(before, after):
                words.append(
                    _(
                        "%(label)s: %(before)s then, %(after)s now.",
                        label=label,
                        before=self.currency_id.format(before),
                        after=self.currency_id.format(after),
                    )
                )
        return "\n".join(words)
