"""An input of which most was refused is no exact run, whatever adds up."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.ledger.proof.refused_inputs import RefusedInput, refused_inputs


def snapshot(refused: dict[str, int], fed: dict[str, int], at_most: str = "1/2") -> Any:
    letters = [
        SimpleNamespace(stage="intake", raw_source=name, raw_offset=n, code="BAD_JSON")
        for name, times in refused.items()
        for n in [*range(times), 0]  # the first one twice: a record that was refused in two pieces
    ]
    letters.append(SimpleNamespace(stage="equipment", raw_source="b", raw_offset=99, code="TOO_LATE"))
    return SimpleNamespace(letters=letters, about={"fed": fed, "refused_at_most": at_most})


@pytest.mark.parametrize(
    ("refused", "fed", "found"),
    [
        ({"a": 11}, {"a": 20, "b": 20}, [RefusedInput("a", 11, 20, "BAD_JSON")]),
        ({"a": 10}, {"a": 20}, []),
        ({"a": 9}, {"a": 9}, []),
        ({"a": 20}, {"a": 20, "b": 100_000}, [RefusedInput("a", 20, 20, "BAD_JSON")]),
    ],
)
def test_each_input_by_itself(refused: dict[str, int], fed: dict[str, int], found: list[RefusedInput]) -> None:
    assert refused_inputs(snapshot(refused, fed)) == found


def test_a_share_that_a_person_stated() -> None:
    assert refused_inputs(snapshot({"a": 20}, {"a": 20}, "1")) == []


def test_a_live_installation_has_no_inputs() -> None:
    assert refused_inputs(SimpleNamespace(letters=[], about={"live": True})) == []
