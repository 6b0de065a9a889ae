"""The language that banks and Odoo meet in: what every statement format and every bank API gives.

Signs: an amount is positive where it adds to the account and negative where it takes from it,
whatever mark the bank uses; on a reversal too, so that the amounts of the booked entries sum to the
change of the balance. Amounts are exact `Decimal` in units of the currency beside them (never in
cents). Dates are the bank's business dates, without a time zone. Text is "" and a number or date is
None where the bank says nothing. The words are those of ISO 20022 (camt.052, 053 and 054).
"""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

# Status of an entry.
BOOKED = "booked"
PENDING = "pending"  # announced; may change or never come
INFORMATION = "information"  # told, never to be booked

# Types of balances (ISO 20022, external balance type codes).
OPENING = "OPBD"  # booked, at the start of the statement
PREVIOUS = "PRCD"  # booked, at the end of the statement before
CLOSING = "CLBD"  # booked, at the end of the statement
CLOSING_AVAILABLE = "CLAV"
OPENING_AVAILABLE = "OPAV"
INTERIM = "ITBD"  # booked, in the course of the day
INTERIM_AVAILABLE = "ITAV"
FORWARD_AVAILABLE = "FWAV"
EXPECTED = "XPCD"
BALANCE_TYPES = (
    OPENING, PREVIOUS, CLOSING, CLOSING_AVAILABLE, OPENING_AVAILABLE, INTERIM, INTERIM_AVAILABLE,
    FORWARD_AVAILABLE, EXPECTED, "INFO",
)  # fmt: skip
PART = "INTM"  # subtype of the opening or closing balance of one page of several

# Kinds of statements.
STATEMENT = "statement"  # end of day: what is booked is final
REPORT = "report"  # in the course of the day
NOTIFICATION = "notification"  # of single entries, without balances


@dataclass(frozen=True)
class Account:
    """A bank account.

    iban: without blanks; "" where the bank gives no IBAN. number: any other id of the account, of
    the kind ``scheme`` (BBAN, or the bank's word). bic, bank: of the bank that keeps it.
    """

    iban: str = ""
    number: str = ""
    scheme: str = ""
    currency: str = ""
    name: str = ""
    owner: str = ""
    bic: str = ""
    bank: str = ""

    @property
    def identifier(self) -> str:
        """Return the IBAN or else the number, in capitals and without blanks, "" without both."""
        return re.sub(r"\s", "", self.iban or self.number).upper()


@dataclass(frozen=True)
class Balance:
    """A balance of the account.

    type: one of `BALANCE_TYPES` or the bank's own code. subtype: `PART` for a page of several.
    amount: positive when the account is in credit. day: at whose end (or, with an opening
    balance, at whose start) it stands. included: in an available balance, whether credit lines are
    counted in; None when the bank doesn't say.
    """

    type: str
    amount: Decimal
    currency: str
    day: date | None = None
    subtype: str = ""
    included: bool | None = None


@dataclass(frozen=True)
class TransactionCode:
    """What kind of transaction it is: ISO 20022 domain, family and subfamily, and the bank's code.

    issuer: who gives out the proprietary code (SWIFT, DK, BAI2…).
    """

    domain: str = ""
    family: str = ""
    subfamily: str = ""
    proprietary: str = ""
    issuer: str = ""


@dataclass(frozen=True)
class Party:
    """Somebody on the other side, or the owner. account: IBAN or number. bic: of his bank.

    address: lines as they are written on a letter. country: ISO 3166 code. identification: a number
    of the party (register, tax, creditor id).
    """

    name: str = ""
    account: str = ""
    bic: str = ""
    bank: str = ""
    address: tuple[str, ...] = ()
    country: str = ""
    identification: str = ""


@dataclass(frozen=True)
class CreditorReference:
    """The structured reference of an invoice. type: SCOR (ISO 11649) or the scheme's own word."""

    reference: str
    type: str = ""
    issuer: str = ""


@dataclass(frozen=True)
class Document:
    """A document that the payer names. type: CINV (invoice), CREN (credit note)… amount: what is
    paid of it, negative for a credit note; None when he doesn't say."""

    number: str
    type: str = ""
    day: date | None = None
    amount: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True)
class Charge:
    """A charge of a bank. amount: negative when the owner bears it. included: in the amount of the
    entry; None when the bank doesn't say. type: the bank's code."""

    amount: Decimal
    currency: str
    included: bool | None = None
    type: str = ""


@dataclass(frozen=True)
class Batch:
    """The order that an entry sums up. count: transactions in it. amount: signed, their total."""

    message: str = ""
    payment: str = ""
    count: int | None = None
    amount: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True)
class Detail:
    """One transaction of an entry: information on it, never a booking of its own.

    amount: signed, in the currency of the entry; None when the bank gives none in that currency.
    original_amount, original_currency, rate: as ordered in another currency. end_to_end_id,
    message_id, payment_id (PmtInfId), instruction_id, transaction_id, servicer_reference: ids of
    the transaction, "" for NOTPROVIDED. mandate: id of a direct debit mandate. remittance: free
    text, a string for each line that the bank gives. debtor pays, creditor gets. return_code: ISO
    20022 reason (AC04…) or the bank's. additional: the bank's own words on the transaction.
    """

    amount: Decimal | None = None
    original_amount: Decimal | None = None
    original_currency: str = ""
    rate: Decimal | None = None
    end_to_end_id: str = ""
    message_id: str = ""
    payment_id: str = ""
    instruction_id: str = ""
    transaction_id: str = ""
    servicer_reference: str = ""
    mandate: str = ""
    creditor_id: str = ""
    cheque: str = ""
    references: tuple[CreditorReference, ...] = ()
    remittance: tuple[str, ...] = ()
    documents: tuple[Document, ...] = ()
    debtor: Party = field(default_factory=Party)
    creditor: Party = field(default_factory=Party)
    ultimate_debtor: Party = field(default_factory=Party)
    ultimate_creditor: Party = field(default_factory=Party)
    code: TransactionCode = field(default_factory=TransactionCode)
    purpose: str = ""
    return_code: str = ""
    return_text: str = ""
    charges: tuple[Charge, ...] = ()
    additional: str = ""

    @property
    def text(self) -> str:
        """Return the free text in one line."""
        return " ".join(" ".join(self.remittance).split())


@dataclass(frozen=True)
class Entry:
    """One line of a statement: what the bank books, or announces, as one amount.

    position: 1 for the first entry of the statement. place: where it stands in the file, for
    people. amount, currency: of the account; "" where the file names no currency. original_amount, original_currency, rate: what was
    ordered in another currency; the rate is the bank's own and as it gives it. booking_date is None
    only where the entry is not booked. unique_id: an id that the format or the API promises to be
    unique in the account, "" where none is promised. reference (NtryRef), servicer_reference
    (AcctSvcrRef) and customer_reference are evidence, not keys: banks use them again. reversal: it
    takes back an earlier entry. corrects: unique_id of an earlier entry that this one replaces, or
    takes away when ``removes``. code: as of the entry. information: the bank's words.
    """

    position: int
    status: str
    amount: Decimal
    currency: str
    booking_date: date | None = None
    value_date: date | None = None
    original_amount: Decimal | None = None
    original_currency: str = ""
    rate: Decimal | None = None
    unique_id: str = ""
    reference: str = ""
    servicer_reference: str = ""
    customer_reference: str = ""
    code: TransactionCode = field(default_factory=TransactionCode)
    reversal: bool = False
    corrects: str = ""
    removes: bool = False
    batch: Batch | None = None
    charges: tuple[Charge, ...] = ()
    information: str = ""
    details: tuple[Detail, ...] = ()
    place: str = ""

    @property
    def text(self) -> str:
        """Return the free text of all details in one line, else the bank's own words."""
        texts = (detail.text for detail in self.details)
        return " ".join(filter(None, texts)) or " ".join(self.information.split())

    def shares(self) -> tuple[tuple[Decimal, Detail], ...]:
        """Return (amount, detail) for each line to book; the amounts sum to that of the entry.

        An entry is split only where every detail has an amount in its currency and they come to it
        exactly; else there is one line with the entry's amount: of its only detail, or of an empty
        one, since what is known of several is not known of their sum.
        """
        if self.is_split:
            return tuple((detail.amount, detail) for detail in self.details)
        only = self.details[0] if len(self.details) == 1 else Detail(remittance=self._words())
        return ((self.amount, only),)

    @property
    def is_split(self) -> bool:
        """Tell whether the entry is a batch whose details have amounts that come to its own."""
        amounts = [detail.amount for detail in self.details]
        return len(amounts) > 1 and None not in amounts and sum(amounts) == self.amount

    def counterparty(self, detail: Detail) -> Party:
        """Return who is on the other side of ``detail``: on a reversal, of what is taken back."""
        incoming = (detail.amount or self.amount) > 0
        return detail.debtor if incoming != self.reversal else detail.creditor

    def fingerprint(self) -> str:
        """Return a digest of what the entry says, without what changes between two readings of it.

        Left out are position, place, status and all ids that banks give anew. Two true twins (same
        day, amount and text) have the same one; `numbered` tells them apart.
        """
        parties = (self.counterparty(detail).account for detail in self.details)
        parts = (
            str(self.booking_date or ""),
            format(self.amount.normalize(), "f"),
            self.currency,
            " ".join(detail.end_to_end_id for detail in self.details),
            " ".join(parties),
            self.text,
        )
        text = "\x1f".join(re.sub(r"\s", "", part).upper() for part in parts)
        return hashlib.sha256(text.encode()).hexdigest()

    def _words(self):
        return tuple(filter(None, (self.information,)))


def numbered(entries):
    """Yield (entry, fingerprint, occurrence) of ``entries`` in one account.

    occurrence: 1 for the first entry of a fingerprint, 2 for its first twin. An entry's day is part
    of its fingerprint, so what counts is that whole days are given: a file that repeats a day
    repeats the numbers too.
    """
    seen = Counter()
    for entry in entries:
        fingerprint = entry.fingerprint()
        seen[fingerprint] += 1
        yield entry, fingerprint, seen[fingerprint]


@dataclass(frozen=True)
class Finding:
    """Something that a person should know of a statement, and no reason to refuse it.

    code: one of the keys of `FINDINGS`. values: what it is about, amounts and dates as text.
    """

    code: str
    values: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """Return the finding in English."""
        return FINDINGS[self.code] % self.values


FINDINGS = {
    "balance": "Opening balance %(opening)s and booked entries of %(entries)s make %(expected)s; "
    "the closing balance is %(closing)s %(currency)s.",
    "balance_currency": "The %(type)s balance is in %(balance)s, the account in %(currency)s: it is "
    "not compared.",
    "details": "The details of the entry at %(place)s come to %(details)s %(currency)s; the entry is "
    "%(entry)s and is booked as one.",
    "declared": "The bank announces %(declared)s as %(what)s; the file has %(found)s.",
    "records": "The bank announces %(declared)s records; the file has %(found)s.",
    "copy": "The bank marks this statement as a %(mark)s: it was sent before.",
    "correction": "The entry at %(place)s corrects or removes the earlier entry %(corrects)s.",
    "unfinished": "Nothing in the file marks the end of this report; later entries may be missing.",
    "encoding": "The file is not UTF-8; it was read as %(encoding)s.",
    "running": "The running balance does not follow from the amounts at %(place)s.",
    "dates": "All dates of the file were read as %(format)s, the only order that fits them.",
    "gap": "Statement %(number)s follows %(previous)s: at least one between them is missing.",
    "again": "Statement %(number)s comes after %(previous)s: the numbers overlap.",
    "opening": "The opening balance is %(opening)s; the statement before closed with %(closing)s "
    "%(currency)s.",
    "overlap": "The statement begins on %(start)s; the one before ends on %(end)s.",
}


@dataclass(frozen=True)
class Statement:
    """What a bank tells of one account for one period.

    format: camt, mt940, mt942, ofx, bai2, qif, csv, xlsx, or the name of a provider. version: of
    the format, as the file says. kind: STATEMENT, REPORT or NOTIFICATION. id: the bank's id of the
    statement. number: its legal number, sequence: its electronic one; page: of a statement in
    several pages. start, end: first and last day. created: when the bank made it. entries: in the
    bank's order, () where they are given apart (see ``formats``). count: of all entries. booked:
    sum of the booked ones. findings: for people.
    """

    account: Account
    format: str = ""
    version: str = ""
    kind: str = STATEMENT
    id: str = ""
    number: str = ""
    sequence: str = ""
    page: str = ""
    start: date | None = None
    end: date | None = None
    created: datetime | None = None
    currency: str = ""
    balances: tuple[Balance, ...] = ()
    entries: tuple[Entry, ...] = ()
    count: int = 0
    booked: Decimal = Decimal(0)
    information: str = ""
    findings: tuple[Finding, ...] = ()

    def balance(self, *types: str) -> Balance | None:
        """Return the first balance of ``types`` (in that order) in the currency of the statement.

        Of several of one type it is the first for an opening balance, else the last.
        """
        for kind in types:
            found = [b for b in self.balances if b.type == kind and b.currency == self.currency]
            if found:
                return found[0 if kind in (OPENING, PREVIOUS) else -1]
        return None

    @property
    def opening(self) -> Balance | None:
        """Return the booked balance at the start."""
        return self.balance(OPENING, PREVIOUS)

    @property
    def closing(self) -> Balance | None:
        """Return the booked balance at the end."""
        return self.balance(CLOSING)


IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")


def is_iban(text: str) -> bool:
    """Tell whether ``text`` is an IBAN with the right check digits (ISO 13616, ISO 7064).

    >>> is_iban("DE75512108001245126199"), is_iban("DE75512108001245126198"), is_iban("12345")
    (True, False, False)
    """
    if not IBAN.fullmatch(text):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1
