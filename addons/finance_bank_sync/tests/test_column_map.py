"""What the columns of a bank's file are: guessed, corrected by a person, seen, and used again."""

import base64
import io
from datetime import date
from decimal import Decimal

import openpyxl

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from .desk import DeskCommon

CLEAR = (
    b"Buchungstag;Valuta;Betrag;Empf\xc3\xa4nger;Verwendungszweck;IBAN Gegenkonto\n"
    b"13.03.2026;14.03.2026;1.234,50;Alder Trading;Invoice 1;DE75512108001245126199\n"
    b"02.03.2026;02.03.2026;-12,00;Bank;Charges;\n"
)
# Day or month first, and which sign stands before decimals: nobody can know.
OPEN = b"Date,Amount,Text\n02/03/2026,1,first\n03/04/2026,2,second\n"


@tagged("post_install", "-at_install")
class TestColumnMap(DeskCommon):
    """A preview, and the map that comes of it."""

    def preview(self, content, **values):
        wizard = (
            self.env["finance.bank.column.preview"]
            .with_user(self.accountant)
            .create(
                {
                    "file": base64.b64encode(content),
                    "file_name": "bank.csv",
                    "journal_id": self.journal.id,
                    **values,
                }
            )
        )
        wizard._propose()
        return wizard

    def meanings(self, wizard):
        return {column.head: column.meaning for column in wizard.column_ids}

    def test_a_clear_file_needs_no_person(self):
        wizard = self.preview(CLEAR)
        self.assertEqual(
            self.meanings(wizard),
            {
                "Buchungstag": "date",
                "Valuta": "value_date",
                "Betrag": "amount",
                "Empfänger": "name",
                "Verwendungszweck": "text",
                "IBAN Gegenkonto": False,
            },
        )
        self.assertEqual((wizard.order, wizard.mark, wizard.delimiter), ("DMY", ",", ";"))
        self.assertFalse(wizard.questions)
        self.assertTrue(wizard.is_complete)
        for text in ("1,234.50", "2026-03-13", "2026-03-14", "Alder Trading", "-12.00", "Charges"):
            self.assertIn(text, wizard.preview)

    def test_a_person_corrects_and_sees(self):
        wizard = self.preview(CLEAR)
        wizard.column_ids.filtered(lambda c: c.head == "IBAN Gegenkonto").meaning = "party_account"
        self.assertIn("DE75512108001245126199", wizard.preview)
        wizard.negate = True
        self.assertIn("-1,234.50", wizard.preview)
        wizard.column_ids.filtered(lambda c: c.meaning == "date").meaning = False
        self.assertIn("booking date", wizard.questions)
        self.assertFalse(wizard.is_complete)
        with self.assertRaisesRegex(UserError, "booking date"):
            wizard.action_save()

    def test_what_nobody_can_know_is_asked(self):
        wizard = self.preview(OPEN)
        self.assertFalse(wizard.order)
        self.assertIn("order", wizard.questions)
        wizard.order, wizard.mark = "DMY", "."
        self.assertFalse(wizard.questions)
        self.assertIn("2026-04-03", wizard.preview)

    def test_nothing_of_the_file_becomes_html(self):
        wizard = self.preview(CLEAR.replace(b"Charges", b"<script>alert(1)</script>"))
        self.assertNotIn("<script>", wizard.preview)
        self.assertIn("&lt;script&gt;", wizard.preview)

    def test_saved_and_used_again(self):
        """The next file of the bank needs nobody; other banks' files do."""
        self.preview(CLEAR).action_save()
        maps = self.env["finance.bank.column.map"]
        saved = maps._of_journals(self.journal)
        self.assertEqual(len(saved), 1)
        (statement,) = self.statements(saved, CLEAR)
        self.assertEqual((statement.count, str(statement.booked)), (2, "1222.50"))
        imports = self.env["finance.bank.import"].with_user(self.accountant)
        content = CLEAR.replace(b"Invoice 1", b"Invoice 2")
        taken = imports._receive_file("next.csv", content, journal=self.journal)
        self.assertEqual(taken.mapped("state"), ["running"])
        self.assertEqual(taken.journal_ids, self.journal)
        refused = imports._receive_file("other.csv", OPEN, journal=self.journal)
        self.assertEqual(refused.state, "refused")
        self.assertTrue(refused._lacks_columns())

    def statements(self, saved, content):
        from odoo.addons.finance_bank_sync import formats

        return formats.summaries(content, saved._map())

    def test_refused_then_set_up_then_imported(self):
        """The way that the screen goes."""
        (told,) = self.desk._receive("bank.csv", OPEN, self.journal.id)
        self.assertEqual((told["state"], told["columns"]), ("refused", True))
        action = self.desk.set_up_columns(told["id"], self.journal.id)
        wizard = self.env[action["res_model"]].with_user(self.accountant).browse(action["res_id"])
        wizard.write({"order": "DMY", "mark": "."})
        infos = wizard.action_save()["infos"]
        self.assertEqual([one["state"] for one in infos["imports"]], ["running"])
        self.assertEqual(self.desk.imports([infos["imports"][0]["id"]])[0]["total"], 2)

    def test_two_maps_that_both_read_it_are_asked_about(self):
        """One says day first, one month first: the file alone can't tell."""
        for order in ("DMY", "MDY"):
            wizard = self.preview(OPEN, name=order)
            wizard.write({"order": order, "mark": "."})
            wizard.action_save()
        maps = self.env["finance.bank.column.map"]
        self.assertEqual(len(maps._of_journals(self.journal)), 2)
        self.assertFalse(maps._fitting(OPEN, self.journal))
        only = OPEN.replace(b"02/03", b"22/03")
        self.assertEqual(maps._fitting(only, self.journal).name, "DMY")

    def test_a_map_that_reads_nothing_is_refused(self):
        wizard = self.preview(CLEAR)
        wizard.action_save()
        saved = wizard.map_id
        for values in (
            {"column_ids": [(5, 0, 0)]},
            {"head": 3},
            {"journal_ids": [(4, self.journal_of_another_company().id)]},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                saved.sudo().write(values)

    def journal_of_another_company(self):
        other = self.setup_other_company()["company"]
        return self.env["account.journal"].create(
            {"name": "Theirs", "type": "bank", "code": "THRS", "company_id": other.id}
        )

    def test_a_file_that_is_no_table(self):
        for content in (b"", b"hello", b"%PDF-1.4 x", b"PK\x03\x04broken"):
            with self.subTest(content=content), self.assertRaises(UserError):
                self.preview(content)

    def test_of_form(self):
        """As a person does it: a file, and all is filled in."""
        form = Form(self.env["finance.bank.column.preview"].with_user(self.accountant))
        form.file = base64.b64encode(CLEAR)
        self.assertEqual(form.mark, ",")
        self.assertIn("Alder Trading", form.preview)
        form.journal_id = self.journal
        form.save().action_save()
        self.assertTrue(self.env["finance.bank.column.map"]._of_journals(self.journal))

    def test_a_workbook(self):
        """XLSX has dates and numbers of its own: only the columns are asked."""
        book = openpyxl.Workbook()
        for row in (
            ["Statement of account"],
            ["Date", "Amount", "Payee", "Memo"],
            [date(2026, 3, 2), 12.5, "Alder Trading", "first"],
            [date(2026, 3, 13), -1, "Bank", "second"],
        ):
            book.active.append(row)
        file = io.BytesIO()
        book.save(file)
        wizard = self.preview(file.getvalue(), file_name="bank.xlsx")
        self.assertEqual((wizard.delimiter, wizard.head, wizard.first), ("none", 2, 3))
        wizard.column_ids.filtered(lambda column: column.head == "Memo").meaning = "text"
        self.assertIn("2026-03-13", wizard.preview)
        wizard.write({"order": wizard.order or "DMY", "mark": wizard.mark or "."})
        wizard.action_save()
        (statement,) = self.statements(wizard.map_id, file.getvalue())
        self.assertEqual((statement.format, statement.booked), ("xlsx", Decimal("11.5")))

    def test_auditors_change_nothing(self):
        with self.assertRaises(AccessError):
            self.env["finance.bank.column.map"].with_user(self.auditor).create(
                {"name": "x", "order": "DMY", "mark": "."}
            )
        with self.assertRaises(AccessError):
            self.env["finance.bank.column.preview"].with_user(self.auditor).create({})
