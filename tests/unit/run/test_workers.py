"""The workers of a run: who died is started again, unless no restart can heal what it died of."""

import os
import time
from pathlib import Path

import pytest

from app.fatal import Exit
from app.run import workers
from app.run.workers import WorkerLost, Workers
from tests.docs.commands import command_line


def dying(folder: Path, code: int) -> Workers:
    """One worker that says FATAL and ends with this code as soon as it has started."""
    program = f"import sys\nprint('FATAL of {code}', file=sys.stderr)\nsys.exit({code})\n"
    (folder / "dying_worker.py").write_text(program, encoding="utf-8")
    return Workers([], ["intake"], 1, folder / "logs", {"PYTHONPATH": str(folder)}, lambda pids: None)


def checked(found: Workers, deaths: int) -> None:
    """Look on until so many deaths were noticed."""
    deadline = time.monotonic() + 30
    while found.restarts < deaths and time.monotonic() < deadline:
        found.check()
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PROGRAM", "dying_worker")


def test_who_died_is_started_again_but_not_for_ever(tmp_path: Path) -> None:
    found = dying(tmp_path, Exit.FENCED)
    found.start()
    checked(found, workers.MAX_QUICK_DEATHS - 1)
    assert found.restarts == workers.MAX_QUICK_DEATHS - 1
    with pytest.raises(WorkerLost, match="ended 3 times, last with code 75"):
        checked(found, workers.MAX_QUICK_DEATHS)
    found.stop()


def test_the_environment_tells_a_worker_of_no_other_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is told stands in its arguments: counts of partitions that the run does not have would end it."""
    (options,) = [command for name, command in command_line().commands.items() if name == "worker"]
    variables = {str(option.envvar) for option in options.params if option.envvar}
    assert variables == workers.TOLD_BY_ARGUMENTS
    program = "import os\nprint('|'.join(sorted(name for name in os.environ if name.startswith('LINELEDGER_'))) + ' told')\n"
    (tmp_path / "dying_worker.py").write_text(program, encoding="utf-8")
    for variable in [name for name in os.environ if name.startswith("LINELEDGER_")]:
        monkeypatch.delenv(variable)
    for variable in (*variables, "LINELEDGER_PRIVATE_KEY"):
        monkeypatch.setenv(variable, "elsewhere")
    found = Workers([], ["intake"], 1, tmp_path / "logs", {"PYTHONPATH": str(tmp_path)}, lambda pids: None)
    found.start()
    found.found[0].process.wait(30)
    assert (tmp_path / "logs" / "intake-0.log").read_text(encoding="utf-8") == "LINELEDGER_PRIVATE_KEY told\n"


@pytest.mark.parametrize("code", [Exit.INBOX_TRUNCATED, Exit.TOPIC_MISMATCH])
def test_what_the_log_lacks_ends_the_run_at_once(tmp_path: Path, code: Exit) -> None:
    found = dying(tmp_path, code)
    found.start()
    with pytest.raises(WorkerLost, match=f"FATAL of {code:d}"):
        checked(found, 1)
    assert found.restarts == 1
    found.stop()
