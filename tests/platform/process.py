"""A Java server as a child process: started, waited for, stopped, started again with the same ports and data."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
SMALL_JVM = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class JavaProcess:
    """One server. `answers` tells whether it is ready; the log stays in `log`. Not thread-safe."""

    def __init__(self, command: list[str], log: Path, answers: Callable[[], bool], cwd: Path | None = None) -> None:
        self.log = log
        self._command, self._answers, self._cwd = command, answers, cwd
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id. Raises RuntimeError while stopped."""
        if self._process is None:
            raise RuntimeError("the process is not running")
        return self._process.pid

    def start(self) -> None:
        """Returns when the server answers. Raises RuntimeError with the end of its log otherwise."""
        assert self._process is None, "already running"
        with self.log.open("ab") as log:
            # An own process group: Ctrl-C of a test run reaches the tests first, which then stop their servers in order.
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=subprocess.STDOUT, cwd=self._cwd, start_new_session=True
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._answers() and self._process.poll() is None:
                return
            time.sleep(0.1)
        self.stop(kill=True)
        raise RuntimeError(f"{self._command[0]} did not become ready: {self.log.read_text(errors='replace')[-1500:]}")

    def stop(self, *, kill: bool = False) -> None:
        """Ends the server and waits for it; `kill`: without letting it shut down. Does nothing while stopped."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL if kill else signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait(STOP_TIMEOUT_S)
