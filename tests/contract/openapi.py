"""Checks requests and answers against a vendor's published OpenAPI 3.0 description, strictly.

Stricter than the description itself: a field, query parameter or status that it does not name is a
problem, a read-only field in a request too. Schemas are rewritten to JSON Schema only when they are
used; the parsed description is kept as JSON under ``.cache`` (YAML of 2 MB takes seconds).
"""

import functools
import hashlib
import json
import os
import re
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import jsonschema
import referencing
import yaml
from referencing.jsonschema import DRAFT202012

ROOT = Path(__file__).resolve().parents[2]
SPECS = Path(os.environ.get("FINANCE_SPECS") or ROOT.parent / "shared" / "specs")
CACHE = ROOT / ".cache" / "openapi"

REQUEST, ANSWER = "request", "answer"
FORM = "application/x-www-form-urlencoded"
_REFUSED = {REQUEST: "readOnly", ANSWER: "writeOnly"}
_REFERENCE = "#/components/schemas/"
_KEPT = {
    "enum",
    "format",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "required",
    "type",
    "uniqueItems",
}
_INTEGERS = {"int16": 15, "int32": 31, "int64": 63}

_formats = jsonschema.FormatChecker(formats=["date"])


@_formats.checks("date-time", raises=ValueError)
def _is_date_time(value):
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


def _check_integer(bits):
    return lambda value: not isinstance(value, int) or -(1 << bits) <= value < 1 << bits


for _name, _bits in _INTEGERS.items():
    _formats.checks(_name)(_check_integer(_bits))


def load(path):
    """Return the :class:`OpenApi` of a YAML or JSON file."""
    return OpenApi(_parsed(Path(path)))


def _parsed(path):
    """Return the parsed file, from the cache when the file is still the same."""
    status = path.stat()
    mark = hashlib.sha256(f"{path} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest()
    cached = CACHE / f"{path.stem}-{mark[:16]}.json"
    if cached.exists():
        return json.loads(cached.read_bytes())
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = json.dumps(yaml.load(path.read_bytes(), Loader=loader), default=str)
    CACHE.mkdir(parents=True, exist_ok=True)
    part = cached.with_suffix(f".{os.getpid()}")
    part.write_text(text)
    part.replace(cached)
    return json.loads(text)


class OpenApi:
    """One description. The checks return a list of problems in words, empty when all is well."""

    def __init__(self, description):
        self.description = description
        self._paths = [
            (re.compile(_pattern(path)), path, item) for path, item in description["paths"].items()
        ]
        # the path with the most literal text wins: /companies/mrs before /companies/{id}
        self._paths.sort(key=lambda entry: entry[1].count("{"))
        self._registry = referencing.Registry(retrieve=self._retrieve)

    def operation(self, method, path):
        """Return (template, operation, path parameters); KeyError for what the vendor lacks."""
        for pattern, template, item in self._paths:
            found = pattern.fullmatch(path)
            if found and method.lower() in item:
                return template, item[method.lower()], found.groupdict()
        raise KeyError(f"{method} {path} is not in the description")

    def check_request(self, method, path, query="", body=None):
        """Check a request; ``path`` is still quoted, ``query`` a string, ``body`` parsed JSON."""
        try:
            template, operation, given = self.operation(method, path)
        except KeyError as error:
            return [error.args[0]]
        parameters = {(one["in"], one["name"]): one for one in operation.get("parameters", [])}
        problems = []
        named = re.findall(r"\{(\w+)\}", template)
        for name, value in zip(named, given.values(), strict=True):
            problems += self._parameter(parameters, "path", name, unquote(value))
        for name, value in parse_qsl(query, keep_blank_values=True):
            problems += self._parameter(parameters, "query", name, value)
        content = operation.get("requestBody", {}).get("content", {})
        if FORM in content and not isinstance(body, dict | list):
            return problems + self._form(content[FORM]["schema"], body or "")
        schema = _json_schema(content)
        if schema is None:
            return problems + (["a body where none belongs"] if body is not None else [])
        if body is None:
            return [*problems, "the body is missing"]
        return problems + self.problems(schema, body, REQUEST)

    def check_answer(self, method, path, status, body):
        """Check an answer with the schema that the description gives for its status, if any."""
        _template, operation, _given = self.operation(method, path)
        answers = operation["responses"]
        answer = answers.get(str(status), answers.get("default"))
        if answer is None:
            return [f"{method} {path}: status {status} is not in the description"]
        schema = _json_schema(answer.get("content", {}))
        return [] if schema is None else self.problems(schema, body, ANSWER)

    def problems(self, schema, value, direction=ANSWER):
        """Return what is wrong with ``value``; ``schema`` is a schema or the name of one."""
        if isinstance(schema, str):
            schema = {"$ref": _REFERENCE + schema}
        validator = jsonschema.Draft202012Validator(
            _rewritten(schema, direction), registry=self._registry, format_checker=_formats
        )
        return [
            f"{'.'.join(map(str, error.absolute_path)) or 'body'}: {error.message[:300]}"
            for error in validator.iter_errors(value)
        ]

    def _form(self, schema, text):
        """Check an encoded form; ``a[0][b]=1`` is the field b of the first object in the list a."""
        values = {}
        for name, value in parse_qsl(text, keep_blank_values=True):
            head, *rest = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
            target = values
            for part in rest:
                target = target.setdefault(head, {})
                head = part or str(len(target))
            target[head] = value
        return self.problems(schema, _typed_form(values, schema), REQUEST)

    def _parameter(self, parameters, place, name, value):
        parameter = parameters.get((place, name)) or parameters.get((place, name.partition("[")[0]))
        if parameter is None:
            return [f"{place} parameter {name} is unknown"]
        schema = parameter.get("schema", {})
        if "[" in name:
            schema = schema.get("items", schema)
        typed = int(value) if schema.get("type") == "integer" and value.isdigit() else value
        if schema.get("type") == "boolean":
            typed = {"true": True, "false": False}.get(value, value)
        return [f"{name}: {problem}" for problem in self.problems(schema, typed, REQUEST)]

    @functools.cache  # noqa: B019 - one description lives as long as the tests
    def _retrieve(self, uri):
        direction, _colon, name = uri.removeprefix("urn:").partition(":")
        schema = self.description["components"]["schemas"][name]
        return DRAFT202012.create_resource(_rewritten(schema, direction))


def _typed_form(value, schema):
    """Return the texts of a form with the types that a schema asks for."""
    if isinstance(value, dict) and schema.get("type") == "array":
        items = schema.get("items", {})
        return [_typed_form(value[index], items) for index in sorted(value, key=int)]
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        rest = schema.get("additionalProperties")
        rest = rest if isinstance(rest, dict) else {}
        return {name: _typed_form(item, fields.get(name, rest)) for name, item in value.items()}
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", value):
        return int(value)
    return value


def _pattern(path):
    """Return the expression of a path template; names may repeat, so groups are numbered."""
    parts = re.split(r"(\{\w+\})", path)
    return "".join(
        f"(?P<p{index}>[^/]+)" if part.startswith("{") else re.escape(part)
        for index, part in enumerate(parts)
    )


def _json_schema(content):
    for media_type, entry in content.items():
        if media_type.split(";")[0].endswith("json"):
            return entry.get("schema")
    return None


def _rewritten(schema, direction):
    """Return an OpenAPI schema as JSON Schema in which only named fields are allowed."""
    if "$ref" in schema:
        return {"$ref": f"urn:{direction}:{schema['$ref'].removeprefix(_REFERENCE)}"}
    result = {key: value for key, value in schema.items() if key in _KEPT}
    if schema.get("nullable") and "type" in result:
        result["type"] = [result["type"], "null"]
    if schema.get("nullable") and "enum" in result:
        result["enum"] = [*result["enum"], None]
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            result[key] = [_rewritten(one, direction) for one in schema[key]]
            if schema.get("nullable") and key != "allOf":
                result[key].append({"type": "null"})
    if "items" in schema:
        result["items"] = _rewritten(schema["items"], direction)
    if "properties" in schema:
        allowed = {
            name: _rewritten(one, direction)
            for name, one in schema["properties"].items()
            if not one.get(_REFUSED[direction])
        }
        result["properties"] = allowed
        result["required"] = [name for name in schema.get("required", []) if name in allowed]
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        result["additionalProperties"] = _rewritten(extra, direction)
    elif "properties" in schema and "allOf" not in schema:
        result["additionalProperties"] = False
    return result
