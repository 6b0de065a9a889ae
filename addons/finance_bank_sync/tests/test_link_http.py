"""Coming back from a bank in a browser: one state, one user, one session, no other address."""

import json
from urllib.parse import urlencode

from odoo.tests import HttpCase, new_test_user, tagged

from .link import BankLinkCommon


@tagged("post_install", "-at_install")
class TestComingBack(BankLinkCommon, HttpCase):
    def setUp(self):
        super().setUp()
        self.listen()
        self.connector = self.make_connector()
        self.treasurer = new_test_user(
            self.env, "treasurer", "finance_connector_base.group_controller,account.group_account_basic",
            company_ids=[(6, 0, self.company.ids)], company_id=self.company.id,
            password="treasurer-password",
        )  # fmt: skip

    def begin(self, connector=None, decision="allow"):
        """Press the button in this browser; return what it brings back from the bank."""
        self.authenticate("treasurer", "treasurer-password")
        wizard = self.open_wizard(connector or self.connector, user=self.treasurer)
        self.env.flush_all()
        call = {"model": wizard._name, "method": "action_continue", "args": [wizard.ids]}
        answer = self.url_open(
            "/web/dataset/call_button",
            data=json.dumps({"params": call | {"kwargs": {}}}),
            headers={"Content-Type": "application/json"},
        ).json()
        self.assertIn("result", answer, answer)
        return self.visit(answer["result"]["url"], decision)

    def back(self, **brought):
        """Come back with these values; return the answer."""
        return self.url_open(f"/finance/bank/consent?{urlencode(brought)}", allow_redirects=False)

    def test_the_way_there_and_back(self):
        brought = self.begin()
        answer = self.back(**brought, redirect="https://evil.example.com", next="//evil.example")
        self.assertEqual(answer.status_code, 303, answer.text)
        wizard = self.env["finance.bank.link.wizard"].sudo().search([], order="id desc", limit=1)
        self.assertTrue(
            answer.headers["Location"].endswith(f"/odoo/finance-bank-linking/{wizard.id}")
        )
        self.assertEqual(len(wizard.line_ids), 3)
        self.assertEqual(wizard.consent_id.user_id, self.treasurer)
        # nobody comes back twice
        again = self.back(**brought)
        self.assertEqual(again.status_code, 400)
        self.assertIn("ended before", again.text)

    def test_another_browser_of_the_same_user(self):
        brought = self.begin()
        self.authenticate("treasurer", "treasurer-password")
        answer = self.back(**brought)
        self.assertEqual(answer.status_code, 400)
        self.assertFalse(self.env["finance.bank.consent"].search([]))

    def test_a_state_that_nobody_gave(self):
        brought = self.begin()
        answer = self.back(state="x" * 64, code=brought["code"])
        self.assertEqual((answer.status_code, "not yours" in answer.text), (400, True))
        self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")

    def test_a_refusal_is_said_in_words_and_safely(self):
        brought = self.begin()
        words = "<script>alert(1)</script>"
        answer = self.back(state=brought["state"], error="access_denied", error_description=words)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("was not allowed", answer.text)
        self.assertNotIn(words, answer.text)

    def test_a_refusal_that_only_the_vendor_tells_of(self):
        brought = self.begin(self.make_connector("plaid"), "refuse")
        answer = self.back(**brought)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("was not allowed. Nothing was changed.", answer.text)
        self.assertFalse(self.env["finance.bank.consent"].search([]))

    def test_who_is_not_signed_in_is_asked_to(self):
        brought = self.begin()
        self.authenticate(None, None)
        answer = self.back(**brought)
        self.assertIn("/web/login", answer.headers["Location"])
