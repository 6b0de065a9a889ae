"""From the books to the file: checks, writing, and the proof that makes it final."""

import hashlib
from datetime import date
from uuid import uuid4

from odoo import fields, models, release
from odoo.exceptions import UserError

from ..statutory import KINDS, Books, OtherTotals
from ..statutory.checks import used_accounts, used_taxes

# Rows that are fetched from the server at a time.
FETCHED = 2000


class Digest:
    """A sink that keeps nothing: its bytes are counted and digested."""

    def __init__(self):
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data):
        """Take ``data``."""
        self.sha256.update(data)
        self.size += len(data)
        return len(data)

    def flush(self):
        """Nothing waits."""


class FinanceStatutoryExport(models.Model):
    _inherit = "finance.statutory.export"

    # === BUTTONS === #

    def action_check(self):
        """Look for everything that is missing or open."""
        self._check_controller("statutory.check")
        self._expect("draft", "blocked", "ready")
        self.sudo()._check_books()

    def action_make(self):
        """Have the file written, again where it was written before."""
        self._check_controller("statutory.make")
        self._expect("ready", "made")
        self.sudo().write({"user_id": self.env.uid})
        self._begin("making", "statutory.make")

    def action_final(self):
        """Have the file compared with the books once more; it is final where both agree."""
        self._check_controller("statutory.final")
        self._expect("made")
        self._check_locked()
        self._begin("proving", "statutory.prove")

    def action_reset(self):
        """Back to what can be changed; the file that was written is forgotten."""
        self._check_controller("statutory.reset")
        self._expect("blocked", "ready", "made")
        this = self.sudo()
        this._drop_file()
        this.finding_ids.unlink()
        this.state = "draft"

    def _expect(self, *states):
        self.invalidate_recordset(["state"])
        if self.state not in states:
            names = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "“%(name)s” is “%(state)s” by now, so this can't be done with it.",
                    name=self.name,
                    state=names[self.state],
                )
            )

    def _begin(self, state, operation):
        this = self.sudo()
        this._give_up_stopped()
        this.write({"state": state, "rounds": this.rounds + 1})
        self._enqueue(operation, revision=lambda row: row.sudo().rounds)

    def _give_up_stopped(self):
        """A job that came to an end before its work would keep the next one waiting."""
        jobs = self.env["finance.job"]._unfinished(self)
        for job in jobs.filtered(lambda job: job._allows("cancel")):
            job._move("cancelled", "job.cancelled")

    # === CHECK === #

    def _check_books(self):
        """Ask the books; write what was found and return whether the file may be written."""
        books = self._books()
        found = KINDS[self.kind]().check(books, self._reader(books))
        self.finding_ids.unlink()
        findings = self.env["finance.statutory.finding"]._found(self, found)
        stops = findings.filtered(lambda row: row.level == "stop")
        unexplained = findings.filtered(lambda row: row.level == "explain")
        right = not stops and (not unexplained or bool((self.explanation or "").strip()))
        self.state = "ready" if right else "blocked"
        return right

    # === WRITE === #

    def _make(self, job):
        """Check again in this transaction, then write; all of it is one snapshot of the books."""
        if self.state not in ("making", "ready", "made"):
            return
        if not self._check_books():
            self._tell("statutory.blocked", {"findings": self.finding_ids.mapped("code")})
            return
        self._drop_file()
        self.made_at = fields.Datetime.now()
        books = self._books()
        with self._parts() as sink:
            written = self._write_books(books, sink)
        self.write(
            {
                "state": "made",
                "outdated": False,
                "file_name": written.name,
                "entry_count": written.entries,
                "line_count": written.lines,
                "debit": float(written.debit),
                "credit": float(written.credit),
                "size": sink.size,
                "digest": sink.digest,
            }
        )
        self._tell(
            "statutory.made",
            {
                "debit": written.debit,
                "credit": written.credit,
                "lines": written.lines,
                "digest": sink.digest,
                "mappings": self._note_mappings(job),
            },
            self.explanation and {"explanation": self.explanation},
        )

    def _write_books(self, books, sink):
        """Write the file to ``sink``; return what it holds. Raises UserError on other totals."""
        try:
            return KINDS[self.kind]().write(books, self._reader(books), sink)
        except OtherTotals as error:
            raise UserError(
                self.env._(
                    "What was written adds up to %(totals)s (debits / credits): that is not what"
                    " the ledger says. Look for items with parts of a cent; if there are none,"
                    " tell your administrator",
                    totals=error,
                )
            ) from error

    def _prove(self, job):
        """Final where the books are locked and give the very same file, byte for byte."""
        if self.state not in ("proving", "made"):
            return
        self._check_locked()
        books, sink = self._books(), Digest()
        self._write_books(books, sink)
        if sink.sha256.hexdigest() != self.digest:
            self.write({"state": "made", "outdated": True})
            self._tell("statutory.outdated", {"digest": self.digest})
            return
        self.write(
            {
                "state": "final",
                "outdated": False,
                "final_at": fields.Datetime.now(),
                "lock_date": self._locked_up_to(),
            }
        )
        self._tell("statutory.final", {"digest": self.digest, "lock_date": str(self.lock_date)})

    def _stopped(self):
        """A job came to an end before its work: the buttons are there again."""
        for export in self:
            export.state = {"making": "ready", "proving": "made"}.get(export.state, export.state)

    def _locked_up_to(self):
        """Return the last day that is locked for everybody, the earliest of date where none is."""
        periods = self.env["finance.export.period"]
        return periods._lock_date(self.company_id.sudo()) or date.min

    def _check_locked(self):
        """Refuse where entries of the period may still change. The lock itself is for people."""
        if self._locked_up_to() >= self.date_to:
            return
        raise UserError(
            self.env._(
                "The books of %(company)s are not locked for everybody up to %(day)s, so they may"
                " still change. Have an administrator set the lock date (Settings, Finance Connect,"
                " Books Locked up to), or let exceptions from it end, then try again.",
                company=self.company_id.name,
                day=self.date_to,
            )
        )

    def _tell(self, kind, data, detail=None):
        self.env["finance.audit.event"]._record(
            kind, self, trace_id=self.trace_id, data=data, detail=detail or None
        )

    # === THE BOOKS === #

    def _reader(self, books):
        """Return the function that files read the ledger with: rows come as they are asked for."""
        self.env.flush_all()
        connection = self.env.cr._obj.connection
        parameters = books.parameters(KINDS[self.kind].lang)

        def rows(query, **more):
            with connection.cursor(f"statutory_{uuid4().hex}") as cursor:
                cursor.itersize = FETCHED
                cursor.execute(query, parameters | more)
                yield from cursor

        return rows

    def _books(self):
        """Return the `Books` of this file, with the codes that approved mappings give."""
        company = self.company_id.sudo()
        year = company.compute_fiscalyear_dates(self.date_from)
        earnings = self._earnings_account()
        partner = company.partner_id
        books = Books(
            name=company.name,
            registry=company.company_registry or "",
            vat=company.vat or "",
            currency=company.currency_id.name,
            decimals=company.currency_id.decimal_places,
            companies=tuple(self._entities().ids),
            root=str(company.root_id.id),
            first=self.date_from,
            last=self.date_to,
            year_first=year["date_from"],
            year_last=year["date_to"],
            earnings=earnings.id or None,
            made=self.made_at or self.create_date,
            contact=(self.user_id or self.env.user).name,
            street=partner.street or "",
            street2=partner.street2 or "",
            zip=partner.zip or "",
            city=partner.city or "",
            country=partner.country_id.code or "",
            phone=company.phone or "",
            email=company.email or "",
            software=("Finance Connect", "Finance Connect for Odoo", release.version),
            separator=self.separator,
            encoding=self.encoding,
        )
        for kind in KINDS[self.kind].mapped:
            answer = self._answer(kind, books)
            codes = {id_: (hit.code, hit.label) for id_, hit in answer.found.items()}
            {"account": books.accounts, "tax": books.taxes}[kind].update(codes)
        return books

    def _earnings_account(self):
        """Return the account of the result of former years; none is made where it is missing."""
        accounts = self.env["account.account"].sudo().with_company(self.company_id)
        domain = accounts._check_company_domain(self.company_id)
        return accounts.search([*domain, ("account_type", "=", "equity_unaffected")], limit=1)

    def _answer(self, kind, books):
        """Return what the approved mapping for this very kind of file says.

        One for every feed (a group's chart of accounts, say) is not what the authority asks for.
        """
        ids = {"account": used_accounts, "tax": used_taxes}[kind](self._reader(books))
        mappings = self.env["finance.mapping"].sudo()
        answer = mappings._lookup(kind, ids, self.date_to, self.company_id, scope=self.kind)
        if answer.mapping_id and mappings.browse(answer.mapping_id).scope == self.kind:
            return answer
        return mappings._lookup(kind, [], self.date_to, self.company_id, scope=self.kind)

    def _note_mappings(self, job):
        """Record which versions of mappings the file was translated with; return their ids."""
        books = self._books()
        answers = [self._answer(kind, books) for kind in KINDS[self.kind].mapped]
        answers = [answer for answer in answers if answer.found]
        self.env["finance.mapping.use"]._note(answers, self, job)
        return [answer.version_id for answer in answers]
