"""What is open, indexed for lookups by equality; and who is who."""

from collections import defaultdict
from dataclasses import dataclass, field, replace

from . import references
from .names import account_key, name_key
from .values import TRANSFER, Closed


@dataclass
class Directory:
    """Whose an account or a name is. accounts, names: {key: partners}; learned: {key: partner} that
    an accountant's decisions taught; own: {account key: journal} of the company's own accounts."""

    accounts: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    names: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    learned: dict[str, int] = field(default_factory=dict)
    own: dict[str, int] = field(default_factory=dict)

    def add(self, partner, name="", account=""):
        """Note a name or an account of ``partner``."""
        if key := name_key(name):
            self.names[key].add(partner)
        if key := account_key(account):
            self.accounts[key].add(partner)

    def who(self, line):
        """Return (partner or None, code of the evidence, the partners that it may be)."""
        if line.partner is not None:
            return line.partner, "partner.set", {line.partner}
        account, name = account_key(line.account), name_key(line.name)
        owners, named = self.accounts.get(account, set()), self.names.get(name, set())
        if len(owners) == 1:
            return next(iter(owners)), "partner.account", owners
        if owners:
            both = owners & named
            if len(both) == 1:
                return next(iter(both)), "partner.account", both
            return None, "", owners
        if account in self.learned:
            return self.learned[account], "partner.learned", {self.learned[account]}
        if len(named) == 1:
            return next(iter(named)), "partner.name", named
        return None, "", named


@dataclass(frozen=True)
class Hit:
    """An item that a text names. form: of `references`. typed: as the text has it."""

    item: int
    form: int
    typed: str
    name: str


class Pool:
    """Open items by number, partner and amount. What is paid in a run leaves it at once."""

    def __init__(self, items=(), closed=(), currency=""):
        self.currency = currency  # of the company
        self.items = {}
        self._numbers = defaultdict(list)
        self._ids = defaultdict(list)
        self._partners = defaultdict(list)
        self._amounts = defaultdict(list)
        self._closed = defaultdict(list)
        for item in items:
            self.add(item)
        for document in closed:
            self.close(document)

    def add(self, item):
        """Put an open item in."""
        self.items[item.key] = item
        for name in item.names:
            for key, form in references.number_keys(name).items():
                self._numbers[key].append((item.key, form, name))
        for identity in item.ids:
            if key := references.compact(identity):
                self._ids[key].append(item.key)
        if item.partner is not None:
            self._partners[item.partner].append(item.key)
        for amount in {item.amount, item.discounted} - {None}:
            self._amounts[item.currency, amount].append(item.key)

    def close(self, document):
        """Note a document that is paid: naming it is a doubt, not a match."""
        for key, form in references.number_keys(document.name).items():
            if form >= references.SHORT:
                self._closed[key].append(document)

    def pay(self, key, amount):
        """Take ``amount`` off an item; without a rest it is settled, and naming it a doubt."""
        item = self.items.pop(key)
        if item.amount == amount:
            for name in item.names:
                self.close(Closed(name, item.partner))
            return
        share = (item.amount - amount) / item.amount
        balance = (item.balance * share).quantize(item.balance)
        self.add(replace(item, amount=item.amount - amount, balance=balance, discounted=None))

    def drop(self, key):
        """Take an item out."""
        self.items.pop(key, None)

    def _alive(self, keys):
        return [self.items[key] for key in dict.fromkeys(keys) if key in self.items]

    def of_partner(self, partner):
        """Return the open items of ``partner``, the oldest first."""
        items = self._alive(self._partners.get(partner, ()))
        return sorted(items, key=lambda item: (item.due or item.day, item.day, item.key))

    def of_amounts(self, amounts):
        """Return the open items with one of {currency: amount}, in full or less discount."""
        keys = [key for money in amounts.items() for key in self._amounts.get(money, ())]
        return [
            item
            for item in self._alive(keys)
            if amounts.get(item.currency) in (item.amount, item.discounted)
        ]

    def of_id(self, identity):
        """Return the open items with this id of an order or a transaction."""
        return self._alive(self._ids.get(references.compact(identity), ()))

    def transfers(self, line):
        """Return the lines of other own accounts that may be the other side of ``line``."""
        return [
            item
            for item in self._alive(self._amounts.get((line.currency, line.amount), ()))
            if item.kind == TRANSFER and item.journal != line.journal
        ]

    def hits(self, mentions, structured=False):
        """Return {item key: best Hit} of what ``mentions`` name."""
        hits = {}
        for key, mention in mentions.items():
            for item, form, name in self._numbers.get(key, ()):
                if item not in self.items:
                    continue
                hit = Hit(item, _form(form, mention, name, structured), mention.raw, name)
                if item not in hits or hits[item].form < hit.form:
                    hits[item] = hit
        return _listed(hits)

    def closed(self, mentions):
        """Return the paid documents that ``mentions`` name, without prefix or in full."""
        found = {}
        for key, mention in mentions.items():
            for document in self._closed.get(key, ()):
                if not mention.month:
                    found[document.name] = document
        return list(found.values())


def _form(form, mention, name, structured):
    """Return what a key tells, seen how it is written: "2026-12" may be a month."""
    if form == references.SERIAL and mention.raw != references.serial(name):
        return references.WEAK
    if mention.month and form <= references.SHORT:
        return references.WEAK
    if structured and form in (references.FULL, references.SHORT):
        return references.STRUCTURED
    return form


def _listed(hits):
    """Raise what is written by its end alone, where another of its kind is written in full."""
    stems = {
        references.stem(hit.name)
        for hit in hits.values()
        if hit.form in (references.FULL, references.SHORT)
    }
    return {
        item: Hit(item, references.LISTED, hit.typed, hit.name)
        if hit.form == references.SERIAL and references.stem(hit.name) in stems
        else hit
        for item, hit in hits.items()
    }
