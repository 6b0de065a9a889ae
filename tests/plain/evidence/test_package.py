"""Exports: written, checked, tampered with; and read by openssl."""

import hashlib
import io
import json
import shutil
import subprocess
import zipfile

import pytest

from odoo.addons.finance_connector_base.evidence.package import (
    is_package,
    verify_package,
    write_package,
)
from odoo.addons.finance_connector_base.evidence.signing import signers
from odoo.addons.finance_connector_base.evidence.verify import trust_of

from tests.plain.evidence.chain import UUID, chain_of, event, first, ring

TEXT = '{"salt":"00","values":{"partner":"Müller \\"& Söhne"}}'
DIGEST = hashlib.sha256(TEXT.encode()).hexdigest()


def export(chain, path, numbers=None, details=()):
    """Export some events of a chain."""
    seals = {seal.sequence: seal for seal in chain.seals}
    write_package(
        path,
        facts={"made_at": "2026-04-01T08:00:00.000000Z", "database": UUID, "selection": "test"},
        events=[chain.events[number] for number in sorted(numbers or chain.events)],
        seal_of=seals.get,
        details=details,
        signers=signers(chain.ring),
    )
    return path


def check(path, keys=None, **trust):
    return verify_package(path, trust_of(keys, **trust))


def rewritten(path, **changes):
    """The zip with members changed, {name with _ for . and /: bytes, or None to leave it out}."""
    names = {name.replace(".", "_").replace("/", "_"): value for name, value in changes.items()}
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            data = names.pop(name.replace(".", "_").replace("/", "_"), old.read(name))
            if data is not None:
                new.writestr(name, data)
        for name, data in names.items():
            new.writestr(name, data)
    path.write_bytes(copy.getvalue())
    return path


@pytest.fixture
def chain():
    """Three seals, of one event, four and seven."""
    return chain_of(1, 4, 7)


def test_some_events_of_some_seals(chain, tmp_path):
    """Neighbours are not needed, and of them not even the number is told."""
    path = export(chain, tmp_path / "e.zip", [3, 5, 9])
    assert is_package(path)
    report = check(path, chain.ring)
    assert (report.outcome, report.events, report.seals) == ("sound", 3, 2)
    with zipfile.ZipFile(path) as archive:
        assert "seals/00000001.json" not in archive.namelist()
        lines = archive.read("events.jsonl").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [3, 5, 9]
    assert "%(" not in "\n".join(report.sentences())


def test_who_is_trusted(chain, tmp_path):
    path = export(chain, tmp_path / "e.zip")
    mark = signers(chain.ring)[0].fingerprint
    assert check(path).outcome == "unproved"
    assert check(path, fingerprints=[mark]).outcome == "sound"
    assert first(check(path, ring("z")))[0] == "package.key"


def test_unsealed_events_are_said_to_be(chain, tmp_path):
    chain.add(event(20))
    report = check(export(chain, tmp_path / "e.zip"), chain.ring)
    assert (report.outcome, report.events, report.unsealed) == ("sound", 12, 1)
    assert any("not sealed yet" in line for line in report.sentences())


def test_every_file_counts(chain, tmp_path):
    path = export(chain, tmp_path / "e.zip", [3, 5, 9])
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    for name, data in contents.items():
        changed = data[:-9] + bytes([data[-9] ^ 1]) + data[-8:] if data else b"x"
        path.write_bytes(whole)
        report = check(rewritten(path, **{name: changed}), chain.ring)
        is_signature = name in ("manifest.json", "manifest.sig", "public_key.pem")
        expected = "package.signature" if is_signature else "package.file"
        assert first(report)[0] == expected, name
        if not is_signature:
            path.write_bytes(whole)
            assert first(check(rewritten(path, **{name: None}), chain.ring))[0] == "package.file"
    path.write_bytes(whole)
    assert first(check(rewritten(path, more=b"x"), chain.ring))[0] == "package.file"


def test_made_by_somebody_with_another_key(chain, tmp_path):
    """Signed as a whole with a key of one's own: the seals are not."""
    chain.change(3, user_id=99)
    own = ring("z")
    chain.ring = own
    path = export(chain, tmp_path / "e.zip", [3])
    report = check(path, ring("a"))
    assert [finding.code for finding in report.findings] == ["package.key", "event.changed"]


def test_an_event_that_was_changed_before_the_export(chain, tmp_path):
    chain.change(3, user_id=99)
    assert first(check(export(chain, tmp_path / "e.zip"), chain.ring)) == ("event.changed", 3)


def test_an_event_that_says_it_is_in_a_seal(chain, tmp_path):
    chain.add(event(99, seal_id=2))
    chain.add(event(100, seal_id=9))
    report = check(export(chain, tmp_path / "e.zip"), chain.ring)
    assert [finding.code for finding in report.findings] == ["proof.missing"] * 2


def test_seals_of_a_key_that_is_gone(tmp_path):
    """The seals in between come along, up to one that a key of today signed."""
    chain = chain_of(2, 2, 2, keys=ring("a"))
    chain.ring = ring("b")
    chain.add(event(7)).seal()
    chain.add(event(8)).seal()
    path = export(chain, tmp_path / "e.zip", [1])
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert [name for name in names if name.endswith("0.json") or "seals/" in name] == [
        f"seals/0000000{number}.{end}" for number in (1, 2, 3, 4) for end in ("json", "sig")
    ]
    assert check(path, ring("b")).outcome == "sound"
    # cut off from what vouches for it
    chain.seals = chain.seals[:2]
    assert first(check(export(chain, path, [1]), ring("b"))) == ("seal.key", 1)


def test_other_keys_of_the_ring(tmp_path):
    """Who made the export vouches for them."""
    chain = chain_of(2, keys=ring("a"))
    chain.ring = ring("b", "a")
    path = export(chain, tmp_path / "e.zip")
    mark = signers(chain.ring)[0].fingerprint
    assert check(path, fingerprints=[mark]).outcome == "sound"


@pytest.mark.parametrize(
    ("details", "outcome"),
    [
        ([{"event": 1, "text": TEXT}], {"fine": 1, "erased": 0, "unchecked": 0}),
        ([{"event": 1, "erased_at": "x"}], {"fine": 0, "erased": 1, "unchecked": 0}),
        ([{"event": 1}], {"fine": 0, "erased": 0, "unchecked": 1}),
        ([], "detail.missing"),
        ([{"event": 1, "text": TEXT + " "}], "detail.changed"),
        ([{"event": 1, "text": TEXT}, {"event": 1, "text": TEXT}], "detail.inserted"),
        ([{"event": 1, "text": TEXT}, {"event": 2, "text": TEXT}], "detail.inserted"),
        ([{"event": 0, "text": TEXT}, {"event": 1, "text": TEXT}], "detail.inserted"),
        ([{"event": 1, "text": TEXT}, {"event": 9, "text": TEXT}], "detail.inserted"),
    ],
)
def test_details(tmp_path, details, outcome):
    chain = chain_of().add(event(1, data=json.dumps({"detail": DIGEST})), event(2))
    chain.seal()
    report = check(export(chain, tmp_path / "e.zip", details=details), chain.ring)
    assert outcome == (report.details if isinstance(outcome, dict) else first(report)[0])
    if isinstance(outcome, dict):
        assert report.outcome == "sound"


@pytest.mark.skipif(not shutil.which("openssl"), reason="optional: openssl is not here")
def test_the_commands_of_the_readme(chain, tmp_path):
    """What the README tells an auditor to type is right."""
    with zipfile.ZipFile(export(chain, tmp_path / "e.zip", [3, 5, 9])) as archive:
        archive.extractall(tmp_path)
        readme = archive.read("README.txt").decode()
    commands = [
        line.strip()
        for line in readme.replace("\\\n", " ").splitlines()
        if line.startswith("      ") and "openssl" in line
    ]
    assert len(commands) == 5
    mark = signers(chain.ring)[0].fingerprint

    def run(command):
        command = command.replace("<fingerprint>", mark).replace("00000012", "00000002")
        return subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    fingerprint, manifest, digests, seal, leaf = map(run, commands)
    assert fingerprint.split()[-1] == mark
    assert "Verified Successfully" in manifest and "Verified Successfully" in seal
    listed = json.loads((tmp_path / "manifest.json").read_text())["files"]
    told = [line.split("= ") for line in digests.splitlines()]
    assert {name[name.index("(") + 1 : -1]: digest for name, digest in told} == listed
    line = (tmp_path / "events.jsonl").read_bytes().splitlines()[2]
    assert leaf.split()[-1] == hashlib.sha256(b"\0" + line).hexdigest()
