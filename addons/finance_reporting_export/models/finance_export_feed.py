from odoo import api, fields, models
from odoo.tools.misc import hmac

from .feed_reading import Reading

MODES = [
    ("full", "Everything"),
    ("period", "The period"),
    ("incremental", "What has changed"),
]
# Rows of a preview.
MOST_SHOWN = 100
SPLITS = [
    ("whole", "One file"),
    ("month", "A file per company and month"),
]


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
    with_codes = fields.Boolean(
        "External Codes",
        default=True,
        help="Where an approved mapping is kept for this feed, its codes are told beside the "
        "values, in columns of their own.",
    )
    column_ids = fields.One2many("finance.export.column", "export_feed_id", "Privacy", copy=True)

    _feed_unique = models.Constraint("UNIQUE (export_id, feed_id)", "An export has a feed once.")

    # === EXTRACTION === #

    def _extraction(self, run, mode, since=None):
        """Return the `Extraction` of this feed for a run.

        run: finance.export.run; its environment is the one that is read in (the export's user,
        not su, allowed_company_ids = the export's companies), its ``period`` ("2026-03") the
        month of a run by period. mode: "full", "period" or "incremental"; since: PostgreSQL's
        snapshot, as text, that an increment begins at. ``extraction.mode`` is what it became: a
        feed that has no increments is told whole.

        Raises AccessError where the user may not read something, UserError where fields are no
        longer those of the feed's columns. ``extraction.parts`` are the queries,
        ``extraction.write(part, target, format)`` copies one of them; ``extraction.answers`` say
        which mappings the codes are from.
        """
        self.ensure_one()
        reading = self._reading(run.env)
        return reading.extraction(mode, since, run.sudo().period or "")

    def _schema(self, env):
        """Return the canonical Schema as this export tells it; env: as for `_extraction`."""
        return self._reading(env).schema()

    def _watches(self):
        """Return the `feeds.feed.Watch`es of what is told: every table whose rows it shows, the
        feed's own first; none for a computed feed."""
        self.ensure_one()
        return self._reading(self._reading_env()).watches()

    def _reading(self, env):
        line = self.sudo()
        feed = line.feed_id._definition()
        line.feed_id._check_drift(feed)
        export = line.export_id
        return Reading(
            env,
            feed,
            privacy={column.name: column.privacy for column in line.column_ids},
            mapped=line.with_codes,
            operations=line.mode == "incremental",
            by_month=line.split == "month",
            salt=hmac(line.env, "finance.export", export.uuid),
            connector=export.connector_id or None,
            keeper=export.company_id,
            suspense=line._suspense_code(),
            changed=line._changed,
        )

    def _suspense_code(self):
        """Return the code that a value without an approved one is told with; None: its is empty."""
        export = self.export_id
        return ("suspense_code" in export and export.suspense_code) or None

    def _reading_env(self):
        """Return the environment that this feed is read in: the export's reader and companies."""
        export = self.sudo().export_id
        return self.env(
            user=export.user_id,
            su=False,
            context=dict(self.env.context, allowed_company_ids=export.company_ids.ids),
        )

    # === PREVIEW === #

    def _preview(self, limit=100):
        """Return {"columns", "rows", "sql"}: what the receiver would get, as text.

        The salt of digests is not in the SQL. Raises what `_extraction` does.
        """
        self.ensure_one()
        return self._reading(self._reading_env()).preview(limit)

    def action_preview(self):
        """Show the first rows of what would be sent, as far as the present user may read them."""
        self.ensure_one()
        companies = self.export_id.company_ids.ids
        reading = self._reading(self.with_context(allowed_company_ids=companies).env)
        return (
            self.env["finance.feed.preview"]
            .sudo()
            ._open(self.feed_id.name, reading.preview(MOST_SHOWN))
        )

    @api.onchange("feed_id")
    def _onchange_feed_id(self):
        """A feed that has no increments is told whole."""
        if self.feed_id and not self.feed_id._definition().incremental:
            self.mode = "full" if self.mode == "incremental" else self.mode
