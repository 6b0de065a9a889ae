"""Chooses what to export as evidence; the zip itself is made while it is downloaded."""

from datetime import timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..evidence.package import write_package
from ..evidence.rows import Event, text_of
from ..evidence.sealing import EVENT_COLUMNS, SEAL_COLUMNS, seal_of
from ..vault import SealBroken, VaultLocked

MOST_EVENTS = 300_000
AT_ONCE = 1000

_EVENTS = f"SELECT {EVENT_COLUMNS} FROM finance_audit_event WHERE id = ANY(%s) ORDER BY id"
_SEAL = f"SELECT {SEAL_COLUMNS} FROM finance_audit_seal WHERE sequence = %s"
_DETAILS = """
    SELECT event_id, uuid, content_sealed, erased_at, erased_basis
      FROM finance_audit_detail WHERE event_id = ANY(%s) ORDER BY event_id, id
"""


class FinanceAuditExport(models.TransientModel):
    """Evidence of a period, a document or a trace, for somebody outside of Odoo."""

    _name = "finance.audit.export"
    _description = "Export Evidence"

    scope = fields.Selection(
        [("period", "A period"), ("document", "A document"), ("trace", "A trace")],
        default="period",
        required=True,
    )
    date_from = fields.Date("From", default=lambda self: self._month()[0])
    date_to = fields.Date("To", default=lambda self: self._month()[1])
    document = fields.Reference(selection="_document_models")
    trace_id = fields.Char("Trace")
    company_ids = fields.Many2many(
        "res.company",
        string="Companies",
        default=lambda self: self.env.companies,
        required=True,
        domain=lambda self: [("id", "in", self.env.user.company_ids.ids)],
        help="Events of no company come along.",
    )

    @api.model
    def _month(self):
        first = fields.Date.context_today(self).replace(day=1)
        return (first - timedelta(days=1)).replace(day=1), first - timedelta(days=1)

    @api.model
    def _document_models(self):
        """Records whose traces are known, and connectors, as far as the reader may read them."""
        names = [
            name
            for name, model in self.env.registry.items()
            if hasattr(model, "_finance_traces") and not (model._abstract or model._transient)
        ]
        known = self.env["ir.model"].sudo().search([("model", "in", [*names, "finance.connector"])])
        return [
            (model.model, model.name)
            for model in known.sorted("name")
            if self.env[model.model].has_access("read")
        ]

    @api.constrains("scope", "date_from", "date_to", "document", "trace_id")
    def _check_scope(self):
        needed = {
            "period": lambda row: row.date_from and row.date_to and row.date_from <= row.date_to,
            "document": lambda row: row.document,
            "trace": lambda row: row.trace_id,
        }
        for wizard in self:
            if not needed[wizard.scope](wizard):
                raise ValidationError(
                    self.env._("Say for which period, which document or which trace.")
                )

    def action_export(self):
        """Seal what has happened up to now, and download the export."""
        self.ensure_one()
        seals = self.env["finance.audit.seal"]
        seals._check_may_verify("evidence.export")
        events = self._of_companies()["finance.audit.event"]
        count = events.search_count(self._domain(), limit=MOST_EVENTS + 1)
        if not count:
            raise UserError(self.env._("Nothing happened there: there is no event to export."))
        if count > MOST_EVENTS:
            raise UserError(
                self.env._(
                    "These are more than %(most)s events. Choose a shorter period.",
                    most=MOST_EVENTS,
                )
            )
        seals.sudo()._seal_before_export()
        # Another request: this transaction doesn't see what was sealed just now.
        return {
            "type": "ir.actions.act_url",
            "url": f"/finance/evidence/{self.id}",
            "target": "self",
        }

    # === WHAT IS EXPORTED === #

    def _of_companies(self):
        """The environment in which only the chosen companies are seen."""
        return self.with_context(allowed_company_ids=self.company_ids.ids).env

    def _domain(self):
        if self.scope == "trace":
            return Domain("trace_id", "=", self.trace_id)
        if self.scope == "document":
            return self._domain_of_document()
        zone = pytz.timezone(self.env.user.tz or "UTC")
        start, end = (
            zone.localize(fields.Datetime.to_datetime(day))
            .astimezone(pytz.utc)
            .replace(tzinfo=None)
            for day in (self.date_from, self.date_to + timedelta(days=1))
        )
        return Domain("at", ">=", start) & Domain("at", "<", end)

    def _domain_of_document(self):
        """Events of the document itself and of all traces that it is part of."""
        document = self.document
        place = Domain("res_model", "=", document._name) & Domain("res_id", "=", document.id)
        traces = document._finance_traces() if hasattr(document, "_finance_traces") else []
        return place | Domain("trace_id", "in", traces)

    def _words(self):
        """What was chosen, for the manifest; in English, as the rest of the export."""
        if self.scope == "trace":
            return f"trace {self.trace_id}"
        if self.scope == "document":
            return f"document {self.document._name} {self.document.id}"
        return f"period {self.date_from} to {self.date_to} ({self.env.user.tz or 'UTC'})"

    def _file_name(self):
        return f"evidence-{fields.Date.context_today(self)}-{self.id}.zip"

    def _write(self, path):
        """Write the export to ``path``; it is an event of its own. Raises `VaultLocked`."""
        seals = self.env["finance.audit.seal"]
        seals._check_may_verify("evidence.export")
        events = self._of_companies()["finance.audit.event"]
        ids = events.search(self._domain(), order="id").ids
        newest = seals.sudo().search([], limit=1)
        facts = {
            "product": "Finance Connect",
            "made_at": text_of(fields.Datetime.now()),
            "made_by": {"login": self.env.user.login, "user": self.env.uid},
            "database": self.env["ir.config_parameter"].sudo().get_param("database.uuid"),
            "companies": self.company_ids.mapped("name"),
            "selection": self._words(),
            "newest_seal": {"sequence": newest.sequence, "hash": newest.hash or None},
        }
        write_package(
            path,
            facts=facts,
            events=self._events(ids),
            seal_of=self._seal_of,
            details=self._details(ids),
            signers=seals._signers(),
        )
        self.env["finance.audit.event"]._record(
            "evidence.exported", data={"selection": self._words(), "events": len(ids)}
        )

    def _events(self, ids):
        for chunk in _chunks(ids):
            yield from (Event(*row) for row in self._rows(_EVENTS, chunk))

    def _seal_of(self, sequence):
        rows = self._rows(_SEAL, sequence)
        return seal_of(rows[0]) if rows else None

    def _rows(self, query, value):
        self.env.cr.execute(query, [value])
        return self.env.cr.fetchall()

    def _details(self, ids):
        """Details of events that the reader may read, opened; of erased ones that they were."""
        vault = self.env["finance.vault"]._vault()
        for chunk in _chunks(ids):
            for event_id, uuid, sealed, erased_at, basis in self._rows(_DETAILS, chunk):
                if sealed is not None:
                    yield {"event": event_id} | self._opened(vault, uuid, sealed)
                elif erased_at:
                    erased = {"erased_at": text_of(erased_at), "basis": basis}
                    yield {"event": event_id} | erased

    def _opened(self, vault, uuid, sealed):
        """The text of a detail; nothing when its key is gone or it doesn't open."""
        try:
            text = vault.open(bytes(sealed), "finance.audit.detail", uuid, "content")
        except (VaultLocked, SealBroken):
            return {}
        return {"text": text.decode()}


def _chunks(ids):
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
