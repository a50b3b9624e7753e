"""Dirty plants: what the ledger holds is what happened on the floor, account by account, to the piece, milligram and millisecond.

Here the stages run in one process without a broker (tests/plants/chain.py); `lineledger run` is in test_dirty_plants_run.py.
"""

import csv
import json
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from app.demo.truth import Account
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import prove
from app.ledger.questions import export
from tables.row_kinds import ACCOUNT_ROWS, EQUIPMENT_ROWS
from tests.plants import DirtyPlant, chain, compared, generate
from tests.plants.profiles import Name
from tests.plants.records import SOURCES

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
    codes = {"SEQ_CONFLICT", "AMBIGUOUS_TIME"}  # the latter: repeated hours later, and nobody can tell which pass is meant
    assert {letter.code for letter in ledger.letters} <= codes, "nothing that happened is refused"
    _exports_are_the_truth(plant, ledger, tmp_path)


def _exports_are_the_truth(plant: DirtyPlant, ledger: Snapshot, folder: Path) -> None:
    """Posted and not posted are the truth, rounded to steps of the ERP unit: each account to less than a step, all of a material
    of an operation to half a step."""
    rows = []
    for path in export.write(folder / "postings.csv", ledger, prove(ledger)):
        with path.open(newline="", encoding="utf-8") as file:
            rows += list(csv.DictReader(file))
    found = compared.exported(rows)
    steps = {Account(*(row[name] for name in Account._fields)): compared.step(row) for row in rows}
    together: dict[tuple[str, ...], list[Fraction]] = defaultdict(list)
    for account in found.keys() | plant.truth.accounts.keys():
        step = steps.get(account, Fraction(1_000_000))
        wrong = (found.get(account, Fraction(0)) - plant.truth.accounts.get(account, Fraction(0))) / step
        assert abs(wrong) < 1, account
        together[account.order, account.operation, account.material, account.kind].append(wrong)
    assert {about: found for about, found in together.items() if abs(sum(found)) * 2 > 1} == {}


def test_a_seed_is_a_plant(tmp_path: Path) -> None:
    """The same seed, the same bytes; another seed, another plant."""
    contents = [
        {source: path.read_bytes() for source, path in generate(tmp_path / folder, seed, "nasty").files.items()}
        for folder, seed in (("a", 7), ("b", 7), ("c", 8))
    ]
    assert contents[0] == contents[1] != contents[2]


def test_the_plants_are_as_dirty_as_they_say(tmp_path: Path) -> None:
    """Each kind of dirt is in the first nasty plants: an exact ledger of clean ones would prove little."""
    tally, codes = Counter[str](), set[str]()
    plants = [generate(tmp_path / str(seed), seed, "nasty") for seed in SEEDS[:8]]
    for plant in plants[:2]:
        ledger = chain.run(plant.config, list(plant.files.values()))
        for row in ledger.of(EQUIPMENT_ROWS):
            tally.update(row.tally)
        codes |= {row.code for row in ledger.of(ACCOUNT_ROWS)}
    assert min(tally[dirt] for dirt in ("duplicates", "late", "conflicts", "resets", "rollovers", "placeholders")) > 5
    assert codes >= {"UNKNOWN_ORDER", "OVER_DELIVERY"}
    assert sum(map(_steps_back, plants)) > 5
    kinds = {account.kind for plant in plants for account in plant.truth.accounts}
    assert kinds == {"yield", "scrap", "rework", "consumption", "machine_time", "setup_time"}
    assert {source for plant in plants for source in plant.files} == set(SOURCES)
    assert all(plant.truth.unattributed for plant in plants)


def _steps_back(plant: DirtyPlant) -> int:
    """Readings that are later by their number and earlier by their machine's clock than the one before."""
    shown: dict[tuple[str, str], dict[int, str]] = {}
    for line in plant.files["presses"].read_text(encoding="utf-8").splitlines() if "presses" in plant.files else ():
        reading = json.loads(line)
        key = (reading["machine"][-1], reading["counter"])  # its name or its alias: both end with its digit
        shown.setdefault(key, {}).setdefault(reading["n"], reading["t"])
    in_order = [[times[number] for number in sorted(times)] for times in shown.values()]
    return sum(after < before for times in in_order for before, after in pairwise(times))
