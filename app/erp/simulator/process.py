"""Start and stop a simulator as a process of its own."""

import json
import os
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import lineledger
from app.erp.simulator.serve import TOKEN_FILE

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0


class SimulatorProcess:
    """A simulator on 127.0.0.1, as a context manager. It ends with this process, however that ends.

    `directory` keeps its store and token; started again on it, it knows what it knew. `options`: as on the command
    line (--no-idempotency, --mode, --faults). Raises RuntimeError when it does not start.
    """

    def __init__(self, directory: Path, options: Sequence[str] = (), port: int = 0) -> None:
        self._directory = directory
        self._options = list(options)
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.token = ""

    def __enter__(self) -> "SimulatorProcess":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> None:
        assert self._process is None, "started twice"
        where = ["--directory", str(self._directory), "--port", str(self._port), "--attached"]
        command = lineledger.command("app.cli.main", "erp-sim", *where, *self._options)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self.url = json.loads(self._first_line())["url"]
            self.token = (self._directory / TOKEN_FILE).read_text(encoding="ascii").strip()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Ask it to end, and end it when it does not."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._forget()

    def kill(self) -> None:
        """Without warning: what it had not committed is gone."""
        if self._process is not None:
            self._process.kill()
            self._forget()

    def _forget(self) -> None:
        assert self._process is not None
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process = None

    def _first_line(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        until = time.monotonic() + START_TIMEOUT_S
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
            part = os.read(descriptor, 4096) if ready else b""
            if not part:
                raise RuntimeError("The ERP simulator did not start; its messages are on stderr.")
            line += part
        return line
