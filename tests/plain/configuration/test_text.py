"""What is read, where, and what is refused."""

import json
import random

import pytest

from odoo.addons.finance_connector_base.configuration.text import Unreadable, digest, dump, read

FILE = """\
{
  "a": [
    {"name": "x",
     "n": 1.5}
  ],
  "b": null
}
"""


def test_text_is_canonical():
    text = dump({"b": 2.0, "a": ["ü", 0.25, True, None], "c": {"z": 1, "y": "\u2028"}})
    assert text == (
        '{\n  "a": [\n    "ü",\n    0.25,\n    true,\n    null\n  ],\n  "b": 2,\n'
        '  "c": {\n    "y": "\u2028",\n    "z": 1\n  }\n}\n'
    )
    assert dump(read(text)[0]) == text
    assert digest(text) == digest(dump(json.loads(text)))


def test_every_part_has_its_line():
    value, lines = read(FILE)
    assert value == json.loads(FILE)
    assert lines == {
        (): 1,
        ("a",): 2,
        ("a", 0): 3,
        ("a", 0, "name"): 3,
        ("a", 0, "n"): 4,
        ("b",): 6,
    }


@pytest.mark.parametrize(
    ("text", "line", "code", "detail"),
    [
        ("", 1, "json", "Expecting value"),
        ("{", 1, "json", "Expecting property name in double quotes"),
        ('{"a": 1,\n}', 2, "json", "Comma before the closing bracket"),
        ('{"a": 1\n "b": 2}', 2, "json", "Expecting ','"),
        ('{"a"\n1}', 2, "json", "Expecting ':'"),
        ("[1,\n2", 2, "json", "Expecting ','"),
        ("[1]\n\nx", 3, "json", "Extra data"),
        ('{"a": 1,\n\n "a": 2}', 3, "twice", "a"),
        ("[NaN]", 1, "number", ""),
        ("[\n-Infinity]", 2, "number", ""),
        ("[1e999]", 1, "number", ""),
        (f"[{'9' * 5000}]", 1, "number", ""),
        ('["\\u0000"]', 1, "letters", ""),
        ('["\\ud800"]', 1, "letters", ""),
        ("[" * 5000, 1, "depth", ""),
        ('["open', 1, "json", "Unterminated string starting at"),
        ("{'a': 1}", 1, "json", "Expecting property name in double quotes"),
    ],
)
def test_unreadable(text, line, code, detail):
    with pytest.raises(Unreadable) as refused:
        read(text)
    found = refused.value
    assert (found.line, found.code, found.detail) == (line, code, detail)


def test_reads_what_python_reads():
    """Any value of the shapes that a file has, in any layout."""
    dice = random.Random(3)
    for _time in range(300):
        value = made_up(dice, 4)
        indent, separators = dice.choice([(None, (",", ":")), (2, None), ("\t", (" ,", " :\r\n"))])
        text = json.dumps(value, indent=indent, separators=separators)
        assert read(text)[0] == value
        assert read(dump(value))[0] == value


def made_up(dice, levels):
    """A JSON value; at the last level a plain one."""
    if levels and dice.random() < 0.5:
        if dice.random() < 0.5:
            return [made_up(dice, levels - 1) for _ in range(dice.randrange(4))]
        return {
            f"k{dice.randrange(9)}": made_up(dice, levels - 1) for _ in range(dice.randrange(4))
        }
    return dice.choice(
        [
            dice.choice([True, False, None]),
            dice.randrange(-(10**9), 10**9),
            dice.random() * 10 ** dice.randrange(-9, 9),
            dice.choice(["", 'a"b\\c', "ü€𝄞", "line\nbreak\ttab", "/"]),
        ]
    )
