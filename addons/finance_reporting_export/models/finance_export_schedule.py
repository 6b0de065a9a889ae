"""When an export runs by itself: in the company's time, said in words."""

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.misc import format_datetime

_logger = logging.getLogger(__name__)
SCHEDULES = [
    ("manual", "By hand"),
    ("hours", "Every few hours"),
    ("daily", "Every day"),
    ("weekly", "Every week"),
    ("monthly", "Every month"),
]
WEEKDAYS = [
    ("0", "Monday"),
    ("1", "Tuesday"),
    ("2", "Wednesday"),
    ("3", "Thursday"),
    ("4", "Friday"),
    ("5", "Saturday"),
    ("6", "Sunday"),
]


class FinanceExport(models.Model):
    _inherit = "finance.export"

    schedule = fields.Selection(SCHEDULES, required=True, default="manual", tracking=True)
    every_hours = fields.Integer("Hours", default=4)
    at_hour = fields.Float("At", default=3.0, help="Time of day where the company is.")
    weekday = fields.Selection(WEEKDAYS, default="0")
    monthday = fields.Integer(
        "Day of the Month", default=5, help="31 is the last day of a month that has fewer."
    )
    next_at = fields.Datetime("Next Run", readonly=True, copy=False, index=True)
    schedule_words = fields.Char("When", compute="_compute_schedule_words")

    # === IN WORDS === #

    @api.depends("schedule", "every_hours", "at_hour", "weekday", "monthday", "company_id")
    @api.depends_context("lang")
    def _compute_schedule_words(self):
        days = dict(self._fields["weekday"]._description_selection(self.env))
        for export in self:
            words = {
                "manual": self.env._("Only by hand"),
                "hours": self.env._("Every %(count)s hours", count=export.every_hours),
                "daily": self.env._("Every day at %(time)s", time=_clock(export.at_hour)),
                "weekly": self.env._(
                    "Every %(day)s at %(time)s",
                    day=days.get(export.weekday, ""),
                    time=_clock(export.at_hour),
                ),
                "monthly": self.env._(
                    "On day %(day)s of every month at %(time)s",
                    day=export.monthday,
                    time=_clock(export.at_hour),
                ),
            }[export.schedule or "manual"]
            zone = export._zone().key
            timed = export.schedule in ("daily", "weekly", "monthly")
            export.schedule_words = f"{words} ({zone})" if timed else words

    @api.constrains("schedule", "every_hours", "at_hour", "monthday", "weekday")
    def _check_schedule(self):
        for export in self:
            right = {
                "hours": 1 <= export.every_hours <= 24 * 7,
                "monthly": 1 <= export.monthday <= 31,
                "weekly": bool(export.weekday),
            }
            if not right.get(export.schedule, True) or not 0 <= export.at_hour < 24:
                raise ValidationError(
                    self.env._(
                        "%(export)s: enter hours from 1 to 168, a time of day, a weekday, or a day"
                        " from 1 to 31.",
                        export=export.name,
                    )
                )

    def _zone(self):
        name = self.company_id.sudo().partner_id.tz or self.user_id.sudo().tz or "UTC"
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    # === WHEN === #

    @api.model_create_multi
    def create(self, vals_list):
        exports = super().create(vals_list)
        exports._plan_next()
        return exports

    def write(self, vals):
        result = super().write(vals)
        planned = {"schedule", "every_hours", "at_hour", "weekday", "monthday", "company_id"}
        if (planned | {"active"}) & vals.keys():
            self._plan_next()
        return result

    def _plan_next(self):
        for export in self:
            export.sudo().next_at = export.active and export._next_after(fields.Datetime.now())

    def _next_after(self, now):
        """Return the next time (naive UTC) after ``now`` (the same); False by hand alone."""
        self.ensure_one()
        if self.schedule == "manual":
            return False
        if self.schedule == "hours":
            return now + timedelta(hours=self.every_hours)
        zone = self._zone()
        here = now.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone)
        day = here.date()
        while True:
            if self._is_due_on(day):
                hour, minute = divmod(round(self.at_hour * 60), 60)
                at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                utc = at.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
                if utc > now:
                    return utc
            day += timedelta(days=1)

    def _is_due_on(self, day):
        if self.schedule == "weekly":
            return day.weekday() == int(self.weekday)
        if self.schedule == "monthly":
            last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
            return day.day == min(self.monthday, last.day)
        return True

    # === BY ITSELF === #

    @api.model
    def _cron_run(self):
        """Start what is due; one that can't start doesn't keep the others waiting."""
        due = self.search([("next_at", "<=", fields.Datetime.now())], order="next_at")
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(due))
        for export in due:
            try:
                export._start_due()
            except Exception:
                self.env.cr.rollback()
                _logger.exception("Export %s could not be started", export.id)
            if not cron._commit_progress(1):
                break

    def _start_due(self):
        """Start the run that is due; where the one before is not over, say so."""
        due = self.next_at
        self.next_at = self._next_after(fields.Datetime.now())
        try:
            with self.env.cr.savepoint():
                self._start(why=self.env._("Scheduled"), scheduled=True)
        except UserError as error:
            self.env["finance.exception"]._raise(
                "export.late",
                document=self,
                company=self.company_id,
                params={"due": format_datetime(self.env, due), "message": str(error)},
            )


def _clock(hours):
    hour, minute = divmod(round(hours * 60), 60)
    return f"{hour:02d}:{minute:02d}"
