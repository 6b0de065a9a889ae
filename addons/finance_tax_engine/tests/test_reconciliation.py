"""Books and engine compared: every kind of difference, every way to settle it."""

import logging
import os
import resource
import time
import unittest
from dataclasses import replace
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..models import finance_tax_reconciliation_run as reconciliation_run
from ..providers import avatax
from ..reconciliation import listing
from .common import TaxEngineCommon
from .test_engines import EngineCase

_logger = logging.getLogger(__name__)
GROUP = "finance_connector_base.group_"


def maxrss():
    """Most memory that this process has had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def age(env):
    """What was recorded and made void is so for a while."""
    env.flush_all()
    env.cr.execute(
        "UPDATE finance_tax_document SET committed_at = committed_at - interval '1 minute',"
        " voided_at = voided_at - interval '1 minute'"
    )
    env.invalidate_all()


@tagged("post_install", "-at_install")
class TestReconciliation(TaxEngineCommon):
    """March 2026."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.periods = cls.env["finance.tax.reconciliation"]
        # the demo's engine is not there
        others = cls.env["finance.connector"].sudo().search([("id", "!=", cls.connector.id)])
        others.active = False
        cls.march = cls.periods._ensure(cls.workflow, ["2026-03"])

    @property
    def vendor(self):
        return self.server.sandbox.vendors["avatax"]

    def compare(self, period=None, **options):
        """Run a comparison and return the period."""
        period = period or self.march
        age(self.env)
        period._start()
        self.drain(**options)
        return period

    def post(self, move_type="out_invoice", recorded=True, **values):
        move = self.create_houston_invoice(move_type, **values)
        move.action_post()
        if recorded:
            self.drain()
        return move

    def found(self, period=None):
        """{move or code: (bucket, reason, standing)}."""
        return {
            line.move_id or line.code: (line.bucket, line.reason, line.standing)
            for line in (period or self.march).line_ids
        }

    def line(self, move):
        return self.march.line_ids.filtered(lambda line: line.move_id == move)

    def kept(self, move):
        """The document at the engine, to tamper with."""
        code = move.finance_tax_document_id._code()
        return next(d for d in self.vendor.documents.values() if d.code == code)

    def orphan(self, code="INV/2026/LOST-1"):
        """Have the engine record a document that this database does not know."""
        move = self.post(recorded=False)
        document = move.finance_tax_document_id
        document.sudo().document_code = code
        self.env["finance.job"]._unfinished(document).action_cancel()
        engine = self.env["finance.operation"]._open_session(self.connector, self.company)
        engine.commit(document._request_to_record())
        move.button_draft()
        document.sudo().write({"revision": 0, "document_code": False, "recording": False})
        return move

    # === IN ORDER === #

    def test_what_agrees(self):
        invoice = self.post()
        refund = self.post("out_refund", invoice_date="2026-03-31")
        self.compare()
        self.assertEqual(
            self.found(), dict.fromkeys((invoice, refund), ("matched", False, "order"))
        )
        self.assertEqual((self.march.standing, self.march.matched_count), ("order", 2))
        self.assertEqual(self.march.sentence, "All 2 documents agree.")
        overall = self.march.total_ids.filtered(lambda total: not total.key)
        self.assertEqual((overall.here, overall.there, overall.here_count), (0, 0, 2))
        self.assertIn("Complete:", self.march.statement)
        self.assertFalse(self.env["finance.tax.recorded"].search([]), "kept no longer than needed")

    def test_what_a_payment_term_takes_off_in_advance_is_not_taxed(self):
        self.workflow.tax_outage = "fallback"
        term = self.discount_term("mixed")
        invoice = self.post(invoice_payment_term_id=term.id)
        refund = invoice._reverse_moves([{"invoice_date": "2026-03-31"}])
        refund.invoice_payment_term_id = False
        refund.action_post()
        self.drain()
        self.break_engine()
        day = "2026-03-05"
        silent = self.post(invoice_payment_term_id=term.id, invoice_date=day, recorded=False)
        self.mend_engine()
        self.compare()
        found = self.found()
        self.assertEqual({found[invoice], found[refund]}, {("matched", False, "order")})
        self.assertEqual(found[silent][:2], ("only_here", "fallback"))
        for move in invoice | refund | silent:
            self.assertAlmostEqual(self.line(move).here_net, 125.17, 2)

    def test_totals_by_jurisdiction(self):
        self.post()
        self.compare()
        totals = {total.key: total for total in self.march.total_ids}
        self.assertEqual(len(totals), 4)
        self.assertAlmostEqual(totals[""].there, 10.64)
        self.assertEqual(sorted(totals[key].here for key in totals if key), [1.26, 1.42, 7.96])
        self.assertFalse(any(total.gap for total in totals.values()))
        self.assertIn("TX", " ".join(total.name for total in totals.values()))

    def test_renamed_and_posted_again(self):
        """The code is frozen, and the void of an earlier posting is no difference."""
        move = self.post()
        move.name = "INV/2026/77777"
        move.button_draft()
        move.invoice_line_ids[0].quantity = 4
        move.action_post()
        self.drain()
        self.compare()
        buckets = sorted(self.march.line_ids.mapped("bucket"))
        self.assertEqual(buckets, ["matched", "void"])
        self.assertEqual(self.march.line_ids.move_id, move)
        self.assertEqual(self.march.standing, "order")

    def test_drafts_and_voids_are_no_difference(self):
        self.create_houston_invoice().action_finance_compute_tax()
        move = self.post()
        move.button_draft()
        self.drain()
        self.compare()
        self.assertEqual(self.found(), {move: ("void", False, "order")})
        self.assertEqual(self.march.sentence, "Nothing to declare on either side.")

    def test_foreign_currency(self):
        euro = self.setup_other_currency("EUR", rates=[("2026-01-01", 0.8731)])
        move, other = self.post(currency_id=euro.id), self.post()
        self.compare()
        self.assertEqual({self.line(m).bucket for m in (move, other)}, {"matched"})
        overall = self.march.total_ids.filtered(lambda total: not total.key)
        self.assertEqual(
            {total.currency: total.here for total in overall}, {"EUR": 10.64, "USD": 10.64}
        )
        tax_items = move.line_ids.filtered("tax_line_id")
        self.assertAlmostEqual(self.line(move).booked, -sum(tax_items.mapped("balance")))

    # === ONLY HERE === #

    def test_only_here_and_why(self):
        waiting = self.post(recorded=False)
        job = self.env["finance.job"].search([("document_id", "=", waiting.id)])
        job.sudo()._sql("due_at = due_at + interval '1 day'")
        moves = {
            state: self.post(invoice_date=f"2026-03-{day:02}", recorded=False)
            for day, state in enumerate(("refused", "mismatch", "fallback"), start=3)
        }
        for state, move in moves.items():
            self.env["finance.job"]._unfinished(move.finance_tax_document_id).action_cancel()
            move.finance_tax_document_id.sudo().state = state
        self.workflow.active = False
        unasked = self.post()
        self.workflow.active = True
        self.compare()
        expected = {
            waiting: ("only_here", "waiting", "pending"),
            unasked: ("only_here", "unasked", "difference"),
        } | {move: ("only_here", state, "difference") for state, move in moves.items()}
        self.assertEqual(self.found(), expected)
        self.assertEqual(self.march.open_count, 4)
        self.assertIn("1 × waiting to be recorded", self.march.statement)
        self.assertTrue(self.exceptions(unasked, "tax.unasked"))
        self.assertFalse(self.exceptions(waiting), "it will be recorded by itself")

    def test_a_recording_that_has_stopped(self):
        move = self.post(recorded=False)
        job = self.env["finance.job"].search([("document_id", "=", move.id)])
        job.sudo()._sql("state = 'dead'")
        told = self.env["finance.exception"]._raise("job.dead", job=job)
        self.compare()
        self.assertEqual(self.found(), {move: ("only_here", "stopped", "difference")})
        self.assertEqual(self.line(move).exception_id, told, "not told twice")
        self.assertEqual(self.exceptions(move), told)
        told._close("handled", "Entered there by hand.")
        self.compare()
        self.assertTrue(self.line(move).explained)
        self.assertFalse(self.exceptions(move), "nor again when it was handled")

    def test_lost_there_is_recorded_again(self):
        move = self.post()
        del self.vendor.documents[next(iter(self.vendor.documents))]
        self.compare()
        self.assertEqual(self.found(), {move: ("only_here", "lost", "difference")})
        exception = self.exceptions(move, "tax.not_recorded")
        self.assertIn("the engine has it no more", exception.text)
        exception.action_tax_record_again()
        self.drain()
        self.assertEqual(len(self.recorded()), 1)
        self.compare()
        self.assertEqual(self.found(), {move: ("matched", False, "order")})
        self.assertFalse(self.exceptions(move), "closed by itself")
        self.assertEqual(exception.ending, "Books and engine were compared again, and it was gone.")

    def test_posted_before_the_engine_served(self):
        self.workflow.active = False
        move = self.post()
        self.workflow.active = True
        self.env.cr.execute(
            "UPDATE account_move SET create_date = create_date - interval '1 day' WHERE id = %s",
            [move.id],
        )
        self.compare()
        self.assertEqual(self.found(), {move: ("only_here", "before", "order")})
        self.assertFalse(self.march.total_ids)

    def test_recorded_elsewhere_or_not_at_all(self):
        elsewhere = self.create_houston_invoice()
        elsewhere._finance_tax_recorded_at("Stripe Billing")
        elsewhere.action_post()
        self.workflow.tax_records = False
        off = self.post()
        self.compare()
        self.assertEqual(
            self.found(),
            {
                elsewhere: ("only_here", "elsewhere", "order"),
                off: ("only_here", "off", "pending"),
            },
        )
        self.assertEqual(self.line(elsewhere).recorder_name, "Stripe Billing")
        self.assertFalse(self.exceptions(elsewhere) or self.exceptions(off))
        overall = self.march.total_ids.filtered(lambda total: not total.key)
        self.assertEqual((overall.here_count, overall.here), (1, 10.64))
        self.assertIn("1 × recording is switched off", self.march.statement)
        self.assertIn("1 × recorded elsewhere", self.march.statement)

    # === ONLY THERE === #

    def test_an_orphan_is_made_void(self):
        self.orphan()
        self.compare()
        self.assertEqual(self.found(), {"INV/2026/LOST-1": ("only_there", "orphan", "difference")})
        line = self.march.line_ids
        self.assertEqual((line.there_tax, line.gap, line.here_tax), (10.64, 10.64, 0))
        exception = line.exception_id
        self.assertEqual(exception.document_id, self.march.id)
        self.assertIn("INV/2026/LOST-1", exception.text)
        exception.action_tax_void_there()
        self.assertEqual(len(self.recorded()), 1, "after the commit")
        self.drain()
        self.assertFalse(self.recorded())
        self.compare()
        self.assertEqual(self.march.line_ids.bucket, "void")
        self.assertEqual(exception.state, "resolved")

    def test_a_document_of_another_company_at_the_same_account(self):
        other = self.setup_other_company()
        self.set_address(
            other["company"].partner_id, "Irvine", self.env.ref("base.state_us_5"), "92618"
        )
        self.connector.company_ids += other["company"]
        workflow = self.env["finance.workflow"].create(
            {
                "connector_id": self.connector.id,
                "company_id": other["company"].id,
                "flow": "tax",
            }
        )
        workflow.setting_ids.value = "DEFAULT"
        theirs = self.post(
            company_id=other["company"].id, journal_id=other["default_journal_sale"].id
        )
        ours = self.post()
        april = self.periods._ensure(workflow, ["2026-03"])
        self.compare()
        self.compare(april)
        self.assertEqual(self.march.line_ids.move_id, ours)
        self.assertEqual(april.line_ids.move_id, theirs)

    def test_each_company_at_its_own_engine(self):
        other = self.setup_other_company()
        self.set_address(
            other["company"].partner_id, "Irvine", self.env.ref("base.state_us_5"), "92618"
        )
        connector = self.create_connector(other["company"], "SECOND")
        theirs = self.post(
            company_id=other["company"].id, journal_id=other["default_journal_sale"].id
        )
        ours = self.post()
        self.periods._cron_reconcile()
        self.drain()
        second = self.periods._ensure(connector.workflow_ids, ["2026-03"])
        self.compare(self.march | second)
        self.assertEqual((self.march.line_ids.move_id, second.line_ids.move_id), (ours, theirs))
        self.assertEqual(second.line_ids.company_id, other["company"])

    def test_a_branch_belongs_to_its_parent(self):
        branch = self.env["res.company"].create(
            {
                "name": "Branch",
                "parent_id": self.company.id,
                "currency_id": self.company.currency_id.id,
            }
        )
        self.assertEqual(self.march._companies(), self.company + branch)

    # === AMOUNTS, STATES, DAYS === #

    def test_another_amount_there_is_recorded_again(self):
        move = self.post()
        kept = self.kept(move)
        kept.model["totalTax"] += 1
        kept.model["summary"][0]["tax"] += 1
        self.compare()
        line = self.line(move)
        self.assertEqual((line.bucket, line.reason, line.gap), ("amount", "tax", 1.0))
        exception = self.exceptions(move, "tax.amount_differs")
        self.assertIn("10.64 USD in the journal and 11.64 USD", exception.text)
        self.assertEqual(exception.amount, 1.0)
        totals = self.march.total_ids
        self.assertAlmostEqual(totals.filtered(lambda total: not total.key).gap, 1.0)
        self.assertEqual(len(totals.filtered(lambda total: total.key and total.gap)), 1)
        line.action_record_again()
        self.drain()
        self.compare()
        self.assertEqual(self.march.standing, "order")
        self.assertEqual(list(self.recorded()), [move.finance_tax_code], "under its code")
        self.assertFalse(self.exceptions(move))

    def test_posted_again_with_the_engine_s_tax(self):
        move = self.post()
        self.kept(move).model["totalTax"] += 1
        self.kept(move).model["summary"][0]["tax"] += 1
        self.compare()
        self.exceptions(move, "tax.amount_differs").action_tax_repost()
        self.drain()
        self.compare()
        self.assertEqual((self.march.standing, move.state), ("order", "posted"))

    def test_void_there_posted_here(self):
        move = self.post()
        self.kept(move).set_status("Cancelled")
        self.compare()
        self.assertEqual(self.found(), {move: ("status", "voided", "difference")})
        exception, line = self.exceptions(move, "tax.not_declared"), self.line(move)
        exception.action_tax_record_again()
        for _time in ("while it is on its way", "and when it has arrived"):
            line.invalidate_recordset()
            with self.assertRaisesRegex(UserError, "has changed since"):
                line.action_record_again()
            self.drain()
        self.assertEqual(len(self.recorded()), 1)
        self.compare()
        self.assertEqual(sorted(self.march.line_ids.mapped("bucket")), ["matched", "void"])

    def test_draft_here_recorded_there(self):
        move = self.post()
        move.button_draft()
        self.drain()
        self.kept(move).set_status("Committed")
        self.compare()
        self.assertEqual(self.found(), {move: ("status", "draft", "difference")})
        self.exceptions(move, "tax.still_there").action_tax_void_there()
        self.drain()
        self.assertFalse(self.recorded())

    def test_another_day_there(self):
        move = self.post()
        self.kept(move).model["date"] = "2026-03-20"
        self.compare()
        line = self.line(move)
        self.assertEqual((line.bucket, line.reason), ("date", "day"))
        self.assertEqual(str(line.there_day), "2026-03-20")

    def test_document_date_decides_and_what_lies_between_is_named(self):
        booked_later = self.post(invoice_date="2026-03-31")
        self._book_on(booked_later, "2026-04-01")
        booked_here = self.post(invoice_date="2026-02-27")
        self._book_on(booked_here, "2026-03-01")
        self.compare()
        self.assertEqual(
            self.found(),
            {
                booked_later: ("matched", False, "order"),
                booked_here: ("cutoff", "booked", "order"),
            },
        )
        self.assertEqual(self.march.cutoff_count, 2)
        overall = self.march.total_ids.filtered(lambda total: not total.key)
        self.assertEqual((overall.here_count, overall.here), (1, 10.64))
        self.assertIn("lie in different months: 2", self.march.statement)

    def _book_on(self, move, day):
        """As a lock date does at post."""
        self.env.cr.execute("UPDATE account_move SET date = %s WHERE id = %s", [day, move.id])
        move.invalidate_recordset(["date"])

    # === RUNS === #

    def test_two_runs_find_the_same_lines(self):
        self.orphan()
        self.post()
        before = self.compare().line_ids
        digest = self.march.digest
        exceptions = self.env["finance.exception"].search_count([("state", "=", "open")])
        self.compare()
        self.assertEqual(self.march.line_ids, before)
        self.assertEqual(self.march.digest, digest)
        self.assertEqual(
            self.env["finance.exception"].search_count([("state", "=", "open")]), exceptions
        )

    def test_two_starts_are_one_run(self):
        self.march._start()
        self.march.action_compare()
        self.assertEqual(self.march.run, 1)
        self.assertTrue(self.march.is_running)
        self.drain()
        self.assertFalse(self.march.is_running)

    def test_a_list_that_breaks_off_leaves_the_last_result(self):
        move = self.post()
        self.compare()
        digest, line = self.march.digest, self.line(move)
        for day in (3, 4, 5):
            self.post(invoice_date=f"2026-03-{day:02}")
        self.patch(avatax, "PAGE", 2)
        # the first page comes, the second does not
        self.break_engine(match="GET /companies/.*transactions$", times=None, probability=1.0)
        rules = self.server.sandbox.faults
        choose, asked = rules.choose, []

        def second_page(prefix, request):
            asked.append(request.path)
            return choose(prefix, request) if len(asked) > 1 else None

        self.patch(rules, "choose", second_page)
        self.compare()
        self.assertEqual((self.march.digest, self.march.line_ids), (digest, line))
        self.assertTrue(self.march.is_running, "tried again")
        self.assertGreater(len(asked), 1)
        self.mend_engine()
        self.drain(until_due=True)
        self.assertEqual(self.march.matched_count, 4)

    def test_what_gave_up_is_told_and_begun_anew(self):
        self.workflow.max_attempts = 1
        self.break_engine()
        self.compare()
        self.assertTrue(self.march.is_stuck)
        exception = self.env["finance.exception"].search(
            [("code", "=", "tax.reconciliation_failed"), ("state", "=", "open")]
        )
        self.assertIn("2026-03", exception.text)
        self.mend_engine()
        self.compare()
        self.assertFalse(self.march.is_stuck)
        self.assertEqual((self.march.standing, exception.state), ("order", "resolved"))

    def test_many_documents_come_in_pieces(self):
        moves = self.env["account.move"]
        for day in (1, 9, 9, 17, 31):
            moves |= self.post(invoice_date=f"2026-03-{day:02}")
        self.patch(listing, "MOST", 2)
        self.compare()
        self.assertEqual(self.march.line_ids.move_id, moves)
        self.assertGreater(self.march.step, 3)
        self.assertEqual(self.march.standing, "order")

    def test_recorded_while_the_engine_was_asked(self):
        move = self.post()
        stage = type(self.march)._stage
        self.patch(type(self.march), "_stage", lambda period, _documents: stage(period, ()))
        self.march._start()
        move.finance_tax_document_id.sudo().committed_at = fields.Datetime.now() + timedelta(
            seconds=5
        )
        self.drain()
        self.assertEqual(self.found(), {move: ("only_here", "moving", "pending")})

    def test_as_many_queries_for_three_as_for_300(self):
        first, counts = self.post(recorded=False), []
        for copies in (2, 297):
            self._multiply(first, copies)
            for _time in range(2):
                self.march._start()
                self.env["finance.job"]._unfinished(self.march).action_cancel()
                self.march.compared_at = False
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                self.march._compare()
                self.env.flush_all()
                counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(self.march.line_ids), copies + (1 if copies == 2 else 3))
        self.assertEqual(counts[1], counts[3])

    def _multiply(self, move, copies, state="posted"):
        """Copy the rows of an invoice, its journal items and its tax document."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            WITH number AS (SELECT generate_series(1, %(copies)s) AS n), move AS (
                INSERT INTO account_move (
                    name, move_type, state, date, invoice_date, company_id, currency_id, journal_id,
                    partner_id, auto_post, sequence_number
                ) SELECT name || '-' || n || random(), move_type, state, date, invoice_date,
                         company_id, currency_id, journal_id, partner_id, auto_post, 0
                    FROM account_move, number WHERE id = %(move)s RETURNING id
            ), items AS (
                INSERT INTO account_move_line (
                    move_id, company_id, currency_id, account_id, journal_id, display_type, balance,
                    debit, credit, amount_currency, price_subtotal, tax_line_id, parent_state
                ) SELECT move.id, company_id, currency_id, account_id, journal_id, display_type,
                         balance, debit, credit, amount_currency, price_subtotal, tax_line_id,
                         parent_state
                    FROM account_move_line, move WHERE move_id = %(move)s)
            INSERT INTO finance_tax_document (
                move_id, connector_id, company_id, currency_id, state, recorder, uuid, document_code,
                revision, request
            ) SELECT move.id, connector_id, company_id, currency_id, %(state)s, recorder,
                     gen_random_uuid(), document_code || move.id, 1, request
                FROM finance_tax_document, move WHERE move_id = %(move)s RETURNING document_code
            """,
            {"copies": copies, "move": move.id, "state": state},
        )
        codes = [code for (code,) in self.env.cr.fetchall()]
        self.env.invalidate_all()
        return codes

    @unittest.skipUnless(os.environ.get("SOAK"), "soak: ten thousand documents")
    def test_ten_thousand_documents(self):
        """All on both sides but one; the figures are in the log."""
        move = self.post()
        kept = self.kept(move)
        for number, code in enumerate(self._multiply(move, 9_999, "committed"), start=1):
            model = kept.model | {"code": code, "id": kept.model["id"] + number}
            model["date"] = f"2026-03-{number % 31 + 1:02}"
            copied = replace(kept, code=code, model=model)
            self.vendor.documents[copied.key] = copied
        self._spread(self.vendor.documents.values())
        before, queries, started = maxrss(), self.env.cr.sql_log_count, time.monotonic()
        self.compare()
        _logger.info(
            "10,000 documents in %.1f s, %s queries, %s pieces, %s MB more",
            time.monotonic() - started,
            self.env.cr.sql_log_count - queries,
            self.march.step,
            (maxrss() - before) // 1024,
        )
        self.assertEqual(self.march.matched_count, 10_000)
        self.assertEqual(self.march.standing, "order")

    def _spread(self, documents):
        """Give invoices the days that the engine has."""
        self.env.cr.execute_values(
            """
            UPDATE account_move m SET invoice_date = v.day::date, date = v.day::date
              FROM finance_tax_document d, (VALUES %s) v (code, day)
             WHERE d.move_id = m.id AND d.document_code = v.code
            """,
            [(document.code, document.model["date"]) for document in documents],
            page_size=10_000,
        )
        self.env.invalidate_all()

    # === PEOPLE === #

    def person(self, login, groups):
        return new_test_user(
            self.env,
            login,
            groups,
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def test_explained_stays_explained_until_it_changes(self):
        move = self.post()
        self.kept(move).model["date"] = "2026-03-20"
        self.compare()
        action = self.line(move).action_explain()
        wizard = self.env["finance.exception.close"].with_context(**action["context"])
        wizard.create({"reason": "The engine's support moved it."}).action_confirm()
        self.assertTrue(self.line(move).explained)
        self.assertEqual(self.march.open_count, 0)
        self.compare()
        line = self.line(move)
        self.assertEqual((line.explained, line.standing), (True, "difference"))
        self.assertEqual(line.explanation, "The engine's support moved it.")
        self.assertFalse(self.exceptions(move))
        self.assertIn("(explained)", self.march.statement)
        self.kept(move).model["date"] = "2026-03-21"
        self.compare()
        self.assertFalse(self.line(move).explained)
        self.assertTrue(self.exceptions(move, "tax.date_differs"))

    def test_filed_documents_are_not_touched(self):
        move = self.post()
        self.kept(move).model["totalTax"] += 1
        self.kept(move).model["locked"] = True
        self.compare()
        line = self.line(move)
        self.assertEqual((line.bucket, line.locked, line.can_record_again), ("amount", True, False))
        self.assertFalse(self.exceptions(move, "tax.amount_differs").can_tax_repost)
        with self.assertRaises(UserError):
            line.action_record_again()

    def test_a_locked_month_is_compared_but_its_books_stay(self):
        move = self.post()
        self.kept(move).model["totalTax"] += 1
        self.company.sudo().tax_lock_date = "2026-03-31"
        self.compare()
        self.assertTrue(self.march.is_locked)
        self.assertFalse(self.exceptions(move, "tax.amount_differs").can_tax_repost)
        runs = self.march.run
        self.periods._cron_reconcile()
        self.assertEqual(self.march.run, runs, "not at night")

    def test_statement_export_and_audit(self):
        self.orphan()
        self.post()
        self.compare()
        self.march.action_print()
        events = self.env["finance.audit.event"].search(
            [("res_model", "=", self.march._name), ("kind", "like", "tax.")], order="id"
        )
        self.assertEqual(events.mapped("kind"), ["tax.reconciled", "tax.stated"])
        data = events[1].data
        self.assertEqual((data["digest"], data["there"]), (self.march.digest, {"USD": "21.28"}))
        self.assertEqual(data["counts"], {"matched": 1, "only_there": 1})
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("finance_tax_engine.report_tax_reconciliation", self.march.ids)[0]
            .decode()
        )
        for words in ("INV/2026/LOST-1", self.march.digest, "Not complete", "not in the books"):
            self.assertIn(words, html)
        rows = self.march.line_ids.export_data(["key", "bucket", "here_tax", "there_tax"])["datas"]
        self.assertIn(["INV/2026/LOST-1", "Only there", 0.0, 10.64], rows)

    def test_who_may_do_what(self):
        self.orphan()
        self.compare()
        line = self.march.line_ids
        auditor = self.person("rec_auditor", f"{GROUP}auditor")
        accountant = self.person("rec_clerk", f"{GROUP}user,account.group_account_invoice")
        stranger = self.person("rec_nobody", "base.group_user")
        self.assertTrue(self.march.with_user(auditor).statement)
        self.assertEqual(line.with_user(accountant).bucket, "only_there")
        for user, deed in (
            (auditor, lambda: self.march.with_user(auditor).action_compare()),
            (auditor, lambda: line.with_user(auditor).action_record_again()),
            (accountant, lambda: line.with_user(accountant).action_void()),
            (accountant, lambda: line.with_user(accountant).write({"explained": True})),
            (accountant, lambda: self.march.with_user(accountant).write({"standing": "order"})),
            (stranger, lambda: self.march.with_user(stranger).read(["standing"])),
        ):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                deed()
        outsider = self.setup_other_company()["company"]
        auditor.write({"company_ids": [Command.set(outsider.ids)], "company_id": outsider.id})
        for model in ("", ".line", ".total"):
            records = self.env[f"finance.tax.reconciliation{model}"].with_user(auditor)
            self.assertFalse(records.with_company(outsider).search([]))
        self.march.with_user(accountant).with_company(self.company).action_compare()
        self.drain()
        self.assertEqual(self.march.compared_by_id, accountant)

    def test_close_check(self):
        checks = {"uncompared": "open", "differs": "order"}
        self.assertEqual(self.standings(), checks)
        self.post()
        self.compare()
        self.assertEqual(self.standings(), {"uncompared": "order", "differs": "order"})
        self.orphan()
        self.compare()
        self.assertEqual(self.standings()["differs"], "blocking")

    def standings(self):
        close = self.env["finance.close"].with_company(self.company).create({"month": "2026-03"})
        return {
            check.code.removeprefix("tax."): check.standing
            for check in close.check_ids
            if check.code in ("tax.uncompared", "tax.differs")
        }


@tagged("post_install", "-at_install")
class TestOneByOne(EngineCase):
    """Stripe has no list: what is known here is looked up."""

    provider, prefix = "stripe_tax", "stripe"
    secret_name, secret = "secret_key", "sk_test_SandboxStripe0001"

    def test_what_is_known_is_looked_up(self):
        period = self.env["finance.tax.reconciliation"]._ensure(
            self.workflow, [f"{fields.Date.today():%Y-%m}"]
        )
        kept, changed, unknown = (self.posted() for _number in range(3))
        self.drain()
        transactions = self.server.sandbox.vendors["stripe"].transactions
        code = changed.finance_tax_document_id._code()
        row = next(row for row in transactions.values() if row["reference"] == code)
        row["items"][0]["amount_tax"] += 100
        unknown.finance_tax_document_id.sudo().engine_id = False
        self.patch(reconciliation_run, "ONE_BY_ONE", 2)
        age(self.env)
        period._start()
        self.drain()
        self.assertEqual(period.step, 2)
        self.assertEqual(
            {line.move_id: (line.bucket, line.reason) for line in period.line_ids},
            {
                kept: ("matched", False),
                changed: ("amount", "tax"),
                unknown: ("unknown", "unanswered"),
            },
        )
        self.assertTrue(period.by_lookup)
        self.assertIn("can't list", period.statement)
