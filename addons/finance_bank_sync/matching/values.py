"""The vocabulary of matching: what a bank line, an open item and a proposal are.

Signs: the amount of a bank line is positive where it adds to the account; the amount of an open item
is what the line that pays it adds: positive for an invoice to a customer, negative for his credit
note and for a bill. Amounts are exact `Decimal` with their currency beside them.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

# Kinds of open items.
DOCUMENT = "document"  # an invoice, a bill, a credit note
PAYMENT = "payment"  # a payment that the bank has not told of yet
ENTRY = "entry"  # any other open journal item
TRANSFER = "transfer"  # the line of another own account


@dataclass(frozen=True)
class BankLine:
    """A line of the bank. amounts: {currency: amount}: of the account, and as it was ordered.

    currency: of the account. texts: free texts. references: structured references that the bank
    gives apart. ids: end-to-end id, id of the order, customer reference… account: of the other
    side. partner: set by a person or by the import, None when unknown. journal: of the line.
    """

    key: int
    day: date
    currency: str
    amounts: dict[str, Decimal]
    texts: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    name: str = ""
    account: str = ""
    partner: int | None = None
    journal: int = 0

    @property
    def amount(self) -> Decimal:
        """Return the amount in the currency of the account."""
        return self.amounts[self.currency]


@dataclass(frozen=True)
class OpenItem:
    """What a line may pay. amount: open, in ``currency``; balance: in the company's currency.

    names: numbers and references that somebody may write. ids: of payment orders and the like.
    discounted: what is due until ``discount_day``, None without early payment discount. account:
    of a transfer, the account of its other side; journal: its journal. document: what several items
    belong to (the instalments of one invoice), None where it is one by itself.
    """

    key: int
    kind: str
    amount: Decimal
    currency: str
    day: date
    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    partner: int | None = None
    balance: Decimal = Decimal(0)
    due: date | None = None
    discounted: Decimal | None = None
    discount_day: date | None = None
    account: str = ""
    journal: int = 0
    document: int | None = None

    def due_on(self, day) -> Decimal:
        """Return what settles the item on ``day``: less the early payment discount in its time."""
        timely = self.discount_day is not None and day <= self.discount_day
        return self.discounted if timely and self.discounted is not None else self.amount


@dataclass(frozen=True)
class Closed:
    """A document with nothing open that somebody may name still."""

    name: str
    partner: int | None = None


@dataclass(frozen=True)
class Terms:
    """What the journal allows. Amounts in the currency of the line.

    automatic: score from which an undoubted proposal needs no person. tolerance: difference written
    off as rounding. fee: most that banks on the way may have kept. days: between the two lines of
    a transfer. margin: two proposals closer than this are a tie.
    """

    automatic: int = 90
    tolerance: Decimal = Decimal("0.05")
    fee: Decimal = Decimal(30)
    days: int = 5
    margin: int = 10


@dataclass(frozen=True)
class Reason:
    """One piece of evidence. code: of `engine.POINTS` or `engine.DOUBTS`. values: for the words."""

    code: str
    values: dict[str, str] = field(default_factory=dict)
    points: int = 0

    @property
    def doubt(self) -> bool:
        """Tell whether it keeps a proposal from being automatic, whatever its score."""
        return self.code.startswith("doubt.")


@dataclass(frozen=True)
class Proposal:
    """What a line may be. pays: {item key: amount in the item's currency}; rest: of the line's
    ``currency``, what is left of the line (negative: what the items lack), with its kind: "" |
    "tolerance" | "fee" | "discount" | "over" | "exchange".
    """

    kind: str
    currency: str
    pays: dict[int, Decimal]
    reasons: tuple[Reason, ...]
    rest: Decimal = Decimal(0)
    rest_kind: str = ""
    partner: int | None = None

    @property
    def score(self) -> int:
        """Return the sum of the evidence, from 0 to 100."""
        return max(0, min(100, sum(reason.points for reason in self.reasons)))

    @property
    def doubts(self) -> tuple[Reason, ...]:
        """Return what keeps it from being automatic."""
        return tuple(reason for reason in self.reasons if reason.doubt)


@dataclass(frozen=True)
class Verdict:
    """What is known of a line: proposals, best first; automatic is the first or None; why_not says
    why nothing is proposed."""

    proposals: tuple[Proposal, ...] = ()
    automatic: Proposal | None = None
    why_not: tuple[Reason, ...] = ()
    partner: int | None = None
