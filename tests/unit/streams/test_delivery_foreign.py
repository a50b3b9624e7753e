"""Postings that the worker refused because their plant posts to another ERP: they wait, are not given up, and hold up nobody."""

from typing import Any

from schemas.records import AttemptEnded, TimerFired
from streams.delivery.attempts import FOREIGN_RETRY_US
from tables.delivery.outbox import Dispatch, ReadBack, Timer
from tests.unit.streams.quality_bench import Bench, S, activated, configuration, posting

IMPATIENT = {"adapter": "sim", "url": "https://here", "retry": {"first": "1 s", "give_up": "10 s"}, "lines_per_document": 1}
HERE = configuration(erp={"erp": IMPATIENT})
THERE = configuration(erp={"erp": {**IMPATIENT, "url": "https://there"}})


def refused(name: str, attempt: int = 1) -> AttemptEnded:
    return AttemptEnded(name, attempt, "retry", "post", code="ERP_FOREIGN", detail="another ERP")


def dispatched(count: int = 30) -> tuple[Bench, list[Any]]:
    bench = Bench(HERE)
    for n in range(count):
        bench.fold(posting(f"P{n:02}", order=f"O{n:02}", account=f"A{n:02}"))
    return bench, bench.clock(10 * S)


def test_a_refused_posting_waits_and_is_never_given_up() -> None:
    bench, entries = dispatched(1)
    for attempt in range(1, 101):
        assert entries == [Dispatch("P00", attempt)]
        assert bench.fold(refused("P00", attempt)) == [Timer("P00", attempt, FOREIGN_RETRY_US)]
        row = bench.row("P00")
        assert (row.state, row.code, row.failures, row.waited_us) == ("retry", "ERP_FOREIGN", 0, 0)
        entries = bench.fold(TimerFired("P00", attempt, "retry"))


def test_while_one_was_refused_the_others_of_its_plant_are_not_tried() -> None:
    bench, entries = dispatched()
    first = [entry.posting_id for entry in entries]
    assert len(first) == 8, "two documents per concurrent call"
    assert [entry for name in first for entry in bench.fold(refused(name)) if isinstance(entry, Dispatch)] == []
    assert sorted(bench.states().values()) == ["queued"] * 22 + ["retry"] * 8
    again = [entry for name in first for entry in bench.fold(TimerFired(name, 1, "retry"))]
    assert len(again) == 8
    for entry in again:
        bench.fold(AttemptEnded(entry.posting_id, entry.attempt, "accepted", "post", erp_document=f"D{entry.posting_id}"))
    states = list(bench.states().values())
    assert (states.count("accepted"), states.count("dispatched")) == (8, 8), "the right worker is there: all go on"


def test_a_successor_asks_again_at_once() -> None:
    bench, _ = dispatched(1)
    bench.fold(refused("P00"))
    assert bench.crash() == [Timer("P00", 1, S)]


def test_what_may_be_booked_in_one_erp_is_not_sent_again_to_another() -> None:
    """The other one does not know the posting id: a repetition there would be a second booking."""
    bench, _ = dispatched(1)
    bench.fold(AttemptEnded("P00", 1, "unknown", "post", code="ERP_TIMEOUT"))
    other = Bench(HERE, THERE)
    other.fold(posting("P00"))
    other.clock(10 * S)
    other.fold(AttemptEnded("P00", 1, "unknown", "post", code="ERP_TIMEOUT"))
    assert bench.fold(TimerFired("P00", 1, "retry")) == [Dispatch("P00", 2, resend=True)]
    other.fold(activated(THERE, 10 * S))
    other.clock(11 * S)
    assert other.fold(TimerFired("P00", 1, "retry")) == [ReadBack("P00", 1)]
    assert other.row("P00").configuration == HERE.hash


def test_a_resend_that_was_refused_stays_unknown() -> None:
    bench, _ = dispatched(1)
    bench.fold(AttemptEnded("P00", 1, "unknown", "post", code="ERP_TIMEOUT"))
    assert bench.fold(TimerFired("P00", 1, "retry")) == [Dispatch("P00", 2, resend=True)]
    assert bench.fold(refused("P00", 2)) == [Timer("P00", 2, FOREIGN_RETRY_US)]
    assert (bench.row("P00").state, bench.row("P00").code) == ("unknown", "ERP_FOREIGN")
    assert bench.fold(TimerFired("P00", 2, "retry")) == [Dispatch("P00", 3, resend=True)]
