"""Random documents, and an engine that answers whatever a test wants."""

import os
from contextlib import contextmanager
from decimal import Decimal

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from odoo import Command

from odoo.addons.finance_tax_engine.canonical import tax as canonical
from odoo.addons.finance_tax_engine.canonical.tax import JurisdictionTax, TaxResult
from odoo.addons.finance_tax_engine.providers.fixed_rates import FixedRates

from .hard import HardCommon

# Authorities of the engine: kind, code, rate. Rates say nothing of what it answers.
AUTHORITIES = (
    ("state", "48", "0.0625"),
    ("county", "201", "0.00975"),
    ("city", "35000", "0.011185"),
    ("special", "6000685", "0"),
    ("special", "6000686", "0.01"),
)
CURRENCIES = {"USD": None, "EUR": 0.8731, "JPY": 151.37, "KWD": 0.30871}
METHODS = ("round_per_line", "round_globally")


def documents(most_negative=-50_000):
    """Return a strategy of documents.

    most_negative: the lowest price of a line, in ten-thousandths; taxes go as far below zero.
    """
    # of one line: {authority: (its tax in smallest units, its part of the base in percent)}
    answers = st.dictionaries(
        st.integers(0, len(AUTHORITIES) - 1),
        st.tuples(st.integers(most_negative // 1000, 9999), st.integers(0, 100)),
        max_size=4,
    )
    line = {
        "price": st.integers(most_negative, 5_000_000).map(lambda price: price / 10_000),
        "quantity": st.sampled_from((1, 2, 3, 7, 0.5, 12.25, 1000, -1 if most_negative < 0 else 4)),
        "discount": st.sampled_from((0, 0, 10, 12.5, 33.33, 100)),
        "inside": st.sampled_from((False, False, True)),
        "taxes": answers,
    }
    return st.fixed_dictionaries(
        {
            "method": st.sampled_from(METHODS),
            "currency": st.sampled_from(tuple(CURRENCIES)),
            "lines": st.lists(st.fixed_dictionaries(line), min_size=1, max_size=5),
        }
    )


def examples(few, many):
    """Settings of a property test: few seeded examples; in a soak many others."""
    soak = bool(os.environ.get("SOAK"))
    return settings(
        max_examples=many if soak else few,
        derandomize=not soak,
        database=None,
        deadline=None,
        # the journal of a smaller document is read more easily, but shrinking takes minutes
        phases=tuple(Phase) if soak else (Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


class ScriptedCommon(HardCommon):
    """A company whose engine answers what ``script`` says: one dict of taxes a line."""

    @classmethod
    def create_connector(cls, company, company_code):
        """Return a connector to fixed rates, which need no vendor; `quote` is replaced below."""
        cls.env["finance.tax.rate"].create(
            {
                "company_id": company.id,
                "country_id": cls.env.ref("base.us").id,
                "kind": "state",
                "name": "Texas",
                "rate": 1,
            }
        )
        connector = cls.env["finance.connector"].create(
            {
                "name": "Scripted",
                "provider": "fixed_rates",
                "environment": "sandbox",
                "company_ids": [Command.set(company.ids)],
                "rate_per_second": 10_000,
                "rate_burst": 10_000,
            }
        )
        cls.env["finance.workflow"].create(
            {"connector_id": connector.id, "company_id": company.id, "flow": "tax"}
        )
        connector.action_test()
        cls.classPatch(FixedRates, "quote", lambda _provider, document: cls.answer(document))
        return connector

    @classmethod
    def setUpClass(cls):
        cls.asked = 0
        cls.script = [dict.fromkeys(range(len(AUTHORITIES)), (1, 100))] * 2
        super().setUpClass()
        cls.set_digits(4)
        cls.currencies = {code: cls.other_currency(code, rate) for code, rate in CURRENCIES.items()}

    @classmethod
    def answer(cls, document):
        """Answer a question with the amounts of the script."""
        cls.asked += 1
        currency = cls.env["res.currency"].search([("name", "=", document.currency)])
        digits = currency.decimal_places
        taxes = []
        for line in document.lines:
            for authority, (units, percent) in cls.script[int(line.number) - 1].items():
                kind, code, rate = AUTHORITIES[authority]
                taxable = (line.amount * percent / 100).quantize(Decimal(1).scaleb(-digits))
                amount = Decimal(units).scaleb(-digits)
                taxes.append(
                    JurisdictionTax(
                        line.number, kind, code, code, "US", "TX", Decimal(rate), taxable, amount
                    )
                )
        total = sum((tax.amount for tax in taxes), Decimal(0))
        zero = Decimal(0)
        return TaxResult("", canonical.QUOTED, document.currency, total, zero, zero, tuple(taxes))

    @classmethod
    def document(cls, rows, currency):
        """Return a draft invoice of rows as in ``lines``."""
        return cls.invoice(
            *(
                {
                    "price_unit": row["price"],
                    "quantity": row.get("quantity", 1),
                    "discount": row.get("discount", 0),
                    "tax_ids": [Command.set(cls.taxes_of(row).ids)],
                }
                for row in rows
            ),
            currency_id=cls.currencies[currency].id,
        )

    @classmethod
    def taxes_of(cls, row):
        """Return the product's tax, inside the price or on top."""
        return cls.inside if row["inside"] else cls.company.account_sale_tax_id

    @contextmanager
    def example(self, document):
        """Prepare the company and the engine for an example, and undo all that it does."""
        savepoint = self.cr.savepoint()
        try:
            self.company.tax_calculation_rounding_method = document["method"]
            type(self).script = [row["taxes"] for row in document["lines"]]
            type(self).asked = 0
            yield
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all()
