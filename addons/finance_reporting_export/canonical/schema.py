"""The shape of a feed: its columns, what they mean and where they come from."""

import re
from dataclasses import dataclass

TYPES = ("integer", "string", "date", "datetime", "decimal", "boolean", "json")
# What a column says of persons; such columns leave the house only as their privacy says.
PERSONAL = ("", "name", "account_number", "tax_id")
# What is done to a column: as it is, left out, salted digest, or a token that Odoo can resolve.
PRIVACY = ("open", "drop", "hash", "token")

PLACE = re.compile(r"{([a-z_0-9.]+)(!?)}")


@dataclass(frozen=True)
class Column:
    """One column of a feed.

    name: as in the file, after the AICPA Audit Data Standards where they have one. type: one of
    `TYPES`. meaning: in a sentence, English. source: path of fields from the feed's model
    ("move_id.name"), or "=" and an SQL expression with paths in braces, "={debit} - {credit}";
    ``{account_id.code_store!}`` is the bare database column at the end of a path. Of
    "deferred_start_date|start_date" the first path counts whose fields there are. scale: decimal
    places of a decimal; None: as many as the currencies of the database have. required: never
    empty. personal: one of `PERSONAL`. mapping: type of approved mapping that adds a column
    ``<name>_mapped`` with the external code of the record in `record` (a path or "=" expression
    that gives an id); "" for none.
    """

    name: str
    type: str
    meaning: str
    source: str
    scale: int | None = None
    required: bool = False
    personal: str = ""
    mapping: str = ""
    record: str = ""

    @property
    def paths(self):
        """The paths of fields that it is made of, as a tuple."""
        if not self.source.startswith("="):
            return tuple(self.source.split("|")) if self.source else ()
        return tuple(dict.fromkeys(path for path, _bare in PLACE.findall(self.source)))


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

    @property
    def names(self):
        """The names of the columns, in their order."""
        return tuple(column.name for column in self.columns)
