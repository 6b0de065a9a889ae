"""A database that is older than what it has done, or a copy: nothing is sent a second time."""

import logging
from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..evidence.mark import ADOPT, BEHIND, ELSEWHERE, HOLDING, LOST, REBUILT, other_marks
from ..lanes.mark import ROW, TABLE, HighWater
from .finance_connector import ADMINISTRATOR

_logger = logging.getLogger(__name__)

# What might be sent twice, also by a button: everything with an effect that is not over, but for
# what has its answer and only has to be applied. Of what was under way nobody knows the end.
HOLD = """
    UPDATE finance_job
       SET held_reason = 'restored', worker = NULL,
           state = CASE WHEN state <> 'calling' THEN state
                        WHEN effect = 'once' THEN 'uncertain' ELSE 'pending' END
     WHERE effect IN ('idempotent', 'once') AND held_reason IS NULL
       AND (state IN ('pending', 'calling', 'uncertain')
            OR (state = 'dead' AND answer_sealed IS NULL))
 RETURNING company_id
"""
WAITING = """
    SELECT EXISTS (SELECT FROM finance_job
                    WHERE state = 'pending' AND effect IN ('idempotent', 'once'))
"""
FAILING = "SELECT id FROM finance_exception WHERE state = 'open' AND code = 'restore.no_mark'"
NEWEST = """
    SELECT GREATEST(
        (SELECT max(at) FROM finance_audit_event WHERE at <= %(end)s),
        (SELECT create_date FROM mail_message WHERE create_date <= %(end)s
          ORDER BY id DESC LIMIT 1))
"""
SETTLE = """
    UPDATE finance_mark
       SET held = false, identity = %(identity)s, number = GREATEST(number, %(mark)s),
           since = GREATEST(number, %(mark)s)
"""


class FinanceRestore(models.Model):
    """One time that a lane found its database restored or copied. See ``evidence/mark.py``.

    An administrator acknowledges it; until then nothing with an effect is claimed. What was held
    stays held until somebody has decided on each job.
    """

    _name = "finance.restore"
    _description = "Restored or Copied Database"
    _order = "id desc"

    reason = fields.Selection(
        [
            (BEHIND, "Older than what it has sent"),
            (ELSEWHERE, "A copy, or on another server"),
            (REBUILT, "Restored, and the file of what was sent is missing"),
        ],
        required=True,
        readonly=True,
    )
    detected_at = fields.Datetime(readonly=True, default=fields.Datetime.now)
    number = fields.Integer("Sent, as the database knows", readonly=True)
    number_at = fields.Datetime("Last sent, as the database knows", readonly=True)
    mark = fields.Integer("Sent, as the file says", readonly=True)
    mark_at = fields.Datetime("Last sent, as the file says", readonly=True)
    missing = fields.Integer("Sent since", compute="_compute_missing")
    newest_at = fields.Datetime("Newest the database knows", readonly=True)
    path = fields.Char("File", readonly=True)
    found = fields.Char(readonly=True, help="Tells this restore from the next")
    job_count = fields.Integer("Held at the start", readonly=True)
    held_count = fields.Integer("Still held", compute="_compute_held")
    job_ids = fields.Many2many("finance.job", string="Held Jobs", compute="_compute_held")
    story = fields.Text("What happened", compute="_compute_story")
    binding_words = fields.Char(compute="_compute_story")
    acknowledged_at = fields.Datetime(readonly=True)
    acknowledged_by_id = fields.Many2one("res.users", readonly=True, ondelete="set null")

    def init(self):
        """The row that counts; not a model, because lanes change it in the middle of a claim."""
        self.env.cr.execute(TABLE)
        self.env.cr.execute(ROW)

    # === COMPUTE METHODS === #

    @api.depends("detected_at")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        for restore in self:
            when = self._local(restore.detected_at)
            restore.display_name = self.env._("Restore found on %(when)s", when=when)

    @api.depends("mark", "number")
    def _compute_missing(self):
        for restore in self:
            restore.missing = max(0, restore.mark - restore.number)

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_held(self):
        held = self.env["finance.job"].search([("held_reason", "!=", False)])
        for restore in self:
            restore.job_ids = held
            restore.held_count = len(held)

    @api.depends("reason", "mark", "number", "newest_at", "path", "acknowledged_at")
    @api.depends_context("lang", "tz")
    def _compute_story(self):
        binding = self.env["finance.binding"]
        for restore in self:
            restore.story = restore._told()
            restore.binding_words = binding._obstacle() if binding._is_copy() else False

    def _told(self):
        """Return in plain words what happened and what is not known."""
        _ = self.env._
        words = {
            "newest": self._local(self.newest_at) or "–",
            "missing": self.missing,
            "last": self._local(self.mark_at) or "–",
            "path": self.path,
        }
        happened = {
            BEHIND: _(
                "This database was restored from a backup. The newest thing it knows is from"
                " %(newest)s. Since then %(missing)s jobs were taken to be sent, the last one on"
                " %(last)s: of these the database knows nothing, or not how they ended.",
                **words,
            ),
            ELSEWHERE: _(
                "This database is a copy, or was restored under another name or on another server."
                " The newest thing it took over is from %(newest)s. What waits in it may have been"
                " sent since by the database that it was made from.",
                **words,
            ),
            REBUILT: _(
                "This database was restored from a backup. The newest thing it knows is from"
                " %(newest)s. What was sent since is not known, because the file that says so is"
                " not there: %(path)s.",
                **words,
            ),
        }
        text = happened.get(self.reason, "")
        if self.reason == ELSEWHERE and self.missing:
            text += " " + _(
                "Another database with this one's identity has taken %(missing)s jobs more, the"
                " last one on %(last)s.",
                **words,
            )
        return text

    def _local(self, moment):
        """Return a moment, naive UTC, as the reader writes it."""
        if not moment:
            return ""
        local = fields.Datetime.context_timestamp(self, moment)
        return f"{local:%Y-%m-%d %H:%M} ({local.tzname()})"

    # === WHAT A LANE ASKS === #

    @api.model
    def _look_back(self, water):
        """Hold what a restored database or a copy might send twice.

        water: the `HighWater` of this database. Return whether its file can be reached.
        """
        try:
            look = water.look()
        except OSError as error:
            if self.env.execute_query(SQL(WAITING))[0][0]:
                self._mark_fails(water.path, error)
            return False
        if look.verdict in HOLDING:
            if not self._is_held_for(look):
                self._hold(water.path, look)
        elif look.verdict == ADOPT:
            water.adopt(look.identity)
        elif look.verdict == LOST:
            self._begin_again(water, look)
        return True

    def _is_held_for(self, look):
        """Whether it is the restore that already waits for an administrator.

        Another lane may have found it since ``look``, which is on a connection of its own.
        """
        open_ = [("acknowledged_at", "=", False), ("found", "=", _found(look))]
        held = self.env.execute_query(SQL("SELECT held FROM finance_mark"))[0][0]
        return held and bool(self.sudo().search_count(open_, limit=1))

    def _hold(self, path, look):
        """Let nothing with an effect go out, and say so."""
        # Lanes find it out at the same time: all but the first are repeated, and quietly so.
        self.env.cr.execute("UPDATE finance_mark SET held = true", log_exceptions=False)
        self.env.cr.execute(HOLD, log_exceptions=False)
        counts = Counter(company for (company,) in self.env.cr.fetchall())
        self.env["finance.job"].invalidate_model()
        mark = look.mark or max(other_marks(path).values(), default=None)
        end = mark.at.replace(tzinfo=None) if look.verdict == BEHIND else fields.Datetime.now()
        restore = self.sudo().create(
            {
                "reason": look.verdict,
                "number": look.number,
                "number_at": look.at,
                "mark": mark.number if mark else 0,
                "mark_at": mark.at.replace(tzinfo=None) if mark else False,
                "newest_at": self.env.execute_query(SQL(NEWEST, end=end))[0][0],
                "path": str(path),
                "found": _found(look),
                "job_count": counts.total(),
            }
        )
        restore._tell(counts)
        facts = restore.read(["reason", "number", "mark", "job_count"], load=None)[0]
        self.env["finance.audit.event"]._record("restore.detected", restore, data=facts)
        _logger.warning("%s %s jobs are held.", restore._told(), restore.job_count)

    def _tell(self, counts):
        """Raise the exception in every company with held jobs, at least in the main one."""
        for company in self.env["res.company"].browse(list(counts)) or self._main_company():
            self.env["finance.exception"]._raise(
                "restore.detected",
                document=self,
                company=company,
                params={"jobs": counts[company.id]},
            )

    # === THE FILE === #

    def _begin_again(self, water, look):
        """Only the file is gone: write it again, and say that it should be kept."""
        try:
            water.write(look.number)
        except OSError:
            # Whoever wants to send something will say so.
            return
        self._raise_mark("restore.mark_lost", water.path)

    def _mark_fails(self, path, error):
        """Say that nothing can be sent because the mark can't be written or read."""
        self._raise_mark("restore.no_mark", path, reason=error.strerror or str(error))

    def _raise_mark(self, code, path, **params):
        self.env["finance.exception"]._raise(
            code, company=self._main_company(), params={"path": str(path), **params}
        )

    def _mark_works(self):
        """Close what `_mark_fails` said."""
        # Asked before the first call of every lane, and the answer is mostly "none".
        found = self.env.execute_query(SQL(FAILING))
        exceptions = self.env["finance.exception"].browse(row[0] for row in found)
        exceptions._close("resolved", "restore.mark_works")

    def _main_company(self):
        return self.env["res.company"].sudo().search([], order="id", limit=1)

    # === WHAT PEOPLE PRESS === #

    def action_acknowledge(self):
        """An administrator has understood: new work goes out, what is held waits for decisions."""
        self._check_administrator("restore.acknowledge")
        self._acknowledge()

    def action_confirm_production(self):
        """As `action_acknowledge`; also, this is the production database from now on."""
        self._check_administrator("database.confirm")
        self._confirm_production()

    def action_ask_all(self):
        """Ask the vendors about all held jobs that they can be asked about."""
        self.job_ids.filtered("can_query").action_query()

    def action_open_jobs(self):
        """List the held jobs, to decide on several at once."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "finance_connector_base.action_finance_job"
        )
        return action | {"context": {"search_default_held": 1}}

    def _check_administrator(self, action):
        if self.env.su or self.env.user.has_group(ADMINISTRATOR):
            return
        self.env["finance.denied.action"]._deny(action, "group", self)
        raise AccessError(self.env._("Only connector administrators may do this."))

    @api.model
    def _confirm_production(self):
        """Bind production to this database; what the one it was made from may have sent is held."""
        self._look_back(HighWater(self.env))
        binding = self.env["finance.binding"]._confirm()
        self.env["finance.audit.event"]._record("database.confirmed", binding)
        self._open()._acknowledge()

    @api.model
    def _open(self):
        """Return the restores that nobody has acknowledged."""
        return self.sudo().search([("acknowledged_at", "=", False)])

    def _acknowledge(self):
        """End the stop: the database counts on from what the file says, and knows where it is."""
        open_ = self._open()
        if not open_:
            return
        water = HighWater(self.env)
        settled = {"identity": str(water.identity()), "mark": max(open_.mapped("mark"))}
        self.env.cr.execute(SETTLE, settled)
        open_.write({"acknowledged_at": fields.Datetime.now(), "acknowledged_by_id": self.env.uid})
        for restore in open_:
            self.env["finance.audit.event"]._record("restore.acknowledged", restore)
        self.env["finance.audit.seal"].sudo()._go_on_after_restore()
        self._settle()
        self.env["finance.job"]._wake()

    @api.model
    def _settle(self):
        """Close the exceptions of acknowledged restores in companies where nothing is held."""
        jobs = self.env["finance.job"].sudo()
        if self._open():
            return
        open_ = [("code", "=", "restore.detected"), ("state", "=", "open")]
        for exception in self.env["finance.exception"].sudo().search(open_):
            held = [
                ("held_reason", "!=", False),
                ("company_id", "=", exception.company_id.id),
            ]
            if not jobs.search_count(held, limit=1):
                exception.with_env(self.env)._close("resolved", "restore.settled")


def _found(look):
    """What tells one restore from the next: where it is, and what its file says."""
    return f"{look.identity} {look.mark.number if look.mark else 0}"
