"""AvaTax: what the engine knows of addresses, nexus, codes and certificates, by our provider."""

from datetime import date
from decimal import Decimal

import pytest

from odoo.addons.finance_connector_base.providers.errors import Rejected
from odoo.addons.finance_tax_engine.canonical.tax import (
    CORRECTED,
    EXEMPT,
    NO_NEXUS,
    NOT_TAXABLE,
    UNKNOWN,
    VALID,
    Address,
    AddressAnswer,
    Certificate,
    EntityUseCode,
    Nexus,
    TaxCode,
    TaxLine,
    ZeroReason,
)
from odoo.addons.finance_tax_engine.providers import avatax as provider_module

from tests.contract.avatax import HOUSTON, document, provider

pytestmark = pytest.mark.usefixtures("avatax_conformity")

MCKINNEY = Address("1200 Mckinney St", "", "Houston", "TX", "77010-2011", "US")


# === ADDRESSES === #


@pytest.mark.parametrize(
    ("entered", "status"),
    [
        (Address("1200 mckinney  st", "", "HOUSTON", "TX", "77010", "US"), VALID),
        (MCKINNEY, VALID),
        (Address("1200 McKinney Street", "", "Houston", "TX", "77010", "US"), CORRECTED),
        (Address("1200 McKinney St", "", "Houston", "TX", "77002", "US"), CORRECTED),
        (Address("1200 McKinney", "", "Houston", "TX", "", "US"), CORRECTED),
    ],
)
def test_an_address_is_valid_or_corrected(avatax, entered, status):
    assert avatax.resolve_address(entered) == AddressAnswer(status, MCKINNEY)


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        (Address("1 Nowhere Rd", "", "Houston", "TX", "90210", "US"), "not deliverable"),
        (Address("1 Long Rd " * 9, "x" * 120, "Houston", "TX", "90210", "US"), "not deliverable"),
        (Address("", "", "Houston", "TX", "", "US"), "Not enough address information"),
    ],
)
def test_an_address_that_avatax_does_not_know(avatax, entered, words):
    answer = avatax.resolve_address(entered)
    assert (answer.status, answer.suggestion) == (UNKNOWN, None)
    assert words in answer.messages[0]


def test_addresses_abroad_are_not_asked_for(avatax, sandbox):
    avatax.ping()
    before = len(sandbox.requests("avatax"))
    answer = avatax.resolve_address(Address("Rue 1", "", "Bruxelles", "", "1000", "BE"))
    assert answer.status == UNKNOWN and answer.messages
    assert len(sandbox.requests("avatax")) == before


# === NEXUS === #


def test_nexus_with_its_days(avatax):
    found = {one.region: one for one in avatax.nexus("DEFAULT")}
    assert found["TX"] == Nexus("US", "TX", "state", "48", "TEXAS", date(2015, 1, 1))
    assert found["NV"].end == date(2020, 12, 31)
    assert (found[""].kind, found[""].name) == ("country", "UNITED STATES OF AMERICA")
    assert "FL" not in found


def test_nexus_of_many_pages(avatax, monkeypatch):
    everything = avatax.nexus("DEFAULT")
    monkeypatch.setattr(provider_module, "PAGE", 2)
    assert avatax.nexus("DEFAULT") == everything and len(everything) > 4


def test_the_id_of_a_company_is_asked_for_once(avatax, sandbox, sandbox_url, monkeypatch):
    monkeypatch.setattr(provider_module, "_company_ids", {})
    avatax.nexus("DEFAULT")
    provider(sandbox_url).nexus("DEFAULT")
    paths = [one["path"] for one in sandbox.requests("avatax")]
    assert paths.count("/api/v2/companies") == 1
    with pytest.raises(Rejected, match="no company with the code O'NEIL"):
        avatax.nexus("O'NEIL")


def test_ping_names_the_company_and_misses_a_wrong_one(avatax, sandbox_url):
    assert avatax.ping().endswith("company Sandbox Company (DEFAULT)")
    wrong = provider(sandbox_url)
    wrong.config.company_settings["company_code"] = "NOBODY"
    with pytest.raises(Rejected, match="no company with the code NOBODY"):
        wrong.ping()


# === CODES === #


def test_tax_codes_are_found_by_code_and_words(avatax):
    assert avatax.tax_codes("pc0801") == (TaxCode("PC080110", "Computer hardware: laptops"),)
    assert TaxCode("PC040100", "Clothing") in avatax.tax_codes("clothing")
    assert avatax.tax_codes("floppy") == (), "a code that is no longer active"
    assert avatax.tax_codes("O'Neil's (and) or") == ()


def test_entity_use_codes(avatax):
    codes = {one.code: one for one in avatax.entity_use_codes()}
    assert codes["G"] == EntityUseCode("G", "Resale", "", ("US",))
    assert codes["D"].countries == ("US", "CA")


# === CERTIFICATES === #


def test_certificates_of_a_customer(avatax):
    texas, california = avatax.certificates("DEFAULT", "CERTIFIED")
    assert texas == Certificate(
        "501",
        "TX-RESALE-2048",
        "US",
        "TX",
        "RESALE",
        True,
        date(2024, 1, 1),
        date(2099, 12, 31),
    )
    assert (california.region, california.valid) == ("CA", False)


@pytest.mark.parametrize("customer", ["ODOO-1", "a/b c?d#é"])
def test_a_customer_without_certificates(avatax, customer):
    assert avatax.certificates("DEFAULT", customer) == ()


def test_a_company_without_certificate_storage(avatax):
    with pytest.raises(Rejected) as refused:
        avatax.certificates("SECOND", "CERTIFIED")
    assert refused.value.code == "CertificatesNotSetup"


# === WHY TAX IS ZERO === #


def reasons(avatax, **changes):
    return avatax.quote(document(**changes)).reasons


def test_a_certificate_on_file_exempts_where_it_counts(avatax):
    result = avatax.quote(document(customer="CERTIFIED"))
    assert (result.total_tax, result.total_exempt) == (0, Decimal("127.73"))
    assert result.reasons[0] == ZeroReason("1", EXEMPT, "TX-RESALE-2048")
    irvine = Address("2000 Main St", "", "Irvine", "CA", "92614", "US")
    assert reasons(avatax, customer="CERTIFIED", ship_to=irvine) == ()


def test_reasons_of_a_document(avatax):
    seattle = Address("", "", "Seattle", "WA", "98101", "US")
    eugene = Address("3575 Buena Vista Ave", "", "Eugene", "OR", "97401", "US")
    berlin = Address("", "", "Berlin", "", "10115", "DE")
    assert reasons(avatax, ship_to=seattle) == ()
    assert {one.code for one in reasons(avatax, ship_to=eugene)} == {NOT_TAXABLE}
    assert reasons(avatax, ship_to=berlin)[0] == ZeroReason("1", NO_NEXUS, "DE")
    assert reasons(avatax, entity_use_code="A")[0] == ZeroReason("1", EXEMPT, "A")
    assert reasons(avatax, exemption_number="N-1")[0] == ZeroReason("1", EXEMPT, "N-1")


def test_reasons_line_by_line(avatax):
    lines = (
        TaxLine("1", Decimal("10.00"), Decimal(1)),
        TaxLine("2", Decimal("10.00"), Decimal(1), tax_code="PF050001"),
        TaxLine("3", Decimal("0.00"), Decimal(1)),
        TaxLine("4", Decimal("0.01"), Decimal(1)),
    )
    found = reasons(avatax, lines=lines, ship_to=HOUSTON)
    # nothing is owed on nothing, and too little on a cent
    assert found == (ZeroReason("2", NOT_TAXABLE, "PF050001"),)
