"""Guards of I5, I6 and I8 are errors that `python -O` keeps."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WAYS = {
    "I5": "from tests.unit.streams.quality_bench import posting\n"
    "from schemas.records import PostingRow\n"
    "from tables.delivery.posting_state import move\n"
    "move(PostingRow(posting('P1'), 'accepted'), 'queued')\n",
    "I6": "from tests.unit.streams.quality_bench import Bench, configuration, lot_state, posting\n"
    "bench = Bench(configuration(rules={'on_hold': {'receipt': 'wait'}}))\n"
    "bench.fold(lot_state('L1', True), posting('P1'))\n"
    "bench.stage._desk(bench.step).dispatch(bench.row('P1'))\n",
    "I8": "from fractions import Fraction\n"
    "from app.erp.budget import Budget\n"
    "budget = Budget(Fraction(1), 1)\n"
    "budget.started(0)\n"
    "budget.started(1)\n",
}


@pytest.mark.parametrize("invariant", WAYS)
@pytest.mark.parametrize("switch", [[], ["-O"]])
def test_a_broken_invariant_is_an_error_with_and_without_asserts(invariant: str, switch: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, *switch, "-c", WAYS[invariant]], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1, ended.stdout
    assert f"InvariantBroken: {invariant}: " in ended.stderr.splitlines()[-1]
