"""Processes of the command line, composed but not running: on a real Kafka with a real registry."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from app.configuration import load
from app.kafka.connection import Connection
from app.settings import Settings
from app.topology import PlantProcess
from schemas.configuration import Configuration
from tests.composition.wires import CONFIG, installed


@pytest.fixture(scope="module")
def connection(kafka_bootstrap: str, registry_url: str) -> Connection:
    return installed(kafka_bootstrap, registry_url)


@pytest.fixture(autouse=True)
def own_metrics() -> Iterator[None]:
    """A process composes once; here each test does."""
    known = set(REGISTRY._collector_to_names)
    yield
    for collector in set(REGISTRY._collector_to_names) - known:
        REGISTRY.unregister(collector)


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVE_ERP_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("LIVE_ERP_TOKEN", "a-token-of-a-test")


@pytest.fixture
def plant(connection: Connection, environ: None, tmp_path: Path) -> PlantProcess:
    return PlantProcess(Settings(connection=connection, datadir=str(tmp_path)), load(CONFIG))


@pytest.fixture
def compose(connection: Connection, environ: None, tmp_path: Path):  # type: ignore[no-untyped-def]
    def composed(stages: Sequence[str], changed: Configuration | None = None) -> list[Any]:
        settings = Settings(connection=connection, datadir=str(tmp_path))
        return asyncio.run(PlantProcess(settings, changed or load(CONFIG)).apps(stages))

    return composed
