"""An input of which most was refused is no exact run, whatever adds up."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.ledger.proof.refused_inputs import RefusedInput, empty_inputs, nothing_read, refused_inputs


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
        ({"a": 9}, {"a": 9}, [RefusedInput("a", 9, 9, "BAD_JSON")]),
        ({"a": 20}, {"a": 20, "b": 100_000}, [RefusedInput("a", 20, 20, "BAD_JSON")]),
    ],
)
def test_each_input_by_itself(refused: dict[str, int], fed: dict[str, int], found: list[RefusedInput]) -> None:
    assert refused_inputs(snapshot(refused, fed)) == found


@pytest.mark.parametrize(
    ("refused", "fed", "found"),
    [
        ({"a": 9}, {"a": 9}, [RefusedInput("a", 9, 9, "BAD_JSON")]),
        ({"a": 1}, {"a": 1}, [RefusedInput("a", 1, 1, "BAD_JSON")]),
        ({"a": 1}, {"a": 1, "other": 100_000}, [RefusedInput("a", 1, 1, "BAD_JSON")]),
        ({"a": 8}, {"a": 9}, []),
        ({"a": 1}, {"a": 1, "a2": 1, "a3": 1}, []),  # an exchange file among good ones
        ({"a": 1}, {"a": 1, "a2": 12}, []),
        ({"a": 1, "a2": 1}, {"a": 1, "a2": 1}, [RefusedInput("source a", 2, 2, "BAD_JSON")]),
        ({"a": 2}, {"a": 2, "a2": 1, "a3": 1}, [RefusedInput("a", 2, 2, "BAD_JSON")]),  # no document, and nothing was taken
        ({f"a{n}": 1 for n in range(20)}, {f"a{n}": 1 for n in range(30)}, [RefusedInput("source a", 20, 30, "BAD_JSON")]),
        ({f"a{n}": 1 for n in range(9)}, {f"a{n}": 1 for n in range(30)}, []),
        ({"a": 9}, {"a": 9, "a2": 50_000}, [RefusedInput("a", 9, 9, "BAD_JSON")]),  # nine lines beside a long file
    ],
)
def test_short_files_and_documents(refused: dict[str, int], fed: dict[str, int], found: list[RefusedInput]) -> None:
    known = snapshot(refused, fed)
    known.about["sources"] = {name: name[:1] for name in fed}
    assert refused_inputs(known) == found


def test_what_went_on_without_a_lot_is_not_refused() -> None:
    known = snapshot({"a": 1}, {"a": 1})
    known.about["sources"] = {"a": "a"}
    for letter in known.letters:
        letter.code = "NO_LOT"
    assert refused_inputs(known) == []


def test_a_share_that_a_person_stated() -> None:
    known = snapshot({"a": 20, "b": 1}, {"a": 20, "b": 1}, "1")
    known.about["sources"] = {"a": "a", "b": "b"}
    assert refused_inputs(known) == []


def test_a_live_installation_has_no_inputs() -> None:
    assert refused_inputs(SimpleNamespace(letters=[], about={"live": True})) == []


def test_an_input_without_a_record_is_told() -> None:
    paths = ["../in/a/x.csv", "/data/in/b/x.csv", "in/y.csv", "in/z.csv"]
    about = {"inputs": [{"path": path} for path in paths], "fed": {"in/a/x.csv": 3, "../../in/b/x.csv": 0, "y.csv": 1}}
    found = SimpleNamespace(letters=[], about=about)
    assert empty_inputs(found) == ["/data/in/b/x.csv", "in/z.csv"]
    assert not nothing_read(found)
    assert nothing_read(SimpleNamespace(letters=[], about={"inputs": [{"path": "x.csv"}], "fed": {}}))
    assert not nothing_read(SimpleNamespace(letters=[], about={"live": True}))
