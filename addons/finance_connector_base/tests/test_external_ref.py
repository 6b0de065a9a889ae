from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestExternalRef(EvidenceCase):
    """This Odoo record is that vendor object."""

    def setUp(self):
        super().setUp()
        self.Ref = self.env["finance.external.ref"]

    def test_set_find_and_of(self):
        ref = self.Ref._set(self.connector, self.invoice, "document", "D-1", "https://a.test/1")
        self.assertEqual(self.Ref._find(self.connector, "document", "D-1"), self.invoice)
        self.assertEqual(self.Ref._of(self.invoice), ref)
        self.assertEqual(self.Ref._of(self.invoice, self.connector), ref)
        self.assertEqual(ref.company_id, self.company_a)
        self.assertEqual(ref.record_name, self.invoice.display_name)
        self.assertEqual(ref.action_open_record()["res_id"], self.invoice.id)
        self.assertIsNone(self.Ref._find(self.connector, "document", "D-2"))
        self.assertFalse(self.Ref._of(self._invoice()))

    def test_noting_it_again_changes_nothing(self):
        first = self.Ref._set(self.connector, self.invoice, "document", 77, "https://a.test/1")
        again = self.Ref._set(self.connector, self.invoice, "document", "77")
        self.assertEqual(first, again)
        self.assertEqual(again.url, "https://a.test/1")
        self.assertEqual(len(self.events("external_ref.set")), 1)

    def test_one_object_belongs_to_one_record(self):
        self.Ref._set(self.connector, self.invoice, "document", "D-1")
        with self.assertRaisesRegex(UserError, "already belongs"), self.cr.savepoint():
            self.Ref._set(self.connector, self._invoice(), "document", "D-1")
        self.Ref._set(self.connector, self._invoice(), "credit note", "D-1")
        with (
            self.assertRaises(IntegrityError),
            mute_logger("odoo.sql_db"),
            self.cr.savepoint(),
        ):
            self.cr.execute(
                "INSERT INTO finance_external_ref"
                " (connector_id, external_type, external_id, res_model, res_id)"
                " VALUES (%s, 'document', 'D-1', 'res.partner', 1)",
                [self.connector.id],
            )

    def test_stays_when_the_record_is_deleted(self):
        move = self._invoice()
        ref = self.Ref._set(self.connector, move, "document", "D-1")
        move.unlink()
        ref.invalidate_recordset()
        self.assertTrue(ref.exists())
        self.assertIn("Deleted", ref.record_name)
        self.assertIsNone(self.Ref._find(self.connector, "document", "D-1"))
        with self.assertRaises(UserError):
            ref.action_open_record()

    def test_archived_partner_is_still_found(self):
        self.Ref._set(self.connector, self.partner, "customer", "C-1")
        self.partner.active = False
        self.assertEqual(self.Ref._find(self.connector, "customer", "C-1"), self.partner)
        self.assertTrue(self.Ref._of(self.partner))

    def test_companies_are_apart_and_nobody_writes(self):
        of_a = self.Ref._set(self.connector, self.invoice, "document", "D-1")
        shared = self.Ref._set(self.connector, self.partner, "customer", "C-1")
        seen = self.Ref.with_user(self.accountant_b).search([])
        self.assertNotIn(of_a, seen)
        self.assertIn(shared, seen)
        with self.assertRaises(AccessError):
            of_a.with_user(self.admin).write({"external_id": "D-2"})
        with self.assertRaises(AccessError):
            of_a.with_user(self.admin).unlink()
