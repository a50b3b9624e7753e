"""A replay that intake takes resolves its dead letters; one that is refused again leaves them replayed."""

import base64
import json

import pytest

from schemas.records import ExceptionRecord, LetterSettled, ScrapDeclared
from streams.memory_step import Message
from tests.unit.streams.raw_bench import EVENTS, READ, Intake, intake_configuration
from tests.unit.tables.floor_bench import at

T = at("07:00")
SETTLES = {"event_id": "e", "letter": "l1", "code": "NO_MAPPING", "who": "h", "why": "mapped now"}


def told(number: int, **content: object) -> Message:
    headers = [("source", b"operators"), ("position", f"told:{number}".encode()), ("received_at", str(T).encode())]
    return Message(number, json.dumps({"at": T, **content}).encode(), headers=headers)


def intake() -> Intake:
    sources = {"s": {"read": READ, "events": EVENTS}, "operators": {"read": {"topic": "raw.operators", "format": "replay"}}}
    return Intake(intake_configuration(sources=sources))


@pytest.mark.parametrize(
    ("type_", "state", "refused"), [("reject", "resolved", []), ("never heard of", "replayed", ["NO_MAPPING"])]
)
def test_how_a_replay_went_is_told_with_it(type_: str, state: str, refused: list[str]) -> None:
    original = json.dumps({"t": T, "type": type_, "m": "M1", "seq": 1, "n": 3}).encode()
    record = {"source": "s", "raw_source": "in.jsonl", "raw_offset": 1, "received_at": T}
    bench = intake()
    replay = {**record, "original": base64.b64encode(original).decode(), "settles": [SETTLES, {**SETTLES, "letter": "l2"}]}
    bench.fold(told(1, replay=replay))
    settled = [one for one in bench.sent("exceptions") if isinstance(one, LetterSettled)]
    assert [(one.letter, one.state, one.who, one.why) for one in settled] == [
        ("l1", state, "h", "mapped now"),
        ("l2", state, "h", "mapped now"),
    ]
    assert [one.code for one in bench.sent("exceptions") if isinstance(one, ExceptionRecord)] == refused
    assert any(isinstance(one, ScrapDeclared) for one in bench.sent("equipment.inbox")) == (not refused)


def test_what_a_person_says_stands_with_the_letters_and_in_no_inbox() -> None:
    bench = intake()
    bench.fold(told(1, settle={**SETTLES, "state": "discarded"}))
    (settled,) = bench.sent("exceptions")
    assert (settled.state, settled.letter, settled.plant) == ("discarded", "l1", bench.config.plant.plant.id)
    assert [sent.topic for sent in bench.step.sent] == ["exceptions"]
    assert bench.step.state.marks["other"] == 1


REPLAY = {"source": "s", "raw_source": "in.jsonl", "raw_offset": 1, "received_at": T, "original": "e30="}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"replay": {**REPLAY, "raw_offset": -1}}, "NOT_REPLAYABLE"),
        ({"replay": {**REPLAY, "raw_offset": 1 << 48}}, "NOT_REPLAYABLE"),
        ({"replay": {**REPLAY, "raw_offset": 10**30}}, "NOT_REPLAYABLE"),
        ({"replay": {**REPLAY, "raw_source": "x" * 5_000}}, "NOT_REPLAYABLE"),
        ({"replay": {**REPLAY, "raw_source": "\ud800"}}, "BAD_JSON"),
        ({"settle": {**SETTLES, "why": "\udcfc"}}, "BAD_JSON"),
        ({"decide": {"event_id": "e", "order": "O1", "decision": "drop", "who": "h", "why": "\udcfc"}}, "BAD_JSON"),
    ],
)
def test_what_cannot_be_written_down_is_refused_and_ends_nothing(content: dict[str, object], code: str) -> None:
    """json.dumps writes half a character as `\\ud800`: what a terminal that is not UTF-8 gives."""
    bench = intake()
    bench.fold(told(1, **content))
    assert [one.code for one in bench.sent("exceptions")] == [code]


def test_a_replay_that_came_at_no_time_came_when_it_was_replayed() -> None:
    bench = intake()
    bench.fold(told(1, replay={**REPLAY, "received_at": 10**30}))
    assert [one.received_at for one in bench.sent("exceptions")] == [T]
