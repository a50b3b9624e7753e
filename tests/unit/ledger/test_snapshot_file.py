"""The ledger of a run is written whole or not at all."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.configuration import load
from app.demo.master import CONFIGURATION
from app.ledger.books import snapshot

LIMIT = 64 << 10


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Bytes, for this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_one_that_does_not_fit_says_so_and_the_one_before_stands(tmp_path: Path) -> None:
    configuration, large = load(CONFIGURATION), {b"key %d" % number: bytes(1_000) for number in range(500)}
    path = snapshot.write(tmp_path, {}, [], configuration, {"is": "small"})
    with pytest.raises(OSError, match="disk I/O error") as wrong, files_of_at_most(LIMIT):
        snapshot.write(tmp_path, {"orders": large}, [], configuration, {"is": "large"})
    assert wrong.value.filename == str(path)
    assert [left.name for left in tmp_path.iterdir()] == [path.name]
    assert snapshot.read(tmp_path).about == {"is": "small"}


def test_a_folder_of_which_nothing_can_be_made(tmp_path: Path) -> None:
    (tmp_path / f"{snapshot.FILE}.new").mkdir()
    with pytest.raises(IsADirectoryError):
        snapshot.write(tmp_path, {}, [], load(CONFIGURATION), {})
