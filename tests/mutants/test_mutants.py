"""Defects that have been made before or that nobody may ever make, planted one by one: the test that must find each does.

The lists: tests/mutants/of_quantities.py, of_postings.py, of_machinery.py.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants import of_machinery, of_postings, of_quantities
from tests.mutants.planting import Mutant

PROJECT = Path(__file__).parents[2]
TESTS_FAILED = 1
LISTS = (of_quantities.MUTANTS, of_postings.MUTANTS, of_machinery.MUTANTS)
MUTANTS = {name: mutant for one in LISTS for name, mutant in one.items()}


def run(mutant: Mutant) -> subprocess.CompletedProcess[str]:
    arguments = [mutant.module, mutant.old, mutant.new, mutant.killed_by]
    command = [sys.executable, "-m", "tests.mutants.planted", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_defect_is_found(name: str) -> None:
    found = run(MUTANTS[name])
    assert found.returncode == TESTS_FAILED, f"{found.stdout}\n{found.stderr}"
    assert "AssertionError" in found.stdout or "\nE  " in found.stdout, "a check failed, not the import"


def test_each_defect_has_a_name_of_its_own() -> None:
    assert len(MUTANTS) == sum(map(len, LISTS))


def test_without_a_defect_nothing_is_found() -> None:
    """The same way of running, with a change that changes nothing."""
    harmless = MUTANTS["reset as zero"]
    assert run(harmless._replace(new=harmless.old)).returncode == 0


def test_a_mutant_whose_line_is_gone_is_no_mutant() -> None:
    assert run(MUTANTS["reset as zero"]._replace(old="no such line")).returncode not in (0, TESTS_FAILED)
