"""What a worker shows of itself, and when it says that it is not ready."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry, generate_latest

from app.engine.partition import Checkpoint
from app.erp.metrics import ErpMetrics
from app.observability import stage_metrics
from app.observability.stage_metrics import StageMetrics
from schemas.records import PartitionPosition, Tick
from streams.clock import observe

ALERTS = Path(__file__).parents[3] / "deploy" / "prometheus" / "alerts.yaml"
INBOX = TP("equipment.inbox", 2)


def app(*, end: int = 5, committed: int = 5, restored: bool = True) -> Any:
    state = PartitionPosition(0, 1, 1, "")
    observe(state, Tick("BRN1", 7_000_000, "intake/raw/0", False), ["intake/raw/0"])
    part = SimpleNamespace(ready=restored, committed=committed, state=state)
    tables = SimpleNamespace(parts={INBOX: part}, recovery=SimpleNamespace(completed=SimpleNamespace(is_set=lambda: True)))
    consumer = SimpleNamespace(highwater=lambda tp: end)
    stage = SimpleNamespace(name="equipment")
    return SimpleNamespace(stage=stage, tables=tables, consumer=consumer, consumer_generation_id=1, on_checkpoint=None)


def shown(registry: CollectorRegistry) -> str:
    return generate_latest(registry).decode()


def test_a_checkpoint_is_counted_and_shows_the_clocks() -> None:
    registry, watched = CollectorRegistry(), app()
    StageMetrics(registry).watch(watched)
    watched.on_checkpoint(Checkpoint(partition=2, gap=0.5, took=0.1, rows=3, messages=4, records=5))
    text = shown(registry)
    assert 'lineledger_records_total{stage="equipment"} 5.0' in text
    assert 'lineledger_clock_seconds{partition="2",plant="BRN1",stage="equipment",upstream="intake/raw/0"} 7.0' in text


def test_ready_means_assigned_restored_and_progressing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(stage_metrics.time, "monotonic", lambda: now[0])
    metrics = StageMetrics(CollectorRegistry())
    assert metrics.unready([app()]) == []
    assert "restored" in metrics.unready([app(restored=False)])[0]
    lagging = app(end=9)
    assert metrics.unready([lagging]) == []
    now[0] += stage_metrics.STALL_SECONDS + 1
    assert "no progress" in metrics.unready([lagging])[0]
    lagging.tables.parts[INBOX].committed = 6
    assert metrics.unready([lagging]) == []
    lagging.consumer_generation_id = 0
    assert "not assigned" in metrics.unready([lagging])[0]


def test_alerts_name_figures_that_exist() -> None:
    registry, watched = CollectorRegistry(), app()
    metrics = StageMetrics(registry)
    metrics.watch(watched)
    watched.on_checkpoint(Checkpoint(2, 0.5, 0.1, 3, 4, 5))
    metrics.unready([watched])
    ErpMetrics(registry).foreign.labels("BRN1").set(0)
    named = set(re.findall(r"lineledger_\w+", ALERTS.read_text(encoding="utf-8")))
    assert named
    assert {name for name in named if f"\n{name}" not in shown(registry)} == set()
