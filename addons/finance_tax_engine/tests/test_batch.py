"""Many invoices posted together."""

from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.finance_connector_base.providers.errors import Rejected

from ..providers.avatax import AvaTax
from .common import TaxEngineCommon

BATCH = "odoo.addons.finance_tax_engine.models.finance_tax_batch"


@tagged("post_install", "-at_install")
class TestBatch(TaxEngineCommon):
    def drafts(self, number):
        """Different drafts: none is answered from the question of another."""
        return self.env["account.move"].union(
            *(
                self.create_houston_invoice(invoice_date=f"2026-03-{day:02}")
                for day in range(1, number + 1)
            )
        )

    def nowhere(self, draft):
        """Let a draft go where the engine can't tell the tax."""
        draft.partner_shipping_id = self.env["res.partner"].create(
            {"name": "Nowhere", "parent_id": self.customer.id, "type": "delivery"}
        )

    def batch(self):
        return self.env["finance.tax.batch"].search([], limit=1)

    def reasons(self):
        """{invoice: why it could not be posted} of the last batch."""
        return {line.move_id: line.reason for line in self.batch().refused_line_ids}

    def in_background(self, chunk=2):
        return patch(f"{BATCH}.CHUNK", chunk)

    # === THE GOOD ARE POSTED, THE OTHERS SAY WHY NOT === #

    def test_bad_ones_stop_nobody(self):
        drafts = self.drafts(6)
        self.nowhere(drafts[1])
        bank = self.env["res.partner.bank"].create(
            {"acc_number": "X1", "partner_id": self.company.partner_id.id, "active": False}
        )
        drafts[4].partner_bank_id = bank
        action = drafts.action_finance_post_with_tax()
        bad = drafts[1] + drafts[4]
        self.assertEqual(action["res_id"], self.batch().id)
        self.assertEqual(set(bad.mapped("state")), {"draft"})
        self.assertEqual(set((drafts - bad).mapped("state")), {"posted"})
        for move in drafts - bad:
            self.assert_exact(move)
        reasons = self.reasons()
        self.assertEqual(set(reasons), set(bad))
        self.assertIn("not complete", reasons[drafts[1]])
        self.assertIn("archived", reasons[drafts[4]])
        self.assertEqual(self.calls, 5, "one question each, none for what can't be asked")
        self.drain()
        self.assertEqual(len(self.recorded()), 4)
        bank.active = True
        self.nowhere(drafts[1])
        drafts[1].partner_shipping_id = self.customer
        self.batch().action_post_rest()
        self.assertEqual(set(drafts.mapped("state")), {"posted"})
        self.assertEqual(self.batch().posted_count, 6)
        self.assertFalse(self.reasons())

    def test_refused_by_the_engine(self):
        drafts = self.drafts(3)
        quote = AvaTax.quote

        def refuse(engine, document):
            if str(document.date) == "2026-03-02":
                raise Rejected("No such ZIP code.", code="InvalidZip")
            return quote(engine, document)

        with patch.object(AvaTax, "quote", refuse):
            drafts.action_finance_post_with_tax()
        self.assertEqual(drafts.mapped("state"), ["posted", "draft", "posted"])
        self.assertIn(f"refuses {drafts[1].display_name}: No such ZIP", self.reasons()[drafts[1]])

    def test_journal_items_are_those_of_posting_one_by_one(self):
        alone, together = self.with_terms(), self.with_terms()
        for move in alone:
            move.action_post()
        together.action_finance_post_with_tax()
        for one, other in zip(alone, together, strict=True):
            self.assertEqual(self.items(one), self.items(other))
            self.assertEqual(other.state, "posted")

    def with_terms(self):
        """Drafts in both currencies: due at once, in two parts, and with an early discount."""
        euro = self.setup_other_currency("EUR", rates=[("2026-01-01", 0.8731)])
        terms = self.env["account.payment.term"].create(
            [
                {
                    "name": "Halves",
                    "line_ids": [
                        Command.create({"value_amount": 50, "nb_days": days}) for days in (0, 30)
                    ],
                },
                {
                    "name": "Early",
                    "early_discount": True,
                    "early_pay_discount_computation": "included",
                    "line_ids": [Command.create({"value_amount": 100, "nb_days": 30})],
                },
            ]
        )
        moves = self.env["account.move"]
        for currency in (self.company.currency_id, euro):
            for term in (terms.browse(), *terms):
                moves += self.create_houston_invoice(
                    currency_id=currency.id, invoice_payment_term_id=term.id
                )
        return moves

    def items(self, move):
        names = ("display_type", "balance", "amount_currency", "amount_residual", "date_maturity",
                 "discount_date", "discount_balance", "discount_amount_currency")  # fmt: skip
        return sorted(
            [line.account_id.id, line.tax_line_id.id, *(str(line[name]) for name in names)]
            for line in move.line_ids
        )

    def test_odoos_own_post_stays_all_or_nothing(self):
        drafts = self.drafts(3)
        self.nowhere(drafts[1])
        with self.assertRaises(UserError):
            drafts.action_post()
        self.assertEqual(set(drafts.mapped("state")), {"draft"})

    def test_a_fault_in_the_program_is_one_documents(self):
        drafts = self.drafts(3)
        Move = type(self.env["account.move"])
        check = Move._finance_tax_after_post

        def faulty(moves, routes):
            if drafts[0] in moves:
                raise ValueError("planted")
            return check(moves, routes)

        logger = "odoo.addons.finance_tax_engine.models.account_move_batch"
        with patch.object(Move, "_finance_tax_after_post", faulty), mute_logger(logger):
            drafts.action_finance_post_with_tax()
        self.assertEqual(drafts.mapped("state"), ["draft", "posted", "posted"])
        self.assertIn("ValueError", self.reasons()[drafts[0]])

    def test_a_conflict_is_nobodys_fault(self):
        drafts = self.drafts(2)
        Move = type(self.env["account.move"])
        with (
            patch.object(Move, "_finance_tax_after_post", side_effect=SerializationFailure),
            self.assertRaises(SerializationFailure),
        ):
            drafts.action_finance_post_with_tax()

    def test_what_is_changed_meanwhile_is_asked_again(self):
        drafts = self.drafts(2)
        Move = type(self.env["account.move"])
        post = Move._finance_tax_post_halves

        def meanwhile(moves, soft):
            drafts[0].invoice_line_ids[0].quantity = 5
            return post(moves, soft)

        with patch.object(Move, "_finance_tax_post_halves", meanwhile):
            drafts.action_finance_post_with_tax()
        self.assertEqual(self.calls, 3)
        booked = drafts[0].finance_tax_document_id._result().by_key()
        self.assertEqual(drafts[0]._finance_tax_booked(), booked)

    # === ENGINE DOWN === #

    def test_outage_refuses_each(self):
        drafts = self.drafts(3)
        self.break_engine()
        drafts.action_finance_post_with_tax()
        self.assertEqual(len(self.reasons()), 3)
        for move, reason in self.reasons().items():
            self.assertIn(move.display_name, reason)
            self.assertIn("does not answer", reason)

    def test_outage_with_fallback_posts_all(self):
        self.workflow.tax_outage = "fallback"
        drafts = self.drafts(2)
        self.break_engine()
        drafts.action_finance_post_with_tax()
        self.assertEqual(drafts.mapped("finance_tax_state"), ["fallback"] * 2)

    # === DATES AND QUESTIONS OF ODOO === #

    def test_the_future_waits_for_its_day(self):
        drafts = self.drafts(2)
        drafts[1].invoice_date = fields.Date.add(fields.Date.today(), days=40)
        action = drafts.action_finance_post_with_tax()
        self.assertEqual(action["res_model"], "validate.account.move")
        wizard = self.env["validate.account.move"].browse(action["res_id"])
        wizard.with_context(**action["context"]).validate_move()
        self.assertEqual(drafts.mapped("state"), ["posted", "draft"])
        self.assertIn("posted on that day", self.reasons()[drafts[1]])
        self.assertEqual(self.calls, 1)

    # === IN THE BACKGROUND === #

    def test_many_go_in_the_background(self):
        drafts = self.drafts(5)
        self.nowhere(drafts[3])
        with (
            self.in_background(),
            patch.object(type(self.env["res.users"]), "_bus_send", autospec=True) as told,
        ):
            action = drafts.action_finance_post_with_tax()
            self.assertEqual(action["tag"], "display_notification")
            self.assertEqual(set(drafts.mapped("state")), {"draft"})
            self.assertEqual(self.batch().progress, 0)
            self.drain()
        batch = self.batch()
        self.assertEqual((batch.rounds, batch.posted_count, batch.refused_count), (3, 4, 1))
        self.assertEqual((batch.state, batch.progress), ("done", 100))
        self.assertEqual(len(self.recorded()), 4)
        self.assertEqual(self.calls, 8, "a question and a recording each")
        (message,) = [call.args[2] for call in told.call_args_list]
        self.assertEqual((message["type"], message["sticky"]), ("warning", True))
        exception = self.env["finance.exception"].search([("code", "=", "tax.not_posted")])
        self.assertEqual((exception.state, exception.document_id), ("open", batch.id))
        self.assertIn("1 could not be", exception.text)
        drafts[3].partner_shipping_id = self.customer
        drafts[3].action_post()
        self.assertEqual(exception.state, "resolved")
        self.assertEqual(batch.refused_count, 0)

    def test_a_job_that_runs_again_posts_nothing_twice(self):
        drafts = self.drafts(3)
        Batch = type(self.env["finance.tax.batch"])
        finish, falls = Batch._finish, [SerializationFailure("planted"), None]

        def interrupted(batch):
            error = falls.pop(0)
            if error:
                raise error
            return finish(batch)

        with self.in_background(), patch.object(Batch, "_finish", interrupted):
            drafts.action_finance_post_with_tax()
            self.drain()
            self.drain(until_due=True)
        self.assertFalse(falls)
        self.assertEqual(set(drafts.mapped("state")), {"posted"})
        self.assertEqual(len(self.recorded()), 3)

    # === WHO === #

    def test_rights(self):
        drafts = self.drafts(1)
        reader = new_test_user(self.env, "batch_reader", "account.group_account_readonly",
                               company_id=self.company.id,
                               company_ids=[Command.set(self.company.ids)])  # fmt: skip
        with self.assertRaises(AccessError):
            drafts.with_user(reader).action_finance_post_with_tax()
        self.nowhere(drafts)
        drafts.action_finance_post_with_tax()
        batch = self.batch()
        self.assertEqual(batch.with_user(reader).refused_count, 1)
        with self.assertRaises(AccessError):
            batch.with_user(reader).action_post_rest()
        with self.assertRaises(AccessError):
            batch.with_user(reader).write({"state": "running"})
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(self.env, "batch_stranger", "account.group_account_invoice",
                                 company_id=other.id, company_ids=[Command.set(other.ids)])  # fmt: skip
        self.assertFalse(self.env["finance.tax.batch"].with_user(stranger).search([]))
        self.assertFalse(self.env["finance.tax.batch.line"].with_user(stranger).search([]))

    # === COST === #

    def test_queries_grow_with_the_number_of_invoices_and_slowly(self):
        self.drafts(1).action_finance_post_with_tax()
        few, many = self.queries(10), self.queries(40)
        more = (many - few) / 30
        self.assertLess(more, 8, f"{few} for 10, {many} for 40")
        self.assertLess(many / 40, few / 10)

    def queries(self, number):
        """How many queries posting takes once the engine has answered."""
        # alike, so that the engine is asked once for all of them
        like = self.create_houston_invoice()
        values = like.copy_data({"invoice_date": like.invoice_date})
        drafts = self.env["account.move"].create(values * number)
        drafts._finance_tax_foresee(False, 0.0)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        self.assertFalse(drafts._finance_tax_post_halves(False))
        self.env.flush_all()
        return self.cr.sql_log_count - before
