"""Who may do what with which model, and what can be called over RPC at all."""

from odoo import Command
from odoo.exceptions import AccessError
from odoo.fields import NO_ACCESS
from odoo.tests import new_test_user, tagged

from odoo.addons.finance_connector_base.models.finance_personal_mixin import Subject
from odoo.addons.finance_connector_base.tests.rpc import public_methods

from . import files
from .common import BankCase
from .files import Booking

ROLES = {
    "nobody": "base.group_user",
    "user": "finance_connector_base.group_user",
    "auditor": "finance_connector_base.group_auditor",
    "reader": "account.group_account_readonly",
    "invoicing": "account.group_account_invoice",
    "bookkeeper": "account.group_account_basic",
}
RECEIVED = (
    "finance.bank.balance", "finance.bank.entry", "finance.bank.import", "finance.bank.statement",
)  # fmt: skip
# What jobs write, people read.
READERS = ("user", "auditor", "reader", "invoicing", "bookkeeper")
PUBLIC = {
    "finance.bank.entry": {"action_book_open", "action_dismiss", "action_force", "action_retry"},
    "finance.bank.import": {
        "action_download",
        "action_open_held",
        "action_open_lines",
        "action_open_skipped",
    },
}


@tagged("post_install", "-at_install")
class TestAccess(BankCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: new_test_user(cls.env, f"bank_{role}_role", groups, company_id=cls.company.id)
            for role, groups in ROLES.items()
        }

    def test_what_jobs_write_people_read(self):
        for model in RECEIVED:
            for role, user in self.users.items():
                for operation in ("read", "write", "create", "unlink"):
                    with self.subTest(model=model, role=role, operation=operation):
                        allowed = operation == "read" and role in READERS
                        found = self.env[model].with_user(user).has_access(operation)
                        self.assertEqual(found, allowed)

    def test_nobody_sees_another_company(self):
        self.receive(files.camt([Booking("10.00")]))
        other = self.other_company()
        stranger = new_test_user(
            self.env, "bank_stranger", "account.group_account_basic", company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )  # fmt: skip
        theirs = self.env(context={"allowed_company_ids": other.ids})
        for model in RECEIVED:
            with self.subTest(model):
                self.assertTrue(self.env[model].with_user(self.bookkeeper).search([]))
                self.assertFalse(theirs[model].with_user(stranger).search([]))
        domain = [("journal_id", "=", self.journal.id)]
        entry = self.env["finance.bank.entry"].sudo().search(domain)
        with self.assertRaises(AccessError):
            entry.with_env(theirs).with_user(stranger).action_force()

    def test_decisions_need_the_right_to_enter_lines(self):
        self.receive(files.camt([Booking("10.00")]))
        again = self.receive(files.mt940([Booking("10.00")]))
        for role in ("nobody", "user", "auditor", "reader", "invoicing"):
            for button in PUBLIC["finance.bank.entry"]:
                with self.subTest(role=role, button=button), self.assertRaises(AccessError):
                    getattr(again.entry_ids.with_user(self.users[role]), button)()
        self.assert_lines("10.00")

    def test_the_file_is_out_of_reach(self):
        found = self.receive(files.camt([Booking("10.00")]))
        self.assertEqual(found._fields["content_sealed"].groups, NO_ACCESS)
        for user in self.users.values():
            with self.assertRaises(AccessError):
                found.with_user(user).read(["content_sealed"])
        self.assertIn("finance.bank.import", self.env["finance.vault"]._resealed_models())
        self.env.cr.execute(
            "SELECT content_sealed FROM finance_bank_import WHERE id = %s", found.ids
        )
        self.assertNotIn(b"Miller", bytes(self.env.cr.fetchone()[0]))

    def test_public_methods(self):
        for model in (*RECEIVED, "finance.bank.turn"):
            self.assertEqual(
                public_methods(self.env[model], self.test_module), PUBLIC.get(model, set()), model
            )

    def test_erasing_a_person(self):
        """Names and texts go; the line is known again when the file comes back."""
        self.receive(files.camt([Booking("10.00"), Booking("5.00", account="", name="Else")]))
        partner = self.env["res.partner"].create({"name": "Miller"})
        self.env["res.partner.bank"].create({"acc_number": files.PAYER, "partner_id": partner.id})
        wizard = self.env["finance.bank.entry"].sudo()
        rows = wizard._personal_of(Subject(partner, self.company))
        self.assertEqual(rows.mapped("amount"), [10.0])
        rows._erase_personal("request")
        self.assertFalse(rows.partner_name or rows.partner_account or rows.remittance)
        self.assertEqual(self.receive(files.camt([Booking("10.00")])).skipped_count, 1)
