"""Faults that a test asks a worker process for, at exact points of the engine's protocol."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from app.engine import partition as engine
from app.engine.partition import OwnedPartition

STOP_BEFORE_FENCING = "stop_before_fencing"
"""SIGSTOP itself just before `init_transactions`: a member that stalls in its take-over."""
STALL_IN_COMMIT = "stall_in_commit"
"""SIGSTOP itself in its third checkpoint, with rows and messages taken and not yet sent."""
STALL_IN_COMMIT_UNFENCED = "stall_in_commit_unfenced"
"""The same with the planted defect: a producer without transactions. The tests must fail with it."""
KILL_BEFORE_COMMIT = "kill_before_commit"
"""SIGKILL with a transaction's records on the broker, one time in `rate`."""
KILL_AFTER_COMMIT = "kill_after_commit"
"""SIGKILL after the commit, before the local store is written, one time in `rate`."""
SLOW_RESTORE = "slow_restore"
"""The restore takes `rate` seconds longer."""


class FaultyPartition(OwnedPartition):
    """The engine's own partition with one fault switched on."""

    fault, rate, begun = "", 0.0, 0

    def _transactional(self, call: Callable[..., Any], *args: Any) -> None:
        if call.__name__ == "begin_transaction" and self.fault.startswith(STALL_IN_COMMIT):
            FaultyPartition.begun += 1
            if self.begun == 3:
                _stall()
        committing = call.__name__ == "commit_transaction"
        if self.fault == STOP_BEFORE_FENCING and call.__name__ == "init_transactions":
            _stall()
        if committing and self.fault == KILL_BEFORE_COMMIT and random.random() * self.rate < 1:
            self.producer.flush(10)
            _end("KILLED before commit")
        super()._transactional(call, *args)
        if committing and self.fault == KILL_AFTER_COMMIT and random.random() * self.rate < 1:
            _end("KILLED after commit")


class UnfencedPartition(FaultyPartition):
    """Rows and messages leave by a plain producer, flushed before the position is kept: at least once, as without an engine."""

    def _transactional(self, call: Callable[..., Any], *args: Any) -> None:
        producer, self.producer = self.producer, _Untransactional()
        try:
            super()._transactional(getattr(self.producer, call.__name__), *args)
        finally:
            self.producer = producer
        if call.__name__ == "commit_transaction":
            self.producer.flush(*args)

    def _open(self) -> None:
        transactional = engine.Producer

        def plain(settings: dict[str, Any]) -> Producer:
            return transactional({key: value for key, value in settings.items() if not key.startswith("transaction")})

        engine.Producer = plain
        try:
            super()._open()
        finally:
            engine.Producer = transactional


class _Untransactional:
    """Takes the calls and does nothing."""

    def init_transactions(self, timeout: float) -> None: ...

    def begin_transaction(self) -> None: ...

    def commit_transaction(self, timeout: float) -> None: ...


def slow_restores(seconds: float, marker: Path) -> None:
    """Every restore of this process waits first, in the thread where it runs. `marker` appears when one has begun."""
    restore = engine.open_restored

    def slowly(*args: Any) -> Any:
        marker.touch()
        time.sleep(seconds)
        return restore(*args)

    engine.open_restored = slowly


def _stall() -> None:
    print("STOPPED", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)


def _end(why: str) -> None:
    print(why, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
