"""What a version would have changed in last month's books, counted before it is approved."""

from decimal import Decimal

from odoo import api, fields, models
from odoo.fields import NO_ACCESS
from odoo.tools import SQL
from odoo.tools.misc import format_amount

from .finance_mapping_sql import items, matching

CHANGES = "finance_connector_base.mapping_trial"
# So many changes are shown, and told to the audit; the totals are of all.
MOST_SHOWN = 200

# By old and new code: values, journal items, and their debits and credits added up.
TRIAL = """
WITH used AS MATERIALIZED (%(items)s),
     wanted AS MATERIALIZED (SELECT DISTINCT value AS id, day FROM used),
     old AS MATERIALIZED (%(old)s),
     new AS MATERIALIZED (%(new)s)
SELECT former.code, later.code, count(DISTINCT used.value), count(DISTINCT used.line_id),
       sum(abs(used.balance))
  FROM used
  LEFT JOIN old ON old.id = used.value AND old.day = used.day
  LEFT JOIN finance_mapping_line AS former ON former.id = old.line_id
  LEFT JOIN new ON new.id = used.value AND new.day = used.day
  LEFT JOIN finance_mapping_line AS later ON later.id = new.line_id
 GROUP BY former.code, later.code
 ORDER BY 5 DESC, 1, 2
"""


class FinanceMappingVersion(models.Model):
    _inherit = "finance.mapping.version"

    # Of all companies: `trial_html` shows those of the reader.
    trial = fields.Json(readonly=True, groups=NO_ACCESS)
    tried_at = fields.Datetime("Tried on", readonly=True)
    trial_html = fields.Html("What Would Change", compute="_compute_trial_html", sanitize=False)

    @api.depends("trial")
    @api.depends_context("uid", "lang")
    def _compute_trial_html(self):
        for version in self:
            trial = version.sudo().trial
            version.trial_html = trial and self.env["ir.qweb"]._render(
                CHANGES, {"companies": version._shown(trial), **version._hidden(trial)}
            )

    def _shown(self, trial):
        """The changes in companies of the reader, in words."""
        mine = set(self.env.user.company_ids.ids)
        shown = []
        for part in trial:
            if part["company"] not in mine:
                continue
            company = self.env["res.company"].browse(part["company"])
            currency = company.currency_id
            changes = [
                dict(zip(("old", "new", "values", "items", "turnover"), row, strict=True))
                for row in part["rows"]
                if row[0] != row[1]
            ]
            for change in changes:
                change["turnover"] = self._amount(change["turnover"], currency)
            shown.append(
                {
                    "name": company.name,
                    "month": part["first"][:7],
                    "changes": changes[:MOST_SHOWN],
                    "more": max(0, len(changes) - MOST_SHOWN),
                    **{
                        name: {
                            **part[name],
                            "turnover": self._amount(part[name]["turnover"], currency),
                        }
                        for name in ("changed", "unchanged", "missing")
                    },
                }
            )
        return shown

    def _hidden(self, trial):
        mine = set(self.env.user.company_ids.ids)
        return {"hidden": sum(part["company"] not in mine for part in trial)}

    def _amount(self, text, currency):
        return format_amount(self.env, float(text), currency)

    # === TRYING === #

    def action_try(self):
        """Count what the lines would change in last month's posted items."""
        self.ensure_one()
        self._check_worker("mapping.try", self)
        self.check_access("read")
        if self.state in ("draft", "submitted"):
            self._step(self._tried())

    def _tried(self):
        """Try the version; return the values to store."""
        self.ensure_one()
        this = self.sudo()
        this.env.flush_all()
        parts = [this._try_in(company) for company in this.mapping_id._companies()]
        return {
            "trial": [part for part in parts if part["rows"]],
            "tried_at": fields.Datetime.now(),
        }

    def _try_in(self, company):
        mapping = self.mapping_id
        first, last = self.env["finance.mapping.missing"]._last_month(company)
        _mapping, former, root = mapping._choice(
            mapping.kind, company, mapping.connector_id, mapping.scope
        )
        wanted = SQL("SELECT id, day FROM wanted")
        rows = self.env.execute_query(
            SQL(
                TRIAL,
                items=items(mapping.kind, company.ids, first, last),
                old=matching(mapping.kind, former, root, wanted),
                new=matching(mapping.kind, self.id, root, wanted),
            )
        )
        currency = company.currency_id
        rows = [[*row[:4], f"{row[4]:.{currency.decimal_places}f}"] for row in rows]
        return {
            "company": company.id,
            "first": str(first),
            "last": str(last),
            "rows": rows,
            "changed": _total([row for row in rows if row[0] != row[1]], currency),
            "unchanged": _total([row for row in rows if row[0] == row[1]], currency),
            "missing": _total([row for row in rows if row[1] is None], currency),
        }

    def _trial_told(self):
        """The trial for the audit: totals of each company, and the largest changes."""
        return [
            {**part, "rows": [row for row in part["rows"] if row[0] != row[1]][:MOST_SHOWN]}
            for part in self.sudo().trial or []
        ]


def _total(rows, currency):
    turnover = sum((Decimal(row[4]) for row in rows), Decimal(0))
    return {
        "values": sum(row[2] for row in rows),
        "items": sum(row[3] for row in rows),
        "turnover": f"{turnover:.{currency.decimal_places}f}",
    }
