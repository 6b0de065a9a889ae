"""The table of fixed rates: which row counts, how it is rounded, what is refused."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from odoo.addons.finance_connector_base.providers.errors import Rejected
from odoo.addons.finance_connector_base.providers.session import ConnectorConfig, Session
from odoo.addons.finance_tax_engine.canonical.tax import (
    EXEMPT,
    INVOICE,
    NO_NEXUS,
    NOT_TAXABLE,
    RECORDED,
    REVERSE_CHARGE,
    VOIDED,
    Address,
    TaxDocument,
    TaxLine,
    TaxReference,
)
from odoo.addons.finance_tax_engine.providers.fixed_rates import FixedRates, Rate, RateTable

IRVINE = Address("1 Main St", "", "Irvine", "CA", "92614", "US")
HOUSTON = Address("1 Main St", "", "Houston", "TX", "77002", "US")
PARIS = Address("1 Rue", "", "Paris", "", "75001", "FR")
BERLIN = Address("1 Str.", "", "Berlin", "", "10115", "DE")
SALE = date(2026, 3, 1)


def D(text):  # noqa: N802 - reads as a literal
    return Decimal(text)


TEXAS = Rate("US", "state", "Texas", D("0.0625"), "48", "TX")
HARRIS = Rate("US", "county", "Harris", D("0.00975"), "201", "TX", zip_from="770", zip_to="772")
CITY = Rate("US", "city", "Houston", D("0.011185"), "35000", "TX", city="Houston")
NO_FOOD = replace(TEXAS, rate=D(0), tax_code="FOOD")
FRANCE = Rate("FR", "country", "France", D("0.20"), reverse_charge=True)


def engine(*rates, decimals=None):
    data = {"table": RateTable(rates, "1"), "decimals": decimals or {}}
    config = ConnectorConfig(1, "Rates", "fixed_rates", "sandbox", "", data=data)
    return FixedRates(Session(config))


def document(*amounts, **changes):
    lines = tuple(
        TaxLine(str(number), D(amount), D(1), tax_code=code)
        for number, (amount, code) in enumerate(amounts or [("59.97", "")], start=1)
    )
    values = {
        "kind": INVOICE,
        "seller": "",
        "customer": "C1",
        "currency": "USD",
        "date": SALE,
        "ship_from": IRVINE,
        "ship_to": HOUSTON,
        "lines": lines,
    }
    return TaxDocument(**(values | changes))


def test_each_authority_is_rounded_half_up_on_each_line():
    asked = document(("59.97", ""), ("59.99", ""), ("7.77", ""), ("-10.00", ""))
    result = engine(TEXAS, HARRIS, CITY).quote(asked)
    assert [tax.amount for tax in result.taxes if tax.kind == "state"] == [
        D("3.75"),
        D("3.75"),
        D("0.49"),
        D("-0.63"),
    ]
    assert result.by_key() == {
        "US/TX/state/48/0.0625": D("7.36"),
        "US/TX/county/201/0.00975": D("1.14"),
        "US/TX/city/35000/0.011185": D("1.32"),
    }
    assert result.total_tax == D("9.82")
    assert (result.total_taxable, result.total_exempt) == (D("117.73"), D(0))
    assert result.reasons == ()


def test_tax_is_taken_out_of_a_price_that_includes_it():
    asked = document(("115.00", ""), ("0.05", ""))
    first, second = asked.lines
    lines = (replace(first, tax_included=True), replace(second, tax_included=True))
    result = engine(TEXAS, HARRIS, CITY).quote(replace(asked, lines=lines))
    taxes = [(tax.taxable, tax.amount) for tax in result.taxes]
    assert taxes[:3] == [
        (D("106.15"), D("6.63")),
        (D("106.15"), D("1.03")),
        (D("106.15"), D("1.19")),
    ]
    assert taxes[3:] == [(D("0.05"), D("0.00"))] * 3
    assert (result.total_tax, result.total_taxable) == (D("8.85"), D("106.20"))
    assert result.total_exempt == D(0)
    exempt = engine(TEXAS).quote(replace(asked, lines=lines, exemption_number="X"))
    assert (exempt.total_tax, exempt.total_exempt) == (D(0), D("115.05"))


@pytest.mark.parametrize(("currency", "tax"), [("JPY", "4"), ("KWD", "3.748"), ("USD", "3.75")])
def test_the_smallest_amount_is_the_currencys(currency, tax):
    result = engine(TEXAS, decimals={"JPY": 0, "KWD": 3}).quote(document(currency=currency))
    assert result.total_tax == D(tax)


@pytest.mark.parametrize(
    ("address", "kinds"),
    [
        (HOUSTON, ["state", "county", "city"]),
        (replace(HOUSTON, city="houston ", postal_code="77299-1234"), ["state", "county", "city"]),
        (replace(HOUSTON, city="Katy", postal_code="77449"), ["state"]),
        (replace(HOUSTON, postal_code=""), ["state", "city"]),
    ],
)
def test_city_and_postal_codes_tell_who_taxes(address, kinds):
    result = engine(TEXAS, HARRIS, CITY).quote(document(ship_to=address))
    assert [tax.kind for tax in result.taxes] == kinds


def test_the_narrowest_row_of_an_authority_counts():
    result = engine(TEXAS, HARRIS, NO_FOOD).quote(document(("100.00", "food"), ("100.00", "X")))
    assert [(tax.line, tax.kind, tax.amount) for tax in result.taxes] == [
        ("1", "state", D("0.00")),
        ("1", "county", D("0.98")),
        ("2", "state", D("6.25")),
        ("2", "county", D("0.98")),
    ]


def test_two_rows_that_hold_at_once_are_refused():
    twice = replace(HARRIS, rate=D("0.01"), zip_from="77002", zip_to="77002")
    with pytest.raises(Rejected, match="two rows for Harris") as refused:
        engine(TEXAS, HARRIS, twice).quote(document())
    assert refused.value.code == "ambiguous"


@pytest.mark.parametrize(
    ("day", "tax_date", "tax"),
    [
        (date(2026, 6, 30), None, "6.25"),
        (date(2026, 7, 1), None, "7.00"),
        (date(2026, 8, 1), date(2026, 6, 30), "6.25"),
    ],
)
def test_rates_are_those_of_the_tax_date(day, tax_date, tax):
    old = replace(TEXAS, end=date(2026, 6, 30))
    new = replace(TEXAS, rate=D("0.07"), start=date(2026, 7, 1))
    asked = document(("100.00", ""), date=day, tax_date=tax_date)
    assert engine(old, new).quote(asked).total_tax == D(tax)


def test_a_place_without_a_row_is_never_zero():
    for address in (replace(HOUSTON, region="OR", city="Salem"), PARIS):
        with pytest.raises(Rejected) as refused:
            engine(TEXAS, HARRIS).quote(document(ship_to=address))
        assert refused.value.code == "no_rate"
    with pytest.raises(Rejected, match="FOOD"):
        engine(replace(TEXAS, tax_code="TOYS")).quote(document(("1.00", "FOOD")))


def test_a_row_of_nothing_says_why():
    oregon = Rate("US", "state", "Oregon", D(0), "41", "OR", zero_reason=NO_NEXUS)
    result = engine(oregon).quote(document(ship_to=replace(HOUSTON, region="OR")))
    assert result.total_tax == 0
    assert [(why.line, why.code, why.words) for why in result.reasons] == [
        ("1", NO_NEXUS, "Oregon")
    ]
    assert engine(NO_FOOD).quote(document(("5.00", "FOOD"))).reasons[0].code == NOT_TAXABLE


@pytest.mark.parametrize("changes", [{"exemption_number": "X-1"}, {"entity_use_code": "G"}])
def test_exempt_customers_owe_nothing(changes):
    result = engine(TEXAS, HARRIS).quote(document(**changes))
    assert (result.total_tax, result.total_exempt) == (0, D("59.97"))
    assert [why.code for why in result.reasons] == [EXEMPT]


def test_customers_abroad_with_a_vat_number_owe_the_tax():
    asked = document(ship_from=BERLIN, ship_to=PARIS, currency="EUR", vat_number="FR40303265045")
    result = engine(FRANCE).quote(asked)
    assert (result.total_tax, result.reasons[0].code) == (0, REVERSE_CHARGE)
    assert engine(FRANCE).quote(replace(asked, vat_number="")).total_tax == D("11.99")
    assert engine(FRANCE).quote(replace(asked, ship_from=PARIS)).total_tax == D("11.99")


def test_recording_keeps_what_was_booked_whatever_the_table_says_now():
    booked = engine(TEXAS).quote(document()).taxes
    changed = engine(replace(TEXAS, rate=D("0.5")))
    result = changed.commit(document(code="INV/1", booked=booked))
    assert (result.status, result.code, result.total_tax) == (RECORDED, "INV/1", D("3.75"))
    assert changed.commit(document(code="INV/1")).total_tax == D("29.99")
    assert changed.adjust(document(code="INV/1", booked=booked), "price") == result
    assert changed.void(TaxReference(INVOICE, "", "INV/1")).status == VOIDED


def test_what_the_table_tells():
    rates = engine(TEXAS, HARRIS, NO_FOOD, replace(FRANCE, start=SALE), replace(FRANCE, end=SALE))
    assert rates.ping() == "5 rates in FR, US"
    assert [(one.country, one.region, one.start) for one in rates.nexus("")] == [
        ("FR", "", None),
        ("US", "TX", None),
    ]
    assert [one.code for one in rates.tax_codes("foo")] == ["FOOD"]
    with pytest.raises(Rejected, match="empty"):
        engine().ping()
