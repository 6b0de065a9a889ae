"""Both sides of a tax reconciliation as sets of rows: one statement a side, however many documents.

Lines stay from run to run, so that what people said of them stays; what a run does not touch again
is deleted at its end. Amounts by jurisdiction are JSON with the amounts as text, which no float can
change.
"""

# Forget what the last run found.
EMPTY = """
UPDATE finance_tax_reconciliation_line
   SET there_status = NULL, there_day = NULL, there_currency = NULL, there_net = NULL,
       there_tax = NULL, there_by_key = NULL, locked = NULL, engine_id = NULL,
       document_id = NULL, move_id = NULL, posted = NULL, current = NULL, state = NULL,
       excuse = NULL, recorder_name = NULL, busy = NULL, stuck = NULL, moved = NULL, here_day = NULL, booked_on = NULL,
       told = NULL, here_currency = NULL, here_net = NULL, here_tax = NULL, here_by_key = NULL,
       booked = NULL, bucket = NULL, standing = NULL
 WHERE reconciliation_id = %(id)s
"""

STAGE = """
INSERT INTO finance_tax_recorded (
    reconciliation_id, kind, code, status, day, currency, net, tax, by_key, locked, engine_id
) VALUES %s
ON CONFLICT (reconciliation_id, kind, code) DO UPDATE
   SET status = EXCLUDED.status, day = EXCLUDED.day, currency = EXCLUDED.currency,
       net = EXCLUDED.net, tax = EXCLUDED.tax, by_key = EXCLUDED.by_key, locked = EXCLUDED.locked,
       engine_id = EXCLUDED.engine_id
"""

# What the engine has; without what it has of a company that is compared on its own.
THERE = """
WITH foreign_codes AS (
    SELECT document_code AS code
      FROM finance_tax_document
     WHERE connector_id = %(connector)s AND company_id <> ALL(%(companies)s)
       AND document_code IS NOT NULL)
INSERT INTO finance_tax_reconciliation_line (
    reconciliation_id, company_id, run, kind, key, code, there_status, there_day, there_currency,
    there_net, there_tax, there_by_key, locked, engine_id
)
SELECT %(id)s, %(company)s, %(run)s, f.kind, f.code, f.code, f.status, f.day, f.currency, f.net,
       f.tax, f.by_key, f.locked, f.engine_id
  FROM finance_tax_recorded f
 WHERE f.reconciliation_id = %(id)s
   AND f.code NOT IN (SELECT code FROM foreign_codes)
   AND regexp_replace(f.code, '-[0-9]+$', '') NOT IN (SELECT code FROM foreign_codes)
ON CONFLICT (reconciliation_id, kind, key) DO UPDATE
   SET run = EXCLUDED.run, company_id = EXCLUDED.company_id, there_status = EXCLUDED.there_status,
       there_day = EXCLUDED.there_day, there_currency = EXCLUDED.there_currency,
       there_net = EXCLUDED.there_net, there_tax = EXCLUDED.there_tax,
       there_by_key = EXCLUDED.there_by_key, locked = EXCLUDED.locked,
       engine_id = EXCLUDED.engine_id
"""

# What the ledger has: documents of the period by document date or by accounting date, and those
# that the engine's list names. Each posting of a document has a code of its own.
HERE = """
WITH named AS (
    SELECT d.id
      FROM finance_tax_document d
     WHERE d.connector_id = %(connector)s
       AND d.document_code IN (
           SELECT code FROM finance_tax_recorded WHERE reconciliation_id = %(id)s
           UNION
           SELECT regexp_replace(code, '-[0-9]+$', '')
             FROM finance_tax_recorded WHERE reconciliation_id = %(id)s)
), known AS (
    SELECT d.id AS document_id, m.id AS move_id, d.document_code AS code,
           GREATEST(d.revision, 1) AS revision, d.state, d.recorder_name,
           CASE WHEN d.recorder = 'elsewhere' THEN 'elsewhere'
                WHEN d.state = 'settled' THEN 'settled'
                WHEN d.state = 'unrecorded' THEN 'off' ELSE '' END AS excuse,
           d.recording OR d.state NOT IN %(undecided)s AS decided,
           GREATEST(d.committed_at, d.voided_at) >= %(started)s AS moved,
           CAST(CAST(d.request AS jsonb)->>'date' AS date) AS told, d.declared_on
      FROM finance_tax_document d
      JOIN account_move m ON m.id = d.move_id
     WHERE (d.connector_id = %(connector)s OR d.recorder = 'elsewhere')
       AND d.company_id = ANY(%(companies)s)
       AND (m.invoice_date BETWEEN %(first)s AND %(last)s OR m.date BETWEEN %(first)s AND %(last)s
            OR d.declared_on BETWEEN %(first)s AND %(last)s OR d.id IN (SELECT id FROM named))
    UNION ALL
    SELECT NULL, m.id, NULL, 1, NULL, NULL,
           CASE WHEN m.create_date < %(since)s THEN 'before' ELSE '' END, true, NULL, NULL, NULL
      FROM account_move m
     WHERE m.id IN %(unasked)s
       AND EXISTS (
           SELECT FROM account_move_line l
            WHERE l.move_id = m.id AND l.display_type = 'product'
              AND COALESCE(l.extra_tax_data->>'computation_key', '') NOT LIKE 'down_payment%%')
), posting AS (
    SELECT k.*, m.company_id, m.invoice_date, m.date, m.currency_id,
           CASE m.move_type WHEN 'out_refund' THEN 'refund' ELSE 'invoice' END AS kind,
           CASE m.move_type WHEN 'out_refund' THEN 1 ELSE -1 END AS sign,
           m.state = 'posted' AND k.decided AS posted, n = k.revision AS current,
           CASE WHEN k.code IS NULL THEN 'move/' || k.move_id
                WHEN n = 1 THEN k.code ELSE k.code || '-' || n END AS key
      FROM known k
      JOIN account_move m ON m.id = k.move_id AND m.move_type IN ('out_invoice', 'out_refund')
     CROSS JOIN LATERAL generate_series(1, k.revision) n
)
INSERT INTO finance_tax_reconciliation_line (
    reconciliation_id, company_id, run, kind, key, code, document_id, move_id, posted, current,
    state, excuse, recorder_name, busy, stuck, moved, here_day, booked_on, told, here_currency,
    here_net, here_tax, here_by_key, booked
)
SELECT %(id)s, p.company_id, %(run)s, p.kind, p.key, CASE WHEN p.code IS NOT NULL THEN p.key END,
       p.document_id, p.move_id, p.posted, p.current, p.state, p.excuse, p.recorder_name, jobs.busy,
       jobs.stuck, p.moved, COALESCE(p.declared_on, p.invoice_date), p.date, p.told, currency.name,
       lines.net, taxes.tax, taxes.by_key, taxes.booked
  FROM posting p
  JOIN res_currency currency ON currency.id = p.currency_id
 CROSS JOIN LATERAL (
       SELECT COALESCE(bool_or(j.state NOT IN ('dead', 'uncertain')), false) AS busy,
              COALESCE(bool_or(j.state IN ('dead', 'uncertain')), false) AS stuck
         FROM finance_job j
        WHERE j.res_model = 'finance.tax.document' AND j.res_id = p.document_id
          AND j.state NOT IN ('done', 'cancelled')) jobs
 CROSS JOIN LATERAL (
       -- what a payment term takes off in advance is not taxed; amounts that a line carries know it
       SELECT COALESCE(sum(l.price_subtotal - round(
                  l.price_subtotal / 100 * CASE
                      WHEN l.extra_tax_data ? 'finance_tax'
                      THEN COALESCE(CAST(l.extra_tax_data->>'early_discount' AS numeric), 0)
                      WHEN term.early_discount AND term.early_pay_discount_computation = 'mixed'
                      THEN CAST(term.discount_percentage AS numeric) ELSE 0 END,
                  currency.decimal_places)), 0) AS net
         FROM account_move_line l
         JOIN account_move m ON m.id = l.move_id
         LEFT JOIN account_payment_term term ON term.id = m.invoice_payment_term_id
        WHERE l.move_id = p.move_id AND l.display_type = 'product'
          AND COALESCE(l.extra_tax_data->>'computation_key', '') NOT LIKE 'down_payment%%') lines
 CROSS JOIN LATERAL (
       SELECT COALESCE(sum(x.amount), 0) AS tax, COALESCE(sum(x.balance), 0) AS booked,
              COALESCE(jsonb_object_agg(x.key, CAST(x.amount AS text))
                       FILTER (WHERE x.amount <> 0), '{}') AS by_key
         FROM (
           SELECT COALESCE(place.key, 'tax/' || t.tax_id) AS key,
                  sum(t.amount) AS amount, sum(t.balance) AS balance
             FROM (
               SELECT l.tax_line_id AS tax_id, p.sign * l.amount_currency AS amount,
                      p.sign * l.balance AS balance
                 FROM (
                   SELECT p.move_id AS id
                   UNION ALL
                   -- what was corrected by the tax alone, the engine has with the original
                   SELECT c.id
                     FROM account_move c
                     JOIN finance_tax_true_up u ON u.id = c.finance_tax_true_up_id
                    WHERE u.document_id = p.document_id AND c.state = 'posted'
                      AND c.finance_tax_true_up_role IN ('tax_only', 'bear')) own
                 JOIN account_move_line l ON l.move_id = own.id
                WHERE l.display_type = 'tax' AND l.tax_line_id IS NOT NULL
               UNION ALL
               -- the engine knows of the whole sale and nothing of down payments
               -- what Odoo splits it keeps as floats
               SELECT CAST(part.key AS integer),
                      -round(CAST(part.value->>'tax_amount_currency' AS numeric),
                             currency.decimal_places),
                      -round(CAST(COALESCE(part.value->>'tax_amount',
                                           part.value->>'tax_amount_currency') AS numeric), 6)
                 FROM account_move_line l, jsonb_each(l.extra_tax_data->'manual_tax_amounts') part
                WHERE l.move_id = p.move_id AND l.display_type = 'product'
                  AND l.extra_tax_data->>'computation_key' LIKE 'down_payment%%') t
             LEFT JOIN LATERAL (
                  -- of a tax inside the price, the key has an ending
                  SELECT regexp_replace(j.key, '/included$', '') AS key
                    FROM finance_tax_jurisdiction j WHERE j.tax_id = t.tax_id
                   ORDER BY j.kind, j.region, j.name LIMIT 1) place ON true
            WHERE place.key IS NOT NULL OR NOT EXISTS (
                  -- a tax that a person has put beside the engine's
                  SELECT FROM account_move_line l
                    JOIN account_move_line_account_tax_rel r ON r.account_move_line_id = l.id
                   WHERE l.move_id = p.move_id AND r.account_tax_id = t.tax_id
                     AND (l.extra_tax_data ? 'finance_tax' OR EXISTS (
                          SELECT FROM account_move_line_account_tax_rel other
                            JOIN finance_tax_jurisdiction j ON j.tax_id = other.account_tax_id
                           WHERE other.account_move_line_id = l.id)))
            GROUP BY 1) x) taxes
 WHERE p.posted AND p.current
    OR EXISTS (
       SELECT FROM finance_tax_recorded f
        WHERE f.reconciliation_id = %(id)s AND f.kind = p.kind AND f.code = p.key)
ON CONFLICT (reconciliation_id, kind, key) DO UPDATE
   SET run = EXCLUDED.run, company_id = EXCLUDED.company_id, document_id = EXCLUDED.document_id,
       move_id = EXCLUDED.move_id, posted = EXCLUDED.posted, current = EXCLUDED.current,
       state = EXCLUDED.state, excuse = EXCLUDED.excuse,
       recorder_name = EXCLUDED.recorder_name, busy = EXCLUDED.busy,
       stuck = EXCLUDED.stuck, moved = EXCLUDED.moved, here_day = EXCLUDED.here_day,
       booked_on = EXCLUDED.booked_on, told = EXCLUDED.told,
       here_currency = EXCLUDED.here_currency, here_net = EXCLUDED.here_net,
       here_tax = EXCLUDED.here_tax, here_by_key = EXCLUDED.here_by_key, booked = EXCLUDED.booked
"""

# Rows to judge, in the order of their keys, which is also the order of the digest. Amounts as text:
# Odoo's cursor makes floats of numbers.
BATCH = """
SELECT id, kind, key, there_status, there_day, there_currency, CAST(there_net AS text),
       CAST(there_tax AS text), there_by_key, locked, engine_id, move_id, posted, current, state,
       excuse, busy, stuck, moved, here_day, told, here_currency, CAST(here_net AS text),
       CAST(here_tax AS text), here_by_key
  FROM finance_tax_reconciliation_line
 WHERE reconciliation_id = %(id)s AND run = %(run)s AND (kind, key) > (%(kind)s, %(key)s)
 ORDER BY kind, key LIMIT %(rows)s
"""
JUDGED = """
UPDATE finance_tax_reconciliation_line line
   SET bucket = v.bucket, reason = v.reason, standing = v.standing, gap = v.gap, fact = v.fact,
       explained = COALESCE(line.explained_fact = v.fact, false),
       explained_fact = CASE WHEN line.explained_fact = v.fact THEN v.fact END,
       day = COALESCE(here_day, there_day),
       cutoff = COALESCE(date_trunc('month', booked_on) <> date_trunc('month', here_day), false),
       currency_id = (SELECT id FROM res_currency
                       WHERE name = COALESCE(line.here_currency, line.there_currency))
  FROM (VALUES %s) v (id, bucket, reason, standing, gap, fact)
 WHERE line.id = v.id
"""

# Lines of earlier runs, and those of which there is nothing to tell; unless a job works on one.
UNTOUCHED = """
DELETE FROM finance_tax_reconciliation_line line
 WHERE reconciliation_id = %(id)s AND (run <> %(run)s OR bucket IS NULL) AND NOT EXISTS (
       SELECT FROM finance_job j
        WHERE j.res_model = 'finance.tax.reconciliation.line' AND j.res_id = line.id
          AND j.state NOT IN ('done', 'cancelled'))
"""
LISTED = "DELETE FROM finance_tax_recorded WHERE reconciliation_id = %(id)s"
FORMER_TOTALS = "DELETE FROM finance_tax_reconciliation_total WHERE reconciliation_id = %(id)s"

# The totals as the return counts them: by document date, credit notes negative. Key "" is all tax,
# "?" what the engine does not tell by jurisdiction.
TOTALS = """
WITH counted AS (
    SELECT line.*, CASE kind WHEN 'refund' THEN -1 ELSE 1 END AS sign,
           posted AND current AND here_day BETWEEN %(first)s AND %(last)s
           AND COALESCE(excuse, '') NOT IN %(excused)s AS counts_here,
           there_status = 'recorded' AS counts_there
      FROM finance_tax_reconciliation_line line
     WHERE reconciliation_id = %(id)s
), part AS (
    SELECT here_currency AS currency, key.key, sign * key.amount AS here, 0 AS there,
           sign * CASE key.key WHEN '' THEN c.here_net END AS here_net, NULL::numeric AS there_net,
           1 AS here_count, 0 AS there_count
      FROM counted c
     CROSS JOIN LATERAL (
           SELECT '' AS key, c.here_tax AS amount
           UNION ALL
           SELECT k, CAST(v AS numeric) FROM jsonb_each_text(c.here_by_key) t (k, v)) key
     WHERE counts_here
    UNION ALL
    SELECT there_currency, key.key, 0, sign * key.amount, NULL,
           sign * CASE key.key WHEN '' THEN c.there_net END, 0, 1
      FROM counted c
     CROSS JOIN LATERAL (
           SELECT '' AS key, c.there_tax AS amount
           UNION ALL
           SELECT k, CAST(v AS numeric)
             FROM jsonb_each_text(COALESCE(c.there_by_key,
                                           jsonb_build_object('?', CAST(c.there_tax AS text))))
                  t (k, v)) key
     WHERE counts_there
)
INSERT INTO finance_tax_reconciliation_total (
    reconciliation_id, company_id, currency, currency_id, key, here, there, gap, here_net,
    there_net, here_count, there_count
)
SELECT %(id)s, %(company)s, part.currency,
       (SELECT id FROM res_currency WHERE name = part.currency), part.key, sum(part.here),
       sum(part.there), sum(part.there) - sum(part.here), sum(part.here_net),
       sum(part.there_net), sum(part.here_count), sum(part.there_count)
  FROM part
 GROUP BY part.currency, part.key
"""
