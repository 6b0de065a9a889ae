"""Dumps as pg_dump writes them, heads outside, and the command line."""

import gzip
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from odoo.addons.finance_connector_base.evidence.head import (
    Head,
    go_on_from,
    head_file,
    head_of,
    last_common,
    log_file,
    read_head,
    read_heads,
    read_log,
    write_head,
)
from odoo.addons.finance_connector_base.evidence.place import evidence_dir
from odoo.addons.finance_connector_base.evidence.rows import Detail, Event, Parameter
from odoo.addons.finance_connector_base.evidence.seal import Seal
from odoo.addons.finance_connector_base.evidence.signing import pem, signers
from odoo.addons.finance_connector_base.evidence.sources import Unusable, dump_of

from tests.plain.evidence.chain import UUID, chain_of, event, ring

FOLDER = Path(__file__).parents[3] / "addons" / "finance_connector_base" / "evidence"
ESCAPES = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


def field(value):
    """A value as COPY writes it."""
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes):
        return rf"\\x{value.hex()}"
    return "".join(ESCAPES.get(letter, letter) for letter in str(value))


def block(table, columns, rows):
    lines = ["\t".join(map(field, row)) for row in rows]
    return [f"COPY public.{table} ({', '.join(columns)}) FROM stdin;", *lines, r"\.", ""]


def time(text):
    return text and text.rstrip("Z").replace("T", " ").rstrip("0").rstrip(".")


def dump(chain, details=()):
    """A dump of the chain, with another table and other columns in it."""
    events = [(*row._replace(at=time(row.at)), "next") for row in chain.events.values()]
    seals = [seal._replace(at=time(seal.at)) for seal in reversed(chain.seals)]
    columns = ["id", "event_id", "uuid", "content_sealed", "erased_at"]
    lines = [
        "-- PostgreSQL database dump",
        *block("res_partner", ["id", "name"], [(1, "COPY public.finance_audit_event (id)")]),
        *block("finance_audit_event", [*Event._fields, "next_version"], events),
        *block("finance_audit_seal", Seal._fields, seals),
        *block("finance_audit_detail", columns, details),
        *block("ir_config_parameter", ["id", "key", "value"], [(1, "database.uuid", UUID)]),
    ]
    return "\n".join(lines)


@pytest.fixture
def chain():
    """Two seals, with what COPY has to escape."""
    chain = chain_of(2, 3)
    chain.add(event(6, kind="a\\b\tc\nd\re", data='{"é": "\\"\\\\\\n\\u0001"}', at=None))
    chain.seal()
    return chain


def test_a_dump_gives_the_rows_back(chain, tmp_path):
    path = tmp_path / "d.sql"
    details = [(1, 6, "u", b"\0sealed\xff", None), (2, 5, "v", None, "2026-03-01 10:00:00")]
    path.write_text(dump(chain, details), encoding="utf-8")
    rows = list(dump_of(path).rows())
    assert [row for row in rows if isinstance(row, Event)] == list(chain.events.values())
    assert [row for row in rows if isinstance(row, Seal)] == chain.seals[::-1]
    assert [row for row in rows if isinstance(row, Detail)] == [
        Detail(6, "u", b"\0sealed\xff", False),
        Detail(5, "v", None, True),
    ]
    assert [row for row in rows if isinstance(row, Parameter)] == [Parameter("database.uuid", UUID)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no COPY block of finance_audit_event"),
        ("COPY public.finance_audit_event (id) FROM stdin;\n1\n", "can't be read"),
        ("COPY public.finance_audit_event (id) FROM stdin;\n", "ends in the middle"),
    ],
)
def test_what_is_no_dump_is_refused(tmp_path, content, words):
    path = tmp_path / "d.sql"
    path.write_text(content)
    with pytest.raises(Unusable, match=words):
        list(dump_of(path).rows())


# === COMMAND LINE === #


def run(*arguments, folder=FOLDER, **environment):
    """(exit code, output) of the folder run as a program, without Odoo."""
    variables = {"PATH": os.environ["PATH"], **environment}
    command = [sys.executable, "-I", str(folder), "verify", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd="/")
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


@pytest.fixture
def key_file(tmp_path):
    """The key of the chain, as a key file."""
    path = tmp_path / "keys"
    path.touch(mode=0o600)
    path.write_text("k-a:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=\n")
    return path


def test_the_program(chain, key_file, tmp_path):
    path, head = tmp_path / "d.sql", tmp_path / "x.head.json"
    path.write_text(dump(chain))
    write_head(head, head_of(chain.seals[-1], 6, ""))
    signer = signers(ring("a"))[0]
    public = tmp_path / "k.pem"
    public.write_bytes(pem(signer.public_key))

    assert run(path)[0] == 2
    for trust in (
        ("--key-file", key_file),
        ("--head", head),
        ("--public-key", signer.fingerprint),
        ("--public-key", public),
    ):
        code, words = run(path, *trust)
        assert (code, words.partition(":")[0]) == (0, "Unbroken"), words
    assert run(path, FINANCE_VAULT_KEY_FILE=str(key_file))[0] == 0

    chain.change(4, user_id=9)
    path.write_text(dump(chain))
    code, words = run(path, "--key-file", key_file)
    assert code == 1
    assert "Event 4 (job.done, 2026-03-01 09:04:00 UTC) was changed" in words


def test_what_it_can_not_read(tmp_path, key_file):
    path = tmp_path / "d.sql"
    path.write_text("nothing")
    for arguments, words in (
        ((tmp_path / "none.sql",), "can't be read"),
        ((path,), "no COPY block"),
        ((path, "--key-file", tmp_path / "none"), "can't be read"),
        ((path, "--public-key", "abc"), "neither a fingerprint"),
        ((path, "--head", tmp_path / "none"), "no head file"),
    ):
        code, said = run(*arguments)
        assert code == 2
        assert said.startswith("Not checked.") and words in said


def test_other_wrappings(chain, key_file, tmp_path):
    """Packed by gzip, and as Odoo's own backup."""
    packed, backup = tmp_path / "d.sql.gz", tmp_path / "backup.zip"
    packed.write_bytes(gzip.compress(dump(chain).encode()))
    with zipfile.ZipFile(backup, "w") as archive:
        archive.writestr("dump.sql", dump(chain))
        archive.writestr("manifest.json", "{}")
    for path in (packed, backup):
        assert run(path, "--key-file", key_file)[0] == 0


# === HEADS === #


def test_where_evidence_is_kept():
    named = {"FINANCE_EVIDENCE_DIR": "/a"}
    beside = {"FINANCE_VAULT_KEY_FILE": "/k/keys"}
    options = {"finance_evidence_dir": "/b", "data_dir": "/d"}
    assert evidence_dir(named | beside, options) == Path("/a")
    assert evidence_dir(beside, options) == Path("/b")
    assert evidence_dir(beside, {"data_dir": "/d"}) == Path("/k")
    assert evidence_dir({}, {"finance_vault_key_file": "/o/keys"}) == Path("/o")
    assert evidence_dir({}, {"data_dir": "/d"}) == Path("/d/finance_evidence")


def test_heads_and_their_log(tmp_path):
    path = head_file(tmp_path / "new", UUID, "16384")
    assert path.name == f"{UUID}.16384.head.json"
    assert (read_head(path), read_log(log_file(path))) == (None, {})
    chain = chain_of(1, 1, 1)
    heads = [head_of(seal, seal.sequence, "f") for seal in chain.seals]
    for head in heads:
        write_head(path, head)
    assert read_head(path) == heads[-1]
    assert read_log(log_file(path)) == {head.sequence: head.hash for head in heads}
    assert os.listdir(path.parent) == sorted([path.name, log_file(path).name])

    hashes = {1: heads[0].hash, 2: "other", 3: heads[2].hash}
    assert last_common(read_log(log_file(path)), hashes) == 1
    go_on_from(path, 1, "2026-04-01T08:00:00.000000Z")
    assert (read_head(path), read_log(log_file(path))) == (None, {1: heads[0].hash})
    write_head(path, heads[1]._replace(hash="other"))
    assert read_log(log_file(path)) == {1: heads[0].hash, 2: "other"}


def test_a_head_file_that_is_none(tmp_path):
    path = tmp_path / "head.json"
    for text in ("", "[]", '{"a": 1}'):
        path.write_text(text)
        with pytest.raises(ValueError):
            read_head(path)


def test_a_line_that_a_crash_cut_off(tmp_path):
    path = tmp_path / "x.head.json"
    head = Head(UUID, 1, "h", "a", 1, "f")
    write_head(path, head)
    with open(log_file(path), "a") as log:
        log.write(json.dumps(head._asdict())[:20] + "\n")
    write_head(path, head._replace(sequence=2))
    assert read_log(log_file(path)) == {1: "h", 2: "h"}


def test_each_head_of_the_log_is_compared(chain, tmp_path):
    """The newest head was written over by somebody; the log still has the one before."""
    path = tmp_path / "x.head.json"
    write_head(path, head_of(chain.seals[-1], 6, "")._replace(sequence=2))
    write_head(path, head_of(chain.seals[-1], 6, ""))
    report = chain.check(heads=read_heads(path)[1], head_path=path)
    assert report.findings[0].code == "head.different"
    assert report.findings[0].facts["seal"] == 2
