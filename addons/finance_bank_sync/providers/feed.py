"""What every bank API offers, and what their readers share."""

import re
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from odoo.addons.finance_connector_base.providers.base import Provider
from odoo.addons.finance_connector_base.providers.errors import ContractBroken, Transient
from odoo.addons.finance_connector_base.providers.masking import MASK
from odoo.addons.finance_connector_base.providers.session import Recorder

from ..canonical.feed import (
    QUOTA,
    Balances,
    Consent,
    ConsentEnd,
    ConsentRequest,
    ConsentStart,
    Institution,
    Pull,
    PullRequest,
    Quota,
)
from ..canonical.statement import BOOKED, REPORT, Account, Statement

# What a feed may lack: capability and the methods that it stands for.
CAPABILITIES = {
    # a person is sent to the bank; without it the accounts are chosen at the vendor
    "consent": ("start_consent", "finish_consent"),
    # the bank is chosen here, not at the vendor
    "institutions": ("institutions",),
    # the vendor can be told that we read no more
    "revoke": ("revoke",),
}
# An answer that goes on for ever is no answer.
MOST_PAGES = 500


class BankFeed(Provider):
    """An API that tells what happened on bank accounts. It changes nothing at the bank.

    `accounts`, `balances` and `pull` are always there; the rest is named in ``capabilities``. Every
    method may raise the error classes of ``providers.errors``; with the code
    ``canonical.feed.CONSENT_ENDED`` a person has to renew the consent, with ``QUOTA`` there are no
    calls left for ``retry_after`` seconds.
    """

    capabilities: frozenset[str] = frozenset()
    """Keys of `CAPABILITIES`."""

    minutes = 15
    """How often the vendor may be asked, where no quota says less."""

    calls_a_day = 0
    """Pulls of an account a day without a person waiting; 0: only the vendor's headers say."""

    history_days = 730
    """How far back the vendor tells at most."""

    overlap_days = 7
    """Days that each pull reads again, since banks book late; 0 where a cursor tells all changes."""

    promises_ids = False
    """Whether every booked entry has a ``unique_id``."""

    keeps_cursor = False
    """Whether a pull goes on from the cursor of the last one, whatever days are asked."""

    note = ""
    """What an administrator should know before he chooses the vendor."""

    def __init__(self, session):
        super().__init__(replace(session, recorder=_Discreet(session.recorder, self)))
        self._hidden, self._hidden_fields = set(), ()
        self.quota = Quota()

    # === WHAT A FEED ANSWERS === #

    def institutions(self, country: str) -> tuple[Institution, ...]:
        """Return the banks of a country (ISO 3166, two letters), by name."""
        raise NotImplementedError

    def start_consent(self, request: ConsentRequest) -> ConsentStart:
        """Return where to send the person's browser."""
        raise NotImplementedError

    def finish_consent(self, end: ConsentEnd) -> Consent:
        """Turn what the browser brought back into a consent."""
        raise NotImplementedError

    def accounts(self, consent: str) -> Consent:
        """Return the consent with its accounts and its end, as the vendor knows them now."""
        raise NotImplementedError

    def balances(self, request: PullRequest) -> Balances:
        """Return the balances now."""
        raise NotImplementedError

    def pull(self, request: PullRequest) -> Pull:
        """Return what happened from ``request.start``, or since ``request.cursor``."""
        raise NotImplementedError

    def revoke(self, consent: str):
        """Tell the vendor that we shall read no more."""
        raise NotImplementedError

    # === FOR READERS === #

    def hide(self, *secrets):
        """Keep these texts out of everything that is recorded, even sealed."""
        self._hidden.update(filter(None, secrets))

    @contextmanager
    def hidden(self, *names):
        """Within: the values of these fields of answers are recorded nowhere, not even sealed."""
        self._hidden_fields = names
        try:
            yield
        finally:
            self._hidden_fields = ()

    def out_of_calls(self, words, seconds) -> Transient:
        """Return the error of a used-up quota, and remember that nothing is left."""
        self.quota = Quota(0, moment(seconds))
        return Transient(words, code=QUOTA, retry_after=seconds)

    def pages(self, what):
        """Yield page numbers; raise `ContractBroken` where ``what`` does not end."""
        yield from range(MOST_PAGES)
        words = f"{self.label}: {what} do not end after {MOST_PAGES} pages"
        raise ContractBroken(words, code="contract", field=what, version=self.api_version)

    def report(self, account: Account, entries, balances, start=None, end=None) -> Statement:
        """Return the statement of a pull; positions are given anew, in the order of ``entries``."""
        numbered = tuple(replace(entry, position=index) for index, entry in enumerate(entries, 1))
        return Statement(
            account=account,
            format=self.code,
            version=self.api_version,
            kind=REPORT,
            start=start,
            end=end,
            created=moment(0),
            currency=account.currency,
            balances=tuple(balances),
            entries=numbered,
            count=len(numbered),
            booked=booked_sum(numbered),
        )


class _Discreet(Recorder):
    """Hands exchanges on without the consents in them."""

    def __init__(self, recorder, feed):
        self._recorder, self._feed = recorder, feed

    def __getattr__(self, name):
        return getattr(self._recorder, name)

    def sending(self):
        self._recorder.sending()

    def received(self, exchange):
        fields = self._feed._hidden_fields
        self._feed.hide(*_values(exchange.response_body, fields) if fields else ())
        hidden = self._feed._hidden
        self._recorder.received(
            replace(
                exchange,
                url=_without(exchange.url.encode(), hidden).decode(),
                request_body=_without(exchange.request_body, hidden),
                response_body=_without(exchange.response_body, hidden),
                secrets=(*exchange.secrets, *hidden),
            )
        )


def _values(body, names):
    """Return the texts of the fields ``names``, wherever they stand in a JSON body."""
    pattern = rf'"(?:{"|".join(names)})"\s*:\s*"([^"]+)"'
    return re.findall(pattern, body.decode("utf-8", "replace"))


def _without(body, hidden):
    for secret in hidden:
        body = body.replace(secret.encode(), MASK.encode())
    return body


# === READING === #


def moment(seconds) -> datetime:
    """Return the moment in so many seconds from now, in UTC."""
    return datetime.fromtimestamp(int(time.time() + seconds), UTC).replace(tzinfo=None)


def currency(answer, name, default=None) -> str:
    """Return a currency code (ISO 4217) of an `Answer`; ``default`` where it is missing."""
    code = answer.text(name) if default is None else answer.text(name, default=default)
    if code and not (len(code) == 3 and code.isalpha() and code.isupper()):
        answer.broken(name, "is not a currency")
    return code


def amount(answer, name, default=...) -> Decimal:
    """Return an amount of an `Answer`, of at most 18 digits."""
    number = answer.decimal(name) if default is ... else answer.decimal(name, default=default)
    if number is not None and (abs(number) >= 10**15 or number.as_tuple().exponent < -9):
        answer.broken(name, "is not an amount")
    return number


def same_currency(answer, name, code, account: Account):
    """Refuse an amount in another currency than the account's, where that is known."""
    if account.currency and code != account.currency:
        answer.broken(name, f"is in {code}, and the account in {account.currency}")


def booked_sum(entries) -> Decimal:
    """Return the sum of the booked `Entry`s."""
    amounts = (one.amount for one in entries if one.status == BOOKED and not one.removes)
    return sum(amounts, Decimal(0))


def days_ago(days) -> date:
    """Return the day so many days before today (UTC)."""
    return datetime.now(UTC).date() - timedelta(days=days)


def account_of(identifier, other="", scheme="", **more) -> Account:
    """Return an `Account` by its IBAN, else by another number."""
    iban = "".join((identifier or "").split()).upper()
    return Account(iban=iban, number="" if iban else other, scheme="" if iban else scheme, **more)
