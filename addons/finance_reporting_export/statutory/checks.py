"""What is asked of the books before any file is written from them."""

from decimal import Decimal

from .books import Finding
from .ledger import (
    ACCOUNT_CODE,
    BALANCES,
    OPENING,
    PARTNER,
    PAYABLE,
    PERIOD,
    RECEIVABLE,
    TOTALS,
    USED_ACCOUNTS,
    USED_TAXES,
)

MOST_IDS = 1000

DRAFTS = """
SELECT move.id, 0::text FROM account_move AS move
 WHERE move.company_id = ANY(%(companies)s) AND move.state = 'draft'
   AND move.date BETWEEN %(first)s AND %(last)s
 ORDER BY move.date, move.id
"""
UNBALANCED = f"""
SELECT line.move_id, round(sum(line.balance), %(decimals)s)::text
  FROM {PERIOD}
 GROUP BY line.move_id
HAVING round(sum(line.balance), %(decimals)s) <> 0
       OR round(sum(line.debit) - sum(line.credit), %(decimals)s) <> 0
 ORDER BY line.move_id
"""
NUMBERED = """
    SELECT move.id, move.date, move.journal_id, move.name, move.sequence_number AS number,
           lag(move.sequence_number) OVER (
               PARTITION BY move.journal_id, move.sequence_prefix
               ORDER BY move.sequence_number, move.id) AS before
      FROM account_move AS move
     WHERE move.company_id = ANY(%(companies)s) AND move.state = 'posted'
       AND (move.journal_id, move.sequence_prefix) IN (
            SELECT near.journal_id, near.sequence_prefix FROM account_move AS near
             WHERE near.company_id = ANY(%(companies)s) AND near.state = 'posted'
               AND near.date BETWEEN %(first)s AND %(last)s)
"""
# The entry after the gap, and how many numbers are missing. Numbers begin with 1.
GAPS = f"""
SELECT id, (number - COALESCE(before, 0) - 1)::text FROM ({NUMBERED}) AS move
 WHERE date BETWEEN %(first)s AND %(last)s AND number > COALESCE(before, 0) + 1
 ORDER BY date, id
"""
SAME_NUMBER = """
SELECT move.id, 0::text FROM (
    SELECT move.id, move.name, count(*) OVER (PARTITION BY move.name) AS times
      FROM account_move AS move
     WHERE move.company_id = ANY(%(companies)s) AND move.state = 'posted'
       AND move.date BETWEEN %(first)s AND %(last)s
) AS move WHERE times > 1 OR COALESCE(move.name, '/') IN ('/', '')
 ORDER BY move.name, move.id
"""
SAME_PARTNER = f"""
SELECT id, 0::text FROM (
    SELECT partner.id, {PARTNER} AS number, count(*) OVER (PARTITION BY {PARTNER}) AS times
      FROM (SELECT DISTINCT partner_id FROM ({BALANCES}) AS balance
             WHERE partner_id IS NOT NULL) AS used
      JOIN res_partner AS partner ON partner.id = used.partner_id
) AS partner WHERE times > 1
 ORDER BY number, id
"""
WITHOUT_PARTNER = f"""
SELECT line.move_id, round(sum(abs(line.balance)), %(decimals)s)::text
  FROM {PERIOD} AND line.partner_id IS NULL AND line.balance <> 0
   AND account.account_type IN ('{RECEIVABLE}', '{PAYABLE}')
 GROUP BY line.move_id ORDER BY line.move_id
"""
FORMER = f"SELECT sum(opening)::text FROM ({BALANCES}) AS balance WHERE account_id IS NULL"
SAME_CODE = f"""
SELECT id, 0::text FROM (
    SELECT account.id, {ACCOUNT_CODE} AS code,
           count(*) OVER (PARTITION BY {ACCOUNT_CODE}) AS times
      FROM (SELECT DISTINCT account_id FROM ({BALANCES}) AS balance) AS used
      JOIN account_account AS account ON account.id = used.account_id
) AS account WHERE times > 1 AND code IS NOT NULL
 ORDER BY id
"""
MOVE, PARTNERS, ACCOUNTS = "account.move", "res.partner", "account.account"

# code, level, model, SQL of (id, amount as text), whether the amounts are money
LISTS = (
    ("drafts", "stop", MOVE, DRAFTS, False),
    ("unbalanced", "stop", MOVE, UNBALANCED, True),
    ("gaps", "explain", MOVE, GAPS, False),
    ("same_number", "stop", MOVE, SAME_NUMBER, False),
    ("same_partner", "stop", PARTNERS, SAME_PARTNER, False),
    ("same_code", "stop", ACCOUNTS, SAME_CODE, False),
    ("without_partner", "note", MOVE, WITHOUT_PARTNER, True),
)


def of_the_books(books, rows):
    """Return the `Finding`s that every file asks for."""
    found = [_listed(rows, *asked) for asked in LISTS]
    found += [_former(rows), _opening(rows), _anything(rows), _codes(rows), _year(books)]
    return [finding for finding in found if finding]


def _listed(rows, code, level, model, sql, money):
    ids, count, amount = [], 0, Decimal(0)
    for record_id, value in rows(sql):
        count += 1
        amount += Decimal(value)
        if len(ids) < MOST_IDS:
            ids.append(record_id)
    if not count:
        return None
    if code == "gaps":
        return Finding(code, level, count, model, tuple(ids), params={"numbers": int(amount)})
    return Finding(code, level, count, model, tuple(ids), amount if money else None)


def _former(rows):
    """The result of former years has an account."""
    [(amount,)] = rows(FORMER)
    if Decimal(amount or 0):
        return Finding("no_earnings", amount=Decimal(amount), model="res.company")
    return None


def _opening(rows):
    """What is brought forward balances. Where the account of earnings lacks, that is told alone."""
    amount = sum((Decimal(row[-1]) for row in rows(OPENING)), Decimal(0))
    [(former,)] = rows(FORMER)
    amount += Decimal(former or 0)
    return Finding("opening_unbalanced", amount=amount) if amount else None


def _anything(rows):
    [(entries, *_rest)] = rows(TOTALS)
    return None if entries else Finding("nothing")


def _codes(rows):
    ids = tuple(record_id for record_id, code in rows(USED_ACCOUNTS) if not code)
    return listed("no_code", ACCOUNTS, ids)


def _year(books):
    whole = (books.first, books.last) == (books.year_first, books.year_last)
    return None if whole else Finding("part_of_year", "note")


def listed(code, model, ids, level="stop", **more):
    """Return the `Finding` of some records, None where there are none."""
    if not ids:
        return None
    return Finding(code, level, len(ids), model, tuple(ids)[:MOST_IDS], **more)


def used_accounts(rows):
    """Return the ids of the accounts that have a balance or items."""
    return [record_id for record_id, _code in rows(USED_ACCOUNTS)]


def used_taxes(rows):
    """Return the ids of the taxes of the period's items; members instead of groups."""
    return [record_id for (record_id,) in rows(USED_TAXES)]
