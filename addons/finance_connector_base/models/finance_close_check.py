"""The questions of a month-end: each addon contributes its own."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.fields import Domain

from .finance_job import FINISHED
from .finance_operation import CHANGING
from .finance_timeline_mixin import visible


@dataclass(frozen=True)
class Period:
    """A month in the time zone of a company.

    first, last: its first and last day. begin, end: the moments (UTC, without zone) of its
    beginning and of the next one's.
    """

    first: date
    last: date
    begin: datetime
    end: datetime

    @classmethod
    def month(cls, key, zone="UTC"):
        """Return the period of a month, ``key`` as "2026-03", in a time zone by its name."""
        first = date.fromisoformat(f"{key}-01")
        following = (first + timedelta(days=31)).replace(day=1)
        begin, end = (
            pytz.timezone(zone).localize(datetime.combine(day, time.min)).astimezone(pytz.utc)
            for day in (first, following)
        )
        last = following - timedelta(days=1)
        return cls(first, last, begin.replace(tzinfo=None), end.replace(tzinfo=None))

    @property
    def key(self):
        """The month as "2026-03"."""
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True)
class CloseRow:
    """One question, in words, and the rows that answer it: what is counted is what is opened.

    code: "addon.name". question, todo: what is asked, and what to do about it. model, domain: the
    rows; oldest: their date or time field; amount: their field that is summed, in the currency of
    the field ``currency``, without one in the company's. blocks: whether the month can't be closed
    while there is one. view: external id of the list view; kind: the ``default_move_type`` that
    Odoo's lists of invoices want to know.
    """

    code: str
    question: str
    todo: str
    model: str
    domain: list
    oldest: str
    amount: str = ""
    currency: str = ""
    blocks: bool = False
    view: str = ""
    kind: str = ""


class FinanceCloseCheck(models.TransientModel):
    """The answer to one month-end question for one company and month, when it was asked."""

    _name = "finance.close.check"
    _description = "Close Check"
    _order = "sequence, id"
    _rec_name = "question"

    close_id = fields.Many2one("finance.close", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(readonly=True)
    code = fields.Char(readonly=True)
    question = fields.Char(readonly=True)
    todo = fields.Char("What to Do", readonly=True)
    standing = fields.Selection(
        [("blocking", "Blocks closing"), ("open", "Open"), ("order", "In order")], readonly=True
    )
    blocks = fields.Boolean("Blocks Closing", readonly=True)
    count = fields.Integer(readonly=True)
    amount = fields.Monetary(readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    unrated = fields.Char(
        readonly=True, help="Currencies without a rate: their amounts are not in the sum"
    )
    oldest = fields.Date(readonly=True)
    model = fields.Char(readonly=True)
    domain = fields.Json(readonly=True)
    view = fields.Char(readonly=True)
    kind = fields.Char(readonly=True)
    may_open = fields.Boolean(compute="_compute_may_open")

    @api.depends("model")
    @api.depends_context("uid")
    def _compute_may_open(self):
        for check in self:
            model = self.env.get(check.model)
            check.may_open = bool(check.count and model is not None and model.has_access("read"))

    # === THE QUESTIONS === #

    @api.model
    def _rows(self, company, period):
        """Return the questions to ask about ``company`` (one or several) and a `Period`.

        A list of `CloseRow`. Addons extend it by ``super() + […]``.
        """
        _ = self.env._
        of_company = [("company_id", "in", company.ids)]
        unfinished = [
            *of_company,
            ("state", "not in", FINISHED),
            ("effect", "in", CHANGING),
            "|", ("period", "<=", period.key), ("period", "=", False),
        ]  # fmt: skip
        return [
            CloseRow(
                "base.exceptions",
                _("Exceptions that block closing"),
                _("Settle them, or mark them as handled with a reason."),
                "finance.exception",
                [
                    ("state", "=", "open"),
                    ("blocks_close", "=", True),
                    "|", ("company_id", "in", company.ids),
                    "&", ("company_id", "=", False),
                    ("connector_id.company_ids", "parent_of", company.ids),
                    # For Odoo no period is smaller than any.
                    "|", "&", ("period", "!=", False), ("period", "<=", period.key),
                    "&", ("period", "=", False), ("first_seen_at", "<", _text(period.end)),
                ],
                "first_seen_at",
                "amount",
                "currency_id",
                blocks=True,
            ),
            CloseRow(
                "base.held",
                _("Work that is held"),
                _("Ask the vendor what became of it, release it, or end it as done outside."),
                "finance.job",
                [*unfinished, ("held_reason", "!=", False)],
                "created_at",
                blocks=True,
            ),
            CloseRow(
                "base.unfinished",
                _("Work that is not done at the vendor yet"),
                _("Wait until it is done; what is stopped is among the exceptions."),
                "finance.job",
                [*unfinished, ("held_reason", "=", False)],
                "created_at",
                blocks=True,
            ),
            CloseRow(
                "base.unsealed",
                _("Audit events without a seal"),
                _("They are sealed by themselves within minutes; else an administrator looks."),
                "finance.audit.event",
                [
                    ("seal_id", "=", False),
                    ("company_id", "in", [False, *company.ids]),
                    ("at", ">=", _text(period.begin)),
                    ("at", "<", _text(period.end)),
                ],
                "at",
            ),
        ]  # fmt: skip

    # === THE ANSWERS === #

    @api.model
    def _answered(self, company, period):
        """Return the answers to all questions as values of this model, in order of urgency.

        ``company``: one or several of one currency. One query a question, however much there is.
        """
        answers = [self._answer(row, company, period) for row in self._rows(company, period)]
        order = [key for key, _label in self._fields["standing"].selection]
        answers.sort(key=lambda values: order.index(values["standing"]))
        return [values | {"sequence": number} for number, values in enumerate(answers)]

    @api.model
    def _answer(self, row, company, period):
        count, totals, oldest = self._measured(row)
        amount, unrated = self._converted(totals, company[:1], period)
        order = "blocking" if row.blocks else "open"
        return {
            "code": row.code,
            "question": row.question,
            "todo": row.todo,
            "standing": order if count else "order",
            "blocks": row.blocks,
            "count": count,
            "amount": amount,
            "currency_id": company[:1].currency_id.id if row.amount else False,
            "unrated": ", ".join(unrated),
            "oldest": self._day(oldest),
            "model": row.model,
            "domain": row.domain,
            "view": row.view,
            "kind": row.kind,
        }

    @api.model
    def _measured(self, row):
        """Return (count, [(currency or None, amount)], the oldest moment) of the rows.

        Of rows that the reader may not read, those of the own companies are counted.
        """
        model, domain = self.env[row.model], Domain(row.domain)
        if not model.has_access("read"):
            model, domain = model.sudo(), visible(self.env, row.model, domain)
        groupby = [row.currency] if row.currency else []
        aggregates = ["__count", f"{row.oldest}:min"]
        aggregates += [f"{row.amount}:sum"] if row.amount else []
        count, totals, moments = 0, [], []
        for found in model._read_group(domain, groupby, aggregates):
            currency = found[0] if groupby else None
            number, moment, *amounts = found[len(groupby) :]
            count += number
            totals += [(currency, amount) for amount in amounts]
            moments += [moment] if moment else []
        return count, totals, min(moments, default=False)

    @api.model
    def _converted(self, totals, company, period):
        """Return (sum in the company's currency at the end of the period, currencies left out).

        What has no rate is left out and named: a missing rate is not one.
        """
        day = min(period.last, fields.Date.context_today(self))
        own, amount, unrated = company.currency_id, 0.0, []
        foreign = [currency.id for currency, _sum in totals if currency and currency != own]
        rated = set(
            self.env["res.currency.rate"]
            .sudo()
            .search(
                [
                    ("currency_id", "in", foreign),
                    ("company_id", "in", [False, company.root_id.id]),
                    ("name", "<=", day),
                ]
            )
            .currency_id.ids
            if foreign
            else []
        )
        for currency, total in totals:
            if not total:
                continue
            if not currency or currency == own:
                amount += total
            elif currency.id in rated:
                amount += currency._convert(total, own, company, day)
            else:
                unrated.append(currency.name)
        return amount, unrated

    @api.model
    def _day(self, moment):
        if not isinstance(moment, datetime):
            return moment
        return fields.Datetime.context_timestamp(self, moment).date()

    # === BUTTON === #

    def action_open(self):
        """Open the list of what was counted."""
        self.ensure_one()
        view = self.env.ref(self.view).id if self.view else False
        return {
            "type": "ir.actions.act_window",
            "name": self.question,
            "res_model": self.model,
            "view_mode": "list,form",
            "views": [(view, "list"), (False, "form")],
            "domain": self.domain,
            "context": {"create": False} | ({"default_move_type": self.kind} if self.kind else {}),
        }


def _text(moment):
    """A moment as a domain on the screen has it."""
    return fields.Datetime.to_string(moment)
