from unittest.mock import patch

from odoo import Command
from odoo.tests import new_test_user, tagged

from .evidence import GROUP, EvidenceCase

ROLES = ("user", "approver", "controller", "administrator", "auditor")


@tagged("post_install", "-at_install")
class TestRoles(EvidenceCase):
    """Who holds which role is told whenever it changes, and roles that conflict are shown."""

    seen = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.roles = {name: cls.env.ref(f"{GROUP}{name}") for name in ROLES}
        cls.person = new_test_user(cls.env, "f_person", "base.group_user")

    def setUp(self):
        super().setUp()
        self.changes()

    def changes(self):
        """[(kind, user id, role)] of the events since the last call."""
        self.env.invalidate_all()
        events = self.env["finance.audit.event"].search(
            [("id", ">", self.seen), ("kind", "=like", "role.%")]
        )
        self.seen = max([self.seen, *events.ids])
        return sorted(
            (event.kind, event.res_id, event.data["role"].removeprefix(GROUP)) for event in events
        )

    def granted(self, user, *names):
        return [("role.granted", user.id, name) for name in sorted(names)]

    def revoked(self, user, *names):
        return [("role.revoked", user.id, name) for name in sorted(names)]

    def test_on_the_user(self):
        self.person.group_ids = [Command.link(self.roles["controller"].id)]
        self.assertEqual(self.changes(), self.granted(self.person, "controller", "user"))
        self.person.group_ids = [Command.unlink(self.roles["controller"].id)]
        self.assertEqual(self.changes(), self.revoked(self.person, "controller", "user"))

    def test_on_the_group(self):
        self.roles["auditor"].user_ids = [Command.link(self.person.id)]
        self.assertEqual(self.changes(), self.granted(self.person, "auditor"))
        self.roles["auditor"].all_user_ids = [Command.unlink(self.person.id)]
        self.assertEqual(self.changes(), self.revoked(self.person, "auditor"))

    def test_by_what_a_group_implies(self):
        group = self.env["res.groups"].create(
            {"name": "Night shift", "user_ids": [Command.link(self.person.id)]}
        )
        self.assertEqual(self.changes(), [])
        group.implied_ids = [Command.link(self.roles["approver"].id)]
        self.assertEqual(self.changes(), self.granted(self.person, "approver", "user"))
        group.implied_ids = [Command.clear()]
        self.assertEqual(self.changes(), self.revoked(self.person, "approver", "user"))
        implying = {"name": "Day", "implied_ids": [Command.link(self.roles["auditor"].id)]}
        group = self.env["res.groups"].create(
            implying | {"user_ids": [Command.link(self.person.id)]}
        )
        self.assertEqual(self.changes(), self.granted(self.person, "auditor"))
        group.unlink()
        self.assertEqual(self.changes(), self.revoked(self.person, "auditor"))

    def test_created_copied_archived_and_deleted(self):
        user = new_test_user(self.env, "f_new", f"{GROUP}administrator")
        self.assertEqual(self.changes(), self.granted(user, "administrator", "user"))
        user.active = False
        self.assertEqual(self.changes(), self.revoked(user, "administrator", "user"))
        user.active = True
        self.assertEqual(self.changes(), self.granted(user, "administrator", "user"))
        copy = user.copy({"login": "f_copy"})
        self.assertEqual(self.changes(), self.granted(copy, "administrator", "user"))
        number, partner = user.id, user.partner_id
        user.unlink()
        self.assertEqual(
            self.changes(),
            self.revoked(self.env["res.users"].browse(number), "administrator", "user"),
        )
        event = self.events("role.revoked").sorted("id")[-1:]
        detail = self.env["finance.audit.detail"].search([("event_id", "=", event.id)])
        self.assertEqual(detail._values()["login"], "f_new")
        self.assertEqual(detail.partner_id, partner)
        self.assertNotIn("f_new", str(event.data))

    def test_what_changes_no_role_is_no_event(self):
        self.person.name = "Renamed"
        self.person.group_ids = [Command.link(self.env.ref("base.group_partner_manager").id)]
        self.roles["auditor"].comment = "Reads"
        self.person.active = False
        self.assertEqual(self.changes(), [])

    def test_who_did_it(self):
        boss = new_test_user(self.env, "f_boss", "base.group_system")
        self.person.with_user(boss).group_ids = [Command.link(self.roles["user"].id)]
        self.changes()
        event = self.events("role.granted").sorted("id")[-1:]
        self.assertEqual((event.user_id, event.res_model), (boss, "res.users"))
        self.assertEqual(event.data, {"role": f"{GROUP}user", "user_id": self.person.id})

    def test_in_bulk_it_costs_the_same_statements(self):
        people = self.env["res.users"].union(
            *(new_test_user(self.env, f"f_bulk_{n}", "base.group_user") for n in range(12))
        )
        roles = self.env["finance.role"]

        def cost(users):
            self.env.flush_all()
            before, names = roles._held(), roles._names()
            self.env.cr.execute(
                "INSERT INTO res_groups_users_rel (uid, gid) SELECT unnest(%s), %s",
                [users.ids, self.roles["auditor"].id],
            )
            start = self.env.cr.sql_log_count
            roles._note_changes(before, names, {})
            return self.env.cr.sql_log_count - start

        cost(people[:1])
        few, many = cost(people[1:3]), cost(people[3:])
        self.assertEqual(many, few)
        granted = self.events("role.granted").filtered(lambda event: event.res_id in people.ids)
        self.assertEqual(len(granted), 12)

    # === CONFLICTS === #

    def test_conflicts_are_shown_noted_and_listed(self):
        for names, conflicts in (
            (("administrator", "approver"), 1),
            (("administrator", "auditor"), 1),
            (("approver", "auditor"), 1),
            (("controller", "auditor"), 1),
            (("user", "auditor"), 1),
            (("administrator", "approver", "auditor"), 3),
            (("administrator", "controller"), 0),
            (("controller", "approver"), 0),
            (("auditor",), 0),
        ):
            with self.subTest(names=names):
                groups = [self.env.ref("base.group_user").id, *(self.roles[n].id for n in names)]
                self.person.group_ids = [Command.set(groups)]
                told = [row for row in self.changes() if row[0] == "role.conflict"]
                self.assertEqual(len(told), conflicts)
                shown = self.person.finance_conflicts.splitlines()
                self.assertEqual(len(shown), conflicts)
                listed = self.env["res.users"].search([("finance_in_conflict", "=", True)])
                self.assertEqual(self.person in listed, bool(conflicts))
                free = self.env["res.users"].search([("finance_in_conflict", "=", False)])
                self.assertEqual(self.person in free, not conflicts)
                self.person.group_ids = [Command.set(groups[:1])]
                self.changes()

    def test_the_form_warns_before_it_is_saved(self):
        form = self.person.new(origin=self.person)
        form.group_ids |= self.roles["approver"]
        self.assertFalse(form.finance_conflicts)
        form.group_ids |= self.roles["administrator"]
        self.assertIn("credentials", form.finance_conflicts)
        self.assertFalse(self.person.finance_in_conflict)
        view = self.env.ref("base.view_users_form")
        self.assertIn("finance_conflicts", self.env["res.users"].get_view(view.id)["arch"])

    def test_who_makes_a_conflict_is_told(self):
        groups = [Command.link(self.roles[name].id) for name in ("approver", "administrator")]
        with patch.object(type(self.env.user), "_bus_send", autospec=True) as sent:
            self.person.group_ids = groups[:1]
            sent.assert_not_called()
            self.person.group_ids = groups[1:]
        [call] = sent.call_args_list
        self.assertEqual(call.args[0], self.env.user)
        self.assertIn("credentials", call.args[2]["message"])
        self.assertIn(self.person.name, call.args[2]["message"])

    def test_an_archived_user_is_in_no_conflict(self):
        self.person.group_ids = [
            Command.link(self.roles[name].id) for name in ("approver", "administrator")
        ]
        self.person.active = False
        self.assertFalse(self.person.finance_in_conflict)
        everyone = self.env["res.users"].with_context(active_test=False)
        self.assertNotIn(self.person, everyone.search([("finance_in_conflict", "=", True)]))

    def test_auditors_see_the_list(self):
        self.person.group_ids = [
            Command.link(self.roles[name].id) for name in ("approver", "administrator")
        ]
        users = self.env["res.users"].with_user(self.auditor)
        [row] = users.search_read(
            [("finance_in_conflict", "=", True), ("id", "=", self.person.id)],
            ["name", "login", "finance_roles", "finance_conflicts"],
        )
        self.assertIn("Approver", row["finance_roles"])

    def test_nobody_who_is_there_after_installation_is_in_conflict(self):
        mine = self.env["res.users"].search([("login", "=like", "f\\_%")])
        found = self.env["res.users"].search([("finance_in_conflict", "=", True)])
        self.assertFalse(found - mine)
        admin = self.env.ref("base.user_admin")
        self.assertIn(self.roles["administrator"], admin.all_group_ids)
