"""Files that banks and other readers give as examples."""

from pathlib import Path

import pytest

from odoo.addons.finance_bank_sync import formats

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples"
# file: (statements, entries, codes of findings)
EXPECTED = {
    "bai2/nwb_example.bai2": (1, 5, set()),
    "bai2/svb_us_example.bai2": (2, 2, set()),
    "camt/genkgo_camt052.v2.xml": (1, 1, {"copy"}),
    "camt/genkgo_camt053.v2.minimal.xml": (1, 1, {"copy", "balance_currency"}),
    "camt/genkgo_camt053.v2.multi.statement.xml": (2, 2, {"copy"}),
    "camt/genkgo_camt053.v8.xml": (1, 1, {"copy", "balance_currency"}),
    "camt/genkgo_camt054.v8.xml": (1, 1, {"copy"}),
    "camt/srcamt053_business_sample_camt.053.001.04.xml": (1, 3, set()),
    "mt940/betterplace_sepa_mt9401.sta": (26, 97, set()),
    "mt940/cmxl_mt940.sta": (3, 16, set()),
    "mt940/jejik_abnamro.sta": (2, 10, {"opening", "balance"}),
    "mt940/jejik_generic.sta": (2, 2, set()),
    "mt940/jejik_ing.sta": (1, 7, {"balance"}),
    "mt940/mBank_mt942.sta": (1, 3, set()),
    "ofx/ofxparse_bank_medium.ofx": (1, 3, set()),
    "ofx/ofxparse_multiple_accounts.ofx": (2, 0, set()),
    "ofx/ofxparse_ofx-v102-empty-tags.ofx": (1, 1, set()),
    "ofx/ofxparse_suncorp.ofx": (1, 1, set()),
    "qif/quiffen_test.qif": (1, 5, {"dates"}),
}

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="optional: no sample files beside the repository"
)


@pytest.mark.parametrize(("name", "expected"), EXPECTED.items())
def test_sample(name, expected):
    found = formats.load((SAMPLES / name).read_bytes())
    entries = [entry for statement in found for entry in statement.entries]
    codes = {finding.code for statement in found for finding in statement.findings}
    assert (len(found), len(entries), codes) == expected
    assert all(entry.booking_date and entry.amount for entry in entries)
    assert all(statement.account.identifier or name.startswith("qif") for statement in found)
    for statement in found:
        assert all(finding.words for finding in statement.findings)


def test_a_sample_without_transactions():
    with pytest.raises(formats.FormatError, match="no transactions"):
        formats.summaries((SAMPLES / "qif" / "quiffen_test_clear_autoswitch.qif").read_bytes())


def test_details_of_a_sepa_sample():
    found = formats.load((SAMPLES / "mt940" / "betterplace_sepa_mt9401.sta").read_bytes())
    entries = {
        entry.servicer_reference: entry for statement in found for entry in statement.entries
    }
    detail = entries["0724710290658244"].details[0]
    assert detail.end_to_end_id == "EndToEndIdTFNR5200100001"
    assert detail.text == "Keine Buchung zu: TO13 TF52001 MINT"
    assert (detail.debtor.account, detail.debtor.bic) == ("DE42100100100043921105", "PBNKDEFF100")


def test_parties_of_a_swiss_sample():
    (found,) = formats.load((SAMPLES / "camt" / "genkgo_camt054.v8.xml").read_bytes())
    details = found.entries[0].details
    assert [detail.creditor.name for detail in details] == [
        f"Example Creditor 3 - V{n}" for n in (1, 2, 3)
    ]
    assert [len(detail.references) for detail in details] == [1, 1, 2]
    assert len(found.entries[0].shares()) == 1
