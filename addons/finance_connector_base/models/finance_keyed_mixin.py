"""What a record is called in configuration files, whatever it is renamed to."""

import re
import unicodedata

from odoo import api, fields, models
from odoo.tools import SQL

LONGEST = 60


class FinanceKeyedMixin(models.AbstractModel):
    """Records of a name, told apart by a key that stays.

    The key comes from the first name and is part of configuration files, so it is the same in
    every database that a file is taken to.
    """

    _name = "finance.keyed.mixin"
    _description = "Records With a Key in Configuration Files"

    config_key = fields.Char("Key", readonly=True, copy=False, help="Name in configuration files.")

    _config_key_unique = models.UniqueIndex(
        "(config_key)", "There is a record of this key already."
    )

    def init(self):
        """Give a key to each record from before there were keys."""
        super().init()
        if self._abstract:
            return
        unnamed = self.env.execute_query(
            SQL(
                "SELECT id, to_jsonb(name) FROM %s WHERE config_key IS NULL ORDER BY id",
                SQL.identifier(self._table),
            )
        )
        names = [name["en_US"] if isinstance(name, dict) else name for _id, name in unnamed]
        for (row_id, _name), key in zip(unnamed, self._new_keys(names), strict=True):
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET config_key = %s WHERE id = %s",
                    SQL.identifier(self._table),
                    key,
                    row_id,
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        nameless = [vals for vals in vals_list if not vals.get("config_key")]
        keys = iter(self._new_keys([vals.get("name") for vals in nameless]))
        return super().create(
            [
                vals if vals.get("config_key") else {**vals, "config_key": next(keys)}
                for vals in vals_list
            ]
        )

    def _new_keys(self, names):
        """Return a key for each of ``names`` that no record has."""
        if not names:
            return []
        self.flush_model(["config_key"])
        query = SQL("SELECT config_key FROM %s", SQL.identifier(self._table))
        taken = {key for (key,) in self.env.execute_query(query)}
        keys = []
        for name in names:
            key = first = self._slug_of(name)
            number = 1
            while key in taken:
                number += 1
                key = f"{first}-{number}"
            taken.add(key)
            keys.append(key)
        return keys

    def _slug_of(self, name):
        # not Odoo's slug, which depends on the libraries of the server
        plain = unicodedata.normalize("NFKD", name or "").casefold().encode("ascii", "ignore")
        slug = re.sub(r"[^a-z0-9]+", "-", plain.decode())[:LONGEST].strip("-")
        return slug or self._name.rpartition(".")[2]
