"""What a batch is not complete in: asked in the run's transaction, before anything is written."""

from datetime import date, timedelta
from decimal import Decimal

from odoo import fields, models
from odoo.tools import SQL

from odoo.addons.finance_connector_base.models.finance_close_check import Period
from odoo.addons.finance_connector_base.models.finance_mapping_sql import TYPES

from ..canonical import batch
from . import finance_export_finding_sql as sql
from . import finance_export_total_sql as totals
from .finance_export_finding import KINDS, MOST_IDS

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)


class FinanceExportRun(models.Model):
    _inherit = "finance.export.run"

    finding_ids = fields.One2many("finance.export.finding", "run_id", "Findings", readonly=True)

    def _findings(self, schemas):
        """Ask what is missing or open; return the `finance.export.finding` of this run.

        schemas: {feed code: Schema} of what will be written. Where one of them ``blocks``, an
        exception is open and nothing may be written to the destination. Kinds that the export
        ignores are not asked for.
        """
        self.ensure_one()
        self.env.flush_all()
        findings = self.env["finance.export.finding"].sudo()
        findings.search([("run_id", "=", self.id)]).unlink()
        found = []
        for kind in KINDS:
            policy = self.export_id._policy(kind)
            if policy == "ignore":
                continue
            for values in getattr(self, f"_find_{kind}")(schemas):
                found.append(
                    {
                        "run_id": self.id,
                        "code": kind,
                        "policy": policy,
                        "blocks": policy == "block",
                        "has_amount": values.get("amount") is not None,
                        **values,
                    }
                )
        created = findings.create(found)
        self.invalidate_recordset(["finding_ids"])
        self._tell_findings(created.filtered("blocks"))
        return created.with_env(self.env)

    def _tell_findings(self, blocking):
        """Open an exception for what stops the batch; close those of this export's former runs."""
        exceptions = self.env["finance.exception"]
        note = "export.stopped_again" if blocking else "export.complete"
        exceptions._resolve("export.incomplete", document=self.export_id.run_ids, note=note)
        if not blocking:
            return
        exceptions._raise(
            "export.incomplete",
            record=self,
            document=self,
            company=self.company_id,
            params={
                "count": len(blocking),
                "first": blocking[0].with_context(lang=self.env.user.lang).title,
            },
        )

    # === WHICH PERIOD === #

    def _span(self):
        """Return the first and last day that are asked about: the run's month, else everything
        until the end of last month, since this one is still being worked on."""
        if self.period:
            period = Period.month(self.period)
            return period.first, period.last
        today = fields.Date.context_today(self)
        return FIRST_DAY, today.replace(day=1) - timedelta(days=1)

    def _span_domain(self):
        first, last = self._span()
        domain = [("company_id", "in", self.export_id.sudo().company_ids.ids)]
        domain += [("date", "<=", str(last))]
        return domain + ([("date", ">=", str(first))] if self.period else [])

    # === THE QUESTIONS === #

    def _find_gaps(self, schemas):
        moves = self._reading().env["account.move"]
        numbered = [
            ("company_id", "in", self.export_id.sudo().company_ids.ids),
            ("name", "not in", (False, "/")),
            ("sequence_number", ">", 0),
        ]
        query = moves._search(numbered)
        first, last = self._span()
        columns = ("id", "company_id", "journal_id", "date")
        found = query.select(
            *(SQL.identifier("account_move", name) for name in columns),
            SQL("account_move.sequence_prefix AS prefix"),
            SQL("account_move.sequence_number AS number"),
            SQL("account_move.date BETWEEN %s AND %s AS wanted", first, last),
        )
        return [
            {
                "entity_id": company_id,
                "count": missing,
                "model": "account.move",
                "domain": [("id", "in", ids)],
            }
            for company_id, missing, ids in self.env.execute_query(sql.gaps(found))
        ]

    def _find_drafts(self, schemas):
        domain = [*self._span_domain(), ("state", "=", "draft")]
        groups = (
            self._reading()
            .env["account.move"]
            ._read_group(domain, ["company_id"], ["__count", "amount_total_signed:sum"])
        )
        return [
            {
                "entity_id": company.id,
                "count": count,
                "amount": amount,
                "currency_id": company.currency_id.id,
                "model": "account.move",
                "domain": [*domain, ("company_id", "=", company.id)],
            }
            for company, count, amount in groups
        ]

    def _find_unmapped(self, schemas):
        found = []
        first, last = self._span() if self.period else (FIRST_DAY, LAST_DAY)
        for feed, kind in sorted(_mapped_kinds(schemas)):
            for company in self.export_id.sudo().company_ids:
                found += self._unmapped_of(feed, kind, company, first, last)
        return found

    def _unmapped_of(self, feed, kind, company, first, last):
        mappings = self.env["finance.mapping"].sudo()
        mappings._flush_mappings(kind)
        mapping_id, version_id, _root = mappings._choice(
            kind, company, self.connector_id or None, feed
        )
        query = sql.unmapped(kind, company, version_id, first, last)
        rows = [
            (value, count, Decimal(total)) for value, count, total in self.env.execute_query(query)
        ]
        if not rows:
            return []
        if self.export_id._policy("unmapped") == "block":
            self._ask_for_codes(feed, kind, company, rows)
        listed = [("mapping_id", "=", mapping_id), ("company_id", "=", company.id)]
        ids = [value for value, _count, _total in rows[:MOST_IDS]]
        return [
            {
                "entity_id": company.id,
                "count": len(rows),
                "amount": float(sum(total for _value, _count, total in rows)),
                "currency_id": company.currency_id.id,
                "params": {"kind": kind, "feed": feed},
                "model": "finance.mapping.missing" if mapping_id else TYPES[kind].model,
                "domain": listed if mapping_id else [("id", "in", ids)],
            }
        ]

    def _ask_for_codes(self, feed, kind, company, rows):
        """Open the exceptions by which people map values and try again."""
        values = [value for value, _count, _total in rows]
        _first, last = self._span()
        answer = self.env["finance.mapping"].sudo()._lookup(
            kind, values, last, company, self.connector_id or None, feed
        )  # fmt: skip
        counts = {value: (count, float(total)) for value, count, total in rows}
        self.env["finance.mapping.missing"]._ask_for(answer, counts)

    def _find_rates(self, schemas):
        """Currencies without any rate: what Odoo has booked one to one; then what the group lacks."""
        lines = self._reading().env["account.move.line"]
        domain = [("parent_state", "=", "posted"), *self._span_domain()]
        rows = self.env.execute_query(sql.unrated(totals.items(lines, domain)))
        companies = {company.id: company for company in self.export_id.sudo().company_ids}
        currencies = self.env["res.currency"].sudo()
        found = []
        for company_id, currency_id, count, total, periods in rows:
            company = companies[company_id]
            found.append(
                {
                    "entity_id": company_id,
                    "count": count,
                    "amount": float(total),
                    "currency_id": company.currency_id.id,
                    "params": {
                        "currency": currencies.browse(currency_id).name,
                        "to": company.currency_id.name,
                        "periods": few(periods),
                    },
                    "model": "account.move.line",
                    "domain": [
                        *domain,
                        ("company_id", "=", company_id),
                        ("currency_id", "=", currency_id),
                    ],
                }
            )
        return found + self._find_group_rates()

    def _find_bank(self, schemas):
        """Where bank accounts are watched: days without a balance, to the end of the month."""
        days = self.env.get("finance.bank.missing.day")
        if days is None:
            return []
        companies = self.export_id.sudo().company_ids
        _first, last = self._span()
        days.sudo()._find(companies, last.replace(day=1), last)
        domain = [
            ("company_id", "in", companies.ids),
            ("day", ">=", str(last.replace(day=1))),
            ("day", "<=", str(last)),
        ]
        return [
            {
                "entity_id": company.id,
                "count": count,
                "model": days._name,
                "domain": [*domain, ("company_id", "=", company.id)],
            }
            for company, count in days.sudo()._read_group(domain, ["company_id"], ["__count"])
        ]

    def _find_exceptions(self, schemas):
        """Open exceptions of the companies, without those that say that this export stands."""
        companies = self.export_id.sudo().company_ids
        _first, last = self._span()
        domain = [
            ("state", "=", "open"),
            ("company_id", "in", companies.ids),
            ("code", "not =like", "export.%"),
            "|", ("period", "=", False), ("period", "<=", f"{last:%Y-%m}"),
        ]  # fmt: skip
        exceptions = self.env["finance.exception"].sudo()
        return [
            {
                "entity_id": company.id,
                "count": count,
                "model": exceptions._name,
                "domain": [*domain, ("company_id", "=", company.id)],
            }
            for company, count in exceptions._read_group(domain, ["company_id"], ["__count"])
        ]

    def _find_balance(self, schemas):
        lines = self._reading().env["account.move.line"]
        mode = "period" if self.period else "full"
        rows = self.env.execute_query(
            sql.unbalanced(totals.items(lines, self._posted_domain(mode)))
        )
        found = {}
        for company_id, period, amount in rows:
            found.setdefault(company_id, []).append((period, Decimal(amount)))
        companies = self.env["res.company"].sudo()
        return [
            {
                "entity_id": company_id,
                "count": len(months),
                "amount": float(sum(amount for _period, amount in months)),
                "currency_id": companies.browse(company_id).currency_id.id,
                "params": {"periods": few(period for period, _amount in months)},
                "model": "account.move.line",
                "domain": [
                    ("parent_state", "=", "posted"),
                    ("company_id", "=", company_id),
                    *self._month_domain(months[0][0]),
                ],
            }
            for company_id, months in found.items()
        ]

    def _find_intercompany(self, schemas):
        _first, last = self._span()
        companies = self.export_id.sudo().company_ids
        context = {"finance_until": str(last)} if self.period else {}
        domain = [
            ("company_id", "in", companies.ids),
            ("other_id", "in", companies.ids),
            ("difference", "!=", 0),
        ]
        rows = self._reading().env["finance.intercompany"].sudo().with_context(**context)
        return [
            {
                "count": count,
                "model": rows._name,
                "domain": domain,
                "context": context,
            }
            for (count,) in rows._read_group(domain, [], ["__count"])
            if count
        ]

    # === FOR THE MANIFEST === #

    def _batch_findings(self):
        """Return the canonical `Finding`s of the batch, in English."""
        return tuple(
            batch.Finding(
                code=finding.code,
                words=finding.title,
                blocks=finding.blocks,
                count=finding.count,
                amount=Decimal(str(finding.amount)) if finding.has_amount else None,
                company=finding.entity_id.sudo().name or "",
            )
            for finding in self.finding_ids.with_context(lang="en_US")
        )


def _mapped_kinds(schemas):
    """Return {(feed, type of mapping)} of the columns that carry an approved code."""
    return {
        (feed, column.mapping)
        for feed, schema in schemas.items()
        for column in schema.columns
        if column.mapping and column.name.endswith("_mapped")
    }


def few(periods):
    """Some of the months, in words for a sentence."""
    ordered = sorted(periods)
    return ", ".join(ordered[:6]) + (" …" if len(ordered) > 6 else "")
