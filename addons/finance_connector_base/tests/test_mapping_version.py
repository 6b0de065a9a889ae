"""Four eyes: who may change, submit and approve a mapping; what it does is counted before."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged

from .mapping import GROUP, MappingMixin
from .vendor import ConnectorCase


@tagged("post_install", "-at_install")
class TestMappingVersion(MappingMixin, ConnectorCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_mapping()
        cls.sales, cls.abroad, cls.rent, cls.clearing = cls.accounts.values()

    # === VERSIONS === #

    def test_a_change_is_a_new_version_copied_from_the_approved_one(self):
        mapping = self.mapping()
        first = self.approved(mapping, {"record": self.sales, "code": "S", "label": "Sales"})
        second = self.draft(mapping, {"record": self.rent, "code": "R"})
        self.assertEqual((second.number, second.previous_id), (2, first))
        self.assertEqual(sorted(second.line_ids.mapped("code")), ["R", "S"])
        self.assertEqual(self.draft(mapping), second)
        second.line_ids.filtered(lambda line: line.code == "S").code = "S2"
        self.assertEqual(self.lookup(self.sales).codes, {self.sales.id: "S"})
        second.action_submit()
        second.with_user(self.approver).action_approve()
        self.assertEqual((first.state, second.state), ("superseded", "approved"))
        self.assertEqual(self.lookup(self.sales).codes, {self.sales.id: "S2"})
        self.assertEqual(first.line_ids.code, "S")

    def test_an_approved_version_never_changes(self):
        version = self.approved(self.mapping(), {"record": self.sales, "code": "S"})
        line = version.line_ids
        for user in (self.worker, self.approver, self.env.user):
            for change in (
                lambda line: line.write({"code": "X"}),
                lambda line: line.unlink(),
                lambda line: line.create(
                    {"version_id": line.version_id.id, "rule": "default", "code": "X"}
                ),
                lambda line: line.version_id.write({"note": "x"}),
                lambda line: line.version_id.write({"state": "draft"}),
                lambda line: line.version_id.write({"line_ids": [Command.clear()]}),
                lambda line: line.version_id.action_submit(),
                lambda line: line.version_id.action_discard(),
                lambda line: line.version_id.action_withdraw(),
            ):
                with self.assertRaises(UserError):
                    change(line.with_user(user))
        with self.assertRaises(UserError):
            version.sudo().write({"state": "draft"})
        with self.assertRaises(AccessError):
            version.sudo().unlink()
        self.assertEqual((line.code, version.state), ("S", "approved"))

    def test_fields_of_a_draft_are_not_set_by_hand(self):
        draft = self.draft(self.mapping(), {"record": self.sales, "code": "S"})
        for values in (
            {"state": "approved"},
            {"submitted_by_id": self.approver.id},
            {"editor_ids": [Command.clear()]},
            {"number": 9},
            {"trial": []},
            {"mapping_id": self.mapping(scope="x").id},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                draft.write(values)
        draft.note = "for January"
        other = self.draft(self.mapping(scope="y"))
        with self.assertRaises(UserError):
            draft.line_ids.version_id = other

    def test_a_line_that_changed_after_submission_is_found_out(self):
        draft = self.draft(self.mapping(), {"record": self.sales, "code": "S"})
        draft.action_submit()
        self.env.cr.execute(
            "UPDATE finance_mapping_line SET code = 'X' WHERE version_id = %s", [draft.id]
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "not those that were submitted"):
            draft.with_user(self.approver).action_approve()

    def test_rejected_and_discarded(self):
        draft = self.draft(self.mapping(), {"record": self.sales, "code": "S"})
        draft.action_submit()
        with self.assertRaises(UserError):
            self.draft(draft.mapping_id)
        action = draft.with_user(self.approver).action_reject()
        wizard = self.env["finance.mapping.reject"].with_user(self.approver)
        wizard.with_context(**action["context"]).create({"reason": "wrong code"}).action_confirm()
        self.assertEqual((draft.state, draft.rejection), ("draft", "wrong code"))
        self.assertEqual(draft.rejected_by_id, self.approver)
        draft.action_discard()
        later = self.draft(draft.mapping_id)
        self.assertEqual((later.number, len(later.line_ids)), (2, 0))
        for kind in ("submitted", "rejected", "discarded"):
            self.assertEqual(self.events(f"mapping.{kind}").res_id, draft.id)
        self.assertNotIn("wrong code", str(self.events("mapping.rejected").data))

    def test_nothing_to_submit(self):
        with self.assertRaisesRegex(UserError, "no line"):
            self.draft(self.mapping()).action_submit()

    # === WHO MAY === #

    def test_who_submitted_or_edited_does_not_approve(self):
        both = self.person("m_both", f"{GROUP}approver,{GROUP}controller")
        draft = self.draft(self.mapping(), {"record": self.sales, "code": "S"})
        draft.line_ids.with_user(both).label = "changed"
        draft.action_submit()
        self.assertTrue(draft.with_user(both).waits_for_other)
        with self.assertRaisesRegex(UserError, "another approver"):
            draft.with_user(both).action_approve()
        draft.action_withdraw()
        draft.with_user(self.approver).action_submit()
        with self.assertRaisesRegex(UserError, "another approver"):
            draft.with_user(self.approver).action_approve()
        self.assertEqual(draft.state, "submitted")

    def test_records_of_other_companies_are_for_who_may_read_them(self):
        """A mapping for all companies is approved by somebody who sees all of it."""
        journal = self.env["account.journal"].create(
            {"name": "F", "code": "FRGN", "type": "general", "company_id": self.company.id}
        )
        draft = self.mapping("journal", company_id=False).sudo()._draft()
        draft.line_ids = [Command.create({"res_id": journal.id, "code": "X"})]
        self.env.flush_all()
        mine = draft.with_user(self.worker)
        self.assertEqual(mine.line_ids.record_name, f"Journal {journal.id}")
        with self.assertRaisesRegex(AccessError, "other companies"):
            mine.action_submit()
        draft.action_submit()
        with self.assertRaisesRegex(AccessError, "other companies"):
            draft.with_user(self.approver).action_approve()
        self.approver.company_ids |= self.company
        draft.with_user(self.approver).action_approve()

    # === WHAT IT WOULD CHANGE === #

    def test_trial_counts_last_month_by_old_and_new_code(self):
        self.post("500000", "400100", 100.0)
        self.post("500000", "400100", 20.5)
        self.post("999000", "400900", 7.0)
        self.post("999000", "400900", 1000.0, day="2020-01-15")
        draft_entry = self.post("999000", "400900", 3.0)
        draft_entry.button_draft()
        mapping = self.mapping()
        first = self.draft(mapping, {"rule": "code", "prefix": "4", "code": "SALES"})
        first.action_try()
        [part] = first.sudo().trial
        self.assertEqual(part["company"], self.home.id)
        self.assertEqual(
            sorted(part["rows"], key=str),
            [[None, "SALES", 2, 3, "127.50"], [None, None, 2, 3, "127.50"]],
        )
        first.action_submit()
        first.with_user(self.approver).action_approve()
        second = self.draft(
            mapping,
            {"record": self.abroad, "code": "ABROAD"},
            {"record": self.rent, "code": "RENT", "valid_from": self.day_of_last_month},
        )
        second.action_submit()
        [part] = second.sudo().trial
        self.assertEqual(
            sorted(part["rows"], key=str),
            [
                ["SALES", "ABROAD", 1, 1, "7.00"],
                ["SALES", "SALES", 1, 2, "120.50"],
                [None, "RENT", 1, 2, "120.50"],
                [None, None, 1, 1, "7.00"],
            ],
        )
        self.assertEqual(part["changed"], {"values": 2, "items": 3, "turnover": "127.50"})
        self.assertEqual(part["unchanged"], {"values": 2, "items": 3, "turnover": "127.50"})
        self.assertEqual(part["missing"], {"values": 1, "items": 1, "turnover": "7.00"})
        self.assertIn("ABROAD", second.trial_html)
        self.assertNotIn("120.50", second.with_user(self.user).trial_html or "")
        second.with_user(self.approver).action_approve()
        [told] = self.events("mapping.approved").sorted("id")[-1:].data["trial"]
        self.assertEqual(told["changed"], part["changed"])
        self.assertEqual(len(told["rows"]), 2)

    def test_trial_counts_on_the_day_of_each_item(self):
        self.post("500000", "400100", 10.0, day=self.day_of_last_month)
        self.post("500000", "400100", 1.0, day=self.day_of_last_month.replace(day=1))
        draft = self.draft(
            self.mapping(),
            {"record": self.rent, "code": "R", "valid_from": self.day_of_last_month},
        )
        draft.action_try()
        rows = sorted(draft.sudo().trial[0]["rows"], key=str)
        self.assertEqual(rows, [[None, "R", 1, 1, "10.00"], [None, None, 2, 3, "12.00"]])

    def test_shares_of_a_dimension_are_counted(self):
        plan = self.env["account.analytic.plan"].create({"name": "P"})
        one, two = self.env["account.analytic.account"].create(
            [{"name": name, "plan_id": plan.id, "company_id": False} for name in ("One", "Two")]
        )
        self.post(
            "500000",
            "400100",
            100.0,
            analytic_distribution={str(one.id): 75.0, str(two.id): 25.0},
        )
        draft = self.draft(self.mapping("dimension"), {"record": one, "code": "1"})
        draft.action_try()
        rows = sorted(draft.sudo().trial[0]["rows"], key=str)
        self.assertEqual(rows, [[None, "1", 1, 2, "150.00"], [None, None, 1, 2, "50.00"]])

    # === OVER RPC === #

    def test_four_eyes_over_rpc(self):
        """What RPC dispatches to refuses as the screen does, and what was tried is kept."""
        roles = ("user", "controller", "administrator", "auditor", "approver")
        people = {role: self.person(f"r_{role}", f"{GROUP}{role}") for role in roles}
        people["nobody"] = self.person("r_nobody", "base.group_user")
        mapping = self.mapping("currency")

        def call(role, record, method, *args):
            return self.call(record.with_user(people[role]), method, record.ids, *args)

        self.assertTrue(call("user", mapping, "action_new_version"))
        version = mapping.open_id
        lines = version.line_ids.with_user(people["user"])
        values = {"version_id": version.id, "res_id": self.home.currency_id.id, "code": "E"}
        line = lines.browse(self.call(lines, "create", [values]))
        call("user", version, "action_submit")
        for role in ("nobody", "user", "controller", "administrator", "auditor"):
            for button in ("action_approve", "action_reject"):
                self.assertIsInstance(call(role, version, button), AccessError)
        for private in ("_step", "_reject", "_settle", "_touch"):
            self.assertIsInstance(call("approver", version, private), AccessError)
        stepping = version.with_context(finance_mapping_step=True)
        for record in (version, stepping):
            refused = call("approver", record, "write", {"state": "approved"})
            self.assertIsInstance(refused, UserError)
        call("approver", version, "action_withdraw")
        self.assertIs(call("approver", line, "write", {"code": "EU"}), True)
        call("user", version, "action_submit")
        self.assertIsInstance(call("approver", version, "action_approve"), UserError)
        self.assertIsInstance(call("user", line, "write", {"code": "Z"}), UserError)
        self.assertEqual((version.state, line.code), ("submitted", "EU"))
        denied = self.env["finance.denied.action"].search([("user_id", "in", self.ids_of(people))])
        self.assertEqual(
            {(row.action, row.rule) for row in denied},
            {
                ("mapping.approve", "group"), ("mapping.reject", "group"), ("write", "guard"),
                ("mapping.approve", "own"), ("mapping.edit", "guard"),
            },
        )  # fmt: skip
        self.assertEqual(set(denied.company_id.ids), set(self.home.ids))
        version.with_user(self.approver).action_approve()
        for role in ("user", "approver", "controller", "administrator"):
            for method, arguments in (("write", [{"code": "Z"}]), ("unlink", [])):
                self.assertIsInstance(call(role, line, method, *arguments), UserError)
        self.assertEqual((line.code, version.state), ("EU", "approved"))

    def person(self, login, groups):
        return new_test_user(
            self.env,
            login,
            groups,
            company_id=self.home.id,
            company_ids=[Command.set(self.home.ids)],
        )

    def ids_of(self, people):
        return [user.id for user in people.values()]

    def call(self, record, method, *args):
        """What RPC's dispatch returns, or the error; no savepoint, which would undo the refusal."""
        try:
            context = {"context": dict(record.env.context)}
            return call_kw(record.browse(), method, list(args), context)
        except (UserError, AccessError) as error:
            self.env.invalidate_all()
            return error
