import re

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..matching.names import account_key, name_key
from ..matching.references import fold

APPROVER = "finance_connector_base.group_approver"
USER = "finance_connector_base.group_user"
# So often an account is chosen for one text before it is worth proposing to an approver.
LEAST_EVIDENCE = 2
APPROVED, WAITING = 92, 55
GUARDED = {
    "kind", "key", "partner_id", "account_id", "company_id", "state", "approved_by_id",
    "taught_by_id", "match_ids", "direction",
}  # fmt: skip
MONTHS = {
    "JANUAR", "FEBRUAR", "MARZ", "APRIL", "MAI", "JUNI", "JULI", "AUGUST", "SEPTEMBER", "OKTOBER",
    "NOVEMBER", "DEZEMBER", "JANUARY", "FEBRUARY", "MARCH", "MAY", "JUNE", "JULY", "OCTOBER",
    "DECEMBER",
}  # fmt: skip
MOST_WORDS = 6


class FinanceBankLesson(models.Model):
    """What accountants' decisions teach: whose an account or a name is; what a text is booked on.

    The evidence are the matches themselves: when they are undone, what was learned goes with them.
    A partner is used at once. An account of income or expense is proposed to people, and books by
    itself only after an approver, who is not the one that taught it, has agreed.
    """

    _name = "finance.bank.lesson"
    _description = "Learned from Bank Matches"
    _order = "write_date desc, id desc"
    _rec_name = "key"

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    kind = fields.Selection(
        [
            ("account", "Counterparty's account is a partner's"),
            ("name", "Name is a partner's"),
            ("text", "Text is booked on an account"),
        ],
        required=True,
        readonly=True,
    )
    key = fields.Char(required=True, readonly=True, help="What is compared: equal, not similar.")
    example = fields.Char(readonly=True, help="As the bank wrote it.")
    direction = fields.Selection([("in", "Received"), ("out", "Paid")], readonly=True)
    partner_id = fields.Many2one("res.partner", readonly=True, ondelete="cascade")
    account_id = fields.Many2one("account.account", readonly=True, ondelete="cascade")
    match_ids = fields.Many2many("finance.bank.match", string="Evidence", readonly=True)
    evidence_count = fields.Integer("Times", compute="_compute_evidence_count")
    state = fields.Selection(
        [
            ("learned", "Used"),
            ("waiting", "Proposed only, waits for approval"),
            ("approved", "Approved"),
            ("contradicted", "Contradicted"),
        ],
        required=True,
        readonly=True,
        default="learned",
    )
    taught_by_id = fields.Many2one("res.users", "Taught by", readonly=True, ondelete="set null")
    approved_by_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    active = fields.Boolean(default=True)

    _key_unique = models.UniqueIndex(
        "(company_id, kind, key, COALESCE(direction, '')) WHERE active",
        "One lesson of a company is in use for one key.",
    )
    _partner_or_account = models.Constraint(
        "CHECK ((kind = 'text') = (account_id IS NOT NULL) AND (kind = 'text') = (partner_id IS NULL))",
        "A text teaches an account; an account or a name teaches a partner.",
    )

    @api.depends("match_ids")
    def _compute_evidence_count(self):
        for lesson in self:
            lesson.evidence_count = len(lesson.sudo().match_ids)

    # === GUARDS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            self._deny("guard", self.env._("Lessons are learned from accepted matches."))
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su and (vals.keys() & GUARDED or vals.get("active")):
            self._deny("guard", self.env._("A lesson may be switched off, not rewritten."))
        return super().write(vals)

    def _deny(self, rule, words):
        self.env["finance.denied.action"]._deny("bank.lesson", rule, self[:1])
        raise AccessError(words)

    def action_deactivate(self):
        """Forget it: nothing is matched by it any more."""
        self.check_access("write")
        self.active = False

    def action_approve(self):
        """Let the text be booked by itself, as another person than who taught it."""
        for lesson in self:
            lesson.check_access("read")
            if not self.env.user.has_group(APPROVER):
                lesson._deny("group", self.env._("Approving a lesson needs the role Approver."))
            if self.env.user in (lesson.taught_by_id | lesson.sudo().match_ids.user_id):
                lesson._deny("own", self.env._("Another approver decides on what you taught."))
            if lesson.state == "waiting":
                lesson.sudo().write({"state": "approved", "approved_by_id": self.env.uid})
                self.env["finance.audit.event"]._record(
                    "bank.lesson_approved", lesson, company=lesson.company_id
                )

    # === LEARNING === #

    @api.model
    def _learn(self, match):
        """Learn from a match that a person made."""
        if not match or match.automatic or match.kind == "transfer":
            return
        line = match.line_id
        known = self.env["finance.bank.matcher"]._bank_lines(line)[line.id]
        parts = match.parts or []
        if len(parts) == 1 and parts[0]["kind"] == "writeoff" and not parts[0].get("tax_ids"):
            self._teach(
                match,
                "text",
                text_key(" ".join([known.name, *known.texts[:1]])),
                example=line.payment_ref,
                account=parts[0]["account_id"],
                direction="in" if line.amount > 0 else "out",
            )
            return
        partner = match.partner_id.commercial_partner_id
        if not partner or not any(part["kind"] in ("item", "partner") for part in parts):
            return
        if key := account_key(known.account):
            self._teach(match, "account", key, example=known.account, partner=partner.id)
        elif key := name_key(known.name):
            self._teach(match, "name", key, example=known.name, partner=partner.id)

    def _teach(self, match, kind, key, *, example="", partner=None, account=None, direction=None):
        if not key:
            return
        found = self.search(
            [("company_id", "=", match.company_id.id), ("kind", "=", kind), ("key", "=", key),
             ("direction", "=", direction or False)]
        )  # fmt: skip
        if found and (found.partner_id.id or None, found.account_id.id or None) == (
            partner, account
        ):  # fmt: skip
            found.match_ids |= match
            return
        if found:  # the same now means something else: neither is used
            found.write({"state": "contradicted", "active": False})
            found.flush_recordset()  # before the index sees the new one
        self.create(
            {
                "company_id": match.company_id.id,
                "kind": kind,
                "key": key,
                "example": example,
                "direction": direction,
                "partner_id": partner,
                "account_id": account,
                "state": "waiting" if kind == "text" else "learned",
                "match_ids": [(4, match.id)],
                "taught_by_id": match.user_id.id,
            }
        )

    @api.model
    def _unlearn(self, matches):
        """Take the evidence of undone ``matches`` away; a lesson without evidence is over."""
        lessons = self.with_context(active_test=False).search([("match_ids", "in", matches.ids)])
        for lesson in lessons:
            lesson.match_ids -= matches
            if not lesson.match_ids:
                lesson.active = False

    # === USING === #

    @api.model
    def _partners_of(self, company, lines):
        """Return {account key, or name key where there is no account: partner id}."""
        keys = {account_key(line.account) or name_key(line.name) for line in lines} - {""}
        found = self.search(
            [("company_id", "parent_of", company.id), ("kind", "in", ("account", "name")),
             ("key", "in", list(keys)), ("state", "=", "learned")]
        )  # fmt: skip
        return {lesson.key: lesson.partner_id.commercial_partner_id.id for lesson in found}

    @api.model
    def _accounts_of(self, company, lines):
        """Return the lessons on accounts that the texts of ``lines`` (`BankLine`) may mean."""
        keys = {text_key(" ".join([line.name, *line.texts[:1]])) for line in lines} - {""}
        return self.search(
            [("company_id", "parent_of", company.id), ("kind", "=", "text"),
             ("key", "in", list(keys)), ("state", "in", ("waiting", "approved"))]
        )  # fmt: skip

    def _finance_decisions(self, line, known, policy):
        """Return the decisions that these lessons make of ``line``."""
        key = text_key(" ".join([known.name, *known.texts[:1]]))
        direction = "in" if line.amount > 0 else "out"
        decisions = []
        for lesson in self:
            if (lesson.key, lesson.direction) != (key, direction):
                continue
            approved = lesson.state == "approved" and lesson.evidence_count >= LEAST_EVIDENCE
            amount = line.amount_currency if line.foreign_currency_id else line.amount
            decisions.append(
                {
                    "line": line,
                    "kind": "lesson",
                    "score": APPROVED if approved else WAITING,
                    "reasons": [
                        {
                            "code": "lesson",
                            "values": {"count": str(lesson.evidence_count), "key": lesson.example},
                            "points": APPROVED if approved else WAITING,
                        }
                    ],
                    "parts": [
                        {
                            "kind": "writeoff",
                            "account_id": lesson.account_id.id,
                            "amount": str(round(amount, 6)),
                            "label": line.payment_ref or "",
                            "why": "lesson",
                        }
                    ],
                    "lesson_id": lesson.id,
                    "automatic": approved and policy.automatic and APPROVED >= policy.threshold,
                }
            )
        return decisions


def text_key(text):
    """Return the words of a text that come again each time: no numbers, no months.

    >>> text_key("Kontoführung Entgelt 03/2026"), text_key("2026-03")
    ('KONTOFUHRUNG ENTGELT', '')
    """
    words = [
        word
        for word in re.findall(r"[A-Z0-9]+", fold(text))
        if word.isalpha() and len(word) > 2 and word not in MONTHS
    ]
    return " ".join(words[:MOST_WORDS])
