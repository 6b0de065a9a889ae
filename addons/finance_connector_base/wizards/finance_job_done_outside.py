from odoo import fields, models


class FinanceJobDoneOutside(models.TransientModel):
    """Records that a person did by hand at the vendor what jobs were to do."""

    _name = "finance.job.done.outside"
    _description = "Done Outside"

    job_ids = fields.Many2many("finance.job", required=True, readonly=True)
    reference = fields.Char(required=True, help="The vendor's number, or where the proof is")
    date = fields.Date("Done on", required=True, default=fields.Date.context_today)
    attachment_ids = fields.Many2many("ir.attachment", string="Proof")

    def action_confirm(self):
        """End the jobs without sending anything; their keys stay used."""
        self.ensure_one()
        self.job_ids._done_outside(self.reference, self.date)
        for job in self.job_ids:
            self.attachment_ids.sudo().copy({"res_model": "finance.job", "res_id": job.id})
        # Words and proofs are where they belong; copies here could not be erased with them.
        self.attachment_ids.filtered(lambda proof: proof.res_model == self._name).sudo().unlink()
        self.unlink()
        return {"type": "ir.actions.act_window_close"}
