"""The shape of a feed: its columns, what they mean and where they come from."""

from dataclasses import dataclass

TYPES = ("integer", "string", "date", "datetime", "decimal", "boolean", "json")
# What a column says of persons; such columns leave the house only as their privacy says.
PERSONAL = ("", "name", "account_number", "tax_id")
# What is done to a column: as it is, left out, salted digest, or a token that Odoo can resolve.
PRIVACY = ("open", "drop", "hash", "token")


@dataclass(frozen=True)
class Column:
    """One column of a feed.

    name: as in the file, after the AICPA Audit Data Standards where they have one. type: one of
    `TYPES`. meaning: in a sentence, English. source: path of fields from the feed's model
    ("move_id.name"), or the key of an expression of the feed. scale: decimal places of a decimal.
    required: never empty. personal: one of `PERSONAL`. mapping: type of approved mapping that adds
    a column ``<name>_mapped`` with the external code of the record in `source`; "" for none.
    """

    name: str
    type: str
    meaning: str
    source: str
    scale: int | None = None
    required: bool = False
    personal: str = ""
    mapping: str = ""


@dataclass(frozen=True)
class Schema:
    """The columns of a feed as they are published under a version.

    feed: its code. version: grows with each change that a receiver must know of. key: names of the
    columns that tell a row from all others. title: for people.
    """

    feed: str
    version: int
    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
