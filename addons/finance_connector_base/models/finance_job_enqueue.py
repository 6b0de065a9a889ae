"""Jobs are written here, in the transaction of what they are about."""

from functools import lru_cache, partial
from uuid import uuid4

from odoo import api, fields, models
from odoo.tools import SQL

from ..canonical import codec
from ..lanes.link import WAKE_CHANNEL
from .finance_audit_detail import about
from .finance_operation import CHANGING

_INSERTED = (
    "uuid", "operation", "effect", "calls", "connector_id", "workflow_id", "company_id",
    "user_id", "res_model", "res_id", "document_model", "document_id", "stream", "key",
    "request_digest", "request_sealed", "state", "priority", "due_at", "created_at", "trace_id",
    "attempts", "apply_attempts", "solo", "period",
)  # fmt: skip


# What the event of a new job says of it.
_TOLD = ("uuid", "operation", "key", "amount", "currency")


class FinanceJob(models.Model):
    _inherit = "finance.job"

    @api.model
    def _enqueue(
        self, records, operation, *, revision=0, connector=None, company=None, priority=10,
        due_at=None, trace_id=None,
    ):  # fmt: skip
        """Write one job a record of ``records`` and return them, in the records' order.

        For work that changes something at a vendor, the request is prepared now and stored sealed:
        what goes out is what was decided. ``revision`` (int, or a function of the record) makes
        the key of a second decision on the same record another one. An existing job of the same
        key and content is returned instead of a new one; other content raises UserError.
        """
        if not records:
            return self.browse()
        model = self.env["finance.operation"]._named(operation)
        workflow = lru_cache(partial(self._workflow_id, model))
        rows = [
            self._row(model, record, revision, connector, company, trace_id, workflow)
            for record in records
        ]
        for row in rows:
            row.update(priority=priority, due_at=due_at or row["created_at"])
        owners = self.env["finance.job.key"].sudo()._claim(rows)
        new = [row for row in rows if owners[row["connector_id"], row["key"]] == row["uuid"]]
        if model.cancels and new:
            new = self._cancel_pairs(model, new)
        ids = self._insert(new)
        uuids = [owners[row["connector_id"], row["key"]] for row in rows]
        older = set(uuids) - ids.keys()
        if older:
            keys = [row["key"] for row in rows]
            jobs = self.sudo().search([("key", "in", keys), ("uuid", "in", list(older))])
            ids |= {job.uuid: job.id for job in jobs}
        return self.browse([ids[uuid] for uuid in uuids if uuid in ids])

    def _workflow_id(self, model, connector, company):
        if not connector or not model.flow:
            return None
        return connector._workflow(company, model.flow).id or None

    def _row(self, model, record, revision, connector, company, trace_id, workflow):
        connector = connector or record.connector_id
        company = company or record.company_id
        effect = model.effect
        document = record._finance_document() if hasattr(record, "_finance_document") else record
        identity = record._finance_uuid() if hasattr(record, "_finance_uuid") else str(uuid4())
        number = revision(record) if callable(revision) else revision
        uuid = str(uuid4())
        request = model._prepare(record) if effect in CHANGING else None
        text = codec.dump(request) if request is not None else ""
        operation = model._name.removeprefix("finance.operation.")
        return {
            "uuid": uuid,
            "operation": operation,
            "effect": effect,
            "calls": effect != "local",
            "connector_id": connector.id if connector else 0,
            "workflow_id": workflow(connector, company),
            "company_id": company.id,
            "user_id": self.env.uid,
            "res_model": record._name,
            "res_id": record.id,
            "document_model": document._name,
            "document_id": document.id,
            "stream": f"{connector.id if connector else 0}:{identity}",
            "key": f"{identity}:{operation}:{number}",
            "request_digest": codec.digest(request) if request is not None else "",
            "request_sealed": self._seal(text, uuid, "request") if text else None,
            "state": "pending",
            "created_at": fields.Datetime.now(),
            "trace_id": trace_id or ("trace_id" in record and record.trace_id) or uuid4().hex,
            **(about(document.sudo()) if effect in CHANGING else {}),
            "attempts": 0,
            "apply_attempts": 0,
            "solo": False,
            **self._facts_of(document),
        }

    def _facts_of(self, document):
        """Return month, amount (decimal text) and currency (code) of a document as it is now."""
        facts = self.env["finance.exception"]._facts_of(document.sudo())
        currency = self.env["res.currency"].browse(facts["currency_id"])
        amount = facts["amount"] or 0
        return {
            "period": facts["period"] or f"{fields.Date.context_today(self):%Y-%m}",
            "amount": f"{amount:.{currency.decimal_places}f}" if currency else None,
            "currency": currency.name,
        }

    def _insert(self, rows):
        """Insert the jobs, note and wake; return {uuid: id}."""
        if not rows:
            return {}
        self.env.flush_all()
        inserted = self.env.cr.execute_values(
            f"INSERT INTO finance_job ({', '.join(_INSERTED)}) VALUES %s RETURNING uuid, id",
            [tuple(row[name] for name in _INSERTED) for row in rows],
            page_size=1000,
            fetch=True,
        )
        self.env["finance.audit.event"]._record_many(
            [
                {
                    "kind": "job.enqueued",
                    "res_model": row["document_model"],
                    "res_id": row["document_id"],
                    "connector_id": row["connector_id"] or None,
                    "company_id": row["company_id"],
                    "trace_id": row["trace_id"],
                    "data": {name: row[name] for name in _TOLD if row[name]},
                    "detail": row["detail"],
                    "salted": {"request_digest": row["request_digest"]},
                    "partner_id": row["partner_id"],
                }
                for row in rows
                if row["effect"] in CHANGING
            ]
        )
        self._wake()
        return dict(inserted)

    def _cancel_pairs(self, model, rows):
        """Cancel never-called jobs that ``rows`` would undo; return the rows still needed.

        A row is still needed when the vendor knows, or may know, of the record.
        """
        streams = [row["stream"] for row in rows]
        self.env.cr.execute(
            """
            UPDATE finance_job SET state = 'cancelled', done_at = now() AT TIME ZONE 'UTC'
             WHERE stream = ANY(%s) AND operation = ANY(%s) AND worker IS NULL
               AND state = 'pending' AND called_at IS NULL AND held_reason IS NULL
         RETURNING id
            """,
            [streams, list(model.cancels)],
        )
        cancelled = self.browse([row[0] for row in self.env.cr.fetchall()])
        self.invalidate_model()
        for job in cancelled:
            job._ended("cancelled")
        self.env.cr.execute(
            """
            SELECT DISTINCT stream FROM finance_job j
             WHERE stream = ANY(%(streams)s) AND operation = ANY(%(cancels)s)
               AND (called_at IS NOT NULL OR held_reason IS NOT NULL)
               AND NOT EXISTS (
                   SELECT FROM finance_job later
                    WHERE later.stream = j.stream AND later.id > j.id
                      AND later.operation = %(own)s AND later.state = 'done')
            """,
            {
                "streams": streams,
                "cancels": list(model.cancels),
                "own": model._name.removeprefix("finance.operation."),
            },
        )
        maybe_known = {row[0] for row in self.env.cr.fetchall()}
        needed = []
        for row in rows:
            record = self.env[row["res_model"]].browse(row["res_id"])
            if row["stream"] in maybe_known or model._vendor_knows(record):
                needed.append(row)
        skipped = [
            (row["connector_id"], row["key"], row["uuid"]) for row in rows if row not in needed
        ]
        self.env["finance.job.key"]._ended(skipped, "not needed")
        return needed

    def _wake(self):
        """Wake a lane when this transaction commits; once a transaction, however many jobs."""
        seen = self.env.cr.precommit.data
        if seen.get("finance_lane_woken"):
            return
        seen["finance_lane_woken"] = True
        self.env.cr.precommit.add(lambda: seen.pop("finance_lane_woken", None))
        self.env.cr.execute(SQL("SELECT pg_notify(%s, '')", WAKE_CHANNEL))
        lane = self.env.ref("finance_connector_base.cron_lane_1", raise_if_not_found=False)
        if lane:
            lane.sudo()._trigger()
