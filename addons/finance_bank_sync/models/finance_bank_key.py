from odoo import api, fields, models
from odoo.tools import SQL

from ..matching import references

# Documents whose words are not the ones that their keys were made from: what is open, and invoices of
# two years, since naming one that is paid is a doubt.
STALE = """
    SELECT move.id, words.text, known.id IS NOT NULL
      FROM account_move move
      LEFT JOIN account_payment payment ON payment.id = move.origin_payment_id
      CROSS JOIN LATERAL (SELECT concat_ws(E'\n', NULLIF(move.name, '/'), move.ref,
             move.payment_reference, payment.memo, payment.payment_reference) AS text) words
      LEFT JOIN finance_bank_key known ON known.move_id = move.id AND known.is_words
     WHERE move.state = 'posted' AND move.company_id = ANY(%s)
       AND (known.id IS NULL OR known.key <> md5(words.text))
       AND ((move.move_type <> 'entry' AND move.date > CURRENT_DATE - 730) OR EXISTS (
           SELECT FROM account_move_line item JOIN account_account account
                  ON account.id = item.account_id AND account.reconcile
            WHERE item.move_id = move.id AND item.reconciled IS NOT TRUE
              AND item.statement_line_id IS NULL))
"""


class FinanceBankKey(models.Model):
    """What numbers of documents may be written like in the text of a payment: an index.

    Kept apart from journal entries, so that posting them costs nothing; brought up to date for
    what is new when lines are matched. Nothing refers to it.
    """

    _name = "finance.bank.key"
    _description = "Number of an Open Document"
    _log_access = False

    move_id = fields.Integer(required=True, index=True)
    key = fields.Char(required=True, index=True)
    is_words = fields.Boolean(help="Digest of the words that the keys were made from.")

    @api.model
    def _refresh(self, company_ids):
        """Write the keys of documents that are new or renamed; return how many they were."""
        flush = ("name", "ref", "payment_reference", "state")
        self.env["account.move"].flush_model(flush)
        self.env["account.move.line"].flush_model(["reconciled", "account_id"])
        self.env["account.payment"].flush_model(["memo", "payment_reference"])
        self.flush_model()
        stale = self.env.execute_query(SQL(STALE, company_ids))
        renamed = [move for move, _words, known in stale if known]
        if renamed:
            self.env.cr.execute("DELETE FROM finance_bank_key WHERE move_id = ANY(%s)", [renamed])
        moves, keys, words = [], [], []
        for move, text, _known in stale:
            found = {key for name in text.split("\n") for key in references.number_keys(name)}
            moves += [move] * len(found)
            keys += [key[:200] for key in found]
            words.append(text)
        self.env.cr.execute(
            "INSERT INTO finance_bank_key (move_id, key, is_words)"
            " SELECT *, false FROM unnest(%s::int[], %s::varchar[])"
            " UNION ALL SELECT move, md5(text), true FROM unnest(%s::int[], %s::text[])"
            " AS named (move, text)",
            [moves, keys, [move for move, _words, _known in stale], words],
        )
        return len(stale)

    @api.model
    def _find(self, keys):
        """Return the ids of the moves that any of ``keys`` may mean."""
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT known.move_id FROM unnest(%s::varchar[]) AS wanted (key)"
                " JOIN finance_bank_key known ON known.key = wanted.key AND NOT known.is_words",
                list(keys),
            )
        )
        return [move for (move,) in rows]
