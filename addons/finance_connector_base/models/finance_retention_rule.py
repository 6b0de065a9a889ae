"""For how long the details of audit events are kept."""

from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

BATCH = 1000
KINDS_KEPT = """
WITH RECURSIVE found AS (
    (SELECT kind FROM finance_audit_detail WHERE erased_at IS NULL ORDER BY kind LIMIT 1)
    UNION ALL
    SELECT (SELECT kind FROM finance_audit_detail WHERE erased_at IS NULL AND kind > found.kind
             ORDER BY kind LIMIT 1)
      FROM found WHERE found.kind IS NOT NULL
)
SELECT kind FROM found WHERE kind IS NOT NULL
"""


class FinanceRetentionRule(models.Model):
    """After so many days the details of a kind of event are erased; the events stay.

    The rule that says more wins: kind and company, then kind, then company. Without any rule
    details are kept.
    """

    _name = "finance.retention.rule"
    _description = "Retention of Details"
    _order = "kind, company_id, id"

    kind = fields.Selection(
        "_selection_kind", help="Empty: every kind that has no rule of its own."
    )
    company_id = fields.Many2one("res.company", ondelete="cascade", help="Empty: every company.")
    days = fields.Integer("Keep for (Days)", required=True, default=3650)

    _one_rule = models.UniqueIndex(
        "(COALESCE(kind, ''), COALESCE(company_id, 0))",
        "There is a rule for this kind and company already.",
    )
    _some_time = models.Constraint("CHECK (days > 0)", "Details are kept for a day at least.")

    @api.model
    def _selection_kind(self):
        words = self.env["finance.audit.event"]._kinds()
        return [(kind, words.get(kind, kind)) for kind in self._detailed_kinds()]

    @api.model
    def _detailed_kinds(self):
        """Return the kinds of events that have details. Addons extend by ``super() + […]``."""
        return [
            "exception.handled",
            "exception.ignored",
            "hold.lifted",
            "hold.set",
            "job.done_outside",
            "job.enqueued",
            "partner.merged",
            "role.revoked",
        ]

    @api.depends("kind", "company_id", "days")
    def _compute_display_name(self):
        kinds = dict(self._selection_kind())
        for rule in self:
            covered = [kinds.get(rule.kind), rule.company_id.display_name]
            words = ", ".join(word for word in covered if word) or self.env._("Everything else")
            rule.display_name = self.env._("%(what)s: %(days)s days", what=words, days=rule.days)

    # === AUDITED === #

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rules._note("retention.changed")
        return rules

    def write(self, vals):
        before = {rule: rule.days for rule in self}
        result = super().write(vals)
        for rule in self:
            rule._note("retention.changed", before=before[rule])
        return result

    def unlink(self):
        self._note("retention.removed")
        return super().unlink()

    def _note(self, kind, **data):
        for rule in self:
            self.env["finance.audit.event"]._record(
                kind, rule, data={"kind": rule.kind or None, "days": rule.days, **data}
            )

    # === APPLIED === #

    @api.model
    def _cron_apply(self):
        """Erase what is past its retention, batch by batch; the daily scheduled action."""
        while erased := self.sudo()._apply(BATCH):
            if not self.env["ir.cron"]._commit_progress(erased):
                break

    @api.model
    def _apply(self, limit):
        """Erase up to ``limit`` details that are past their retention; return how many."""
        details = self.env["finance.audit.detail"]
        for kind, days, companies in self._periods():
            due = details.browse(self._due(kind, days, companies, limit))
            if due:
                due._note_expired()
                due._erase_personal("retention")
                return len(due)
        return 0

    def _due(self, kind, days, companies, limit):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM finance_audit_detail
                 WHERE erased_at IS NULL AND kind = %s AND COALESCE(company_id, 0) = ANY(%s)
                   AND at < now() AT TIME ZONE 'UTC' - interval '1 day' * %s AND NOT %s
                 ORDER BY at LIMIT %s
                """,
                kind,
                companies,
                days,
                self.env["finance.audit.detail"]._held(),
                limit,
            )
        )
        return [row[0] for row in rows]

    def _periods(self):
        """Return [(kind, days, ids of companies, 0 for none)] of what is there and has a rule."""
        rules = {(rule.kind or None, rule.company_id.id): rule.days for rule in self.search([])}
        companies = self.env["res.company"].search([]).ids
        periods = []
        for (kind,) in self.env.execute_query(SQL(KINDS_KEPT)):
            by_days = defaultdict(list)
            for company in (0, *companies):
                places = ((kind, company), (kind, False), (None, company), (None, False))
                days = next((rules[place] for place in places if place in rules), None)
                by_days[days].append(company)
            by_days.pop(None, None)
            periods += [(kind, days, ids) for days, ids in by_days.items()]
        return periods
