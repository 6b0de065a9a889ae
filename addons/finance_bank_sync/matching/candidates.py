"""What a bank line may be: single items and sums that are named, that fit, or that a partner owes."""

from dataclasses import dataclass

from . import amounts, references, structured
from .pool import Hit
from .subsets import subsets
from .values import TRANSFER

MOST_ALIKE = 8


@dataclass(frozen=True)
class Candidate:
    """Items that a line may be, all of them, and how they fit. order: they are named by the id of one
    payment order."""

    items: tuple
    fit: amounts.Fit
    order: bool = False
    unique: bool = True  # of a sum: no other items come to it


class Search:
    """What one line names, whose it is, and what it may be."""

    def __init__(self, line, pool, directory, terms):
        self.line, self.pool, self.directory, self.terms = line, pool, directory, terms
        self.partner, self.partner_code, self.partners = directory.who(line)
        self.mentions, self.wrong = _mentions(line)
        self.hits = pool.hits(self.mentions)
        given = {}
        for reference in line.references:
            given |= references.text_mentions(reference)
        self.hits |= {
            key: hit for key, hit in pool.hits(given, structured=True).items()
            if hit.form > getattr(self.hits.get(key), "form", 0)
        }  # fmt: skip
        self.order = {}
        self._find_ids()
        self.closed = [
            document for document in pool.closed(self.mentions | given)
            if not self._is_open(document.name)
        ]  # fmt: skip
        self.near = {}
        self.fitting = [item for item in pool.of_amounts(line.amounts) if item.kind != TRANSFER]

    def _find_ids(self):
        for identity in self.line.ids:
            items = self.pool.of_id(identity)
            if len(items) == 1:
                hit = self.hits.get(items[0].key)
                name = hit.name if hit else identity
                self.hits[items[0].key] = _hit(items[0].key, identity, name)
            elif items:
                self.order[identity] = items

    def _is_open(self, name):
        return any(hit.name == name for hit in self.hits.values())

    # === CANDIDATES === #

    def candidates(self):
        yield from self._orders()
        named = self._named()
        if len(named) > 1:
            yield from self._named_together(named)
        for item in named:
            yield from self._single(item)
        yield from self._fitting()
        if self.partner is not None:
            yield from self._of_partner(named)

    def _orders(self):
        for items in self.order.values():
            if found := self._fit(items):
                yield Candidate(tuple(items), found, order=True)
            for item in items:  # one of the order by itself
                if found := self._fit([item]):
                    if found.kind == amounts.EXACT:
                        yield Candidate((item,), found, order=True)

    def _named(self):
        """Return the items that the line names well enough to look at, best first."""
        items = []
        for key, hit in self.hits.items():
            item = self.pool.items[key]
            agrees = item.partner is not None and item.partner in self.partners
            if hit.form > references.SERIAL or (hit.form >= references.WEAK and agrees):
                items.append((hit.form, item))
            elif hit.form == references.SERIAL and item in self.fitting:
                items.append((hit.form, item))
        return [item for _form, item in sorted(items, key=lambda found: (-found[0], found[1].key))]

    def _single(self, item):
        found = self._fit([item])
        if found is None:
            return
        weak = self.hits[item.key].form <= references.WEAK
        if weak and found.kind not in (amounts.EXACT, amounts.DISCOUNT):
            return
        yield Candidate((item,), found)

    def _named_together(self, named):
        """All that are named; else some of them; else with others of the partner."""
        sure = [item for item in named if self.hits[item.key].form >= references.SHORT]
        sure = [item for item in sure if len({item.partner, sure[0].partner}) == 1] or sure
        if len(sure) < 2:
            sure = named
        found = self._fit(sure)
        if found and found.kind not in (amounts.OVER, amounts.PARTIAL):
            yield Candidate(tuple(sure), found)
            return
        if len(named) > len(sure):
            every = self._fit(named)
            if every and every.kind in (amounts.EXACT, amounts.DISCOUNT):
                yield Candidate(tuple(named), every)
        exact = list(self._sums(sure))
        yield from exact
        if found and not exact:
            yield Candidate(tuple(sure), found)

    def _fitting(self):
        """What has the amount, whoever owes it: few of them, or those of the partner."""
        fitting = self.fitting
        if len(fitting) > MOST_ALIKE:
            fitting = [item for item in fitting if item.partner in self.partners]
        for item in fitting[:MOST_ALIKE]:
            found = self._fit([item])
            if found and found.kind in (amounts.EXACT, amounts.DISCOUNT):
                yield Candidate((item,), found)

    def _of_partner(self, named):
        items = self._owed()
        if any(item.partner == self.partner for item in self.fitting):
            return
        credits = [item for item in items if (item.amount > 0) != (self.line.amount > 0)]
        mine = [item for item in named if item.partner == self.partner]
        if mine and credits:  # what is named, less credit notes that are not
            rest = [item for item in credits if item not in mine]
            yield from self._sums(mine, rest)
        if mine:
            others = [item for item in items if item not in mine]
            yield from self._sums(mine, others)
        yield from self._sums([], items)
        yield from self._converted(items)
        if len(items) == 1 and items[0] not in mine:
            found = self._fit(items)
            if found and found.kind in (amounts.FEE, amounts.TOLERANCE, amounts.CONVERTED):
                yield Candidate(tuple(items), found)

    def _owed(self):
        return [item for item in self.pool.of_partner(self.partner) if item.kind != TRANSFER]

    def _converted(self, items):
        """Items in a currency that the bank doesn't tell."""
        foreign = [item for item in items if item.currency not in self.line.amounts]
        for item in foreign[:MOST_ALIKE]:
            if found := self._fit([item]):
                yield Candidate((item,), found)

    def _sums(self, fixed, free=None):
        """All of ``fixed`` with some of ``free`` that come to the amount exactly; or, without
        ``free``, some of ``fixed``."""
        if free is None:
            fixed, free = [], fixed
        for currency, amount in self.line.amounts.items():
            if any(item.currency != currency for item in fixed):
                continue
            choice = [item for item in free if item.currency == currency]
            start = sum(item.amount for item in fixed)
            cents = [int(item.amount * 1000) for item in choice]
            least = 1 if fixed else 2
            found = subsets(cents, int((amount - start) * 1000), least)
            for positions in found.positions:
                items = [*fixed, *(choice[position] for position in positions)]
                if fit := self._fit(items):
                    yield Candidate(tuple(items), fit, unique=found.count == 1)

    def _fit(self, items):
        return amounts.fit(self.line, list(items), self.terms, self.pool.currency)


def _mentions(line):
    """Return ({key: Mention} of the free texts, structured references with wrong check figures)."""
    mentions, wrong = {}, []
    for text in line.texts:
        mentions |= references.text_mentions(text)
        wrong += structured.found(text)[1]
    return mentions, wrong


def _hit(item, typed, name):
    return Hit(item, references.ID, typed, name)
