from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..providers.session import ExchangeRecord
from .vendor import SECRET, ConnectorCase

IBAN = "DE89370400440532013000"
REQUEST = b'{"iban": "%s", "amount": 12.5}' % IBAN.encode()


@tagged("post_install", "-at_install")
class TestExchange(ConnectorCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.controller = new_test_user(
            cls.env, "f_controller", "finance_connector_base.group_controller"
        )

    def exchange(self, **values):
        """Record one exchange the way a provider does."""
        self.enter()
        provider = self.env["finance.operation"]._open_session(self.connector, self.company)
        record = ExchangeRecord(
            **{
                "operation": "write",
                "method": "POST",
                "url": "https://api.acme.example.com/write",
                "outcome": "ok",
                "duration_ms": 12.0,
                "status": 200,
                "request_body": REQUEST,
                **values,
            }
        )
        provider.session.recorder.received(record)
        return self.env["finance.exchange"].search([], limit=1)

    def test_is_masked_for_the_eyes_and_whole_for_the_auditor(self):
        exchange = self.exchange()
        self.assertNotIn(IBAN, exchange.request_masked)
        self.assertIn("••••3000", exchange.request_masked)
        self.assertIn("12.5", exchange.request_masked)
        opened = exchange.with_user(self.auditor)._open_sealed("request")
        self.assertEqual(opened, REQUEST)
        [event] = self.events("payload.opened")
        self.assertEqual((event.user_id, event.res_id), (self.auditor, exchange.id))
        self.assertNotIn(IBAN, str(event.data))

    def test_is_opened_by_controllers_and_auditors_only(self):
        exchange = self.exchange()
        for user in (self.user, self.admin):
            # not assertRaises: its savepoint would take the event back, an own connection does not
            try:
                exchange.with_user(user).action_download_request()
            except AccessError as error:
                self.assertIn("Only a controller or an auditor", str(error))
        denied = self.env["finance.denied.action"].search([("action", "=", "payload.open")])
        self.assertEqual(denied.user_id, self.user | self.admin)
        action = exchange.with_user(self.controller).action_download_request()
        self.assertEqual(action["url"], f"/finance/exchange/{exchange.id}/request")

    def test_nothing_received_is_said(self):
        with self.assertRaisesRegex(UserError, "has no response"):
            self.exchange().with_user(self.controller)._open_sealed("response")

    def test_a_seal_opens_in_its_own_row_only(self):
        first, second = self.exchange(), self.exchange(request_body=b"other")
        self.env.cr.execute(
            "UPDATE finance_exchange SET request_sealed = s.request_sealed"
            " FROM finance_exchange s WHERE s.id = %s AND finance_exchange.id = %s",
            [first.id, second.id],
        )
        with self.assertRaisesRegex(Exception, "doesn't open"):
            second.with_user(self.auditor)._open_sealed("request")

    def test_secrets_of_the_connector_stand_nowhere(self):
        exchange = self.exchange(error_text=f"Bearer {SECRET}", url=f"https://x/?k={SECRET}")
        self.assertNotIn(SECRET, exchange.error_text)
