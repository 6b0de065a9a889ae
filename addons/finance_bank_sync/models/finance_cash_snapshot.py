"""The cash position of an entity at the end of a day, kept for ever."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.fields import WeakMany2one

from .finance_cash_line_mixin import COPIED

SCHEMA_VERSION = 1
GUARD = """
CREATE OR REPLACE FUNCTION finance_cash_snapshot_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is kept as it is: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER IF EXISTS keep_rows ON {table};
DROP TRIGGER IF EXISTS keep_table ON {table};
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION finance_cash_snapshot_guard();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION finance_cash_snapshot_guard();
"""


class FinanceCashKeptMixin(models.AbstractModel):
    """Rows that are added and never changed: refused by the database as well.

    Without foreign keys and without create_uid, which would have to change when a user, a company
    or a currency goes. A new column must have no default, which would change every row.
    """

    _name = "finance.cash.kept.mixin"
    _description = "Rows That Stay as They Are"

    def init(self):
        """Put the guard on the table, at installation and at every update."""
        super().init()
        if not self._abstract:
            self.env.cr.execute(GUARD.format(table=self._table))

    @api.model_create_multi
    def create(self, vals_list):
        """Taken by `_take` alone."""
        if not self.env.context.get("finance_cash_taking") or not self.env.su:
            self._refuse("create")
        return super().create(vals_list)

    def write(self, vals):
        """Refused."""
        self._refuse("write")

    def unlink(self):
        """Refused."""
        self._refuse("unlink")

    @api.model
    def _remove_guard(self):
        """Take the triggers and their function away, so that the tables can be dropped."""
        self.env.cr.execute("DROP FUNCTION IF EXISTS finance_cash_snapshot_guard() CASCADE")

    def _refuse(self, action):
        self.env["finance.denied.action"]._deny(action, "guard", self)
        raise UserError(
            self.env._("A kept cash position is never changed: look at it, or keep another one.")
        )


class FinanceCashSnapshot(models.Model):
    """The cash position of one entity, taken each day by a scheduled action or by a controller."""

    _name = "finance.cash.snapshot"
    _inherit = ["finance.cash.kept.mixin", "finance.cash.facts", "finance.weak.mixin"]
    _description = "Kept Cash Position"
    _log_access = False
    _order = "day desc, company_id, version desc"

    name = fields.Char(compute="_compute_name")
    company_id = WeakMany2one("res.company", "Entity", readonly=True, index=True)
    day = fields.Date(readonly=True, index=True)
    version = fields.Integer(readonly=True, aggregator=None)
    taken_at = fields.Datetime(readonly=True)
    user_id = WeakMany2one("res.users", "Taken by", readonly=True)
    currency_id = WeakMany2one("res.currency", readonly=True)
    booked = fields.Monetary(readonly=True)
    today = fields.Monetary("Valued Today", readonly=True)
    transit = fields.Monetary("On the Way", readonly=True)
    pending = fields.Monetary(readonly=True)
    expected = fields.Monetary(readonly=True)
    problems = fields.Json(readonly=True)
    is_complete = fields.Boolean("Complete", readonly=True)
    sentence = fields.Char("Completeness", compute="_compute_sentence")
    digest = fields.Char("SHA-256", readonly=True)
    schema_version = fields.Integer(readonly=True, aggregator=None)
    line_ids = fields.One2many("finance.cash.snapshot.line", "snapshot_id", readonly=True)

    _version_unique = models.Constraint(
        "UNIQUE (company_id, day, version)", "A version of a day is kept once."
    )

    @api.depends("company_id", "day", "version")
    @api.depends_context("lang")
    def _compute_name(self):
        for snapshot in self:
            company = snapshot.company_id.sudo().exists()
            parts = (company.name, snapshot.day and format_date(self.env, snapshot.day))
            name = ", ".join(filter(None, parts))
            snapshot.name = f"{name} ({snapshot.version})" if snapshot.version > 1 else name

    @api.depends("name")
    def _compute_display_name(self):
        for snapshot in self:
            snapshot.display_name = snapshot.name

    @api.depends("problems")
    @api.depends_context("lang")
    def _compute_sentence(self):
        position = self.env["finance.cash.position"]
        for snapshot in self:
            snapshot.sentence = position._sentence(snapshot.problems or {}, snapshot.line_ids)

    # === TAKEN === #

    @api.model
    def _cron_take(self):
        """Keep today's position of each entity that has none yet."""
        companies = self.env["res.company"].sudo().search([])
        for company in companies:
            zoned = self.with_context(tz=self._zone_of(company)).with_company(company)
            day = fields.Date.context_today(zoned)
            if not self.sudo().search_count([("company_id", "=", company.id), ("day", "=", day)]):
                zoned._take(company)

    @api.model
    def _take(self, companies):
        """Keep the positions of companies as they are now, each in its currency; return them."""
        taken = self.sudo().browse()
        for company in companies.sudo():
            zoned = self.with_context(tz=self._zone_of(company))
            day = fields.Date.context_today(zoned)
            lines = self.sudo()._lines(company, day, company.currency_id, company)
            if any(line["kind"] == "balance" for line in lines):
                taken |= self._keep(company, day, lines)
        return taken

    @api.model
    def _keep(self, company, day, lines):
        this = self.sudo().with_context(finance_cash_taking=True)
        currency = company.currency_id
        totals = this._totals(lines)
        [(last,)] = this._read_group(
            [("company_id", "=", company.id), ("day", "=", day)], [], ["version:max"]
        )
        snapshot = this.create(
            {
                "company_id": company.id,
                "day": day,
                "version": (last or 0) + 1,
                "taken_at": fields.Datetime.now(),
                "user_id": self.env.uid,
                "currency_id": currency.id,
                "problems": this._problems(lines),
                "is_complete": not this._problems(lines),
                "digest": this._digest(company, day, lines),
                "schema_version": SCHEMA_VERSION,
                **{name: currency.round(amount) for name, amount in totals.items()},
            }
        )
        this.env["finance.cash.snapshot.line"].create(
            [
                {name: line.get(name) for name in COPIED}
                | {"snapshot_id": snapshot.id, "snapshot_day": day}
                for line in lines
            ]
        )
        self.env["finance.audit.event"]._record(
            "cash.snapshot",
            snapshot,
            company=company,
            data={
                "digest": snapshot.digest,
                "day": str(day),
                "booked": f"{snapshot.booked:.{currency.decimal_places}f}",
                "currency": currency.name,
                "complete": snapshot.is_complete,
                "lines": len(lines),
            },
        )
        return snapshot

    @api.model
    def _digest(self, company, day, lines):
        """Return the SHA-256 of the figures of a position; of lines (dicts or records)."""
        return codec.digest(
            {
                "schema": SCHEMA_VERSION,
                "company": company.id,
                "day": str(day),
                "lines": sorted(self._digested(line) for line in lines),
            }
        )

    def _digested(self, line):
        def number(name):
            value = line[name] if not isinstance(line, dict) else line.get(name)
            return value.id if isinstance(value, models.BaseModel) else value or 0

        places = [number(name) for name in ("company_id", "journal_id", "currency_id", "number")]
        money = [f"{number(name):.4f}" for name in ("amount", "converted", "ledger")]
        return [
            str(line["kind"]), str(line["day"]), *map(str, places), *money,
            str(bool(line["counted"])), str(bool(line["is_intercompany"])),
        ]  # fmt: skip

    def _is_authentic(self):
        """Tell whether what is stored is what was taken."""
        company = self.env["res.company"].browse(self.company_id.id)
        return self.digest == self._digest(company, self.day, self.sudo().line_ids)


class FinanceCashSnapshotLine(models.Model):
    """One amount of a kept cash position."""

    _name = "finance.cash.snapshot.line"
    _inherit = ["finance.cash.kept.mixin", "finance.cash.line.mixin"]
    _description = "Line of a Kept Cash Position"
    _log_access = False
    _order = "snapshot_day desc, kind, account, day, id"
    _rec_name = "account"

    snapshot_id = fields.Many2one(
        "finance.cash.snapshot", required=True, readonly=True, index=True, ondelete="restrict"
    )
    snapshot_day = fields.Date("Kept on", readonly=True, index=True)
