"""Exemption numbers and use codes of contacts become exemptions that hold everywhere."""

MOVE = """
INSERT INTO finance_tax_exemption (
    partner_id, number, entity_use_code, state, create_uid, create_date, write_uid, write_date)
SELECT id, NULLIF(finance_tax_exemption_number, ''), NULLIF(finance_tax_entity_use_code, ''),
       'valid', 1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
  FROM res_partner
 WHERE (COALESCE(finance_tax_exemption_number, '') <> ''
        OR COALESCE(finance_tax_entity_use_code, '') <> '')
   AND commercial_partner_id = id
   AND NOT EXISTS (SELECT FROM finance_tax_exemption e WHERE e.partner_id = res_partner.id)
"""
FORGET = """
ALTER TABLE res_partner
 DROP COLUMN IF EXISTS finance_tax_exemption_number, DROP COLUMN IF EXISTS finance_tax_entity_use_code
"""


def migrate(cr, version):
    """Move what stands on contacts, once."""
    if not version:
        return
    cr.execute(
        "SELECT count(*) FROM information_schema.columns WHERE table_name = 'res_partner'"
        " AND column_name IN ('finance_tax_exemption_number', 'finance_tax_entity_use_code')"
    )
    if cr.fetchone()[0] == 2:
        cr.execute(MOVE)
        cr.execute(FORGET)
