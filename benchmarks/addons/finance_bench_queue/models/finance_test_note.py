import os
import time

import requests

from odoo import models

# Connections are kept for the peer, too.
_session = requests.Session()
_session.trust_env = False


class FinanceTestNote(models.Model):
    """The peer's jobs: the same work as the operations beside them, as queue_job wants it."""

    _inherit = "finance.test.note"

    def _peer_trivial(self):
        return None

    def _peer_stamp(self):
        self.answer = str(time.time())

    def _peer_echo(self, url):
        answer = self._peer_post(f"{url}/echo", {"text": self.name, "key": self.uuid})
        self.write({"applied": self.applied + 1, "answer": answer["text"]})

    def _peer_slow(self, url):
        self._peer_post(f"{url}/slow", {"key": self.uuid, "pid": os.getpid()})

    def _peer_post(self, url, body):
        response = _session.post(url, json=body, timeout=(2.0, 5.0))
        response.raise_for_status()
        return response.json()
