from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..fields import WeakMany2one


class FinanceJobKey(models.Model):
    """What was ever decided to be done at a vendor, once and for all.

    A key outlives its job, which is vacuumed: the same work can't be enqueued a second time, years
    later either.
    """

    _name = "finance.job.key"
    _inherit = ["finance.personal.mixin"]
    _description = "Idempotency Key"
    _log_access = False
    _rec_name = "key"

    connector_id = WeakMany2one("finance.connector", required=True)
    key = fields.Char(required=True)
    digest = fields.Char(help="SHA-256 of the canonical request; empty when it was erased")
    job_uuid = fields.Char()
    outcome = fields.Char(help="How the job ended; empty while it has not")

    _key_unique = models.Constraint(
        "UNIQUE (connector_id, key)", "This work is already recorded for this connector."
    )

    @api.model
    def _claim(self, rows):
        """Insert the keys that are new; return {(connector id, key): uuid of the job that has it}.

        rows: dicts with connector_id, key, request_digest, uuid. A concurrent insert of the same key
        ends in a serialization failure, which Odoo retries. Raises UserError where a key exists
        with another digest: the same work, decided differently.
        """
        known = self._by_key(
            """
            INSERT INTO finance_job_key (connector_id, key, digest, job_uuid) VALUES %s
            ON CONFLICT (connector_id, key) DO NOTHING
            RETURNING connector_id, key, digest, job_uuid
            """,
            [(r["connector_id"], r["key"], r["request_digest"], r["uuid"]) for r in rows],
        )
        keys = {(row["connector_id"], row["key"]) for row in rows}
        known |= self._by_key(
            """
            SELECT k.connector_id, k.key, k.digest, k.job_uuid
              FROM (VALUES %s) AS v(connector_id, key)
              JOIN finance_job_key k ON k.connector_id = v.connector_id AND k.key = v.key
            """,
            list(keys - known.keys()),
        )
        for row in rows:
            digest, _uuid = known[row["connector_id"], row["key"]]
            if digest is not None and digest != row["request_digest"]:
                raise UserError(
                    self.env._(
                        "The work %(key)s was already recorded with other content. Nothing was"
                        " enqueued. Make a new revision of the document instead of changing what"
                        " was decided.",
                        key=row["key"],
                    )
                )
        return {key: uuid for key, (_digest, uuid) in known.items()}

    def _by_key(self, query, rows):
        """Return {(connector id, key): (digest, job uuid)} of what ``query`` gives for VALUES."""
        found = self.env.cr.execute_values(query, rows, page_size=1000, fetch=True) if rows else []
        return {row[:2]: row[2:] for row in found}

    @api.model
    def _ended(self, keys, outcome):
        """Write how jobs ended; ``keys`` are tuples of connector id, key and job uuid.

        Found by the unique index, since this table is never emptied.
        """
        self.env.cr.execute_values(
            """
            UPDATE finance_job_key k SET outcome = v.outcome
              FROM (VALUES %s) AS v(connector_id, key, job_uuid, outcome)
             WHERE k.connector_id = v.connector_id AND k.key = v.key AND k.job_uuid = v.job_uuid
            """,
            [(*key, outcome) for key in keys],
        )

    # === ERASING === #

    @api.model
    def _personal_words(self):
        return self.env._("Digests of requests; what was sent once is still not sent again")

    @api.model
    def _personal_of(self, subject):
        return self._select(
            SQL(
                """
                digest IS NOT NULL AND (connector_id, key) IN (
                    SELECT COALESCE(connector_id, 0), data->>'key' FROM finance_audit_event
                     WHERE kind = 'job.enqueued' AND %s AND (trace_id = ANY(%s) OR %s))
                """,
                subject.of_companies(),
                subject.traces,
                subject.about(("res_model", "res_id")),
            )
        )

    def _erase_personal(self, basis):
        self._empty("digest")
