"""What leaves Odoo says what the journal says: the printed invoice, UBL and Factur-X."""

import re
from collections import defaultdict
from decimal import Decimal

from lxml import etree, html

from odoo import Command
from odoo.tests import tagged

from .hard import HardCommon


def number(text):
    """Return the amount in a text as it is printed."""
    return Decimal(re.sub(r"[^\d.-]", "", text))


@tagged("post_install", "-at_install")
class TestHardExport(HardCommon):
    rounding_method = "round_globally"

    def setUp(self):
        super().setUp()
        self.move = self.posted(
            {"price_unit": 19.99, "quantity": 3},
            {"price_unit": 33.33, "quantity": 2, "discount": 10},
            {"price_unit": 115, "quantity": 1, "tax_ids": [Command.set(self.inside.ids)]},
            {"price_unit": -5, "quantity": 1, "name": "Voucher"},
            {"price_unit": 0, "quantity": 1, "name": "Gift"},
        )
        self.refund = self.move._reverse_moves([{"invoice_date": "2026-04-01"}])
        self.refund.action_post()
        for move in self.move | self.refund:
            self.assert_hard(move)

    def by_rate(self, move):
        """Return {rate in percent: tax in the journal}."""
        totals = defaultdict(Decimal)
        for item in move.line_ids.filtered("tax_line_id"):
            amount = move._finance_decimal(move.direction_sign * item.amount_currency)
            totals[Decimal(str(item.tax_line_id.amount)).normalize()] += amount
        return dict(totals)

    def lines_of(self, move):
        return [move._finance_decimal(line.price_subtotal) for line in move.invoice_line_ids]

    def assert_totals(self, move, xml):
        """Rules BR-CO-10, 13, 14, 15, 16 of EN 16931, and the journal."""
        lines, total = xml["lines"], xml["total"]
        self.assertEqual(sum(lines), total["lines"], "BR-CO-10")
        self.assertEqual(lines, self.lines_of(move))
        self.assertEqual(total["lines"] - total["allowances"] + total["charges"], total["net"])
        self.assertEqual(sum(xml["taxes"].values()), total["tax"], "BR-CO-14")
        self.assertEqual(total["net"] + total["tax"], total["gross"], "BR-CO-15")
        self.assertEqual(total["gross"] - total["paid"], total["due"], "BR-CO-16")
        self.assertEqual(
            {rate: tax for rate, tax in xml["taxes"].items() if tax}, self.by_rate(move)
        )
        for rate, tax in xml["taxes"].items():
            self.assertAlmostEqual(tax, xml["bases"][rate] * rate / 100, delta=Decimal("0.05"))
        self.assertEqual(total["gross"], move._finance_decimal(move.amount_total))

    def test_ubl(self):
        for move in self.move | self.refund:
            text, _errors = self.env["account.edi.xml.ubl_21"]._export_invoice(move)
            self.assert_totals(move, self.read_ubl(etree.fromstring(text)))

    def read_ubl(self, root):
        def amounts(path, node=root):
            return [Decimal(one.text) for one in node.findall(path, namespaces=UBL)]

        def amount(name):
            return sum(amounts(f"cac:LegalMonetaryTotal/cbc:{name}"), Decimal(0))

        taxes, bases = {}, {}
        for part in root.findall("cac:TaxTotal/cac:TaxSubtotal", namespaces=UBL):
            [rate] = amounts("cac:TaxCategory/cbc:Percent", part)
            [taxes[rate.normalize()]] = amounts("cbc:TaxAmount", part)
            [bases[rate.normalize()]] = amounts("cbc:TaxableAmount", part)
        return {
            "lines": amounts("*/cbc:LineExtensionAmount")[1:],
            "taxes": taxes,
            "bases": bases,
            "total": {
                "lines": amount("LineExtensionAmount"),
                "allowances": amount("AllowanceTotalAmount"),
                "charges": amount("ChargeTotalAmount"),
                "net": amount("TaxExclusiveAmount"),
                "tax": sum(amounts("cac:TaxTotal/cbc:TaxAmount")),
                "gross": amount("TaxInclusiveAmount"),
                "paid": amount("PrepaidAmount"),
                "due": amount("PayableAmount"),
            },
        }

    def test_factur_x(self):
        for move in self.move | self.refund:
            text, _errors = self.env["account.edi.xml.cii"]._export_invoice(move)
            self.assert_totals(move, self.read_cii(etree.fromstring(text)))

    def read_cii(self, root):
        def amounts(name, node):
            return [Decimal(one.text) for one in node.findall(f"ram:{name}", namespaces=CII)]

        [settlement] = root.iterfind(".//ram:ApplicableHeaderTradeSettlement", namespaces=CII)
        [summary] = settlement.iterfind(
            "ram:SpecifiedTradeSettlementHeaderMonetarySummation", namespaces=CII
        )

        def amount(name):
            return sum(amounts(name, summary), Decimal(0))

        taxes, bases = {}, {}
        for part in settlement.iterfind("ram:ApplicableTradeTax", namespaces=CII):
            [rate] = amounts("RateApplicablePercent", part)
            [taxes[rate.normalize()]] = amounts("CalculatedAmount", part)
            [bases[rate.normalize()]] = amounts("BasisAmount", part)
        lines = root.iterfind(
            ".//ram:SpecifiedTradeSettlementLineMonetarySummation", namespaces=CII
        )
        return {
            "lines": [one for line in lines for one in amounts("LineTotalAmount", line)],
            "taxes": taxes,
            "bases": bases,
            "total": {
                "lines": amount("LineTotalAmount"),
                "allowances": amount("AllowanceTotalAmount"),
                "charges": amount("ChargeTotalAmount"),
                "net": amount("TaxBasisTotalAmount"),
                "tax": amount("TaxTotalAmount"),
                "gross": amount("GrandTotalAmount"),
                "paid": amount("TotalPrepaidAmount"),
                "due": amount("DuePayableAmount"),
            },
        }

    def test_printed(self):
        for move in self.move | self.refund:
            report = self.env["ir.actions.report"]
            page = html.fromstring(
                report._render_qweb_html("account.report_invoice", move.ids)[0].decode()
            )
            rows = {
                row.xpath("string(td[1])").strip(): number(row.xpath("string(td[last()])"))
                for row in page.xpath("//div[@id='total']//tr")
            }
            shown = {
                f"{kind.title()} Tax": amount for kind, amount in self.amounts_by_kind(move).items()
            }
            self.assertEqual(shown, {name: rows[name] for name in shown})
            self.assertEqual(rows["Untaxed Amount"], move._finance_decimal(move.amount_untaxed))
            self.assertEqual(rows["Total"], move._finance_decimal(move.amount_total))

    def amounts_by_kind(self, move):
        totals = defaultdict(Decimal)
        for key, amount in self.in_journal(move)[0].items():
            totals[key.split("/")[2]] += amount
        return totals


UBL = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
CII = {
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
}
