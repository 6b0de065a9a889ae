"""From the file to the matched line: what the bank tells beside the text is evidence too."""

from odoo import Command
from odoo.tests import tagged

from . import files
from .common import BankCase
from .files import Booking


@tagged("post_install", "-at_install")
class TestMatchingImport(BankCase):
    def invoice(self, amount, kind="out_invoice", **values):
        partner = self.env["res.partner"].create({"name": f"Partner of {amount}"})
        move = self.env["account.move"].create(
            {
                "move_type": kind,
                "partner_id": partner.id,
                "invoice_date": "2026-02-02",
                "date": "2026-02-02",
                "invoice_line_ids": [
                    Command.create({"name": "x", "price_unit": amount, "tax_ids": False})
                ],
                **values,
            }
        )
        move.action_post()
        return move

    def test_imported_and_matched(self):
        named = self.invoice(7311.17)
        ordered = self.invoice(7322.28, kind="in_invoice", ref="4711-2026-A")
        known = self.invoice(7333.39)
        connector = self.env["finance.connector"].create(
            {"name": "Payments", "provider": "enable_banking",
             "company_ids": [Command.set(self.company.ids)]}
        )  # fmt: skip
        self.env["finance.external.ref"].sudo()._set(connector, ordered, "payment", "PAY-2026-77-1")
        self.env["res.partner.bank"].create(
            {"acc_number": files.PAYER, "partner_id": known.partner_id.id}
        )
        found = self.receive(
            files.camt(
                [
                    Booking("7311.17", text=f"Rg {named.name}", account="", end_to_end=""),
                    Booking("-7322.28", text="SEPA", account="", end_to_end="PAY-2026-77-1"),
                    Booking("7333.39", text="Danke", end_to_end="NOTPROVIDED"),
                    Booking("7344.41", text="nobody knows", account="", name="", end_to_end=""),
                ]
            )
        )
        self.assertEqual(found.created_count, 4)
        matches = self.lines().finance_match_ids
        self.assertEqual(sorted(matches.mapped("amount")), [-7322.28, 7311.17])
        self.assertTrue(all(matches.mapped("automatic")))
        self.assertEqual(
            (named.amount_residual, ordered.amount_residual, known.amount_residual), (0, 0, 7333.39)
        )
        codes = {reason["code"] for match in matches for reason in match.reasons}
        self.assertLessEqual({"ref.id", "ref.full"}, codes)
        silent, unknown = (
            self.lines().filtered(lambda line: not line.is_reconciled).sorted("amount")
        )
        self.assertEqual(
            silent.finance_proposal_ids[0].item_names, known.name, "proposed, not decided"
        )
        self.assertEqual(unknown.finance_proposal_ids.kind, "none")
        self.assertEqual(len(self.open_exceptions("bank.unmatched")), 1)
