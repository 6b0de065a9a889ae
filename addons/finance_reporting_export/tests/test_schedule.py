"""Schedules: when the next run is, in the company's time, and what becomes of a late one."""

from datetime import datetime

from odoo.tests import tagged

from .common import ExportCase

NOW = datetime(2026, 3, 27, 12, 0)  # a Friday; clocks go forward on the 29th in Berlin
CASES = (
    ({"schedule": "manual"}, False),
    ({"schedule": "hours", "every_hours": 6}, datetime(2026, 3, 27, 18, 0)),
    ({"schedule": "daily", "at_hour": 14.5}, datetime(2026, 3, 27, 13, 30)),
    ({"schedule": "daily", "at_hour": 13.0}, datetime(2026, 3, 28, 12, 0)),
    ({"schedule": "weekly", "weekday": "0", "at_hour": 6.0}, datetime(2026, 3, 30, 4, 0)),
    ({"schedule": "monthly", "monthday": 31, "at_hour": 0.0}, datetime(2026, 3, 30, 22, 0)),
    ({"schedule": "monthly", "monthday": 5, "at_hour": 3.0}, datetime(2026, 4, 5, 1, 0)),
)


@tagged("post_install", "-at_install")
class TestSchedule(ExportCase):
    def setUp(self):
        super().setUp()
        self.export = self.line("journal_items").export_id
        self.export.company_id.partner_id.tz = "Europe/Berlin"

    def test_when_and_in_words(self):
        words = set()
        for values, expected in CASES:
            with self.subTest(values):
                self.export.write(values)
                self.assertEqual(self.export._next_after(NOW), expected)
                words.add(self.export.schedule_words)
        self.assertIn("Every Monday at 06:00 (Europe/Berlin)", words)
        self.assertIn("Only by hand", words)

    def test_what_is_due_starts_and_what_is_late_is_told(self):
        self.export.schedule = "daily"
        self.export.next_at = NOW
        self.export._start_due()
        run = self.export.run_ids
        self.assertTrue(run.scheduled)
        self.assertGreater(self.export.next_at, NOW)
        self.export._start_due()
        self.assertEqual(self.export.run_ids, run)
        exceptions = self.env["finance.exception"].search([("code", "=", "export.late")])
        told = exceptions.filtered(lambda one: one.document_id == self.export.id)
        self.assertEqual(told.state, "open")
        self.assertIn("under way", told.text)
