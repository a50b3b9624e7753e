"""The workers of a run: who died is started again, unless no restart can heal what it died of."""

import time
from pathlib import Path

import pytest

from app.fatal import Exit
from app.run import workers
from app.run.workers import WorkerLost, Workers


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


@pytest.mark.parametrize("code", [Exit.INBOX_TRUNCATED, Exit.TOPIC_MISMATCH])
def test_what_the_log_lacks_ends_the_run_at_once(tmp_path: Path, code: Exit) -> None:
    found = dying(tmp_path, code)
    found.start()
    with pytest.raises(WorkerLost, match=f"FATAL of {code:d}"):
        checked(found, 1)
    assert found.restarts == 1
    found.stop()
