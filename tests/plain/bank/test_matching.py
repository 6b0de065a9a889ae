"""The matcher line by line: what is evidence, what is a doubt, what is left to people."""

from datetime import date
from decimal import Decimal

import pytest

from odoo.addons.finance_bank_sync import matching
from odoo.addons.finance_bank_sync.matching import amounts, names, references, structured, subsets

DAY = date(2026, 3, 10)
IBAN = "DE75512108001245126199"
ALDER, BIRCH = 1, 2


def item(key, amount, *numbers, partner=ALDER, **values):
    values = {"kind": matching.DOCUMENT, "currency": "EUR", "day": date(2026, 2, 1)} | values
    amount = Decimal(str(amount))
    values.setdefault("balance", amount)
    return matching.OpenItem(key=key, amount=amount, names=numbers, partner=partner, **values)


def line(amount, text="", **values):
    more = values.pop("amounts", {})
    values = {"day": DAY, "currency": "EUR", "texts": (text,)} | values
    return matching.BankLine(key=1, amounts={"EUR": Decimal(str(amount)), **more}, **values)


def directory(**own):
    book = matching.Directory()
    book.add(ALDER, "Alder Trading Ltd", IBAN)
    book.add(BIRCH, "Birch Supplies SA")
    book.own |= own
    return book


def decide(bank_line, *items, closed=(), terms=None, book=None):
    pool = matching.Pool(items, closed, currency="EUR")
    return matching.match(bank_line, pool, book or directory(), terms or matching.Terms())


def codes(proposal):
    return {reason.code for reason in proposal.reasons}


# === NUMBERS IN TEXT === #

WAYS = (
    "INV/2026/00123", "inv/2026/00123", "INV-2026-00123", "INV 2026 00123", "INV202600123",
    "INV/2026/123", "Rechnung INV/2026/00123 vom 03.02.2026", "Rg.2026/00123", "2026-00123",
    "SVWZ+INV/2026/00123+ABWA", "INV/20 26/00123", "INV/2026/001 23", "(INV/2026/00123)",
)  # fmt: skip


@pytest.mark.parametrize("text", WAYS)
def test_a_number_however_it_is_written(text):
    verdict = decide(line(80, text, account=IBAN), item(1, 80, "INV/2026/00123"))
    assert verdict.automatic and verdict.automatic.pays == {1: Decimal(80)}


@pytest.mark.parametrize(
    "text", ["/", "1", "2026", "123", "INV", "INV/2026", "00124", "INV/2025/00123", "3"]
)
def test_a_piece_of_a_number_is_no_number(text):
    verdict = decide(line(80, text, name="Somebody"), item(1, 80.5, "INV/2026/00123"))
    assert not verdict.proposals


def test_a_date_is_no_number():
    verdict = decide(line(80, "Miete 2026-12 vom 2026-12-01"), item(1, 80, "INV/2026/00012"))
    assert verdict.automatic is None


def test_full_number_and_amount_are_enough_from_a_stranger():
    bank_line = line(80, "INV/2026/00123", account="FR1420041010050500013M02606", name="Holding")
    assert decide(bank_line, item(1, 80, "INV/2026/00123")).automatic


def test_the_last_figures_alone_need_the_partner():
    open_item = item(1, 80, "INV/2026/00123")
    assert decide(line(80, "RE-NR 00123"), open_item).automatic is None
    assert decide(line(80, "RE-NR 00123", account=IBAN), open_item).automatic


def test_ends_behind_a_full_number():
    text = "INV/2026/00123, 00124, 125"
    items = [item(n, 10 * n, f"INV/2026/0012{n}") for n in (3, 4, 5)]
    verdict = decide(line(120, text, account=IBAN), *items)
    assert verdict.proposals[0].pays == {3: Decimal(30), 4: Decimal(40), 5: Decimal(50)}


@pytest.mark.parametrize(
    "typed", ["INV/2026/00132", "INV/2026/00223", "INV/2026/001223", "2026/00132"]
)
def test_one_figure_wrong_of_a_known_partner(typed):
    verdict = decide(line(80, typed, account=IBAN), item(1, 80, "INV/2026/00123"))
    assert verdict.proposals[0].pays == {1: Decimal(80)}
    assert "ref.near" in codes(verdict.proposals[0])
    assert not decide(line(80, typed), item(1, 80, "INV/2026/00123")).automatic


# === STRUCTURED REFERENCES === #

REFERENCES = (
    ("RF18 5390 0754 7034", "rf", "RF18539007547034"),
    ("+++090/9337/55493+++", "belgian", "+++090/9337/55493+++"),
    ("1232 45678", "", "123245678"),
    ("210000000003139471430009017", "swiss", "21 00000 00003 13947 14300 09017"),
    ("SI12 1234567890", "slovenian", "SI121234567890"),
    ("2345676", "kid", "2345676"),
)  # fmt: skip


@pytest.mark.parametrize(("printed", "scheme", "typed"), REFERENCES)
def test_structured_references(printed, scheme, typed):
    assert structured.scheme(printed) == scheme
    for bank_line in (
        line(80, f"pay {typed} thanks", account=IBAN),
        line(80, "", references=(typed.replace(" ", ""),), account=IBAN),
    ):
        verdict = decide(bank_line, item(1, 80, "INV/2026/00001", printed))
        assert verdict.automatic, (typed, verdict)


def test_wrong_check_figures_are_said():
    verdict = decide(line(80, "RF19 5390 0754 7034"), item(1, 81, "RF18539007547034"))
    assert [reason.code for reason in verdict.why_not][0] == "why.check_digits"


def test_end_to_end_id_of_our_order():
    bank_line = line(-80, "SEPA", ids=("PAY-7-1", "NOTPROVIDED"))
    verdict = decide(bank_line, item(1, -80, "BILL/1", ids=("PAY-7-1",)))
    assert verdict.automatic and "ref.id" in codes(verdict.automatic)


def test_a_batch_by_the_id_of_its_order():
    items = [item(n, -n * 10, f"BILL/{n}", partner=n, ids=("PAY-7",)) for n in (1, 2, 3)]
    verdict = decide(line(-60, "SAMMLER", ids=("PAY-7",)), *items)
    assert verdict.automatic and len(verdict.automatic.pays) == 3
    assert decide(line(-55, "SAMMLER", ids=("PAY-7",)), *items).automatic is None


# === AMOUNTS === #


def test_early_payment_discount_in_time_and_late():
    open_item = item(1, 100, "INV/2026/00123", discounted=Decimal(98), discount_day=DAY)
    verdict = decide(line(98, "INV/2026/00123", account=IBAN), open_item)
    assert verdict.automatic.rest_kind == "discount" and verdict.automatic.rest == -2
    late = line(98, "INV/2026/00123", account=IBAN, day=date(2026, 3, 11))
    verdict = decide(late, open_item)
    assert verdict.automatic is None and "doubt.late_discount" in codes(verdict.proposals[0])


def test_fee_tolerance_and_neither():
    open_item = item(1, 1000, "INV/2026/00123")
    for amount, kind in ((985, "fee"), ("999.97", "tolerance"), (900, "partial"), (1010, "over")):
        verdict = decide(line(amount, "INV/2026/00123", account=IBAN), open_item)
        assert verdict.proposals[0].kind == kind
        assert (verdict.automatic is None) == (kind == "over")
    strict = matching.Terms(tolerance=Decimal(0), fee=Decimal(0))
    verdict = decide(line(985, "INV/2026/00123", account=IBAN), open_item, terms=strict)
    assert verdict.proposals[0].kind == "partial"


def test_a_fee_is_no_excuse_for_an_amount_that_fits_another_item():
    items = item(1, 1000, "INV/2026/00123"), item(2, 985, "INV/2026/00124")
    verdict = decide(line(985, "INV/2026/00123", account=IBAN), *items)
    assert verdict.automatic is None
    assert {frozenset(p.pays) for p in verdict.proposals} == {frozenset({1}), frozenset({2})}


def test_a_part_of_one_named_invoice():
    verdict = decide(
        line(40, "INV/2026/00123 Rate 1", account=IBAN), item(1, 100, "INV/2026/00123")
    )
    assert verdict.automatic.pays == {1: Decimal(40)}
    assert decide(line(40, "INV/2026/00123"), item(1, 100, "INV/2026/00123")).automatic is None


def test_foreign_currency_as_the_bank_tells_it():
    open_item = item(1, 108, "INV/2026/00123", currency="USD", balance=Decimal(100))
    told = line(99, "INV/2026/00123", amounts={"USD": Decimal(108)})
    assert decide(told, open_item).automatic.pays == {1: Decimal(108)}
    untold = decide(line(99, "INV/2026/00123", account=IBAN), open_item)
    assert untold.automatic is None and untold.proposals[0].kind == "converted"
    assert not decide(line(70, "x", account=IBAN), open_item).proposals


def test_money_out_never_pays_an_invoice_to_a_customer():
    verdict = decide(line(-80, "INV/2026/00123", account=IBAN), item(1, 80, "INV/2026/00123"))
    assert not verdict.proposals


def test_instalments_of_one_invoice_the_one_due_first():
    items = [item(n, 50, "INV/2026/00123", document=9, due=date(2026, n, 28)) for n in (4, 3, 5)]
    verdict = decide(line(50, "INV/2026/00123", account=IBAN), *items)
    assert verdict.automatic.pays == {3: Decimal(50)}
    assert len(decide(line(150, "INV/2026/00123", account=IBAN), *items).automatic.pays) == 3


# === SUMS === #


def test_credit_note_that_nobody_named():
    items = (item(1, 60, "INV/2026/00001"), item(2, 70, "INV/2026/00002"), item(3, -20, "RINV/1"))
    verdict = decide(line(110, "INV/2026/00001 INV/2026/00002", account=IBAN), *items)
    assert set(verdict.proposals[0].pays) == {1, 2, 3} and verdict.automatic is None


def test_a_sum_without_numbers_is_proposed():
    items = (
        item(1, 61, "INV/2026/00001"),
        item(2, 72, "INV/2026/00002"),
        item(3, 83, "INV/2026/00003"),
    )
    verdict = decide(line(144, "Sammelzahlung", account=IBAN), *items)
    assert set(verdict.proposals[0].pays) == {1, 3} and verdict.automatic is None


def test_a_sum_with_two_answers_is_a_tie():
    items = [item(n, 50, f"INV/2026/0000{n}") for n in (1, 2, 3)]
    verdict = decide(line(100, "", account=IBAN), *items)
    assert verdict.automatic is None and all("doubt.tie" in codes(p) for p in verdict.proposals)


def test_subsets_are_bounded():
    assert not subsets.subsets(list(range(1, 60)), 100).complete
    found = subsets.subsets([5, -5, 10], 10)
    assert found.count == 1 and found.positions == ((0, 1, 2),)
    assert subsets.subsets([7, 3], 7).count == 0


# === TIES, TWINS, DOUBTS === #


def test_twins_without_a_number_are_never_decided():
    items = item(1, 80, "INV/2026/00001"), item(2, 80, "INV/2026/00002")
    verdict = decide(line(80, "Zahlung", account=IBAN), *items)
    assert verdict.automatic is None and len(verdict.proposals) == 2
    assert all("doubt.tie" in codes(proposal) for proposal in verdict.proposals)


def test_twins_with_a_number():
    items = item(1, 80, "INV/2026/00001"), item(2, 80, "INV/2026/00002")
    verdict = decide(line(80, "INV/2026/00002", account=IBAN), *items)
    assert verdict.automatic.pays == {2: Decimal(80)}


def test_the_order_of_items_changes_nothing():
    items = [item(n, 80, f"INV/2026/0000{n}") for n in (1, 2, 3)]
    for text in ("Zahlung", "INV/2026/00002", "INV/2026/00009"):
        one = decide(line(80, text, account=IBAN), *items)
        two = decide(line(80, text, account=IBAN), *reversed(items))
        assert [p.pays for p in one.proposals] == [p.pays for p in two.proposals]
        assert one.automatic == two.automatic


def test_paid_twice_is_not_paid_to_the_next_one():
    closed = matching.Closed("INV/2026/00001", ALDER)
    verdict = decide(
        line(80, "INV/2026/00001", account=IBAN), item(2, 80, "INV/2026/00002"), closed=[closed]
    )
    assert verdict.automatic is None
    assert "doubt.closed_named" in codes(verdict.proposals[0])
    verdict = decide(line(80, "INV/2026/00001", account=IBAN), closed=[closed])
    assert verdict.why_not[0].code == "why.closed"


def test_number_of_one_partner_account_of_another():
    verdict = decide(
        line(80, "INV/2026/00001", account=IBAN), item(1, 80, "INV/2026/00001", partner=BIRCH)
    )
    assert verdict.automatic is None and "doubt.partner" in codes(verdict.proposals[0])


def test_two_numbers_and_the_amount_of_one():
    items = item(1, 80, "INV/2026/00001"), item(2, 70, "INV/2026/00002")
    verdict = decide(line(80, "INV/2026/00001 INV/2026/00002", account=IBAN), *items)
    assert verdict.automatic is None and verdict.proposals[0].pays == {1: Decimal(80)}


def test_amount_alone_is_weak():
    verdict = decide(line(80, "no idea"), item(1, 80, "INV/2026/00001"))
    assert verdict.automatic is None and verdict.proposals[0].score <= 40


def test_known_account_and_amount_are_proposed():
    verdict = decide(line(80, "Zahlung", account=IBAN), item(1, 80, "INV/2026/00001"))
    assert verdict.automatic is None and verdict.proposals[0].score == 85


# === PARTNERS === #


def test_names_are_equal_or_not():
    assert names.name_key("Alder Trading Ltd.") == names.name_key("ALDER TRADING LTD")
    for name in ("Alder", "Trading Ltd", "Alder Trading", "Alder Trading Ltd Nord", "Ltd"):
        assert decide(line(80, "x", name=name), item(1, 81, "N1")).partner is None
    assert decide(line(80, "x", name="ALDER TRADING LTD"), item(1, 81, "N1")).partner == ALDER


def test_two_partners_of_one_name_or_account_are_nobody():
    book = directory()
    book.add(3, "Alder Trading Ltd")
    assert decide(line(80, "x", name="Alder Trading Ltd"), book=book).partner is None
    book.add(3, "", IBAN)
    verdict = decide(line(80, "x", account=IBAN), book=book)
    assert verdict.partner is None
    assert "why.partner_ambiguous" in {reason.code for reason in verdict.why_not}


def test_a_shared_account_is_told_apart_by_the_name():
    book = directory()
    book.add(BIRCH, "", IBAN)
    assert decide(line(80, "x", account=IBAN, name="Birch Supplies SA"), book=book).partner == BIRCH


# === TRANSFERS === #


def transfer(key, amount, **values):
    return matching.OpenItem(
        key=key, kind=matching.TRANSFER, amount=Decimal(amount), currency="EUR",
        **{"day": date(2026, 3, 9), "journal": 2} | values,
    )  # fmt: skip


OWN = {IBAN: 1, "DE02500105170137075030": 2}


def test_transfer_between_own_accounts():
    book = directory(**OWN)
    bank_line = line(500, "Umbuchung", account="DE02500105170137075030", journal=1)
    assert decide(bank_line, transfer(7, 500), book=book).automatic.kind == "transfer"
    assert decide(bank_line, transfer(7, 500, journal=3), book=book).automatic is None
    assert decide(bank_line, transfer(7, 500, day=date(2026, 1, 9)), book=book).automatic is None
    waits = decide(bank_line, book=book)
    assert not waits.proposals and waits.why_not[0].code == "why.transfer"
    two = decide(bank_line, transfer(7, 500), transfer(8, 500), book=book)
    assert two.automatic is None and len(two.proposals) == 2


def test_transfer_that_only_the_other_line_tells():
    bank_line = line(500, "Umbuchung", journal=1)
    found = decide(bank_line, transfer(7, 500, account=IBAN), book=directory(**OWN))
    assert found.automatic.pays == {7: Decimal(500)}
    assert decide(bank_line, transfer(7, 500), book=directory(**OWN)).automatic is None


# === SCORES === #


def test_a_score_is_the_sum_of_its_reasons():
    verdict = decide(line(80, "INV/2026/00001"), item(1, 80, "INV/2026/00001"))
    proposal = verdict.proposals[0]
    assert proposal.score == min(100, sum(reason.points for reason in proposal.reasons))
    assert all(reason.points == matching.POINTS.get(reason.code, 0) for reason in proposal.reasons)


def test_fit_needs_one_currency():
    assert amounts.fit(line(10), [item(1, 5), item(2, 5, currency="USD")], matching.Terms()) is None


def test_long_texts_stay_small():
    assert len(references.text_mentions("A1 " * 5000)) < 500
