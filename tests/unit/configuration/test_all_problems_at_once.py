"""One look names the problems of all files, whatever else is wrong, and nothing that follows from another one."""

import shutil
from pathlib import Path

import pytest

from app.configuration import ConfigError, load
from app.configuration.yaml_text import read_leniently

PRESSES = Path(__file__).parents[2] / "data" / "presses"
P, R, E = "plant.yaml", "rules.yaml", "erp.yaml"
MAPPING = P, "counter: =shots", "counter: =shotz", "no equipment has a counter `shotz`"
TABLE = P, "table: scrap", "table: scraps", "`table: scraps` is not among `tables`"
UNIT = R, "at_least: 1 BOX", "at_least: 1 CRATE", "unit `CRATE` is not known"
CONSUMPTION = R, "component: resin, by: meter", "component: resn, by: meter", "`resn` is by meter, but no counter"
URL = E, 'url: "${ERP_URL}", ', "", "needs `url`: where is the ERP?"
PERIOD = E, "2nd workday 12:00", "2nd workday 25:00", "periods.close"
LITERAL = R, "kind: scrap", "kind: scrab", "post[1].kind: `scrab` is not known here"
KEY = P, "on_fall: reset", "on_fal: reset", "`on_fal` is no key here"
NUMBER = E, "concurrency: 4", "concurrency: 0", "`0` must be at least 1"
ZONE = P, "Europe/Prague", "Europe/Prag", "'Europe/Prag' is no time zone"
NO_YAML = P, "lots: {clean: [trim, upper]", "lots: {clean: [trim, upper", "this is no YAML"
TWICE = R, "on_hold:", "sweep_every: 1 h\nsweep_every: 2 h\non_hold:", "`sweep_every` stands here twice"
ANCHOR = E, "periods: {", "periods: &p {", "anchors and aliases"
RULE = P, "emit: RunChanged, run: job,", "emit: RunChanged,", "RunChanged needs `run`"
UNKNOWN = P, "plant: {id: BRN1", "plant: {colour: red, id: BRN1", "`colour` is no key here"
NO_PLANT = P, "plant: {id: BRN1", "plnt: {id: BRN1", "`plnt` is no key here; did you mean plant?"


def looked(folder: Path, *wrong: tuple[str, str, str, str]) -> tuple[list[str], bool]:
    shutil.copytree(PRESSES, folder, dirs_exist_ok=True)
    for file, old, new, _ in wrong:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as found:
        load(folder)
    return [str(problem) for problem in found.value.problems], found.value.partial


@pytest.mark.parametrize(
    "wrong",
    [
        (KEY, MAPPING, UNIT, URL),  # a file that its model refuses, and what is between sections and files
        (LITERAL, NUMBER, UNIT, CONSUMPTION, MAPPING),
        (NO_YAML, MAPPING, TABLE, UNIT, LITERAL, URL),  # a line that is no YAML hides neither its file nor the others
        (TWICE, ANCHOR, LITERAL, MAPPING, URL),
        (ZONE, KEY, RULE, TABLE, NUMBER, PERIOD),
        (UNKNOWN, RULE, MAPPING, LITERAL, CONSUMPTION),
        (NO_PLANT, MAPPING, UNIT),
    ],
)
def test_all_are_named_in_one_round(wrong: tuple[tuple[str, str, str, str], ...], tmp_path: Path) -> None:
    found, _ = looked(tmp_path, *wrong)
    for file, *_, message in wrong:
        assert any(line.startswith(file) and message in line for line in found), (message, found)
    missing = [line for line in found if "`plant` is missing" in line]
    assert len(found) - len(missing) == len(wrong), found


@pytest.mark.parametrize(
    ("wrong", "follows"),
    [
        ((P, "counts: consumption, of", "counts: =5, of", "`=5` is not known here"), "is by meter"),
        ((P, "units: {", "units: [{", "this is no YAML"), "unit `BOX`"),
        ((P, "plant: {id: BRN1,", "plant: {id: [BRN1,", "this is no YAML"), "`plant` is missing"),
        ((P, "tables: {scrap: {", "tables: {scrap: [{", "this is no YAML"), "is not among `tables`"),
    ],
)
def test_what_may_follow_from_another_problem_is_not_told(wrong: tuple[str, str, str, str], follows: str, tmp_path: Path) -> None:
    found, partial = looked(tmp_path, wrong)
    assert any(wrong[3] in line for line in found) and not any(follows in line for line in found), found
    assert partial, "there is more to look at once this is right"


def test_a_word_that_was_mistyped_hides_nothing(tmp_path: Path) -> None:
    found, partial = looked(tmp_path, LITERAL, KEY)
    assert (len(found), partial) == (2, False)


@pytest.mark.parametrize(
    ("text", "lines", "left"),
    [
        ("a: [1\nb: 2\nc: &x 1\nd: *x\n", [2, 3, 4], {"b": "2"}),
        ("a: 'x\nb: 2\n", [3], {"b": "2"}),
        ("a: 1\nb: x: y\nc: 2\n", [2], {"a": "1", "c": "2"}),
        ("a\nb: 1\n", [2], {"b": "1"}),
        ("a:\n  b: 1\n c: 2\nd: 1\n", [3], {"a": {"b": "1"}, "d": "1"}),
        ("a:\n\tb: 1\nc: 2\n", [2], {"a": "", "c": "2"}),
        ("a:\n- x: @1\n- y: 2\nb: 1\n", [2], {"a": [{"y": "2"}], "b": "1"}),
        ("a: 1\n---\nb: 2\n", [2], {"a": "1"}),
        ("a: 1\na: 2\nb: {c: 1, c: 2}\n", [2, 3], {"a": "1", "b": {"c": "1"}}),
    ],
)
def test_what_can_be_read_is_read(text: str, lines: list[int], left: dict[str, object]) -> None:
    document = read_leniently(text.encode())
    assert (sorted(problem.line for problem in document.problems), document.content) == (lines, left)
