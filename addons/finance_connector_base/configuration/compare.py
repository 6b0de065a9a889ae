"""What differs between two configurations."""

from typing import Any, NamedTuple

from .text import dump


class Value(NamedTuple):
    """One value that differs; path: its column, and the keys inside the column."""

    path: tuple
    old: Any
    new: Any


class Change(NamedTuple):
    """One entry that differs. kind: "new", "changed" or "gone"; entry: as it is afterwards, or was.

    values: what differs; of a new entry everything that isn't empty, of one that is gone nothing.
    """

    section: str
    kind: str
    entry: dict
    values: tuple


def compare(before, after, identities) -> list[Change]:
    """Return the changes that lead from one configuration to another, by section and identity.

    before, after: {section: list of entries, or one entry}. identities: {section: names of the
    columns that tell its entries apart}; a section that isn't there is compared entry by entry as a
    whole.
    """
    changes = []
    for section in sorted(before.keys() | after.keys()):
        names = identities.get(section)
        olds, news = (_by_identity(side.get(section), names) for side in (before, after))
        for identity in sorted(olds.keys() | news.keys()):
            change = _change(section, olds.get(identity), news.get(identity), names or ())
            if change:
                changes.append(change)
    return changes


def _by_identity(entries, names):
    if entries is None:
        return {}
    if isinstance(entries, dict):
        return {"": entries}
    return {identity_of(entry, names): entry for entry in entries}


def identity_of(entry, names) -> str:
    """Return what tells an entry apart, as a text."""
    return dump(entry if names is None else [entry.get(name) for name in names])


def _change(section, old, new, names):
    if new is None:
        return Change(section, "gone", old, ())
    if old is None:
        values = tuple(value for value in _values(None, new, ()) if value.path[0] not in names)
        return Change(section, "new", new, values)
    values = tuple(_values(old, new, ()))
    return Change(section, "changed", new, values) if values else None


def _values(old, new, path):
    """Yield what differs; objects are compared key by key, and nothing equals not there."""
    if isinstance(old, dict) or isinstance(new, dict):
        olds, news = _keyed(old), _keyed(new)
        for key in sorted(olds.keys() | news.keys()):
            yield from _values(olds.get(key), news.get(key), (*path, key))
    elif old != new:
        yield Value(path, old, new)


def _keyed(value):
    """A plain value beside an object stands under no key."""
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"": value}
