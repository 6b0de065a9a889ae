"""A large ledger in little memory, and its sums to the cent."""

import os
from dataclasses import replace
from datetime import date
from decimal import Decimal

import psutil

from odoo.tests import tagged

from ..statutory import KINDS
from . import ledger
from .statutory import StatutoryCase

SOAK = os.environ.get("SOAK") == "1"
# One company of three is written.
ITEMS = 300_000 if SOAK else 3_000
MOST_MEMORY = 32 << 20
FIRST, LAST = date(2023, 7, 1), date(2026, 12, 31)


class Watched:
    """A sink that keeps nothing but how much memory there was at most, and how much was written."""

    def __init__(self):
        self.process = psutil.Process()
        self.before = self.peak = self.process.memory_info().rss
        self.size = self.looked = 0

    def write(self, data):
        self.size += len(data)
        if self.size - self.looked > 1 << 18:
            self.looked = self.size
            self.peak = max(self.peak, self.process.memory_info().rss)
        return len(data)

    def flush(self):
        pass


@tagged("post_install", "-at_install")
class TestStatutoryVolume(StatutoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        env = cls.env(context={})
        cls.large = ledger.make(env, ITEMS)[1]
        cls.env.user.company_ids |= cls.large

    def test_flat_memory_and_sums(self):
        number, debit, credit = self.ledger(self.large, FIRST, LAST)
        self.assertGreater(number, ITEMS // 4)
        for kind in KINDS:
            with self.subTest(kind):
                export = self.env["finance.statutory.export"].create(
                    {
                        "kind": kind,
                        "company_id": self.large.id,
                        "date_from": "2024-01-01",
                        "date_to": "2024-12-31",
                    }
                )
                books = replace(export._books(), first=FIRST, last=LAST, year_first=FIRST)
                sink = Watched()
                written = KINDS[kind]().write(books, export._reader(books), sink)
                self.assertEqual(written.lines, number)
                self.assertEqual((written.debit, written.credit), (Decimal(debit), Decimal(credit)))
                self.assertGreater(sink.size, number * 80)
                self.assertLess(sink.peak - sink.before, MOST_MEMORY)
