"""Lines of a mapping as CSV: written so that a spreadsheet runs nothing, read back the same."""

import csv
import io
from datetime import date
from typing import NamedTuple

COLUMNS = (
    "rule", "record_id", "record", "prefix", "code", "label", "valid_from", "valid_to", "direction",
)  # fmt: skip
REQUIRED = ("rule", "code")
RULES = ("record", "code", "name", "default")
DIRECTIONS = ("both", "out", "in")
# What a spreadsheet takes for the beginning of a formula.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
GUARD = "'"
MOST_CHARACTERS = 10_000_000


class Problem(NamedTuple):
    """One thing wrong in a file. line: of the file, the heading is 1. column: its name, or "".

    reason: a code that the model words; value: what stands there.
    """

    line: int
    column: str
    reason: str
    value: str = ""


class Row(NamedTuple):
    """One line of a file, its cells as text without blanks around them, days as dates."""

    line: int
    rule: str
    record_id: int | None
    record: str
    prefix: str
    code: str
    label: str
    valid_from: date | None
    valid_to: date | None
    direction: str


def write(rows) -> str:
    """Return the CSV of dicts with the names of `COLUMNS`; None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_guarded(row.get(name)) for name in COLUMNS])
    return text.getvalue()


def read(text: str):
    """Return (rows, problems) of a CSV: a list of `Row`, and of `Problem`.

    The columns may stand in any order, between commas, semicolons or tabs.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > MOST_CHARACTERS:
        return [], [Problem(1, "", "too_big")]
    heading = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, problems = [], []
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        problems += _of_heading(names)
        if problems:
            return [], problems
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                _take(line, names, cells, rows, problems)
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(reader.line_num, "", "unreadable", str(error)))
    if not rows and not problems:
        problems.append(Problem(2, "", "empty"))
    return rows, problems + _twice(rows)


def _of_heading(names):
    problems = [Problem(1, name, "unknown_column", name) for name in names if name not in COLUMNS]
    problems += [Problem(1, name, "no_column") for name in REQUIRED if name not in names]
    doubled = {name for name in names if names.count(name) > 1}
    return problems + [Problem(1, name, "column_twice", name) for name in sorted(doubled)]


def _take(line, names, cells, rows, problems):
    """Add the row of one line, or what is wrong with it."""
    if len(cells) > len(names):
        problems.append(Problem(line, "", "too_many_cells", cells[len(names)]))
        return
    values = dict.fromkeys(COLUMNS, "")
    values |= {name: _plain(cell) for name, cell in zip(names, cells, strict=False)}
    before = len(problems)

    def wrong(column, reason):
        problems.append(Problem(line, column, reason, values[column]))

    values["rule"] = values["rule"].lower()
    values["direction"] = values["direction"].lower() or "both"
    if values["rule"] not in RULES:
        wrong("rule", "unknown_rule")
    if values["direction"] not in DIRECTIONS:
        wrong("direction", "unknown_direction")
    elif values["direction"] == "in" and values["rule"] != "record":
        wrong("direction", "only_records_lead_in")
    if not values["code"]:
        wrong("code", "no_value")
    _check_named(values, wrong)
    days = {name: _day(values[name]) for name in ("valid_from", "valid_to")}
    for name, day in days.items():
        if values[name] and not day:
            wrong(name, "no_day")
    if all(days.values()) and days["valid_from"] > days["valid_to"]:
        wrong("valid_to", "ends_before")
    if len(problems) == before:
        record_id = int(values["record_id"]) if values["record_id"] else None
        rows.append(Row(line=line, **(values | days | {"record_id": record_id})))


def _check_named(values, wrong):
    """A record for the rule "record", a beginning for prefixes, neither for everything else."""
    rule = values["rule"]
    if values["record_id"] and not (values["record_id"].isdecimal() and int(values["record_id"])):
        wrong("record_id", "no_number")
    if rule == "record" and not (values["record_id"] or values["record"]):
        wrong("record", "no_value")
    if rule != "record" and (values["record_id"] or values["record"]):
        wrong("record", "must_be_empty")
    if rule in ("code", "name") and not values["prefix"]:
        wrong("prefix", "no_value")
    if rule in ("record", "default") and values["prefix"]:
        wrong("prefix", "must_be_empty")


def _twice(rows):
    """Rules, other than for records, that are there twice at one time."""
    problems, seen = [], {}
    for row in rows:
        if row.rule == "record":
            continue
        prefix = row.prefix.lower() if row.rule == "name" else row.prefix
        problems += overlapping(seen.setdefault((row.rule, prefix), []), row)
    return problems


def overlapping(former, row):
    """Add a row to ``former`` ones for the same value; return the problem that they overlap."""
    found = [
        Problem(row.line, "valid_from" if row.valid_from else "rule", "overlaps", str(other.line))
        for other in former
        if (row.valid_from or date.min) <= (other.valid_to or date.max)
        and (other.valid_from or date.min) <= (row.valid_to or date.max)
    ]
    former.append(row)
    return found[:1]


def _day(text):
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _guarded(value):
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None or value is False else str(value)
    bare = text.lstrip(GUARD)
    return GUARD + text if bare.startswith(DANGEROUS) else text


def _plain(cell):
    """A cell as it was before `_guarded`."""
    text = cell.strip()
    guarded = text.startswith(GUARD) and text.lstrip(GUARD).startswith(DANGEROUS)
    return text[1:] if guarded else text
