"""Calls over JSON-2, as people of each role make them."""

import json
import os
from datetime import timedelta
from functools import partial
from zlib import crc32

from odoo import api, fields, http
from odoo.models import BaseModel
from odoo.service.model import get_public_method, retrying
from odoo.tools import json_default, mute_logger

ROLES = ("nobody", "user", "approver", "controller", "administrator", "auditor")
OPERATIONS = {"r": "read", "w": "write", "c": "create", "u": "unlink"}
# One question in so many goes over real HTTP, always the same ones; all do in the long run.
OVER_HTTP = 1 if os.environ.get("SOAK") else 20
SILENT = ("odoo.http", "odoo.sql_db", "odoo.models", "py.warnings", "werkzeug")


def public_methods(model, addon):
    """Return the names of an addon's own methods on a model that anybody may call over RPC."""
    usual = {*dir(BaseModel), *dir(model.env.registry["base"])}
    methods = {
        name: getattr(type(model), name)
        for name in set(dir(type(model))) - usual
        if not name.startswith("_")
    }
    return {
        name
        for name, method in methods.items()
        if callable(method) and method.__module__.startswith(f"odoo.addons.{addon}.")
    }


class RpcCalls:
    """For an `HttpCase`. users: {role: user}; keys: {role: API key}, of `key_of`."""

    @classmethod
    def key_of(cls, user):
        """Return an API key of a user."""
        until = fields.Datetime.now() + timedelta(days=1)
        keys = cls.env["res.users.apikeys"].with_user(user).sudo()
        return keys._generate("rpc", "test", until)

    def call(self, role, model, method, **arguments):
        """(HTTP status, answer) of one call.

        Most calls are made in this process, as the server makes them once it knows who asks: a
        cursor and a cache of their own, and nothing left of what failed.
        """
        with mute_logger(*SILENT):
            question = json.dumps(arguments)
            if crc32(f"{role} {model} {method} {sorted(arguments)}".encode()) % OVER_HTTP:
                return self._call_here(role, model, method, json.loads(question))
            return self._call_over_http(role, model, method, question)

    def _call_over_http(self, role, model, method, question):
        response = self.url_open(
            f"/json/2/{model}/{method}",
            data=question,
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self.keys[role]}",
            },
        )
        return response.status_code, response.json()

    def _call_here(self, role, model, method, arguments):
        self.env.flush_all()
        try:
            with self.registry.cursor() as cr:
                env = api.Environment(cr, self.users[role].id, {})
                answer = retrying(partial(_answer, env, model, method, **arguments), env)
                status = 200
        except Exception as error:
            status, answer = getattr(error, "http_status", 500), http.serialize_exception(error)
        self.env.invalidate_all()
        return status, json.loads(json.dumps(answer, default=json_default))


def _answer(env, model, method, ids=(), context=None, **arguments):
    """What Odoo's controller of JSON-2 does with a question."""
    records = env[model].with_context(**(context or {})).browse(ids)
    answer = get_public_method(records, method)(records, **arguments)
    return answer.ids if isinstance(answer, BaseModel) else answer
