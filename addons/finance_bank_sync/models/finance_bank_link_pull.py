"""What a bank link asks of the bank and when, and what becomes of the answer."""

from dataclasses import replace
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.finance_connector_base.actions import notice
from odoo.addons.finance_connector_base.canonical import codec

from ..canonical.feed import CONSENT_ENDED, NOT_READY, QUOTA, PullRequest
from ..providers.feed import booked_sum
from .finance_bank_link import USERS, VENDORS_OWN

# Where there is nothing yet right after linking, it is worth asking again so soon.
NOT_READY_MINUTES = 5
# Pulls due at a time; the rest follows with the next run.
MOST_DUE = 500
# A pull that failed so far: it waits for another try, or gave up until the next one is due.
TRIED = ("pending", "dead")


class FinanceBankLink(models.Model):
    """The pulls of a bank link."""

    _inherit = "finance.bank.link"

    pull_minutes = fields.Integer(
        "Every (minutes)", required=True, readonly=True, default=360, aggregator=None
    )
    next_pull_at = fields.Datetime("Next Pull", readonly=True, index=True)
    last_pull_at = fields.Datetime("Last Pull", readonly=True)
    pulled_until = fields.Date(readonly=True)
    pull_number = fields.Integer(readonly=True, aggregator=None, copy=False)
    pulled_digest = fields.Char(readonly=True)
    cursor = fields.Char(readonly=True)
    calls_left = fields.Integer("Calls Left (number)", readonly=True, aggregator=None, default=-1)
    calls_reset_at = fields.Datetime("Calls Reset", readonly=True)
    calls_words = fields.Char("Calls Left", compute="_compute_calls_words")
    history_from = fields.Date(readonly=True)
    history_until = fields.Date(readonly=True)
    last_words = fields.Char("What Came Last", readonly=True)

    failure_words = fields.Char("Last Try", compute="_compute_failure_words")

    # === COMPUTE METHODS === #

    @api.depends("calls_left", "calls_reset_at")
    def _compute_calls_words(self):
        now = fields.Datetime.now()
        for link in self:
            known = link.calls_left >= 0 and link.calls_reset_at and link.calls_reset_at > now
            link.calls_words = known and self.env._(
                "%(left)s until %(until)s",
                left=link.calls_left,
                until=fields.Datetime.context_timestamp(link, link.calls_reset_at).strftime(
                    "%Y-%m-%d %H:%M"
                ),
            )

    @api.depends_context("uid")
    def _compute_failure_words(self):
        jobs = self.env["finance.job"].sudo()._unfinished(self)
        failed = {job.res_id: job for job in jobs if job.state in TRIED and job.error_text}
        for link in self:
            job = failed.get(link.id)
            link.failure_words = job and job.error_text

    # === ASKING === #

    def _pull_request(self) -> PullRequest:
        """Return the question of the next pull: one range, or what changed since the cursor."""
        self.ensure_one()
        today = fields.Date.context_today(self)
        start = self.import_from
        if self.pulled_until:
            start = max(start, self.pulled_until - timedelta(days=self._provider().overlap_days))
        # the first day may lie further back than the bank tells
        return self._request(
            min(start, today), today, cursor=self.cursor or "", longest=not self.pulled_until
        )

    def _history_request(self) -> PullRequest:
        """Return the question of a period that a person chose."""
        self.ensure_one()
        return self._request(self.history_from, self.history_until, longest=True)

    def _request(self, start, end, **more):
        return PullRequest(
            remote_id=self.request_id,
            account=self._account(),
            consent=self.consent_id._secret() if self.consent_id else "",
            start=start,
            end=end,
            kind=self.kind,
            **more,
        )

    def _busy(self):
        """Return those with a pull that has not ended."""
        jobs = self.env["finance.job"]._unfinished(self)
        return self.browse(jobs.mapped("res_id"))

    def _enqueue_pull(self):
        """Write a job for each link that may be asked now; return the jobs."""
        links = self.sudo()
        free = links.filtered(lambda link: link.state == "active" and not link._is_out_of_calls())
        free -= free._busy()
        for link in free:
            link.write(
                {
                    "pull_number": link.pull_number + 1,
                    "next_pull_at": fields.Datetime.now() + link._interval(),
                }
            )
        return free._enqueue("bank.pull", revision=lambda link: link.pull_number)

    def _is_out_of_calls(self):
        self.ensure_one()
        return (
            self.calls_left == 0
            and self.calls_reset_at
            and self.calls_reset_at > fields.Datetime.now()
        )

    def _interval(self):
        """Return the time between two pulls: as wished, and not more often than calls allow."""
        self.ensure_one()
        minutes = self.pull_minutes
        calls = self.env["finance.connector"]._provider_classes().get(self.connector_id.provider)
        if calls and calls.calls_a_day:
            minutes = max(minutes, 24 * 60 // calls.calls_a_day)
        return timedelta(minutes=minutes)

    @api.model
    def _cron_pull(self):
        """Write the jobs of all pulls that are due."""
        due = self.sudo().search(
            [("state", "=", "active"), ("next_pull_at", "<=", fields.Datetime.now())],
            order="next_pull_at, id",
            limit=MOST_DUE,
        )
        ready = due.filtered(lambda link: link.connector_id.state == "ready")
        ready._try_again()
        for company, links in ready.grouped("company_id").items():
            links.with_company(company)._enqueue_pull()

    def _try_again(self):
        """Begin anew what gave up because the bank was out of order."""
        jobs = self.env["finance.job"]._unfinished(self)
        given_up = jobs.filtered(
            lambda job: (
                job.state == "dead"
                and job.operation == "bank.pull"
                and job.error_class in ("Transient", "Held")
            )
        )
        if given_up:
            given_up.action_retry()

    # === WHAT CAME === #

    def _pulled(self, pull):
        """Take over a `Pull`: its import, the cursor and the quota in one transaction."""
        self.ensure_one()
        vals = self._quota_values(pull.quota)
        if pull.outcome == CONSENT_ENDED:
            self.write(vals)
            (self.consent_id or self)._has_ended(pull.words)
            return
        if pull.outcome == QUOTA:
            self.write(vals | {"last_words": pull.words[:200]})
            return
        now = fields.Datetime.now()
        vals |= {"last_pull_at": now, "last_words": False}
        if pull.outcome == NOT_READY:
            soon = now + timedelta(minutes=NOT_READY_MINUTES)
            self.write(vals | {"next_pull_at": soon, "last_words": pull.words[:200]})
            return
        self._receive(pull.statement, self.import_from)
        vals["pulled_until"] = pull.statement.end or fields.Date.context_today(self)
        if pull.cursor:
            vals["cursor"] = pull.cursor
        self._note_until(pull.consent_until)
        self.write(vals)

    def _history_pulled(self, pull):
        """Take over the period that a person asked for."""
        self.ensure_one()
        vals = self._quota_values(pull.quota) | {"history_from": False, "history_until": False}
        if pull.outcome == CONSENT_ENDED:
            (self.consent_id or self)._has_ended(pull.words)
        elif pull.statement:
            self._receive(pull.statement, self.history_from, self.history_until, again=True)
        if pull.outcome:
            vals["last_words"] = pull.words[:200]
        self.write(vals)

    def _receive(self, statement, first, last=None, *, again=False):
        """Hand a statement on, without what lies outside of the days; nothing when it is the
        statement of the last pull, word by word."""
        statement = wanted(statement, first, last)
        if statement.account.scheme == VENDORS_OWN:
            # no number that a journal could have
            nameless = replace(statement.account, number="", scheme="")
            statement = replace(statement, account=nameless)
        digest = codec.digest(
            {
                "entries": [codec.dump(entry) for entry in statement.entries],
                "balances": [codec.dump(balance) for balance in statement.balances],
            }
        )
        if digest == self.pulled_digest and not again:
            return
        if statement.entries or statement.balances:
            self.env["finance.bank.import"]._receive_statements(self, (statement,))
        if not again:
            self.pulled_digest = digest

    def _quota_values(self, quota):
        if quota.left is None:
            return {"calls_left": -1, "calls_reset_at": False}
        vals = {"calls_left": max(0, quota.left), "calls_reset_at": quota.resets_at}
        if quota.left <= 0 and quota.resets_at:
            vals["next_pull_at"] = quota.resets_at
        elif quota.left and quota.resets_at:
            # what is left is spread until there is more
            spread = (quota.resets_at - fields.Datetime.now()) / quota.left
            vals["next_pull_at"] = fields.Datetime.now() + max(
                spread, timedelta(minutes=self.pull_minutes)
            )
        return vals

    def _note_until(self, until):
        if until and self.consent_id and self.consent_id.until != until:
            self.consent_id.until = until

    # === BUTTON === #

    def action_pull(self):
        """Fetch now."""
        self._check_role("bank.pull", USERS)
        closed = self.filtered(lambda link: link.state != "active")
        if closed:
            raise UserError(
                self.env._(
                    "%(links)s: the link is not active. Renew the consent, or start it again.",
                    links=", ".join(closed.mapped("name")),
                )
            )
        for link in self.filtered(lambda one: one._is_out_of_calls()):
            raise UserError(
                self.env._(
                    "%(link)s: %(bank)s answers no more calls until %(until)s.",
                    link=link.name,
                    bank=link.consent_id.name or link.connector_id.name,
                    until=fields.Datetime.context_timestamp(link, link.calls_reset_at).strftime(
                        "%Y-%m-%d %H:%M"
                    ),
                )
            )
        self._try_again()
        jobs = self._enqueue_pull()
        words = self.env._("The bank is asked. What is new appears within moments.")
        if not jobs:
            words = self.env._("The bank is being asked already.")
        return notice("info", words)


def wanted(statement, first, last=None):
    """Return a `Statement` without the entries booked before ``first`` or after ``last``."""
    entries = tuple(
        entry
        for entry in statement.entries
        if entry.booking_date is None
        or (entry.booking_date >= first and (last is None or entry.booking_date <= last))
    )
    return replace(statement, entries=entries, count=len(entries), booked=booked_sum(entries))
