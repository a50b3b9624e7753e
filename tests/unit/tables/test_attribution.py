"""Who owns a piece: open runs, grace, corrections, late runs, factors, loads, business dates."""

from typing import Any

import pytest

from schemas.records import LotLoaded, LotUnloaded, RunChanged, RunCorrected, RunEnded, RunStarted, RunVoided
from tables.equipment.destination import Destination
from tables.equipment.equipment import EquipmentFold
from tests.unit.tables.floor_bench import S, amounts, at, by_run, count, counter, frame, machine, on_machine, out

GRACE = {"attribution": {"run_grace": "10 min"}}


def started(run: str, clock: str, order: str = "", version: int = 0, **fields: Any) -> RunStarted:
    outputs = fields.pop("outputs", None) or [out("4711", lot=f"L-{run}")]
    return on_machine(
        RunStarted, at(clock), run=run, order=order or f"O-{run}", operation="10", version=version, outputs=outputs, **fields
    )


def ended(run: str, clock: str, **fields: Any) -> RunEnded:
    return on_machine(RunEnded, at(clock), run=run, **fields)


def press(*events: Any, plant: dict[str, Any] | None = None) -> EquipmentFold:
    """A machine that heard these events, its count at 1000 since 06:30."""
    equipment = machine(plant)
    count(equipment, ("06:30", 1000))
    hear(equipment, *events)
    return equipment


def hear(equipment: EquipmentFold, *events: Any) -> None:
    for event in events:
        assert equipment.run_event(event) is None


@pytest.mark.parametrize(
    ("events", "readings", "expected"),
    [
        pytest.param([started("A", "07:00")], [("07:00", 1001)], {"A": 1}, id="the start is included"),
        pytest.param([started("A", "07:00")], [("06:59:59", 1001)], {"": 1}, id="before the start"),
        pytest.param([started("A", "07:00"), ended("A", "08:00")], [("08:00", 1001)], {"A": 1}, id="the end is included"),
        pytest.param([started("A", "07:00"), ended("A", "08:00")], [("08:10", 1001)], {"A": 1}, id="the last moment of grace"),
        pytest.param([started("A", "07:00"), ended("A", "08:00")], [("08:10:01", 1001)], {"": 1}, id="after its grace"),
        pytest.param(
            [started("A", "07:00"), ended("A", "08:00"), started("B", "08:05")],
            [("08:04", 1001), ("08:06", 1003)],
            {"A": 1, "B": 2},
            id="an open run beats one in its grace",
        ),
        pytest.param(
            [started("B", "07:30"), ended("B", "09:00"), started("A", "08:00"), ended("A", "08:30")],
            [("07:45", 1001), ("08:15", 1003), ("08:35", 1007)],
            {"B": 5, "A": 2},
            id="overlapping: the latest start, and an open one beats its grace",
        ),
        pytest.param(
            [started("A", "07:00"), started("B", "07:00")], [("07:30", 1004)], {"B": 4}, id="same start: what was told later"
        ),
        pytest.param(
            [started("A", "07:00"), on_machine(RunEnded, at("08:00"))],
            [("08:00", 1002), ("08:10:01", 1003)],
            {"A": 2, "": 1},
            id="a stop without a run ends what runs",
        ),
        pytest.param(
            [on_machine(RunEnded, at("06:45")), started("A", "07:00")], [("07:30", 1002)], {"A": 2}, id="an earlier stop does not"
        ),
        pytest.param(
            [ended("A", "08:00"), started("A", "07:00")], [("07:30", 1002), ("08:20", 1003)], {"A": 2, "": 1}, id="end first"
        ),
    ],
)
def test_owner(events: list[Any], readings: list[tuple[str, int]], expected: dict[str, int]) -> None:
    before = press(*events, plant=GRACE)
    count(before, *readings)
    assert by_run(before) == expected
    late = press(plant=GRACE)
    count(late, *readings)
    hear(late, *reversed(events))
    assert by_run(late) == expected, "a late run takes what it covers"


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        pytest.param([on_machine(RunCorrected, at("09:00"), run="A", version=1, order="X")], {("A", "X"): 7}, id="another order"),
        pytest.param(
            [on_machine(RunCorrected, at("09:00"), run="A", version=1, started_at=at("07:40"))],
            {("", ""): 2, ("A", "O-A"): 5},
            id="it began later",
        ),
        pytest.param(
            [on_machine(RunCorrected, at("09:00"), run="A", version=1, ended_at=at("07:40"))],
            {("", ""): 5, ("A", "O-A"): 2},
            id="it ended earlier",
        ),
        pytest.param(
            [
                on_machine(RunCorrected, at("09:00"), run="A", version=2, order="X"),
                on_machine(RunCorrected, at("08:59"), run="A", version=1, order="Y"),
            ],
            {("A", "X"): 7},
            id="the newest version wins, not the last to arrive",
        ),
        pytest.param([on_machine(RunVoided, at("09:00"), run="A", version=1)], {("", ""): 7}, id="voided"),
        pytest.param(
            [on_machine(RunVoided, at("09:00"), run="A", version=1), started("A", "07:00", version=0)],
            {("", ""): 7},
            id="voided, and its start once more",
        ),
        pytest.param([started("A", "06:59", order="Y", version=0)], {("A", "O-A"): 7}, id="an older start of the same version"),
        pytest.param(
            [
                on_machine(RunVoided, at("09:00"), run="A", version=1),
                on_machine(RunCorrected, at("09:05"), run="A", version=2, order="X"),
            ],
            {("A", "X"): 7},
            id="voided, and then corrected after all",
        ),
        pytest.param(
            [
                on_machine(RunCorrected, at("09:05"), run="A", version=2, order="X"),
                on_machine(RunVoided, at("09:00"), run="A", version=1),
            ],
            {("A", "X"): 7},
            id="an older void arrives after the correction",
        ),
        pytest.param(
            [
                on_machine(RunCorrected, at("09:00"), run="A", version=1, order="X", ended_at=at("07:40")),
                on_machine(RunCorrected, at("09:05"), run="A", version=2, order="Y"),
            ],
            {("A", "Y"): 2, ("", ""): 5},
            id="the end of an older correction stays when the newer one does not speak of it",
        ),
        pytest.param(
            [
                on_machine(RunCorrected, at("09:05"), run="A", version=2, order="Y"),
                on_machine(RunCorrected, at("09:00"), run="A", version=1, order="X", ended_at=at("07:40")),
            ],
            {("A", "Y"): 2, ("", ""): 5},
            id="and so it does when it arrives later",
        ),
        pytest.param(
            [on_machine(RunCorrected, at("09:00"), run="A", version=1, ended_at=at("07:55")), on_machine(RunEnded, at("07:40"))],
            {("A", "O-A"): 7},
            id="the end that people state outdoes a stop",
        ),
    ],
)
def test_corrections_by_people(later: list[Any], expected: dict[tuple[str, str], int]) -> None:
    equipment = press(started("A", "07:00"), ended("A", "08:00"))
    count(equipment, ("07:30", 1002), ("07:50", 1007))
    hear(equipment, *later)
    assert amounts(equipment, "run", "order") == expected


def test_a_correction_before_its_start_arrives_stays() -> None:
    equipment = press(on_machine(RunCorrected, at("09:00"), run="A", version=1, order="X", ended_at=at("07:40")))
    count(equipment, ("07:30", 1002), ("07:50", 1007))
    hear(equipment, started("A", "07:00"), ended("A", "08:00"))
    assert amounts(equipment, "run", "order") == {("A", "X"): 2, ("", ""): 5}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_outputs_that_people_state_and_changes(order: tuple[int, int]) -> None:
    """The change before the correction is outdone by it; the one after it happened, a plugged cavity, still holds."""
    said = on_machine(RunCorrected, at("07:35"), run="A", version=9, outputs=[out("4712", factor=2)])
    before = on_machine(RunChanged, at("07:15"), run="A", outputs=[out("4711", factor=3)])
    after = on_machine(RunChanged, at("07:40"), run="A", outputs=[out("4712", factor=1)])
    equipment = press(started("A", "07:00", outputs=[out("4711", factor=4)]), after, *((said, before)[n] for n in order))
    count(equipment, ("07:30", 1010), ("07:50", 1015))
    assert amounts(equipment, "material") == {("4712",): 10 * 2 + 5}


def test_a_stop_at_the_start_of_a_run_ended_the_run_before() -> None:
    equipment = press(started("A", "06:40"), on_machine(RunEnded, at("07:00")), started("B", "07:00"))
    count(equipment, ("06:50", 1002), ("07:10", 1005))
    assert by_run(equipment) == {"A": 2, "B": 3}


def test_a_start_that_is_sent_again_does_not_cut_its_run_short() -> None:
    equipment = press(started("A", "06:40"), started("A", "07:00"))
    count(equipment, ("06:50", 1002), ("07:10", 1005))
    assert by_run(equipment) == {"A": 5}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_ends_the_newest_version_stays(order: tuple[int, int]) -> None:
    ends = [ended("A", "07:20", version=2), ended("A", "07:40", version=3)]
    equipment = press(started("A", "07:00", version=1), *(ends[n] for n in order))
    count(equipment, ("07:30", 1002), ("07:50", 1007))
    assert by_run(equipment) == {"A": 2, "": 5}


def test_factor_changes_within_the_run() -> None:
    cavities = [out("4711", lot="L", factor=4)]
    fewer = on_machine(RunChanged, at("07:30"), run="A", outputs=[out("4711", lot="L", factor=3)])
    plugged = on_machine(RunChanged, at("07:40"), run="A", outputs=[out("4711", lot="L", factor=0)])
    equipment = press(started("A", "07:00", outputs=cavities), fewer, plugged)
    count(equipment, ("07:20", 1010), ("07:30", 1012), ("07:39", 1020), ("07:50", 1025))
    assert amounts(equipment, "material", "lot") == {("4711", "L"): 10 * 4 + 10 * 3}


def test_a_change_that_arrives_late_counts_again_from_its_time() -> None:
    equipment = press(started("A", "07:00", outputs=[out("4711", factor=4)]))
    count(equipment, ("07:20", 1010), ("07:40", 1020))
    assert by_run(equipment) == {"A": 80}
    hear(equipment, on_machine(RunChanged, at("07:30"), run="A", outputs=[out("4711", factor=3)]))
    assert by_run(equipment) == {"A": 10 * 4 + 10 * 3}


def test_family_moulds_have_an_order_and_a_lot_each() -> None:
    nests = [out("LEFT", order="O1", lot="LL", factor=2), out("RIGHT", order="O2", lot="LR")]
    equipment = press(started("A", "07:00", outputs=nests))
    count(equipment, ("07:30", 1003))
    assert amounts(equipment, "order", "material", "lot") == {("O1", "LEFT", "LL"): 6, ("O2", "RIGHT", "LR"): 3}


def test_business_date_is_that_of_the_reading() -> None:
    equipment = press(started("A", "07:00"))
    count(equipment, ("21:59:59", 1003), ("22:00", 1005))
    later = at("05:59:59", day=21)
    for n, value in enumerate((1010, 1030)):
        reading = frame((-1, later + n * S, value), first_raw=900_000 + n)
        assert not equipment.readings("shots", reading, "raw.p/0")
    assert amounts(equipment, "business_date") == {("2026-11-20",): 10, ("2026-11-21",): 20}


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        pytest.param([("A", "06:00")], {"A": 8}, id="the run covers the disconnect"),
        pytest.param([("A", "07:20")], {"": 8}, id="the run began within it: nobody knows whose"),
        pytest.param([("A", "06:00"), ("B", "07:20")], {"": 8}, id="two runs: nobody knows whose"),
    ],
)
def test_pieces_counted_across_a_disconnect(starts: list[tuple[str, str]], expected: dict[str, int]) -> None:
    equipment = press(*(started(run, clock) for run, clock in starts))
    count(equipment, ("07:10", None), ("07:30", 1008))
    assert by_run(equipment) == expected
    count(equipment, ("07:40", 1010))
    last = starts[-1][0]
    assert by_run(equipment)[last] == expected.get(last, 0) + 2, "from then on all is as before"


def test_meters_follow_the_loaded_lot() -> None:
    resin = {"counts": "consumption", "of": "loaded_lot", "position": "hopper", "decimals": "3", "unit": "kg"}
    equipment = press(
        on_machine(LotLoaded, at("06:40"), position="hopper", material="PP", lot="R1"),
        started("A", "07:00"),
        on_machine(LotLoaded, at("07:30"), position="hopper", material="PP", lot="R2"),
        on_machine(LotUnloaded, at("08:00"), position="hopper"),
        plant=counter(**resin),
    )
    count(equipment, ("07:10", 1500), ("07:29:59", 2000), ("07:30", 2100), ("08:00", 2200))
    assert amounts(equipment, "material", "lot", "unit") == {
        ("PP", "R1", "kg"): 1000,
        ("PP", "R2", "kg"): 100,
        ("", "", "kg"): 100,
    }
    hear(equipment, on_machine(LotLoaded, at("07:15"), position="hopper", material="PP", lot="R9"))
    assert amounts(equipment, "lot") == {("R1",): 500, ("R9",): 500, ("R2",): 100, ("",): 100}, "a changeover that arrives late"


def test_amounts_beyond_what_a_float_holds_are_exact() -> None:
    """2^53 + 1 nanograms: nine tonnes at nine decimals of a kilogram."""
    resin = {"counts": "consumption", "of": "PP", "decimals": "9", "unit": "kg"}
    equipment = press(started("A", "07:00"), plant=counter(**resin))
    count(equipment, ("07:10", 1000 + 2**53), ("07:11", 1001 + 2**53))
    assert amounts(equipment, "run") == {("A",): 2**53 + 1}


def test_a_lot_belongs_to_its_material() -> None:
    """The meter counts PP; the batch in the hopper is one of another material, even with the same number."""
    loaded = on_machine(LotLoaded, at("06:40"), position="hopper", material="ABS", lot="R1")
    resin = {"counts": "consumption", "of": "PP", "position": "hopper", "unit": "kg"}
    equipment = press(loaded, started("A", "07:00"), plant=counter(**resin))
    count(equipment, ("07:10", 1005))
    assert amounts(equipment, "material", "lot") == {("PP", ""): 5}


def test_indicators_count_nothing() -> None:
    equipment = press(started("A", "07:00"), plant=counter(counts="indicator"))
    count(equipment, ("07:30", 1008))
    assert amounts(equipment, "run") == {}


@pytest.mark.parametrize(("counts", "basis"), [({"shots": "gross", "ok": "good"}, 5), ({"ok": "good"}, 4)], ids=["both", "good"])
def test_what_is_backflushed_follows_gross_where_gross_is_counted(counts: dict[str, str], basis: int) -> None:
    equipment = machine({"equipment": {"*": {"counters": {name: {"counts": kind} for name, kind in counts.items()}}}})
    load = on_machine(LotLoaded, at("06:00"), position="dosing", material="MB", lot="M1")
    hear(equipment, load, started("A", "07:00"))
    for name, pieces in (("shots", 5), ("ok", 4)):
        if name in counts:
            count(equipment, ("06:30", 1000), ("07:30", 1000 + pieces), name=name)
    found = {Destination.parse(key): total.amount for key, total in equipment.row.totals.items()}
    assert sum(amount for to, amount in found.items() if to.kind == "basis") == basis


def test_the_bounds_of_a_total_are_those_of_what_is_left() -> None:
    """The latest piece goes away with its run's end; its raw position lies between those of the others, which came later."""
    equipment = press(started("A", "07:00"))
    for clock, value, raw in (("07:01", 1001, 11), ("07:25", 1009, 15), ("07:05", 1004, 19)):
        assert not equipment.readings("shots", frame((-1, at(clock), value), first_raw=raw), "raw.p/0")
    hear(equipment, ended("A", "07:20"))
    (total,) = [total for key, total in equipment.row.totals.items() if Destination.parse(key).run == "A"]
    assert (total.amount, total.records) == (4, 2)
    assert (total.first_at, total.last_at) == (at("07:01"), at("07:05"))
    assert [(entry.first, entry.last, entry.records) for entry in total.ranges] == [(11, 19, 2)]
