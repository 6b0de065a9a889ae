"""The whole list of an engine against the posted ledger, line after line."""

import hashlib
from decimal import Decimal

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.finance_connector_base.canonical import codec

from ..reconciliation.compare import DIFFERENCE, ORDER, PENDING, UNCOUNTED, Here, There, judge
from . import finance_tax_reconciliation_sql as sql
from .finance_tax_document import UNDECIDED

# Rows judged at once.
ROWS = 1000


class FinanceTaxReconciliation(models.Model):
    _inherit = "finance.tax.reconciliation"

    def _compare(self):
        """Compare the whole list with the ledger, in as many statements however long it is."""
        self.env.flush_all()
        values = self._values()
        for statement in (sql.EMPTY, sql.THERE, sql.HERE):
            self.env.cr.execute(SQL(statement, **values))
        digest, standing = self._judge_all(values)
        for statement in (sql.UNTOUCHED, sql.LISTED, sql.FORMER_TOTALS, sql.TOTALS):
            self.env.cr.execute(SQL(statement, **values))
        self.env.invalidate_all(flush=False)
        self.write(
            {
                "standing": standing,
                "compared_at": fields.Datetime.now(),
                "compared_by_id": self.started_by_id.id,
                "digest": digest,
            }
        )
        self._tell()
        self._note("tax.reconciled")

    def _judge_all(self, values):
        """Judge line after line, `ROWS` at a time; return (digest of all, the worst standing)."""
        digest, standing, place = hashlib.sha256(), ORDER, {"kind": "", "key": ""}
        while rows := self.env.execute_query(SQL(sql.BATCH, rows=ROWS, **place, **values)):
            place = dict(zip(("kind", "key"), rows[-1][1:3], strict=True))
            judged = [found for row in rows if (found := self._judged(row))]
            for _id, *found in judged:
                digest.update(codec.dump(found).encode())
            standing = _worst(standing, *(found[3] for found in judged))
            if judged:
                self.env.cr.execute_values(sql.JUDGED, judged, page_size=ROWS)
        return digest.hexdigest(), standing

    def _values(self):
        """Return what the statements of a comparison ask for."""
        companies = self._companies()
        return {
            "id": self.id,
            "run": self.run,
            "company": self.company_id.id,
            "connector": self.connector_id.id,
            "companies": companies.ids,
            "first": self.first,
            "last": self.last,
            "started": self.started_at,
            "undecided": UNDECIDED,
            "excused": UNCOUNTED,
            "since": self._served_since(),
            "unasked": self._unasked(companies).subselect(),
        }

    def _served_since(self):
        """Return when the engine began to serve the company: what is older was never its own."""
        workflows = self.env["finance.workflow"].sudo().with_context(active_test=False)
        return workflows.search(
            [
                ("flow", "=", "tax"),
                ("connector_id", "=", self.connector_id.id),
                ("company_id", "=", self.company_id.id),
            ]
        ).create_date

    def _unasked(self, companies):
        """Return the query of posted documents that the engine serves, but was never asked about."""
        workflows = (
            self.env["finance.workflow"]
            .sudo()
            .search(
                [
                    ("flow", "=", "tax"),
                    ("connector_id", "=", self.connector_id.id),
                    ("tax_calculates", "=", True),
                ]
            )
        )
        routes = self.env["finance.tax.route"]
        served = Domain.OR(routes._domain_of_engines(one, workflows) for one in companies)
        posted = Domain(
            [
                ("move_type", "in", ("out_invoice", "out_refund")),
                ("state", "=", "posted"),
                ("invoice_date", ">=", self.first),
                ("invoice_date", "<=", self.last),
                ("finance_tax_document_ids", "not any", [("state", "not in", UNDECIDED)]),
                # the engine has it with what it corrects
                ("finance_tax_true_up_id", "=", False),
                ("invoice_line_ids.display_type", "=", "product"),
            ]
        )
        return self.env["account.move"].sudo()._search(posted & served)

    def _judged(self, row):
        """Return (id, bucket, reason, standing, gap, fact) of a row of `BATCH`, None for nothing."""
        (
            id_, kind, key, status, there_day, there_currency, there_net, there_tax, there_by_key,
            locked, engine_id, move_id, posted, current, state, excuse, busy, stuck, moved,
            here_day, told, here_currency, here_net, here_tax, here_by_key,
        ) = row  # fmt: skip
        there = here = None
        if status:
            there = There(
                key, kind, status, there_day, there_currency or "",
                _amount(there_net), _amount(there_tax),
                _amounts(there_by_key), bool(locked), engine_id or "",
            )  # fmt: skip
        if move_id:
            here = Here(
                posted, current, state or "", here_day, here_currency,
                _amount(here_net), _amount(here_tax), _amounts(here_by_key), told, excuse or "", bool(busy), bool(stuck), bool(moved),
            )  # fmt: skip
        verdict = judge(here, there, self.first, self.last)
        if verdict is None:
            # nothing to tell: the line goes with those that this run has not touched
            return None
        told_of = (verdict.bucket, verdict.reason, there, here and here.tax, here and here.day)
        return (
            id_, verdict.bucket, verdict.reason or None, verdict.standing, verdict.gap,
            codec.digest([kind, key, *told_of]),
        )  # fmt: skip


def _amounts(by_key):
    return None if by_key is None else {key: _amount(text) for key, text in by_key.items()}


def _amount(text):
    """Return an amount without zeros at its end, so that equal amounts have equal digests."""
    return None if text is None else Decimal(text).normalize()


def _worst(*standings):
    return next((one for one in (DIFFERENCE, PENDING) if one in standings), ORDER)
