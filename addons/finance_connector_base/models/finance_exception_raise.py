"""Raising an exception: what it is about, whether it is known already, who is to look at it."""

import hashlib
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..canonical.codec import dump
from ..providers.masking import mask_json

# What comes back later than this is a new story with an age, an owner and a period of its own.
REOPEN_DAYS = 30
# Where a document says these things, first field that it has wins.
DATE_FIELDS = ("invoice_date", "date", "date_order")
PERIOD_FIELDS = ("date", "invoice_date", "date_order")
AMOUNT_FIELDS = ("amount_total", "amount")
PARTNER_FIELDS = ("commercial_partner_id", "partner_id")
FINGERPRINTED = [
    "code",
    "params",
    "company_id",
    "connector_id",
    "document_model",
    "document_id",
    "job_key",
]
# What the newest occurrence says better than the first.
RENEWED = (
    "params",
    "severity",
    "kind",
    "question",
    "blocks_close",
    "job_id",
    "trace_id",
    "partner_id",
    "document_date",
    "period",
    "amount",
    "currency_id",
)


class FinanceException(models.Model):
    _inherit = "finance.exception"

    @api.model
    def _raise(
        self,
        code,
        *,
        record=None,
        document=None,
        job=None,
        connector=None,
        company=None,
        params=None,
        amount=None,
        currency=None,
        severity=None,
    ):
        """Say that a person must look at something; return the exception.

        The same thing said again is counted on the same row; one that was closed is opened again.
        record: what the work was about; document: what people know it by, by default
        ``record._finance_document()``. job: fills everything that is not given. params: plain
        values for the texts (masked before they are stored). amount: by default the document's,
        in ``currency``. A concurrent raise of the same thing ends in a SerializationFailure of
        the later transaction, which Odoo and the lanes repeat.
        """
        this = self.sudo()
        kind = this._kind_of(code)
        values = this._values_of(record, document, job, connector, company)
        values |= {
            "code": code,
            "params": mask_json(_plain(params or {})),
            "kind": kind.kind,
            "severity": severity or kind.severity,
            "question": kind.question,
            "blocks_close": kind.blocks_close,
        }
        if amount is not None:
            values |= {"amount": amount, "currency_id": currency.id if currency else None}
        values["fingerprint"] = _fingerprint(values, kind)
        exception = this._latest(values["fingerprint"])
        if not exception:
            exception = this._insert(values)
        elif exception.state == "open" or exception._is_quiet():
            exception._count(values)
        else:
            exception._reopen(values)
        if job and kind.scope == "document":
            exception._supersede()
        return exception.with_env(self.env)

    def _values_of(self, record, document, job, connector, company):
        """The columns that say where it happened."""
        if job:
            connector = connector or job.connector_id
            company = company or job.company_id
            if record is None and job.res_model in self.env:
                record = job.record
        if document is None and record:
            own = getattr(record, "_finance_document", None)
            document = own() if own else record
        if document and document._name == "finance.connector":
            # It concerns all that the connector serves, not the first of them.
            company = None
        place = (document._name, document.id) if document else (None, None)
        if job and not document and job.document_id:
            place = (job.document_model, job.document_id)
        facts = self._facts_of(document.sudo()) if document else {}
        company_id = company.id if company else facts.get("company_id")
        return facts | {
            "company_id": company_id or self._company_of(connector),
            "connector_id": connector.id if connector else None,
            "job_id": job.id if job else None,
            "job_key": job.key if job else None,
            "trace_id": job.trace_id if job else self._trace_of(record),
            "document_model": place[0],
            "document_id": place[1],
        }

    def _facts_of(self, document):
        """What a document says of itself: partner, dates, amount, currency and company."""

        def first(names):
            found = (document[name] for name in names if name in document._fields)
            return next((value for value in found if value), None)

        is_partner = document._name == "res.partner"
        partner = document.commercial_partner_id if is_partner else first(PARTNER_FIELDS)
        period = first(PERIOD_FIELDS)
        currency = first(("currency_id",)) if "amount_total" in document._fields else None
        return {
            "company_id": getattr(first(("company_id",)), "id", None),
            "partner_id": getattr(partner, "id", None),
            "document_date": first(DATE_FIELDS),
            "period": period.strftime("%Y-%m") if period else None,
            "amount": first(AMOUNT_FIELDS) if currency else None,
            "currency_id": currency.id if currency else None,
        }

    def _company_of(self, connector):
        """The company of what concerns a connector as a whole; None where it serves several."""
        if not connector:
            return self.env.company.id
        companies = connector.sudo().company_ids
        return companies.id if len(companies) == 1 else None

    @api.model
    def _trace_of(self, record):
        return record.trace_id or None if record and "trace_id" in record._fields else None

    def _latest(self, fingerprint):
        """The open exception with this fingerprint, else one that was closed not long ago."""
        border = fields.Datetime.now() - timedelta(days=REOPEN_DAYS)
        recent = Domain("state", "=", "open") | Domain("closed_at", ">", border)
        found = self.search(Domain("fingerprint", "=", fingerprint) & recent)
        latest = found.filtered(lambda row: row.state == "open") or found.sorted("id")[-1:]
        # Whoever counts on the same row at the same time waits or is repeated, and quietly so.
        self.env.cr.execute(
            SQL("SELECT FROM finance_exception WHERE id = ANY(%s) FOR NO KEY UPDATE", latest.ids),
            log_exceptions=False,
        )
        return latest

    def _is_quiet(self):
        quiet = self.state == "ignored" and self.quiet_until
        return bool(quiet and self._today() < self.quiet_until)

    def _insert(self, values):
        """Add a row, or count on the one that another transaction has just added."""
        now = fields.Datetime.now()
        values = values | {
            "state": "open",
            "occurrences": 1,
            "first_seen_at": now,
            "last_seen_at": now,
            "create_uid": self.env.uid,
            "create_date": now,
            "write_uid": self.env.uid,
            "write_date": now,
        }
        values["params"] = dump(values["params"])
        self.flush_model(["fingerprint", "state"])
        # A conflict with another transaction is no error: ours is repeated.
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO finance_exception AS row (%s) VALUES %s
                ON CONFLICT (fingerprint) WHERE state = 'open' DO UPDATE
                SET occurrences = row.occurrences + 1, last_seen_at = EXCLUDED.last_seen_at
                RETURNING id, xmax = 0
                """,
                SQL(", ").join(SQL.identifier(name) for name in values),
                tuple(values.values()),
            ),
            log_exceptions=False,
        )
        exception_id, is_new = self.env.cr.fetchone()
        exception = self.browse(exception_id)
        exception.invalidate_recordset()
        if is_new:
            exception._opened("exception.opened")
        return exception

    def _count(self, values):
        """The same again: newest facts, same owner and deadline."""
        self.write(_newest(values) | {"occurrences": self.occurrences + 1})

    def _reopen(self, values):
        """It came back after it was closed."""
        now = fields.Datetime.now()
        self.write(
            _newest(values)
            | {
                "occurrences": self.occurrences + 1,
                "state": "open",
                "first_seen_at": now,
                "closed_at": False,
                "closed_by_id": False,
                "close_reason": False,
                "quiet_until": False,
                "deadline": False,
            }
        )
        self._opened("exception.reopened")

    def _supersede(self):
        """What was said before of the same job no longer holds; of its connector, it does."""
        shared = [code for code, kind in self._catalog().items() if kind.scope == "connector"]
        same_job = Domain("job_id", "=", self.job_id.id) & Domain("state", "=", "open")
        same_job &= Domain("code", "not in", shared)
        (self.search(same_job) - self)._close("resolved", "superseded")

    def _opened(self, event):
        self._assign_by_rule()
        self._note(event)

    # === MERGED RECORDS === #

    @api.model
    def _move_document(self, model, old_ids, new_id):
        """Documents were merged into another: their exceptions follow and merge too."""
        this = self.sudo()
        moved = this.search([("document_model", "=", model), ("document_id", "in", old_ids)])
        catalog = this._catalog()
        for exception in moved.sorted("id"):
            columns = exception.read(FINGERPRINTED, load=None)[0]
            columns["document_id"] = new_id
            kind = exception._kind_of(exception.code, catalog)
            fingerprint = _fingerprint(columns, kind)
            twin = this._latest(fingerprint) - exception
            if twin.state == "open" and exception.state == "open":
                twin.occurrences += exception.occurrences
                exception._close("resolved", "merged")
            exception.write({"document_id": new_id, "fingerprint": fingerprint})


def _newest(values):
    fresh = {name: values[name] for name in RENEWED if values.get(name) not in (None, "")}
    return fresh | {"last_seen_at": fields.Datetime.now()}


def _plain(params):
    """Parameters as they are stored: text and whole numbers."""
    return {
        name: value if isinstance(value, (int, str, type(None))) else str(value)
        for name, value in params.items()
    }


def _fingerprint(values, kind):
    """The SHA-256 of what makes two occurrences the same thing."""
    parts = [values["code"], values["connector_id"], values["company_id"]]
    if kind.scope == "document":
        parts += [values["document_model"], values["document_id"], values["job_key"]]
    parts += [(values["params"] or {}).get(name) for name in kind.identity]
    text = "|".join("" if part in (None, False) else str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()
