from odoo import fields, models
from odoo.tools import SQL

from ..canonical.schema import Column, Schema
from .extraction import Extraction, Part
from .feed_query import FeedQuery, has_path, written

MODES = [
    ("full", "Everything"),
    ("period", "The period"),
    ("incremental", "What has changed"),
]
SPLITS = [
    ("whole", "One file"),
    ("month", "A file per company and month"),
]
OPERATION = Column(
    "operation",
    "string",
    "U: the row is as told here; D: the row is gone, only its key is told.",
    "='U'",
    required=True,
)


class FinanceExportFeed(models.Model):
    """One feed of an export: how much of it goes, and how far the receiver has it."""

    _name = "finance.export.feed"
    _description = "Feed of an Export"
    _order = "export_id, sequence, id"
    _rec_name = "feed_id"

    export_id = fields.Many2one("finance.export", required=True, index=True, ondelete="cascade")
    feed_id = fields.Many2one("finance.feed", required=True, ondelete="restrict")
    sequence = fields.Integer(default=10)
    mode = fields.Selection(MODES, required=True, default="full")
    split = fields.Selection(SPLITS, "Files", required=True, default="month")

    _feed_unique = models.Constraint("UNIQUE (export_id, feed_id)", "An export has a feed once.")

    # === EXTRACTION === #

    def _extraction(self, run, mode, since=None):
        """Return the `Extraction` of this feed for a run.

        run: finance.export.run; its environment is the one that is read in (the export's user,
        not su, allowed_company_ids = the export's companies) and its ``period`` ("2026-03") the
        month of a run by period. mode: "full", "period" or "incremental"; since: PostgreSQL's
        snapshot, as text, that an increment begins at. Raises AccessError where the user may not
        read something, UserError where the fields are no longer those of the feed's columns.

        Nothing is read here but the months and companies of the parts: in ``extraction.parts``
        stand the queries, ``extraction.write(part, target, format)`` copies one.
        """
        self.ensure_one()
        feed = self.feed_id.sudo()._definition()
        env = run.env
        schema = self._schema(env, feed)
        extraction = Extraction(env, feed, schema, mode, [])
        extraction.parts = self._parts(env, extraction, run, since)
        return extraction

    def _schema(self, env, feed):
        """Return the `Schema` as this export tells the feed."""
        columns = [
            column
            for column in feed.columns
            if all(has_path(env[feed.model], path) for path in column.paths)
            or any(has_path(env[feed.model], path) for path in column.source.split("|"))
        ]
        if self.sudo().mode == "incremental":
            columns.insert(0, OPERATION)
        return Schema(feed.code, feed.version, feed.title, tuple(columns), feed.key)

    def _parts(self, env, extraction, run, since):
        return [Part(self._rows(env, extraction), None, env["res.company"])]

    def _rows(self, env, extraction):
        feed = extraction.feed
        domain = list(feed.domain)
        if feed.company:
            domain.append((feed.company, "in", env.companies.ids))
        query = FeedQuery(env[feed.model], domain, feed.company)
        for join in feed.joins:
            query.joined(join)
        columns = [
            SQL(
                "%s AS %s",
                written(query.value(column.source), column.type),
                SQL.identifier(column.name),
            )
            for column in extraction.schema.columns
        ]
        return query.query.select(*columns)
