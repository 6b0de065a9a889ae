"""Which statement is expected when, and how an account stands by that."""

from datetime import time

import pytz

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, format_date

from odoo.addons.finance_connector_base.models.finance_exception_catalog import ExceptionKind

from ..cash.calendar import COMPLETE, STANDINGS, Calendar
from .finance_bank_told import AT_END

CODE = "bank.statement_late"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
STANDING_WORDS = [
    ("complete", "Complete"),
    ("late", "Late"),
    ("stale", "Stale"),
    ("missing", "Missing"),
]
# Balances that say how an account stands at a day: at its end, and in the course of it.
KNOWN = (*AT_END, "ITBD")


class FinanceBankExpectation(models.Model):
    """When the bank's statement of a day is expected for one account.

    Looked after every quarter of an hour: what is late opens an exception, which closes itself when
    the statement has come.
    """

    _name = "finance.bank.expectation"
    _inherit = ["finance.bank.account.mixin"]
    _description = "Expected Bank Statements"
    _order = "company_id, journal_id"
    _rec_name = "journal_id"

    journal_id = fields.Many2one(
        "account.journal",
        "Account",
        required=True,
        ondelete="cascade",
        domain="[('type', 'in', ('bank', 'credit')), ('company_id', 'in', allowed_company_ids)]",
    )
    company_id = fields.Many2one(
        related="journal_id.company_id", store=True, index=True, readonly=True
    )
    active = fields.Boolean(default=True)
    monday = fields.Boolean(default=True)
    tuesday = fields.Boolean(default=True)
    wednesday = fields.Boolean(default=True)
    thursday = fields.Boolean(default=True)
    friday = fields.Boolean(default=True)
    saturday = fields.Boolean()
    sunday = fields.Boolean()
    lag = fields.Integer(
        "Banking Days Later", default=1, help="1: the statement of Friday comes on Monday."
    )
    hour = fields.Float("Until", default=12.0, help="In the time zone beside it.")
    tz = fields.Selection(
        lambda self: [(name, name) for name in pytz.common_timezones],
        "Time Zone",
        required=True,
        default=lambda self: self._zone_of(self.env.company),
    )
    target = fields.Boolean(
        "Closed with TARGET",
        help="No statements on the days on which euro payments rest: New Year, Good Friday, Easter"
        " Monday, 1 May, 25 and 26 December.",
    )
    holidays = fields.Text("Other Holidays", help="One date a line, as 2026-12-24.")
    stale_after = fields.Integer(
        "Stale After", default=3, help="So many statements overdue make the balance worth little."
    )
    newest_day = fields.Date("Newest Balance of", compute="_compute_standing")
    due_day = fields.Date("Due Until", compute="_compute_standing")
    standing = fields.Selection(STANDING_WORDS, compute="_compute_standing")
    overdue_count = fields.Integer("Overdue", compute="_compute_standing")

    _journal_unique = models.Constraint(
        "UNIQUE (journal_id)", "There is a calendar of this account already."
    )

    @api.constrains("lag", "hour", "stale_after", "holidays")
    def _check_values(self):
        for row in self:
            if row.lag < 0 or row.lag > 10 or not 0 <= row.hour < 24 or row.stale_after < 1:
                raise ValidationError(
                    self.env._(
                        "Enter 0 to 10 banking days, an hour from 00:00 to 23:59, and at least one"
                        " statement after which the account is stale."
                    )
                )
            try:
                row._own_holidays()
            except ValueError as error:
                raise ValidationError(
                    self.env._("Write one date a line, as 2026-12-24: %(error)s", error=error)
                ) from error

    def _own_holidays(self):
        lines = filter(None, (line.strip() for line in (self.holidays or "").splitlines()))
        return frozenset(fields.Date.to_date(line) for line in lines)

    def _calendar(self):
        """Return the `Calendar` of this account, without one that of an ordinary bank."""
        if not self:
            return Calendar(zone=self._zone_of(self.env.company))
        minutes = round(self.hour * 60)
        return Calendar(
            weekdays=frozenset(number for number, day in enumerate(WEEKDAYS) if self[day]),
            by=time(*divmod(minutes, 60)),
            zone=self.tz,
            lag=self.lag,
            holidays=self._own_holidays(),
            target=self.target,
            stale_after=self.stale_after,
        )

    @api.model
    def _newest_days(self, journals):
        """Return {journal id: newest day with a booked balance per bank}."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT journal_id, max(day) FROM finance_bank_balance
                 WHERE journal_id = ANY(%s) AND type = ANY(%s) AND COALESCE(subtype, '') <> 'INTM'
                 GROUP BY journal_id
                """,
                journals.ids,
                list(KNOWN),
            )
        )
        return dict(rows)

    @api.depends_context("uid")
    @api.depends("journal_id", "lag", "hour", "tz", "target", "holidays", "stale_after", *WEEKDAYS)
    def _compute_standing(self):
        now = fields.Datetime.now()
        newest = self._newest_days(self.journal_id)
        for row in self:
            calendar = row._calendar()
            row.newest_day = newest.get(row.journal_id.id)
            row.due_day = calendar.last_due(now)
            row.standing = calendar.standing(row.newest_day or None, now)
            row.overdue_count = len(calendar.overdue(row.newest_day or None, now))

    # === WATCHED === #

    @api.model
    def _cron_check(self):
        """Open exceptions of what is late, and close those of what has come."""
        self.sudo().search([])._check()

    def _check(self):
        # how an account stands depends on the clock, and on balances that have just come
        self.invalidate_recordset(["standing", "newest_day", "due_day", "overdue_count"])
        exceptions = self.env["finance.exception"].sudo()
        opened = exceptions.search(
            [("code", "=", CODE), ("state", "=", "open"), ("document_model", "=", self._name),
             ("document_id", "in", self.ids)]
        ).grouped("document_id")  # fmt: skip
        for row in self:
            known = opened.get(row.id)
            if row.standing == COMPLETE:
                if known:
                    known._close("resolved", CODE)
            elif not known or known.params.get("due") != str(row.due_day):
                row._raise()

    def _raise(self):
        self.env["finance.exception"]._raise(
            CODE,
            record=self,
            company=self.company_id,
            params={
                "account": self.journal_id.display_name,
                "due": str(self.due_day),
                "newest": str(self.newest_day or ""),
                "overdue": self.overdue_count,
                "standing": self.standing,
            },
            severity="high" if self.standing in STANDINGS[:2] else "medium",
        )

    def write(self, vals):
        """Another calendar may make an account late, or not late any more."""
        result = super().write(vals)
        self.filtered(lambda row: not row.active)._forget()
        self.filtered("active")._check()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_exceptions(self):
        self._forget()

    def _forget(self):
        exceptions = self.env["finance.exception"].sudo()
        if self:
            exceptions._resolve(CODE, document=self.sudo(), note="bank.unexpected")


class FinanceBankBalance(models.Model):
    _inherit = "finance.bank.balance"

    @api.model_create_multi
    def create(self, vals_list):
        """A statement that has come ends the exception that it is late."""
        balances = super().create(vals_list)
        expectations = self.env["finance.bank.expectation"].sudo()
        late = self.env["finance.exception"].sudo().search(
            [("code", "=", CODE), ("state", "=", "open")]
        )  # fmt: skip
        waiting = expectations.browse(late.mapped("document_id")).exists()
        waiting.filtered(lambda row: row.journal_id in balances.journal_id)._check()
        return balances


class FinanceException(models.Model):
    _inherit = "finance.exception"

    @api.model
    def _catalog(self):
        _ = self.env._
        return super()._catalog() | {
            CODE: ExceptionKind(
                title=_("A bank statement is late: %(account)s"),
                text=_(
                    "The statement of %(due_words)s for %(account)s is due and has not come; the"
                    " newest balance is of %(newest_words)s. Import the file, or look at the bank"
                    " link. It closes by itself when the statement is there."
                ),
                effect=_("The cash position is incomplete: it counts the last known balance."),
                kind="business",
                question="waiting",
                steps=("open_document", "handle", "ignore"),
            ),
        }

    @api.model
    def _endings(self):
        _ = self.env._
        return super()._endings() | {
            CODE: _("The statement has come."),
            "bank.unexpected": _("Statements are not expected for the account any more."),
        }

    def _words(self, job):
        words = super()._words(job)
        if self.code == CODE:
            params = self.params or {}
            for name in ("due", "newest"):
                day = params.get(name) not in (None, "", "None", "False") and params[name]
                words[f"{name}_words"] = format_date(self.env, day) if day else "–"
        return words
