from markupsafe import Markup

from odoo import api, fields, models

MOST_TEXT = 80


class FinanceFeedPreview(models.TransientModel):
    """The first rows of a feed, as a receiver would get them, and the SQL they are read with."""

    _name = "finance.feed.preview"
    _description = "Preview of a Feed"
    _rec_name = "title"

    title = fields.Char(readonly=True)
    rows = fields.Integer(readonly=True)
    table = fields.Html("Rows shown", readonly=True, sanitize=False)
    sql = fields.Text("SQL", readonly=True)

    @api.model
    def _open(self, title, preview):
        """Return the action that shows a preview, as ``_preview`` of a feed returns it."""
        shown = self.create(
            {
                "title": title,
                "rows": len(preview["rows"]),
                "table": _table(preview["columns"], preview["rows"]),
                "sql": preview["sql"],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Preview: %(feed)s", feed=title),
            "res_model": self._name,
            "res_id": shown.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }


def _table(columns, rows):
    """Return the rows as an HTML table; every value is escaped, long ones are cut."""
    head = Markup().join(Markup("<th>{}</th>").format(name) for name in columns)
    body = Markup().join(
        Markup("<tr>{}</tr>").format(
            Markup().join(Markup("<td>{}</td>").format(_short(value)) for value in row)
        )
        for row in rows
    )
    return Markup(
        '<div class="table-responsive"><table class="table table-sm table-striped text-nowrap">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(head, body)


def _short(value):
    text = "" if value is None else str(value)
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"
