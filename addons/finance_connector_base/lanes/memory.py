"""What a lane looks up once in a few seconds instead of once a job.

Plain values only: records lose what they have read at every commit. What must count at once (a
stopped connector, the rate limit, the breaker) is asked of the gate at every call instead.
"""

import time
from dataclasses import dataclass

from odoo import SUPERUSER_ID, api

SECONDS = 5.0

# Odoo's own way to these four values reads five whole rows, which is most of the time that one job
# on an idle server takes. A deleted user's work goes on as OdooBot's.
_STARTER = """
    SELECT u.id, p.lang, p.tz, c.parent_path
      FROM res_users u
      JOIN res_partner p ON p.id = u.partner_id
      LEFT JOIN res_company c ON c.id = %s
     WHERE u.id = ANY(%s)
     ORDER BY u.id <> %s
     LIMIT 1
"""


@dataclass(frozen=True)
class Starter:
    """Who started a job, as far as its environment needs it.

    family: ids of the job's company and its parents.
    """

    user_id: int
    context: dict
    family: frozenset

    def env(self, cr):
        """Return the environment in which the job's work is done on ``cr``."""
        return api.Environment(cr, self.user_id, self.context, su=True)


class Memory:
    """The lookups of one lane. ``seconds`` is how old an answer may be; 0 in tests.

    Called inside the lane's transactions only, because every method may read from the database.
    """

    def __init__(self, env, seconds=SECONDS):
        self.env = env
        self.seconds = seconds
        self._kept = {}

    def starter(self, user_id, company_id):
        """Return the `Starter` of a job of this user and company."""
        return self._recall(self._find_starter, user_id, company_id)

    def policy(self, workflow_id):
        """Return the `RetryPolicy` of a workflow; the usual one for 0 or None."""
        return self._recall(self._find_policy, workflow_id)

    def vendor(self, connector_id, company_id):
        """Return (`ConnectorConfig`, provider class). Raises as ``finance.connector._config``."""
        return self._recall(self._find_vendor, connector_id, company_id)

    def _recall(self, find, *key):
        now = time.monotonic()
        until, value = self._kept.get((find.__name__, *key), (0.0, None))
        if until <= now:
            value = find(*key)
            self._kept[find.__name__, *key] = (now + self.seconds, value)
        return value

    def _find_starter(self, user_id, company_id):
        self.env.cr.execute(_STARTER, [company_id, [user_id, SUPERUSER_ID], user_id])
        user_id, lang, tz, path = self.env.cr.fetchone()
        context = {"lang": lang or False, "tz": tz or False, "allowed_company_ids": [company_id]}
        parents = [int(part) for part in (path or "").split("/") if part]
        return Starter(user_id, context, frozenset([company_id, *parents]))

    def _find_policy(self, workflow_id):
        return self.env["finance.workflow"].browse(workflow_id or ())._retry_policy()

    def _find_vendor(self, connector_id, company_id):
        connector = self.env["finance.connector"].browse(connector_id)
        config = connector._config(self.env["res.company"].browse(company_id))
        return config, connector._provider_class()
