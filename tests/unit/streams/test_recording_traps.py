"""Traps of real recordings, each in miniature and with lines as the machines wrote them: docs/recordings.md has the rules.

Data: NIST SMS Test Bed.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.configuration import load, mappers
from app.demo.recordings import SHARED
from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.verdicts import verdict_lines, verdicts_that_differ
from schemas.records import InspectionRecorded
from streams.lots.stage import LotsStage
from streams.mapping import RawRecord, Reading, RefusedRecord
from streams.memory_step import MemoryStep, MemoryTopology
from tables import lots
from tables.equipment.destination import UNATTRIBUTED, Destination
from tables.equipment.equipment import EquipmentFold
from tables.plant.calendar import calendar_of
from tables.row_kinds import LOT_ROWS
from tables.rows import MemoryRows
from tests.unit.streams.quality_bench import activated, configuration

ROOT = Path(__file__).parents[3]
MILLS = load(ROOT / "tests" / "e2e" / "mills")
NIST = ROOT / "tests" / "data" / "nist"
RUNS = ("RunStarted", "RunEnded")


class Machine:
    """One recorded machine from its lines to its totals, in the order of the lines."""

    def __init__(self, source: str, lines: list[str]) -> None:
        mapper, plant = mappers(MILLS)[source], MILLS.plant
        self.equipment = EquipmentFold(MemoryRows(), plant.plant.id, source.upper(), plant, calendar_of(plant), 1)
        self.refused: list[str] = []
        for number, line in enumerate(lines, 1):
            for item in mapper.map(RawRecord(line.encode(), source, "file", number)):
                self._apply(item, number)

    def _apply(self, item: Any, number: int) -> None:
        if isinstance(item, RefusedRecord):
            self.refused.append(item.code)
        elif isinstance(item, Reading):
            readings = np.array([[item.seq, item.occurred_at, item.value, number]], "<i8")
            self.refused += [refused.why.code for refused in self.equipment.readings(item.counter, readings, "file")]
        elif type(item).__name__ in RUNS:
            assert self.equipment.run_event(item) is None

    @property
    def pieces(self) -> dict[str, int]:
        """Program (or `unattributed`) -> pieces."""
        found: Counter[str] = Counter()
        for key, total in self.equipment.row.totals.items():
            to = Destination.parse(key)
            if to.kind in ("gross", UNATTRIBUTED):
                found[to.material if to.kind == "gross" else UNATTRIBUTED] += total.amount
        return {name: amount for name, amount in found.items() if amount}


def counts(*stamped: tuple[str, str]) -> list[str]:
    return [f"2017-02-{time}|Part_Count|{value}" for time, value in stamped]


def test_a_snapshot_of_old_values_at_their_old_times_is_no_event() -> None:
    """Trap 4: each daily file begins with the current values, stamped when they were first seen."""
    day = counts(("06T10:00:00Z", "2379"), ("06T11:00:00Z", "2380"), ("06T12:00:00Z", "2381"))
    snapshot = [day[1], "2017-01-23T18:33:25.767113Z|Part_Count|UNAVAILABLE", day[0]]
    assert Machine("hurco01", [*day, *snapshot]).pieces == {UNATTRIBUTED: 2}
    further = counts(("07T10:00:00Z", "2384"))
    assert Machine("hurco01", [*day, *snapshot, *further, *snapshot]).pieces == {UNATTRIBUTED: 5}


def test_a_clock_that_is_a_day_ahead_or_years_back_makes_no_piece() -> None:
    """Trap 5: the controller's clock was a day ahead for a while, and once stood in 2002."""
    lines = [
        *counts(("02T20:31:03.468Z", "2379")),
        *counts(("01T20:16:37.186726Z", "UNAVAILABLE"), ("02T12:43:31.406Z", "2379")),
        "2002-01-01T04:11:02.7968750Z|Part_Count|UNAVAILABLE",
        *counts(("03T09:00:00Z", "2381")),
    ]
    assert Machine("hurco01", lines).pieces == {UNATTRIBUTED: 2}


def test_a_reconnect_that_is_stamped_before_its_disconnect_loses_no_piece() -> None:
    """Trap 5: in the order of time the counter looks unavailable although the machine is there."""
    lines = [
        "2016-10-12T05:00:00.000Z|PartCountAct|7",
        "2016-10-12T05:52:49.457901Z|PartCountAct|UNAVAILABLE",
        "2016-10-12T05:52:45.125Z|PartCountAct|7",
        "2016-10-12T06:00:00.000Z|PartCountAct|8",
    ]
    assert Machine("mazak03", lines).pieces == {UNATTRIBUTED: 1}


def test_times_that_sort_otherwise_as_text_and_ties_are_told_apart() -> None:
    """Trap 6: as text 37.897Z comes after 37.897123Z; time and key together are no id."""
    first, second = "2017-02-01T20:00:37.897Z", "2017-02-01T20:00:37.897123Z"
    assert first > second
    lines = [f"{first}|Part_Count|5", f"{second}|Part_Count|6"]
    start = ["2017-02-01T19:00:00Z|Part_Count|5"]
    for order in (lines, lines[::-1]):
        assert Machine("hurco02", [*start, *order]).pieces == {UNATTRIBUTED: 1}
    mapper = mappers(MILLS)["hurco02"]
    ties = [f"{first}|Block_Number|1", f"{first}|Block_Number|2"]
    ids = {mapper.map(RawRecord(line.encode(), "hurco02", "file", n))[0].event_id for n, line in enumerate(ties)}
    assert len(ids) == 2


def test_a_counter_that_stays_zero_counts_nothing_whatever_the_machine_does() -> None:
    """Trap 7: nothing is derived from execution or programs."""
    lines = ["2016-10-12T02:54:24.128Z|PartCountAct|0"]
    for minute in range(10, 20):
        for key, value in (("program", "O1"), ("execution", "ACTIVE"), ("PartCountAct", "0"), ("execution", "READY")):
            lines.append(f"2016-10-12T03:{minute}:00.000Z|{key}|{value}")
    assert Machine("mazak03", lines).pieces == {}


def test_a_program_that_is_said_once_has_all_pieces_until_another_one() -> None:
    """Trap 11: Program_Name_Running is sent on change only; a rerun keeps the old name."""
    program = "2017-02-01T{}Z|Program_Name_Running|{}"
    lines = [
        "2017-02-01T10:00:00Z|Part_Count|1909",
        program.format("10:01:00", "PLATE-5.NC"),
        *(f"2017-02-01T1{hour}:00:00Z|Part_Count|{1909 + hour}" for hour in (1, 2, 3)),
        program.format("14:00:00", "PLATE-6.NC"),
        "2017-02-01T15:00:00Z|Part_Count|1913",
        program.format("16:00:00", " "),
        "2017-02-01T17:00:00Z|Part_Count|1914",
    ]
    assert Machine("hurco02", lines).pieces == {"PLATE-5.NC": 3, "PLATE-6.NC": 1, UNATTRIBUTED: 1}


def excerpt_or_whole(name: str) -> list[Path]:
    """The lines that come with the project, and the whole file where it lies beside it."""
    stem, _, suffix = name.partition(".")
    return [path for path in (NIST / f"{stem}-excerpt.{suffix}", SHARED / name) if path.is_file()]


def records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def test_every_damaged_line_has_the_stated_code_and_stops_nobody() -> None:
    """Trap 12, and whatever else was found damaged in the source repository."""
    mapper = mappers(load(NIST))["mills"]
    found = list(records(SHARED / "malformed.jsonl" if SHARED.is_dir() else ROOT / "tests/data/shdr/malformed.jsonl"))
    assert len(found) >= 10
    for number, entry in enumerate(found, 1):
        (refused,) = mapper.map(RawRecord(entry["text"].encode(), "mills", "malformed.shdr", number))
        assert (type(refused), refused.code) == (RefusedRecord, "BAD_LINE"), entry
        assert refused.event_id == f"malformed.shdr:{number}"
        (behind,) = mapper.map(RawRecord(b"2017-02-01T10:00:00Z|Feed_Rate|1", "mills", "malformed.shdr", number))
        assert behind.value == "1"


@pytest.fixture(params=excerpt_or_whole("inspections.jsonl"), ids=lambda path: path.name)
def inspected(request: pytest.FixtureRequest) -> "Inspected":
    return Inspected(request.param)


class Inspected:
    """The lots after all inspections."""

    def __init__(self, path: Path) -> None:
        config = configuration(plant={"plant": {"id": "LAB"}})
        self.mappers = mappers(load(NIST))
        self.step, self.stage = MemoryStep("lots.inbox"), LotsStage(MemoryTopology({config.hash: config}), True)
        self.stage.taken_over(self.step)
        self.fold([activated(config)])
        self.lines = path.read_bytes().splitlines()
        self.events = self.mapped("inspections", self.lines)
        self.fold(self.events)

    def mapped(self, source: str, lines: list[bytes]) -> list[Any]:
        found = [self.mappers[source].map(RawRecord(line, source, source, n)) for n, line in enumerate(lines, 1)]
        return [item for items in found for item in items]

    def fold(self, events: list[Any]) -> None:
        self.step.deliver(*events)
        self.stage.fold(self.step)

    def snapshot(self) -> Snapshot:
        return Snapshot({"lots": dict(self.step.rows.scan(""))}, [], load(NIST), {})

    def lot(self, material: str, piece: int) -> Any:
        return self.step.rows.get(LOT_ROWS.key("LAB", material, str(piece)))


CONFLICTS = [("BOX", 2), ("BOX", 6), ("BOX", 7), ("BOX", 11), ("COVER", 20), ("PLATE", 12)]


def test_verdicts_of_two_laboratories_are_kept_beside_each_other(inspected: Inspected) -> None:
    """Trap 13: they disagree on six pieces; neither overwrites the other."""
    assert {type(event) for event in inspected.events} == {InspectionRecorded}
    assert len(inspected.events) == len(inspected.lines)
    by_piece: dict[tuple[str, int], dict[str, str]] = {}
    for line in inspected.lines:
        entry = json.loads(line)
        name = "MTC by position" if entry["piece_known_by"] == "position only" else entry["lab"]
        by_piece.setdefault((entry["material"], entry["piece"]), {})[name] = entry["verdict"].lower()
    for piece, verdicts in by_piece.items():
        assert inspected.lot(*piece).inspections == verdicts, piece
    differing = [piece for piece in by_piece if len(set(inspected.lot(*piece).inspections.values())) == 2]
    assert sorted(differing) == CONFLICTS
    found, lines = verdict_lines(inspected.snapshot(), False)
    assert [tuple(one["lot"].split("|")) for one in found] == sorted((material, str(piece)) for material, piece in CONFLICTS)
    assert {one["state"] for one in found} == {"open"} and len(lines) == len(CONFLICTS)
    waiting = list(verdicts_that_differ(inspected.snapshot()))
    assert {need.why.code for need in waiting} == {"VERDICTS_DIFFER"} and len(waiting) == len(CONFLICTS)
    assert inspected.lot("COVER", 20).inspections == {"NIST": "fail", "MTC by position": "pass"}
    assert inspected.lot("BOX", 1) is None, "BOX 1 was never inspected: nothing says that it passed"


@pytest.mark.parametrize(("decision", "held"), [("accept", False), ("reject", True)])
def test_a_person_decides_and_the_verdicts_stay(inspected: Inspected, decision: str, held: bool) -> None:
    before = dict(inspected.lot("BOX", 7).inspections)
    assert lots.quality(inspected.lot("BOX", 7)).held, "the worst verdict stops until somebody decides"
    told = {"id": "d1", "at": "2017-08-01T08:00:00Z", "material": "BOX", "piece": "7", "decision": decision}
    inspected.fold(inspected.mapped("decisions", [json.dumps(told).encode()]))
    row = inspected.lot("BOX", 7)
    assert (row.disposition, row.inspections, lots.quality(row).held) == (decision, before, held)
    assert "BOX|7" not in {one["lot"] for one in verdict_lines(inspected.snapshot(), False)[0]}, "somebody has decided"
    (decided,) = [one for one in verdict_lines(inspected.snapshot(), True)[0] if one["lot"] == "BOX|7"]
    assert (decided["state"], decided["disposition"], decided["held"]) == ("decided", decision, held)
    inspected.fold(inspected.events)  # the same reports once more
    row = inspected.lot("BOX", 7)
    assert (row.disposition, row.inspections, lots.quality(row).held) == (decision, before, held)


def test_report_times_without_a_zone_are_those_of_the_plant(inspected: Inspected) -> None:
    at = {
        json.loads(line)["report_time"]: event.occurred_at for line, event in zip(inspected.lines, inspected.events, strict=True)
    }
    assert at["2017-07-11T09:16:18"] == 1_499_778_978_000_000  # 13:16:18 UTC
