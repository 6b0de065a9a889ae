"""Weigh what a bank line may be: evidence in, proposals with reasons out.

A score is a sum of evidence that a person can follow; nothing is drawn by lot, and nothing is
matched because it comes first. Two proposals that are equally good are both shown and neither is
automatic; so is what a doubt speaks against, whatever its score.
"""

from dataclasses import replace
from decimal import Decimal

from . import amounts, references
from .candidates import MOST_ALIKE, Search
from .values import PAYMENT, Proposal, Reason, Verdict

# Evidence and what it weighs. 90 is enough by itself: a full number with its exact amount.
POINTS = {
    "ref.id": 70,  # the id that we gave the order comes back
    "ref.order": 70,  # the order that all of these were paid with
    "ref.structured": 65,  # a reference with check figures
    "ref.full": 60,
    "ref.short": 50,
    "ref.listed": 45,
    "ref.serial": 30,
    "ref.near": 25,  # one figure off, of the same partner
    "ref.weak": 10,
    "ref.none": 0,
    "partner.set": 30,
    "partner.account": 30,
    "partner.learned": 30,
    "partner.name": 20,
    "partner.candidate": 10,  # one of several that it may be
    "partner.other": -30,
    "amount.exact": 30,
    "amount.sum": 30,
    "amount.discount": 28,
    "amount.tolerance": 20,
    "amount.fee": 15,
    "amount.converted": 10,
    "amount.partial": 5,
    "amount.over": 5,
    "amount.beside": -40,  # with other items it comes to the amount exactly
    "amount.only": 15,  # nothing else of the partner has it
    "amount.rare": 10,  # nothing else that is open has it
    "own.account": 50,  # the other side is an own account
    "own.days": 10,
}
# What keeps a proposal from being automatic.
DOUBTS = (
    "doubt.tie", "doubt.partner", "doubt.other_named", "doubt.closed_named", "doubt.fits_elsewhere",
    "doubt.late_discount", "doubt.over", "doubt.converted", "doubt.unnamed", "doubt.check_digits",
    "doubt.incomplete", "doubt.two_partners",
    "doubt.sum_elsewhere",
)  # fmt: skip
WHY_NOT = (
    "why.closed", "why.unknown_reference", "why.check_digits", "why.partner_unknown",
    "why.nobody_named", "why.partner_ambiguous", "why.nothing_open", "why.amount", "why.amount_partner", "why.many", "why.transfer",
)  # fmt: skip

FORMS = {
    references.ID: "ref.id",
    references.STRUCTURED: "ref.structured",
    references.FULL: "ref.full",
    references.LISTED: "ref.listed",
    references.SHORT: "ref.short",
    references.SERIAL: "ref.serial",
    references.WEAK: "ref.weak",
}
SURE = ("ref.id", "ref.order", "ref.structured", "ref.full", "ref.short", "ref.listed")
# Evidence without which nothing is automatic.
IDENTITY = (*SURE, "ref.serial", "ref.near", "own.account")
LEAST_SCORE = 30
MOST_PROPOSALS = 5


def match(line, pool, directory, terms) -> Verdict:
    """Return what ``line`` may be, by what is open in ``pool``."""
    return _Line(line, pool, directory, terms).verdict()


class _Line(Search):
    # === VERDICT === #

    def verdict(self):
        transfer = self._transfers()
        if transfer:
            return transfer
        candidates = {}
        for candidate in self.candidates():
            key = frozenset(item.key for item in candidate.items)
            candidates.setdefault(key, candidate)
        exact = [
            keys for keys, candidate in candidates.items()
            if candidate.fit.kind in (amounts.EXACT, amounts.DISCOUNT)
        ]  # fmt: skip
        proposals = [
            self._beside(self._proposal(candidate), candidate, exact)
            for candidate in candidates.values()
        ]
        proposals = [proposal for proposal in proposals if proposal.score >= LEAST_SCORE]
        proposals.sort(key=self._rank)
        proposals = self._tied(proposals)[:MOST_PROPOSALS]
        if not proposals:
            return Verdict(why_not=self._why_not(), partner=self.partner)
        return Verdict(tuple(proposals), self._automatic(proposals), partner=self.partner)

    def _beside(self, proposal, candidate, exact):
        """Doubt what fits badly and would fit exactly together with, or without, other items."""
        keys, kind = frozenset(item.key for item in candidate.items), candidate.fit.kind
        if kind in (amounts.EXACT, amounts.DISCOUNT) or not any(
            keys < other or other < keys for other in exact
        ):
            return proposal
        reasons = [_reason("amount.beside")] if kind in (amounts.PARTIAL, amounts.OVER) else []
        return replace(
            proposal, reasons=(*proposal.reasons, *reasons, _reason("doubt.sum_elsewhere"))
        )

    def _rank(self, proposal):
        """Best first; what is as good by what is due first, so that it is the same at every run."""
        items = [self.pool.items[key] for key in proposal.pays]
        due = min((item.due or item.day, item.day) for item in items)
        return -proposal.score, len(proposal.doubts), due, min(proposal.pays)

    def _automatic(self, proposals):
        best = proposals[0]
        if best.doubts or best.score < self.terms.automatic:
            return None
        return best if any(reason.code in IDENTITY for reason in best.reasons) else None

    # === EVIDENCE === #

    def _proposal(self, candidate):
        fit, items = candidate.fit, candidate.items
        owners = {item.partner for item in items}
        reasons = [
            *self._by_reference(candidate),
            *self._by_partner(owners),
            *self._by_amount(candidate),
        ]
        doubts = self._doubts(candidate, reasons, owners)
        kinds = {item.kind for item in items}
        kind = fit.kind if kinds != {PAYMENT} else "payment"
        rests = {"tolerance": "tolerance", "fee": "fee", "discount": "discount", "over": "over",
                 "converted": "exchange"}  # fmt: skip
        return Proposal(
            kind=kind if len(items) == 1 or kind != "exact" else "sum",
            currency=fit.currency,
            pays=fit.pays,
            reasons=tuple(reasons + doubts),
            rest=fit.rest,
            rest_kind=rests.get(fit.kind, ""),
            partner=next(iter(owners)) if len(owners) == 1 else None,
        )

    def _by_reference(self, candidate):
        """The weakest of the items counts: what is not named has no reference."""
        if candidate.order:
            identity = next(i for i, items in self.order.items() if candidate.items[0] in items)
            return [_reason("ref.order", order=identity, count=len(candidate.items))]
        codes = []
        for item in candidate.items:
            hit = self.hits.get(item.key)
            if hit:
                codes.append((FORMS[hit.form], {"number": hit.name, "typed": hit.typed}))
            elif typed := self._near(item):
                codes.append(("ref.near", {"number": item.names[0], "typed": typed}))
            else:
                codes.append(("ref.none", {"number": item.names[0] if item.names else ""}))
        weakest = min(codes, key=lambda code: POINTS[code[0]])
        return [
            _reason(code, **values) if (code, values) == weakest else Reason(code, values, 0)
            for code, values in codes
            if code != "ref.none"
        ]

    def _near(self, item):
        if item.partner is None or item.partner != self.partner:
            return ""
        if item.key not in self.near:
            runs = [
                references.RUN.findall(references.fold(text))
                for text in (*self.line.texts, *self.line.references)
            ]
            typed = (references.near_mention(some, name) for name in item.names for some in runs)
            self.near[item.key] = next(filter(None, typed), "")
        return self.near[item.key]

    def _by_partner(self, owners):
        if owners == {None}:
            return []
        if self.partner is not None and owners == {self.partner}:
            values = {"account": self.line.account, "name": self.line.name}
            return [_reason(self.partner_code, **values)]
        if self.partner is not None:
            return [_reason("partner.other"), _reason("doubt.partner", name=self.line.name)]
        if owners <= self.partners:
            return [_reason("partner.candidate", count=len(self.partners))]
        return []

    def _by_amount(self, candidate):
        fit = candidate.fit
        code = "amount.sum" if fit.kind == amounts.EXACT and len(candidate.items) > 1 else (
            f"amount.{fit.kind}"
        )  # fmt: skip
        rest = abs(fit.rest)
        if fit.kind == amounts.PARTIAL:
            rest = abs(sum(item.amount for item in candidate.items)) - abs(sum(fit.pays.values()))
        reasons = [
            _reason(
                code,
                amount=self.line.amounts.get(fit.currency, self.line.amount),
                rest=rest,
                currency=fit.currency,
                count=len(candidate.items),
            )
        ]
        if fit.kind not in (amounts.EXACT, amounts.DISCOUNT) or len(candidate.items) > 1:
            return reasons
        (item,) = candidate.items
        same = [other for other in self.fitting if other.partner == item.partner]
        if item.partner is not None and item.partner == self.partner and same == [item]:
            reasons.append(_reason("amount.only"))
        if self.fitting == [item]:
            reasons.append(_reason("amount.rare"))
        return reasons

    # === DOUBTS === #

    def _doubts(self, candidate, reasons, owners):
        fit = candidate.fit
        doubts = []
        keys = {item.key for item in candidate.items}
        codes = {reason.code for reason in reasons}
        named = [self.hits[key].form if key in self.hits else 0 for key in keys]
        whole = candidate.order or min(named) >= references.SERIAL or "ref.near" in codes
        if not whole and "amount.sum" in codes:
            doubts.append(_reason("doubt.unnamed"))
        if len(owners) > 1 and not candidate.order:
            doubts.append(_reason("doubt.two_partners"))
        doubts += self._other_named(
            keys, owners, bool(candidate.order or max(named) >= references.FULL)
        )
        doubts += self._closed_named(owners, keys)
        if not candidate.unique:
            doubts.append(_reason("doubt.tie"))
        if fit.late:
            doubts.append(_reason("doubt.late_discount"))
        if fit.kind == amounts.OVER:
            doubts.append(_reason("doubt.over", rest=abs(fit.rest), currency=fit.currency))
        if fit.kind == amounts.CONVERTED:
            doubts.append(_reason("doubt.converted", currency=fit.currency))
        if self.wrong and not any(form >= references.STRUCTURED for form in named):
            doubts.append(_reason("doubt.check_digits", reference=self.wrong[0]))
        if fit.kind in (amounts.PARTIAL, amounts.FEE, amounts.OVER, amounts.TOLERANCE):
            doubts += self._fits_elsewhere(keys)
            if fit.kind == amounts.PARTIAL and len(keys) > 1:
                doubts.append(_reason("doubt.incomplete"))
        return doubts

    def _other_named(self, keys, owners, sure):
        """A document that the line names, but the proposal leaves out."""
        documents = {self.pool.items[key].document for key in keys} - {None}
        for key, hit in self.hits.items():
            other = self.pool.items[key]
            if key in keys or hit.form < references.SHORT or other.document in documents:
                continue
            if sure and other.partner not in owners and other not in self.fitting:
                continue
            mistyped = other.partner not in owners and other not in self.fitting
            if mistyped and any(self.near.values()):
                continue
            return [_reason("doubt.other_named", number=hit.name)]
        return []

    def _closed_named(self, owners, keys):
        near = {self.near.get(key) for key in keys} - {None, ""}
        for document in self.closed:
            if document.partner in owners or not near:
                if document.partner not in owners and self._surely(keys):
                    continue
                return [_reason("doubt.closed_named", number=document.name)]
        return []

    def _surely(self, keys):
        return all(key in self.hits and self.hits[key].form >= references.FULL for key in keys)

    def _fits_elsewhere(self, keys):
        owner = self.partner
        for item in self.fitting:
            if item.key not in keys and (item.partner == owner or owner is None):
                return [_reason("doubt.fits_elsewhere", number=item.names[0] if item.names else "")]
        return []

    def _tied(self, proposals):
        """Mark all that are about as good as the best one."""
        if len(proposals) < 2:
            return proposals
        best = proposals[0]
        raw = [_raw(proposal) for proposal in proposals]
        rivals = [
            number for number in range(1, len(proposals))
            if raw[0] - raw[number] < self.terms.margin
            and not self._one_document(best, proposals[number])
        ]  # fmt: skip
        if not rivals:
            return proposals
        tie = _reason("doubt.tie")
        marked = {0, *rivals}
        return [
            replace(proposal, reasons=(*proposal.reasons, tie))
            if number in marked and tie not in proposal.reasons
            else proposal
            for number, proposal in enumerate((best, *proposals[1:]))
        ]

    def _one_document(self, one, other):
        """Tell whether both are instalments of one document: the one due first is paid first."""
        documents = {self.pool.items[key].document for key in (*one.pays, *other.pays)}
        return len(documents) == 1 and None not in documents

    # === TRANSFERS === #

    def _transfers(self):
        """The other side of a transfer between own accounts, None where it is none."""
        line = self.line
        journal = self.directory.own.get(references.compact(line.account))
        others = [
            item
            for item in self.pool.transfers(line)
            if abs((item.day - line.day).days) <= self.terms.days
        ]
        if journal is not None and journal != line.journal:
            others = [item for item in others if item.journal == journal]
            own = True
        else:
            own = False
            others = [
                item for item in others
                if self.directory.own.get(references.compact(item.account)) == line.journal
            ]  # fmt: skip
        if not others:
            if own:
                why = _reason("why.transfer", account=line.account)
                return Verdict(why_not=(why,), partner=self.partner)
            return None
        proposals = []
        for item in others:
            days = abs((item.day - line.day).days)
            reasons = [
                _reason("own.account", account=line.account or item.account),
                _reason("amount.exact", amount=line.amount, rest=Decimal(0),
                        currency=line.currency, count=1),
                _reason("own.days", days=days),
            ]  # fmt: skip
            proposals.append(
                Proposal("transfer", line.currency, {item.key: item.amount}, tuple(reasons))
            )
        if len(proposals) > 1:
            tie = _reason("doubt.tie")
            proposals = [replace(p, reasons=(*p.reasons, tie)) for p in proposals]
        return Verdict(tuple(proposals), self._automatic(proposals))

    # === WHY NOT === #

    def _why_not(self):
        reasons = [_reason("why.check_digits", reference=text) for text in self.wrong[:1]]
        reasons += [_reason("why.closed", number=document.name) for document in self.closed[:2]]
        if self.hits and any(hit.form >= references.SHORT for hit in self.hits.values()):
            best = max(self.hits.values(), key=lambda hit: hit.form)
            reasons.append(_reason("why.amount", number=best.name))
        elif not self.closed:
            reasons.append(_reason("why.unknown_reference"))
        if self.partner is not None:
            owed = self._owed()
            code = "why.amount_partner" if owed else "why.nothing_open"
            reasons.append(_reason(code, count=len(owed)))
        elif len(self.partners) > 1:
            reasons.append(_reason("why.partner_ambiguous", count=len(self.partners)))
        elif self.line.name or self.line.account:
            who = self.line.name or self.line.account
            reasons.append(_reason("why.partner_unknown", name=who))
        else:
            reasons.append(_reason("why.nobody_named"))
        if len(self.fitting) > MOST_ALIKE:
            reasons.append(_reason("why.many", count=len(self.fitting)))
        return tuple(reasons)


def _raw(proposal):
    return sum(reason.points for reason in proposal.reasons)


def _reason(code, **values):
    return Reason(code, {name: str(value) for name, value in values.items()}, POINTS.get(code, 0))
