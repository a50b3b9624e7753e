"""Worker processes of a test: started, stopped, stalled, killed by pid; waited for by what they log."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHORT = os.environ.get("LINELEDGER_TEST_SHORT") == "1"
"""CI: smaller sizes, shorter outages, same claims."""


def threads_of(processes: Sequence["WorkerProcess"]) -> None:
    """Each living worker writes the stacks of its threads to its log."""
    for process in processes:
        process.send(signal.SIGUSR1)


def wait_until(true: Callable[[], object], what: str, timeout: float = 60.0) -> float:
    """Seconds until the condition held. Fails the test when it does not within `timeout` seconds."""
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < timeout, f"not within {timeout} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - started


class WorkerProcess:
    """One process with its log. Its exit code is negative when a signal ended it."""

    def __init__(self, module: str, arguments: Sequence[str], log: Path) -> None:
        self.log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=out, stderr=out, start_new_session=True
            )

    @property
    def code(self) -> int | None:
        return self._process.poll()

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def found(self, pattern: str) -> list[str]:
        return re.findall(pattern, self.text())

    def await_log(self, pattern: str, timeout: float = 60.0, count: int = 1) -> float:
        """Waits until the log has the pattern `count` times; fails at once when the process ended before."""

        def there() -> bool:
            if len(self.found(pattern)) >= count:
                return True
            assert self.code is None, f"ended with {self.code} before {pattern!r}: {self.text()[-3000:]}"
            return False

        try:
            return wait_until(there, f"{pattern!r} in {self.log}", timeout)
        except AssertionError:
            threads_of([self])
            raise

    def send(self, number: signal.Signals) -> None:
        if self.code is None:
            os.kill(self._process.pid, number)

    def ended(self, timeout: float = 40.0) -> int:
        """Exit code; fails the test when the process goes on."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s: {self.text()[-3000:]}") from None

    def kill(self) -> int:
        self.send(signal.SIGKILL)
        return self.ended()

    def stop(self) -> int:
        """SIGTERM and wait: the exit code of a graceful stop."""
        self.send(signal.SIGTERM)
        return self.ended()
