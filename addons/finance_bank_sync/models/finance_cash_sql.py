"""The questions of a cash position: each one statement of SQL about all accounts in scope."""

from datetime import timedelta

from odoo.tools import SQL

COUNTED = ["received", "created", "held"]
# A balance per bank: which of several of one day says most, best first.
TYPES = ["CLBD", "PRCD", "OPBD", "ITBD"]

# Partners that are entities of ours.
_OURS = SQL(
    "SELECT partner.commercial_partner_id FROM res_company AS company"
    " JOIN res_partner AS partner ON partner.id = company.partner_id"
)
# Bank accounts of ours with their journals.
_OWN_ACCOUNTS = SQL(
    """
    SELECT journal.id AS journal_id, journal.company_id, bank.sanitized_acc_number AS number,
           COALESCE(journal.currency_id, company.currency_id) AS currency_id
      FROM account_journal AS journal
      JOIN res_company AS company ON company.id = journal.company_id
      JOIN res_partner_bank AS bank ON bank.id = journal.bank_account_id
     WHERE journal.active AND bank.sanitized_acc_number <> ''
    """
)
_NUMBER = SQL("upper(regexp_replace(entry.partner_account, '[^A-Za-z0-9]', '', 'g'))")


def balances(scope):
    """Return SQL for the newest booked balance of each account, and what was booked since."""
    return SQL(
        """
        SELECT newest.*, COALESCE(since.amount, 0) AS moved
          FROM (
            SELECT DISTINCT ON (told.journal_id) told.journal_id, told.ends, told.amount, told.type,
                   told.source, told.received_at
              FROM (
                SELECT balance.*, CASE WHEN balance.type = 'OPBD' THEN balance.day - 1
                                       ELSE balance.day END AS ends
                  FROM finance_bank_balance AS balance
                  JOIN account_journal AS journal ON journal.id = balance.journal_id
                  JOIN res_company AS company ON company.id = journal.company_id
                 WHERE balance.journal_id = ANY(%(journals)s) AND balance.type = ANY(%(types)s)
                   AND COALESCE(balance.subtype, '') <> 'INTM'
                   AND balance.currency_id = COALESCE(journal.currency_id, company.currency_id)
              ) AS told
             WHERE told.ends <= %(day)s
             ORDER BY told.journal_id, told.ends DESC, array_position(%(types)s, told.type::text),
                      told.received_at DESC, told.id DESC
          ) AS newest
     LEFT JOIN LATERAL (
            SELECT sum(entry.amount) AS amount FROM finance_bank_entry AS entry
             WHERE entry.journal_id = newest.journal_id AND entry.status = 'booked'
               AND entry.state = ANY(%(counted)s)
               AND entry.booking_date > newest.ends AND entry.booking_date <= %(day)s
          ) AS since ON true
        """,
        journals=scope.journals.ids,
        types=TYPES,
        day=scope.day,
        counted=COUNTED,
    )


def ledger(scope):
    """Return SQL for the ledger's balance of each account, in its currency."""
    return SQL(
        """
        SELECT journal.id AS journal_id,
               sum(CASE WHEN journal.currency_id IS NULL
                          OR journal.currency_id = company.currency_id THEN line.balance
                        WHEN line.currency_id = journal.currency_id
                        THEN line.amount_currency ELSE 0 END) AS amount
          FROM account_journal AS journal
          JOIN res_company AS company ON company.id = journal.company_id
          JOIN account_move_line AS line ON line.account_id = journal.default_account_id
          JOIN res_company AS owner ON owner.id = line.company_id
           AND owner.parent_path LIKE company.parent_path || '%%'
         WHERE journal.id = ANY(%s) AND line.parent_state = 'posted' AND line.date <= %s
         GROUP BY journal.id
        """,
        scope.journals.ids,
        scope.day,
    )


def later_values(scope):
    """Return SQL for what is booked and has its value later, by account and value date."""
    return SQL(
        """
        SELECT journal_id, value_date, sum(amount) AS amount, count(*) AS number
          FROM finance_bank_entry
         WHERE journal_id = ANY(%s) AND status = 'booked' AND state = ANY(%s)
           AND booking_date <= %s AND value_date > %s
         GROUP BY journal_id, value_date
        """,
        scope.journals.ids,
        COUNTED,
        scope.day,
        scope.day,
    )


def own_movements(scope, days):
    """Return SQL for entries of the last days whose other side is an account of ours.

    Of several accounts with one number (one for each currency) the one in the same currency is it.
    """
    return SQL(
        """
        SELECT DISTINCT ON (entry.id) entry.id, entry.journal_id, own.journal_id AS other_id,
               COALESCE(entry.booking_date, entry.value_date, %(day)s) AS booking_date,
               entry.amount, entry.currency_id, entry.end_to_end_id,
               entry.status = 'pending' AS pending
          FROM finance_bank_entry AS entry
          JOIN (%(own)s) AS own ON own.number = %(number)s AND own.journal_id <> entry.journal_id
         WHERE entry.journal_id = ANY(%(journals)s)
           AND (entry.status = 'booked' AND entry.state = ANY(%(counted)s)
                OR entry.status = 'pending' AND entry.state = 'pending')
           AND COALESCE(entry.booking_date, entry.value_date, %(day)s)
               BETWEEN %(since)s AND %(day)s
         ORDER BY entry.id, own.currency_id = entry.currency_id DESC, own.journal_id
        """,
        own=_OWN_ACCOUNTS,
        number=_NUMBER,
        journals=scope.journals.ids,
        counted=COUNTED,
        since=scope.day - timedelta(days=days),
        day=scope.day,
    )


def pending(scope, told):
    """Return SQL for pending entries by account and value date, but those with an id in ``told``."""
    return SQL(
        """
        SELECT entry.journal_id, COALESCE(entry.value_date, entry.booking_date) AS value_date,
               own.number IS NOT NULL AS is_intercompany, sum(entry.amount) AS amount,
               count(*) AS number
          FROM finance_bank_entry AS entry
     LEFT JOIN LATERAL (
               SELECT number FROM (%s) AS own WHERE own.number = %s
                  AND own.company_id <> entry.company_id LIMIT 1
               ) AS own ON true
         WHERE entry.journal_id = ANY(%s) AND entry.state = 'pending' AND NOT entry.id = ANY(%s)
         GROUP BY 1, 2, 3
        """,
        _OWN_ACCOUNTS,
        _NUMBER,
        scope.journals.ids,
        told,
    )


def open_items(scope, days):
    """Return SQL for open receivables and payables due within so many days, and overdue ones."""
    return SQL(
        """
        SELECT CASE account.account_type WHEN 'asset_receivable' THEN 'receivable'
                                         ELSE 'payable' END AS kind,
               line.company_id, line.currency_id,
               COALESCE(line.date_maturity, line.date) AS due,
               COALESCE(partner.commercial_partner_id IN (%(ours)s), false) AS is_intercompany,
               sum(line.amount_residual_currency) AS amount, count(*) AS number
          FROM account_move_line AS line
          JOIN account_account AS account ON account.id = line.account_id
     LEFT JOIN res_partner AS partner ON partner.id = line.partner_id
         WHERE account.account_type IN ('asset_receivable', 'liability_payable')
           AND line.company_id = ANY(%(companies)s) AND line.parent_state = 'posted'
           AND NOT line.reconciled AND line.amount_residual_currency <> 0
           AND COALESCE(line.date_maturity, line.date) <= %(until)s
         GROUP BY 1, 2, 3, 4, 5
        """,
        ours=_OURS,
        companies=scope.companies.ids,
        until=scope.day + timedelta(days=days),
    )


def payments(scope, families):
    """Return SQL for payments that were released and have not reached the bank, by account and day.

    Those with an entry wait on an outstanding account; one without entry counts where it belongs to
    no invoice: else the open invoice is counted already.
    """
    waiting = {journal: list(family.outstanding) for journal, family in families.items()}
    pairs = [(journal, account) for journal, accounts in waiting.items() for account in accounts]
    return SQL(
        """
        SELECT journal_id, currency_id, day, is_intercompany, sum(amount) AS amount,
               count(*) AS number
          FROM (
            SELECT line.journal_id, line.currency_id, line.date AS day,
                   line.amount_residual_currency AS amount,
                   COALESCE(partner.commercial_partner_id IN (%(ours)s), false) AS is_intercompany
              FROM account_move_line AS line
         LEFT JOIN res_partner AS partner ON partner.id = line.partner_id
             WHERE line.account_id = ANY(%(accounts)s) AND line.journal_id = ANY(%(journals)s)
               AND line.parent_state = 'posted' AND NOT line.reconciled
               AND line.amount_residual_currency <> 0
             UNION ALL
            SELECT payment.journal_id, payment.currency_id, payment.date,
                   CASE payment.payment_type WHEN 'inbound' THEN payment.amount
                                             ELSE -payment.amount END,
                   COALESCE(partner.commercial_partner_id IN (%(ours)s), false)
              FROM account_payment AS payment
         LEFT JOIN res_partner AS partner ON partner.id = payment.partner_id
             WHERE payment.journal_id = ANY(%(journals)s) AND payment.state = 'in_process'
               AND payment.move_id IS NULL
               AND NOT EXISTS (SELECT FROM account_move__account_payment AS link
                                WHERE link.payment_id = payment.id)
          ) AS waiting
         GROUP BY 1, 2, 3, 4
        """,
        ours=_OURS,
        accounts=sorted({account for _journal, account in pairs}),
        journals=sorted(families),
    )


def unmatched(scope, families):
    """Return SQL for bank lines that are not matched, the other way round, by account.

    Their money is in the balance, and what it is for is still among the open items: without taking
    it off, it would be expected again.
    """
    accounts = sorted({family.suspense for family in families.values() if family.suspense})
    return SQL(
        """
        SELECT line.journal_id, line.currency_id, %(day)s::date AS day, false AS is_intercompany,
               sum(line.amount_currency) AS amount, count(*) AS number
          FROM account_move_line AS line
         WHERE line.account_id = ANY(%(accounts)s) AND line.journal_id = ANY(%(journals)s)
           AND line.parent_state = 'posted' AND line.date <= %(day)s
         GROUP BY 1, 2 HAVING sum(line.amount_currency) <> 0
        """,
        day=scope.day,
        accounts=accounts,
        journals=sorted(families),
    )


def rates(scope):
    """Return SQL for the rates of the company at the day: its own before those for all."""
    return SQL(
        """
        SELECT DISTINCT ON (currency_id) currency_id, rate, name FROM res_currency_rate
         WHERE name <= %s AND (company_id IS NULL OR company_id = %s)
         ORDER BY currency_id, company_id NULLS LAST, name DESC
        """,
        scope.day,
        scope.company.root_id.id,
    )
