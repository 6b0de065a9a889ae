from odoo import api, fields, models
from odoo.fields import NO_ACCESS
from odoo.tools import SQL

from ..fields import WeakMany2one
from ..lanes.link import link_of
from ..vault import VaultError


class FinanceAnswer(models.Model):
    """The vendor's answers to questions, found again by the content of the question.

    Written on the own connection: a business transaction that Odoo runs a second time after a
    serialization failure finds the answer of the first time, and asks nothing twice.
    """

    _name = "finance.answer"
    _inherit = ["finance.sealed.mixin", "finance.personal.mixin"]
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
    trace_id = fields.Char(index="btree_not_null", help="Of the document that it was asked for.")

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
    def _remember(self, connector, operation, digest, text, uuid, trace_id=None):
        """Keep the answer ``text`` to the question with ``digest``, asked for ``trace_id``."""
        self._remember_many(connector, operation, [(digest, text, uuid, trace_id)])

    @api.model
    def _remember_many(self, connector, operation, answers):
        """Keep rows of (digest of the question, answer text, new uuid, trace id or None)."""
        if not answers:
            return
        vault = self.env["finance.vault"]._vault()
        link_of(self.env, durable=False).execute_values(
            """
            INSERT INTO finance_answer (
                uuid, connector_id, operation, digest, answer, trace_id, asked_at)
            VALUES %s
            ON CONFLICT (connector_id, operation, digest) DO UPDATE
               SET uuid = EXCLUDED.uuid, answer = EXCLUDED.answer, trace_id = EXCLUDED.trace_id,
                   asked_at = EXCLUDED.asked_at
            """,
            [
                (
                    uuid,
                    connector.id,
                    operation,
                    digest,
                    vault.seal(text.encode(), self._name, uuid, "answer"),
                    trace_id or None,
                )
                for digest, text, uuid, trace_id in answers
            ],
            "(%s, %s, %s, %s, %s, %s, now() AT TIME ZONE 'UTC')",
        )

    # === ERASING === #

    @api.model
    def _personal_words(self):
        return self.env._("Remembered answers of vendors")

    @api.model
    def _personal_of(self, subject):
        return self._select(SQL("trace_id = ANY(%s)", subject.traces))

    def _erase_personal(self, basis):
        self.env.cr.execute("DELETE FROM finance_answer WHERE id = ANY(%s)", [self.ids])
        self.invalidate_model()

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
