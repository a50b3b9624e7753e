"""A developer's shell names an installation; tests have their own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import OF_AN_INSTALLATION

ROOT = Path(__file__).parents[2]


def test_none_of_it_reaches_a_test() -> None:
    told = dict.fromkeys(OF_AN_INSTALLATION, "elsewhere")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"{Path(__file__)}::test_the_environment_of_a_test",
    ]
    ran = subprocess.run(command, cwd=ROOT, env={**os.environ, **told}, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout


def test_the_environment_of_a_test() -> None:
    assert not [name for name in OF_AN_INSTALLATION if name in os.environ]
