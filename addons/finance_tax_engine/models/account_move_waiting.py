from odoo import fields, models

# States of work that go on by themselves never, or only when a person has decided.
STUCK = ("dead", "uncertain")


class AccountMove(models.Model):
    """An invoice says when what should happen at the engine waits behind what is stuck."""

    _inherit = "account.move"

    finance_tax_waiting = fields.Char(
        "Why the engine waits", compute="_compute_finance_tax_waiting"
    )

    def _compute_finance_tax_waiting(self):
        blockers = self.env["finance.job"]._unfinished(self._origin)._blockers()
        stuck = {
            job.document_id: (job, blocker)
            for job, blocker in blockers.items()
            if blocker.state in STUCK or blocker._is_held()
        }
        for move in self:
            pair = stuck.get(move._origin.id)
            move.finance_tax_waiting = pair and self._finance_tax_waits(*pair)

    def _finance_tax_waits(self, job, blocker):
        return self.env._(
            "“%(work)s” waits behind “%(blocker)s”, which is: %(state)s. Settle that first; the"
            " timeline says what happened.",
            work=job.operation_name,
            blocker=blocker.operation_name,
            state=blocker._situation_words(),
        )
