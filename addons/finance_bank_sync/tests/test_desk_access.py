"""Who may do what with the models of the screen, and what can be called over RPC."""

from odoo.tests import new_test_user, tagged

from odoo.addons.finance_connector_base.tests.rpc import OPERATIONS, ROLES, public_methods

from .desk import BASE, DeskCommon

# Model: what each of ROLES may do: (r)ead, (w)rite, (c)reate, (u)nlink.
TABLE = {
    # model                             nobody user approver controller administrator auditor
    "finance.bank.column": ("", "rwcu", "rwcu", "rwcu", "rwcu", "r"),
    "finance.bank.column.map": ("", "rwcu", "rwcu", "rwcu", "rwcu", "r"),
    "finance.bank.column.preview": ("", "rwcu", "rwcu", "rwcu", "rwcu", ""),
    "finance.bank.column.preview.line": ("", "rwcu", "rwcu", "rwcu", "rwcu", ""),
    "finance.bank.pickup": ("", "", "", "", "rwcu", "r"),
    "finance.bank.pickup.file": ("", "", "", "", "r", "r"),
}
PUBLIC = {
    "finance.bank.column": set(),
    "finance.bank.column.map": set(),
    "finance.bank.column.preview": {"action_read_again", "action_save"},
    "finance.bank.column.preview.line": set(),
    "finance.bank.desk": {
        "accept",
        "accept_all",
        "book",
        "detail",
        "imports",
        "list_lines",
        "search_items",
        "set_partner",
        "set_up_columns",
        "undo",
    },
    "finance.bank.pickup": {"action_look"},
    "finance.bank.pickup.file": set(),
}


@tagged("post_install", "-at_install")
class TestDeskAccess(DeskCommon):
    """The table, model by model; and the rules by company."""

    def test_table(self):
        for role in ROLES:
            groups = "base.group_user" if role == "nobody" else f"{BASE}group_{role}"
            user = new_test_user(self.env, f"access_{role}", groups)
            for model, row in TABLE.items():
                allowed = row[ROLES.index(role)]
                for letter, operation in OPERATIONS.items():
                    with self.subTest(role=role, model=model, operation=operation):
                        may = self.env[model].with_user(user).has_access(operation)
                        self.assertEqual(may, letter in allowed)

    def test_other_companies(self):
        """Maps and pick-ups of a company are those of its people."""
        other = self.setup_other_company()["company"]
        administrator = self.new_user("access_here", "account.group_account_user", "administrator")
        theirs = self.env["finance.bank.column.map"].create(
            {
                "name": "Theirs",
                "company_id": other.id,
                "order": "DMY",
                "mark": ".",
                "column_ids": [
                    (0, 0, {"head": "Date", "meaning": "date"}),
                    (0, 0, {"head": "Amount", "meaning": "amount"}),
                ],
            }
        )
        for record in (theirs, theirs.column_ids):
            seen = record.with_user(administrator)
            self.assertFalse(seen.search([("id", "in", record.ids)]))
            self.assertFalse(seen.has_access("read"))

    def test_public_methods(self):
        for name, allowed in PUBLIC.items():
            with self.subTest(model=name):
                self.assertEqual(public_methods(self.env[name], self.test_module), allowed)
