"""Documents of ledger and engine, one by one and all together; and how an engine is asked."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.finance_connector_base.canonical import codec
from odoo.addons.finance_connector_base.providers.errors import Rejected, Transient
from odoo.addons.finance_tax_engine.canonical.tax import (
    RecordedDocument,
    TaxReference,
    TaxResult,
)
from odoo.addons.finance_tax_engine.reconciliation import compare, listing
from odoo.addons.finance_tax_engine.reconciliation.compare import (
    BUCKETS,
    REASONS,
    Here,
    There,
    counted,
    judge,
)
from odoo.addons.finance_tax_engine.reconciliation.listing import Listed, Question, ask

D = Decimal
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
DAY = date(2026, 3, 2)
KEYS = {"US/TX/state/48/0.0625": D("7.96"), "US/TX/city/X/0.011": D("2.68")}
HERE = Here(True, True, "committed", DAY, "USD", D("127.73"), D("10.64"), KEYS, told=DAY)
THERE = There("INV-1", "invoice", "recorded", DAY, "USD", D("127.73"), D("10.64"), KEYS)


def verdict(here=None, there=None):
    found = judge(here, there, FIRST, LAST)
    return found and (found.bucket, found.reason, found.standing)


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        ({}, {}, ("matched", "", "order")),
        ({}, {"by_key": None}, ("matched", "", "order")),
        ({}, {"day": None, "net": None}, ("matched", "", "order")),
        ({"state": "posted"}, {}, ("matched", "", "order")),
        # only here
        ({"state": "posted"}, None, ("only_here", "waiting", "pending")),
        ({"state": "posted", "stuck": True}, None, ("only_here", "stopped", "difference")),
        ({"state": "refused"}, None, ("only_here", "refused", "difference")),
        ({"state": "mismatch"}, None, ("only_here", "mismatch", "difference")),
        ({"state": "fallback"}, None, ("only_here", "fallback", "difference")),
        ({"state": ""}, None, ("only_here", "unasked", "difference")),
        ({"state": "some day"}, None, ("only_here", "state", "difference")),
        ({}, None, ("only_here", "lost", "difference")),
        ({"state": "locked"}, None, ("only_here", "lost", "difference")),
        ({"moved": True}, None, ("only_here", "moving", "pending")),
        ({"excuse": "elsewhere"}, None, ("only_here", "elsewhere", "order")),
        ({"excuse": "settled"}, None, ("only_here", "settled", "order")),
        ({"excuse": "before", "state": ""}, None, ("only_here", "before", "order")),
        ({"excuse": "off"}, None, ("only_here", "off", "pending")),
        ({"excuse": "elsewhere"}, {"status": "voided"}, ("only_here", "elsewhere", "order")),
        # only there
        (None, {}, ("only_there", "orphan", "difference")),
        (None, {"status": "voided"}, ("void", "", "order")),
        (None, {"status": "saved"}, ("void", "", "order")),
        # amounts
        ({}, {"tax": D("10.65")}, ("amount", "tax", "difference")),
        ({}, {"currency": "EUR"}, ("amount", "currency", "difference")),
        ({}, {"net": D("127.72")}, ("amount", "net", "difference")),
        ({}, {"by_key": {"x": D("10.64")}}, ("amount", "jurisdiction", "difference")),
        # status
        ({}, {"status": "voided"}, ("status", "voided", "difference")),
        ({}, {"status": "saved"}, ("status", "saved", "difference")),
        ({"busy": True}, {"status": "voided"}, ("status", "waiting", "pending")),
        ({"posted": False}, {}, ("status", "draft", "difference")),
        ({"posted": False, "busy": True}, {}, ("status", "voiding", "pending")),
        ({"posted": False, "moved": True}, {}, ("status", "moving", "pending")),
        ({"posted": False}, {"status": "voided"}, ("void", "", "order")),
        ({"posted": False}, None, None),
        ({"current": False}, {}, ("status", "earlier", "difference")),
        ({"current": False}, {"status": "voided"}, ("void", "", "order")),
        ({"current": False}, None, None),
        ({"excuse": "elsewhere"}, {}, ("status", "unexpected", "difference")),
        ({}, {"status": "unanswered"}, ("unknown", "unanswered", "difference")),
        # days
        ({}, {"day": DAY + timedelta(1)}, ("date", "day", "difference")),
        ({"told": date(2026, 4, 1)}, None, ("date", "period", "difference")),
        ({"day": date(2026, 4, 1)}, None, ("cutoff", "booked", "order")),
        ({"day": date(2026, 4, 1)}, {}, ("date", "day", "difference")),
        ({"day": None}, None, ("cutoff", "booked", "order")),
    ],
)
def test_verdicts(here, there, expected):
    found = verdict(
        None if here is None else replace(HERE, **here),
        None if there is None else replace(THERE, **there),
    )
    assert found == expected


cents = st.integers(-(10**7), 10**7).map(lambda number: D(number) / 100)
days = st.dates(date(2026, 2, 25), date(2026, 4, 5))
keyed = st.dictionaries(st.sampled_from("abc"), cents.filter(bool), max_size=3)
heres = st.builds(
    Here,
    posted=st.booleans(),
    current=st.booleans(),
    state=st.sampled_from(["", "posted", "committed", "locked", "refused", "fallback", "voided"]),
    day=days,
    currency=st.sampled_from(["USD", "EUR"]),
    net=cents,
    tax=cents,
    by_key=keyed,
    told=days,
    excuse=st.sampled_from(["", "", "", *compare.EXCUSED]),
    busy=st.booleans(),
    stuck=st.booleans(),
    moved=st.booleans(),
)
theres = st.builds(
    There,
    code=st.text(max_size=4),
    kind=st.sampled_from(["invoice", "refund"]),
    status=st.sampled_from(["saved", "recorded", "voided", "unanswered"]),
    day=days | st.none(),
    currency=st.sampled_from(["USD", "EUR"]),
    net=cents | st.none(),
    tax=cents,
    by_key=keyed | st.none(),
)
pairs = st.tuples(heres | st.none(), theres | st.none()).filter(any)


@given(pairs)
def test_every_pair_has_a_verdict_in_words_that_are_known(pair):
    found = judge(*pair, FIRST, LAST)
    if found is None:
        here, there = pair
        assert there is None and not (here.posted and here.current)
        return
    assert found.bucket in BUCKETS
    assert (
        (found.reason in REASONS) if found.bucket not in ("matched", "void") else not found.reason
    )


@given(pairs)
def test_what_is_in_order_has_no_gap_for_the_return(pair):
    """A gap is never in order: sums differ only where somebody is told."""
    found = judge(*pair, FIRST, LAST)
    if found and found.standing == "order" and found.gap:
        # declared by the day at the engine, which is the document's own
        assert pair[0].day and not FIRST <= pair[0].day <= LAST


@given(st.lists(pairs, max_size=20))
def test_gaps_add_up_to_the_difference_of_the_totals(rows):
    verdicts = [judge(*pair, FIRST, LAST) for pair in rows]
    there = sum((t.tax for _h, t in rows if t and t.status == "recorded"), D(0))
    here = sum((counted(h, FIRST, LAST) for h, _t in rows), D(0))
    assert sum((found.gap for found in verdicts if found), D(0)) == there - here


@given(theres)
def test_values_survive_being_kept(there):
    assert codec.load(Listed, codec.dump(Listed((there,)))) == Listed((there,))


# === ASKING === #


class Engine:
    """A list of documents, three to a page, or a look-up."""

    def __init__(self, *documents, capabilities=("list",), dies_after=None):
        self.documents, self.capabilities = documents, frozenset(capabilities)
        self.dies_after, self.taken = dies_after, 0

    def recorded(self, _seller, first, last):
        for document in self.documents:
            if self.taken == self.dies_after:
                raise Transient("the second page does not come")
            if first <= document.date <= last:
                self.taken += 1
                yield document

    def lookup(self, reference):
        if reference.code == "no id":
            raise Rejected("Stripe needs its own id")
        return next((d for d in self.documents if d.code == reference.code), None)


def recorded(number, day=DAY):
    return RecordedDocument(
        f"INV-{number}", "invoice", "recorded", day, "USD", D(10), D(1), engine_id=str(number)
    )


def test_a_list_is_taken_whole():
    found = ask(Engine(*map(recorded, range(7))), Question("S", FIRST, LAST))
    assert [there.code for there in found.documents] == [f"INV-{n}" for n in range(7)]
    assert found.complete and found.documents[0].day == DAY


def test_too_many_documents_are_asked_for_in_fewer_days(monkeypatch):
    monkeypatch.setattr(listing, "MOST", 5)
    engine = Engine(*map(recorded, range(9)))
    assert ask(engine, Question("S", FIRST, LAST)) == Listed(complete=False)
    assert engine.taken == 6, "no more than that is held"
    assert len(ask(engine, Question("S", DAY, DAY)).documents) == 9, "a day is not divided"


def test_a_list_that_breaks_off_is_no_answer():
    with pytest.raises(Transient):
        ask(Engine(*map(recorded, range(7)), dies_after=3), Question("S", FIRST, LAST))


def test_one_by_one_without_a_list():
    kept = TaxResult("A", "recorded", "USD", D("1.50"), D(10), D(0), engine_id="tx_1")
    engine = Engine(kept, capabilities=("lookup",))
    references = tuple(TaxReference("invoice", "", code) for code in ("A", "B", "no id"))
    found = ask(engine, Question("", FIRST, LAST, references)).documents
    assert [(there.code, there.status) for there in found] == [
        ("A", "recorded"),
        ("no id", "unanswered"),
    ]
    assert (found[0].tax, found[0].by_key, found[0].day, found[0].net) == (
        D("1.50"),
        None,
        None,
        None,
    )
    assert verdict(replace(HERE, tax=D("1.50")), found[0])[0] == "matched"
