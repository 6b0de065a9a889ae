"""Which entries of a statement are in the account already, whoever told them first.

One reading (a statement, or statements that prove to follow one another) tells each booking once,
so its entries are never compared with each other: twins are two bookings. Compared are readings:
an entry may be a booking that another file or another source told before. Only entries of the same
amount can be the same booking, and one booking answers for one entry.

Texts, ids and even days differ between sources, so what is compared is evidence:

- IDENTICAL: the id that a source promises to be unique, or the same content by the same source;
- LIKELY: another reference, or the text, is the same, and nothing speaks against it;
- POSSIBLE: nothing to compare;
- DIFFERENT: something that both tell is not the same.

Where nothing can be compared, counting helps: a reading that tells a whole day has every booking of
the day. Where counting doesn't settle it, nobody guesses: the entry is in doubt, and a person looks.
"""

import re
import unicodedata
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import date

IDENTICAL, LIKELY, POSSIBLE, DIFFERENT = 3, 2, 1, 0
NEW, SAME, DOUBT = "new", "same", "doubt"
# Between two sources the day of a booking may differ by so much: weekends, cut-off times.
OTHER_DAYS = 3
# More pairs than this in one day and amount are not compared by their texts.
MOST_PAIRS = 250_000
MEANINGLESS = {"", "NOTPROVIDED", "NONREF", "NOREF", "NOTAVAILABLE", "NULL", "NONE", "UNKNOWN"}


@dataclass(frozen=True)
class Fact:
    """What one entry says that can be compared.

    id: of the entry. reading: what told it. family: which kind of source it is, whose texts are
    always the same for the same booking ("camt:statement", "plaid"); namespace: within which its
    ``unique_id`` is promised to be unique. day, value_day: booking and value date. amount: in one
    spelling. fingerprint: of its content. servicer, end_to_end: ids, other: further references.
    account: of the counterparty. whole: whether the reading tells every booking of the day.
    standing: whether the reading is one of final bookings, not a report of the day under way.
    original: id of the booking that this entry was found to be; its own where it is one.
    """

    id: int
    reading: int
    family: str
    namespace: str
    day: date
    amount: str
    value_day: date | None = None
    fingerprint: str = ""
    unique_id: str = ""
    servicer: str = ""
    end_to_end: str = ""
    other: frozenset = frozenset()
    account: str = ""
    name: str = ""
    text: str = ""
    whole: bool = False
    standing: bool = True
    original: int = 0

    @property
    def booking(self) -> int:
        """Return the id of the booking that the entry is, or was found to be."""
        return self.original or self.id


@dataclass(frozen=True)
class Verdict:
    """What an entry is: NEW, SAME as the booking ``original``, or in DOUBT (it may be that one).

    why: the code of the reason; one of "id", "content", "reference", "count", "alike", "report",
    "changed", "" for what is new.
    """

    id: int
    verdict: str
    original: int = 0
    why: str = ""


def decide(incoming, known) -> list[Verdict]:
    """Return what each of ``incoming`` is, in their order.

    incoming: `Fact` of one reading. known: `Fact` of all other readings of the account within
    `OTHER_DAYS` of them, of the bookings and of what was found to be one of them.
    """
    found = {}
    groups = defaultdict(lambda: ([], []))
    for fact in incoming:
        groups[fact.amount][0].append(fact)
    for fact in known:
        if fact.amount in groups:
            groups[fact.amount][1].append(fact)
    for alike, before in groups.values():
        found |= _Group(alike, before).decide() if before else {}
    return [found.get(fact.id, Verdict(fact.id, NEW)) for fact in incoming]


# === ONE AMOUNT === #


class _Group:
    """Entries of one amount, and the bookings of that amount that were told before."""

    def __init__(self, incoming, known):
        self.open = {fact.id: fact for fact in incoming}
        self.tellings = defaultdict(list)
        for fact in known:
            self.tellings[fact.booking].append(fact)
        self.found = {}

    def decide(self):
        """Return {id: `Verdict`} of what is not new; each step takes what it settles."""
        for ids, why in (
            (_promised, "id"),
            (_spoken, "content"),
            (_content, "content"),
            (_references, "reference"),
        ):
            self._by_key(ids, why)
        for day in sorted({fact.day for fact in self.open.values()}):
            self._by_evidence(day)
            self._by_count(day)
        self._on_other_days()
        return self.found

    def _settle(self, fact, booking, why, verdict=SAME):
        self.open.pop(fact.id)
        if verdict == SAME:
            self.tellings.pop(booking)
        self.found[fact.id] = Verdict(fact.id, verdict, booking, why)

    def _by_key(self, keys_of, why):
        """Pair what has a key in common on the same day; each booking answers for one entry."""
        index = defaultdict(deque)
        for booking, tellings in self.tellings.items():
            for key in {key for telling in tellings for key in keys_of(telling)}:
                index[key].append(booking)
        for fact in list(self.open.values()):
            for key in keys_of(fact):
                while index[key] and index[key][0] not in self.tellings:
                    index[key].popleft()
                booking = next((b for b in index[key] if self._may_be(fact, b)), None)
                if booking is not None:
                    self._settle(fact, booking, why)
                    break

    def _may_be(self, fact, booking):
        tellings = self.tellings.get(booking)
        return bool(tellings) and self._level(fact, booking) >= LIKELY

    def _level(self, fact, booking):
        """Compare with every telling of a booking: identity counts most, then contradiction."""
        levels = [level(fact, telling) for telling in self.tellings[booking]]
        best, worst = max(levels), min(levels)
        return best if best == IDENTICAL or worst != DIFFERENT else DIFFERENT

    def _of_day(self, day):
        facts = [fact for fact in self.open.values() if fact.day == day]
        bookings = [
            booking
            for booking, tellings in self.tellings.items()
            if any(telling.day == day for telling in tellings)
        ]
        return facts, bookings

    def _by_evidence(self, day):
        """Pair what is likely the same, as many as can be, best evidence first."""
        facts, bookings = self._of_day(day)
        if len(facts) * len(bookings) > MOST_PAIRS:
            return
        scores = {}
        for fact in facts:
            for booking in bookings:
                if self._level(fact, booking) >= LIKELY:
                    score = max(evidence(fact, telling) for telling in self.tellings[booking])
                    scores.setdefault(fact.id, {})[booking] = score
        for number, booking in _paired(scores).items():
            self._settle(self.open[number], booking, "alike")

    def _by_count(self, day):
        """Settle by counting what can't be compared; what counting leaves open is in doubt."""
        facts, bookings = self._of_day(day)
        if len(facts) * len(bookings) > MOST_PAIRS:
            possible = {fact.id: dict.fromkeys(bookings, 0) for fact in facts}
        else:
            possible = {
                fact.id: {b: 0 for b in bookings if self._level(fact, b) == POSSIBLE}
                for fact in facts
            }
        possible = {number: options for number, options in possible.items() if options}
        if not possible:
            return
        reached = set().union(*possible.values())
        pairs = _paired(possible) if len(possible) * len(reached) <= MOST_PAIRS else {}
        told_whole = all(any(t.whole for t in self.tellings[b]) for b in reached)
        tells_whole = all(self.open[number].whole for number in possible)
        all_known = told_whole and len(pairs) == len(possible)
        all_told = tells_whole and len(pairs) == len(possible) == len(reached)
        for number, options in possible.items():
            if all_known or all_told:
                self._settle(self.open[number], pairs[number], "count")
            else:
                booking = pairs.get(number) or min(options)
                self._settle(self.open[number], booking, "alike", DOUBT)

    def _on_other_days(self):
        """Another source may date a booking otherwise: sure with a reference, else in doubt."""
        for fact in list(self.open.values()):
            near = [b for b in self.tellings if self._is_near(fact, b)]
            same = [b for b in near if any(_shared(fact, t) for t in self.tellings[b])]
            if len(same) == 1 and self._level(fact, same[0]) != DIFFERENT:
                self._settle(fact, same[0], "reference")
                continue
            alike = [b for b in near if self._level(fact, b) >= LIKELY]
            alike += [
                b
                for b in near
                if self._level(fact, b) == POSSIBLE and self._same_value_day(fact, b)
            ]
            if alike:
                self._settle(fact, alike[0], "alike", DOUBT)

    def _is_near(self, fact, booking):
        tellings = self.tellings[booking]
        if any(telling.day == fact.day or telling.family == fact.family for telling in tellings):
            return False
        return any(abs((telling.day - fact.day).days) <= OTHER_DAYS for telling in tellings)

    def _same_value_day(self, fact, booking):
        days = {telling.value_day for telling in self.tellings[booking] if telling.value_day}
        return bool(fact.value_day and fact.value_day in days)


def _paired(options):
    """Return {left: right} with as many pairs as there can be, high scores first (Kuhn).

    options: {left: {right: score}}.
    """
    taken = {}

    def place(left, seen):
        for right in sorted(options[left], key=lambda right: (-options[left][right], right)):
            if right in seen:
                continue
            seen.add(right)
            if right not in taken or place(taken[right], seen):
                taken[right] = left
                return True
        return False

    best = {left: max(scores.values()) for left, scores in options.items() if scores}
    for left in sorted(best, key=lambda left: (-best[left], left)):
        place(left, set())
    return {left: right for right, left in taken.items()}


# === EVIDENCE === #


def level(one: Fact, other: Fact) -> int:
    """Return how sure it is that two entries of one amount are the same booking."""
    if one.namespace == other.namespace and one.unique_id and other.unique_id:
        return IDENTICAL if one.unique_id == other.unique_id else DIFFERENT
    if one.end_to_end and other.end_to_end and one.end_to_end != other.end_to_end:
        return DIFFERENT
    if one.fingerprint and one.fingerprint == other.fingerprint:
        return POSSIBLE if _other_reference(one, other) or _says_nothing(one, other) else IDENTICAL
    if _shared(one, other):
        return LIKELY
    if one.family == other.family or _other_account(one, other):
        return DIFFERENT
    return LIKELY if evidence(one, other) >= 2 else POSSIBLE


def evidence(one: Fact, other: Fact) -> int:
    """Return how much two entries have in common; two make them likely the same."""
    score = 4 * bool(one.fingerprint and one.fingerprint == other.fingerprint)
    score += 3 * bool(_shared(one, other))
    told = one.text and other.text
    similar = bool(told) and _similar(one.text, other.text)
    score += 2 * similar
    if told and not similar:
        # the same payer twice on one day, for two things
        return score + _same_party(one, other)
    return score + 2 * _same_party(one, other)


def _promised(fact):
    return [(fact.namespace, fact.unique_id, fact.day)] if fact.unique_id else []


def _spoken(fact):
    """The same content with the same reference: the surest of twins goes first."""
    return [(fact.fingerprint, fact.servicer, fact.day)] if fact.servicer else []


def _content(fact):
    return [(fact.fingerprint, fact.day)] if fact.fingerprint else []


def _references(fact):
    keys = [("servicer", fact.servicer, fact.day)] if fact.servicer else []
    return keys + ([("end", fact.end_to_end, fact.day)] if fact.end_to_end else [])


def _shared(one, other):
    """A reference of the booking itself that both tell."""
    servicer = one.servicer and one.servicer == other.servicer
    return bool(servicer or (one.end_to_end and one.end_to_end == other.end_to_end))


def _other_reference(one, other):
    """Both come from the same source, and it gave them references that differ."""
    if one.family != other.family or not one.servicer or not other.servicer:
        return False
    return one.servicer != other.servicer


def _says_nothing(one, other):
    """A day and an amount alone identify nothing, unless one source tells them twice."""
    return one.family != other.family and not (one.text or one.end_to_end or one.account)


def _other_account(one, other):
    if not one.account or not other.account or one.account == other.account:
        return False
    # a number can be the end of an IBAN; two IBANs are one or two accounts
    short, long = sorted((one.account, other.account), key=len)
    return not long.endswith(short.lstrip("0"))


def _same_party(one, other):
    if one.account and other.account:
        return not _other_account(one, other)
    named = one.name and other.name and _within(one.name, other.name)
    in_text = (one.name and _within(one.name, other.text)) or (
        other.name and _within(other.name, one.text)
    )
    return bool(named or in_text)


def _similar(one, other):
    """Whether two texts tell of the same: one within the other, or a number in common."""
    if _within(one, other):
        return True
    first, second = (set(_NUMBERED.findall(text)) for text in (one, other))
    if first and second:
        return bool(first & second)
    return False


def _within(one, other):
    short, long = sorted((squeezed(one), squeezed(other)), key=len)
    return len(short) >= 6 and short in long


_NUMBERED = re.compile(r"(?=[A-Z/\-]*\d)[A-Z0-9][A-Z0-9/\-]{4,}")


def spelled(text: str) -> str:
    """Return a text in capitals, without accents: what different sources spell alike."""
    plain = unicodedata.normalize("NFKD", text or "")
    return "".join(sign for sign in plain if not unicodedata.combining(sign)).upper()


def squeezed(text: str) -> str:
    """Return letters and digits of a text alone: banks break and join lines anywhere."""
    return re.sub(r"[^A-Z0-9]", "", spelled(text))


def reference(text: str) -> str:
    """Return a reference as it is compared, "" for words that mean none.

    >>> reference("not provided"), reference("E2E-17 ")
    ('', 'E2E17')
    """
    found = squeezed(text)
    return "" if found in MEANINGLESS else found
