"""The language that VAT numbers and the registries that know them meet in."""

from dataclasses import dataclass
from datetime import date

VALID = "valid"
INVALID = "invalid"
UNKNOWN = "unknown"  # no answer: says nothing about the number

MATCH = "match"
DIFFERS = "differs"
NOT_TOLD = "not_told"

# Member states, as VIES names them; XI is Northern Ireland, for goods.
VIES_PREFIXES = frozenset(
    "AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI".split()
)
HMRC_PREFIXES = frozenset({"GB"})
PREFIXES = VIES_PREFIXES | HMRC_PREFIXES
# ISO 3166 code to prefix of VAT numbers, where they differ. Monaco has French numbers.
PREFIX_OF_COUNTRY = {"GR": "EL", "UK": "GB", "MC": "FR"}


@dataclass(frozen=True)
class VatNumber:
    """A VAT number in two parts. prefix: of `PREFIXES`. number: without it, letters and digits."""

    prefix: str
    number: str

    def __str__(self):
        return self.prefix + self.number


def read(text: str, country: str = "") -> VatNumber | None:
    """Return the number that a person wrote, None where no registry knows its country.

    country: ISO 3166 code of its owner, for numbers without a prefix.

    >>> str(read("gr 123.456-783")), str(read("123456783", "GR")), read("CHE-123.456.788")
    ('EL123456783', 'EL123456783', None)
    """
    compact = "".join(sign for sign in (text or "").upper() if sign.isalnum() or sign in "+*")
    prefix = PREFIX_OF_COUNTRY.get(compact[:2], compact[:2])
    if prefix in PREFIXES and len(compact) > 2:
        return VatNumber(prefix, compact[2:])
    own = PREFIX_OF_COUNTRY.get(country, country)
    return VatNumber(own, compact) if own in PREFIXES and compact else None


@dataclass(frozen=True)
class VatQuestion:
    """Is this number valid, and whose is it?

    requester: the number that asks, for a consultation number; None without one. name, street,
    postal_code, city: what the registry is to compare, "" where it is not to be told.
    """

    number: VatNumber
    requester: VatNumber | None = None
    name: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""


@dataclass(frozen=True)
class VatAnswer:
    """What a registry said.

    status: VALID, INVALID or UNKNOWN. day: of the answer, as the registry has it. name, address:
    what it returned, "" when it does not tell. name_match, address_match: MATCH, DIFFERS or
    NOT_TOLD. request_id: consultation number, "" when there was no requester. raw: the answer's
    values as JSON text. code, reason: why there is no answer. asked: the question, once it is known.
    """

    status: str
    day: date | None = None
    name: str = ""
    address: str = ""
    name_match: str = NOT_TOLD
    address_match: str = NOT_TOLD
    request_id: str = ""
    raw: str = ""
    code: str = ""
    reason: str = ""
    asked: VatQuestion | None = None


def compare(ours: str, theirs: str) -> str:
    """Say whether two names are the same but for case, spaces and punctuation.

    >>> compare("Müller & Söhne GmbH", "MÜLLER & SÖHNE GMBH"), compare("Müller", "")
    ('match', 'not_told')
    """
    if not ours or not theirs:
        return NOT_TOLD
    return MATCH if _letters(ours) == _letters(theirs) else DIFFERS


def compare_address(postal_code: str, city: str, theirs: str) -> str:
    """Say whether postal code and city stand in the text of an address."""
    if not theirs or not (postal_code or city):
        return NOT_TOLD
    text = _letters(theirs)
    return MATCH if all(_letters(part) in text for part in (postal_code, city)) else DIFFERS


def _letters(text):
    return "".join(sign for sign in text.casefold() if sign.isalnum())
