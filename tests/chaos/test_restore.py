"""The local store is a cache of the changelog: lost, stale, damaged, foreign or ahead, it is dropped and rebuilt exactly."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import rocksdict
from confluent_kafka import TopicPartition

from app.engine.restore import META_KEY, StoreMeta
from tests.chaos import faults
from tests.chaos.counting_plant import PARTITIONS, CountingPlant
from tests.chaos.counting_stage import CHANGELOG
from tests.chaos.processes import SHORT

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
RECORDS = 5_000 if SHORT else 20_000
SESSION = 6.0
STORE_DAMAGED, TOPIC_MISMATCH = 71, 78


def _edit_meta(change: Callable[[StoreMeta], None]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        db = rocksdict.Rdict(str(path), rocksdict.Options(raw_mode=True))
        meta = msgspec.msgpack.decode(db[META_KEY], type=StoreMeta)
        change(meta)
        db[META_KEY] = msgspec.msgpack.encode(meta)
        for key in [key for key, _ in db.items(from_key=b"K")][:5]:
            db[key] = b"a row that must never be read"
        db.close()

    return edit


def _stale(meta: StoreMeta) -> None:
    meta.committed_at -= 13 * 3600


def _from_the_future(meta: StoreMeta) -> None:
    meta.committed_at += 3600


def _ahead(meta: StoreMeta) -> None:
    meta.offset += 1_000_000


def _foreign(meta: StoreMeta) -> None:
    meta.changelog_id = "another topic"


def _overwritten(path: Path) -> None:
    for file in path.iterdir():
        if file.suffix in (".sst", ".log") or file.name.startswith("MANIFEST"):
            file.write_bytes(b"\xff" * file.stat().st_size)


DAMAGES = {
    "deleted": shutil.rmtree,
    "stale": _edit_meta(_stale),
    "clock jumped back": _edit_meta(_from_the_future),
    "ahead": _edit_meta(_ahead),
    "foreign": _edit_meta(_foreign),
    "overwritten": _overwritten,
}


def test_a_store_that_cannot_be_trusted_is_rebuilt(plant: CountingPlant) -> None:
    """Each damage in turn: the store is dropped, its rows come from the changelog, the fold goes on exactly."""
    for turn, (what, damage) in enumerate(DAMAGES.items()):
        plant.feed(RECORDS, seed=turn)
        worker = plant.start()
        plant.await_drained()
        assert worker.stop() == 0
        for partition in range(PARTITIONS):
            damage(plant.store("a", partition))
        again = plant.start()
        again.await_log("OWNED", count=PARTITIONS)
        restored = [int(rows) for rows in again.found(r"OWNED \d+ position=\d+ restored=(\d+)")]
        assert all(restored), f"{what}: a partition kept its store: {restored}"
        plant.feed(RECORDS // 4, seed=100 + turn)
        plant.await_drained()
        assert again.stop() == 0
        plant.assert_exact(what)


def test_a_block_that_rots_while_it_is_used_blames_no_record(plant: CountingPlant) -> None:
    """A read of the store fails in mid-fold: the process ends STORE_DAMAGED, drops the store, accuses nobody, goes on exactly."""
    plant.feed(RECORDS, keys=5_000)
    worker = plant.start()
    plant.await_drained()
    assert worker.stop() == 0
    for partition in range(PARTITIONS):
        _flush_and_rot(plant.store("a", partition))
    plant.feed(RECORDS, seed=2, keys=5_000)
    codes = []
    for _ in range(2 * PARTITIONS):
        process = plant.start()
        while process.code is None and plant.quiet_lag():
            time.sleep(0.05)
        if process.code is None:
            break
        codes.append(process.code)
    assert codes and set(codes) == {STORE_DAMAGED}, codes
    assert process.stop() == 0
    plant.assert_exact(f"rotten blocks, ends {codes}")
    assert not list(plant.messages("exceptions"))


def _flush_and_rot(path: Path) -> None:
    db = rocksdict.Rdict(str(path), rocksdict.Options(raw_mode=True))
    db.flush()
    db.compact_range(None, None)
    db.close()
    for table in path.glob("*.sst"):
        with table.open("r+b") as file:
            size = table.stat().st_size
            file.seek(size // 4)
            file.write(b"\xff" * (size // 4))


def test_a_restore_longer_than_the_session_keeps_the_membership(plant: CountingPlant) -> None:
    """The take-over runs outside the rebalance callback: heartbeats go on, the member is not expelled (one generation)."""
    plant.feed(RECORDS)
    worker = plant.start(session_timeout=SESSION)
    plant.await_drained()
    assert worker.stop() == 0
    plant.lose_volume("a")
    started = time.monotonic()
    slow = plant.start(session_timeout=SESSION, fault=faults.SLOW_RESTORE, rate=1.7 * SESSION)
    slow.await_log("OWNED", count=PARTITIONS, timeout=60)
    generations = set(slow.found(r"generation=(\d+)"))
    joined = slow.found(r"Joined group .*generation (\d+)")
    print(f"restore of {time.monotonic() - started:.1f} s, session timeout {SESSION} s, joined in generations {joined}")
    assert len(generations) == len(joined) == 1
    plant.feed(RECORDS, seed=2)
    plant.await_drained()
    assert slow.stop() == 0
    plant.assert_exact("slow restore")


def test_a_recreated_changelog_is_another_topic(plant: CountingPlant) -> None:
    """Same name, new topic id: the store of the old one is never used; the state begins again where the inbox begins."""
    plant.feed(RECORDS)
    worker = plant.start()
    plant.await_drained()
    assert worker.stop() == 0
    plant.delete(CHANGELOG)
    plant.create(CHANGELOG, compact=True)
    again = plant.start()
    plant.await_drained()
    again.await_log(r"OWNED \d+ position=0 restored=0", count=PARTITIONS)
    assert again.stop() == 0
    facts = plant.facts()
    assert not facts.wrong, f"{facts}"


def test_a_recreated_inbox_refuses_to_start(plant: CountingPlant) -> None:
    """TOPIC_MISMATCH: positions of the old inbox mean nothing in the new one; an operator raises the log epoch."""
    plant.feed(RECORDS)
    worker = plant.start()
    plant.await_drained()
    assert worker.stop() == 0
    plant.delete("counting.inbox")
    plant.create("counting.inbox")
    again = plant.start()
    assert again.ended() == TOPIC_MISMATCH
    assert "epoch raise" in again.text()


def test_with_a_raised_epoch_a_recreated_inbox_is_read_from_its_beginning_and_the_rows_stay(plant: CountingPlant) -> None:
    plant.feed(RECORDS, finals=0.0)
    worker = plant.start()
    plant.await_drained()
    assert worker.stop() == 0
    before = plant.facts().rows
    plant.delete("counting.inbox")
    plant.create("counting.inbox")
    plant.feed(RECORDS, seed=2, finals=0.0)
    again = plant.start(log_epoch=2)
    plant.await_drained()
    assert again.stop() == 0
    facts = plant.facts()
    for key, (count, total, _) in facts.rows.items():
        old, new = before.get(key, (0, 0, -1)), facts.expected.get(key, (0, 0, -1))
        assert (count, total) == (old[0] + new[0], old[1] + new[1]), key
    late = plant.start()
    assert late.ended() == TOPIC_MISMATCH, "a worker that does not know of the epoch refuses to go on"


def test_with_a_raised_epoch_a_cut_inbox_goes_on_where_it_begins(plant: CountingPlant) -> None:
    plant.feed(RECORDS, finals=0.0)
    worker = plant.start()
    plant.await_drained()
    assert worker.stop() == 0
    before = sum(count for count, _, _ in plant.facts().rows.values())
    plant.feed(RECORDS, seed=2)
    cut = [TopicPartition(plant.prefix + "counting.inbox", partition, end) for partition, end in plant.ends().items()]
    for future in plant.admin.delete_records(cut).values():
        future.result(20)
    again = plant.start(log_epoch=2)
    again.await_log(r"OWNED", count=PARTITIONS)
    plant.feed(100, seed=3, finals=0.0)
    plant.await_drained()
    assert again.stop() == 0
    assert sum(count for count, _, _ in plant.facts().rows.values()) == before + 100


def test_an_inbox_cut_below_the_position_refuses_to_start(plant: CountingPlant) -> None:
    """INBOX_TRUNCATED: records that were never folded are gone; going on silently would lose them."""
    plant.feed(RECORDS)
    worker = plant.start()
    plant.await_drained()
    assert worker.stop() == 0
    plant.feed(RECORDS, seed=2)
    cut = [TopicPartition(plant.prefix + "counting.inbox", partition, end) for partition, end in plant.ends().items()]
    for future in plant.admin.delete_records(cut).values():
        future.result(20)
    again = plant.start()
    assert again.ended() == 73, again.text()[-2000:]
    assert "INBOX_TRUNCATED" in again.text()
