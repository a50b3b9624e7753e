"""Figures of stages for Prometheus, and whether a process is ready: assigned, restored and progressing.

What belongs to a partition is read from the partitions that are owned when somebody asks. So nothing is left behind when one
moves to another process: a gauge that nobody removes would stand still there and raise alarms.
"""

import math
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.engine.fetches import Fetch
from app.engine.partition import Checkpoint
from app.engine.progress import Progress
from app.engine.stage import StageApp
from streams.clock import clocks_in
from streams.figures import OLDEST_UNPOSTED, PARKED, POSTINGS, SILENT, known_code, owner
from streams.intake.clock import APPEND_AHEAD
from streams.stage import Figured

_NOBODY_KNOWS = 1 << 62
"""The end of an inbox about which the broker has not answered yet."""
STALL_SECONDS = 30.0
"""Lag without progress for this long is not ready: consumers can die silently while the process is up."""
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Buckets reach beyond what alerts ask for: a quantile is never more than the last bucket."""


class StageMetrics(Collector):
    """One object per process and registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["stage"]
        self._records = Counter("lineledger_records", "Inbox records folded and committed.", labels, registry=registry)
        self._messages = Counter("lineledger_messages", "Messages sent by committed transactions.", labels, registry=registry)
        self._rows = Counter("lineledger_rows", "Changelog rows written by committed transactions.", labels, registry=registry)
        self._commit = Histogram(
            "lineledger_commit_seconds", "Duration of a checkpoint.", labels, buckets=SECONDS, registry=registry
        )
        self._gap = Histogram(
            "lineledger_checkpoint_gap_seconds", "Time between checkpoints.", labels, buckets=SECONDS, registry=registry
        )
        self._apps: list[StageApp] = []
        self._progress = Progress()
        self._started = time.time()
        registry.register(self)

    def watch(self, app: StageApp) -> None:
        def committed(checkpoint: Checkpoint) -> None:
            stage = app.stage.name
            self._records.labels(stage).inc(checkpoint.records)
            self._messages.labels(stage).inc(checkpoint.messages)
            self._rows.labels(stage).inc(checkpoint.rows)
            self._commit.labels(stage).observe(checkpoint.took)
            self._gap.labels(stage).observe(checkpoint.gap)

        for figure in (self._records, self._messages, self._rows, self._commit, self._gap):
            figure.labels(app.stage.name)  # shown as 0 from the start: what is absent compares with nothing
        app.on_checkpoint = committed
        self._apps.append(app)

    def collect(self) -> Iterator[Metric]:
        """What is true now, of the partitions that this process has now."""
        lag = _gauge(
            "lineledger_lag",
            "Offsets between position and end; NaN: the broker has not said for a while where the end is.",
            *("stage", "partition"),
        )
        age = _gauge("lineledger_fetch_age_seconds", "How old the newest answer of the broker is.", "stage", "partition")
        clock = _gauge(
            "lineledger_clock_seconds",
            "The plant's clock as each upstream told it, seconds since 1970: the slowest holds the plant back.",
            *("stage", "partition", "plant", "upstream"),
        )
        ahead = _gauge("lineledger_clock_ahead_seconds", "How far this host's clock is ahead of a broker's.", "stage")
        jumps = _gauge(
            "lineledger_append_ahead", "Records whose append time was too far ahead to move the clock.", "stage", "partition"
        )
        owned = _gauge("lineledger_partitions", "Inbox partitions that this process has, by state.", "stage", "state")
        there = _gauge("lineledger_inbox_partitions", "Inbox partitions that the stage has in all processes.", "stage")
        ready = _gauge("lineledger_ready", "1 while the stage is assigned, restored and progressing here.", "stage")
        started = _gauge("lineledger_started_seconds", "When this process started, seconds since 1970.")
        started.add_metric([], self._started)
        for app in self._apps:
            name = app.stage.name
            parts = _parts(app)
            held = [(tp, part) for tp, part in parts if part.ready]
            for tp, part in held:
                fetch = app.consumer.fetches.newest(tp)
                lag.add_metric([name, str(tp.partition)], _lag(fetch, part))
                if fetch is not None:
                    age.add_metric([name, str(tp.partition)], time.monotonic() - fetch.answered)
                for (plant, upstream), at in clocks_in(part.state.clocks.copy()):  # the loop may add to it meanwhile
                    clock.add_metric([name, str(tp.partition), plant, upstream], at / 1_000_000)
                if name.startswith("intake."):  # 0 from the start: a series that begins with its first jump has not grown
                    jumps.add_metric([name, str(tp.partition)], part.state.marks.get(APPEND_AHEAD, 0))
            if app.clock_ahead is not None:
                ahead.add_metric([name], app.clock_ahead)
            owned.add_metric([name, "owned"], len(held))
            owned.add_metric([name, "restoring"], len(parts) - len(held))
            there.add_metric([name], app.settings.partitions)
            ready.add_metric([name], not any(self._reasons(app)))
        yield from (lag, age, clock, ahead, jumps, owned, there, ready, started, *self._told())

    def _told(self) -> Iterator[Metric]:
        """What the folds keep count of. Codes are those of the register; an age counts from the plant's cut to the wall clock."""
        postings = _gauge(POSTINGS, "Postings that are not in the ERP.", "plant", "state", "code", "owner")
        oldest = _gauge(f"{OLDEST_UNPOSTED}_seconds", "Age of the oldest posting that is not in the ERP.", "plant")
        parked = _gauge(PARKED, "Accounts that are parked.", "plant", "code", "owner")
        silent = _gauge(
            SILENT, "An intake that is silent (1), or a source: how many machines miss it.", *("stage", "plant", "upstream")
        )
        letters = CounterMetricFamily(
            "lineledger_dead_letters", "Records refused by this process.", labels=["stage", "plant", "code", "owner"]
        )
        shown = {POSTINGS: postings, PARKED: parked}
        now = time.time()
        for app in self._apps:
            for name, labels, value in app.stage.figures() if isinstance(app.stage, Figured) else ():
                if name == OLDEST_UNPOSTED:
                    oldest.add_metric(labels, max(0.0, now - value / 1_000_000))
                elif name == SILENT:
                    silent.add_metric([app.stage.name, *labels], value)
                else:
                    shown[name].add_metric(labels, value)
            plants = {plant for _, part in _parts(app) for plant in part.state.configurations.copy()}
            refused: dict[tuple[str, str], int] = {}
            for (plant, code), count in app.letters.copy().items():
                # A plant comes from the record, which may say anything: labels are those that have a configuration.
                key = plant if plant in plants else "", known_code(code)
                refused[key] = refused.get(key, 0) + count
            for (plant, code), count in refused.items():
                letters.add_metric([app.stage.name, plant, code, owner(code)], count)
        yield from (postings, oldest, parked, silent, letters)

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked before the first scrape."""
        return ()

    def unready(self) -> list[str]:
        """Why the process is not ready; empty: it is. A member without partitions is ready once the group has met."""
        return [reason for app in self._apps for reason in self._reasons(app)]

    def _reasons(self, app: StageApp) -> Iterator[str]:
        name, tables = app.stage.name, app.tables
        if not app.consumer_generation_id or not tables.recovery.completed.is_set():
            yield f"{name}: not assigned or not restored"
            return
        for tp, part in _parts(app):
            if not part.ready:
                yield f"{name}: {tp} is being restored"
                continue
            fetch, now = app.consumer.fetches.newest(tp), time.monotonic()
            stands = self._progress.stands_for(part, fetch.end if fetch is not None else _NOBODY_KNOWS, now)
            if _silent(fetch, part):
                yield f"{name}: {tp}: the broker answered no fetch for {now - fetch.answered:.0f} s"
            elif stands > STALL_SECONDS:
                lag = "an unknown lag" if fetch is None else f"lag {fetch.end - part.committed}"
                yield f"{name}: {tp} has {lag} and made no progress for {stands:.0f} s"


def _gauge(name: str, help_text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, labels=labels)


def _parts(app: StageApp) -> list[tuple[Any, Any]]:
    return list(app.tables.parts.copy().items())


def _silent(fetch: Fetch | None, part: Any) -> TypeGuard[Fetch]:
    """Nothing is known to wait, but the broker has said nothing for long: a consumer can die while its process is up.
    (Records that wait to be folded hold the next fetch back.)"""
    return fetch is not None and fetch.end <= part.committed and time.monotonic() - fetch.answered > STALL_SECONDS


def _lag(fetch: Fetch | None, part: Any) -> float:
    return math.nan if fetch is None or _silent(fetch, part) else max(0, fetch.end - part.committed)
