"""Intake over random recorded input: whatever the batches, the same ticks, labels and events, and the same readings between
them; and what every log must look like."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import CounterFrame, Tick
from streams.memory_step import Message
from tests.unit.streams.raw_bench import Intake, end, intake_configuration, line, plain, readings_of
from tests.unit.tables.floor_bench import MIN, S, at

BEGIN = at("13:50")
CUTS = [at("14:00"), at("22:00"), at("06:00", 21), at("14:00", 21)]
CONFIG = intake_configuration()
KINDS = ["count", "count", "count", "oil", "state", "start", "reject", "temp", "noise", "zzz"]
GAPS = st.sampled_from([0, 1, S, 20 * S, 59 * S, MIN, 61 * S, 20 * MIN, 400 * MIN])


@st.composite
def inputs(draw: st.DrawFn) -> list[Message]:
    """Lines of one recorded file, in the order of their arrival."""
    moment, lines = BEGIN, []
    steps = draw(st.lists(st.tuples(GAPS, st.sampled_from(KINDS), st.sampled_from(["M1", "M2"])), min_size=1, max_size=40))
    for n, (gap, kind, machine) in enumerate(steps, 1):
        moment = min(moment + gap, CUTS[-1])
        lines.append(line(n, moment, kind, m=machine, job="A", po="O1", n=n))
    return [*lines, end(len(lines) + 1)]


def outcome(
    messages: list[Message], boundaries: set[int], restarts: bool = False, uncommitted: frozenset[int] = frozenset()
) -> dict[str, list[Any]]:
    """`boundaries`: where batches end; each is committed, but for `uncommitted`."""
    intake = Intake(CONFIG)
    start = 0
    for stop in [*sorted(boundaries), len(messages)]:
        intake.fold(*messages[start:stop], commit=stop not in uncommitted)
        start = stop
        if restarts:
            intake.stage.left(0)
            intake.stage.taken_over(intake.step)
    topics = ("equipment.inbox", "orders.inbox", "lots.inbox", "telemetry.process", "exceptions")
    return {topic: plain(intake.sent(topic)) if topic == "equipment.inbox" else intake.sent(topic) for topic in topics}


@given(inputs(), st.sets(st.integers(1, 40)), st.frozensets(st.integers(1, 40)))
def test_batches_and_commits_change_nothing(messages: list[Message], boundaries: set[int], uncommitted: frozenset[int]) -> None:
    boundaries = {stop for stop in boundaries if stop < len(messages)}
    whole = outcome(messages, set())
    assert outcome(messages, boundaries) == whole
    assert outcome(messages, boundaries, uncommitted=uncommitted - {len(messages)}) == whole
    assert outcome(messages, boundaries, restarts=True) == whole


@given(inputs(), st.sets(st.integers(1, 40)))
def test_every_log_is_in_order(messages: list[Message], boundaries: set[int]) -> None:
    intake, start = Intake(CONFIG), 0
    for stop in [*sorted(stop for stop in boundaries if stop < len(messages)), len(messages)]:
        intake.fold(*messages[start:stop])
        start = stop
    log = intake.sent("equipment.inbox")
    ticks = [record.at for record in log if isinstance(record, Tick)]
    assert ticks == sorted(set(ticks)), "each tick is later than the one before"
    assert [record.final for record in log if isinstance(record, Tick)] == [False] * (len(ticks) - 1) + [True]
    received = [int(dict(message.headers)["received_at"]) for message in messages[:-1]]
    assert ticks[-1] == next(cut for cut in CUTS if cut >= received[-1]), "the end is the first cut after the last record"
    assert set(ticks) >= {cut for cut in CUTS if received[0] <= cut <= received[-1]}, "each due cut is served in turn"
    closed = received[0] - 1
    for record in log:
        if isinstance(record, Tick):
            closed = record.at
            continue
        assert record.label > closed, "after its tick nothing may say that it was before"
        moments = (
            [moment for _, moment, _, _ in readings_of(record)] if isinstance(record, CounterFrame) else [record.received_at]
        )
        for moment in moments:
            assert closed < moment <= record.label, "a record lies in the interval that its label ends"
            assert not any(closed < cut < record.label for cut in CUTS), "no interval reaches across a cut"
    for before, tick in pairwise([0, *ticks]):
        assert tick in CUTS or any(before < moment <= tick for moment in received), "a tick without a record lies at a cut"


@given(inputs(), st.sets(st.integers(1, 40)))
def test_every_reading_arrives_once_in_order_and_on_its_side_of_events(messages: list[Message], boundaries: set[int]) -> None:
    intake, start = Intake(CONFIG), 0
    for stop in [*sorted(stop for stop in boundaries if stop < len(messages)), len(messages)]:
        intake.fold(*messages[start:stop])
        start = stop
    for machine in ("M1", "M2"):
        own = [
            record for record in intake.sent("equipment.inbox") if not isinstance(record, Tick) and record.equipment == machine
        ]
        for counter in ("shots", "oil"):
            got = [
                raw
                for record in own
                if not isinstance(record, CounterFrame) or record.counter == counter
                for raw in ([row[3] for row in readings_of(record)] if isinstance(record, CounterFrame) else [record.raw_offset])
            ]
            assert got == sorted(set(got)), "readings of a counter and events keep the order of arrival"
    frames = [record for record in intake.sent("equipment.inbox") if isinstance(record, CounterFrame)]
    sent = [n for n, message in enumerate(messages, 1) if b'"count"' in message.value or b'"oil"' in message.value]
    assert sorted(raw for frame in frames for _, _, _, raw in readings_of(frame)) == sent
