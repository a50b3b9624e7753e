"""The process `lineledger books`: topics into tables, killed at any point, the same as read in one go."""

import os
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from sqlalchemy import text

import lineledger
from app.books import database, following
from app.books.dump import dump
from app.books.following import Bookkeeper, Followed, OtherTopics, topics
from app.books.lag import lag_of_books
from app.kafka.broker import Broker
from app.kafka.embedded import EmbeddedBroker
from schemas.codec import Codec
from schemas.records import (
    ExceptionRecord,
    LedgerAccount,
    LedgerPosting,
    LetterSettled,
    LotRef,
    LotRow,
    OrderRow,
    PartitionPosition,
    PostingStep,
)
from tables.letters import letter_id
from tables.row_kinds import LOT_ROWS, ORDER_ROWS, POSITION_ROWS, WAITING_ROWS
from tests.unit.books.filled import filled
from tests.unit.streams.quality_bench import posting

CODEC = Codec()
SHORT = "LINELEDGER_TEST_SHORT" in os.environ
POSTINGS, STATES = (600, ("queued", "dispatched", "accepted"))
KILLS = 5 if SHORT else 50


@pytest.fixture(scope="module")
def told() -> Iterator[EmbeddedBroker]:
    """A broker with what a plant told: postings state by state, orders, lots, letters, a row that was forgotten since."""
    with EmbeddedBroker() as broker:
        broker.touch([f"x.{name}" for name in topics()])
        producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 50})

        def say(topic: str, key: str, record: object) -> None:
            value = None if record is None else CODEC.encode(record)
            producer.produce(f"x.{topic}", value, key.encode())
            producer.poll(0)

        for number, state in enumerate(STATES):
            for one in range(POSTINGS):
                steps = [PostingStep(step, 1_000_000 * (at + 1)) for at, step in enumerate(STATES[: number + 1])]
                record = LedgerPosting(posting(f"P{one}"), state, steps=steps, attempts=number)
                say("ledger.postings", f"P|P{one}", record)
        for one in range(POSTINGS):
            say("ledger.accounts", f"P|a{one % 50}", filled(LedgerAccount, plant="P", account=f"a{one % 50}", target=one))
            say("orders.changelog", ORDER_ROWS.key("P", f"O{one % 20}"), OrderRow("P", f"O{one % 20}", status=f"s{one}"))
            lot = LotRow("P", "M", f"L{one % 30}", children=[LotRef("M", f"L{one}")])
            say("lots.changelog", LOT_ROWS.key("P", "M", f"L{one % 30}"), lot)
        letter = filled(ExceptionRecord, plant="P")
        say("exceptions", "P|C", letter)
        say("exceptions", "P|C", filled(LetterSettled, plant="P", letter=letter_id(letter), state="resolved"))
        say("orders.changelog", ORDER_ROWS.key("P", "O1"), None)
        say("orders.changelog", WAITING_ROWS.key("waiting"), filled(PartitionPosition))  # no row that the books have
        say(
            "orders.changelog", POSITION_ROWS.prefix, PartitionPosition(5, 1, 1, "", reached={"P": 77}, configurations={"P": "h"})
        )
        assert producer.flush(20) == 0
        yield broker


def books(broker: EmbeddedBroker, path: Path, *more: str) -> "subprocess.Popen[bytes]":
    told = ("--embedded", "--bootstrap", broker.bootstrap, "--prefix", "x.", "--database", str(path), *more)
    return subprocess.Popen(lineledger.command("app.cli.main", "books", *told), stderr=subprocess.PIPE)


def dumped(path: Path) -> list[str]:
    engine = database.read_only(path)
    with engine.connect() as connection:
        found = list(dump(connection))
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def whole(told: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read in one go."""
    path = tmp_path_factory.mktemp("whole") / "books.sqlite"
    process = books(told, path, "--until-end")
    assert process.wait(60) == 0, process.stderr and process.stderr.read()
    return path


def test_every_thing_stands_in_the_tables_as_it_was_told_last(whole: Path) -> None:
    engine = database.read_only(whole)
    with engine.connect() as connection:

        def asked(sql: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in connection.execute(text(sql))]

        assert asked("select state, attempts, count(*) from postings group by 1, 2") == [("accepted", 2, POSTINGS)]
        assert asked("select count(*) from posting_steps") == [(POSTINGS * len(STATES),)]
        assert asked("select count(*) from accounts") == [(50,)]
        assert asked("select status from orders where order_no in ('O1', 'O2') order by order_no") == [("s581",), ("s582",)]
        assert asked("select child_lot from genealogy where lot = 'L3'") == [("L573",)]
        assert asked("select state from v_exceptions") == [("resolved",)]
        assert asked("select plant, stage, configuration, reached_at from clocks") == [("P", "orders", "h", 77)]
    engine.dispose()


@pytest.mark.slow
def test_killed_at_any_point_the_books_are_the_same(told: EmbeddedBroker, whole: Path, tmp_path: Path) -> None:
    path, chance = tmp_path / "books.sqlite", random.Random(7)
    for _ in range(KILLS):
        process = books(told, path)
        time.sleep(chance.uniform(0.8, 2.5))  # nothing is waited for: any point will do
        process.kill()
        process.wait(10)
    last = books(told, path, "--until-end")
    assert last.wait(60) == 0
    assert dumped(path) == dumped(whole)


def test_turns_that_are_cut_off_anywhere_give_the_same(
    told: EmbeddedBroker, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same within one process: a reader that goes after a few turns, and what it had read but not written with it."""
    path, chance = tmp_path / "books.sqlite", random.Random(11)
    monkeypatch.setattr(following, "BATCH", 200)
    ended = False
    while not ended:
        engine = database.followed(path)
        kept = Bookkeeper(engine, Followed(Broker(told.bootstrap, embedded=True), CODEC, "x.", {}))
        for _ in range(chance.randint(1, 9)):
            kept.turn()
            ended = ended or len(kept._ended) == len(kept._begin)
        kept.close()  # what was read and not written is lost with it
        engine.dispose()
    assert dumped(path) == dumped(whole)


def test_rebuilt_books_are_the_same(told: EmbeddedBroker, whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite"
    path.write_bytes(whole.read_bytes())
    engine = database.followed(path)
    with engine.begin() as connection:
        connection.execute(text("update postings set quantity = '77', state = 'queued'"))
        connection.execute(text("delete from holds"))
    engine.dispose()
    process = books(told, path, "--rebuild", "--until-end")
    assert process.wait(60) == 0
    assert dumped(path) == dumped(whole)


def test_books_of_topics_that_were_made_anew_are_refused(told: EmbeddedBroker, whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite"
    path.write_bytes(whole.read_bytes())
    before = dumped(path)
    engine = database.followed(path)
    with pytest.raises(OtherTopics, match="made anew"):
        Bookkeeper(engine, Followed(Broker(told.bootstrap, embedded=True), CODEC, "x.", {"x.ledger.postings": "another"}))
    with engine.begin() as connection:
        connection.execute(text("update positions set next_offset = 1000000 where topic = 'ledger.accounts'"))
    with pytest.raises(OtherTopics, match="have read up to 1000000"):
        Bookkeeper(engine, Followed(Broker(told.bootstrap, embedded=True), CODEC, "x.", {}))
    engine.dispose()
    assert [line for line in dumped(path) if not line.startswith("positions")] == [
        line for line in before if not line.startswith("positions")
    ]


def test_the_lag_is_what_the_tables_do_not_have(told: EmbeddedBroker, whole: Path) -> None:
    """As the process told its group when it ended."""
    broker = Broker(told.bootstrap, embedded=True)
    counts = dict.fromkeys(topics(), 4)
    assert lag_of_books(broker, "x.", counts) == 0
    assert lag_of_books(broker, "nobody.", counts) is None
    producer = Producer({"bootstrap.servers": told.bootstrap})
    producer.produce("x.config", b"more", b"key")
    assert producer.flush(10) == 0
    assert lag_of_books(broker, "x.", counts) == 1
