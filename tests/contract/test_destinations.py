"""What holds for every destination of exported batches, whatever is behind it."""

import dataclasses
import errno
import io
import os

import pytest

from odoo.addons.finance_connector_base.providers.errors import (
    AuthFailed,
    ContractBroken,
    Transient,
)
from odoo.addons.finance_connector_base.vault import SealBroken

from tests.contract import destinations as made
from tests.contract.destinations import content, delivery, line, no_secret, parcel, refused, usual

pytest.importorskip("paramiko", reason="optional: paramiko is not installed")
pytest.importorskip("moto", reason="optional: moto is not installed")
FILES = ("folder", "sftp", "s3", "https")


files = pytest.mark.parametrize("place", FILES, indirect=True)
every = pytest.mark.parametrize("place", (*FILES, "postgres"), indirect=True)


# === FOR ALL OF THEM === #


@every
def test_ping_says_that_somebody_is_there(place):
    assert place.open().ping()


@every
def test_a_delivery_arrives_and_a_second_one_changes_nothing(place):
    provider = place.open()
    first = provider.deliver(usual())
    assert first.sent == (
        "journal_items-2026-03.csv", "journal_items-2026-04.csv.gz", "datapackage.json"
    )  # fmt: skip
    assert first.found == () and first.bytes == sum(one.bytes for one in usual().all)
    before = place.files() if place.provider.code != "export_postgres" else place.rows()
    again = place.open().deliver(usual())
    assert (again.sent, again.found, again.bytes) == ((), first.sent, 0)
    assert before == (place.files() if place.provider.code != "export_postgres" else place.rows())
    no_secret(place, provider)
    assert all(
        one.outcome == "ok" for one in provider.session.recorder.exchanges if one.status != 404
    )


@every
def test_a_region_that_is_not_allowed_gets_nothing(place):
    place.regions = ("eu-west-1", "de")
    try:
        assert "eu-central-1" in refused(place, usual(), "region")
        place.open(region="de").check_region()
    finally:
        place.regions = ()
    assert place.provider.code == "export_postgres" or place.files() == {}


@every
def test_a_file_that_was_altered_here_is_not_delivered(place):
    """The digest decides, not who asks; nothing is complete at the receiver."""
    what = usual()
    first = what.parcels[0]
    with first.open() as stream:
        other = stream.read().replace(b"10.00", b"90.00")
    for altered in (other, other[:-7]):
        parcels = (dataclasses.replace(first, open=lambda a=altered: io.BytesIO(a)),)
        refused(place, dataclasses.replace(what, parcels=parcels), "changed")
    parcels = (dataclasses.replace(first, open=broken_seal),)
    refused(place, dataclasses.replace(what, parcels=parcels), "changed")
    if place.provider.code == "export_postgres":
        assert place.open().acknowledgement(what).state == "waiting"
    else:
        assert [name for name in place.files() if not name.endswith(".part")] == []
    assert place.open().deliver(what).found == ()


def broken_seal():
    """A file that the vault does not open."""
    raise SealBroken("A sealed file doesn't open.")


@every
def test_wrong_credentials_stop_the_connector(place):
    wrong = {
        "export_sftp": {"user": "nobody"},
        "export_s3": {"secret_access_key": "WRONG-SECRET-9999"},
        "export_https": {"secret": "WRONG-SECRET-9999"},
        "export_postgres": {"user": "nobody"},
    }.get(place.provider.code)
    if wrong is None:
        return
    with pytest.raises(AuthFailed):
        place.open(**wrong).ping()
    refused(place, usual(), None, AuthFailed, **wrong)


@pytest.mark.parametrize("place", ("sftp", "https", "postgres"), indirect=True)
def test_a_server_that_is_away_is_tried_again(place, monkeypatch):
    address = place.address()
    port = address.rsplit(":", 1)[1].split("/")[0]
    monkeypatch.setattr(place, "address", lambda: address.replace(port, "9"))
    refused(place, usual(), None, Transient)


# === FILES === #


@files
def test_files_are_whole_and_the_manifest_is_the_last(place):
    provider = place.open()
    provider.deliver(usual())
    kept = place.files()
    kept.pop("group/1/ack.json", None)
    assert kept.keys() == {f"group/1/{one.name}" for one in usual().all}
    for one in usual().all:
        with one.open() as stream:
            assert kept[f"group/1/{one.name}"] == stream.read()
    puts = [one.url for one in provider.session.recorder.exchanges if one.method == "PUT"]
    assert puts[-1].endswith("/group/1/datapackage.json") and len(puts) == 3


@every
def test_a_receiver_that_is_ahead_gets_nothing(place):
    """Batches that the sender does not know, as after a restore: it is told how far they go."""
    for number in range(1, 8):
        assert place.open().deliver(usual(number)).ahead == 0
    is_table = place.provider.code == "export_postgres"
    if not is_table:
        place.put("group/9/journal_items-2026-03.csv", b"of a batch that is not complete")
    before = place.rows() if is_table else place.files()
    for number in (1, 2, 7):
        other = delivery(
            parcel("journal_items-2026-03.csv", content([line(8)])),
            number=number,
            run=f"{number}a7d3a52-3b1c-4b8f-9d3e-2f6f0a1b2c3d",
        )
        receipt = place.open().deliver(other)
        assert (receipt.sent, receipt.found, receipt.ahead) == ((), (), 7)
    assert before == (place.rows() if is_table else place.files())
    assert place.open().deliver(usual(8)).ahead == 0


@files
@pytest.mark.parametrize("which", (0, 1))
def test_another_file_of_the_same_name_is_refused(place, which):
    what = usual()
    one = what.all[which]
    place.put(f"group/1/{one.name}", b"x" * one.bytes)
    assert one.name in refused(place, what, "taken")
    assert place.files()[f"group/1/{one.name}"] == b"x" * one.bytes
    assert "group/1/datapackage.json" not in place.files()


@files
@pytest.mark.parametrize("after", (0, 1, 2))
def test_a_delivery_that_broke_off_goes_on(place, after):
    """Killed after so many files: no manifest; then only the rest is sent."""
    what = usual()

    def broken():
        raise OSError("killed")

    parcels = list(what.all)
    parcels[after] = dataclasses.replace(parcels[after], open=broken)
    cut = dataclasses.replace(what, parcels=tuple(parcels[:2]), manifest=parcels[2])
    with pytest.raises(Exception, match="killed|broke off|reached"):
        place.open().deliver(cut)
    assert "group/1/datapackage.json" not in place.files()
    receipt = place.open().deliver(what)
    assert len(receipt.found) == after and len(receipt.sent) == 3 - after
    assert "group/1/datapackage.json" in place.files()


@files
def test_acknowledgements(place):
    """No file: waiting. Then what the receiver says, and nothing else."""
    what = usual()
    assert place.open().acknowledgement(what).state == "waiting"
    place.put("group/1/ack.json", b'{"state": "accepted", "rows": {"a.csv": 2}}')
    told = place.open().acknowledgement(what)
    assert (told.state, told.rows, told.words) == ("accepted", {"a.csv": 2}, "")
    place.put("group/1/ack.json", b'{"state": "refused", "words": "Closed."}')
    told = place.open().acknowledgement(what)
    assert (told.state, told.rows, told.words) == ("refused", None, "Closed.")
    for wrong in (b"{", b"[]", b"{}", b'{"state": "maybe"}', b'{"state": "accepted", "rows": [1]}',
                  b'{"state": "accepted", "rows": {"a.csv": "2"}}'):  # fmt: skip
        place.put("group/1/ack.json", wrong)
        with pytest.raises(ContractBroken):
            place.open().acknowledgement(what)


@files
def test_a_file_without_a_row_is_delivered(place):
    receipt = place.open().deliver(delivery(parcel("nothing.jsonl", b"", rows=0, format="jsonl")))
    assert receipt.sent == ("nothing.jsonl", "datapackage.json")
    assert place.files()["group/1/nothing.jsonl"] == b""
    assert place.open().deliver(delivery(parcel("nothing.jsonl", b"", rows=0))).sent == ()


@files
def test_names_lead_nowhere_else(place):
    """A name is a name: no way up, no other folder."""
    what = usual()
    for name in ("../a.csv", "a/b.csv", "..", ""):
        parcels = (dataclasses.replace(what.parcels[0], name=name),)
        refused(place, dataclasses.replace(what, parcels=parcels), "name")
    refused(place, dataclasses.replace(what, folder="../group"), "name")
    assert place.files() == {}


# === EACH OF THEM === #


@pytest.mark.parametrize("place", ("folder", "sftp"), indirect=True)
def test_what_was_left_half_is_written_anew(place):
    place.put("group/1/journal_items-2026-03.csv.part", b"x" * 100_000)
    place.open().deliver(usual())
    assert not [name for name in place.files() if name.endswith(".part")]


@pytest.mark.parametrize("place", ("folder",), indirect=True)
def test_no_link_in_a_folder_is_followed(place, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (place.root / "group").symlink_to(outside)
    refused(place, usual(), "denied")
    (place.root / "group").unlink()
    (place.root / "group" / "1").mkdir(parents=True)
    (place.root / "group" / "1" / "datapackage.json").symlink_to(outside / "a")
    refused(place, usual(), "denied")
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("place", ("folder",), indirect=True)
def test_a_share_without_links(place, monkeypatch):
    def none(*_arguments, **_options):
        raise OSError(errno.EOPNOTSUPP, "no links here")

    monkeypatch.setattr(os, "link", none)
    one = usual().parcels[0].name
    place.put(f"group/1/{one}", b"x")
    refused(place, usual(), "taken")
    (place.root / "group/1" / one).unlink()
    place.open().deliver(usual())
    assert sorted(place.files()) == sorted(f"group/1/{one.name}" for one in usual().all)


@pytest.mark.parametrize("place", ("folder",), indirect=True)
@pytest.mark.parametrize("number", (errno.ENOSPC, errno.ESTALE))
def test_a_folder_that_is_full_or_away_is_tried_again(place, monkeypatch, number):
    def none(*_arguments, **_options):
        raise OSError(number, "not now")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", none)
        refused(place, usual(), None, Transient)
    assert place.open().deliver(usual()).found == ()


@pytest.mark.parametrize("place", ("sftp",), indirect=True)
def test_another_host_key_is_refused(place):
    import paramiko

    other = paramiko.ECDSAKey.generate()
    shown = f"{other.get_name()} {other.get_base64()}"
    refused(place, usual(), "host_key", AuthFailed, host_key=shown)
    refused(place, usual(), "host_key", AuthFailed, host_key="ssh-ed25519 AAAA")
    refused(place, usual(), "key", AuthFailed, private_key="none")
    assert place.files() == {}


@pytest.mark.parametrize("place", ("s3",), indirect=True)
def test_large_files_go_in_parts(place, monkeypatch):
    """Three parts, their digests, the whole; the same file again is found."""
    monkeypatch.setattr(made.S3, "part", 5 << 20)
    monkeypatch.setattr(made.S3, "whole", 6 << 20)
    data = bytes(range(256)) * (44 << 10)
    large = delivery(parcel("large file+1.csv", data, rows=0))
    provider = place.open()
    assert provider.deliver(large).bytes > 11 << 20
    assert place.files()["group/1/large file+1.csv"] == data
    parts = [one for one in provider.session.recorder.exchanges if "partNumber" in one.url]
    assert len(parts) == 3
    assert place.open().deliver(large).sent == ()
    again = dataclasses.replace(large.parcels[0], open=lambda: io.BytesIO(data[:-1] + b"!"))
    refused(place, delivery(again, number=2), "changed")
    assert "group/2/large file+1.csv" not in place.files()


@pytest.mark.parametrize("place", ("s3",), indirect=True)
def test_a_bucket_that_is_not_there(place):
    refused(place, usual(), None, bucket="nowhere")
    refused(place, usual(), None, AuthFailed, access_key_id="AKIANOBODY0000000000")


def test_addresses_of_buckets():
    place = made.S3Place.__new__(made.S3Place)
    place.address = lambda: "https://s3.example.com/x"
    place.settings = made.S3Place.settings | {"secret_access_key": "s"}
    assert place.open().url("/a b/c") == "https://s3.example.com/x/warehouse/bi/odoo/a%20b/c"
    virtual = place.open(addressing="virtual", prefix="")
    assert virtual.url("/a/c") == "https://warehouse.s3.example.com/x/a/c"
    assert virtual.url("") == "https://warehouse.s3.example.com/x/"


PUT = "PUT /"
FAULTS = {
    "500": ({"kind": "500"}, Transient),
    "429": ({"kind": "429", "retry_after": 7}, Transient),
    "lost answer": ({"kind": "act_then_500", "match": PUT}, Transient),
    "time-out after storing": (
        {"kind": "act_then_timeout", "delay_ms": 700, "match": PUT, "times": 1},
        Transient,
    ),
    "half an answer": ({"kind": "malformed", "match": PUT}, ContractBroken),
}


@pytest.mark.parametrize("place", ("https",), indirect=True)
@pytest.mark.parametrize("name", FAULTS)
def test_an_https_server_that_misbehaves(place, name):
    """Whatever was stored: the next attempt finds it, and nothing is there twice or half."""
    rule, error_class = FAULTS[name]
    faults = place.server.sandbox.faults
    faults.replace([{"vendor": "warehouse", **rule}])
    refused(place, usual(), None, error_class)
    assert "group/1/datapackage.json" not in place.files()
    faults.replace([])
    place.open().deliver(usual())
    assert len(place.files()) == 4


@pytest.mark.parametrize("place", ("https",), indirect=True)
def test_an_https_server_that_keeps_half_or_tells_nothing(place):
    refused(place, usual(export="careless"), "damaged")
    assert "careless/1/datapackage.json" not in place.files()
    refused(place, usual(export="silent"), "", ContractBroken)


@pytest.mark.parametrize("place", ("https",), indirect=True)
def test_an_https_server_with_user_and_password(place):
    place.open(user="loader").deliver(usual())
    told = place.open(user="loader").acknowledgement(usual())
    assert told.rows == {"journal_items-2026-03.csv": 2, "journal_items-2026-04.csv.gz": 1}
    with pytest.raises(AuthFailed):
        place.open(user="other").ping()
