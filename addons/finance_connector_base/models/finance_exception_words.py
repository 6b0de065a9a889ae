"""How an exception reads: its words in the reader's language, its steps, and how it is found."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools.misc import format_amount

from .finance_exception import STEPS
from .finance_exception_catalog import ExceptionKind
from .finance_job import ALLOWED

# What must be there for a step to make sense.
NEEDS = {
    "query": "job_id",
    "done_outside": "job_id",
    "open_job": "job_id",
    "open_document": "document_id",
    "open_connector": "connector_id",
}


class _Parameters(dict):
    """Parameters of a text: what is missing reads as a dash, never as an error."""

    def __missing__(self, key):
        return "–"


class FinanceException(models.Model):
    _inherit = "finance.exception"

    # === KIND, as `finance.exception.catalog` has it === #

    @api.model
    def _kind_of(self, code, catalog=None):
        """Return the ExceptionKind of a code; of an unknown one, a kind that says so."""
        kind = (self._catalog() if catalog is None else catalog).get(code)
        return kind or ExceptionKind(
            title=self.env._("Exception of an addon that is not installed: %(exception_code)s"),
            text=self.env._("Install the addon again to read what happened: %(answer)s."),
            effect=self.env._("Not known without the addon."),
            steps=("open_document", "open_job", "open_connector", "handle"),
        )

    # === COMPUTE AND SEARCH === #

    @api.depends("code", "params", "state", "job_id", "document_id", "connector_id", "amount")
    @api.depends_context("lang", "uid")
    def _compute_wording(self):
        catalog = self._catalog()
        jobs = {job.id: job for job in self.job_id.sudo().exists()}
        for exception in self:
            job = jobs.get(exception.job_id.id, self.env["finance.job"])
            kind = exception._kind_of(exception.code, catalog)
            words = exception._words(job)
            exception.title = kind.title % words
            exception.text = kind.text % words
            exception.effect = kind.effect % words
            exception.steps = [step for step in kind.steps if exception._is_possible(step, job)]

    def _words(self, job):
        """What stands for the %(name)s of a text: the parameters, and what the row knows."""
        amount = self.currency_id and format_amount(self.env, self.amount, self.currency_id)
        known = {
            "exception_code": self.code,
            "document": self.document_name,
            "connector": self.connector_id.sudo().name,
            "partner": self.partner_id.sudo().display_name,
            "amount": amount,
            "operation": job.operation,
            "attempts": job.attempts,
        }
        words = _Parameters({name: value for name, value in known.items() if value})
        words |= {name: value for name, value in (self.params or {}).items() if value}
        message = words.get("message") or words.get("text")
        if message:
            code = words.get("code")
            words |= {"message": message, "answer": f"{message} ({code})" if code else message}
        return words

    def _is_possible(self, step, job):
        """Whether a step of the kind makes sense for this row now."""
        if step in ALLOWED and job:
            return self.state == "open" and job._allows(step)
        if step == "open_document" and not self._may_read_document():
            return False
        needed = NEEDS.get(step)
        if needed and not self[needed]:
            return False
        return self.state == "open" or step.startswith("open_")

    def _may_read_document(self):
        """Whether the reader's role reads such documents at all; of a lost addon nobody knows."""
        model = self.document_model
        return model not in self.env or self.env[model].has_access("read")

    @api.depends("steps")
    @api.depends_context("uid")
    def _compute_can(self):
        for exception in self:
            for step in STEPS:
                exception[f"can_{step}"] = step in (exception.steps or ())

    @api.depends("title", "document_name")
    def _compute_display_name(self):
        for exception in self:
            parts = (exception.title, exception.document_name)
            exception.display_name = ": ".join(part for part in parts if part)

    @api.depends("document_model", "document_id")
    @api.depends_context("lang", "uid")
    def _compute_document_name(self):
        names = self._names_of((row.document_model, row.document_id) for row in self)
        for exception in self:
            place = (exception.document_model, exception.document_id)
            exception.document_name = names.get(place, "")

    @api.depends("close_reason", "state")
    @api.depends_context("lang")
    def _compute_ending(self):
        endings = self._endings()
        for exception in self:
            reason = exception.close_reason
            exception.ending = endings.get(reason, reason)

    @api.depends("first_seen_at", "closed_at")
    def _compute_age_days(self):
        now = fields.Datetime.now()
        for exception in self:
            since = exception.first_seen_at or now
            exception.age_days = ((exception.closed_at or now) - since).days

    @api.depends("deadline", "state")
    def _compute_is_overdue(self):
        for exception in self:
            late = exception.deadline and exception.deadline < exception._today()
            exception.is_overdue = bool(late and exception.state == "open")

    @api.model
    def _search_title(self, operator, value):
        """Codes whose title, in the reader's language, has the words that were typed."""
        titles = {code: kind.title.lower() for code, kind in self._catalog().items()}
        if operator == "in":
            wanted = {str(item).lower() for item in value}
            codes = [code for code, title in titles.items() if title in wanted]
        elif operator in ("ilike", "like"):
            codes = [code for code, title in titles.items() if str(value).lower() in title]
        else:
            return NotImplemented
        return Domain("code", "in", codes)

    @api.model
    def _search_document_name(self, operator, value):
        if operator in Domain.NEGATIVE_OPERATORS:
            return NotImplemented
        found = Domain.FALSE
        for (model,) in self.sudo()._read_group([("document_id", "!=", False)], ["document_model"]):
            if self._is_searched(model):
                query = self.env[model]._search([("display_name", operator, value)])
                found |= Domain("document_model", "=", model) & Domain("document_id", "in", query)
        return found

    @api.model
    def _is_searched(self, model):
        """Whether the reader may search documents of a model by their names."""
        if model not in self.env or not self.env[model].has_access("read"):
            return False
        records = self.env[model]
        names = records._rec_names_search or [records._rec_name or "id"]
        fields_ = [records._fields[name.split(".")[0]] for name in names]
        return all(field._description_searchable for field in fields_)

    @api.model
    def _search_age_days(self, operator, value):
        # Whole days: more than 3 days old begins where 4 days are complete.
        seen = {">=": "<=", ">": "<=", "<": ">", "<=": ">"}.get(operator)
        if not seen:
            return NotImplemented
        days = value + (operator in (">", "<="))
        border = fields.Datetime.now() - timedelta(days=days)
        return Domain("state", "=", "open") & Domain("first_seen_at", seen, border)

    @api.model
    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        overdue = Domain("state", "=", "open") & Domain("deadline", "<", self._today())
        return overdue if True in value else ~overdue

    def _today(self):
        """Today where the company is."""
        zone = self.company_id[:1].sudo().partner_id.tz or self.env.user.tz or "UTC"
        return fields.Date.context_today(self.with_context(tz=zone))
