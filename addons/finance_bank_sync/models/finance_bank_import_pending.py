"""Entries that the bank announces, and what becomes of them."""

from odoo import models
from odoo.tools import SQL

from ..canonical.statement import STATEMENT

# A pending entry is looked for among what is booked within so many days.
PENDING_DAYS = 10
# When a statement has told so many days more, what was announced is no longer expected.
VANISHED_DAYS = 5


class FinanceBankImport(models.Model):
    _inherit = "finance.bank.import"

    def _decide_pending(self, journal):
        """Tell again, booked or vanished: what is announced never makes a bank line."""
        if not self._has_pending(journal):
            return
        ids = {"import": self.id, "journal": journal.id, "days": PENDING_DAYS}
        for query in (TOLD_AGAIN, WITHDRAWN, BOOKED_BY_ID, BOOKED_BY_CONTENT):
            self.env.cr.execute(query, ids)
        self._close_vanished(journal)

    def _has_pending(self, journal):
        query = "SELECT FROM finance_bank_entry WHERE journal_id = %s AND state = 'pending' LIMIT 1"
        self.env.cr.execute(query, (journal.id,))
        return bool(self.env.cr.rowcount)

    def _close_vanished(self, journal):
        """Close what is no longer announced: a pull lists all; a statement goes on without it."""
        statements = self.statement_ids.filtered(lambda one: one.journal_id == journal)
        if self.source == "api":
            # a pull without a period tells what has changed, not all that there is
            formats = [one.format for one in statements if one.start_date]
            condition = SQL("source = ANY(%s)", formats)
        else:
            ends = [one.end_date for one in statements if one.kind == STATEMENT and one.end_date]
            last = max(ends, default=None)
            condition = SQL("booking_date + %s <= %s", VANISHED_DAYS, last)
        self.env.cr.execute(
            SQL(
                """
                UPDATE finance_bank_entry SET state = 'removed', reason = '{"code": "vanished"}'
                 WHERE journal_id = %s AND state = 'pending' AND import_id <> %s AND %s
                """,
                journal.id,
                self.id,
                condition,
            )
        )


# The newest telling counts.
TOLD_AGAIN = """
UPDATE finance_bank_entry old
   SET state = 'removed', duplicate_of_id = new.id, reason = '{"code": "again"}'
  FROM finance_bank_entry new
 WHERE new.import_id = %(import)s AND new.journal_id = %(journal)s AND new.state = 'pending'
   AND old.journal_id = new.journal_id AND old.state = 'pending' AND old.import_id <> new.import_id
   AND old.share = new.share
   AND CASE WHEN old.namespace = new.namespace AND old.unique_id IS NOT NULL
                 AND new.unique_id IS NOT NULL
            THEN old.unique_id = new.unique_id
            ELSE old.fingerprint = new.fingerprint END
"""
WITHDRAWN = """
UPDATE finance_bank_entry old SET state = 'removed', reason = '{"code": "vanished"}'
  FROM finance_bank_entry new
 WHERE new.import_id = %(import)s AND new.journal_id = %(journal)s AND new.removes
   AND old.journal_id = new.journal_id AND old.state = 'pending' AND old.namespace = new.namespace
   AND old.unique_id = new.corrects
"""
# With the id that the bank names, else with the same id.
BOOKED_BY_ID = """
UPDATE finance_bank_entry old
   SET state = 'removed', duplicate_of_id = COALESCE(new.original, new.id),
       reason = '{"code": "booked"}'
  FROM (SELECT n.*, CASE WHEN n.state = 'skipped' THEN n.duplicate_of_id END AS original
          FROM finance_bank_entry n) new
 WHERE new.import_id = %(import)s AND new.journal_id = %(journal)s AND new.status = 'booked'
   AND NOT new.removes AND old.journal_id = new.journal_id AND old.state = 'pending'
   AND old.share = new.share AND old.namespace = new.namespace
   AND old.unique_id IN (new.corrects, new.unique_id)
"""
# By reference or text; each booking answers for one, and each announced one for one booking.
BOOKED_BY_CONTENT = """
WITH pairs AS (
    SELECT old.id AS old_id, new.id AS new_id,
           COALESCE(CASE WHEN new.state = 'skipped' THEN new.duplicate_of_id END, new.id) AS booking,
           row_number() OVER (PARTITION BY old.id ORDER BY
               (old.end_to_end_id = new.end_to_end_id) DESC NULLS LAST,
               new.booking_date, new.id) AS by_old,
           row_number() OVER (PARTITION BY new.id ORDER BY
               (old.end_to_end_id = new.end_to_end_id) DESC NULLS LAST,
               old.booking_date, old.id) AS by_new
      FROM finance_bank_entry new
      JOIN finance_bank_entry old
        ON old.journal_id = new.journal_id AND old.state = 'pending'
       AND old.entry_amount = new.entry_amount AND old.share = 1
       AND (old.booking_date IS NULL
            OR new.booking_date BETWEEN old.booking_date AND old.booking_date + %(days)s)
       AND (old.end_to_end_id = new.end_to_end_id
            OR (old.end_to_end_id IS NULL OR new.end_to_end_id IS NULL)
               AND (upper(old.remittance) = upper(new.remittance)
                    OR old.partner_account = new.partner_account
                    OR upper(old.partner_name) = upper(new.partner_name)
                    OR old.servicer_reference = new.servicer_reference))
     WHERE new.import_id = %(import)s AND new.journal_id = %(journal)s AND new.share = 1
       AND new.status = 'booked' AND new.state IN ('received', 'skipped', 'held')
       AND NOT new.removes)
UPDATE finance_bank_entry old
   SET state = 'removed', duplicate_of_id = first.booking, reason = '{"code": "booked"}'
  FROM (SELECT * FROM pairs WHERE by_old = by_new) first
  JOIN finance_bank_entry announced ON announced.id = first.old_id
 WHERE old.bank_statement_id = announced.bank_statement_id
   AND old.position = announced.position AND old.state = 'pending'
"""
