import json
from decimal import Decimal

from psycopg2.errors import UniqueViolation

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError
from odoo.fields import Domain

USER = "finance_connector_base.group_user"
# Proposals of items that are at least this good come before rules and lessons.
GOOD = 60
# Two proposals that agree in these are the same.
CONTENT = [
    *("line_id", "rank", "score", "kind", "reasons", "parts"),
    *("partner_id", "rule_id", "lesson_id"),
]


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    finance_proposal_ids = fields.One2many(
        "finance.bank.proposal", "line_id", "Proposals", readonly=True
    )
    finance_match_ids = fields.One2many("finance.bank.match", "line_id", "Matches", readonly=True)

    # === WHAT THE SCREEN ASKS FOR === #

    def _finance_propose(self):
        """Weigh what the lines may be; return their proposals, best first.

        Proposals that the lines had are replaced. A line without any has one row of kind "none"
        that says why. Reconciled lines are left out.
        """
        decided = self._finance_decide()
        return self._finance_keep_proposals(decided)

    def _finance_match(self):
        """Book what is undoubted, keep proposals of the rest; return (matches, proposals)."""
        decided = self._finance_decide()
        certain = self._finance_certain(decided)
        matches = self.env["finance.bank.booking"]._book_all(certain)
        done = matches.line_id
        rest = {line: found for line, found in decided.items() if line not in done}
        proposals = self._finance_keep_proposals(rest)
        done.sudo().finance_proposal_ids.unlink()
        return matches, proposals

    def _finance_certain(self, decided):
        """Return the decisions that need no person; the limits of write-offs are kept."""
        certain, left, taken = [], {}, set()
        ids = [p["id"] for found in decided.values() for p in found[0]["parts"] if p.get("id")]
        items = self.env["account.move.line"].sudo().browse(ids)
        for line, decisions in decided.items():
            best = decisions[0]
            if not best.get("automatic") or line.id in taken:
                continue
            doubt = line._finance_branch_doubt(best, items) or line._finance_limit_doubt(best, left)
            if doubt:
                best["reasons"].append(doubt)
                best["automatic"] = False
                continue
            for part in best["parts"]:
                if part["kind"] == "transfer":
                    other = self.env["account.move.line"].browse(part["id"])
                    taken.add(other.statement_line_id.id)
            certain.append(best)
        return certain

    def _finance_branch_doubt(self, decision, all_items):
        """Return the doubt of an item of another company than the line's, a branch.

        all_items: those of all decisions, read together.
        """
        ids = [part["id"] for part in decision["parts"] if part["kind"] == "item"]
        items = all_items.browse(ids).with_prefetch(all_items.ids)
        other = items.company_id - self.company_id
        return other and _doubt("doubt.branch", company=other[0].name)

    def _finance_limit_doubt(self, decision, left):
        """Return the doubt of a write-off beyond a limit; else take it off ``left`` of its month."""
        written = sum(
            abs(float(part["amount"]))
            for part in decision["parts"]
            if part.get("why") in ("fee", "tolerance")
        )
        if not written:
            return None
        suspense = self._seek_for_lines()[1]
        written *= abs(suspense.balance / suspense.amount_currency)
        policy = self.env["finance.bank.policy"]._of(self.journal_id)
        month = (self.journal_id, self.date.year, self.date.month)
        if month not in left:
            left[month] = policy._writeoff_left(self.date)
        limit = min(policy.writeoff_line_limit, left[month])
        currency = self.company_id.currency_id
        if currency.compare_amounts(written, limit) > 0:
            return _doubt("doubt.limit", limit=currency.round(limit))
        left[month] -= written
        return None

    def _finance_accept(self, proposal=None, parts=None):
        """Book ``proposal``, or ``parts`` chosen by hand, on this line; return the match.

        parts: see `finance.bank.booking`: dicts of kind item, writeoff, partner, discount or
        transfer, with amounts (text, in the currency of the line's suspense item, signed as the
        line) that come to the amount of the line. What a person accepts is learned from.
        """
        self.ensure_one()
        decision = {"line": self, "parts": parts or (proposal.parts if proposal else [])}
        if proposal and not parts:
            decision |= {
                "kind": proposal.kind,
                "score": proposal.score,
                "reasons": proposal.reasons,
                "rule_id": proposal.rule_id.id,
                "lesson_id": proposal.lesson_id.id,
            }
        match = self.env["finance.bank.booking"]._book([decision])
        self.env["finance.bank.lesson"].sudo()._learn(match[:1])
        match.line_id.sudo().finance_proposal_ids.unlink()
        return match[:1]

    def _finance_undo(self):
        """Take the matches of the lines back; journal items are as they were before."""
        matches = self.sudo().finance_match_ids.filtered(lambda match: not match.undone_at)
        self.env["finance.bank.booking"]._undo(matches.sudo(False))

    def _finance_search_items(self, text="", limit=50):
        """Return the open items that this line may be matched with by hand.

        text: words of a number, a reference, a partner's name, or an amount; "" for those of the
        line's partner, else the newest. Returns journal items.
        """
        self.ensure_one()
        domain = Domain(self._get_default_amls_matching_domain())
        suspense = self._seek_for_lines()[1].account_id | self.journal_id.default_account_id
        domain &= Domain("account_id", "not in", suspense.ids)
        domain &= Domain(
            "account_id.account_type", "not in", ("asset_cash", "liability_credit_card")
        )
        partner = self.partner_id.commercial_partner_id
        for word in text.split():
            domain &= _word_domain(word)
        if not text and partner:
            domain &= Domain("partner_id", "child_of", partner.id)
        return self.env["account.move.line"].search(
            domain, limit=limit, order="date_maturity, date, id"
        )

    def _finance_check_work(self):
        """Raise AccessError where the user may not reconcile these lines; the refusal is kept."""
        if not self.env.user.has_group(USER):
            self.env["finance.denied.action"]._deny("bank.match", "group", self[:1])
            raise AccessError(
                _("Matching bank lines needs the role Accountant of Finance Connect.")
            )
        self.check_access("write")

    # === DECIDING === #

    def _finance_open(self):
        """Return those of the lines that can be matched: not reconciled, nothing booked by hand."""
        return self.filtered(
            lambda line: not line.is_reconciled and line.amount and line.state == "posted"
        )

    def _finance_decide(self):
        """Return {line: list of decisions, best first}; what is automatic has ``automatic`` set."""
        decided = {}
        for journal, lines in self._finance_open().grouped("journal_id").items():
            policy = self.env["finance.bank.policy"]._of(journal)
            rules = self.env["account.reconcile.model"]._finance_rules(journal)
            verdicts = self.env["finance.bank.matcher"]._verdicts(lines, rules)
            lessons = (
                self.env["finance.bank.lesson"]
                .sudo()
                ._accounts_of(journal.company_id, [known for known, _verdict in verdicts.values()])
            )
            for line, (known, verdict) in verdicts.items():
                decisions = [
                    line._finance_decision(known, proposal, policy)
                    for proposal in verdict.proposals
                ]
                for decision in decisions[:1]:
                    decision["automatic"] = verdict.automatic is not None
                others = rules._finance_decisions(line, known, verdict.partner, policy)
                others += lessons._finance_decisions(line, known, policy)
                good = bool(decisions) and decisions[0]["score"] >= GOOD
                if good:
                    for decision in others:
                        decision["automatic"] = False
                decisions = decisions + others if good else others + decisions
                if not decisions:
                    why = [_reason(reason) for reason in verdict.why_not]
                    decisions = [{"line": line, "kind": "none", "reasons": why, "parts": [],
                                  "score": 0}]  # fmt: skip
                decided[line] = decisions
        return decided

    def _finance_decision(self, known, proposal, policy):
        """Return the decision (columns of a match, and parts) that books ``proposal``."""
        reasons = [_reason(reason) for reason in proposal.reasons]
        return {
            "line": self,
            "kind": proposal.kind,
            "score": proposal.score,
            "reasons": reasons,
            "parts": self._finance_parts(known, proposal, policy),
            "partner_id": proposal.partner,
            "currency": proposal.currency,
        }

    def _finance_parts(self, known, proposal, policy):
        """Return the parts of ``proposal``, in the currency of the suspense item of this line."""
        currency = self.foreign_currency_id or self.currency_id
        total = Decimal(str(self.amount_currency if self.foreign_currency_id else self.amount))
        total = total.quantize(Decimal(1).scaleb(-currency.decimal_places))
        if proposal.kind == "transfer":
            return [{"kind": "transfer", "id": next(iter(proposal.pays)), "amount": str(total)}]
        pays, rest = proposal.pays, proposal.rest
        line_amount = known.amounts.get(proposal.currency)
        if line_amount is None:  # the bank doesn't tell the currency: all of it settles all
            line_amount = sum(pays.values())
        rate = total / line_amount
        places = Decimal(1).scaleb(-currency.decimal_places)
        parts = [
            {
                "kind": "item",
                "id": key,
                "amount": (amount * rate).quantize(places),
                "item_amount": str(amount),
            }
            for key, amount in pays.items()
        ]
        if rest:
            parts += self._finance_rest(proposal, (rest * rate).quantize(places), policy)
        left = total - sum(part["amount"] for part in parts)
        if left and rate != 1:
            parts[-1]["amount"] += left
        return [part | {"amount": str(part["amount"])} for part in parts]

    def _finance_rest(self, proposal, rest, policy):
        if proposal.rest_kind == "over":
            return [{"kind": "partner", "partner_id": proposal.partner, "amount": rest}]
        if proposal.rest_kind == "discount":
            return self._finance_discounts(proposal, rest)
        account = policy.fee_account_id
        label = _("Bank fee")
        if proposal.rest_kind == "tolerance":
            account, label = policy.writeoff_account_id, _("Rounding difference")
        return [{"kind": "writeoff", "account_id": account.id, "amount": rest, "label": label,
                 "why": proposal.rest_kind}]  # fmt: skip

    def _finance_discounts(self, proposal, rest):
        """One part for each invoice whose discount is taken, those that come to ``rest``."""
        items = self.env["account.move.line"].browse(list(proposal.pays))
        places = Decimal(1).scaleb(-items[:1].currency_id.decimal_places)
        parts, left = [], rest
        for item in items:
            if not item.discount_date or item.discount_date < self.date:
                continue
            less = Decimal(str(item.discount_amount_currency - item.amount_residual_currency))
            less = less.quantize(places)
            if abs(less) <= abs(left):
                parts.append({"kind": "discount", "id": item.id, "amount": less})
                left -= less
        return parts

    # === KEEPING === #

    def _finance_keep_proposals(self, decided):
        """Write the decisions of {line: decisions} as proposals instead of those that were there.

        What was there already and says the same stays: a person may be looking at it. Raises
        ConcurrencyError, to try again, where somebody else matched a line at the same moment.
        """
        proposals = self.env["finance.bank.proposal"].sudo()
        lines = self.browse([line.id for line in decided])
        items = {
            part["id"]
            for decisions in decided.values()
            for decision in decisions
            for part in decision["parts"]
            if part.get("id")
        }
        names = {
            item.id: item.move_id.name or ""
            for item in self.env["account.move.line"].sudo().browse(items)
        }
        rows = [
            {
                "line_id": line.id,
                "journal_id": line.journal_id.id,
                "company_id": line.company_id.id,
                "rank": rank,
                "score": decision["score"],
                "kind": decision["kind"],
                "reasons": decision["reasons"],
                "doubtful": any(r["code"].startswith("doubt.") for r in decision["reasons"]),
                "parts": decision["parts"],
                "partner_id": decision.get("partner_id"),
                "rule_id": decision.get("rule_id"),
                "lesson_id": decision.get("lesson_id"),
                "item_names": ", ".join(
                    dict.fromkeys(names[part["id"]] for part in decision["parts"] if part.get("id"))
                ),
            }
            for line in lines
            for rank, decision in enumerate(decided[line], start=1)
        ]
        there = proposals.search([("line_id", "in", self.ids)])
        known = {_content(values): values["id"] for values in there.read(CONTENT, load=None)}
        stays = {_content(row): known.get(_content(row)) for row in rows}
        kept = proposals.browse(filter(None, stays.values()))
        (there - kept).unlink()
        try:
            made = proposals.create([row for row in rows if not stays[_content(row)]])
        except UniqueViolation as error:
            raise ConcurrencyError(str(error)) from error
        return (kept | made).sorted(lambda one: (one.line_id.id, one.rank)).sudo(False)

    # === OTHERS === #

    def action_undo_reconciliation(self):
        """Odoo's own way of undoing: what we know of the line is over, too."""
        result = super().action_undo_reconciliation()
        self.sudo().finance_match_ids.filtered(lambda match: not match.undone_at)._undone()
        return result

    @api.ondelete(at_uninstall=False)
    def _finance_end_matches(self):
        self.sudo().finance_match_ids.filtered(lambda match: not match.undone_at)._undone()


def _word_domain(word):
    """Return what a word of a search means: part of a number or a name, or an amount."""
    domain = Domain.OR(
        [
            Domain("move_id.name", "ilike", word),
            Domain("move_id.ref", "ilike", word),
            Domain("move_id.payment_reference", "ilike", word),
            Domain("name", "ilike", word),
            Domain("partner_id.name", "ilike", word),
        ]
    )
    try:
        amount = abs(float(word.replace(",", ".")))
    except ValueError:
        return domain
    return domain | Domain("amount_residual_currency", "in", (amount, -amount))


def _content(values):
    """Return what a proposal says as text, from values to create it or as they were read."""
    return json.dumps([values[name] or None for name in CONTENT], sort_keys=True)


def _doubt(code, **values):
    return {"code": code, "values": {k: str(v) for k, v in values.items()}, "points": 0}


def _reason(reason):
    return {"code": reason.code, "values": reason.values, "points": reason.points}
