"""The cash position on one screen: what there is, where, what is missing, what is expected."""

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date, format_list
from odoo.tools.misc import format_datetime

from odoo.addons.finance_connector_base.actions import listing, notice

from .finance_cash_facts import BOOKED, EXPECTED
from .finance_cash_line_mixin import BUCKETS

CHOICE = {"company_ids", "currency_id", "with_intercompany"}
CONTROLLER = "finance_connector_base.group_controller"


class FinanceCashPosition(models.TransientModel):
    """All accounts of the chosen entities now, asked anew when it is opened."""

    _name = "finance.cash.position"
    _inherit = ["finance.cash.facts"]
    _description = "Cash Position"

    company_ids = fields.Many2many(
        "res.company",
        "finance_cash_position_company_rel",
        string="Entities",
        required=True,
        default=lambda self: self.env.companies,
        domain="[('id', 'in', allowed_company_ids)]",
    )
    currency_id = fields.Many2one(
        "res.currency",
        "Stated in",
        required=True,
        default=lambda self: self.env.company.currency_id,
    )
    with_intercompany = fields.Boolean(
        default=True, help="Count what entities of ours owe each other."
    )
    day = fields.Date(readonly=True)
    asked_at = fields.Datetime("As of", readonly=True)
    booked = fields.Monetary("Booked", readonly=True)
    today = fields.Monetary("Valued Today", readonly=True)
    transit = fields.Monetary("On the Way", readonly=True)
    pending = fields.Monetary("Pending", readonly=True)
    expected = fields.Monetary("Expected", readonly=True)
    problems = fields.Json(readonly=True)
    is_complete = fields.Boolean(compute="_compute_words")
    sentence = fields.Char(compute="_compute_words")
    figures = fields.Html(compute="_compute_figures", sanitize=False)
    forecast = fields.Html(compute="_compute_figures", sanitize=False)
    line_ids = fields.One2many("finance.cash.position.line", "position_id", readonly=True)
    account_ids = fields.One2many(
        "finance.cash.position.line",
        "position_id",
        domain=[("kind", "in", ("balance", "transit"))],
        readonly=True,
    )

    @api.depends("asked_at")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        for position in self:
            position.display_name = self.env._("Cash Position")

    @api.model
    def _open(self):
        """Return the action that works the position out and shows it."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Cash Position"),
            "res_model": self._name,
            "res_id": self.create({}).id,
            "views": [(False, "form")],
        }

    @api.model_create_multi
    def create(self, vals_list):
        """Work it out at once; what is worked out is never given."""
        positions = super().create([_chosen(vals) for vals in vals_list])
        for position in positions:
            position._ask()
        return positions

    def write(self, vals):
        """Work it out again where something else was chosen."""
        result = super().write(_chosen(vals))
        if CHOICE & vals.keys():
            for position in self:
                position._ask()
        return result

    # === ASKED === #

    def _companies(self):
        """Return the chosen entities, which must be among those the reader works in."""
        if self.company_ids - self.env.companies:
            raise AccessError(
                self.env._("Choose entities among your companies at the top of the screen.")
            )
        return self.company_ids or self.env.company

    def _ask(self):
        company = self.env.company
        day = fields.Date.context_today(self)
        lines = self._lines(self._companies(), day, self.currency_id, company)
        totals = self._totals(lines, self.with_intercompany)
        problems = self._problems(lines)
        this = self.sudo()
        this.line_ids.unlink()
        this.env["finance.cash.position.line"].create(
            [line | {"position_id": self.id} for line in lines]
        )
        super(FinanceCashPosition, this).write(
            {
                "day": day,
                "asked_at": fields.Datetime.now(),
                "problems": problems,
                **{name: self.currency_id.round(amount) for name, amount in totals.items()},
            }
        )
        self.invalidate_recordset()

    # === IN WORDS === #

    @api.depends("problems", "line_ids")
    @api.depends_context("lang")
    def _compute_words(self):
        for position in self:
            position.is_complete = not position.problems
            position.sentence = position._sentence(position.problems or {}, position.line_ids)

    def _sentence(self, problems, lines):
        """Return in one sentence whether the total is complete, and else why not."""
        _ = self.env._
        accounts = [line for line in lines if line["kind"] == "balance"]
        if not accounts:
            return _("There is no account with a balance yet.")
        if not problems:
            return _("Complete: all %(count)s accounts are up to date.", count=len(accounts))
        parts = [
            words % {"names": format_list(self.env, self._named(problems[key]))}
            for key, words in (
                ("missing", _("no balance of %(names)s")),
                ("stale", _("stale: %(names)s")),
                ("late", _("late: %(names)s")),
                ("unrated", _("no rate for %(names)s")),
            )
            if problems.get(key)
        ]
        return _("Incomplete: %(reasons)s.", reasons="; ".join(parts))

    def _named(self, places):
        _ = self.env._
        return [
            _("%(account)s (balance of %(day)s)", account=name, day=format_date(self.env, day))
            if day
            else name
            for name, day in places
        ]

    # === FIGURES === #

    @api.depends("asked_at", "line_ids")
    @api.depends_context("lang")
    def _compute_figures(self):
        render = self.env["ir.qweb"]._render
        for position in self:
            values = {"doc": position}
            position.figures = render("finance_bank_sync.cash_position_figures", values)
            position.forecast = render("finance_bank_sync.cash_position_forecast", values)

    def _tiles(self):
        """Return [(label, amount, explanation, style)] of the figures at the top."""
        _ = self.env._
        return [
            (_("Booked"), self.booked, self._of_currencies(), "main"),
            (_("Valued today"), self.today, _("what can be used"), ""),
            (_("Transfers on the way"), self.transit, _("counted once in Booked"), ""),
            (_("Pending at the banks"), self.pending, _("announced, not counted"), ""),
            (_("Expected within a month"), self.expected, _("open items and payments"), ""),
        ]

    def _of_currencies(self):
        """Return what Booked consists of: its currencies, or of one the number of accounts."""
        sums = {}
        for line in self.line_ids.filtered(lambda row: row.counted and row.kind in BOOKED):
            sums[line.currency_id] = sums.get(line.currency_id, 0.0) + line.amount
        if set(sums) <= {self.currency_id}:
            counted = self.account_ids.filtered(lambda row: row.counted and row.kind == "balance")
            return self.env._("%(count)s accounts", count=len(counted))
        return format_list(self.env, [currency.format(sums[currency]) for currency in sums])

    def _forecast_rows(self):
        """Return [(kind in words, [sum by bucket…], sum)], the running balance last."""
        labels = dict(self.line_ids._fields["kind"]._description_selection(self.env))
        order = [key for key, _words in BUCKETS if key != "later"]
        rows = {kind: dict.fromkeys(order, 0.0) for kind in ("value", "pending", *EXPECTED)}
        for line in self._shown():
            if line.kind in rows and line.bucket in order:
                rows[line.kind][line.bucket] += line.converted
        table = [
            (labels[kind], list(row.values()), sum(row.values()), "")
            for kind, row in rows.items()
            if any(row.values())
        ]
        running, sums = self.today + self.transit, []
        for bucket in order:
            running += sum(row[bucket] for row in rows.values())
            sums.append(running)
        if table:
            table.append((self.env._("Then there would be"), sums, None, "total"))
        return table

    def _shown(self):
        """Return the lines that count with the choice of intercompany."""
        return self.line_ids.filtered(
            lambda line: (
                line.counted
                and (self.with_intercompany or line.kind in BOOKED or not line.is_intercompany)
            )
        )

    def _bucket_words(self):
        labels = dict(self.line_ids._fields["bucket"]._description_selection(self.env))
        return [labels[key] for key, _words in BUCKETS if key != "later"]

    def _money(self, amount):
        return "" if amount is None else self.currency_id.format(amount)

    def _rates_words(self):
        """Return which rates were used, in words; nothing where all is in one currency."""
        rated = {
            line.currency_id.name: line.rate_day
            for line in self.line_ids
            if line.rate_day and line.rate
        }
        if not rated:
            return ""
        told = [f"{name} {format_date(self.env, day)}" for name, day in sorted(rated.items())]
        return self.env._(
            "Converted with the rates of %(company)s in Odoo: %(rates)s.",
            company=self.env.company.name,
            rates=format_list(self.env, told),
        )

    def _asked_words(self):
        return format_datetime(self.env, self.asked_at, tz=str(self.env.tz), dt_format=False)

    # === BUTTONS === #

    def action_ask(self):
        """Work it out again."""
        self._ask()

    def action_analyse(self):
        """Show the lines as a pivot table and a graph."""
        self.ensure_one()
        return listing(
            self.env._("Cash Position"),
            "finance.cash.position.line",
            [("position_id", "=", self.id)],
            view_mode="pivot,graph,list",
            context={"search_default_counted": 1},
        )

    def action_open_proof(self):
        """List the balances against the movements and the ledger."""
        return listing(
            self.env._("Proof of Balances"),
            "finance.bank.balance.proof",
            [("company_id", "in", self.company_ids.ids)],
            view_mode="list",
        )

    def action_keep(self):
        """Keep the position of each entity as a snapshot, besides the daily one."""
        self.ensure_one()
        if not self.env.su and not self.env.user.has_group(CONTROLLER):
            self.env["finance.denied.action"]._deny("cash.snapshot", "group", self)
            raise AccessError(self.env._("A controller keeps cash positions."))
        kept = self.env["finance.cash.snapshot"]._take(self._companies())
        if not kept:
            raise UserError(self.env._("There is no account to keep a position of."))
        return notice(
            "success", self.env._("Kept: %(names)s", names=", ".join(kept.mapped("name")))
        )


class FinanceCashPositionLine(models.TransientModel):
    """One amount of a position that somebody looks at."""

    _name = "finance.cash.position.line"
    _inherit = ["finance.cash.line.mixin"]
    _description = "Line of a Cash Position on Screen"
    _order = "kind, company_id, bank, account, day, id"
    _rec_name = "account"

    position_id = fields.Many2one(
        "finance.cash.position", required=True, index=True, ondelete="cascade"
    )

    def action_open(self):
        """Open what it consists of."""
        self.ensure_one()
        _ = self.env._
        journal = self.journal_id.exists()
        if self.kind in ("receivable", "payable", "payment", "unmatched"):
            return self._open_items()
        if self.kind in ("value", "pending", "transit"):
            domain = [("journal_id", "=", journal.id)]
            if self.kind == "pending":
                domain.append(("state", "=", "pending"))
            return listing(_("Entries"), "finance.bank.entry", domain)
        return listing(_("Balances"), "finance.bank.balance", [("journal_id", "=", journal.id)])

    def _open_items(self):
        domain = [("company_id", "=", self.company_id.id), ("parent_state", "=", "posted")]
        domain.append(("reconciled", "=", False))
        types = {"receivable": "asset_receivable", "payable": "liability_payable"}
        if self.kind in types:
            domain += [
                ("account_id.account_type", "=", types[self.kind]),
                ("date_maturity", "=", self.day),
                ("currency_id", "=", self.currency_id.id),
            ]
        else:
            facts = self.env["finance.bank.account.mixin"]
            family = facts._families(self.journal_id)[self.journal_id.id]
            accounts = family.outstanding if self.kind == "payment" else {family.suspense}
            domain += [
                ("journal_id", "=", self.journal_id.id),
                ("account_id", "in", list(accounts)),
            ]
        return listing(self.env._("Items"), "account.move.line", domain)


def _chosen(vals):
    """Return what a person chooses; figures are worked out and never given."""
    chosen = {name: vals[name] for name in CHOICE & vals.keys()}
    if "company_ids" in chosen and not chosen["company_ids"]:
        chosen["company_ids"] = [Command.clear()]
    return chosen
