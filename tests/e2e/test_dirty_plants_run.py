"""Dirty plants by `lineledger run`: in one process, and on a real Kafka while every stage is killed once."""

from pathlib import Path

import pytest

from app.ledger.books import snapshot
from app.ledger.proof.balance import prove
from app.topology import STAGES
from tests.e2e.command import lineledger
from tests.e2e.same_log import Exported, Killer, run
from tests.plants import DirtyPlant, compared, generate
from tests.plants.profiles import Name


def check(plant: DirtyPlant, out: Path) -> None:
    ledger = snapshot.read(out)
    proof = prove(ledger)
    assert proof.differences == []
    assert compared.differences(compared.recorded(ledger, proof), plant.truth.accounts) == []
    assert compared.differences(compared.unattributed(proof), plant.truth.unattributed) == []


@pytest.mark.parametrize(("name", "seed"), [("default", 2), ("nasty", 3), ("nasty", 12)])
def test_exact_in_one_process(name: Name, seed: int, tmp_path: Path) -> None:
    plant = generate(tmp_path, seed, name)
    arguments = [argument for path in plant.files.values() for argument in ("--input", path)]
    outcome = lineledger("run", "--config", plant.config, *arguments, "--out", tmp_path / "out", "--json")
    assert outcome.code == 0, outcome.said
    check(plant, tmp_path / "out")


@pytest.mark.kafka
@pytest.mark.slow
def test_exact_on_kafka_with_kills(tmp_path: Path, kafka_bootstrap: str) -> None:
    plant = generate(tmp_path, 4, "nasty")
    files = list(plant.files.values())
    quiet: Exported = run(files, tmp_path / "quiet", config=plant.config)
    killer = Killer(tmp_path / "killed", "equipment", start_us=plant.begin_us)
    found = run(files, tmp_path / "killed", kafka_bootstrap, progress=killer, config=plant.config)
    assert list(killer.killed) == list(STAGES)
    assert killer.forgotten, "a volume was lost"
    check(plant, tmp_path / "killed")
    assert (found.postings, found.not_posted) == (quiet.postings, quiet.not_posted)
