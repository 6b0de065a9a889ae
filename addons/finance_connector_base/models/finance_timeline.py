"""What happened to a document, in the order of time: the screen and its pages."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import format_datetime

from .finance_job import FINISHED
from .finance_operation import CHANGING
from .finance_timeline_mixin import SITUATIONS, about, visible

PAGE = 80
# What a printed timeline shows at most.
MOST_PRINTED = 2000


def print_or_show(report, records):
    """Return the action that prints ``records``, or shows them where PDFs can't be made."""
    action = report.report_action(records)
    if report.get_wkhtmltopdf_state() == "install":
        action["report_type"] = "qweb-html"
    return action


class FinanceTimeline(models.TransientModel):
    """The story of one document, of a partner's documents, or of one trace.

    Keeps nothing of what it tells: its lines point to events, exchanges and jobs, and are worded
    anew for each reader; so what is erased there is gone here.
    """

    _name = "finance.timeline"
    _description = "Timeline"

    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference("Record", model_field="res_model", readonly=True)
    trace_id = fields.Char("Trace", readonly=True)
    company_id = fields.Many2one("res.company", compute="_compute_subject")
    name = fields.Char(compute="_compute_subject")
    situation = fields.Selection(SITUATIONS, compute="_compute_subject")
    is_collection = fields.Boolean(
        compute="_compute_subject", help="Tells of many documents, the newest event first"
    )
    summary = fields.Html("Questions", compute="_compute_summary", sanitize=False)
    first = fields.Integer(readonly=True, help="How many lines stand on the pages before")
    total = fields.Integer(readonly=True, help="How many lines there are on all pages")
    page = fields.Char(compute="_compute_page")
    has_more = fields.Boolean(compute="_compute_page")
    line_ids = fields.One2many("finance.timeline.line", "timeline_id", readonly=True)

    @api.depends("name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for timeline in self:
            timeline.display_name = self.env._("Timeline of %(name)s", name=timeline.name)

    # === WHAT IT IS ABOUT === #

    @api.model
    def _open(self, record=None, trace_id=None):
        """Return the action that shows the timeline of ``record``, or of one trace."""
        self.check_access("read")
        timeline = self.sudo().create(
            {
                "res_model": record._name if record is not None else False,
                "res_id": record.id if record is not None else False,
                "trace_id": trace_id,
            }
        )
        timeline = timeline.sudo(self.env.su)
        timeline._turn(0)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Timeline"),
            "res_model": self._name,
            "res_id": timeline.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def _subject(self):
        """Return the record that the timeline tells of, None for a trace alone.

        Raises AccessError or UserError for whom it is not.
        """
        self.ensure_one()
        if not self.res_model:
            return None
        if not hasattr(self.env.get(self.res_model), "_finance_traces"):
            raise UserError(self.env._("There is no timeline for records of this kind."))
        record = self.env[self.res_model].browse(self.res_id)
        if record.sudo().exists():
            record.check_access("read")
        elif not self.env["finance.audit.event"].has_access("read"):
            raise AccessError(
                self.env._("The record is deleted. A controller or an auditor can read its story.")
            )
        return record

    @api.depends("res_model", "res_id", "trace_id")
    def _compute_subject(self):
        names = self.env["finance.audit.event"]._names_of(
            (timeline.res_model, timeline.res_id) for timeline in self
        )
        for timeline in self:
            subject = timeline._subject()
            place = (timeline.res_model, timeline.res_id)
            timeline.name = names.get(place) or self.env._("One trace")
            timeline.situation = False
            timeline.company_id = self.env.company
            timeline.is_collection = False
            if subject is None:
                continue
            places = subject._finance_places().values()
            timeline.is_collection = not all(isinstance(ids, list) for ids in places)
            if subject.sudo().exists():
                timeline.situation = subject.finance_timeline_state
                own = "company_id" in subject._fields and subject.sudo().company_id
                timeline.company_id = own or self.env.company

    # === WHERE IT IS WRITTEN === #

    @api.model
    def _sources(self):
        """Return {model: (columns of the moment, method that tells rows)}: what lines are made of.

        The first column that is not empty says when it was. The method takes rows as superuser and
        returns {id: `Told`}. Addons extend it by ``super() | {…}``, and `_domains` with it.
        """
        return {
            "finance.audit.event": (("at",), "_tell_events"),
            "finance.exchange": (("started_at",), "_tell_exchanges"),
            "finance.job": (("done_at", "due_at", "created_at"), "_tell_jobs"),
        }

    def _domains(self):
        """Return {model: `Domain`} of all that belongs to the story and the reader may see."""
        subject = self._subject()
        places = subject._finance_places() if subject is not None else {}
        traces = [self.trace_id] if subject is None else subject._finance_traces()
        # An event without a trace has nothing in common with the others that have none.
        traced = Domain("trace_id", "in", [trace for trace in traces if trace])
        exceptions = traced | about("finance.exception", places)
        events = traced | about("finance.audit.event", places)
        found = self.env["finance.exception"].sudo()
        found = found._search(visible(self.env, "finance.exception", exceptions))
        events |= Domain("res_model", "=", "finance.exception") & Domain("res_id", "in", found)
        # Effects leave events behind; of other jobs the row is all there is.
        jobs = Domain("state", "in", ("pending", "calling", "answered"))
        jobs |= Domain("state", "in", FINISHED) & Domain("effect", "not in", CHANGING)
        domains = {
            "finance.audit.event": events & self._fit_to_read(),
            "finance.exception": exceptions,
            "finance.exchange": traced,
            "finance.job": jobs & (traced | about("finance.job", places)),
        }
        return {model: visible(self.env, model, domain) for model, domain in domains.items()}

    def _fit_to_read(self):
        """Return the domain of the events that are told to the reader."""
        events = self.env["finance.audit.event"]
        if events.has_access("read"):
            return Domain.TRUE
        return Domain.AND(~Domain("kind", "=like", f"{kind}%") for kind in events._for_evidence)

    def _keys(self, first, limit):
        """Return ([(model, id, moment)], how many there are in all), one page of them."""
        domains, sources = self._domains(), self._sources()
        selects = []
        for model, (columns, _method) in sources.items():
            query = self.env[model].sudo()._search(domains[model])
            moment = SQL(", ").join(SQL.identifier(query.table, name) for name in columns)
            selects.append(
                query.select(
                    SQL("%s AS source", model),
                    SQL.identifier(query.table, "id"),
                    SQL("COALESCE(%s) AS at", moment),
                )
            )
        order = SQL("DESC" if self.is_collection else "ASC")
        rows = self.env.execute_query(
            SQL(
                """
                SELECT source, id, at, count(*) OVER () FROM (%s) AS story
                 ORDER BY at %s, source %s, id %s LIMIT %s OFFSET %s
                """,
                SQL(" UNION ALL ").join(selects),
                order,
                order,
                order,
                limit,
                first,
            )
        )
        return [row[:3] for row in rows], rows[0][3] if rows else 0

    # === PAGES === #

    def _turn(self, first):
        """Show the page that begins after ``first`` lines."""
        keys, total = self._keys(first, PAGE)
        this = self.sudo()
        this.line_ids.unlink()
        this.write({"first": first, "total": total})
        this.env["finance.timeline.line"].create(
            [
                {"timeline_id": self.id, "sequence": row, "source": source, "source_id": id_, "at": at}
                for row, (source, id_, at) in enumerate(keys)
            ]
        )  # fmt: skip

    @api.depends("first", "total")
    def _compute_page(self):
        for timeline in self:
            last = min(timeline.first + PAGE, timeline.total)
            timeline.has_more = last < timeline.total
            timeline.page = self.env._(
                "%(first)s to %(last)s of %(total)s",
                first=min(timeline.first + 1, timeline.total),
                last=last,
                total=timeline.total,
            )

    def action_next_page(self):
        """Show the next page."""
        self._turn(self.first + PAGE if self.has_more else self.first)

    def action_previous_page(self):
        """Show the page before."""
        self._turn(max(0, self.first - PAGE))

    def action_refresh(self):
        """Look again."""
        self._turn(self.first)

    # === BUTTONS === #

    def action_open_record(self):
        """Open the document."""
        self.ensure_one()
        return self.env["finance.audit.event"]._open_weak(self.res_model, self.res_id)

    def action_print(self):
        """Print the evidence; without wkhtmltopdf it is shown in the browser."""
        self._subject()
        return print_or_show(self.env.ref("finance_connector_base.report_timeline"), self)

    # === PRINTED === #

    def _printed(self):
        """Return what the report shows: all lines, up to `MOST_PRINTED`, and who printed when."""
        self.ensure_one()
        keys, total = self._keys(0, MOST_PRINTED)
        told = self._told([key[:2] for key in keys])
        steps = [(at, told[source, id_]) for source, id_, at in keys if (source, id_) in told]
        return {
            "lines": steps,
            "left_out": max(0, total - MOST_PRINTED),
            "sealed": self._sealed([step for _at, step in steps if step.number]),
            "proofs": [] if self.is_collection else self._proofs(),
            "printed_at": self._moment(fields.Datetime.now()),
            "zone": str(self.env.tz),
            "summary": self.with_context(finance_printed=True).summary,
            "moment": self._moment,
        }

    def _sealed(self, steps):
        """Return how many of the events are sealed, and by which seals, in words."""
        seals = sorted({step.seal for step in steps if step.seal})
        return self.env._(
            "%(sealed)s of %(count)s events are sealed (seals: %(seals)s). Whether the seals hold is"
            " verified on the audit trail itself.",
            sealed=sum(1 for step in steps if step.seal),
            count=len(steps),
            seals=", ".join(map(str, seals)) or "–",
        )

    @api.model
    def _moment(self, at):
        """Return a time as the reader's clock and language say it, to the second."""
        return format_datetime(self.env, at, tz=str(self.env.tz), dt_format=False) if at else "–"


class FinanceTimelineLine(models.TransientModel):
    """One step of a timeline: where it is written; its words are made when it is read."""

    _name = "finance.timeline.line"
    _description = "Step of a Timeline"
    _order = "sequence, id"

    timeline_id = fields.Many2one("finance.timeline", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(readonly=True)
    source = fields.Char("Written in", readonly=True)
    source_id = fields.Integer(readonly=True)
    at = fields.Datetime("When", readonly=True)
    what = fields.Text(compute="_compute_told")
    document = fields.Char(compute="_compute_told")
    who = fields.Char(compute="_compute_told")
    vendor = fields.Text("Connector", compute="_compute_told")
    took = fields.Char("How Long", compute="_compute_told")
    result = fields.Text(compute="_compute_told")
    tone = fields.Char(compute="_compute_told")
    seal = fields.Integer(compute="_compute_told")
    can_open = fields.Boolean(compute="_compute_told")

    @api.depends("timeline_id", "source", "source_id")
    @api.depends_context("uid", "lang", "tz", "allowed_company_ids")
    def _compute_told(self):
        for timeline, lines in self.grouped("timeline_id").items():
            told = timeline._told([(line.source, line.source_id) for line in lines])
            for line in lines:
                step = told.get((line.source, line.source_id))
                line.what = step.what if step else self.env._("Not kept any more")
                line.document = step.document if step else False
                line.who = step.who if step else False
                line.vendor = step.vendor if step else False
                line.took = step.took if step else False
                line.result = step.result if step else False
                line.tone = step.tone if step else "muted"
                line.seal = step.seal if step else 0
                line.can_open = bool(step and step.link)

    def action_open(self):
        """Open what the step is about: the exception, the exchange, the job or the document."""
        self.ensure_one()
        key = (self.source, self.source_id)
        step = self.timeline_id._told([key]).get(key)
        if not step or not step.link:
            raise UserError(self.env._("There is nothing to open for this step."))
        return self.env["finance.audit.event"]._open_weak(*step.link)
