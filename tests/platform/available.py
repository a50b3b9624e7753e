"""The servers for a test session: what the environment names, else Docker, else Maven artifacts on Java 17, else Missing."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from tests.platform.apicurio import RegistryProcess
from tests.platform.containers import kafka_container, registry_container, require_docker
from tests.platform.kafka_jars import ClusterProcess
from tests.platform.maven import Missing

BOOTSTRAP_VARIABLE = "LINELEDGER_TEST_BOOTSTRAP"
REGISTRY_VARIABLE = "LINELEDGER_TEST_REGISTRY"


def kafka(folder: Path) -> AbstractContextManager[str]:
    """Bootstrap address of a real broker. Raises Missing on entry."""
    return _first(BOOTSTRAP_VARIABLE, kafka_container, lambda: _broker(folder))


def registry(folder: Path) -> AbstractContextManager[str]:
    """Client URL of a real registry. Raises Missing on entry."""
    return _first(REGISTRY_VARIABLE, registry_container, lambda: _registry(folder))


@contextmanager
def _first(
    variable: str, container: Callable[[], AbstractContextManager[str]], jars: Callable[[], AbstractContextManager[str]]
) -> Iterator[str]:
    if address := os.environ.get(variable):
        yield address
        return
    lacking = []
    try:
        require_docker()
        start = container
    except Missing as missing:
        lacking.append(str(missing))
        start = jars
    with ExitStack() as running:
        try:
            address = running.enter_context(start())
        except Missing as missing:
            raise Missing("; ".join([*lacking, str(missing), f"{variable} is not set"])) from missing
        yield address


@contextmanager
def _broker(folder: Path) -> Iterator[str]:
    cluster = ClusterProcess(folder)
    cluster.start()
    try:
        yield cluster.bootstrap
    finally:
        cluster.stop()


@contextmanager
def _registry(folder: Path) -> Iterator[str]:
    server = RegistryProcess(folder)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()
