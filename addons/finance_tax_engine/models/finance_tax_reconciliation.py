"""Does the engine's list of recorded documents agree with the posted ledger?"""

import hashlib
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date, format_list
from odoo.tools.misc import format_amount, format_datetime

from odoo.addons.finance_connector_base.actions import listing, notice
from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.models.finance_timeline import print_or_show

from ..canonical.tax import TaxReference
from ..reconciliation.compare import DIFFERENCE, ORDER, PENDING, UNCOUNTED, Here, There, judge
from ..reconciliation.listing import Question
from . import finance_tax_reconciliation_sql as sql
from .finance_tax_document import UNDECIDED

USER = "finance_connector_base.group_user"
# Months that are compared each night: this one and those before it, unless they are tax-locked.
MONTHS = 3
# Documents of ours that are asked about at once, by the days of a month or one by one.
IN_A_LIST, ONE_BY_ONE = 1000, 100
# Rows judged at once.
ROWS = 1000
MOST_PRINTED = 500
STUCK = ("dead", "uncertain")


class FinanceTaxReconciliation(models.Model):
    """The comparison of one month of a company at one tax engine.

    A run asks the engine piece by piece, one job after the other; what has come so far is kept
    apart, and the result of the last run stands until the list is whole. Months are counted by
    document date, as engines declare; documents whose accounting date lies in another month are
    named. Nothing here changes the ledger.
    """

    _name = "finance.tax.reconciliation"
    _inherit = ["finance.job.mixin"]
    _description = "Tax Reconciliation"
    _order = "first desc, company_id, connector_id"

    connector_id = fields.Many2one(
        "finance.connector", "Engine", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True, ondelete="cascade"
    )
    month = fields.Char(required=True, readonly=True, help="YYYY-MM, by document date.")
    first = fields.Date("From", required=True, readonly=True)
    last = fields.Date("To", required=True, readonly=True)
    uuid = fields.Char(required=True, readonly=True, default=lambda self: str(uuid4()))
    trace_id = fields.Char("Trace", readonly=True, default=lambda self: uuid4().hex)

    # === THE RUN UNDER WAY === #
    run = fields.Integer(readonly=True, help="How often it was begun.")
    step = fields.Integer(readonly=True)
    started_at = fields.Datetime(readonly=True)
    started_by_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    listed_until = fields.Date(readonly=True)
    listed_days = fields.Integer(readonly=True, help="Days that are asked about at once.")
    listed_id = fields.Integer(readonly=True)
    progress = fields.Integer("Progress (%)", compute="_compute_running")
    is_running = fields.Boolean(compute="_compute_running")
    is_stuck = fields.Boolean(compute="_compute_running")
    failure = fields.Char("Last failure", compute="_compute_running")

    # === THE LAST RESULT === #
    standing = fields.Selection(
        [
            ("new", "Never compared"),
            (DIFFERENCE, "Differences"),
            (PENDING, "Not complete yet"),
            (ORDER, "In order"),
        ],
        "Result",
        default="new",
        required=True,
        readonly=True,
    )
    compared_at = fields.Datetime("Compared", readonly=True)
    compared_by_id = fields.Many2one("res.users", "Compared by", readonly=True, ondelete="set null")
    digest = fields.Char(readonly=True, help="SHA-256 of all that was found, line by line.")
    line_ids = fields.One2many(
        "finance.tax.reconciliation.line", "reconciliation_id", readonly=True
    )
    open_ids = fields.One2many(
        "finance.tax.reconciliation.line",
        "reconciliation_id",
        "To Decide",
        domain=[("standing", "=", DIFFERENCE), ("explained", "=", False)],
        readonly=True,
    )
    total_ids = fields.One2many(
        "finance.tax.reconciliation.total", "reconciliation_id", readonly=True
    )
    by_lookup = fields.Boolean("One by One", compute="_compute_by_lookup")
    is_locked = fields.Boolean("Tax-locked", compute="_compute_is_locked")
    matched_count = fields.Integer("Matched", compute="_compute_counts")
    only_here_count = fields.Integer("Only Here", compute="_compute_counts")
    only_there_count = fields.Integer("Only There", compute="_compute_counts")
    amount_count = fields.Integer("Amount Differs", compute="_compute_counts")
    other_count = fields.Integer("Status or Date Differs", compute="_compute_counts")
    cutoff_count = fields.Integer("Other Month", compute="_compute_counts")
    open_count = fields.Integer("Open Differences", compute="_compute_counts")
    sentence = fields.Char(compute="_compute_words")
    statement = fields.Text(compute="_compute_words")

    _month_unique = models.Constraint(
        "UNIQUE (connector_id, company_id, month)", "A month is compared in one place."
    )

    # === COMPUTE METHODS === #

    @api.depends("month", "connector_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for period in self:
            period.display_name = f"{period._month_words()}, {period.connector_id.sudo().name}"

    def _month_words(self):
        return format_date(self.env, self.first, date_format="MMMM yyyy") if self.first else ""

    @api.depends("run", "step")
    def _compute_running(self):
        jobs = self.env["finance.job"]._unfinished(self)
        for period in self:
            own = jobs.filtered(lambda j, p=period: (j.res_model, j.res_id) == (p._name, p.id))
            period.is_stuck = any(job.state in STUCK for job in own)
            period.is_running = bool(own) and not period.is_stuck
            period.failure = own[:1].error_text
            done = (period.listed_until - period.first).days + 1 if period.listed_until else 0
            whole = (period.last - period.first).days + 1 if period.first else 1
            period.progress = 100 * done // whole if period.is_running else 0

    @api.depends("connector_id.provider")
    def _compute_by_lookup(self):
        for period in self:
            offers = getattr(period.connector_id.sudo()._known_class(), "capabilities", ())
            period.by_lookup = "list" not in offers

    def _compute_is_locked(self):
        for period in self:
            locked = period.company_id.sudo().tax_lock_date
            period.is_locked = bool(locked and period.last and locked >= period.last)

    @api.depends("compared_at", "line_ids.explained")
    def _compute_counts(self):
        counts = self._grouped()
        for period in self:
            rows = counts.get(period.id, [])

            def number(*buckets, rows=rows):
                return sum(count for bucket, *_words, count in rows if bucket in buckets)

            period.matched_count = number("matched")
            period.only_here_count = number("only_here")
            period.only_there_count = number("only_there")
            period.amount_count = number("amount")
            period.other_count = number("status", "date", "unknown")
            period.open_count = sum(
                count
                for _bucket, _reason, standing, explained, count in rows
                if standing == DIFFERENCE and not explained
            )
        lines = self.env["finance.tax.reconciliation.line"].sudo()
        cutoff = dict(
            lines._read_group(
                [("reconciliation_id", "in", self.ids), ("cutoff", "=", True)],
                ["reconciliation_id"],
                ["__count"],
            )
        )
        for period in self:
            period.cutoff_count = cutoff.get(period.sudo(), 0)

    def _grouped(self):
        """Return {id: [(bucket, reason, standing, explained, count)]} of the lines."""
        rows = (
            self.env["finance.tax.reconciliation.line"]
            .sudo()
            ._read_group(
                [("reconciliation_id", "in", self.ids), ("bucket", "!=", False)],
                ["reconciliation_id", "bucket", "reason", "standing", "explained"],
                ["__count"],
            )
        )
        found = {}
        for period, *row in rows:
            found.setdefault(period.id, []).append(row)
        return found

    # === IN WORDS === #

    @api.depends("compared_at", "is_running", "line_ids.explained")
    @api.depends_context("lang", "uid")
    def _compute_words(self):
        grouped = self._grouped()
        for period in self:
            rows = grouped.get(period.id, [])
            period.sentence = period._sentence(rows)
            period.statement = "\n".join(period._statement(rows)) if period.compared_at else False

    def _sentence(self, rows):
        _ = self.env._
        if not self.compared_at:
            return _("Being compared for the first time.") if self.is_running else _(
                "Never compared."
            )  # fmt: skip
        names = {
            "matched": sum(row[-1] for row in rows if row[0] == "matched"),
            "open": self.open_count,
            "pending": sum(row[-1] for row in rows if row[2] == PENDING),
            "all": sum(row[-1] for row in rows if row[0] == "matched" or row[2] != ORDER),
        }
        if not names["all"]:
            return _("Nothing to declare on either side.")
        if names["open"]:
            return _("%(matched)s of %(all)s documents agree; %(open)s to decide.", **names)
        if names["pending"]:
            return _("%(matched)s of %(all)s documents agree; %(pending)s on the way.", **names)
        if names["matched"] == names["all"]:
            return _("All %(all)s documents agree.", **names)
        return _("%(matched)s of %(all)s documents agree; the others are explained.", **names)

    def _statement(self, rows):
        """Return the statement for the return, sentence by sentence."""
        _ = self.env._
        names = {
            "engine": self.connector_id.sudo().name,
            "company": self.company_id.sudo().name,
            "month": self._month_words(),
        }
        words = [
            _(
                "%(engine)s has recorded %(there_count)s document(s) dated %(month)s with tax of"
                " %(there)s; the ledger of %(company)s has %(here_count)s with %(here)s.",
                **names,
                **self._sums(),
            )
        ]
        missing = [row for row in rows if row[2] != ORDER]
        if missing:
            words.append(_("Not complete, because of: %(what)s.", what=self._listed_words(missing)))
        elif not self.by_lookup:
            words.append(_("Complete: each document was found on both sides with the same tax."))
        apart = [row for row in rows if row[2] == ORDER and row[1]]
        if apart:
            words.append(_("Not counted: %(what)s.", what=self._listed_words(apart)))
        if self.cutoff_count:
            words.append(
                _(
                    "Document date and accounting date lie in different months: %(count)s document(s);"
                    " they count by document date.",
                    count=self.cutoff_count,
                )
            )
        if self.by_lookup:
            words.append(
                _(
                    "Whether it is complete is not known: %(engine)s can't list what it has"
                    " recorded. The documents known here were looked up one by one; what only"
                    " %(engine)s has is not found.",
                    **names,
                )
            )
        if self.compared_at < fields.Datetime.to_datetime(self.last + timedelta(days=1)):
            words.append(_("The month was not over when it was compared."))
        return words

    def _sums(self):
        totals = self.total_ids.filtered(lambda total: not total.key)

        def money(side):
            parts = [
                format_amount(self.env, total[side], total.currency_id)
                if total.currency_id
                else f"{total[side]} {total.currency}"
                for total in totals
            ]
            return format_list(self.env, parts) if parts else "0"

        return {
            "here": money("here"),
            "there": money("there"),
            "here_count": sum(totals.mapped("here_count")),
            "there_count": sum(totals.mapped("there_count")),
        }

    def _listed_words(self, rows):
        lines = self.env["finance.tax.reconciliation.line"]
        reasons = dict(lines._fields["reason"]._description_selection(self.env))
        explained = self.env._("explained")
        return format_list(
            self.env,
            [
                f"{count} × {reasons.get(reason, reason)}" + (f" ({explained})" if told else "")
                for _bucket, reason, _standing, told, count in rows
            ],
        )

    # === WHICH MONTHS THERE ARE === #

    @api.model
    def _workflows(self, companies=None):
        """Return the tax workflows whose engine can say what it has recorded."""
        domain = [("flow", "=", "tax"), ("connector_id.active", "=", True)]
        if companies is not None:
            domain.append(("company_id", "in", companies.ids))
        workflows = self.env["finance.workflow"].sudo().search(domain)
        return workflows.filtered(
            lambda w: (
                {"list", "lookup"} & getattr(w.connector_id._known_class(), "capabilities", set())
            )
        )

    @api.model
    def _ensure(self, workflows, months):
        """Return the periods of ``months`` ("2026-03") of workflows; create what lacks."""
        this = self.sudo()
        known = this.search(
            [("connector_id", "in", workflows.connector_id.ids), ("month", "in", months)]
        )
        present = {(row.connector_id, row.company_id, row.month): row for row in known}
        missing, found = [], this.browse()
        for workflow in workflows:
            for month in months:
                period = present.get((workflow.connector_id, workflow.company_id, month))
                if period:
                    found += period
                    continue
                first = date.fromisoformat(f"{month}-01")
                following = (first + timedelta(days=31)).replace(day=1)
                missing.append(
                    {
                        "connector_id": workflow.connector_id.id,
                        "company_id": workflow.company_id.id,
                        "month": month,
                        "first": first,
                        "last": following - timedelta(days=1),
                    }
                )
        return found + this.create(missing)

    @api.model
    def _recent_months(self):
        first, months = fields.Date.context_today(self).replace(day=1), []
        for _number in range(MONTHS):
            months.append(f"{first:%Y-%m}")
            first = fields.Date.subtract(first, months=1)
        return months

    @api.model
    def _open(self):
        """Return the action that shows the months of the companies that one works in."""
        self._ensure(self._workflows(self.env.companies), self._recent_months())
        return self.env["ir.actions.act_window"]._for_xml_id(
            "finance_tax_engine.action_finance_tax_reconciliation_list"
        )

    @api.model
    def _cron_reconcile(self):
        """Compare the open months again: the last ones, and those that still differ."""
        workflows = self._workflows().filtered(lambda w: w.connector_id.state == "ready")
        periods = self._ensure(workflows, self._recent_months())
        periods |= self.search(
            [
                ("connector_id", "in", workflows.connector_id.ids),
                ("standing", "in", (DIFFERENCE, PENDING)),
            ]
        )
        periods.filtered(lambda p: not p.is_locked and not p._obstacle())._start()

    # === A RUN === #

    def _obstacle(self):
        """Return why the engine can't be asked, in words; "" when it can."""
        connector = self.connector_id.sudo()
        workflow = connector._workflow(self.company_id, "tax")
        names = {"engine": connector.name, "company": self.company_id.sudo().name}
        if not workflow:
            return self.env._("%(engine)s does not serve %(company)s any more.", **names)
        if connector.state != "ready":
            return self.env._("%(engine)s is stopped or not complete: open the connector.", **names)
        provider = connector._known_class()
        if getattr(provider, "seller_setting", "") and not self._seller(workflow):
            labels = {setting.name: setting.label for setting in provider.company_settings}
            return self.env._(
                "%(engine)s can't list documents without “%(option)s”: an administrator enters it"
                " under Configuration, Workflows, %(engine)s.",
                option=labels[provider.seller_setting],
                **names,
            )
        return ""

    def _seller(self, workflow):
        return self.env["finance.tax.mixin"]._finance_tax_seller(workflow)

    def _start(self):
        """Begin to compare; a run that is under way goes on, one that is stuck is given up."""
        for period in self.sudo():
            jobs = self.env["finance.job"].sudo()._unfinished(period).filtered(
                lambda job, p=period: (job.res_model, job.res_id) == (p._name, p.id)
            )  # fmt: skip
            if jobs.filtered(lambda job: job.state not in STUCK):
                continue
            jobs.action_cancel()
            whole = (period.last - period.first).days + 1
            count = self.env["finance.tax.document"].sudo().search_count(
                [
                    ("connector_id", "=", period.connector_id.id),
                    ("move_id.invoice_date", ">=", period.first),
                    ("move_id.invoice_date", "<=", period.last),
                ]
            )  # fmt: skip
            period.write(
                {
                    "run": period.run + 1,
                    "step": 0,
                    "started_at": fields.Datetime.now(),
                    "started_by_id": self.env.uid,
                    "listed_until": False,
                    "listed_days": max(1, whole * IN_A_LIST // max(count, IN_A_LIST)),
                    "listed_id": 0,
                }
            )
            self.env.cr.execute(
                "DELETE FROM finance_tax_recorded WHERE reconciliation_id = %s", [period.id]
            )
            period._next()

    def _next(self):
        """Ask for the next piece."""
        self.step += 1
        # what is to be recorded goes first
        self._enqueue("tax.reconcile", revision=f"{self.run}.{self.step}", priority=50)

    def _piece(self):
        """Return the first and the last of the days to ask about next."""
        start = self.listed_until + timedelta(days=1) if self.listed_until else self.first
        return start, min(start + timedelta(days=self.listed_days - 1), self.last)

    def _question(self):
        """Return the `Question` that the next job asks."""
        workflow = self.connector_id._workflow(self.company_id, "tax")
        seller = self._seller(workflow)
        start, end = self._piece()
        references = ()
        if self.by_lookup:
            start, end = self.first, self.last
            references = tuple(
                TaxReference(
                    "refund" if document.move_id.move_type == "out_refund" else "invoice",
                    seller,
                    document._code(),
                    document._engine_id_of(document._code()),
                )
                for document in self._known_documents()
            )
        return Question(seller, start, end, references)

    def _known_documents(self):
        """Return the next documents to look up: recorded, as far as we know."""
        return self.env["finance.tax.document"].search(
            [
                ("id", ">", self.listed_id),
                ("connector_id", "=", self.connector_id.id),
                ("company_id", "in", self._companies().ids),
                ("move_id.state", "=", "posted"),
                ("move_id.invoice_date", ">=", self.first),
                ("move_id.invoice_date", "<=", self.last),
                ("committed_at", "!=", False),
            ],
            order="id",
            limit=ONE_BY_ONE,
        )

    def _companies(self):
        """Return the company and its branches that have no workflow of their own at the engine."""
        workflows = self.env["finance.workflow"].sudo().with_context(active_test=False)
        own = workflows.search(
            [("flow", "=", "tax"), ("connector_id", "=", self.connector_id.id)]
        ).company_id
        family = self.env["res.company"].sudo().search([("id", "child_of", self.company_id.id)])
        return family.filtered(lambda branch: (branch.parent_ids & own)[-1:] == self.company_id)

    def _take(self, listed):
        """Keep a piece, a `Listed`; ask for the next one, or compare when it was the last."""
        if not listed.complete:
            start, end = self._piece()
            self.listed_days = max(1, ((end - start).days + 1) // 2)
            self._next()
            return
        self._stage(listed.documents)
        if self.by_lookup:
            asked = self._known_documents()
            self.listed_id = asked[-1:].id or self.listed_id
            whole = len(asked) < ONE_BY_ONE
        else:
            self.listed_until = self._piece()[1]
            whole = self.listed_until >= self.last
        if whole:
            self._compare()
        else:
            self._next()

    def _stage(self, documents):
        if not documents:
            return
        self.env.cr.execute_values(
            sql.STAGE,
            [
                (
                    self.id, there.kind, there.code, there.status, there.day, there.currency,
                    there.net, there.tax, _texts(there.by_key), there.locked, there.engine_id,
                )
                for there in documents
            ],
        )  # fmt: skip

    # === COMPARED === #

    def _compare(self):
        """Compare the whole list with the ledger, in as many statements however long it is."""
        self.env.flush_all()
        values = self._values()
        for statement in (sql.EMPTY, sql.THERE, sql.HERE):
            self.env.cr.execute(SQL(statement, **values))
        digest, standing = self._judge_all(values)
        for statement in (sql.UNTOUCHED, sql.LISTED, sql.FORMER_TOTALS, sql.TOTALS):
            self.env.cr.execute(SQL(statement, **values))
        self.env.invalidate_all(flush=False)
        self.write(
            {
                "standing": standing,
                "compared_at": fields.Datetime.now(),
                "compared_by_id": self.started_by_id.id,
                "digest": digest,
            }
        )
        self._tell()
        self._note("tax.reconciled")

    def _judge_all(self, values):
        """Judge line after line, `ROWS` at a time; return (digest of all, the worst standing)."""
        digest, standing, place = hashlib.sha256(), ORDER, {"kind": "", "key": ""}
        while rows := self.env.execute_query(SQL(sql.BATCH, rows=ROWS, **place, **values)):
            place = dict(zip(("kind", "key"), rows[-1][1:3], strict=True))
            judged = [found for row in rows if (found := self._judged(row))]
            for _id, *found in judged:
                digest.update(codec.dump(found).encode())
            standing = _worst(standing, *(found[3] for found in judged))
            if judged:
                self.env.cr.execute_values(sql.JUDGED, judged, page_size=ROWS)
        return digest.hexdigest(), standing

    def _values(self):
        """Return what the statements of a comparison ask for."""
        companies = self._companies()
        return {
            "id": self.id,
            "run": self.run,
            "company": self.company_id.id,
            "connector": self.connector_id.id,
            "companies": companies.ids,
            "first": self.first,
            "last": self.last,
            "started": self.started_at,
            "undecided": UNDECIDED,
            "excused": UNCOUNTED,
            "since": self._served_since(),
            "unasked": self._unasked(companies).subselect(),
        }

    def _served_since(self):
        """Return when the engine began to serve the company: what is older was never its own."""
        workflows = self.env["finance.workflow"].sudo().with_context(active_test=False)
        return workflows.search(
            [
                ("flow", "=", "tax"),
                ("connector_id", "=", self.connector_id.id),
                ("company_id", "=", self.company_id.id),
            ]
        ).create_date

    def _unasked(self, companies):
        """Return the query of posted documents that the engine serves, but was never asked about."""
        workflows = (
            self.env["finance.workflow"]
            .sudo()
            .search(
                [
                    ("flow", "=", "tax"),
                    ("connector_id", "=", self.connector_id.id),
                    ("tax_calculates", "=", True),
                ]
            )
        )
        routes = self.env["finance.tax.route"]
        served = Domain.OR(routes._domain_of_engines(one, workflows) for one in companies)
        posted = Domain(
            [
                ("move_type", "in", ("out_invoice", "out_refund")),
                ("state", "=", "posted"),
                ("invoice_date", ">=", self.first),
                ("invoice_date", "<=", self.last),
                ("finance_tax_document_ids", "not any", [("state", "not in", UNDECIDED)]),
                # the engine has it with what it corrects
                ("finance_tax_true_up_id", "=", False),
                ("invoice_line_ids.display_type", "=", "product"),
            ]
        )
        return self.env["account.move"].sudo()._search(posted & served)

    def _judged(self, row):
        """Return (id, bucket, reason, standing, gap, fact) of a row of `BATCH`, None for nothing."""
        (
            id_, kind, key, status, there_day, there_currency, there_net, there_tax, there_by_key,
            locked, engine_id, move_id, posted, current, state, excuse, busy, stuck, moved,
            here_day, told, here_currency, here_net, here_tax, here_by_key,
        ) = row  # fmt: skip
        there = here = None
        if status:
            there = There(
                key, kind, status, there_day, there_currency or "",
                _amount(there_net), _amount(there_tax),
                _amounts(there_by_key), bool(locked), engine_id or "",
            )  # fmt: skip
        if move_id:
            here = Here(
                posted, current, state or "", here_day, here_currency,
                _amount(here_net), _amount(here_tax), _amounts(here_by_key), told, excuse or "", bool(busy), bool(stuck), bool(moved),
            )  # fmt: skip
        verdict = judge(here, there, self.first, self.last)
        if verdict is None:
            # nothing to tell: the line goes with those that this run has not touched
            return None
        told_of = (verdict.bucket, verdict.reason, there, here and here.tax, here and here.day)
        return (
            id_, verdict.bucket, verdict.reason or None, verdict.standing, verdict.gap,
            codec.digest([kind, key, *told_of]),
        )  # fmt: skip

    def _note(self, kind):
        """Record in the audit trail what was found, or printed: numbers, sums and the digest."""
        totals = self.total_ids.filtered(lambda total: not total.key)
        counts = {}
        for bucket, *_words, count in self._grouped().get(self.id, []):
            counts[bucket] = counts.get(bucket, 0) + count
        self.env["finance.audit.event"].sudo()._record(
            kind,
            self,
            connector=self.connector_id,
            company=self.company_id,
            trace_id=self.trace_id,
            data={
                "month": self.month,
                "run": self.run,
                "counts": counts,
                "here": {total.currency: str(total.here) for total in totals},
                "there": {total.currency: str(total.there) for total in totals},
                "digest": self.digest,
            },
        )

    def _names_of_keys(self, keys):
        """Return {key: words} of jurisdictions."""
        rows = (
            self.env["finance.tax.jurisdiction"]
            .sudo()
            .search([("company_id", "in", self.company_id.root_id.ids), ("key", "in", list(keys))])
        )
        names = dict.fromkeys(keys)
        names.update({key: key for key in keys})
        names.update({row.key: row.tax_id.sudo().name or row.name for row in rows})
        names.update({"": self.env._("All tax"), "?": self.env._("Not told by jurisdiction")})
        return names

    def _failed(self, error):
        """Word the end of a run that could not be finished; see `finance.operation._failed`."""
        return "tax.reconciliation_failed", {
            "params": {"message": error.message, "month": self.month}
        }

    # === BUTTONS === #

    def _check_may(self, action):
        if not self.env.su and not self.env.user.has_group(USER):
            self.env["finance.denied.action"]._deny(action, "group", self)
            raise AccessError(self.env._("Only accountants compare the books with a tax engine."))
        self.check_access("read")

    def action_compare(self):
        """Compare now, in the background."""
        self._check_may("tax.compare")
        for period in self:
            obstacle = period._obstacle()
            if obstacle:
                raise UserError(obstacle)
        self._start()
        words = self.env._("The engine is being asked; the result comes by itself.")
        return notice("info", words)

    def action_earlier(self):
        """Open the month before, also when nobody has looked at it yet."""
        self.ensure_one()
        self._check_may("tax.compare")
        workflow = self._workflows().filtered(
            lambda w: (w.connector_id, w.company_id) == (self.connector_id, self.company_id)
        )
        if not workflow:
            raise UserError(self.env._("This engine does not serve the company any more."))
        month = f"{self.first - timedelta(days=1):%Y-%m}"
        return self._ensure(workflow, [month]).with_env(self.env).get_formview_action()

    def action_open_lines(self):
        """List the lines of the bucket named in the context, all by default."""
        self.ensure_one()
        bucket = self.env.context.get("bucket")
        domains = {
            "open": [("standing", "=", DIFFERENCE), ("explained", "=", False)],
            "other": [("bucket", "in", ("status", "date", "unknown"))],
            "cutoff": [("cutoff", "=", True)],
        }
        domain = domains.get(bucket, [("bucket", "=", bucket)] if bucket else [])
        return listing(
            self.display_name,
            "finance.tax.reconciliation.line",
            [("reconciliation_id", "=", self.id), *domain],
            view_mode="list,pivot,graph,form",
        )

    def action_open_exchanges(self):
        """List what was exchanged with the engine to compare."""
        self.ensure_one()
        return listing(
            self.env._("Exchanges"), "finance.exchange", [("trace_id", "=", self.trace_id)]
        )

    def action_print(self):
        """Print the statement; that somebody did is recorded."""
        self.check_access("read")
        for period in self:
            if not period.compared_at:
                raise UserError(self.env._("Compare first; there is nothing to state yet."))
            period._note("tax.stated")
        return print_or_show(self.env.ref("finance_tax_engine.report_tax_reconciliation"), self)

    def _printed(self):
        """Return what the printed statement shows."""
        self.ensure_one()
        return {
            "told": self.env["finance.tax.reconciliation.line"].search(
                [("reconciliation_id", "=", self.id), ("standing", "!=", ORDER)], limit=MOST_PRINTED
            ),
            "totals": self.total_ids.sorted(lambda total: (total.currency, total.key or "")),
            "by": self.compared_by_id.sudo().name,
            "at": format_datetime(self.env, self.compared_at, dt_format=False),
            "printed_at": format_datetime(self.env, fields.Datetime.now(), dt_format=False),
            "zone": str(self.env.tz),
        }


def _texts(by_key):
    return None if by_key is None else Json({key: str(value) for key, value in by_key.items()})


def _amounts(by_key):
    return None if by_key is None else {key: _amount(text) for key, text in by_key.items()}


def _amount(text):
    """Return an amount without zeros at its end, so that equal amounts have equal digests."""
    return None if text is None else Decimal(text).normalize()


def _worst(*standings):
    return next((one for one in (DIFFERENCE, PENDING) if one in standings), ORDER)
