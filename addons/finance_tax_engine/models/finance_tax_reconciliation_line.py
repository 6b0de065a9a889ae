"""One document of a reconciliation, and the totals of a month."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.finance_connector_base.fields import WeakMany2one

from ..canonical.tax import RECORDED, TaxReference
from ..reconciliation.compare import DIFFERENCE, ORDER, PENDING
from .finance_tax_document import STATES
from .finance_tax_recorded import KINDS

INVOICING = "account.group_account_invoice"
CONTROLLER = "finance_connector_base.group_controller"

BUCKETS = [
    ("matched", "Matched"),
    ("only_here", "Only here"),
    ("only_there", "Only there"),
    ("amount", "Amount differs"),
    ("status", "Status differs"),
    ("date", "Date differs"),
    ("unknown", "Can't be asked"),
    ("cutoff", "Declared in another month"),
    ("void", "Void on both sides"),
]
REASONS = [
    ("waiting", "waiting to be recorded"),
    ("stopped", "recording has stopped"),
    ("refused", "refused by the engine"),
    ("mismatch", "posted with another tax than the engine's"),
    ("fallback", "posted with the fallback rate"),
    ("unasked", "the engine was never asked"),
    ("lost", "was recorded, but the engine has it no more"),
    ("state", "in a state that is not known"),
    ("elsewhere", "recorded elsewhere"),
    ("settled", "taken back before it was recorded"),
    ("before", "posted before the engine served"),
    ("off", "recording is switched off"),
    ("moving", "changed while the engine was asked"),
    ("orphan", "not in the books"),
    ("draft", "recorded there, not posted here"),
    ("earlier", "an earlier posting is still recorded"),
    ("voiding", "waiting to be voided"),
    ("voided", "void there, posted here"),
    ("saved", "kept there, but not for the return"),
    ("unexpected", "recorded there, though it belongs elsewhere"),
    ("currency", "another currency"),
    ("tax", "another tax"),
    ("jurisdiction", "same tax, other jurisdictions"),
    ("net", "another amount before tax"),
    ("day", "another document date"),
    ("period", "recorded with a date in another month"),
    ("booked", "booked in this month, dated in another"),
    ("unanswered", "the engine does not know it by this code"),
]


class FinanceTaxReconciliationLine(models.Model):
    """A document on both sides, as the last run found it; credit notes are positive too."""

    _name = "finance.tax.reconciliation.line"
    _inherit = ["finance.job.mixin", "finance.weak.mixin"]
    _description = "Document in a Tax Reconciliation"
    _log_access = False
    _order = "reconciliation_id desc, standing, day, key"
    _rec_name = "key"

    reconciliation_id = fields.Many2one(
        "finance.tax.reconciliation", "Month", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    connector_id = fields.Many2one(related="reconciliation_id.connector_id")
    trace_id = fields.Char(related="reconciliation_id.trace_id")
    run = fields.Integer(readonly=True)
    kind = fields.Selection(KINDS, "Type", required=True, readonly=True)
    key = fields.Char(required=True, readonly=True)
    code = fields.Char("Code at the Engine", readonly=True)
    day = fields.Date(readonly=True, help="Document date.")

    bucket = fields.Selection(BUCKETS, "Result", readonly=True)
    reason = fields.Selection(REASONS, "Why", readonly=True)
    standing = fields.Selection(
        [(DIFFERENCE, "To decide"), (PENDING, "On the way"), (ORDER, "In order")], readonly=True
    )
    gap = fields.Monetary("Difference", readonly=True, help="Tax at the engine less tax here.")
    currency_id = fields.Many2one("res.currency", readonly=True)
    cutoff = fields.Boolean(
        "Other Month", readonly=True, help="Document date and accounting date: different months."
    )
    fact = fields.Char(readonly=True)
    explained = fields.Boolean(readonly=True)
    explained_fact = fields.Char(readonly=True)
    exception_id = WeakMany2one(
        "finance.exception", "Exception", readonly=True, index="btree_not_null"
    )
    explanation = fields.Text(related="exception_id.ending")

    # === HERE === #
    document_id = WeakMany2one("finance.tax.document", "Tax Document", readonly=True)
    move_id = WeakMany2one("account.move", "Document", readonly=True)
    partner_id = fields.Many2one("res.partner", "Customer", compute="_compute_partner_id")
    posted = fields.Boolean(readonly=True)
    current = fields.Boolean(readonly=True)
    state = fields.Selection(STATES, "Tax State", readonly=True)
    excuse = fields.Char(readonly=True)
    recorder_name = fields.Char("Recorded at", readonly=True)
    busy = fields.Boolean(readonly=True)
    stuck = fields.Boolean(readonly=True)
    moved = fields.Boolean(readonly=True)
    here_day = fields.Date("Date Here", readonly=True)
    booked_on = fields.Date("Accounting Date", readonly=True)
    told = fields.Date("Date Sent", readonly=True)
    here_currency = fields.Char("Currency Here", readonly=True)
    here_net = fields.Monetary("Untaxed Here", readonly=True)
    here_tax = fields.Monetary("Tax Here", readonly=True)
    here_by_key = fields.Json(readonly=True)
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    booked = fields.Monetary(
        "Tax Booked", currency_field="company_currency_id", readonly=True,
        help="Tax in the journal, in the currency of the company.",
    )  # fmt: skip

    # === THERE === #
    there_status = fields.Selection(
        [
            ("recorded", "Recorded"),
            ("saved", "Saved"),
            ("voided", "Voided"),
            ("unanswered", "Not known"),
        ],
        "At the Engine",
        readonly=True,
    )
    there_day = fields.Date("Date There", readonly=True)
    there_currency = fields.Char("Currency There", readonly=True)
    there_net = fields.Monetary("Untaxed There", readonly=True)
    there_tax = fields.Monetary("Tax There", readonly=True)
    there_by_key = fields.Json(readonly=True)
    locked = fields.Boolean("Filed There", readonly=True)
    engine_id = fields.Char("Id at the Engine", readonly=True)
    jurisdictions = fields.Text("By Jurisdiction", compute="_compute_jurisdictions")
    can_record_again = fields.Boolean(compute="_compute_can")
    can_void = fields.Boolean(compute="_compute_can")

    _key_unique = models.Constraint(
        "UNIQUE (reconciliation_id, kind, key)", "A document stands once in a reconciliation."
    )

    # === COMPUTE METHODS === #

    @api.depends("here_by_key", "there_by_key")
    def _compute_jurisdictions(self):
        for line in self:
            here, there = line.here_by_key or {}, line.there_by_key or {}
            names = line.reconciliation_id._names_of_keys({*here, *there})
            rows = [
                self.env._(
                    "%(name)s: %(here)s here, %(there)s there",
                    name=names[key],
                    here=here.get(key, "0"),
                    there=there.get(key, "–" if line.there_by_key is None else "0"),
                )
                for key in sorted({*here, *there}, key=names.get)
            ]
            line.jurisdictions = "\n".join(rows)

    @api.depends("move_id", "key")
    def _compute_display_name(self):
        names = {move.id: move.name for move in self.move_id.sudo().exists()}
        for line in self:
            line.display_name = names.get(line.move_id.id) or line.key

    @api.depends("move_id")
    def _compute_partner_id(self):
        known = {move.id: move.commercial_partner_id.id for move in self.move_id.sudo().exists()}
        for line in self:
            line.partner_id = known.get(line.move_id.id)

    @api.depends("bucket", "reason", "locked")
    def _compute_can(self):
        stale = self._stale()
        for line in self:
            open_there = line.standing == DIFFERENCE and not line.locked and line not in stale
            line.can_record_again = bool(
                open_there
                and line.posted
                and line.document_id
                and line.state != "locked"
                and line.reason in ("lost", "voided", "saved", "tax", "jurisdiction", "net", "day")
            )
            line.can_void = bool(
                open_there
                and line.there_status == RECORDED
                and line.reason in ("orphan", "draft", "earlier", "unexpected")
            )

    def _stale(self):
        """Return those whose document has changed at the engine, or is about to, since compared."""
        documents = self.document_id.sudo().exists()
        jobs = self.env["finance.job"]._unfinished(documents)
        busy = {job.res_id for job in jobs if job.res_model == documents._name}
        own = self.env["finance.job"]._unfinished(self)
        voiding = {job.res_id for job in own if job.res_model == self._name}
        return self.filtered(
            lambda line: (
                line.id in voiding
                or line.document_id.id in busy
                or line.document_id in documents
                and line._changed_since()
            )
        )

    def _changed_since(self):
        document, compared = self.document_id.sudo(), self.reconciliation_id.sudo().compared_at
        changes = [moment for moment in (document.committed_at, document.voided_at) if moment]
        other_code = self.current and self.code and document._code() != self.code
        return bool(other_code or changes and compared and max(changes) > compared)

    # === A JOB'S RECORD === #

    def _finance_uuid(self):
        return f"{self.reconciliation_id.uuid}/{self.id}"

    def _finance_document(self):
        return self.move_id.exists() or self.reconciliation_id

    def _reference(self):
        """Return the `TaxReference` of the document at the engine."""
        workflow = self.connector_id._workflow(self.reconciliation_id.company_id, "tax")
        seller = self.env["finance.tax.mixin"]._finance_tax_seller(workflow)
        return TaxReference(self.kind, seller, self.code, self.engine_id or "")

    def _voided(self, result):
        """The engine has made the document void, or does not have it any more."""
        if self.document_id.exists():
            self.document_id._voided(result)
            return
        self.env["finance.audit.event"].sudo()._record(
            "tax.voided",
            self.reconciliation_id,
            connector=self.connector_id,
            company=self.company_id,
            trace_id=self.trace_id,
            data={"code": result.code, "status": result.status},
        )

    # === BUTTONS === #

    def action_record_again(self):
        """Have the engine record the documents anew, as they are posted."""
        if not self.env.su and not self.env.user.has_group(INVOICING):
            self.env["finance.denied.action"]._deny("tax.record_again", "group", self)
            raise AccessError(self.env._("Only accountants have documents recorded again."))
        self.check_access("read")
        for line in self:
            line._record_again()

    def _record_again(self):
        document, move = self.document_id.sudo(), self.move_id
        if not self.can_record_again or not move.exists() or move.state != "posted":
            raise UserError(
                self.env._(
                    "%(document)s can't be recorded again: it was filed, or has changed since it"
                    " was compared. Compare once more.",
                    document=self.display_name,
                )
            )
        move.check_access("write")
        result = document._result()
        if not result or move._finance_tax_booked() != result.by_key():
            raise UserError(
                self.env._(
                    "The books have another tax for %(document)s than the engine last said. Reset"
                    " it to draft and post it again; it is recorded then.",
                    document=move.display_name,
                )
            )
        if self.there_status != RECORDED:
            document._post()
        elif "adjust" in document.connector_id._known_class().capabilities:
            document._change("tax.adjust")
            document.state = "posted"
        else:
            document._withdraw()
            document._post()

    def action_void(self):
        """Have the engine make documents void that the books don't have."""
        if not self.env.su and not self.env.user.has_group(CONTROLLER):
            self.env["finance.denied.action"]._deny("tax.void_there", "group", self)
            raise AccessError(
                self.env._("Only a controller makes void what the engine has and the books don't.")
            )
        self.check_access("read")
        for line in self.sudo():
            if not line.can_void or line.current and line.move_id.exists().state == "posted":
                raise UserError(
                    self.env._(
                        "%(document)s can't be made void: it was filed, or has changed since it was"
                        " compared. Compare once more.",
                        document=line.display_name,
                    )
                )
            line._enqueue("tax.void_there", revision=line.run)

    def action_open_move(self):
        """Open the invoice or credit note."""
        self.ensure_one()
        if not self.move_id.exists():
            raise UserError(self.env._("The books don't have this document."))
        return self.move_id.get_formview_action()

    def action_open_document(self):
        """Open the tax document."""
        self.ensure_one()
        return self.document_id.get_formview_action()

    def action_open_exchanges(self):
        """List what was exchanged with the engine about the document."""
        self.ensure_one()
        return (self.document_id.exists() or self.reconciliation_id).action_open_exchanges()

    def action_explain(self):
        """Say why the difference is right, or of no importance."""
        exceptions = self.exception_id.exists().filtered(lambda row: row.state == "open")
        if not exceptions:
            raise UserError(self.env._("There is no open exception to explain."))
        return exceptions.action_handle()


class FinanceTaxReconciliationTotal(models.Model):
    """The sums of a month in one currency: all tax, and the tax of each jurisdiction."""

    _name = "finance.tax.reconciliation.total"
    _description = "Total of a Tax Reconciliation"
    _log_access = False
    _order = "reconciliation_id desc, currency, key"
    _rec_name = "key"

    reconciliation_id = fields.Many2one(
        "finance.tax.reconciliation", "Month", required=True, readonly=True, index=True,
        ondelete="cascade",
    )  # fmt: skip
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency = fields.Char("Currency Code", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    key = fields.Char(readonly=True)
    name = fields.Char("Jurisdiction", compute="_compute_name")
    here = fields.Monetary("Tax Here", readonly=True)
    there = fields.Monetary("Tax There", readonly=True)
    gap = fields.Monetary("Difference", readonly=True)
    here_net = fields.Monetary("Untaxed Here", readonly=True)
    there_net = fields.Monetary("Untaxed There", readonly=True)
    here_count = fields.Integer("Count Here", readonly=True)
    there_count = fields.Integer("Count There", readonly=True)

    @api.depends("key")
    @api.depends_context("lang")
    def _compute_name(self):
        for period, totals in self.grouped("reconciliation_id").items():
            names = period._names_of_keys(set(totals.mapped("key")))
            for total in totals:
                total.name = names[total.key]
