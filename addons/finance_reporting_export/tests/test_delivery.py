"""From an entry to the receiver's folder, and back from it: what arrives, what is confirmed."""

import hashlib
import json
from contextlib import closing

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.finance_connector_base.tests.common import drain_jobs

from .common import ExportCase
from .destinations import folder

LANE = "odoo.addons.finance_connector_base.lanes.lane"


@tagged("post_install", "-at_install")
class TestDelivery(ExportCase):
    def setUp(self):
        super().setUp()
        self.path, self.connector = folder(self)
        controller = new_test_user(
            self.env,
            "export_sender",
            groups="account.group_account_user,finance_connector_base.group_controller",
        )
        self.env = self.env(user=controller)
        self.export = self.line("journal_items", split="whole").export_id
        self.export.write({"connector_id": self.connector.id, "format": "csv.gz"})

    def run_it(self):
        run = self.export._start(why="test")
        drain_jobs(self.env)
        return run

    def there(self, run):
        """Return {name: bytes} of what the receiver has of a run."""
        place = self.path / self.export.code / f"{run.number:06d}"
        return {file.name: file.read_bytes() for file in place.iterdir()} if place.exists() else {}

    def again(self):
        drain_jobs(self.env, until_due=True)

    def told(self, run, code):
        """Return the open exception of a code."""
        about = [("document_model", "=", run._name), ("document_id", "=", run.id)]
        return self.env["finance.exception"].sudo().search([*about, ("code", "=", code)])

    def test_the_receiver_has_what_the_manifest_says(self):
        run = self.run_it()
        self.assertEqual(run.state, "delivered")
        found = self.there(run)
        manifest = json.loads(found.pop("datapackage.json"))
        self.assertEqual((manifest["id"], manifest["version"]), (run.uuid, "1"))
        lineage = [json.loads(line) for line in found.pop("openlineage.jsonl").splitlines()]
        self.assertEqual([event["eventType"] for event in lineage], ["START", "COMPLETE"])
        self.assertEqual({one["path"] for one in manifest["resources"]}, set(found))
        for one in manifest["resources"]:
            content = found[one["path"]]
            self.assertEqual(one["bytes"], len(content))
            self.assertEqual(one["hash"], f"sha256:{hashlib.sha256(content).hexdigest()}")
            self.assertEqual(one["finance:rows"], run.rows)
        exchanges = (
            self.env["finance.exchange"]
            .sudo()
            .search([("connector_id", "=", self.connector.id), ("trace_id", "=", run.trace_id)])
        )
        self.assertEqual(exchanges.mapped("outcome"), ["ok"] * len(exchanges))
        self.assertEqual(len(exchanges.filtered(lambda one: one.method == "PUT")), 3)

    def test_sent_again_it_changes_nothing(self):
        run = self.run_it()
        before = {file: file.stat().st_mtime_ns for file in self.path.rglob("*") if file.is_file()}
        run.action_deliver_again()
        self.again()
        self.assertEqual(run.state, "delivered")
        after = {file: file.stat().st_mtime_ns for file in self.path.rglob("*") if file.is_file()}
        self.assertEqual(before, after)

    def test_a_file_of_somebody_else_stops_the_delivery_until_it_is_gone(self):
        place = self.path / self.export.code / "000001"
        place.mkdir(parents=True)
        (place / "openlineage.jsonl").write_bytes(b"{}")
        with mute_logger(LANE):
            run = self.run_it()
        self.assertEqual(run.state, "delivering")
        exception = self.told(run, "export.undelivered")
        self.assertEqual(exception.state, "open")
        self.assertIn("openlineage.jsonl", exception.text)
        (place / "openlineage.jsonl").unlink()
        run.action_deliver_again()
        self.again()
        self.assertEqual(run.state, "delivered")
        self.assertNotEqual(exception.state, "open")

    def test_after_a_restore_numbers_go_on_where_the_receiver_is(self):
        """A number is never told twice with another content, and a person says that it goes on."""
        self.export.feed_ids.sudo().mode = "incremental"
        self.run_it()
        lost = self.path / self.export.code / "000004"
        lost.mkdir()
        (lost / "datapackage.json").write_bytes(b"{}")
        self.entry()
        run = self.run_it()
        self.assertEqual((run.state, run.number), ("overtaken", 0))
        self.assertFalse(any(run.file_ids.filtered("feed").mapped("kept")))
        self.assertIn("batch 4", run.stop_words)
        self.assertFalse((lost.parent / "000002").exists())
        exception = self.told(run, "export.overtaken")
        self.assertEqual(exception.state, "open")
        with self.assertRaisesRegex(UserError, "by hand"):
            self.export._start(why="test", scheduled=True)
        following = self.run_it()
        self.assertEqual((following.state, following.number), ("delivered", 5))
        self.assertEqual(following.step_ids.reason, "overtaken")
        self.assertNotEqual(exception.state, "open")
        self.assertEqual((lost / "datapackage.json").read_bytes(), b"{}")
        self.entry()
        self.assertEqual(self.run_it().step_ids.mode, "incremental")

    def test_what_was_altered_in_the_filestore_does_not_leave(self):
        run = self.export._start(why="test")
        job = (
            self.env["finance.job"]
            .sudo()
            .search([("res_model", "=", run._name), ("res_id", "=", run.id)])
        )
        self.assertEqual(job.operation, "export.build")
        file = type(run.file_ids)
        real = file._file_place

        def altered(record):
            path, identity, key = real(record)
            if record.run_id.state != "delivering":
                return path, identity, key
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
            return path, identity, key

        self.patch(file, "_file_place", altered)
        with mute_logger(LANE):
            drain_jobs(self.env)
        self.assertEqual(run.state, "delivering")
        self.assertTrue(self.told(run, "export.undelivered"))
        self.assertNotIn("datapackage.json", self.there(run))

    def test_a_region_that_was_closed_meanwhile(self):
        run = self.export._start(why="test")
        self.company.sudo().finance_export_regions = "eu-west-1"
        with mute_logger(LANE):
            drain_jobs(self.env)
        self.assertEqual(self.there(run), {})
        self.assertIn("eu-west-1", self.told(run, "export.undelivered").text)
        with self.assertRaises(UserError):
            self.export.company_ids = self.export.company_ids

    def test_a_batch_that_was_stopped_has_its_lineage(self):
        self.patch(type(self.env["finance.export.run"]), "_file_totals", lambda *_arguments: ["x"])
        run = self.run_it()
        self.assertEqual((run.state, self.there(run)), ("failed", {}))
        kept = run.file_ids.filtered("kept")
        self.assertEqual(kept.mapped("name"), ["openlineage.jsonl"])
        with closing(kept._download()) as stream:
            events = [json.loads(line) for line in stream.read().splitlines()]
        self.assertEqual([event["eventType"] for event in events], ["START", "FAIL"])

    # === ACKNOWLEDGEMENT === #

    def confirm(self, run, **answer):
        place = self.path / self.export.code / f"{run.number:06d}" / "ack.json"
        place.write_text(json.dumps(answer))
        self.again()

    def test_delivered_is_what_the_receiver_confirmed(self):
        self.export.acknowledged = True
        run = self.run_it()
        self.assertEqual(run.state, "confirming")
        self.again()
        self.assertEqual(run.state, "confirming")
        data = run.file_ids.filtered("feed")
        self.confirm(run, state="accepted", rows={data.name: data.rows})
        self.assertEqual(run.state, "delivered")

    def test_other_rows_are_not_a_confirmation(self):
        self.export.acknowledged = True
        run = self.run_it()
        data = run.file_ids.filtered("feed")
        self.confirm(run, state="accepted", rows={data.name: data.rows + 1})
        self.assertEqual(run.state, "confirming")
        self.assertIn(data.name, self.told(run, "export.refused").text)

    def test_a_refusal_is_told_in_the_receiver_s_words(self):
        self.export.acknowledged = True
        run = self.run_it()
        self.confirm(run, state="refused", words="The period is closed here.")
        self.assertIn("closed here", self.told(run, "export.refused").text)
        self.assertEqual(run.state, "confirming")
