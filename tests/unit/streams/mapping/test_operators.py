"""The operators' source: decisions, and dead letters that come back under their own position."""

import base64
import json
from typing import Any

import pytest

from schemas.configuration import Configuration
from schemas.records import EndpointOrdered, HoldExempted, HoldPlaced, HoldReleased, OperatorDecision, ScrapDeclared
from streams.mapping import Operators, RawRecord, RefusedRecord, compile_source

QUANTITY = {"path": "n", "decimals": "0", "unit": "=PC"}
CONFIG = Configuration.from_mappings(
    {
        "plant": {"id": "P"},
        "equipment": {"M1": {}},
        "sources": {
            "terminals": {
                "read": {"event_id": "position", "occurred_at": "at", "received_at": "at", "equipment": "m"},
                "events": [{"when": {"kind": "scrap"}, "emit": "ScrapDeclared", "quantity": QUANTITY}],
            },
            "operators": {"read": {"topic": "raw.p.operators", "format": "replay"}},
        },
    },
    {},
    {},
)  # fmt: skip
AT = 1_700_000_000_000_000
ORIGINAL = json.dumps({"kind": "scrap", "n": "3", "m": "M1", "at": "2023-11-14T22:00:00Z"}).encode()


def operators() -> Operators:
    found = compile_source("operators", CONFIG.plant.sources["operators"], CONFIG.plant)
    assert isinstance(found, Operators)
    return found


def line(**content: Any) -> RawRecord:
    return RawRecord(json.dumps({"at": AT, **content}).encode(), "operators", "raw.p.operators/0", 7, AT)


def replay(**changed: Any) -> RawRecord:
    told = {"source": "terminals", "raw_source": "raw.p.terminals/2", "raw_offset": 41, "received_at": 5, **changed}
    return line(replay={"original": base64.b64encode(ORIGINAL).decode(), **told})


def test_a_decision_becomes_an_event_with_its_own_position() -> None:
    told = {
        "event_id": "d1",
        "order": "O1",
        "decision": "retry",
        "who": "h",
        "why": "came",
        "posting_id": "X",
        "code": "STOCK_SHORT",
    }
    mapper = operators()
    raw, chosen = mapper.unwrapped(line(decide=told))
    (event,) = chosen.map(raw)
    assert isinstance(event, OperatorDecision)
    assert (event.posting_id, event.decision, event.why, event.occurred_at) == ("X", "retry", "came", AT)
    assert (event.raw_source, event.raw_offset, event.source, event.plant) == ("raw.p.operators/0", 7, "operators", "P")


HOLD: dict[str, Any] = {"event_id": "h1", "change": "place", "material": "M", "lot": "L", "hold": "8D-17", "version": 3,
                        "who": "h", "why": "bubbles"}  # fmt: skip


def test_a_hold_is_ordered_placed_released_exempted_or_taken_back() -> None:
    found = []
    for change in ("place", "release", "exempt", "revoke"):
        told = {**HOLD, "change": change, "effective_at": AT - 60, "correlation_id": "C9"}
        raw, chosen = operators().unwrapped(line(hold=told))
        (event,) = chosen.map(raw)
        assert isinstance(event, HoldPlaced | HoldReleased | HoldExempted)
        assert (event.material, event.lot, event.hold, event.version) == ("M", "L", "8D-17", 3)
        assert (event.occurred_at, event.received_at, event.who, event.reason) == (AT - 60, AT, "h", "bubbles")
        assert (event.correlation_id, event.plant, event.source) == ("C9", "P", "operators")
        found.append((type(event), getattr(event, "revoked", None), getattr(event, "severity", "")))
    assert found == [
        (HoldPlaced, None, "block"), (HoldReleased, None, ""), (HoldExempted, False, ""), (HoldExempted, True, ""),
    ]  # fmt: skip


def test_a_replay_is_the_original_record_under_its_own_position() -> None:
    raw, chosen = operators().unwrapped(replay())
    (event,) = chosen.map(raw)
    assert isinstance(event, ScrapDeclared)
    assert (event.raw_source, event.raw_offset, event.source) == ("raw.p.terminals/2", 41, "terminals")
    first = RawRecord(ORIGINAL, "terminals", "raw.p.terminals/2", 41, 5)
    (known,) = compile_source("terminals", CONFIG.plant.sources["terminals"], CONFIG.plant).map(first)
    assert event.event_id == known.event_id, "what was counted once is a duplicate"
    assert raw.replay == "raw.p.operators/0@7"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (RawRecord(b"no json", "operators", "f", 1), "BAD_JSON"),
        (RawRecord(b'{"decide": {}}', "operators", "f", 1), "BAD_JSON"),
        (RawRecord(b"[" * 100_000, "operators", "f", 1), "BAD_JSON"),
        (line(), "NOT_REPLAYABLE"),
        (line(decide={"order": "O1"}), "MISSING_FIELD"),
        (line(decide={"event_id": 5, "order": "O", "decision": "post", "who": "h", "why": "w"}), "BAD_FIELD"),
        (line(hold={**HOLD, "who": ""}), "MISSING_FIELD"),
        (line(hold={**HOLD, "why": ""}), "MISSING_FIELD"),
        (line(hold={**HOLD, "change": "lift"}), "BAD_FIELD"),
        (line(hold={**HOLD, "version": 0}), "BAD_FIELD"),
        (line(hold={**HOLD, "version": "3"}), "BAD_FIELD"),
        (line(hold={**HOLD, "severity": "harsh"}), "BAD_FIELD"),
        (line(hold={**HOLD, "effective_at": "now"}), "BAD_FIELD"),
        (line(hold={**HOLD, "lot": "L" * 121}), "BAD_FIELD"),
        (line(hold={**HOLD, "correlation_id": 5}), "BAD_FIELD"),
        (replay(source="nobody"), "NOT_REPLAYABLE"),
        (replay(source="operators"), "NOT_REPLAYABLE"),
        (replay(original="***"), "NOT_REPLAYABLE"),
        (replay(raw_offset="41"), "NOT_REPLAYABLE"),
    ],
)
def test_what_is_neither_is_refused(raw: RawRecord, code: str) -> None:
    inner, chosen = operators().unwrapped(raw)
    (refused,) = chosen.map(inner)
    assert isinstance(refused, RefusedRecord)
    assert refused.code == code


def test_its_files_are_read_like_those_of_any_source() -> None:
    mapper = operators()
    assert (mapper.read.format, list(mapper.columns), list(mapper.files)) == ("replay", [], [])


@pytest.mark.parametrize(("told", "endpoint"), [({}, ""), ({"name": "tryton"}, "tryton")])
def test_an_order_names_the_endpoint(told: dict[str, str], endpoint: str) -> None:
    content = {"event_id": "e", "mode": "pause", "who": "w", "why": "y", **told}
    (found,) = operators().map(line(endpoint=content))
    assert isinstance(found, EndpointOrdered)
    assert (found.mode, found.endpoint) == ("pause", endpoint)


@pytest.mark.parametrize("name", [5, None, "x" * 100_000])
def test_an_order_with_a_name_that_is_none_is_refused(name: Any) -> None:
    """It must not stop the only one, and not all."""
    (found,) = operators().map(line(endpoint={"event_id": "e", "mode": "pause", "who": "w", "why": "y", "name": name}))
    assert isinstance(found, RefusedRecord)
    assert found.code == "BAD_FIELD"
