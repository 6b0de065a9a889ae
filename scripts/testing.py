"""``make test``: plain Python, each addon in a real database, contracts, whole systems.

The stages are processes of their own: plain tests run on stub packages, addon tests import the
real odoo, system tests start real servers and import no odoo at all.
"""

import dataclasses
import os
import shutil
import subprocess
import time
import uuid
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

from . import odoo_cli, postgres
from .browser import ensure_browser
from .commands import prepare
from .console import Failure, say
from .databases import Databases, finance_addons
from .paths import ADDONS, PYTHON, ROOT, TEST_OUTPUT, ensure
from .venv import DEVELOPMENT

TESTS = ROOT / "tests"
BUDGET_MINUTES = 20
# Any other reason to skip fails the run: a missing browser must not look like success.
ACCEPTED_SKIPS = ("soak:", "optional:")


@dataclasses.dataclass
class Tally:
    """What one stage's report says."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    refused: list = dataclasses.field(default_factory=list)

    def add(self, other):
        """Sum up."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.refused += other.refused


def main(arguments):
    """Run all stages, or those parts that ``arguments`` name."""
    started = time.monotonic()
    parts = _select(arguments)
    prepare(DEVELOPMENT)
    if any(parts[stage] for stage in TEMPLATES):
        ensure_browser()
    if not arguments:
        shutil.rmtree(TEST_OUTPUT, ignore_errors=True)
    total = Tally()
    with postgres.server("test") as cluster, ThreadPoolExecutor(1) as beside:
        # one core builds the templates while the other runs what needs none
        templates = {
            stage: beside.submit(build, Databases(cluster), parts[stage])
            for stage, build in TEMPLATES.items()
            if parts[stage]
        }
        for stage, run in STAGES.items():
            if parts[stage]:
                say(f"\n=== {stage} ===")
                template = stage in templates and templates[stage].result()
                total.add(run(cluster, parts[stage], template))
    return _close(total, time.monotonic() - started)


# === WHAT TO RUN === #


def _select(arguments):
    """Stage → pytest targets."""
    parts = {stage: [] for stage in STAGES}
    for part in arguments or list(STAGES):
        if part in STAGES:
            parts[part] += _everything(part)
            continue
        path = part if "/" in part else f"addons/{part}"
        if not (ROOT / path.split("::")[0]).exists():
            raise Failure(
                f"No such tests: {part}.", f"make test ONLY={'|'.join(STAGES)}|<addon>|<file>"
            )
        parts[_stage_of(path)].append(path)
    return parts


def _everything(stage):
    if stage == "addons":
        folders = [ADDONS / addon / "tests" for addon in finance_addons()]
    elif stage == "plain":
        folders = [TESTS / "plain", *sorted(TESTS.glob("test_*.py"))]
    else:
        folders = [TESTS / stage]
    return [str(folder.relative_to(ROOT)) for folder in folders if folder.exists()]


def _stage_of(path):
    if path.startswith("addons/"):
        return "addons"
    return next((stage for stage in ("contract", "system") if f"tests/{stage}" in path), "plain")


# === STAGES === #


def _plain(cluster, targets, _template):
    return _pytest("plain", targets, _without_odoo(cluster))


def _contract(cluster, targets, _template):
    return _pytest("contract", targets, _without_odoo(cluster))


def _system(cluster, targets, _template):
    run = uuid.uuid4().hex[:8]
    # a third one works while the others wait: for time-outs, for a server to come back
    options = [*_at_once(3, targets, "worksteal"), f"--testrunuid={run}"]
    try:
        return _pytest("system", targets, _without_odoo(cluster), *options)
    finally:
        Databases(cluster).drop(f"fc_sys_jobs_{run}")


def _addons(cluster, targets, template):
    databases = Databases(cluster)
    name = f"fc_test_{uuid.uuid4().hex[:8]}"
    databases.copy(template, name)
    options = ["-o", "addopts=-p no:cacheprovider -ra", f"--odoo-database={name}", "--odoo-http"]
    options += [f"--odoo-extra=screenshots={TEST_OUTPUT / 'screenshots'}"]
    options += _at_once(2, targets, "loadfile")
    try:
        return _pytest("addons", targets, databases.environment, *options)
    finally:
        for leftover in databases.names():
            if leftover.startswith(name):
                databases.drop(leftover)


def _at_once(number, targets, distribution):
    """Options of pytest-xdist; none for a single test, whose output is wanted as it comes."""
    if len(targets) == 1 and "::" in targets[0]:
        return []
    return ["-n", str(number), "--dist", distribution]


STAGES = {"plain": _plain, "contract": _contract, "addons": _addons, "system": _system}


def _addons_template(databases, targets):
    # for single files it would not pay
    files = all(".py" in target for target in targets)
    return databases.template() if files else databases.with_companies()


def _system_template(databases, targets):
    whole = targets == _everything("system")
    return databases.with_bundles() if whole else databases.template()


# What a stage copies its databases from.
TEMPLATES = {"addons": _addons_template, "system": _system_template}


def _without_odoo(cluster):
    variables = odoo_cli.environment(cluster)
    variables.pop("PYTHONPATH", None)
    return variables


def _pytest(stage, targets, environment, *options):
    report = ensure(TEST_OUTPUT) / f"{stage}.{os.getpid()}.xml"
    environment = environment | {"FINANCE_TEST_OUTPUT": str(TEST_OUTPUT)}
    argv = [
        PYTHON,
        "-m",
        "pytest",
        "-q",
        "--color=auto",
        f"--junitxml={report}",
        *options,
        *targets,
    ]
    if os.environ.get("SOAK"):
        argv.append("--timeout=3600")
    code = subprocess.run(argv, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL).returncode
    tally = _read(report) if report.exists() else Tally()
    if report.exists():
        report.replace(TEST_OUTPUT / f"{stage}.xml")
    if code not in (0, 5) and not tally.failed:
        say(f"FAIL  pytest of {stage} ended with exit code {code}")
        tally.failed += 1
    return tally


def _read(report):
    tally = Tally()
    for case in ElementTree.parse(report).iter("testcase"):
        if not case.get("name"):
            # what was under way when the run was interrupted
            continue
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.failed += 1
        elif skipped is None:
            tally.passed += 1
        elif skipped.get("type") == "pytest.xfail" or _accepted(skipped.get("message", "")):
            tally.skipped += 1
        else:
            tally.failed += 1
            where = f"{case.get('classname')}.{case.get('name')}"
            tally.refused.append(f"{where}: skipped: {skipped.get('message')}")
    return tally


def _accepted(reason):
    return reason.lower().startswith(ACCEPTED_SKIPS)


def _close(total, seconds):
    say()
    for line in total.refused:
        say(f"FAIL  {line}")
    if total.refused:
        say(
            f"      A skip fails the run unless its reason starts with {' or '.join(ACCEPTED_SKIPS)}"
        )
    say(f"Took {seconds / 60:.1f} of {BUDGET_MINUTES} minutes. Reports, screenshots: {TEST_OUTPUT}")
    say(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed or not total.passed else 0
