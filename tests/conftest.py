"""Servers for the tests that need real ones, started once per session (tests/platform says where they come from).

Where one cannot be had, each test that needs it is skipped with the reason, and one line at the end of the run says what is
missing. With LINELEDGER_REQUIRE_KAFKA=1 (CI) these skips are failures.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

import pytest

from app.demo.recordings import SHARED
from app.kafka.embedded import EmbeddedBroker
from app.kafka.topics import admin_client
from app.run.workers import TOLD_BY_ARGUMENTS
from tests.platform import available
from tests.platform.kafka_jars import ClusterProcess
from tests.platform.maven import Missing
from tests.platform.secured import SecuredCluster

REQUIRE_VARIABLE = "LINELEDGER_REQUIRE_KAFKA"
PROVED_VARIABLE = "LINELEDGER_PROVED"
"""Folder in which each test process leaves the names of the tests that passed (CI compares them with docs/invariants.md)."""
OF_AN_INSTALLATION = (*TOLD_BY_ARGUMENTS, "LINELEDGER_PLANT", "LINELEDGER_PRIVATE_KEY", "LINELEDGER_PRIVATE_KEY_FILE")
_missing = pytest.StashKey[dict[str, str]]()


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real Kafka broker that accepts transactions. Shared by the session: use an own topic prefix."""
    with ExitStack() as running:
        try:
            address = running.enter_context(available.kafka(tmp_path_factory.mktemp("kafka")))
        except Missing as missing:
            _refuse(request.config, "a real Kafka", missing)
        yield address


@pytest.fixture(scope="session")
def registry_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Client URL of a real schema registry. Shared by the session: use an own topic prefix."""
    with ExitStack() as running:
        try:
            address = running.enter_context(available.registry(tmp_path_factory.mktemp("registry")))
        except Missing as missing:
            _refuse(request.config, "a schema registry", missing)
        yield address


@pytest.fixture
def topic_prefix(kafka_bootstrap: str) -> Iterator[str]:
    """An own installation on the shared broker; its topics are removed after the test."""
    prefix = f"t{uuid.uuid4().hex[:8]}."
    yield prefix
    admin = admin_client(kafka_bootstrap)
    made = [topic for topic in admin.list_topics(timeout=10).topics if topic.startswith(prefix)]
    for future in admin.delete_topics(made).values() if made else ():
        future.result(20)


@pytest.fixture(scope="session")
def secured_cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredCluster]:
    """A real Kafka broker that refuses strangers. Shared by the session: use an own topic prefix."""
    try:
        cluster = SecuredCluster(tmp_path_factory.mktemp("secured-kafka"))
    except Missing as missing:
        _refuse(request.config, "a secured Kafka", missing)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def kafka_process(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterProcess]:
    """A running broker of this test alone, which it may stop, kill and start again."""
    try:
        cluster = ClusterProcess(tmp_path_factory.mktemp("cluster"))
    except Missing as missing:
        _refuse(request.config, "an own Kafka process", missing)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def embedded_bootstrap() -> Iterator[str]:
    """Address of the embedded broker, shared by the session: use an own topic prefix. See EmbeddedBroker for what it is not."""
    with EmbeddedBroker() as broker:
        yield broker.bootstrap


def _refuse(config: pytest.Config, what: str, missing: Missing) -> NoReturn:
    config.stash.setdefault(_missing, {})[what] = str(missing)
    reason = f"needs {what}: {missing}"
    if os.environ.get(REQUIRE_VARIABLE) == "1":
        pytest.fail(f"{reason} ({REQUIRE_VARIABLE}=1)", pytrace=False)
    pytest.skip(reason)


def pytest_report_header() -> str:
    return "recordings: whole" if SHARED.is_dir() else "recordings: excerpts only (the whole ones do not lie beside the project)"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """In CI a skip is a failure, whatever asked for it: what proves a guarantee must have run."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get(REQUIRE_VARIABLE) == "1":
        report.outcome, report.longrepr = "failed", f"{report.longrepr[2]} ({REQUIRE_VARIABLE}=1: nothing is skipped)"


_passed: pytest.StashKey[set[str]] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """The installation that a developer's shell names is none of a test's: workers would join it. What tests themselves are told
    (LINELEDGER_TEST_SHORT) stays."""
    for variable in OF_AN_INSTALLATION:
        os.environ.pop(variable, None)
    config.stash[_passed] = set()
    if os.environ.get(PROVED_VARIABLE):
        config.pluginmanager.register(_Proved(config.stash[_passed]))


class _Proved:
    """Notes the tests whose call passed, without their parameters."""

    def __init__(self, passed: set[str]) -> None:
        self._passed = passed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self._passed.add(report.nodeid.partition("[")[0].removesuffix("::runTest"))

    def pytest_sessionfinish(self) -> None:
        folder = Path(os.environ[PROVED_VARIABLE])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{os.getpid()}.txt").write_text("\n".join(sorted(self._passed)), encoding="utf-8")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(_missing, {})
    if found:
        causes = " | ".join(f"{what}: {cause}" for what, cause in sorted(found.items()))
        line = f"NOT TESTED, start Docker or install Java 17 and Maven: {causes}"
        terminalreporter.write_line(line, red=True, bold=True)
