"""A run: the engine is asked piece by piece, one job after the other."""

from datetime import timedelta

from psycopg2.extras import Json

from odoo import fields, models

from ..canonical.tax import TaxReference
from ..reconciliation.listing import Question
from . import finance_tax_reconciliation_sql as sql
from .finance_tax_reconciliation import STUCK

# Documents of ours that are asked about at once, by the days of a month or one by one.
IN_A_LIST, ONE_BY_ONE = 1000, 100


class FinanceTaxReconciliation(models.Model):
    _inherit = "finance.tax.reconciliation"

    def _obstacle(self):
        """Return why the engine can't be asked, in words; "" when it can."""
        connector = self.connector_id.sudo()
        workflow = connector._workflow(self.company_id, "tax")
        names = {"engine": connector.name, "company": self.company_id.sudo().name}
        if not workflow:
            return self.env._("%(engine)s does not serve %(company)s any more.", **names)
        if connector.state != "ready":
            return self.env._("%(engine)s is stopped or not complete: open the connector.", **names)
        provider = connector._known_class()
        if getattr(provider, "seller_setting", "") and not self._seller(workflow):
            labels = {setting.name: setting.label for setting in provider.company_settings}
            return self.env._(
                "%(engine)s can't list documents without “%(option)s”: an administrator enters it"
                " under Configuration, Workflows, %(engine)s.",
                option=labels[provider.seller_setting],
                **names,
            )
        return ""

    def _seller(self, workflow):
        return self.env["finance.tax.mixin"]._finance_tax_seller(workflow)

    def _start(self):
        """Begin to compare; a run that is under way goes on, one that is stuck is given up."""
        for period in self.sudo():
            jobs = self.env["finance.job"].sudo()._unfinished(period).filtered(
                lambda job, p=period: (job.res_model, job.res_id) == (p._name, p.id)
            )  # fmt: skip
            if jobs.filtered(lambda job: job.state not in STUCK):
                continue
            jobs.action_cancel()
            whole = (period.last - period.first).days + 1
            count = self.env["finance.tax.document"].sudo().search_count(
                [
                    ("connector_id", "=", period.connector_id.id),
                    ("move_id.invoice_date", ">=", period.first),
                    ("move_id.invoice_date", "<=", period.last),
                ]
            )  # fmt: skip
            period.write(
                {
                    "run": period.run + 1,
                    "step": 0,
                    "started_at": fields.Datetime.now(),
                    "started_by_id": self.env.uid,
                    "listed_until": False,
                    "listed_days": max(1, whole * IN_A_LIST // max(count, IN_A_LIST)),
                    "listed_id": 0,
                }
            )
            self.env.cr.execute(
                "DELETE FROM finance_tax_recorded WHERE reconciliation_id = %s", [period.id]
            )
            period._next()

    def _next(self):
        """Ask for the next piece."""
        self.step += 1
        # what is to be recorded goes first
        self._enqueue("tax.reconcile", revision=f"{self.run}.{self.step}", priority=50)

    def _piece(self):
        """Return the first and the last of the days to ask about next."""
        start = self.listed_until + timedelta(days=1) if self.listed_until else self.first
        return start, min(start + timedelta(days=self.listed_days - 1), self.last)

    def _question(self):
        """Return the `Question` that the next job asks."""
        workflow = self.connector_id._workflow(self.company_id, "tax")
        seller = self._seller(workflow)
        start, end = self._piece()
        references = ()
        if self.by_lookup:
            start, end = self.first, self.last
            references = tuple(
                TaxReference(
                    "refund" if document.move_id.move_type == "out_refund" else "invoice",
                    seller,
                    document._code(),
                    document._engine_id_of(document._code()),
                )
                for document in self._known_documents()
            )
        return Question(seller, start, end, references)

    def _known_documents(self):
        """Return the next documents to look up: recorded, as far as we know."""
        return self.env["finance.tax.document"].search(
            [
                ("id", ">", self.listed_id),
                ("connector_id", "=", self.connector_id.id),
                ("company_id", "in", self._companies().ids),
                ("move_id.state", "=", "posted"),
                ("move_id.invoice_date", ">=", self.first),
                ("move_id.invoice_date", "<=", self.last),
                ("committed_at", "!=", False),
            ],
            order="id",
            limit=ONE_BY_ONE,
        )

    def _companies(self):
        """Return the company and its branches that have no workflow of their own at the engine."""
        workflows = self.env["finance.workflow"].sudo().with_context(active_test=False)
        own = workflows.search(
            [("flow", "=", "tax"), ("connector_id", "=", self.connector_id.id)]
        ).company_id
        family = self.env["res.company"].sudo().search([("id", "child_of", self.company_id.id)])
        return family.filtered(lambda branch: (branch.parent_ids & own)[-1:] == self.company_id)

    def _take(self, listed):
        """Keep a piece, a `Listed`; ask for the next one, or compare when it was the last."""
        if not listed.complete:
            start, end = self._piece()
            self.listed_days = max(1, ((end - start).days + 1) // 2)
            self._next()
            return
        self._stage(listed.documents)
        if self.by_lookup:
            asked = self._known_documents()
            self.listed_id = asked[-1:].id or self.listed_id
            whole = len(asked) < ONE_BY_ONE
        else:
            self.listed_until = self._piece()[1]
            whole = self.listed_until >= self.last
        if whole:
            self._compare()
        else:
            self._next()

    def _stage(self, documents):
        if not documents:
            return
        self.env.cr.execute_values(
            sql.STAGE,
            [
                (
                    self.id, there.kind, there.code, there.status, there.day, there.currency,
                    there.net, there.tax, _texts(there.by_key), there.locked, there.engine_id,
                )
                for there in documents
            ],
        )  # fmt: skip


def _texts(by_key):
    return None if by_key is None else Json({key: str(value) for key, value in by_key.items()})
