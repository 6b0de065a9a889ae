"""``$filter`` and ``$orderBy`` of a list (developer.avalara.com/avatax/filtering-in-rest).

Criteria in words or symbols, ``and``, ``or`` and brackets; ``between`` is without its upper end; a
quote inside a value is doubled; names of fields in any case.
"""

import operator
import re
from decimal import Decimal

from .errors import fail

_TOKEN = re.compile(
    r"""\s*(?:(?P<value>'(?:[^']|'')*')|(?P<symbol><=|>=|<>|!=|[=<>(),])|(?P<word>[^\s'()<>=!,]+))"""
)
_COMPARISONS = {
    "eq": operator.eq,
    "=": operator.eq,
    "ne": operator.ne,
    "<>": operator.ne,
    "!=": operator.ne,
    "gt": operator.gt,
    ">": operator.gt,
    "ge": operator.ge,
    ">=": operator.ge,
    "lt": operator.lt,
    "<": operator.lt,
    "le": operator.le,
    "<=": operator.le,
    "contains": lambda mine, text: text.lower() in mine.lower(),
    "startswith": lambda mine, text: mine.lower().startswith(text.lower()),
    "endswith": lambda mine, text: mine.lower().endswith(text.lower()),
}


def parse_filter(text):
    """Return the function that tells whether a model meets a ``$filter``; "" lets all pass.

    Its attribute ``fields`` is the set of the fields it asks about, in lower case.

    :raises Refusal: the filter is not understood.
    """
    return _Filter(text).parsed()


class _Filter:
    """Reads criteria from left to right; ``and`` binds closer than ``or``."""

    def __init__(self, text):
        self._text = text
        self._tokens = _tokens(text)
        self._fields = set()

    def parsed(self):
        test = self._any() if self._tokens else _everything
        if self._tokens:
            raise fail("MalformedFilterException", self._text)

        def wanted(model):
            return test(model)

        wanted.fields = self._fields
        return wanted

    def _any(self):
        tests = [self._all()]
        while self._took("or"):
            tests.append(self._all())
        return lambda model: any([test(model) for test in tests])

    def _all(self):
        tests = [self._criterion()]
        while self._took("and"):
            tests.append(self._criterion())
        return lambda model: all([test(model) for test in tests])

    def _criterion(self):
        if self._took("("):
            test = self._any()
            self._expect(")")
            return test
        name, comparison = self._next(), self._next().lower()
        self._fields.add(name.lower())
        return self._test(name, comparison)

    def _test(self, name, comparison):
        if comparison == "between":
            low = self._value()
            self._expect("and")
            high = self._value()
            return lambda model: (
                _like(low, model, name) <= field_of(model, name) < _like(high, model, name)
            )
        if comparison == "in":
            choices = self._list()
            return lambda model: any(
                field_of(model, name) == _like(one, model, name) for one in choices
            )
        if comparison not in _COMPARISONS:
            raise fail("MalformedFilterException", self._text)
        compare, value = _COMPARISONS[comparison], self._value()
        return lambda model: compare(field_of(model, name), _like(value, model, name))

    def _list(self):
        self._expect("(")
        choices = [self._value()]
        while self._took(","):
            choices.append(self._value())
        self._expect(")")
        return choices

    def _value(self):
        token = self._next()
        return token[1:-1].replace("''", "'") if token.startswith("'") else token

    def _next(self):
        if not self._tokens:
            raise fail("MalformedFilterException", self._text)
        return self._tokens.pop(0)

    def _took(self, token):
        if self._tokens and self._tokens[0].lower() == token:
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, token):
        if not self._took(token):
            raise fail("MalformedFilterException", self._text)


def _tokens(text):
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:
            raise fail("MalformedFilterException", text)
        tokens.append(found[found.lastgroup])
        position = found.end()
    return tokens


def _everything(_model):
    return True


def _like(text, model, name):
    """Return a filter's text as the type of the field it is compared with."""
    mine = field_of(model, name)
    if isinstance(mine, bool):
        return text.lower() == "true"
    if isinstance(mine, int | Decimal):
        return Decimal(text)
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
