"""What ends a command: a code of the register, one line, exit 2. 1 is for what differs, and a script must tell the two apart."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from app.cli import exceptions
from app.demo.master import CONFIGURATION
from schemas.codes import entries_of
from tests.e2e.command import PROJECT, Outcome, lineledger

NOBODY = "127.0.0.1:1"
"""An address at which nobody listens."""
START_S = 60.0


def ends_with(outcome: Outcome, code: str) -> None:
    assert outcome.code == 2, outcome.said
    assert outcome.stderr.splitlines()[-1].startswith(f"{code}: "), outcome.said
    assert "Traceback" not in outcome.stderr, outcome.said
    assert entries_of(code)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("worker", "cutting", "--bootstrap", NOBODY, "--registry", "http://127.0.0.1:1"), "UNKNOWN_STAGE"),
        (("worker", "orders", "--bootstrap", NOBODY), "REGISTRY_MISSING"),
        (("schemas", "plan", "--registry", "http://127.0.0.1:1"), "REGISTRY_UNAVAILABLE"),
        (("parked", "--bootstrap", NOBODY), "BROKER_UNAVAILABLE"),
        (("topics", "plan", "--bootstrap", NOBODY), "BROKER_UNAVAILABLE"),
        (("reconcile", "--out", "nowhere"), "NO_LEDGER"),
        (("rules", "explain", "1001210", "--out", "nowhere"), "NO_LEDGER"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value[:2]),
)
def test_a_command_that_cannot_work(arguments: tuple[str, ...], code: str) -> None:
    outcome = lineledger(*arguments)
    ends_with(outcome, code)
    assert len(outcome.stderr.splitlines()) == 1, "no line of a log before it"


def test_an_argument_that_is_no_text() -> None:
    """What a terminal of another encoding gives; in a record it would end intake."""
    outcome = lineledger("decide", "O1", "drop", "--who", os.fsdecode(b"J\xfcrgen"), "--why", "scrap")
    assert outcome.code == 2 and "UTF-8" in outcome.stderr, outcome.said
    assert "Traceback" not in outcome.stderr, outcome.said


def test_a_replay_by_a_user_without_a_name_asks_for_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a container that runs as any number."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2_000_000_123)
    with pytest.raises(typer.Exit):
        exceptions.me()
    assert "--who" in capsys.readouterr().err


def test_questions_take_their_installation_from_the_environment() -> None:
    """The same variables as workers: LINELEDGER_BOOTSTRAP, _PREFIX, _REGISTRY, _CLIENT_CONFIG, _PLANT."""
    environ = {"LINELEDGER_BOOTSTRAP": NOBODY, "LINELEDGER_REGISTRY": "http://127.0.0.1:1"}
    for question in (("parked",), ("trace", "X")):
        ends_with(lineledger(*question, environ=environ), "BROKER_UNAVAILABLE")


@pytest.fixture
def presses(tmp_path: Path) -> Path:
    path = tmp_path / "presses.jsonl"
    path.write_bytes(b"")
    return path


def test_a_folder_that_nobody_may_write(presses: Path) -> None:
    outcome = lineledger("run", "--config", CONFIGURATION, "--input", presses, "--erp", "none", "--out", "/sys/lineledger")
    ends_with(outcome, "NO_ACCESS")


def test_a_folder_that_is_a_file(presses: Path) -> None:
    outcome = lineledger("run", "--config", CONFIGURATION, "--input", presses, "--erp", "none", "--out", presses)
    ends_with(outcome, "FILE_UNUSABLE")


def test_a_full_disk_is_called_one(presses: Path, tmp_path: Path) -> None:
    """/dev/full takes nothing, as a full disk does."""
    (tmp_path / "full.csv").symlink_to("/dev/full")
    arguments = ("--erp", "none", "--out", tmp_path / "out", "--export-postings", tmp_path / "full.csv")
    ends_with(lineledger("run", "--config", CONFIGURATION, "--input", presses, *arguments), "DISK_FULL")


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        outcome = lineledger("erp-sim", "--directory", tmp_path, "--port", port)
    ends_with(outcome, "PORT_IN_USE")
    assert f"port {port} is in use" in outcome.stderr
    assert "name another one with --port" in outcome.stderr


@pytest.mark.parametrize(
    ("where", "code"), [("port", "PORT_IN_USE"), ("/sys/lineledger", "NO_ACCESS"), ("file", "FILE_UNUSABLE")]
)
def test_a_worker_ends_so_that_its_supervisor_starts_it_again(tmp_path: Path, where: str, code: str) -> None:
    """What is in the way of its start may be gone at the next one; only what is written wrong gives 2."""
    (tmp_path / "file").touch()
    told = ["worker", "orders", "--bootstrap", NOBODY, "--registry", "http://127.0.0.1:1"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = ["--metrics-port", str(taken.getsockname()[1])] if where == "port" else []
        folder = {"port": tmp_path, "file": tmp_path / "file"}.get(where, Path(where))
        outcome = lineledger(*told, *port, "--datadir", folder)
    assert (outcome.code, f"{code}: " in outcome.stderr.splitlines()[-1]) == (87, True), outcome.said


# A run that is told to stop


@pytest.fixture(params=[(), ("--embedded",)], ids=["memory", "embedded"])
def running(request: pytest.FixtureRequest, presses: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run with a simulator of its own, and with workers or without; it would go on for hours of log time."""
    where = b'"machine": "IMM-01", "hdr": {"ts": "2017-02-01T06:00:00Z", "rx": "2017-02-01T06:00:00Z"}'
    line = b'{"msg": "%d", "type": "temperature", "v": 21, ' + where + b"}\n"
    with presses.open("wb") as file:
        file.writelines(line % number for number in range(200_000))
    command = [sys.executable, "-m", "app.cli.main", "run", *request.param, "--config", str(CONFIGURATION)]
    # A session in the background of a shell ignores SIGINT, and a child inherits that: nothing else is reset by an exec.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [*command, "--input", str(presses), "--erp", "sim", "--out", str(tmp_path / "out")],
        cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    signal.signal(signal.SIGINT, before)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[1]) == pid:
            child = int(path.parent.name)
            found |= {child, *descendants(child)}
    return found


def simulates(pid: int) -> bool:
    """Is this the ERP simulator? Importing Faust starts a short-lived `file`, before a run answers to signals."""
    try:
        return b"erp-sim" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False  # it has just ended


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_ends_what_it_started(
    running: subprocess.Popen[bytes], tmp_path: Path, signum: signal.Signals
) -> None:
    deadline, pids = time.monotonic() + START_S, tmp_path / "out" / "pids.json"
    embedded = "--embedded" in running.args
    while not (pids.exists() if embedded else any(simulates(pid) for pid in descendants(running.pid))):
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    started = descendants(running.pid)
    workers = {pid for found in json.loads(pids.read_text()).values() for pid in found} if embedded else set()
    assert workers < started, "and the simulator"
    os.kill(running.pid, signum)
    assert running.wait(60) == 128 + signum
    assert not {pid for pid in started if alive(pid)}
