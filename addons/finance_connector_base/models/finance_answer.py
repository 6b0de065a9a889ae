from odoo import api, fields, models
from odoo.fields import NO_ACCESS

from ..fields import WeakMany2one
from ..lanes.link import link_of
from ..vault import VaultError


class FinanceAnswer(models.Model):
    """The vendor's answers to questions, found again by the content of the question.

    Written on the own connection: a business transaction that Odoo runs a second time after a
    serialization failure finds the answer of the first time, and asks nothing twice.
    """

    _name = "finance.answer"
    _inherit = ["finance.sealed.mixin"]
    _description = "Remembered Answer"
    _log_access = False
    _sealed_parts = {"answer": "answer"}
    _rec_name = "operation"

    uuid = fields.Char()
    connector_id = WeakMany2one("finance.connector", required=True)
    operation = fields.Char(required=True)
    digest = fields.Char(required=True)
    answer = fields.Binary(attachment=False, groups=NO_ACCESS)
    asked_at = fields.Datetime(index=True)

    _question_unique = models.Constraint(
        "UNIQUE (connector_id, operation, digest)", "A question has one answer."
    )

    @api.model
    def _known(self, connector, operation, digests, hours):
        """Return {digest: answer text} of the answers that are at most ``hours`` old."""
        rows = link_of(self.env, durable=False).execute(
            """
            SELECT digest, uuid, answer FROM finance_answer
             WHERE connector_id = %s AND operation = %s AND digest = ANY(%s)
               AND asked_at > now() AT TIME ZONE 'UTC' - interval '1 hour' * %s
            """,
            (connector.id, operation, list(digests), hours),
        )
        vault = self.env["finance.vault"]._vault() if rows else None
        known = {}
        for digest, uuid, sealed in rows:
            try:
                text = vault.open(bytes(sealed), self._name, uuid, "answer")
            except VaultError:
                # sealed with a key that is gone, or in another database: the vendor is asked anew
                continue
            known[digest] = text.decode()
        return known

    @api.model
    def _remember(self, connector, operation, digest, text, uuid):
        """Keep the answer ``text`` to the question with ``digest``."""
        vault = self.env["finance.vault"]._vault()
        sealed = vault.seal(text.encode(), self._name, uuid, "answer")
        link_of(self.env, durable=False).execute(
            """
            INSERT INTO finance_answer (uuid, connector_id, operation, digest, answer, asked_at)
            VALUES (%s, %s, %s, %s, %s, now() AT TIME ZONE 'UTC')
            ON CONFLICT (connector_id, operation, digest) DO UPDATE
               SET uuid = EXCLUDED.uuid, answer = EXCLUDED.answer, asked_at = EXCLUDED.asked_at
            """,
            (uuid, connector.id, operation, digest, sealed),
        )

    @api.autovacuum
    def _vacuum(self):
        """Forget answers older than 100 days: no vendor's quote lives longer."""
        self.env.cr.execute(
            """
            DELETE FROM finance_answer WHERE id = ANY(ARRAY(
                SELECT id FROM finance_answer
                 WHERE asked_at < now() AT TIME ZONE 'UTC' - interval '100 days' LIMIT 5000))
            """
        )
