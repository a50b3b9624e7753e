"""Settings whose effect no test of a stage shows with two values: each here, from the file to the decision that it changes."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.erp.master_poller import MasterPoller
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import prove
from app.ledger.questions.needs import needs_of
from schemas.records import LotLoaded, RunStarted, ScrapDeclared
from tables.delivery.outbox import ReadBack
from tables.plant.calendar import calendar_of
from tests.unit.erp.executor_bench import Bench
from tests.unit.streams.ledger_bench import Ledger, released, total
from tests.unit.streams.mapping.sources import mapper_of, one, raw, record
from tests.unit.streams.quality_bench import configuration as of_delivery
from tests.unit.streams.raw_bench import EVENTS, READ, Intake, intake_configuration, line, readings_of
from tests.unit.tables.floor_bench import (
    MIN,
    S,
    amounts,
    at,
    configuration,
    count,
    counter,
    frame,
    machine,
    on_machine,
    out,
    pieces,
)

T = at("07:00")
STATE = {"emit": "EquipmentStateChanged", "state": "=running"}


# -- sources and the clock


@pytest.mark.parametrize(("future", "codes"), [("5 min", ["CLOCK_AHEAD"]), ("20 min", [])])
def test_how_far_a_clock_may_be_ahead(future: str, codes: list[str]) -> None:
    message = line(1, T + 10 * MIN, "count", n=5)
    message.headers = [(name, str(T).encode() if name == "received_at" else value) for name, value in message.headers]
    intake = Intake(intake_configuration(clock={"future": future}))
    intake.fold(line(0, T, "noise"), message)
    assert [letter.code for letter in intake.sent("exceptions")] == codes


@pytest.mark.parametrize(("step", "labels"), [("60 s", {T + MIN, T + 3 * MIN}), ("4 min", {T + 4 * MIN})])
def test_steps_of_the_clock(step: str, labels: set[int]) -> None:
    intake = Intake(intake_configuration(clock={"step": step}))
    intake.fold(line(1, T + S, "state"), line(2, T + 2 * MIN + S, "state"))
    assert {entry.label for entry in intake.sent("equipment.inbox") if hasattr(entry, "label")} == labels


@pytest.mark.parametrize(("connection", "values"), [("continuous", [5, 9]), ("snapshot", [5, None, 9])])
def test_a_connection_that_begins_with_a_snapshot(connection: str, values: list[int | None]) -> None:
    source = {"read": {**READ, "sequence": None, "connection": connection}, "events": EVENTS}
    intake = Intake(intake_configuration(sources={"s": source}))
    for number, value in enumerate((5, 9)):
        message = line(number + 1, T + number * MIN, "count", n=value)
        name = f"day{number}.jsonl:1".encode()
        message.headers = [(key, name if key == "position" else known) for key, known in message.headers]
        intake.fold(message)
    frames = [entry for entry in intake.sent("equipment.inbox") if hasattr(entry, "readings")]
    found = [value if value >= 0 else None for entry in frames for _, _, value, _ in readings_of(entry)]
    assert found == values


@pytest.mark.parametrize(
    ("format_", "emitted"), [("json", "EquipmentStateChanged"), ("csv", "RefusedRecord"), ("shdr", "RefusedRecord")]
)
def test_the_format_says_what_bytes_mean(format_: str, emitted: str) -> None:
    columns = {"columns": ["id", "ts", "rx", "m"]} if format_ == "csv" else {}
    read = {"format": format_, "event_id": "content", "occurred_at": "ts", "equipment": "m", **columns}
    items = mapper_of([STATE], read).map(raw(record()))
    assert [type(item).__name__ for item in items] == ([emitted] if items else [])
    assert bool(items) or format_ != "json"


@pytest.mark.parametrize(("expression", "expected"), [("m", "M1"), ("n", "M2"), ("=M2", "M2"), ("", "")])
def test_where_the_equipment_stands(expression: str, expected: str) -> None:
    read = {"event_id": "id", "occurred_at": "ts", "equipment": expression}
    event = {"emit": "ScrapDeclared", "order": "=O1", "quantity": {"path": "=1", "decimals": "0", "unit": "=PC"}}
    item = one(mapper_of([event], read, equipment={"M1": {}, "M2": {}}), record(m="M1", n="M2"))
    assert item.equipment == expected


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        ({"id": "P", "zone": "Europe/Prague"}, ("P", at("06:00"))),
        ({"id": "P", "zone": "UTC"}, ("P", T)),
        ({"id": "Q", "zone": "UTC"}, ("Q", T)),
    ],
)
def test_whose_plant_and_which_wall_clock(plant: dict[str, str], expected: tuple[str, int]) -> None:
    item = one(mapper_of([STATE], plant=plant), record(ts="2026-11-20T07:00:00"))
    assert (item.plant, item.occurred_at) == expected


# -- the calendar


@pytest.mark.parametrize(
    ("calendar", "moment", "expected"),
    [
        ({}, at("02:00"), ("night", "2026-11-19")),
        ({"business_date": "day_shift_ended"}, at("02:00"), ("night", "2026-11-20")),
        ({"business_date": "calendar_day"}, at("02:00"), ("night", "2026-11-20")),
        ({"shifts": {"early": "06:00", "late": "14:00"}}, at("23:00"), ("late", "2026-11-20")),
        ({"shifts": {"early": "06:00-14:00"}}, at("15:00"), ("early", "2026-11-20")),
        ({"shifts": {"early": "06:00-14:00"}, "outside_shift": "next"}, at("15:00"), ("early", "2026-11-21")),
        (
            {"shifts": {"early": "06:00-14:00"}, "outside_shift": "next", "days_off": ["2026-11-21"]},
            at("15:00"),
            ("early", "2026-11-22"),
        ),
    ],
)
def test_whom_a_moment_belongs_to(calendar: dict[str, Any], moment: int, expected: tuple[str, str]) -> None:
    shift = calendar_of(configuration({"calendar": calendar}).plant).shift_at(moment)
    assert (shift.name, shift.business_date) == expected


# -- counters


@pytest.mark.parametrize(
    ("said", "expected"),
    [({}, ("PC", 1500, 0)), ({"unit": "kg"}, ("kg", 1500, 0)), ({"decimals": "3", "unit": "kg"}, ("kg", 1500, 3))],
)
def test_unit_and_decimals_of_a_counter(said: dict[str, str], expected: tuple[str, int, int]) -> None:
    equipment = machine(counter(counts="consumption", of="loaded_lot", **said))
    equipment.run_event(on_machine(LotLoaded, T, position="hopper", material="PP", lot="R1"))
    equipment.run_event(on_machine(RunStarted, T, run="A", order="OA", operation="10", outputs=[out("4711")]))
    count(equipment, ("07:10", 1000), ("07:20", 2500))
    ((unit, scale), amount), *others = amounts(equipment, "unit", "scale").items()
    assert ((unit, amount, int(scale)), others) == (expected, [])


@pytest.mark.parametrize(("hold", "told"), [("15 min", True), ("2 h", False)])
def test_an_undecided_zero_is_told_after_a_while(hold: str, told: bool) -> None:
    plant = counter(on_fall="placeholder", hold_undecided=hold)
    equipment = machine(plant)
    count(equipment, ("07:00", 100), ("07:10", 110), ("07:20", 0))
    equipment.seen_at(T + 80 * MIN)
    equipment.put()
    snapshot = Snapshot({"equipment": {equipment.key: equipment.row}}, [], configuration(plant), {})
    needs = [need.what for need in needs_of(snapshot, prove(snapshot))]
    assert any("fell from 110 to 0, undecided" in what for what in needs) is told


@pytest.mark.parametrize(("horizon", "code"), [("1 h", "TOO_LATE"), ("2 h", "")])
def test_how_late_a_record_may_be(horizon: str, code: str) -> None:
    equipment = machine({"attribution": {"late_horizon": horizon}})
    equipment.seen_at(T + 90 * MIN)
    refused = equipment.declared(on_machine(ScrapDeclared, T, quantity=pieces(1)))
    assert ("" if refused is None else refused.code) == code
    late = equipment.readings("shots", frame((-1, T, 5)), "raw.p/0")
    assert [one.why.code for one in late] == ([code] if code else [])


# -- the ERP


@pytest.mark.parametrize(
    ("close", "sweep", "swept"),
    [
        ("2nd workday 12:00", "2 h", at("10:00", day=32)),
        ("2nd workday 12:00", "5 h", at("07:00", day=32)),
        ("1st workday 12:00", "2 h", at("10:00", day=31)),
    ],
)
def test_a_period_is_swept_before_its_close(close: str, sweep: str, swept: int) -> None:
    """November 2026 ends on a Monday; its close is the first or second workday of December (day 31 or 32 of November)."""
    rules = {"post": [{"kind": "yield", "when": "order_completed"}]}
    ledger = Ledger(configuration(None, rules, {"erp": {"adapter": "sim"}, "periods": {"close": close, "sweep_before": sweep}}))
    ledger.fold(released(at("20:00", day=30)), total("gross", 100, (1, 1), at("21:00", day=30), business_date="2026-11-30"))
    assert not ledger.tick(swept - 1)
    assert [posting.amount for posting in ledger.tick(swept) if posting.kind == "yield"] == [100]


@pytest.mark.parametrize(("horizon", "seconds"), [("20 s", 37), ("60 s", 77)])
def test_how_long_an_attempt_may_still_be_booked(horizon: str, seconds: int) -> None:
    async def read_back() -> float:
        bench = Bench(idempotent=False, config=of_delivery(erp={"erp": {"adapter": "sim", "commit_horizon": horizon}}))
        bench.row("P1", "unknown")
        begun = bench.time.now_ns
        bench.executor.accept(0, [ReadBack("P1", 1)])
        await bench.time.advance(300)
        assert bench.sent[-1].code == "HORIZON_PASSED"
        await bench.executor.close()
        return (bench.erp.finds[-1] - begun) / 1e9

    took = asyncio.run(read_back())
    assert seconds <= took < seconds + 40


@pytest.mark.parametrize("every_s", [7.0, 60.0])
def test_master_data_is_pulled_so_often(every_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """`erp.pull_every` becomes this number in tests/composition; here is what it does."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        raise asyncio.CancelledError

    monkeypatch.setattr("app.erp.master_poller.asyncio.sleep", sleep)
    never: Callable[[], Any] = lambda: pytest.fail("it does not own the partition")  # noqa: E731
    poller = MasterPoller(never, never, lambda: False, every_s)  # type: ignore[arg-type]
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(poller.run())
    assert waited == [every_s]
