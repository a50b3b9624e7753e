"""Each chaos test has its own topics, volumes and processes; nothing outlives it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.counting_plant import CountingPlant


@pytest.fixture
def plant(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> Iterator[CountingPlant]:
    """The counting stage on the shared broker."""
    made = CountingPlant(kafka_bootstrap, topic_prefix, tmp_path)
    yield made
    made.close()
