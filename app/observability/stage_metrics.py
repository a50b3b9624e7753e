"""Figures of stages for Prometheus, and whether a process is ready: assigned, restored and progressing."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.engine.partition import Checkpoint
from app.engine.stage import StageApp
from streams.clock import clocks_of

STALL_SECONDS = 30.0
"""Lag without progress for this long is not ready: consumers can die silently while the process is up."""


@dataclass(slots=True)
class Progress:
    position: int
    since: float


class StageMetrics:
    """One object per process and registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["stage"]
        self._records = Counter("lineledger_records", "Inbox records folded and committed.", labels, registry=registry)
        self._messages = Counter("lineledger_messages", "Messages sent by committed transactions.", labels, registry=registry)
        self._rows = Counter("lineledger_rows", "Changelog rows written by committed transactions.", labels, registry=registry)
        self._commit = Histogram("lineledger_commit_seconds", "Duration of a checkpoint.", labels, registry=registry)
        self._gap = Histogram("lineledger_checkpoint_gap_seconds", "Time between checkpoints.", labels, registry=registry)
        self._lag = Gauge("lineledger_lag", "Offsets between position and end.", [*labels, "partition"], registry=registry)
        self._clock = Gauge(
            "lineledger_clock_seconds",
            "The plant's clock as each upstream told it, seconds since 1970: the slowest holds the plant back.",
            [*labels, "partition", "plant", "upstream"],
            registry=registry,
        )
        self._seen: dict[tuple[str, int], Progress] = {}

    def watch(self, app: StageApp) -> None:
        def committed(checkpoint: Checkpoint) -> None:
            stage = app.stage.name
            self._records.labels(stage).inc(checkpoint.records)
            self._messages.labels(stage).inc(checkpoint.messages)
            self._rows.labels(stage).inc(checkpoint.rows)
            self._commit.labels(stage).observe(checkpoint.took)
            self._gap.labels(stage).observe(checkpoint.gap)
            self._show_clocks(app, checkpoint.partition)

        app.on_checkpoint = committed

    def _show_clocks(self, app: StageApp, partition: int) -> None:
        for tp, part in list(app.tables.parts.items()):
            if tp.partition == partition:
                for (plant, upstream), at in clocks_of(part.state):
                    self._clock.labels(app.stage.name, str(partition), plant, upstream).set(at / 1_000_000)

    def unready(self, apps: Sequence[StageApp]) -> list[str]:
        """Why the process is not ready; empty: it is. A member without partitions is ready once the group has met."""
        return [reason for app in apps for reason in self._reasons(app)]

    def _reasons(self, app: StageApp) -> list[str]:
        name, tables = app.stage.name, app.tables
        if not app.consumer_generation_id or not tables.recovery.completed.is_set():
            return [f"{name}: not assigned or not restored"]
        reasons = [f"{name}: {tp} is being restored" for tp, part in list(tables.parts.items()) if not part.ready]
        return reasons + [reason for tp, part in list(tables.parts.items()) if (reason := self._stalled(app, tp, part))]

    def _stalled(self, app: StageApp, tp: Any, part: Any) -> str:
        end, now = app.consumer.highwater(tp), time.monotonic()
        lag = max(0, (end or 0) - part.committed)
        self._lag.labels(app.stage.name, str(tp.partition)).set(lag)
        seen = self._seen.setdefault((tp.topic, tp.partition), Progress(part.committed, now))
        if seen.position != part.committed or not lag:
            seen.position, seen.since = part.committed, now
        if now - seen.since <= STALL_SECONDS:
            return ""
        return f"{app.stage.name}: {tp} has lag {lag} and made no progress for {now - seen.since:.0f} s"
