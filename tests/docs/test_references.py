"""Code refers to rules and defects by the names that the documents give them, never by numbers."""

import pytest

from tests.docs import codes, references

ROOT = codes.ROOT
NOT_YET_NAMED = frozenset({"schemas/codes.yaml", "docs/exceptions.md", "docs/status.md"})
"""Owners of codes are labels of metrics and stand in reports: another name is another label."""
NAMES = {"docs/x.md": {"Units", "Rounding and carry", "Scrap before its counts", "Scrap"}}


def test_every_heading_that_is_named_exists() -> None:
    headings = references.headings_of(ROOT)
    found = [one for file, text in references.files(ROOT) for one in references.references(file, text, headings)]
    assert [one for one in found if not one.found] == []
    assert {"docs/domain.md", "docs/faust.md", "docs/architecture.md"} <= {one.document for one in found}


def test_nothing_is_referred_to_by_a_number() -> None:
    found = {file: wrong for file, text in references.files(ROOT) if (wrong := references.numbered(file, text))}
    assert found == {}, "name the heading: `docs/domain.md, Over-delivery`"


def test_prose_names_who_acts() -> None:
    counts = {file: references.nobody_named(text) for file, text in references.files(ROOT) if file not in NOT_YET_NAMED}
    assert {file: count for file, count in counts.items() if count} == {}, (
        "say owner, caller, source, next process: not `whoever`"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(docs/x.md, Units).", [("Units", True)]),
        ("# halves away (docs/x.md,\n    # Rounding and carry)", [("Rounding and carry", True)]),
        ("(docs/x.md, Scrap before its\n    counts)", [("Scrap before its counts", True)]),
        ("(docs/x.md, Scrap and Units)", [("Scrap", True), ("Units", True)]),
        ("(docs/x.md, Scraps)", [("Scraps)", False)]),
        ("(docs/x.md, Scrap and Unit)", [("Scrap", True), ("Unit)", False)]),
        ("(docs/y.md, Units)", [("Units)", False)]),
        ("docs/x.md, as it stands", []),
    ],
)
def test_references_are_seen(text: str, found: list[tuple[str, bool]]) -> None:
    assert [(one.heading, one.found) for one in references.references("a.py", text, NAMES)] == found


@pytest.mark.parametrize(
    "text",
    [
        "domain rule 12",
        "(Domain rules 3 and 4)",
        "(domain 16)",
        "keep rule 6",
        "its defects 1 and 8",
        "design section 3",
        "design.md",
        "(design 3)",
        "section 10 of the\n    design",
    ],
)
def test_numbers_are_seen(text: str) -> None:
    assert references.numbered("a.py", text)
