"""``/finance/metrics``: what `finance.health` measures, for Prometheus.

Text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from datetime import UTC
from typing import NamedTuple

from odoo import SUPERUSER_ID, fields, http
from odoo.http import request

from ..models.finance_health import STATES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Sample(NamedTuple):
    """One line. labels: {name: value}; suffix: after the metric's name, of a summary."""

    value: float
    labels: dict
    suffix: str = ""


class Metric(NamedTuple):
    """One metric with its samples."""

    name: str
    kind: str
    help: str
    samples: list


class MetricsController(http.Controller):
    @http.route(
        "/finance/metrics", type="http", auth="none", methods=["GET"], csrf=False,
        save_session=False, readonly=False,
    )  # fmt: skip
    def metrics(self):
        """The figures of all connectors: for whoever has the token, nobody while there is none."""
        if not request.db:
            return request.make_response("Not found\n", status=404)
        # Not on a replica: the locks of lanes that are awake stand on the primary only.
        env = request.env(user=SUPERUSER_ID, su=True, context={})
        if not env["finance.metrics.token"]._is_set():
            return request.make_response("Not found\n", status=404)
        scheme, _, token = request.httprequest.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not env["finance.metrics.token"]._fits(token.strip()):
            return request.make_response(
                "Unauthorized\n", [("WWW-Authenticate", "Bearer")], status=401
            )
        headers = [("Content-Type", CONTENT_TYPE), ("Cache-Control", "no-store")]
        return request.make_response(text_of(metrics_of(env)), headers)


def text_of(metrics):
    """Return the text format of `Metric`s."""
    lines = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
        lines += [_line(metric.name, sample) for sample in metric.samples]
    return "\n".join(lines) + "\n"


def _line(name, sample):
    labels = ",".join(
        f'{key}="{str(value).translate(ESCAPES)}"' for key, value in sample.labels.items()
    )
    return f"{name}{sample.suffix}{'{' + labels + '}' if labels else ''} {sample.value!r}"


def metrics_of(env):
    """Return all `Metric`s. Connectors are numbers; finance_connector_info has their names.

    Names of companies, users, documents and texts of failures are left out on purpose.
    """
    connectors = env["finance.connector"].search([])
    health = env["finance.health"]._read([*connectors.ids, 0])
    ours = [({"connector": id_}, figures) for id_, figures in health.items()]
    real = ours[:-1]
    return [
        Metric("finance_connector_info", "gauge", "Names of the connectors; the value is 1.", [
            Sample(1, {"connector": row.id, "name": row.name, "provider": row.provider,
                       "environment": row.environment})
            for row in connectors
        ]),
        Metric("finance_connector_ready", "gauge", "1 when the connector may call.", [
            Sample(int(row.state == "ready"), {"connector": row.id}) for row in connectors
        ]),
        *_exchanges(env, real),
        Metric("finance_jobs", "gauge", "Unfinished jobs; connector 0: jobs without one.", [
            Sample(sum(n for (name, _), n in figures.jobs.items() if name == state),
                   labels | {"state": state})
            for labels, figures in ours for state in STATES
        ]),
        Metric("finance_job_oldest_seconds", "gauge", "Age of the oldest waiting job.", [
            Sample(figures.oldest or 0.0, labels) for labels, figures in ours
        ]),
        Metric("finance_breaker_open", "gauge", "1 while a failing vendor is left alone.", [
            Sample(int(figures.breaker != "closed"), labels) for labels, figures in real
        ]),
        _exceptions(env),
        *_freshness(env, connectors.workflow_ids),
        *_lanes(env),
        *_evidence(env),
    ]  # fmt: skip


def _exchanges(env, ours):
    totals = env["finance.exchange.day"]._totals()
    summary = [
        Sample(value, labels | {"quantile": quantile})
        for labels, figures in ours
        if figures.calls
        for quantile, value in (("0.5", figures.p50), ("0.95", figures.p95))
    ]
    for labels, _ in ours:
        mine = [row for row in totals if row[0] == labels["connector"]]
        summary.append(Sample(float(sum(row[3] or 0 for row in mine)), labels, "_sum"))
        summary.append(Sample(sum(row[2] for row in mine), labels, "_count"))
    return [
        Metric("finance_exchanges_total", "counter", "Exchanges by how they ended.", [
            Sample(calls, {"connector": connector, "outcome": outcome})
            for connector, outcome, calls, _ in totals
        ]),
        Metric("finance_exchange_duration_seconds", "summary",
               "How long exchanges took; quantiles of the last 24 hours.", summary),
    ]  # fmt: skip


def _exceptions(env):
    keys = ["code", "kind", "blocks_close"]
    groups = env["finance.exception"]._read_group([("state", "=", "open")], keys, ["__count"])
    return Metric("finance_exceptions_open", "gauge", "Open exceptions.", [
        Sample(count, {"code": code, "kind": kind, "blocks_close": str(blocks).lower()})
        for code, kind, blocks, count in groups
    ])  # fmt: skip


def _freshness(env, workflows):
    def labels(row):
        return {"connector": row.connector_id.id, "flow": row.flow, "company": row.company_id.id}

    health = env["finance.health"]
    successes = health._successes(workflows)
    rows = [(row, labels(row), *successes[row.id]) for row in workflows]
    return [
        Metric("finance_last_success_timestamp_seconds", "gauge", "Last success of a workflow.", [
            Sample(_epoch(success), labels) for _, labels, success, _ in rows if success
        ]),
        Metric("finance_workflow_late_seconds", "gauge", "By how long it missed its promise.", [
            Sample((health._hours_late(row, success, waits) or 0.0) * 3600, labels)
            for row, labels, success, waits in rows
        ]),
    ]  # fmt: skip


def _lanes(env):
    lanes = env["finance.health"]._lanes()
    yield Metric("finance_lanes_awake", "gauge", "Lanes at work, on all hosts.",
                 [Sample(lanes.awake, {})])  # fmt: skip
    yield Metric("finance_lane_last_run_timestamp_seconds", "gauge", "When a lane last ended.",
                 [Sample(_epoch(lanes.last_run), {})] if lanes.last_run else [])  # fmt: skip
    yield Metric("finance_job_overdue_seconds", "gauge", "How long the first job is due that a"
                 " lane could take.", [Sample(lanes.overdue or 0.0, {})])  # fmt: skip


def _evidence(env):
    state = env["finance.audit.seal"]._state()
    newest, oldest = state["newest"], state["oldest"]
    age = (fields.Datetime.now() - oldest).total_seconds() if oldest else 0.0
    yield Metric("finance_audit_unsealed_seconds", "gauge", "Age of the oldest audit event without"
                 " a seal.", [Sample(max(age, 0.0), {})])  # fmt: skip
    yield Metric("finance_audit_seal_number", "gauge", "Number of the newest seal.",
                 [Sample(newest.sequence, {})])  # fmt: skip


def _epoch(moment):
    return moment.replace(tzinfo=UTC).timestamp()
