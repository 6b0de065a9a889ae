"""Rows that outlive the records they name."""

from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..fields import WeakMany2one


class FinanceWeakMixin(models.AbstractModel):
    """Shows rows whose `WeakMany2one` or model/id pair names a record that is gone.

    Odoo takes for granted that a Many2one leads to a record, since a foreign key says so.
    """

    _name = "finance.weak.mixin"
    _description = "Rows that outlive the records they name"

    @api.readonly
    def web_read(self, specification):
        """As in Odoo, with "Deleted" as the name of a record that is gone."""
        weak = {
            name: spec
            for name, spec in specification.items()
            if spec and "fields" in spec and isinstance(self._fields.get(name), WeakMany2one)
        }
        rows = super().web_read({**specification, **{name: {} for name in weak}})
        for name, spec in weak.items():
            shown = self._shown(self._fields[name].comodel_name, {row[name] for row in rows}, spec)
            for row in rows:
                row[name] = shown.get(row[name], False)
        return rows

    def _shown(self, model, ids, spec):
        """What the client wants to know of each id: {id: values}."""
        records = self.env[model].browse(id_ for id_ in ids if id_)
        alive = records.sudo().exists()
        wanted = {name: sub for name, sub in spec["fields"].items() if name != "display_name"}
        shown = {row["id"]: row for row in alive.sudo(False).web_read(wanted)}
        for record in records:
            name = record.sudo().display_name if record in alive else self._gone(record.id)
            shown.setdefault(record.id, {"id": record.id})["display_name"] = name
        return shown

    def _read_group_groupby(self, alias, groupby_spec, query):
        """Records that are gone fall together into the group without a value."""
        field = self._fields.get(groupby_spec)
        if not isinstance(field, WeakMany2one):
            return super()._read_group_groupby(alias, groupby_spec, query)
        self._check_field_access(field, "read")
        _comodel, coalias = field.join(self, alias, query)
        return SQL.identifier(coalias, "id")

    def _gone(self, record_id):
        return self.env._("Deleted (%(id)s)", id=record_id)

    @api.model
    def _names_of(self, places):
        """Names of records by place: {(model name, id): name} for what the reader may know.

        A deleted record is "Deleted (7)"; of a record that the reader may not read only its kind
        and number are told.
        """
        ids = defaultdict(set)
        for model, record_id in places:
            if model and record_id:
                ids[model].add(record_id)
        names = {}
        for model, wanted in ids.items():
            if model not in self.env:
                names |= {(model, id_): self._gone(id_) for id_ in wanted}
                continue
            records = self.env[model].browse(wanted)
            alive = records.sudo().exists().sudo(self.env.su)
            readable = alive._filtered_access("read")
            kind = self.env["ir.model"]._get(model).sudo().name
            for record in records:
                if record not in alive:
                    name = self._gone(record.id)
                elif record not in readable:
                    name = f"{kind} {record.id}"
                else:
                    name = record.display_name
                names[model, record.id] = name
        return names

    def _open_weak(self, model, record_id):
        """The action that opens a record by model and id. Raises UserError when it is gone."""
        record = self.env[model].browse(record_id).exists() if model in self.env else None
        if not record:
            raise UserError(self.env._("It has been deleted."))
        return record.get_formview_action()
