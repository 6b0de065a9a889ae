"""What bank statements cost: reading a file, and importing it into Odoo.

One camt.053 file of 20,000 entries with party, account, references and text. Counted is processor
time of this process. The peer is the parser of OCA's account_statement_import_camt from the package
index, run without Odoo: translations of its labels cost it nothing. The limit is lxml's iterparse that
looks at nothing. Memory is how much a process of its own grows while it reads.

Importing is measured in databases of their own, ours and the peer's whole importer: queries of a
created line, and memory (see ``lib/bank_import.py``).

BENCH_PEER=0 leaves the peer out; BENCH_ENTRIES sets the number of entries, BENCH_ROUNDS of rounds,
BENCH_LINES the lines to import.
"""

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
import types
from decimal import Decimal
from pathlib import Path

from lxml import etree

from benchmarks.lib import bank_import, bench_odoo
from benchmarks.lib.figures import Goal, alternate, printing
from benchmarks.lib.plain import plain
from scripts import postgres
from scripts.console import Failure

formats = plain("finance_bank_sync.formats")
ENTRIES = int(os.environ.get("BENCH_ENTRIES", 20_000))
LINES = int(os.environ.get("BENCH_LINES", 5_000))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 3))
PEER_NAME = "OCA account_statement_import_camt 19.0"
PEER_PACKAGE = "odoo-addon-account-statement-import-camt==19.0.*"
PEER_FILE = "wizard/account_statement_import_camt_parser.py"
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"

HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="{NAMESPACE}"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId>
<CreDtTm>2026-03-02T18:00:00</CreDtTm></GrpHdr><Stmt><Id>S1</Id><CreDtTm>2026-03-02T18:00:00</CreDtTm>
<Acct><Id><IBAN>DE75512108001245126199</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">0</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-03-02</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">%s</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Dt><Dt>2026-03-02</Dt></Dt></Bal>"""
ENTRY = """<Ntry><NtryRef>%(n)s</NtryRef><Amt Ccy="EUR">%(amount)s</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Sts>BOOK</Sts><BookgDt><Dt>2026-03-02</Dt></BookgDt><ValDt><Dt>2026-03-02</Dt></ValDt>
<AcctSvcrRef>B%(n)s</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd>
<SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls><Refs><InstrId>I%(n)s</InstrId>
<EndToEndId>E%(n)s</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy="EUR">%(amount)s</Amt></TxAmt></AmtDtls>
<RltdPties><Dbtr><Nm>Customer %(n)s</Nm><PstlAdr><Ctry>FR</Ctry><AdrLine>1 Street</AdrLine></PstlAdr>
</Dbtr><DbtrAcct><Id><IBAN>FR1420041010050500013M02606</IBAN></Id></DbtrAcct></RltdPties>
<RltdAgts><DbtrAgt><FinInstnId><BIC>SOGEFRPP</BIC></FinInstnId></DbtrAgt></RltdAgts>
<RmtInf><Ustrd>Invoice INV/2026/%(n)05d</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
"""
TAIL = "</Stmt></BkToCstmrStmt></Document>"


def write(path, entries=ENTRIES):
    """Write the file; return the sum of its entries."""
    amounts = [Decimal(number) / 100 for number in range(1, entries + 1)]
    with path.open("w") as file:
        file.write(HEAD % sum(amounts))
        for number, amount in enumerate(amounts, start=1):
            file.write(ENTRY % {"n": number, "amount": amount})
        file.write(TAIL)
    return sum(amounts)


def content(entries):
    """Return a file of so many entries as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "camt.xml"
        write(path, entries)
        return path.read_bytes()


# === READERS === #
# Each reads the file and returns the number of entries and, where it knows amounts, their sum.


def ours(path):
    """Read it as an import does, but once: every entry to canonical."""
    with path.open("rb") as file:
        entries = (entry.amount for _index, entry in formats.entries(file))
        amounts = [0, Decimal(0)]
        for amount in entries:
            amounts[0] += 1
            amounts[1] += amount
    return tuple(amounts)


def bare(path):
    """Look at nothing."""
    count = 0
    for _event, element in etree.iterparse(str(path), tag=f"{{{NAMESPACE}}}Ntry"):
        count += 1
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
    return count, None


def peer(path):
    """Read it with the peer's parser."""
    _currency, _account, found = peer_parser().parse(path.read_bytes())
    lines = found[0]["transactions"]
    return len(lines), sum(Decimal(str(line["amount"])) for line in lines)


def peer_parser():
    """Return the peer's parser as an object of a class without Odoo."""
    folder = bench_odoo.fetched("import_camt", PEER_PACKAGE)
    source = folder / "odoo" / "addons" / "account_statement_import_camt" / PEER_FILE
    sys.modules["odoo"].models = types.SimpleNamespace(AbstractModel=object)
    names = {"__name__": "peer"}
    exec(compile(source.read_text(), str(source), "exec"), names)
    parser = names["AccountStatementImportCamtParser"]()
    parser.env = types.SimpleNamespace(_=lambda text: text)
    return parser


# === MEASURES === #


def speed(reader, path, total):
    """Return a function that measures entries in a second of processor time."""

    def measured(_round):
        before = time.process_time()
        count, found = reader(path)
        seconds = time.process_time() - before
        if count != ENTRIES or found not in (None, total):
            raise RuntimeError(f"{reader.__name__} read {count} entries of {found}")
        return ENTRIES / seconds

    return measured


def growth(reader, path):
    """Return by how many MB a new process grows while it reads."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_growth, (reader.__name__, path))


def _growth(name, path):
    if name == "peer":
        peer_parser()
    before = _memory("VmRSS")
    globals()[name](path)
    return (_memory("VmHWM") - before) / 1024


def _memory(field):
    """Return a line of this process's status in kB: VmRSS now, VmHWM at its highest."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{field}:")[2].split()[0])


def importing(figures):
    """Measure imports into Odoo."""
    importer, note = bank_import.Importer(postgres.server("bench")), ""
    try:
        if os.environ.get("BENCH_PEER") == "0":
            raise Failure("left out by BENCH_PEER=0")
        importer.prepare_peer()
    except Failure as failure:
        note = f"; peer: {failure}"
    mine = importer.measure(bank_import.OURS, content, LINES)
    less = importer.measure(bank_import.OURS, content, LINES // 4)
    theirs = None if note else importer.measure(bank_import.PEER, content, LINES)
    figures.add(
        "bank.import_queries_per_line",
        mine[0],
        peer=theirs and theirs[0],
        peer_name=bank_import.PEER_NAME,
        less_is_better=True,
        goal=Goal("ours", "<=", 5.5),
        n=LINES,
        note=f"all queries from the file to the posted line{note}",
    )
    figures.add(
        "bank.import_memory",
        mine[1],
        peer=theirs and theirs[1],
        peer_name=bank_import.PEER_NAME,
        less_is_better=True,
        goal=Goal("ratio", ">=", 1.5) if theirs else None,
        n=LINES,
        note=f"MB that a process grows by; {less[1]:.0f} with a quarter of the lines{note}",
    )


def main():
    """Measure and print."""
    with printing() as figures:
        reading(figures)
        importing(figures)


def reading(figures):
    """Measure reading alone."""
    other, note = peer, ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "camt.xml"
        total = write(path)
        try:
            if os.environ.get("BENCH_PEER") == "0":
                raise Failure("left out by BENCH_PEER=0")
            peer_parser()
        except Failure as failure:
            other, note = None, f"; peer: {failure}"
        mine, limits, theirs = alternate(
            ROUNDS,
            speed(ours, path, total),
            speed(bare, path, total),
            other and speed(other, path, total),
        )
        figures.add(
            "bank.parse_camt",
            mine,
            peer=theirs,
            peer_name=PEER_NAME,
            limit=statistics.median(limits),
            goal=Goal("ratio", ">=", 1.5),
            n=ENTRIES,
            note=f"entries in a second of processor time; limit: bare lxml iterparse{note}",
        )
        figures.add(
            "bank.parse_memory",
            growth(ours, path),
            peer=other and growth(other, path),
            peer_name=PEER_NAME,
            limit=growth(bare, path),
            less_is_better=True,
            goal=Goal("ours", "<=", 10),
            n=ENTRIES,
            note=f"MB that a process grows by while it reads; limit: bare lxml iterparse{note}",
        )


if __name__ == "__main__":
    main()
