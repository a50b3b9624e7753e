"""One generated shift for all tests of the demo: small, with all of its dirt."""

import pytest

from app.demo.plant_simulator import generate
from tests.unit.demo.raw_files import SCALE, Shift


@pytest.fixture(scope="session")
def shift(tmp_path_factory: pytest.TempPathFactory) -> Shift:
    directory = tmp_path_factory.mktemp("shift")
    return Shift(directory, generate(directory, seed=1, scale=SCALE))
