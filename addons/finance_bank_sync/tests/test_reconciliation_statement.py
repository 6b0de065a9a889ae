"""The bank reconciliation statement as at a day: figures, what changes them, what does not."""

from datetime import date, datetime, timedelta

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.finance_connector_base.models.finance_personal_mixin import Subject

from .cash import DAY, CashCase

EARLIER = DAY - timedelta(days=10)
LATER = DAY + timedelta(days=5)


@tagged("post_install", "-at_install")
class TestFigures(CashCase):
    """Balance per bank, what is on the way, what is not matched, and the books."""

    def sections(self, statement):
        return {
            (line.section, line.amount)
            for line in statement.line_ids
            if line.section != "beginning"
        }

    def test_everything_on_the_way_adds_up(self):
        self.bank_line(1000.0, EARLIER)
        self.payment(500.0)
        self.payment(-300.0)
        self.told(1000.0)
        statement = self.statement()
        self.assertEqual(
            self.sections(statement),
            {("transit", 500.0), ("outstanding", -300.0), ("suspense", -1000.0)},
        )
        self.assertEqual(statement.bank_balance, 1000.0)
        self.assertEqual(statement.ledger, 1000.0)
        self.assertEqual(statement.books, 200.0)
        self.assertEqual(statement.calculated, 200.0)
        self.assertEqual(statement.difference, 0.0)

    def test_a_match_made_later_counts_as_open(self):
        payment = self.payment(500.0, EARLIER)
        line = self.bank_line(500.0, EARLIER)
        item = payment.move_id.line_ids.filtered(lambda row: row.account_id == self.outstanding)
        self.match(line, item, LATER)
        self.told(500.0)
        statement = self.statement()
        self.assertEqual(self.sections(statement), {("transit", 500.0), ("suspense", -500.0)})
        self.assertEqual(set(statement.line_ids.mapped("settled_on")), {LATER})
        self.assertEqual(statement.books, 500.0)
        self.assertEqual(statement.difference, 0.0)
        counted = self.statement(DAY + timedelta(days=1), until=LATER)
        self.assertEqual(self.sections(counted), set())
        self.assertEqual(counted.books, 500.0)

    def test_a_match_made_before_is_no_item(self):
        payment = self.payment(500.0, EARLIER)
        line = self.bank_line(500.0, EARLIER)
        item = payment.move_id.line_ids.filtered(lambda row: row.account_id == self.outstanding)
        self.match(line, item, DAY)
        self.told(500.0)
        self.assertEqual(self.sections(self.statement()), set())

    def test_undone_after_the_day_it_was_matched_then(self):
        """Matched in March and undone in April: on 31 March neither side was open."""
        payment = self.payment(500.0, EARLIER)
        line = self.bank_line(500.0, EARLIER)
        item = payment.move_id.line_ids.filtered(lambda row: row.account_id == self.outstanding)
        match = self.env["finance.bank.match"].create(
            {
                "line_id": line.id,
                "journal_id": self.bank.id,
                "company_id": self.company.id,
                "currency_id": self.currency.id,
                "date": EARLIER,
                "amount": 500.0,
                "kind": "hand",
                "parts": [{"kind": "item", "id": item.id, "amount": "500.00"}],
                "item_ids": item.ids,
                "matched_at": datetime(2026, 3, 25),
                "undone_at": datetime(2026, 4, 3),
            }
        )
        self.told(500.0)
        self.assertEqual(self.sections(self.statement()), set())
        after = self.statement(DAY + timedelta(days=4))
        self.assertEqual(self.sections(after), {("transit", 500.0), ("suspense", -500.0)})
        match.undone_at = datetime(2026, 3, 28)
        before = self.statement(DAY - timedelta(days=1))
        self.assertEqual(self.sections(before), {("transit", 500.0), ("suspense", -500.0)})

    def test_a_match_of_the_engine_made_later(self):
        """The match's own moment counts, whenever its journal items were written."""
        payment = self.payment(500.0, EARLIER)
        line = self.bank_line(500.0, EARLIER)
        item = payment.move_id.line_ids.filtered(lambda row: row.account_id == self.outstanding)
        line._finance_accept(parts=[{"kind": "item", "id": item.id, "amount": "500.00"}])
        match = self.env["finance.bank.match"].search([("line_id", "=", line.id)])
        self.assertTrue(line.is_reconciled)
        self.made_at(line.move_id.line_ids, DAY)
        match.sudo().matched_at = datetime(2026, 4, 2)
        self.told(500.0)
        self.assertIn(("suspense", -500.0), self.sections(self.statement()))
        line._finance_undo()
        self.env.invalidate_all()
        at = self.statement(DAY - timedelta(days=1))
        self.assertEqual(self.sections(at), {("transit", 500.0), ("suspense", -500.0)})

    def test_a_match_with_an_invoice_made_later(self):
        """Nothing waits on an account of the journal then: the ledger says so only now."""
        move = self.posted([(self.receivable, 120.0), (self.income, -120.0)], EARLIER)
        line = self.bank_line(120.0, EARLIER)
        self.match(line, move.line_ids[0], LATER)
        self.told(120.0)
        statement = self.statement()
        self.assertEqual(self.sections(statement), {("suspense", -120.0)})
        self.assertEqual(statement.books, 0.0)
        self.assertEqual(statement.difference, 0.0)

    def test_a_part_of_a_payment(self):
        """500 are expected, 200 have come and are matched: 300 are in transit."""
        payment = self.payment(500.0, EARLIER)
        line = self.bank_line(200.0, EARLIER)
        item = payment.move_id.line_ids.filtered(lambda row: row.account_id == self.outstanding)
        self.match(line, item, DAY)
        self.told(200.0)
        self.assertEqual(self.sections(self.statement()), {("transit", 300.0)})

    def test_what_arrives_after_the_day_is_in_transit(self):
        payment = self.payment(500.0, EARLIER)
        line = self.bank_line(500.0, DAY + timedelta(days=1))
        item = payment.move_id.line_ids.filtered(lambda row: row.account_id == self.outstanding)
        self.match(line, item, DAY)
        self.told(0.0)
        self.assertEqual(self.sections(self.statement()), {("transit", 500.0)})

    def test_a_difference_is_shown_as_such(self):
        self.bank_line(100.0)
        self.told(150.0)
        statement = self.statement()
        # the only balance there is, so the books are compared as a whole
        self.assertEqual(statement.beginning, -50.0)
        self.assertEqual(statement.difference, 0.0)
        self.assertTrue(statement.needs_reason)

    def test_booked_by_hand_and_held(self):
        """What only one side has is named, entry by entry; what is left over is not explained."""
        self.told(0.0, EARLIER)
        self.entry_in_books(100.0)
        self.posted([(self.bank.default_account_id, 30.0), (self.income, -30.0)])
        self.entry(-7.0)
        self.told(95.0)
        statement = self.statement()
        self.assertEqual(
            self.sections(statement),
            {("suspense", -100.0), ("only_booked", 30.0), ("only_told", 7.0)},
        )
        self.assertEqual(statement.ledger, 130.0)
        self.assertAlmostEqual(statement.difference, 130.0 - 95.0 - 30.0 - 7.0)
        self.assertTrue(statement.line_ids.filtered("is_held"))

    def test_a_line_typed_in_where_the_bank_sends_its_own(self):
        self.told(0.0, EARLIER)
        self.entry_in_books(100.0)
        self.bank_line(40.0, text="Typed")
        self.told(100.0)
        statement = self.statement()
        self.assertIn(("only_booked", 40.0), self.sections(statement))
        self.assertEqual(statement.difference, 0.0)

    def test_booked_on_another_day_than_the_bank(self):
        """The line was moved to April; the bank has it in March."""
        self.told(0.0, EARLIER)
        self.entry_in_books(100.0)
        self.entry(60.0, line=self.bank_line(60.0, LATER))
        self.told(160.0)
        statement = self.statement()
        self.assertIn(("only_told", -60.0), self.sections(statement))
        self.assertEqual(statement.difference, 0.0)

    def test_other_journals_are_left_out(self):
        """Both accounts wait on the same accounts of the ledger."""
        other = self.new_bank("Other", "BNKB")
        self.payment(500.0, journal=other)
        self.bank_line(80.0, journal=other)
        self.told(0.0)
        statement = self.statement()
        self.assertFalse(statement.line_ids)
        self.assertEqual(statement.books, 0.0)

    def test_an_entry_on_an_account_of_this_journal_alone(self):
        own = self.new_account("Own outstanding", "asset_current", reconcile=True)
        methods = self.bank.inbound_payment_method_line_ids
        methods.payment_account_id = own
        self.posted([(own, 25.0), (self.income, -25.0)])
        self.told(0.0)
        self.assertEqual(self.sections(self.statement()), {("transit", 25.0)})

    def test_a_foreign_account(self):
        """In dollars, with the ledger's value in euro beside it."""
        self.env["res.currency.rate"].create(
            {
                "currency_id": self.dollar.id,
                "company_id": self.company.id,
                "name": date(2026, 1, 1),
                "rate": 1.25,
            }
        )
        bank = self.new_bank("Dollars", "BNKU", currency=self.dollar)
        self.bank_line(1000.0, EARLIER, bank)
        payment = self.payment(250.0, EARLIER, bank, currency_id=self.dollar.id)
        line = self.bank_line(250.0, EARLIER, bank)
        item = payment.move_id.line_ids.filtered(lambda row: row.account_id == self.outstanding)
        self.match(line, item, LATER)
        self.payment(-500.0, DAY, bank, currency_id=self.dollar.id)
        self.told(1250.0, journal=bank)
        statement = self.statement(journal=bank)
        self.assertEqual(statement.currency_id, self.dollar)
        self.assertEqual(statement.ledger, 1250.0)
        self.assertEqual(statement.ledger_company, 1000.0)
        self.assertEqual(
            self.sections(statement),
            {
                ("transit", 250.0),
                ("outstanding", -500.0),
                ("suspense", -1000.0),
                ("suspense", -250.0),
            },
        )
        self.assertEqual(sum(statement.line_ids.mapped("balance")), -1200.0)
        self.assertEqual(statement.difference, 0.0)
        self.assertFalse(statement.needs_reason)

    def test_a_branch(self):
        """Entries of a branch on the account of its parent belong to it; of others they don't."""
        branch = self.new_company("Branch", parent_id=self.company.id)
        self.preparer.company_ids |= branch
        self.env = self.env(context={"allowed_company_ids": (self.company | branch).ids})
        general = self.env["account.journal"].create(
            {"name": "B", "code": "GENB", "type": "general", "company_id": branch.id}
        )
        move = self.env["account.move"].with_company(branch).create(
            {
                "journal_id": general.id,
                "date": DAY,
                "line_ids": [
                    (0, 0, {"account_id": account.id, "balance": balance})
                    for account, balance in (
                        (self.bank.default_account_id, 10.0),
                        (self.income, -10.0),
                    )
                ],
            }
        )  # fmt: skip
        move.action_post()
        self.assertEqual(move.company_id, branch)
        self.told(10.0)
        self.assertEqual(self.statement().ledger, 10.0)

    def test_ages(self):
        for days in (0, 7, 8, 30, 31, 90, 91):
            self.bank_line(1.0, DAY - timedelta(days=days))
        self.told(7.0)
        rows = self.statement()._age_rows()
        self.assertEqual([row[1] for row in rows], [[-2.0, -2.0, -2.0, -1.0]])

    def test_queries_don_t_grow(self):
        """As many for sixty lines as for six."""

        def queries():
            self.env.invalidate_all()
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self.env["finance.bank.account.mixin"]._facts(self.bank, DAY, DAY)
            return self.env.cr.sql_log_count - before

        self.told(0.0, EARLIER)
        lines = [{"journal_id": self.bank.id, "date": DAY, "amount": 3.0, "payment_ref": "x"}]
        self.env["account.bank.statement.line"].create(lines * 6)
        self.payment(500.0)
        queries()
        few = queries()
        self.env["account.bank.statement.line"].create(lines * 54)
        for amount in (1.0, 2.0, 3.0):
            self.payment(amount)
        self.assertEqual(queries(), few)


@tagged("post_install", "-at_install")
class TestBalancePerBank(CashCase):
    """Where the balance per bank is from."""

    def stated(self):
        told = self.env["finance.bank.account.mixin"]._told(self.bank, DAY)
        return told.basis, told.amount

    def test_missing(self):
        self.assertEqual(self.stated(), ("missing", None))
        statement = self.statement()
        self.assertEqual(statement.basis, "missing")
        with self.assertRaisesRegex(UserError, "not known"):
            statement.action_prepare()

    def test_the_newest_of_a_day(self):
        self.told(1.0, received_at=datetime(2026, 4, 1, 8))
        self.told(2.0, received_at=datetime(2026, 4, 1, 9))
        self.told(3.0, type="ITBD")
        self.assertEqual(self.stated(), ("stated", 2.0))

    def test_carried_forward(self):
        self.told(100.0, DAY - timedelta(days=3))
        self.entry_in_books(20.0, DAY - timedelta(days=1))
        self.entry(5.0, state="skipped")
        self.entry(7.0, status="pending")
        self.entry_in_books(9.0, LATER)
        self.assertEqual(self.stated(), ("carried", 120.0))

    def test_from_the_next_opening(self):
        self.told(130.0, DAY + timedelta(days=2), "OPBD")
        self.entry_in_books(30.0, DAY + timedelta(days=1))
        self.assertEqual(self.stated(), ("next", 100.0))

    def test_from_a_statement_in_odoo(self):
        self.env["account.bank.statement"].create(
            {
                "balance_start": 0.0,
                "balance_end_real": 40.0,
                "line_ids": [
                    (
                        0,
                        0,
                        {
                            "journal_id": self.bank.id,
                            "date": EARLIER,
                            "amount": 40.0,
                            "payment_ref": "x",
                        },
                    )
                ],
            }
        )
        self.bank_line(2.0)
        self.assertEqual(self.stated(), ("odoo", 42.0))

    def test_a_balance_in_another_currency_is_not_it(self):
        self.told(5.0, currency_id=self.dollar.id)
        self.assertEqual(self.stated(), ("missing", None))


@tagged("post_install", "-at_install")
class TestFrozen(CashCase):
    """Two persons, and nothing changes afterwards."""

    def setUp(self):
        super().setUp()
        self.line = self.bank_line(1000.0, EARLIER)
        self.told(1000.0)

    def reviewed(self):
        statement = self.statement()
        statement.action_prepare()
        statement.with_user(self.reviewer).action_review()
        return statement

    def snapshot(self, statement):
        return statement.read(["bank_balance", "books", "suspense", "digest", "state"])[0], [
            line._key() for line in statement.line_ids
        ]

    def test_matching_later_changes_nothing(self):
        statement = self.reviewed()
        before = self.snapshot(statement)
        move = self.posted([(self.receivable, 1000.0), (self.income, -1000.0)], EARLIER)
        self.match(self.line, move.line_ids[0])
        self.env.invalidate_all()
        self.assertEqual(self.snapshot(statement), before)
        self.assertFalse(statement.changes)
        self.assertTrue(statement._is_authentic())

    def test_posting_back_changes_nothing_and_is_shown(self):
        statement = self.reviewed()
        before = self.snapshot(statement)
        self.posted([(self.bank.default_account_id, 50.0), (self.income, -50.0)])
        self.env.invalidate_all()
        self.assertEqual(self.snapshot(statement), before)
        self.assertIn("1,050.00", statement.changes)

    def test_restated(self):
        statement = self.reviewed()
        self.posted([(self.bank.default_account_id, 50.0), (self.income, -50.0)])
        action = statement.with_user(self.preparer).action_restate()
        following = statement.browse(action["res_id"])
        self.assertEqual((following.version, following.previous_id), (2, statement))
        self.assertEqual(following.ledger, 1050.0)
        self.assertFalse(statement.is_restated)
        following.reason = "A correction of the auditor"
        following.action_prepare()
        following.with_user(self.controller).action_review()
        self.assertTrue(statement.is_restated)
        self.assertEqual(statement.ledger, 1000.0)
        self.assertEqual(statement.action_restate()["res_id"], following.id)

    def test_the_preparer_can_t_review(self):
        statement = self.statement(user=self.controller)
        statement.action_prepare()
        with self.assertRaises(AccessError):
            statement.action_review()
        with self.assertRaises(AccessError):
            statement.with_user(self.preparer).action_review()
        self.assertEqual(statement.state, "prepared")
        statement.with_user(self.reviewer).action_review()
        self.assertEqual(statement.reviewed_by_id, self.reviewer)

    def test_not_reviewed_when_the_books_have_changed(self):
        statement = self.statement()
        statement.action_prepare()
        self.posted([(self.bank.default_account_id, 50.0), (self.income, -50.0)])
        with self.assertRaisesRegex(UserError, "have changed"):
            statement.with_user(self.reviewer).action_review()
        statement.with_user(self.reviewer).action_send_back()
        self.assertEqual((statement.state, statement.prepared_by_id.id), ("draft", False))

    def test_a_difference_needs_a_reason(self):
        self.told(900.0, received_at=datetime(2030, 1, 1))
        statement = self.statement()
        with self.assertRaisesRegex(UserError, "not explained"):
            statement.action_prepare()
        statement.reason = "The bank corrects it in April"
        statement.action_prepare()
        self.assertEqual(statement.state, "prepared")

    def test_nothing_is_set_by_hand(self):
        statement = self.statement()
        for values in ({"bank_balance": 1.0}, {"state": "reviewed"}, {"digest": "x"}):
            with self.assertRaises(UserError):
                statement.write(values)
        with self.assertRaises(UserError):
            self.statement(DAY - timedelta(days=1), state="reviewed")
        statement.action_prepare()
        for values in ({"reason": "x"}, {"day": EARLIER}):
            with self.assertRaises(UserError):
                statement.write(values)
        with self.assertRaises(UserError):
            statement.unlink()
        with self.assertRaises(UserError):
            statement.line_ids.sudo().unlink()
        with self.assertRaises(UserError):
            statement.line_ids.sudo().write({"amount": 0.0})

    def test_tampering_is_seen(self):
        statement = self.reviewed()
        self.assertTrue(statement._is_authentic())
        self.env.cr.execute(
            "UPDATE finance_bank_reconciliation_line SET amount = 1 WHERE reconciliation_id = %s",
            [statement.id],
        )
        self.env.invalidate_all()
        self.assertFalse(statement._is_authentic())

    def test_erasing_a_person(self):
        """The text goes, the figures stay, and the digest holds."""
        self.line.partner_id = self.customer
        statement = self.reviewed()
        lines = self.env["finance.bank.reconciliation.line"].sudo()
        rows = lines._personal_of(Subject(self.customer, self.company))
        self.assertEqual(rows.mapped("label"), ["Line"])
        rows._erase_personal("request")
        self.assertFalse(rows.label or rows.partner_id)
        self.assertFalse(lines._personal_of(Subject(self.customer, self.company)))
        self.assertTrue(statement._is_authentic())

    def test_the_audit_trail_has_the_digest(self):
        statement = self.reviewed()
        events = self.env["finance.audit.event"].sudo().search(
            [("res_model", "=", statement._name), ("res_id", "=", statement.id)], order="id"
        )  # fmt: skip
        self.assertEqual(events.mapped("kind"), ["bank.prepared", "bank.reviewed"])
        self.assertEqual({event.data["digest"] for event in events}, {statement.digest})
        self.assertEqual(events[1].data["prepared_by"], self.preparer.id)

    def test_one_statement_of_a_day(self):
        self.statement()
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            self.statement()

    def test_printed(self):
        statement = self.reviewed()
        report = (
            self.env["ir.actions.report"]
            ._render_qweb_html("finance_bank_sync.report_bank_reconciliation", statement.ids)[0]
            .decode()
        )
        zone = f"({self.env.tz})"
        for words in ("Balance per bank", "1,000.00", statement.digest, self.reviewer.name, zone):
            self.assertIn(words, report)
