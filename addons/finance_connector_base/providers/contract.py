"""Strict reading of an answer: what is missing or unknown is `ContractBroken`, never a default."""

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from .errors import ContractBroken

_REQUIRED = object()


class Answer:
    """A JSON object of a vendor, or a SOAP answer, read field by field.

    payload: the parsed object. where: its name in error texts. version: the API version that the
    reader was written for. Each reader raises `ContractBroken` naming the field when the value is
    missing (unless ``default`` is given) or not of the type that the contract promises.
    """

    def __init__(self, payload, where="answer", version=""):
        self._where = where
        self._version = version
        if not isinstance(payload, dict):
            self._broken("", f"is {_kind(payload)}, not an object")
        self.payload = payload

    def text(self, name, default=_REQUIRED):
        """Return a string."""
        return self._read(name, default, str)

    def integer(self, name, default=_REQUIRED):
        """Return an int."""
        return self._read(name, default, int)

    def boolean(self, name, default=_REQUIRED):
        """Return a bool."""
        return self._read(name, default, bool)

    def decimal(self, name, default=_REQUIRED):
        """Return a Decimal; the vendor may send a number or a string."""
        value = self._read(name, default, (str, int, Decimal))
        if value is default:
            return value
        try:
            number = Decimal(value)
        except InvalidOperation:
            self._broken(name, "is not a number")
        if not number.is_finite():
            self._broken(name, "is not a finite number")
        return number

    def date(self, name, default=_REQUIRED):
        """Return a date, from ISO 8601 text with or without a time; SOAP answers hold dates."""
        value = self._read(name, default, (str, date))
        if isinstance(value, datetime):
            return value.date()
        if value is default or isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            self._broken(name, "is not a date")

    def moment(self, name, default=_REQUIRED):
        """Return a datetime in UTC without a time zone, from ISO 8601 text; no zone means UTC."""
        value = self._read(name, default, str)
        if value is default:
            return value
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self._broken(name, "is not a moment")
        if found.tzinfo:
            found = found.astimezone(UTC).replace(tzinfo=None)
        return found.replace(microsecond=0)

    def texts(self, name, default=_REQUIRED):
        """Return a list of strings."""
        value = self._read(name, default, list)
        if value is default:
            return value
        if any(not isinstance(one, str) for one in value):
            self._broken(name, "is not a list of texts")
        return value

    def choice(self, name, table, default=_REQUIRED):
        """Return ``table[value]``, or the value itself when ``table`` is not a dict."""
        value = self._read(name, default, str)
        if value is default:
            return value
        if value not in table:
            self._broken(name, f"has the unknown value {value[:60]!r}")
        return table[value] if isinstance(table, dict) else value

    def object(self, name, default=_REQUIRED):
        """Return a nested object as `Answer`."""
        value = self._read(name, default, dict)
        return value if value is default else Answer(value, self._path(name), self._version)

    def list(self, name, default=_REQUIRED):
        """Return the objects of a list as a list of `Answer`."""
        value = self._read(name, default, list)
        if value is default:
            return value
        return [
            Answer(item, f"{self._path(name)}[{index}]", self._version)
            for index, item in enumerate(value)
        ]

    def broken(self, name, what):
        """Raise `ContractBroken` for a field whose value a reader can't take."""
        self._broken(name, what)

    def _read(self, name, default, types):
        value = self.payload.get(name)
        if value is None:
            if default is _REQUIRED:
                self._broken(name, "is missing")
            return default
        wrong_bool = isinstance(value, bool) and types is not bool
        if wrong_bool or not isinstance(value, types):
            self._broken(name, f"is {_kind(value)}")
        return value

    def _path(self, name):
        return f"{self._where}.{name}" if name else self._where

    def _broken(self, name, what):
        field = self._path(name)
        raise ContractBroken(f"{field} {what}", code="contract", field=field, version=self._version)


def _kind(value):
    names = {dict: "an object", list: "a list", str: "a text", bool: "a yes/no", type(None): "null"}
    return names.get(type(value), "a number")
