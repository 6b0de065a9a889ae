"""The text of a configuration file: canonical JSON that people read and git compares.

One text for one configuration: keys sorted, two blanks a level, UTF-8, a line break at the end. A
number without a fraction is written without a point.
"""

import hashlib
import json
import re
from bisect import bisect_right
from math import isfinite

SCHEMA, VERSION = "finance-connect-configuration", 1
MOST_LEVELS = 12
BLANKS = " \t\r\n"
# No control characters, and no halves of a character, which have no UTF-8.
STORABLE = re.compile("[^\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]*")


class Unreadable(ValueError):
    """The text is not such a file. line: where it shows; code, detail: why.

    code is "json" (not JSON; detail says what the parser met), "twice" (detail is a key that an
    object has already), "number" (a number that no field can hold), "letters" (control characters)
    or "depth" (nested too deeply).
    """

    def __init__(self, line, code, detail=""):
        super().__init__(f"line {line}: {code} {detail}".rstrip())
        self.line, self.code, self.detail = line, code, detail


def dump(document) -> str:
    """Return the text of plain JSON values."""
    return (
        json.dumps(_plain(document), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        + "\n"
    )


def digest(text) -> str:
    """Return the SHA-256 of a text as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def read(text) -> tuple:
    """Return (value, lines): the JSON value of a text, and the line where each part begins.

    lines: path (a tuple of keys and positions) to line number, () for the whole. Raises
    `Unreadable`; other than Python's parser it also refuses keys that stand twice.
    """
    reader = _Reader(text)
    return reader.whole(), reader.lines


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _no_constant(name):
    raise OverflowError(name)


class _Reader:
    """Objects and arrays are read here, to know the lines; the rest is Python's parser."""

    decoder = json.JSONDecoder(parse_constant=_no_constant)

    def __init__(self, text):
        self.text, self.lines = text, {}
        self.breaks = [at for at, letter in enumerate(text) if letter == "\n"]

    def whole(self):
        value, at = self._value(self._skip(0), ())
        if self._skip(at) != len(self.text):
            raise self._unreadable(self._skip(at), "json", "Extra data")
        return value

    def _value(self, at, path):
        self.lines[path] = self._line(at)
        if len(path) > MOST_LEVELS:
            raise self._unreadable(at, "depth")
        opening = self.text[at : at + 1]
        if opening == "{":
            return self._object(at, path)
        if opening == "[":
            return self._array(at, path)
        return self._scalar(at)

    def _scalar(self, at):
        try:
            value, end = self.decoder.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            raise self._unreadable(error.pos, "json", error.msg) from None
        except (OverflowError, ValueError):
            raise self._unreadable(at, "number") from None
        if isinstance(value, float) and not isfinite(value):
            raise self._unreadable(at, "number")
        if isinstance(value, str) and not STORABLE.fullmatch(value):
            raise self._unreadable(at, "letters")
        return value, end

    def _object(self, at, path):
        result = {}
        at = self._skip(at + 1)
        while self.text[at : at + 1] != "}":
            if self.text[at : at + 1] != '"':
                raise self._unreadable(at, "json", "Expecting property name in double quotes")
            start = at
            key, at = self._scalar(at)
            if key in result:
                raise self._unreadable(start, "twice", key)
            at = self._skip(self._expect(":", self._skip(at)))
            result[key], at = self._value(at, (*path, key))
            at = self._next(at, "}")
        return result, at + 1

    def _array(self, at, path):
        result = []
        at = self._skip(at + 1)
        while self.text[at : at + 1] != "]":
            value, at = self._value(at, (*path, len(result)))
            result.append(value)
            at = self._next(at, "]")
        return result, at + 1

    def _next(self, at, closing):
        """Go past a comma to the next part, or to ``closing``."""
        at = self._skip(at)
        if self.text[at : at + 1] == closing:
            return at
        at = self._skip(self._expect(",", at))
        if self.text[at : at + 1] == closing:
            raise self._unreadable(at, "json", "Comma before the closing bracket")
        return at

    def _expect(self, letter, at):
        if self.text[at : at + 1] != letter:
            raise self._unreadable(at, "json", f"Expecting '{letter}'")
        return at + 1

    def _skip(self, at):
        while at < len(self.text) and self.text[at] in BLANKS:
            at += 1
        return at

    def _line(self, at):
        return bisect_right(self.breaks, at - 1) + 1

    def _unreadable(self, at, code, detail=""):
        return Unreadable(self._line(min(at, len(self.text))), code, detail)
