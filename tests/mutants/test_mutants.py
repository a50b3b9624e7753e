"""Defects that have been made before or that nobody may ever make, planted one by one: the test that must find each does.

The lists: tests/mutants/of_quantities.py, of_postings.py, of_machinery.py.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.mutants import composition, of_machinery, of_postings, of_quantities
from tests.mutants.planted import STALE, in_a_fork
from tests.mutants.planting import Mutant, source_of

PROJECT = Path(__file__).parents[2]
TESTS_FAILED = 1
LISTS = (of_quantities.MUTANTS, of_postings.MUTANTS, of_machinery.MUTANTS)
MUTANTS = {name: mutant for one in LISTS for name, mutant in one.items()}


class Found(NamedTuple):
    code: int | None
    output: str


def run(mutant: Mutant, folder: Path) -> Found:
    output = folder / "output.txt"
    code = in_a_fork(output, mutant.module, mutant.old, mutant.new, mutant.killed_by)
    return Found(code, output.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_defect_is_found(name: str, tmp_path: Path) -> None:
    found = run(MUTANTS[name], tmp_path)
    assert found.code == TESTS_FAILED, found.output
    assert "AssertionError" in found.output or "\nE  " in found.output, "a check failed, not the import"


def test_each_defect_has_a_name_of_its_own() -> None:
    assert len(MUTANTS) == sum(map(len, LISTS))


@pytest.mark.parametrize("name", composition.MUTANTS)
def test_a_defect_of_the_composition_stands_where_the_code_is(name: str) -> None:
    """`make test-composition` plants them; here only that it still can, and that their tests run before each landing."""
    mutant = composition.MUTANTS[name]
    assert source_of(mutant.module).read_text(encoding="utf-8").count(mutant.old) == 1
    file, _, test = mutant.killed_by.partition("::")
    text = (PROJECT / file).read_text(encoding="utf-8")
    assert f"def {test}(" in text and "mark.slow" not in text, "it runs before each landing"


def test_the_third_is_a_third() -> None:
    assert set(composition.SHORT) <= composition.MUTANTS.keys() and 3 * len(composition.SHORT) >= len(composition.MUTANTS)


def test_without_a_defect_nothing_is_found(tmp_path: Path) -> None:
    """The same way of running, with a change that changes nothing."""
    harmless = MUTANTS["reset as zero"]
    assert run(harmless._replace(new=harmless.old), tmp_path).code == 0


def test_a_mutant_whose_line_is_gone_is_no_mutant(tmp_path: Path) -> None:
    assert run(MUTANTS["reset as zero"]._replace(old="no such line"), tmp_path).code == STALE
