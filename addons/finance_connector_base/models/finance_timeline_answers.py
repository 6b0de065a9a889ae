"""The questions that every auditor asks, answered in words."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from .finance_exchange import MAY_OPEN
from .finance_timeline_lines import ENDS_OF_EXCEPTION

# How many of the newest events, exchanges and jobs are looked at for answers.
MOST_READ = 1000
# How many pieces of work, and how many documents of a partner, are answered for at most.
MOST_WORKS = 6
MOST_DOCUMENTS = 100


class Answer(NamedTuple):
    """One sentence. work: the piece of work it is about; links: [(label, path)]."""

    text: str
    work: str = ""
    links: tuple = ()
    tone: str = ""


@dataclass
class Work:
    """One thing that was to be done at a vendor: its events, its calls, its job if there is one.

    requests: ids of the calls whose stored request the reader may open.
    """

    uuid: str
    operation: str = ""
    events: list = field(default_factory=list)
    exchanges: list = field(default_factory=list)
    job: object = None
    requests: list = field(default_factory=list)

    def last(self, kinds):
        """Return the newest event of one of ``kinds``, None when there is none."""
        return next((event for event in reversed(self.events) if event.kind in kinds), None)

    def fact(self, name):
        """Return the newest value that an event has under ``name``."""
        found = ((event.data or {}).get(name) for event in reversed(self.events))
        return next((value for value in found if value), None)


class FinanceTimeline(models.TransientModel):
    _inherit = "finance.timeline"

    # === WHAT ADDONS EXTEND === #

    @api.model
    def _questions(self):
        """Return [(name, question, method that answers)], as they stand on the screen.

        The method takes a `Work` and the `Told` of its events by id, and returns `Answer`s.
        """
        _ = self.env._
        return [
            ("started", _("Who started it?"), "_answer_started"),
            ("sent", _("What was sent?"), "_answer_sent"),
            ("approved", _("Was it approved, and by whom?"), "_answer_approved"),
            ("delivered", _("When was it delivered?"), "_answer_delivered"),
            ("came_back", _("What came back?"), "_answer_came_back"),
        ]

    @api.model
    def _answering(self):
        """Return {question: {kind of event: sentence}}: which events answer, and in which words.

        A sentence may use %(who)s, %(when)s, %(vendor)s, %(facts)s. Addons extend the tables of
        ``super()``; "approved" is the one for flows with an approval.
        """
        _ = self.env._
        return {
            "started": {
                "job.enqueued": _("%(who)s, %(when)s."),
                "job.replayed": _("Tried again by %(who)s, %(when)s."),
            },
            "approved": {
                "job.released": _("Released after a restore by %(who)s, %(when)s."),
                "job.sent_again": _("Sending it again: approved by %(who)s, %(when)s."),
            },
            "delivered": {
                "job.done": _("%(when)s, to %(vendor)s."),
                "job.done_outside": _("By hand: recorded by %(who)s, %(when)s. %(facts)s"),
                "job.cancelled": _("Not at all: cancelled by %(who)s, %(when)s."),
                "job.stopped": _("Not yet: stopped %(when)s. Somebody has to decide."),
                "job.uncertain": _("Not known: it was sent, and no answer came until %(when)s."),
            },
            "came_back": {
                "job.not_done_at_vendor": _("%(vendor)s said %(when)s that it was not done."),
            },
        }

    @api.model
    def _approved_operations(self):
        """Return the names of operations that need an approval. Addons extend it."""
        return set()

    # === SUMMARY === #

    def _compute_summary(self):
        for timeline in self:
            told = timeline._documents() if timeline.is_collection else timeline._answers()
            timeline.summary = self.env["ir.qweb"]._render(
                "finance_connector_base.timeline_summary",
                {
                    "collection": timeline.is_collection,
                    "rows": told,
                    "printed": self.env.context.get("finance_printed"),
                },
            )

    def _answers(self):
        """Return [(question, [`Answer`])]."""
        domains = self._domains()
        works, labels = self._story(domains)
        shown = works[-MOST_WORKS:]
        told = self._tell_events(self.env["finance.audit.event"].sudo().union(*_events_of(shown)))
        kept = self._kept_requests(domains)
        for work in shown:
            work.requests = [call.id for call in work.exchanges if call.id in kept]
        answers = [
            (
                question,
                [
                    answer._replace(work=labels[work.uuid] if len(works) > 1 else "")
                    for work in shown
                    for answer in getattr(self, method)(work, told)
                ],
            )
            for _name, question, method in self._questions()
        ]
        if not works:
            nothing = Answer(self.env._("Nothing has been handed over so far."))
            answers = [(self.env._("What was sent?"), [nothing])]
        exceptions = self._answer_exceptions(self._newest("finance.exception", domains))
        return [*answers, (self.env._("How did each exception end?"), exceptions)]

    def _proofs(self):
        """Return rows of (work, trace, key, digest of the request, of the answer) for the report."""
        works, labels = self._story(self._domains())
        facts = ("key", "request_digest", "answer_digest")
        return [
            (labels[work.uuid], work.events[0].trace_id, *(work.fact(name) or "" for name in facts))
            for work in works
        ]

    # === PIECES OF WORK === #

    def _newest(self, model, domains):
        """Return the newest `MOST_READ` rows of the story, the oldest of them first."""
        rows = self.env[model].sudo().search(domains[model], order="id desc", limit=MOST_READ)
        return rows.sorted("id")

    def _story(self, domains):
        """Return what was to be done at vendors, in order, and {uuid: what it is called}."""
        events = self._newest("finance.audit.event", domains)
        works = self._works(events, self._newest("finance.exchange", domains))
        return works, self._labels(works)

    def _works(self, events, exchanges):
        """Return what was to be done at vendors, in order, from rows as superuser."""
        works, loose = {}, defaultdict(list)
        for event in events:
            uuid = (event.data or {}).get("uuid")
            if not uuid:
                # What an answer changed is recorded just before the end of its job.
                loose[event.trace_id].append(event)
                continue
            work = works.setdefault(uuid, Work(uuid, event.data.get("operation", "")))
            if event.kind == "job.done":
                work.events += loose.pop(event.trace_id, [])
            work.events.append(event)
        jobs = self._visible_rows("finance.job", [("uuid", "in", list(works))])
        for job in jobs:
            works[job.uuid].job = job
        by_job = {job.id: works[job.uuid] for job in jobs}
        for exchange in exchanges:
            work = by_job.get(exchange.job_id.id) or _work_of(exchange, works.values())
            if work:
                work.exchanges.append(exchange)
        return list(works.values())

    def _labels(self, works):
        """Return {uuid: what the work is called, with a number where it was done before}."""
        labels, counts = {}, defaultdict(int)
        for work in works:
            words = self.env["finance.operation"]._words(work.operation)
            counts[work.operation] += 1
            number = counts[work.operation]
            labels[work.uuid] = f"{words} ({number})" if number > 1 else words
        return labels

    def _sentences(self, question, events, told):
        """Return the sentences by which ``events`` answer a question."""
        table = self._answering()[question]
        return [
            table[event.kind]
            % {
                "who": told[event.id].who,
                "when": self._moment(event.at),
                "vendor": told[event.id].vendor,
                "facts": told[event.id].result.replace("\n", "; "),
            }
            for event in events
            if event.kind in table
        ]

    # === THE QUESTIONS === #

    def _answer_started(self, work, told):
        return [Answer(text) for text in self._sentences("started", work.events, told)]

    def _answer_sent(self, work, told):
        queued = work.last(("job.enqueued",))
        if not queued:
            return []
        digest = work.fact("request_digest")
        facts = told[queued.id].result.replace("\n", "; ")
        document = told[queued.id].document
        parts = [document if document not in facts else "", facts]
        if digest:
            parts.append(self.env._("Digest: %(digest)s", digest=self._digest(digest)))
        return [Answer("; ".join(filter(None, parts)), links=self._links_to_request(work))]

    def _digest(self, digest):
        """Return a digest as a person compares it: whole on paper, its beginning on the screen."""
        return digest if self.env.context.get("finance_printed") else f"{digest[:16]}…"

    def _links_to_request(self, work):
        if not work.requests:
            return ()
        path = f"/odoo/finance-exchanges/{work.requests[-1]}"
        return ((self.env._("Stored request"), path),)

    def _kept_requests(self, domains):
        """Return the ids of the calls whose request is still kept and the reader may open."""
        if not self.env.su and not any(self.env.user.has_group(group) for group in MAY_OPEN):
            return set()
        query = self.env["finance.exchange"].sudo()._search(domains["finance.exchange"])
        query.add_where(SQL("%s IS NOT NULL", SQL.identifier(query.table, "request_sealed")))
        return {id_ for (id_,) in self.env.execute_query(query.select())}

    def _answer_approved(self, work, told):
        sentences = self._sentences("approved", work.events, told)
        if not sentences and work.operation in self._approved_operations():
            sentences = [self.env._("Not yet.")]
        return [
            Answer(text)
            for text in sentences or [self.env._("No approval is needed for this kind of work.")]
        ]

    def _answer_delivered(self, work, told):
        job = work.job
        if job and job.state in ("pending", "calling", "answered"):
            why = job._why_not_yet(job._blockers().get(job))
            return [Answer(self.env._("Not yet. %(why)s", why=why or job._situation_words()))]
        last = work.last(self._answering()["delivered"])
        if not last:
            return []
        text = self._sentences("delivered", [last], told)[0]
        if len(work.exchanges) > 1:
            text += " " + self.env._("Attempts: %(number)s.", number=len(work.exchanges))
        return [Answer(text, tone=told[last.id].tone)]

    def _answer_came_back(self, work, told):
        answers = [Answer(text) for text in self._sentences("came_back", work.events, told)]
        if work.exchanges:
            answers.append(self._answer_of_call(work.exchanges[-1]))
        digest = work.fact("answer_digest")
        if digest:
            words = self.env._("Digest of the answer: %(digest)s", digest=self._digest(digest))
            answers.append(Answer(words))
        return answers or [Answer(self.env._("Nothing so far."))]

    def _answer_of_call(self, call):
        outcomes = dict(call._fields["outcome"]._description_selection(self.env))
        words = (call.error_text or "").rstrip(".")
        parts = [outcomes.get(call.outcome, ""), self._moment(call.started_at), words]
        if call.request_id:
            parts.append(self.env._("Vendor's request id: %(id)s", id=call.request_id))
        return Answer("; ".join(filter(None, parts)))

    def _answer_exceptions(self, exceptions):
        """Return one `Answer` an exception, in their order."""
        name = self._names(
            [("res.users", row.closed_by_id.id) for row in exceptions]
            + [("res.users", row.owner_id.id) for row in exceptions]
        )
        states = dict(exceptions._fields["state"]._description_selection(self.env))
        erased = self._reasons_of(exceptions.filtered(lambda row: not row.ending))
        answers = []
        for row in exceptions.sudo(self.env.su):
            known = {
                "title": row.title,
                "since": self._moment(row.first_seen_at),
                "owner": name("res.users", row.owner_id.id) or self.env._("nobody yet"),
                "state": states[row.state],
                "who": name("res.users", row.closed_by_id.id),
                "when": self._moment(row.closed_at),
                "reason": row.ending or erased.get(row.id, ""),
            }
            if row.state == "open":
                words = self.env._("%(title)s: open since %(since)s. Owner: %(owner)s.", **known)
            elif row.closed_by_id:
                words = self.env._("%(title)s: %(state)s by %(who)s, %(when)s. %(reason)s", **known)
            else:
                words = self.env._("%(title)s: %(state)s, %(when)s. %(reason)s", **known)
            link = (self.env._("Open"), f"/odoo/finance-exceptions/{row.id}")
            answers.append(Answer(words, links=(link,), tone="danger" * (row.state == "open")))
        return answers or [Answer(self.env._("There was none."))]

    def _reasons_of(self, exceptions):
        """Return {id: what the audit says of the end} of exceptions that no longer say it."""
        ends = [
            ("res_model", "=", "finance.exception"),
            ("res_id", "in", exceptions.ids),
            ("kind", "in", ENDS_OF_EXCEPTION),
        ]
        events = self._visible_rows("finance.audit.event", ends, order="id")
        details = events.sudo(self.env.su)._details_in_words()
        return {event.res_id: self._in_words(details.get(event.id, [])) for event in events}

    # === A PARTNER'S DOCUMENTS === #

    def _documents(self):
        """Return rows about the documents of a partner, the newest event first.

        Each is a dict: name, path, events, last (text), situation (words).
        """
        query = (
            self.env["finance.audit.event"].sudo()._search(self._domains()["finance.audit.event"])
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT model, id, count(*), max(at) FROM (%s) AS event
                 WHERE id IS NOT NULL GROUP BY model, id ORDER BY max(at) DESC LIMIT %s
                """,
                query.select(*_document_columns(query.table)),
                MOST_DOCUMENTS,
            )
        )
        name = self._names([row[:2] for row in rows])
        situations = self._situations_of(rows)
        return [
            {
                "name": name(model, id_),
                "path": f"/odoo/{model}/{id_}",
                "events": count,
                "last": self._moment(at),
                "situation": situations.get((model, id_), ""),
            }
            for model, id_, count, at in rows
        ]

    def _situations_of(self, rows):
        """Return {(model, id): words} of what is the matter with each document now."""
        ids = defaultdict(list)
        for model, id_, *_rest in rows:
            if hasattr(self.env.get(model), "_finance_situations"):
                ids[model].append(id_)
        words = self.env["finance.timeline.mixin"]._finance_situation_words()
        return {
            (model, id_): words[situation]
            for model, numbers in ids.items()
            for id_, situation in self.env[model].browse(numbers)._finance_situations().items()
        }


def _events_of(works):
    return [event for work in works for event in work.events]


def _work_of(exchange, works):
    """Return the work that a call belongs to whose job is deleted: the first of its kind that had
    not ended when it was made, for the work of one document is done one after the other."""
    for work in works:
        end = work.last(("job.done", "job.done_outside", "job.cancelled"))
        same = work.operation == exchange.operation and work.events[0].trace_id == exchange.trace_id
        if same and (not end or end.at >= exchange.started_at):
            return work
    return None


def _document_columns(table):
    """SQL of model, id and moment of the document that an event is about."""
    data = SQL.identifier(table, "data")
    return (
        SQL(
            "COALESCE(%s->>'document_model', %s) AS model", data, SQL.identifier(table, "res_model")
        ),
        SQL("COALESCE((%s->>'document_id')::int, %s) AS id", data, SQL.identifier(table, "res_id")),
        SQL("%s AS at", SQL.identifier(table, "at")),
    )
