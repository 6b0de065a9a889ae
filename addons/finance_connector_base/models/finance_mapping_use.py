"""Which version of a mapping was used for what."""

from odoo import api, fields, models

from ..fields import WeakMany2one

# One row per version, company and document; the same again is counted.
UPSERT = """
INSERT INTO finance_mapping_use AS used (
    version_id, company_id, res_model, res_id, job_key, trace_id, day, found, missing, times,
    first_at, last_at)
VALUES %s
ON CONFLICT (version_id, company_id, res_model, res_id) DO UPDATE
   SET found = used.found + EXCLUDED.found, missing = used.missing + EXCLUDED.missing,
       times = used.times + 1, day = EXCLUDED.day, job_key = EXCLUDED.job_key,
       trace_id = EXCLUDED.trace_id, last_at = EXCLUDED.last_at
"""
ROW = """(%s, %s, %s, %s, %s, %s, %s, %s, %s, 1,
          now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')"""


class FinanceMappingUse(models.Model):
    """That a document, run or job was translated by a version: how many values, when."""

    _name = "finance.mapping.use"
    _inherit = ["finance.weak.mixin"]
    _description = "Use of a Mapping"
    _log_access = False
    _order = "last_at desc, id desc"
    _rec_name = "res_model"

    version_id = fields.Many2one(
        "finance.mapping.version", required=True, readonly=True, ondelete="restrict"
    )
    mapping_id = fields.Many2one(related="version_id.mapping_id")
    company_id = WeakMany2one("res.company", readonly=True)
    res_model = fields.Char("Record Model", required=True, readonly=True)
    res_id = fields.Many2oneReference("Record", model_field="res_model", readonly=True)
    record_name = fields.Char("Used by", compute="_compute_record_name")
    job_key = fields.Char(readonly=True)
    trace_id = fields.Char("Trace", readonly=True)
    day = fields.Date("Business Day", readonly=True)
    found = fields.Integer("Values", readonly=True)
    missing = fields.Integer("Without a Code", readonly=True)
    times = fields.Integer(readonly=True)
    first_at = fields.Datetime("First", readonly=True)
    last_at = fields.Datetime("Last", readonly=True)

    _once = models.Constraint(
        "UNIQUE (version_id, company_id, res_model, res_id)",
        "What uses a version is counted on one row.",
    )
    _record_index = models.Index("(res_model, res_id)")

    @api.depends("res_model", "res_id")
    @api.depends_context("lang", "uid")
    def _compute_record_name(self):
        names = self._names_of((row.res_model, row.res_id) for row in self)
        for row in self:
            row.record_name = names.get((row.res_model, row.res_id), "")

    @api.model
    def _note(self, answers, record, job=None):
        """Note that ``record`` was translated with these `Answer`s; ``job``: by which job.

        One statement for all of them; nothing for an answer without a version.
        """
        rows = [
            (
                answer.version_id,
                answer.company_id,
                record._name,
                record.id,
                job.key if job else None,
                job.trace_id if job else None,
                answer.day,
                len(answer.found),
                len(answer.missing),
            )
            for answer in sorted(answers, key=lambda answer: answer.version_id or 0)
            if answer.version_id
        ]
        merged = {}
        for row in rows:
            key = row[:4]
            former = merged.get(key)
            merged[key] = (
                row if former is None else row[:7] + (row[7] + former[7], row[8] + former[8])
            )
        if merged:
            self.env.cr.execute_values(UPSERT, list(merged.values()), template=ROW)
            self.invalidate_model()

    def action_open_record(self):
        """Open what used it."""
        self.ensure_one()
        return self._open_weak(self.res_model, self.res_id)
