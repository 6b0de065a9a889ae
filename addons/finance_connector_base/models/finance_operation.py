import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from uuid import uuid4

from odoo import api, models
from odoo.exceptions import UserError
from odoo.modules import module

from ..canonical import codec
from ..lanes.link import link_of
from ..lanes.ports import SqlGate, SqlRecorder, SqlTokens
from ..providers.errors import Held, ProviderError, Transient
from ..providers.http import POOL_SIZE
from ..providers.session import Session

EFFECTS = [
    ("local", "Inside Odoo only"),
    ("question", "Asks, changes nothing"),
    ("idempotent", "Changes; the vendor knows a repeated request"),
    ("once", "Changes; never repeated blindly"),
]
CHANGING = ("idempotent", "once")
# Threads for questions that a person waits for, where the vendor sets no limit.
ASKING_THREADS = 8
# So many of their answers are written at a time.
KEPT_TOGETHER = 16


class FinanceOperation(models.AbstractModel):
    """One kind of work: prepare in Odoo, call the vendor, apply in Odoo.

    A concrete operation is an abstract model named ``finance.operation.<name>``; jobs find it by
    that name. It sets the attributes and overrides `_prepare`, `_call`, `_apply`.
    """

    _name = "finance.operation"
    _description = "Operation"

    flow = ""
    effect = "question"
    # Operations whose job, when it was never called, is cancelled together with ours.
    cancels = ()
    request_type = None
    result_type = None
    # Whether `_late` adds something.
    late = False
    # A question's answer serves again for so many hours.
    answer_hours = 24

    # === WHAT AN OPERATION DEFINES === #

    def _prepare(self, record):
        """Return the canonical request for ``record``. No I/O. Raises UserError when it can't."""
        return None

    def _late(self, record, request):
        """Return ``request`` with what only the vendor's earlier answers tell: its id of a document.

        Called right before each call of an operation that is ``late``. What was decided stays.
        """
        return request

    @staticmethod
    def _call(provider, request):
        """Do it at the vendor and return the canonical result. No env: may run in a thread.

        Raises the error classes of ``providers.errors``.
        """
        raise NotImplementedError("This operation makes no call")

    def _apply(self, job, result):
        """Write the result to records; one transaction with the end of the job."""

    @staticmethod
    def _query(provider, request):
        """Ask the vendor what became of a request that got no answer.

        Return the result when it was done, None when it was not. An operation whose vendor can't
        be asked leaves this method alone.
        """
        raise NotImplementedError("The vendor can't be asked")

    def _vendor_knows(self, record):
        """Return whether the vendor has, or may have, an object for ``record``."""
        return bool(self.env["finance.external.ref"]._of(record))

    def _failed(self, job, error):
        """Say to the document what the end of ``job`` means; ``error`` as `ProviderError`.

        Return (exception code, values for `finance.exception._raise`) to word the exception for
        the document, None for the usual wording.
        """
        return None

    @api.model
    def _check_company(self, job, family):
        """Refuse an answer that would be written to a record of another company.

        family: ids of the job's company and its parents.
        """
        for field, ids in list(self.env.transaction.field_dirty.items()):
            model = self.env[field.model_name]
            if "company_id" not in model._fields or not ids:
                continue
            for record in model.browse(ids):
                if record.company_id and record.company_id.id not in family:
                    raise UserError(
                        self.env._(
                            "%(job)s works for %(company)s and may not change %(record)s of"
                            " %(other)s. Nothing was written.",
                            job=job.display_name,
                            company=job.company_id.name,
                            record=record.display_name,
                            other=record.company_id.name,
                        )
                    )

    # === REAL TIME === #

    @api.model
    def _can_query(self):
        return type(self)._query is not self.pool["finance.operation"]._query

    @api.model
    def _open_session(
        self, connector, company, *, effect="question", job=None, deadline=None, trace_id=""
    ):
        """Return the provider of ``connector``, ready to be called for ``company``.

        job: dict with id, key and trace_id when it runs for a job. deadline: `time.monotonic()`
        value or None. Raises UserError where the connector may not be called at all.
        """
        session = self._session(
            connector._config(company),
            self.env["finance.vault"]._vault(),
            effect=effect,
            job=job,
            deadline=deadline,
            trace_id=trace_id,
        )
        return connector._provider_class()(session)

    @api.model
    def _session(self, config, vault, *, effect, job=None, deadline=None, trace_id=""):
        """Return the `Session` of a provider with ``config``, a `ConnectorConfig`."""
        link = link_of(self.env, durable=False)
        job = job or {}
        trace_id = job.get("trace_id") or trace_id or uuid4().hex
        recorder = SqlRecorder(
            link,
            vault,
            connector_id=config.id,
            company_id=config.company_id,
            job_id=job.get("id"),
            trace_id=trace_id,
            new_uuid=lambda: str(uuid4()),
        )
        return Session(
            config=config,
            gate=SqlGate(link, config.id),
            tokens=SqlTokens(
                partial(link_of, self.env, durable=False),
                vault,
                connector_id=config.id,
                environment=config.environment,
                user_id=self.env.uid,
                new_uuid=lambda: str(uuid4()),
                deadline=deadline,
            ),
            recorder=recorder,
            effect=effect,
            operation=job.get("operation") or self._name.removeprefix("finance.operation."),
            key=job.get("key", ""),
            trace_id=trace_id,
            deadline=deadline,
        )

    @api.model
    def _ask(self, connector, company, requests, *, seconds=10.0, traces=None):
        """Ask the vendor in real time; return one result, or one `ProviderError`, a request.

        requests: canonical dataclasses. traces: the trace id of each, in the same order. Questions
        that are alike are asked once; answers are kept by content, so a transaction that Odoo runs
        again asks nothing twice. All calls share one deadline of ``seconds``.
        """
        digests = [codec.digest(request) for request in requests]
        traces = traces or [""] * len(requests)
        operation = self._name.removeprefix("finance.operation.")
        texts = self.env["finance.answer"]._known(
            connector, operation, set(digests), self.answer_hours
        )
        missing = {
            digest: (request, trace_id)
            for digest, request, trace_id in zip(digests, requests, traces, strict=True)
            if digest not in texts
        }
        results = {digest: codec.load(self.result_type, text) for digest, text in texts.items()}
        if missing:
            results |= self._ask_vendor(connector, company, missing, time.monotonic() + seconds)
        return [results[digest] for digest in digests]

    def _ask_vendor(self, connector, company, missing, deadline):
        config = connector._config(company)
        vault = self.env["finance.vault"]._vault()
        vendor = connector._provider_class()

        def question(request, trace_id):
            session = self._session(
                config, vault, effect="question", deadline=deadline, trace_id=trace_id
            )
            return vendor(session), request

        def ask(provider, request):
            while True:
                try:
                    return self._call(provider, request)
                except ProviderError as error:
                    if not _worth_waiting(error, deadline - time.monotonic()):
                        return error
                    time.sleep(max(0.05, error.retry_after))

        questions = [question(request, trace_id) for request, trace_id in missing.values()]
        # A test has one cursor, which only its own thread may use.
        if len(missing) == 1 or module.current_test:
            results = [ask(provider, request) for provider, request in questions]
            self._remember(connector, missing, results)
            return dict(zip(missing, results, strict=True))
        results = []
        threads = min(connector.concurrency or ASKING_THREADS, POOL_SIZE, len(missing))
        with ThreadPoolExecutor(threads) as pool:
            landing = pool.map(lambda asked: ask(*asked), questions)
            # kept while others are under way: where a worker dies, little is asked again
            while landed := list(islice(landing, KEPT_TOGETHER)):
                asked = dict(islice(missing.items(), len(results), len(results) + len(landed)))
                self._remember(connector, asked, landed)
                results += landed
        return dict(zip(missing, results, strict=True))

    def _remember(self, connector, missing, results):
        """Keep the answers among ``results`` to {digest: (request, trace id)}, in that order."""
        self.env["finance.answer"]._remember_many(
            connector,
            self._name.removeprefix("finance.operation."),
            [
                (digest, codec.dump(result), str(uuid4()), trace_id)
                for (digest, (_request, trace_id)), result in zip(
                    missing.items(), results, strict=True
                )
                if not isinstance(result, ProviderError)
            ],
        )

    # === FINDING === #

    @api.model
    def _asking(self):
        """Return the names of the operations that change nothing at a vendor."""
        prefix = "finance.operation."
        return [
            name.removeprefix(prefix)
            for name, model in self.env.registry.items()
            if name.startswith(prefix) and model.effect not in CHANGING
        ]

    @api.model
    def _words(self, name):
        """Return what the operation called ``name`` does, in the reader's language."""
        return self.env["ir.model"].sudo()._get(f"finance.operation.{name}").name or name

    @api.model
    def _named(self, name):
        """Return the operation model called ``name``. Raises UserError when there is none."""
        operation = self.env.get(f"finance.operation.{name}")
        if operation is None:
            raise UserError(
                self.env._(
                    "The operation %(name)s is not known in this database. Install the addon that"
                    " brings it, or cancel its jobs.",
                    name=name,
                )
            )
        return operation


def _worth_waiting(error, seconds):
    """Whether a question may go out again within the ``seconds`` that a person waits at most."""
    if isinstance(error, Held) and error.reason not in ("rate", "busy"):
        return False
    soon = error.retry_after is not None and error.retry_after < seconds
    return soon and isinstance(error, (Held, Transient))
