"""Calls over JSON-2, as people of each role make them."""

import json
from datetime import timedelta

from odoo import fields
from odoo.tools import mute_logger

ROLES = ("nobody", "user", "approver", "controller", "administrator", "auditor")
OPERATIONS = {"r": "read", "w": "write", "c": "create", "u": "unlink"}


class RpcCalls:
    """For an `HttpCase`. keys: {role: API key}, of `key_of`."""

    @classmethod
    def key_of(cls, user):
        """Return an API key of a user."""
        until = fields.Datetime.now() + timedelta(days=1)
        keys = cls.env["res.users.apikeys"].with_user(user).sudo()
        return keys._generate("rpc", "test", until)

    def call(self, role, model, method, **arguments):
        """(HTTP status, answer) of one call."""
        with mute_logger("odoo.http", "odoo.sql_db", "odoo.models", "py.warnings", "werkzeug"):
            response = self.url_open(
                f"/json/2/{model}/{method}",
                data=json.dumps(arguments),
                headers={
                    "Content-Type": "application/json",
                    "Authorization": f"Bearer {self.keys[role]}",
                },
            )
        return response.status_code, response.json()
