"""Plants of an installation's document: which of them name an ERP that it does not have."""

from typing import Any

import pytest

from app.cli.plants import without_endpoint
from tests.unit.streams.quality_bench import configuration


def plant(**erp: Any) -> Any:
    return configuration(erp={"erp": {"adapter": "sim", **erp}})


@pytest.mark.parametrize(
    ("erp", "named"),
    [
        ({}, []),
        ({"endpoint": "tryton"}, []),
        ({"endpoint": "nobodys"}, ["nobodys"]),
        ({"endpoint": "nobodys", "adapter": "none"}, []),
    ],
)
def test_a_plant_whose_postings_would_wait_is_told_of(erp: dict[str, str], named: list[str]) -> None:
    """One without an ERP posts nowhere."""
    found = without_endpoint([plant(**erp)], {"erp": 0, "tryton": 1})
    assert len(found) == len(named)
    for sentence, name in zip(found, named, strict=True):
        assert sentence.startswith("ENDPOINT_UNKNOWN: ")
        assert f"`{name}`" in sentence and "erp, tryton" in sentence
