"""Looking up: codes of many records, or records of many codes, on a business day."""

from odoo import api, models
from odoo.tools import SQL

from ..mappings.answer import Answer, Hit, Reverse
from ..unmapped import Unmapped
from .finance_mapping_sql import CHOICE, TYPES, matching


class FinanceMapping(models.Model):
    _inherit = "finance.mapping"

    @api.model
    def _lookup(self, kind, records, day, company, connector=None, scope=""):
        """Return the `Answer`: the external codes of many records on one business day.

        kind: a type of mapping. records: a recordset of its model, or ids. day: date that the
        lines must be valid on. company: whose mapping, one record; connector, scope: for whom.
        Two queries, however many records. Reads whatever the user may read.
        """
        self._flush_mappings(kind)
        mapping_id, version_id, root = self._choice(kind, company, connector, scope)
        ids = list(
            dict.fromkeys(records if isinstance(records, (list, tuple, set)) else records.ids)
        )
        found = self._hits(kind, version_id, root, ids, day) if version_id and ids else {}
        return Answer(
            kind=kind,
            day=day,
            company_id=company.id,
            connector_id=connector.id if connector else None,
            scope=scope or "",
            mapping_id=mapping_id,
            version_id=version_id,
            found=found,
            missing=tuple(id_ for id_ in ids if id_ not in found),
        )

    @api.model
    def _find(self, kind, codes, day, company, connector=None, scope=""):
        """Return the `Reverse`: the records of many external codes on one business day.

        Only lines with a record lead back. One “Only to Odoo” goes before one for both ways; where
        several records still have a code, it is ambiguous and nothing is chosen. Two queries.
        """
        self._flush_mappings(kind)
        mapping_id, version_id, _root = self._choice(kind, company, connector, scope)
        codes = list(dict.fromkeys(codes))
        found = {}
        if version_id and codes:
            for code, hits in self._reversed(kind, version_id, codes, day, company):
                found[code] = {record_id: line_id for record_id, line_id in hits}
        return Reverse(
            mapping_id=mapping_id,
            version_id=version_id,
            found={
                code: next(iter(hits.items())) for code, hits in found.items() if len(hits) == 1
            },
            ambiguous={code: sorted(hits) for code, hits in found.items() if len(hits) > 1},
            missing=tuple(code for code in codes if code not in found),
        )

    def _flush_mappings(self, kind):
        for model in ("finance.mapping", "finance.mapping.version", "finance.mapping.line"):
            self.env[model].flush_model()
        self.env[TYPES[kind].model].flush_model()

    @api.model
    def _choice(self, kind, company, connector=None, scope=""):
        """Return (mapping id, id of its approved version, id of the root company as text)."""
        self.env.cr.execute(
            CHOICE,
            {
                "kind": kind,
                "company": company.id,
                "connector": connector.id if connector else None,
                "scope": scope or None,
            },
        )
        return self.env.cr.fetchone() or (None, None, str(company.id))

    def _hits(self, kind, version_id, root, ids, day):
        wanted = SQL("SELECT id, %s::date AS day FROM unnest(%s) AS id", day, ids)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT hit.id, line.code, COALESCE(line.label, ''), line.id, line.rule,
                       COALESCE(line.prefix, '')
                  FROM (%s) AS hit JOIN finance_mapping_line AS line ON line.id = hit.line_id
                """,
                matching(kind, version_id, root, wanted),
            )
        )
        return {row[0]: Hit(*row[1:]) for row in rows}

    def _reversed(self, kind, version_id, codes, day, company):
        return self.env.execute_query(
            SQL(
                """
                SELECT code, array_agg(ARRAY[res_id, id] ORDER BY res_id) FROM (
                    SELECT line.code, line.res_id, line.id,
                           rank() OVER (PARTITION BY line.code ORDER BY line.direction <> 'in') AS rank
                      FROM finance_mapping_line AS line
                      JOIN %(table)s AS record ON record.id = line.res_id
                     WHERE line.version_id = %(version)s AND line.rule = 'record'
                       AND line.direction <> 'out' AND line.code = ANY(%(codes)s)
                       AND daterange(line.valid_from, line.valid_to, '[]') @> %(day)s::date
                       AND %(own)s
                ) AS hit WHERE rank = 1 GROUP BY code
                """,
                table=SQL.identifier(self.env[TYPES[kind].model]._table),
                version=version_id,
                codes=codes,
                day=day,
                own=self._of_company(kind, company),
            )
        )

    def _of_company(self, kind, company):
        """Condition on ``record``: it belongs to the company, to a parent, or to all."""
        where = TYPES[kind].companies
        family = SQL(
            "SELECT parent.id FROM res_company AS own JOIN res_company AS parent"
            " ON own.parent_path LIKE parent.parent_path || '%%' WHERE own.id = %s",
            company.id,
        )
        if kind == "product":
            return SQL(
                "EXISTS (SELECT FROM product_template AS template"
                " WHERE template.id = record.product_tmpl_id"
                " AND (template.company_id IS NULL OR template.company_id IN (%s)))",
                family,
            )
        if where == "company_ids":
            return SQL(
                "EXISTS (SELECT FROM account_account_res_company_rel AS rel"
                " WHERE rel.account_account_id = record.id AND rel.res_company_id IN (%s))",
                family,
            )
        if where == "company_id":
            return SQL("(record.company_id IS NULL OR record.company_id IN (%s))", family)
        return SQL("true")

    @api.model
    def _require(self, answer, items=None):
        """Raise `Unmapped` where a value of an `Answer` is missing, so that the work waits.

        In a job: the job stops, one exception per value is opened, and the job goes on by itself
        once the values are mapped. items: {record id: (count, amount in company currency)} of
        what waits for them.
        """
        if not answer.missing:
            return
        records = self.env[TYPES[answer.kind].model].browse(answer.missing[:5]).exists()
        names = ", ".join(records.sudo().mapped("display_name"))
        raise Unmapped(
            self.env._(
                "%(count)s values have no approved external code: %(names)s. Map them in Finance "
                "Connect, Unmapped Values; it goes on by itself after the approval.",
                count=len(answer.missing),
                names=names,
            ),
            answer,
            items or {},
        )
