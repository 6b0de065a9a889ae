import hashlib
import os
from unittest.mock import patch

from odoo.tests import new_test_user, tagged

from ..canonical.codec import dump
from ..models.finance_vault import VaultClosed
from ..vault import SealBroken
from .evidence import GROUP, EvidenceCase
from .vendor import KEY, KEY_2

NO_KEY = {"FINANCE_VAULT_KEYS": "", "FINANCE_VAULT_KEY_FILE": ""}


@tagged("post_install", "-at_install")
class TestAuditDetail(EvidenceCase):
    """Names and words of an event: sealed, committed by a digest, erasable."""

    def setUp(self):
        super().setUp()
        self.Event = self.env["finance.audit.event"]
        self.Detail = self.env["finance.audit.detail"]

    def record(self, **values):
        values = {"detail": {"reason": "as agreed by phone"}, "partner": self.partner} | values
        return self.Event._record("test.said", self.invoice, **values)

    def detail_of(self, event):
        return self.Detail.search([("event_id", "=", event.id)])

    def test_the_event_holds_the_digest_and_the_detail_the_words(self):
        event = self.record(data={"amount": "1.00"})
        detail = self.detail_of(event)
        self.assertEqual(detail._values(), {"reason": "as agreed by phone"})
        self.assertEqual(detail.partner_id, self.partner)
        self.assertEqual(detail.company_id, self.invoice.company_id)
        self.assertEqual((detail.kind, bool(detail.at)), ("test.said", True))
        self.assertEqual(event.data, {"amount": "1.00", "detail": detail._digest()})
        self.assertEqual(len(event.data["detail"]), 64)
        self.cr.execute("SELECT row_to_json(e) FROM finance_audit_event e WHERE id = %s", event.ids)
        self.assertNotIn("phone", str(self.cr.fetchone()))
        self.cr.execute("SELECT content_sealed FROM finance_audit_detail")
        self.assertNotIn(b"phone", b"".join(bytes(row[0]) for row in self.cr.fetchall()))

    def test_who_may_reads_the_words_beside_the_event(self):
        event = self.record()
        self.assertIn("as agreed by phone", event.with_user(self.auditor).detail_text)
        self.assertFalse(event.with_user(self.admin).detail_text)
        detail = self.detail_of(event)
        self.assertEqual(detail.content_text, "Reason: as agreed by phone")
        with patch.dict(os.environ, NO_KEY):
            detail.invalidate_recordset()
            self.assertIn("key", detail.content_text)
        detail._erase_personal("request")
        self.env.invalidate_all()
        self.assertFalse(detail.content_text)
        self.assertEqual(detail.erased_words, "The person asked for it")
        self.assertIn("erased on", event.with_user(self.auditor).detail_text)

    def test_equal_words_have_different_digests(self):
        """Else a digest could be found by guessing the words."""
        one, two = self.record(), self.record()
        self.assertNotEqual(one.data["detail"], two.data["detail"])
        plain = hashlib.sha256(dump({"reason": "as agreed by phone"}).encode()).hexdigest()
        self.assertNotIn(plain, (one.data["detail"], two.data["detail"]))

    def test_many_with_two_statements(self):
        rows = [
            {"kind": "test.many", "res_id": number, "detail": {"n": str(number)}}
            if number % 2
            else {"kind": "test.many", "res_id": number}
            for number in range(60)
        ]
        self.env.flush_all()
        self.env["finance.vault"]._vault()
        with self.assertQueryCount(2):
            events = self.Event._record_many(rows)
        for event in events:
            detail = self.detail_of(event)
            self.assertEqual(len(detail), event.res_id % 2)
            if detail:
                self.assertEqual(detail._values(), {"n": str(event.res_id)})
                self.assertEqual(detail._digest(), event.data["detail"])

    def test_digests_of_personal_content_are_salted(self):
        """Else who guesses a street finds it confirmed by the event, also when it is erased."""
        plain = hashlib.sha256(b"4711 Any Street").hexdigest()
        event = self.Event._record_many(
            [{"kind": "test.sent", "data": {"n": 1}, "salted": {"request_digest": plain}}]
        )
        self.assertEqual(event.data["n"], 1)
        self.assertNotIn(plain, str(event.data))
        detail = self.detail_of(event)
        self.assertEqual(detail._values(), {})
        self.assertTrue(detail._confirms("request_digest", plain))
        self.assertFalse(detail._confirms("request_digest", plain[::-1]))
        detail._erase_personal("request")
        self.assertIsNone(detail._confirms("request_digest", plain))

    def test_recorded_apart(self):
        self.Event._record_apart(
            {"kind": "test.apart", "detail": {"who": "N. N."}, "partner_id": self.partner.id}
        )
        event = self.events("test.apart")
        detail = self.detail_of(event)
        self.assertEqual(detail._values(), {"who": "N. N."})
        self.assertEqual(detail._digest(), event.data["detail"])

    def test_nothing_to_say_is_no_detail(self):
        event = self.record(detail={"reason": "", "other": None})
        self.assertFalse(self.detail_of(event))
        self.assertFalse(event.data)

    def test_a_swapped_detail_does_not_open(self):
        one, two = (self.detail_of(self.record()) for _number in range(2))
        self.cr.execute(
            """UPDATE finance_audit_detail AS a SET content_sealed = b.content_sealed
                 FROM finance_audit_detail AS b WHERE a.id = %s AND b.id = %s""",
            [one.id, two.id],
        )
        with self.assertRaises(SealBroken):
            one._values()

    def test_without_a_key_nothing_is_kept_and_nothing_happens(self):
        exception = self.raised()
        words = "Nothing was changed.*An administrator can help.*finance_vault_key_file"
        with (
            patch.dict(os.environ, NO_KEY),
            self.assertRaisesRegex(VaultClosed, words),
            self.cr.savepoint(),
        ):
            exception._close("handled", "as agreed by phone")
        self.assertEqual(exception.state, "open")

    def test_sealed_again_with_a_new_key(self):
        detail = self.detail_of(self.record())
        with patch.dict(os.environ, {"FINANCE_VAULT_KEYS": f"{KEY_2}\n{KEY}"}):
            before = detail._digest()
            self.env["finance.vault"]._reseal_all()
        with patch.dict(os.environ, {"FINANCE_VAULT_KEYS": KEY_2}):
            self.assertEqual(detail._digest(), before)

    def test_no_foreign_keys(self):
        self.cr.execute(
            "SELECT count(*) FROM pg_constraint"
            " WHERE conrelid = 'finance_audit_detail'::regclass AND contype = 'f'"
        )
        self.assertEqual(self.cr.fetchone()[0], 0)

    def test_companies_are_apart(self):
        auditor_b = new_test_user(
            self.env,
            "f_auditor_b",
            f"{GROUP}auditor",
            company_id=self.company_b.id,
            company_ids=[(6, 0, self.company_b.ids)],
        )
        detail = self.detail_of(self.record())
        self.assertFalse(self.Detail.with_user(auditor_b).search([("id", "=", detail.id)]))
