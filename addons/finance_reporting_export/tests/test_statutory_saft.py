"""SAF-T Financial of Norway: valid by its schema, adding up, and translated by approval alone."""

from decimal import Decimal

from lxml import etree

from odoo import Command
from odoo.tests import Form, new_test_user, tagged

from .statutory import StatutoryCase, schema

NS = {"n": "urn:StandardAuditFile-Taxation-Financial:NO"}
XSD = ("saft_no", "Norwegian_SAF-T_Financial_Schema_v_1.30.xsd")


@tagged("post_install", "-at_install")
class TestSaftNo(StatutoryCase):
    country, number, currency = "base.no", "923 609 016", "base.NOK"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reverse = cls.new_reverse()
        cls.book_a_year()
        cls.project = cls.new_project()
        cls.bought = cls.invoice(
            "2025-06-01", [200.0], kind="in_invoice", tax=cls.reverse,
            analytic_distribution={str(cls.project.id): 25.0},
        )  # fmt: skip

    @classmethod
    def new_reverse(cls):
        """A tax that is charged and deducted at once."""
        tax = cls.new_tax("purchase", "445660", 25.0)
        counter = {
            "repartition_type": "tax",
            "factor_percent": -100.0,
            "account_id": cls.accounts["445710"].id,
        }
        more = [Command.create(counter)]
        tax.write({"invoice_repartition_line_ids": more, "refund_repartition_line_ids": more})
        return tax

    @classmethod
    def new_project(cls):
        plan = cls.env["account.analytic.plan"].create({"name": "Prosjekt"})
        return cls.env["account.analytic.account"].create(
            {"name": "Aker", "plan_id": plan.id, "company_id": cls.company.id}
        )

    def map_all(self):
        self.approve(
            "account",
            "saft_no",
            {
                account: ("1920", "balanseverdiForOmloepsmiddel")
                for account in self.accounts.values()
            },
        )
        return self.approve("tax", "saft_no", {self.tax: ("3", ""), self.reverse: ("86", "")})

    def tree(self, export):
        return etree.fromstring(self.content(export))

    def find(self, tree, path):
        return tree.xpath(path.replace("/", "/n:").replace("/n:/n:", "//n:"), namespaces=NS)

    def values(self, tree, path):
        return [element.text for element in self.find(tree, path)]

    def test_the_file(self):
        version = self.map_all()
        export = self.made("saft_no")
        self.assertRegex(export.file_name, r"^SAF-T Financial_923609016_\d{14}\.xml$")
        tree = self.tree(export)
        number, debit, credit = self.ledger()
        entries = "//GeneralLedgerEntries"
        self.assertEqual(self.values(tree, f"{entries}/TotalDebit"), [str(Decimal(debit))])
        self.assertEqual(self.values(tree, f"{entries}/TotalCredit"), [str(Decimal(credit))])
        self.assertEqual(len(self.find(tree, "//Line")), number)
        for side, total in (("Debit", debit), ("Credit", credit)):
            told = self.values(tree, f"//Line/{side}Amount/Amount")
            self.assertEqual(sum(map(Decimal, told)), Decimal(total))
        transactions = self.find(tree, "//Transaction")
        self.assertEqual(self.values(tree, f"{entries}/NumberOfEntries"), [str(len(transactions))])
        self._check_balances(tree)
        self._check_taxes(tree)
        self._check_references(tree)
        self.assertEqual(self.values(tree, "//AnalysisID"), [str(self.project.id)] * 2)
        self.assertEqual(self.values(tree, "//DebitAnalysisAmount/Amount"), ["50.00"])
        self.assertEqual(self.values(tree, "//CurrencyCode"), ["USD", "USD"])
        self.assertEqual(self.values(tree, "//ExchangeRate"), ["0.90000000"] * 2)
        used = self.env["finance.mapping.use"].search([("res_model", "=", export._name)])
        self.assertIn(version, used.version_id)
        self.assertEqual(len(used), 2)

    def _check_balances(self, tree):
        """Opening and closing balances each add up to nothing, and closing is what SQL says."""
        for when in ("Opening", "Closing"):
            total = Decimal(0)
            for side, sign in (("Debit", 1), ("Credit", -1)):
                told = self.values(tree, f"//Account/{when}{side}Balance")
                total += sign * sum(map(Decimal, told))
            self.assertEqual(total, 0, when)
        account = self.find(tree, "//Account[n:AccountID='411000']")[0]
        self.assertEqual(account.find("n:OpeningDebitBalance", NS).text, "120.00")
        party = self.find(tree, "//Customer")[0]
        self.assertEqual(party.find("n:Name", NS).text, "Client | Un")
        balance = party.find("n:BalanceAccount", NS)
        self.assertEqual(
            balance.find("n:ClosingDebitBalance", NS).text,
            account.find("n:ClosingDebitBalance", NS).text,
        )

    def _transaction(self, tree, move):
        [found] = [
            one
            for one in self.find(tree, "//Transaction")
            if one.find("n:TransactionID", NS).text == move.name
        ]
        return found

    def _check_references(self, tree):
        """Every code in an entry is in a master file; the keys of the schema miss its namespace."""
        for name, used, master in (
            ("AccountID", "Line", "Account"),
            ("CustomerID", "Line", "Customer"),
            ("SupplierID", "Line", "Supplier"),
            ("TaxCode", "TaxInformation", "TaxCodeDetails"),
            ("AnalysisID", "Line/Analysis", "AnalysisTypeTableEntry"),
        ):
            told = set(self.values(tree, f"//{used}/{name}"))
            self.assertTrue(told, name)
            self.assertLessEqual(told, set(self.values(tree, f"//{master}/{name}")))

    def _check_taxes(self, tree):
        sold = self._transaction(tree, self.sold)
        told = sold.xpath(".//n:CreditTaxAmount/n:Amount/text()", namespaces=NS)
        tax = sum(self.sold.line_ids.filtered("tax_line_id").mapped("credit"))
        self.assertEqual(sum(map(Decimal, told)), Decimal(f"{tax:.2f}"))
        self.assertEqual(len(told), 2)
        bought = self._transaction(tree, self.bought)
        told = bought.xpath(".//n:DebitTaxAmount/n:Amount/text()", namespaces=NS)
        self.assertEqual(told, ["50.00"])
        codes = self.values(tree, "//TaxCodeDetails/StandardTaxCode")
        self.assertEqual(sorted(codes), ["3", "86"])

    def test_schema(self):
        xsd = schema(*XSD)
        self.map_all()
        export = self.made("saft_no")
        xsd.assertValid(self.tree(export))
        for path, value in (
            ("//StandardTaxCode", "xyz"),
            ("//AccountType", "XX"),
            ("//GLPostingDate", "01.02.2025"),
            ("//TotalDebit", "1,00"),
            ("//Period", "-1"),
        ):
            broken = self.tree(export)
            self.find(broken, path)[0].text = value
            self.assertFalse(xsd.validate(broken), path)

    def test_part_of_a_year_brings_its_result_forward(self):
        self.map_all()
        export = self.made("saft_no", first="2025-03-01", last="2025-12-31")
        tree = self.tree(export)
        self._check_balances_add_up(tree)
        account = self.find(tree, "//Account[n:AccountID='707000']")[0]
        self.assertEqual(account.find("n:OpeningCreditBalance", NS).text, "133.43")
        self.assertIn("part_of_year", self.codes(export))
        if (xsd := schema(*XSD)) is not None:
            xsd.assertValid(tree)

    def _check_balances_add_up(self, tree):
        told = [
            sign * Decimal(value)
            for side, sign in (("Debit", 1), ("Credit", -1))
            for value in self.values(tree, f"//Account/Opening{side}Balance")
        ]
        self.assertEqual(sum(told), 0)

    def test_nothing_is_invented(self):
        """Without an approved mapping for this file nothing is written."""
        export = self.export("saft_no")
        missing = {"unmapped_account", "unmapped_tax"}
        export.action_check()
        self.assertEqual(self.codes(export), missing)
        everything = {account: ("1920", "x") for account in self.accounts.values()}
        self.approve("account", False, everything)
        self.approve("tax", False, {self.tax: ("3", ""), self.reverse: ("86", "")})
        export.action_check()
        self.assertEqual(self.codes(export), missing)
        self.approve("account", "saft_no", {account: ("1920", "") for account in everything})
        self.approve("tax", "saft_no", {self.tax: ("4", ""), self.reverse: ("86", "")})
        export.action_check()
        self.assertEqual(self.codes(export), {"no_category", "other_tax_code"})
        self.assertEqual(export.state, "blocked")
        finding = export.finding_ids.filtered(lambda row: row.code == "other_tax_code")
        self.assertEqual(finding.action_open()["domain"], [("id", "in", self.tax.ids)])

    def test_mapped_from_the_finding(self):
        """The controller enters the codes, another person approves, and the file can be written."""
        export = self.export("saft_no")
        export.action_check()
        for code, entered in (
            ("unmapped_account", ("1920", "balanseverdiForOmloepsmiddel")),
            ("unmapped_tax", ("3", "")),
        ):
            finding = export.finding_ids.filtered(lambda row, code=code: row.code == code)
            self.assertTrue(finding.can_map)
            action = finding.action_map()
            wizard = self.env["finance.mapping.add"].browse(action["res_id"])
            self.assertEqual(wizard.line_ids.missing_id.mapped("res_id"), finding.res_ids)
            wizard = wizard.with_user(self.controller)
            if code == "unmapped_account":
                self.assertIn("101000 Capital", wizard.line_ids.mapped("record_name"))
            wizard.line_ids.write({"code": entered[0], "label": entered[1]})
            wizard.action_confirm()
        mappings = self.env["finance.mapping"].search([("scope", "=", "saft_no")])
        self.assertEqual(mappings.company_id, self.company)
        self.assertEqual(set(mappings.mapped("open_state")), {"submitted"})
        export.action_check()
        self.assertEqual(self.codes(export), {"unmapped_account", "unmapped_tax"})
        self.approver = new_test_user(
            self.env,
            "statutory_approver",
            "finance_connector_base.group_approver,account.group_account_readonly",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        for version in mappings.open_id:
            version.with_user(self.approver).action_approve()
        export.action_check()
        self.assertEqual(export.state, "ready", self.codes(export))
        rows = self.env["finance.mapping.missing"].search([("mapping_id", "in", mappings.ids)])
        self.assertFalse(rows)

    def test_a_wrong_code_is_corrected_from_the_finding(self):
        self.map_all()
        taxes = self.env["finance.mapping"].search(
            [("scope", "=", "saft_no"), ("kind", "=", "tax")]
        )
        draft = taxes._draft()
        draft.line_ids[:1].code = "4"
        draft.sudo().with_context(finance_mapping_step=True).write({"state": "approved"})
        taxes.version_ids.filtered(lambda one: one != draft).sudo().with_context(
            finance_mapping_step=True
        ).write({"state": "superseded"})
        export = self.export("saft_no")
        export.action_check()
        self.assertEqual(self.codes(export), {"other_tax_code"})
        action = export.finding_ids.action_map()
        self.assertEqual(action["res_model"], "finance.mapping.version")
        opened = self.env["finance.mapping.version"].browse(action["res_id"])
        self.assertEqual((opened.mapping_id, opened.state), (taxes, "draft"))

    def test_another_company_proposes_its_own(self):
        other = self.new_company("Autre", "552 100 554")
        other.account_fiscal_country_id = self.env.ref("base.fr")
        other.write({"fiscalyear_last_month": "6", "fiscalyear_last_day": 30})
        self.controller.company_ids |= other
        exports = self.env["finance.statutory.export"].with_user(self.controller)
        companies = [self.company.id, other.id]
        form = Form(exports.with_context(allowed_company_ids=companies))
        self.assertEqual(form.kind, "saft_no")
        form.company_id = other
        self.assertEqual(form.kind, "fec")
        self.assertEqual((form.date_to.month, form.date_to.day), (6, 30))

    def test_company_facts(self):
        self.map_all()
        self.company.write({"company_registry": "923609017", "phone": False})
        export = self.export("saft_no")
        export.action_check()
        self.assertEqual(self.codes(export), {"no_organisation", "no_phone"})
