import json
import os
import signal
from dataclasses import dataclass

from odoo import models


@dataclass(frozen=True)
class Note:
    """A text, there and back."""

    text: str


class TestTrivial(models.AbstractModel):
    _name = "finance.operation.test.trivial"
    _inherit = "finance.operation"
    _description = "Does nothing, inside Odoo"
    effect = "local"

    def _apply(self, job, result):
        return None


class TestCount(models.AbstractModel):
    _name = "finance.operation.test.count"
    _inherit = "finance.operation"
    _description = "Counts up, inside Odoo"
    effect = "local"

    def _apply(self, job, result):
        job.record.applied += 1


class TestPoison(models.AbstractModel):
    _name = "finance.operation.test.poison"
    _inherit = "finance.operation"
    _description = "Kills its worker, inside Odoo"
    effect = "local"

    def _apply(self, job, result):
        os.kill(os.getpid(), signal.SIGKILL)


class TestEcho(models.AbstractModel):
    _name = "finance.operation.test.echo"
    _inherit = "finance.operation"
    _description = "Calls, and a repeated call does no harm"
    flow = "test"
    effect = "idempotent"
    request_type = result_type = Note

    def _prepare(self, record):
        return Note(record.name)

    @staticmethod
    def _call(provider, request):
        return Note(provider.echo(request.text))

    def _apply(self, job, result):
        job.record.write({"applied": job.record.applied + 1, "answer": result.text})


class TestEchoOnce(models.AbstractModel):
    _name = "finance.operation.test.once"
    _inherit = "finance.operation.test.echo"
    _description = "Calls, and may not be repeated blindly; the vendor can be asked"
    effect = "once"

    @staticmethod
    def _query(provider, request):
        found = provider.find(provider.session.key)
        return Note(found) if found is not None else None


class TestEchoBlind(models.AbstractModel):
    _name = "finance.operation.test.blind"
    _inherit = "finance.operation.test.echo"
    _description = "Calls, may not be repeated blindly, and the vendor can't be asked"
    effect = "once"


class TestPoisonCall(models.AbstractModel):
    _name = "finance.operation.test.poison_call"
    _inherit = "finance.operation.test.echo"
    _description = "Kills its worker in the call"

    @staticmethod
    def _call(provider, request):
        os.kill(os.getpid(), signal.SIGKILL)


class TestSealed(models.AbstractModel):
    _name = "finance.operation.test.sealed"
    _inherit = "finance.operation.test.echo"
    _description = "Sends what stands nowhere else: the secrets of the test's environment"

    def _prepare(self, record):
        secrets = json.loads(os.environ.get("FINANCE_TEST_SECRETS", '["", ""]'))
        prefix = "refuse " if record.name.startswith("refuse") else ""
        return Note(prefix + secrets[int(record.name[-1]) % 2])

    def _apply(self, job, result):
        job.record.applied += 1
