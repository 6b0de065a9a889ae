"""A reconciliation statement's way: prepared by one, reviewed by another, restated as a version."""

from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.finance_connector_base.actions import notice
from odoo.addons.finance_connector_base.models.finance_timeline import print_or_show


class FinanceBankReconciliation(models.Model):
    _inherit = "finance.bank.reconciliation"

    # === BUTTONS === #

    def action_calculate(self):
        """Work a draft out again."""
        self._may_work()
        self._must_be("draft")
        self._calculate()

    def action_prepare(self):
        """Say that it is right: from now on it stays as it is, and another person reviews it."""
        self.ensure_one()
        self._may_work()
        self._must_be("draft")
        self._calculate()
        self._check_complete()
        self._put(state="prepared", prepared_by_id=self.env.uid, prepared_at=fields.Datetime.now())
        self._note("bank.prepared")

    def action_review(self):
        """Agree with what another person has prepared; it is frozen for good."""
        self.ensure_one()
        self._check_reviewer()
        self._must_be("prepared")
        if self._changes():
            raise UserError(
                self.env._(
                    "The books or the bank's balances have changed since %(statement)s was prepared."
                    " Send it back and have it prepared again.",
                    statement=self.display_name,
                )
            )
        self._put(state="reviewed", reviewed_by_id=self.env.uid, reviewed_at=fields.Datetime.now())
        self._note("bank.reviewed", data={"prepared_by": self.prepared_by_id.id})

    def action_send_back(self):
        """Make a draft of what was prepared and not reviewed yet."""
        self.ensure_one()
        if self.prepared_by_id != self.env.user:
            self._check_reviewer()
        self._may_work()
        self._must_be("prepared")
        self._put(state="draft", prepared_by_id=False, prepared_at=False)
        self._note("bank.sent_back")

    def action_restate(self):
        """Begin another version; the reviewed one stays as it is."""
        self.ensure_one()
        self._may_work()
        self._must_be("reviewed")
        if self.next_ids:
            return self.next_ids[:1]._open()
        following = self.sudo().create(
            {
                "journal_id": self.journal_id.id,
                "day": self.day,
                "until": self.until,
                "reason": self.reason,
                "version": self.version + 1,
                "previous_id": self.id,
            }
        )
        following.with_env(self.env)._note("bank.restated", data={"previous": self.id})
        return following.with_env(self.env)._open()

    def action_verify(self):
        """Compare what is stored with the digest in the audit trail."""
        self.ensure_one()
        right = self._is_authentic()
        words = (
            self.env._("Figures and items are those of the audit trail.")
            if right
            else self.env._("Figures or items differ from the audit trail: somebody changed them.")
        )
        return notice("success" if right else "danger", words, after=False)

    def action_print(self):
        """Print it; without wkhtmltopdf it is shown in the browser."""
        return print_or_show(self.env.ref("finance_bank_sync.report_bank_reconciliation"), self)

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    # === WHO MAY === #

    def _may_work(self):
        self.env["finance.denied.action"]._check_may(self, "write", "bank.prepare")

    def _must_be(self, state):
        if self.filtered(lambda statement: statement.state != state):
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "%(statement)s is not “%(state)s” any more. Open it again.",
                    statement=self[:1].display_name,
                    state=labels[state],
                )
            )

    def _check_reviewer(self):
        """Raise unless the user may review what somebody else has prepared."""
        if not self._is_reviewer():
            self.env["finance.denied.action"]._deny("bank.review", "group", self)
            raise AccessError(
                self.env._("An approver or a controller reviews reconciliation statements.")
            )
        self.check_access("read")
        if self.prepared_by_id == self.env.user:
            self.env["finance.denied.action"]._deny("bank.review", "own", self)
            raise AccessError(
                self.env._("You prepared this statement: another person has to review it.")
            )

    def _check_complete(self):
        if self.basis == "missing":
            raise UserError(
                self.env._(
                    "The bank's balance of %(account)s is not known. Import a statement, or write"
                    " the balance down under Bank > Cash > Balances.",
                    account=self.journal_id.sudo().display_name,
                )
            )
        if self.needs_reason and not (self.reason or "").strip():
            raise UserError(
                self.env._(
                    "%(amount)s of %(statement)s is not explained. Find the cause, or write down"
                    " what is known about it in “Explanation”.",
                    amount=self.currency_id.format(self.difference + self.beginning),
                    statement=self.display_name,
                )
            )

    # === AUDIT === #

    def _note(self, kind, data=None):
        """Keep in the audit trail what was decided, with the digest of what was stated."""
        places = self.currency_id.decimal_places
        facts = {
            "digest": self.digest,
            "day": str(self.day),
            "journal": self.journal_id.id,
            "version": self.version,
            "bank": f"{self.bank_balance:.{places}f}",
            "books": f"{self.books:.{places}f}",
            "difference": f"{self.difference:.{places}f}",
            "items": len(self.sudo().line_ids),
        }
        detail = {"reason": self.reason} if self.reason and kind == "bank.prepared" else None
        self.env["finance.audit.event"]._record(
            kind, self, company=self.company_id, data=facts | (data or {}), detail=detail
        )
