"""The arithmetic of the sandbox's tax engine."""

from decimal import Decimal as D

import pytest

from sandbox.us_tax import PLACES, add_last_line_cents, find_place, quantum, tax_line

DAY = "2026-03-01"
CENT = D("0.01")
FIXTURE = ("59.97", "59.99", "7.77")


def taxed(place, *amounts, day=DAY, code="P0000000", unit=CENT, **options):
    lines = [tax_line(D(amount), code, place, day, unit, **options) for amount in amounts]
    add_last_line_cents(lines, unit)
    return lines


def by_kind(lines):
    totals = {}
    for line in lines:
        for share in line.shares:
            kind = share.jurisdiction.kind
            totals[kind] = totals.get(kind, D(0)) + share.tax
    return totals


@pytest.fixture
def houston():
    return find_place("US", "TX", "Houston", "77002")


def test_houston_is_not_what_percentages_say(houston):
    assert by_kind(taxed(houston, *FIXTURE)) == {
        "STA": D("7.96"),
        "CTY": D("1.26"),
        "CIT": D("1.42"),
    }
    base = sum(map(D, FIXTURE))
    percent = [(base * one.rates[0][1]).quantize(CENT) for one in houston.jurisdictions]
    assert percent == [D("7.98"), D("1.25"), D("1.43")]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.region} {place.city}")
def test_a_refund_mirrors_its_sale(place):
    sale = by_kind(taxed(place, *FIXTURE))
    refund = by_kind(taxed(place, *("-" + amount for amount in FIXTURE)))
    assert {kind: -tax for kind, tax in sale.items()} == refund


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.region} {place.city}")
@pytest.mark.parametrize("code", ["P0000000", "NT", "SD020800"])
def test_tax_included_adds_up_to_the_price(place, code):
    for price in ("118.37", "0.99", "-59.97"):
        (line,) = taxed(place, price, code=code, included=True)
        assert line.amount + line.tax == D(price)
        for share in line.shares:
            assert share.taxable + share.non_taxable == line.amount


def test_shares_add_up_to_the_line(houston):
    for line in taxed(houston, "100.01", code="SD020800"):
        for share in line.shares:
            assert share.taxable + share.non_taxable + share.exempt == D("100.01")
        assert line.taxable == D("80.01")


def test_an_exempt_customer_pays_nothing_and_gets_no_extra_cents(houston):
    (line,) = taxed(houston, "59.97", exempt=True)
    assert (line.tax, line.taxable) == (0, 0)
    assert {share.exempt for share in line.shares} == {D("59.97")}


def test_the_extra_cents_fall_on_the_last_line_that_is_taxed(houston):
    lines = [
        tax_line(D(10), "P0000000", houston, DAY, CENT),
        tax_line(D(10), "NT", houston, DAY, CENT),
    ]
    add_last_line_cents(lines, CENT)
    assert [line.shares[1].tax for line in lines] == [D("0.12"), D(0)]


def test_taxability_may_differ_by_jurisdiction():
    (line,) = taxed(find_place("US", "NY", "New York", "10001"), "80.00", code="PC040100")
    assert [share.taxable for share in line.shares] == [D(0), D(80), D(0)]
    assert line.taxable == 80


def test_rates_go_by_day():
    seattle = find_place("US", "WA", "Seattle", "98101")
    (old,), (new,) = (taxed(seattle, "100", day=day) for day in ("2025-12-31", "2026-01-01"))
    assert (old.tax, new.tax) == (D("10.25"), D("10.35"))


def test_currencies_have_their_own_smallest_unit(houston):
    (line,) = taxed(houston, "1000", unit=quantum("JPY"))
    assert by_kind([line]) == {"STA": 62, "CTY": 12, "CIT": 11}
    assert quantum("EUR") == CENT


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (("US", "TX", "Houston", ""), "HOUSTON"),
        (("us", "tx", "", "77002-1234"), "HOUSTON"),
        (("US", "TX", "Dallas", "75201"), ""),
        ((None, "CA", "San Francisco", None), "SAN FRANCISCO"),
        (("US", "CA", "", "94103"), "SAN FRANCISCO"),
    ],
)
def test_places_are_found_by_postal_code_or_city(address, found):
    place = find_place(*address)
    assert place.city == found and place.jurisdictions


def test_no_tax_is_explained():
    assert "no nexus in FL, US" in find_place("US", "FL", "Miami", "33139").why_no_tax
    assert "no nexus in BE" in find_place("BE", "", "Brussels", "1000").why_no_tax
    oregon = find_place("US", "OR", "Portland", "97201")
    assert "no sales tax" in oregon.why_no_tax
    assert [line.tax for line in taxed(oregon, "100")] == [0]
