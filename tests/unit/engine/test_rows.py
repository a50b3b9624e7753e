"""Rows of one partition: cache, dirty rows, tombstones, scans; over a real store."""

from pathlib import Path
from typing import Any

import pytest
import rocksdict

from app.engine import rows as engine_rows
from app.engine.rows import RowCache, StoreDamaged, ValueTooLarge
from schemas.codec import MAX_MESSAGE_BYTES, Codec
from schemas.records import AccountClosedRow

CODEC = Codec()


def row(key: str, closed: int = 1) -> AccountClosedRow:
    return AccountClosedRow(key, closed)


def commit(rows: RowCache, db: Any) -> list[tuple[bytes, bytes | None]]:
    """As a checkpoint does it."""
    taken = rows.take_dirty()
    batch = rocksdict.WriteBatch(raw_mode=True)
    rows.write_back(taken, batch)
    db.write(batch)
    rows.written()
    return taken


def names(rows: RowCache, prefix: str) -> list[str]:
    return [key for key, _ in rows.scan(prefix)]


def test_a_row_is_read_once_and_then_the_same_object(db: Any) -> None:
    db[b"a"] = CODEC.encode(row("a", 7))
    rows = RowCache(db, CODEC)
    first = rows.get("a")
    assert first == row("a", 7) and rows.get("a") is first
    assert rows.get("missing") is None


def test_put_makes_dirty_and_a_commit_makes_clean(db: Any) -> None:
    rows = RowCache(db, CODEC)
    rows.put("a", row("a"))
    rows.put("a", row("a", 2))
    assert rows.pending == 1
    assert commit(rows, db) == [(b"a", CODEC.encode(row("a", 2)))]
    assert rows.pending == 0 and rows.take_dirty() == []
    assert RowCache(db, CODEC).get("a") == row("a", 2)


def test_a_row_that_changes_after_the_snapshot_goes_with_the_next_one(db: Any) -> None:
    rows = RowCache(db, CODEC)
    kept = row("a", 1)
    rows.put("a", kept)
    taken = rows.take_dirty()
    kept.closed = 2
    rows.put("a", kept)
    assert CODEC.decode(taken[0][1]) == row("a", 1)
    assert CODEC.decode(rows.take_dirty()[0][1]) == row("a", 2)


@pytest.mark.parametrize("stored", [False, True], ids=["never stored", "stored"])
@pytest.mark.parametrize("read_first", [False, True], ids=["unread", "read"])
def test_a_tombstone_is_sent_only_for_a_stored_row(db: Any, stored: bool, read_first: bool) -> None:
    if stored:
        db[b"a"] = CODEC.encode(row("a"))
    rows = RowCache(db, CODEC)
    if read_first:
        rows.get("a")
    rows.delete("a")
    rows.delete("a")
    assert rows.get("a") is None
    assert commit(rows, db) == ([(b"a", None)] if stored else [])
    assert b"a" not in db


def test_a_row_that_is_born_and_deleted_between_two_commits_leaves_no_trace(db: Any) -> None:
    rows = RowCache(db, CODEC)
    rows.put("a", row("a"))
    rows.delete("a")
    assert commit(rows, db) == []


def test_a_row_deleted_while_its_commit_is_in_flight_gets_its_tombstone_next(db: Any) -> None:
    rows = RowCache(db, CODEC)
    rows.put("a", row("a"))
    taken = rows.take_dirty()
    rows.delete("a")
    batch = rocksdict.WriteBatch(raw_mode=True)
    rows.write_back(taken, batch)
    db.write(batch)
    rows.written()
    assert rows.get("a") is None
    assert rows.take_dirty() == [(b"a", None)]


def test_a_row_deleted_twice_while_its_commit_is_in_flight_gets_its_tombstone_next(db: Any) -> None:
    rows = RowCache(db, CODEC)
    rows.put("a", row("a"))
    taken = rows.take_dirty()
    rows.delete("a")
    rows.delete("a")
    batch = rocksdict.WriteBatch(raw_mode=True)
    rows.write_back(taken, batch)
    db.write(batch)
    rows.written()
    assert commit(rows, db) == [(b"a", None)]
    assert RowCache(db, CODEC).get("a") is None


def test_a_scan_sees_stored_dirty_and_in_flight_rows_in_key_order(db: Any) -> None:
    for key in ("p|1", "p|3", "p|5", "q|1"):
        db[key.encode()] = CODEC.encode(row(key))
    rows = RowCache(db, CODEC)
    rows.put("p|2", row("p|2"))
    rows.delete("p|5")
    rows.take_dirty()  # p|2 is in no store and not dirty: its transaction is under way
    rows.put("p|0", row("p|0"))
    rows.delete("p|3")
    assert names(rows, "p|") == ["p|0", "p|1", "p|2"]
    assert names(rows, "r|") == []


def test_a_row_changed_during_a_scan_is_the_object_that_get_returns(db: Any) -> None:
    db[b"p|1"] = CODEC.encode(row("p|1"))
    rows = RowCache(db, CODEC)
    for _, found in rows.scan("p|"):
        found.closed = 9
    assert rows.get("p|1").closed == 9


def test_the_cache_is_bounded_and_forgets_only_clean_rows(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_rows, "MAX_CACHED_ROWS", 3)
    rows = RowCache(db, CODEC)
    for number in range(5):
        rows.put(f"k{number}", row(f"k{number}"))
    taken = rows.take_dirty()
    rows.put("k4", row("k4", 2))
    batch = rocksdict.WriteBatch(raw_mode=True)
    rows.write_back(taken, batch)
    db.write(batch)
    rows.written()
    assert len(rows._rows) == 1 and rows.get("k4") == row("k4", 2)
    assert rows.get("k0") == row("k0")


def test_a_row_too_large_is_refused_at_the_checkpoint_or_when_careful_at_once(db: Any) -> None:
    large = row("x" * MAX_MESSAGE_BYTES)
    rows = RowCache(db, CODEC)
    rows.put("a", large)
    with pytest.raises(ValueTooLarge, match="row a has"):
        rows.take_dirty()
    assert rows.pending == 1, "nothing was taken"
    rows.careful = True
    with pytest.raises(ValueTooLarge, match="row b has"):
        rows.put("b", large)


def test_a_rotten_store_is_an_error_and_never_a_shorter_scan(tmp_path: Path) -> None:
    """rocksdict's own `items` ends at a damaged block as if there were no more rows."""
    path = tmp_path / "rotten"
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    db = rocksdict.Rdict(str(path), options)
    for number in range(5_000):
        db[f"p|{number:06}".encode()] = CODEC.encode(row(f"{number * 7919:0100}"))
    db.flush()
    db.close()
    (table,) = path.glob("*.sst")
    with table.open("r+b") as file:
        file.seek(table.stat().st_size // 2)
        file.write(b"\xff" * 4_000)
    db = rocksdict.Rdict(str(path), options)
    rows = RowCache(db, CODEC)
    with pytest.raises(StoreDamaged):
        names(rows, "p|")
    with pytest.raises(StoreDamaged):
        _ = [rows.get(f"p|{number:06}") for number in range(5_000)]
    db.close()


def test_pages_give_what_a_scan_gives_and_leave_the_cache_alone(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_rows, "PAGE_ROWS", 3)
    cache = RowCache(db, CODEC)
    for n in range(10):
        cache.put(f"a|{n}", row(f"a|{n}", n))
    cache.put("b|1", row("b|1"))
    commit(cache, db)
    cache = RowCache(db, CODEC)
    cache.put("a|4", row("a|4", 44))
    cache.delete("a|5")
    cache.put("a|55", row("a|55"))
    pages = list(cache.pages("a|"))
    assert [len(page) for page in pages] == [3, 2, 3, 1, 1]
    assert dict(pair for page in pages for pair in page) == dict(cache.scan("a|"))
    monkeypatch.setattr(engine_rows, "PAGE_KEYS", 4)
    first = next(RowCache(db, CODEC).pages("a|", lambda key: key == "a|2"))
    assert first == [("a|0", None), ("a|1", None), ("a|2", row("a|2", 2)), ("a|3", None)]


def test_names_are_the_keys_of_a_scan_and_what_is_passed_over_is_not_seen(db: Any) -> None:
    cache = RowCache(db, CODEC)
    for key in ("a|1|x", "a|1|y", "a|1|z", "a|10|x", "a|2|x", "a|2|y", "b|1"):
        cache.put(key, row(key))
    commit(cache, db)
    cache = RowCache(db, CODEC)
    cache.delete("a|2|x")
    for key in ("a|1|w", "a|3|x"):
        cache.put(key, row(key))
    assert cache.names("a|") == names(cache, "a|")
    asked = []

    def past(key: str) -> str:
        asked.append(key)
        return "a|1|" if key.startswith("a|1|") else ""

    seen = [key for page in cache.pages("a|", past=past) for key, _ in page]
    assert seen == ["a|10|x", "a|2|y", "a|3|x"]
    assert not {"a|1|y", "a|1|z"} & set(asked), "one step for all of them"


def test_what_the_next_transaction_takes_can_be_looked_at(db: Any) -> None:
    db[b"a|kept"] = db[b"a|gone"] = CODEC.encode(row("stored"))
    rows = RowCache(db, CODEC)
    assert rows.changed("a|") == []
    rows.put("a|new", row("new", 2))
    rows.put("b|other", row("other"))
    rows.delete("a|gone")
    assert rows.changed("a|") == [("a|new", row("new", 2))]
    commit(rows, db)
    assert rows.changed("a|") == []
