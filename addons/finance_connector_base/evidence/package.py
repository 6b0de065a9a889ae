"""Exports: a zip that can be checked without Odoo and without the database.

Each event stands as the line that its leaf was made from, beside its audit path to the root of a
signed seal; events that are not in the export are in no way needed. The list of files with their
digests is signed as a whole.
"""

import hashlib
import json
import re
import tempfile
import zipfile
from collections import OrderedDict
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from . import merkle
from .readme import README
from .report import Report
from .rows import canonical, leaf
from .signing import fingerprint, is_signed, pem, public_key_of
from .verify import Signatures, what_of

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
EVENTS, PROOFS, DETAILS = "events.jsonl", "proofs.jsonl", "details.jsonl"
PUBLIC_KEY = "public_key.pem"
TREES_KEPT = 8


# === WRITING === #


def write_package(path, *, facts, events, seal_of, details, signers):
    """Write the export to ``path``.

    facts: what stands in the manifest, plain values (made_at, database, selection, …). events:
    `Event`s in the order of their ids. seal_of: a function from a seal's number to the `Seal`, or
    None. details: dicts with ``event`` and ``text``, or ``event`` and ``erased_at``, in the same
    order. signers: of the key ring; the first signs.
    """
    with tempfile.TemporaryDirectory(prefix="finance-evidence-") as folder:
        writer = _Writer(Path(folder), seal_of, {signer.public_key for signer in signers})
        writer.write(events, details)
        writer.add("README.txt", README.encode())
        writer.add(PUBLIC_KEY, pem(signers[0].public_key))
        manifest = {
            **facts,
            "format": FORMAT,
            "counts": writer.counts,
            "keys": [
                {"key": signer.key_id, "public_key": signer.public_key,
                 "fingerprint": signer.fingerprint}
                for signer in signers
            ],
            "files": {file.relative_to(folder).as_posix(): _sha256(file) for file in writer.files()},
        }  # fmt: skip
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False).encode()
        writer.add(MANIFEST, text)
        writer.add(SIGNATURE, bytes.fromhex(signers[0].sign(text)))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in writer.files():
                archive.write(file, file.relative_to(folder).as_posix())


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Writer:
    def __init__(self, folder, seal_of, public_keys):
        self.folder = folder
        self._seal_of = seal_of
        self._public_keys = public_keys
        self._trees = OrderedDict()
        self._sealed = set()
        self.counts = {"events": 0, "unsealed": 0, "details": 0, "erased": 0}

    def write(self, events, details):
        """Events, proofs, the seals they need, details."""
        with (
            open(self.folder / EVENTS, "wb") as lines,
            open(self.folder / PROOFS, "wb") as proofs,
        ):
            for event in events:
                line = event.line
                lines.write(line + b"\n")
                proofs.write(canonical(self._proof(event)).encode() + b"\n")
                self.counts["events"] += 1
                self.counts["unsealed"] += event.seal_id is None
        with open(self.folder / DETAILS, "wb") as file:
            for detail in details:
                file.write(canonical(detail).encode() + b"\n")
                self.counts["details" if "text" in detail else "erased"] += 1
        self._write_seals()

    def add(self, name, data):
        """One more file."""
        (self.folder / name).write_bytes(data)

    def files(self):
        """All files there are now, in the order of their names."""
        return sorted(file for file in self.folder.rglob("*") if file.is_file())

    def _proof(self, event):
        tree, positions = self._tree(event.seal_id) if event.seal_id is not None else ((), {})
        proof = {"event": event.id, "seal": event.seal_id}
        position = positions.get(event.id)
        if position is None:
            return proof
        path = [step.hex() for step in merkle.path(tree, position)]
        return proof | {"position": position, "size": len(positions), "path": path}

    def _tree(self, sequence):
        """(levels, {event id: position}) of a seal; few are kept, since ids follow each other."""
        if sequence in self._trees:
            self._trees.move_to_end(sequence)
            return self._trees[sequence]
        seal = self._seal_of(sequence)
        leaves = seal.leaves() if seal else {}
        if seal:
            self._sealed.add(sequence)
        positions = {event_id: position for position, event_id in enumerate(leaves)}
        self._trees[sequence] = merkle.levels(leaves.values()), positions
        if len(self._trees) > TREES_KEPT:
            self._trees.popitem(last=False)
        return self._trees[sequence]

    def _write_seals(self):
        for folder in ("seals", "keys"):
            (self.folder / folder).mkdir()
        done = set()
        for number in sorted(self._sealed):
            # A seal whose key has left the ring is vouched for by those after it, up to one that
            # a key of today signed.
            while number not in done and (seal := self._seal_of(number)):
                done.add(number)
                self.add(f"{_seal_name(number)}.json", seal.payload)
                self.add(f"{_seal_name(number)}.sig", bytes.fromhex(seal.signature))
                self.add(_key_name(seal.fingerprint), pem(seal.public_key))
                if seal.public_key in self._public_keys:
                    break
                number += 1
        self.counts["seals"] = len(done)


def _seal_name(number):
    return f"seals/{number:08}"


def _key_name(fingerprint):
    return f"keys/{fingerprint}.pem"


# === CHECKING === #


def is_package(path) -> bool:
    """Tell whether a file is an export."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {MANIFEST, SIGNATURE, EVENTS} <= set(archive.namelist())


def verify_package(path, trust) -> Report:
    """Check an export and return the `Report`. Raises ValueError for what is no export."""
    name = Path(path).name
    with zipfile.ZipFile(path) as archive:
        text, signature = archive.read(MANIFEST), archive.read(SIGNATURE)
        maker = _maker(archive)
        report = Report(f"export {name}")
        if not is_signed(maker, signature.hex(), text):
            report.add("package.signature")
        # A file that can't be read any more is not that of the manifest, and that was said.
        try:
            manifest = json.loads(text)
            if manifest["format"] != FORMAT:
                raise ValueError("a newer version is needed for it")
            _Check(archive, manifest, maker, report, trust).run()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if not report.found:
                raise ValueError(f"{name} can't be read: {error!r}") from error
    return report


def _maker(archive):
    try:
        return public_key_of(archive.read(PUBLIC_KEY))
    except (KeyError, ValueError):
        return ""


class _PackedSeal(NamedTuple):
    """What an export holds of a seal: the payload and what stands in it."""

    payload: bytes
    signature: str
    public_key: str
    sequence: int
    at: str
    key_id: str
    fingerprint: str
    previous: str
    root: str
    count: int

    @property
    def hash(self):
        return hashlib.sha256(self.payload).hexdigest()

    def is_signed_by(self, public_key):
        return is_signed(public_key, self.signature, self.payload)


class _Check:
    def __init__(self, archive, manifest, maker, report, trust):
        """maker: the public key that the manifest is signed with."""
        self.archive, self.manifest, self.report = archive, manifest, report
        report.database = manifest["database"]
        if trust.name_of(maker):
            # Who made the export vouches for the other keys of the ring.
            keys = {key["public_key"]: key["key"] for key in manifest["keys"]}
            trust = trust._replace(public_keys=keys | trust.public_keys)
        elif trust.has_keys:
            report.add("package.key", fingerprint=fingerprint(maker))
        self.signed = Signatures(trust, report)
        self.seals = {}

    def run(self):
        """Files, seals, events and details."""
        self._check_files()
        self._check_seals()
        self._check_events()
        self.signed.conclude()
        facts = {name: self.manifest[name] for name in ("made_at", "selection")}
        self.report.remark("package", **facts)

    def _check_files(self):
        """Exactly the files of the manifest, each as it was."""
        wanted = self.manifest["files"]
        names = set(self.archive.namelist()) - {MANIFEST, SIGNATURE}
        for name in sorted(names | set(wanted)):
            if name not in names or name not in wanted or self._digest(name) != wanted[name]:
                self.report.add("package.file", file=name)

    def _digest(self, name):
        with self.archive.open(name) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _check_seals(self):
        names = self.archive.namelist()
        before = None
        for name in sorted(name for name in names if re.fullmatch(r"seals/\d+\.json", name)):
            seal = self._seal(name.removesuffix(".json"))
            follows = before and seal.sequence == before.sequence + 1
            if follows and seal.previous != before.hash:
                facts = {"seal": seal.sequence, "at": seal.at, "before": before.sequence}
                self.report.add("seal.order", **facts)
            if not follows or seal.previous != before.hash:
                self.signed.break_off()
            self.signed.check(seal)
            self.seals[seal.sequence] = before = seal
        self.report.seals = len(self.seals)

    def _seal(self, name):
        payload = self.archive.read(f"{name}.json")
        facts = json.loads(payload)
        public_key = public_key_of(self.archive.read(_key_name(facts["fingerprint"])))
        return _PackedSeal(
            payload=payload,
            signature=self.archive.read(f"{name}.sig").hex(),
            public_key=public_key,
            key_id=facts["key"],
            **{key: facts[key] for key in _PackedSeal._fields[3:] if key != "key_id"},
        )

    def _check_events(self):
        details = _Details(self._lines(DETAILS))
        for line, proof in zip_longest(self._lines(EVENTS), self._lines(PROOFS), fillvalue=b"{}"):
            event = json.loads(line)
            self._check_proof(line, event, json.loads(proof))
            self._check_detail(event, details.of(event["id"]))
        for number in details.foreign():
            self.report.add("detail.inserted", event=number)
        if any(self.report.details.values()):
            self.report.remark("details", **self.report.details)

    def _check_proof(self, line, event, proof):
        """The event is a leaf of the seal that its proof names."""
        report, at = self.report, event.get("at")
        number = proof.get("seal")
        if proof.get("event") == event["id"] and number is None:
            report.unsealed += 1
            if report.unsealed == 1:
                report.remark("package.unsealed", event=event["id"], at=at)
            return
        report.events += 1
        report.first, report.last = min(report.first or at, at), max(report.last or at, at)
        facts = {"event": event["id"], "what": what_of(event.get("kind"), at), "seal": number}
        seal = self.seals.get(number)
        if not seal or proof.get("event") != event["id"] or "path" not in proof:
            report.add("proof.missing", **facts)
            return
        path = [bytes.fromhex(step) for step in proof["path"]]
        root = merkle.root_of_path(leaf(line), proof["position"], proof["size"], path)
        if proof["size"] != seal.count or not root or root.hex() != seal.root:
            report.add("event.changed", **facts)

    def _check_detail(self, event, details):
        digest = event.get("data", {}).get("detail")
        facts = {"event": event["id"], "what": what_of(event.get("kind"), event.get("at"))}
        if len(details) > 1 or details and not digest:
            self.report.add("detail.inserted", **facts)
        elif digest and not details:
            self.report.add("detail.missing", **facts)
        elif digest and "text" not in details[0]:
            self.report.details["erased" if "erased_at" in details[0] else "unchecked"] += 1
        elif digest and hashlib.sha256(details[0]["text"].encode()).hexdigest() == digest:
            self.report.details["fine"] += 1
        elif digest:
            self.report.add("detail.changed", **facts)

    def _lines(self, name):
        with self.archive.open(name) as file:
            for line in file:
                yield line.rstrip(b"\n")


class _Details:
    """Takes details, which stand in the order of their events, event by event."""

    def __init__(self, lines):
        self._left = map(json.loads, lines)
        self._next = next(self._left, None)
        self._foreign = []

    def of(self, event_id):
        """The details of an event."""
        mine = []
        while self._next and self._next["event"] <= event_id:
            owner = mine if self._next["event"] == event_id else self._foreign
            owner.append(self._next)
            self._next = next(self._left, None)
        return mine

    def foreign(self):
        """Numbers of the events that the other details belong to."""
        left = [self._next, *self._left] if self._next else []
        return [detail["event"] for detail in (*self._foreign, *left)]
