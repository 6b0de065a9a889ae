from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.finance_connector_base.actions import dialog, listing, notice
from odoo.addons.finance_connector_base.canonical import codec

from ..canonical.feed import CONSENT_ENDED, NOT_READY, QUOTA, PullRequest
from ..canonical.statement import Account
from ..providers.feed import booked_sum

STATES = [("active", "Active"), ("expired", "Consent ended"), ("paused", "Stopped")]
MANAGERS = ("finance_connector_base.group_administrator", "finance_connector_base.group_controller")
USERS = (*MANAGERS, "finance_connector_base.group_user")
OPEN = ("active", "expired")
# Where there is nothing yet right after linking, it is worth asking again so soon.
NOT_READY_MINUTES = 5
# Scheme of account numbers that only the vendor knows.
VENDORS_OWN = "PLAID"
# Pulls due at a time; the rest follows with the next run.
MOST_DUE = 500


class FinanceBankLink(models.Model):
    """An account at a bank, read by API, and the journal that it fills."""

    _name = "finance.bank.link"
    _inherit = ["finance.job.mixin", "mail.thread", "mail.activity.mixin"]
    _description = "Bank Link"
    _order = "company_id, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, readonly=True)
    uuid = fields.Char(required=True, readonly=True, copy=False, default=lambda self: str(uuid4()))
    trace_id = fields.Char("Trace", readonly=True, copy=False, default=lambda self: uuid4().hex)
    connector_id = fields.Many2one(
        "finance.connector", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    journal_id = fields.Many2one(
        "account.journal", required=True, readonly=True, ondelete="restrict", check_company=True
    )
    consent_id = fields.Many2one(
        "finance.bank.consent", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    consent_until = fields.Datetime("Consent Ends", related="consent_id.until")
    remote_id = fields.Char(
        "Vendor's ID", required=True, readonly=True, help="Of the account, whatever the consent."
    )
    request_id = fields.Char(required=True, readonly=True, help="Of the account in this consent.")
    identities = fields.Json(readonly=True, help="Ids that outlive a consent.")
    iban = fields.Char("IBAN", readonly=True, index="btree_not_null")
    number = fields.Char("Account Number", readonly=True)
    scheme = fields.Char("Kind of Number", readonly=True)
    kind = fields.Selection(
        [("bank", "Bank account"), ("card", "Card"), ("loan", "Loan")],
        default="bank",
        required=True,
        readonly=True,
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    state = fields.Selection(
        STATES, default="active", required=True, readonly=True, tracking=True, index=True
    )
    import_from = fields.Date(
        required=True, readonly=True, tracking=True, help="Nothing before this day is imported."
    )
    opening_amount = fields.Monetary(
        "Opening Balance", readonly=True, help="Per bank, at the start of the first day."
    )
    opening_difference = fields.Monetary(
        readonly=True, help="By how much the bank's opening balance was above that of the journal."
    )
    opening_note = fields.Char(readonly=True)

    # === PULLS === #
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

    _uuid_unique = models.Constraint("UNIQUE (uuid)", "An identity is used once.")
    _one_per_journal = models.UniqueIndex(
        "(journal_id) WHERE state IN ('active', 'expired')",
        "The journal is filled by another bank link already. Stop that one first.",
    )

    # === COMPUTE METHODS, CONSTRAINTS === #

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

    @api.constrains("journal_id", "currency_id")
    def _check_currency(self):
        for link in self:
            expected = link.journal_id.currency_id or link.company_id.currency_id
            if link.currency_id != expected:
                raise ValidationError(
                    self.env._(
                        "%(journal)s is in %(expected)s and the account in %(currency)s. Choose a"
                        " journal in %(currency)s, or a new one.",
                        journal=link.journal_id.display_name,
                        expected=expected.name,
                        currency=link.currency_id.name,
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _check_paused(self):
        """Only a stopped link can go."""
        open_links = self.filtered(lambda link: link.state in OPEN)
        if open_links:
            raise UserError(
                self.env._(
                    "%(links)s: stop the bank link before you delete it.",
                    links=", ".join(open_links.mapped("name")),
                )
            )

    # === ASKING === #

    def _account(self) -> Account:
        """Return the account as formats and providers know it."""
        self.ensure_one()
        return Account(
            iban=self.iban or "",
            number=self.number or "",
            scheme=self.scheme or "",
            currency=self.currency_id.name,
        )

    def _provider(self):
        return self.connector_id._provider_class()

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

    # === THE CONSENT === #

    def _has_ended(self, words):
        self._consent_ended(words)

    def _consent_ended(self, words):
        """Wait until somebody renews the consent, and say so."""
        for link in self.sudo().filtered(lambda one: one.state == "active"):
            link.state = "expired"
            self.env["finance.exception"]._raise(
                "bank.consent",
                record=link,
                document=link,
                connector=link.connector_id,
                company=link.company_id,
                params={
                    "bank": link.consent_id.name or link.connector_id.name,
                    "journal": link.journal_id.display_name,
                    "text": words[:500],
                },
            )

    def _consent_renewed(self, account, consent):
        """Go on with an account of a new consent (`FeedAccount`)."""
        self.ensure_one()
        same = self.request_id == account.remote_id
        self.sudo().write(
            {
                "remote_id": lasting_id(account.remote_id, account.identities),
                "request_id": account.remote_id,
                "identities": list(account.identities),
                "consent_id": consent.id,
                "connector_id": consent.connector_id.id,
                "state": "active",
                "next_pull_at": fields.Datetime.now(),
                "calls_left": -1,
                "calls_reset_at": False,
                "cursor": self.cursor if same else False,
                "pulled_digest": False,
            }
        )
        self.env["finance.exception"]._resolve(
            code="bank.consent", document=self, note="bank.consent_renewed"
        )

    @api.model
    def _find(self, company, connector, account):
        """Return the link of an account that a consent names (`FeedAccount`), empty when none.

        By the vendor's ids that outlive consents, else by IBAN whatever the vendor; a number
        alone says nothing.
        """
        links = self.sudo().search([("company_id", "=", company.id)], order="state, id desc")
        ids = {account.remote_id, *account.identities}
        for link in links.filtered(lambda one: one.connector_id == connector):
            if ids & {link.request_id, *(link.identities or ())}:
                return link
        iban, currency = account.account.iban, account.account.currency
        same = links.filtered(
            lambda one: iban and one.iban == iban and one.currency_id.name == currency
        )
        return same[:1]

    # === BUTTONS === #

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

    def action_renew(self):
        """Send the user to the bank, to allow the access again."""
        self.ensure_one()
        self._check_role("bank.renew", MANAGERS)
        if not self.consent_id:
            raise UserError(
                self.env._(
                    "%(link)s has no consent of its own: allow the access at %(vendor)s.",
                    link=self.name,
                    vendor=self.connector_id.vendor,
                )
            )
        return self.env["finance.bank.visit"]._renew(self)

    def action_pause(self):
        """Fetch no more; what was imported stays."""
        self._check_role("bank.pause", MANAGERS)
        self.sudo().write({"state": "paused"})
        self._audit("bank.link_paused")
        for link in self:
            self.env["finance.exception"]._resolve(
                code="bank.consent", document=link, note="bank.link_paused"
            )

    def action_resume(self):
        """Fetch again."""
        self._check_role("bank.resume", MANAGERS)
        for link in self.sudo().filtered(lambda one: one.state == "paused"):
            ended = link.consent_id and link.consent_id.state != "active"
            link.write(
                {
                    "state": "expired" if ended else "active",
                    "next_pull_at": fields.Datetime.now(),
                }
            )
        self._audit("bank.link_resumed")

    def action_history(self):
        """Open the question from when to when to fetch again."""
        self.ensure_one()
        self._check_role("bank.history", MANAGERS)
        return dialog(
            self.env._("Fetch a Period"),
            "finance.bank.history",
            context={"default_link_id": self.id},
        )

    def action_open_imports(self):
        """List what was fetched."""
        self.ensure_one()
        return listing(self.env._("Imports"), "finance.bank.import", [("link_id", "=", self.id)])

    def _check_role(self, action, groups):
        if not self.env.su and not any(map(self.env.user.has_group, groups)):
            self.env["finance.denied.action"]._deny(action, "group", self)
            raise AccessError(
                self.env._("You may not do this with a bank link. Ask a colleague with that role.")
            )
        self.check_access("read")

    def _audit(self, kind, **data):
        for link in self:
            self.env["finance.audit.event"]._record(
                kind, link, connector=link.connector_id, data=data
            )


def lasting_id(remote_id, identities):
    """Return the vendor's id of an account that outlives consents, else the one of this consent."""
    return next(iter(identities or ()), remote_id)


def wanted(statement, first, last=None):
    """Return a `Statement` without the entries booked before ``first`` or after ``last``."""
    entries = tuple(
        entry
        for entry in statement.entries
        if entry.booking_date is None
        or (entry.booking_date >= first and (last is None or entry.booking_date <= last))
    )
    return replace(statement, entries=entries, count=len(entries), booked=booked_sum(entries))
