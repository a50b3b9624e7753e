"""What `--input` may name."""

from pathlib import Path

import pytest

from app.inputs.input_files import InputError, UnknownInputSource, inputs
from schemas.configuration import PlantConfig

SOURCE = {"read": {"event_id": "position", "occurred_at": "t", "equipment": "=M"}, "events": [{"when": {}, "ignore": True}]}
PLANT = PlantConfig.model_validate(
    {
        "plant": {"id": "P"},
        "sources": {"shots": {**SOURCE, "files": ["shots*.jsonl"]}, "runs": {**SOURCE, "files": ["runs*.jsonl"]}},
    }
)
FILES = ["2026/b/shots-2.jsonl.gz", "2026/b/shots-10.jsonl", "2026/a/shots-9.jsonl.zst", "2026/runs.jsonl", "2026/.shots.jsonl"]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def named(*arguments: str) -> list[tuple[str, str]]:
    return [(file.source, str(file.path)) for file in inputs(arguments, PLANT)]


@pytest.mark.parametrize("folder", ["2026", "2026/", "2026/**/*", "./2026"])
def test_a_folder_is_all_files_below_it_by_path(data: Path, folder: str) -> None:
    assert named(folder) == [
        ("shots", "2026/a/shots-9.jsonl.zst"),
        ("shots", "2026/b/shots-10.jsonl"),
        ("shots", "2026/b/shots-2.jsonl.gz"),
        ("runs", "2026/runs.jsonl"),
    ]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("2026/*/shots-?.jsonl*", ["2026/a/shots-9.jsonl.zst", "2026/b/shots-2.jsonl.gz"]),
        ("2026/**/*.gz", ["2026/b/shots-2.jsonl.gz"]),
        ("2026/[b]/*.jsonl", ["2026/b/shots-10.jsonl"]),
    ],
)
def test_a_pattern_is_what_it_matches(data: Path, pattern: str, found: list[str]) -> None:
    assert named(pattern) == [("shots", path) for path in found]


def test_a_source_may_be_said_for_all_of_them(data: Path) -> None:
    assert named("runs=2026/b") == [("runs", "2026/b/shots-10.jsonl"), ("runs", "2026/b/shots-2.jsonl.gz")]


def test_what_several_patterns_name_is_read_once(data: Path) -> None:
    assert named("2026/runs.jsonl", "2026/*.jsonl", "2026/**/runs*", "2026/runs.jsonl") == [("runs", "2026/runs.jsonl")] * 2, (
        "said twice by its own name it is meant"
    )


def test_a_file_is_one_by_whatever_path(data: Path) -> None:
    (data / "2026/b/shots-11.jsonl").symlink_to(data / "2026/a/shots-9.jsonl.zst")
    (data / "2026/c").symlink_to(data / "2026/a")
    assert len(named("2026", str(data / "2026"), "2026/*/*.jsonl*", "./2026/../2026")) == 4


def test_links_to_folders_are_not_followed(data: Path) -> None:
    (data / "2026/a/again").symlink_to(data / "2026")
    assert len(named("2026")) == 4


def test_what_the_run_writes_is_not_its_input(data: Path) -> None:
    """Where the output lies below an input folder the next run would read what the one before wrote."""
    besides = [data / "2026/a", data / "2026/runs.jsonl"]
    found = [str(file.path) for file in inputs(["2026"], PLANT, besides=besides)]
    assert found == ["2026/b/shots-10.jsonl", "2026/b/shots-2.jsonl.gz"]
    assert len(inputs(["2026/**/*"], PLANT, besides=besides)) == 2
    meant = inputs(["2026/a", "2026/a/*", "2026/a/shots-9.jsonl.zst", "2026/runs.jsonl"], PLANT, besides=besides)
    assert len(meant) == 3, "a folder in there, or a file by its own name, is meant"


def test_relative_names_start_from_the_base(data: Path) -> None:
    (data / "elsewhere").mkdir()
    found = inputs(["../2026/runs.jsonl", "../2026/b", str(data / "2026/a")], PLANT, Path("elsewhere"))
    assert [file.path.name for file in found] == ["runs.jsonl", "shots-10.jsonl", "shots-2.jsonl.gz", "shots-9.jsonl.zst"]


def test_a_name_with_signs_of_a_pattern_is_a_name_where_there_is_such_a_file(data: Path) -> None:
    (data / "shots[1].jsonl").touch()
    assert named("shots[1].jsonl") == [("shots", "shots[1].jsonl")]


@pytest.mark.parametrize(
    ("argument", "why"),
    [
        ("2026/**/*.csv", "2026/\\*\\*/\\*.csv names no file"),
        ("empty", "empty names no file"),
        ("shots=2027", "2027 is no file"),
        ("shots-2027.jsonl", "shots-2027.jsonl is no file"),
        ("2027", "2027 is no file"),
        ("2026/../other", "notes.txt matches no source's `files:`; write SOURCE=2026/../other/notes.txt"),
    ],
)
def test_what_names_nothing_is_refused(data: Path, argument: str, why: str) -> None:
    (data / "empty").mkdir()
    (data / "other").mkdir()
    (data / "other/notes.txt").touch()
    with pytest.raises(InputError, match=why):
        named(argument)


def test_a_name_that_no_source_has_is_said_with_those_that_there_are(data: Path) -> None:
    with pytest.raises(UnknownInputSource, match=r"`shts` is no source of plant\.yaml; it has runs, shots") as raised:
        named("shts=2026/runs.jsonl")
    assert raised.value.code == "UNKNOWN_SOURCE"
    (data / "a=b.shots").mkdir()
    (data / "a=b.shots/shots1.jsonl").touch()
    assert named("a=b.shots") == [("shots", "a=b.shots/shots1.jsonl")], "a name with that sign is one"
