"""What mappings translate: the Odoo records of each type, and the journal items that use them."""

from typing import NamedTuple

from odoo.tools import SQL


class MappingType(NamedTuple):
    """One type of mapping.

    model: the Odoo model. records: SELECT of id, code, name of all its rows, with ``%(root)s`` for
    the id of the root company, as text: codes of accounts are kept by it. items: SELECT of value,
    line_id, company_id, day and balance of the journal items that use a record. keys: fields that
    name a record in a CSV file, the first that is filled counts. companies: field with the
    company or companies of a record, "" where all share it.
    """

    model: str
    records: str
    items: str
    keys: tuple = ("name",)
    companies: str = "company_id"


POSTED = """
    line.id AS line_id, line.company_id, line.date AS day, %s AS balance
  FROM account_move_line AS line %s
 WHERE line.parent_state = 'posted' AND line.account_id IS NOT NULL
   AND line.date BETWEEN %%(first)s AND %%(last)s AND line.company_id = ANY(%%(companies)s)
   AND %s IS NOT NULL"""


def _items(value, joins="", balance="line.balance"):
    return f"SELECT {value} AS value, {POSTED % (balance, joins, value)}"


# A tax is used by the items that it is charged on and by those that carry its amount.
_TAXED = "JOIN account_move_line_account_tax_rel AS taxed ON taxed.account_move_line_id = line.id"
_TERMED = """
    JOIN account_move AS move ON move.id = line.move_id AND line.display_type = 'payment_term'"""
# {"3,7": 50.0}: half of it to account 3 of one plan and 7 of another.
_SHARED = """
    CROSS JOIN LATERAL jsonb_each_text(line.analytic_distribution) AS part(ids, percent)
    CROSS JOIN LATERAL regexp_split_to_table(part.ids, ',') AS analytic(id)"""

TYPES = {
    "entity": MappingType(
        "res.company",
        "SELECT id, NULL::text AS code, name FROM res_company",
        _items("line.company_id"),
        companies="id",
    ),
    "account": MappingType(
        "account.account",
        "SELECT id, code_store->>%(root)s AS code, name->>'en_US' AS name FROM account_account",
        _items("line.account_id"),
        keys=("code", "name"),
        companies="company_ids",
    ),
    "journal": MappingType(
        "account.journal",
        "SELECT id, code, name->>'en_US' AS name FROM account_journal",
        _items("line.journal_id"),
        keys=("code", "name"),
    ),
    "tax": MappingType(
        "account.tax",
        "SELECT id, NULL::text AS code, name->>'en_US' AS name FROM account_tax",
        _items("line.tax_line_id") + " UNION ALL " + _items("taxed.account_tax_id", _TAXED),
    ),
    "partner": MappingType(
        "res.partner",
        "SELECT id, ref AS code, name FROM res_partner",
        _items("line.partner_id"),
        keys=("ref", "name"),
    ),
    "product": MappingType(
        "product.product",
        """SELECT product.id, product.default_code AS code, template.name->>'en_US' AS name
             FROM product_product AS product
             JOIN product_template AS template ON template.id = product.product_tmpl_id""",
        _items("line.product_id"),
        keys=("default_code", "name"),
    ),
    "currency": MappingType(
        "res.currency",
        "SELECT id, name AS code, full_name AS name FROM res_currency",
        _items("line.currency_id"),
        companies="",
    ),
    "payment_term": MappingType(
        "account.payment.term",
        "SELECT id, NULL::text AS code, name->>'en_US' AS name FROM account_payment_term",
        _items("move.invoice_payment_term_id", _TERMED),
    ),
    "dimension": MappingType(
        "account.analytic.account",
        "SELECT id, code, name->>'en_US' AS name FROM account_analytic_account",
        _items("analytic.id::int", _SHARED, "line.balance * part.percent::numeric / 100"),
        keys=("code", "name"),
    ),
}

# The more exact rule wins; of two prefixes the longer.
RANK = SQL("CASE line.rule WHEN 'code' THEN 1 WHEN 'name' THEN 2 ELSE 3 END")
IN_FORCE = SQL("daterange(line.valid_from, line.valid_to, '[]') @> wanted.day")

# The version that serves a company: of what is more exact before what is general, of a company
# before its parent's and everybody's; where none has an approved version, the mapping alone.
CHOICE = """
SELECT mapping.id, version.id, split_part(company.parent_path, '/', 1)
  FROM res_company AS company
  LEFT JOIN finance_mapping AS mapping
    ON mapping.active AND mapping.kind = %(kind)s
   AND (mapping.connector_id IS NULL OR mapping.connector_id = %(connector)s)
   AND (mapping.scope IS NULL OR mapping.scope = %(scope)s)
   AND (mapping.company_id IS NULL OR EXISTS (
        SELECT FROM res_company AS owner
         WHERE owner.id = mapping.company_id
           AND company.parent_path LIKE owner.parent_path || '%%'))
  LEFT JOIN finance_mapping_version AS version
    ON version.mapping_id = mapping.id AND version.state = 'approved'
  LEFT JOIN res_company AS owner ON owner.id = mapping.company_id
 WHERE company.id = %(company)s
 ORDER BY version.id IS NULL, mapping.scope IS NULL, mapping.connector_id IS NULL,
          length(owner.parent_path) DESC NULLS LAST
 LIMIT 1
"""


def records(kind, root):
    """Return the SELECT of id, code and name of the records of a type; root: company id as text."""
    return SQL(TYPES[kind].records, root=str(root))


def items(kind, companies, first, last):
    """Return the SELECT of posted journal items of companies (ids) from day to day, by value."""
    return SQL(TYPES[kind].items, companies=list(companies), first=first, last=last)


def matching(kind, version_id, root, wanted):
    """Return the SELECT of id, day and line_id, by the lines of a version.

    wanted: SELECT of id and day. line_id is empty where no line fits; a record that is gone has
    no row.
    """
    return SQL(
        """
        SELECT wanted.id, wanted.day, COALESCE(own.id, fitting.id) AS line_id
          FROM (%(wanted)s) AS wanted
          JOIN (%(records)s) AS record ON record.id = wanted.id
          LEFT JOIN finance_mapping_line AS own
            ON own.version_id = %(version)s AND own.rule = 'record' AND own.res_id = wanted.id
           AND own.direction <> 'in' AND daterange(own.valid_from, own.valid_to, '[]') @> wanted.day
          LEFT JOIN LATERAL (
            SELECT line.id FROM finance_mapping_line AS line
             WHERE own.id IS NULL AND line.version_id = %(version)s AND line.rule <> 'record'
               AND line.direction <> 'in' AND %(in_force)s
               AND (line.rule = 'default'
                    OR line.rule = 'code' AND starts_with(record.code, line.prefix)
                    OR line.rule = 'name' AND starts_with(lower(record.name), lower(line.prefix)))
             ORDER BY %(rank)s, length(line.prefix) DESC LIMIT 1
          ) AS fitting ON true
        """,
        wanted=wanted,
        records=records(kind, root),
        version=version_id or 0,
        in_force=IN_FORCE,
        rank=RANK,
    )
