"""Erases what the suite knows about a contact, after saying what goes and what stays."""

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..actions import CLOSE, notice
from ..models.finance_personal_mixin import Subject, personal

MOST_NAMED = 5


class FinanceErasure(models.TransientModel):
    """Erase personal data of a contact and its contacts, in the companies at work."""

    _name = "finance.erasure"
    _description = "Erase Personal Data"

    partner_id = fields.Many2one("res.partner", "Contact", required=True, ondelete="cascade")
    company_ids = fields.Many2many(
        "res.company",
        string="Companies",
        required=True,
        default=lambda self: self.env.companies,
        domain=lambda self: [("id", "in", self.env.companies.ids)],
        help="What other companies know of the contact stays.",
    )
    basis = fields.Selection(
        [
            ("request", "The person asked for it"),
            ("purpose", "It is no longer needed"),
            ("retention", "Its retention is over"),
        ],
        string="Because",
        required=True,
        default="request",
    )
    line_ids = fields.One2many(
        "finance.erasure.line", "erasure_id", compute="_compute_line_ids", store=True
    )
    obstacle = fields.Text(compute="_compute_obstacle")

    # === WHAT WILL HAPPEN === #

    @api.depends("partner_id", "company_ids")
    def _compute_line_ids(self):
        for wizard in self:
            lines = [Command.clear()]
            if wizard.partner_id:
                subject = wizard._subject()
                lines += map(Command.create, wizard._erased(subject) + wizard._kept(subject))
            wizard.line_ids = lines

    @api.depends("partner_id", "company_ids")
    def _compute_obstacle(self):
        for wizard in self:
            wizard.obstacle = wizard.partner_id and wizard._find_obstacle()

    def _subject(self):
        # over RPC anything may have been written
        companies = self.company_ids._origin & self.env.companies
        return Subject(self.partner_id._origin, companies)

    def _erased(self, subject):
        found = [(model, len(model._personal_of(subject))) for model in personal(self.env)]
        return [
            {"what": model._personal_words(), "count": count, "why": self.env._("Is erased.")}
            for model, count in found
            if count
        ]

    def _kept(self, subject):
        """Return the lines of what stays: dicts of what, count and why. Addons extend it."""
        _ = self.env._
        evidence = _("Stay: ids, amounts and digests, the proof without names.")
        event = SQL(
            """
            FROM finance_audit_event WHERE %s AND (trace_id = ANY(%s) OR %s
                OR res_model = 'finance.exception' AND res_id IN (
                    SELECT id FROM finance_exception WHERE partner_id = ANY(%s)))
            """,
            subject.of_companies(),
            subject.traces,
            subject.about(("res_model", "res_id")),
            subject.partners.ids,
        )
        refs = self.env["finance.external.ref"].sudo()
        exceptions = self.env["finance.exception"].sudo()
        kept = [
            (_("Audit events"), self._count(event), evidence),
            (
                _("Open exceptions"),
                exceptions.search_count(
                    [("state", "=", "open"), ("partner_id", "in", subject.partners.ids)]
                ),
                _("Stay, still needed: erase again when they have ended."),
            ),
            (
                _("Numbers of vendors"),
                refs.search_count(
                    [
                        "|",
                        *("&", ("res_model", "=", "res.partner")),
                        ("res_id", "in", subject.partners.ids),
                        *("&", ("res_model", "=", "account.move")),
                        ("res_id", "in", subject.documents.get("account.move", [])),
                    ]
                ),
                _("Stay, to find the same thing there; the vendor erases its own."),
            ),
            (
                _("Contacts, bank accounts and chatter of Odoo"),
                len(subject.partners),
                _("Stay, being Odoo's own: change the contact, delete its notes."),
            ),
            (
                _("Invoices and payments"),
                len(subject.documents.get("account.move", [])),
                _("Stay: accounting law asks for them, mostly for ten years."),
            ),
        ]
        return [
            {"what": what, "count": count, "why": why, "stays": True}
            for what, count, why in kept
            if count
        ]

    def _count(self, source):
        [(count,)] = self.env.execute_query(SQL("SELECT count(*) %s", source))
        return count

    def _find_obstacle(self):
        """Return in words why nothing may be erased now, "" when it may."""
        subject = self._subject()
        if (
            self.env["res.company"]
            .sudo()
            .search_count([("partner_id", "in", subject.partners.ids)], limit=1)
        ):
            return self.env._(
                "%(partner)s is the contact of one of your own companies.",
                partner=self.partner_id.display_name,
            )
        holds = self.env["finance.legal.hold"]._covering(subject)
        if holds:
            return self.env._(
                "%(partner)s is under a legal hold: %(holds)s. A controller lifts it under"
                " Evidence / Legal Holds.",
                partner=self.partner_id.display_name,
                holds=", ".join(holds.mapped("display_name")),
            )
        jobs = self._unfinished(subject)
        if jobs:
            return self.env._(
                "%(count)s unfinished jobs still need it: %(jobs)s. Let them end, or end them,"
                " then erase.",
                count=len(jobs),
                jobs=", ".join(jobs[:MOST_NAMED].mapped("display_name")),
            )
        return ""

    def _unfinished(self, subject):
        jobs = self.env["finance.job"].sudo()
        return jobs.union(
            *(
                jobs._unfinished(self.env[model].browse(ids))
                for model, ids in subject.documents.items()
            )
        ).filtered(lambda job: job.company_id in subject.companies)

    # === ERASING === #

    def action_erase(self):
        """Erase, and leave an audit event with counts and ids."""
        self.ensure_one()
        self.partner_id.check_access("read")
        if self.obstacle:
            if self.env["finance.legal.hold"]._covering(self._subject()):
                self.env["finance.denied.action"]._deny("partner.erase", "hold", self.partner_id)
            raise UserError(self.env._("Nothing was erased. %(why)s", why=self.obstacle))
        subject = self._subject()
        # All is found before anything goes: rows are found by what others say.
        rows = [model._personal_of(subject) for model in personal(self.env)]
        for found in rows:
            found._erase_personal(self.basis)
        counts = {found._name: len(found) for found in rows if found}
        self.env["finance.audit.event"]._record(
            "partner.erased",
            self.partner_id,
            company=subject.companies if len(subject.companies) == 1 else None,
            data={
                "basis": self.basis,
                "counts": counts,
                "partner_ids": subject.partners.ids,
                "company_ids": subject.companies.ids,
            },
        )
        words = self.env._(
            "Erased: %(counts)s. Odoo's own records are as they were.",
            counts=", ".join(f"{found._personal_words()} ({len(found)})" for found in rows if found)
            or self.env._("nothing was left"),
        )
        return notice("success", words, sticky=True, after=CLOSE)


class FinanceErasureLine(models.TransientModel):
    """One kind of rows: how many, and what becomes of them."""

    _name = "finance.erasure.line"
    _description = "What Erasing Does"
    _order = "stays, id"

    erasure_id = fields.Many2one("finance.erasure", required=True, ondelete="cascade")
    what = fields.Char("What Is There", readonly=True)
    count = fields.Integer("Number", readonly=True)
    stays = fields.Boolean(readonly=True)
    why = fields.Char("What Becomes of It", readonly=True)
