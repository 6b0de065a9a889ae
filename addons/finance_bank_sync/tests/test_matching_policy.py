"""Four eyes, limits, what is learned, samples; and who may do what."""

from datetime import date
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.models import BaseModel
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.finance_connector_base.models.finance_personal_mixin import Subject

from .matching import IBAN, MatchingCase

OTHER_IBAN = "DE75512108001245126199"
OWN_MODULES = {
    f"odoo.addons.finance_bank_sync.models.{name}"
    for name in (
        "account_bank_statement_line_matching", "account_journal_matching",
        "account_reconcile_model", "finance_bank_booking", "finance_bank_booking_parts", "finance_bank_booking_places",
        "finance_bank_booking_undo", "finance_bank_key",
        "finance_bank_lesson", "finance_bank_match", "finance_bank_matcher", "finance_bank_policy",
        "finance_bank_proposal", "finance_bank_run", "finance_bank_sample", "finance_bank_words",
    )
}  # fmt: skip


@tagged("post_install", "-at_install")
class TestBankPolicy(MatchingCase):
    # === FOUR EYES === #

    def _proposed(self, **values):
        return (
            self.env["finance.bank.policy"]
            .with_user(self.accountant)
            .create({"journal_id": self.journal.id, **values})
        )

    def test_a_policy_needs_another_person(self):
        proposed = self._proposed(threshold=70)
        self.assertEqual(proposed.state, "proposed")
        self.assertEqual(self.env["finance.bank.policy"]._of(self.journal).threshold, 90)
        with self.assertRaises(AccessError):
            proposed.with_user(self.accountant).action_approve()
        proposed.with_user(self.approver).action_approve()
        self.assertEqual(self.env["finance.bank.policy"]._of(self.journal), proposed)
        newer = proposed.with_user(self.approver).copy()
        newer.threshold = 60
        with self.assertRaisesRegex(AccessError, "Another approver"):
            newer.action_approve()
        self.assertEqual(self.env["finance.bank.policy"]._of(self.journal).threshold, 70)

    def test_nothing_is_set_by_hand(self):
        for values in ({"state": "active"}, {"proposed_by_id": self.approver.id},
                       {"decided_by_id": self.approver.id}):  # fmt: skip
            with self.assertRaises(AccessError):
                self._proposed(**values)
        proposed = self._proposed()
        with self.assertRaises(AccessError):
            proposed.write({"state": "active"})
        with self.assertRaises(AccessError):
            proposed.with_user(self.approver).write({"threshold": 50})
        proposed.with_user(self.approver).action_approve()
        with self.assertRaisesRegex(AccessError, "Propose a new one"):
            proposed.with_user(self.accountant).write({"threshold": 50})
        with self.assertRaises(AccessError):
            proposed.with_user(self.accountant).unlink()

    # === LIMITS === #

    def test_limit_of_a_line_and_of_a_month(self):
        self.policy(fee_limit=30, writeoff_line_limit=10, writeoff_month_limit=15)
        lines = self.env["account.bank.statement.line"]
        for short in (12, 8, 8, 7):
            invoice = self.invoice(1000.0 + short * 50 + len(lines))
            lines |= self.line(invoice.amount_total - short, invoice.name, account_number=IBAN)
        matches = self.matched(lines)
        self.assertEqual(matches.mapped("writeoff_amount"), [8.0, 7.0])
        for line in lines - matches.line_id:
            self.assertIn("doubt.limit", self.codes(line.finance_proposal_ids[0]))
        next_month = self.invoice(500.0)
        line = self.line(491.0, next_month.name, account_number=IBAN, day="2026-02-20")
        self.assertTrue(self.matched(line), "a new month has its own limit")

    def test_without_a_policy_nothing_is_written_off(self):
        invoice = self.invoice(100.0)
        line = self.line(99.99, invoice.name, account_number=IBAN)
        self.assertEqual(self.matched(line).kind, "partial")

    def test_not_automatic(self):
        self.policy(automatic=False)
        invoice = self.invoice(100.0)
        line = self.line(100.0, invoice.name)
        self.assertFalse(self.matched(line))
        self.assertEqual(line.finance_proposal_ids.score, 100)

    # === LESSONS === #

    def test_account_of_a_partner_is_learned_and_forgotten(self):
        first, second = self.invoice(100.0, self.other), self.invoice(200.0, self.other)
        line = self.line(100.0, "no number", account_number=OTHER_IBAN)
        line._finance_propose()
        self.assertNotIn("partner.learned", self.codes(line.finance_proposal_ids[0]))
        parts = [{"kind": "item", "id": self.receivable(first).id, "amount": "100"}]
        match = line.with_user(self.accountant)._finance_accept(parts=parts)
        lesson = self.env["finance.bank.lesson"].search([("match_ids", "in", match.ids)])
        self.assertEqual((lesson.kind, lesson.partner_id, lesson.key),
                         ("account", self.other, OTHER_IBAN))  # fmt: skip
        later = self.line(200.0, second.name.split("/", 1)[1], account_number=OTHER_IBAN)
        self.assertIn("partner.learned", self.codes(self.best(later)))
        line._finance_undo()
        self.assertFalse(lesson.active)
        self.assertNotIn("partner.learned", self.codes(self.best(later)))

    def test_account_for_a_text_needs_an_approver(self):
        self.policy()
        fees = [self.line(-8.0 - n, f"Account fee 0{n}/2026") for n in range(1, 5)]
        parts = [{"kind": "writeoff", "account_id": self.expense.id}]
        for line in fees[:2]:
            line.with_user(self.accountant)._finance_accept(
                parts=[part | {"amount": str(line.amount)} for part in parts]
            )
        lesson = self.env["finance.bank.lesson"].search([("kind", "=", "text")])
        self.assertEqual((lesson.evidence_count, lesson.state), (2, "waiting"))
        self.assertFalse(self.matched(fees[2]))
        self.assertEqual(fees[2].finance_proposal_ids[0].lesson_id, lesson)
        with self.assertRaises(AccessError):
            lesson.with_user(self.accountant).action_approve()
        with self.assertRaises(AccessError):
            lesson.with_user(self.accountant).write({"state": "approved"})
        lesson.with_user(self.approver).action_approve()
        match = self.matched(fees[2])
        self.assertTrue(match.automatic)
        self.assertEqual(fees[2].move_id.line_ids.account_id & self.expense, self.expense)
        lesson.with_user(self.accountant).action_deactivate()
        self.assertFalse(self.matched(fees[3]))

    def test_a_contradiction_ends_a_lesson(self):
        one, two = self.invoice(100.0, self.other), self.invoice(150.0, self.customer)
        for invoice, amount in ((one, 100.0), (two, 150.0)):
            line = self.line(amount, "x", account_number=OTHER_IBAN)
            line._finance_accept(
                parts=[{"kind": "item", "id": self.receivable(invoice).id, "amount": str(amount)}]
            )
        lessons = self.env["finance.bank.lesson"].with_context(active_test=False).search([])
        self.assertEqual(set(lessons.mapped("state")), {"contradicted", "learned"})
        self.assertEqual(lessons.filtered("active").partner_id, self.customer)

    # === SAMPLE === #

    def test_a_sample_is_drawn_once_and_signed_by_a_controller(self):
        self.policy(sample_size=3)
        lines = self.env["account.bank.statement.line"]
        for number in range(8):
            invoice = self.invoice(100.0 + number)
            lines |= self.line(invoice.amount_total, invoice.name)
        self.matched(lines)
        sample = self.env["finance.bank.sample"]._draw(self.journal, self.today())
        self.assertEqual((len(sample.match_ids), sample.population), (3, 8))
        drawn = sample.match_ids
        self.assertEqual(self.env["finance.bank.sample"]._draw(self.journal, self.today()), sample)
        sample.unlink()
        again = self.env["finance.bank.sample"]._draw(self.journal, self.today())
        self.assertEqual(again.match_ids, drawn, "the same ones, whoever draws")
        with self.assertRaises(AccessError):
            again.with_user(self.accountant).action_sign()
        controller = self._user("controller", "account.group_account_user")
        with self.assertRaises(AccessError):
            again.with_user(controller).write({"match_ids": [(5,)]})
        again.with_user(controller).action_sign()
        self.assertEqual((again.state, again.signed_by_id), ("signed", controller))

    # === ACCESS === #

    def test_roles(self):
        invoice = self.invoice(100.0)
        line = self.line(100.0, "?", partner_id=self.customer.id)
        proposal = self.best(line)
        for role in ("auditor", "administrator"):
            user = self._user(role) if role == "auditor" else self.approver
            if role == "auditor":
                with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
                    proposal.with_user(user).action_accept()
        proposal.with_user(self.accountant).action_accept()
        self.assertEqual(invoice.amount_residual, 0)
        match = line.finance_match_ids
        self.assertEqual((match.user_id, match.automatic), (self.accountant, False))
        with self.assertRaises(AccessError):
            match.with_user(self.accountant).write({"automatic": True})
        match.with_user(self.accountant).action_undo()
        self.assertEqual(invoice.amount_residual, 100.0)

    def test_second_company(self):
        company = self.setup_other_company()["company"]
        stranger = self.env["account.move"].with_company(company).create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer.id,
                "invoice_date": date(2026, 1, 5),
                "invoice_line_ids": [(0, 0, {"name": "x", "price_unit": 77.0, "tax_ids": False})],
            }
        )  # fmt: skip
        stranger.action_post()
        line = self.line(77.0, stranger.name, account_number=IBAN)
        self.assertEqual(self.best(line).kind, "none")
        foreign = self.env["finance.bank.policy"].sudo().create(
            {"journal_id": self.env["account.journal"].search(
                [("company_id", "=", company.id), ("type", "=", "bank")], limit=1).id}
        )  # fmt: skip
        with self.assertRaises(AccessError):
            foreign.with_user(self.approver).action_approve()

    # === OVER RPC === #

    # Model: who may write; everybody with a role of Finance Connect or accounting reads.
    WRITERS = {
        "finance.bank.lesson": {"write"},
        "finance.bank.match": set(),
        "finance.bank.policy": {"write", "create", "unlink"},
        "finance.bank.proposal": set(),
        "finance.bank.run": set(),
        "finance.bank.sample": set(),
    }
    PUBLIC = {
        "account.reconcile.model": {"action_finance_approve"},
        "account.journal": {"action_finance_match"},
        "finance.bank.lesson": {"action_approve", "action_deactivate"},
        "finance.bank.match": {"action_open_entry", "action_undo"},
        "finance.bank.policy": {"action_approve", "action_propose_change", "action_refuse"},
        "finance.bank.proposal": {"action_accept"},
        "finance.bank.sample": {"action_sign"},
    }

    def test_rights(self):
        users = {role: self._user(f"{role}", "base.group_user") for role in ("auditor",)}
        users["user"] = self.accountant
        users["reader"] = new_test_user(
            self.env, "matching_reader", "account.group_account_readonly",
            company_id=self.company.id,
        )  # fmt: skip
        users["nobody"] = new_test_user(self.env, "matching_nobody", "base.group_user")
        for model, allowed in self.WRITERS.items():
            for role, user in users.items():
                for operation in ("read", "write", "create", "unlink"):
                    with self.subTest(model=model, role=role, operation=operation):
                        may = operation in allowed if role == "user" else False
                        if operation == "read":
                            may = role != "nobody"
                        found = self.env[model].with_user(user).has_access(operation)
                        self.assertEqual(found, may)
        self.assertFalse(self.env["finance.bank.key"].with_user(self.accountant).has_access("read"))

    def test_public_methods(self):
        usual = set(dir(BaseModel)) | set(dir(self.registry["base"]))
        for model in {*self.PUBLIC, *self.WRITERS, "finance.bank.booking", "finance.bank.matcher",
                      "finance.bank.words", "finance.bank.key"}:  # fmt: skip
            methods = {
                name: getattr(self.registry[model], name)
                for name in set(dir(self.registry[model])) - usual
                if not name.startswith("_")
                and callable(getattr(self.registry[model], name))
                and not hasattr(BaseModel, name)
            }
            ours = {
                name for name, method in methods.items()
                if method.__module__ in OWN_MODULES
            }  # fmt: skip
            self.assertEqual(ours, self.PUBLIC.get(model, set()), model)

    def test_four_eyes_over_rpc(self):
        proposed = self._proposed(threshold=70)
        lesson = self.env["finance.bank.lesson"].sudo().create(
            {"company_id": self.company.id, "kind": "text", "key": "FEE", "state": "waiting",
             "account_id": self.expense.id, "taught_by_id": self.approver.id}
        )  # fmt: skip
        for user, model, method, arguments in (
            (self.accountant, "finance.bank.policy", "action_approve", [proposed.ids]),
            (self.accountant, "finance.bank.policy", "write", [proposed.ids, {"state": "active"}]),
            (self.approver, "finance.bank.policy", "write", [proposed.ids, {"threshold": 50}]),
            (self.approver, "finance.bank.lesson", "action_approve", [lesson.ids]),
            (self.accountant, "finance.bank.lesson", "write", [lesson.ids, {"state": "approved"}]),
            (self.accountant, "finance.bank.lesson", "create",
             [[{"kind": "name", "key": "x", "partner_id": self.customer.id,
                "company_id": self.company.id}]]),
        ):  # fmt: skip
            denied = patch.object(self.registry["finance.denied.action"], "_deny")
            with self.subTest(user=user.login, method=method), denied as deny:
                with self.assertRaises(AccessError):
                    call_kw(self.env[model].with_user(user), method, arguments, {})
                self.assertEqual(deny.call_count, 1, "the refusal is recorded")
        call_kw(
            self.env["finance.bank.policy"].with_user(self.approver), "action_approve",
            [proposed.ids], {},
        )  # fmt: skip
        self.assertEqual(proposed.state, "active")
        for private in ("_finance_match", "_finance_accept", "_finance_undo"):
            with self.assertRaises(AccessError):
                call_kw(
                    self.env["account.bank.statement.line"].with_user(self.accountant), private,
                    [[]], {},
                )  # fmt: skip

    def test_erasing_a_person(self):
        invoice = self.invoice(100.0, self.other)
        line = self.line(100.0, "x", account_number=OTHER_IBAN)
        parts = [{"kind": "item", "id": self.receivable(invoice).id, "amount": "100"}]
        match = line._finance_accept(parts=parts)
        subject = Subject(self.other, self.company)
        for model in ("finance.bank.lesson", "finance.bank.match"):
            rows = self.env[model].sudo()._personal_of(subject)
            self.assertEqual(len(rows), 1, model)
            rows._erase_personal("request")
            self.assertFalse(self.env[model].sudo()._personal_of(subject))
        self.assertFalse(match.reasons)
        line._finance_undo()
        self.assertEqual(invoice.amount_residual, 100.0)
