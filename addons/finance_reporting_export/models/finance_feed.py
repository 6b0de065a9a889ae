"""A feed: which rows with which columns. Built in (``feeds/``), or made of the fields of a model."""

import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.safe_eval import safe_eval

from ..canonical.publication import json_schema, table_schema
from ..feeds import FEEDS
from ..feeds.feed import Feed, column
from .feed_query import chosen, field_of
from .feed_reading import Reading

CODE = re.compile(r"[a-z][a-z0-9_]{0,40}")
# Which fields a column of a type may come from.
FIELD_TYPES = {
    "integer": {"integer", "many2one", "many2one_reference"},
    "string": {"char", "text", "html", "selection"},
    "date": {"date"},
    "datetime": {"datetime"},
    "decimal": {"monetary", "float", "integer"},
    "boolean": {"boolean"},
    "json": {"json", "properties"},
}


class FinanceFeed(models.Model):
    """A table that can be exported; where it goes and when is said by `finance.export`."""

    _name = "finance.feed"
    _description = "Feed"
    _order = "sequence, name, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="Name of the feed's files; journal_items, say.")
    sequence = fields.Integer(default=100)
    active = fields.Boolean(default=True)
    builtin = fields.Boolean(readonly=True, help="Its columns come with the suite.")
    model_id = fields.Many2one("ir.model", "Model", ondelete="cascade")
    model = fields.Char("Model Name", related="model_id.model", store=True)
    domain = fields.Char(default="[]", help="Which records, for a feed of your own.")
    version = fields.Integer("Schema Version", default=1, readonly=True, copy=False)
    column_ids = fields.One2many("finance.feed.column", "feed_id", "Columns", copy=True)

    _code_unique = models.Constraint("UNIQUE (code)", "There is a feed with this code already.")

    @api.constrains("code", "builtin", "model_id", "domain")
    def _check_feed(self):
        for feed in self:
            if not CODE.fullmatch(feed.code or ""):
                raise ValidationError(
                    self.env._(
                        "%(code)s can't name a file everywhere. Use small letters, digits and _, "
                        "beginning with a letter.",
                        code=feed.code,
                    )
                )
            if feed.builtin and feed.code in FEEDS:
                continue
            if feed.builtin:
                raise ValidationError(
                    self.env._("%(code)s is no feed of the suite.", code=feed.code)
                )
            if not feed.model_id or feed.model not in self.env:
                raise ValidationError(
                    self.env._("Choose the model that %(feed)s has rows of.", feed=feed.name)
                )
            if feed.code in FEEDS:
                raise ValidationError(
                    self.env._("%(code)s is a feed of the suite.", code=feed.code)
                )
            feed._parsed_domain()

    def write(self, vals):
        if {"model_id", "domain", "code", "builtin"} & set(vals) and not self.env.context.get(
            "install_mode"
        ):
            for feed in self.filtered("builtin"):
                raise UserError(
                    self.env._(
                        "%(feed)s comes with the suite: its columns and rows are fixed. Make a "
                        "feed of your own for others.",
                        feed=feed.name,
                    )
                )
            self._check_readers()
            for feed in self:
                vals = vals | {"version": feed.version + 1}
                super(FinanceFeed, feed).write(vals)
            return True
        return super().write(vals)

    def _next_version(self):
        """Columns have changed: receivers must know."""
        self._check_readers()
        for feed in self.filtered(lambda feed: not feed.builtin).sudo():
            feed.version += 1

    def _check_readers(self):
        """What an export reads with lent rights is changed by an administrator alone."""
        lines = self.env["finance.export.feed"].sudo().search([("feed_id", "in", self.ids)])
        self.env["finance.export"].browse(lines.export_id.ids)._check_reader()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_builtin(self):
        for feed in self.filtered("builtin"):
            raise UserError(
                self.env._(
                    "%(feed)s comes with the suite. Archive it, then nobody chooses it.",
                    feed=feed.name,
                )
            )

    # === WHAT IT IS === #

    def _definition(self):
        """Return the `Feed` that this is: a built-in one, or what its columns say."""
        self.ensure_one()
        if self.builtin:
            return FEEDS[self.code]
        return self._own_definition()

    def _own_definition(self):
        model = self.env[self.model]
        columns = [column("id", "integer", "id", "Id of the record.", required=True)]
        columns += [row._column(model) for row in self.column_ids if row.name != "id"]
        day = "date" if "date" in model._fields and model._fields["date"].store else ""
        company = model._fields.get("company_id")
        return Feed(
            code=self.code,
            title=self.name,
            model=self.model,
            columns=tuple(columns),
            version=self.version,
            domain=tuple(self._parsed_domain()),
            company="company_id" if company is not None and company.required else "",
            day=day if model._fields.get(day) and model._fields[day].type == "date" else "",
        )

    def _parsed_domain(self):
        try:
            domain = safe_eval(self.domain or "[]")
            self.env[self.model].with_context(active_test=False)._search(domain)
        except Exception as error:
            raise ValidationError(
                self.env._(
                    "The filter of %(feed)s can't be read: %(error)s", feed=self.name, error=error
                )
            ) from error
        return domain

    @api.model
    def _offered(self):
        """Return the feeds whose models are installed."""
        return self.search([]).filtered(
            lambda feed: not feed.builtin or feed._missing_requirements() == []
        )

    def _missing_requirements(self):
        feed = FEEDS[self.code]
        return [model for model in (feed.model, *feed.requires) if model not in self.env]

    # === DRIFT === #

    def _check_drift(self, feed):
        """Raise UserError where fields are no longer of the types that columns were published with."""
        missing = [model for model in (feed.model, *feed.requires) if model not in self.env]
        if missing:
            raise UserError(
                self.env._(
                    "%(feed)s needs %(models)s, which is not installed here. Take it off the "
                    "export, or install what has it.",
                    feed=feed.title,
                    models=", ".join(missing),
                )
            )
        wrong = [] if feed.sql else list(self._drifted(feed))
        if wrong:
            raise UserError(
                self.env._(
                    "%(feed)s was not read: its fields are no longer what its columns say "
                    "(%(columns)s). A receiver would get other values than were published. "
                    "Publish a new version of the feed, or take the change back.",
                    feed=feed.title,
                    columns="; ".join(wrong),
                )
            )

    def _drifted(self, feed):
        model = self.env[feed.model]
        for row in feed.columns:
            if row.source.startswith("="):
                continue
            field = field_of(model, chosen(model, row.source))
            if field is None:
                if row.required:
                    yield f"{row.name}: {row.source} –"
            elif field.type not in FIELD_TYPES[row.type]:
                yield f"{row.name}: {row.source} {field.type} ≠ {row.type}"
            elif row.type == "decimal" and row.scale is None and not _exact(field):
                yield f"{row.name}: {row.source} {field.type}"

    # === PUBLICATION === #

    def _json_schema(self):
        """Return the JSON Schema of a row, as published for JSON Lines."""
        return json_schema(self._reading().schema())

    def _table_schema(self):
        """Return the Frictionless Table Schema of the feed."""
        return table_schema(self._reading().schema())

    def _preview(self, limit=100):
        """Return {"columns", "rows", "sql"}, as the present user reads it."""
        self.ensure_one()
        return self._reading().preview(limit)

    def action_preview(self):
        """Show the first rows, as the present user may read them, and the SQL."""
        self.ensure_one()
        return self.env["finance.feed.preview"].sudo()._open(self.name, self._preview())

    def _reading(self):
        feed = self.sudo()._definition()
        self._check_drift(feed)
        return Reading(self.env(su=False), feed)


def _exact(field):
    """Whether the database keeps its values as decimal digits."""
    return not field.store or field.type != "float" or field.column_type[0] == "numeric"
