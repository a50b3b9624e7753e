"""The worker processes of a run: started, watched, restarted when they die, stopped by pid."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import lineledger
from app.fatal import Exit

MAX_RESTARTS = 20
"""Of one worker within a run; a process that dies of the same record is dead-lettered long before."""
QUICK_SECONDS, MAX_QUICK_DEATHS = 8.0, 3
"""A worker that dies this early this often in a row does not start at all."""
BEYOND_RESTARTS = frozenset({Exit.INBOX_TRUNCATED, Exit.TOPIC_MISMATCH})
"""What the log lacks does not come back."""
STOP_SECONDS = 20.0
LOG_TAIL_BYTES = 1500
TOLD_BY_ARGUMENTS = frozenset(
    {
        "LINELEDGER_BOOTSTRAP",
        "LINELEDGER_CLIENT_CONFIG",
        "LINELEDGER_INSTALLATION",
        "LINELEDGER_INSTANCE",
        "LINELEDGER_PREFIX",
        "LINELEDGER_REGISTRY",
    }
)
"""Variables of the environment that would tell a worker of another installation than the run's."""
PROGRAM = "app.cli.main"
"""Module that is run with `worker STAGE ...`."""


class WorkerLost(RuntimeError):
    """A worker died more often than it may, or of what no restart can heal."""

    code = "WORKER_LOST"


@dataclass(slots=True)
class WorkerProcess:
    stage: str
    index: int
    process: subprocess.Popen[bytes]
    restarts: int = 0
    quick_deaths: int = 0
    since: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Workers:
    """`count` processes per stage; each has a log file in `logs` and a state directory of its own."""

    arguments: Sequence[str]
    stages: Sequence[str]
    count: int
    logs: Path
    environ: Mapping[str, str]
    changed: Callable[[dict[str, list[int]]], None]
    """Told the pids of each stage whenever they change."""
    found: list[WorkerProcess] = field(default_factory=list)

    def start(self) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        for stage in self.stages:
            for index in range(self.count):
                self.found.append(WorkerProcess(stage, index, self._spawn(stage, index)))
        self.changed(self.pids())

    def _spawn(self, stage: str, index: int) -> subprocess.Popen[bytes]:
        command = lineledger.command(PROGRAM, "worker", stage, *self.arguments, "--instance", str(index))
        environ = {name: value for name, value in os.environ.items() if name not in TOLD_BY_ARGUMENTS}
        with (self.logs / f"{stage}-{index}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**environ, **self.environ},
                start_new_session=True,
            )

    def pids(self) -> dict[str, list[int]]:
        return {stage: [worker.process.pid for worker in self.found if worker.stage == stage] for stage in self.stages}

    def check(self) -> None:
        """Restart who died. Raises WorkerLost when one keeps dying, or died of what no restart can heal."""
        for worker in self.found:
            code = worker.process.poll()
            if code is None:
                continue
            worker.restarts += 1
            quick = time.monotonic() - worker.since < QUICK_SECONDS
            worker.quick_deaths = worker.quick_deaths + 1 if quick else 0
            if worker.restarts > MAX_RESTARTS or worker.quick_deaths >= MAX_QUICK_DEATHS or code in BEYOND_RESTARTS:
                name, tail = f"{worker.stage}-{worker.index}", self._log_tail(worker)
                raise WorkerLost(f"{name} ended {worker.restarts} times, last with code {code}:\n{tail}")
            worker.process, worker.since = self._spawn(worker.stage, worker.index), time.monotonic()
            self.changed(self.pids())

    def _log_tail(self, worker: WorkerProcess) -> str:
        return (self.logs / f"{worker.stage}-{worker.index}.log").read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")

    @property
    def restarts(self) -> int:
        return sum(worker.restarts for worker in self.found)

    def stop(self) -> None:
        for worker in self.found:
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self.found:
            try:
                worker.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
