"""Drop folders: what is complete, and that an end at any step leaves what the next start needs."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.ingest import ingest as ingesting
from app.ingest.drop_folder import DropFolder, FolderInUse, Taken
from app.ingest.ingest import Ingest
from app.ingest.raw_writer import RawNotWritten
from streams.mapping import RawRecord
from tests.unit.streams.mapping.sources import mapper_of

RULE = {"emit": "ProcessValue", "name": "=n", "value": "v", "equipment": "=M1"}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Log:
    """A raw topic in memory. `fails`: so many next calls find no broker, after half of the records."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes]] = []
        self.fails = 0

    def write(self, records: Iterator[RawRecord]) -> int:
        found = [(f"{record.raw_source}:{record.raw_offset}", record.value) for record in records]
        if self.fails:
            self.fails -= 1
            self.records += found[: len(found) // 2]
            raise RawNotWritten("no broker")
        self.records += found
        return len(found)

    @property
    def places(self) -> list[str]:
        return [place.partition("@")[0] + ":" + place.rpartition(":")[2] for place, _ in self.records]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingesting, "POLL_S", 0.0)
    monkeypatch.setattr(ingesting, "RETRY_S", 0.0)


def opened(folder: Path, complete: Any = "rename", quiet_s: float = 0.0, globs: Any = (), clock: Any = None) -> DropFolder:
    return DropFolder(folder, globs, complete, quiet_s, clock or Clock())


def ingest(folder: Path, log: Log, read: dict[str, Any] | None = None, **more: Any) -> bool:
    mapper = mapper_of([RULE], read or {"occurred_at": "ts"}, **more)
    files = opened(folder)
    try:
        return Ingest(files, mapper, log, lambda: False).run(once=True)  # type: ignore[arg-type]
    finally:
        files.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name.partition("@")[0] + ("" if "reason" not in path.name else " reason") for path in folder.iterdir())


def test_a_stable_file_has_not_changed_for_a_while(tmp_path: Path) -> None:
    clock = Clock()
    folder = opened(tmp_path, "stable", 5.0, clock=clock)
    file = tmp_path / "a.jsonl"
    file.write_text("1\n")
    assert list(folder.complete()) == []
    clock.now += 4
    with file.open("a") as more:
        more.write("2\n")
    clock.now += 4
    assert list(folder.complete()) == []
    clock.now += 4.9
    assert list(folder.complete()) == []
    clock.now += 0.2
    assert list(folder.complete()) == [file]
    file.unlink()
    file.write_text("1\n2\n")
    assert list(folder.complete()) == [], "another file under the old name starts anew"


def test_a_marked_file_is_complete_and_its_marker_goes_with_it(tmp_path: Path) -> None:
    folder = opened(tmp_path, "marker")
    file = tmp_path / "a.jsonl"
    file.write_text("1\n")
    assert list(folder.complete()) == []
    (tmp_path / "a.jsonl.done").touch()
    assert list(folder.complete()) == [file]
    taken = folder.take(file)
    assert taken is not None
    folder.done(taken)
    assert names(tmp_path) == [".taking", "done", "refused"]


def test_files_of_others_and_unfinished_ones_are_left(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.xml", ".d.csv", "e.csv.tmp", "f.csv.part", "g.csv.PART", "h.csv.done"):
        (tmp_path / name).write_text("x")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "c.xml")
    os.utime(tmp_path / "b.csv", ns=(1, 1))
    folder = opened(tmp_path, globs=["*.csv*"])
    assert [path.name for path in folder.complete()] == ["b.csv", "a.csv"]


def test_a_file_that_changes_while_it_is_copied_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, file = opened(tmp_path), tmp_path / "a.jsonl"
    file.write_text("1\n")
    sync = os.fsync

    def growing(descriptor: int) -> None:
        sync(descriptor)
        with file.open("a") as more:
            more.write("2\n")

    monkeypatch.setattr(os, "fsync", growing)
    assert folder.take(file) is None
    assert file.read_text() == "1\n2\n"


def test_a_folder_has_one_taker(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    with pytest.raises(FolderInUse):
        opened(tmp_path)
    folder.close()
    opened(tmp_path).close()


def test_records_have_their_places_and_the_file_can_be_looked_up(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"v":1}\n\n{"v":2}\n')
    log = Log()
    assert ingest(tmp_path, log)
    (kept,) = (tmp_path / "done").iterdir()
    assert [place for place, _ in log.records] == [f"{kept.name}:1", f"{kept.name}:3"]
    assert kept.read_bytes() == b'{"v":1}\n\n{"v":2}\n'
    assert not (tmp_path / "a.jsonl").exists()


def test_the_same_file_again_is_known_and_another_one_of_its_name_is_not(tmp_path: Path) -> None:
    log = Log()
    for content in (b"1\n", b"1\n", b"2\n"):
        (tmp_path / "a.jsonl").write_bytes(content)
        assert ingest(tmp_path, log)
    assert [value for _, value in log.records] == [b"1", b"2"]
    assert len({place for place, _ in log.records}) == 2
    assert names(tmp_path / "done") == ["a.jsonl", "a.jsonl"]


def test_a_bad_file_is_refused_with_its_reason_and_the_others_go_on(tmp_path: Path) -> None:
    packed = gzip.compress(b"<doc><row/></doc>" * 50)
    files = {
        "a.xml": b"<doc><row></doc>",
        "b.xml": packed[:-30],
        "c.xml": b"<doc><row/><row/></doc>",
        "d.xml": b"<!DOCTYPE d><d/>",
    }
    for number, (name, content) in enumerate(files.items()):
        (tmp_path / name).write_bytes(content)
        os.utime(tmp_path / name, ns=(number, number))
    log = Log()
    assert ingest(tmp_path, log, {"format": "xml", "each": "row", "occurred_at": "ts"})
    assert log.places == ["a.xml:1", "c.xml:1", "c.xml:2", "d.xml:1"]
    assert names(tmp_path / "done") == ["c.xml"]
    assert names(tmp_path / "refused") == ["a.xml", "a.xml reason", "b.xml", "b.xml reason", "d.xml", "d.xml reason"]
    reasons = {path.name[0]: path.read_text().partition(":")[0] for path in (tmp_path / "refused").glob("*.reason.txt")}
    assert reasons == {"a": "BAD_XML", "b": "BAD_FILE", "d": "BAD_XML"}


def test_without_a_broker_files_stay_and_are_written_whole_later(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"1\n2\n3\n4\n")
    log = Log()
    log.fails = 1
    assert not ingest(tmp_path, log)
    assert (tmp_path / "a.jsonl").exists()
    assert ingest(tmp_path, log)
    assert log.places == [f"a.jsonl:{n}" for n in (1, 2, 1, 2, 3, 4)]
    assert len(set(log.records)) == 4, "what is repeated is the same"


def test_a_file_that_cannot_be_moved_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_bytes(b"1\n")
    done = DropFolder.done

    def refusing(folder: DropFolder, taken: Taken) -> None:
        if taken.original.name == "a.jsonl":
            raise PermissionError("not yours")
        done(folder, taken)

    monkeypatch.setattr(DropFolder, "done", refusing)
    assert not ingest(tmp_path, Log())
    assert names(tmp_path / "done") == ["b.jsonl"]


def test_private_values_never_leave_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"v":1,"badge":"0815"}\n')
    log = Log()
    ingest(tmp_path, log, source_private=["badge"])
    assert b"0815" not in log.records[0][1]


STEPS = ["take", "is_known", "write", "rename", "unlink"]


class Killed(BaseException):
    """Nothing catches it: as if the process had ended here."""


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("content", [b"<d><row/><row/></d>", b"<d><row>"], ids=["good", "bad"])
def test_an_end_before_or_behind_any_step_loses_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, behind: bool, content: bytes
) -> None:
    read = {"format": "xml", "each": "row", "occurred_at": "ts"}
    plain = tmp_path / "plain"
    for folder in (plain, tmp_path / "killed"):
        folder.mkdir()
        (folder / "a.xml").write_bytes(content)
    expected, log = Log(), Log()
    ingest(plain, expected, read)
    owner: Any = {"write": Log, "rename": Path, "unlink": Path}.get(step, DropFolder)
    name = "replace" if step == "rename" else step
    real = getattr(owner, name)

    def killing(*arguments: Any, **named: Any) -> Any:
        if behind:
            real(*arguments, **named)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, killing)
        with pytest.raises(Killed):
            ingest(tmp_path / "killed", log, read)
    (tmp_path / "killed" / ".taking" / "half").write_bytes(b"left behind")
    assert ingest(tmp_path / "killed", log, read)
    assert sorted(set(log.records)) == sorted(set(expected.records))
    kept = {path.relative_to(plain): path.read_bytes() for path in plain.rglob("*") if path.is_file()}
    found = {
        path.relative_to(tmp_path / "killed"): path.read_bytes() for path in (tmp_path / "killed").rglob("*") if path.is_file()
    }
    assert found == kept


def test_a_file_with_a_long_name_is_taken_and_found_again(tmp_path: Path) -> None:
    names_of = [
        "x" * 245 + ".a.jsonl",
        "x" * 245 + ".b.jsonl",
        "\N{LATIN SMALL LETTER R WITH CARON}" * 120 + ".jsonl",
        "short.jsonl",
    ]
    for name in names_of:
        (tmp_path / name).write_text('{"ts":"2026-11-20T22:00:00Z","v":"1"}\n')
    broken = "y" * 249 + ".jsonl"
    (tmp_path / broken).write_bytes(b"\x1f\x8bbroken")
    log = Log()
    assert ingest(tmp_path, log)
    kept = sorted(path.name for path in (tmp_path / "done").iterdir())
    assert len(kept) == 4
    assert sorted(place.rpartition(":")[0] for place, _ in log.records) == kept
    assert any(name.startswith("short.jsonl@") for name in kept)
    assert len(list((tmp_path / "refused").iterdir())) == 2
    (tmp_path / names_of[0]).write_text('{"ts":"2026-11-20T22:00:00Z","v":"1"}\n')
    assert ingest(tmp_path, log)
    assert len(log.records) == 4, "dropped again it is known"
    (tmp_path / names_of[0]).touch()
    assert list(opened(tmp_path, "marker").complete()) == [], "no marker of it can exist"


@pytest.mark.parametrize("looks", [1, 2, 10, 28, 38])
def test_a_stop_in_a_file_waits_for_no_end_and_repeats_nothing(tmp_path: Path, looks: int) -> None:
    """Of a counter that shows increments each record counts: a stop must not write any twice."""
    lines = [f'{{"ts":"2026-11-20T22:00:00Z","v":"{number}"}}' for number in range(20 * ingesting.LOOK_RECORDS)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    log = Log()
    asked = 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        return asked > looks

    files = opened(tmp_path)
    Ingest(files, mapper_of([RULE], {"occurred_at": "ts"}), log, stopped).run(once=False)  # type: ignore[arg-type]
    files.close()
    assert (tmp_path / "a.jsonl").exists()
    assert len(log.records) < len(lines)
    assert ingest(tmp_path, log)
    assert [int(place.rpartition(":")[2]) for place, _ in log.records] == list(range(1, len(lines) + 1))
    assert not (tmp_path / ".taking" / "progress").exists()


def test_what_nobody_takes_is_told_once(tmp_path: Path) -> None:
    for name in ("press1.csv", "pres.csv", "part.csv.tmp", ".hidden", "press1.csv.done"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / "sub").mkdir()
    files = opened(tmp_path, globs=["press*.csv"])
    assert dict(files.strangers()) == {
        "pres.csv": "none of the source's `files` (press*.csv) takes it",
        "sub": "it is a folder or a link; only files of this folder itself are taken",
    }
    ingest = Ingest(files, mapper_of([RULE], {"occurred_at": "ts"}), Log(), lambda: False)  # type: ignore[arg-type]
    told: list[str] = []
    ingest._log = type("Told", (), {"warning": lambda self, event, **said: told.append(said["detail"].partition(":")[0])})()  # type: ignore[assignment]
    ingest._tell_strangers()
    ingest._tell_strangers()
    files.close()
    assert told == ["pres.csv", "sub"]
