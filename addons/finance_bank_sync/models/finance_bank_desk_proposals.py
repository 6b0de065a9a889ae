"""Proposals on the screen "Bank Lines": fresh ones, accepting one, accepting many."""

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

# A best proposal without doubt that has so many points is accepted with one key, or in bulk.
CLEAR = 60
MOST_AT_ONCE = 200
MOST_REFRESHED = 200
MOST_SHOWN = 20
NONE = "none"


class FinanceBankDesk(models.AbstractModel):
    _inherit = "finance.bank.desk"

    # === CALLED BY THE SCREEN === #

    @api.model
    def accept(self, line_id, proposal_id):
        """Book a proposal on its line; one that changed meanwhile isn't booked but shown anew."""
        line = self._open_line(line_id)
        proposal = line.finance_proposal_ids.filtered(lambda one: one.id == int(proposal_id))
        if not proposal or proposal.kind == NONE:
            self._refresh(line)
            changed = self.env._(
                "%(line)s was matched anew in the meantime and nothing was booked. Look at its "
                "proposals again.",
                line=line.display_name,
            )
            return self._answer(line) | {"changed": changed}
        items = self._item_ids(proposal)
        line._finance_accept(proposal)
        return self._answer(line, items)

    @api.model
    def accept_all(self, journal_id, line_ids=None):
        """Book the best proposals without doubt, of the lines given or of all of a journal.

        Lines whose proposal is doubtful, or is refused for a reason of its own, are left and told.
        """
        self._check_worker()
        journal = self._journal(journal_id, self._journals())
        domain = self._lines(journal, "proposed", "")
        if line_ids:
            domain &= Domain("id", "in", [int(one) for one in line_ids])
        lines = self.env["account.bank.statement.line"].search(domain, limit=MOST_AT_ONCE)
        accepted, refused = 0, []
        for line in self._refreshed(lines):
            proposal = self._best_of(line)
            if not proposal or not self._is_clear(proposal):
                continue
            try:
                with self.env.cr.savepoint():
                    line._finance_accept(proposal)
                accepted += 1
            except UserError as error:
                refused.append(str(error))
        wanted = len(line_ids) if line_ids else len(lines)
        return {
            "lines": self._rows(lines),
            "counts": self._counts(journal),
            "accepted": accepted,
            "words": self._words_of_many(accepted, wanted, refused),
        }

    @api.model
    def _words_of_many(self, accepted, wanted, refused):
        words = [self.env._("%(n)s lines done.", n=accepted)]
        left = wanted - accepted - len(refused)
        if left > 0:
            words.append(
                self.env._("%(n)s left: their proposals are doubtful, or changed.", n=left)
            )
        if refused:
            words.append(self.env._("%(n)s refused: %(why)s", n=len(refused), why=refused[0]))
        return " ".join(words)

    # === FRESH === #

    @api.model
    def _refreshed(self, lines):
        """Return ``lines`` after matching those anew whose proposals are missing or stale."""
        if not self._may_work():
            return lines
        open_lines = lines.filtered(lambda line: not line.is_reconciled)
        proposals = self._proposals_of(open_lines)
        known = proposals.line_id
        items = (
            self.env["account.move.line"].sudo().browse(list(self._item_ids(proposals))).exists()
        )
        settled = set(items.filtered("reconciled").ids)
        settled |= self._item_ids(proposals) - set(items.ids)
        stale = proposals.filtered(lambda one: self._item_ids(one) & settled).line_id
        self._refresh((open_lines - known) | stale)
        return lines

    @api.model
    def _refresh(self, lines):
        """Match lines anew; of two that may be one item the older one has it first."""
        if lines:
            lines.sorted("internal_index")._finance_propose()
            lines.invalidate_recordset(["finance_proposal_ids"])

    @api.model
    def _touched(self, line, item_ids):
        """Return other open lines whose proposals have one of the items."""
        if not item_ids:
            return line.browse()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT proposal.line_id
                  FROM finance_bank_proposal proposal,
                       jsonb_array_elements(proposal.parts) part
                 WHERE proposal.company_id = %s AND proposal.line_id != %s
                   AND part->>'id' = ANY(%s)
                 LIMIT %s
                """,
                line.company_id.id,
                line.id,
                [str(one) for one in item_ids],
                MOST_REFRESHED,
            )
        )
        return line.browse(row[0] for row in rows).filtered(lambda one: not one.is_reconciled)

    @api.model
    def _item_ids(self, proposals):
        return {part["id"] for one in proposals for part in one.parts or () if part.get("id")}

    # === VALUES === #

    @api.model
    def _proposals_of(self, lines):
        """Return the best proposals of lines, of those without any the row that says why."""
        return self.env["finance.bank.proposal"].search_fetch(
            [("line_id", "in", lines.ids), ("rank", "=", 1)],
            ["line_id", "score", "kind", "reasons", "doubtful", "parts", "item_names"],
        )

    @api.model
    def _is_clear(self, proposal):
        return proposal.kind != NONE and not proposal.doubtful and proposal.score >= CLEAR

    @api.model
    def _proposed(self, standing):
        """Return the domain of lines with a clear proposal, with a doubtful one, or with none."""
        best = Domain("rank", "=", 1) & Domain("kind", "!=", NONE)
        clear = Domain("doubtful", "=", False) & Domain("score", ">=", CLEAR)
        if standing == "none":
            return Domain("finance_proposal_ids", "not any", best)
        return Domain(
            "finance_proposal_ids", "any", best & (clear if standing == "proposed" else ~clear)
        )

    @api.model
    def _best(self, lines):
        """Return {line id: {id, score, words, clear}} of the best proposals."""
        kinds = dict(
            self.env["finance.bank.proposal"]._fields["kind"]._description_selection(self.env)
        )
        return {
            one.line_id.id: {
                "id": one.id,
                "score": one.score,
                "words": ": ".join(filter(None, (kinds[one.kind], one.item_names))),
                "clear": self._is_clear(one),
            }
            for one in self._proposals_of(lines)
            if one.kind != NONE
        }

    @api.model
    def _best_of(self, line):
        return line.finance_proposal_ids.filtered(lambda one: one.rank == 1 and one.kind != NONE)

    @api.model
    def _proposals(self, line):
        """Return the proposals of an open line, the best first."""
        if line.is_reconciled:
            return []
        found = line.finance_proposal_ids.filtered(lambda one: one.kind != NONE)
        return [
            {
                "id": one.id,
                "score": one.score,
                "clear": self._is_clear(one),
                "score_words": self.env._("%(score)s of 100 points", score=one.score),
                "reasons": (one.reason_words or "").splitlines(),
                "parts": [self._part_values(line, part) for part in one.parts or ()],
            }
            for one in found.sorted(lambda one: (one.rank, one.id))[:MOST_SHOWN]
        ]

    @api.model
    def _why_not(self, line):
        """Return in words why there is no proposal."""
        if not line.is_reconciled and not line.finance_proposal_ids:
            return [self.env._("The line was not matched yet: that happens every hour.")]
        none = line.finance_proposal_ids.filtered(lambda one: one.kind == NONE)
        return (none[:1].reason_words or "").splitlines()

    @api.model
    def _matches(self, line):
        """Return who matched the line, when and why, in words."""
        return [
            {
                "id": match.id,
                "words": self._match_words(match),
                "reasons": (match.reason_words or "").splitlines(),
            }
            for match in line.finance_match_ids.filtered(lambda one: not one.undone_at)
        ]

    @api.model
    def _match_words(self, match):
        _ = self.env._
        values = {"user": match.user_id.name, "score": match.score}
        if match.automatic:
            return _("Matched by itself, with %(score)s of 100 points.", **values)
        if match.kind == "hand":
            return _("Put together by %(user)s.", **values)
        return _("Accepted by %(user)s, with %(score)s of 100 points.", **values)
