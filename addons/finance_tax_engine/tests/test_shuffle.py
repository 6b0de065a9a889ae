"""What goes to the engine arrives late, twice, in another order, or not at all.

People post, reset, change and cancel invoices, and have them recorded again; answers are lost; the
network delivers requests a second time long after. When all is quiet, the engine has exactly what
the ledger says.
"""

import os
import random
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.finance_connector_base.providers.errors import ProviderError

from .common import TaxEngineCommon

SOAK = bool(os.environ.get("SOAK"))
SEEDS = range(40) if SOAK else range(2)
STEPS = 40 if SOAK else 14
OPERATIONS = ("tax.commit", "tax.adjust", "tax.void")
LOST = ("act_then_500", "500", "drop", "429", "malformed")


@tagged("post_install", "-at_install")
class TestShuffle(TaxEngineCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.workflow.max_attempts = 500

    def setUp(self):
        super().setUp()
        self.sent = []
        for name in OPERATIONS:
            self.spy(name)

    def spy(self, name):
        """Note what is sent for an operation; the engine may come to another tax when it records."""
        model = type(self.env[f"finance.operation.{name}"])
        call = model._call

        def noted(provider, request):
            self.sent.append((call, request))
            result = call(provider, request)
            if name == "tax.commit" and self.dice.random() < 0.2:
                first, *rest = result.taxes
                taxes = (replace(first, amount=first.amount + 1), *rest)
                return replace(result, taxes=taxes, total_tax=result.total_tax + Decimal(1))
            return result

        self.patch(model, "_call", staticmethod(noted))

    @mute_logger("odoo.addons.finance_connector_base.lanes.lane")
    def test_the_engine_ends_as_the_ledger_says(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.server.sandbox.reset()
                self.dice, self.sent[:] = random.Random(seed), []
                moves = self.env["account.move"].concat(
                    *(self.create_houston_invoice(invoice_date=f"2026-03-0{n}") for n in (2, 3))
                )
                moves.action_post()
                for _step in range(STEPS):
                    self.step(self.dice.choice(moves))
                self.settle(moves)

    def step(self, move):
        """Something happens: a person, the network, or a lane."""
        happening = self.dice.choice(
            ("edit", "cancel", "again", "post", "lane", "lane", "lane", "duplicate", "late")
        )
        getattr(self, f"step_{happening}")(move)

    def step_edit(self, move):
        if move.state == "cancel":
            return
        if move.state == "posted":
            move.button_draft()
        move.invoice_line_ids[0].quantity = self.dice.randint(1, 9)
        if self.dice.random() < 0.7:
            move.action_post()

    def step_cancel(self, move):
        if move.state != "cancel":
            move.button_cancel()

    def step_post(self, move):
        if move.state == "cancel":
            move.button_draft()
        if move.state == "draft":
            move.action_post()

    def step_again(self, move):
        document = move.finance_tax_document_id
        if document.can_record_again:
            document.action_record_again()

    def step_lane(self, _move):
        if self.dice.random() < 0.5:
            match = "POST /.*/(void|adjust|createoradjust)"
            times = self.dice.randint(1, 2)
            self.break_engine(self.dice.choice(LOST), match=match, times=times)
        self.drain(until_due=self.dice.random() < 0.5)
        self.mend_engine()

    def step_late(self, move):
        """What is to be done about one document has to wait."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE finance_job SET due_at = now() AT TIME ZONE 'UTC' + interval '1 hour'"
            " WHERE state = 'pending' AND document_id = %s",
            [move.id],
        )

    def step_duplicate(self, _move):
        """The network delivers an old request once more."""
        if not self.sent:
            return
        call, request = self.dice.choice(self.sent)
        engine = self.env["finance.operation"]._open_session(self.connector, self.company)
        with suppress(ProviderError):
            call(engine, request)

    def settle(self, moves):
        """All is quiet: people look at what needs them, and the engine is compared."""
        self.mend_engine()
        for _turn in range(30):
            dead = self.env["finance.job"].search([("state", "=", "dead")])
            dead.action_retry()
            for document in moves.finance_tax_document_ids:
                if document.can_record_again:
                    document.action_record_again()
            self.drain(until_due=True)
            states = set(self.env["finance.job"]._unfinished(moves).mapped("state"))
            if not states and not moves.finance_tax_document_ids.filtered("can_record_again"):
                break
        for _turn in range(5):
            self.step_duplicate(None)
        posted = moves.filtered(lambda move: move.state == "posted")
        self.assertEqual(
            {code: float(row["totalTax"]) for code, row in self.recorded().items()},
            {move.finance_tax_code: move.amount_tax for move in posted},
        )
        self.assertEqual(set(posted.mapped("finance_tax_state")) - {"committed"}, set())
