"""Who may do what with reconciliation statements and cash, over RPC."""

from datetime import timedelta

from odoo import Command
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.finance_connector_base.tests.rpc import OPERATIONS, ROLES, RpcCalls, public_methods

from .cash import DAY, GROUP, CashCase

# Model: what each of ROLES may do: (r)ead, (w)rite, (c)reate, (u)nlink.
TABLE = {
    # model                       nobody user  approver controller administrator auditor
    "finance.bank.reconciliation": ("", "rwcu", "rwcu", "rwcu", "rwcu", "r"),
    "finance.bank.reconciliation.line": ("", "r", "r", "r", "r", "r"),
    "finance.bank.balance.proof": ("", "r", "r", "r", "r", "r"),
    "finance.bank.balance.entry": ("", "rwcu", "rwcu", "rwcu", "rwcu", ""),
    "finance.bank.missing.day": ("", "r", "r", "r", "r", "r"),
    "finance.bank.expectation": ("", "r", "r", "rwcu", "r", "r"),
    "finance.cash.position": ("", "rwc", "rwc", "rwc", "rwc", "rwc"),
    "finance.cash.position.line": ("", "r", "r", "r", "r", "r"),
    "finance.cash.snapshot": ("", "r", "r", "r", "r", "r"),
    "finance.cash.snapshot.line": ("", "r", "r", "r", "r", "r"),
}
# What can be called over RPC.
PUBLIC = {
    "finance.bank.reconciliation": {
        "action_calculate",
        "action_prepare",
        "action_print",
        "action_restate",
        "action_review",
        "action_send_back",
        "action_verify",
    },
    "finance.bank.reconciliation.line": {"action_open"},
    "finance.bank.balance.proof": {"action_entries"},
    "finance.bank.balance.entry": {"action_confirm"},
    "finance.cash.position": {"action_analyse", "action_ask", "action_keep", "action_open_proof"},
    "finance.cash.position.line": {"action_open"},
}


@tagged("post_install", "-at_install")
class TestCashAccess(RpcCalls, HttpCase, CashCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users, cls.keys = {}, {}
        for role in ROLES:
            group = "base.group_user" if role == "nobody" else f"{GROUP}{role}"
            user = new_test_user(
                cls.env,
                f"cash_rpc_{role}",
                group,
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            cls.users[role] = user
            cls.keys[role] = cls.key_of(user)

    def test_operations(self):
        """By the access rights; guards and rules of records are tried apart."""
        for model, row in TABLE.items():
            for role, allowed in zip(ROLES, row, strict=True):
                records = self.env[model].with_user(self.users[role])
                for letter, operation in OPERATIONS.items():
                    with self.subTest(model=model, role=role, operation=operation):
                        self.assertEqual(records.has_access(operation), letter in allowed)

    def test_public_methods(self):
        for model in TABLE:
            self.assertEqual(
                public_methods(self.env[model], self.test_module), PUBLIC.get(model, set()), model
            )

    def test_two_persons(self):
        """One prepares, another with the role reviews; nobody else, and nothing by hand."""
        self.told(0.0)
        model = "finance.bank.reconciliation"
        values = {"journal_id": self.bank.id, "day": str(DAY)}
        status, [id_] = self.call("controller", model, "create", vals_list=[values])
        self.assertEqual(status, 200)
        for role in ("nobody", "auditor"):
            self.assertEqual(self.call(role, model, "action_prepare", ids=[id_])[0], 403)
        self.assertEqual(self.call("controller", model, "action_prepare", ids=[id_])[0], 200)
        for role in ("nobody", "user", "administrator", "auditor", "controller"):
            self.assertEqual(self.call(role, model, "action_review", ids=[id_])[0], 403, role)
        for values in ({"state": "reviewed"}, {"prepared_by_id": self.users["user"].id}):
            self.assertEqual(self.call("approver", model, "write", ids=[id_], vals=values)[0], 422)
        self.assertEqual(self.call("approver", model, "action_review", ids=[id_])[0], 200)
        statement = self.env[model].browse(id_)
        self.assertEqual(statement.reviewed_by_id, self.users["approver"])
        for role in ("approver", "controller", "administrator"):
            for method in ("unlink", "action_send_back", "action_prepare", "action_calculate"):
                status, _answer = self.call(role, model, method, ids=[id_])
                self.assertIn(status, (403, 422), (role, method))

    def test_lines_are_out_of_reach(self):
        self.told(0.0)
        self.bank_line(5.0)
        statement = self.statement()
        model, ids = "finance.bank.reconciliation.line", statement.line_ids.ids
        for role in ROLES:
            status, _answer = self.call(role, model, "write", ids=ids, vals={"amount": 0})
            self.assertNotEqual(status, 200)
        command = {"line_ids": [[5, 0, 0]]}
        for role in ("user", "controller"):
            status, _answer = self.call(
                role, "finance.bank.reconciliation", "write", ids=statement.ids, vals=command
            )
            self.assertEqual(status, 422)
        self.assertEqual(len(statement.line_ids), len(ids))

    def test_companies(self):
        """What belongs to another company is not seen."""
        other = self.new_company("Cash Z")
        suspense = self.new_account("Suspense", "asset_current", other)
        theirs = self.new_bank("Theirs", "BNKZ", other, suspense=suspense)
        self.told(1.0, DAY - timedelta(days=1), journal=theirs)
        self.env["finance.bank.expectation"].create({"journal_id": theirs.id, "tz": "UTC"})
        env = self.env(context={"allowed_company_ids": other.ids})
        env["finance.bank.reconciliation"].create({"journal_id": theirs.id, "day": DAY})
        env["finance.cash.snapshot"]._take(other)
        self.env["finance.bank.missing.day"]._find(other, DAY - timedelta(days=1), DAY)
        self.env.flush_all()
        for model in TABLE:
            if self.env[model]._transient:
                continue
            domain = [("company_id", "=", other.id)]
            self.assertTrue(self.env[model].sudo().search_count(domain), model)
            status, found = self.call("controller", model, "search", domain=domain)
            self.assertEqual((status, found), (200, []), model)
        values = {"journal_id": theirs.id, "day": str(DAY)}
        model = "finance.bank.reconciliation"
        self.assertEqual(self.call("user", model, "create", vals_list=[values])[0], 403)
        wizard = {"journal_id": theirs.id, "day": str(DAY), "amount": 1.0}
        _status, [id_] = self.call(
            "user", "finance.bank.balance.entry", "create", vals_list=[wizard]
        )
        status, _answer = self.call(
            "user", "finance.bank.balance.entry", "action_confirm", ids=[id_]
        )
        self.assertEqual(status, 403)
