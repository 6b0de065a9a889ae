"""Merged partners take along what points at them by model and id."""

from odoo import api, models
from odoo.tools import SQL

from ..fields import WeakMany2one


class BasePartnerMerge(models.TransientModel):
    """Odoo moves such references of a fixed list of its own models only."""

    _inherit = "base.partner.merge.automatic.wizard"

    @api.model
    def _finance_references(self):
        """Return [(table, column of the model's name, column of the id)] that follow a merge.

        Addons extend it: ``super()._finance_references() + [(…)]``. Audit events stay as they are:
        they say what happened to whom, and the merge is an event itself.
        """
        return [
            ("finance_external_ref", "res_model", "res_id"),
            ("finance_job", "res_model", "res_id"),
            ("finance_job", "document_model", "document_id"),
        ]

    @api.model
    def _update_reference_fields(self, src_partners, dst_partner):
        super()._update_reference_fields(src_partners, dst_partner)
        self.env.flush_all()
        for table, model, column in self._finance_references():
            self._finance_move(table, column, src_partners, dst_partner, model)
        for table, column in self._finance_weak_columns("res.partner"):
            self._finance_move(table, column, src_partners, dst_partner)
        self.env.invalidate_all()
        self.env["finance.exception"]._move_document(
            "res.partner", src_partners.ids, dst_partner.id
        )
        # Merging is Odoo's own: it goes on without a key too, then without the names.
        names = {str(partner.id): partner.display_name for partner in src_partners}
        self.env["finance.audit.event"]._record(
            "partner.merged",
            dst_partner,
            data={"merged_ids": sorted(src_partners.ids)},
            detail=names if self.env["finance.vault"]._is_open() else None,
            partner=dst_partner,
        )

    @api.model
    def _update_reference_fields_generic(
        self, referenced_model, src_records, dst_record, additional_update_records=None
    ):
        """Lines of mappings follow, whatever is merged: contacts, accounts."""
        super()._update_reference_fields_generic(
            referenced_model, src_records, dst_record, additional_update_records
        )
        lines = self.env["finance.mapping.line"].sudo()
        lines._merged(referenced_model, src_records.ids, dst_record)
        missing = self.env["finance.mapping.missing"].sudo()
        missing._merged(referenced_model, src_records.ids, dst_record.id)

    def _finance_move(self, table, column, src_partners, dst_partner, model=None):
        """One column of ids, in plain SQL: jobs are no rows that the ORM writes."""
        is_partner = SQL("%s = 'res.partner'", SQL.identifier(model)) if model else SQL("true")
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s = %s WHERE %s AND %s = ANY(%s)",
                SQL.identifier(table),
                SQL.identifier(column),
                dst_partner.id,
                is_partner,
                SQL.identifier(column),
                src_partners.ids,
            )
        )

    def _finance_weak_columns(self, comodel):
        """Columns without a foreign key, which Odoo therefore doesn't find: [(table, column)]."""
        return [
            (model._table, name)
            for model in self.env.values()
            if model._auto and not model._abstract and model._name != "finance.audit.event"
            for name, field in model._fields.items()
            if isinstance(field, WeakMany2one) and field.store and field.comodel_name == comodel
        ]
