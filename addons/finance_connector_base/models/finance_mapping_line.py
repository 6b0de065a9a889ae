"""One line of a mapping: an Odoo record, or a rule for many, and its external code."""

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from .finance_mapping_sql import TYPES

# What a line says; the rest is for people.
SAID = ("rule", "res_id", "prefix", "code", "label", "valid_from", "valid_to", "direction")


class FinanceMappingLine(models.Model):
    """Either a record, or what codes or names begin with, or everything else.

    A line stays when its record is deleted: it tells what the code stood for.
    """

    _name = "finance.mapping.line"
    _inherit = ["finance.weak.mixin"]
    _description = "Line of a Mapping"
    _order = "rule desc, record_words, prefix, valid_from, id"
    _rec_name = "code"

    version_id = fields.Many2one(
        "finance.mapping.version", required=True, index=True, ondelete="cascade"
    )
    kind = fields.Selection(related="version_id.kind")
    rule = fields.Selection(
        [
            ("record", "This record"),
            ("name", "Name begins with"),
            ("default", "Everything else"),
            ("code", "Code begins with"),
        ],
        required=True,
        default="record",
    )
    res_model = fields.Char("Record Model", compute="_compute_res_model", store=True)
    res_id = fields.Many2oneReference("Record", model_field="res_model")
    record_words = fields.Char("Record When Mapped", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True, ondelete="set null")
    record_name = fields.Char("Maps", compute="_compute_record_name")
    is_gone = fields.Boolean("Record Deleted", compute="_compute_record_name")
    prefix = fields.Char("Begins With")
    code = fields.Char("External Code", required=True)
    label = fields.Char("External Label")
    direction = fields.Selection(
        [("both", "Both ways"), ("out", "Only from Odoo"), ("in", "Only to Odoo")],
        required=True,
        default="both",
        help="Of several records with one external code, say with “Only to Odoo” which one an "
        "import means.",
    )
    valid_from = fields.Date()
    valid_to = fields.Date("Valid Until", help="The last day.")

    _complete = models.Constraint(
        """CHECK (CASE rule
            WHEN 'record' THEN COALESCE(res_id, 0) > 0 AND prefix IS NULL
            WHEN 'default' THEN COALESCE(res_id, 0) = 0 AND prefix IS NULL
            ELSE COALESCE(res_id, 0) = 0 AND COALESCE(prefix, '') <> '' END)""",
        "A line names either a record, or what a code or name begins with, or is for everything "
        "else.",
    )
    _period = models.Constraint(
        "CHECK (valid_from <= valid_to)", "A line can't end before it begins."
    )
    _both_ways = models.Constraint(
        "CHECK (rule = 'record' OR direction <> 'in')",
        "Only a line with a record can lead from an external code to Odoo.",
    )
    # An exclusion without an extension: a range of one number stands for equality.
    _once_out = models.Constraint(
        """EXCLUDE USING gist (
            int4range(version_id, version_id, '[]') WITH &&,
            numrange(hashtextextended(
                rule || ':' || COALESCE(res_id, 0) || ':' || CASE rule
                    WHEN 'name' THEN lower(COALESCE(prefix, '')) ELSE COALESCE(prefix, '') END,
                0)::numeric, hashtextextended(
                rule || ':' || COALESCE(res_id, 0) || ':' || CASE rule
                    WHEN 'name' THEN lower(COALESCE(prefix, '')) ELSE COALESCE(prefix, '') END,
                0)::numeric, '[]') WITH &&,
            daterange(valid_from, valid_to, '[]') WITH &&
        ) WHERE (direction <> 'in')""",
        "Two lines of this version are for the same value at the same time. End the first before "
        "the second begins, or delete one.",
    )
    _once_in = models.Constraint(
        """EXCLUDE USING gist (
            int4range(version_id, version_id, '[]') WITH &&,
            numrange(hashtextextended(code, 0)::numeric, hashtextextended(code, 0)::numeric, '[]')
                WITH &&,
            daterange(valid_from, valid_to, '[]') WITH &&
        ) WHERE (direction = 'in')""",
        "Two lines “Only to Odoo” have the same external code at the same time. Keep one.",
    )
    _by_record = models.Index("(version_id, res_id) WHERE rule = 'record'")
    _by_code = models.Index("(version_id, code) WHERE rule = 'record'")
    _record_index = models.Index("(res_model, res_id) WHERE rule = 'record'")

    # === COMPUTE METHODS === #

    @api.depends("version_id.mapping_id.kind")
    def _compute_res_model(self):
        for line in self:
            kind = line.version_id.mapping_id.kind
            line.res_model = TYPES[kind].model if kind else False

    @api.depends("rule", "res_model", "res_id", "prefix")
    @api.depends_context("lang", "uid")
    def _compute_record_name(self):
        names = self._names_of((line.res_model, line.res_id) for line in self)
        rules = dict(self._fields["rule"]._description_selection(self.env))
        for line in self:
            line.is_gone = line.rule == "record" and line._is_gone(names)
            line.record_name = line._words(names, rules)

    def _is_gone(self, names):
        return names.get((self.res_model, self.res_id)) == self._gone(self.res_id)

    def _words(self, names, rules):
        if self.rule == "default":
            return rules["default"]
        if self.rule != "record":
            return f"{rules[self.rule]} {self.prefix or ''}"
        name = names.get((self.res_model, self.res_id), "")
        if not self.is_gone:
            return name
        company = self.sudo().company_id
        known = not company or company in self.env.user.company_ids
        return self.env._(
            "%(name)s (deleted)", name=self.record_words if known and self.record_words else name
        )

    # === WHAT A LINE SAYS === #

    def _said(self):
        """What counts of a line, as text for a digest."""
        return "|".join(str(self[name] or "") for name in SAID)

    @api.model
    def _copy_lines(self, former, draft):
        """Give a draft the lines of a former version whose records are still there."""
        if not former:
            return
        kept = former.sudo().line_ids.filtered(lambda line: not line.is_gone)
        columns = (*SAID, "res_model", "record_words", "company_id")
        names = SQL(", ").join(map(SQL.identifier, columns))
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO finance_mapping_line (
                    version_id, %(names)s, create_uid, create_date, write_uid, write_date)
                SELECT %(draft)s, %(names)s, %(uid)s, now() AT TIME ZONE 'UTC',
                       %(uid)s, now() AT TIME ZONE 'UTC'
                  FROM finance_mapping_line WHERE id = ANY(%(kept)s) ORDER BY id
                """,
                names=names,
                draft=draft.id,
                uid=self.env.uid,
                kept=kept.ids,
            )
        )
        self.invalidate_model()
        draft.invalidate_recordset(["line_ids"])

    # === GUARDS === #

    @api.model_create_multi
    def create(self, vals_list):
        versions = self.env["finance.mapping.version"].browse(
            {vals["version_id"] for vals in vals_list if vals.get("version_id")}
        )
        self.check_access("create")
        versions._touch()
        lines = super().create([_clean(vals) for vals in vals_list])
        lines._remember_records()
        return lines

    def write(self, vals):
        if not vals:
            return super().write(vals)
        self.check_access("write")
        if "version_id" in vals and self.version_id.ids != [vals["version_id"]]:
            raise UserError(self.env._("A line stays in its version."))
        self.version_id._touch()
        result = super().write(_clean(vals))
        if "res_id" in vals:
            self._remember_records()
        return result

    def unlink(self):
        self.check_access("unlink")
        self.version_id._touch()
        return super().unlink()

    def _remember_records(self):
        """Keep the words and the company of the records, and refuse those that don't fit."""
        for model, lines in self.filtered("res_id").grouped("res_model").items():
            records = self.env[model].browse(lines.mapped("res_id"))
            if not self.env.su:
                lines._check_readable(records)
            companies = _companies_of(records.sudo())
            for line, record in zip(lines, records.sudo(), strict=True):
                line._check_company(record, companies[record.id])
                owners = companies[record.id]
                super(FinanceMappingLine, line.sudo()).write(
                    {
                        "record_words": record.display_name,
                        "company_id": owners.id if len(owners) == 1 else False,
                    }
                )

    def _check_readable(self, records):
        missing = records - records.exists()
        hidden = records - missing - records.exists()._filtered_access("read")
        if missing or hidden:
            raise ValidationError(
                self.env._(
                    "You may not map what you can't see: %(model)s %(ids)s is not there, or "
                    "belongs to another company.",
                    model=self.env["ir.model"]._get(records._name).sudo().name,
                    ids=", ".join(map(str, (missing | hidden).ids)),
                )
            )

    def _check_company(self, record, owners):
        company = self.version_id.sudo().mapping_id.company_id
        if not company or not owners:
            return
        family = company.parent_ids | self.env["res.company"].sudo().search(
            [("id", "child_of", company.id)]
        )
        if not owners & family:
            raise ValidationError(
                self.env._(
                    "%(record)s belongs to %(other)s, and this mapping is for %(company)s.",
                    record=record.display_name,
                    other=owners[0].name,
                    company=company.name,
                )
            )

    # === MERGED RECORDS === #

    @api.model
    def _merged(self, model, gone_ids, kept):
        """Records were merged into ``kept``: their lines follow, in approved versions too.

        Where ``kept`` has a line of its own at that time, that one says its code; the other's
        code only leads to it. One that could not even do that stays, and names what is gone.
        """
        self.flush_model()
        moved = self._move(SQL("direction"), model, gone_ids, kept.id)
        moved += self._move(SQL("'in'"), model, gone_ids, kept.id)
        self.invalidate_model()
        if moved:
            self.env["finance.audit.event"]._record(
                "mapping.merged",
                kept,
                data={"model": model, "merged_ids": sorted(gone_ids), "line_ids": sorted(moved)},
            )

    def _move(self, direction, model, gone_ids, kept_id):
        """Point lines at another record with a direction, one by one where no other is in the way."""
        found = self.env.execute_query(
            SQL(
                """SELECT id FROM finance_mapping_line
                    WHERE rule = 'record' AND res_model = %s AND res_id = ANY(%s) ORDER BY id""",
                model,
                list(gone_ids),
            )
        )
        moved = []
        for (line_id,) in found:
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE finance_mapping_line AS line
                       SET res_id = %(kept)s, direction = %(direction)s
                     WHERE id = %(id)s AND NOT EXISTS (
                        SELECT FROM finance_mapping_line AS other
                         WHERE other.version_id = line.version_id AND other.id <> line.id
                           AND daterange(other.valid_from, other.valid_to, '[]')
                               && daterange(line.valid_from, line.valid_to, '[]')
                           AND CASE WHEN %(direction)s = 'in'
                               THEN other.direction = 'in' AND other.code = line.code
                               ELSE other.direction <> 'in' AND other.rule = 'record'
                                    AND other.res_id = %(kept)s END)
                    """,
                    kept=kept_id,
                    direction=direction,
                    id=line_id,
                )
            )
            if self.env.cr.rowcount:
                moved.append(line_id)
        return moved


def _clean(vals):
    """Texts without blanks around them; a rule other than for a record names none."""
    vals = {
        name: (value.strip() or False) if isinstance(value, str) else value
        for name, value in vals.items()
    }
    if vals.get("rule") == "record":
        vals["prefix"] = False
    elif vals.get("rule"):
        vals["res_id"] = False
    if vals.get("rule") == "default":
        vals["prefix"] = False
    return vals


def _companies_of(records):
    """Return {record id: companies it belongs to}, none where all share it."""
    name = next(kind.companies for kind in TYPES.values() if kind.model == records._name)
    nobody = records.env["res.company"]
    if not name:
        return dict.fromkeys(records.ids, nobody)
    if name == "id":
        return {record.id: record for record in records}
    return {record.id: record[name] for record in records}
