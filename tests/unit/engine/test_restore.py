"""Which local stores may be kept."""

from types import SimpleNamespace
from typing import Any

import pytest
import rocksdict
from confluent_kafka import KafkaError

from app.engine import restore
from app.engine.restore import META_KEY, Changelog, StoreMeta, put_meta, read_meta, usable

CHANGELOG = Changelog("t", 0, "id-1", max_age_seconds=100.0)
NOW = 1_000.0


@pytest.mark.parametrize(
    ("meta", "low", "high", "kept"),
    [
        (StoreMeta("id-1", 50, 990.0), 0, 80, True),
        (StoreMeta("id-1", 80, 990.0), 0, 80, True),
        (StoreMeta("id-1", 0, 990.0), 0, 0, True),
        (StoreMeta("id-1", 50, 900.0), 0, 80, True),
        (None, 0, 80, False),
        (StoreMeta("id-2", 50, 990.0), 0, 80, False),
        (StoreMeta("", 50, 990.0), 0, 80, False),
        (StoreMeta("id-1", 50, 899.9), 0, 80, False),
        (StoreMeta("id-1", 50, 1_000.1), 0, 80, False),
        (StoreMeta("id-1", 81, 990.0), 0, 80, False),
        (StoreMeta("id-1", 50, 990.0), 51, 80, False),
        (StoreMeta("id-1", 51, 990.0), 51, 80, True),
    ],
    ids=[
        "behind",
        "at the end",
        "both empty",
        "as old as allowed",
        "no meta",
        "another topic",
        "no topic id",
        "too old",
        "from the future: a clock jumped",
        "ahead of the changelog",
        "rows between it and the changelog are gone",
        "begins where the changelog begins",
    ],
)
def test_usable(meta: StoreMeta | None, low: int, high: int, kept: bool) -> None:
    assert usable(meta, CHANGELOG, low, high, NOW) is kept


def test_meta_comes_back_and_rubbish_is_not_trusted(db: Any) -> None:
    assert read_meta(db) is None
    batch = rocksdict.WriteBatch(raw_mode=True)
    put_meta(batch, "id-1", 42)
    db.write(batch)
    meta = read_meta(db)
    assert meta is not None and (meta.changelog_id, meta.offset) == ("id-1", 42)
    for rubbish in (b"\xc1", b"\x00", b"junk" * 9):
        db[META_KEY] = rubbish
        assert read_meta(db) is None


def test_a_restore_that_hears_nothing_gives_up(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions whose take-over waits for ever would be owned by nobody."""
    monkeypatch.setattr(restore, "SILENCE_SECONDS", 0.05)
    silent = SimpleNamespace(poll=lambda timeout: None)
    with pytest.raises(restore.RestoreStalled, match="t/0 at 7"):
        restore._replay(db, silent, CHANGELOG, 7, lambda: False)
    assert restore._replay(db, silent, CHANGELOG, 7, lambda: True) == 0, "one that is told to stop does"


class Changelogged:
    """A consumer of a changelog: records (offset, key, value), then the end of the partition, behind a commit marker."""

    def __init__(self, records: list[tuple[int, bytes, bytes | None]], end: int) -> None:
        self._messages = [self._message(offset, key, value) for offset, key, value in records]
        eof = KafkaError(KafkaError._PARTITION_EOF)
        self._messages.append(SimpleNamespace(error=lambda: eof, offset=lambda: end))

    @staticmethod
    def _message(offset: int, key: bytes, value: bytes | None) -> Any:
        return SimpleNamespace(error=lambda: None, offset=lambda: offset, key=lambda: key, value=lambda: value)

    def poll(self, timeout: float) -> Any:
        return self._messages.pop(0)

    def consume(self, count: int, timeout: float) -> list[Any]:
        taken, self._messages = self._messages[:count], self._messages[count:]
        return taken


def test_a_restore_is_what_the_changelog_says_up_to_its_end(db: Any) -> None:
    """Deletions too; and it is complete up to the marker, or the next start would read the last transaction again."""
    records: list[tuple[int, bytes, bytes | None]] = [(3, b"a", b"1"), (4, b"b", b"2"), (6, b"a", None), (7, b"b", b"3")]
    assert restore._replay(db, Changelogged(records, 9), CHANGELOG, 3, lambda: False) == 4  # type: ignore[arg-type]
    meta = read_meta(db)
    assert (db.get(b"a"), db.get(b"b"), meta and meta.offset) == (None, b"3", 9)
