"""``$filter`` and ``$orderBy`` of a list (developer.avalara.com/avatax/filtering-in-rest)."""

import re
from decimal import Decimal

from .errors import fail

D = Decimal

_VALUE = r"'(?:[^']|'')*'|[^\s(),']+"
_CLAUSE = re.compile(
    rf"\s*(\w+)\s+(?:(eq|ne|gt|ge|lt|le|contains|startswith|endswith)\s+({_VALUE})"
    rf"|between\s+({_VALUE})\s+and\s+({_VALUE})|in\s*\(([^)]*)\))\s*(?:\band\b|$)",
    re.IGNORECASE,
)
_TESTS = {
    "eq": lambda mine, theirs: mine == theirs,
    "ne": lambda mine, theirs: mine != theirs,
    "gt": lambda mine, theirs: mine > theirs,
    "ge": lambda mine, theirs: mine >= theirs,
    "lt": lambda mine, theirs: mine < theirs,
    "le": lambda mine, theirs: mine <= theirs,
    "contains": lambda mine, theirs: theirs in mine,
    "startswith": lambda mine, theirs: mine.startswith(theirs),
    "endswith": lambda mine, theirs: mine.endswith(theirs),
}


def parse_filter(text):
    """Return [(field, test)] of a ``$filter``: clauses joined by ``and``, no brackets, no ``or``.

    :raises Refusal: the filter is not understood.
    """
    conditions, position = [], 0
    while position < len(text.rstrip()):
        clause = _CLAUSE.match(text, position)
        if clause is None:
            raise fail("MalformedFilterException", text)
        conditions.append((clause[1], _test(clause)))
        position = clause.end()
    return conditions


def passes(model, conditions):
    """Tell whether a model meets all conditions of `parse_filter`."""
    return all(test(field_of(model, name)) for name, test in conditions)


def _test(clause):
    operator, value, low, high, among = clause.group(2, 3, 4, 5, 6)
    if low is not None:
        low, high = _literal(low), _literal(high)
        return lambda mine: _like(low, mine) <= mine <= _like(high, mine)
    if among is not None:
        choices = [_literal(one) for one in re.findall(_VALUE, among)]
        return lambda mine: any(_like(one, mine) == mine for one in choices)
    test, theirs = _TESTS[operator.lower()], _literal(value)
    return lambda mine: test(mine, _like(theirs, mine))


def _literal(text):
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def _like(text, mine):
    """Return a filter's text as the type of the field it is compared with."""
    if isinstance(mine, bool):
        return text.lower() == "true"
    if isinstance(mine, int | Decimal):
        return D(text)
    return text


def field_of(model, name):
    """Return a field by its name in any case; refuse one that can't be queried."""
    for known in model:
        if known.lower() == name.lower() and not isinstance(model[known], list | dict):
            return model[known]
    raise fail("InvalidQueryField", name)


def in_order(models, order):
    """Return the models as ``$orderBy`` says: fields with ASC or DESC."""
    for part in reversed([part.split() for part in order.split(",") if part.strip()]):
        downwards = len(part) > 1 and part[1].upper() == "DESC"
        models = sorted(models, key=lambda model: field_of(model, part[0]), reverse=downwards)
    return models
