"""This Odoo record is that vendor object."""

from odoo import api, fields, models
from odoo.exceptions import UserError


class FinanceExternalRef(models.Model):
    """What a vendor calls a record of ours.

    A row stays when its record is deleted: it tells what the vendor still has.
    """

    _name = "finance.external.ref"
    _inherit = ["finance.weak.mixin"]
    _description = "External Reference"
    _order = "id desc"
    _rec_name = "external_id"

    connector_id = fields.Many2one(
        "finance.connector", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", readonly=True, index=True, ondelete="cascade")
    external_type = fields.Char(required=True, readonly=True)
    external_id = fields.Char(string="External ID", required=True, readonly=True, index=True)
    url = fields.Char(string="Link", readonly=True)
    res_model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", required=True, readonly=True
    )
    record_name = fields.Char(string="Record Name", compute="_compute_record_name")

    _object_unique = models.Constraint(
        "UNIQUE (connector_id, external_type, external_id)",
        "This object of the vendor already belongs to another record.",
    )
    _record_index = models.Index("(res_model, res_id)")

    @api.depends("res_model", "res_id")
    @api.depends_context("lang", "uid")
    def _compute_record_name(self):
        names = self._names_of((ref.res_model, ref.res_id) for ref in self)
        for ref in self:
            ref.record_name = names.get((ref.res_model, ref.res_id), "")

    @api.model
    def _set(self, connector, record, external_type, external_id, url=""):
        """Note that ``record`` is this object of the vendor; return the reference.

        external_id: the vendor's id, text. Noting it again changes nothing but the link. Raises
        UserError when the object already belongs to another record, also a deleted one.
        """
        record.ensure_one()
        company = record.sudo().company_id if "company_id" in record._fields else None
        place = (record._name, record.id)
        self.flush_model()
        self.env.cr.execute(
            """
            INSERT INTO finance_external_ref AS ref (
                connector_id, company_id, external_type, external_id, url, res_model, res_id,
                create_uid, create_date, write_uid, write_date
            ) VALUES (
                %(connector)s, %(company)s, %(type)s, %(id)s, %(url)s, %(model)s, %(res_id)s,
                %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
            )
            ON CONFLICT (connector_id, external_type, external_id)
            DO UPDATE SET url = COALESCE(EXCLUDED.url, ref.url)
            RETURNING id, res_model, res_id, xmax = 0
            """,
            {
                "connector": connector.id,
                "company": company.id if company else None,
                "type": external_type,
                "id": str(external_id),
                "url": url or None,
                "model": record._name,
                "res_id": record.id,
                "uid": self.env.uid,
            },
        )
        ref_id, model, res_id, is_new = self.env.cr.fetchone()
        if (model, res_id) != place:
            raise UserError(
                self.env._(
                    "%(type)s %(external)s of %(connector)s already belongs to %(record)s.",
                    type=external_type,
                    external=external_id,
                    connector=connector.sudo().name,
                    record=self._names_of([(model, res_id)])[model, res_id],
                )
            )
        ref = self.browse(ref_id)
        ref.invalidate_recordset()
        if is_new:
            self.env["finance.audit.event"]._record(
                "external_ref.set",
                record,
                connector=connector,
                data={"ref_id": ref_id, "external_type": external_type},
            )
        return ref

    @api.model
    def _find(self, connector, external_type, external_id):
        """Return the record that is this object of the vendor, None where there is none."""
        ref = self.sudo().search(
            [
                ("connector_id", "=", connector.id),
                ("external_type", "=", external_type),
                ("external_id", "=", str(external_id)),
            ]
        )
        if not ref or ref.res_model not in self.env:
            return None
        return self.env[ref.res_model].browse(ref.res_id).exists() or None

    @api.model
    def _of(self, record, connector=None):
        """Return the references of a record, newest first; of one connector only if given."""
        domain = [("res_model", "=", record._name), ("res_id", "in", record.ids)]
        if connector:
            domain.append(("connector_id", "=", connector.id))
        return self.sudo().search(domain).with_env(self.env)

    def action_open_record(self):
        """Open the record in Odoo."""
        self.ensure_one()
        return self._open_weak(self.res_model, self.res_id)
