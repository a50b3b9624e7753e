"""Stage equipment: what goes out at ticks, what is refused, and that batches and restarts change nothing."""

from typing import Any

import pytest

from schemas.records import (
    ConfigActivated,
    EquipmentStateChanged,
    GenealogyEdge,
    LabourRecorded,
    LotLoaded,
    LotMade,
    RunCorrected,
    RunStarted,
    ScrapDeclared,
    Tick,
    Total,
)
from tables.row_kinds import EQUIPMENT_ROWS
from tests.unit.streams.floor_stage import Floor, framed
from tests.unit.tables.floor_bench import MACHINE, MIN, PLANT, S, at, configuration, counter, on_machine, out, pieces

T0, T1, T2, CUT = at("07:00"), at("07:10"), at("07:20"), at("14:00")


def start(moment: int = T0, run: str = "A", order: str = "OA", **fields: Any) -> RunStarted:
    values = {"outputs": [out("4711", lot="L1")], "operation": "10", "label": T1}
    return on_machine(RunStarted, moment, run=run, order=order, **{**values, **fields})


def readings(*values: int | None, since: int = T0, seq: int = 1) -> list[tuple[int, int, int | None]]:
    """One per second."""
    return [(seq + n, since + n * S, value) for n, value in enumerate(values)]


def test_totals_leave_as_of_the_tick_and_before_it() -> None:
    floor = Floor()
    floor.fold(start(), framed(readings(100, 103), T1))
    assert floor.step.take("orders.inbox") == [], "nothing before the clock moves"
    floor.fold(floor.upstream_tick(T1))
    total, tick = floor.step.take("orders.inbox")
    assert isinstance(total, Total)
    assert (total.numerator, total.label, total.order, total.material, total.lot) == (3, T1, "OA", "4711", "L1")
    assert tick == Tick(PLANT, T1, "equipment/equipment.inbox/0")
    *made, last = floor.step.take("lots.inbox")
    assert {type(one) for one in made} == {LotMade}
    assert last == tick


def test_only_what_changed_is_sent_and_zero_once_when_it_moved_away() -> None:
    floor = Floor()
    floor.fold(start(), framed(readings(100, 103), T1))
    floor.tick(T1)
    assert floor.tick(T1 + MIN) == []
    floor.fold(on_machine(RunCorrected, T1, label=T2, run="A", version=1, order="OB"))
    assert sorted((total.order, total.numerator) for total in floor.tick(T2)) == [("OA", 0), ("OB", 3)]
    assert floor.tick(T2 + MIN) == []
    assert floor.ledger("order") == {("OB",): 3}


def test_unattributed_pieces_stay_here_until_their_run_arrives() -> None:
    floor = Floor()
    floor.fold(framed(readings(100, 103), T1))
    assert floor.tick(T1) == []
    floor.fold(start())
    assert [total.numerator for total in floor.tick(T2)] == [3]


def test_the_clock_never_goes_back() -> None:
    floor = Floor()
    floor.tick(T2)
    floor.fold(start(), framed(readings(100, 103), T1), floor.upstream_tick(T1))
    assert floor.step.take("orders.inbox")[1:] == [], "an old tick publishes nothing"
    assert len(floor.tick(T2 + S)) == 1


def test_cuts_measure_open_states() -> None:
    floor = Floor()
    floor.fold(start(), on_machine(EquipmentStateChanged, T0, state="running", label=T1))
    floor.tick(T1)
    assert floor.ledger("kind") == {("machine_time",): 10 * 60_000}
    assert floor.tick(CUT - S) == []
    floor.tick(CUT)
    assert floor.ledger("kind") == {("machine_time",): 7 * 60 * 60_000}
    floor.restart()
    floor.tick(at("22:00"))
    assert floor.ledger("kind") == {("machine_time",): 15 * 60 * 60_000}


def test_genealogy_leaves_with_the_first_consumption_only() -> None:
    resin = {"counts": "consumption", "of": "loaded_lot", "position": "hopper", "unit": "kg"}
    floor = Floor(configuration({"equipment": {"*": {"counters": {"shots": {}, "resin": resin}}}}))
    hopper = on_machine(LotLoaded, T0 - MIN, label=T1, position="hopper", material="PP", lot="R1")
    floor.fold(hopper, start(), framed(readings(5, 8), T1, counter="resin"))
    floor.tick(T1)
    edges = [record for record in floor.step.take("lots.inbox") if isinstance(record, GenealogyEdge)]
    assert [(edge.parent_material, edge.parent_lot, edge.child_material, edge.child_lot) for edge in edges] == [
        ("PP", "R1", "4711", "L1")
    ]
    floor.fold(framed(readings(9, since=T1, seq=3), T2, counter="resin"))
    floor.tick(T2)
    assert not [record for record in floor.step.take("lots.inbox") if isinstance(record, GenealogyEdge)]


def lots_made(floor: Floor) -> dict[tuple[str, str, str], tuple[int, int]]:
    """What lots were told since the last call: scope, name and lot -> since when and until when, both included."""
    told = [record for record in floor.step.take("lots.inbox") if isinstance(record, LotMade)]
    return {(one.scope, one.name, one.lot): (one.from_at, one.to_at) for one in told}


def test_lots_learn_when_each_of_them_was_made_and_where() -> None:
    floor = Floor()
    floor.fold(start(), framed(readings(100, 103), T1))
    floor.tick(T1)
    goes_on = (T0, 2**62)
    named = {("equipment", MACHINE, "L1"), ("run", "A", "L1"), ("order", "OA", "L1")}
    assert lots_made(floor) == dict.fromkeys(named, goes_on)
    floor.restart()
    floor.fold(framed(readings(110, since=T1, seq=3), T2))
    floor.tick(T2)
    assert lots_made(floor) == {}, "a counter tells nothing new"
    floor.fold(on_machine(RunStarted, T2, label=T2 + S, run="RB", order="OB", operation="10", outputs=[out("4711", lot="L2")]))
    floor.fold(framed(readings(120, since=T2, seq=4), T2 + MIN))
    floor.tick(T2 + MIN)
    told = lots_made(floor)
    assert told["equipment", MACHINE, "L1"] == (T0, T2), "nobody ended it: until the next one starts"
    assert told["equipment", MACHINE, "L2"] == (T2, 2**62)
    floor.fold(on_machine(RunCorrected, T2 + MIN, label=T2 + 2 * MIN, run="RB", version=9, outputs=[out("4711", lot="L3")]))
    floor.tick(T2 + 2 * MIN)
    told = lots_made(floor)
    assert told["order", "OB", "L3"] == (T2, 2**62)
    assert told["order", "OB", "L2"] == (1, 0), "it never was made there"


def test_of_lots_made_before_anybody_told_of_them_scopes_learn_with_the_next_cut() -> None:
    """Rows of a version that told nothing of it."""
    floor = Floor()
    floor.fold(start(), framed(readings(100, 103), T1))
    floor.tick(T1)
    named = lots_made(floor).keys()
    row = floor.row()
    row.made_revision = -1
    for total in row.totals.values():
        total.made_from = total.made_to = 0
    floor.rows.put(EQUIPMENT_ROWS.key(PLANT, MACHINE), row)
    floor.store.write(floor.rows.take_dirty())
    floor.restart()
    floor.tick(CUT)
    assert lots_made(floor).keys() == named


def test_a_new_configuration_holds_from_its_time() -> None:
    before, after = configuration(), configuration(counter(counts="indicator"))
    floor = Floor(before, after)
    floor.fold(start(), ConfigActivated(PLANT, after.hash, T1, "intake"), framed(readings(100, 103), T1))
    floor.tick(T1)
    floor.fold(framed(readings(110, since=T1, seq=3), T2))
    floor.tick(T2)
    assert floor.ledger("order") == {("OA",): 3}


# -- refused

BAD = framed([(1, T0, 1)], T1)
BAD.readings = BAD.readings[:-1]


@pytest.mark.parametrize(
    ("records", "codes"),
    [
        pytest.param([framed(readings(1, 2), T1, counter="oil")], ["UNKNOWN_COUNTER"], id="a counter that plant.yaml has not"),
        pytest.param(
            [framed(readings(1, 2), T1, counter="oil"), framed(readings(3, seq=3), T1, counter="oil")],
            ["UNKNOWN_COUNTER", "UNKNOWN_COUNTER"],
            id="every frame of it",
        ),
        pytest.param([BAD, framed(readings(5, 9), T1)], ["BAD_RECORD"], id="half a reading"),
        pytest.param(
            [framed([(1, T1 - 8 * 24 * 60 * MIN, 5)], T1), framed(readings(5, 9, seq=2), T1)],
            ["TOO_LATE"],
            id="beyond the late horizon",
        ),
        pytest.param([on_machine(LabourRecorded, T0, person="p", action="in")], ["UNKNOWN_CODE"], id="neither on nor off"),
        pytest.param(
            [on_machine(LabourRecorded, T0, person="p", action="on", share_denominator=0)], ["BAD_FIELD"], id="no share"
        ),
        pytest.param(
            [on_machine(ScrapDeclared, T1 - 8 * 24 * 60 * MIN, quantity=pieces(3))], ["TOO_LATE"], id="scrap of last week"
        ),
        pytest.param(
            [framed([(1, T1 - 8 * 24 * 60 * MIN, 5)], T1), framed(readings(5, 9, seq=2), T1), framed([(9, 7, 5)], T1)],
            ["TOO_LATE", "TOO_LATE"],
            id="only the frames that are late",
        ),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_refused_records_are_dead_letters_and_stop_nobody(records: list[Any], codes: list[str], together: bool) -> None:
    floor = Floor()
    floor.fold(start())
    for batch in [records] if together else [[record] for record in records]:
        floor.fold(*batch)
    letters = floor.step.take("exceptions")
    assert [letter.code for letter in letters] == codes
    assert len({letter.event_id for letter in letters}) == len(codes)
    floor.tick(T1)
    assert floor.ledger("order").get(("OA",), 0) == (4 if len(records) > 1 and "UNKNOWN_COUNTER" not in codes else 0)


def test_every_refused_frame_keeps_its_original_bytes() -> None:
    floor = Floor()
    frames = [framed(readings(n, seq=n), T1, counter="oil") for n in (1, 2, 3)]
    floor.fold(*frames)
    assert [letter.original for letter in floor.step.take("exceptions")] == [floor.step.codec.encode(one) for one in frames]


def test_without_configuration_records_are_refused_not_lost() -> None:
    floor = Floor()
    floor.step.state.configurations.clear()
    floor.fold(start())
    assert [letter.code for letter in floor.step.take("exceptions")] == ["NO_CONFIGURATION"]


# -- duplicates, batches, restarts


def test_duplicates_and_late_readings_in_any_grouping() -> None:
    records = readings(100, 103, 107, 110, 111)
    arrivals = [records[0], records[3], records[1], records[3], records[1], records[4], records[2], records[0]]
    for size in (1, 2, 3, 8):
        floor = Floor()
        floor.fold(start())
        for first in range(0, len(arrivals), size):
            floor.fold(framed(arrivals[first : first + size], T1, first_raw=first))
        floor.tick(T1)
        assert floor.ledger("order") == {("OA",): 11}
        assert floor.row().tally["duplicates"] == 3


def test_of_two_readings_with_one_sequence_number_the_first_stays() -> None:
    floor = Floor()
    floor.fold(start(), framed([(1, T0, 100), (2, T0 + S, 103), (3, T0 + 2 * S, 104)], T1))
    floor.fold(framed([(2, T0 + S, 150)], T1), framed([(3, T0 + 3 * S, 190)], T1))
    floor.tick(T1)
    assert floor.ledger("order") == {("OA",): 4}
    assert floor.row().tally == {"conflicts": 2}
    letters = floor.step.take("exceptions")
    assert [letter.code for letter in letters] == ["SEQ_CONFLICT", "SEQ_CONFLICT"]


def test_only_the_readings_that_conflict_are_refused() -> None:
    floor = Floor()
    floor.fold(start(), framed([(1, T0, 100), (2, T0 + S, 103)], T1))
    floor.fold(framed([(2, T0 + S, 150), (2, T0 + S, 103), (3, T0 + 2 * S, 104)], T1, first_raw=40))
    floor.tick(T1)
    assert floor.ledger("order") == {("OA",): 4}
    (letter,) = floor.step.take("exceptions")
    assert (letter.raw_source, letter.raw_offset, letter.source) == ("raw.p/0", 40, "s")
    assert letter.original == framed([(2, T0 + S, 150)], T1, first_raw=40).readings


def test_counters_that_share_one_sequence_take_their_late_readings() -> None:
    """A source with one sequence for all its records: each counter sees only gaps, thousands of them, and none is closed."""
    resin = {"counts": "consumption", "of": "PP", "unit": "kg"}
    floor = Floor(configuration({"equipment": {"*": {"counters": {"shots": {}, "resin": resin}}}}))
    floor.fold(start(), start(T0 + 5_000 * S, "B", "OB"))
    truth = [(2 * n, T0 + n * S, 100 + n) for n in range(10_000)]
    late = truth[5_000]  # the one that run B begins with
    floor.fold(framed([one for one in truth if one is not late], T1))
    floor.fold(framed([(seq + 1, moment, value) for seq, moment, value in truth], T1, counter="resin"))
    floor.fold(framed([late, truth[4_999]], T1))
    floor.tick(T1)
    row = floor.row()
    assert row.tally == {"late": 1, "duplicates": 1}
    assert floor.ledger("order", "kind")["OA", "gross"] == 4_999
    assert floor.ledger("order", "kind")["OB", "gross"] == 5_000
    assert len(row.to_avro()["counters"]) == 2
    assert len(floor.step.codec.encode(row)) < 2_000, "the head row does not grow with the gaps"


def test_a_gap_in_the_sequence_stays_open_and_is_filled_exactly() -> None:
    floor = Floor()
    floor.fold(start(), framed([(1, T0, 100), (5, T0 + 4 * S, 110)], T1), start(T0 + 2 * S, "B", "OB"))
    floor.tick(T1)
    assert floor.ledger("order") == {("OB",): 10}
    floor.fold(framed([(2, T0 + S, 107)], T2))
    floor.tick(T2)
    assert floor.ledger("order") == {("OA",): 7, ("OB",): 3}


def test_a_repeated_count_that_turns_out_to_follow_a_late_reset() -> None:
    """Truth: 5, 6, reset to 0, 5. The last one arrives second, when it still looks like the count before it."""
    floor = Floor()
    truth = readings(5, 6, 0, 5)
    floor.fold(start(), framed([truth[0], truth[3], truth[1], truth[2]], T1))
    floor.tick(T1)
    assert floor.ledger("order") == {("OA",): 1 + 5}


def test_totals_carry_the_business_date_of_their_pieces_not_of_the_tick() -> None:
    floor = Floor()
    floor.fold(start(at("05:00")), framed(readings(100, since=at("05:00"), seq=1), T1))
    floor.fold(framed([(2, at("05:30"), 103), (3, at("06:30"), 108)], T1))
    floor.tick(T1)
    assert floor.ledger("business_date") == {("2026-11-19",): 3, ("2026-11-20",): 5}


def test_long_frames_are_counted_like_short_ones() -> None:
    """Sixty readings at once take the vectorised way, one by one the other; totals and lineage are the same."""
    values = [100 + n // 3 * 2 for n in range(60)]
    floors = []
    for size in (60, 1):
        floor = Floor()
        floor.fold(start(), framed(readings(100, since=T0 - S, seq=0), T1), start(T0 + 30 * S, "B", "OB"))
        arrivals = readings(*values)
        for first in range(0, 60, size):
            floor.fold(framed(arrivals[first : first + size], T1, first_raw=10 + first))
        floor.tick(T1)
        floors.append({key: (total.numerator, total.records, total.ranges) for key, total in floor.known.items()})
    assert floors[0] == floors[1]
    assert sum(numerator for key, (numerator, _, _) in floors[0].items() if "gross" in key) == values[-1] - 100


def test_a_successor_publishes_what_was_left() -> None:
    floor = Floor()
    floor.fold(start(), framed(readings(100, 103), T1))
    floor.restart()
    assert [total.numerator for total in floor.tick(T1)] == [3]
    floor.restart()
    assert floor.tick(T2) == []


def test_two_machines_do_not_mix() -> None:
    floor = Floor()
    other = on_machine(RunStarted, T0, equipment="M2", run="A", order="OB", operation="10", outputs=[out("4711")], label=T1)
    floor.fold(start(), other, framed(readings(1, 4), T1), framed(readings(1, 9), T1, equipment="M2"))
    floor.tick(T1)
    assert floor.ledger("equipment", "order") == {(MACHINE, "OA"): 3, ("M2", "OB"): 8}
