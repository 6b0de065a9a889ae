"""Files that a bank puts somewhere: each is imported once, whole, and put away."""

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import config, mute_logger

from ..models import finance_bank_pickup
from ..transports import PickupError
from .desk import DeskCommon

QIF = b"!Type:Bank\nD2026-03-13\nT%s\nPAlder Trading\nMInvoice 1\n^\n"


@tagged("post_install", "-at_install")
class TestPickup(DeskCommon):
    """A folder on this server, opened in odoo.conf."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        self.incoming = self.root / "incoming"
        self.incoming.mkdir()
        options = {
            "finance_bank_folders": str(self.root),
            "finance_allowed_hosts": "sftp.bank.example",
        }
        self.enterContext(patch.dict(config.options, options))
        self.pickup = self.create(path=str(self.incoming))

    def create(self, **values):
        return self.env["finance.bank.pickup"].create(
            {
                "name": "Bank",
                "company_id": self.company.id,
                "journal_id": self.journal.id,
                "user_id": self.accountant.id,
                **values,
            }
        )

    def put(self, name="a.qif", amount=b"12.50", folder=None):
        (folder or self.incoming).joinpath(name).write_bytes(QIF % amount)

    def look(self, later=True):
        """Look; by default so much later that what was seen before is complete."""
        if later:
            before = fields.Datetime.now() - timedelta(minutes=5)
            waiting = self.pickup.file_ids.filtered(lambda file: file.state == "seen")
            waiting.sudo().seen_at = before
        return self.pickup._look()

    def names(self, below=""):
        folder = self.incoming / below
        return sorted(os.listdir(folder)) if folder.exists() else []

    def test_reads_at_the_second_look(self):
        """A file is read when two looks have found it the same, then moved."""
        self.put()
        self.assertEqual(self.look(), 0)
        self.assertEqual(self.look(later=False), 0)
        self.assertEqual(self.pickup.file_ids.state, "seen")
        self.put(amount=b"13.75")  # somebody was still writing
        os.utime(self.incoming / "a.qif", (1, 1))
        self.assertEqual(self.look(), 0)
        self.assertEqual(self.look(), 1)
        taken = self.pickup.file_ids.filtered(lambda file: file.state == "taken")
        self.assertEqual(taken.import_ids.mapped("source"), ["folder"])
        self.assertEqual(taken.import_ids.user_id, self.accountant)
        self.assertEqual(self.names(), ["done"])
        self.assertEqual(self.names("done"), ["a.qif"])
        self.assertTrue(self.pickup.looked_at)
        self.assertFalse(self.pickup.problem)

    def test_each_content_once(self):
        """The same file under another name is not imported again."""
        self.put()
        self.put("b.qif")
        self.look()
        self.assertEqual(self.look(), 2)
        self.assertEqual(sorted(self.pickup.file_ids.mapped("state")), ["again", "taken"])
        self.assertEqual(len(self.pickup.file_ids.import_ids), 1)
        self.assertEqual(self.names("done"), ["a.qif", "b.qif"])

    def test_remembers_where_it_may_not_move(self):
        self.pickup.after = "remember"
        self.put()
        self.look()
        self.assertEqual([self.look(), self.look()], [1, 0])
        self.assertEqual(self.names(), ["a.qif"])
        self.assertEqual(len(self.pickup.file_ids.import_ids), 1)

    def test_remembered_files_stand_in_nobodys_way(self):
        """A new file is read however many old ones lie there, and they cost no queries."""
        self.pickup.after = "remember"
        with patch.object(finance_bank_pickup, "MOST_AT_ONCE", 2):
            for number in range(5):
                self.put(f"{number}.qif", b"%d.00" % number)
            self.look()
            self.assertEqual([self.look() for _time in range(4)], [2, 2, 1, 0])
        self.env.flush_all()
        few = self.queries()
        for number in range(5, 10):
            self.put(f"{number}.qif", b"%d.00" % number)
        self.look()
        self.look()
        self.env.flush_all()
        self.assertLessEqual(self.queries(), few)

    def queries(self):
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.assertEqual(self.pickup._look(), 0)
        return self.env.cr.sql_log_count - before

    def test_refused_files_are_put_apart(self):
        (self.incoming / "x.pdf").write_bytes(b"%PDF-1.4")
        self.put()
        self.look()
        self.look()
        self.assertEqual((self.names("failed"), self.names("done")), (["x.pdf"], ["a.qif"]))
        refused = self.pickup.file_ids.filtered(lambda file: file.state == "refused")
        self.assertEqual(refused.import_ids.state, "refused")

    def test_a_crash_before_the_move_repeats_nothing(self):
        """The import is safe, the file still lies there: it is only moved."""
        self.put()
        self.look()
        with patch.object(finance_bank_pickup.Folder, "move", side_effect=OSError):
            with self.assertRaises(OSError):
                self.look()
        self.assertEqual(self.names(), ["a.qif"])
        self.look()
        self.assertEqual(len(self.pickup.file_ids.import_ids), 1)
        self.assertEqual(self.names("done"), ["a.qif"])

    def test_names_and_parts(self):
        self.pickup.pattern = "*.qif"
        self.put("a.csv")
        self.put("b.qif.part")
        self.put(".c.qif")
        self.put("d.qif")
        self.look()
        self.assertEqual(self.pickup.file_ids.mapped("name"), ["d.qif"])

    def test_only_opened_folders(self):
        """Neither outside, nor up, nor through a link; and nothing where nothing is opened."""
        (self.root / "link").symlink_to("/etc")
        for path in ("/etc", f"{self.root}/../etc", f"{self.root}/link", "relative"):
            with self.subTest(path=path), self.assertRaises(ValidationError):
                self.create(path=path)
        with patch.dict(config.options, {"finance_bank_folders": ""}):
            self.look()
        self.assertEqual(self.pickup.problem["code"], "closed")

    def test_a_problem_is_told_and_forgotten(self):
        self.incoming.rmdir()
        self.look()
        self.assertIn("is not there", self.pickup.problem_words)
        exceptions = self.env["finance.exception"].search(
            [("code", "=", "bank.pickup"), ("document_id", "=", self.pickup.id)]
        )
        self.assertEqual(exceptions.state, "open")
        with self.assertRaisesRegex(UserError, "is not there"):
            self.pickup.action_look()
        self.incoming.mkdir()
        self.look()
        self.assertFalse(self.pickup.problem)
        self.assertEqual(exceptions.state, "resolved")

    def test_a_place_has_one_pickup(self):
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"):
            self.create(path=str(self.incoming))

    def test_with_the_rights_of_a_person_of_the_company(self):
        other = self.setup_other_company()["company"]
        theirs = self.new_user("desk_theirs", "account.group_account_user", "user", other)
        with self.assertRaisesRegex(ValidationError, "does not work for"):
            self.pickup.user_id = theirs
        self.pickup.user_id = self.auditor
        self.put()
        self.look()
        self.assertEqual(self.look(), 0)
        self.assertIn(self.auditor.name, self.pickup.problem_words)
        self.assertEqual(self.names(), ["a.qif"])
        self.pickup.user_id = False
        self.look()
        self.assertEqual(self.pickup.problem["code"], "person")

    def test_sftp_needs_its_settings(self):
        """A host that odoo.conf knows, and the server's key."""
        values = {"kind": "sftp", "path": "/out", "login": "bank"}
        pinned = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBJQAdmxxhSP6Oxhn7mB9PtAsxDE0XlV0NbnhzTESODR"
        for more in (
            {"host": "sftp.bank.example"},
            {"host": "evil.example", "host_key": pinned},
            {"host": "sftp.bank.example", "host_key": "no key"},
        ):
            with self.subTest(more=more), self.assertRaises(ValidationError):
                self.create(**values, **more)
        sftp = self.create(**values, host="sftp.bank.example", host_key=pinned)
        with self.assertRaises(ValidationError):
            sftp.key = "no key"
        self.pickup = sftp
        self.look()
        self.assertEqual(sftp.problem["code"], "key")
        with (
            patch.object(finance_bank_pickup, "Sftp", side_effect=PickupError("paramiko")),
            patch.object(type(sftp), "_key", return_value="x"),
        ):
            self.look()
        self.assertIn("pip install paramiko", sftp.problem_words)

    def test_the_key_is_never_shown(self):
        try:
            import paramiko
        except ImportError:
            self.skipTest("optional: paramiko is not installed")
        import io

        text = io.StringIO()
        paramiko.ECDSAKey.generate().write_private_key(text)
        self.pickup.key = text.getvalue()
        self.pickup.invalidate_recordset()
        self.assertEqual(self.pickup.key, "••••")
        self.assertEqual(self.pickup._key(), text.getvalue().strip())
        self.pickup.key = "••••"
        self.assertEqual(self.pickup._key(), text.getvalue().strip())
        for user in (self.auditor, self.accountant):
            with self.assertRaises(AccessError):
                self.pickup.with_user(user).read(["key_sealed"])
        self.assertNotIn("key_sealed", self.pickup.with_user(self.auditor).fields_get())

    def test_administrators_alone(self):
        with self.assertRaises(AccessError):
            self.pickup.with_user(self.accountant).write({"path": "/etc"})
        with self.assertRaises(AccessError):
            self.pickup.with_user(self.auditor).action_look()
