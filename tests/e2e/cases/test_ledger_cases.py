"""Books that a controller calls right: small plants whose right postings were written down first.

tests/data/cases/ledger holds whole cases, each with its records and `right.json`; what a case does not have of its own
(plant.yaml, rules.yaml) is that of tests/data/cases/ledger/common. The inputs of ../shared/cases/ledger lie beside the project;
each kind of them has a case in this clone.
"""

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.cases.right import Right
from tests.e2e.cases.test_cases import CASES, GIVEN, differences

OWN, COMMON = CASES / "ledger", "common"
NOT_YET: dict[str, str] = {}
"""Cases that are not right yet, and why. One that becomes right fails here until it is taken off the list."""


def given() -> list[object]:
    """What lies beside this clone."""
    names = sorted(path.name for path in (GIVEN / "ledger").iterdir() if path.is_dir()) if GIVEN.is_dir() else []
    return [_marked(name) for name in names]


def own() -> list[object]:
    return [_marked(path.name) for path in sorted(OWN.iterdir()) if path.is_dir() and path.name != COMMON]


def _marked(name: str) -> object:
    marks = [pytest.mark.xfail(strict=True, reason=NOT_YET[name])] if name in NOT_YET else []
    return pytest.param(name, marks=marks)


def check(case: Path, right: Right, tmp_path: Path) -> None:
    found = differences(case, right, tmp_path)
    assert not found, "\n".join([right.why, *found])


@pytest.mark.parametrize("name", given())
def test_given(name: str, tmp_path: Path) -> None:
    stated = json.loads((GIVEN / "ledger" / name / "right.json").read_text(encoding="utf-8"))
    check(GIVEN / "ledger" / name, Right(stated["why"], stated["right"], open=None, refused=None), tmp_path)


@pytest.mark.parametrize("name", own())
def test_own(name: str, tmp_path: Path) -> None:
    case = tmp_path / name
    shutil.copytree(OWN / COMMON, case)
    shutil.copytree(OWN / name, case, dirs_exist_ok=True)
    check(case, Right.read(case / "right.json"), tmp_path)
