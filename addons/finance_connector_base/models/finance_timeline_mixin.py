"""Records whose story can be told: the smart button, and where to look for what happened."""

from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .finance_job import FINISHED

# What the button says, the most pressing first.
SITUATIONS = [
    ("unknown", "Answer unknown"),
    ("stopped", "Stopped"),
    ("decision", "Needs a decision"),
    ("held", "Held"),
    ("retry", "Waiting for retry"),
    ("running", "Running"),
    ("waiting", "Waiting"),
    ("calm", "Nothing open"),
    ("done", "Done"),
]
RANKS = {key: rank for rank, (key, _label) in enumerate(SITUATIONS)}
# Headings of exceptions that the button says in other words.
OF_QUESTION = {"waiting": "retry"}
# Where a row names the document it is about.
PLACES = {
    "finance.audit.event": ("res_model", "res_id"),
    "finance.exception": ("document_model", "document_id"),
    "finance.job": ("document_model", "document_id"),
}


def visible(env, model, domain):
    """Return ``domain`` (a `Domain`) on ``model`` limited to what the reader's companies may see.

    For the superuser's search: people who work with a document may read its story, also where the
    rows it is told from are for others to list.
    """
    return Domain(domain) & env["ir.rule"]._compute_domain(model, "read")


def about(model, places):
    """Return the domain of the rows of ``model`` about ``places``, {model name: ids or a query}."""
    named, numbered = PLACES[model]
    return Domain.OR(
        Domain(named, "=", place) & Domain(numbered, "in", ids) for place, ids in places.items()
    )


class FinanceTimelineMixin(models.AbstractModel):
    """A record with a timeline: what was sent about it, by whom, and what came back."""

    _name = "finance.timeline.mixin"
    _description = "Record With a Timeline"

    finance_timeline_state = fields.Selection(
        SITUATIONS, "Timeline", compute="_compute_finance_timeline_state"
    )

    def _compute_finance_timeline_state(self):
        situations = self._origin._finance_situations()
        for record in self:
            record.finance_timeline_state = situations.get(record._origin.id, False)

    # === WHAT ADDONS EXTEND === #

    def _finance_timeline_of(self):
        """Return the record whose timeline tells of this one, by default itself."""
        return self

    def _finance_places(self):
        """Return the documents whose stories belong here: {model name: ids, or a `Query`}."""
        return {self._name: self.ids}

    def _finance_traces(self):
        """Return the ids of the traces of everything that happened to these documents."""
        places = self._finance_places()
        selects = [self._select_traces(model, about(model, places)) for model in PLACES]
        return [trace for (trace,) in self.env.execute_query(SQL(" UNION ").join(selects))]

    def _select_traces(self, model, domain):
        traced = domain & Domain("trace_id", "!=", False)
        query = self.env[model].sudo()._search(visible(self.env, model, traced))
        return SQL("(%s)", query.select(SQL.identifier(query.table, "trace_id")))

    def _finance_situations(self):
        """Return {id: key of SITUATIONS} of those about which something happened."""
        found = defaultdict(set)
        for document, question in self._finance_open_questions():
            found[document].add(OF_QUESTION.get(question, question))
        for job in self._finance_unfinished():
            found[job.document_id].add("held" if job._is_held() else job.situation)
        if len(found) < len(self.ids):
            for document in self._finance_happened():
                found[document].add("done")
        return {document: min(keys, key=RANKS.__getitem__) for document, keys in found.items()}

    # === WHAT IS THE MATTER NOW === #

    def _finance_rows(self, model, domain):
        """Return the model as superuser, and the domain of its rows about these records."""
        own = about(model, {self._name: self.ids}) & Domain(domain)
        return self.env[model].sudo(), visible(self.env, model, own)

    def _finance_open_questions(self):
        rows, domain = self._finance_rows("finance.exception", [("state", "=", "open")])
        return rows._read_group(domain, ["document_id", "question"])

    def _finance_unfinished(self):
        rows, domain = self._finance_rows("finance.job", [("state", "not in", FINISHED)])
        return rows.search(domain)

    def _finance_happened(self):
        rows, domain = self._finance_rows("finance.audit.event", [])
        return [document for (document,) in rows._read_group(domain, ["res_id"])]

    # === BUTTON === #

    def action_finance_timeline(self):
        """Open what happened to this record."""
        self.ensure_one()
        return self.env["finance.timeline"]._open(self._finance_timeline_of())

    @api.model
    def _finance_situation_words(self):
        """Return {key of SITUATIONS: words} in the reader's language."""
        return dict(self._fields["finance_timeline_state"]._description_selection(self.env))
