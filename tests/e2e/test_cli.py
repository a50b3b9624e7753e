"""What cannot be run, and what has nothing in it: messages, and the exit code that a script sees. 0 fine, 2 wrong use."""

import json
import os
import re
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.demo.master import CONFIGURATION
from tests.e2e.command import Outcome, lineledger
from tests.e2e.exported import beside, rows


def run(*arguments: str | Path, config: Path = CONFIGURATION) -> Outcome:
    return lineledger("run", "--config", config, *arguments)


# What cannot be run is refused before anything starts


@pytest.fixture
def presses(tmp_path: Path) -> Path:
    path = tmp_path / "presses.jsonl"
    path.write_bytes(b"")
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The demo's configuration with a unit of time that does not exist, in line 3 of rules.yaml."""
    folder = tmp_path / "broken"
    shutil.copytree(CONFIGURATION, folder)
    rules = folder / "rules.yaml"
    lines = rules.read_text(encoding="utf-8").splitlines()
    number = next(number for number, line in enumerate(lines) if "every 40 BOX" in line)
    lines[number] = lines[number].replace("every 40 BOX", "every forty boxes")
    rules.write_text("\n".join(lines), encoding="utf-8")
    (folder / "line").write_text(str(number + 1))
    return folder


def test_config_check(broken: Path) -> None:
    fine = lineledger("config", "check", "--config", CONFIGURATION, "--json")
    assert (fine.code, fine.json["ok"], fine.json["plant"]) == (0, True, "BRN1")
    wrong = lineledger("config", "check", "--config", broken)
    assert wrong.code == 1, wrong.said
    assert f"rules.yaml:{(broken / 'line').read_text()}:" in wrong.stderr


def test_a_wrong_configuration_names_file_and_line(broken: Path, presses: Path, tmp_path: Path) -> None:
    outcome = run("--input", presses, "--out", tmp_path / "out", config=broken)
    assert outcome.code == 2, outcome.said
    assert f"rules.yaml:{(broken / 'line').read_text()}:" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_two_workers_need_a_real_kafka(presses: Path, tmp_path: Path) -> None:
    outcome = run("--input", presses, "--workers", "2", "--out", tmp_path / "out")
    assert outcome.code == 2, outcome.said
    assert "--bootstrap" in outcome.stderr
    assert not (tmp_path / "out").exists()


def test_the_demo_with_two_workers_needs_one_too(tmp_path: Path) -> None:
    outcome = lineledger("demo", "--workers", "2", "--out", tmp_path / "out")
    assert outcome.code == 2, outcome.said
    assert "--bootstrap" in outcome.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("presses-of-tomorrow.jsonl", "is no file"),
        ("presses=nowhere.jsonl", "is no file"),
        ("nobody.jsonl", "matches no source"),
    ],
)
def test_an_unknown_input_is_refused(tmp_path: Path, argument: str, says: str) -> None:
    if says == "matches no source":
        (tmp_path / argument).write_text("", encoding="utf-8")
        argument = str(tmp_path / argument)
    outcome = run("--input", argument, "--out", tmp_path / "out")
    assert outcome.code == 2, outcome.said
    assert says in outcome.stderr and argument.rpartition("=")[2] in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_an_unknown_erp_is_refused(presses: Path, tmp_path: Path) -> None:
    outcome = run("--input", presses, "--erp", "excel", "--out", tmp_path / "out")
    assert outcome.code == 2, outcome.said
    assert "excel" in outcome.stderr


# Input that has nothing in it


@pytest.mark.parametrize("machine", [(), ("--embedded",)], ids=["memory", "embedded"])
def test_a_run_of_an_empty_file_ends_and_is_not_called_exact(presses: Path, tmp_path: Path, machine: tuple[str, ...]) -> None:
    """An export that failed must not look like a quiet day."""
    out = tmp_path / "out"
    outcome = run(*machine, "--input", presses, "--erp", "sim", "--out", out, "--json")
    assert outcome.code == 1, outcome.said
    assert (outcome.json["exact"], outcome.json["raw"], outcome.json["calls"]["postings"]) == (False, {}, 0)
    assert rows(out / "postings.csv") == rows(beside(out / "postings.csv")) == []
    pids = json.loads((out / "pids.json").read_text(encoding="utf-8")) if machine else {}
    assert all(not Path(f"/proc/{pid}").exists() for found in pids.values() for pid in found), "every worker is gone"


def test_what_a_dead_worker_left_on_the_embedded_broker_is_not_called_exact(presses: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, "--embedded", "--input", presses, "--erp", "none", "--out", out)
        while not (out / "pids.json").exists() and not running.done():
            time.sleep(0.05)
        (intake,) = json.loads((out / "pids.json").read_text(encoding="utf-8"))["intake"]
        os.kill(intake, signal.SIGKILL)
        outcome = running.result()
    assert outcome.code == 1, outcome.said
    assert "NOT PROVED" in outcome.stdout and "1 restarts of workers" in outcome.stdout, outcome.said


def test_garbage_is_refused_line_by_line(tmp_path: Path) -> None:
    lines = [
        b"no json",
        b'{"type": "cycle",',
        b"\xff\xfe\x00\x01",
        b'"text"',
        b"{}",
        b"x" * (2 << 20),
        b"\x1b[2J",
        b"1e9999",
    ]
    path, out = tmp_path / "presses.jsonl", tmp_path / "out"
    path.write_bytes(b"\n\n".join(lines) + b"\n")
    outcome = run("--input", path, "--erp", "none", "--out", out, "--export-postings", tmp_path / "all.csv", "--json")
    assert outcome.code == 1, "nothing of the file was taken"
    assert outcome.json["raw"] == {"raw": len(lines), "refused": len(lines)}
    assert rows(tmp_path / "all.csv") == rows(tmp_path / "all.not_posted.csv") == []
    letters = lineledger("exceptions", "--out", out, "--json").json
    assert sorted(int(letter["position"].rpartition(":")[2]) for letter in letters) == list(range(1, 2 * len(lines), 2))
    codes = {letter["position"]: letter["code"] for letter in letters}
    assert codes["presses.jsonl:11"] == "TOO_LARGE"
    assert all(re.fullmatch("[A-Z_]+", code) for code in codes.values())
    assert "\x1b" not in lineledger("exceptions", "--out", out).stdout
