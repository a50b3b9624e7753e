"""Performance has one place: the table "Figures" of docs/status.md. What another page claims stands in it."""

import re
from pathlib import Path

import pytest

from tests.docs.codes import ROOT

STATUS = ROOT / "docs" / "status.md"
PAGES = [path for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))) if path != STATUS]
_NUMBER = r"(\d[\d,]*(?:\.\d+)?)"
_CLAIMS = (
    re.compile(rf"\b{_NUMBER}(?: \w+){{0,2}} ?(?:/s\b|(?:a|per) second\b)"),
    re.compile(rf"\b{_NUMBER}(?: x| times) (?:plain Faust|faster|as fast)"),
    re.compile(rf"\b{_NUMBER} (?:KB|bytes)(?= (?:per|a|of state per) (?:reading|raw record|machine))"),
    re.compile(rf"(?:`make (?:demo|bench|test)[\w-]*`|`\.ci/run`)(?: \w+){{1,6}} {_NUMBER} (?:s|min|minutes)\b"),
)
"""Speeds, ratios, sizes of state, and how long the commands of the table take."""
SMALLEST_RATE = 1_000
"""What a test or a budget is given is less than that; what the program reaches is more."""


def measured(text: str) -> set[str]:
    """The numbers of the column in the middle: what a row is called and what is wanted were not measured."""
    rows = [line.split("|")[2] for line in section(text).splitlines() if line.startswith("|")]
    return set(re.findall(r"\d[\d,]*(?:\.\d+)?", " ".join(rows)))


def section(text: str) -> str:
    return text.partition("\n## Figures")[2].partition("\n## ")[0]


def claims(text: str) -> list[str]:
    """Figures that a page gives as the program's speed or size."""
    plain = " ".join(text.split())
    rates = [number for number in _CLAIMS[0].findall(plain) if float(number.replace(",", "")) >= SMALLEST_RATE]
    return rates + [number for pattern in _CLAIMS[1:] for number in pattern.findall(plain)]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_figure_stands_in_the_table(page: Path) -> None:
    known = measured(STATUS.read_text(encoding="utf-8"))
    assert [figure for figure in claims(page.read_text(encoding="utf-8")) if figure not in known] == []


def test_the_table_itself_is_recognised() -> None:
    """Each of its speeds would be seen on another page; else this test would pass whatever is written there."""
    rows = [line for line in section(STATUS.read_text(encoding="utf-8")).splitlines() if "/s" in line]
    assert rows and all(claims(row) for row in rows)
    assert claims("State: 181 KB a machine and day, 159 bytes per reading.") == ["181", "159"]
    assert claims("`make demo` takes about 52 s, `.ci/run` needs 41 min") == ["52", "41"]


@pytest.mark.parametrize(
    "sentence",
    [
        "The whole chain takes 91,000 raw records/s.",
        "Frames of 100 give 3,000,000 readings a second.",
        "It is 60 x plain Faust.",
        "`make demo` takes 17 s.",
        "`.ci/run` needs about 40 min.",  # the goal
    ],
)
def test_a_planted_figure_is_found(sentence: str) -> None:
    known = measured(STATUS.read_text(encoding="utf-8"))
    assert [figure for figure in claims(sentence) if figure not in known], sentence
