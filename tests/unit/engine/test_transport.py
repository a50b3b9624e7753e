"""Batches: capped, round robin, and a chain of positions whatever is cut."""

import asyncio
from types import SimpleNamespace
from typing import Any

import aiokafka
import pytest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from app.engine.fetches import Fetches
from app.engine.transport import Batch, Consumer, ConsumerThread

A, B = TP("t", 0), TP("t", 1)


def records(*offsets: int) -> list[Any]:
    return [SimpleNamespace(offset=offset) for offset in offsets]


def consumer(takes: list[Any], cap: int = 3) -> Consumer:
    """A consumer around one fetch, without Faust's services."""
    made = object.__new__(Consumer)
    made.cap, made.flow_active = cap, True
    made.app = SimpleNamespace(consumer_generation_id=4)
    type(made).should_stop = False

    async def fetched(timeout: float) -> Any:
        return takes, None

    made._wait_next_records = fetched
    return made


def drain(made: Consumer, until: Any = lambda batch: False) -> list[Any]:
    async def run() -> list[Any]:
        got = []
        async for tp, batch in made.getmany(1.0):
            got.append((tp, batch.start, batch.end, [record.offset for record in batch.records]))
            if until(batch):
                break
        return got

    return asyncio.run(run())


def test_a_long_take_is_cut_and_its_pieces_are_a_chain() -> None:
    got = drain(consumer([(A, 5, 20, records(5, 6, 9, 10, 14, 15, 18))]))
    assert got == [(A, 5, 10, [5, 6, 9]), (A, 10, 16, [10, 14, 15]), (A, 16, 20, [18])]


def test_partitions_take_turns() -> None:
    got = drain(consumer([(A, 0, 6, records(*range(6))), (B, 0, 4, records(*range(4)))]))
    assert [tp for tp, *_ in got] == [A, B, A, B]


def test_a_take_of_markers_only_is_an_empty_batch_that_moves_on() -> None:
    assert drain(consumer([(A, 7, 9, ())])) == [(A, 7, 9, [])]


def test_nothing_is_delivered_after_the_flow_stops_or_the_generation_changes() -> None:
    """What is dropped here is fetched again: every resume seeks to the positions of the rows."""
    for change in ({"flow_active": False}, {"app": SimpleNamespace(consumer_generation_id=5)}):
        made = consumer([(A, 0, 9, records(*range(9)))])

        def stop(batch: Batch, made: Consumer = made, change: dict[str, Any] = change) -> bool:
            vars(made).update(change)
            return False

        assert len(drain(made, stop)) == 1


def test_each_batch_carries_the_generation_of_its_fetch() -> None:
    async def run() -> list[Any]:
        return [batch.generation_id async for _, batch in consumer([(A, 0, 1, records(0))]).getmany(1.0)]

    assert asyncio.run(run()) == [4]


def test_split_is_the_same_chain_one_by_one() -> None:
    pieces = list(Batch.of(A, 5, 20, records(5, 9, 14), 4).split())
    assert [(p.start, p.end, [r.offset for r in p.records]) for p in pieces] == [(5, 6, [5]), (6, 10, [9]), (10, 20, [14])]
    assert [(p.start, p.end, p.records) for p in Batch.of(A, 5, 7, (), 4).split()] == [(5, 7, ())]


def test_acks_carry_nothing() -> None:
    """Here an ack moves no offset (docs/faust.md, Acks skip records and Exceptions ack)."""
    made = consumer([])
    made._unacked_messages = set()
    batch = Batch.of(A, 0, 1, records(0), 4)
    assert made.ack(batch) and batch.acked
    assert not hasattr(made, "_acked") or not made._acked


def test_a_failed_commit_of_displayed_offsets_is_not_fatal() -> None:
    """Faust's own commit would crash the worker; the group's offsets are a lag display."""
    thread = object.__new__(ConsumerThread)
    told: list[str] = []
    thread.log = SimpleNamespace(info=lambda text, *args: told.append(text % args))

    async def refused(offsets: Any) -> None:
        raise RuntimeError("not a member")

    thread._ensure_consumer = lambda: SimpleNamespace(commit=refused)
    assert asyncio.run(thread._commit({A: 5})) is False
    assert "not a member" in told[0]


@pytest.mark.parametrize("embedded", [False, True])
def test_the_broker_holds_an_empty_fetch_for_a_short_time(monkeypatch: pytest.MonkeyPatch, embedded: bool) -> None:
    """While it is held, no other fetch goes to that broker: a busy partition would wait for idle ones (Faust asks for 1.5 s)."""

    async def made() -> Any:
        return aiokafka.AIOKafkaConsumer(fetch_max_wait_ms=1500)

    theirs = asyncio.run(made())
    assert theirs._fetch_max_wait_ms == 1500, "aiokafka keeps the time elsewhere now"
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_create_worker_consumer", lambda self, transport: theirs)
    thread = object.__new__(ConsumerThread)
    settings = SimpleNamespace(broker=SimpleNamespace(embedded=embedded))
    thread.consumer = SimpleNamespace(in_transaction=False, app=SimpleNamespace(settings=settings), fetches=Fetches())
    assert thread._create_worker_consumer(None)._fetch_max_wait_ms <= 50
    assert thread.consumer.in_transaction is False
