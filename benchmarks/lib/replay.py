"""Replay a year of `company_year` through the matcher, with an accountant who does the rest.

Line by line: what is open on its day is matched; what the matcher leaves, the accountant books as it
truly is, which teaches the account of the payer. Nothing of the truth is seen by the matcher.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from benchmarks.lib import company_year
from benchmarks.lib.plain import plain

matching = plain("finance_bank_sync.matching")
names = plain("finance_bank_sync.matching.names")
TRANSFERS = 10_000_000


@dataclass
class Score:
    """Counts of lines. payable: whose truth is something open. automatic: matched without a
    person; false: of these not as they truly are; right = automatic - false. first, shown: left to
    a person with the truth proposed first, or at all."""

    lines: int = 0
    payable: int = 0
    automatic: int = 0
    false: int = 0
    first: int = 0
    shown: int = 0
    kinds: dict = field(default_factory=lambda: defaultdict(Counter))
    wrong: list = field(default_factory=list)

    @property
    def right(self):
        return self.automatic - self.false

    @property
    def precision(self):
        """Share of the automatic ones that are right."""
        return self.right / self.automatic if self.automatic else 1.0

    @property
    def recall(self):
        """Share of the lines that pay something open which are matched right and automatically."""
        return self.right / self.payable

    @property
    def found(self):
        """The same with those whose truth is the first proposal."""
        return (self.right + self.first) / self.payable

    def add(self, other):
        """Add the counts of another year."""
        for name in ("lines", "payable", "automatic", "false", "first", "shown"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for kind, counts in other.kinds.items():
            self.kinds[kind] += counts
        self.wrong += other.wrong


def replay(year, terms=None):
    """Return the `Score` of matching ``year`` from its first day to its last."""
    return _Replay(year, terms or matching.Terms()).run()


class _Replay:
    def __init__(self, year, terms):
        self.year, self.terms = year, terms
        self.pool = matching.Pool(currency="EUR")
        self.directory = matching.Directory()
        for partner in year.partners:
            account = partner.iban if partner.known else ""
            self.directory.add(partner.key, partner.name, account)
        for journal, account in enumerate(company_year.OWN_ACCOUNTS):
            self.directory.own[account] = journal
        self.coming = sorted(year.items, key=lambda item: item.day)
        self.score = Score()

    def run(self):
        for line in self.year.lines:
            self._until(line.day)
            verdict = matching.match(_bank_line(line), self.pool, self.directory, self.terms)
            self._judge(line, verdict)
            self._book(line)
        return self.score

    def _until(self, day):
        while self.coming and self.coming[0].day <= day:
            self.pool.add(_open_item(self.coming.pop(0)))

    def _judge(self, line, verdict):
        score, kinds = self.score, self.score.kinds[line.truth.kind]
        payable = bool(_truth(line)[0])
        score.lines += 1
        score.payable += payable
        right = [_is_truth(line, proposal) for proposal in verdict.proposals]
        if verdict.automatic is not None:
            score.automatic += 1
            outcome = "automatic" if right[0] else "false"
            if not right[0]:
                score.false += 1
                score.wrong.append((line, verdict.automatic))
        elif payable and any(right):
            outcome = "first" if right[0] else "shown"
            score.first += right[0]
            score.shown += 1
        else:
            outcome = "left" if not verdict.proposals else "misled" if payable else "proposed"
        kinds[outcome] += 1

    def _book(self, line):
        truth = line.truth
        if truth.kind == "transfer":
            if truth.mirror < line.key:
                self.pool.drop(TRANSFERS + truth.mirror)
            else:
                self.pool.add(_transfer(line))
            return
        for key, amount in truth.pays.items():
            self.pool.pay(key, amount)
        account = names.account_key(line.iban)
        owners = {self.year.items[key].partner for key in truth.pays}
        if account and len(owners) == 1 and account not in self.directory.accounts:
            self.directory.learned[account] = owners.pop()


def _truth(line):
    if line.truth.kind == "transfer":
        mirror = line.truth.mirror
        return ({TRANSFERS + mirror: line.amount} if mirror < line.key else {}), Decimal(0)
    rest = line.truth.rest
    return line.truth.pays, rest


def _is_truth(line, proposal):
    pays, rest = _truth(line)
    return proposal.pays == pays and proposal.rest == rest


def _bank_line(line):
    amounts = {"EUR": line.amount}
    if line.original_amount is not None:
        amounts[line.original_currency] = line.original_amount
    return matching.BankLine(
        key=line.key,
        day=line.day,
        currency="EUR",
        amounts=amounts,
        texts=(line.text,),
        references=(line.structured,) if line.structured else (),
        ids=tuple(filter(None, (line.end_to_end, line.order))),
        name=line.name,
        account=line.iban,
        journal=line.journal,
    )


def _open_item(item):
    names = tuple(filter(None, (item.number, item.reference, item.partner_number)))
    return matching.OpenItem(
        key=item.key,
        kind=matching.DOCUMENT,
        amount=item.amount,
        currency=item.currency,
        day=item.day,
        names=names,
        ids=tuple(filter(None, (item.end_to_end, item.order))),
        partner=item.partner,
        balance=item.balance,
        due=item.due,
        discounted=item.discounted,
        discount_day=item.discount_day,
    )


def _transfer(line):
    return matching.OpenItem(
        key=TRANSFERS + line.key,
        kind=matching.TRANSFER,
        amount=-line.amount,
        currency="EUR",
        day=line.day,
        account=line.iban,
        journal=line.journal,
    )
