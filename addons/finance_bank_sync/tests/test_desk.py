"""The screen "Bank Lines": what it lists, what it does, and for whom."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .desk import DeskCommon


@tagged("post_install", "-at_install")
class TestDesk(DeskCommon):
    """By hand and by proposal, there and back."""

    def item(self, move, amount):
        return {"kind": "item", "id": self.due(move).id, "amount": amount}

    def writeoff(self, amount, **values):
        return {"kind": "writeoff", "account_id": self.expense.id, "amount": amount} | values

    # === LIST === #

    def test_lists_the_newest_first_and_pages(self):
        lines = [self.line(amount, f"text {amount}") for amount in (1, 2, 3)]
        first = self.rows(limit=2)
        self.assertEqual([row["id"] for row in first], [lines[2].id, lines[1].id])
        (last,) = self.rows(limit=2, after=first[-1]["index"])
        self.assertEqual((last["id"], last["amount"], last["left"]), (lines[0].id, "1.00", "1.00"))

    def test_searches_words_and_amounts(self):
        one = self.line(12.5, "rent of March", partner_name="Alder Trading")
        self.line(-12, "rent of April")
        for words in ("rent march", "alder", "12.50", "12,5", "-12.50"):
            self.assertEqual([row["id"] for row in self.rows(search=words)], [one.id], words)
        self.assertEqual(len(self.rows(search="RENT")), 2)
        self.assertEqual(self.rows(search="rent 99"), [])

    def test_counts_are_those_of_the_filters(self):
        self.invoice(111)
        self.line(111, f"pays {self.invoice(112).name}")
        self.line(112, self.env["account.move"].search([], limit=1).name)
        done = self.line(-5)
        self.desk.book(done.id, [self.writeoff("-5.00")])
        answer = self.desk.list_lines(self.journal.id)
        for name, count in answer["counts"].items():
            with self.subTest(filter=name):
                self.assertEqual(len(self.rows(filter_by=name)), count)
        self.assertEqual(answer["counts"]["done"], 1)
        self.assertEqual(answer["counts"]["todo"] + 1, answer["counts"]["all"])

    def test_queries_do_not_grow_with_lines(self):
        """Loading 80 lines costs what loading 20 does."""

        def counted(limit):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(self.rows(limit=limit)), limit)
            return self.env.cr.sql_log_count - before

        self.env["account.bank.statement.line"].create(
            [
                {
                    "journal_id": self.journal.id,
                    "date": "2026-03-02",
                    "payment_ref": f"text {number}",
                    "amount": number,
                    "partner_id": (self.partner_a if number % 2 else self.partner_b).id,
                }
                for number in range(1, 81)
            ]
        )
        self.rows(limit=80)  # matches what was never matched
        few, many = counted(20), counted(80)
        self.assertLessEqual(many, few)
        self.assertLess(many, 40)

    # === BY HAND === #

    def test_splits_into_items_and_writeoff(self):
        """130.00 = 60 + 70 of two invoices less a fee, all paid; and back."""
        one, two = self.invoice(60), self.invoice(75)
        line = self.line(130)
        parts = [self.item(one, "60.00"), self.item(two, "75.00"), self.writeoff("-5.00")]
        answer = self.desk.book(line.id, parts)
        row = answer["lines"][0]
        self.assertEqual((row["id"], row["done"], row["left"]), (line.id, True, "0.00"))
        self.assertEqual(one.payment_state, "paid")
        self.assertEqual(two.payment_state, "paid")
        booked = self.desk.detail(line.id)["booked"]
        self.assertEqual(sorted(item["amount"] for item in booked), ["-5.00", "60.00", "75.00"])
        self.assertIn(one.id, [other["id"] for item in booked for other in item["with"]])
        before = answer["counts"]["done"]
        back = self.desk.undo(line.id)
        self.assertEqual(back["counts"]["done"], before - 1)
        self.assertEqual(back["lines"][0]["left"], "130.00")
        self.assertEqual((one.payment_state, two.payment_state), ("not_paid", "not_paid"))

    def test_pays_a_part(self):
        invoice = self.invoice(100)
        self.desk.book(self.line(40).id, [self.item(invoice, "40.00")])
        self.assertEqual(invoice.payment_state, "partial")
        self.assertEqual(invoice.amount_residual, 60)

    def test_leaves_on_account(self):
        line = self.line(50, partner_id=self.partner_a.id)
        self.desk.book(
            line.id, [{"kind": "partner", "partner_id": self.partner_a.id, "amount": "50.00"}]
        )
        self.assertTrue(line.is_reconciled)
        receivable = self.partner_a.property_account_receivable_id
        (left,) = line.line_ids.filtered(lambda item: item.account_id == receivable)
        self.assertEqual((left.amount_residual, left.reconciled), (-50, False))

    def test_makes_nothing_up(self):
        """What does not come to the line, to the cent, is refused; nothing is booked."""
        invoice, line = self.invoice(100), self.line(100)
        before = line.line_ids.ids
        for parts in (
            [],
            None,
            [self.item(invoice, "99.99")],
            [self.item(invoice, "100.00"), self.writeoff("0.01")],
            [self.item(invoice, "0")],
            [self.item(invoice, "nan")],
            [self.item(invoice, "1e400")],
            [self.item(invoice, "x")],
            [self.item(invoice, "")],
            [{"kind": "item", "amount": "100.00"}],
            [{"kind": "writeoff", "amount": "100.00"}],
            [{"kind": "else", "amount": "100.00"}],
        ):
            with self.subTest(parts=parts), self.assertRaises(UserError):
                self.desk.book(line.id, parts)
        self.assertEqual(line.line_ids.ids, before)
        self.assertEqual(invoice.payment_state, "not_paid")

    def test_refuses_what_somebody_else_has_done(self):
        line = self.line(-5)
        self.desk.book(line.id, [self.writeoff("-5.00")])
        for call in (
            lambda: self.desk.book(line.id, [self.writeoff("-5.00")]),
            lambda: self.desk.set_partner(line.id, self.partner_a.id),
        ):
            with self.assertRaisesRegex(UserError, "done already"):
                call()

    def test_finds_open_items(self):
        invoice = self.invoice(60, ref="PO 4711")
        line = self.line(130)
        for words in (invoice.name, "4711", f"{self.partner_a.name} 4711"):
            (found,) = self.desk.search_items(line.id, words)
            self.assertEqual((found["id"], found["open"]), (self.due(invoice).id, "60.00"))
        self.assertEqual(self.desk.search_items(line.id, "nothing-like-it"), [])

    def test_sets_the_partner(self):
        line = self.line(10)
        (row,) = self.desk.set_partner(line.id, self.partner_b.id)["lines"]
        self.assertEqual((row["partner"], line.partner_id), (self.partner_b.name, self.partner_b))

    def test_foreign_currency(self):
        """A line with an original amount is worked on in the original currency."""
        currency = self.setup_other_currency("EUR", rates=[("2026-01-01", 0.5)])
        invoice = self.invoice(50, currency_id=currency.id)
        line = self.line(110, foreign_currency_id=currency.id, amount_currency=50)
        (row,) = self.rows()
        self.assertEqual((row["amount"], row["total"], row["left"]), ("110.00", "50.00", "50.00"))
        self.assertEqual(row["total_currency_id"], currency.id)
        (found,) = self.desk.search_items(line.id, invoice.name)
        self.assertEqual(found["open"], "50.00")
        self.desk.book(line.id, [self.item(invoice, "50.00")])
        self.assertEqual(invoice.payment_state, "paid")

    # === PROPOSALS === #

    def test_accepts_the_best_and_matches_others_anew(self):
        """Two lines may be one invoice; when one has it, the other is told so."""
        invoice = self.invoice(77.7)
        first, second = (
            self.line(77.7, "thanks", partner_id=self.partner_a.id) for _one in range(2)
        )
        self.rows()
        best = {row["id"]: row["best"] for row in self.rows()}
        detail = self.desk.detail(first.id)
        self.assertTrue(detail["proposals"], detail["why_not"])
        self.assertTrue(detail["proposals"][0]["reasons"])
        self.assertEqual(detail["proposals"][0]["parts"][0]["name"], invoice.name)
        answer = self.desk.accept(first.id, best[first.id]["id"])
        self.assertEqual(invoice.payment_state, "paid")
        rows = {row["id"]: row for row in answer["lines"]}
        self.assertTrue(rows[first.id]["done"])
        self.assertIn(second.id, rows)
        left = self.desk.detail(second.id)
        parts = [part for one in left["proposals"] for part in one["parts"]]
        self.assertNotIn(self.due(invoice).id, [part["id"] for part in parts])
        late = self.desk.accept(second.id, best[second.id]["id"])
        self.assertIn("matched anew", late["changed"])
        self.assertFalse(second.is_reconciled)
        self.assertEqual([row["id"] for row in late["lines"]], [second.id])

    def test_what_is_matched_anew_with_the_same_result_stays(self):
        """A run beside a person takes no proposal away that still holds."""
        invoice = self.invoice(88.8)
        line = self.line(88.8, f"pays {invoice.name}")
        (row,) = [row for row in self.rows() if row["id"] == line.id]
        before = line.finance_proposal_ids
        self.assertEqual(line._finance_propose(), before)
        self.assertNotIn("changed", self.desk.accept(line.id, row["best"]["id"]))
        self.assertEqual(invoice.payment_state, "paid")

    def test_accepts_many_and_leaves_the_doubtful(self):
        """All that is clear, each once; the twin of a paid invoice is left."""
        invoices = [self.invoice(100 + number) for number in range(3)]
        lines = [self.line(move.amount_total, f"pays {move.name}") for move in invoices]
        twin = self.line(100, f"pays {invoices[0].name}")
        unknown = self.line(999, "who knows")
        self.rows()
        answer = self.desk.accept_all(self.journal.id)
        self.assertEqual(set(invoices[1].mapped("payment_state")), {"paid"})
        done = [line.is_reconciled for line in [*lines, twin]]
        self.assertLessEqual(answer["accepted"], 3)
        self.assertEqual(sum(done), answer["accepted"])
        self.assertFalse(unknown.is_reconciled)
        self.assertFalse(lines[0].is_reconciled and twin.is_reconciled)

    def test_says_why_not(self):
        line = self.line(-3.21, "nobody knows")
        named = self.line(-3.22, "nobody knows", partner_name="Nowhere Ltd")
        detail = self.desk.detail(line.id)
        self.assertEqual(detail["proposals"], [])
        self.assertIn("The bank names neither an account nor a payer", detail["why_not"])
        why_not = self.desk.detail(named.id)["why_not"]
        self.assertIn("No partner has the account or the name “Nowhere Ltd”", why_not)

    # === WHO === #

    def test_an_auditor_reads_and_changes_nothing(self):
        line = self.line(-5)
        desk = self.desk.with_user(self.auditor)
        answer = desk.list_lines(self.journal.id)
        self.assertEqual(len(answer["lines"]), 1)
        self.assertFalse(answer["journal"]["may_work"])
        self.assertEqual(desk.detail(line.id)["row"]["id"], line.id)
        self.check_refused(desk, line)
        self.assertFalse(line.is_reconciled)

    def test_a_bookkeeper_without_our_role_is_refused(self):
        line = self.line(-5)
        desk = self.desk.with_user(self.stranger)
        self.check_refused(desk, line)
        for call in (
            lambda: desk.list_lines(self.journal.id),
            lambda: desk.detail(line.id),
            lambda: desk.search_items(line.id),
            lambda: desk.imports([1]),
        ):
            with self.assertRaises(AccessError):
                call()

    def check_refused(self, desk, line):
        """Nothing that changes something."""
        for call in (
            lambda: desk.book(line.id, [self.writeoff("-5.00")]),
            lambda: desk.accept(line.id, 1),
            lambda: desk.accept_all(self.journal.id),
            lambda: desk.undo(line.id),
            lambda: desk.set_partner(line.id, self.partner_a.id),
            lambda: desk.set_up_columns(1),
            lambda: desk._receive("x.xml", b"x"),
        ):
            with self.assertRaises(AccessError):
                call()

    def test_other_companies_are_out_of_reach(self):
        """Neither their journals nor their lines, until the company is chosen."""
        other = self.setup_other_company()["company"]
        journal = self.env["account.journal"].create(
            {"name": "Theirs", "type": "bank", "code": "THRS", "company_id": other.id}
        )
        line = self.line(-5, journal=journal)
        with self.assertRaises(UserError):
            self.desk.list_lines(journal.id)
        with self.assertRaises(UserError):
            self.desk.detail(line.id)
        both = self.new_user(
            "desk_both", "account.group_account_user", "user", self.company | other
        )
        desk = self.desk.with_user(both).with_context(allowed_company_ids=self.company.ids)
        self.assertNotIn(journal.id, [one["id"] for one in desk.list_lines()["journals"]])
        with self.assertRaises(UserError):
            desk.detail(line.id)
        desk = desk.with_context(allowed_company_ids=(self.company | other).ids)
        self.assertEqual(desk.list_lines(journal.id)["lines"][0]["id"], line.id)

    def test_nothing_to_show(self):
        """Without a journal, and for a line that is gone, it says so."""
        line = self.line(-5)
        line.unlink()
        with self.assertRaisesRegex(UserError, "deleted"):
            self.desk.detail(line.id)
        self.assertEqual(self.desk.list_lines(self.journal.id)["lines"], [])

    # === FROM ELSEWHERE === #

    def test_smart_buttons_and_card(self):
        invoice, line = self.invoice(42), self.line(42)
        self.assertEqual(invoice.finance_bank_line_count, 0)
        self.desk.book(line.id, [self.item(invoice, "42.00")])
        invoice.invalidate_recordset()
        self.assertEqual(invoice.with_user(self.accountant).finance_bank_line_count, 1)
        action = invoice.with_user(self.accountant).action_finance_bank_lines()
        self.assertEqual(action["params"]["line_ids"], line.ids)
        (row,) = self.desk.list_lines(
            self.journal.id, filter_by="all", line_ids=action["params"]["line_ids"]
        )["lines"]
        self.assertEqual(row["id"], line.id)
        self.line(1)
        data = self.journal.with_user(self.accountant)._get_journal_dashboard_data_batched()
        self.assertEqual(data[self.journal.id]["finance_bank_lines"], 1)
        data = self.journal.with_user(self.stranger)._get_journal_dashboard_data_batched()
        self.assertFalse(data[self.journal.id]["finance_bank_desk"])
