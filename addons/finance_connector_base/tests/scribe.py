"""A vendor that writes down what it is sent, and the operations that tests of jobs run with it."""

from dataclasses import dataclass
from unittest.mock import patch

from odoo import models
from odoo.orm.model_classes import add_to_registry

from ..providers.base import Provider
from ..providers.errors import Uncertain
from .vendor import ConnectorCase


@dataclass(frozen=True)
class Text:
    """A text, there and back."""

    text: str


class Scribe(Provider):
    """Writes down what it is sent; fails as `failures` say, one a call."""

    code, label = "scribe", "Scribe"
    hosts = {"sandbox": "https://scribe.example.com"}
    sent = []
    failures = []

    def ping(self):
        return "here"

    def write(self, text):
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Uncertain):
                self.sent.append((self.session.key, text))
            raise failure
        self.sent.append((self.session.key, text))
        return text.upper()


class WriteDown(models.AbstractModel):
    _module = None
    _name = "finance.operation.scribe.write"
    _inherit = "finance.operation"
    _description = "Write down"
    flow = "tax"
    effect = "idempotent"
    request_type = result_type = Text

    def _prepare(self, record):
        return Text(record.name)

    @staticmethod
    def _call(provider, request):
        return Text(provider.write(request.text))

    def _apply(self, job, result):
        job.record.comment = result.text


class WriteOnce(models.AbstractModel):
    _module = None
    _name = "finance.operation.scribe.once"
    _inherit = "finance.operation.scribe.write"
    _description = "Write down, once"
    effect = "once"

    @staticmethod
    def _query(provider, request):
        found = [text for key, text in provider.sent if key == provider.session.key]
        return Text(found[0].upper()) if found else None


class WriteBlind(models.AbstractModel):
    _module = None
    _name = "finance.operation.scribe.blind"
    _inherit = "finance.operation.scribe.write"
    _description = "Write down, once, and nobody can be asked"
    effect = "once"


class Erase(models.AbstractModel):
    _module = None
    _name = "finance.operation.scribe.erase"
    _inherit = "finance.operation.scribe.write"
    _description = "Erase"
    cancels = ("scribe.write",)

    def _prepare(self, record):
        return Text(f"erase {record.name}")


class Stamp(models.AbstractModel):
    _module = None
    _name = "finance.operation.scribe.stamp"
    _inherit = "finance.operation"
    _description = "Stamp, inside Odoo"
    effect = "local"

    def _apply(self, job, result):
        job.record.comment = f"{self.env.user.login} {self.env.company.id} {self.env.lang}"


class Meddle(models.AbstractModel):
    _module = None
    _name = "finance.operation.scribe.meddle"
    _inherit = "finance.operation"
    _description = "Writes to another company"
    effect = "local"

    def _apply(self, job, result):
        other = self.env["res.company"].sudo().search([("id", "!=", job.company_id.id)], limit=1)
        job.record.company_id = other


OPERATIONS = (WriteDown, WriteOnce, WriteBlind, Erase, Stamp, Meddle)


class ScribeCase(ConnectorCase):
    """A connector of the vendor that writes down, and jobs about a partner."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for operation in OPERATIONS:
            add_to_registry(cls.registry, operation)
            cls.addClassCleanup(cls.registry.models.pop, operation._name, None)
        cls.registry._setup_models__(cls.env.cr, [])
        cls.startClassPatcher(
            patch.object(
                cls.registry["finance.connector"],
                "_provider_classes",
                lambda self: {"scribe": Scribe},
            )
        )
        cls.scribe = cls.env["finance.connector"].create(
            {"name": "Scribe", "provider": "scribe", "company_ids": [(6, 0, cls.company.ids)]}
        )
        cls.partner = cls.env["res.partner"].create({"name": "first", "lang": "en_US"})

    def setUp(self):
        super().setUp()
        Scribe.sent = []
        Scribe.failures = []

    def enqueue(self, operation="scribe.write", record=None, **options):
        """Enqueue for the partner; its id stands for the random identity of a document."""
        record = record or self.partner
        identity = patch.object(
            type(record), "_finance_uuid", lambda self: f"uuid-{self.id}", create=True
        )
        with identity:
            return self.env["finance.job"]._enqueue(
                record, operation, connector=self.scribe, company=self.company, **options
            )

    def exceptions(self, code):
        return self.env["finance.exception"].search(
            [("code", "=", code), ("connector_id", "=", self.scribe.id), ("state", "=", "open")]
        )
