from odoo import Command
from odoo.tests import new_test_user, tagged

from .common import TaxEngineCommon

GROUP = "finance_connector_base.group_"


@tagged("post_install", "-at_install")
class TestCloseCheck(TaxEngineCommon):
    """Invoices of March 2026 whose tax nobody has confirmed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant, cls.auditor = (
            new_test_user(
                cls.env,
                login,
                groups,
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for login, groups in (
                ("tax_accountant", f"{GROUP}user,account.group_account_invoice"),
                ("tax_auditor", f"{GROUP}auditor"),
            )
        )

    def check(self, code="unconfirmed", user=None, month="2026-03"):
        """One answer of the month-end."""
        closes = self.env["finance.close"].with_user(user or self.accountant)
        close = closes.with_company(self.company).create({"month": month})
        return close.check_ids.filtered(lambda check: check.code == f"tax.{code}")

    def opened(self, check):
        """What the button lists."""
        return check.env["account.move"].search(check.action_open()["domain"])

    def post(self, move_type="out_invoice", **values):
        """A posted document."""
        move = self.create_houston_invoice(move_type, **values)
        move.action_post()
        return move

    def test_waiting_recorded_and_taken_back(self):
        move = self.post()
        check = self.check()
        self.assertEqual((check.count, check.standing), (1, "blocking"))
        self.assertAlmostEqual(check.amount, 138.37)
        self.assertEqual(check.oldest, move.date)
        self.assertEqual(self.opened(check), move)
        self.drain()
        self.assertEqual(self.check().standing, "order")
        move.button_draft()
        self.assertEqual(self.check().count, 0)

    def test_fallback_refused_and_differing(self):
        moves = [self.post(invoice_date=f"2026-03-{day:02}") for day in (2, 3, 4)]
        for move, state in zip(moves, ("fallback", "refused", "mismatch"), strict=True):
            move.finance_tax_document_id.sudo().state = state
        check = self.check()
        self.assertEqual(check.count, 3)
        self.assertAlmostEqual(check.amount, 3 * 138.37)
        self.assertEqual(set(self.opened(check)), set(moves))
        self.assertEqual(str(check.oldest), "2026-03-02")

    def test_foreign_currency_and_credit_notes(self):
        currency = self.setup_other_currency("EUR", rates=[("2026-01-01", 0.5)])
        self.post(currency_id=currency.id)
        self.post("out_refund")
        check = self.check()
        self.assertEqual((check.count, check.currency_id), (2, self.company.currency_id))
        self.assertAlmostEqual(check.amount, 2 * 138.37 - 138.37, 2)
        self.assertEqual(len(self.opened(check)), 2)

    def test_other_months_and_companies(self):
        self.post(invoice_date="2026-02-28")
        self.post(invoice_date="2026-04-01")
        other = self.setup_other_company()
        self.set_address(
            other["company"].partner_id, "Irvine", self.env.ref("base.state_us_5"), "92618"
        )
        self.create_connector(other["company"], "SECOND")
        self.post(company_id=other["company"].id, journal_id=other["default_journal_sale"].id)
        self.assertEqual(self.check().count, 0)
        self.assertEqual(self.check(month="2026-02").count, 1)

    def test_an_engine_that_was_changed(self):
        move = self.post()
        self.drain()
        old = move.finance_tax_document_id
        copy = old.sudo().copy({"connector_id": self.connector.copy().id, "state": "voided"})
        self.assertEqual(copy.move_id, move)
        self.assertEqual(self.check().count, 0, "recorded at one of them")

    def test_posted_without_being_asked(self):
        self.workflow.active = False
        move = self.post()
        self.assertFalse(self.check("unasked"), "no engine, no question")
        self.workflow.active = True
        check = self.check("unasked")
        self.assertEqual((check.count, check.standing), (1, "open"))
        self.assertEqual(self.opened(check), move)
        self.env["finance.tax.route"].create(
            {
                "name": "Canada",
                "company_id": self.company.id,
                "connector_id": self.connector.id,
                "country_ids": [Command.set(self.env.ref("base.ca").ids)],
            }
        )
        self.assertEqual(self.check("unasked").count, 0)

    def test_who_may_not_read_invoices_sees_how_many(self):
        self.post()
        check = self.check(user=self.auditor)
        self.assertEqual((check.count, check.may_open), (1, False))

    def test_as_many_queries_for_three_as_for_300(self):
        counts, checks = [], self.env["finance.close.check"].with_user(self.accountant)
        checks = checks.with_company(self.company)
        close = self.env["finance.close"].with_user(self.accountant).with_company(self.company)
        period = close.create({"month": "2026-03"})._period()
        first = self.post()
        for copies in (2, 297):
            self._multiply(first, copies)
            for _time in range(2):
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                answers = {row["code"]: row for row in checks._answered(self.company, period)}
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(*counts)
        self.assertEqual(answers["tax.unconfirmed"]["count"], 300)
        self.assertAlmostEqual(answers["tax.unconfirmed"]["amount"], 300 * 138.37, 2)

    def _multiply(self, move, copies):
        """Copy the rows of an invoice and its tax document, which is quicker than posting."""
        self.env.flush_all()
        for _number in range(copies):
            self.env.cr.execute(
                """
                WITH move AS (
                    INSERT INTO account_move (
                        name, move_type, state, date, company_id, currency_id, journal_id, partner_id,
                        amount_total_signed, auto_post, sequence_number, partner_shipping_id
                    ) SELECT name || '-' || random(), move_type, state, date, company_id, currency_id,
                             journal_id, partner_id, amount_total_signed, auto_post, 0,
                             partner_shipping_id
                        FROM account_move WHERE id = %s RETURNING id)
                INSERT INTO finance_tax_document (
                    move_id, connector_id, company_id, currency_id, state, recorder, uuid
                ) SELECT (SELECT id FROM move), connector_id, company_id, currency_id, state,
                         recorder, gen_random_uuid()
                    FROM finance_tax_document WHERE move_id = %s
                """,
                [move.id, move.id],
            )
        self.env.invalidate_all()
