"""A record that cannot be folded blocks nobody: it ends the process a bounded number of times, then goes to exceptions."""

from collections import Counter

import pytest

from schemas.records import ExceptionRecord, Tick
from tests.chaos.counting_plant import CountingPlant
from tests.chaos.counting_stage import GROWS, POISON, SHOUTS
from tests.chaos.processes import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
FOLD_FAILED, SCHEMA_UNKNOWN = 70, 80
RECORDS = 3_000


def _until_drained(plant: CountingPlant, most: int) -> list[int]:
    """Exit codes of the processes that a supervisor started, one after the other, until all is folded."""
    codes: list[int] = []
    worker = plant.start()

    def drained() -> bool:
        nonlocal worker
        if worker.code is not None:
            codes.append(worker.code)
            assert len(codes) <= most, f"a crash loop: {codes} {worker.text()[-2000:]}"
            worker = plant.start()
        return plant.quiet_lag() == 0

    wait_until(drained, "all others are folded", 120)
    assert worker.stop() == 0
    return codes


def _refused(plant: CountingPlant) -> list[ExceptionRecord]:
    return [plant.codec.decode(message.value()) for message in plant.messages("exceptions")]


@pytest.mark.parametrize(
    ("key", "deaths"),
    [(POISON, 2), (SHOUTS, 2), (GROWS, 3)],
    ids=["the fold raises", "a message is too large", "a row grows too large"],
)
def test_a_record_that_ends_the_process_is_named_and_refused(plant: CountingPlant, key: str, deaths: int) -> None:
    """Faust acks what raised, or loops for ever (docs/faust.md, Exceptions ack and Oversized values loop). Here: SUSPECT_LIMIT
    deaths, one more where a row is found too large only at the checkpoint, then FOLD_FAILED; its neighbours in the
    same batch are folded."""
    plant.feed(RECORDS)
    plant.send([Tick(key, 1, "feeder")])
    plant.feed(RECORDS, seed=2)
    codes = _until_drained(plant, deaths)
    assert codes == [FOLD_FAILED] * deaths
    (letter,) = _refused(plant)
    assert (letter.code, letter.stage, letter.original) == (
        "FOLD_FAILED",
        "counting",
        plant.codec.encode(Tick(key, 1, "feeder")),
    )
    plant.assert_exact(key)


def test_malformed_bytes_are_refused_without_a_death(plant: CountingPlant) -> None:
    """BAD_RECORD in the same transaction as its neighbours; no restart."""
    plant.feed(RECORDS)
    good = plant.codec.encode(Tick("K001", 1, "feeder"))
    plant.send_raw([(b"noise", b""), (b"noise", b"junk"), (b"noise", good + b"x"), (b"noise", good[:-2])])
    plant.feed(RECORDS, seed=2)
    assert _until_drained(plant, 0) == []
    assert Counter(letter.code for letter in _refused(plant)) == {"BAD_RECORD": 4}
    plant.assert_exact("malformed")


def test_an_unknown_schema_waits_and_is_never_refused(plant: CountingPlant) -> None:
    """A record of a newer program ends the process (SCHEMA_UNKNOWN), as often as it is tried; nobody is accused."""
    plant.feed(RECORDS)
    plant.send_raw([(b"noise", b"\x00\x7f\xff\xff\xffnew")])
    for _ in range(4):
        assert plant.start().ended() == SCHEMA_UNKNOWN
    assert not _refused(plant)
    assert not list(plant.volume("a").rglob("*.suspect"))
