"""Jobs that a restored database, or a copy, might send a second time: a person decides on each."""

import logging
from functools import partial

import psycopg2

from odoo import api, fields, models
from odoo.tools import SQL

from ..lanes.mark import HighWater
from .finance_operation import CHANGING

_logger = logging.getLogger(__name__)


class FinanceJob(models.Model):
    """What people see of a held job, and what they may do with it."""

    _inherit = "finance.job"

    amount = fields.Monetary(compute="_compute_amount")
    currency_id = fields.Many2one("res.currency", compute="_compute_amount")
    can_query = fields.Boolean("Vendor can be asked", compute="_compute_can_query")

    @api.depends("document_model", "document_id")
    def _compute_amount(self):
        exceptions = self.env["finance.exception"]
        for job in self:
            document = job.sudo()._document()
            facts = exceptions._facts_of(document) if document else {}
            job.amount = facts.get("amount") or 0.0
            job.currency_id = facts.get("currency_id")

    @api.depends("operation")
    def _compute_can_query(self):
        for job in self:
            operation = self.env.get(f"finance.operation.{job.operation}")
            job.can_query = operation is not None and operation._can_query()

    def action_release(self):
        """A person vouches for held jobs: the vendor has not done them, or knows a repetition."""
        self._press("release", "group_approver", "group_controller")
        self._unhold("pending", "job.released")

    def action_query(self):
        """Ask the vendor what became of it; of a held job too, which goes out if it was not done."""
        held = self.filtered("held_reason")
        if held:
            held._press("query", "group_user")
            held._check_can_query()
            held._unhold("uncertain", "job.asked")
        return super(FinanceJob, self - held).action_query() if self - held else None

    def action_cancel(self):
        """End without doing it. After a restore it is remembered outside of the database."""
        result = super().action_cancel()
        self._remember_outside()
        return result

    def _done_outside(self, reference, day):
        held = self.filtered("held_reason")
        super()._done_outside(reference, day)
        self._remember_outside()
        if held:
            self.env["finance.restore"]._settle()

    def _unhold(self, state, kind):
        """Let held jobs go on in ``state``; from now on they count as sent at least once."""
        if not self:
            return
        self._sql(
            SQL(
                """state = %s, held_reason = NULL, attempts = 0, apply_attempts = 0, solo = false,
                worker = NULL, due_at = now() AT TIME ZONE 'UTC',
                called_at = COALESCE(called_at, now() AT TIME ZONE 'UTC')""",
                state,
            )
        )
        for job in self:
            job._note(kind)
        self.env["finance.exception"]._resolve(job=self, note=kind)
        self.env["finance.restore"]._settle()
        self._wake()

    def _remember_outside(self):
        """Count what people have ended by hand: a backup from before must not send it.

        After the commit, because lanes count all the time and would conflict.
        """
        effects = self.filtered(lambda job: job.effect in CHANGING)
        if effects:
            self.env.cr.postcommit.add(partial(_count, HighWater(self.env), len(effects)))


def _count(water, jobs):
    try:
        water.count(jobs)
    except (OSError, psycopg2.Error):
        _logger.warning("The high-water mark %s was not written", water.path, exc_info=True)
