"""Statement files: bytes to canonical. A file is read whole or refused whole.

`summaries` reads a file to its last byte, proves what can be proved, and keeps no entry;
`entries` gives the entries of a file that `summaries` has let pass, one by one, so that memory
doesn't grow with their number. `load` does both, for files that are small. All three raise
FormatError and nothing else for what is in a file.
"""

from dataclasses import replace

from ..canonical.continuity import chain
from ..canonical.statement import Entry, Statement
from . import bai2, camt, columns, mt940, ofx, qif, values
from .columns import ColumnMap
from .detect import detect
from .errors import FormatError

READERS = {
    "camt": camt.parse,
    "mt940": mt940.parse,
    "ofx": ofx.parse,
    "bai2": bai2.parse,
    "qif": qif.parse,
    "csv": columns.parse,
    "xlsx": columns.parse,
}


def summaries(source, column_map: ColumnMap | None = None, **options) -> tuple[Statement, ...]:
    """Return the statements of a file without their entries.

    source: bytes or a seekable binary file. column_map: for CSV and XLSX. options: what the format
    leaves open (order and mark of QIF). Raises FormatError.
    """
    found = [item for item in _items(source, column_map, options) if isinstance(item, Statement)]
    return tuple(
        replace(statement, findings=(*statement.findings, *more))
        for statement, more in zip(found, chain(found), strict=True)
    )


def entries(source, column_map: ColumnMap | None = None, **options):
    """Yield (index of the statement in `summaries`, `Entry`) for each entry of a file."""
    index = 0
    for item in _items(source, column_map, options):
        if isinstance(item, Entry):
            yield index, item
        else:
            index += 1


def load(source, column_map: ColumnMap | None = None, **options) -> tuple[Statement, ...]:
    """Return the statements of a small file with their entries. Raises FormatError."""
    found = summaries(source, column_map, **options)
    collected = [[] for _statement in found]
    for index, entry in entries(source, column_map, **options):
        collected[index].append(entry)
    return tuple(
        replace(statement, entries=tuple(items))
        for statement, items in zip(found, collected, strict=True)
    )


def _items(source, column_map, options):
    file = values.opened(source)
    name = detect(file, table=column_map is not None)
    if name in ("csv", "xlsx"):
        if column_map is None:
            raise FormatError("ambiguous", "The columns of the file are not known",
                              advice="Set up a column map for this bank, and import the file again.")  # fmt: skip
        options = {"column_map": column_map}
    return READERS[name](file, **options)
