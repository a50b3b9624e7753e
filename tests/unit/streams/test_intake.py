"""Stage intake over recorded and live input: labels, ticks, frames, routes, configuration."""

from typing import Any

import pytest

from schemas.records import ConfigActivated, CounterFrame, GenealogyEdge, Tick
from streams.intake.frames import MAX_FRAME_READINGS
from streams.intake.stage import HANDLERS, IntakeStage
from streams.mapping.records import CANONICAL
from streams.mapping.rule_mapper import RuleMapper
from streams.memory_step import MemoryStep, Message
from tests.unit.streams.raw_bench import EVENTS, PLANT, READ, TOPIC, Intake, end, intake_configuration, line, readings_of
from tests.unit.tables.floor_bench import HOUR, MIN, S, at

T = at("07:00")


def labels(intake: Intake) -> list[int]:
    return [record.label for record in intake.sent("equipment.inbox") if not isinstance(record, Tick)]


# -- the clock


def test_a_label_is_the_end_of_its_interval() -> None:
    intake = Intake()
    for number, moment in enumerate((T - S, T, T + 1, T + MIN), 1):
        intake.fold(line(number, moment, "state"))
    assert labels(intake) == [T, T, T + MIN, T + MIN], "(previous, label]"
    assert intake.ticks() == [(T, False)]


def test_a_cut_ends_an_interval_that_it_falls_into() -> None:
    intake = Intake(intake_configuration(clock={"step": "7 min"}))
    cut = at("14:00")
    for number, moment in enumerate((cut - 1, cut, cut + 1), 1):
        intake.fold(line(number, moment, "state"))
    assert labels(intake)[:2] == [cut, cut]
    assert labels(intake)[2] > cut
    assert intake.ticks() == [(cut, False)]


def test_silence_has_no_ticks_except_at_cuts() -> None:
    intake = Intake()
    intake.fold(line(1, T + 1, "state"), line(2, at("23:30"), "state"))
    assert intake.ticks() == [(T + MIN, False), (at("14:00"), False), (at("22:00"), False)]
    assert labels(intake) == [T + MIN, at("23:30")]


def test_every_tick_lies_after_what_it_closes() -> None:
    intake = Intake()
    intake.fold(line(1, T, "count", n=5), line(2, T + S, "count", n=6), line(3, T + 2 * MIN, "count", n=7))
    kinds = [(type(record).__name__, getattr(record, "label", 0) or record.at) for record in intake.sent("equipment.inbox")]
    assert kinds == [
        ("CounterFrame", T),
        ("Tick", T),
        ("CounterFrame", T + MIN),
        ("Tick", T + MIN),
        ("CounterFrame", T + 2 * MIN),
    ]


def test_time_that_goes_back_changes_no_label() -> None:
    intake = Intake()
    intake.fold(line(1, T + MIN, "state"), line(2, T - HOUR, "state"), line(3, T + MIN, "state"))
    assert labels(intake) == [T + MIN] * 3
    assert intake.ticks() == []


@pytest.mark.parametrize(
    ("last", "ticks"),
    [
        pytest.param(T + 1, [(T + MIN, False), (at("14:00"), True)], id="the first cut after the last record"),
        pytest.param(at("14:00"), [(at("14:00"), True)], id="the last record lies at a cut"),
    ],
)
def test_the_end_closes_at_a_cut(last: int, ticks: list[tuple[int, bool]]) -> None:
    intake = Intake()
    intake.fold(line(1, last, "state"), end(2))
    assert intake.ticks() == ticks
    intake.fold(end(3))
    assert intake.ticks() == ticks, "a repeated end says nothing new"


@pytest.mark.parametrize(
    ("type_", "stated", "arrived", "code"),
    [
        ("count", T + 5 * MIN, T, None),
        ("count", T + 5 * MIN + 1, T, "CLOCK_AHEAD"),
        ("reject", T + 24 * 60 * MIN, T, "CLOCK_AHEAD"),
        ("release", T + 24 * 60 * MIN, T, "CLOCK_AHEAD"),
        ("count", T, 0, "MISSING_FIELD"),  # nothing before it said when anything arrived
    ],
)
def test_a_clock_that_is_ahead_closes_no_shift(type_: str, stated: int, arrived: int, code: str | None) -> None:
    message = line(1, stated, type_, n=5, po="O1", items=[{"i": "1", "material": "4711", "n": 5}], ops=[{"op": "10"}])
    message.headers = [(name, str(arrived).encode() if name == "received_at" else value) for name, value in message.headers]
    intake = Intake()
    intake.fold(line(0, T, "noise") if arrived else line(0, 0, "noise"), message)
    assert [letter.code for letter in intake.sent("exceptions")] == ([code] if code else [])
    assert not intake.ticks(), "nothing was closed"
    assert code != "CLOCK_AHEAD" or intake.sent("exceptions")[0].received_at == T


@pytest.mark.parametrize(("type_", "refused"), [("count", True), ("reject", True), ("release", False)])
def test_only_orders_may_state_dates_that_are_to_come(type_: str, refused: bool) -> None:
    read = {**READ, "occurred_at": {"path": "planned", "date": "epoch_us"}}
    intake = Intake(intake_configuration(sources={"s": {"read": read, "events": EVENTS}}))
    intake.fold(
        line(
            1,
            T,
            type_,
            n=5,
            po="O1",
            items=[{"i": "1", "material": "4711", "n": 5}],
            ops=[{"op": "10"}],
            planned=T + 8 * 24 * 60 * MIN,
        )
    )
    assert [letter.code for letter in intake.sent("exceptions")] == (["CLOCK_AHEAD"] if refused else [])


def test_nothing_recorded_has_no_end() -> None:
    intake = Intake()
    intake.fold(end(1))
    assert intake.ticks() == []


def test_ticks_reach_every_partition_of_every_stage_that_is_fed() -> None:
    intake = Intake(partitions=3)
    intake.fold(line(1, T, "state"), end(2))
    reached = [(sent.topic, sent.partition) for sent in intake.step.sent if isinstance(sent.record, Tick) and sent.record.final]
    assert sorted(reached) == [(topic, n) for topic in ("equipment.inbox", "lots.inbox", "orders.inbox") for n in range(3)]


def test_live_without_lag_the_wall_clock_ticks() -> None:
    intake = Intake(recorded=False)
    message = line(1, T, "state")
    intake.fold(Message(0, message.value, timestamp=T // 1000))
    intake.stage.idle(intake.step, T + S - 1)
    assert intake.ticks() == []
    intake.stage.idle(intake.step, T + 3 * S + 5)
    assert intake.ticks() == [(T, False), (T + 3 * S, False)]
    intake.stage.idle(intake.step, T + 3 * S + 5)
    assert len(intake.ticks()) == 2, "never twice"
    intake.fold(Message(1, message.value, timestamp=(T + 4 * S) // 1000))
    intake.stage.idle(intake.step, T + 3 * S)
    assert [moment for moment, _ in intake.ticks()] == [T, T + 3 * S], "never back"


def test_what_comes_after_its_tick_belongs_to_the_next_interval() -> None:
    """The broker's clock is behind the host's: nothing may carry a label that was closed."""
    intake = Intake(recorded=False)
    intake.fold(Message(0, line(1, T, "state").value, timestamp=T // 1000))
    intake.stage.idle(intake.step, T + 3 * S)
    for number, behind in enumerate((2 * S, 0), 1):
        intake.fold(Message(number, line(number + 1, T, "state").value, timestamp=(T + 3 * S - behind) // 1000))
    assert labels(intake) == [T, T + 4 * S, T + 4 * S]
    assert [moment for moment, _ in intake.ticks()] == [T, T + 3 * S]


# -- frames


def frames(intake: Intake) -> list[list[int]]:
    return [
        [value for _, _, value, _ in readings_of(one)] for one in intake.sent("equipment.inbox") if isinstance(one, CounterFrame)
    ]


def test_readings_of_one_counter_leave_together() -> None:
    intake = Intake()
    intake.fold(*(line(n, T, "count", n=n) for n in range(1, 4)), line(4, T, "oil", n=90), line(5, T, "count", m="M2", n=7))
    assert frames(intake) == [[1, 2, 3], [90], [7]]
    first = intake.sent("equipment.inbox")[0]
    assert readings_of(first) == [(n, T, n, n) for n in (1, 2, 3)]
    assert (first.plant, first.equipment, first.counter, first.source, first.raw_source) == (
        PLANT,
        "M1",
        "shots",
        "s",
        "in.jsonl",
    )


def test_frames_never_cross_an_event_of_their_equipment() -> None:
    intake = Intake()
    intake.fold(
        line(1, T, "count", n=1),
        line(2, T, "count", n=8, m="M2"),
        line(3, T, "start", job="A", po="O1"),
        line(4, T, "count", n=2),
        line(5, T, "count", n=9, m="M2"),
        line(6, T, "reject", po="O1", n=1),
        line(7, T, "count", n=3),
    )
    shape = [frames_or_name(record) for record in intake.sent("equipment.inbox")]
    assert shape[:3] == [[1], "RunStarted", [2]] or shape[:2] == [[1], "RunStarted"]
    m1 = [one for one, record in zip(shape, intake.sent("equipment.inbox"), strict=True) if record.equipment == "M1"]
    assert m1 == [[1], "RunStarted", [2], "ScrapDeclared", [3]]
    assert [8, 9] in shape, "events of another equipment do not matter"


def frames_or_name(record: Any) -> Any:
    if isinstance(record, CounterFrame):
        return [value for _, _, value, _ in readings_of(record)]
    return type(record).__name__


def test_frames_have_a_limit() -> None:
    intake = Intake()
    intake.fold(*(line(n, T, "count", n=n) for n in range(1, MAX_FRAME_READINGS + 3)))
    assert [len(one) for one in frames(intake)] == [MAX_FRAME_READINGS, 2]


def test_nothing_stays_in_memory_after_a_commit() -> None:
    intake = Intake()
    intake.fold(line(1, T, "count", n=1), commit=False)
    assert frames(intake) == []
    intake.fold(line(2, T, "count", n=2))
    assert frames(intake) == [[1, 2]]


# -- routes

EQUIPMENT = [
    "start",
    "change",
    "end",
    "correct",
    "void",
    "load",
    "unload",
    "state",
    "labour",
    "good",
    "reject",
    "rework",
    "back",
    "used",
]
ORDER = ["release", "amend", "taken", "refused", "done", "closed", "handed", "decide"]
LOT = ["lot", "split", "merge", "staged", "shipped", "inspect", "verdict", "hold", "unhold", "dispose"]
ITEMS = [{"i": "1", "material": "4711", "n": 5}]
WHAT = {"job": "A", "po": "O1", "lot": "L1", "n": 5, "items": ITEMS, "ops": [{"op": "10"}], "lots": [{"lot": "L2"}]}


@pytest.mark.parametrize(
    ("type_", "topic", "key"),
    [
        *((type_, "equipment.inbox", "P|M1") for type_ in EQUIPMENT),
        *((type_, "orders.inbox", "P|O1") for type_ in ORDER),
        *((type_, "lots.inbox", "P|4711|L1") for type_ in LOT),
        ("temp", "telemetry.process", "P|M1"),
        ("material", "orders.inbox", "P|4711"),
    ],
)
def test_route(type_: str, topic: str, key: str) -> None:
    intake = Intake()
    intake.fold(line(1, T, type_, **WHAT))
    copies = type_ == "labour"  # a person's time at one machine depends on what they do at the others
    assert [(sent.topic, sent.key) for sent in intake.step.sent] == [(topic, key)] * (1 + copies)
    assert [getattr(sent.record, "copy", False) for sent in intake.step.sent] == [False, True][: 1 + copies]
    assert intake.step.sent[0].record.label == T


@pytest.mark.parametrize("type_", ["good", "reject", "rework", "back", "used"])
def test_declarations_without_equipment_go_to_their_order(type_: str) -> None:
    intake = Intake()
    intake.fold(line(1, T, type_, **{**WHAT, "m": None}))
    assert [(sent.topic, sent.key) for sent in intake.step.sent] == [("orders.inbox", "P|O1")]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (line(1, T, "loose", n=1, m=None), "MISSING_FIELD"),
        (line(1, T, "unheard of"), "NO_MAPPING"),
        (Message(1, b"{", headers=line(1, T, "state").headers), "BAD_JSON"),
        (Message(1, b"{}", headers=[("source", b"zz"), *line(1, T, "state").headers[1:]]), "UNKNOWN_SOURCE"),
    ],
)
def test_what_cannot_be_routed_is_a_dead_letter(message: Message, code: str) -> None:
    intake = Intake()
    intake.fold(message)
    ((topic, letter),) = [(sent.topic, sent.record) for sent in intake.step.sent]
    assert topic == "exceptions"
    assert (letter.code, letter.raw_source, letter.raw_offset, letter.received_at) == (code, "in.jsonl", 1, T)
    assert letter.original == message.value


def test_what_a_mapping_may_give_has_a_stage_that_takes_it() -> None:
    assert {kind.__name__ for kind in HANDLERS} == {*CANONICAL, "Reading", "UpstreamOrdered", "EndpointOrdered", "LetterSettled"}


def test_an_event_that_no_stage_takes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    intake = Intake()
    edge = GenealogyEdge(PLANT, "4711", "L1", "4711", "L2", "O1", T, 0)
    monkeypatch.setattr(RuleMapper, "map", lambda mapper, raw: [edge])
    intake.fold(line(1, T, "state"))
    (letter,) = intake.sent("exceptions")
    assert (letter.code, letter.stage, letter.detail) == ("WRONG_STAGE", "intake", "GenealogyEdge")


def test_master_data_is_broadcast() -> None:
    intake = Intake(partitions=3)
    intake.fold(line(1, T, "material"))
    assert [(sent.topic, sent.partition) for sent in intake.step.sent] == [("orders.inbox", n) for n in range(3)]


def test_every_raw_record_is_counted_once() -> None:
    intake = Intake()
    intake.fold(
        line(1, T, "count", n=1),
        line(2, T, "noise"),
        line(3, T, "zzz"),
        line(4, T, "temp", n=1),
        line(5, T, "reject", po="O", n=1),
    )
    marks = intake.step.state.marks
    names = ("raw", "readings", "ignored", "refused", "process_values", "declarations")
    assert {name: marks[name] for name in names} == {**dict.fromkeys(names, 1), "raw": 5}


def test_a_record_that_ended_the_process_is_refused_and_its_time_counts() -> None:
    intake = Intake()
    intake.step.suspects = frozenset({2})
    intake.fold(line(1, T, "state"), line(2, T + MIN, "state"), line(3, T + MIN, "state"))
    assert [letter.code for letter in intake.sent("exceptions")] == ["FOLD_FAILED"]
    assert intake.ticks() == [(T, False)]
    assert labels(intake) == [T, T + MIN]


# -- configuration


def test_the_first_configuration_is_said_before_any_record() -> None:
    intake = Intake(partitions=2)
    assert {(sent.record.hash, sent.record.at) for sent in intake.bootstrap} == {(intake.config.hash, 0)}
    assert len(intake.bootstrap) == 3 * 2
    intake.stage.taken_over(intake.step)
    assert intake.step.sent == [], "its choice is kept in the position"


def test_another_configuration_takes_effect_after_the_last_tick() -> None:
    intake = Intake()
    intake.fold(line(1, T, "state"), line(2, T + MIN, "state"))
    other = intake_configuration(lots={"missing": "ignore"})
    intake.step.sent = []
    IntakeStage(intake.topology, TOPIC, other, True).taken_over(intake.step)
    said = {(sent.record.hash, sent.record.at) for sent in intake.step.sent if isinstance(sent.record, ConfigActivated)}
    assert said == {(other.hash, T)}


def test_partitions_that_no_recorded_input_has_say_nothing() -> None:
    config = intake_configuration()
    step = MemoryStep(TOPIC, partition=1)
    IntakeStage(Intake(config).topology, TOPIC, config, True).taken_over(step)
    assert step.sent == []


@pytest.mark.parametrize(
    ("header", "place"),
    [
        (b"export.csv@0123456789ab:17", ("export.csv@0123456789ab", 17)),
        (b"C:/x.csv:1", ("C:/x.csv", 1)),
        (b"\xff:3", ("\ufffd", 3)),
        (None, ("raw.P/0", 5)),
        (b"", ("raw.P/0", 5)),
        (b"export.csv", ("raw.P/0", 5)),
        (b":3", ("raw.P/0", 5)),
        (b"a:-1", ("raw.P/0", 5)),
        (b"a:" + b"9" * 30, ("raw.P/0", 5)),
    ],
)
def test_live_a_record_of_a_dropped_file_has_its_place_in_the_file(header: bytes | None, place: tuple[str, int]) -> None:
    intake = Intake(recorded=False)
    headers = [] if header is None else [("position", header)]
    intake.fold(Message(5, line(5, T, "good", po="1", n=1).value, headers=headers, timestamp=T // 1000))
    (event,) = [sent for sent in intake.sent("equipment.inbox") if not isinstance(sent, Tick)]
    assert (event.raw_source, event.raw_offset, event.event_id) == (*place, f"{place[0]}:{place[1]}")
