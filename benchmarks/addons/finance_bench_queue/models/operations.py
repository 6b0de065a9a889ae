import os
import time

from odoo import models


class BenchStamp(models.AbstractModel):
    _name = "finance.operation.bench.stamp"
    _inherit = "finance.operation"
    _description = "Notes when it was started, inside Odoo"
    effect = "local"

    def _apply(self, job, result):
        job.record.answer = str(time.time())


class BenchSlow(models.AbstractModel):
    _name = "finance.operation.bench.slow"
    _inherit = "finance.operation.test.echo"
    _description = "A call that takes a second, and says which worker makes it"

    @staticmethod
    def _call(provider, request):
        body = {"key": provider.session.key, "pid": os.getpid()}
        provider.send("POST", "/slow", json=body)
        return request
