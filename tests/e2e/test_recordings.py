"""Real recordings through `lineledger run`: the pieces by program, across gaps, and not at all, are those that were expected.

The expectation (expected.json) was computed from the same files in two other ways. Data: NIST SMS Test Bed.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from app.demo.recordings import EXCERPTS, SHARED
from app.ledger.books import snapshot
from app.ledger.books.snapshot import Snapshot
from tables.row_kinds import EQUIPMENT_ROWS
from tests.e2e.command import PROJECT, lineledger
from tests.e2e.exported import beside, rows

NIST = PROJECT / "tests" / "data" / "nist"
WHOLE = SHARED.is_dir()
"""A lone clone has excerpts of two machines; the whole recordings of four lie beside it where they were fetched."""
RECORDINGS, EXPECTED = (SHARED, SHARED / "expected.json") if WHOLE else (EXCERPTS, NIST / "expected-excerpt.json")
MILLS = Path(__file__).parent / "mills"
MACHINES = ["hurco01", pytest.param("hurco02", marks=pytest.mark.slow), "hurco04", "mazak03"] if WHOLE else ["hurco02", "hurco04"]
"""hurco02 and hurco04 have the same adapter, and the demo runs on both: every day one of them is enough."""
PROGRAM = {"hurco": "Program_Name_Running", "mazak": "program"}
NO_PROGRAM = ("", "UNAVAILABLE")
BEFORE_ALL = "2016-01-01T00:00:00Z"
LEVELS = frozenset({"Normal", "Warning", "Fault", "Unavailable"})


@dataclass(slots=True, frozen=True)
class Recorded:
    """One recording after its run, and what must have come out of it."""

    machine: str
    expected: dict[str, Any]
    file: Path
    out: Path
    report: dict[str, Any]
    ledger: Snapshot

    @property
    def tally(self) -> Counter[str]:
        return Counter({name: n for row in self.ledger.of(EQUIPMENT_ROWS) for name, n in row.tally.items()})


def pairs(file: Path) -> Iterator[tuple[str, str]]:
    """(key, value) of every sample of a recording, as plainly as can be. A line that has no time is damage: ("", line)."""
    with gzip.open(file, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            time, *fields = line.rstrip("\r\n").split("|")
            if not (time.endswith("Z") and len(fields) >= 2):
                yield "", line
            elif len(fields) < 3 or fields[1] not in LEVELS:
                yield from zip(fields[::2], fields[1::2], strict=True)


def standing_order(file: Path, machine: str, folder: Path) -> Path:
    """What an ERP would have released: one order with an item for each program that the machine ever had."""
    names = sorted({value for key, value in pairs(file) if key == PROGRAM[machine[:5]] and value.strip() not in NO_PROGRAM})
    materials = [{"type": "material", "material": name} for name in names]
    items = [{"item": str(number), "program": name, "pieces": 1} for number, name in enumerate(names, 1)]
    order = {"type": "release", "order": machine.upper(), "programs": items}
    path = folder / "orders.jsonl"
    path.write_text("".join(json.dumps({"at": BEFORE_ALL, **record}) + "\n" for record in [*materials, order]))
    return path


@pytest.fixture(scope="module", params=MACHINES)
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    machine = request.param
    (file,) = RECORDINGS.glob(f"{machine}-*.shdr.gz")
    folder = tmp_path_factory.mktemp(machine)
    orders, out = standing_order(file, machine, folder), folder / "out"
    outcome = lineledger("run", "--config", MILLS, "--input", orders, "--input", file, "--erp", "sim", "--out", out, "--json")
    assert outcome.code == 0, outcome.said
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))["parts_counted"][file.name]
    return Recorded(machine, expected, file, out, outcome.json, snapshot.read(out))


def test_pieces_by_program_are_posted(recorded: Recorded) -> None:
    posted: Counter[str] = Counter()
    for row in rows(recorded.out / "postings.csv"):
        if row["kind"] == "yield":
            assert (row["order"], row["status"]) == (recorded.machine.upper(), "accepted")
            posted[row["material"]] += int(row["quantity"])
    assert posted == recorded.expected["observed_by_program"]


def test_pieces_across_gaps_are_unattributed(recorded: Recorded) -> None:
    listed = [row for row in rows(beside(recorded.out / "postings.csv")) if row["status"] == "unattributed"]
    assert sum(int(row["quantity"]) for row in listed) == recorded.expected["gap"]
    assert {row["code"] for row in listed} <= {"UNATTRIBUTED"}
    assert all(row["sources"].startswith(recorded.file.name) for row in listed)


def test_no_piece_is_lost_and_none_is_made_up(recorded: Recorded) -> None:
    counted = Fraction(recorded.report["counted"].get("PC", 0))
    assert counted == recorded.expected["total"] == recorded.expected["last"] - recorded.expected["baseline"]
    assert recorded.report["exact"] is True


def test_placeholder_zeros_are_no_resets(recorded: Recorded) -> None:
    assert recorded.tally["placeholders"] == recorded.expected["placeholder_zeros"]
    assert recorded.tally["resets"] == recorded.expected["resets"]


def test_damaged_lines_are_exceptions_and_every_pair_is_counted(recorded: Recorded) -> None:
    found = list(pairs(recorded.file))
    ignored = {"subprogram", "subprogram_cmt", "program_cmt"}  # mapped: an empty one means that there is none
    damaged = sum(not value or not key for key, value in found if key not in ignored)
    codes = Counter(letter.code for letter in recorded.ledger.letters)
    assert codes["BAD_LINE"] == damaged
    assert codes.keys() <= {"BAD_LINE", "TOO_LATE"}
    program, counter = PROGRAM[recorded.machine[:5]], {"hurco": "Part_Count", "mazak": "PartCountAct"}[recorded.machine[:5]]
    raw = recorded.report["raw"]
    assert raw["readings"] == sum(key == counter for key, _ in found)
    assert program in {key for key, _ in found}
    assert raw["process_values"] > (20_000 if WHOLE else 1_000)
