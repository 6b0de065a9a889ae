"""Who may do what with bank links, and what can be called over RPC."""

from odoo.exceptions import AccessError
from odoo.fields import NO_ACCESS
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.finance_connector_base.tests.rpc import public_methods

ROLES = {
    "nobody": "base.group_user",
    "user": "finance_connector_base.group_user",
    "controller": "finance_connector_base.group_controller",
    "administrator": "finance_connector_base.group_administrator",
    "auditor": "finance_connector_base.group_auditor",
}
OPERATIONS = {"r": "read", "w": "write", "c": "create", "u": "unlink"}
# Model: what each of ROLES may do.
TABLE = {
    # model                nobody user controller administrator auditor
    "finance.bank.link": ("", "r", "r", "ru", "r"),
    "finance.bank.consent": ("", "r", "r", "r", "r"),
    "finance.bank.visit": ("", "", "", "r", "r"),
    "finance.bank.link.wizard": ("", "", "rwcu", "rwcu", ""),
    "finance.bank.link.wizard.line": ("", "", "rwcu", "rwcu", ""),
    "finance.bank.institution": ("", "", "rwcu", "rwcu", ""),
    "finance.bank.history": ("", "", "rwcu", "rwcu", ""),
}
PUBLIC = {
    "finance.bank.link": {
        "action_history",
        "action_open_imports",
        "action_open_lines",
        "action_pause",
        "action_pull",
        "action_renew",
        "action_resume",
    },
    "finance.bank.link.wizard": {
        "action_banks",
        "action_check",
        "action_connectors",
        "action_continue",
        "action_link",
    },
    "finance.bank.history": {"action_fetch"},
}


@tagged("post_install", "-at_install")
class TestLinkAccess(TransactionCase):
    def test_table(self):
        for position, (role, groups) in enumerate(ROLES.items()):
            user = new_test_user(self.env, f"link_{role}_role", groups)
            for model, row in TABLE.items():
                for letter, operation in OPERATIONS.items():
                    with self.subTest(model=model, role=role, operation=operation):
                        found = self.env[model].with_user(user).has_access(operation)
                        self.assertEqual(found, letter in row[position])

    def test_public_methods(self):
        for model in TABLE:
            self.assertEqual(
                public_methods(self.env[model], self.test_module), PUBLIC.get(model, set()), model
            )

    def test_sealed_fields_are_out_of_reach(self):
        for model, name in (
            ("finance.bank.consent", "secret_sealed"),
            ("finance.bank.visit", "reference_sealed"),
            ("finance.bank.link.wizard.line", "pull_sealed"),
        ):
            self.assertEqual(self.env[model]._fields[name].groups, NO_ACCESS)
            administrator = new_test_user(
                self.env, f"sealed_{name}", "finance_connector_base.group_administrator"
            )
            with self.assertRaises(AccessError):
                self.env[model].with_user(administrator).search_fetch([], [name])
        self.assertIn("finance.bank.consent", self.env["finance.vault"]._resealed_models())
