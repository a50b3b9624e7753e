"""Counts of real mills and the runs that another system knows of: attributed as expected.json says, with and without grace.

Every day on the excerpts that come with the project; on the whole recordings and all 184 runs where they lie beside it.
Data: NIST SMS Test Bed.
"""

import json
import shutil
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from app.demo.recordings import EXCERPTS, SHARED
from tests.e2e.command import PROJECT, lineledger
from tests.e2e.exported import beside, rows

TOOL_ROOM = Path(__file__).parent / "tool_room"
EXCERPT = PROJECT / "tests" / "data" / "nist"
GRACE = {"0": "run_end_inclusive", "1 s": "run_end_plus_1s"}
RECORDED = ("hurco02-20170201-20170202.shdr.gz", "hurco04-20170201.shdr.gz")
WHOLE = [pytest.param(("whole", grace), marks=pytest.mark.slow) for grace in GRACE] if SHARED.is_dir() else []
INPUTS = [("excerpt", "0"), ("excerpt", "1 s"), *WHOLE]
Piece = tuple[str, str, str]
"""Order, operation, lot: a run of runs.csv makes one piece of a lot of 20."""


@dataclass(slots=True, frozen=True)
class Attributed:
    by_run: Counter[Piece]
    unattributed: int
    counted: int
    expected: dict[str, Any]
    runs: dict[str, Piece]


def inputs(which: str) -> tuple[list[Path], Path, dict[str, Any]]:
    """Recordings, runs, expectation."""
    if which == "excerpt":
        expected = json.loads((EXCERPT / "expected-excerpt.json").read_text(encoding="utf-8"))
        return sorted(EXCERPTS.glob("*.shdr.gz")), EXCERPT / "runs-excerpt.csv", expected
    expected = json.loads((SHARED / "expected.json").read_text(encoding="utf-8"))
    return [SHARED / name for name in RECORDED], SHARED / "runs.csv", expected


@pytest.fixture(scope="module", params=INPUTS, ids=str)
def attributed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Attributed:
    which, grace = request.param
    recordings, runs, expected = inputs(which)
    folder = tmp_path_factory.mktemp("runs")
    config = folder / "config"
    shutil.copytree(TOOL_ROOM, config)
    plant = (config / "plant.yaml").read_text(encoding="utf-8")
    (config / "plant.yaml").write_text(plant.replace("run_grace: 0", f"run_grace: {grace}"), encoding="utf-8")
    files = [TOOL_ROOM / "orders.jsonl", runs, *recordings]
    arguments = [text for file in files for text in ("--input", file)]
    outcome = lineledger("run", "--config", config, *arguments, "--out", folder / "out", "--json")
    assert outcome.code == 0, outcome.said
    assert outcome.json["exact"] is True
    postings = folder / "out" / "postings.csv"
    by_run: Counter[Piece] = Counter()
    for row in rows(postings):
        assert row["kind"] == "yield"
        by_run[row["order"], row["operation"], row["lot"]] += int(row["quantity"])
    unattributed = sum(int(row["quantity"]) for row in rows(beside(postings)) if row["status"] == "unattributed")
    known = {row["run_id"]: (row["material"], row["operation"], row["piece"]) for row in rows(runs)}
    attribution = {name: expected["attribution_to_runs"][name][GRACE[grace]] for name in RECORDED}
    return Attributed(by_run, unattributed, int(Fraction(outcome.json["counted"]["PC"])), attribution, known)


def test_each_run_has_the_counts_that_fell_into_it_and_no_other_run_has_any(attributed: Attributed) -> None:
    wanted: Counter[Piece] = Counter()
    for machine in attributed.expected.values():
        for run, values in machine["values_by_run"].items():
            wanted[attributed.runs[run]] += len(values)
        for shared in machine["in_two_runs"]:
            # The rule of overlapping runs: the open run that started last owns the count, once.
            wanted[attributed.runs[max(shared["runs"])]] += 1
    assert attributed.by_run == wanted


def test_counts_in_no_run_stay_unattributed(attributed: Attributed) -> None:
    assert attributed.unattributed == sum(len(machine["in_no_run"]) for machine in attributed.expected.values())
    assert attributed.counted == sum(attributed.by_run.values()) + attributed.unattributed == 18
