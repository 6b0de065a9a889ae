"""Who holds which of our roles, when that changes, and which roles don't go together."""

from collections import defaultdict
from contextlib import contextmanager
from itertools import combinations
from weakref import WeakSet

from odoo import api, models
from odoo.tools import SQL
from odoo.tools.sql import table_exists

CATEGORY = "finance_connector_base.module_category"
# Cursors with a comparison under way.
_watching = WeakSet()


class FinanceRole(models.AbstractModel):
    """The groups of the suite: every group under its privileges, also those of other addons.

    Changes are found by comparing who holds what before and after: whether a user, a group or what
    it implies was changed, one by one or in bulk.
    """

    _name = "finance.role"
    _description = "Roles of Finance Connect"

    @api.model
    def _conflicts(self):
        """Return [(xml id, xml id, why one person should not hold both)] in the reader's language.

        A warning, never a refusal: a firm of two people must be able to work. Addons extend it by
        ``super() + [(…)]``.
        """
        _ = self.env._
        own = "finance_connector_base.group_"
        return [
            (
                f"{own}administrator",
                f"{own}approver",
                _("Who enters credentials and addresses could approve what goes out with them."),
            ),
            (
                f"{own}auditor",
                f"{own}administrator",
                _("Who sets up the connectors would audit the own set-up."),
            ),
            (f"{own}auditor", f"{own}approver", _("Who approves would audit the own approvals.")),
            (
                f"{own}auditor",
                f"{own}controller",
                _("Who cancels, erases and lifts legal holds would audit just that."),
            ),
            (f"{own}auditor", f"{own}user", _("Who decides exceptions would audit the own work.")),
        ]

    @api.model
    def _roles(self):
        """Return our groups, `res.groups`."""
        category = self.env.ref(CATEGORY, raise_if_not_found=False)
        groups = self.env["res.groups"].sudo()
        if not category:
            return groups
        return groups.search([("privilege_id.category_id", "=", category.id)])

    @api.model
    def _held(self):
        """Return {user id: set of ids of roles} of active users, by groups and what these imply."""
        implied = defaultdict(set)
        for role in self._roles():
            for group in role.all_implied_by_ids.ids:
                implied[group].add(role.id)
        self.env["res.users"].flush_model(["active", "group_ids"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT uid, gid FROM res_groups_users_rel JOIN res_users AS users ON users.id = uid
                 WHERE users.active AND gid = ANY(%s)
                """,
                list(implied),
            )
        )
        held = defaultdict(set)
        for user, group in rows:
            held[user] |= implied[group]
        return held

    # === CHANGES === #

    @api.model
    @contextmanager
    def _watched(self, leaving=None):
        """Note in the audit who holds more or less after the block than before.

        One comparison for all that the outermost block does. leaving: users that are being
        deleted, whose names only the event will know.
        """
        if self.env.cr in _watching:
            yield
            return
        _watching.add(self.env.cr)
        try:
            before, names = self._held(), self._names()
            left = {
                user.id: ({"name": user.name, "login": user.login}, user.partner_id.id)
                for user in leaving or ()
            }
            yield
            # while the addon is being removed, there is nothing left to write to
            if table_exists(self.env.cr, "finance_audit_event"):
                self._note_changes(before, names | self._names(), left)
        finally:
            _watching.discard(self.env.cr)

    @api.model
    def _names(self):
        """Return {id: "addon.name"} of our groups; the number of one without a name."""
        return {role: name or str(role) for role, name in self._roles().get_external_id().items()}

    def _note_changes(self, before, names, left):
        held, events, granted = self._held(), [], set()
        for user in sorted(held.keys() | before.keys()):
            old, new = before.get(user, set()), held.get(user, set())
            events += [self._event("role.granted", user, names[role]) for role in new - old]
            events += [
                self._event("role.revoked", user, names[role], left.get(user)) for role in old - new
            ]
            if new - old:
                granted.add(user)
        conflicts = self._conflicts_of({user: held[user] for user in granted}) if granted else {}
        events += [
            self._event("role.conflict", user, first, other=second)
            for user, found in conflicts.items()
            for first, second, _why in found
        ]
        self.env["finance.audit.event"]._record_many(events)
        self._warn(conflicts)

    def _event(self, kind, user, role, left=None, **data):
        """left: (values, partner id) of a user that is gone; without a key, without the name."""
        values, partner = left or ({}, None)
        return {
            "kind": kind,
            "res_model": "res.users",
            "res_id": user,
            "data": {"user_id": user, "role": role, **data},
            "detail": values if self.env["finance.vault"]._is_open() else None,
            "partner_id": partner,
        }

    def _warn(self, conflicts):
        """Tell whoever made the change, on the screen."""
        for user, found in conflicts.items():
            if not found:
                continue
            self.env.user._bus_send(
                "simple_notification",
                {
                    "type": "warning",
                    "sticky": True,
                    "title": self.env._("Roles that should not go together"),
                    "message": self.env._(
                        "%(user)s: %(why)s",
                        user=self.env["res.users"].browse(user).sudo().name,
                        why=" ".join(why for _first, _second, why in found),
                    ),
                },
            )

    # === CONFLICTS === #

    @api.model
    def _conflicts_of(self, held):
        """Return {key: rows of `_conflicts`} of {key: set of ids of roles}.

        Of roles that imply each other the higher one stands for both.
        """
        names, table = self._names(), self._conflicts()
        lower = {role.id: set(role.all_implied_ids.ids) - {role.id} for role in self._roles()}
        found = {}
        for key, roles in held.items():
            top = roles - set().union(*(lower[role] for role in roles))
            pairs = {frozenset(pair) for pair in combinations((names[role] for role in top), 2)}
            found[key] = [row for row in table if frozenset(row[:2]) in pairs]
        return found
