"""A run that dies or is stopped loses nothing but time: what it exports in the end is what one has that was never interrupted."""

import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from app.demo.master import CONFIGURATION
from app.demo.plant_simulator import generate
from app.erp.simulator.process import SimulatorProcess
from app.erp.simulator.serve import STORE_FILE
from app.erp.traffic import JOURNAL, figures, journalled
from app.run.resume import ASKED, FOLDER, ROWS, SENT, held
from tests.e2e import dying_run
from tests.e2e.command import PROJECT, Outcome, lineledger
from tests.e2e.exported import decided_by_the_log

SCALE = 0.06


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with configuration and input."""
    folder = tmp_path_factory.mktemp("plant")
    generate(folder / "in", seed=11, scale=SCALE)
    shutil.copytree(CONFIGURATION, folder / "plant")
    return folder


def arguments(plant: Path, erp: str) -> list[str]:
    return ["--config", str(plant / "plant"), "--input", str(plant / "in" / "*"), *(["--erp", erp] if erp else [])]


@pytest.fixture(scope="module")
def whole(plant: Path) -> Path:
    """The output of a run without an ERP that was never interrupted."""
    out = plant / "whole"
    outcome = lineledger("run", *arguments(plant, "none"), "--out", out)
    assert outcome.code == 0, outcome.said
    assert not (out / FOLDER).exists()
    return out


@pytest.fixture(scope="module")
def died(plant: Path) -> Path:
    """The output of one that died on the way."""
    out = plant / "died"
    outcome = dying("run", *arguments(plant, "none"), "--out", out, dies_at=900)
    assert outcome.code == -signal.SIGKILL, outcome.said
    assert not (out / "postings.csv").exists()
    return out


@pytest.fixture
def out(died: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(died, tmp_path / "out"))


def exports(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in ("postings.csv", "postings.not_posted.csv")]


def of_the_log(out: Path) -> list[bytes]:
    return [decided_by_the_log(out / name) for name in ("postings.csv", "postings.not_posted.csv")]


def dying(*arguments: str | Path, dies_at: int = 0, environ: Mapping[str, str] | None = None, folder: Path = PROJECT) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-m", dying_run.__name__, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **(environ or {}), dying_run.DIES_AT: str(dies_at)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        start_new_session=True,  # it takes its simulator with it, as a machine does
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(("erp", "kills", "turns"), [("sim", 10, 150), ("none", 3, 420)])
def test_killed_at_random_points_it_exports_the_same_bytes(
    erp: str, kills: int, turns: int, whole: Path, plant: Path, tmp_path: Path
) -> None:
    chance, out = Random(f"killed {erp}"), tmp_path / "out"
    ended = dying("run", *arguments(plant, erp), "--out", out, dies_at=chance.randrange(1, turns))
    for kill in range(1, kills):
        assert ended.code == -signal.SIGKILL, (kill, ended.said)
        ended = dying("run", "--resume", "--out", out, dies_at=chance.randrange(1, turns))
    assert ended.code == -signal.SIGKILL, ended.said
    last = dying("run", "--resume", "--out", out)
    assert last.code == 0, last.said
    assert of_the_log(out) == of_the_log(whole)
    assert erp == "sim" or exports(out) == exports(whole)
    assert not (out / FOLDER).exists()


def test_an_erp_that_books_what_is_repeated_gets_nothing_twice(plant: Path, whole: Path, tmp_path: Path) -> None:
    """Nothing was kept: of eight documents that were on the way nobody knows more than that they were."""
    config = Path(shutil.copytree(plant / "plant", tmp_path / "plant"))
    erp = config / "erp.yaml"
    own = "concurrency: 4, idempotent: false, timeout: 1 s, commit_horizon: 1 s"
    erp.write_text(erp.read_text(encoding="utf-8").replace("concurrency: 4", own), encoding="utf-8")
    typed = ["--config", config, "--input", plant / "in" / "*", "--out", tmp_path / "out"]
    with SimulatorProcess(tmp_path / "erp", ["--no-idempotency"]) as simulator:
        environ = {"LINELEDGER_ERP_URL": simulator.url, "LINELEDGER_ERP_TOKEN": simulator.token}
        ended = dying("run", *typed, environ={**environ, dying_run.DIES_SENDING: "16"})
        assert ended.code == -signal.SIGKILL, ended.said
        known = (tmp_path / "out" / FOLDER / SENT).read_text().split()
        assert len(set(known)) >= 8
        last = dying("run", *typed, "--resume", environ=environ)
        assert last.code == 0, last.said
    assert of_the_log(tmp_path / "out") == of_the_log(whole)
    assert figures(list(journalled(tmp_path / "out" / JOURNAL)))["read_backs"] >= len(set(known))
    with closing(sqlite3.connect(tmp_path / "erp" / STORE_FILE)) as books:
        twice = books.execute("select posting_id from lines group by posting_id having count(distinct document) > 1").fetchall()
    assert twice == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_says_how_it_goes_on(signum: int, plant: Path, whole: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", dying_run.__name__, "run", *arguments(plant, "sim"), "--out", str(tmp_path / "an out")]
    with subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("running"):
                process.send_signal(signum)
                break
        said += process.stderr.readlines()
    assert process.returncode == 128 + signum, said
    assert not (tmp_path / "an out" / "postings.csv").exists()
    typed = re.fullmatch(r"stopped after ([\d,]+) raw records; it goes on with: lineledger (.*)\n", said[-1])
    assert typed is not None, said
    before = int(typed[1].replace(",", ""))
    assert before > 0
    last = lineledger(*shlex.split(typed[2]))
    assert last.code == 0, last.said
    assert int(next(re.finditer(r"running +([\d,]+) raw", last.stderr))[1].replace(",", "")) >= before
    assert of_the_log(tmp_path / "an out") == of_the_log(whole)


# -- what is refused


def test_an_unfinished_run_is_not_thrown_away_unasked(out: Path, plant: Path, whole: Path) -> None:
    refused = lineledger("run", *arguments(plant, "none"), "--out", out)
    assert (refused.code, refused.stderr.split(":")[0]) == (2, "RUN_UNFINISHED"), refused.said
    assert "--resume" in refused.stderr and "--afresh" in refused.stderr
    again = lineledger("run", *arguments(plant, "none"), "--out", out, "--afresh")
    assert again.code == 0, again.said
    assert exports(out) == exports(whole)
    assert not (out / FOLDER).exists()


def test_there_must_be_something_to_go_on_with(tmp_path: Path, whole: Path) -> None:
    for folder in (tmp_path, whole):
        refused = lineledger("run", "--resume", "--out", folder)
        assert (refused.code, refused.stderr.split(":")[0]) == (2, "NOTHING_TO_RESUME"), refused.said


def _appended(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\n")


def _one_byte(path: Path) -> None:
    """The size stays, and the beginning."""
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("change", [_appended, _one_byte])
def test_another_input_is_refused(change: Callable[[Path], None], out: Path, plant: Path, tmp_path: Path, whole: Path) -> None:
    moved = Path(shutil.copytree(plant / "in", tmp_path / "in"))
    asked = out / FOLDER / ASKED
    asked.write_text(asked.read_text(encoding="utf-8").replace(str(plant / "in"), str(moved)), encoding="utf-8")
    original = (moved / "terminals.jsonl").read_bytes()
    change(moved / "terminals.jsonl")
    refused = lineledger("run", "--resume", "--out", out)
    assert (refused.code, refused.stderr.splitlines()[-1].split(":")[0]) == (2, "RESUME_DIFFERS"), refused.said
    assert "terminals.jsonl" in refused.stderr and "--afresh" in refused.stderr
    (moved / "terminals.jsonl").write_bytes(original)
    last = lineledger("run", "--resume", "--out", out)
    assert last.code == 0, last.said
    assert exports(out) == exports(whole)


def test_another_file_configuration_or_erp_is_refused(out: Path, plant: Path, tmp_path: Path) -> None:
    config = Path(shutil.copytree(plant / "plant", tmp_path / "plant"))
    rules = config / "rules.yaml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("above 200", "above 300"), encoding="utf-8")
    (tmp_path / "presses-9.jsonl").write_text("")
    wrong = {
        "configuration": ["--config", config],
        "files, the run began": ["--input", plant / "in" / "*", "--input", tmp_path / "presses-9.jsonl"],
        "stands where": ["--input", tmp_path / "presses-9.jsonl"],
        "--erp sim": ["--erp", "sim"],
    }
    for what, typed in wrong.items():
        refused = lineledger("run", "--resume", "--out", out, *typed)
        assert (refused.code, refused.stderr.splitlines()[-1].split(":")[0]) == (2, "RESUME_DIFFERS"), (what, refused.said)
        assert what in refused.stderr


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (["--resume", "--embedded"], "--embedded"),
        (["--resume", "--bootstrap", "localhost:1"], "--bootstrap"),
        (["--resume", "--afresh"], "--afresh"),
        (["--input", "x"], "--config"),
        ([], "--config"),
    ],
)
def test_wrong_use(typed: Sequence[str], named: str, out: Path, tmp_path: Path) -> None:
    folder = tmp_path / "empty" if "--resume" not in typed else out
    refused = lineledger("run", "--out", folder, *typed)
    assert (refused.code, refused.stderr.startswith("WRONG_USE: ")) == (2, True), refused.said
    assert named in refused.stderr


# -- damage


def test_a_checkpoint_that_was_cut_off_falls_back_to_the_one_before(out: Path, whole: Path) -> None:
    log = max((out / FOLDER / ROWS).glob("*.log"), key=lambda path: path.stat().st_size)
    assert log.stat().st_size > 10_000
    os.truncate(log, log.stat().st_size - 1_000)
    last = lineledger("run", "--resume", "--out", out)
    assert last.code == 0, last.said
    assert exports(out) == exports(whole)


def test_a_checkpoint_that_is_damaged_says_so(out: Path, whole: Path, plant: Path) -> None:
    for path in (out / FOLDER / ROWS).glob("MANIFEST*"):
        path.write_bytes(b"x" * path.stat().st_size)
    refused = lineledger("run", "--resume", "--out", out)
    assert (refused.code, refused.stderr.splitlines()[-1].split(":")[0]) == (2, "CHECKPOINT_UNUSABLE"), refused.said
    assert "--afresh" in refused.stderr
    again = lineledger("run", *arguments(plant, "none"), "--out", out, "--afresh")
    assert again.code == 0, again.said


def test_a_checkpoint_that_cannot_be_written_ends_the_run_and_the_one_before_stands(out: Path, whole: Path) -> None:
    log = max((out / FOLDER / ROWS).glob("*.log"), key=lambda path: path.stat().st_size)
    largest = log.stat().st_size
    command = [sys.executable, "-m", dying_run.__name__, "run", "--resume", "--out", str(out)]
    limited = ["prlimit", f"--fsize={largest // 4}", *command]
    done = subprocess.run(limited, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].split(":")[0] in ("CHECKPOINT_UNUSABLE", "FILE_UNUSABLE"), done.stderr
    last = lineledger("run", "--resume", "--out", out)
    assert last.code == 0, last.said
    assert exports(out) == exports(whole)


def test_another_folder_for_the_checkpoint(plant: Path, whole: Path, tmp_path: Path) -> None:
    elsewhere, out = tmp_path / "fast disk", tmp_path / "out"
    outcome = dying("run", *arguments(plant, "none"), "--out", out, "--checkpoint", elsewhere, dies_at=500)
    assert outcome.code == -signal.SIGKILL, outcome.said
    assert (elsewhere / FOLDER).is_dir() and not (out / FOLDER).exists()
    (elsewhere / ROWS).mkdir()
    (elsewhere / SENT).write_text("of somebody else")
    refused = lineledger("run", "--resume", "--out", tmp_path / "other", "--checkpoint", elsewhere)
    assert (refused.code, refused.stderr.splitlines()[-1].split(":")[0]) == (2, "RESUME_DIFFERS"), refused.said
    assert str(out) in refused.stderr
    last = lineledger("run", "--resume", "--checkpoint", elsewhere)
    assert last.code == 0, last.said
    assert exports(out) == exports(whole)
    assert sorted(path.name for path in elsewhere.iterdir()) == [ROWS, SENT]


def test_it_goes_on_from_any_folder(plant: Path, whole: Path, tmp_path: Path) -> None:
    here, there = Path(shutil.copytree(plant, tmp_path / "here")), tmp_path / "there"
    there.mkdir()
    typed = ["--config", "plant", "--input", "in", "--erp", "none", "--export-postings", "mine.csv"]
    ended = dying("run", *typed, dies_at=500, folder=here)
    assert ended.code == -signal.SIGKILL, ended.said
    last = dying("run", "--resume", "--out", here / "out", folder=there)
    assert last.code == 0, last.said
    assert [path.name for path in there.iterdir()] == []
    assert (here / "mine.csv").read_bytes() == (whole / "postings.csv").read_bytes()


def test_output_below_the_input_is_no_input(plant: Path, whole: Path, tmp_path: Path) -> None:
    """Nor is what an earlier run wrote there."""
    folder = Path(shutil.copytree(plant / "in", tmp_path / "in"))
    for again in ([], ["--afresh"]):
        typed = ["--config", plant / "plant", "--input", folder, "--erp", "none", "--out", folder / "result", *again]
        assert dying("run", *typed, dies_at=500).code == -signal.SIGKILL
    last = lineledger("run", "--resume", "--out", folder / "result")
    assert last.code == 0, last.said
    assert exports(folder / "result") == exports(whole)


def test_a_run_on_a_broker_gives_up_an_unfinished_one_only_when_told(out: Path, plant: Path, whole: Path) -> None:
    refused = lineledger("run", *arguments(plant, "none"), "--out", out, "--embedded")
    assert (refused.code, refused.stderr.split(":")[0]) == (2, "RUN_UNFINISHED"), refused.said
    assert "without a broker" in refused.stderr
    last = lineledger("run", *arguments(plant, "none"), "--out", out, "--embedded", "--afresh")
    assert last.code == 0, last.said
    assert not (out / FOLDER).exists()


def test_two_runs_in_one_folder_are_refused_before_anything_is_lost(out: Path, plant: Path, whole: Path) -> None:
    with held(out / FOLDER):
        for how in ("--afresh", "--resume"):
            refused = lineledger("run", *arguments(plant, "none"), "--out", out, how)
            assert (refused.code, refused.stderr.splitlines()[-1].split(":")[0]) == (2, "CHECKPOINT_UNUSABLE"), refused.said
    last = lineledger("run", "--resume", "--out", out)
    assert last.code == 0, last.said
    assert exports(out) == exports(whole)
