"""FEC: what is in it, what is refused, and what other readers say of it."""

from decimal import Decimal
from io import BytesIO

from odoo.exceptions import ValidationError
from odoo.tests import Form, tagged

from odoo.addons.finance_connector_base.tests.common import drain_jobs

from .statutory import StatutoryCase, as_xml, schema

HEAD = (
    "JournalCode JournalLib EcritureNum EcritureDate CompteNum CompteLib CompAuxNum CompAuxLib"
    " PieceRef PieceDate EcritureLib Debit Credit EcritureLet DateLet ValidDate Montantdevise"
    " Idevise"
).split()


@tagged("post_install", "-at_install")
class TestFec(StatutoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.book_a_year()

    def rows(self, content, separator="\t"):
        text = content.decode()
        self.assertTrue(text.endswith("\r\n"))
        head, *lines = [line.split(separator) for line in text[:-2].split("\r\n")]
        self.assertEqual(head, HEAD)
        return [dict(zip(head, line, strict=True)) for line in lines]

    def test_the_file(self):
        export = self.made("fec")
        self.assertEqual(export.file_name, "732829320FEC20251231.txt")
        content = self.content(export)
        rows = self.rows(content)
        items = [row for row in rows if row["JournalCode"] != "OUV"]
        number, debit, credit = self.ledger()
        self.assertEqual(len(items), number)
        for name, total in (("Debit", debit), ("Credit", credit)):
            told = sum(Decimal(row[name].replace(",", ".")) for row in items)
            self.assertEqual(told, Decimal(total))
        self.assertEqual(export.line_count, number)
        # opening balances first, with the result of the year before on its account
        opening = {
            (row["CompteNum"], row["CompAuxNum"]): (row["Debit"], row["Credit"]) for row in rows[:4]
        }
        self.assertEqual(
            opening,
            {
                ("101000", ""): ("0,00", "1000,00"),
                ("120000", ""): ("0,00", "120,00"),
                ("411000", "C 1"): ("120,00", "0,00"),
                ("512000", ""): ("1000,00", "0,00"),
            },
        )
        days = [row["EcritureDate"] for row in rows]
        self.assertEqual(days, sorted(days))
        clients = [row for row in items if row["CompteNum"] == "411000"]
        self.assertEqual({row["CompAuxLib"] for row in clients}, {"Client Un"})
        # the invoice and its payment carry the same letters, the refund none
        letters = {row["EcritureNum"]: row["EcritureLet"] for row in clients}
        self.assertTrue(letters[self.sold.name])
        self.assertEqual(letters[self.sold.name], letters[self.paid.name])
        self.assertEqual(sum(not one for one in letters.values()), 1)
        self.assertTrue(all(bool(row["EcritureLet"]) == bool(row["DateLet"]) for row in rows))
        dollars = {row["CompteNum"]: row["Montantdevise"] for row in items if row["Idevise"]}
        self.assertEqual(dollars, {"607000": "100,00", "401000": "-100,00"})
        self.assertIn("L'écriture à deux lignes ici", {row["EcritureLib"] for row in items})

    def test_the_same_bytes_again(self):
        export = self.made("fec")
        first, digest = self.content(export), export.digest
        export.action_make()
        drain_jobs(self.env)
        self.assertEqual((self.content(export), export.digest), (first, digest))
        # with the other separator the same cells
        other = self.content(self.made("fec", separator="|"))
        self.assertEqual(self.rows(other, "|"), self.rows(first))

    def test_schema_of_the_administration(self):
        xsd = schema("fec", "formatA47A-I-VII-1.xsd")
        content = self.content(self.made("fec"))
        tree = as_xml(content, "2025-12-31")
        xsd.assertValid(tree)
        # planted: an account that is none of the chart, a day that is none
        for path, value in ((".//CompteNum", "ABC"), (".//EcritureDate", "2025-13-01")):
            broken = as_xml(content, "2025-12-31")
            broken.find(path).text = value
            self.assertFalse(xsd.validate(broken), path)

    def test_another_reader(self):
        try:
            from fec_parser.parser import FECParser
        except ImportError:
            self.skipTest("optional: fec-parser is not installed")
        content = self.content(self.made("fec"))
        entries = list(FECParser.from_bytesio(BytesIO(content)).get_ecritures())
        _number, debit, credit = self.ledger()
        items = [entry for entry in entries if entry.journal_code != "OUV"]
        self.assertEqual(sum(entry.debit for entry in items), Decimal(debit))
        self.assertEqual(sum(entry.credit for entry in items), Decimal(credit))
        self.assertEqual(sum(entry.debit - entry.credit for entry in entries), 0)

    def test_an_account_is_renumbered_by_an_approved_mapping(self):
        self.accounts["607000"].code = "K607"
        export = self.export("fec")
        export.action_check()
        self.assertEqual(self.codes(export), {"not_in_plan"})
        # a mapping for every feed is not what the administration asks for
        self.approve("account", False, {self.accounts["607000"]: ("GROUP", "")})
        export.action_check()
        self.assertEqual(export.state, "blocked")
        self.approve("account", "fec", {self.accounts["607000"]: ("607000", "")})
        rows = self.rows(self.content(self.made("fec")))
        self.assertIn("607000", {row["CompteNum"] for row in rows})
        self.assertNotIn("K607", {row["CompteNum"] for row in rows})

    def test_second_company_and_branch(self):
        other = self.new_company("Autre", "552 100 554")
        branch = self.env["res.company"].create({"name": "Filiale", "parent_id": self.company.id})
        self.controller.company_ids = self.company | branch
        before = self.content(self.made("fec"))
        accounts, journals = self.new_accounts(other), self.new_journals(other)
        self.post(
            "2025-07-01", ("512000", 7.0, None), ("101000", -7.0, None),
            company=other, accounts=accounts, journals=journals,
        )  # fmt: skip
        self.assertEqual(self.content(self.made("fec")), before)
        self.assertEqual(self.export("fec").sudo()._entities(), self.company | branch)
        branch.company_registry = "552100554"
        self.assertEqual(self.export("fec").sudo()._entities(), self.company)

    def test_the_encoding_is_chosen_and_what_does_not_fit_is_refused(self):
        usual = self.content(self.made("fec"))
        western = self.content(self.made("fec", encoding="iso8859-15"))
        self.assertIn("Résultat".encode("iso8859-15"), western)
        self.assertEqual(western.decode("iso8859-15"), usual.decode())
        # the next file of this company proposes the same
        form = Form(self.env["finance.statutory.export"].with_user(self.controller))
        self.assertEqual((form.kind, form.encoding), ("fec", "iso8859-15"))
        self.client.name = "Œuvre à 5 €"
        export = self.made("fec", encoding="iso8859-15")
        self.assertIn("Œuvre à 5 €".encode("iso8859-15"), self.content(export))
        self.supplier.name = "Čačak"
        self.sold.ref = "見積"
        self.accounts["512000"].name = "Bancă"
        self.journals["general"].name = "Różne"
        export.action_reset()
        export.action_check()
        self.assertEqual((export.state, self.codes(export)), ("blocked", {"strange_signs"}))
        told = {one.res_model: (one.res_ids, one.words) for one in export.finding_ids}
        for record, signs in (
            (self.supplier, "Č č"), (self.sold, "積 見"), (self.accounts["512000"], "ă"),
            (self.journals["general"], "ż"),
        ):  # fmt: skip
            ids, words = told[record._name]
            self.assertEqual(ids, record.ids)
            self.assertIn(signs, words)
            self.assertIn("ISO 8859-15", words)
        export.encoding = "utf-8"
        export.action_check()
        self.assertEqual(export.state, "ready")

    def test_a_piece_always_has_a_reference(self):
        """The administration wants this column filled, whatever blanks a reference is made of."""
        self.paid.ref = "\t\u00a0"
        rows = self.rows(self.content(self.made("fec")))
        self.assertFalse([row for row in rows if not row["PieceRef"]])

    def test_one_fiscal_year(self):
        with self.assertRaises(ValidationError):
            self.export("fec", first="2024-06-01", last="2025-05-31")

    def test_entries_without_an_amount_leave_no_line(self):
        self.invoice("2025-08-01", [0.0], tax=self.env["account.tax"])
        export = self.made("fec")
        self.assertEqual(self.codes(export), {"empty_entries"})
        _number, debit, _credit = self.ledger()
        self.assertEqual(Decimal(str(export.debit)), Decimal(debit))
