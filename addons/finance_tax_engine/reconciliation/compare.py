"""One document in the ledger and at the engine: do they agree, and if not, why?

Amounts have the canonical signs (positive on an ordinary credit note) and are in the currency of the
document. A period is counted by document date, by which engines declare.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from ..canonical.tax import RECORDED, VOIDED, RecordedDocument, TaxResult

UNANSWERED = "unanswered"  # status of a document that the engine can't be asked about

# Where a document stands.
MATCHED = "matched"
ONLY_HERE = "only_here"
ONLY_THERE = "only_there"
AMOUNT = "amount"
STATUS = "status"
DATE = "date"
UNKNOWN = "unknown"
VOID = "void"  # declared by neither
CUTOFF = "cutoff"  # booked in this period, declared in another one
BUCKETS = (MATCHED, ONLY_HERE, ONLY_THERE, AMOUNT, STATUS, DATE, UNKNOWN, CUTOFF, VOID)

# What that means for the return.
ORDER = "order"
PENDING = "pending"  # not complete, and nobody has to decide on the document
DIFFERENCE = "difference"  # somebody has to decide

# State of a tax document whose move is posted, and which the engine has not: (reason, standing).
MISSING = {
    "": ("unasked", DIFFERENCE),
    "estimated": ("unasked", DIFFERENCE),
    "posted": ("waiting", PENDING),
    "refused": ("refused", DIFFERENCE),
    "mismatch": ("mismatch", DIFFERENCE),
    "fallback": ("fallback", DIFFERENCE),
}
# Reasons for which the engine need not have a posted document.
EXCUSED = {"elsewhere": ORDER, "settled": ORDER, "before": ORDER, "off": PENDING}
# Of those, what the engine's return does not have to have.
UNCOUNTED = tuple(excuse for excuse, standing in EXCUSED.items() if standing == ORDER)


@dataclass(frozen=True)
class Here:
    """A document in the ledger.

    posted: or else a draft, or cancelled. current: or else an earlier posting of it, under a code of
    its own. state: of its tax document, "" without one. excuse: a key of `EXCUSED`, "" where the
    engine is to have it. busy, stuck: a job works on it, or waits for a person. moved: recorded or
    voided after the engine was asked. day: document date. told: the date that the engine was told.
    net, tax: without tax, and tax. by_key: tax per `JurisdictionTax.key`, without zeros.
    """

    posted: bool
    current: bool
    state: str
    day: date | None
    currency: str
    net: Decimal
    tax: Decimal
    by_key: dict[str, Decimal] = field(default_factory=dict)
    told: date | None = None
    excuse: str = ""
    busy: bool = False
    stuck: bool = False
    moved: bool = False


@dataclass(frozen=True)
class There:
    """A document at the engine; what is None the engine does not say.

    status: as of a `TaxResult`, or UNANSWERED. net: without tax.
    """

    code: str
    kind: str
    status: str
    day: date | None = None
    currency: str = ""
    net: Decimal | None = None
    tax: Decimal = Decimal(0)
    by_key: dict[str, Decimal] | None = None
    locked: bool = False
    engine_id: str = ""

    @classmethod
    def listed(cls, found: RecordedDocument) -> "There":
        """Return what an engine's list says of a document."""
        return cls(
            code=found.code,
            kind=found.kind,
            status=found.status,
            day=found.date,
            currency=found.currency,
            net=found.total_amount,
            tax=found.total_tax,
            by_key=found.by_key,
            locked=found.locked,
            engine_id=found.engine_id,
        )

    @classmethod
    def looked_up(cls, kind: str, found: TaxResult) -> "There":
        """Return what an engine says of a single document; it names no date."""
        by_key = found.by_key()
        return cls(
            code=found.code,
            kind=kind,
            status=found.status,
            currency=found.currency,
            tax=found.total_tax,
            by_key=by_key if sum(by_key.values(), Decimal(0)) == found.total_tax else None,
            locked=found.locked,
            engine_id=found.engine_id,
        )


@dataclass(frozen=True)
class Verdict:
    """bucket: one of `BUCKETS`. reason: a word of `REASONS`, "" when there is none to give.

    standing: ORDER, PENDING or DIFFERENCE. gap: tax at the engine less tax here, as they count for
    the return of the period.
    """

    bucket: str
    reason: str = ""
    standing: str = DIFFERENCE
    gap: Decimal = Decimal(0)


# Words that say why; each is worded on screen.
REASONS = (
    "waiting", "stopped", "refused", "mismatch", "fallback", "unasked", "lost", "elsewhere",
    "settled", "before", "off", "moving", "draft", "earlier", "voiding", "voided", "saved", "unexpected",
    "currency", "tax", "jurisdiction", "net", "day", "period", "booked", "orphan", "unanswered",
    "state",
)  # fmt: skip


def judge(here: Here | None, there: There | None, first: date, last: date) -> Verdict | None:
    """Return the `Verdict` on one document for the period from first to last, both included.

    None: there is nothing to tell of it. At least one of the two sides is given.
    """
    found = _judge(here, there, first, last)
    if found is None:
        return None
    bucket, reason, standing = found
    if standing == DIFFERENCE and here and here.moved:
        reason, standing = "moving", PENDING
    declared = there.tax if there and there.status == RECORDED else Decimal(0)
    return Verdict(bucket, reason, standing, declared - counted(here, first, last))


def counted(here: Here | None, first: date, last: date) -> Decimal:
    """Return the tax of a document that the return of the period has to have."""
    if not here or not here.posted or not here.current or here.excuse in UNCOUNTED:
        return Decimal(0)
    return here.tax if here.day and first <= here.day <= last else Decimal(0)


def _judge(here, there, first, last):
    if here is None:
        if there.status == RECORDED:
            return ONLY_THERE, "orphan", DIFFERENCE
        return VOID, "", ORDER
    if not here.current or not here.posted:
        return _gone(here, there)
    if there is None:
        return _missing(here, first, last)
    if there.status == UNANSWERED:
        return UNKNOWN, "unanswered", DIFFERENCE
    if here.excuse:
        return _excused(here, there)
    if there.status != RECORDED:
        reason = "voided" if there.status == VOIDED else "saved"
        return (STATUS, "waiting", PENDING) if here.busy else (STATUS, reason, DIFFERENCE)
    return _compared(here, there)


def _gone(here, there):
    """A draft, cancelled, or posted again under another code: the engine must not declare it."""
    if there is None:
        return None
    if there.status != RECORDED:
        return VOID, "", ORDER
    if here.busy:
        return STATUS, "voiding", PENDING
    return STATUS, "draft" if here.current else "earlier", DIFFERENCE


def _missing(here, first, last):
    if not here.day or not first <= here.day <= last:
        return CUTOFF, "booked", ORDER
    if here.excuse:
        return ONLY_HERE, here.excuse, EXCUSED[here.excuse]
    if here.state == "posted" and here.stuck:
        return ONLY_HERE, "stopped", DIFFERENCE
    if here.state in ("committed", "locked"):
        if here.told and not first <= here.told <= last:
            return DATE, "period", DIFFERENCE
        return ONLY_HERE, "lost", DIFFERENCE
    return ONLY_HERE, *MISSING.get(here.state, ("state", DIFFERENCE))


def _excused(here, there):
    if there.status == RECORDED:
        return STATUS, "unexpected", DIFFERENCE
    return ONLY_HERE, here.excuse, EXCUSED[here.excuse]


def _compared(here, there):
    if there.currency != here.currency:
        return AMOUNT, "currency", DIFFERENCE
    if there.tax != here.tax:
        return AMOUNT, "tax", DIFFERENCE
    if there.by_key is not None and there.by_key != here.by_key:
        return AMOUNT, "jurisdiction", DIFFERENCE
    if there.net is not None and there.net != here.net:
        return AMOUNT, "net", DIFFERENCE
    if there.day and there.day != here.day:
        return DATE, "day", DIFFERENCE
    return MATCHED, "", ORDER
