"""\"0 reached the ERP\" is a finding: a process value that an adapter sends changes the report, the verdict and the exit code."""

import json
import os
from pathlib import Path

import pytest

from tests.e2e.command import PROJECT, Outcome, lineledger

PLANT = """
plant: {id: P, zone: UTC, quantity_from: declarations}
sources:
  floor:
    files: ["floor*.jsonl"]
    read: {format: json, event_id: id, occurred_at: at, received_at: at}
    events:
      - when: {t: order}
        emit: OrderReleased
        order: o
        change_number: =1
        items: [{item: =1, material: =M, quantity: {path: n, decimals: 0, unit: =PC}, batch_managed: =false}]
        operations: [{operation: =10, confirm: =each, receipt: =true}]
      - when: {t: made}
        emit: ProductionDeclared
        order: o
        operation: =10
        material: =M
        quantity: {path: n, decimals: 0, unit: =PC}
      - {when: {t: heat}, emit: ProcessValue, equipment: m, name: tag, value: v}
      - {when: {t: done}, emit: OrderCompleted, order: o}
equipment: {M1: {}}
"""
LINES = (
    {"t": "order", "o": "O1", "n": "100"},
    {"t": "heat", "m": "M1", "tag": "zone_heat_17", "v": "231.5"},
    {"t": "made", "o": "O1", "n": "30"},
    {"t": "heat", "m": "M1", "tag": "zone_heat_17", "v": "232.5"},
    {"t": "done", "o": "O1"},
)
SENDS = 'return {"Repeatability-Request-ID": request_id, "Repeatability-First-Sent": first_sent}'
LEAKS = SENDS.replace("first_sent}", 'first_sent, "X-Note": "zone_heat_17=231.5"}')
PLANTED = f"""
import os, sys
os.chdir({str(PROJECT)!r})
from tests.mutants.planted import PlantedFinder
sys.meta_path.insert(0, PlantedFinder("app.erp.sim.adapter", {SENDS!r}, {LEAKS!r}))
"""
"""As sitecustomize, in each process of the run: the adapter sends a process value in a header."""


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    config = tmp_path / "config"
    config.mkdir()
    (config / "plant.yaml").write_text(PLANT, encoding="utf-8")
    (config / "rules.yaml").write_text("post: [{kind: yield, when: [shift_end, order_completed]}]\n", encoding="utf-8")
    (config / "erp.yaml").write_text("erp: {adapter: sim}\n", encoding="utf-8")
    with (tmp_path / "floor.jsonl").open("w", encoding="utf-8") as file:
        for minute, line in enumerate(LINES):
            file.write(json.dumps({"id": f"e{minute}", "at": f"2026-11-20T08:0{minute}:00Z", **line}) + "\n")
    return tmp_path


def run(floor: Path, name: str, **environ: str) -> Outcome:
    given = ("--config", str(floor / "config"), "--input", str(floor / "floor.jsonl"), "--erp", "sim")
    return lineledger("run", *given, "--out", floor / name, environ=environ)


def test_a_leak_changes_the_report_and_the_exit_code(floor: Path) -> None:
    assert SENDS in (PROJECT / "app" / "erp" / "sim" / "adapter.py").read_text(encoding="utf-8"), "the line that is changed"
    clean = run(floor, "clean")
    assert clean.code == 0, clean.said
    assert "process values 2 (0 reached the ERP, by 3 requests looked at)" in clean.stdout

    (floor / "planted").mkdir()
    (floor / "planted" / "sitecustomize.py").write_text(PLANTED, encoding="utf-8")
    path = os.pathsep.join([str(floor / "planted"), str(PROJECT)])
    leaking = run(floor, "leaking", PYTHONPATH=path)
    assert leaking.code == 1, leaking.said
    assert "process values 2 (1 reached the ERP, by 3 requests looked at)" in leaking.stdout
    assert "TELEMETRY_LEAKED: `zone_heat_17` in request 1 (post, raw)" in leaking.stdout
    told = json.loads((floor / "leaking" / "report.json").read_text(encoding="utf-8"))
    assert [leak["canary"] for leak in told["telemetry"]["leaks"]] == ["zone_heat_17"]
    assert told["exact"] is False
