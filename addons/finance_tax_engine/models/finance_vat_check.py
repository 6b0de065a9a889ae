import json
import time
from collections import defaultdict, namedtuple
from datetime import timedelta
from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.finance_connector_base.models.finance_connector import ConnectorClosed
from odoo.addons.finance_connector_base.models.finance_vault import VaultClosed
from odoo.addons.finance_connector_base.providers.errors import ProviderError, Transient
from odoo.addons.finance_connector_base.providers.masking import mask, mask_json

from ..canonical.vat import DIFFERS, INVALID, MATCH, NOT_TOLD, UNKNOWN, VALID, VatAnswer

CLOSED = "closed"
# What HMRC calls a name, and the part of an address that others do not call so.
NAMES = ("name", "postcode")
# What is known of a number now. check: the row that decides, or the last attempt. is_fresh: young
# enough to rely on.
VatState = namedtuple("VatState", "status check is_fresh")
# The newest answer of each number, and its newest attempt without one.
NEWEST = """
SELECT DISTINCT ON (vat, status = 'unknown') vat, status, id, checked_at
  FROM finance_vat_check
 WHERE company_id = ANY(%s) AND vat = ANY(%s)
 ORDER BY vat, status = 'unknown', id DESC
"""
SINCE = """
SELECT min(checked_at) FROM finance_vat_check
 WHERE company_id = ANY(%(companies)s) AND vat = %(vat)s AND status = 'valid' AND id > COALESCE((
    SELECT max(id) FROM finance_vat_check
     WHERE company_id = ANY(%(companies)s) AND vat = %(vat)s AND status = 'invalid'), 0)
"""


class FinanceVatCheck(models.Model):
    """Evidence: somebody asked a registry about a VAT number, and this came back, or nothing did.

    Rows are added and never changed. Each is told to the audit trail, whose seals make a later
    change visible; what the registry said in full lies sealed in the event's detail.
    """

    _name = "finance.vat.check"
    _inherit = ["finance.personal.mixin"]
    _description = "Check of a VAT Number"
    _order = "id desc"
    _rec_name = "vat"

    uuid = fields.Char("UUID", readonly=True, default=lambda self: str(uuid4()))
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    connector_id = fields.Many2one("finance.connector", readonly=True, ondelete="set null")
    registry = fields.Char(readonly=True)
    partner_id = fields.Many2one(
        "res.partner", "Contact", readonly=True, index="btree_not_null", ondelete="set null"
    )
    vat = fields.Char("VAT number", readonly=True)
    country = fields.Char(readonly=True, help="Prefix of the number: EL is Greece.")
    user_id = fields.Many2one("res.users", "Asked by", readonly=True, ondelete="set null")
    checked_at = fields.Datetime("Asked at", required=True, readonly=True)
    status = fields.Selection(
        [(VALID, "Valid"), (INVALID, "Invalid"), (UNKNOWN, "Not answered")],
        required=True,
        readonly=True,
    )
    requester = fields.Char("Asked with", readonly=True, help="The VAT number that asked.")
    request_id = fields.Char("Consultation number", readonly=True)
    answered_on = fields.Date("Answer of", readonly=True)
    name = fields.Char("Name returned", readonly=True)
    address = fields.Text("Address returned", readonly=True)
    name_match = fields.Selection(
        [(MATCH, "Matches"), (DIFFERS, "Differs"), (NOT_TOLD, "Not told")], readonly=True
    )
    address_match = fields.Selection(
        [(MATCH, "Matches"), (DIFFERS, "Differs"), (NOT_TOLD, "Not told")], readonly=True
    )
    answer_masked = fields.Text("Answer", readonly=True, help="Personal values are masked.")
    code = fields.Char(readonly=True)
    reason = fields.Char("Why not answered", readonly=True)
    trace_id = fields.Char("Trace", readonly=True)
    erased_at = fields.Datetime("Erased on", readonly=True)
    valid_until = fields.Date("Relied on until", compute="_compute_valid_until")

    _newest = models.Index("(company_id, vat, id)")

    # === COMPUTE METHODS === #

    @api.depends("checked_at", "status")
    def _compute_valid_until(self):
        workflows = self.env["finance.workflow"]
        for check in self:
            workflow = workflows._vat_workflow(check.company_id, check.country)
            days = timedelta(days=workflow.vat_age_days)
            check.valid_until = check.status != UNKNOWN and (check.checked_at + days).date()

    # === APPEND ONLY === #

    def write(self, vals):
        raise UserError(self.env._("Evidence of a VAT number is not changed: check it again."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Evidence of a VAT number is not deleted."))

    # === WHAT IS KNOWN === #

    @api.model
    def _states(self, partners, company):
        """Return {partner: VatState} for the partners whose numbers a registry knows, unasked.

        An answer counts as long as the company's workflow says; a later attempt without an answer
        changes nothing about it.
        """
        numbers = {partner: partner._finance_vat_number() for partner in partners}
        numbers = {partner: number for partner, number in numbers.items() if number}
        self.flush_model()
        companies = company.sudo().parent_ids.ids
        found = {
            (vat, status == UNKNOWN): (status, id_, at)
            for vat, status, id_, at in self.env.execute_query(
                SQL(NEWEST, companies, [str(number) for number in numbers.values()])
            )
        }
        serving = self.env["finance.workflow"]._vat_workflows(company)
        return {
            partner: self._state_of(number, found, serving.get(number.prefix))
            for partner, number in numbers.items()
        }

    def _state_of(self, number, found, workflow):
        days = workflow.vat_age_days if workflow else 0
        oldest = fields.Datetime.now() - timedelta(days=days)
        answer, silence = found.get((str(number), False)), found.get((str(number), True))
        if answer and answer[2] >= oldest:
            return VatState(answer[0], self.browse(answer[1]), True)
        if silence and not (answer and answer[1] > silence[1]):
            return VatState(UNKNOWN, self.browse(silence[1]), False)
        if answer:
            return VatState("outdated", self.browse(answer[1]), False)
        return VatState("unchecked", self.browse(), False)

    def _valid_since(self):
        """Return since when all answers about the number of this row are "valid"."""
        names = {"companies": self.company_id.sudo().parent_ids.ids, "vat": self.vat}
        self.env.cr.execute(SINCE, names)
        return self.env.cr.fetchone()[0] or self.checked_at

    # === ASKING === #

    @api.model
    def _ask(self, partners, company):
        """Ask the registries now, within the workflow's seconds; return {partner: row}.

        Partners whose number no connector of the company can check are left out. No answer makes
        a row of status "unknown".
        """
        serving = self.env["finance.workflow"]._vat_workflows(company)
        groups = defaultdict(list)
        for partner in partners:
            number = partner._finance_vat_number()
            if number and number.prefix in serving:
                groups[serving[number.prefix]].append(partner)
        started, rows = time.monotonic(), {}
        for workflow, asked in groups.items():
            questions = [partner._finance_vat_question(workflow, company) for partner in asked]
            traces = [uuid4().hex for _partner in asked]
            left = max(workflow.vat_seconds - (time.monotonic() - started), 0.0)
            answers = self._answers(workflow, company, questions, traces, left)
            kept = {}
            for partner, question, answer, trace in zip(
                asked, questions, answers, traces, strict=True
            ):
                if question not in kept:
                    kept[question] = self._keep(
                        workflow.connector_id, company, partner, question, answer, trace
                    )
                rows[partner] = kept[question]
        return rows

    def _answers(self, workflow, company, questions, traces, seconds):
        operation = self.env["finance.operation.vat.check"]
        try:
            return operation._ask(
                workflow.connector_id, company, questions, seconds=seconds, traces=traces
            )
        except (ConnectorClosed, VaultClosed) as closed:
            return [Transient(str(closed), code=CLOSED)] * len(questions)

    @api.model
    def _keep(self, connector, company, partner, question, answer, trace_id):
        """Add a row for a `VatAnswer`, or for the `ProviderError` that came instead; return it."""
        if isinstance(answer, ProviderError):
            answer = VatAnswer(UNKNOWN, code=answer.code or "", reason=answer.message)
        raw = answer.raw
        row = self.sudo().create(
            {
                "company_id": company.id,
                "connector_id": connector.id,
                "registry": connector.provider,
                "partner_id": partner.id,
                "vat": str(question.number),
                "country": question.number.prefix,
                "user_id": self.env.uid,
                "checked_at": fields.Datetime.now(),
                "status": answer.status,
                "requester": str(question.requester or ""),
                "request_id": answer.request_id,
                "answered_on": answer.day,
                "name": answer.name,
                "address": answer.address,
                "name_match": answer.name_match,
                "address_match": answer.address_match,
                "answer_masked": _masked(raw),
                "code": answer.code,
                "reason": answer.reason,
                "trace_id": trace_id,
            }
        )
        detail = {
            "vat": row.vat,
            "consultation": answer.request_id,
            "name": answer.name,
            "address": answer.address,
            "answer": raw,
        }
        open_vault = self.env["finance.vault"]._is_open()
        self.env["finance.audit.event"].sudo()._record(
            "vat.checked",
            row,
            connector=connector,
            trace_id=trace_id,
            data={"status": row.status, "registry": row.registry, "country": row.country},
            detail={name: text for name, text in detail.items() if text} if open_vault else None,
            partner=partner,
        )
        if answer.status != UNKNOWN:
            row._answered()
        return row.sudo(self.env.su)

    def _answered(self):
        """A registry answered, so what waited for it goes on."""
        self.env["finance.vat.supply"]._answered(self)

    # === ERASING === #

    @api.model
    def _personal_words(self):
        return self.env._("VAT numbers, names and addresses in checks of VAT numbers")

    @api.model
    def _personal_of(self, subject):
        return self._select(
            SQL(
                "erased_at IS NULL AND partner_id = ANY(%s) AND %s",
                subject.partners.ids,
                subject.of_companies(),
            )
        )

    @api.model
    def _personal_traces(self, subject):
        return self._select(SQL("partner_id = ANY(%s)", subject.partners.ids)).mapped("trace_id")

    def _erase_personal(self, basis):
        for row in self:
            row._empty(
                "name", "address", "answer_masked", "reason",
                vat=row.country + mask(row.vat or ""),
                erased_at=fields.Datetime.now(),
            )  # fmt: skip


def _masked(raw):
    if not raw:
        return False
    values = json.loads(raw, object_hook=_without_names)
    return json.dumps(mask_json(values), ensure_ascii=False, indent=1)


def _without_names(values):
    return {key: mask(text) if key in NAMES and text else text for key, text in values.items()}
