"""One delivery: its files, its totals and all that a receiver or an auditor must know of it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from .schema import Schema


@dataclass(frozen=True)
class File:
    """One file of a batch.

    name: as the receiver sees it, without a folder. feed: code of its feed. company, period: what
    part it holds ("" for all; period as "2026-03"). format: "csv", "jsonl" or "parquet";
    compression: "", "gzip" or "zstd". mode: "full", "period" or "incremental". rows: as the
    cursor counted them; deletions: how many of them say that a row is gone. bytes and sha256: of
    the file as delivered.
    """

    name: str
    feed: str
    schema: Schema
    format: str
    compression: str
    mode: str
    rows: int
    deletions: int
    bytes: int
    sha256: str
    company: str = ""
    period: str = ""


@dataclass(frozen=True)
class Total:
    """What a feed adds up to, per company, period, account and currency.

    period: "2026-03". account: code of the account in that company. currency: of
    amount_currency; debit and credit are in the company's. digest: order-independent digest of
    the rows, as hexadecimal digits.
    """

    feed: str
    company: str
    period: str
    account: str
    currency: str
    rows: int
    debit: Decimal
    credit: Decimal
    amount_currency: Decimal
    digest: str = ""


@dataclass(frozen=True)
class Rate:
    """A rate that was used. kind: "closing", "average" or "historical"; one unit of ``currency``
    is ``rate`` of ``to``, as at ``day`` (the last day of an average); source: where it is from."""

    currency: str
    to: str
    kind: str
    day: date
    rate: Decimal
    source: str


@dataclass(frozen=True)
class MappingVersion:
    """An approved mapping that a batch was translated with."""

    kind: str
    company: str
    version: int
    digest: str = ""


@dataclass(frozen=True)
class Finding:
    """What a batch is not complete in. code: what is asked; blocks: whether it stops the batch;
    count and amount (company currency, None where none fits) of what is concerned."""

    code: str
    words: str
    blocks: bool
    count: int
    amount: Decimal | None = None
    company: str = ""


@dataclass(frozen=True)
class Batch:
    """All of a delivery.

    run: uuid of the run. export: code of the export. number: of the batch, without gaps.
    snapshot: PostgreSQL's, of the one transaction all was read in; since: the one that the
    increments of it begin at, None without. started: UTC. by: login of who started it, or
    "schedule"; why: in words. companies: names. lock_dates: {company: date or None}, the last day
    that was locked for everybody. final: periods that are final with this batch.
    """

    run: str
    export: str
    number: int
    database: str
    snapshot: str
    since: str | None
    started: datetime
    by: str
    why: str
    companies: tuple[str, ...]
    files: tuple[File, ...]
    totals: tuple[Total, ...] = ()
    rates: tuple[Rate, ...] = ()
    mappings: tuple[MappingVersion, ...] = ()
    findings: tuple[Finding, ...] = ()
    lock_dates: dict = field(default_factory=dict)
    final: tuple[str, ...] = ()
