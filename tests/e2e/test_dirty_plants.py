"""Dirty plants: what the ledger holds is what happened on the floor, account by account, to the piece, milligram and millisecond.

Here the stages run in one process without a broker (tests/plants/chain.py); `lineledger run` is in test_dirty_plants_run.py.
"""

import csv
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from app.demo.truth import Account
from app.ledger import export
from app.ledger.balance import prove
from app.ledger.snapshot import Snapshot
from tests.plants import DirtyPlant, chain, compared, generate
from tests.plants.profiles import Name

SEEDS = range(1, 21)
PLANTS: list[tuple[Name, int]] = [(name, seed) for name in ("clean", "default", "nasty") for seed in SEEDS]


@pytest.mark.parametrize(("name", "seed"), PLANTS, ids=[f"{name}-{seed}" for name, seed in PLANTS])
def test_the_ledger_is_what_happened(name: Name, seed: int, tmp_path: Path) -> None:
    plant = generate(tmp_path, seed, name)
    ledger = chain.run(plant.config, list(plant.files.values()), seed)
    proof = prove(ledger)
    assert proof.differences == []
    assert compared.differences(compared.recorded(ledger, proof), plant.truth.accounts) == []
    assert compared.differences(compared.unattributed(proof), plant.truth.unattributed) == []
    assert {letter.code for letter in ledger.letters} <= {"SEQ_CONFLICT"}, "nothing that happened is refused"
    _exports_are_the_truth(plant, ledger, tmp_path)


def _exports_are_the_truth(plant: DirtyPlant, ledger: Snapshot, folder: Path) -> None:
    """Posted and not posted are the truth, rounded once per account to a step of its ERP unit."""
    rows = []
    for path in export.write(folder / "postings.csv", ledger, prove(ledger)):
        with path.open(newline="", encoding="utf-8") as file:
            rows += list(csv.DictReader(file))
    found = compared.exported(rows)
    steps = {Account(*(row[name] for name in Account._fields)): compared.step(row) for row in rows}
    for account in found.keys() | plant.truth.accounts.keys():
        wrong = abs(found.get(account, Fraction(0)) - plant.truth.accounts.get(account, Fraction(0)))
        assert wrong * 2 <= steps.get(account, Fraction(1_000_000)), account


def test_a_seed_is_a_plant(tmp_path: Path) -> None:
    """The same seed, the same bytes; another seed, another plant."""
    contents = [
        {source: path.read_bytes() for source, path in generate(tmp_path / folder, seed, "nasty").files.items()}
        for folder, seed in (("a", 7), ("b", 7), ("c", 8))
    ]
    assert contents[0] == contents[1] != contents[2]


def test_the_plants_are_as_dirty_as_they_say(tmp_path: Path) -> None:
    """Each kind of dirt is in one of the first nasty plants: an exact ledger of clean ones would prove little."""
    tally, codes, kinds, sources = Counter[str](), Counter[str](), set[str](), set[str]()
    for seed in SEEDS[:6]:
        plant = generate(tmp_path / str(seed), seed, "nasty")
        ledger = chain.run(plant.config, list(plant.files.values()), seed)
        for row in ledger.of("equipment", "e|"):
            tally.update(row.tally)
        codes.update(row.code for row in ledger.of("orders", "a|") if row.code)
        kinds |= {account.kind for account in plant.truth.accounts}
        sources |= plant.files.keys()
        assert plant.truth.unattributed
    assert min(tally[dirt] for dirt in ("duplicates", "late", "conflicts", "resets", "rollovers", "placeholders")) > 5
    assert codes.keys() >= {"UNKNOWN_ORDER", "OVER_DELIVERY"}
    assert kinds == {"yield", "scrap", "rework", "consumption", "machine_time", "setup_time"}
    assert sources == {"erp", "jobs", "people", "presses", "unnumbered", "pollers"}
