"""Servers for the tests that need real ones, started once per session (tests/platform says where they come from).

Where one cannot be had, each test that needs it is skipped with the reason, and one line at the end of the run says what is
missing. With LINELEDGER_REQUIRE_KAFKA=1 (CI) these skips are failures.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NoReturn

import pytest

from app.kafka.embedded import EmbeddedBroker
from app.kafka.topics import admin_client
from tests.platform import available
from tests.platform.kafka_jars import ClusterProcess
from tests.platform.maven import Missing

REQUIRE_VARIABLE = "LINELEDGER_REQUIRE_KAFKA"
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(_missing, {})
    if found:
        causes = " | ".join(f"{what}: {cause}" for what, cause in sorted(found.items()))
        line = f"NOT TESTED, start Docker or install Java 17 and Maven: {causes}"
        terminalreporter.write_line(line, red=True, bold=True)
