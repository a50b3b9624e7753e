"""A real RocksDB store, as the engine opens it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rocksdict


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Any]:
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    opened = rocksdict.Rdict(str(tmp_path / "store"), options)
    yield opened
    opened.close()
