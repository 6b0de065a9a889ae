"""The totals of a run: from the ledger, from the files, and whether they are the same."""

from datetime import date, timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL

from ..canonical import batch
from ..controls.reading import Unreadable, rows
from ..controls.roles import ITEMS, SUMS, Roles
from ..controls.totals import Key, Sum, add_up, compared, differences, digits
from ..extract.formats import CHOICES
from . import finance_export_total_sql as sql

# Ids of an increment that go to the database at a time.
CHUNK = 20_000
# Decimal places of a float from the database that are money: no currency has more.
PLACES = 6


class FinanceExportRun(models.Model):
    _inherit = "finance.export.run"

    total_ids = fields.One2many("finance.export.total", "run_id", "Control Totals", readonly=True)

    # === WHAT IS READ === #

    @api.model
    def _month_domain(self, period):
        """Return the domain of what is dated in a month, ``period`` as "2026-03"."""
        first = date.fromisoformat(f"{period}-01")
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return [("date", ">=", str(first)), ("date", "<=", str(last))]

    def _posted_domain(self, mode="full"):
        """Return the domain of the journal items of this run in a mode."""
        domain = [
            ("parent_state", "=", "posted"),
            ("company_id", "in", self.export_id.sudo().company_ids.ids),
        ]
        if mode == "period" and self.period:
            domain += self._month_domain(self.period)
        return domain

    def _money_lines(self):
        """Return [(line of the export, code of its feed)] whose rows are journal items or sums."""
        lines = self.export_id.sudo().feed_ids
        return [(line, line.feed_id.code) for line in lines if line.feed_id.code in ITEMS + SUMS]

    # === FROM THE LEDGER === #

    def _ledger_totals(self, schemas):
        """Write what the ledger adds up to, in the transaction and as the user of the run.

        schemas: {feed code: Schema}, as the files have them. Of an increment the totals are worked
        out when its file is read back, over the same items.
        """
        self.ensure_one()
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM finance_export_total WHERE run_id = %s", self.ids)
        lines = self._reading().env["account.move.line"]
        for line, feed in self._money_lines():
            if feed not in schemas or self._mode_of(line) == "incremental":
                continue
            found = sql.items(lines, self._posted_domain(self._mode_of(line)))
            self.env.cr.execute(sql.ledger(self, feed, found, self._roles(line, schemas[feed])))
        self.env["finance.export.total"].invalidate_model()
        self.invalidate_recordset(["total_ids"])

    def _roles(self, line, schema):
        """Return the roles of a feed's columns; what is told as a digest can't be added up."""
        hidden = line.column_ids.filtered(lambda column: column.privacy != "open").mapped("name")
        return Roles.of(schema, line.feed_id._definition().measures, hidden)

    def _mode_of(self, line):
        """Return the mode that a feed was told in, which need not be the one that is set."""
        files = self.file_ids.filtered(lambda file: file.feed == line.feed_id.code)
        return files[:1].mode or line.mode

    # === FROM THE FILES === #

    def _file_totals(self, schemas):
        """Read the files back and compare; return the `finance.export.total` that differ.

        Where one does, an exception is open and nothing of the batch may be published. schemas:
        {feed code: Schema}, as the files have them. A file that can't be read differs.
        """
        self.ensure_one()
        self.env.flush_all()
        told = self.file_ids.filtered("feed")
        for feed, files in told.grouped("feed").items():
            self._compare_feed(feed, files.sorted("id"), schemas[feed])
        self.env["finance.export.total"].invalidate_model()
        self.invalidate_recordset(["total_ids"])
        differing = self.total_ids.filtered(lambda total: total.state != "equal")
        self._tell_totals(differing)
        return differing

    def _compare_feed(self, feed, files, schema):
        line = self.export_id.sudo().feed_ids.filtered(lambda line: line.feed_id.code == feed)
        roles = self._roles(line, schema) if line else Roles.of(schema)
        is_money = feed in ITEMS + SUMS and roles.amounts
        incremental = files[:1].mode == "incremental"
        if incremental and feed in SUMS:
            is_money = False
        try:
            found = self._added_up(files, roles, is_money and incremental)
        except Unreadable as error:
            self._write_rows(feed, files, -1, str(error))
            return
        counted = sum(total.rows for total in found.values())
        self._write_rows(feed, files, counted)
        if not is_money:
            return
        if incremental:
            self._ledger_of_ids(line, feed, roles)
        self._compare_sums(feed, roles, found)
        if not incremental:
            self._compare_books(feed, files[:1].mode, found)

    def _added_up(self, files, roles, keep_ids):
        """Return {`Key`: `Sum`} of the files of a feed; ids of an increment go to a table."""
        if keep_ids:
            self.env.cr.execute(sql.IDS)
        totals = {}
        for file in files:
            with file._open() as stream:
                found = rows(stream, *CHOICES[self.format], roles)
                if keep_ids:
                    found = self._noting_ids(found)
                part = (file.entity_id.name or "", file.period or "")
                add_up(found, totals, part)
        return self._by_entity(totals)

    def _noting_ids(self, found):
        """Yield the rows as they come; their ids are written down on the way."""
        ids = []
        for row in found:
            ids.append((row[0], row[8] == "D"))
            if len(ids) >= CHUNK:
                self._note_ids(ids)
                ids = []
            yield row
        self._note_ids(ids)

    def _note_ids(self, ids):
        self.env.cr.execute(
            "INSERT INTO finance_export_ids"
            " SELECT id::int, gone FROM unnest(%s::text[], %s::bool[]) AS told(id, gone)",
            [[key for key, _gone in ids], [gone for _key, gone in ids]],
        )

    def _by_entity(self, totals):
        """Return the sums with the company's id for what the file calls it: its id or its name."""
        companies = self.export_id.sudo().company_ids
        ids = {company.name: str(company.id) for company in companies}
        ids |= {str(company.id): str(company.id) for company in companies}
        found = {}
        for key, total in totals.items():
            key = Key(*key)
            found.setdefault(key._replace(company=ids.get(key.company, "")), Sum()).add(total)
        return found

    def _ledger_of_ids(self, line, feed, roles):
        """Write the totals of the very items of an increment, and of the months they are in."""
        lines = self._reading().env["account.move.line"]
        domain = self._posted_domain("incremental")
        self.env.cr.execute(sql.ledger(self, feed, sql.items(lines, domain, sql.TOLD), roles))
        months = self.env.execute_query(sql.touched(line))
        if not months:
            return
        found = sql.items(lines, domain, sql.of_months(months))
        self.env.cr.execute(sql.ledger(self, feed, found, roles, "period"))

    # === COMPARED === #

    def _compare_sums(self, feed, roles, found):
        names = compared(roles, feed in SUMS)
        ledger = {
            Key(*row[:4]): Sum(row[4], *map(Decimal, row[5:8]), int(row[8], 16))
            for row in self.env.execute_query(sql.stored(self, feed))
        }
        wrong = {one.key for one in differences(ledger, found, names)}
        self._write_totals(
            self._total_row(feed, "items", key, ledger.get(key), found.get(key), key in wrong)
            for key in {**ledger, **found}
        )

    def _compare_books(self, feed, mode, found):
        """Compare with Odoo's own trial balance: the sums of its ORM by company and account."""
        lines = self._reading().env["account.move.line"]
        groups = lines._read_group(
            [*self._posted_domain(mode), ("account_id", "!=", False)],
            ["company_id", "account_id"],
            ["debit:sum", "credit:sum", "__count"],
        )
        books, file = {}, {}
        for company, account, debit, credit, count in groups:
            code = account.with_company(company.root_id).sudo().code or ""
            total = Sum(count, _money(debit), _money(credit))
            books.setdefault(Key(str(company.id), "", code), Sum()).add(total)
        for key, total in found.items():
            file.setdefault(Key(key.company, "", key.account), Sum()).add(total)
        if not any(key.account for key in found):
            books = _without_accounts(books)
        wrong = {one.key for one in differences(books, file, ("debit", "credit"))}
        self._write_totals(
            self._total_row(feed, "books", key, books.get(key), file.get(key), key in wrong)
            for key in {**books, **file}
            if key.company or key in wrong
        )

    def _write_rows(self, feed, files, counted, why=""):
        """Every feed has this much: as many rows in its files as the database gave."""
        told = sum(file.rows - file.deletions for file in files)
        self._write_totals(
            [
                (
                    self.id, self.company_id.id, feed, "rows", "", "", why[:200], "", told, "0",
                    "0", "0", "", counted, "0", "0", "0", "",
                    "equal" if told == counted else "differs",
                )
            ]
        )  # fmt: skip

    def _total_row(self, feed, kind, key, ledger, file, is_wrong):
        ledger, file = ledger or Sum(), file or Sum()
        return (
            self.id,
            self.company_id.id,
            feed,
            kind,
            *key,
            *_columns(ledger),
            *_columns(file),
            "differs" if is_wrong else "equal",
        )

    def _write_totals(self, found):
        found = list(found)
        if found:
            self.env.cr.execute_values(sql.UPSERT, found, page_size=1000)

    def _tell_totals(self, differing):
        """Open an exception for totals that differ; close those of this export's former runs."""
        exceptions = self.env["finance.exception"]
        note = "export.stopped_again" if differing else "export.equal"
        exceptions._resolve("export.totals", document=self.export_id.run_ids, note=note)
        if not differing:
            return
        first = differing[0]
        exceptions._raise(
            "export.totals",
            record=self,
            document=self,
            company=self.company_id,
            params={
                "feed": first.feed,
                "count": len(differing),
                "entity": first.entity_id.sudo().name or "–",
                "account": first.account or "–",
                "period": first.period or "–",
            },
        )

    # === FOR THE MANIFEST === #

    def _batch_facts(self):
        return super()._batch_facts() | {
            "totals": self._batch_totals(),
            "findings": self._batch_findings(),
            "rates": self._rates(),
            "lock_dates": self._lock_dates(),
            "final": self._final_periods(),
        }

    def _batch_totals(self):
        """Return the canonical `Total`s of the batch, as they were found in the files."""
        self.env.flush_all()
        found = self.env.execute_query(
            SQL(
                """
                SELECT total.feed, COALESCE(company.name, ''), total.period, total.account,
                       total.currency, total.file_rows, total.file_debit::text,
                       total.file_credit::text, total.file_amount_currency::text,
                       total.file_digest
                  FROM finance_export_total AS total
                  LEFT JOIN res_company AS company ON company.id = total.entity_id
                 WHERE total.run_id = %s AND total.kind = 'items' AND total.state = 'equal'
                 ORDER BY 1, 2, 3, 4, 5
                """,
                self.id,
            )
        )
        return tuple(
            batch.Total(*row[:6], *map(Decimal, row[6:9]), digest=row[9] or "") for row in found
        )


def _columns(total):
    return (
        total.rows,
        str(total.debit),
        str(total.credit),
        str(total.amount_currency),
        digits(total.digest),
    )


def _money(amount):
    """A sum of the ORM, which is a float, as the money that it was in the database."""
    return Decimal(str(round(amount or 0.0, PLACES)))


def _without_accounts(books):
    folded = {}
    for key, total in books.items():
        folded.setdefault(key._replace(account=""), Sum()).add(total)
    return folded
