"""What the audit file asks the ledger beside `ledger`."""

from .ledger import ACCOUNT_CODE, ACCOUNT_NAME, BALANCES, PARTNER, PAYABLE, RECEIVABLE, items

OPENING = "COALESCE(sum(opening), 0)"
CLOSING = "(COALESCE(sum(opening), 0) + COALESCE(sum(movement), 0))"

ACCOUNT_ROWS = f"""
SELECT account.id, {ACCOUNT_CODE}, {ACCOUNT_NAME}, account.create_date::date,
       round({OPENING}, %(decimals)s)::text, round({CLOSING}, %(decimals)s)::text
  FROM ({BALANCES}) AS balance
  JOIN account_account AS account ON account.id = balance.account_id
 GROUP BY account.id
 ORDER BY {ACCOUNT_CODE} COLLATE "C", account.id
"""
PARTIES = f"""
SELECT partner.id, {PARTNER}, partner.name, partner.company_registry, partner.vat,
       partner.street, partner.street2, partner.city, partner.zip, country.code, {ACCOUNT_CODE},
       round({OPENING}, %(decimals)s)::text, round({CLOSING}, %(decimals)s)::text
  FROM ({BALANCES}) AS balance
  JOIN account_account AS account ON account.id = balance.account_id
  JOIN res_partner AS partner ON partner.id = balance.partner_id
  LEFT JOIN res_country AS country ON country.id = partner.country_id
 WHERE account.account_type = %(kind)s
 GROUP BY partner.id, country.code, account.id
 ORDER BY partner.id, {ACCOUNT_CODE} COLLATE "C", account.id
"""
TAXES = """
SELECT tax.id, COALESCE(tax.name->>%(lang)s, tax.name->>'en_US'),
       CASE WHEN tax.amount_type IN ('percent', 'division')
            THEN trim_scale(round(tax.amount, 4))::text END,
       country.code, tax.create_date::date, tax.tax_exigibility = 'on_payment'
  FROM account_tax AS tax LEFT JOIN res_country AS country ON country.id = tax.country_id
 WHERE tax.id = ANY(%(taxes)s)
 ORDER BY tax.id
"""
MEMBERS = """
SELECT parent_tax, array_agg(child_tax ORDER BY child_tax) FROM account_tax_filiation_rel
 GROUP BY parent_tax
"""
SHARED = """
  CROSS JOIN LATERAL jsonb_object_keys(line.analytic_distribution) AS key(parts)
  CROSS JOIN LATERAL regexp_split_to_table(key.parts, ',') AS part"""
ANALYSES = f"""
SELECT analytic.id, analytic.plan_id, COALESCE(plan.name->>%(lang)s, plan.name->>'en_US'), analytic.code,
       COALESCE(analytic.name->>%(lang)s, analytic.name->>'en_US')
  FROM account_analytic_account AS analytic
  LEFT JOIN account_analytic_plan AS plan ON plan.id = analytic.plan_id
 WHERE analytic.id IN (
        SELECT part::int FROM {items(SHARED)}
           AND part ~ '^[0-9]+$')
 ORDER BY analytic.id
"""
JOINS = """
  JOIN account_move AS move ON move.id = line.move_id
  JOIN account_journal AS journal ON journal.id = move.journal_id
  JOIN res_currency AS currency ON currency.id = line.currency_id
  LEFT JOIN res_partner AS partner ON partner.id = line.partner_id
  LEFT JOIN res_users AS author ON author.id = move.create_uid
  LEFT JOIN account_tax_repartition_line AS part ON part.id = line.tax_repartition_line_id"""
# Columns are named in `saft_no_entries.Row`.
LINES = f"""
SELECT journal.id, journal.code, COALESCE(journal.name->>%(lang)s, journal.name->>'en_US'),
       journal.type, move.id, move.name, move.move_type, move.date,
       COALESCE(move.invoice_date, move.date), move.create_date::date, author.login, move.ref,
       move.payment_reference,
       move.always_tax_exigible OR move.tax_cash_basis_rec_id IS NOT NULL,
       line.id, {ACCOUNT_CODE},
       CASE account.account_type WHEN '{RECEIVABLE}' THEN 'Customer' WHEN '{PAYABLE}' THEN 'Supplier'
       END, CASE WHEN partner.id IS NOT NULL THEN {PARTNER} END, line.name, line.date_maturity,
       round(line.debit, %(decimals)s)::text, round(line.credit, %(decimals)s)::text,
       round(line.balance, %(decimals)s)::text,
       CASE WHEN line.currency_id <> line.company_currency_id THEN currency.name END,
       round(line.amount_currency, 2)::text, line.analytic_distribution::text,
       ARRAY(SELECT taxed.account_tax_id FROM account_move_line_account_tax_rel AS taxed
              WHERE taxed.account_move_line_id = line.id ORDER BY 1),
       line.tax_line_id, COALESCE(part.factor_percent < 0, false)
  FROM {items(JOINS)}
 ORDER BY journal.code COLLATE "C", journal.id, move.date, move.sequence_prefix COLLATE "C",
          move.sequence_number, move.id, line.id
"""
