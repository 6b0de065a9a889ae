"""After a restore, on savepoints here, with real databases and processes in tests/system.

A restore is played by setting the row back that counts: the file beside it stays.
"""

import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..lanes.lane import Lane
from ..lanes.mark import HighWater
from ..providers.errors import Rejected, Transient, Uncertain
from .common import drain_jobs
from .scribe import Scribe, ScribeCase

GROUP = "finance_connector_base.group_"


class RestoreCase(ScribeCase):
    """A folder for marks, and ways to go back in time."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.controller, cls.approver = (
            new_test_user(cls.env, f"f_{role}", f"{GROUP}{role}")
            for role in ("controller", "approver")
        )

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "evidence"
        self.startPatcher(patch.dict("os.environ", {"FINANCE_EVIDENCE_DIR": str(self.folder)}))

    def run_lane(self, until_due=True):
        """A lane that looks back, writes its mark and works until nothing is due."""
        drain_jobs(self.env, until_due=until_due, water=HighWater(self.env))

    def mark(self, columns="number"):
        """Columns of the row that counts."""
        self.env.cr.execute(f"SELECT {columns} FROM finance_mark")
        row = self.env.cr.fetchone()
        return row[0] if len(row) == 1 else row

    def partners(self, count):
        """Records that nothing was sent of yet."""
        return self.env["res.partner"].create([{"name": f"p{n}"} for n in range(count)])

    def send(self, count=1, operation="scribe.write"):
        """Enqueue and send that many."""
        jobs = self.enqueue(operation, record=self.partners(count))
        self.run_lane()
        self.assertEqual(set(jobs.mapped("state")), {"done"})
        return jobs

    def go_back(self, jobs=None, number=None):
        """Restore a dump from before ``jobs`` were sent."""
        self.env.cr.execute(
            "UPDATE finance_job SET state = 'pending', called_at = NULL, done_at = NULL,"
            " attempts = 0, answer_sealed = NULL WHERE id = ANY(%s)", [jobs.ids if jobs else []],
        )  # fmt: skip
        number = self.mark() - len(jobs or []) if number is None else number
        self.env.cr.execute("UPDATE finance_mark SET number = %s", [number])
        self.env.invalidate_all()

    def move(self, part, value):
        """Let the database be another one: change a part of the identity it knows itself by."""
        system, database, table, timeline = self.mark("identity").split("/")
        parts = {"system": system, "database": database, "table": table, "timeline": timeline}
        self.env.cr.execute(
            "UPDATE finance_mark SET identity = %s", ["/".join((parts | {part: value}).values())]
        )

    def forget_file(self):
        """Lose the folder."""
        for file in self.folder.iterdir():
            file.unlink()

    def restores(self):
        """What was found, newest first."""
        return self.env["finance.restore"].search([])

    def told(self, code="restore.detected"):
        """Open exceptions of a code."""
        return self.env["finance.exception"].search([("code", "=", code), ("state", "=", "open")])


@tagged("post_install", "-at_install")
class TestDetection(RestoreCase):
    """What is found, and what is not."""

    def test_counts_before_sending_and_writes_the_file(self):
        self.send(3)
        self.send(1, "scribe.once")
        self.assertEqual(self.mark(), 4)
        (file,) = self.folder.iterdir()
        self.assertIn("00000000000000000004", file.read_text())
        self.assertFalse(self.restores())

    def test_questions_and_local_work_are_not_counted(self):
        self.enqueue("scribe.stamp")
        self.run_lane()
        self.assertEqual(self.mark(), 0)
        self.assertFalse(self.folder.exists())

    def test_older_than_its_file(self):
        self.send(2)
        lost = self.send(3)
        self.go_back(lost)
        Scribe.sent = []
        self.run_lane()
        self.assertEqual(Scribe.sent, [])
        self.assertEqual(set(lost.mapped("situation")), {"held"})
        restore = self.restores()
        facts = restore.mapped(lambda row: (row.reason, row.missing, row.job_count, row.held_count))
        self.assertEqual(facts, [("behind", 3, 3, 3)])
        self.assertIn("3 jobs were taken to be sent", restore.story)
        self.assertIn("3 jobs", self.told().text)
        self.assertEqual(self.told().severity, "critical")
        self.assertEqual(len(self.events("restore.detected")), 1)

    def test_new_work_waits_and_local_work_goes_on(self):
        self.go_back(self.send())
        self.run_lane()
        Scribe.sent = []
        new = self.enqueue(record=self.partners(1))
        local = self.enqueue("scribe.stamp")
        self.run_lane()
        self.assertEqual((new.situation, local.state, Scribe.sent), ("waiting", "done", []))
        self.restores().with_user(self.admin).action_acknowledge()
        self.run_lane()
        self.assertEqual((new.state, len(Scribe.sent)), ("done", 1))

    def test_found_once(self):
        self.go_back(self.send())
        for _run in range(3):
            self.run_lane()
        self.assertEqual(len(self.restores()), 1)
        self.assertEqual(self.told().occurrences, 1)

    def test_restored_again_before_anybody_acknowledged(self):
        first, second = self.send(), self.send()
        self.go_back(second)
        self.run_lane()
        self.restores().with_user(self.admin).action_acknowledge()
        more = self.send()
        # The dump is from before the acknowledgement: it knows the first restore as open.
        self.env.cr.execute("UPDATE finance_mark SET held = true")
        self.env.cr.execute("UPDATE finance_restore SET acknowledged_at = NULL")
        self.go_back(first | more, number=1)
        self.run_lane()
        self.assertEqual(set((first | more).mapped("situation")), {"held"})
        self.assertEqual(len(self.restores()), 2)
        self.restores()[0].with_user(self.admin).action_acknowledge()
        self.assertTrue(all(self.restores().mapped("acknowledged_at")))
        self.assertEqual(self.mark("held"), False)

    def test_states(self):
        """What may be sent is held, whoever would press what; an answer is still taken over."""
        self.send()
        Scribe.failures = [Rejected("no", code="C1")]
        dead = self.enqueue(record=self.partners(1))
        self.run_lane()
        Scribe.failures = [Uncertain("no answer")]
        unknown = self.enqueue("scribe.blind", record=self.partners(1))
        self.run_lane()
        jobs = self.enqueue(record=self.partners(3)) | self.enqueue(
            "scribe.once", record=self.partners(1)
        )
        calling, answered, pending, once = jobs
        self.env.cr.execute(
            "UPDATE finance_job SET state = 'calling', worker = 999 WHERE id = ANY(%s)",
            [(calling | once).ids],
        )
        answer = (
            self.env["finance.vault"]
            ._vault()
            .seal(b'{"text": "THERE"}', "finance.job", answered.uuid, "answer")
        )
        self.env.cr.execute(
            "UPDATE finance_job SET state = 'answered', answer_sealed = %s WHERE id = %s",
            [answer, answered.id],
        )
        self.go_back(number=0)
        Scribe.sent = []
        self.run_lane()
        self.assertEqual(Scribe.sent, [])
        held = calling | pending | once | unknown | dead
        self.assertEqual(set(held.mapped("situation")), {"held"})
        self.assertEqual((calling.state, once.state), ("pending", "uncertain"))
        self.assertEqual(answered.state, "done")
        self.assertIn("THERE", answered.record.comment)

    def test_copy(self):
        self.send()
        waiting = self.enqueue(record=self.partners(1))
        self.move("database", "1")
        self.forget_file()
        self.run_lane()
        self.assertEqual((waiting.situation, self.restores().reason), ("held", "elsewhere"))

    def test_copy_beside_the_original_says_how_far_that_one_is(self):
        self.send()
        (file,) = self.folder.iterdir()
        uuid, _oid, suffix = file.name.split(".")
        file.rename(file.with_name(f"{uuid}.1.{suffix}"))
        self.move("database", "1")
        self.env.cr.execute("UPDATE finance_mark SET number = 0")
        self.enqueue(record=self.partners(1))
        self.run_lane()
        self.assertEqual((self.restores().reason, self.restores().missing), ("elsewhere", 1))

    def test_moved_to_another_server(self):
        self.send()
        self.move("system", "7")
        self.run_lane()
        self.assertEqual(self.restores().reason, "elsewhere")

    def test_restored_without_a_file(self):
        for part in ("table", "timeline"):
            with self.subTest(part=part):
                self.send()
                self.move(part, "1")
                self.forget_file()
                self.run_lane()
                self.assertEqual(self.restores()[0].reason, "rebuilt")
                self.restores().with_user(self.admin).action_acknowledge()

    def test_nothing_was_sent_since(self):
        """A dump restored in place, or a standby that took over, with the file to prove it."""
        self.send()
        self.move("table", "1")
        self.run_lane()
        self.move("timeline", "00000009")
        self.run_lane()
        self.assertFalse(self.restores())
        self.send()

    def test_only_the_file_is_lost(self):
        """A container without a volume: work goes on, and people are told."""
        self.send()
        self.forget_file()
        self.send()
        self.assertFalse(self.restores())
        self.assertEqual(len(self.told("restore.mark_lost")), 1)
        self.send()
        self.assertEqual(self.told("restore.mark_lost").occurrences, 1)

    def test_copy_of_what_never_sent_anything(self):
        self.enqueue("scribe.stamp")
        self.run_lane()
        self.move("database", "1")
        self.run_lane()
        self.assertFalse(self.restores())
        self.move("database", "2")
        waiting = self.enqueue(record=self.partners(1))
        self.run_lane()
        self.assertEqual(waiting.situation, "held")

    def test_folder_can_not_be_written(self):
        self.folder.parent.mkdir(exist_ok=True)
        self.folder.write_text("in the way")
        job, local = self.enqueue(), self.enqueue("scribe.stamp", record=self.partners(1))
        self.run_lane()
        self.assertEqual((job.state, job.attempts, job.called_at), ("pending", 0, False))
        self.assertEqual((local.state, Scribe.sent), ("done", []))
        self.assertIn(str(self.folder), self.told("restore.no_mark").text)
        self.folder.unlink()
        self.run_lane()
        self.assertEqual(job.state, "done")
        self.assertFalse(self.told("restore.no_mark"))

    def test_file_can_not_be_written_in_mid_run(self):
        job, local = self.enqueue(), self.enqueue("scribe.stamp", record=self.partners(1))
        full = patch.object(HighWater, "write", side_effect=OSError(28, "No space left on device"))
        with full:
            self.run_lane()
        self.assertEqual((job.state, job.attempts, job.called_at), ("pending", 0, False))
        self.assertEqual((local.state, Scribe.sent), ("done", []))
        self.assertIn("No space left on device", self.told("restore.no_mark").text)
        self.run_lane()
        self.assertEqual(job.state, "done")
        self.assertFalse(self.told("restore.no_mark"))

    def test_restored_under_a_running_lane(self):
        """The file is read before each claim, not only when a lane starts."""
        self.send()
        water = HighWater(self.env)
        lane = Lane(self.env(user=1, su=True), inline=True, water=water)
        self.addCleanup(lane.close)
        lane.look_back()
        job = self.enqueue(record=self.partners(1))
        water.write(9)
        Scribe.sent = []
        lane.turn()
        self.assertEqual((job.state, Scribe.sent), ("pending", []))
        self.run_lane()
        self.assertEqual((job.situation, self.restores().reason), ("held", "behind"))

    def test_neutralised_copy(self):
        job = self.enqueue(record=self.partners(1))
        self.send()
        with open(Path(__file__).parent.parent / "data" / "neutralize.sql") as statements:
            self.env.cr.execute(statements.read())
        self.go_back(number=0)
        self.forget_file()
        self.env.cr.execute("SELECT held_reason FROM finance_job WHERE id = %s", [job.id])
        self.run_lane()
        self.assertFalse(self.restores())
        self.assertEqual(self.mark("held"), False)


@tagged("post_install", "-at_install")
class TestDecisions(RestoreCase):
    """What people do about it, and who may."""

    def held(self, count=1, operation="scribe.write", sent=True):
        """Jobs that are held; the vendor has them, or not."""
        jobs = self.send(count, operation)
        self.go_back(jobs)
        self.run_lane()
        if not sent:
            Scribe.sent = []
        self.assertEqual(set(jobs.mapped("situation")), {"held"})
        return jobs

    def acknowledge(self):
        self.env["finance.restore"]._open().with_user(self.admin).action_acknowledge()

    def test_release(self):
        jobs = self.held(3, sent=False)
        self.acknowledge()
        self.run_lane()
        self.assertEqual(Scribe.sent, [])
        jobs.with_user(self.approver).action_release()
        self.run_lane()
        self.assertEqual(set(jobs.mapped("state")), {"done"})
        self.assertEqual(len(Scribe.sent), 3)
        self.assertEqual(len(self.events("job.released")), 3)
        self.assertEqual(self.events("job.released").user_id, self.approver)

    def test_release_before_the_acknowledgement_waits_for_it(self):
        job = self.held(sent=False)
        job.with_user(self.controller).action_release()
        self.run_lane()
        self.assertEqual((job.state, Scribe.sent), ("pending", []))
        self.acknowledge()
        self.run_lane()
        self.assertEqual(job.state, "done")

    def test_asked_and_done(self):
        job = self.held(operation="scribe.once")
        self.acknowledge()
        job.with_user(self.user).action_query()
        self.run_lane()
        self.assertEqual((job.state, len(Scribe.sent)), ("done", 1))
        self.assertEqual(len(self.events("job.asked")), 1)

    def test_asked_and_not_done(self):
        job = self.held(operation="scribe.once", sent=False)
        self.acknowledge()
        job.with_user(self.user).action_query()
        self.run_lane()
        self.assertEqual((job.state, len(Scribe.sent)), ("done", 1))
        self.assertEqual(len(self.events("job.not_done_at_vendor")), 1)

    def test_asked_in_vain(self):
        job = self.held(operation="scribe.once", sent=False)
        self.acknowledge()
        job.action_query()
        fails = patch.object(
            self.registry["finance.operation.scribe.once"],
            "_query",
            staticmethod(lambda *_: (_ for _ in ()).throw(Transient("down"))),
        )
        with fails:
            for _try in range(10):
                self.run_lane()
        self.assertEqual((job.state, Scribe.sent), ("uncertain", []))
        self.assertEqual(self.told("job.uncertain").job_id, job)

    def test_nobody_can_be_asked(self):
        job = self.held(operation="scribe.blind")
        self.assertFalse(job.can_query)
        with self.assertRaisesRegex(UserError, "can't be asked"):
            job.action_query()
        self.assertEqual(job.situation, "held")

    def test_ask_all(self):
        once, blind = self.send(2, "scribe.once"), self.send(1, "scribe.blind")
        self.go_back(once | blind)
        self.run_lane()
        self.acknowledge()
        self.restores()[:1].with_user(self.user).action_ask_all()
        self.run_lane()
        self.assertEqual(set(once.mapped("state")), {"done"})
        self.assertEqual((blind.situation, len(Scribe.sent)), ("held", 3))

    def test_done_outside_in_bulk(self):
        jobs = self.held(3, "scribe.blind")
        self.acknowledge()
        wizard = self.env["finance.job.done.outside"].with_user(self.controller)
        wizard.create(
            {"job_ids": [Command.set(jobs.ids)], "reference": "V-1", "date": "2026-03-31"}
        ).action_confirm()
        self.run_lane()
        self.assertEqual(set(jobs.mapped("state")), {"done"})
        self.assertEqual(len(Scribe.sent), 3)
        self.assertFalse(self.told())

    def test_exception_ends_with_the_last_decision(self):
        jobs = self.held(2, sent=False)
        self.acknowledge()
        self.assertTrue(self.told())
        jobs[0].action_release()
        self.assertTrue(self.told())
        jobs[1].action_release()
        self.assertFalse(self.told())

    def test_exception_stays_until_acknowledged(self):
        self.held(sent=False).action_release()
        self.assertTrue(self.told())
        self.acknowledge()
        self.assertFalse(self.told())

    def test_other_buttons_are_refused(self):
        job = self.held(sent=False)
        for button in ("action_retry", "action_cancel", "action_send_again"):
            with self.assertRaisesRegex(UserError, "Held after a restore"):
                getattr(job, button)()
        with self.assertRaises(UserError):
            self.enqueue(record=self.partners(1)).action_release()

    def test_a_void_does_not_cancel_what_may_have_been_sent(self):
        job = self.held()
        erase = self.enqueue("scribe.erase", record=job.record)
        self.assertEqual((job.state, bool(erase)), ("pending", True))
        self.acknowledge()
        job.action_release()
        later = self.enqueue("scribe.erase", record=job.record, revision=1)
        self.assertEqual((job.state, bool(later)), ("pending", True))

    def test_roles(self):
        job = self.held(sent=False)
        for user in (self.user, self.admin, self.auditor):
            with self.assertRaises(AccessError):
                job.with_user(user).action_release()
        for user in (self.user, self.controller, self.approver, self.auditor):
            with self.assertRaises(AccessError):
                self.restores().with_user(user).action_acknowledge()
            with self.assertRaises(AccessError):
                self.restores().with_user(user).action_confirm_production()
        self.assertEqual((job.situation, self.mark("held")), ("held", True))

    def test_other_companies_see_neither_jobs_nor_their_number(self):
        job = self.held(sent=False)
        other = self.env["res.company"].create({"name": "Other"})
        stranger = new_test_user(
            self.env, "f_stranger", f"{GROUP}controller", company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )  # fmt: skip
        restore = self.restores().with_user(stranger)
        self.assertEqual((restore.held_count, restore.job_ids.ids), (0, []))
        self.assertFalse(self.told().with_user(stranger).search([("code", "like", "restore")]))
        with self.assertRaises(AccessError):
            job.with_user(stranger).action_release()

    def test_everybody_with_held_jobs_is_told(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.scribe.company_ids |= other
        jobs = self.send(2)
        self.env.cr.execute("UPDATE finance_job SET company_id = %s WHERE id = %s",
                            [other.id, jobs[0].id])  # fmt: skip
        self.go_back(jobs)
        self.run_lane()
        self.assertEqual(self.told().company_id, self.company | other)

    def test_confirming_the_database_settles_the_mark(self):
        """Whoever confirms a copy in Settings before a lane has looked: what waits is held."""
        self.env["finance.binding"]._confirm().database_oid = "1"
        self.send()
        waiting = self.enqueue(record=self.partners(1))
        self.move("database", "1")
        settings = self.env["res.config.settings"].with_user(self.admin).sudo()
        settings.create({}).with_user(self.admin).action_finance_confirm_database()
        self.assertEqual(waiting.situation, "held")
        self.assertTrue(self.restores().acknowledged_at)
        self.assertFalse(self.env["finance.binding"]._is_copy())
        self.send()

    def test_a_copy_for_tests_stays_out_of_production(self):
        self.env["finance.binding"]._confirm().database_oid = "1"
        self.send()
        self.move("database", "1")
        self.run_lane()
        self.assertIn("production was confirmed for", self.restores().binding_words)
        self.acknowledge()
        self.assertTrue(self.env["finance.binding"]._is_copy())
        self.send()
