"""One demo run for all tests that only look at its results."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from app.demo.plant_simulator import generate
from app.demo.truth import Truth
from app.ledger.books import snapshot
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import Proof, prove
from tests.e2e.command import Outcome, lineledger

SCALE = 0.05
SEED = 1


@dataclass(slots=True, frozen=True)
class Demo:
    """A finished `lineledger demo` and what happened on its floor."""

    out: Path
    truth: Truth
    outcome: Outcome
    ledger: Snapshot
    proof: Proof


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    out = tmp_path_factory.mktemp("demo")
    truth = generate(tmp_path_factory.mktemp("floor"), SEED, SCALE)
    outcome = lineledger("demo", "--seed", str(SEED), "--scale", str(SCALE), "--out", out, "--json")
    assert outcome.code == 0, outcome.said
    ledger = snapshot.read(out)
    return Demo(out, truth, outcome, ledger, prove(ledger))
