"""What of an import is new, what was told before, and what nobody can tell."""

from collections import defaultdict
from dataclasses import replace

from odoo import models
from odoo.tools import SQL

from odoo.addons.finance_connector_base.canonical import codec

from ..canonical import duplicates
from ..canonical.duplicates import DOUBT, NEW, OTHER_DAYS, SAME, Fact, Verdict, squeezed
from ..canonical.statement import STATEMENT
from .finance_bank_import_read import told

# So many bookings are compared at a time; all of one amount together.
COMPARED = 2000
FACTS = SQL(
    """
    SELECT e.id, e.bank_statement_id, e.source, e.namespace, e.booking_date, e.value_date,
           trim_scale(e.entry_amount)::text AS amount, e.fingerprint, e.unique_id, e.shares,
           e.servicer_reference, e.end_to_end_id, e.partner_account, e.partner_name, e.remittance,
           e.whole, e.position, e.corrects, e.removes,
           CASE WHEN e.state = 'skipped' THEN e.duplicate_of_id END AS original
      FROM finance_bank_entry e
    """
)
LIVE = ("received", "created", "held", "removed")
# The source of lines that no import made.
BY_HAND = "odoo"
STATE = {NEW: "received", SAME: "skipped", DOUBT: "held"}


class FinanceBankImport(models.Model):
    _inherit = "finance.bank.import"

    def _decide(self):
        """Say of each booked entry whether it is new, and give what is new its key."""
        for journal in self.journal_ids.sorted("id"):
            self._decide_changed(journal)
            for unit in self._units(journal):
                self._decide_unit(journal, unit)
            self._decide_pending(journal)
        self.env["finance.bank.entry"].invalidate_model()

    # === READINGS === #

    def _units(self, journal):
        """Group the statements of a journal into readings that tell no booking twice.

        Pages of one statement, and statements that prove to follow one another, are one reading.
        """
        units = []
        for statement in self.statement_ids.filtered(lambda one: one.journal_id == journal).sorted(
            "index"
        ):
            if units and statement._goes_on(units[-1][-1:]):
                units[-1] |= statement
            else:
                units.append(statement)
        return units

    def _decide_unit(self, journal, unit):
        days = self.env.execute_query(
            SQL(
                """
                SELECT min(booking_date), max(booking_date) FROM finance_bank_entry
                 WHERE bank_statement_id = ANY(%s) AND state = 'received'
                """,
                unit.ids,
            )
        )[0]
        if not days[0]:
            return
        apart = unit._disjoint(*days)
        for facts in self._portions(unit):
            known = self._known(journal, unit | apart, facts)
            found = duplicates.decide(facts, known) if known else _all_new(facts)
            self._write_verdicts(journal, facts, found)
        if unit[0].kind != STATEMENT and self.source != "api":
            self._doubt_reports(unit)

    def _portions(self, unit):
        """Yield the facts of a reading, about `COMPARED` at a time, all of one amount together."""
        amounts = self.env.execute_query(
            SQL(
                """
                SELECT trim_scale(entry_amount)::text, count(*) FROM finance_bank_entry
                 WHERE bank_statement_id = ANY(%s) AND share = 1 AND state = 'received'
                 GROUP BY entry_amount ORDER BY entry_amount
                """,
                unit.ids,
            )
        )
        some, total = [], 0
        for amount, count in amounts:
            some.append(amount)
            total += count
            if total >= COMPARED:
                yield self._of_amounts(unit, some)
                some, total = [], 0
        if some:
            yield self._of_amounts(unit, some)

    def _of_amounts(self, unit, amounts):
        query = SQL(
            "%s WHERE e.bank_statement_id = ANY(%s) AND e.share = 1 AND e.state = 'received'"
            " AND e.entry_amount = ANY(%s::numeric[])"
            " ORDER BY e.entry_amount, e.bank_statement_id, e.position",
            FACTS,
            unit.ids,
            amounts,
        )
        self.env.cr.execute(query)
        return [_fact(row) for row in self.env.cr.dictfetchall()]

    def _known(self, journal, apart, facts):
        """Return the facts of other readings with the same amounts and about the same days."""
        days = [fact.day for fact in facts]
        query = SQL(
            """
            %(facts)s LEFT JOIN finance_bank_entry o ON o.id = e.duplicate_of_id
             WHERE e.journal_id = %(journal)s AND e.share = 1 AND e.status = 'booked'
               AND e.entry_amount = ANY(%(amounts)s::numeric[])
               AND e.booking_date BETWEEN %(first)s - %(near)s AND %(last)s + %(near)s
               AND NOT e.bank_statement_id = ANY(%(apart)s)
               AND (e.state = ANY(%(live)s) OR e.state = 'skipped' AND o.state = ANY(%(live)s)
                    AND NOT o.bank_statement_id = ANY(%(apart)s))
             ORDER BY e.id
            """,
            facts=FACTS,
            journal=journal.id,
            amounts=list({fact.amount for fact in facts}),
            first=min(days),
            last=max(days),
            near=OTHER_DAYS,
            apart=apart.ids,
            live=list(LIVE),
        )
        self.env.cr.execute(query)
        return [_fact(row) for row in self.env.cr.dictfetchall()] + self._lines_alone(
            journal, facts
        )

    def _lines_alone(self, journal, facts):
        """Return as facts the bank lines that no import made: entered by hand, or by another addon.

        Their ids are negative, to tell them from entries.
        """
        days = [fact.day for fact in facts]
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                SELECT line.id, move.date, trim_scale(line.amount)::text AS amount,
                       line.payment_ref, line.partner_name, line.account_number
                  FROM account_bank_statement_line line
                  JOIN account_move move ON move.id = line.move_id
                 WHERE line.journal_id = %(journal)s AND move.state = 'posted'
                   AND line.amount = ANY(%(amounts)s::numeric[])
                   AND move.date BETWEEN %(first)s - %(near)s AND %(last)s + %(near)s
                   AND NOT EXISTS (
                       SELECT FROM finance_bank_entry entry WHERE entry.line_id = line.id)
                 ORDER BY line.id
                """,
                journal=journal.id,
                amounts=list({fact.amount for fact in facts}),
                first=min(days),
                last=max(days),
                near=OTHER_DAYS,
            )
        )
        return [
            Fact(
                id=-row["id"],
                reading=0,
                family=BY_HAND,
                namespace=BY_HAND,
                day=row["date"],
                amount=row["amount"],
                account=squeezed(row["account_number"] or ""),
                name=row["partner_name"] or "",
                text=row["payment_ref"] or "",
            )
            for row in self.env.cr.dictfetchall()
        ]

    # === VERDICTS === #

    def _write_verdicts(self, journal, facts, found):
        """Note what each entry is; what becomes or has a line gets its key, numbered for twins."""
        found = self._unsure_of_batches(found)
        named = [
            fact
            for fact, one in zip(facts, found, strict=True)
            if one.verdict == NEW or (one.verdict == SAME and one.original < 0)
        ]
        numbers = self._numbers(journal, {fact.fingerprint for fact in named})
        rows = []
        for fact, one in zip(facts, found, strict=True):
            state, reason = STATE[one.verdict], {"code": one.why} if one.why else None
            key = number = line = None
            if one.original < 0:
                state, reason, line = self._beside_line(one)
            if state in ("received", "created"):
                numbers[fact.fingerprint] += 1
                number = numbers[fact.fingerprint]
                key = f"{fact.fingerprint}:{number}"
                if fact.unique_id:
                    key = f"id:{fact.namespace}:{fact.unique_id}"
            elif state == "held":
                key = f"held:{fact.id}"
            original = one.original if one.original > 0 else None
            rows.append(
                (fact.id, state, key, number, original, reason and codec.dump(reason), line)
            )
        self.env.cr.execute_values(
            """
            UPDATE finance_bank_entry e
               SET state = v.state, key = v.key || ':' || e.share, occurrence = v.number::int,
                   duplicate_of_id = v.original::int, reason = v.reason::jsonb,
                   line_id = v.line::int
              FROM (VALUES %s) AS v (id, state, key, number, original, reason, line)
              JOIN finance_bank_entry first ON first.id = v.id
             WHERE e.bank_statement_id = first.bank_statement_id AND e.position = first.position
            """,
            rows,
            page_size=len(rows),
        )

    def _beside_line(self, one):
        """Return (state, reason, line) of an entry that is, or may be, a line that no import made.

        Where it is that line, it is joined to it: what the bank says and the line are one booking.
        """
        if one.verdict == SAME:
            return "created", {"code": "joined"}, -one.original
        return "held", {"code": "line", "line": -one.original}, None

    def _unsure_of_batches(self, found):
        """A batch that would be several lines is not joined to one line by itself."""
        joined = [one.id for one in found if one.verdict == SAME and one.original < 0]
        if not joined:
            return found
        batches = self.env["finance.bank.entry"].browse(joined).filtered(lambda row: row.shares > 1)
        return [replace(one, verdict=DOUBT) if one.id in batches.ids else one for one in found]

    def _numbers(self, journal, fingerprints):
        rows = self.env.execute_query(
            SQL(
                """
                SELECT fingerprint, max(occurrence) FROM finance_bank_entry
                 WHERE journal_id = %s AND fingerprint = ANY(%s) AND occurrence IS NOT NULL
                 GROUP BY 1
                """,
                journal.id,
                list(fingerprints),
            )
        )
        return defaultdict(int, rows)

    def _doubt_reports(self, unit):
        """A report that repeats some entries of earlier ones and not others proves nothing.

        Reports of one day either repeat what the earlier ones told, or go on behind it. Where all
        of a day is repeated it is the same; where only some is, these may be twins as well.
        """
        self.env.cr.execute(
            SQL(
                """
                WITH mine AS (
                    SELECT id, duplicate_of_id, booking_date, source, journal_id
                      FROM finance_bank_entry
                     WHERE bank_statement_id = ANY(%(unit)s) AND share = 1 AND state = 'skipped'
                       AND reason ->> 'code' = 'content'
                       AND servicer_reference IS NULL AND end_to_end_id IS NULL),
                     partly AS (
                    SELECT DISTINCT m.booking_date FROM mine m
                      JOIN finance_bank_entry o ON o.journal_id = m.journal_id
                       AND o.booking_date = m.booking_date AND o.share = 1
                       AND o.source = m.source AND o.state = ANY(%(live)s)
                       AND o.status = 'booked' AND NOT o.bank_statement_id = ANY(%(unit)s)
                     WHERE NOT EXISTS (
                         SELECT FROM finance_bank_entry s
                          WHERE s.bank_statement_id = ANY(%(unit)s) AND s.duplicate_of_id = o.id))
                UPDATE finance_bank_entry e
                   SET state = 'held', key = 'held:' || first.id || ':' || e.share,
                       reason = '{"code": "report"}'
                  FROM mine first
                  JOIN partly ON partly.booking_date = first.booking_date
                  JOIN finance_bank_entry f ON f.id = first.id
                 WHERE e.bank_statement_id = f.bank_statement_id AND e.position = f.position
                """,
                unit=unit.ids,
                live=list(LIVE),
            )
        )

    def _decide_changed(self, journal):
        """What the bank changes or takes back after it was booked waits for a person.

        Found by the id that is promised to be unique, whatever else the entry says now.
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE finance_bank_entry e
                   SET state = 'held', duplicate_of_id = CASE WHEN o.state = 'skipped' THEN o.duplicate_of_id ELSE o.id END,
                       key = 'held:' || e.id || ':' || e.share,
                       reason = jsonb_build_object(
                           'code', CASE WHEN e.removes THEN 'withdrawn' ELSE 'changed' END)
                  FROM finance_bank_entry o
                 WHERE e.import_id = %(import)s AND e.journal_id = %(journal)s
                   AND e.state = 'received' AND o.journal_id = e.journal_id
                   AND o.import_id <> e.import_id AND o.namespace = e.namespace
                   AND o.unique_id IN (e.corrects, e.unique_id) AND o.share = 1
                   AND o.status = 'booked'
                   AND (o.state = ANY(%(live)s)
                        OR o.state = 'skipped' AND o.duplicate_of_id IS NOT NULL)
                   AND (e.removes OR NOT EXISTS (
                       SELECT FROM finance_bank_entry same
                        WHERE same.journal_id = e.journal_id AND same.namespace = e.namespace
                          AND same.unique_id = e.unique_id AND same.import_id <> e.import_id
                          AND same.entry_amount = e.entry_amount
                          AND same.booking_date = e.booking_date))
                """,
                **{"import": self.id, "journal": journal.id, "live": list(LIVE)},
            )
        )
        self.env.cr.execute(
            """
            UPDATE finance_bank_entry SET state = 'skipped', reason = '{"code": "gone"}'
             WHERE import_id = %s AND journal_id = %s AND state = 'received' AND removes
            """,
            (self.id, journal.id),
        )


def _fact(row):
    return Fact(
        id=row["id"],
        reading=row["bank_statement_id"],
        family=row["source"],
        namespace=row["namespace"],
        day=row["booking_date"],
        value_day=row["value_date"],
        amount=row["amount"],
        fingerprint=row["fingerprint"],
        unique_id=row["unique_id"] or "",
        whole=row["whole"],
        original=row["original"] or 0,
        **told(row),
    )


def _all_new(facts):
    return [Verdict(fact.id, NEW) for fact in facts]
