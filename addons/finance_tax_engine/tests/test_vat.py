"""VAT numbers: asked, kept as evidence, and what invoices rely on."""

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .vat import BELGIAN, DUTCH, FRENCH, GREEK, VatCommon


class TestVat(VatCommon):
    def check_now(self, partner=None):
        return (partner or self.customer).action_finance_vat_check()

    # === EVIDENCE === #

    def test_a_valid_number_leaves_evidence(self):
        self.customer.write({"street": "2 Rue Centrale", "zip": "44000", "city": "Nantes"})
        notification = self.check_now()
        row = self.checks()
        self.assertEqual(
            (row.status, row.requester, row.name_match, row.address_match),
            ("valid", BELGIAN, "match", "match"),
        )
        self.assertIn(row.request_id, self.sandbox.vendors["vies"].consultations)
        self.assertEqual((row.user_id, row.company_id), (self.env.user, self.company))
        self.assertEqual(self.customer.finance_vat_status, "valid")
        self.assertIn("Valid since", self.customer.finance_vat_words)
        self.assertIn(row.request_id, self.customer.finance_vat_words)
        self.assertEqual(notification["params"]["type"], "success")
        self.assertNotIn("Loire", row.answer_masked)
        event = self.env["finance.audit.event"].search([("kind", "=", "vat.checked")], limit=1)
        self.assertEqual((event.res_model, event.res_id), (row._name, row.id))
        detail = self.env["finance.audit.detail"].sudo().search([("event_id", "=", event.id)])
        self.assertIn("Loire Distribution SAS", detail._values()["answer"])

    def test_evidence_is_never_changed(self):
        self.check_now()
        with self.assertRaisesRegex(UserError, "not changed"):
            self.checks().sudo().write({"status": "invalid"})
        with self.assertRaisesRegex(UserError, "not deleted"):
            self.checks().sudo().unlink()
        self.assertEqual(self.checks().status, "valid")

    def test_an_outage_says_nothing_about_the_number(self):
        self.check_now()
        self.silence(FR="MS_UNAVAILABLE")
        self.env["finance.answer"].sudo().search([]).unlink()
        self.check_now()
        self.assertEqual(self.checks().mapped("status"), ["unknown", "valid"])
        self.assertEqual(self.customer.finance_vat_status, "valid")
        self.age(self.checks()[-1], 31)
        self.assertEqual(self.customer.finance_vat_status, "unknown")
        self.assertIn("not answered", self.customer.finance_vat_words)

    def test_an_old_answer_no_longer_counts(self):
        self.check_now()
        self.age(self.checks(), 31)
        self.assertEqual(self.customer.finance_vat_status, "outdated")

    def test_another_number_is_not_checked(self):
        self.check_now()
        self.customer.vat = "FR44732829320"
        self.assertEqual(self.customer.finance_vat_status, "unchecked")
        self.drain()
        self.assertEqual(self.customer.finance_vat_status, "invalid")

    def test_greece_northern_ireland_and_prefixes(self):
        greek = self.create_customer("AEGEAN FOODS SA", "GR 123.456-783", "gr")
        irish = self.create_customer("Lagan Linen Ltd", "XI123456782", "uk")
        plain = self.create_customer("Elbe Werkzeug GmbH", "123456788", "de")
        swiss = self.create_customer("Alp AG", "CHE-123.456.788 TVA", "ch")
        for partner, vat in ((greek, GREEK), (irish, "XI123456782"), (plain, "DE123456788")):
            self.check_now(partner)
            self.assertEqual(self.checks(vat).status, "valid", vat)
        self.assertFalse(swiss.finance_vat_status)
        with self.assertRaisesRegex(UserError, "VIES or HMRC"):
            self.check_now(swiss)

    def test_british_numbers_go_to_hmrc(self):
        thames = self.create_customer("Thames Books Ltd", "GB123456782", "uk")
        with self.assertRaisesRegex(UserError, "No connector"):
            self.check_now(thames)
        self.create_connector("hmrc", self.company)
        self.check_now(thames)
        row = self.checks("GB123456782")
        self.assertEqual((row.registry, row.status, row.requester), ("hmrc", "valid", ""))
        self.assertIn("without a consultation number", thames.finance_vat_words)
        self.assertEqual(self.questions("hmrc"), [["123456782", ""]])

    def test_without_a_requester_there_is_no_consultation_number(self):
        self.company.vat = False
        self.check_now()
        self.assertEqual((self.checks().status, self.checks().request_id), ("valid", ""))

    def test_a_wrong_requester_is_not_the_customers_fault(self):
        self.company.vat = "BE0000000000"
        self.check_now()
        self.assertEqual(self.checks().status, "unknown")
        self.assertIn("correct your company's VAT number", self.checks().reason)

    def test_two_companies_ask_with_their_own_numbers(self):
        other = self.setup_other_company(name="Amstel")["company"]
        other.country_id = self.env.ref("base.nl")
        self.vies.company_ids |= other
        workflow = self.env["finance.workflow"].create(
            {"connector_id": self.vies.id, "company_id": other.id, "flow": "vat"}
        )
        workflow.setting_ids.filtered(lambda row: row.name == "requester").value = DUTCH
        self.check_now()
        self.check_now(self.customer.with_company(other))
        rows = self.checks()
        self.assertEqual(rows.mapped("requester"), [DUTCH, BELGIAN])
        self.assertEqual(rows.mapped("company_id"), other | self.company)
        self.assertEqual(len(set(rows.mapped("request_id"))), 2)
        seen = self.env["finance.vat.check"].with_user(
            new_test_user(self.env, "only_b", "account.group_account_invoice", company_id=other.id)
        )
        self.assertEqual(seen.search([("vat", "=", FRENCH)]).company_id, other)

    # === SAVING, BULK === #

    def test_saving_asks_nobody_and_checks_later(self):
        partner = self.create_customer("Shannon Software Ltd", "IE1234567FA", "ie")
        self.assertEqual(self.questions(), [])
        self.assertEqual(partner.finance_vat_status, "unchecked")
        self.drain()
        self.assertEqual(partner.finance_vat_status, "valid")

    def test_bulk_keeps_to_the_quota_and_to_the_age(self):
        self.drain()
        self.sandbox.reset()
        names = ("EL123456783", "IE1234567FA", "ESA12345674", "ATU12345675")
        self.workflow.vat_on_save = False
        partners = self.env["res.partner"].union(
            *(self.create_customer(vat, vat, "fr") for vat in names)
        )
        self.workflow.vat_quota = len(self.checks()) + 3
        self.env["finance.workflow"]._cron_check_vat()
        self.drain()
        self.assertEqual(len(self.questions()), 3)
        self.env["finance.workflow"]._cron_check_vat()
        self.drain()
        self.assertEqual(len(self.questions()), 3, "the quota of the day is used up")
        self.workflow.vat_quota = 500
        self.env["finance.workflow"]._cron_check_vat()
        self.env["finance.workflow"]._cron_check_vat()
        self.drain()
        self.assertEqual(len(self.questions()), 4, "each once")
        self.assertEqual(set(partners.mapped("finance_vat_status")), {"valid"})
        self.age(self.env["finance.vat.check"].search([]), 31)
        self.workflow._vat_recheck()
        self.drain()
        self.assertGreaterEqual(len(self.questions()), 8, "asked again after a month")

    # === WHO MAY === #

    def test_permissions(self):
        nobody = new_test_user(self.env, "vat_nobody", "base.group_user")
        auditor = new_test_user(
            self.env, "vat_auditor", "finance_connector_base.group_auditor",
            company_id=self.company.id,
        )  # fmt: skip
        self.check_now()
        with self.assertRaises(AccessError):
            self.checks().with_user(nobody).read(["vat"])
        with self.assertRaisesRegex(UserError, "Only accountants"):
            self.customer.with_user(nobody).action_finance_vat_check()
        self.assertEqual(self.checks().with_user(auditor).status, "valid")
        with self.assertRaisesRegex(UserError, "Only accountants"):
            self.customer.with_user(auditor).action_finance_vat_check()
        with self.assertRaises(AccessError):
            self.env["finance.vat.check"].create(
                {
                    "company_id": self.company.id,
                    "vat": FRENCH,
                    "status": "valid",
                    "checked_at": fields.Datetime.now(),
                }
            )

    def test_erasing_leaves_what_proves_without_the_person(self):
        self.check_now()
        self.invoice().action_post()
        self.drain()
        wizard = self.env["finance.erasure"].create({"partner_id": self.customer.id})
        rows = self.checks()
        wizard.action_erase()
        self.env.invalidate_all()
        for row in rows:
            self.assertEqual((row.status, row.name, row.answer_masked), ("valid", False, False))
            self.assertNotIn(FRENCH[2:-4], row.vat)
            self.assertTrue(row.request_id and row.erased_at)
        self.assertFalse(self.env["finance.vat.supply"].search([("vat", "=", FRENCH)]))

    # === AT POST === #

    def test_valid_is_posted_after_one_question(self):
        moves = self.invoice() | self.invoice()
        moves.action_post()
        self.assertEqual(set(moves.mapped("state")), {"posted"})
        self.assertEqual(len(self.questions()), 1)
        supplies = moves.finance_vat_supply_ids
        self.assertEqual(supplies.check_id, self.checks())
        self.assertEqual(supplies.mapped("amount_goods"), [100.0, 100.0])
        self.assertFalse(self.exceptions(moves[0]))
        self.invoice().action_post()
        self.assertEqual(len(self.questions()), 1, "an answer counts for a month")

    def test_invalid_blocks_with_the_next_step(self):
        self.customer.vat = "FR44732829320"
        move = self.invoice()
        with self.assertRaisesRegex(UserError, "FR44732829320.*is invalid.*Ask the customer"):
            move.action_post()
        self.assertEqual(move.state, "draft")

    def test_missing_blocks(self):
        self.customer.vat = False
        move = self.invoice()
        self.assertIn("no VAT number", move.finance_vat_warning)
        with self.assertRaisesRegex(UserError, "Enter it on the contact"):
            move.action_post()

    def test_invalid_is_posted_by_policy_and_asks_for_a_decision(self):
        self.position.finance_vat_policy = "warn"
        self.customer.vat = "FR44732829320"
        move = self.invoice()
        move.action_post()
        exception = self.exceptions(move, "vat.invalid")
        self.assertTrue(exception.blocks_close)
        self.assertIn("9320). Ask the customer", exception.text)
        move.button_draft()
        self.assertFalse(self.exceptions(move))

    def test_not_checked_by_policy(self):
        self.position.finance_vat_policy = "none"
        self.customer.vat = "FR44732829320"
        move = self.invoice()
        move.action_post()
        self.assertEqual(self.questions(), [])
        self.assertFalse(move.finance_vat_supply_ids)

    def test_unknown_is_posted_and_closes_itself_when_answered(self):
        self.silence(FR="MS_UNAVAILABLE")
        move = self.invoice()
        move.action_post()
        self.assertEqual(move.finance_vat_supply_ids.check_status, "unknown")
        self.assertTrue(self.exceptions(move, "vat.unknown"))
        self.drain()
        self.assertTrue(self.exceptions(move, "vat.unknown"), "still not answered")
        self.silence()
        self.drain(until_due=True)
        self.assertEqual(move.finance_vat_supply_ids.check_status, "valid")
        self.assertFalse(self.exceptions(move))

    def test_an_answer_changes_nothing_of_another_company(self):
        other = self.setup_other_company(name="Amstel")["company"]
        self.vies.company_ids |= other
        self.env["finance.workflow"].create(
            {"connector_id": self.vies.id, "company_id": other.id, "flow": "vat"}
        )
        position = self.position.copy({"company_id": other.id})
        self.silence(FR="MS_UNAVAILABLE")
        mine = self.invoice()
        theirs = self.invoice(company=other, fiscal_position_id=position.id)
        (mine | theirs).action_post()
        for company in (self.company, other):
            self.env["finance.exception"].sudo()._raise(
                "vat.unknown", document=self.customer, company=company
            )
        self.silence()
        self.customer.with_company(self.company).action_finance_vat_check()
        self.assertEqual(mine.finance_vat_supply_ids.check_status, "valid")
        self.assertEqual(theirs.finance_vat_supply_ids.check_status, "unknown")
        self.assertFalse(self.exceptions(mine))
        self.assertTrue(self.exceptions(theirs))
        self.assertEqual(self.exceptions(self.customer).company_id, other)
        self.drain(until_due=True)
        self.assertFalse(self.exceptions(theirs) | self.exceptions(self.customer))

    def test_unknown_that_turns_out_invalid(self):
        self.silence(FR="TIMEOUT")
        self.customer.vat = "FR44732829320"
        move = self.invoice()
        move.action_post()
        self.silence()
        self.drain(until_due=True)
        self.assertEqual(self.exceptions(move).mapped("code"), ["vat.invalid"])

    def test_unknown_refused_by_policy(self):
        self.position.finance_vat_unknown = "refuse"
        self.sandbox.faults.replace([{"kind": "500", "vendor": "vies"}])
        with self.assertRaisesRegex(UserError, "is not known.*Try again later"):
            self.invoice().action_post()

    def test_unknown_refused_where_no_connector_checks(self):
        self.position.finance_vat_unknown = "refuse"
        self.workflow.active = False
        with self.assertRaisesRegex(UserError, "no connector checks it"):
            self.invoice().action_post()

    def test_list_for_the_recapitulative_statement(self):
        self.position.finance_vat_triangular = True
        service = self.env["product.product"].create({"name": "Repair", "type": "service"})
        move = self.invoice()
        move.invoice_line_ids = [
            Command.create({"product_id": service.id, "price_unit": 40.0, "tax_ids": []}),
            Command.create({"name": "By hand", "price_unit": 7.0, "tax_ids": []}),
        ]
        move.action_post()
        move._reverse_moves(cancel=True)
        rows = self.env["finance.vat.supply"].search([("vat", "=", FRENCH)])
        kinds = ("amount_goods", "amount_services", "amount_unknown")
        invoice, credit = rows.sorted("id")
        self.assertEqual([invoice[kind] for kind in kinds], [100.0, 40.0, 7.0])
        self.assertEqual([credit[kind] for kind in kinds], [-100.0, -40.0, -7.0])
        self.assertTrue(invoice.triangular)
        self.assertEqual(invoice.request_id, self.checks().request_id)
        exported = rows.export_data(["vat", "amount_goods", "request_id"])["datas"]
        self.assertIn([FRENCH, 100.0, invoice.request_id], exported)

    def test_proof_of_transport_is_asked_for_until_attached(self):
        self.position.write({"finance_transport_proof": True, "finance_transport_days": 14})
        move = self.invoice(invoice_date=fields.Date.today())
        move.action_post()
        supply = move.finance_vat_supply_ids
        self.env["finance.vat.supply"]._cron_remind()
        self.assertFalse(self.exceptions(move), "not due yet")
        supply.sudo().proof_due = "2026-01-01"
        self.env["finance.vat.supply"]._cron_remind()
        self.env["finance.vat.supply"]._cron_remind()
        self.assertEqual(self.exceptions(move).mapped("code"), ["vat.transport"])
        proof = self.env["ir.attachment"].create({"name": "CMR.pdf", "raw": b"%PDF"})
        supply.proof_ids = proof
        self.assertFalse(self.exceptions(move))
        with self.assertRaises(AccessError):
            supply.amount_goods = 0.0
