"""Books of a small French or Norwegian company, and readers of the files that are not ours."""

import base64
import os
from itertools import groupby
from pathlib import Path
from unittest import SkipTest
from unittest.mock import patch

from lxml import etree

from odoo import Command, fields
from odoo.tests import TransactionCase, new_test_user

from odoo.addons.finance_connector_base.tests.common import drain_jobs

KEY = "test-1:" + base64.b64encode(b"1" * 32).decode()
ROOT = Path(__file__).parents[3]
SPECS = Path(os.environ.get("FINANCE_SPECS") or ROOT.parent / "shared" / "specs")
GROUP = "finance_connector_base.group_"
CHART = {
    "101000": ("Capital", "equity"),
    "120000": ("Résultat de l'exercice", "equity_unaffected"),
    "401000": ("Fournisseurs", "liability_payable"),
    "411000": ("Clients", "asset_receivable"),
    "445710": ("TVA collectée", "liability_current"),
    "445660": ("TVA déductible", "asset_current"),
    "512000": ("Banque", "asset_cash"),
    "607000": ("Achats", "expense"),
    "707000": ("Ventes", "income"),
}


def schema(folder, name):
    """The XML schema of an authority; skips the test where it is not here."""
    path = SPECS / folder / name
    if not path.exists():
        raise SkipTest(f"optional: {name} is not among the specifications")
    return etree.XMLSchema(etree.parse(path))


class StatutoryCase(TransactionCase):
    """One company with a year before, a year, and a controller and an auditor."""

    country, number, currency = "base.fr", "732 829 320 00074", "base.EUR"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch.dict(os.environ, {"FINANCE_VAULT_KEYS": KEY}))
        for code in ("base.EUR", "base.USD", "base.NOK"):
            cls.env.ref(code).active = True
        cls.company = cls.new_company("Maison", cls.number)
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.accounts = cls.new_accounts(cls.company)
        cls.journals = cls.new_journals(cls.company)
        cls.controller, cls.auditor, cls.accountant = (
            new_test_user(
                cls.env,
                f"statutory_{role}",
                f"{GROUP}{role},account.group_account_readonly",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for role in ("controller", "auditor", "user")
        )
        cls.client = cls.env["res.partner"].create({"name": "Client | Un", "ref": "C\t1"})
        cls.supplier = cls.env["res.partner"].create({"name": "Fournisseur"})
        for partner in (cls.client, cls.supplier):
            partner.property_account_receivable_id = cls.accounts["411000"]
            partner.property_account_payable_id = cls.accounts["401000"]
        cls.tax = cls.new_tax("sale", "445710")

    @classmethod
    def new_company(cls, name, registry):
        company = cls.env["res.company"].create(
            {
                "name": name,
                "country_id": cls.env.ref(cls.country).id,
                "currency_id": cls.env.ref(cls.currency).id,
                "phone": "+47 22 00 00 00",
                "city": "Oslo",
                "street": "Gata 1",
            }
        )
        company.company_registry = registry
        return company

    @classmethod
    def new_accounts(cls, company):
        accounts = cls.env["account.account"].with_company(company)
        made = accounts.create(
            [
                {
                    "name": name,
                    "code": code,
                    "account_type": kind,
                    "company_ids": [Command.set(company.ids)],
                }
                for code, (name, kind) in CHART.items()
            ]
        )
        return dict(zip(CHART, made, strict=True))

    @classmethod
    def new_journals(cls, company):
        made = cls.env["account.journal"].create(
            [
                {"name": name, "code": code, "type": kind, "company_id": company.id}
                for name, code, kind in (
                    ("Ventes", "VT", "sale"),
                    ("Achats", "AC", "purchase"),
                    ("Divers", "OD", "general"),
                )
            ]
        )
        return dict(zip(("sale", "purchase", "general"), made, strict=True))

    @classmethod
    def new_tax(cls, use, account, amount=20.0, **values):
        country = cls.env.ref(cls.country)
        group = cls.env["account.tax.group"].create(
            {"name": "TVA", "company_id": cls.company.id, "country_id": country.id}
        )
        parts = [
            Command.create({"repartition_type": "base"}),
            Command.create({"repartition_type": "tax", "account_id": cls.accounts[account].id}),
        ]
        return cls.env["account.tax"].create(
            {
                "name": f"TVA {amount} {use}",
                "amount": amount,
                "type_tax_use": use,
                "company_id": cls.company.id,
                "country_id": country.id,
                "tax_group_id": group.id,
                "invoice_repartition_line_ids": parts,
                "refund_repartition_line_ids": parts,
                **values,
            }
        )

    # === WHAT IS BOOKED === #

    @classmethod
    def post(cls, day, *lines, currency=None, company=None, journals=None, accounts=None):
        """A posted entry; lines: (account, balance, partner or None, amount in currency)."""
        company = company or cls.company
        accounts = accounts or cls.accounts
        move = (
            cls.env["account.move"]
            .with_company(company)
            .create(
                {
                    "move_type": "entry",
                    "date": day,
                    "journal_id": (journals or cls.journals)["general"].id,
                    "line_ids": [
                        Command.create(
                            {
                                "name": "L'écriture\nà deux\tlignes | ici",
                                "account_id": accounts[code].id,
                                "balance": balance,
                                "partner_id": partner.id if partner else False,
                                **(
                                    {"currency_id": currency.id, "amount_currency": more[0]}
                                    if currency
                                    else {}
                                ),
                            }
                        )
                        for code, balance, partner, *more in lines
                    ],
                }
            )
        )
        move.action_post()
        return move

    @classmethod
    def invoice(cls, day, amounts, kind="out_invoice", tax=None, partner=None, **values):
        """A posted invoice or refund with a line for each amount."""
        sale = kind.startswith("out")
        move = cls.env["account.move"].create(
            {
                "move_type": kind,
                "partner_id": (partner or (cls.client if sale else cls.supplier)).id,
                "invoice_date": day,
                "date": day,
                "journal_id": cls.journals["sale" if sale else "purchase"].id,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Article",
                            "account_id": cls.accounts["707000" if sale else "607000"].id,
                            "price_unit": amount,
                            "quantity": 1,
                            "tax_ids": [Command.set((tax or cls.tax).ids)],
                            **values,
                        }
                    )
                    for amount in amounts
                ],
            }
        )
        move.action_post()
        return move

    @classmethod
    def book_a_year(cls):
        """A year before with a result, then a year: invoices, a refund, dollars, a payment."""
        cls.post("2024-03-01", ("512000", 1000.0, None), ("101000", -1000.0, None))
        cls.post("2024-06-01", ("411000", 120.0, cls.client), ("707000", -120.0, None))
        cls.sold = cls.invoice("2025-02-03", [100.10, 33.33])
        cls.invoice("2025-03-04", [50.0], kind="out_refund")
        cls.paid = cls.post(
            "2025-04-05",
            ("512000", 160.12, None),
            ("411000", -160.12, cls.client),
        )
        receivable = (cls.sold | cls.paid).line_ids.filtered(
            lambda line: line.account_id == cls.accounts["411000"]
        )
        receivable.reconcile()
        usd = cls.env.ref("base.USD")
        cls.post(
            "2025-05-06",
            ("607000", 90.0, None, 100.0),
            ("401000", -90.0, cls.supplier, -100.0),
            currency=usd,
        )

    # === WHAT IS MADE === #

    def export(self, kind, first="2025-01-01", last="2025-12-31", **values):
        return (
            self.env["finance.statutory.export"]
            .with_user(self.controller)
            .create(
                {
                    "kind": kind,
                    "company_id": self.company.id,
                    "date_from": first,
                    "date_to": last,
                    **values,
                }
            )
        )

    def made(self, kind, **values):
        """Return an export that was checked and written."""
        export = self.export(kind, **values)
        export.action_check()
        self.assertEqual(export.state, "ready", self.codes(export))
        export.action_make()
        drain_jobs(self.env)
        self.assertEqual(export.state, "made", self.codes(export))
        return export

    def codes(self, export):
        return set(export.finding_ids.mapped("code"))

    def content(self, export):
        """The bytes, as an auditor downloads them."""
        with export.with_user(self.auditor)._open_file() as file:
            return file.read()

    def ledger(self, company=None, first="2025-01-01", last="2025-12-31"):
        """(items, debit, credit) as the database says, in a query of the test's own."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT count(*), sum(debit)::text, sum(credit)::text FROM account_move_line"
            " WHERE company_id = %s AND parent_state = 'posted' AND account_id IS NOT NULL"
            " AND date BETWEEN %s AND %s",
            ((company or self.company).id, first, last),
        )
        return self.env.cr.fetchone()

    def approve(self, kind, scope, codes):
        """An approved mapping; codes: {record: (code, label)}."""
        mapping = self.env["finance.mapping"].create(
            {"name": f"{scope} {kind}", "kind": kind, "scope": scope, "company_id": self.company.id}
        )
        version = mapping._draft()
        version.line_ids = [
            Command.create({"rule": "record", "res_id": record.id, "code": code, "label": label})
            for record, (code, label) in codes.items()
        ]
        version.sudo().with_context(finance_mapping_step=True).write(
            {"state": "approved", "approved_at": fields.Datetime.now()}
        )
        return version


def as_xml(content, last):
    """A FEC as its XML twin: for the schema of the administration, made from the file alone."""
    head, *lines = [line.split("\t") for line in content.decode().split("\r\n")[:-1]]
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    root = etree.Element("comptabilite")
    year = etree.SubElement(root, "exercice")
    etree.SubElement(year, "DateCloture").text = last
    rows.sort(key=lambda row: row["JournalCode"])
    for code, of_journal in groupby(rows, key=lambda row: row["JournalCode"]):
        of_journal = list(of_journal)
        journal = etree.SubElement(year, "journal")
        etree.SubElement(journal, "JournalCode").text = code
        etree.SubElement(journal, "JournalLib").text = of_journal[0]["JournalLib"]
        for _number, entry in groupby(of_journal, key=lambda row: row["EcritureNum"]):
            _entry(journal, list(entry))
    return etree.fromstring(etree.tostring(root))


def _entry(journal, rows):
    entry, head = etree.SubElement(journal, "ecriture"), rows[0]
    for name in ("EcritureNum", "EcritureDate", "EcritureLib", "PieceRef", "PieceDate",
                 "EcritureLet", "DateLet", "ValidDate"):  # fmt: skip
        value = head[name]
        if name in ("EcritureLet", "DateLet") and not value:
            continue
        if "Date" in name:
            value = f"{value[:4]}-{value[4:6]}-{value[6:]}"
        etree.SubElement(entry, name).text = value
    for row in rows:
        line = etree.SubElement(entry, "ligne")
        side = "Credit" if row["Debit"] == "0,00" else "Debit"
        for name in ("CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib", "Montantdevise",
                     "Idevise", side):  # fmt: skip
            value = row[name].replace(",", ".") if name == side else row[name]
            if value:
                etree.SubElement(line, name).text = value
