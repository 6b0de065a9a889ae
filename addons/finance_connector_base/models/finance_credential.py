"""One secret of a connector.

The sealed value lives in two table columns that the ORM doesn't know: no read, export, search,
group-by or copy can reach them, whoever asks. ``sealed`` is in use; ``sealed_next`` waits for the
connector's next passed test and then takes over.
"""

import re
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from ..actions import dialog
from ..providers.base import Setting
from ..providers.certificates import KINDS

MASK = "••••"
SHOWN_TAIL = 4
LONG_ENOUGH = 12
COLUMNS = {"value": SQL("sealed"), "next": SQL("sealed_next")}
# What the seal is bound to: changing it would make the secret unreadable.
BOUND_FIELDS = {"connector_id", "name", "environment"}
INTERNAL_FIELDS = {
    "hint",
    "has_value",
    "has_next",
    "tested_at",
    "entered_by_id",
    "entered_at",
    "reminded_for",
}


class FinanceCredential(models.Model):
    _name = "finance.credential"
    _description = "Credential"
    _order = "connector_id, environment desc, sequence, id"
    _rec_name = "name"

    connector_id = fields.Many2one(
        "finance.connector", required=True, ondelete="cascade", index=True
    )
    name = fields.Char("Technical name", required=True, readonly=True)
    label = fields.Char(compute="_compute_declared")
    help = fields.Char(compute="_compute_declared")
    is_required = fields.Boolean(compute="_compute_declared")
    environment = fields.Selection(
        lambda self: self.env["finance.connector"]._fields["environment"].selection,
        required=True,
        readonly=True,
    )
    sequence = fields.Integer(readonly=True)
    value = fields.Char(
        compute="_compute_value",
        inverse="_inverse_value",
        copy=False,
        help="Write-only. Once the connector has passed its test, a new value is kept beside the "
        "old one until the test passes with it.",
    )
    hint = fields.Char(readonly=True, copy=False)
    has_value = fields.Boolean(readonly=True, copy=False)
    has_next = fields.Boolean("New value waits for its test", readonly=True, copy=False)
    status = fields.Selection(
        [
            ("missing", "Missing"),
            ("untested", "Not tested"),
            ("waiting", "New value not tested"),
            ("expiring", "Expires soon"),
            ("expired", "Expired"),
            ("valid", "Valid"),
        ],
        compute="_compute_status",
    )
    tested_at = fields.Datetime(readonly=True, copy=False)
    entered_by_id = fields.Many2one("res.users", readonly=True, copy=False, ondelete="set null")
    entered_at = fields.Datetime(readonly=True, copy=False)
    expires_on = fields.Date(copy=False, help="The administrators are reminded in time.")
    remind_days = fields.Integer("Remind days before", default=30)
    reminded_for = fields.Date(readonly=True, copy=False)

    _one_per_environment = models.Constraint(
        "UNIQUE (connector_id, environment, name)",
        "A connector has each credential once per environment.",
    )

    def init(self):
        self.env.cr.execute(
            "ALTER TABLE finance_credential ADD COLUMN IF NOT EXISTS sealed bytea, "
            "ADD COLUMN IF NOT EXISTS sealed_next bytea"
        )

    # === COMPUTE METHODS === #

    @api.depends("name", "connector_id.provider")
    def _compute_declared(self):
        for credential in self:
            setting = credential._declared()
            credential.label = setting.label
            credential.help = setting.help
            credential.is_required = setting.required

    @api.depends("label", "connector_id.name")
    def _compute_display_name(self):
        for credential in self:
            credential.display_name = f"{credential.connector_id.name}: {credential.label}"

    @api.depends("hint")
    def _compute_value(self):
        for credential in self:
            credential.value = credential.hint or ""

    def _inverse_value(self):
        """Nothing to do: `create` and `write` take the value out before the ORM sees it."""

    @api.depends("has_value", "has_next", "tested_at", "expires_on", "remind_days")
    def _compute_status(self):
        today = fields.Date.context_today(self)
        for credential in self:
            credential.status = credential._status_on(today)

    def _status_on(self, today):
        if not self.has_value:
            return "missing"
        if self.expires_on and self.expires_on <= today:
            return "expired"
        if self.has_next:
            return "waiting"
        if self.expires_on and self.expires_on <= today + timedelta(days=self.remind_days):
            return "expiring"
        return "valid" if self.tested_at else "untested"

    def _declared(self) -> Setting:
        """Return what the provider says of this credential; a bare one when it says nothing."""
        settings = self.connector_id._known_class().settings
        return next(
            (setting for setting in settings if setting.name == self.name),
            Setting(self.name or "", self.name or "", secret=True, required=False),
        )

    # === CREATE, WRITE === #

    @api.model_create_multi
    def create(self, vals_list):
        self._check_plain_write({name for vals in vals_list for name in vals} - BOUND_FIELDS)
        values = [vals.get("value") for vals in vals_list]
        credentials = super().create([_without_value(vals) for vals in vals_list])
        for credential, value in zip(credentials, values, strict=True):
            credential._enter(value)
        return credentials

    def write(self, vals):
        self._check_plain_write(vals.keys())
        self.check_access("write")
        result = super().write(_without_value(vals)) if _without_value(vals) else True
        if "value" in vals:
            for credential in self:
                credential._enter(vals["value"])
        return result

    def _check_plain_write(self, names):
        if self.env.context.get("finance_write") is INTERNAL:
            return
        if self and names & BOUND_FIELDS:
            raise UserError(
                self.env._(
                    "A credential belongs to its connector and environment; erase it and enter it "
                    "anew."
                )
            )
        if names & INTERNAL_FIELDS:
            self.env["finance.denied.action"]._deny("write", "guard", self)
            raise AccessError(self.env._("This is kept by the system and can't be written."))

    def _internal(self, vals):
        return self.sudo().with_context(finance_write=INTERNAL).write(vals)

    # === ENTERING === #

    def _enter(self, value):
        """Seal a value: in use at once until the connector has been tested, else beside the old.

        value: the secret, or nothing: empty and the mask that is shown leave it as it is.
        """
        self.ensure_one()
        value = (value or "").strip()
        if not value or value == self.hint:
            return
        value = self._checked(value)
        if self.has_value and self.tested_at:
            self._store("next", value)
            vals = {"has_next": True}
        else:
            self._store("value", value)
            vals = {"has_value": True, "tested_at": False, **self._shown(value)}
            self._forget_tokens()
        self._internal(
            {
                **vals,
                "entered_by_id": self.env.uid,
                "entered_at": fields.Datetime.now(),
            }
        )
        self._audit("credential.entered", beside_old="has_value" not in vals)

    def _checked(self, value):
        """Return the value as it is to be kept. Raises ValidationError, which never quotes it."""
        declared = self._declared()
        if value.startswith(MASK) or (declared.check and not re.fullmatch(declared.check, value)):
            raise ValidationError(
                self.env._("This is not a valid value for %(label)s.", label=self.label)
            )
        if declared.kind not in KINDS:
            return value
        try:
            return KINDS[declared.kind].clean(value)
        except ValueError as error:
            raise ValidationError(
                self.env._("%(label)s: %(error)s.", label=self.label, error=error)
            ) from None

    def _shown(self, value) -> dict:
        """Return what the row tells of a value that is in use from now on."""
        kind = KINDS.get(self._declared().kind)
        if not kind:
            return {"hint": _hint(value)}
        ends = kind.ends(value)
        hint = f"{MASK} {kind.shown(value)}".strip()
        return {"hint": hint} | ({"expires_on": ends} if ends else {})

    def _forget_tokens(self):
        """Tokens that were given for another secret go with it."""
        for credential in self:
            tokens = self.env["finance.token"]
            tokens._forget(credential.connector_id, credential.environment)

    def _store(self, column, value):
        sealed = self.env["finance.vault"]._vault().seal(value.encode(), *self._place(column))
        self._write_column(column, sealed)

    def _place(self, column):
        """Return what the seal is bound to: a value moved to another row or host doesn't open."""
        return (
            "finance.credential",
            str(self.id),
            str(self.connector_id.id),
            self.environment,
            self.name,
            column,
        )

    def _write_column(self, column, sealed):
        self.env.execute_query(
            SQL(
                "UPDATE finance_credential SET %s = %s WHERE id = %s RETURNING id",
                COLUMNS[column],
                sealed,
                self.id,
            )
        )

    def _read_columns(self):
        """Return {id: {column: sealed bytes or None}}."""
        if not self:
            return {}
        rows = self.env.execute_query(
            SQL(
                "SELECT id, sealed, sealed_next FROM finance_credential WHERE id IN %s",
                tuple(self.ids),
            )
        )
        return {
            row_id: {"value": _bytes(value), "next": _bytes(following)}
            for row_id, value, following in rows
        }

    # === OPENING: only from Python === #

    def _open_sealed(self, newest=False) -> dict:
        """Return the secrets in the clear by technical name; never cached.

        newest: prefer the value that waits for its test.
        """
        columns = self._read_columns()
        opened = {}
        for credential in self:
            sealed = columns[credential.id]
            column = "next" if newest and sealed["next"] else "value"
            if sealed[column]:
                vault = self.env["finance.vault"]._vault()
                opened[credential.name] = vault.open(
                    sealed[column], *credential._place(column)
                ).decode()
        return opened

    def _reveal(self) -> str:
        """Return the secret in use, and leave an audit event that says who asked."""
        self.ensure_one()
        self._audit("credential.revealed")
        return self.sudo()._open_sealed().get(self.name, "")

    # === ROTATION === #

    def _passed(self):
        """The connector passed its test with the newest values: they take over."""
        now = fields.Datetime.now()
        for credential in self:
            if credential.has_next:
                credential._take_over()
            if credential.has_value:
                credential._internal({"tested_at": now})

    def _take_over(self):
        value = self._open_sealed(newest=True)[self.name]
        self._store("value", value)
        self._write_column("next", None)
        self._internal({"has_next": False, "reminded_for": False, **self._shown(value)})
        self._audit("credential.rotated")

    def _erase(self):
        """Forget the secret, the old and the new."""
        for credential in self:
            credential._write_column("value", None)
            credential._write_column("next", None)
            credential._internal(
                {
                    "has_value": False,
                    "has_next": False,
                    "hint": False,
                    "tested_at": False,
                }
            )
            credential._forget_tokens()
            credential._audit("credential.erased")

    def action_rotate(self):
        """Open the dialog that takes a new value."""
        self.ensure_one()
        return dialog(
            self.env._("New value: %(label)s", label=self.label),
            "finance.credential.rotate",
            context={"default_credential_id": self.id},
        )

    def action_discard_next(self):
        """Forget the new value that waits for its test; the old one stays."""
        self.check_access("write")
        for credential in self.filtered("has_next"):
            credential._write_column("next", None)
            credential._internal({"has_next": False})
            credential._audit("credential.discarded")

    def action_erase(self):
        """Forget the secret."""
        self.check_access("write")
        self._erase()

    # === NEW VAULT KEY === #

    @api.model
    def _reseal(self, limit) -> int:
        """Seal up to ``limit`` values again with the first key of the ring; return how many."""
        vault = self.env["finance.vault"]._vault()
        done = 0
        for credential in self.search([("has_value", "=", True)]):
            for column, sealed in credential._read_columns()[credential.id].items():
                if not sealed or vault.is_current(sealed) or not vault.can_open(sealed):
                    continue
                credential._write_column(column, vault.reseal(sealed, *credential._place(column)))
                done += 1
            if done >= limit:
                break
        return done

    @api.model
    def _key_ids(self) -> dict:
        """Return how many values are sealed with which key."""
        rows = self.env.execute_query(
            SQL("""
            SELECT encode(substring(sealed FROM 5 FOR get_byte(sealed, 3)), 'escape'), count(*)
              FROM (SELECT sealed FROM finance_credential
                     UNION ALL SELECT sealed_next FROM finance_credential) AS every
             WHERE sealed IS NOT NULL GROUP BY 1
        """)
        )
        return dict(rows)

    # === EXPIRY === #

    def _remind(self):
        """Open an exception and a to-do for each credential that expires; close what is settled."""
        today = fields.Date.context_today(self)
        for credential in self:
            due = credential._status_on(today) in ("expiring", "expired")
            if due and credential.environment == credential.connector_id.environment:
                credential._remind_of_expiry()
            else:
                self.env["finance.exception"]._resolve(
                    "credential.expiring", document=credential, note="credential.entered"
                )

    def _remind_of_expiry(self):
        self.env["finance.exception"]._raise(
            "credential.expiring",
            record=self,
            connector=self.connector_id,
            params={"credential": self.label, "expires": self.expires_on.isoformat()},
        )
        if self.reminded_for == self.expires_on:
            return
        for user in self._administrators():
            self.connector_id.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=self.expires_on,
                summary=self.env._("Renew %(label)s", label=self.label),
                user_id=user.id,
            )
        self._internal({"reminded_for": self.expires_on})

    def _administrators(self):
        group = self.env.ref("finance_connector_base.group_administrator")
        companies = self.connector_id.company_ids
        return group.all_user_ids.filtered(
            lambda user: user.active and user.company_ids & companies
        )

    # === ROWS OF THE CONNECTOR === #

    def _is_disposable(self):
        return not self.has_value

    def _is_filled(self):
        return self.has_value

    @api.model
    def _first_value(self, setting):
        return {}

    def _audit(self, kind, **data):
        for credential in self:
            self.env["finance.audit.event"]._record(
                kind,
                credential,
                connector=credential.connector_id,
                data={"credential": credential.name, "environment": credential.environment} | data,
            )


# An object: nothing that comes over RPC can be identical to it.
INTERNAL = object()


def _without_value(vals):
    return {name: value for name, value in vals.items() if name != "value"}


def _hint(value):
    return MASK + (value[-SHOWN_TAIL:] if len(value) >= LONG_ENOUGH else "")


def _bytes(column):
    return None if column is None else bytes(column)
