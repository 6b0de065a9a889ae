import os
from unittest.mock import patch

from odoo.tests import tagged

from .evidence import EvidenceCase


@tagged("post_install", "-at_install")
class TestPartnerMerge(EvidenceCase):
    """Merged partners take references, jobs and exceptions along."""

    def setUp(self):
        super().setUp()
        self.duplicate = self.env["res.partner"].create({"name": "Custommer", "is_company": True})
        self.Ref = self.env["finance.external.ref"]

    def merge(self, *partners, into=None):
        """Merge ``partners`` into the customer."""
        into = into or self.partner
        everyone = self.env["res.partner"].browse([into.id, *(p.id for p in partners)])
        self.env["base.partner.merge.automatic.wizard"]._merge(everyone.ids, into)
        self.env.invalidate_all()

    def test_references_follow(self):
        other = self.duplicate.copy()
        refs = self.Ref._set(self.connector, self.duplicate, "customer", "C-1")
        refs |= self.Ref._set(self.connector, other, "customer", "C-2")
        refs |= self.Ref._set(self.connector, self.partner, "customer", "C-3")
        unrelated = self.Ref._set(self.connector, self._invoice(), "document", "D-1")
        before = unrelated.res_id
        self.merge(self.duplicate, other)
        self.assertEqual(set(refs.mapped("res_id")), {self.partner.id})
        self.assertEqual(self.Ref._find(self.connector, "customer", "C-1"), self.partner)
        self.assertEqual(unrelated.res_id, before)

    def test_jobs_follow(self):
        job = self.make_job(self.duplicate, state="pending")
        invoice_job = self.make_job()
        self.merge(self.duplicate)
        self.assertEqual((job.res_id, job.document_id), (self.partner.id, self.partner.id))
        self.assertEqual(invoice_job.document_id, self.invoice.id)

    def test_exceptions_follow_and_are_found_again(self):
        exception = self.raised(document=self.duplicate, company=self.company_a)
        about_invoice = self.raised(document=self._invoice(self.duplicate))
        self.assertEqual(about_invoice.partner_id, self.duplicate)
        self.merge(self.duplicate)
        self.assertEqual(exception.document_id, self.partner.id)
        self.assertEqual(about_invoice.partner_id, self.partner)
        again = self.raised(document=self.partner, company=self.company_a)
        self.assertEqual((again, again.occurrences), (exception, 2))

    def test_same_exception_of_both_becomes_one(self):
        kept = self.raised(document=self.partner, company=self.company_a)
        merged = self.raised(document=self.duplicate, company=self.company_a)
        self.merge(self.duplicate)
        self.assertEqual((kept.state, kept.occurrences), ("open", 2))
        self.assertEqual(merged.state, "resolved")
        self.assertTrue(merged.ending)

    def test_audit_stays_and_tells_of_the_merge(self):
        event = self.env["finance.audit.event"]._record("test.before", self.duplicate)
        gone = self.duplicate.id
        self.merge(self.duplicate)
        self.assertEqual(event.res_id, gone)
        told = self.events("partner.merged")
        self.assertEqual(told.res_id, self.partner.id)
        self.assertEqual(told.data["merged_ids"], [gone])
        detail = self.env["finance.audit.detail"].search([("event_id", "=", told.id)])
        self.assertEqual(detail._values(), {str(gone): "Custommer"})
        self.assertEqual(detail.partner_id, self.partner)

    def test_details_follow_and_a_merge_needs_no_key(self):
        event = self.env["finance.audit.event"]._record(
            "test.before", detail={"name": "Custommer"}, partner=self.duplicate
        )
        without_key = {"FINANCE_VAULT_KEYS": "", "FINANCE_VAULT_KEY_FILE": ""}
        with patch.dict(os.environ, without_key):
            self.merge(self.duplicate)
        detail = self.env["finance.audit.detail"].search([("event_id", "=", event.id)])
        self.assertEqual(detail.partner_id, self.partner)
        self.assertNotIn("detail", self.events("partner.merged").data)

    def test_archived_partner_leaves_exceptions_reachable(self):
        exception = self.raised(document=self.partner, company=self.company_a)
        self.partner.active = False
        self.env.invalidate_all()
        seen = exception.with_user(self.accountant)
        self.assertEqual(seen.partner_id, self.partner)
        self.assertEqual(seen.document_name, "Customer")
        self.assertEqual(seen.action_open_document()["res_id"], self.partner.id)
        again = self.raised(document=self.partner, company=self.company_a)
        self.assertEqual(again, exception)
