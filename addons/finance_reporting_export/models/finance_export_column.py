from odoo import api, fields, models
from odoo.exceptions import ValidationError

PRIVACY_WORDS = [
    ("open", "As it is"),
    ("drop", "Left out"),
    ("hash", "Digest"),
    ("token", "Token that Odoo resolves"),
]


class FinanceExportColumn(models.Model):
    """What an export does to a column that tells of persons.

    Without a row here names are left out, and account numbers and tax ids become digests.
    """

    _name = "finance.export.column"
    _description = "Privacy of a Column"
    _order = "name, id"

    export_feed_id = fields.Many2one(
        "finance.export.feed", required=True, index=True, ondelete="cascade"
    )
    name = fields.Char("Column", required=True)
    privacy = fields.Selection(PRIVACY_WORDS, required=True, default="open")

    _name_unique = models.Constraint(
        "UNIQUE (export_feed_id, name)", "A column has one privacy in an export."
    )

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        rows._check_reader()
        return rows

    def write(self, vals):
        self._check_reader()
        result = super().write(vals)
        self._check_reader()
        return result

    @api.ondelete(at_uninstall=False)
    def _check_reader(self):
        """What is told of persons is chosen by who may change the export."""
        self.export_feed_id.export_id._check_reader()

    @api.constrains("name", "privacy", "export_feed_id")
    def _check_name(self):
        for row in self:
            feed = row.export_feed_id.feed_id._definition()
            columns = {column.name: column for column in feed.columns}
            if row.name not in columns:
                raise ValidationError(
                    self.env._(
                        "%(feed)s has no column %(name)s. Choose one of: %(names)s.",
                        feed=row.export_feed_id.feed_id.name,
                        name=row.name,
                        names=", ".join(columns),
                    )
                )
            if row.name in feed.key and row.privacy != "open":
                raise ValidationError(
                    self.env._(
                        "%(name)s is what tells the rows of %(feed)s apart: it stays as it is.",
                        feed=row.export_feed_id.feed_id.name,
                        name=row.name,
                    )
                )
            if row.privacy == "token" and columns[row.name].source.startswith("="):
                raise ValidationError(
                    self.env._(
                        "%(name)s is computed, so no record stands behind it that a token could "
                        "name. Choose a digest, or leave it out.",
                        name=row.name,
                    )
                )
