"""Which plant of an installation a question is about."""

import pytest

from app.cli.failures import failure_of
from app.ledger.books.live import NoInstallation, PlantUnnamed, plant_named


def test_the_only_plant_needs_no_name() -> None:
    assert plant_named(["SALZ"], "") == plant_named(["SALZ", "TWO"], "SALZ") == "SALZ"


@pytest.mark.parametrize(("plants", "wanted"), [(["SALZ", "TWO"], ""), (["SALZ", "TWO"], "THREE"), (["SALZ"], "TWO")])
def test_a_name_that_is_missing_or_wrong_is_wrong_use(plants: list[str], wanted: str) -> None:
    with pytest.raises(PlantUnnamed) as refused:
        plant_named(plants, wanted)
    failure = failure_of(refused.value)
    assert str(failure) == f"WRONG_USE: --plant is one of {', '.join(plants)}"


def test_without_a_plant_there_is_no_installation() -> None:
    with pytest.raises(NoInstallation):
        plant_named([], "SALZ")
