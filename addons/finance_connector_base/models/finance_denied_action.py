"""What somebody tried and was not allowed to do."""

import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..canonical.codec import dump
from ..fields import WeakMany2one
from ..lanes.link import link_of
from .finance_audit_event import SCHEMA_VERSION

_logger = logging.getLogger(__name__)

VACUUM_DAYS = 400
# So many records of a refused bulk action are named in its event.
MOST_NAMED = 100
# Counting and the events of the 1st, 10th, 100th and 1000th time are one statement, hence one
# transaction of the own connection.
COUNT = """
WITH denied AS (
    INSERT INTO finance_denied_action AS known (
        user_id, company_id, connector_id, res_model, res_id, action, rule, hour, first_at, last_at,
        count
    ) VALUES (
        %(user_id)s, %(company_id)s, %(connector_id)s, %(res_model)s, %(res_id)s, %(action)s,
        %(rule)s, date_trunc('hour', now() AT TIME ZONE 'UTC'), now() AT TIME ZONE 'UTC',
        now() AT TIME ZONE 'UTC', 1
    )
    ON CONFLICT (user_id, res_model, res_id, action, rule, hour) DO UPDATE
       SET count = known.count + 1, last_at = EXCLUDED.last_at
    RETURNING count
)
INSERT INTO finance_audit_event (
    at, user_id, company_id, connector_id, kind, res_model, res_id, data, schema_version
)
SELECT clock_timestamp() AT TIME ZONE 'UTC', %(user_id)s, %(company_id)s, %(connector_id)s,
       'action.denied', NULLIF(%(res_model)s, ''), NULLIF(%(res_id)s, 0),
       %(data)s::jsonb || jsonb_build_object('count', count), %(schema_version)s
  FROM denied WHERE count IN (1, 10, 100, 1000)
"""


class FinanceDeniedAction(models.Model):
    """One refusal of one user, action and record in one hour; the same again is counted.

    Written on the own connection: the error that tells the user rolls the transaction back.
    """

    _name = "finance.denied.action"
    _inherit = ["finance.weak.mixin"]
    _description = "Refused Action"
    _log_access = False
    _order = "last_at desc, id desc"
    _rec_name = "action"

    user_id = WeakMany2one("res.users", "Who", readonly=True)
    company_id = WeakMany2one("res.company", readonly=True)
    connector_id = WeakMany2one("finance.connector", readonly=True)
    res_model = fields.Char("Record Model", readonly=True)
    res_id = fields.Many2oneReference("Record", model_field="res_model", readonly=True)
    record_name = fields.Char("Record Name", compute="_compute_record_name")
    action = fields.Char("Code", readonly=True)
    action_words = fields.Char("Tried to", compute="_compute_words")
    rule = fields.Char("Rule Code", readonly=True)
    rule_words = fields.Char("Refused because", compute="_compute_words")
    hour = fields.Datetime(readonly=True)
    first_at = fields.Datetime("First", readonly=True)
    last_at = fields.Datetime("Last", readonly=True)
    count = fields.Integer("Times", readonly=True, aggregator="sum")

    _once_an_hour = models.Constraint(
        "UNIQUE (user_id, res_model, res_id, action, rule, hour)",
        "The same refusal is counted on one row an hour.",
    )

    @api.model
    def _rules(self):
        """Return {rule: words} in the reader's language. Addons extend it by ``super() | {…}``."""
        _ = self.env._
        return {
            "access": _("The role has no right to it"),
            "binding": _("This database is not the confirmed one"),
            "company": _("It belongs to another company, or to somebody else"),
            "group": _("The role for it is missing"),
            "guard": _("This is never set by hand"),
            "hold": _("It is kept by a legal hold"),
            "own": _("Nobody approves what is one's own"),
            "policy": _("The policy asks for another person"),
            "secret": _("Secrets are never shown"),
            "user": _("Somebody else began it"),
        }

    @api.model
    def _actions(self):
        """Return {action: words} in the reader's language. Addons extend it by ``super() | {…}``."""
        _ = self.env._
        return {
            "connector.pause": _("Stop a connector"),
            "month.record": _("Record a month as closed"),
            "connector.production": _("Switch a connector to production"),
            "connector.resume": _("Resume a connector"),
            "connector.sandbox": _("Switch a connector to its sandbox"),
            "connector.sign_in": _("Sign a connector in"),
            "connector.sign_out": _("Sign a connector out"),
            "connector.test": _("Test a connector"),
            "create": _("Create"),
            "database.confirm": _("Confirm the production database"),
            "exception.assign": _("Assign an exception"),
            "exception.done_outside": _("Record as done outside"),
            "exception.handle": _("Mark an exception as handled"),
            "exception.ignore": _("Ignore an exception"),
            "exception.query": _("Ask the vendor"),
            "exception.retry": _("Try an exception again"),
            "job.cancel": _("Cancel a job"),
            "job.done_outside": _("Record a job as done outside"),
            "job.query": _("Ask the vendor about a job"),
            "job.release": _("Let a held job go out"),
            "job.retry": _("Try a job again"),
            "job.send_again": _("Send a job again"),
            "partner.erase": _("Erase personal data"),
            "payload.open": _("Open an original payload"),
            "read": _("Read"),
            "restore.acknowledge": _("Acknowledge a restored database"),
            "tax.engine": _("Choose the tax engine"),
            "unlink": _("Delete"),
            "write": _("Change"),
        }

    @api.depends("action", "rule")
    @api.depends_context("lang")
    def _compute_words(self):
        actions, rules = self._actions(), self._rules()
        for row in self:
            row.action_words = actions.get(row.action, row.action)
            row.rule_words = rules.get(row.rule, row.rule)

    @api.depends("res_model", "res_id")
    def _compute_record_name(self):
        names = self._names_of((row.res_model, row.res_id) for row in self)
        for row in self:
            row.record_name = names.get((row.res_model, row.res_id), "")

    @api.model
    def _deny(self, action, rule, record=None):
        """Keep that the user of this environment was refused ``action`` because of ``rule``.

        action, rule: codes, worded by `_actions` and `_rules`. record: what it was tried with, an
        empty recordset for a model as a whole; the first of several stands for all. Neither fails
        nor waits for this transaction; call it, then raise.
        """
        try:
            link_of(self.env).execute(COUNT, self._facts(action, rule, record))
        except psycopg2.Error:
            _logger.exception(
                "Not recorded: user %s was refused %s (%s) on %s",
                self.env.uid,
                action,
                rule,
                record,
            )

    def _facts(self, action, rule, record):
        ids = record.ids if record is not None else []
        first = record.browse(ids[:1]).sudo().exists() if ids else None
        data = {"action": action, "rule": rule}
        if len(ids) > 1:
            data["ids"] = ids[:MOST_NAMED]
        return {
            "user_id": self.env.uid or 0,
            "company_id": _of(first, "res.company", "company_id") or None,
            "connector_id": _of(first, "finance.connector", "connector_id") or None,
            "res_model": record._name if record is not None else "",
            "res_id": ids[0] if ids else 0,
            "action": action,
            "rule": rule,
            "data": dump(data),
            "schema_version": SCHEMA_VERSION,
        }

    @api.model
    def _check_may(self, records, operation, action):
        """Raise AccessError unless the user may do ``operation`` with ``records``; ``action`` is
        what the refusal is kept as."""
        if records.has_access(operation):
            return
        self._deny(action, "access", records)
        raise AccessError(
            self.env._(
                "Your role doesn't allow this for %(records)s. Ask a colleague with that role.",
                records=self.env["ir.model"]._get(records._name).sudo().name,
            )
        )

    @api.autovacuum
    def _vacuum(self):
        """Forget the counters after more than a year; their events stay."""
        self.env.cr.execute(
            """
            DELETE FROM finance_denied_action WHERE id = ANY(ARRAY(
                SELECT id FROM finance_denied_action
                 WHERE last_at < now() AT TIME ZONE 'UTC' - interval '1 day' * %s LIMIT 5000))
            """,
            [VACUUM_DAYS],
        )
        return self.env.cr.rowcount, int(self.env.cr.rowcount == 5000)

    def action_open_record(self):
        """Open what it was tried with."""
        self.ensure_one()
        return self._open_weak(self.res_model, self.res_id)


def _of(record, model, name):
    """The id of a company or connector that a record is, or names."""
    if not record:
        return None
    if record._name == model:
        return record.id
    field = record._fields.get(name)
    return record[name].id if field is not None and field.type == "many2one" else None
