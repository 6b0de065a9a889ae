"""The SQL of the ledger that files share. Amounts come as text: Odoo reads numeric as float."""

RECEIVABLE, PAYABLE = "asset_receivable", "liability_payable"


def items(joins="", days="BETWEEN %(first)s AND %(last)s"):
    """Return what follows FROM for the items that belong into a file: posted, of an account."""
    return f"""account_move_line AS line
  JOIN account_account AS account ON account.id = line.account_id
  {joins}
 WHERE line.company_id = ANY(%(companies)s) AND line.parent_state = 'posted'
   AND line.date {days}"""


PERIOD = items()

TOTALS = f"""
SELECT count(DISTINCT line.move_id), count(*), COALESCE(round(sum(line.debit), %(decimals)s), 0)::text,
       COALESCE(round(sum(line.credit), %(decimals)s), 0)::text
  FROM {PERIOD}
"""

# Number of a partner: its reference, else its id.
PARTNER = """
CASE WHEN length(btrim(partner.ref)) BETWEEN 1 AND 35 THEN btrim(partner.ref) ELSE partner.id::text END
"""
ACCOUNT_CODE = "account.code_store->>%(root)s"
ACCOUNT_NAME = "COALESCE(account.name->>%(lang)s, account.name->>'en_US')"

# Balances before the period, and what the period added, by account and (of receivables and
# payables) partner. The result of former years is brought to the account of earnings.
BALANCES = f"""
    SELECT CASE WHEN former THEN %(earnings)s::int ELSE account_id END AS account_id,
           CASE WHEN NOT former THEN partner_id END AS partner_id,
           round(sum(balance) FILTER (WHERE day < %(first)s), %(decimals)s) AS opening,
           round(sum(balance) FILTER (WHERE day >= %(first)s), %(decimals)s) AS movement,
           count(*) FILTER (WHERE day >= %(first)s) AS lines
      FROM (
        SELECT line.account_id, line.balance, line.date AS day,
               CASE WHEN account.account_type IN ('{RECEIVABLE}', '{PAYABLE}')
                    THEN line.partner_id END AS partner_id,
               account.account_type ~ '^(income|expense)' AND line.date < %(year_first)s
               OR account.account_type = 'equity_unaffected' AND line.date < %(first)s AS former
          FROM {items(days="<= %(last)s")}
      ) AS item
     GROUP BY 1, 2
    HAVING sum(balance) FILTER (WHERE day < %(first)s) <> 0
           OR count(*) FILTER (WHERE day >= %(first)s) > 0
"""

# Of one account or partner several rows may come: brought forward, and its own.
OPENING = f"""
SELECT account.id, {ACCOUNT_CODE}, {ACCOUNT_NAME}, {PARTNER}, partner.name, sum(opening)::text
  FROM ({BALANCES}) AS balance
  JOIN account_account AS account ON account.id = balance.account_id
  LEFT JOIN res_partner AS partner ON partner.id = balance.partner_id
 GROUP BY account.id, partner.id
HAVING sum(opening) <> 0
 ORDER BY {ACCOUNT_CODE} COLLATE "C", account.id, partner.id NULLS FIRST
"""

USED_ACCOUNTS = f"""
SELECT DISTINCT account.id, {ACCOUNT_CODE} AS code
  FROM ({BALANCES}) AS balance JOIN account_account AS account ON account.id = balance.account_id
 ORDER BY 1
"""

# A group of taxes stands for its members.
USED_TAXES = f"""
SELECT COALESCE(member.child_tax, used.tax) FROM (
    SELECT line.tax_line_id AS tax FROM {PERIOD} AND line.tax_line_id IS NOT NULL
    UNION
    SELECT taxed.account_tax_id
      FROM account_move_line_account_tax_rel AS taxed
      JOIN account_move_line AS line ON line.id = taxed.account_move_line_id
     WHERE line.company_id = ANY(%(companies)s) AND line.parent_state = 'posted'
       AND line.date BETWEEN %(first)s AND %(last)s AND line.account_id IS NOT NULL
) AS used
  LEFT JOIN account_tax_filiation_rel AS member ON member.parent_tax = used.tax
 GROUP BY 1 ORDER BY 1
"""
