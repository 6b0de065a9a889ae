"""Seals, their head outside, verification on screen and the export."""

import io
import os
import tempfile
import zipfile
from pathlib import Path
from unittest.mock import patch

from babel.messages.extract import extract_from_file
from psycopg2 import errors

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..controllers.metrics import metrics_of
from ..evidence import words
from ..evidence.head import read_head
from ..evidence.package import verify_package
from ..evidence.rows import COLUMNS, WINDOW
from ..evidence.seal import Seal
from ..evidence.verify import trust_of
from ..evidence.words import COUNTS, FINDINGS, OUTCOMES, REMARKS
from ..models.finance_audit_seal_watch import CODES, ENOUGH, MAIL
from ..vault import KeyRing
from .evidence import GROUP, EvidenceCase
from .vendor import KEY, KEY_2

INSERT = """
    INSERT INTO finance_audit_event (at, user_id, kind, data, schema_version)
    SELECT now() AT TIME ZONE 'UTC' - %s * interval '1 s', 1, 'test.old', '{}', 1
      FROM generate_series(1, %s)
"""


class SealCase(EvidenceCase):
    """Starts with everything sealed, and no words of it left open."""

    def setUp(self):
        super().setUp()
        self.Event, self.Seal = self.env["finance.audit.event"], self.env["finance.audit.seal"]
        # heads of another test are not those of this chain
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.startPatcher(patch.dict(os.environ, {"FINANCE_EVIDENCE_DIR": folder}))
        self.Event._record("test.first")
        self.Seal._seal()

    def old(self, seconds, count=1):
        """Events of so many seconds ago."""
        self.env.cr.execute(INSERT, [seconds, count])

    def waiting(self):
        """How many of the old events have no seal; what happens by the way has none either."""
        return self.Event.search_count([("kind", "=", "test.old"), ("seal_id", "=", False)])

    def unguarded(self, statement, *values):
        """A statement of the table's owner, who switched the guard off."""
        for table in ("event", "seal"):
            self.cr.execute(f"ALTER TABLE finance_audit_{table} DISABLE TRIGGER USER")
        self.cr.execute(statement, values or None)
        for table in ("event", "seal"):
            self.cr.execute(f"ALTER TABLE finance_audit_{table} ENABLE TRIGGER USER")
        self.env.invalidate_all()

    def opened(self):
        """Codes of the open exceptions about sealing."""
        domain = [("code", "in", list(CODES)), ("state", "=", "open")]
        return set(self.env["finance.exception"].search(domain).mapped("code"))

    def verified(self, user=None):
        """The screen after *Verify*, as a user sees it; by default the auditor."""
        verify = self.env["finance.audit.verify"].with_user(user or self.auditor).create({})
        verify.action_verify()
        return verify


@tagged("post_install", "-at_install")
class TestSealing(SealCase):
    def test_what_is_sealed(self):
        event = self.Event._record("test.seal", self.invoice, data={"amount": "1.00"})
        newest = self.Seal.search([], limit=1)
        self.assertEqual(self.Seal._seal(), 1)
        seal = self.Seal.search([], limit=1)
        self.assertEqual(seal.sequence, newest.sequence + 1)
        self.assertEqual(seal.previous, newest.hash)
        self.assertEqual((seal.count, seal.first_event_id, seal.last_event_id), (1, *event.ids * 2))
        self.assertTrue(seal.is_complete)
        self.assertEqual(seal.key_id, "test-1")
        self.assertEqual(event.seal_id, seal.sequence)
        self.assertEqual(self.Seal._seal(), 0)
        self.assertEqual(seal.action_open_events()["domain"][2], ("seal_id", "=", seal.sequence))

    def test_columns_are_those_that_are_sealed(self):
        """A column that comes later is not sealed; whoever adds one has to decide."""
        stored = {name for name, field in self.Event._fields.items() if field.store}
        stored = {
            name for name in stored if self.Event._fields[name]._module != "finance_test_column"
        }
        self.assertEqual(stored, {*COLUMNS, "seal_id"})
        mine = {name for name, field in self.Seal._fields.items() if field.store}
        self.assertEqual(mine, {*Seal._fields, "id"})

    def test_nobody_changes_a_seal(self):
        for statement in (
            "UPDATE finance_audit_seal SET count = 0",
            "UPDATE finance_audit_seal SET signature = signature",
            "DELETE FROM finance_audit_seal",
            "TRUNCATE finance_audit_seal",
        ):
            with (
                self.subTest(statement=statement),
                self.assertRaises(errors.RestrictViolation),
                mute_logger("odoo.sql_db"),
                self.cr.savepoint(),
            ):
                self.cr.execute(statement)
        seal = self.Seal.sudo().search([], limit=1)
        for attack in (
            lambda: seal.write({"count": 1}),
            seal.unlink,
            seal.copy,
            lambda: seal.create({"sequence": 99}),
        ):
            with self.assertRaises(UserError):
                attack()

    def test_sealed_when_the_window_nears_or_enough_wait(self):
        self.old(100)
        self.Seal._cron_seal()
        self.assertEqual(self.waiting(), 1, "there is time left")
        self.old(200)
        self.Seal._cron_seal()
        self.assertEqual(self.waiting(), 0)
        self.old(1, ENOUGH)
        self.Seal._cron_seal()
        self.assertEqual(self.waiting(), 0)
        self.env["ir.config_parameter"].set_param(WINDOW, "60")
        self.old(200)
        self.Seal._cron_seal()
        self.assertEqual(self.waiting(), 1)


@tagged("post_install", "-at_install")
class TestSealProblems(SealCase):
    def test_no_key(self):
        self.old(400)
        with patch.dict(os.environ, {"FINANCE_VAULT_KEYS": "", "FINANCE_VAULT_KEY_FILE": ""}):
            self.Seal._cron_seal()
            self.assertEqual(self.opened(), {"seal.key", "seal.late"})
            [late] = self.env["finance.exception"].search([("code", "=", "seal.late")])
            self.assertIn("1 audit events are not sealed", late.text)
            self.Seal._cron_seal()
            self.assertEqual(late.occurrences, 1, "said once, not every minute")
        self.Seal._cron_seal()
        self.assertEqual(self.opened(), set())
        self.assertEqual(late.state, "resolved")

    def test_head_can_not_be_kept(self):
        """Events are sealed all the same; the head follows when it can."""
        path = Path(os.environ["FINANCE_EVIDENCE_DIR"]) / "file"
        path.touch()
        self.old(400)
        with patch.dict(os.environ, {"FINANCE_EVIDENCE_DIR": str(path)}):
            self.Seal._cron_seal()
            self.assertEqual(self.opened(), {"seal.head"})
            self.assertEqual(self.waiting(), 0)
        self.Seal._cron_seal()
        self.assertEqual(self.opened(), set())
        newest = self.Seal.search([], limit=1)
        self.assertEqual(read_head(self.Seal._head_path()).sequence, newest.sequence)

    def test_newest_seals_are_gone(self):
        """The head is left as it is, until somebody who found out why accepts it."""
        before = read_head(self.Seal._head_path())
        self.old(400)
        self.Seal._seal()
        ahead = read_head(self.Seal._head_path())
        self.assertEqual(ahead.sequence, before.sequence + 1)
        self.unguarded("DELETE FROM finance_audit_event WHERE seal_id = %s", ahead.sequence)
        self.unguarded("DELETE FROM finance_audit_seal WHERE sequence = %s", ahead.sequence)
        self.Seal._cron_seal()
        self.assertEqual(self.opened(), {"seal.replaced"})
        self.old(401)
        self.Seal._cron_seal()
        self.assertEqual(self.waiting(), 0, "what happens is still sealed")
        self.assertEqual(read_head(self.Seal._head_path()), ahead)
        self.assertIn("is not the one", self.verified().findings)

        settings = self.env["res.config.settings"].with_user(self.admin).sudo().create({})
        self.assertTrue(settings.finance_seal_is_replaced)
        with self.assertRaises(AccessError):
            settings.with_user(self.accountant).sudo(False).action_finance_accept_restore()
        settings.action_finance_accept_restore()
        self.Seal._cron_seal()
        self.assertEqual(self.opened(), set())
        self.assertEqual(self.verified().outcome, "sound")
        facts = self.events("evidence.restored").data
        self.assertEqual((facts["head_before"], facts["goes_on_from"]), (ahead.sequence, 1))
        self.Seal._go_on_after_restore()
        self.assertEqual(len(self.events("evidence.restored")), 1, "there is nothing to accept")

    def test_acknowledging_a_restore_accepts_it(self):
        self.old(400)
        self.Seal._seal()
        self.unguarded("DELETE FROM finance_audit_event WHERE kind = 'test.old'")
        self.unguarded("DELETE FROM finance_audit_seal WHERE sequence = 2")
        self.assertTrue(self.Seal._is_replaced())
        self.env["finance.restore"].sudo().create({"reason": "behind"})
        self.env["finance.restore"]._open()._acknowledge()
        self.assertFalse(self.Seal._is_replaced())
        self.assertEqual(self.events("evidence.restored").data["goes_on_from"], 1)

    def test_head_is_mailed(self):
        mails = self.env["mail.mail"].search([])
        self.Seal._cron_mail_head()
        self.assertEqual(self.env["mail.mail"].search([]), mails, "nobody is named")
        self.env["ir.config_parameter"].set_param(MAIL, "auditor@example.com")
        self.Seal._cron_mail_head()
        mail = self.env["mail.mail"].search([]) - mails
        newest = self.Seal.search([], limit=1)
        self.assertEqual(mail.email_to, "auditor@example.com")
        self.assertIn(newest.hash, mail.body_html)
        self.assertIn(newest.fingerprint, mail.body_html)


@tagged("post_install", "-at_install")
class TestVerify(SealCase):
    def test_in_plain_words(self):
        verify = self.verified()
        self.assertEqual(verify.outcome, "sound", verify.findings)
        self.assertIn("Unbroken", verify.headline)
        self.assertIn("test-1", verify.remarks)
        self.assertIn("The head outside the database", verify.remarks)
        event = self.events("evidence.verified")
        self.assertEqual(event.user_id, self.auditor)
        self.assertEqual(event.data["outcome"], "sound")

    def test_a_changed_event_is_named(self):
        event = self.Event._record("test.seal", self.invoice, data={"amount": "1.00"})
        self.Seal._seal()
        self.unguarded(
            'UPDATE finance_audit_event SET data = \'{"amount": "2.00"}\' WHERE id = %s', event.id
        )
        verify = self.verified()
        self.assertEqual(verify.outcome, "broken")
        self.assertIn(f"Event {event.id} (test.seal", verify.findings)
        last = self.events("evidence.verified")
        self.assertEqual((last.data["first"], last.data["event"]), ("event.changed", event.id))

    def test_keys_come_and_go(self):
        self.Event._record("test.one")
        with patch.dict(os.environ, {"FINANCE_VAULT_KEYS": f"{KEY_2},{KEY}"}):
            self.Seal._seal()
            self.assertEqual(self.Seal.search([], limit=1).key_id, "test-2")
            self.assertEqual(self.verified().outcome, "sound")
        with patch.dict(os.environ, {"FINANCE_VAULT_KEYS": KEY_2}):
            verify = self.verified()
            self.assertEqual(verify.outcome, "sound", verify.findings)
            self.assertIn("a key that is no longer there", verify.remarks)
        self.assertIn("none of the keys to trust", self.verified().findings)

    def test_details_fit_their_events(self):
        event = self.Event._record(
            "test.detail", self.invoice, detail={"reason": "Said so"}, partner=self.partner
        )
        gone = self.Event._record("test.detail", self.invoice, detail={"reason": "Erased"})
        self.Seal._seal()
        self.cr.execute(
            "UPDATE finance_audit_detail SET content_sealed = NULL, erased_at = now()"
            " WHERE event_id = %s",
            [gone.id],
        )
        verify = self.verified()
        self.assertEqual(verify.outcome, "sound", verify.findings)
        self.assertRegex(verify.remarks, r"[1-9]\d* are those that were recorded, 1 were erased")
        self.cr.execute(
            "UPDATE finance_audit_detail SET content_sealed = ("
            "  SELECT content_sealed FROM finance_audit_detail WHERE event_id <> %s"
            "     AND content_sealed IS NOT NULL LIMIT 1) WHERE event_id = %s",
            [event.id, event.id],
        )
        self.assertIn(f"The details of event {event.id}", self.verified().findings or "")

    def test_who_may(self):
        for user in (self.user, self.admin, self.accountant):
            with self.assertRaises(AccessError):
                self.verified(user)
        controller = new_test_user(self.env, "f_controller", f"{GROUP}controller")
        self.assertEqual(self.verified(controller).outcome, "sound")

    def test_every_sentence_can_be_translated(self):
        """Words of the plain folder are found by Odoo's translation export."""
        wanted = {COUNTS, *FINDINGS.values(), *REMARKS.values(), *OUTCOMES.values()}
        found = extract_from_file("odoo.tools.babel:extract_python", words.__file__, {"_": None})
        self.assertFalse(wanted - {sentence for _line, sentence, *_rest in found})


@tagged("post_install", "-at_install")
class TestSealSettings(SealCase):
    def test_how_it_stands(self):
        self.admin.group_ids += self.env.ref("base.group_system")
        settings = self.env["res.config.settings"].with_user(self.admin)
        self.old(10, 3)
        shown = settings.create({})
        self.assertIn("3 events wait for their seal", shown.finance_seal_words)
        self.assertFalse(shown.finance_seal_is_late)
        self.assertEqual(shown.finance_seal_head, str(self.Seal._head_path()))
        self.assertEqual(shown.finance_seal_fingerprint, self.Seal.search([], limit=1).fingerprint)
        self.old(400)
        self.assertTrue(settings.create({}).finance_seal_is_late)
        figures = {metric.name: metric.samples for metric in metrics_of(self.env)}
        self.assertGreaterEqual(figures["finance_audit_unsealed_seconds"][0].value, 400)
        self.assertEqual(
            figures["finance_audit_seal_number"][0].value, self.Seal.search([], limit=1).sequence
        )
        with Form(settings) as form:
            form.finance_seal_window = 15
        form.record.execute()
        self.assertEqual(self.Seal._minutes(), 15)
        facts = self.events("policy.changed").data
        self.assertEqual(facts, {"policy": "seal_window", "before": 5, "after": 15})
        with self.assertRaises(ValidationError):
            settings.create({"finance_seal_window": 0})


@tagged("post_install", "-at_install")
class TestExport(SealCase, HttpCase):
    def setUp(self):
        super().setUp()
        self.auditor.password = "f_auditor"
        self.auditor.group_ids += self.env.ref("account.group_account_readonly")
        self.event = self.Event._record("test.a", self.invoice, trace_id="trace-a", data={"n": 1})
        self.Event._record("test.b", company=self.company_b, trace_id="trace-b")
        self.Event._record("test.again", self.invoice, detail={"reason": "Planted name"})

    def download(self, **values):
        """(response, report, names of what is in the zip) of an export by the auditor of A."""
        export = self.env["finance.audit.export"].with_user(self.auditor).create(values)
        url = export.action_export()["url"]
        self.authenticate("f_auditor", "f_auditor")
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200, response.text[:500])
        path = Path(os.environ["FINANCE_EVIDENCE_DIR"]) / "export.zip"
        path.write_bytes(response.content)
        archive = zipfile.ZipFile(io.BytesIO(response.content))
        self.assertIsNone(archive.testzip())
        return response, verify_package(path, trust_of(KeyRing.from_text(KEY))), archive

    def test_a_period_of_own_companies(self):
        month = {"date_from": fields.Date.today(), "date_to": fields.Date.today()}
        response, report, archive = self.download(scope="period", **month)
        self.assertEqual((report.outcome, report.unsealed), ("sound", 0))
        self.assertRegex(response.headers["Content-Disposition"], r"evidence-.*\.zip")
        lines = archive.read("events.jsonl").decode()
        self.assertIn('"kind":"test.a"', lines)
        self.assertNotIn('"kind":"test.b"', lines)
        self.assertIn("Planted name", archive.read("details.jsonl").decode())
        event = self.events("evidence.exported")
        self.assertEqual((event.user_id, event.data["events"]), (self.auditor, report.events))

    def test_only_the_chosen_companies(self):
        self.auditor.company_ids += self.company_b
        month = {"date_from": fields.Date.today(), "date_to": fields.Date.today()}
        for companies, wanted in (
            (self.company_a, {"test.a"}),
            (self.company_a + self.company_b, {"test.a", "test.b"}),
        ):
            chosen = {"company_ids": [Command.set(companies.ids)]}
            _response, report, archive = self.download(scope="period", **month, **chosen)
            self.assertEqual(report.outcome, "sound")
            lines = archive.read("events.jsonl").decode()
            found = {kind for kind in ("test.a", "test.b") if f'"kind":"{kind}"' in lines}
            self.assertEqual(found, wanted)
        other = self.env["res.company"].create({"name": "Company C"})
        exports = self.env["finance.audit.export"].with_user(self.auditor)
        with self.assertRaises(AccessError):
            exports.create({**month, "company_ids": [Command.set(other.ids)]})

    def test_a_document_and_a_trace(self):
        for values in (
            {"scope": "document", "document": f"account.move,{self.invoice.id}"},
            {"scope": "trace", "trace_id": "trace-a"},
        ):
            _response, report, archive = self.download(**values)
            self.assertEqual(report.outcome, "sound")
            lines = archive.read("events.jsonl").decode()
            self.assertIn('"kind":"test.a"', lines)
            self.assertNotIn('"kind":"test.b"', lines)
            self.assertEqual("test.again" in lines, values["scope"] == "document")

    def test_who_may(self):
        values = {"scope": "trace", "trace_id": "trace-a"}
        for user in (self.user, self.admin, self.accountant):
            with self.assertRaises(AccessError):
                self.env["finance.audit.export"].with_user(user).create(values)
        export = self.env["finance.audit.export"].with_user(self.auditor).create(values)
        new_test_user(self.env, "f_second", f"{GROUP}auditor", company_id=self.company_b.id)
        self.authenticate("f_second", "f_second")
        self.assertEqual(self.url_open(f"/finance/evidence/{export.id}").status_code, 404)
        self.authenticate(None, None)
        self.assertNotIn(
            "zip", self.url_open(f"/finance/evidence/{export.id}").headers["Content-Type"]
        )

    def test_what_can_not_be_exported(self):
        exports = self.env["finance.audit.export"].with_user(self.auditor)
        for values in (
            {"scope": "document"},
            {"scope": "trace"},
            {"scope": "period", "date_from": "2026-02-01", "date_to": "2026-01-01"},
        ):
            with self.assertRaises(ValidationError):
                exports.create(values)
        with self.assertRaisesRegex(UserError, "no event"):
            exports.create({"scope": "trace", "trace_id": "none"}).action_export()
        self.assertIn("account.move", dict(exports._document_models()))

    def test_without_a_key(self):
        exports = self.env["finance.audit.export"].with_user(self.auditor)
        export = exports.create({"scope": "trace", "trace_id": "trace-a"})
        with (
            patch.dict(os.environ, {"FINANCE_VAULT_KEYS": "", "FINANCE_VAULT_KEY_FILE": ""}),
            self.assertRaisesRegex(UserError, "vault has no key"),
        ):
            export.action_export()
