"""The words of a timeline's lines."""

from collections import defaultdict
from datetime import timedelta
from typing import NamedTuple

from odoo import SUPERUSER_ID, api, models

from .finance_job import FINISHED
from .finance_timeline_mixin import visible

# How a call ended → how the line looks.
TONE_OF_OUTCOME = {"ok": "success", "transient": "warning"}
TONE_OF_SITUATION = {"done": "success", "cancelled": "muted", "retry": "warning", "held": "warning"}
# Kinds of events that end what was queued.
ENDS = ("job.done", "job.done_outside", "job.cancelled", "job.stopped")
ENDS_OF_EXCEPTION = ("exception.handled", "exception.ignored", "exception.resolved")


class Told(NamedTuple):
    """One line in words. link: (model name, id) of what it opens, None for nothing."""

    what: str
    document: str = ""
    who: str = ""
    vendor: str = ""
    took: str = ""
    result: str = ""
    tone: str = ""
    seal: int = 0
    number: int = 0
    link: tuple | None = None


class FinanceTimeline(models.TransientModel):
    _inherit = "finance.timeline"

    def _told(self, keys):
        """Return {(model, id): `Told`} of what of ``keys``, pairs of model and id, is to be told.

        Asks the database a fixed number of times, however many lines there are.
        """
        self._subject()
        wanted = defaultdict(list)
        for model, id_ in keys:
            wanted[model].append(id_)
        told = {}
        for model, (_columns, method) in self._sources().items():
            rows = self._visible_rows(model, [("id", "in", wanted[model])])
            if model == "finance.audit.event":
                rows = rows.filtered_domain(self._fit_to_read())
            if rows:
                told |= {(model, id_): step for id_, step in getattr(self, method)(rows).items()}
        return told

    def _visible_rows(self, model, domain, **options):
        """Return rows as superuser that the reader's companies may see."""
        return self.env[model].sudo().search(visible(self.env, model, domain), **options)

    # === NAMES === #

    def _names(self, places):
        """Return a function (model, id) → name, "" for nothing; names of people for everybody."""
        weak = self.env["finance.audit.event"]
        places = {place for place in places if place[1]}
        people = {place for place in places if place[0] in ("res.users", "finance.connector")}
        names = weak._names_of(places - people) | weak.sudo()._names_of(people)
        names["res.users", SUPERUSER_ID] = self.env._("Odoo")
        return lambda model, id_: names.get((model, id_), "")

    def _duration(self, seconds):
        """Return a time span in words: the two largest units that say something."""
        _ = self.env._
        if seconds < 60:
            digits = 2 if seconds < 1 else 1 if seconds < 10 else 0
            return _("%(seconds)s s", seconds=f"{max(seconds, 0):.{digits}f}")
        minutes, seconds = divmod(int(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        if days:
            return _("%(days)s d %(hours)s h", days=days, hours=hours)
        if hours:
            return _("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes)
        return _("%(minutes)s min %(seconds)s s", minutes=minutes, seconds=seconds)

    @api.model
    def _in_words(self, facts):
        """Return [(label, text)] as one text."""
        return "\n".join(f"{label}: {text}" if label else text for label, text in facts if text)

    # === EVENTS === #

    def _tell_events(self, events):
        exceptions = self._exceptions_of(events)
        started = self._queued_at(events)
        details = events.sudo(self.env.su)._details_in_words()
        kinds, facts = events._kinds(), events._facts()
        endings, tones = self.env["finance.exception"]._endings(), events._tones()
        name = self._names(
            [("res.users", event.user_id.id) for event in events]
            + [("finance.connector", event.connector_id.id) for event in events]
            + [_document_of(event) for event in events]
        )
        told = {}
        for event in events:
            data, document = event.data or {}, _document_of(event)
            exception = exceptions.get(event.res_id) if _is_about_exception(event) else None
            subject = exception.title if exception else self._subject_of(data)
            words = kinds.get(event.kind, event.kind)
            since = started.get(data.get("uuid")) if event.kind in ENDS else None
            if exception and event.kind in ENDS_OF_EXCEPTION:
                since = exception.first_seen_at
            known = events._facts_in_words(data, facts.get(event.kind, ()))
            known += [("", endings.get(data.get("ending"), ""))]
            told[event.id] = Told(
                what=f"{words}: {subject}" if subject else words,
                document=name(*document),
                who=name("res.users", event.user_id.id),
                vendor=name("finance.connector", event.connector_id.id),
                took=self._span(since, event.at),
                result=self._in_words(known + details.get(event.id, [])),
                tone=tones.get(event.kind, ""),
                seal=event.seal_id,
                number=event.id,
                link=("finance.exception", exception.id) if exception else self._link(*document),
            )
        return told

    def _exceptions_of(self, events):
        """Return {id: exception} of those that events are about and the reader may read."""
        ids = [event.res_id for event in events if _is_about_exception(event)]
        found = self._visible_rows("finance.exception", [("id", "in", ids)])
        return {row.id: row for row in found.sudo(self.env.su)}

    def _queued_at(self, events):
        """Return {uuid of a job: when it was queued} for the ends among ``events``."""
        traces = {event.trace_id for event in events if event.kind in ENDS and event.trace_id}
        if not traces:
            return {}
        queued = [("kind", "=", "job.enqueued"), ("trace_id", "in", list(traces))]
        found = self._visible_rows("finance.audit.event", queued)
        return {(event.data or {}).get("uuid"): event.at for event in found}

    @api.model
    def _subject_of(self, data):
        """Return what an event is about beside its document, by its ``data``."""
        operation = data.get("operation")
        return self.env["finance.operation"]._words(operation) if operation else ""

    def _span(self, since, until):
        if not since or not until or until < since:
            return ""
        return self._duration((until - since).total_seconds())

    def _link(self, model, id_):
        """Return what a line opens: the document, unless the timeline is its own."""
        return (model, id_) if id_ and (model, id_) != (self.res_model, self.res_id) else None

    # === EXCHANGES === #

    def _tell_exchanges(self, exchanges):
        attempts = self._attempts(exchanges)
        outcomes = dict(exchanges._fields["outcome"]._description_selection(self.env))
        jobs = {job.id: job for job in exchanges.job_id.exists()}
        name = self._names(
            [("res.users", job.user_id.id) for job in jobs.values()]
            + [("finance.connector", row.connector_id.id) for row in exchanges]
            + [(job.document_model, job.document_id) for job in jobs.values()]
        )
        told = {}
        for row in exchanges:
            number, waited = attempts.get(row.id, (1, None))
            job = jobs.get(row.job_id.id)
            call = {"operation": row.operation_name, "number": number}
            what = self.env._("Call: %(operation)s", **call)
            if number > 1:
                what = self.env._("Call, attempt %(number)s: %(operation)s", **call)
            facts = [("", outcomes.get(row.outcome, "")), ("", row.error_text)]
            if waited:
                facts.append((self.env._("Waited before"), self._duration(waited)))
            told[row.id] = Told(
                what=what,
                document=name(job.document_model, job.document_id) if job else "",
                who=name("res.users", job.user_id.id) if job else "",
                vendor=name("finance.connector", row.connector_id.id),
                took=self._duration(row.duration_ms / 1000),
                result=self._in_words(facts),
                tone=TONE_OF_OUTCOME.get(row.outcome, "danger"),
                link=("finance.exchange", row.id),
            )
        return told

    def _attempts(self, exchanges):
        """Return {id: (number of the attempt, seconds waited before it)} of calls of jobs."""
        ids = [id_ for id_ in exchanges.mapped("job_id").ids if id_]
        if not ids:
            return {}
        attempts, last = {}, {}
        jobs = {job.id: job for job in exchanges.job_id.exists()}
        for row in self._visible_rows("finance.exchange", [("job_id", "in", ids)], order="id"):
            job_id = row.job_id.id
            number, until = last.get(job_id, (0, None))
            if until is None and job_id in jobs:
                until = jobs[job_id].created_at
            waited = (row.started_at - until).total_seconds() if until else 0
            attempts[row.id] = (number + 1, waited if waited >= 1 else None)
            last[job_id] = (number + 1, row.started_at + timedelta(milliseconds=row.duration_ms))
        return attempts

    # === JOBS === #

    def _tell_jobs(self, jobs):
        blockers = jobs._blockers()
        words = dict(jobs._fields["situation"]._description_selection(self.env))
        name = self._names(
            [("res.users", job.user_id.id) for job in jobs]
            + [("finance.connector", job.connector_id.id) for job in jobs]
            + [(job.document_model, job.document_id) for job in jobs]
        )
        return {
            job.id: Told(
                what=self.env._("Now: %(operation)s", operation=job.operation_name)
                if job.state not in FINISHED
                else job.operation_name,
                document=name(job.document_model, job.document_id),
                who=name("res.users", job.user_id.id),
                vendor=name("finance.connector", job.connector_id.id),
                took=self._span(job.created_at, job.done_at),
                result=self._in_words(
                    [("", words.get(job.situation)), ("", job._why_not_yet(blockers.get(job)))]
                ),
                tone=TONE_OF_SITUATION.get(job.situation, "info"),
                link=("finance.job", job.id),
            )
            for job in jobs
        }


def _is_about_exception(event):
    return event.res_model == "finance.exception"


def _document_of(event):
    """Return (model, id) of the document that people know an event by."""
    data = event.data or {}
    if data.get("document_model"):
        return data["document_model"], data.get("document_id")
    return event.res_model, event.res_id
