"""Production is bound to one database.

A copy made with ``createdb -T`` or pg_restore keeps the database uuid, so the binding also holds
the database's name and its ``pg_database.oid``, which a copy can't share.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

CURRENT = SQL("""
    SELECT (SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'),
           datname, oid::text,
           EXISTS (SELECT 1 FROM ir_config_parameter
                    WHERE key = 'database.is_neutralized' AND lower(value) NOT IN ('', 'false', '0'))
      FROM pg_database WHERE datname = current_database()
""")


class FinanceBinding(models.Model):
    _name = "finance.binding"
    _description = "Database confirmed for production"
    _order = "id desc"
    _rec_name = "database_name"

    database_uuid = fields.Char(required=True, readonly=True)
    database_name = fields.Char(required=True, readonly=True)
    database_oid = fields.Char("Database OID", required=True, readonly=True)
    confirmed_by_id = fields.Many2one("res.users", readonly=True, ondelete="set null")
    confirmed_at = fields.Datetime(readonly=True, default=fields.Datetime.now)

    @api.model
    def _current(self):
        """Return (uuid, name, oid, neutralised) of this database, past every cache."""
        self.env["ir.config_parameter"].flush_model()
        return self.env.execute_query(CURRENT)[0]

    @api.model
    def _last(self):
        return self.sudo().search([], limit=1)

    @api.model
    def _is_copy(self) -> bool:
        """Tell whether production was confirmed for another database than this one."""
        bound = self._last()
        return bool(bound) and bound._key() != self._current()[:3]

    def _key(self):
        return (self.database_uuid, self.database_name, self.database_oid)

    @api.model
    def _obstacle(self) -> str:
        """Return why this database may not call production, in words; "" when it may."""
        *current, neutralised = self._current()
        if neutralised:
            return self.env._(
                "This database is neutralised: it may only call local and sandbox systems."
            )
        bound = self._last()
        if not bound:
            return self.env._(
                "No administrator has confirmed yet that this database is the production database."
            )
        if bound._key() != tuple(current):
            return self.env._(
                "This database is a copy or was restored or renamed: production was confirmed for "
                "the database %(name)s. An administrator can confirm this one in Settings, Finance "
                "Connect: This is now the production database.",
                name=bound.database_name,
            )
        return ""

    @api.model
    def _confirm(self):
        """Record this database as the one that may call production; return the record.

        Raises UserError in a neutralised database.
        """
        uuid, name, oid, neutralised = self._current()
        if neutralised:
            raise UserError(
                self.env._("This database is neutralised; it can't become the production database.")
            )
        return self.sudo().create(
            {
                "database_uuid": uuid,
                "database_name": name,
                "database_oid": oid,
                "confirmed_by_id": self.env.uid,
            }
        )
