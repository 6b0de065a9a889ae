import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.finance_connector_base.actions import listing
from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.providers.errors import Rejected

from ..canonical.tax import RECORDED, TaxDocument, TaxReference, TaxResult
from .finance_tax_jurisdiction import KINDS
from .finance_tax_route import Route

STATES = [
    ("estimated", "Estimated"),
    ("posted", "Waiting to be recorded"),
    ("committed", "Recorded"),
    ("locked", "Recorded and filed"),
    ("refused", "Refused by the engine"),
    ("mismatch", "Differs from the engine"),
    ("fallback", "Fallback rate"),
    ("voiding", "Waiting to be voided"),
    ("voided", "Voided"),
    ("settled", "Settled, not recorded"),
    ("unrecorded", "Not recorded here"),
]
# States that decide nothing about a document: it was not posted with them, or is no longer.
UNDECIDED = ("estimated", "voiding", "voided")
RECORDERS = [
    ("engine", "The tax engine"),
    ("elsewhere", "Another platform"),
    ("odoo", "Odoo"),
]
# The engine and the books are at one: recorded, filed with a return, or taken back before both.
SETTLED = ("committed", "locked", "settled")
# AvaTax, the strictest so far, keeps codes of at most 50 characters.
CODE_LENGTH = 50


class FinanceTaxDocument(models.Model):
    """What a tax engine knows of an invoice or credit note: one row per document and connector.

    Jobs write here and never on the invoice. The engine's code of the document is frozen when it
    is first recorded and has the revision at its end from the second posting on: a code that was
    recorded or voided at the engine stays taken for good, so a document that is posted again after
    a reset is recorded under a new one.
    """

    _name = "finance.tax.document"
    _inherit = ["finance.job.mixin"]
    _description = "Tax Document"
    _order = "id desc"
    _rec_name = "document_code"

    move_id = fields.Many2one(
        "account.move", "Invoice", readonly=True, index="btree_not_null", ondelete="restrict"
    )
    connector_id = fields.Many2one(
        "finance.connector", "Engine", readonly=True, ondelete="restrict"
    )
    recorder = fields.Selection(
        RECORDERS,
        "Tax recorded by",
        required=True,
        default="engine",
        readonly=True,
        copy=False,
        help="Who declares the tax: the engine, another platform that has charged it, or Odoo alone,"
        " where the engine's recording is switched off.",
    )
    recorder_name = fields.Char("Recorded at", readonly=True, copy=False)
    route_id = fields.Many2one(
        "finance.tax.route", "Rule", readonly=True, copy=False, ondelete="set null"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    partner_id = fields.Many2one(
        "res.partner", "Customer", compute="_compute_partner_id", search="_search_partner_id"
    )
    state = fields.Selection(STATES, required=True, default="estimated", readonly=True, index=True)
    uuid = fields.Char(required=True, readonly=True, copy=False, default=lambda self: str(uuid4()))
    trace_id = fields.Char("Trace", readonly=True, copy=False, default=lambda self: uuid4().hex)
    document_code = fields.Char(
        "Code at the engine", readonly=True, copy=False, help="Frozen when first recorded."
    )
    engine_id = fields.Char(
        "Id at the engine", readonly=True, copy=False, help="What the engine calls it, last."
    )
    engine_code = fields.Char(
        readonly=True, copy=False, help="The code of the posting that the id is of."
    )
    revision = fields.Integer(readonly=True, copy=False, help="How often it was to be recorded.")
    recording = fields.Boolean(
        readonly=True, copy=False, help="The present revision was handed over, and not taken back."
    )
    content_hash = fields.Char(readonly=True, copy=False)
    applied_hash = fields.Char(readonly=True, copy=False)
    tried_hash = fields.Char(
        readonly=True, copy=False, help="Content that was asked about in vain when it was saved."
    )
    save_note = fields.Text(readonly=True, copy=False)
    request = fields.Text(readonly=True, copy=False, groups="base.group_system")
    result = fields.Text(readonly=True, copy=False, groups="base.group_system")
    destination = fields.Char(readonly=True, copy=False)
    source = fields.Selection(
        [
            ("engine", "Calculated by the engine"),
            ("original", "As on the original invoice"),
            ("fallback", "Taxes of the lines"),
            ("last_rates", "Last known rates"),
            ("fallback_engine", "Calculated by the fallback engine"),
        ],
        readonly=True,
        copy=False,
    )
    fallback_connector_id = fields.Many2one(
        "finance.connector", "Fallback engine", readonly=True, copy=False, ondelete="restrict"
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    amount_tax = fields.Monetary("Tax", readonly=True, copy=False)
    amount_taxable = fields.Monetary("Taxable", readonly=True, copy=False)
    amount_exempt = fields.Monetary("Exempt", readonly=True, copy=False)
    messages = fields.Text("Remarks of the engine", readonly=True, copy=False)
    computed_at = fields.Datetime("Last computed", readonly=True, copy=False)
    committed_at = fields.Datetime("Recorded on", readonly=True, copy=False)
    voided_at = fields.Datetime("Voided on", readonly=True, copy=False)
    declared_on = fields.Date(
        "Dated at the engine",
        readonly=True,
        copy=False,
        help="Where it is not the document's own date: in a period that was still open.",
    )
    line_ids = fields.One2many("finance.tax.document.line", "document_id", readonly=True)

    _move_connector_unique = models.Constraint(
        "UNIQUE (move_id, connector_id)", "A document has one state per tax engine."
    )
    _one_owner = models.Constraint(
        "CHECK (move_id IS NOT NULL)", "A tax document belongs to one document."
    )
    _engine_or_elsewhere = models.Constraint(
        "CHECK ((recorder = 'elsewhere') = (connector_id IS NULL))",
        "What is recorded elsewhere has no engine here.",
    )
    _one_recorder = models.UniqueIndex(
        "(move_id) WHERE recording OR recorder = 'elsewhere'",
        "The tax of a document is recorded in one place.",
    )
    _uuid_unique = models.Constraint("UNIQUE (uuid)", "An identity is used once.")
    _destination_index = models.Index("(connector_id, destination, id) WHERE result IS NOT NULL")

    @api.depends("move_id", "connector_id", "recorder_name")
    def _compute_display_name(self):
        for document in self:
            owner = document._finance_document()
            engine = document.connector_id.sudo().name or document.recorder_name
            document.display_name = f"{owner.display_name}, {engine}"

    @api.depends("move_id.commercial_partner_id")
    def _compute_partner_id(self):
        for document in self:
            document.partner_id = document._finance_document()._finance_tax_customer()

    @api.model
    def _search_partner_id(self, operator, value):
        return [("move_id.commercial_partner_id", operator, value)]

    def _finance_document(self):
        """Return the invoice, or what else was taxed."""
        return self.move_id

    # === WHOSE IT IS === #

    def _route(self, reason, record=None):
        """Return the `Route` of what goes with this document."""
        if self.recorder == "elsewhere":
            return Route(
                "elsewhere", self.env["finance.workflow"], reason, record, self.recorder_name
            )
        workflow = self.env["finance.tax.route"]._workflow_of(self.company_id, self.connector_id)
        return Route("engine", workflow, reason, record, self.connector_id.sudo().name)

    def _recorder_words(self):
        """Return what the recorder is called."""
        if self.recorder == "engine":
            return self.connector_id.sudo().name
        return self.recorder_name if self.recorder == "elsewhere" else "Odoo"

    # === WHAT WAS ASKED AND ANSWERED === #

    def _result(self):
        """Return the engine's `TaxResult`, None when there is none."""
        text = self.sudo().result
        return codec.load(TaxResult, text) if text else None

    def _request(self):
        """Return the `TaxDocument` that ``result`` answers, None when there is none."""
        text = self.sudo().request
        return codec.load(TaxDocument, text) if text else None

    def _estimated(self, *facts):
        """Keep what the engine said about a draft, and that the draft now carries it.

        facts: as `_estimate_values` takes them.
        """
        self.ensure_one()
        values = self._estimate_values(*facts)
        values["line_ids"].insert(0, (5, 0, 0))
        self.sudo().write(values | {"currency_id": self._finance_document().currency_id.id})

    def _estimate_values(self, content_hash, request, result, source, applied):
        """Return the values of a tax document whose draft carries what the engine said."""
        return {
            "state": "estimated",
            "content_hash": content_hash,
            "applied_hash": applied,
            "tried_hash": False,
            "save_note": False,
            "request": codec.dump(request),
            "result": codec.dump(result),
            "destination": codec.digest(request.ship_to),
            "source": source,
            "fallback_connector_id": False,
            "declared_on": False,
            "amount_tax": float(result.total_tax),
            "amount_taxable": float(result.total_taxable),
            "amount_exempt": float(result.total_exempt),
            "messages": "\n".join(result.messages),
            "computed_at": fields.Datetime.now(),
            "line_ids": [(0, 0, row) for row in self._rows(result)],
        }

    def _fell_back(self, source="fallback", result=None, connector=None):
        """Keep that a draft is posted without the engine's amounts.

        source: where its tax comes from. result, connector: what a fallback engine said, and which.
        """
        self.sudo().write(
            {
                "state": "fallback",
                "content_hash": False,
                "applied_hash": False,
                "request": False,
                "result": False,
                "source": source,
                "fallback_connector_id": connector.id if connector else False,
                "declared_on": False,
                "currency_id": self.move_id.currency_id.id,
                "amount_tax": self.move_id.amount_tax,
                "amount_taxable": float(result.total_taxable) if result else 0.0,
                "amount_exempt": float(result.total_exempt) if result else 0.0,
                "messages": "\n".join(result.messages) if result else False,
                "computed_at": fields.Datetime.now() if result else False,
                "line_ids": [(5, 0, 0)]
                + [(0, 0, row) for row in (self._rows(result) if result else ())],
            }
        )

    def _source_words(self):
        """Return where the tax comes from, in the reader's words; "" when nothing is known."""
        label = dict(self._fields["source"]._description_selection(self.env)).get(self.source, "")
        engine = self.fallback_connector_id.sudo().name
        return f"{label}: {engine}" if engine else label

    def _rows(self, result):
        """Return the values of the rows to show: one per authority and rate."""
        rows = {}
        for tax in result.taxes:
            row = rows.setdefault(
                tax.key,
                {
                    "kind": tax.kind,
                    "name": tax.name,
                    "code": tax.code,
                    "region": tax.region,
                    "rate": float(tax.rate * 100),
                    "taxable": Decimal(0),
                    "exempt": Decimal(0),
                    "amount": Decimal(0),
                },
            )
            row["taxable"] += tax.taxable
            row["exempt"] += tax.exempt
            row["amount"] += tax.amount
        for row in rows.values():
            row.update({name: float(row[name]) for name in ("taxable", "exempt", "amount")})
        return list(rows.values())

    # === POSTED: TO BE RECORDED === #

    def _post(self):
        """The documents are posted with the engine's amounts: record them after the commit."""
        for document in self.sudo():
            document.write(
                {
                    "state": "posted",
                    "recorder": "engine",
                    "recording": True,
                    "revision": document.revision + 1,
                    "document_code": document.document_code or document._first_code(),
                    "committed_at": False,
                    "voided_at": False,
                }
            )
        return self._enqueue("tax.commit", revision=lambda document: document.revision)

    def _post_unrecorded(self):
        """The documents are posted with the engine's amounts, which it is not told to record."""
        self.sudo().write({"state": "unrecorded", "recorder": "odoo"})

    def _first_code(self):
        # room for "-", eight digits of the identity, and "-" with a revision
        return f"{(self.move_id.name or '')[: CODE_LENGTH - 14]}-{self.uuid[:8]}"

    def _code(self):
        """Return the engine's code of the present revision."""
        code, revision = self.document_code, self.revision
        return code if revision <= 1 else f"{code}-{revision}"

    def _request_to_record(self):
        """Return the `TaxDocument` to record: what was quoted, with names and code."""
        self.ensure_one()
        move, asked, result = self.move_id, self._request(), self._result()
        names = {
            number: line.name or "" for number, line in move._finance_tax_numbered_lines().items()
        }
        rate = move.invoice_currency_rate
        foreign = move.currency_id != move.company_id.currency_id
        original = self._original()
        return replace(
            asked,
            code=self._code(),
            reference=move.ref or "",
            exchange_rate=Decimal(str(round(1 / rate, 9))) if foreign and rate else None,
            original_code=original._code() if original.document_code else "",
            # only a quote of this very document can be recorded
            quote_id=result.engine_id or None if self.source == "engine" else None,
            booked=result.taxes,
            lines=tuple(
                replace(line, description=names.get(line.number, "")) for line in asked.lines
            ),
        )

    def _engine_id_of(self, code):
        """Return what the engine called the posting recorded under ``code``, "" when not known."""
        return self.engine_id or "" if self.engine_code == code else ""

    def _with_original_id(self, request):
        """Return a `TaxDocument` to record with the engine's id of what it takes back."""
        if not request.original_code:
            return request
        original_id = self._original()._engine_id_of(request.original_code)
        return replace(request, original_id=original_id or None)

    def _original(self):
        """Return what the same engine has of the invoice that a credit note takes back, or none."""
        originals = self.move_id._finance_tax_original_move().finance_tax_document_ids
        return originals.filtered(lambda document: document.connector_id == self.connector_id)

    def _reference(self):
        """Return the `TaxReference` of the present revision."""
        self.ensure_one()
        request = self._request()
        return TaxReference(request.kind, request.seller, self._code())

    def _recorded(self, result):
        """The engine has recorded a posting: compare it with the books."""
        self.ensure_one()
        self.env["finance.external.ref"].sudo()._set(
            self.connector_id, self.move_id, "transaction", result.engine_id or result.code
        )
        self.sudo().write({"engine_id": result.engine_id, "engine_code": result.code})
        currency = self.currency_id.name
        self._audit("tax.recorded", code=result.code, tax=result.total_tax, currency=currency)
        if result.code != self._code():
            # an earlier posting, whose void waits behind this job
            return
        values = {"committed_at": fields.Datetime.now()}
        if self.state not in ("posted", "refused"):
            self.sudo().write(values)
            return
        booked = self._result()
        agrees = result.by_key() == booked.by_key() and result.status == RECORDED
        self.sudo().write(values | {"state": "committed" if agrees else "mismatch"})
        if not agrees:
            self._raise_mismatch(
                result.total_tax,
                booked.total_tax,
                result if result.status == RECORDED else None,
            )

    def _recording_failed(self, error):
        """Word the end of a recording for the accountant; see `finance.operation._failed`."""
        if not isinstance(error, Rejected):
            return None
        if self.state == "posted":
            self.sudo().state = "refused"
        return "tax.rejected", {
            "params": {"message": error.message, "code": error.code},
            "amount": float(self.amount_tax),
            "currency": self.currency_id,
        }

    # === TAKEN BACK === #

    def _withdraw(self):
        """The documents leave the posted state: make void what the engine has, or may have."""
        self = self.sudo()
        elsewhere = self.filtered(lambda document: document.recorder == "elsewhere")
        # posted again, the rules decide again; what came from a platform stays recorded there
        elsewhere.filtered("route_id").unlink()
        self -= elsewhere
        self._cancel_refused()
        sent = self.filtered("recording")
        sent.write({"recording": False})
        jobs = sent._enqueue("tax.void", revision=lambda document: document.revision)
        voiding = self.browse(jobs.mapped("res_id"))
        voiding.write({"state": "voiding"})
        # posted again unchanged, they carry the engine's amounts still; or another one decides
        drafts = (self - voiding).filtered(lambda row: row.result or row.state == "fallback")
        drafts.write({"state": "estimated"})
        for document in self:
            document._resolve("tax.fallback", "tax.mismatch", "tax.rejected", note="tax.withdrawn")

    def _cancel_refused(self):
        """End recordings that the engine has refused: they stand in the way of what follows."""
        jobs = self.env["finance.job"]._unfinished(self)
        jobs.filtered(
            lambda job: job.state == "dead" and job.error_class == "Rejected"
        ).action_cancel()

    def _voided(self, result):
        """The engine has made a posting void, or never had it."""
        self.ensure_one()
        self._audit("tax.voided", code=result.code, status=result.status)
        if result.code != self._code():
            # posted again in the meantime, under another code
            return
        values = {"voided_at": fields.Datetime.now(), "committed_at": False}
        if self.state == "voiding":
            values["state"] = "voided"
        self.sudo().write(values)

    def _voiding_failed(self, error):
        """Word the end of a void for the accountant; see `finance.operation._failed`."""
        if not isinstance(error, Rejected):
            return None
        return "tax.void_rejected", {
            "params": {"message": error.message, "code": error.code},
            "amount": float(self.amount_tax),
            "currency": self.currency_id,
        }

    def _done_by_hand(self, operation, day):
        """A person has recorded or voided the posting at the engine on ``day`` (a date)."""
        for document in self.sudo():
            if operation != "tax.void" and document.state in ("posted", "refused"):
                document.write({"state": "committed", "committed_at": day})
            if operation == "tax.void" and document.state == "voiding":
                document.write({"state": "voided", "voided_at": day, "committed_at": False})

    # === EXCEPTIONS === #

    def _raise_mismatch(self, engine, booked, result=None):
        """Say that books and engine differ; amounts as Decimal in the document's currency.

        result: what the engine has or says by authority, None where it does not count.
        """
        if result:
            self.env["finance.tax.true.up"]._insisted(self, result)
        self.env["finance.exception"].sudo()._raise(
            "tax.mismatch",
            record=self,
            document=self.move_id,
            connector=self.connector_id,
            company=self.company_id,
            params={"engine": str(engine), "booked": str(booked)},
            amount=float(abs(engine - booked)),
            currency=self.currency_id,
        )

    def _raise_fallback(self, reason):
        """Say that an invoice was posted without the engine; ``reason`` in words."""
        self.env["finance.exception"].sudo()._raise(
            "tax.fallback",
            record=self,
            document=self.move_id,
            connector=self.connector_id,
            company=self.company_id,
            params={"message": reason.rstrip(".")},
            amount=self.move_id.amount_tax,
            currency=self.currency_id,
        )

    def _resolve(self, *codes, note):
        for code in codes:
            self.env["finance.exception"].sudo()._resolve(
                code=code,
                document=self._finance_document(),
                connector=self.connector_id,
                note=note,
            )

    def _audit(self, kind, **data):
        self.env["finance.audit.event"].sudo()._record(
            kind,
            self._finance_document(),
            connector=self.connector_id,
            company=self.company_id,
            trace_id=self.trace_id,
            data=data,
        )

    # === BUTTONS === #

    def action_open_move(self):
        """Open what was taxed."""
        self.ensure_one()
        return self._finance_document().get_formview_action()

    def action_open_jobs(self):
        """List the jobs of the document."""
        self.ensure_one()
        return listing(
            self.env._("Jobs"),
            "finance.job",
            [("res_model", "=", self._name), ("res_id", "=", self.id)],
        )

    def action_open_exchanges(self):
        """List what was exchanged with the engine about the document."""
        self.ensure_one()
        return listing(
            self.env._("Exchanges"), "finance.exchange", [("trace_id", "=", self.trace_id)]
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_recorded(self):
        recorded = self.filtered("recording")
        if recorded:
            raise UserError(
                self.env._(
                    "The tax engine has recorded %(documents)s. Reset it to draft and wait until"
                    " it is voided there, then delete.",
                    documents=", ".join(d._finance_document().display_name for d in recorded),
                )
            )


class FinanceTaxDocumentLine(models.Model):
    """The tax of one authority on one document, for people to read."""

    _name = "finance.tax.document.line"
    _description = "Tax by Jurisdiction"
    _order = "document_id, id"

    document_id = fields.Many2one(
        "finance.tax.document", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="document_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="document_id.currency_id")
    kind = fields.Selection(KINDS, readonly=True)
    name = fields.Char("Authority", readonly=True)
    code = fields.Char(readonly=True)
    region = fields.Char("State", readonly=True)
    rate = fields.Float("Rate (%)", digits=(16, 4), readonly=True, aggregator=None)
    taxable = fields.Monetary(readonly=True)
    exempt = fields.Monetary("Not taxed", readonly=True)
    amount = fields.Monetary("Tax", readonly=True)


def applied_hash(rows):
    """Return the digest of what lines carry: rows of (number, tax ids, extra_tax_data)."""
    text = json.dumps(rows, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
