"""A ledger of any size, made by SQL in a minute: balanced, in three companies over 36 months.

Companies keep their books in USD, EUR and KWD (three decimal places); a quarter of the entries is in
a foreign currency; invoices and bills are taxed; labels have line breaks, quotes and umlauts; one
entry of fifty is a draft. The same number gives the same ledger.
"""

from odoo.fields import Command

# Items of four entries: an invoice, a bill, a payment, a miscellaneous one.
ITEMS_OF_FOUR = 4 + 3 + 2 + 2
MONTHS = 36
FIRST_DAY = "2023-07-01"
CURRENCIES = ("USD", "EUR", "KWD")
FOREIGN = {"USD": "EUR", "EUR": "USD", "KWD": "USD"}
ACCOUNTS = (
    ("110000", "Bank", "asset_cash"),
    ("121000", "Receivables", "asset_receivable"),
    ("131000", "Input tax", "asset_current"),
    ("211000", "Payables", "liability_payable"),
    ("251000", "Output tax", "liability_current"),
    ("301000", "Capital", "equity"),
    ("400000", "Sales", "income"),
    ("410000", "Services", "income"),
    ("600000", "Expenses", "expense"),
)
JOURNALS = (("sale", "XINV"), ("purchase", "XBIL"), ("bank", "XBNK"), ("general", "XMIS"))

ENTRIES = """
INSERT INTO account_move (
    name, sequence_prefix, sequence_number, journal_id, company_id, currency_id, partner_id,
    commercial_partner_id, move_type, state, date, invoice_date, invoice_date_due, ref, auto_post,
    posted_before, create_uid, write_uid, create_date, write_date)
SELECT %(code)s || '/' || lpad(n::text, 8, '0'), %(code)s || '/', n,
       (%(journals)s::int[])[n %% 4 + 1], %(company)s,
       CASE WHEN n / 4 %% 4 = 0 THEN %(foreign)s ELSE %(currency)s END,
       (%(partners)s::int[])[n %% %(partner_count)s + 1],
       (%(partners)s::int[])[n %% %(partner_count)s + 1],
       (ARRAY['out_invoice', 'in_invoice', 'entry', 'entry'])[n %% 4 + 1],
       CASE WHEN n %% 50 = 7 THEN 'draft' ELSE 'posted' END,
       day, CASE WHEN n %% 4 < 2 THEN day END, CASE WHEN n %% 4 < 2 THEN day + 30 END,
       CASE WHEN n %% 9 = 0 THEN 'Ref "' || n || '"' END, 'no', true, 1, 1,
       now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
  FROM (SELECT n, (%(first)s::date + (n::bigint * 1096 / %(count)s)::int) AS day
          FROM generate_series(0, %(count)s - 1) AS n) AS entry
"""

# What an entry books, but for the item that closes it: account, sign, tax that it is, tax on it.
PARTS = """
INSERT INTO account_move_line (
    move_id, move_name, company_id, company_currency_id, currency_id, journal_id, account_id,
    partner_id, parent_state, date, invoice_date, date_maturity, display_type, sequence, name, ref,
    quantity, tax_line_id, debit, credit, balance, amount_currency, amount_residual,
    amount_residual_currency, reconciled, create_uid, write_uid, create_date, write_date)
SELECT id, name, company_id, %(currency)s, currency_id, journal_id, account_id, partner_id, state,
       date, invoice_date, NULL, type, place, label, ref, quantity, tax_id, greatest(balance, 0),
       greatest(-balance, 0), balance, amount, 0, 0, false, 1, 1, create_date, write_date
  FROM (
    SELECT move.id, move.name, move.company_id, move.currency_id, move.journal_id,
           (%(accounts)s::int[])[part.account] AS account_id, move.partner_id, move.state, move.date,
           move.invoice_date, part.type, part.place, move.ref, move.create_date, move.write_date,
           CASE WHEN part.type = 'tax' THEN NULL ELSE 1 + n %% 3 END AS quantity,
           CASE WHEN part.type = 'tax' THEN (%(taxes)s::int[])[part.kind + 1] END AS tax_id,
           CASE n %% 6 WHEN 0 THEN E'Consulting\nMarch, "on site"' WHEN 1 THEN 'Größe; Maße'
                ELSE 'Item ' || n END AS label,
           part.amount,
           round(part.amount / CASE WHEN move.currency_id = %(currency)s THEN 1
                                    ELSE %(rate)s::numeric END, %(places)s) AS balance
      FROM (
        SELECT account_move.*, sequence_number AS n,
               round((sequence_number::bigint * 7919 %% 1000000 + 100) / 100.0, 2) AS net,
               round((sequence_number::bigint * 104729 %% 50000 + 1) / 100.0, 2) AS more
          FROM account_move WHERE company_id = %(company)s AND sequence_prefix = %(code)s || '/'
      ) AS move CROSS JOIN LATERAL (VALUES
        (0, 2, 7, -net, 'product'), (0, 3, 8, -more, 'product'),
        (0, 4, 5, -round((net + more) * 0.2, 2), 'tax'),
        (1, 2, 9, net, 'product'), (1, 3, 3, round(net * 0.1, 2), 'tax'),
        (2, 2, 2, -net, 'product'), (3, 2, 6, -net, 'product')
      ) AS part(kind, place, account, amount, type)
     WHERE part.kind = n %% 4
  ) AS item
"""

# The item that closes it: what customers owe, vendors get, the bank has, or was spent.
CLOSING = """
INSERT INTO account_move_line (
    move_id, move_name, company_id, company_currency_id, currency_id, journal_id, account_id,
    partner_id, parent_state, date, invoice_date, date_maturity, display_type, sequence, name, ref,
    debit, credit, balance, amount_currency, amount_residual, amount_residual_currency, reconciled,
    create_uid, write_uid, create_date, write_date)
SELECT move.id, move.name, move.company_id, %(currency)s, move.currency_id, move.journal_id,
       (%(accounts)s::int[])[(ARRAY[2, 4, 1, 9])[n %% 4 + 1]], move.partner_id, move.state,
       move.date, move.invoice_date, move.invoice_date_due,
       CASE WHEN n %% 4 < 2 THEN 'payment_term' ELSE 'product' END, 1, move.name, move.ref,
       greatest(-item.balance, 0), greatest(item.balance, 0), -item.balance, -item.amount,
       CASE WHEN n %% 4 < 2 THEN -item.balance ELSE 0 END,
       CASE WHEN n %% 4 < 2 THEN -item.amount ELSE 0 END, false, 1, 1, move.create_date,
       move.write_date
  FROM (SELECT account_move.*, sequence_number AS n FROM account_move
         WHERE company_id = %(company)s AND sequence_prefix = %(code)s || '/') AS move
  JOIN (SELECT move_id, sum(balance) AS balance, sum(amount_currency) AS amount
          FROM account_move_line WHERE company_id = %(company)s GROUP BY move_id) AS item
    ON item.move_id = move.id
"""

TAXED = """
INSERT INTO account_move_line_account_tax_rel (account_move_line_id, account_tax_id)
SELECT item.id, (%(taxes)s::int[])[move.sequence_number %% 4 + 1]
  FROM account_move AS move JOIN account_move_line AS item ON item.move_id = move.id
 WHERE move.company_id = %(company)s AND move.sequence_prefix = %(code)s || '/'
   AND move.sequence_number %% 4 < 2 AND item.display_type = 'product'
"""


def make(env, items, partners=200, unchecked=False):
    """Add about so many journal items; return the new companies.

    env: a superuser's; nothing is committed. unchecked: foreign keys of these rows, which are
    right, are not looked at, what takes most of the time; only for a superuser of PostgreSQL.
    """
    env = env(context={"tracking_disable": True, "no_reset_password": True})
    people = env["res.partner"].create(
        [
            {"name": f"Partner {number}", "ref": f"P{number:05d}", "customer_rank": 1}
            for number in range(partners)
        ]
    )
    companies = env["res.company"]
    entries = -(-items * 4 // ITEMS_OF_FOUR // len(CURRENCIES))
    for number, code in enumerate(CURRENCIES):
        companies |= _company(env, number, code, people, entries, unchecked)
    env.user.company_ids |= companies
    for table in ("account_move", "account_move_line", "account_move_line_account_tax_rel"):
        env.cr.execute(f"ANALYZE {table}")
    env.invalidate_all()
    return companies


def _company(env, number, code, people, entries, unchecked):
    currencies = env["res.currency"].with_context(active_test=False)
    currency = currencies.search([("name", "=", code)])
    foreign = currencies.search([("name", "=", FOREIGN[code])])
    (currency | foreign).filtered(lambda row: not row.active).active = True
    # without a country: for one, Odoo would install its modules
    company = env["res.company"].create({"name": f"Ledger {code}", "currency_id": currency.id})
    country = env.ref("base.de").id
    env = env(context=dict(env.context, allowed_company_ids=[company.id]))
    accounts = env["account.account"].create(
        [
            {
                "name": name,
                "code": account,
                "account_type": type_,
                "company_ids": [Command.set(company.ids)],
            }
            for account, name, type_ in ACCOUNTS
        ]
    )
    journals = env["account.journal"].create(
        [
            {"name": journal, "code": journal, "type": type_, "company_id": company.id}
            for type_, journal in JOURNALS
        ]
    )
    group = env["account.tax.group"].create(
        {"name": "Tax", "company_id": company.id, "country_id": country}
    )
    taxes = env["account.tax"].create(
        [
            {
                "name": f"{rate} %",
                "amount": rate,
                "type_tax_use": use,
                "company_id": company.id,
                "tax_group_id": group.id,
                "country_id": country,
            }
            for use, rate in (("sale", 20), ("purchase", 10))
        ]
    )
    env.flush_all()
    values = {
        "code": f"L{number}",
        "company": company.id,
        "currency": currency.id,
        "foreign": foreign.id,
        "places": currency.decimal_places,
        "rate": "1.0850" if number else "0.9200",
        "journals": journals.ids,
        "accounts": accounts.ids,
        "taxes": taxes.ids,
        "partners": people.ids,
        "partner_count": len(people),
        "first": FIRST_DAY,
        "count": entries,
    }
    if unchecked:
        env.cr.execute("SET LOCAL session_replication_role = replica")
    for statement in (ENTRIES, PARTS, CLOSING, TAXED):
        env.cr.execute(statement, values)
        # nobody else sees these rows yet, and the next statement is planned by their number
        env.cr.execute("ANALYZE account_move")
        env.cr.execute("ANALYZE account_move_line")
    if unchecked:
        env.cr.execute("SET LOCAL session_replication_role = origin")
    return company
