"""Small inputs of the field with their right results, by `lineledger run` as people type it.

tests/data/cases/own holds whole cases. tests/data/cases/given holds the right results (and the configuration, where the case has
none) of inputs that lie beside the project in ../shared/cases; each of these has a case of its kind in `own`, so that a clone
alone tests every kind.
"""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.ledger.books import snapshot
from tables.orders.account import parse_key
from tables.row_kinds import POSTING_ROWS
from tests.e2e.cases.right import Right
from tests.e2e.command import PROJECT, lineledger
from tests.e2e.exported import beside, rows

CASES = PROJECT / "tests" / "data" / "cases"
GIVEN = PROJECT.parent / "shared" / "cases"
ABOUT = {"plant.yaml", "rules.yaml", "erp.yaml", "right.json", "README.md"}
"""Files of a case that are no input."""


def folders(under: str) -> list[str]:
    return sorted(path.name for path in (CASES / under).iterdir() if path.is_dir())


def inputs(case: Path) -> list[Path]:
    return sorted(path for path in case.iterdir() if path.name not in ABOUT)


def check(case: Path, tmp_path: Path) -> None:
    """Run the folder `case` and compare it with its right.json."""
    found = differences(case, Right.read(case / "right.json"), tmp_path)
    assert not found, "\n".join([Right.read(case / "right.json").why, *found])


def differences(case: Path, right: Right, tmp_path: Path) -> list[str]:
    """What differs between `right` and what a run of the folder `case` posts, leaves and tells."""
    out = tmp_path / "out"
    files = [argument for path in inputs(case) for argument in ("--input", path)]
    outcome = lineledger("run", "--config", case, *files, "--erp", "none", "--out", out, "--json")
    assert outcome.code == 0, outcome.said
    ledger = snapshot.read(out)
    posted = out / "postings.csv"
    details = {row.posting.posting_id: detailed(row.posting) for row in ledger.of(POSTING_ROWS)}
    return right.differences(
        [{**entry, **details[entry["posting_id"]]} for entry in rows(posted)],
        rows(beside(posted)),
        [need["what"] for need in outcome.json["needs"]],
        Counter(letter.code for letter in ledger.letters),
    )


def place_of(account: str) -> str:
    parsed = parse_key(account)
    return parsed.place if parsed is not None else ""


def detailed(posting: Any) -> dict[str, str]:
    """Columns of a posting that the export does not have."""
    return {
        "location": posting.location,
        "reservation_item": posting.reservation_item,
        "posting_date": posting.posting_date,
        "place": place_of(posting.account),
        "final": "yes" if posting.final else "no",
    }


@pytest.mark.parametrize("name", folders("own"))
def test_own(name: str, tmp_path: Path) -> None:
    check(CASES / "own" / name, tmp_path)


@pytest.mark.parametrize("name", folders("given"))
def test_given(name: str, tmp_path: Path) -> None:
    if not (GIVEN / name).is_dir():
        print(f"NOT RUN: {GIVEN / name} is not beside this clone; tests/data/cases/own has cases of its kind")
        return
    case = tmp_path / name
    case.mkdir()
    for path in [*(GIVEN / name).iterdir(), *(CASES / "given" / name).iterdir()]:
        shutil.copyfile(path, case / path.name)
    check(case, tmp_path)
