"""What a worker shows of itself, and when it says that it is not ready."""

import json
import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry, generate_latest

from app.engine.fetches import Fetch
from app.engine.partition import Checkpoint
from app.erp.metrics import ErpMetrics
from app.observability import stage_metrics
from app.observability.heartbeat import Heartbeat
from app.observability.port import serve
from app.observability.stage_metrics import StageMetrics
from schemas.records import PartitionPosition, Tick
from streams.clock import observe
from streams.figures import OLDEST_UNPOSTED, PARKED, POSTINGS, SILENT, Figure
from streams.silence import Watch

ALERTS = Path(__file__).parents[3] / "deploy" / "prometheus" / "alerts.yaml"
INBOX = TP("equipment.inbox", 2)


class Part:
    """An owned partition as far as metrics look at it."""

    def __init__(self, committed: int = 5, ready: bool = True) -> None:
        self.ready, self.committed = ready, committed
        self.state = PartitionPosition(0, 1, 1, "")
        self.state.marks["append_ahead"] = 3
        observe(self.state, Tick("BRN1", 7_000_000, "intake/raw/0", False), Watch(["intake/raw/0"]))


def fetches(fetch: Fetch | None) -> Any:
    return SimpleNamespace(newest=lambda tp: fetch)


def app(part: Part | None = None, *, end: int = 5, answered: float = 1e9) -> Any:
    """`end`: of the inbox, as the broker said at `answered`."""
    tables = SimpleNamespace(
        parts={INBOX: part or Part()}, recovery=SimpleNamespace(completed=SimpleNamespace(is_set=lambda: True))
    )
    return SimpleNamespace(
        stage=SimpleNamespace(name="equipment"),
        settings=SimpleNamespace(partitions=4),
        tables=tables,
        consumer=SimpleNamespace(fetches=fetches(Fetch(5, end, answered, answered, end == 5))),
        consumer_generation_id=1,
        clock_ahead=-0.25,
        on_checkpoint=None,
        letters={},
    )


def watching(watched: Any) -> tuple[StageMetrics, CollectorRegistry]:
    registry = CollectorRegistry()
    metrics = StageMetrics(registry)
    metrics.watch(watched)
    return metrics, registry


def shown(registry: CollectorRegistry) -> str:
    return generate_latest(registry).decode()


def test_a_checkpoint_is_counted() -> None:
    watched = app()
    _, registry = watching(watched)
    assert 'lineledger_records_total{stage="equipment"} 0.0' in shown(registry), "absent compares with nothing"
    watched.on_checkpoint(Checkpoint(partition=2, gap=0.5, took=0.1, rows=3, messages=4, records=5))
    assert 'lineledger_records_total{stage="equipment"} 5.0' in shown(registry)


class Telling:
    name = "orders"

    def figures(self) -> list[Figure]:
        return [
            Figure(POSTINGS, ("BRN1", "rejected", "LOT_UNKNOWN", "quality"), 3),
            Figure(PARKED, ("BRN1", "OVER_DELIVERY", "logistics"), 2),
            Figure(SILENT, ("BRN1", "gateway"), 2),
            Figure(OLDEST_UNPOSTED, ("BRN1",), int((time.time() - 90) * 1_000_000)),
        ]


def test_what_folds_count_is_shown_with_the_codes_of_the_register_and_their_owners() -> None:
    watched = app()
    watched.stage = Telling()
    watched.tables.parts[INBOX].state.configurations["BRN1"] = "hash"
    watched.letters = {("BRN1", "BAD_JSON"): 4, ("BRN1", "MADE_UP"): 1, ("BRN1", "MADE_UP_TOO"): 1, ("noise", "BAD_JSON"): 2}
    _, registry = watching(watched)
    text = shown(registry)
    assert 'lineledger_postings{code="LOT_UNKNOWN",owner="quality",plant="BRN1",state="rejected"} 3.0' in text
    assert 'lineledger_parked{code="OVER_DELIVERY",owner="logistics",plant="BRN1"} 2.0' in text
    assert 'lineledger_upstream_silent{plant="BRN1",stage="orders",upstream="gateway"} 2.0' in text
    age = registry.get_sample_value("lineledger_oldest_unposted_seconds", {"plant": "BRN1"})
    assert age is not None
    assert 89 < age < 120
    letters = "lineledger_dead_letters_total"
    labels = {"stage": "orders", "owner": "plant IT"}
    assert registry.get_sample_value(letters, {**labels, "plant": "BRN1", "code": "BAD_JSON"}) == 4
    assert registry.get_sample_value(letters, {**labels, "plant": "BRN1", "code": "OTHER"}) == 2
    assert registry.get_sample_value(letters, {**labels, "plant": "", "code": "BAD_JSON"}) == 2, "a plant that nobody configured"


def test_clocks_show_from_the_take_over_on() -> None:
    _, registry = watching(app())
    assert 'lineledger_clock_seconds{partition="2",plant="BRN1",stage="equipment",upstream="intake/raw/0"} 7.0' in shown(registry)


def test_wrong_clocks_show() -> None:
    watched = app()
    watched.stage.name = "intake.raw.a"
    text = shown(watching(watched)[1])
    assert 'lineledger_clock_ahead_seconds{stage="intake.raw.a"} -0.25' in text
    assert 'lineledger_append_ahead{partition="2",stage="intake.raw.a"} 3.0' in text
    del watched.tables.parts[INBOX].state.marks["append_ahead"]
    again = shown(watching(watched)[1])
    assert 'lineledger_append_ahead{partition="2",stage="intake.raw.a"} 0.0' in again, "else its first jump would be no increase"


def test_a_lost_partition_leaves_no_gauge_behind() -> None:
    watched = app(end=9)
    _, registry = watching(watched)
    assert 'lineledger_lag{partition="2",stage="equipment"} 4.0' in shown(registry)
    assert 'lineledger_partitions{stage="equipment",state="owned"} 1.0' in shown(registry)
    del watched.tables.parts[INBOX]
    text = shown(registry)
    assert 'partition="2"' not in text
    assert 'lineledger_partitions{stage="equipment",state="owned"} 0.0' in text
    assert 'lineledger_inbox_partitions{stage="equipment"} 4.0' in text


def test_ready_means_assigned_restored_and_progressing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(stage_metrics.time, "monotonic", lambda: now[0])
    assert watching(app())[0].unready() == []
    assert "restored" in watching(app(Part(ready=False)))[0].unready()[0]
    lagging = app(end=9)
    metrics, registry = watching(lagging)
    assert metrics.unready() == []
    now[0] += stage_metrics.STALL_SECONDS + 1
    assert "no progress" in metrics.unready()[0]
    assert 'lineledger_ready{stage="equipment"} 0.0' in shown(registry)
    lagging.tables.parts[INBOX].committed = 6
    assert metrics.unready() == []
    lagging.consumer_generation_id = 0
    assert "not assigned" in metrics.unready()[0]


def test_a_fetcher_that_died_shows_no_lag_of_zero_and_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(stage_metrics.time, "monotonic", lambda: now[0])
    idle = app(answered=100.0)
    metrics, registry = watching(idle)
    assert metrics.unready() == []
    assert 'lineledger_lag{partition="2",stage="equipment"} 0.0' in shown(registry)
    now[0] += stage_metrics.STALL_SECONDS + 1
    assert "answered no fetch" in metrics.unready()[0], "at once, however seldom somebody asks"
    assert 'lineledger_lag{partition="2",stage="equipment"} NaN' in shown(registry)
    assert 'lineledger_fetch_age_seconds{partition="2",stage="equipment"} 31.0' in shown(registry)
    idle.consumer.fetches = fetches(Fetch(5, 5, now[0], now[0], True))
    assert metrics.unready() == []


def test_a_partition_that_the_broker_never_answers_for_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(stage_metrics.time, "monotonic", lambda: now[0])
    mute = app()
    mute.consumer.fetches = fetches(None)
    metrics, registry = watching(mute)
    assert metrics.unready() == [], "it was only just assigned"
    assert 'lineledger_lag{partition="2",stage="equipment"} NaN' in shown(registry)
    now[0] += stage_metrics.STALL_SECONDS + 1
    assert "unknown lag" in metrics.unready()[0]
    mute.tables.parts[INBOX] = Part()
    assert metrics.unready() == [], "lost and assigned again: it has its time"


def test_alerts_name_figures_that_exist() -> None:
    watched = app()
    watched.stage, watched.letters = Telling(), {("", "BAD_JSON"): 1}
    watched.stage.name = "intake.raw.a"
    _, registry = watching(watched)
    watched.on_checkpoint(Checkpoint(2, 0.5, 0.1, 3, 4, 5))
    erp = ErpMetrics(registry)
    erp.foreign.labels("BRN1").set(0)
    erp.calls.labels("post", "accepted").inc()
    named = set(re.findall(r"lineledger_\w+", ALERTS.read_text(encoding="utf-8")))
    assert named
    assert {name for name in named if f"\n{name}" not in shown(registry)} == set()


def test_a_partition_that_comes_back_is_not_blamed_for_the_time_that_it_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(stage_metrics.time, "monotonic", lambda: now[0])
    watched = app(end=9)
    metrics, _ = watching(watched)
    assert metrics.unready() == []
    now[0] += stage_metrics.STALL_SECONDS + 1
    watched.tables.parts[INBOX] = Part()
    assert metrics.unready() == []


def test_live_fails_while_the_loop_is_silent() -> None:
    heartbeat = Heartbeat(limit=0.2)
    server = serve("127.0.0.1", 0, CollectorRegistry(), lambda: [], heartbeat.hangs_for)
    try:
        assert live(server.server_port)[0] == 200
        deadline = time.monotonic() + 10
        while live(server.server_port)[0] == 200:
            assert time.monotonic() < deadline
        assert live(server.server_port)[1]["live"] is False
        heartbeat.stamp()
        assert live(server.server_port) == (200, {"live": True, "hangs_for_seconds": 0})
    finally:
        server.shutdown()
        server.server_close()


def live(port: int) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as failed:
        with failed:
            return failed.code, json.load(failed)
