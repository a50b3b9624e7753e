"""A simulator belongs to the process that started it: two on one store would be two ERPs with one book."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

STARTS = """
import sys, time
from pathlib import Path
from app.erp.simulator.process import SimulatorProcess
with SimulatorProcess(Path(sys.argv[1])) as simulator:
    print(simulator.pid, flush=True)
    time.sleep(600)
"""
END_S = 20.0


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTS, str(tmp_path / "erp")]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert alive(pid)
        process.kill()
    deadline = time.monotonic() + END_S
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        assert not alive(pid)
    finally:
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
