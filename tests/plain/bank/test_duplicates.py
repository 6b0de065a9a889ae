"""Is it the same booking? Entries of two readings compared by what both tell."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.addons.finance_bank_sync.canonical.duplicates import (
    DOUBT,
    NEW,
    SAME,
    Fact,
    decide,
    reference,
)

DAY = date(2026, 3, 2)
NUMBERS = count(1)
IBAN, OTHER_IBAN = "DE75512108001245126199", "FR1420041010050500013M02606"


def told(family, *entries, reading=None, whole=False, day=DAY):
    """Facts of one reading: each entry a dict of what it says."""
    reading = reading or next(NUMBERS)
    facts = []
    for entry in entries:
        values = {"amount": "10", "day": day, "namespace": family, "whole": whole, **entry}
        told_by_it = ("day", "amount", "text", "end_to_end", "account")
        values.setdefault("fingerprint", str([values.get(name) for name in told_by_it]))
        facts.append(Fact(next(NUMBERS), reading, family, **values))
    return facts


def verdicts(incoming, known):
    return [found.verdict for found in decide(incoming, known)]


CAMT = {"text": "Invoice INV/2026/17 Miller", "end_to_end": "E17", "account": IBAN}
MT940 = {"text": "INVOICE INV/2026/17 MIL LER", "end_to_end": "E17"}
CSV = {"text": "Miller GmbH Invoice INV/2026/17"}
API = {"text": "Miller", "name": "Miller GmbH", "unique_id": "t-1", "account": IBAN}
SOURCES = {"camt:statement": CAMT, "mt940:statement": MT940, "csv:statement": CSV, "plaid": API}


@pytest.mark.parametrize("first", SOURCES)
@pytest.mark.parametrize("second", SOURCES)
@pytest.mark.parametrize("twins", [1, 2, 3])
def test_every_pair_of_sources(first, second, twins):
    """A booking that both tell for whole days is one; so are its twins, and one more is new."""
    entries = {
        name: [values | ({"unique_id": f"t-{n}"} if "unique_id" in values else {})
               for n in range(twins + 1)]
        for name, values in SOURCES.items()
    }  # fmt: skip
    known = told(first, *entries[first][:twins], whole=True)
    assert set(verdicts(told(second, *entries[second][:twins], whole=True), known)) == {SAME}
    found = verdicts(told(second, *entries[second], whole=True), known)
    assert sorted(found) in ([NEW] + [SAME] * twins, [DOUBT] * (twins + 1))


@pytest.mark.parametrize(
    ("incoming", "known", "verdict"),
    [
        # the promised id decides, whatever the text
        ({"unique_id": "1", "text": "A"}, {"unique_id": "1", "text": "B"}, SAME),
        ({"unique_id": "1", "text": "A"}, {"unique_id": "2", "text": "A"}, NEW),
        # another reference given by the same source: twins, or told again with new ones
        ({"servicer": "R1", "text": "A"}, {"servicer": "R2", "text": "A"}, DOUBT),
        ({"servicer": "R1", "text": "A"}, {"servicer": "R1", "text": "A"}, SAME),
        ({"servicer": "R1", "text": "A"}, {"servicer": "R1", "text": "B"}, SAME),
        ({"text": "A"}, {"text": "B"}, NEW),
        ({"end_to_end": "E1"}, {"end_to_end": "E2"}, NEW),
    ],
)
def test_the_same_source(incoming, known, verdict):
    assert verdicts(told("camt", incoming), told("camt", known)) == [verdict]


@pytest.mark.parametrize(
    ("incoming", "known", "verdict"),
    [
        ({"end_to_end": "E1", "text": "x"}, {"end_to_end": "E1", "text": "y"}, SAME),
        ({"end_to_end": "E1"}, {"end_to_end": "E2"}, NEW),
        ({"account": IBAN}, {"account": OTHER_IBAN}, NEW),
        ({"account": IBAN}, {"account": "1245126199"}, SAME),
        ({"text": "Invoice 2026-0017 Miller"}, {"text": "2026-0017"}, SAME),
        ({"name": "Müller GmbH", "text": ""}, {"text": "Gutschrift MULLER GMBH"}, SAME),
        # the same payer on the same day for two things: who knows
        (
            {"account": IBAN, "text": "Flat 10001"},
            {"account": IBAN, "text": "Flat 10002"},
            DOUBT,
        ),
        ({"text": "Groceries"}, {"text": "Card 1234"}, DOUBT),
        ({}, {}, DOUBT),
    ],
)
def test_two_sources(incoming, known, verdict):
    assert verdicts(told("camt", incoming), told("mt940", known)) == [verdict]
    assert verdicts(told("mt940", known), told("camt", incoming)) == [verdict]


def test_a_new_id_after_linking_again():
    """Ids of another link are no contradiction; content decides, twin by twin."""
    twin = {"text": "Coffee", "namespace": "plaid:old"}
    known = told("plaid", twin | {"unique_id": "1"}, twin | {"unique_id": "2"})
    again = {"text": "Coffee", "namespace": "plaid:new"}
    incoming = told("plaid", *(again | {"unique_id": f"n{n}"} for n in range(3)))
    assert verdicts(incoming, known) == [SAME, SAME, NEW]


def test_counting_settles_what_cannot_be_compared():
    """A reading of the whole day has every booking of it."""
    known = told("csv", {"text": "Card 1"}, {"text": "Card 2"})
    two = [{"text": "Groceries"}, {"text": "Fuel"}]
    assert verdicts(told("camt", *two, whole=True), known) == [SAME, SAME]
    assert verdicts(told("camt", *two), known) == [DOUBT, DOUBT]
    assert verdicts(told("camt", *two, {"text": "Taxi"}, whole=True), known) == [DOUBT] * 3
    known = [replace(fact, whole=True) for fact in known]
    assert verdicts(told("camt", two[0]), known) == [SAME]


def test_other_amounts_and_days_are_other_bookings():
    known = told("camt", {"text": "Rent"}, day=DAY)
    assert verdicts(told("camt", {"text": "Rent", "amount": "10.01"}), known) == [NEW]
    assert verdicts(told("camt", {"text": "Rent"}, day=DAY + timedelta(1)), known) == [NEW]


@pytest.mark.parametrize(
    ("days", "entry", "verdict"),
    [
        (1, {"end_to_end": "E17"}, SAME),
        (3, {"end_to_end": "E17"}, SAME),
        (4, {"end_to_end": "E17"}, NEW),
        (1, {"text": "Invoice INV/2026/17"}, DOUBT),
        (1, {"text": "Something else"}, NEW),
        (1, {"text": "Something else", "value_day": DAY}, DOUBT),
    ],
)
def test_another_source_dates_otherwise(days, entry, verdict):
    known = told("camt", CAMT | {"value_day": DAY})
    assert verdicts(told("plaid", entry, day=DAY + timedelta(days)), known) == [verdict]


def test_what_was_skipped_speaks_for_its_booking():
    """The third source is compared with every telling of a booking."""
    first = told("plaid", {"text": "Miller"})
    second = [replace(fact, original=first[0].id) for fact in told("mt940", MT940)]
    assert verdicts(told("csv", CSV), first + second) == [SAME]
    assert verdicts(told("csv", CSV, CSV), first + second) == [SAME, NEW]


def test_evidence_decides_which_of_two():
    """Not the first that fits, but the one that fits best, and each only once."""
    known = told("mt940", {"text": "Invoice 2026-0001"}, {"text": "Invoice 2026-0002"})
    found = decide(told("camt", {"text": "for 2026-0002"}, {"text": "for 2026-0001"}), known)
    assert [verdict.original for verdict in found] == [known[1].id, known[0].id]


def test_many_alike_are_quick():
    """Twenty thousand twins are paired by their content."""
    known = told("camt", *[{"text": "Fee"}] * 20_000)
    found = decide(told("camt", *[{"text": "Fee"}] * 20_001), known)
    assert [verdict.verdict for verdict in found] == [SAME] * 20_000 + [NEW]


ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"amount": st.sampled_from(["1", "2"]), "text": st.sampled_from(["A", "B", "C"])},
        optional={"end_to_end": st.sampled_from(["E1", "E2"])},
    ),
    max_size=8,
)


@given(ENTRIES, ENTRIES)
@settings(max_examples=200, deadline=None)
def test_nothing_doubles_and_no_twin_is_lost(before, more):
    """Told again, everything is the same; what comes on top of it is new, in the same source."""
    known = told("camt", *before)
    again = decide(told("camt", *before, *more), known)
    assert sum(found.verdict == SAME for found in again) == len(before)
    assert sum(found.verdict == NEW for found in again) == len(more)
    originals = [found.original for found in again if found.original]
    assert sorted(originals) == sorted(fact.id for fact in known)


def test_words_that_are_no_reference():
    assert [reference(text) for text in ("NOTPROVIDED", "nonref", " e 1 ")] == ["", "", "E1"]
