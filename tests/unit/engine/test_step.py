"""The exactly-once boundary of one fold, with batches made by hand: holes, repeats, overlaps, suspects."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rocksdict
from faust.types import TP

from app.engine import partition as engine_partition
from app.engine import stage as engine_stage
from app.engine.partition import OwnedPartition
from app.engine.rows import RowCache
from app.engine.stage import StageApp, StageSettings
from app.engine.transport import MAX_BATCH_RECORDS, Batch
from app.fatal import Exit
from app.kafka.broker import Broker
from schemas.codec import MAX_MESSAGE_BYTES, Codec
from schemas.records import AccountClosedRow, PartitionPosition, Tick
from streams.memory_step import Message
from streams.step import SUSPECT_LIMIT
from tests.chaos.counting_stage import INBOX, OUT, CountingStage

CODEC = Codec()
TP0 = TP(INBOX, 0)


class Died(BaseException):
    """Instead of the end of the test's own process."""


@pytest.fixture(autouse=True)
def deaths(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(code: Exit, why: str) -> None:
        raise Died(code, why)

    monkeypatch.setattr(engine_stage, "die", die)
    monkeypatch.setattr(engine_partition, "die", die)


class Cap:
    cap = MAX_BATCH_RECORDS


@pytest.fixture
def owned(tmp_path: Path, db: Any) -> tuple[StageApp, OwnedPartition]:
    """A stage app that owns one partition at position 10, without a broker."""
    app = StageApp(CountingStage(), [INBOX], CODEC, StageSettings(Broker("127.0.0.1:1"), datadir=str(tmp_path)))
    app._consumer = Cap()
    part = app.owned_partition(TP0)
    part.suspect_file = tmp_path / "0.suspect"
    part.db, part.rows, part.state = db, RowCache(db, CODEC), PartitionPosition(10, 1, 1, "")
    part.position = part.committed = 10
    part.ready = True
    app.tables.parts[TP0] = part
    return app, part


def batch(start: int, end: int, *offsets: int, key: str = "K") -> Batch:
    records = [Message(offset, CODEC.encode(Tick(key, 1, "f")), key.encode()) for offset in offsets or range(start, end)]
    return Batch.of(TP0, start, end, records, 1)


def fold(app: StageApp, delivered: Batch) -> list[int] | None:
    """Offsets that the fold was given; None: no step."""
    for piece in app._pieces(delivered):
        with app.step(piece) as step:
            if step is None:
                return None
            app.stage.fold(step)
            given = [record.offset for record in step.records]
    return given


def counted(part: OwnedPartition) -> int:
    row = part.rows.get("K")
    return row.closed if row else 0


def test_a_chain_of_batches_moves_the_position_over_markers_and_compaction_holes(owned: Any) -> None:
    app, part = owned
    assert fold(app, batch(10, 13)) == [10, 11, 12]
    assert fold(app, batch(13, 20, 15, 18)) == [15, 18]
    assert (part.position, counted(part), part.folded) == (20, 5, 5)


def test_a_tombstone_leaves_with_the_transaction_as_a_record_without_value(owned: Any) -> None:
    app, part = owned
    app.idle_step(part).retire("orders.state", "P|O1")
    (told,) = part.out
    assert (told.topic, told.key, told.value, told.partition) == (f"{app.settings.prefix}orders.state", b"P|O1", None, None)


def test_a_hole_in_the_chain_ends_the_process_before_anything_is_folded(owned: Any) -> None:
    """Faust drops fetched records at a rebalance: never fold on as if nothing was lost."""
    app, part = owned
    with pytest.raises(Died) as died:
        fold(app, batch(11, 13))
    assert died.value.args[0] is Exit.INBOX_HOLE
    assert (part.position, part.pending) == (10, 0)


def test_a_repeat_is_skipped(owned: Any) -> None:
    """Records come again after a rebalance and change nothing (docs/faust.md, A rebalance replays)."""
    app, part = owned
    fold(app, batch(10, 13))
    assert fold(app, batch(10, 13)) is None
    assert fold(app, batch(11, 12)) is None
    assert (part.position, counted(part)) == (13, 3)


def test_an_overlap_is_trimmed(owned: Any) -> None:
    app, part = owned
    fold(app, batch(10, 13))
    assert fold(app, batch(11, 15)) == [13, 14]
    assert (part.position, counted(part)) == (15, 5)


def test_a_batch_of_a_partition_that_is_not_ours_any_more_is_left_alone(owned: Any) -> None:
    app, part = owned
    part.ready = False
    assert fold(app, batch(10, 13)) is None
    del app.tables.parts[TP0]
    assert fold(app, batch(10, 13)) is None
    assert part.position == 10


def test_markers_alone_need_no_transaction_and_show_no_lag(owned: Any) -> None:
    app, part = owned
    fold(app, Batch.of(TP0, 10, 12, (), 1))
    assert (part.position, part.committed, part.pending, part.folded) == (12, 12, 0, 0)
    fold(app, batch(12, 13))
    fold(app, Batch.of(TP0, 13, 15, (), 1))
    assert (part.position, part.committed) == (15, 12), "a folded record waits for its transaction"


def test_a_fold_that_raises_names_its_record_and_never_commits(owned: Any) -> None:
    app, part = owned
    mixed = Batch.of(TP0, 10, 13, [*batch(10, 11).records, *batch(11, 12, key="poison").records, *batch(12, 13).records], 1)
    with pytest.raises(Died) as died:
        fold(app, mixed)
    assert died.value.args[0] is Exit.FOLD_FAILED
    assert part.suspects() == {11: 1} and part.position == 10


def test_after_the_limit_the_record_is_refused_and_care_ends_behind_it(owned: Any) -> None:
    app, part = owned
    for _ in range(SUSPECT_LIMIT):
        part.accuse(11)
    mixed = Batch.of(TP0, 10, 13, [*batch(10, 11).records, *batch(11, 12, key="poison").records, *batch(12, 13).records], 1)
    assert fold(app, mixed) == [12], "one by one, so that a second culprit would be named"
    assert [message.topic for message in part.out].count("exceptions") == 1
    assert counted(part) == 2
    assert len(list(app._pieces(batch(13, 20)))) == 1 and not app._suspected(part)


def test_one_death_is_no_proof(owned: Any) -> None:
    app, part = owned
    part.accuse(11)
    assert fold(app, batch(10, 13)) == [12]
    assert counted(part) == 3 and not [message for message in part.out if message.topic == "exceptions"]


def test_an_unknown_schema_accuses_nobody(owned: Any) -> None:
    app, part = owned
    unknown = Message(10, b"\0\x7f\xff\xff\xffnew")
    with pytest.raises(Died) as died:
        fold(app, Batch.of(TP0, 10, 11, [unknown], 1))
    assert died.value.args[0] is Exit.SCHEMA_UNKNOWN and part.suspects() == {}


def test_a_row_too_large_at_the_checkpoint_asks_for_care_and_then_names_the_record(owned: Any) -> None:
    app, part = owned
    grows = Batch.of(TP0, 10, 13, [*batch(10, 11).records, *batch(11, 12, key="grows").records, *batch(12, 13).records], 1)
    fold(app, grows)
    with pytest.raises(Died) as died:
        part._take_dirty()
    assert died.value.args[0] is Exit.FOLD_FAILED and part.suspects() == {12: 0}
    part.rows, part.position = RowCache(part.db, CODEC), 10
    part.out.clear()
    app._suspects.clear()
    with pytest.raises(Died):
        fold(app, grows)
    assert part.suspects() == {11: 1, 12: 0}


def test_an_emitted_message_has_a_limit(owned: Any) -> None:
    app, part = owned
    step = app.idle_step(part)
    room = MAX_MESSAGE_BYTES - len(CODEC.encode(AccountClosedRow("x" * 100_000, 0))) + 100_000
    step.emit(OUT, "k", AccountClosedRow("x" * room, 0))
    assert len(part.out[-1].value) == MAX_MESSAGE_BYTES
    with pytest.raises(engine_stage.ValueTooLarge):
        step.emit(OUT, "k", AccountClosedRow("x" * (room + 1), 0))
    assert len(part.out) == 1


def test_a_rotten_store_is_dropped_and_blames_no_record(owned: Any, tmp_path: Path) -> None:
    app, part = owned
    store = tmp_path / "0.db"
    store.mkdir()
    part.store = type("Store", (), {"partition_path": staticmethod(lambda partition: store)})
    rotten: Callable[[bytes], None] = lambda key: (_ for _ in ()).throw(Exception("Corruption"))  # noqa: E731
    part.rows = RowCache(type("Db", (), {"get": staticmethod(rotten)}), CODEC)
    with pytest.raises(Died) as died:
        fold(app, batch(10, 13))
    assert died.value.args[0] is Exit.STORE_DAMAGED
    assert not store.exists() and part.suspects() == {}


def test_suspects_before_the_position_are_forgotten_and_rubbish_is_none(owned: Any) -> None:
    _, part = owned
    part.accuse(10)
    part.committed = 20
    part.accuse(25)
    assert part.suspects() == {25: 1}
    part.suspect_file.write_bytes(b"rubbish")
    assert part.suspects() == {}


def test_a_row_survives_between_batches_in_the_cache(owned: Any) -> None:
    app, part = owned
    fold(app, batch(10, 11))
    written = rocksdict.WriteBatch(raw_mode=True)
    part.rows.write_back(part._take_dirty(), written)
    part.db.write(written)
    part.rows.written()
    fold(app, batch(11, 12))
    assert counted(part) == 2


# -- where a partition without rows begins


def asked(state: PartitionPosition) -> int:
    raise AssertionError("there is nothing that could be compared")


@pytest.mark.parametrize("embedded", [False, True])
def test_an_inbox_that_lost_its_beginning(owned: Any, embedded: bool) -> None:
    """Kafka: retention passed, and the fold begins with what there is. Embedded: records of this very run are lost."""
    _, part = owned
    part.broker = Broker("127.0.0.1:1", embedded=embedded)
    assert part._take_up(0, 9, asked).next_offset == 0
    if not embedded:
        assert part._take_up(5, 9, asked).next_offset == 5
        return
    with pytest.raises(Died, match="dropped 5 messages") as died:
        part._take_up(5, 9, asked)
    assert died.value.args[0] is Exit.INBOX_TRUNCATED


class Slow(CountingStage):
    """Its memory takes many pages of rows."""

    def __init__(self, pages: int) -> None:
        self.pages, self.read = pages, 0

    def remember(self, step: Any) -> Iterator[None]:
        for _ in range(self.pages):
            self.read += 1
            yield

    def taken_over(self, step: Any) -> None:
        raise AssertionError("`remember` stands for it")


async def test_a_long_take_over_lets_the_loop_run_between_pages(owned: tuple[StageApp, OwnedPartition]) -> None:
    app, part = owned
    app.stage, turns = Slow(100), 0
    remembering = asyncio.create_task(app.remember(part))
    while not remembering.done():
        turns += 1
        await asyncio.sleep(0)
    await remembering
    assert app.stage.read == 100
    assert turns >= 100


async def test_a_partition_that_leaves_is_not_remembered_to_the_end(owned: tuple[StageApp, OwnedPartition]) -> None:
    app, part = owned
    app.stage = Slow(1_000_000)
    remembering = asyncio.create_task(app.remember(part))
    await asyncio.sleep(0)
    part.leaving = True
    await remembering
    assert app.stage.read < 10


async def test_a_take_over_that_fails_names_no_record(owned: tuple[StageApp, OwnedPartition]) -> None:
    app, part = owned

    class Broken(Slow):
        def remember(self, step: Any) -> Iterator[None]:
            yield
            raise ValueError("a row that nobody can read")

    app.stage = Broken(0)
    with pytest.raises(Died) as died:
        await app.remember(part)
    assert died.value.args[0] is Exit.FOLD_FAILED
    assert part.suspects() == {}
