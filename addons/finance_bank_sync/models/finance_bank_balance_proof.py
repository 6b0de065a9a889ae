"""Do the bank's balances follow from each other, and does the ledger agree: one row a day."""

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.finance_connector_base.actions import listing


class FinanceBankBalanceProof(models.Model):
    """One closing balance of one account against what came before, and against the ledger.

    A view of the database: it says what is true now, with one query however many accounts and days.
    """

    _name = "finance.bank.balance.proof"
    _description = "Proof of Bank Balances"
    _auto = False
    _order = "day desc, journal_id"
    _rec_name = "day"

    company_id = fields.Many2one("res.company", readonly=True)
    journal_id = fields.Many2one("account.journal", "Account", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    day = fields.Date(readonly=True)
    previous_day = fields.Date("Last Balance of", readonly=True)
    opening = fields.Monetary("Last Closing Balance", readonly=True, aggregator=None)
    told_opening = fields.Monetary("Opening Balance Told", readonly=True, aggregator=None)
    moved = fields.Monetary("Movements", readonly=True)
    entry_count = fields.Integer("Entries", readonly=True)
    closing = fields.Monetary("Closing Balance", readonly=True, aggregator=None)
    gap = fields.Monetary(
        "Movements Missing", readonly=True, help="Closing balance less last one and movements."
    )
    opening_gap = fields.Monetary(
        "Opening Differs", readonly=True, help="Opening balance told less the last closing balance."
    )
    ledger = fields.Monetary(readonly=True, aggregator=None)
    ledger_gap = fields.Monetary(
        "Ledger Differs", readonly=True, help="Ledger of the bank account less the closing balance."
    )
    unmatched = fields.Monetary(
        "Not Matched", readonly=True, aggregator=None, help="Bank lines of until then in suspense."
    )
    held = fields.Monetary(
        "Held", readonly=True, aggregator=None, help="Told by the bank until then and not booked."
    )
    is_month_last = fields.Boolean("Last of the Month", readonly=True)
    standing = fields.Selection(
        [("first", "First balance"), ("proved", "Proved"), ("broken", "Does not add up")],
        readonly=True,
    )

    @property
    def _table_query(self):
        """Rows are worked out when they are read; the journal's currency decides what counts."""
        return SQL(
            """
            WITH told AS (
                SELECT DISTINCT ON (balance.journal_id, balance.day)
                       balance.id, balance.company_id, balance.journal_id, balance.day,
                       balance.amount, balance.currency_id, balance.received_at
                  FROM finance_bank_balance AS balance
                  JOIN account_journal AS journal ON journal.id = balance.journal_id
                  JOIN res_company AS company ON company.id = journal.company_id
                 WHERE balance.type = 'CLBD' AND balance.day IS NOT NULL
                   AND COALESCE(balance.subtype, '') <> 'INTM'
                   AND balance.currency_id = COALESCE(journal.currency_id, company.currency_id)
                 ORDER BY balance.journal_id, balance.day, balance.received_at DESC, balance.id DESC
            ), days AS (
                SELECT told.*, lag(told.day) OVER own AS previous_day,
                       lag(told.amount) OVER own AS opening,
                       to_char(lead(told.day) OVER own, 'YYYY-MM') IS DISTINCT FROM
                       to_char(told.day, 'YYYY-MM') AS is_month_last
                  FROM told WINDOW own AS (PARTITION BY told.journal_id ORDER BY told.day)
            ), openings AS (
                SELECT DISTINCT ON (journal_id, day) journal_id, day, amount
                  FROM finance_bank_balance
                 WHERE type = 'OPBD' AND COALESCE(subtype, '') <> 'INTM'
                 ORDER BY journal_id, day, received_at DESC, id DESC
            ), booked AS (
                SELECT journal_id, booking_date, sum(amount) AS amount, count(*) AS number,
                       sum(amount) FILTER (WHERE state <> 'created') AS held
                  FROM finance_bank_entry
                 WHERE status = 'booked' AND state IN ('received', 'created', 'held')
                 GROUP BY journal_id, booking_date
            ), items AS (
                SELECT journal.id AS journal_id, line.date,
                       sum(CASE WHEN journal.currency_id IS NULL
                                  OR journal.currency_id = company.currency_id THEN line.balance
                                WHEN line.currency_id = journal.currency_id
                                THEN line.amount_currency ELSE 0 END)
                       FILTER (WHERE line.account_id = journal.default_account_id) AS bank,
                       sum(CASE WHEN journal.currency_id IS NULL
                                  OR journal.currency_id = company.currency_id THEN line.balance
                                WHEN line.currency_id = journal.currency_id
                                THEN line.amount_currency ELSE 0 END)
                       FILTER (WHERE line.account_id = journal.suspense_account_id
                                 AND line.journal_id = journal.id) AS suspense
                  FROM account_journal AS journal
                  JOIN res_company AS company ON company.id = journal.company_id
                  JOIN account_move_line AS line
                    ON line.account_id IN (journal.default_account_id, journal.suspense_account_id)
                  JOIN res_company AS owner ON owner.id = line.company_id
                   AND owner.parent_path LIKE company.parent_path || '%%'
                 WHERE journal.id IN (SELECT journal_id FROM told) AND line.parent_state = 'posted'
                 GROUP BY journal.id, line.date
            ), running AS (
                SELECT journal_id, date,
                       sum(bank) OVER own AS bank, sum(suspense) OVER own AS suspense
                  FROM items WINDOW own AS (PARTITION BY journal_id ORDER BY date)
            ), held AS (
                SELECT journal_id, booking_date,
                       sum(held) OVER (PARTITION BY journal_id ORDER BY booking_date) AS amount
                  FROM booked
            ), proof AS (
                SELECT days.id, days.company_id, days.journal_id, days.currency_id, days.day,
                       days.previous_day, days.opening, days.amount AS closing,
                       days.is_month_last,
                       COALESCE(moved.amount, 0) AS moved, COALESCE(moved.number, 0) AS entry_count,
                       first.amount AS told_opening,
                       days.amount - days.opening - COALESCE(moved.amount, 0) AS gap,
                       first.amount - days.opening AS opening_gap,
                       COALESCE(ledger.bank, 0) AS ledger,
                       COALESCE(ledger.bank, 0) - days.amount AS ledger_gap,
                       -COALESCE(ledger.suspense, 0) AS unmatched,
                       COALESCE(held.amount, 0) AS held
                  FROM days
             LEFT JOIN LATERAL (
                       SELECT sum(amount) AS amount, sum(number) AS number FROM booked
                        WHERE booked.journal_id = days.journal_id
                          AND booked.booking_date > days.previous_day
                          AND booked.booking_date <= days.day
                       ) AS moved ON true
             LEFT JOIN LATERAL (
                       SELECT amount FROM openings
                        WHERE openings.journal_id = days.journal_id
                          AND openings.day > days.previous_day AND openings.day <= days.day
                        ORDER BY openings.day LIMIT 1
                       ) AS first ON true
             LEFT JOIN LATERAL (
                       SELECT bank, suspense FROM running
                        WHERE running.journal_id = days.journal_id AND running.date <= days.day
                        ORDER BY running.date DESC LIMIT 1
                       ) AS ledger ON true
             LEFT JOIN LATERAL (
                       SELECT amount FROM held
                        WHERE held.journal_id = days.journal_id AND held.booking_date <= days.day
                        ORDER BY held.booking_date DESC LIMIT 1
                       ) AS held ON true
            )
            SELECT proof.*,
                   CASE WHEN previous_day IS NULL THEN 'first'
                        WHEN round(gap::numeric, 4) <> 0
                          OR round(COALESCE(opening_gap, 0)::numeric, 4) <> 0 THEN 'broken'
                        ELSE 'proved' END AS standing
              FROM proof
            """
        )

    @api.readonly
    def action_entries(self):
        """List the bank's entries between the two balances."""
        self.ensure_one()
        domain = [("journal_id", "=", self.journal_id.id), ("booking_date", "<=", self.day)]
        if self.previous_day:
            domain.append(("booking_date", ">", self.previous_day))
        return listing(self.env._("Entries"), "finance.bank.entry", domain)
