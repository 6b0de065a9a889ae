"""An engine that misbehaves: the right kind of error, nothing half-applied, and right in the end."""

from contextlib import ExitStack
from functools import partial
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..providers.avatax import AvaTax
from .common import TaxEngineCommon

SILENT = {"delay_ms": 700}
# How the engine fails, and the kind of error that it is. What changes something there may be repeated
# (one content under one code), so a lost answer is tried again and never left unknown.
FAULTS = {
    "429": ({"kind": "429", "retry_after": 30}, "Transient"),
    "500": ({"kind": "500"}, "Transient"),
    "503": ({"kind": "503"}, "Transient"),
    "acted, then 500": ({"kind": "act_then_500"}, "Transient"),
    "time-out before acting": ({"kind": "delay", **SILENT}, "Transient"),
    "time-out after acting": ({"kind": "act_then_timeout", **SILENT}, "Transient"),
    "connection lost": ({"kind": "drop"}, "Transient"),
    "half an answer": ({"kind": "malformed"}, "ContractBroken"),
}


def _more(payload):
    payload["totalTax"] += 1


def _line_lost(payload):
    payload["lines"].pop()


def _other_currency(payload):
    payload["currencyCode"] = "EUR"


# Answers that read well and are wrong.
WRONG = {
    "amounts that do not add up": _more,
    "a line is missing": _line_lost,
    "another currency": _other_currency,
}


@tagged("post_install", "-at_install")
class TestFaults(TaxEngineCommon):
    def setUp(self):
        super().setUp()
        self.falsified = ExitStack()
        self.addCleanup(self.mend)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connector.read_timeout = 0.3
        cls.workflow.max_attempts = 50

    def test_the_vendor_fails(self):
        for number, (name, (rule, kind)) in enumerate(FAULTS.items(), start=1):
            with self.subTest(fault=name):
                self.live(number, partial(self.break_engine, **rule), kind, kind)

    def test_the_vendor_answers_wrongly(self):
        for number, (name, change) in enumerate(WRONG.items(), start=11):
            with self.subTest(fault=name):
                # a void is answered without amounts
                fail = partial(self.falsify, change)
                self.live(number, fail, "ContractBroken", None)

    def falsify(self, change):
        """Change each answer about a document on its way."""
        send = AvaTax.send

        def other(provider, method, *args, **options):
            payload = send(provider, method, *args, **options)
            if method == "POST" and isinstance(payload, dict) and payload.get("lines"):
                change(payload)
            return payload

        self.falsified.enter_context(patch.object(AvaTax, "send", other))

    def mend(self):
        """All is well again."""
        self.falsified.close()
        self.mend_engine()

    def job(self, move, operation):
        """The newest job of an operation."""
        return self.env["finance.job"].search(
            [("document_id", "=", move.id), ("operation", "=", operation)], limit=1
        )

    @mute_logger("odoo.addons.finance_connector_base.lanes.lane")
    def live(self, number, fail, kind, of_void):
        """One invoice through quote, recording, recording again and void, each failing at first."""
        self.mend()
        move = self.create_houston_invoice(invoice_date=f"2026-03-{number:02}")
        before = (move.amount_tax, move.invoice_line_ids.mapped("tax_ids.id"))
        document = self.env["finance.tax.document"]

        fail()
        answers = move._finance_tax_ask(
            {move: move._finance_tax_request(self.workflow).content()}, {move: "trace"}
        )
        self.assertEqual(type(answers[move]).__name__, kind)
        with self.assertRaises(UserError):
            move.action_post()
        self.assertEqual(
            (move.state, (move.amount_tax, move.invoice_line_ids.mapped("tax_ids.id"))),
            ("draft", before),
        )
        self.assertFalse(move.finance_tax_document_ids)

        self.mend()
        move.action_post()
        document = move.finance_tax_document_id
        self.failing_first(move, "tax.commit", fail, kind, "posted", "committed")
        [version] = document.version_ids
        self.assertEqual((version.action, version.amount_tax), ("recorded", 10.64))

        document.sudo().state = "mismatch"
        document.action_record_again()
        self.failing_first(move, "tax.adjust", fail, kind, "posted", "committed")
        kept = self.recorded()[move.finance_tax_code]
        self.assertEqual(float(kept["totalTax"]), 10.64)

        move.button_draft()
        self.failing_first(move, "tax.void", fail, of_void, "voiding", "voided")
        self.assertNotIn(move.finance_tax_code, self.recorded())
        self.assertFalse(self.exceptions(move), "what is settled is no exception")

    def failing_first(self, move, operation, fail, kind, waiting, done):
        """A job fails, nothing is applied; it goes on, and ends once."""
        document, versions = move.finance_tax_document_id, len(self.versions(move))
        fail()
        self.drain()
        job = self.job(move, operation)
        if kind:
            self.assertEqual((job.error_class, document.state), (kind, waiting))
            self.assertEqual(len(self.versions(move)), versions, "nothing half-applied")
        self.mend()
        if job.state == "dead":
            job.action_retry()
        for _turn in range(3):
            self.drain(until_due=True)
        self.assertEqual((job.state, document.state), ("done", done))
        self.assertEqual(len(self.versions(move)), versions + 1)

    def versions(self, move):
        """What the engine came to have of a document."""
        return move.finance_tax_document_id.version_ids
