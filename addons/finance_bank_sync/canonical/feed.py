"""What is asked of a bank's API, and what comes back: institutions, consents, accounts, pulls.

Moments (consent_until, resets_at) are UTC without a time zone, as Odoo keeps them; days are the
bank's. What a vendor gives to be shown with later requests (a session, a requisition, an access
token) is ``consent``: a secret, whatever the vendor calls it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from .statement import Account, Balance, Statement

# Codes of the errors and outcomes that a link understands.
CONSENT_ENDED = "consent_ended"
QUOTA = "quota"
NOT_READY = "not_ready"
NOT_ALLOWED = "not_allowed"


@dataclass(frozen=True)
class Institution:
    """A bank that a vendor reaches. id: the vendor's. history_days, consent_days: how far back it
    tells, for how long it may be asked; None when the vendor doesn't say."""

    id: str
    name: str
    country: str = ""
    bic: str = ""
    history_days: int | None = None
    consent_days: int | None = None


@dataclass(frozen=True)
class ConsentRequest:
    """A person is about to let us read accounts.

    institution: `Institution.id`. redirect_url: where the browser comes back to, with ``state`` in
    it. user: an id that tells nothing. history_days: how far back is wished. renews: the consent
    that this one takes the place of, "" for a new one. business: accounts of a company.
    """

    institution: str
    country: str
    redirect_url: str
    state: str
    user: str = ""
    consent_days: int = 90
    history_days: int = 90
    renews: str = ""
    business: bool = True


@dataclass(frozen=True)
class ConsentStart:
    """Where the person goes (url), and what finishes the consent when he comes back (reference)."""

    url: str
    reference: str = field(default="", repr=False)


@dataclass(frozen=True)
class ConsentEnd:
    """The browser is back. reference: of the start. code: what the vendor gave it to bring along.
    renews: as in the request."""

    reference: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    renews: str = field(default="", repr=False)


@dataclass(frozen=True)
class FeedAccount:
    """An account that may be read. remote_id: names it in requests, may change with each consent.
    identities: the vendor's ids of the account itself, which don't change. kind: bank, card or
    loan."""

    remote_id: str
    account: Account
    identities: tuple[str, ...] = ()
    kind: str = "bank"


@dataclass(frozen=True)
class Consent:
    """What the person has allowed. consent: shown with later requests. until: its end, None when
    the vendor names none. institution: the bank's name."""

    consent: str = field(repr=False)
    accounts: tuple[FeedAccount, ...] = ()
    until: datetime | None = None
    institution: str = ""


@dataclass(frozen=True)
class Quota:
    """What a vendor lets us ask. left: calls until ``resets_at``; None when it doesn't say."""

    left: int | None = None
    resets_at: datetime | None = None


@dataclass(frozen=True)
class PullRequest:
    """Tell us what happened on an account.

    start, end: days, both included; the vendor may tell less. cursor: what the last pull ended
    with; "" tells everything from ``start``. longest: start may be earlier than the bank tells.
    fresh: ask the bank itself, where that can be chosen. address, agent: of the person who waits
    for the answer, "" when nobody does; some vendors count such calls apart.
    """

    remote_id: str
    account: Account
    consent: str = field(default="", repr=False)
    start: date | None = None
    end: date | None = None
    cursor: str = ""
    kind: str = "bank"
    longest: bool = False
    fresh: bool = False
    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Pull:
    """What came: a statement (None when there is none), the cursor to go on from, and what the
    vendor said of quota and consent. outcome: "" or one of the codes above, with ``words``."""

    statement: Statement | None = None
    cursor: str = ""
    quota: Quota = Quota()
    consent_until: datetime | None = None
    outcome: str = ""
    words: str = ""


@dataclass(frozen=True)
class Balances:
    """The balances of an account now."""

    balances: tuple[Balance, ...] = ()
    quota: Quota = Quota()

    @property
    def booked(self) -> Decimal | None:
        """Return the booked balance, None when the bank gives none."""
        return booked(self.balances)


def booked(balances) -> Decimal | None:
    """Return the present booked balance among `Balance`s: in the course of the day, else closing."""
    for kind in ("ITBD", "CLBD", "PRCD"):
        found = [one.amount for one in balances if one.type == kind]
        if found:
            return found[-1]
    return None
