"""Lines of a version to and from CSV."""

from odoo import models
from odoo.exceptions import UserError

from ..mappings import table

# Names in files are the same for readers of every language.
PLAIN = {"active_test": False, "lang": "en_US"}


class FinanceMappingVersion(models.Model):
    _inherit = "finance.mapping.version"

    # === OUT === #

    def action_export(self):
        """Download the lines as CSV."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": f"/finance/mapping/{self.id}",
            "target": "download",
        }

    def _export(self):
        """Return the CSV of the lines, and note who took it."""
        self.ensure_one()
        self.check_access("read")
        text = table.write(self.line_ids._rows())
        self._audit("mapping.exported")
        return text

    # === IN === #

    def _import(self, text):
        """Replace the lines of a draft by those of a CSV, whole or not at all.

        Return what is wrong with it, a list of dicts with line, where and words; then nothing was
        changed.
        """
        self.ensure_one()
        self._check("mapping.import", "draft", "finance_connector_base.group_user")
        rows, problems = table.read(text)
        records, more = self._records_of(rows) if not problems else ({}, [])
        problems += more
        if problems:
            return [self._problem(problem) for problem in sorted(problems)]
        lines = self.env["finance.mapping.line"]
        self.line_ids.unlink()
        lines.flush_model()
        lines.create(
            [_values(row, records.get(row.line)) | {"version_id": self.id} for row in rows]
        )
        lines.flush_model()
        self._audit("mapping.imported", rows=len(rows))
        return []

    def _records_of(self, rows):
        """Return ({line: record id}, problems) of rows for records: by id, else by its key."""
        model = self.env[self.mapping_id._type.model]
        named = [row for row in rows if row.rule == "record"]
        by_key = self._by_key({row.record for row in named if row.record})
        known = self._known({row.record_id for row in named if row.record_id}, model)
        found, problems, seen_out, seen_in = {}, [], {}, {}
        for row in named:
            record_id, reason = _choose(row, known, by_key)
            if reason:
                column = "record_id" if row.record_id and reason != "ambiguous" else "record"
                value = str(row.record_id) if column == "record_id" else row.record
                problems.append(table.Problem(row.line, column, reason, value))
                continue
            found[row.line] = record_id
            if row.direction == "in":
                problems += table.overlapping(seen_in.setdefault(row.code, []), row)
            else:
                problems += table.overlapping(seen_out.setdefault(record_id, []), row)
        return found, problems

    def _known(self, ids, model):
        """Return {id: key} of the records that are there and that one may read."""
        records = model.browse(ids).exists()
        records = records.with_context(**PLAIN)._filtered_access("read")
        return {record.id: self._key_of(record) for record in records}

    def _by_key(self, keys):
        """Return {key: set of ids} of the records that one may read, in the mapping's company."""
        kind = self.mapping_id._type
        model = self.env[kind.model].with_context(**PLAIN)
        company = self.mapping_id.sudo().company_id
        if company and company in self.env.user.company_ids:
            model = model.with_company(company)
        found = {}
        for name in reversed(kind.keys):
            for record in model.search([(name, "in", list(keys))]):
                found.setdefault((name, record[name]), set()).add(record.id)
        # the first field of a record that is filled is its key
        chosen = {}
        for key in keys:
            for name in kind.keys:
                if (name, key) in found:
                    chosen[key] = found[name, key]
                    break
        return chosen

    def _key_of(self, record):
        kind = self.mapping_id.sudo()._type
        company = self.mapping_id.sudo().company_id
        if company and company in self.env.user.company_ids:
            record = record.with_company(company)
        return next((record[name] for name in kind.keys if record[name]), "")

    def _problem(self, problem):
        return {
            "line": problem.line,
            "where": problem.column,
            "words": self._problem_words(problem.reason) % {"value": problem.value},
        }

    def _problem_words(self, reason):
        _ = self.env._
        return {
            "ambiguous": _("Several records are called “%(value)s”. Give the record_id."),
            "column_twice": _("The column is there twice."),
            "empty": _("There is no line below the heading."),
            "ends_before": _("The last day is before the first."),
            "must_be_empty": _("This must be empty for such a rule, and is “%(value)s”."),
            "no_column": _("The column is missing."),
            "no_day": _("“%(value)s” is no day. Write it like 2026-01-31."),
            "no_number": _("“%(value)s” is no number of a record."),
            "no_record": _("There is no record “%(value)s” that you may read."),
            "no_value": _("This must not be empty."),
            "only_records_lead_in": _("Only a line for a record can lead to Odoo alone."),
            "other_record": _(
                "Record %(value)s has another name here: the file is from another database. Empty "
                "the column record_id."
            ),
            "overlaps": _("Line %(value)s is for the same value at the same time."),
            "too_big": _("The file is too big."),
            "too_many_cells": _("There are more cells than columns: “%(value)s”."),
            "unknown_column": _("There is no such column."),
            "unknown_direction": _("“%(value)s” is none of both, out, in."),
            "unknown_rule": _("“%(value)s” is none of record, code, name, default."),
            "unreadable": _("This is no CSV: %(value)s."),
        }[reason]

    def _check_csv(self, content):
        """Return the text of a file. Raises UserError for what is none."""
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise UserError(
                self.env._("This is not a text in UTF-8. Save it as CSV UTF-8 and try again.")
            ) from None


class FinanceMappingLine(models.Model):
    _inherit = "finance.mapping.line"

    def _rows(self):
        """Return the dicts that a CSV is written from; of a record one may not read, its id."""
        keys = {}
        for model, lines in (
            self.filtered(lambda line: line.rule == "record").grouped("res_model").items()
        ):
            known = self.version_id._known(set(lines.mapped("res_id")), self.env[model])
            keys |= {line.id: known.get(line.res_id, "") for line in lines}
        return [
            {
                "rule": line.rule,
                "record_id": line.res_id or None,
                "record": keys.get(line.id),
                **{name: line[name] or None for name in ("prefix", "code", "label", "direction")},
                "valid_from": line.valid_from or None,
                "valid_to": line.valid_to or None,
            }
            for line in self
        ]


def _choose(row, known, by_key):
    """Return (record id, None), or (None, why not)."""
    if row.record_id:
        if row.record_id not in known:
            return None, "no_record"
        if row.record and row.record != known[row.record_id]:
            return None, "other_record"
        return row.record_id, None
    ids = by_key.get(row.record, set())
    if len(ids) > 1:
        return None, "ambiguous"
    return (next(iter(ids)), None) if ids else (None, "no_record")


def _values(row, record_id):
    return {
        "rule": row.rule,
        "res_id": record_id or False,
        "prefix": row.prefix or False,
        "code": row.code,
        "label": row.label or False,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "direction": row.direction,
    }
