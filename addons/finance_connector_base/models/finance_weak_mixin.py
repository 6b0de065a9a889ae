"""Rows that outlive the records they name."""

from collections import defaultdict

from odoo import api, models
from odoo.exceptions import UserError

from ..fields import WeakMany2one


class FinanceWeakMixin(models.AbstractModel):
    """Shows rows whose `WeakMany2one` or model/id pair names a record that is gone.

    Odoo takes for granted that a Many2one leads to a record, since a foreign key says so.
    """

    _name = "finance.weak.mixin"
    _description = "Rows that outlive the records they name"

    @api.readonly
    def web_read(self, specification):
        """As in Odoo; a record that is gone is shown as "Deleted (7)"."""
        for name in self._weak(specification):
            self._name_gone(name, [record[name].id for record in self])
        return super().web_read(specification)

    def _export_rows(self, fields, *, _is_toplevel_call=True):
        for name in self._weak(path[0] for path in fields if path):
            self._name_gone(name, [record[name].id for record in self])
        return super()._export_rows(fields, _is_toplevel_call=_is_toplevel_call)

    @api.model
    def _read_group_postprocess_groupby(self, groupby_spec, raw_values):
        for name in self._weak([groupby_spec]):
            self._name_gone(name, raw_values)
        return super()._read_group_postprocess_groupby(groupby_spec, raw_values)

    @api.model
    def _weak(self, names):
        return [name for name in names if isinstance(self._fields.get(name), WeakMany2one)]

    @api.model
    def _name_gone(self, field_name, ids):
        """Put a name where Odoo will look for that of a record which is not there."""
        comodel = self.env[self._fields[field_name].comodel_name]
        wanted = comodel.browse({id_ for id_ in ids if id_})
        for record in wanted - wanted.sudo().exists():
            comodel._fields["display_name"]._update_cache(record, self._gone(record.id))

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
