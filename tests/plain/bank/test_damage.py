"""Damaged files are refused with a reason or read; nothing else ever comes out of a reader."""

import io
import os
import random
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from bank_files import (
    COLUMNS,
    OTHER_IBAN,
    camt,
    entry,
    statement,
    table,
    write_bai2,
    write_camt,
    write_csv,
    write_mt940,
    write_ofx,
    write_qif,
    write_xlsx,
)

from odoo.addons.finance_bank_sync import formats
from odoo.addons.finance_bank_sync.canonical.statement import Statement
from odoo.addons.finance_bank_sync.formats import FormatError, columns
from odoo.addons.finance_connector_base.canonical import codec

ROUNDS = 1000 if os.environ.get("SOAK") else 200
SOURCE = statement(
    entry(
        number,
        Decimal(number * (-1) ** number) / 7 // Decimal("0.01") * Decimal("0.01"),
        date(2026, 3, 22),
        text=f"Invoice {number} größer",
        end_to_end_id=f"E-{number}",
        account=OTHER_IBAN,
    )
    for number in range(10, 18)
)
FILES = {
    "camt": (write_camt(SOURCE), None),
    "camt_old": (write_camt(SOURCE, "02"), None),
    "mt940": (write_mt940(SOURCE), None),
    "ofx_sgml": (write_ofx(SOURCE), None),
    "ofx_xml": (write_ofx(SOURCE, xml=True), None),
    "bai2": (write_bai2(SOURCE), None),
    "qif": (write_qif(SOURCE), None),
    "csv": (write_csv(SOURCE), COLUMNS),
    "xlsx": (write_xlsx(table(SOURCE)), replace(COLUMNS, delimiter="")),
}


def cut(chance, content):
    return content[: chance.randrange(len(content))]


def flip(chance, content):
    damaged = bytearray(content)
    for _bit in range(chance.randint(1, 8)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def lose(chance, content):
    start = chance.randrange(len(content))
    return content[:start] + content[start + chance.randint(1, 200) :]


def repeat(chance, content):
    start = chance.randrange(len(content))
    piece = content[start : start + chance.randint(1, 200)]
    return content[:start] + piece * chance.randint(2, 50) + content[start:]


def swap(chance, content):
    """Exchange two tags, or two pieces where there are none."""
    tags = re.findall(rb"</?\w+>|:\d\d\w?:|\n\d\d,|\n[A-Z]", content) or [b"a", b"b"]
    one, other = chance.choice(tags), chance.choice(tags)
    return (
        content.replace(one, b"\0\1")
        .replace(other, one, chance.choice([1, -1]))
        .replace(b"\0\1", other)
    )


def charset(chance, content):
    text = content.decode("utf-8", "replace")
    return text.encode(
        chance.choice(["utf-16", "utf-16-le", "utf-32", "cp437", "cp037"]), "replace"
    )


def bomb(chance, content):
    head = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    start = content.find(b"<", chance.randrange(40))
    return content[:start] + head + content[start:].replace(b"Invoice", b"&b;")


def huge(chance, content):
    """Replace a number by an enormous one."""
    numbers = list(re.finditer(rb"\d+", content))
    found = chance.choice(numbers)
    new = chance.choice(
        [b"9" * 17, b"9" * 400, b"1e999999", b"-1", b"0", "٣".encode(), b"1" * 100_000]
    )
    return content[: found.start()] + new + content[found.end() :]


def long_line(chance, content):
    start = chance.randrange(len(content))
    return content[:start] + bytes([chance.choice(b" xA0:<,/?")]) * (1 << 21) + content[start:]


def garbage(chance, content):
    start = chance.randrange(len(content))
    return content[:start] + chance.randbytes(chance.randint(1, 300)) + content[start:]


DAMAGES = (cut, cut, flip, flip, lose, repeat, swap, swap, charset, bomb, huge, huge, garbage)


@pytest.mark.parametrize("name", FILES)
def test_damage(name):
    content, column_map = FILES[name]
    formats.load(content, column_map)
    refusals = set()
    for seed in range(ROUNDS):
        chance = random.Random(f"{name} {seed}")
        damage = long_line if seed % 50 == 0 else chance.choice(DAMAGES)
        damaged = damage(chance, content)
        try:
            found = formats.load(damaged, column_map)
        except FormatError as error:
            refusals.add(error.code)
            assert str(error).endswith(".")
            assert len(str(error)) < 500
            continue
        # what is read is sound, even where it says something else than before
        codec.dump(list(found))
        for each in found:
            assert isinstance(each, Statement)
            assert each.count == len(each.entries)
            for item in each.entries:
                assert item.amount.is_finite()
                assert sum(amount for amount, _detail in item.shares()) == item.amount
    assert len(refusals) > 1


@pytest.mark.parametrize("name", [name for name in FILES if name not in ("qif", "csv")])
def test_a_file_cut_off_before_its_last_entry_is_never_read(name):
    content, column_map = FILES[name]
    end = content.rfind(b"E-17") if b"E-17" in content else len(content) * 3 // 4
    for length in range(1, end, max(1, end // 60)):
        with pytest.raises(FormatError):
            formats.load(content[:length], column_map)


@pytest.mark.parametrize("name", ["csv", "xlsx"])
def test_proposals_and_previews_of_damaged_tables(name):
    content, column_map = FILES[name]
    for seed in range(ROUNDS // 4):
        chance = random.Random(f"{name} {seed}")
        damaged = chance.choice(DAMAGES)(chance, content) or b"x"
        for look in (columns.propose, lambda file: columns.preview(file, column_map)):
            try:
                look(io.BytesIO(damaged))
            except FormatError as error:
                assert str(error).endswith(".")


def test_an_empty_document_of_each_kind():
    for content in (
        b"",
        b" ",
        b"<",
        b"<x/>",
        b":20:",
        b"01,",
        b"!Type:Bank",
        b"OFXHEADER:100",
        camt(),
    ):
        with pytest.raises(FormatError):
            formats.load(content)
