"""Never twice, and no twin lost: every pair of sources, and what banks do in between."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from odoo.exceptions import UserError
from odoo.tests import tagged

from . import files
from .common import BankCase
from .files import DAY, INFORMATION, PENDING, Booking

TWO = [
    Booking("10.00", end_to_end="E1", text="Invoice INV/2026/00017", unique_id="u1"),
    Booking("-25.50", end_to_end="E2", text="Rent for March flat 17001", name="Landlord Ltd",
            unique_id="u2"),
]  # fmt: skip
TWINS = [Booking("3.50", text="Coffee at the corner", end_to_end="", unique_id="c1"),
         Booking("3.50", text="Coffee at the corner", end_to_end="", unique_id="c2")]  # fmt: skip


@tagged("post_install", "-at_install")
class TestDuplicates(BankCase):
    def tell(self, source, bookings, **options):
        """Import what ``source`` tells of the bookings, with its own ids and words."""
        if source == "api":
            span = {"start": bookings[0].day, "end": bookings[-1].day + timedelta(days=1)}
            return self.pull(files.api(bookings, **span, **options))
        if source == "relinked":
            fresh = [
                Booking(**vars(one) | {"unique_id": f"new-{number}"})
                for number, one in enumerate(bookings)
            ]
            span = {"start": bookings[0].day, "end": bookings[-1].day + timedelta(days=1)}
            return self.pull(files.api(fresh, **span), remote="acc-2")
        if source == "other_provider":
            shouting = [
                Booking(**vars(one) | {"text": one.text.upper(), "unique_id": f"o{number}"})
                for number, one in enumerate(bookings)
            ]
            return self.pull(files.api(shouting, name="otherbank"), remote="x")
        if source == "csv":
            return self.receive(files.csv(bookings), journal=self.journal, column_map=files.COLUMNS)
        if source == "camt.052":
            return self.receive(files.camt(bookings, message="052", balances=False))
        return self.receive(getattr(files, source)(bookings, **options))

    def test_every_pair_of_sources(self):
        """Told by one source, then by another: in the books once, the second time skipped."""
        sources = (
            "camt", "camt.052", "mt940", "csv", "ofx", "api", "relinked", "other_provider",
        )  # fmt: skip
        for first in sources:
            with self.env.cr.savepoint() as before:
                self.assertEqual(self.tell(first, TWO + TWINS).created_count, 4)
                for second in sources:
                    with self.subTest(first=first, second=second), self.env.cr.savepoint() as point:
                        self.check_told_again(self.tell(second, TWO + TWINS))
                        point.rollback()
                        self.env.invalidate_all()
                before.rollback()
                self.env.invalidate_all()

    def check_told_again(self, again):
        """All four were skipped, each for one of the four that are there, with the reason."""
        told = [(one.amount, one.state, one.reason) for one in again.entry_ids]
        self.assertEqual(again.skipped_count, 4, told)
        self.assert_lines("10.00", "-25.50", "3.50", "3.50")
        originals = again.entry_ids.duplicate_of_id.mapped("amount")
        self.assertEqual(sorted(originals), [-25.5, 3.5, 3.5, 10.0])
        self.assertTrue(all(again.entry_ids.mapped("reason_words")))

    def test_the_same_file_says_so(self):
        first = self.receive(files.camt(TWO))
        again = self.receive(files.camt(TWO))
        self.assertEqual(again.again_id, first)
        self.assertEqual((again.skipped_count, again.created_count), (2, 0))

    def test_a_third_twin_is_new(self):
        for source in ("camt", "mt940", "csv", "ofx"):
            with self.subTest(source), self.env.cr.savepoint() as point:
                self.tell(source, TWINS)
                third = Booking(**vars(TWINS[0]) | {"unique_id": "c3"})
                self.assertEqual(self.tell(source, [*TWINS, third]).created_count, 1)
                self.assert_lines("3.50", "3.50", "3.50")
                point.rollback()
                self.env.invalidate_all()

    def test_overlapping_files(self):
        """Monday to Wednesday, then Tuesday to Thursday."""
        days = [
            Booking("5.00", text="Daily takings", end_to_end="", day=DAY + timedelta(days=number))
            for number in range(4)
        ]
        self.receive(files.camt(days[:3], number="7"))
        found = self.receive(files.camt(days[1:], opening="105.00", number="8"))
        self.assertEqual((found.skipped_count, found.created_count), (2, 1))
        self.assertEqual(len(self.lines()), 4)

    def test_statements_that_follow_share_nothing(self):
        """Two statements of one day, a coffee in each: the balances prove that these are two."""
        self.receive(files.camt(TWINS[:1], number="7", opening="100.00"))
        found = self.receive(files.camt(TWINS[:1], number="8", opening="103.50"))
        self.assertEqual(found.created_count, 1)
        self.assert_lines("3.50", "3.50")
        # the second again, and a file with both
        again = self.receive(files.camt(TWINS[:1], number="8", opening="103.50", start=DAY))
        self.assertEqual(again.skipped_count, 1)
        both = files.camt_file(
            files.camt_statement(TWINS[:1], number="7", opening="100.00"),
            files.camt_statement(TWINS[:1], number="8", opening="103.50"),
        )
        self.assertEqual(self.receive(both).skipped_count, 2)
        self.assert_lines("3.50", "3.50")

    def test_reissued_statement(self):
        """Told anew with new references: the same; with an entry more: that one is new."""
        told = [Booking("10.00", servicer="R1"), Booking("10.00", servicer="R2")]
        self.receive(files.camt(told))
        anew = [Booking("10.00", servicer="N1"), Booking("10.00", servicer="N2")]
        self.assertEqual(self.receive(files.camt(anew)).skipped_count, 2)
        more = [*anew, Booking("11.00", text="Late")]
        found = self.receive(files.camt(more))
        self.assertEqual((found.skipped_count, found.created_count), (2, 1))

    def test_reports_of_a_day(self):
        """A report that repeats everything is the same; one that repeats some is in doubt."""
        lunch = Booking("12.00", text="Lunch", end_to_end="")
        self.tell("camt.052", [TWINS[0], lunch])
        self.assertEqual(self.tell("camt.052", [TWINS[0], lunch, TWO[0]]).created_count, 1)
        found = self.tell("camt.052", TWINS[:1])
        self.assertEqual(found.held_count, 1)
        [told] = self.open_exceptions("bank.held")
        self.assertEqual(told.document_id, found.id)
        # the statement of the whole day has the last word
        self.assertEqual(self.tell("camt", [*TWINS, lunch, TWO[0]]).skipped_count, 4)
        self.assert_lines("3.50", "12.00", "10.00")

    def test_back_fill_before_the_start_of_the_feed(self):
        """A feed from Wednesday on; then files from Monday on."""
        days = [
            Booking("5.00", text="Daily takings", end_to_end="", day=DAY + timedelta(days=number),
                    unique_id=f"d{number}")
            for number in range(4)
        ]  # fmt: skip
        self.tell("api", days[2:])
        found = self.receive(files.camt(days))
        self.assertEqual((found.skipped_count, found.created_count), (2, 2))

    def test_doubt_waits_for_a_person(self):
        """The same amount on the same day, and nothing to compare: held, not guessed."""
        unlike = [Booking("10.00", text="Groceries", name="", account="", end_to_end="")]
        self.pull(files.api([Booking("10.00", text="Card 1234", name="", account="")]))
        found = self.receive(files.camt(unlike, message="052", balances=False))
        self.assertEqual((found.held_count, found.created_count), (1, 0))
        [told] = self.open_exceptions("bank.held")
        entry = found.entry_ids
        self.assertIn("Acme Bank", entry.reason_words)
        # told again while it waits, it does not wait twice
        again = self.receive(files.camt([*unlike, TWO[1]], message="052", balances=False))
        self.assertEqual((again.held_count, again.skipped_count), (0, 1))
        entry.with_user(self.bookkeeper).action_dismiss()
        self.assertEqual((entry.state, told.state), ("skipped", "resolved"))
        self.assert_lines("10.00", "-25.50")

    def test_force_one_in(self):
        """A person knows better; it is audited, and told again it stays one."""
        self.receive(files.camt(TWINS[:1]))
        found = self.tell("mt940", TWINS[:1])
        entry = found.entry_ids
        self.assertEqual(entry.state, "skipped")
        entry.with_user(self.bookkeeper).action_force()
        self.assertEqual((entry.state, found.created_count), ("created", 1))
        self.assert_lines("3.50", "3.50")
        event = self.env["finance.audit.event"].sudo().search([("kind", "=", "bank.forced")])
        self.assertEqual((event.res_id, event.user_id), (entry.id, self.bookkeeper))
        self.assertEqual(event.data["amount"], "3.50")
        self.assertEqual(self.tell("mt940", TWINS).skipped_count, 2)
        with self.assertRaises(UserError):
            entry.with_user(self.bookkeeper).action_force()

    def test_a_deleted_line_stays_deleted(self):
        self.receive(files.camt(TWO))
        self.lines().filtered(lambda one: one.amount == 10).unlink()
        found = self.receive(files.camt(TWO))
        self.assertEqual(found.skipped_count, 2)
        self.assert_lines("-25.50")
        domain = [("state", "=", "removed"), ("journal_id", "=", self.journal.id)]
        removed = self.env["finance.bank.entry"].search(domain)
        removed.with_user(self.bookkeeper).action_force()
        self.assert_lines("-25.50", "10.00")

    def test_pending_becomes_booked(self):
        """Announced, announced again, booked with other ids: one line, and a link."""
        ahead = Booking("10.00", status=PENDING, unique_id="p1")
        span = {"start": DAY, "end": DAY}
        first = self.pull(files.api([ahead], **span))
        self.assertEqual(first.pending_count, 1)
        self.assertFalse(self.lines())
        second = self.pull(files.api([Booking(**vars(ahead) | {"unique_id": "p2"})], **span))
        domain = [("state", "=", "pending"), ("journal_id", "=", self.journal.id)]
        pending = self.env["finance.bank.entry"].search(domain)
        self.assertEqual(pending, second.entry_ids)
        booked = self.pull(files.api([Booking("10.00", unique_id="b1")], **span))
        self.assertEqual(booked.created_count, 1)
        self.assertEqual((pending.state, pending.reason["code"]), ("removed", "booked"))
        self.assertEqual(pending.duplicate_of_id, booked.entry_ids)
        self.assert_lines("10.00")

    def test_pending_by_the_ids_of_the_bank(self):
        """Changed while it is pending, booked under another id that names the first; taken back."""
        ahead = Booking("10.00", status=PENDING, unique_id="p1")
        self.pull(files.api([ahead, Booking("8.00", status=PENDING, unique_id="p2")]))
        more = files.api([Booking("12.00", status=PENDING, unique_id="p1", text="With tip")])
        self.pull(more)
        domain = [("state", "=", "pending"), ("journal_id", "=", self.journal.id)]
        pending = self.env["finance.bank.entry"].search(domain)
        self.assertEqual(sorted(pending.mapped("amount")), [8.0, 12.0])
        [booked] = files.api([Booking("12.50", unique_id="b1", text="Other words")]).entries
        told = replace(more, entries=(replace(booked, corrects="p1"),))
        self.assertEqual(self.pull(told).created_count, 1)
        gone = replace(booked, unique_id="", corrects="p2", removes=True, status=INFORMATION)
        self.pull(replace(more, entries=(gone,)))
        self.assertFalse(self.env["finance.bank.entry"].search(domain))
        self.assert_lines("12.50")

    def test_pending_that_vanishes(self):
        span = {"start": DAY, "end": DAY}
        ahead = Booking("10.00", status=PENDING, unique_id="p1")
        found = self.pull(files.api([ahead], **span))
        self.pull(files.api([Booking("-7.00", text="Something else", unique_id="z")], **span))
        self.assertEqual(found.entry_ids.reason["code"], "vanished")
        self.assert_lines("-7.00")

    def test_the_bank_changes_what_was_booked(self):
        self.pull(files.api([Booking("10.00", unique_id="b1")]))
        found = self.pull(files.api([Booking("12.00", unique_id="b1")]))
        self.assertEqual((found.held_count, found.created_count), (1, 0))
        self.assertEqual(found.entry_ids.reason["code"], "changed")
        self.assertTrue(self.open_exceptions("bank.changed"))
        again = self.pull(files.api([Booking("12.00", unique_id="b1")], prefix="again"))
        self.assertEqual((again.held_count, again.skipped_count), (0, 1))
        self.assert_lines("10.00")

    def test_what_a_link_changes_of_a_file(self):
        """The file told it first; the link says another day later: not a second line."""
        self.receive(files.camt([Booking("10.00")]))
        self.pull(files.api([Booking("10.00", unique_id="b1")]))
        later = Booking("10.00", unique_id="b1", day=DAY + timedelta(days=9))
        found = self.pull(files.api([later]))
        self.assertEqual((found.held_count, found.created_count), (1, 0))
        self.assert_lines("10.00")

    def test_the_bank_takes_back_what_was_booked(self):
        self.pull(files.api([Booking("10.00", unique_id="b1")]))
        told = files.api([Booking("10.00", unique_id="")])
        gone = replace(
            told.entries[0], unique_id="", corrects="b1", removes=True, status=INFORMATION,
            booking_date=None, value_date=None, amount=Decimal(0),
        )  # fmt: skip
        found = self.pull(replace(told, entries=(gone,)))
        self.assertEqual(found.entry_ids.reason["code"], "withdrawn")
        self.assertFalse(found.entry_ids.can_force)
        self.assertIn(str(DAY), self.open_exceptions("bank.changed").text)
        never = self.pull(replace(told, entries=(replace(gone, corrects="zz"),)))
        self.assertEqual(never.entry_ids.reason["code"], "gone")
        self.assert_lines("10.00")

    def test_an_id_that_a_bank_gives_twice(self):
        """The promise is broken within one file: both are booked, by their content."""
        content = files.ofx([Booking("1.00", unique_id="x"), Booking("2.00", unique_id="x")])
        self.assertEqual(self.receive(content).created_count, 2)
        self.assertEqual(self.receive(content).skipped_count, 2)

    def test_the_same_id_in_two_journals(self):
        """Ids are unique in an account, not in the world."""
        other = self.new_journal("BNKB", files.SECOND_IBAN)
        content = files.ofx([Booking("1.00", unique_id="x")])
        self.receive(content)
        self.receive(content.replace(files.IBAN.encode(), files.SECOND_IBAN.encode()))
        self.assert_lines("1.00")
        self.assert_lines("1.00", journal=other)

    def test_batch_as_one_and_split(self):
        """A batch of two in camt is two lines; the MT940 of the day has it as one."""
        batch = files.camt([Booking("100.00", end_to_end="")]).replace(
            b"<TxDtls>",
            b'<TxDtls><Refs><EndToEndId>A</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy="USD">60.00'
            b"</Amt></TxAmt></AmtDtls><RmtInf><Ustrd>First</Ustrd></RmtInf></TxDtls><TxDtls>"
            b'<AmtDtls><TxAmt><Amt Ccy="USD">40.00</Amt></TxAmt></AmtDtls>',
            1,
        )
        # the second has its own references behind its amount, as the schema wants them before
        batch = batch.replace(
            b"</AmtDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>", b"</AmtDtls>"
        )
        found = self.receive(batch)
        self.assertEqual(found.created_count, 2, found.refusal_words)
        self.assert_lines("60.00", "40.00")
        again = self.tell("mt940", [Booking("100.00", text="Batch", name="", account="",
                                            end_to_end="")])  # fmt: skip
        self.assertEqual((again.created_count, again.skipped_count), (0, 1))
        self.assert_lines("60.00", "40.00")

    # === LINES THAT NO IMPORT MADE === #

    def enter(self, amount, text, day=DAY):
        """Enter a bank line by hand, as before there were imports."""
        values = {"journal_id": self.journal.id, "date": day, "amount": amount, "payment_ref": text}
        return self.env["account.bank.statement.line"].create(values)

    def test_what_was_entered_by_hand_is_joined(self):
        """One line each, with what the bank says; told again, it is skipped."""
        first = self.enter(10.0, "INV/2026/00017")
        self.enter(7.0, "Not of the bank")
        row = self.tell("camt", TWO)
        self.assertEqual(sorted(self.amounts()), [-25.5, 7.0, 10.0])
        entry = first.finance_entry_id
        self.assertEqual((entry.state, entry.end_to_end_id), ("created", "E1"))
        self.assertEqual(entry.reason_words, "It was in the books already; the two are one line.")
        self.assertEqual(row._joined_count(), 1)
        again = self.tell("mt940", TWO)
        self.assertEqual((again.skipped_count, again.created_count), (2, 0))
        self.assertEqual(len(self.amounts()), 3)

    def test_of_twins_by_hand_each_answers_for_one(self):
        self.enter(3.5, "Coffee at the corner")
        row = self.tell("camt", TWINS)
        self.assertEqual(self.amounts(), [3.5, 3.5])
        self.assertEqual((row._joined_count(), row.created_count), (1, 2))

    def test_what_may_be_entered_by_hand_waits(self):
        line = self.enter(10.0, "Cash desk")
        held = self.tell("camt.052", TWO[:1]).entry_ids
        self.assertEqual((held.state, held.line_id), ("held", line.browse()))
        self.assertIn("without the bank's word", held.reason_words)
        held.with_user(self.bookkeeper).action_dismiss()
        self.assertEqual((held.state, held.line_id), ("created", line))
        self.assertFalse(self.open_exceptions("bank.held"))
        self.assertEqual(self.amounts(), [10.0])
